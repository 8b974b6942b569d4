use std::cell::RefCell;
use std::fmt;

use super::origins::{Origin, Origins};
use super::{Fault, Place};

/// What reading one document has found so far.
pub(super) struct Report {
    document: usize,
    /// Whether a field that nobody knows may stand there as long as it is null: programs send all the
    /// fields they know of, people write what they mean.
    nulls_pass: bool,
    found: RefCell<Found>,
}

#[derive(Default)]
struct Found {
    faults: Vec<Fault>,
    left_out: Vec<Fault>,
    origins: Origins,
}

impl Report {
    /// For a document that a person wrote.
    pub(super) fn new(document: usize) -> Self {
        Self { document, nulls_pass: false, found: RefCell::default() }
    }

    /// For a document that a program sent.
    pub(super) fn of_body() -> Self {
        Self { nulls_pass: true, ..Self::new(1) }
    }

    /// Faults, what was left out, and where each field came from.
    pub(super) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>, Origins) {
        let found = self.found.into_inner();
        (found.faults, found.left_out, found.origins)
    }

    fn at(&self, place: Place, field: &str, message: impl fmt::Display) -> Fault {
        Fault { document: self.document, place, field: field.to_owned(), message: message.to_string() }
    }

    pub(super) fn fault(&self, place: Place, field: &str, message: impl fmt::Display) {
        let fault = self.at(place, field, message);
        self.found.borrow_mut().faults.push(fault);
    }

    pub(super) fn document(&self) -> usize {
        self.document
    }

    pub(super) fn nulls_pass(&self) -> bool {
        self.nulls_pass
    }

    pub(super) fn leave_out(&self, place: Place, field: &str) {
        let note = self.at(place, field, "is left out: nothing acts on it");
        self.found.borrow_mut().left_out.push(note);
    }

    /// Where a field of the message came from.
    pub(super) fn origin_of(&self, wire: &str) -> Option<Origin> {
        self.found.borrow().origins.find(wire).cloned()
    }

    pub(super) fn origin(&self, wire: &str, field: &str, place: Place) {
        self.found.borrow_mut().origins.note(wire, field, place);
    }
}
