//! What commands print: tables, documents, a little colour.

mod age;
mod cell;
mod page;
mod paint;
mod progress;
mod table;
mod terminal;

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::Value;

pub(crate) use age::age;
pub(crate) use cell::{Cell, Cut, Tone, printable};
pub(crate) use page::{Facts, paragraph, section};
pub(crate) use paint::Paint;
pub(crate) use progress::Progress;
pub(crate) use table::{Column, Table};
pub(crate) use terminal::ask_secret;

use crate::failure::Failure;

/// Standard output. The first error is kept for [`Out::finish`]; a closed pipe is none.
pub(crate) struct Out {
    stream: io::BufWriter<io::Stdout>,
    paint: Paint,
    width: Option<usize>,
    error: Option<io::Error>,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let paint = Paint::for_stream(stdout.is_terminal());
        Self { stream: io::BufWriter::new(stdout), paint, width: terminal::width(), error: None }
    }

    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// Columns of the terminal; none when it is none.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    pub(crate) fn line(&mut self, line: impl std::fmt::Display) {
        let written = writeln!(self.stream, "{line}");
        self.note(written);
    }

    pub(crate) fn json(&mut self, value: &Value) {
        let written = serde_json::to_writer_pretty(&mut self.stream, value).map_err(io::Error::from);
        self.note(written);
        self.line("");
    }

    /// One document of a YAML stream.
    pub(crate) fn yaml(&mut self, value: &Value) -> Result<(), Failure> {
        let text = serde_saphyr::to_string(value).map_err(Failure::refused)?;
        self.line(text.trim_end());
        Ok(())
    }

    /// Shows what has been printed so far.
    pub(crate) fn flush(&mut self) {
        let flushed = self.stream.flush();
        self.note(flushed);
    }

    /// Flushes; fails when not all could be written.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        match self.error {
            Some(error) => Err(Failure::refused(format_args!("cannot write the output: {error}"))),
            None => Ok(()),
        }
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.error.get_or_insert(error);
        }
    }
}

/// Prints what `write` writes, as it is.
pub(crate) fn write_all(write: impl FnOnce(&mut dyn io::Write)) -> Result<(), Failure> {
    let mut text = Vec::new();
    write(&mut text);
    let mut out = Out::new();
    let written = out.stream.write_all(&text);
    out.note(written);
    out.finish()
}

/// A remark that is not the output, on standard error.
pub(crate) fn remark(line: impl std::fmt::Display) {
    // There is nobody left to tell when standard error is gone.
    let _ = writeln!(io::stderr(), "{line}");
}

/// A word as a shell takes it for one.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_when_they_must_be() {
        assert_eq!(quoted("epr-data/tls/ca.pem"), "epr-data/tls/ca.pem");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
