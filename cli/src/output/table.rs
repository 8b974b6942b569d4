use unicode_width::UnicodeWidthStr as _;

use super::{Out, Paint};

/// Rows under headings, each column as wide as its widest cell on a terminal, where some characters take two places.
pub(crate) struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

const GAP: usize = 3;

impl Table {
    pub(crate) fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row. An empty cell is shown as a dash.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn print(&self, out: &mut Out) {
        let paint = out.paint();
        for line in self.lines(paint) {
            out.line(line);
        }
    }

    fn lines(&self, paint: Paint) -> impl Iterator<Item = String> {
        let widths = self.widths();
        let pad = move |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for (cell, width) in cells.zip(&widths) {
                let gap = width + GAP - cell.width();
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', gap));
            }
            line.truncate(line.trim_end().len());
            line
        };
        let heading = paint.bold(pad(&mut self.columns.iter().copied()));
        let rows = self.rows.iter().map(move |row| pad(&mut row.iter().map(|cell| shown(cell))));
        std::iter::once(heading).chain(rows)
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<_> = self.columns.iter().map(|column| column.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(shown(cell).width());
            }
        }
        widths
    }
}

fn shown(cell: &str) -> &str {
    if cell.is_empty() { "-" } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let mut table = Table::new(&["NAME", "AGE", "URL"]);
        table.row(vec!["hello".into(), "2m".into(), String::new()]);
        table.row(vec!["é".into(), "10d".into(), "http://x".into()]);
        table.row(vec!["名🚀".into(), "1s".into(), "x".into()]);
        let lines: Vec<_> = table.lines(Paint::for_stream(false)).collect();
        assert_eq!(
            lines,
            ["NAME    AGE   URL", "hello   2m    -", "é       10d   http://x", "名🚀    1s    x"]
        );
    }
}
