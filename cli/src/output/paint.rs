use std::fmt::Display;

use super::Tone;

/// Colours, when they are wanted: on a terminal that has them, unless `NO_COLOR` is set (no-color.org).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn for_stream(is_terminal: bool) -> Self {
        let is_dumb = || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let is_unwanted = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(is_terminal && !is_dumb() && !is_unwanted())
    }

    pub(crate) fn tone(self, tone: Tone, text: impl Display) -> String {
        match tone {
            Tone::Plain => text.to_string(),
            Tone::Good => self.green(text),
            Tone::Busy => self.yellow(text),
            Tone::Bad => self.red(text),
            Tone::Faint => self.dim(text),
        }
    }

    pub(crate) fn red(self, text: impl Display) -> String {
        self.wrap(text, "31;1")
    }

    pub(crate) fn green(self, text: impl Display) -> String {
        self.wrap(text, "32")
    }

    pub(crate) fn yellow(self, text: impl Display) -> String {
        self.wrap(text, "33")
    }

    pub(crate) fn bold(self, text: impl Display) -> String {
        self.wrap(text, "1")
    }

    pub(crate) fn dim(self, text: impl Display) -> String {
        self.wrap(text, "2")
    }

    fn wrap(self, text: impl Display, code: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
