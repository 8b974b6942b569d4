use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// An item whose hash the test chooses, so that collisions and deep splits are met.
#[derive(Debug, PartialEq)]
struct Item {
    name: String,
    value: u32,
}

impl Named for Item {
    fn name(&self) -> &str {
        &self.name
    }
}

type Model = BTreeMap<(u64, String), u32>;

fn slot(hash: u64, name: &str, value: u32) -> Slot<Item> {
    Slot::new(hash, Arc::new(Item { name: name.to_owned(), value }))
}

fn host(name: &str) -> Hostname {
    Hostname::parse(name).unwrap()
}

fn everything(tree: &Tree<Item>, after: Option<(u64, &str)>) -> Vec<(String, u32)> {
    let mut seen = Vec::new();
    let _ = tree.visit(after, &mut |item| {
        seen.push((item.name.clone(), item.value));
        ControlFlow::Continue(())
    });
    seen
}

/// A hash of the six lowest bits of `n` and a few of the others: few enough distinct ones that they
/// collide, near enough that they split deep, spread enough that they split wide.
fn nasty_hash(n: u16) -> u64 {
    match n % 4 {
        0 => u64::from(n),
        1 => u64::from(n) << 48,
        2 => u64::MAX - u64::from(n % 64),
        _ => 0x0123_4567_89ab_cdef,
    }
}

#[test]
fn nodes_are_two_words() {
    assert_eq!(size_of::<Node<Item>>(), 2 * size_of::<usize>());
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let twice = vec![slot(1, "a", 1), slot(2, "b", 1), slot(1, "a", 2)];
    assert_eq!(Tree::build(twice).err(), Some(host("a")));
    let edits = vec![Edit::Put(slot(1, "a", 1)), Edit::Remove(1, host("a"))];
    assert_eq!(Tree::default().edited(edits).err(), Some(host("a")));
}

#[test]
fn an_edit_copies_only_the_way_to_it() {
    let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let slots = (0..10_000).map(|n| slot(hash(n), &format!("n{n}"), 0)).collect();
    let old = Tree::build(slots).unwrap();
    let new = old.edited(vec![Edit::Put(slot(hash(7), "n7", 1))]).unwrap();
    let same = |n: u64| {
        let name = format!("n{n}");
        Arc::ptr_eq(old.get(hash(n), &name).unwrap(), new.get(hash(n), &name).unwrap())
    };
    assert!(!same(7) && (0..10_000).filter(|n| *n != 7).all(same));
    let (Node::Inner(before), Node::Inner(after)) = (&old.root, &new.root) else { panic!("too shallow") };
    let shared = before.iter().zip(after.iter()).filter(|pair| match pair {
        (Node::Inner(a), Node::Inner(b)) => Arc::ptr_eq(a, b),
        (Node::Leaf(a), Node::Leaf(b)) => Arc::ptr_eq(a, b),
        _ => false,
    });
    assert_eq!(shared.count(), FANOUT - 1);
}

#[test]
fn a_tree_that_empties_becomes_one_leaf_again() {
    let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut tree = Tree::build((0..5000).map(|n| slot(hash(n), &format!("n{n}"), 0)).collect()).unwrap();
    for n in 0..5000 {
        tree = tree.edited(vec![Edit::Remove(hash(n), host(&format!("n{n}")))]).unwrap();
    }
    assert!(matches!(&tree.root, Node::Leaf(slots) if slots.is_empty()));
    assert_eq!(tree.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever batches are applied, the tree holds what a sorted map holds, and earlier versions still
    /// hold what they held.
    #[test]
    fn agrees_with_a_sorted_map(
        first in prop::collection::btree_map(0_u16..800, any::<u32>(), 0..600),
        batches in prop::collection::vec(
            prop::collection::btree_map(0_u16..800, prop::option::of(any::<u32>()), 0..200), 0..12),
        probe in 0_u16..800,
    ) {
        let name = |n: u16| format!("n{n}");
        let place = |n: u16| (nasty_hash(n), name(n));
        let mut model: Model = first.iter().map(|(n, value)| (place(*n), *value)).collect();
        let mut tree =
            Tree::build(first.iter().map(|(n, v)| slot(nasty_hash(*n), &name(*n), *v)).collect()).unwrap();
        let mut history: Vec<(Tree<Item>, Model)> = Vec::new();
        for batch in batches {
            let edits = batch.iter().map(|(n, change)| match change {
                Some(value) => Edit::Put(slot(nasty_hash(*n), &name(*n), *value)),
                None => Edit::Remove(nasty_hash(*n), host(&name(*n))),
            });
            let next = tree.edited(edits.collect()).unwrap();
            history.push((std::mem::replace(&mut tree, next), model.clone()));
            for (n, change) in batch {
                match change {
                    Some(value) => model.insert(place(n), value),
                    None => model.remove(&place(n)),
                };
            }
        }
        history.push((tree, model));
        for (tree, model) in &history {
            prop_assert_eq!(tree.len(), model.len());
            for n in 0..800 {
                let found = tree.get(nasty_hash(n), &name(n)).map(|item| item.value);
                prop_assert_eq!(found, model.get(&place(n)).copied());
            }
            let expected = |after: &(u64, String)| -> Vec<_> {
                model.iter().filter(|(at, _)| *at > after).map(|((_, n), v)| (n.clone(), *v)).collect()
            };
            let after = place(probe);
            prop_assert_eq!(everything(tree, Some((after.0, &after.1))), expected(&after));
            prop_assert_eq!(everything(tree, None), expected(&(0, String::new())));
        }
    }
}
