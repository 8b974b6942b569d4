use super::{Fields, Name};
use crate::manifest::tree::{Node, Shape};

/// Most bytes of a name with a list under it: the path of each item begins with it.
const LONGEST_NAME: usize = 256;

impl<'n> Fields<'n> {
    /// A list of texts; a single text is a list of one.
    pub(in crate::manifest) fn texts(&mut self, name: impl Into<Name>) -> Vec<String> {
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
    pub(in crate::manifest) fn text_map(&mut self, name: impl Into<Name>) -> Vec<(String, String)> {
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
    pub(in crate::manifest) fn lists_by_name(
        &mut self,
        name: impl Into<Name>,
        inner: &str,
    ) -> Vec<(String, Vec<String>)> {
        let read = |fields: &mut Self| {
            fields.open = true;
            let mut lists = Vec::with_capacity(fields.entries.len());
            for (i, entry) in fields.entries.iter().enumerate() {
                if entry.key.len() > LONGEST_NAME {
                    let message = format!("has a name of more than {LONGEST_NAME} bytes, as nothing has");
                    fields.report.fault(entry.place, &fields.path, message);
                    continue;
                }
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
    pub(in crate::manifest) fn map<T>(
        &mut self,
        name: impl Into<Name>,
        read: impl FnOnce(&mut Fields<'n>) -> T,
    ) -> Option<T> {
        let (node, path, wire) = self.take_named(&name.into())?;
        Fields::nested(node, self.report, path, wire, read)
    }

    pub(in crate::manifest) fn required_map<T>(
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
    pub(in crate::manifest) fn each<T>(
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
}
