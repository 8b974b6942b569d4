//! Where the pages of lists ended.
//!
//! The client goes on at a number, the store goes on behind a key. Both are known when a page ends, so
//! that is remembered for a while: the next page begins where this one ended, whatever is created or
//! deleted in between. What is not remembered is counted from the list's beginning.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// A bounded memory of places in lists; the oldest is forgotten first.
pub(super) struct Bookmarks {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    tokens: HashMap<Place, String>,
    order: VecDeque<Place>,
}

/// What tells a list from others, whatever its length: a digest of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ListId([u8; 32]);

impl ListId {
    /// Of the list that all of `about` tells apart: project, kind, filters.
    pub(super) fn of(about: &str) -> Self {
        Self(Sha256::digest(about.as_bytes()).into())
    }
}

/// A place in a list: which list, and how many items of it come before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Which list.
    pub(super) list: ListId,
    /// Items before it.
    pub(super) index: usize,
}

impl Bookmarks {
    /// Remembers `most` places.
    pub(super) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// The token with which the store goes on at `place`, if it is remembered.
    pub(super) fn find(&self, place: &Place) -> Option<String> {
        self.kept().tokens.get(place).cloned()
    }

    /// The store goes on at `place` with `token`.
    pub(super) fn remember(&self, place: Place, token: String) {
        let mut kept = self.kept();
        if kept.tokens.insert(place, token).is_none() {
            kept.order.push_back(place);
        }
        while kept.order.len() > self.most {
            if let Some(oldest) = kept.order.pop_front() {
                kept.tokens.remove(&oldest);
            }
        }
    }

    /// Whoever panicked with it held left whole entries behind.
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(index: usize) -> Place {
        Place { list: ListId::of("packages"), index }
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_the_newest_word_counts() {
        let bookmarks = Bookmarks::new(2);
        for index in [50, 100] {
            bookmarks.remember(place(index), format!("after {index}"));
        }
        bookmarks.remember(place(50), "elsewhere".to_owned());
        assert_eq!(bookmarks.find(&place(50)).as_deref(), Some("elsewhere"));
        bookmarks.remember(place(150), "after 150".to_owned());
        assert_eq!(bookmarks.find(&place(50)), None);
        assert_eq!(bookmarks.find(&place(100)).as_deref(), Some("after 100"));
        assert_eq!(bookmarks.find(&Place { list: ListId::of("deployments"), index: 100 }), None);
    }
}
