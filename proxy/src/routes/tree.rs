//! A persistent hash trie: a new version shares with the old one all that did not change.
//!
//! The bits of a name's hash, six at a time from the top, lead through inner nodes to a leaf. A leaf
//! keeps its slots ordered by hash, so that a look-up interpolates to its slot. Whole trees are built from
//! sorted slots; a batch of edits is merged in one pass that copies each touched node once.

use std::ops::ControlFlow;
use std::sync::Arc;

use proto::Hostname;

/// Bits of the hash an inner node consumes.
const BITS: u32 = 6;
/// Children of an inner node.
const FANOUT: usize = 1 << BITS;
/// Deeper than this the hash has no six bits left; names that share 60 bits share a leaf.
const MAX_DEPTH: u32 = u64::BITS / BITS;
/// A leaf that grows above this is split. Longer leaves save levels, shorter ones make updates cheaper. Six
/// pairs of fan-out (32 to 128) and leaf (8 to 64) were tried from a thousand to a million names, on a
/// busy machine: none was the quickest at every size, and most differences were within the noise.
const LEAF_MAX: usize = 32;
/// Slots compared at once.
const WINDOW: usize = 8;
/// An inner node whose leaves hold no more than this together becomes a leaf. Half of
/// [`LEAF_MAX`], lest a name that comes and goes splits and joins for ever.
const LEAF_JOIN: usize = 16;

/// What a tree holds.
pub(super) trait Named {
    /// The name it is found by.
    fn name(&self) -> &str;
}

/// One version of the tree.
pub(super) struct Tree<T> {
    root: Node<T>,
    len: usize,
}

/// An item where its hash puts it.
pub(super) struct Slot<T> {
    hash: u64,
    item: Arc<T>,
}

/// One change of a batch.
pub(super) enum Edit<T> {
    /// The item takes the place of whatever has its name.
    Put(Slot<T>),
    /// The name goes.
    Remove(u64, Hostname),
}

enum Node<T> {
    Leaf(Arc<[Slot<T>]>),
    Inner(Arc<[Node<T>; FANOUT]>),
}

impl<T: Named> Tree<T> {
    /// Builds a whole tree. A name that stands twice is told in the error.
    pub(super) fn build(mut slots: Vec<Slot<T>>) -> Result<Self, Hostname> {
        slots.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        refuse_repeats(&slots, Slot::place)?;
        let len = slots.len();
        Ok(Self { root: build(slots, 0), len })
    }

    /// A version with `edits` made. A name that stands in two of them is told in the error.
    pub(super) fn edited(&self, mut edits: Vec<Edit<T>>) -> Result<Self, Hostname> {
        edits.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        refuse_repeats(&edits, Edit::place)?;
        let mut len = self.len;
        let root = merge(&self.root, &edits, 0, &mut len);
        Ok(Self { root, len })
    }

    /// The item called `name`, whose hash is `hash`.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "a child for every six bits")]
    pub(super) fn get(&self, hash: u64, name: &str) -> Option<&Arc<T>> {
        let mut node = &self.root;
        let mut rest = hash;
        loop {
            match node {
                Node::Inner(children) => {
                    node = &children[top_bits(rest)];
                    rest <<= BITS;
                }
                Node::Leaf(slots) => return find(slots, hash, rest, name),
            }
        }
    }

    /// Shows the items to `visit` in the order of their places, beginning after the place `after`,
    /// until it breaks.
    pub(super) fn visit(
        &self,
        after: Option<(u64, &str)>,
        visit: &mut impl FnMut(&Arc<T>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        walk(&self.root, 0, after, visit)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { root: Node::Leaf(Arc::default()), len: 0 }
    }
}

impl<T: Named> Slot<T> {
    pub(super) fn new(hash: u64, item: Arc<T>) -> Self {
        Self { hash, item }
    }

    /// Slots are ordered by this: the hash, and the name among equal hashes.
    fn place(&self) -> (u64, &str) {
        (self.hash, self.item.name())
    }
}

impl<T: Named> Edit<T> {
    fn place(&self) -> (u64, &str) {
        match self {
            Self::Put(slot) => slot.place(),
            Self::Remove(hash, name) => (*hash, name.as_str()),
        }
    }
}

// Derived implementations would ask that `T` be `Clone`.
impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { hash: self.hash, item: self.item.clone() }
    }
}

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(slots) => Self::Leaf(slots.clone()),
            Self::Inner(children) => Self::Inner(children.clone()),
        }
    }
}

fn refuse_repeats<S>(sorted: &[S], place: impl Fn(&S) -> (u64, &str)) -> Result<(), Hostname> {
    let repeated = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if place(a) == place(b) => Hostname::parse_ascii(place(a).1.as_bytes()).ok(),
        _ => None,
    });
    repeated.map_or(Ok(()), Err)
}

/// Which child of an inner node at `depth` leads on to `hash`.
fn child_of(hash: u64, depth: u32) -> usize {
    top_bits(hash << (depth * BITS))
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "six bits are left")]
fn top_bits(rest: u64) -> usize {
    (rest >> (u64::BITS - BITS)) as usize
}

