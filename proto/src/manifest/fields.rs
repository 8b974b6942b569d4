use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use super::nearest::hint;
use super::tree::{Entry, Node, Shape};
use super::{Fault, Origin, Place};

/// What reading one document has found so far.
pub(super) struct Report {
    document: usize,
    found: RefCell<Found>,
}

#[derive(Default)]
struct Found {
    faults: Vec<Fault>,
    left_out: Vec<Fault>,
    origins: Vec<Origin>,
}

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

impl Report {
    pub(super) fn new(document: usize) -> Self {
        Self { document, found: RefCell::default() }
    }

    /// Faults, what was left out, and where each field came from.
    pub(super) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>, Vec<Origin>) {
        let found = self.found.into_inner();
        (found.faults, found.left_out, found.origins)
    }

    fn at(&self, place: Place, field: &str, message: impl fmt::Display) -> Fault {
        Fault { document: self.document, place, field: field.to_owned(), message: message.to_string() }
    }

    fn fault(&self, place: Place, field: &str, message: impl fmt::Display) {
        let fault = self.at(place, field, message);
        self.found.borrow_mut().faults.push(fault);
    }

    fn origin(&self, wire: &str, field: &str, place: Place) {
        let (wire, field) = (wire.to_owned(), field.to_owned());
        self.found.borrow_mut().origins.push(Origin { wire, field, place });
    }
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
        let origin = {
            let found = self.report.found.borrow();
            found.origins.iter().find(|origin| origin.wire == wire).cloned()
        };
        match origin {
            Some(origin) => self.report.fault(origin.place, &origin.field, message),
            None => self.report.fault(self.place, wire, message),
        }
    }

    /// What is read from here on belongs to this part of the message.
    pub(super) fn within(&mut self, part: &str) {
        self.wire = self.wire_of(part);
        self.report.origin(&self.wire, &self.path, self.place);
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

    pub(super) fn flag(&mut self, name: impl Into<Name>) -> Option<bool> {
        let choices = [("true", true), ("True", true), ("TRUE", true)];
        let all: Vec<_> =
            choices.into_iter().chain([("false", false), ("False", false), ("FALSE", false)]).collect();
        let (node, path, _) = self.take_named(&name.into())?;
        let text = self.scalar(node, &path, "true or false")?;
        let found = all.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            self.report.fault(node.place, &path, format!("must be true or false, not {text:?}"));
        }
        found
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

    /// A list of texts; a single text is a list of one.
    pub(super) fn texts(&mut self, name: impl Into<Name>) -> Vec<String> {
        let Some((node, path, wire)) = self.take_named(&name.into()) else { return Vec::new() };
        self.texts_in(node, &path, &wire)
    }

    fn texts_in(&self, node: &Node, path: &str, wire: &str) -> Vec<String> {
        let Shape::List(items) = &node.shape else {
            return self.scalar(node, path, "a list of texts").map(str::to_owned).into_iter().collect();
        };
        let read = |(i, item): (usize, &Node)| {
            let path = format!("{path}[{i}]");
            self.report.origin(&format!("{wire}[{i}]"), &path, item.place);
            self.scalar(item, &path, "a text").map(str::to_owned)
        };
        items.iter().enumerate().filter_map(read).collect()
    }

    /// A mapping from text to text, in its order.
    pub(super) fn text_map(&mut self, name: impl Into<Name>) -> Vec<(String, String)> {
        let read = |fields: &mut Self| {
            fields.open = true;
            let entries = fields.entries.iter();
            let texts = entries.filter_map(|entry| {
                let path = fields.path_of(&entry.key);
                fields.report.origin(&fields.wire_of(&entry.key), &path, entry.value.place);
                let text = fields.scalar(&entry.value, &path, "a text")?;
                Some((entry.key.clone(), text.to_owned()))
            });
            texts.collect()
        };
        self.map(name, read).unwrap_or_default()
    }

    /// A mapping from text to lists of texts. In the message it is a list in the order of the manifest,
    /// each item with its texts under `inner`.
    pub(super) fn lists_by_name(&mut self, name: impl Into<Name>, inner: &str) -> Vec<(String, Vec<String>)> {
        let read = |fields: &mut Self| {
            fields.open = true;
            let mut lists = Vec::with_capacity(fields.entries.len());
            for (i, entry) in fields.entries.iter().enumerate() {
                let (path, wire) = (fields.path_of(&entry.key), format!("{}[{i}]", fields.wire));
                fields.report.origin(&wire, &path, entry.place);
                fields.report.origin(&format!("{wire}.{inner}"), &path, entry.value.place);
                let texts = fields.texts_in(&entry.value, &path, &format!("{wire}.{inner}"));
                lists.push((entry.key.clone(), texts));
            }
            lists
        };
        self.map(name, read).unwrap_or_default()
    }

    /// A nested mapping.
    pub(super) fn map<T>(
        &mut self,
        name: impl Into<Name>,
        read: impl FnOnce(&mut Fields<'n>) -> T,
    ) -> Option<T> {
        let (node, path, wire) = self.take_named(&name.into())?;
        Fields::nested(node, self.report, path, wire, read)
    }

    pub(super) fn required_map<T>(
        &mut self,
        name: impl Into<Name>,
        read: impl FnOnce(&mut Fields<'n>) -> T,
    ) -> Option<T> {
        let name = name.into();
        if !self.has(name.manifest) {
            self.fault(name.manifest, "missing");
        }
        self.map(name, read)
    }

    /// A list of mappings.
    pub(super) fn each<T>(
        &mut self,
        name: impl Into<Name>,
        mut read: impl FnMut(&mut Fields<'n>) -> T,
    ) -> Vec<T> {
        let Some((node, path, wire)) = self.take_named(&name.into()) else { return Vec::new() };
        let Shape::List(items) = &node.shape else {
            self.report.fault(node.place, &path, format!("must be a list, not {}", node.shape.describe()));
            return Vec::new();
        };
        let mut read_one = |(i, item): (usize, &'n Node)| {
            let (path, wire) = (format!("{path}[{i}]"), format!("{wire}[{i}]"));
            self.report.origin(&wire, &path, item.place);
            Fields::nested(item, self.report, path, wire, &mut read)
        };
        items.iter().enumerate().filter_map(&mut read_one).collect()
    }

    /// Takes a field that needs no reading.
    pub(super) fn ignore(&mut self, key: &'static str) {
        self.ignored.push(key);
    }

    /// Leaves whatever has not been taken without fault.
    pub(super) fn ignore_rest(&mut self) {
        self.open = true;
    }

    /// Takes a field of the dialect that nothing acts on yet, and says so unless it is empty.
    pub(super) fn leave_out(&mut self, key: &'static str) {
        if let Some(entry) = self.take(key).filter(|entry| !entry.value.is_empty()) {
            let what = "is not supported yet and is left out";
            let note = self.report.at(entry.place, &self.path_of(key), what);
            self.report.found.borrow_mut().left_out.push(note);
        }
    }

    /// Takes a field of the dialect without which the resource would mean something else, and faults it
    /// unless it is empty.
    pub(super) fn not_yet(&mut self, key: &'static str) {
        if let Some(entry) = self.take(key).filter(|entry| !entry.value.is_empty()) {
            self.report.fault(entry.place, &self.path_of(key), "is not supported yet");
        }
    }

    fn scalar<'a>(&self, node: &'a Node, path: &str, what: &str) -> Option<&'a str> {
        if let Shape::Scalar { text } = &node.shape {
            return Some(text);
        }
        self.report.fault(node.place, path, format!("must be {what}, not {}", node.shape.describe()));
        None
    }

    fn fault_rest(&self) {
        if self.open {
            return;
        }
        let known = |key: &str| self.taken.contains(&key) || self.ignored.contains(&key);
        for entry in self.entries.iter().filter(|entry| !known(&entry.key)) {
            let hint = hint(&entry.key, self.taken.iter().copied());
            self.report.fault(entry.place, &self.path_of(&entry.key), format!("unknown field; {hint}"));
        }
    }
}

impl Node {
    fn is_empty(&self) -> bool {
        match &self.shape {
            Shape::Null => true,
            Shape::Scalar { text } => text.is_empty() || text.eq_ignore_ascii_case("false"),
            Shape::List(items) => items.is_empty(),
            Shape::Map(entries) => entries.iter().all(|entry| entry.value.is_empty()),
        }
    }
}
