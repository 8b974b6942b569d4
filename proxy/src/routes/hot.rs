use std::sync::Arc;

use super::RouteEntry;

/// The names one worker is asked for again and again, found without walking the tree.
///
/// A cache of two ways (four looked no better and cost more where names are cold). It remembers entries, not what a table says
/// of a name: an entry that has been replaced says so itself ([`RouteEntry::has_ended`]), so a change of one
/// route makes the worker forget that route and no other. After a whole table all are forgotten.
///
/// A name is let in when it is missed twice in a row in its set. Names that are asked for once, of a table much
/// larger than the cache, thus do not push out those that come again.
#[derive(Default)]
pub(super) struct Hot {
    generation: u64,
    /// None until a name is let in: most readers of tests and tools never need them.
    sets: Box<[Set]>,
    /// Some bits of the hash that was missed last, by set.
    missed: Box<[u16]>,
    turn: usize,
}

/// Where an entry was found: a reference to it would not leave the cache to be written on the other way.
#[derive(Clone, Copy)]
pub(super) struct Held {
    set: usize,
    way: usize,
}

/// Half a cache line, and never in two.
#[derive(Default)]
#[repr(align(32))]
struct Set {
    hashes: [u64; WAYS],
    entries: [Option<Arc<RouteEntry>>; WAYS],
}

const WAYS: usize = 2;
/// 64 KiB a worker, for 4096 names.
const SETS: usize = 2048;

impl Hot {
    /// Where the entry of `name` is, if it is here and still what the table has. `generation` is the table's.
    #[inline]
    pub(super) fn find(&self, generation: u64, hash: u64, name: &str) -> Option<Held> {
        let index = set_of(hash);
        let set = self.sets.get(index)?;
        // Counted without a branch: which way it is nobody can foretell.
        let way =
            set.hashes.iter().enumerate().fold(WAYS, |way, (i, known)| if *known == hash { i } else { way });
        let entry = set.entries.get(way)?.as_ref()?;
        let valid =
            generation == self.generation && !entry.has_ended() && entry.route.hostname.as_str() == name;
        valid.then_some(Held { set: index, way })
    }

    /// The entry that was found.
    #[inline]
    pub(super) fn at(&self, found: Held) -> Option<&Arc<RouteEntry>> {
        self.sets.get(found.set)?.entries.get(found.way)?.as_ref()
    }

    /// `entry` was not here when it was asked for.
    pub(super) fn missed(&mut self, generation: u64, hash: u64, entry: &Arc<RouteEntry>) {
        if self.generation != generation || self.sets.is_empty() {
            self.clear(generation);
        }
        let bits = (hash >> (u64::BITS - u16::BITS)) as u16;
        let Some(last) = self.missed.get_mut(set_of(hash)) else { return };
        if std::mem::replace(last, bits) != bits || entry.has_ended() {
            return;
        }
        let Some(set) = self.sets.get_mut(set_of(hash)) else { return };
        let is_free = |held: &Option<Arc<RouteEntry>>| held.as_ref().is_none_or(|held| held.has_ended());
        let way = set.entries.iter().position(is_free).unwrap_or_else(|| {
            self.turn = self.turn.wrapping_add(1);
            self.turn % WAYS
        });
        if let (Some(known), Some(held)) = (set.hashes.get_mut(way), set.entries.get_mut(way)) {
            *known = hash;
            *held = Some(entry.clone());
        }
    }

    /// Lets go of entries no table of `generation` has any more.
    pub(super) fn sweep(&mut self, generation: u64) {
        if self.generation != generation {
            *self = Self { generation, ..Self::default() };
        }
        for held in self.sets.iter_mut().flat_map(|set| &mut set.entries) {
            if held.as_ref().is_some_and(|held| held.has_ended()) {
                *held = None;
            }
        }
    }

    fn clear(&mut self, generation: u64) {
        let sets = std::iter::repeat_with(Set::default).take(SETS).collect();
        *self = Self { generation, sets, missed: vec![0; SETS].into(), turn: self.turn };
    }
}

/// The tree goes by the upper bits, this by the lower ones.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the upper bits are cut off anyway")]
fn set_of(hash: u64) -> usize {
    hash as usize % SETS
}
