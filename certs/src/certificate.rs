use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ProducesTickets;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::fault::{Fault, Reason};
use crate::names::{self, CertName, Said};
use crate::sources::Pair;
use crate::tls::Favourite;
use crate::{pem, tls};

/// One chain with its key, ready to be served, and what it is good for.
///
/// A connection keeps the one it was served with, whatever is served by then.
pub struct Certificate {
    file: PathBuf,
    names: Vec<CertName>,
    /// Seconds since 1970.
    not_before: i64,
    /// Seconds since 1970.
    not_after: i64,
    configs: Configs,
}

/// By what clients favour.
struct Configs {
    aes: Arc<ServerConfig>,
    chacha20: Arc<ServerConfig>,
}

impl Certificate {
    /// Loads a chain (leaf first) and its key from PEM files.
    pub(crate) fn load(pair: &Pair, tickets: Arc<dyn ProducesTickets>) -> Result<Self, Fault> {
        let (said, key) = read(pair)?;
        let key = Arc::new(key);
        let config = |favourite| {
            tls::edge_server_config(Arc::clone(&key), Arc::clone(&tickets), favourite)
                .map_err(|error| Fault::new(&pair.chain, Reason::Malformed, error.to_string()))
        };
        let configs = Configs { aes: config(Favourite::Aes)?, chacha20: config(Favourite::ChaCha20)? };
        let Said { names, not_before, not_after } = said;
        Ok(Self { file: pair.chain.clone(), names, not_before, not_after, configs })
    }

    /// Whether it is good for `name`, a folded host name.
    pub fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.covers(name))
    }

    /// How TLS is ended with it for clients with a favourite: TLS 1.2 and 1.3, ALPN h2 and http/1.1.
    pub fn server_config(&self, favourite: Favourite) -> Arc<ServerConfig> {
        Arc::clone(match favourite {
            Favourite::Aes => &self.configs.aes,
            Favourite::ChaCha20 => &self.configs.chacha20,
        })
    }

    /// The file of its chain.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Until its time is over; nothing when it is.
    pub fn expires_in(&self, now: SystemTime) -> Option<Duration> {
        u64::try_from(self.not_after - seconds(now)).ok().filter(|left| *left > 0).map(Duration::from_secs)
    }

    /// Days until its time is over; less than 0 when it is.
    #[allow(clippy::cast_precision_loss, reason = "seconds of any date are exact")]
    pub fn days_left(&self, now: SystemTime) -> f64 {
        (self.not_after - seconds(now)) as f64 / 86_400.0
    }

    /// How long its time is.
    pub(crate) fn life(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.not_after - self.not_before).unwrap_or_default())
    }

    pub(crate) fn names(&self) -> &[CertName] {
        &self.names
    }

    /// Whether clients would take it at `now`.
    pub(crate) fn judge_time(&self, now: SystemTime) -> Result<(), Fault> {
        if seconds(now) < self.not_before {
            return Err(self.fault(Reason::NotYetValid, "is not valid yet; is the clock right?"));
        }
        match self.expires_in(now) {
            Some(_) => Ok(()),
            None => Err(self.fault(Reason::Expired, "has expired; put a new certificate and its key there")),
        }
    }

    pub(crate) fn fault(&self, reason: Reason, problem: impl Into<String>) -> Fault {
        Fault::new(&self.file, reason, problem)
    }
}

/// Reads a pair, sees that its halves belong together, and what its certificate says.
pub(crate) fn read(pair: &Pair) -> Result<(Said, CertifiedKey), Fault> {
    let chain = read_chain(pair)?;
    let said = names::read(leaf(&chain, pair)?, &pair.chain)?;
    Ok((said, join(chain, pair)?))
}

/// The same for whom it does not matter what the certificate says.
pub(crate) fn read_key(pair: &Pair) -> Result<CertifiedKey, Fault> {
    join(read_chain(pair)?, pair)
}

type Chain = Vec<CertificateDer<'static>>;

fn read_chain(pair: &Pair) -> Result<Chain, Fault> {
    let chain = pem::read_chain(&pair.chain)?;
    leaf(&chain, pair)?;
    Ok(chain)
}

fn leaf<'c>(chain: &'c Chain, pair: &Pair) -> Result<&'c CertificateDer<'static>, Fault> {
    chain.first().ok_or_else(|| {
        let problem = "no certificate in it; a PEM chain, leaf first, is expected";
        Fault::new(&pair.chain, Reason::Malformed, problem)
    })
}

fn join(chain: Chain, pair: &Pair) -> Result<CertifiedKey, Fault> {
    let key = pem::read_key(&pair.key)?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| {
        let (reason, hint) = match error {
            rustls::Error::InconsistentKeys(_) => {
                (Reason::KeyMismatch, "is it the key of the first certificate there, the leaf?".to_owned())
            }
            other => (Reason::Malformed, other.to_string()),
        };
        Fault::new(&pair.key, reason, format!("does not go with {}: {hint}", pair.chain.display()))
    })
}

fn seconds(now: SystemTime) -> i64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("file", &self.file).field("names", &self.names).finish()
    }
}
