use unicode_width::UnicodeWidthStr as _;

use super::cell::wrapped;
use super::{Cell, Out, printable};

/// Names and values under one another, the values in line. What is empty is left out.
#[derive(Default)]
pub(crate) struct Facts(Vec<(String, Cell)>);

const INDENT: usize = 2;
const GAP: usize = 3;
/// No value is squeezed into fewer places.
const LEAST: usize = 20;

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
            let begin = INDENT + names + GAP;
            let room = out.width().map_or(usize::MAX, |width| width.saturating_sub(begin).max(LEAST));
            let mut lines = wrapped(value.text(), room).into_iter();
            let first = paint.tone(value.tone(), lines.next().unwrap_or_default());
            out.line(format_args!("{:INDENT$}{}{pad}{first}", "", paint.dim(name)));
            lines.for_each(|line| out.line(format_args!("{:begin$}{}", "", paint.tone(value.tone(), line))));
        }
    }
}

/// The heading of a section, with a line free before it.
pub(crate) fn section(out: &mut Out, heading: &str) {
    let heading = out.paint().bold(heading);
    out.line(format_args!("\n{heading}"));
}

/// A paragraph, its lines after the first under the text and not under the `mark` before it.
pub(crate) fn paragraph(out: &mut Out, mark: &str, text: &str) {
    let indent = mark.width() + 1;
    let room = out.width().map_or(usize::MAX, |width| width.saturating_sub(indent).max(LEAST));
    let mut lines = wrapped(&printable(text), room).into_iter();
    let mark = out.paint().dim(mark);
    out.line(format_args!("{mark} {}", lines.next().unwrap_or_default()));
    lines.for_each(|line| out.line(format_args!("{:indent$}{line}", "")));
}
