//! Lists: pages of the service made into the stretches the client asks for.
//!
//! The client counts: `continue` is how many items come before. It ends its walk at a page with fewer
//! items than it asked for, so a page is filled as long as there is anything to fill it with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Parts;
use super::answer::{self, Answer};
use super::bookmarks::{ListId, Place};
use super::call::Call;
use super::failure::Failure;
use super::query::Query;
use crate::config::ApiLimits;
use crate::service::{Error, Filter, Listed, PageAsked};

/// Which stretch of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Items before it.
    start: usize,
    /// At most this many.
    limit: usize,
}

/// Which list is asked for.
pub(super) struct List {
    /// What it is called, like `PackageList`.
    kind: &'static str,
    /// What tells it from other lists.
    id: ListId,
    filter: Filter,
}

impl List {
    /// The list of this `kind` that `call` asks for, told apart from others by `whose` it is. What somebody
    /// else has seen of it is another list: both may be at the same number and not at the same item.
    pub(super) fn asked(kind: &'static str, whose: &str, call: &Call) -> Result<Self, Failure> {
        let (who, query) = (call.caller.token().unwrap_or_default(), &call.query);
        let id = ListId::of(&format!("{kind} {whose} {who} {}", query.but(&["continue", "limit"])));
        Ok(Self { kind, id, filter: filter(query)? })
    }
}

impl Stretch {
    /// What `continue` and `limit` ask for.
    pub(super) fn asked(query: &Query, limits: &ApiLimits) -> Result<Self, Failure> {
        let limit = query.number("limit")?.unwrap_or(limits.page_default);
        let most = limits.page_most;
        if limit == 0 || limit > most {
            return Err(Failure::malformed(format_args!("limit: {limit} is not between 1 and {most}")));
        }
        Ok(Self { start: query.number("continue")?.unwrap_or_default(), limit })
    }
}

/// The filter every list knows: `names`, `name`, `guids`, `labelSelector`.
fn filter(query: &Query) -> Result<Filter, Failure> {
    let mut labels = BTreeMap::new();
    for selector in query.all("labelSelector").flat_map(|selectors| selectors.split(',')) {
        let Some((key, value)) = selector.split_once('=') else {
            return Err(Failure::malformed(format_args!("labelSelector: {selector:?} is not KEY=VALUE")));
        };
        let value = value.strip_prefix('=').unwrap_or(value);
        if let Some(other) = labels.insert(key.trim().to_owned(), value.trim().to_owned())
            && other != value.trim()
        {
            return Err(Failure::malformed(format_args!(
                "labelSelector: {key} has two values, nothing has both"
            )));
        }
    }
    let either = |keys: [&str; 2]| -> BTreeSet<String> {
        keys.into_iter().flat_map(|key| query.all(key)).map(str::to_owned).collect()
    };
    let (names, guids) = (either(["names", "name"]), either(["guids", "guid"]));
    Ok(Filter { names, guids, labels })
}

/// Answers the stretch `call` asks for of the list whose pages `page` gives, without what `keep` does not
/// keep, as `show` shows it. `list` tells this list from others, filters included.
pub(super) async fn stretch<T, F, S>(
    parts: &Parts,
    call: &Call,
    list: List,
    page: impl Fn(PageAsked) -> F,
    keep: impl Fn(&T) -> bool,
    show: impl Fn(Vec<T>) -> S,
) -> Answer
where
    F: Future<Output = Result<Listed<T>, Error>>,
    S: Future<Output = Result<Vec<Value>, Failure>>,
{
    let asked = Stretch::asked(&call.query, &parts.limits)?;
    let mut place = Place { list: list.id, index: asked.start };
    let bookmark = parts.bookmarks.find(&place);
    let mut skip = if bookmark.is_some() { 0 } else { asked.start };
    let mut token = bookmark.unwrap_or_default();
    let mut items = Items { texts: Vec::new(), bytes: 0, most: parts.limits.answer_bytes };
    loop {
        // A page is never larger than what is still missing, so that a full stretch ends where a page does.
        let missing = skip.saturating_add(asked.limit - items.texts.len()).min(parts.limits.page_most);
        let size = u32::try_from(missing).unwrap_or(u32::MAX);
        let listed = page(PageAsked { size, token, filter: list.filter.clone() }).await?;
        let mut kept: Vec<T> = listed.items.into_iter().filter(&keep).collect();
        let before = skip.min(kept.len());
        skip -= before;
        items.add(show(kept.split_off(before)).await?)?;
        let Some(next) = listed.next else { return Ok(answer::list(list.kind, &items.texts, None)) };
        if items.texts.len() == asked.limit {
            place.index = asked.start.saturating_add(asked.limit);
            let index = place.index;
            parts.bookmarks.remember(place, next);
            return Ok(answer::list(list.kind, &items.texts, Some(index)));
        }
        token = next;
    }
}

/// What is to be answered, as text.
struct Items {
    texts: Vec<String>,
    bytes: usize,
    most: usize,
}

impl Items {
    fn add(&mut self, values: Vec<Value>) -> Result<(), Failure> {
        for value in values {
            let text = value.to_string();
            self.bytes += text.len();
            if self.bytes > self.most {
                let (count, most) = (self.texts.len(), self.most);
                return Err(Failure::malformed(format_args!(
                    "limit: more than {count} of these items are larger than {most} bytes; ask for fewer at once"
                )));
            }
            self.texts.push(text);
        }
        Ok(())
    }
}
