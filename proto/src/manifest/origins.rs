use std::collections::HashMap;

use super::Place;

/// Where the fields of a message came from. A body may give very many, and each fault asks for its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins(HashMap<String, Origin>);

/// Where a field of a message came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) field: String,
    pub(super) place: Place,
}

impl Origins {
    /// The field `wire` of the message is `field` of the text. The first that is said to be it, is.
    pub(super) fn note(&mut self, wire: &str, field: &str, place: Place) {
        self.0.entry(wire.to_owned()).or_insert_with(|| Origin { field: field.to_owned(), place });
    }

    pub(super) fn find(&self, wire: &str) -> Option<&Origin> {
        self.0.get(wire)
    }
}
