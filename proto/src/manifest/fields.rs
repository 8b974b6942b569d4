use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use super::Place;
use super::nearest::hint;
use super::report::Report;
use super::tree::{Entry, Node, Shape};

mod left;
mod nested;

/// A field's name in the manifest and in the message. An empty name in the message means that the field
/// is only a level of the manifest: what is in it belongs to the message that holds it.
#[derive(Clone)]
pub(super) struct Name {
    manifest: &'static str,
    wire: String,
}

impl From<&'static str> for Name {
    /// The message has it under the same words, in snake case.
    fn from(manifest: &'static str) -> Self {
        let mut wire = String::with_capacity(manifest.len() + 2);
        for c in manifest.chars() {
            if c.is_ascii_uppercase() {
                wire.push('_');
            }
            wire.push(c.to_ascii_lowercase());
        }
        Self { manifest, wire }
    }
}

impl From<(&'static str, &str)> for Name {
    fn from((manifest, wire): (&'static str, &str)) -> Self {
        Self { manifest, wire: wire.to_owned() }
    }
}

/// A whole number, however many zeros follow its point.
struct Whole(u32);

impl FromStr for Whole {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = match text.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
            _ => text,
        };
        digits.parse().map(Self)
    }
}

/// The fields of one mapping of a manifest, taken one by one; what nobody took is a fault.
///
/// A `null` is as good as absent.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    place: Place,
    path: String,
    wire: String,
    taken: Vec<&'static str>,
    /// Taken as well, but nothing to suggest to anybody.
    ignored: Vec<&'static str>,
    open: bool,
    report: &'n Report,
}

impl<'n> Fields<'n> {
    /// Reads the mapping `node` by `read`, then faults the fields it did not take.
    pub(super) fn over<T>(
        node: &'n Node,
        report: &'n Report,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        Self::nested(node, report, String::new(), String::new(), read)
    }

    fn nested<T>(
        node: &'n Node,
        report: &'n Report,
        path: String,
        wire: String,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let Shape::Map(entries) = &node.shape else {
            report.fault(node.place, &path, format!("must be a mapping, not {}", node.shape.describe()));
            return None;
        };
        let mut fields = Self {
            entries,
            place: node.place,
            path,
            wire,
            taken: Vec::new(),
            ignored: Vec::new(),
            open: false,
            report,
        };
        let value = read(&mut fields);
        fields.fault_rest();
        Some(value)
    }

    /// What is under `key`; none when absent or null.
    fn take(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.taken.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.value.shape, Shape::Null)).then_some(entry)
    }

    fn take_named(&mut self, name: &Name) -> Option<(&'n Node, String, String)> {
        let entry = self.take(name.manifest)?;
        let (path, wire) = (self.path_of(name.manifest), self.wire_of(&name.wire));
        if !name.wire.is_empty() {
            self.report.origin(&wire, &path, entry.value.place);
        }
        Some((&entry.value, path, wire))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wire_of(&self, name: &str) -> String {
        match (self.wire.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (_, true) => self.wire.clone(),
            _ => format!("{}.{name}", self.wire),
        }
    }

    /// Faults a field, at its place if it is there, else at the mapping it is missing from.
    pub(super) fn fault(&self, key: &'static str, message: impl fmt::Display) {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        let place = entry.map_or(self.place, |entry| entry.value.place);
        self.report.fault(place, &self.path_of(key), message);
    }

    /// Faults a field that was read, by its name in the message.
    pub(super) fn fault_read(&self, wire: &str, message: impl fmt::Display) {
        match self.report.origin_of(wire) {
            Some(origin) => self.report.fault(origin.place, &origin.field, message),
            None => self.report.fault(self.place, wire, message),
        }
    }

    /// What is read from here on belongs to this part of the message.
    pub(super) fn within(&mut self, part: &str) {
        self.wire = self.wire_of(part);
        self.report.origin(&self.wire, &self.path, self.place);
    }

    /// The field `key`, if it is there, is also what the message has in `wire`.
    pub(super) fn also(&self, key: &str, wire: &str) {
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key) {
            self.report.origin(&self.wire_of(wire), &self.path_of(key), entry.value.place);
        }
    }

    /// Whether the field is there and not null. Does not take it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key && !matches!(entry.value.shape, Shape::Null))
    }

    /// The text under `key` and in that under `inner`, if there is one. Takes nothing, faults nothing.
    pub(super) fn peek(&self, key: &str, inner: &str) -> Option<&'n str> {
        let under = |entries: &'n [Entry], key: &str| entries.iter().find(|entry| entry.key == key);
        let Shape::Map(entries) = &under(self.entries, key)?.value.shape else { return None };
        match &under(entries, inner)?.value.shape {
            Shape::Scalar { text } => Some(text),
            _ => None,
        }
    }

    /// A text; numbers and booleans are taken as they are written.
    pub(super) fn text(&mut self, name: impl Into<Name>) -> Option<String> {
        let (node, path, _) = self.take_named(&name.into())?;
        self.scalar(node, &path, "a text").map(str::to_owned)
    }

    pub(super) fn required_text(&mut self, name: impl Into<Name>) -> Option<String> {
        let name = name.into();
        let text = self.text(name.clone());
        if text.is_none() && !self.has(name.manifest) {
            self.fault(name.manifest, "missing");
        }
        text
    }

    /// A number, or whatever else parses; `what` completes "must be …".
    pub(super) fn parsed<T: FromStr>(&mut self, name: impl Into<Name>, what: &str) -> Option<T> {
        let (node, path, _) = self.take_named(&name.into())?;
        let text = self.scalar(node, &path, what)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.report.fault(node.place, &path, format!("must be {what}, not {text:?}"));
        }
        value
    }

    /// A whole number; `128.0` is one too, as programs write it that hold it as a float.
    pub(super) fn whole(&mut self, name: impl Into<Name>, what: &str) -> Option<u32> {
        self.parsed(name, what).map(|Whole(number)| number)
    }

    /// A port. In the message 0 is a port that is not given: a 0 that is given must not become one.
    pub(super) fn port(&mut self, name: impl Into<Name>) -> u32 {
        let port: Option<NonZeroU16> = self.parsed(name, "a port between 1 and 65535");
        port.map_or(0, |port| port.get().into())
    }

    /// True or false, in the words of YAML 1.1 too.
    pub(super) fn flag(&mut self, name: impl Into<Name>) -> Option<bool> {
        let (node, path, _) = self.take_named(&name.into())?;
        let text = self.scalar(node, &path, "true or false")?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => {
                self.report.fault(node.place, &path, format!("must be true or false, not {text:?}"));
                None
            }
        }
    }

    /// One of a few words, regardless of case.
    pub(super) fn choice<T: Copy>(&mut self, name: impl Into<Name>, choices: &[(&str, T)]) -> Option<T> {
        let (node, path, _) = self.take_named(&name.into())?;
        let words = || choices.iter().map(|(word, _)| *word);
        let text = self.scalar(node, &path, "a word")?;
        let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            let hint = hint(text, words());
            self.report.fault(node.place, &path, format!("{text:?} is not known; {hint}"));
        }
        found.map(|(_, value)| *value)
    }

    fn scalar<'a>(&self, node: &'a Node, path: &str, what: &str) -> Option<&'a str> {
        if let Shape::Scalar { text } = &node.shape {
            return Some(text);
        }
        self.report.fault(node.place, path, format!("must be {what}, not {}", node.shape.describe()));
        None
    }
}
