use super::cell::{Cell, Cut};
use super::{Out, Paint};

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    cut: Cut,
    /// Whether it is shown only when everything is asked for.
    wide: bool,
}

impl Column {
    /// One whose cells are shown whole.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, cut: Cut::Never, wide: false }
    }

    /// One whose cells may be cut where the terminal is narrow.
    pub(crate) const fn cut(mut self, cut: Cut) -> Self {
        self.cut = cut;
        self
    }

    /// One for `-o wide`.
    pub(crate) const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }
}

/// Rows under headings. On a terminal no line is wider than it, as far as cells can be cut.
pub(crate) struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
    wide: bool,
    indent: usize,
}

const GAP: usize = 3;
const NARROW_GAP: usize = 2;
/// No cell is cut to fewer places than this.
const LEAST: usize = 10;

impl Table {
    pub(crate) fn new(columns: &'static [Column]) -> Self {
        Self { columns, rows: Vec::new(), wide: false, indent: 0 }
    }

    /// Shows every column, and every cell whole.
    pub(crate) fn wide(mut self, wide: bool) -> Self {
        self.wide = wide;
        self
    }

    /// Leaves so many places free before each line.
    pub(crate) fn indent(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// Adds a row, a cell for every column. An empty cell is shown as a dash.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub(crate) fn print(&self, out: &mut Out) {
        let width = out.width().filter(|_| !self.wide);
        for line in self.lines(out.paint(), width) {
            out.line(line);
        }
    }

    fn lines(&self, paint: Paint, width: Option<usize>) -> Vec<String> {
        let (widths, gap) = self.layout(width);
        let line = |cells: &mut dyn Iterator<Item = (String, usize)>| {
            let mut line = " ".repeat(self.indent);
            let mut owed = 0;
            for ((text, taken), width) in cells.zip(&widths) {
                line.extend(std::iter::repeat_n(' ', owed));
                line.push_str(&text);
                owed = width + gap - taken.min(*width);
            }
            line
        };
        let heading = line(&mut self.shown().map(|(_, column)| {
            let cell = Cell::from(column.name);
            (paint.bold(cell.text()), cell.width())
        }));
        let rows = self.rows.iter().map(|row| {
            let cells = self.shown().zip(&widths).filter_map(|((i, column), width)| {
                row.get(i).map(|cell| cell.shown(*width, column.cut, paint))
            });
            line(&mut { cells })
        });
        std::iter::once(heading).chain(rows).collect()
    }

    /// The columns to be shown, with their places in a row.
    fn shown(&self) -> impl Iterator<Item = (usize, &'static Column)> {
        let wide = self.wide;
        self.columns.iter().enumerate().filter(move |(_, column)| wide || !column.wide)
    }

    /// How wide each shown column is, and the gap between them.
    fn layout(&self, most: Option<usize>) -> (Vec<usize>, usize) {
        let widest = |(i, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width().max(1));
            cells.max().unwrap_or_default().max(column.name.len())
        };
        let mut widths: Vec<_> = self.shown().map(widest).collect();
        let Some(most) = most else { return (widths, GAP) };
        let gaps = widths.len().saturating_sub(1);
        let total = |widths: &[usize], gap| self.indent + widths.iter().sum::<usize>() + gaps * gap;
        if total(&widths, GAP) <= most {
            return (widths, GAP);
        }
        while total(&widths, NARROW_GAP) > most {
            let cuttable = self.shown().zip(&mut widths).filter(|((_, column), width)| {
                column.cut != Cut::Never && **width > LEAST.max(column.name.len())
            });
            // What a row is about is cut last, addresses before that: both are there to be copied.
            let willing = |i: usize, column: &Column| match (i, column.cut) {
                (0, _) => 0,
                (_, Cut::Middle) => 1,
                (_, Cut::End | Cut::Never) => 2,
            };
            let widest = cuttable.max_by_key(|((i, column), width)| (willing(*i, column), **width));
            let Some((_, width)) = widest else { break };
            *width -= 1;
        }
        (widths, NARROW_GAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::new("NAME").cut(Cut::End),
        Column::new("AGE"),
        Column::new("URL").cut(Cut::Middle),
        Column::new("GUID").wide(),
    ];

    fn table(rows: &[[&str; 4]]) -> Table {
        let mut table = Table::new(&COLUMNS);
        for row in rows {
            table.row(row.iter().map(|cell| Cell::from(*cell)).collect());
        }
        table
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let table =
            table(&[["hello", "2m", "", "g"], ["é", "10d", "http://x", "g"], ["名🚀", "1s", "x", "g"]]);
        let plain = Paint::for_stream(false);
        assert_eq!(
            table.lines(plain, None),
            ["NAME    AGE   URL", "hello   2m    -", "é       10d   http://x", "名🚀    1s    x"]
        );
        let wide = table.wide(true).indent(1).lines(plain, None);
        assert_eq!(wide[..2], [" NAME    AGE   URL        GUID", " hello   2m    -          g"]);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let url = "https://inst-abcdefghijklmnopqrstuvwx-abcdef.ep-r.io:8443";
        let table = table(&[["a-name-that-goes-on-and-on-and-on", "2m", url, ""]]);
        let lines = table.lines(Paint::for_stream(false), Some(60));
        assert_eq!(
            lines,
            [
                "NAME                               AGE  URL",
                "a-name-that-goes-on-and-on-and-on  2m   https://in…r.io:8443"
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 60));
        // What cannot be cut any more is left to the terminal.
        assert_eq!(table.lines(Paint::for_stream(false), Some(1))[1], "a-name-th…  2m   https…8443");
    }
}
