use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::certificate::Certificate;
use crate::fault::{Fault, Reason};
use crate::names::CertName;
use crate::sources::{self, Listing, Pair, Sources};
use crate::stamp::Stamp;
use crate::tickets::Tickets;

/// Every pair of files, what was last read of it, and what is served of it.
pub(super) struct Held {
    /// Pairs named one by one, by their chains: one key may do for several.
    named: Listing,
    directories: BTreeMap<PathBuf, Listing>,
    /// By the same paths.
    slots: BTreeMap<PathBuf, Slot>,
}

/// One pair of files.
struct Slot {
    pair: Pair,
    stamps: [Option<Stamp>; 2],
    /// What the files hold, or what is wrong with them.
    read: Result<Arc<Certificate>, Fault>,
    served: Option<Arc<Certificate>>,
}

impl Held {
    pub(super) fn new(sources: Sources) -> Self {
        let named = sources.pairs.into_iter().map(|pair| (pair.chain.clone(), pair)).collect();
        let directories = sources.directories.into_iter().map(|path| (path, Listing::new())).collect();
        Self { named, directories, slots: BTreeMap::new() }
    }

    /// What is served, in a steady order.
    pub(super) fn served(&self) -> Vec<Arc<Certificate>> {
        self.slots.values().filter_map(|slot| slot.served.clone()).collect()
    }

    /// Reads what has changed and decides what is served; returns all that is wrong.
    pub(super) fn look(&mut self, tickets: &Arc<Tickets>, now: SystemTime) -> Vec<Fault> {
        let mut faults = Vec::new();
        let pairs = self.list(&mut faults);
        self.slots.retain(|key, _| pairs.contains_key(key));
        for (key, pair) in pairs {
            match self.slots.get_mut(&key) {
                Some(slot) => slot.look(pair, tickets),
                None => drop(self.slots.insert(key, Slot::new(pair, tickets))),
            }
        }
        self.choose(now, &mut faults);
        faults
    }

    /// Every pair there is. A directory that can't be read is as it was.
    fn list(&mut self, faults: &mut Vec<Fault>) -> Listing {
        let mut all = self.named.clone();
        for (directory, known) in &mut self.directories {
            match sources::list(directory) {
                Ok(listing) => *known = listing,
                Err(fault) => faults.push(fault),
            }
            all.extend(known.clone());
        }
        all
    }

    #[allow(clippy::indexing_slicing, reason = "slots and what is next of each are as many")]
    /// Serves of each pair what was read of it, or else what was served before.
    fn choose(&mut self, now: SystemTime, faults: &mut Vec<Fault>) {
        let mut slots: Vec<&mut Slot> = self.slots.values_mut().collect();
        let mut next: Vec<Option<Arc<Certificate>>> = Vec::new();
        for slot in &slots {
            let judged = slot.judge(now);
            next.push(judged.as_ref().ok().or(slot.served.as_ref()).cloned());
            faults.extend(judged.err());
        }
        // Each turn takes one back to what it served before, and of those no two are for one name.
        while let Some((at, fault)) = clash(&slots, &next) {
            faults.push(fault);
            next[at] = slots[at].served.clone();
        }
        for (slot, next) in slots.iter_mut().zip(next) {
            slot.served = next;
        }
    }
}

#[allow(clippy::indexing_slicing, reason = "places in `next`, as many as there are slots")]
/// A pair that is new at a name another is for, and what to say about it.
fn clash(slots: &[&mut Slot], next: &[Option<Arc<Certificate>>]) -> Option<(usize, Fault)> {
    let mut owners: HashMap<&CertName, usize> = HashMap::new();
    for (at, certificate) in next.iter().enumerate() {
        let Some(certificate) = certificate else { continue };
        for name in certificate.names() {
            let Some(other) = owners.insert(name, at) else { continue };
            // Who had a name keeps it; of two that are new the first has it.
            let loser = if slots[at].is_served(certificate) { other } else { at };
            let (has, wants) = (if loser == at { other } else { at }, next[loser].as_ref()?);
            let problem = format!(
                "is for {name}, and so is {}; one certificate for each name is served",
                slots[has].pair.chain.display()
            );
            return Some((loser, wants.fault(Reason::DuplicateName, problem)));
        }
    }
    None
}

impl Slot {
    fn new(pair: Pair, tickets: &Arc<Tickets>) -> Self {
        let stamps = Stamp::of_pair(&pair);
        let read = Certificate::load(&pair, tickets.clone()).map(Arc::new);
        Self { pair, stamps, read, served: None }
    }

    /// Reads the files again if they have changed.
    fn look(&mut self, pair: Pair, tickets: &Arc<Tickets>) {
        // Taken before they are read: what changes meanwhile is read at the next look.
        let stamps = Stamp::of_pair(&pair);
        if pair != self.pair || stamps != self.stamps {
            let served = self.served.take();
            *self = Self { served, stamps, ..Self::new(pair, tickets) };
        }
    }

    /// What was read, if it may be served. What is served already may be whatever its time: clients
    /// that look away are served on, and who does not look is told.
    fn judge(&self, now: SystemTime) -> Result<Arc<Certificate>, Fault> {
        let read = self.read.clone()?;
        if !self.is_served(&read) {
            read.judge_time(now)?;
        }
        Ok(read)
    }

    fn is_served(&self, certificate: &Arc<Certificate>) -> bool {
        self.served.as_ref().is_some_and(|served| Arc::ptr_eq(served, certificate))
    }
}
