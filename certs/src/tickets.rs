//! Session tickets: what a client brings back to resume a session, sealed with keys that change.
//!
//! Nothing is kept of a session but in its ticket (RFC 5077, RFC 8446 4.6.1), so every worker resumes what
//! any of them began, and every proxy of a fleet when they share a secret.
//!
//! A ticket is the name of its key, a nonce, and the session sealed with AES-256-GCM-SIV (RFC 8452), whose
//! random nonces may be drawn as often as clients like. Each key serves for one [`PERIOD`] and opens for
//! one more.

mod fleet;
mod key;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::server::ProducesTickets;

use crate::CertsError;
use crate::fault::Fault;
use fleet::Fleet;
use key::TicketKey;

/// How long a key seals.
pub(crate) const PERIOD: Duration = Duration::from_secs(6 * 3600);

/// The keys of tickets, shared by all who serve.
pub(crate) struct Tickets {
    ring: ArcSwap<Ring>,
    origin: Mutex<Origin>,
}

/// The keys of one period: the first seals, all open.
struct Ring {
    period: u64,
    keys: Vec<Arc<TicketKey>>,
}

/// Where keys come from.
enum Origin {
    /// Drawn by this process, and gone with it.
    Drawn,
    /// Derived from a secret that the fleet shares.
    Shared(Fleet),
}

/// What became of the file of the fleet's secrets.
pub(crate) struct Turned {
    /// Whether it was read anew.
    pub(crate) renewed: bool,
    pub(crate) fault: Option<Fault>,
}

impl Tickets {
    /// Keys for the period of `now`, from the secrets in `file` if there is one.
    pub(crate) fn new(file: Option<PathBuf>, now: SystemTime) -> Result<Arc<Self>, CertsError> {
        let period = period(now);
        let (origin, keys) = match file {
            None => (Origin::Drawn, vec![Arc::new(TicketKey::draw().ok_or(CertsError::NoRandomness)?)]),
            Some(file) => {
                let fleet = Fleet::read(file)?;
                let keys = fleet.keys(period).ok_or(CertsError::NoRandomness)?;
                (Origin::Shared(fleet), keys)
            }
        };
        let ring = ArcSwap::from_pointee(Ring { period, keys });
        Ok(Arc::new(Self { ring, origin: Mutex::new(origin) }))
    }

    /// Changes keys when the period of `now` is another one, or the secrets are.
    pub(crate) fn turn(&self, now: SystemTime) -> Turned {
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        let (period, ring) = (period(now), self.ring.load_full());
        match &mut *origin {
            Origin::Drawn => {
                // A clock that was set back changes nothing: keys would live longer, not shorter.
                if period > ring.period {
                    self.ring.store(Arc::new(ring.next(period)));
                }
                Turned { renewed: false, fault: None }
            }
            Origin::Shared(fleet) => {
                let renewed = fleet.look();
                if (renewed || period != ring.period)
                    && let Some(keys) = fleet.keys(period)
                {
                    self.ring.store(Arc::new(Ring { period, keys }));
                }
                Turned { renewed, fault: fleet.fault() }
            }
        }
    }
}

impl Ring {
    /// Drawn keys for a later period. Without randomness the old key goes on.
    fn next(&self, period: u64) -> Self {
        let Some(drawn) = TicketKey::draw() else {
            return Self { period: self.period, keys: self.keys.clone() };
        };
        let mut keys = vec![Arc::new(drawn)];
        // One that sealed before the last period has had its time.
        keys.extend(self.keys.first().filter(|_| period == self.period + 1).cloned());
        Self { period, keys }
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    /// What the key lives at least after it sealed for the last time.
    fn lifetime(&self) -> u32 {
        u32::try_from(PERIOD.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        self.ring.load().keys.first()?.seal(session)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.ring.load().keys.iter().find_map(|key| key.open(ticket))
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("period", &self.ring.load().period).finish_non_exhaustive()
    }
}

fn period(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / PERIOD.as_secs()
}

#[cfg(test)]
mod tests;
