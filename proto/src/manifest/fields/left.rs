use super::Fields;
use crate::manifest::nearest::hint;
use crate::manifest::tree::{Node, Shape};

impl Fields<'_> {
    /// Takes a field that needs no reading.
    pub(in crate::manifest) fn ignore(&mut self, key: &'static str) {
        self.ignored.push(key);
    }

    /// Leaves whatever has not been taken without fault.
    pub(in crate::manifest) fn ignore_rest(&mut self) {
        self.open = true;
    }

    /// Takes a field of the dialect that nothing acts on, and says so unless it is empty.
    pub(in crate::manifest) fn leave_out(&mut self, key: &'static str) {
        if let Some(entry) = self.take(key).filter(|entry| !entry.value.is_empty()) {
            self.report.leave_out(entry.place, &self.path_of(key));
        }
    }

    /// Takes a field of the dialect without which the resource would mean something else, and faults it
    /// unless it is empty.
    pub(in crate::manifest) fn not_yet(&mut self, key: &'static str) {
        if let Some(entry) = self.take(key).filter(|entry| !entry.value.is_empty()) {
            self.report.fault(entry.place, &self.path_of(key), "is not supported");
        }
    }

    pub(super) fn fault_rest(&self) {
        if self.open {
            return;
        }
        let known = |key: &str| self.taken.contains(&key) || self.ignored.contains(&key);
        let passes = |node: &Node| self.report.nulls_pass() && matches!(node.shape, Shape::Null);
        for entry in self.entries.iter().filter(|entry| !known(&entry.key) && !passes(&entry.value)) {
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
