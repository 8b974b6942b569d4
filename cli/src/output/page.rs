use unicode_width::UnicodeWidthStr as _;

use super::{Cell, Cut, Out};

/// Names and values under one another, the values in line. What is empty is left out.
#[derive(Default)]
pub(crate) struct Facts(Vec<(String, Cell)>);

const INDENT: usize = 2;
const GAP: usize = 3;

impl Facts {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl Into<Cell>) {
        let value = value.into();
        if !value.text().is_empty() {
            self.0.push((name.into(), value));
        }
    }

    pub(crate) fn print(&self, out: &mut Out) {
        let paint = out.paint();
        let names = self.0.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
        for (name, value) in &self.0 {
            let pad = " ".repeat(names + GAP - name.width());
            let (value, _) = value.shown(usize::MAX, Cut::Never, paint);
            out.line(format_args!("{:INDENT$}{}{pad}{value}", "", paint.dim(name)));
        }
    }
}

/// The heading of a section, with a line free before it.
pub(crate) fn section(out: &mut Out, heading: &str) {
    let heading = out.paint().bold(heading);
    out.line(format_args!("\n{heading}"));
}
