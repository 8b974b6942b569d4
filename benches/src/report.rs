use std::fmt;
use std::io::{self, Write};

use serde_json::Value;

/// A Markdown table.
pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its heading and nothing else.
    pub fn new(title: impl Into<String>, head: &[&str]) -> Self {
        Self { title: title.into(), rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width =
            |column: usize| self.rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max();
        (0..columns).map(|column| width(column).unwrap_or_default()).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        writeln!(f, "### {}\n", self.title)?;
        for (number, row) in self.rows.iter().enumerate() {
            for (column, &width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                if column == 0 { write!(f, "| {cell:width$} |") } else { write!(f, " {cell:>width$} |") }?;
            }
            writeln!(f)?;
            if number == 0 {
                let rule = |(column, width): (usize, &usize)| {
                    format!("{}{}", "-".repeat(width + 1), if column == 0 { "-" } else { ":" })
                };
                let rules: Vec<_> = widths.iter().enumerate().map(rule).collect();
                writeln!(f, "|{}|", rules.join("|"))?;
            }
        }
        Ok(())
    }
}

/// Nanoseconds as people read them.
pub fn nanoseconds(value: f64) -> String {
    let (scaled, unit) = match value {
        v if v < 1e4 => (v, "ns"),
        v if v < 1e7 => (v / 1e3, "us"),
        v if v < 1e10 => (v / 1e6, "ms"),
        v => (v / 1e9, "s"),
    };
    let digits = usize::from(scaled < 100.0);
    format!("{scaled:.digits$} {unit}")
}

/// Bytes as people read them.
pub fn bytes(value: f64) -> String {
    match value {
        v if v < 1e5 => format!("{v:.0} B"),
        v => format!("{:.1} MiB", v / f64::from(1 << 20)),
    }
}

/// Prints something and an empty line after it.
///
/// # Errors
/// When nobody reads what is printed.
pub fn print(what: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{what}\n")
}

/// Prints the results of one bench as one line of JSON.
///
/// # Errors
/// When nobody reads what is printed.
pub fn machine_line(bench: &str, results: &Value) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{}", serde_json::json!({ "bench": bench, "results": results }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let mut table = Table::new("t", &["what", "ns"]);
        table.row(["lookup", "72"]);
        assert_eq!(table.to_string(), "### t\n\n| what   | ns |\n|--------|---:|\n| lookup | 72 |\n");
    }

    #[test]
    fn numbers_are_short() {
        let texts = [1.25, 72.0, 812.0, 15_000.0, 219e6, 1.2e10].map(nanoseconds);
        assert_eq!(texts, ["1.2 ns", "72.0 ns", "812 ns", "15.0 us", "219 ms", "12.0 s"]);
    }
}
