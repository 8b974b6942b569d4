//! From messages to drafts, noting what no draft can hold, and from records to messages.

pub(crate) mod deployment;
pub(crate) mod identity;
pub(crate) mod offline;
pub(crate) mod package;
pub(crate) mod secret;
pub(crate) mod static_route;

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use proto::wire;

use crate::domain::{Faults, Timestamp};
use crate::service::{Filter, Listed, PageAsked};

pub(crate) fn labels_in(labels: HashMap<String, String>) -> BTreeMap<String, String> {
    labels.into_iter().collect()
}

pub(crate) fn labels_out(labels: BTreeMap<String, String>) -> HashMap<String, String> {
    labels.into_iter().collect()
}

pub(crate) fn timestamp(at: Timestamp) -> Option<prost_types::Timestamp> {
    Some(SystemTime::from(at).into())
}

pub(crate) fn page_in(page: Option<wire::PageRequest>, filter: Option<wire::Filter>) -> PageAsked {
    let (page, filter) = (page.unwrap_or_default(), filter.unwrap_or_default());
    let filter = Filter {
        names: filter.names.into_iter().collect(),
        guids: filter.guids.into_iter().collect(),
        labels: labels_in(filter.labels),
    };
    PageAsked { size: page.size, token: page.token, filter }
}

/// The items of a page as messages, and where to go on.
pub(crate) fn page_out<T, M>(
    listed: Listed<T>,
    convert: impl Fn(T) -> M,
) -> (Vec<M>, Option<wire::PageResponse>) {
    let items = listed.items.into_iter().map(convert).collect();
    (items, Some(wire::PageResponse { next_token: listed.next.unwrap_or_default() }))
}

/// Reads an enum's number, noting one that this side does not know.
pub(crate) fn known<E: TryFrom<i32>>(
    number: i32,
    field: impl std::fmt::Display,
    faults: &mut Faults,
) -> Option<E> {
    E::try_from(number)
        .map_err(|_| {
            let message =
                format!("{number} means nothing to this version of epr; it may be older than the caller");
            faults.add(field, "unknown_value", message);
        })
        .ok()
}