/// Looks for a name in a leaf. `rest` is what of the hash the way here has left: among the hashes of
/// this leaf it is uniform, so the slot stands about as far along the leaf as `rest` along its range. The
/// slots around there are counted without a branch: branches nobody can foretell cost most.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the guess is less than the leaf's length")]
fn find<'s, T: Named>(slots: &'s [Slot<T>], hash: u64, rest: u64, name: &str) -> Option<&'s Arc<T>> {
    let guess = ((u128::from(rest) * slots.len() as u128) >> u64::BITS) as usize;
    let from = guess.saturating_sub(WINDOW / 2 - 1).min(slots.len().saturating_sub(WINDOW));
    let around = slots.get(from..)?;
    let before = match around.first_chunk::<WINDOW>() {
        Some(window) => count_below(window, hash),
        None => count_below(around, hash),
    };
    match around.get(before) {
        Some(slot) if slot.hash == hash && slot.item.name() == name => Some(&slot.item),
        // It would stand just before this one, and does not.
        Some(slot) if slot.hash > hash && (before > 0 || from == 0) => None,
        _ => search(slots, hash, name),
    }
}

#[inline]
fn count_below<T>(slots: &[Slot<T>], hash: u64) -> usize {
    slots.iter().map(|slot| usize::from(slot.hash < hash)).sum()
}

/// For the few that stand far from where they should, and for names that are not there.
#[inline(never)]
fn search<'s, T: Named>(slots: &'s [Slot<T>], hash: u64, name: &str) -> Option<&'s Arc<T>> {
    let at = slots.partition_point(|slot| slot.hash < hash);
    let same = slots.get(at..)?.iter().take_while(|slot| slot.hash == hash);
    same.map(|slot| &slot.item).find(|item| item.name() == name)
}

/// A node that holds `slots`, which are sorted.
fn build<T>(slots: Vec<Slot<T>>, depth: u32) -> Node<T> {
    if slots.is_empty() {
        // The one empty leaf all share: of an inner node's children many have nothing.
        return Node::Leaf(Arc::default());
    }
    if slots.len() <= LEAF_MAX || depth == MAX_DEPTH {
        return Node::Leaf(slots.into());
    }
    let mut slots = slots.into_iter().peekable();
    Node::Inner(Arc::new(std::array::from_fn(|child| {
        let mut part = Vec::new();
        while let Some(slot) = slots.next_if(|slot| child_of(slot.hash, depth) == child) {
            part.push(slot);
        }
        build(part, depth + 1)
    })))
}

/// `node` with `edits` made, which are sorted, not repeated and all on the way through it. `len` is
/// kept up.
#[allow(clippy::indexing_slicing, reason = "a child for every six bits")]
fn merge<T: Named>(node: &Node<T>, edits: &[Edit<T>], depth: u32, len: &mut usize) -> Node<T> {
    match node {
        Node::Leaf(slots) => {
            let merged = merge_leaf(slots, edits);
            *len = *len + merged.len() - slots.len();
            build(merged, depth)
        }
        Node::Inner(children) => {
            let mut rest = edits;
            join(std::array::from_fn(|child| {
                let here = rest.partition_point(|edit| child_of(edit.place().0, depth) <= child);
                let (mine, others) = rest.split_at(here);
                rest = others;
                let node = &children[child];
                if mine.is_empty() { node.clone() } else { merge(node, mine, depth + 1, len) }
            }))
        }
    }
}

fn merge_leaf<T: Named>(slots: &[Slot<T>], edits: &[Edit<T>]) -> Vec<Slot<T>> {
    let mut merged = Vec::with_capacity(slots.len() + edits.len());
    let mut old = slots.iter().peekable();
    for edit in edits {
        while let Some(slot) = old.next_if(|slot| slot.place() < edit.place()) {
            merged.push(slot.clone());
        }
        old.next_if(|slot| slot.place() == edit.place());
        if let Edit::Put(slot) = edit {
            merged.push(slot.clone());
        }
    }
    merged.extend(old.cloned());
    merged
}

/// An inner node of `children`, or one leaf when they are few enough.
fn join<T>(children: [Node<T>; FANOUT]) -> Node<T> {
    let leaves = children.iter().try_fold(0, |sum, child| match child {
        Node::Leaf(slots) if sum + slots.len() <= LEAF_JOIN => Some(sum + slots.len()),
        Node::Leaf(_) | Node::Inner(_) => None,
    });
    if leaves.is_none() {
        return Node::Inner(Arc::new(children));
    }
    let slots = children.iter().flat_map(|child| match child {
        Node::Leaf(slots) => slots.iter().cloned(),
        Node::Inner(_) => [].iter().cloned(),
    });
    Node::Leaf(slots.collect::<Vec<_>>().into())
}

fn walk<T: Named>(
    node: &Node<T>,
    depth: u32,
    after: Option<(u64, &str)>,
    visit: &mut impl FnMut(&Arc<T>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match node {
        Node::Leaf(slots) => slots
            .iter()
            .filter(|slot| after.is_none_or(|at| slot.place() > at))
            .try_for_each(|s| visit(&s.item)),
        Node::Inner(children) => {
            let first = after.map_or(0, |(hash, _)| child_of(hash, depth));
            children
                .iter()
                .enumerate()
                .skip(first)
                .try_for_each(|(i, child)| walk(child, depth + 1, after.filter(|_| i == first), visit))
        }
    }
}

#[cfg(test)]
mod tests;
