//! Contenders that take turns.

use crate::Series;
use crate::clock::Cost;

/// Someone who does the work that is measured.
pub struct Contender<'a> {
    name: &'static str,
    turn: Box<dyn FnMut(usize) -> Cost + 'a>,
}

/// What one contender needed, over all rounds.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Who.
    pub name: &'static str,
    /// Nanoseconds of CPU time for each unit of work.
    pub cpu: Series,
    /// Nanoseconds that passed for each unit of work.
    pub wall: Series,
}

impl<'a> Contender<'a> {
    /// Calls `turn` with the round's number for each of its turns.
    pub fn new(name: &'static str, turn: impl FnMut(usize) -> Cost + 'a) -> Self {
        Self { name, turn: Box::new(turn) }
    }
}

/// Lets each contender have `rounds` turns, every round beginning with another of them, after one turn
/// each that is not counted.
pub fn interleave(rounds: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Measured> {
    let none = |contender: &Contender<'_>| Measured {
        name: contender.name,
        cpu: Series::default(),
        wall: Series::default(),
    };
    let mut measured: Vec<_> = contenders.iter().map(none).collect();
    for round in 0..=rounds {
        let count = contenders.len();
        for place in 0..count {
            let at = (place + round) % count;
            let (Some(contender), Some(measured)) = (contenders.get_mut(at), measured.get_mut(at)) else {
                continue;
            };
            let cost = (contender.turn)(round);
            if round > 0 {
                measured.cpu.push(cost.cpu);
                measured.wall.push(cost.wall);
            }
        }
    }
    measured
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn all_take_turns_and_the_first_round_is_not_counted() {
        let order = RefCell::new(Vec::new());
        let turn = |name: &'static str| {
            let order = &order;
            Contender::new(name, move |round| {
                order.borrow_mut().push(name);
                Cost { cpu: round as f64, wall: 0.0 }
            })
        };
        let measured = interleave(3, vec![turn("a"), turn("b")]);
        assert_eq!(*order.borrow(), ["a", "b", "b", "a", "a", "b", "b", "a"]);
        assert_eq!(measured[1].cpu.spread(), (1.0, 3.0));
    }
}
