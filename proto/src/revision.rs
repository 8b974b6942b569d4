use std::cmp::Ordering;
use std::fmt;

/// Names one run of a control plane over its store, drawn at random. It comes into force with the first
/// commit of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

/// A point in the history of a store: which run wrote it, and how many commits there were until then.
///
/// Revisions of one epoch are ordered; those of different epochs are not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision {
    /// The run that wrote it.
    pub epoch: Epoch,
    /// Commits since the store was made; the first commit is 1.
    pub number: u64,
}

impl Revision {
    /// The revision `number` of `epoch`.
    pub fn new(epoch: Epoch, number: u64) -> Self {
        Self { epoch, number }
    }

    /// Whether a table at this revision holds everything that was committed at `other`.
    pub fn includes(self, other: Self) -> bool {
        self.partial_cmp(&other).is_some_and(Ordering::is_ge)
    }
}

impl PartialOrd for Revision {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.epoch == other.epoch).then(|| self.number.cmp(&other.number))
    }
}

/// Hexadecimal epoch, a slash, decimal number: `5bd1e995/42`.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}/{}", self.epoch.0, self.number)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_do_not_compare() {
        let old = Revision::new(Epoch(1), 900);
        let new = Revision::new(Epoch(2), 3);
        assert!(!old.includes(new) && !new.includes(old));
        assert!(Revision::new(Epoch(2), 3).includes(new) && !new.includes(Revision::new(Epoch(2), 4)));
    }
}
