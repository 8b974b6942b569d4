use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Paint;

/// A piece of text, and how it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// How a text is meant, which on a terminal is a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It says no more than its words.
    Plain,
    /// All is well.
    Good,
    /// Something is under way, or odd.
    Busy,
    /// Something is wrong.
    Bad,
    /// Of less interest.
    Faint,
}

/// Where a text that is too long is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nowhere.
    Never,
    /// At its end.
    End,
    /// In its middle: the end tells it from others, too.
    Middle,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into();
        Self { text: printable(&text).into_owned(), tone }
    }

    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Good)
    }

    pub(crate) fn busy(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Busy)
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Bad)
    }

    pub(crate) fn faint(text: impl Into<String>) -> Self {
        Self::new(text, Tone::Faint)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }

    /// Places it takes on a terminal.
    pub(super) fn width(&self) -> usize {
        self.text.width()
    }

    /// The text in no more than `width` places, a dash when there is none; in its colour.
    pub(super) fn shown(&self, width: usize, cut: Cut, paint: Paint) -> (String, usize) {
        let text = if self.text.is_empty() { "-" } else { &self.text };
        let text = shortened(text, width, cut);
        let taken = text.width();
        (paint.tone(self.tone, text), taken)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// Text that others wrote, without what a terminal would take for orders.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let safe = |c: char| if c.is_control() { if c.is_whitespace() { ' ' } else { '\u{fffd}' } } else { c };
    Cow::Owned(text.chars().map(safe).collect())
}

/// `text` in no more than `width` places.
pub(super) fn shortened(text: &str, width: usize, cut: Cut) -> Cow<'_, str> {
    if cut == Cut::Never || text.width() <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(1);
    let (first, last) = match cut {
        Cut::Middle => (room.div_ceil(2), room / 2),
        Cut::End | Cut::Never => (room, 0),
    };
    let end: Vec<char> = fitting(text.chars().rev(), last).collect();
    let start = fitting(text.chars(), first);
    Cow::Owned(start.chain(['…']).chain(end.into_iter().rev()).collect())
}

/// `text` in lines of no more than `width` places, broken between words; a word that is longer has a line of
/// its own.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// As many of `chars` as there are places for.
fn fitting(chars: impl Iterator<Item = char>, places: usize) -> impl Iterator<Item = char> {
    chars.scan(places, |left, c| {
        *left = left.checked_sub(c.width().unwrap_or_default())?;
        Some(c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_where_it_hurts_least() {
        assert_eq!(shortened("hello", 5, Cut::End), "hello");
        assert_eq!(shortened("hello-blue", 6, Cut::End), "hello…");
        assert_eq!(shortened("https://inst-abc.ep-r.io", 15, Cut::Middle), "https:/…ep-r.io");
        assert_eq!(shortened("名前名前", 5, Cut::End), "名前…");
        assert_eq!(shortened("hello", 2, Cut::Never), "hello");
        assert_eq!(shortened("hello", 0, Cut::Middle), "…");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("a bc def ghij", 6), ["a bc", "def", "ghij"]);
        assert_eq!(wrapped("abcdefghij k", 3), ["abcdefghij", "k"]);
        assert_eq!(wrapped("", 3), [""]);
    }

    #[test]
    fn orders_to_the_terminal_are_not_passed_on() {
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb c");
        assert_eq!(Cell::from("a\u{7}").text(), "a\u{fffd}");
    }
}
