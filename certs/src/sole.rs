use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::certificates::News;
use crate::fault::Fault;
use crate::sources::Pair;
use crate::stamp::Stamp;
use crate::{CertsError, certificate, tls};

/// The one certificate of a server, whatever name or address it is called by: replaced as its files
/// change.
pub struct Sole {
    pair: Pair,
    key: ArcSwap<CertifiedKey>,
    seen: Mutex<Seen>,
}

/// What the last look found.
struct Seen {
    stamps: [Option<Stamp>; 2],
    /// What is wrong, and whether that has been told.
    fault: Option<(Fault, bool)>,
}

impl Sole {
    /// Loads a chain (leaf first) and its key from PEM files.
    ///
    /// # Errors
    /// A file that can't be read or holds something else; a key that is not the certificate's.
    pub fn load(chain: &Path, key: &Path) -> Result<Arc<Self>, CertsError> {
        let pair = Pair { chain: chain.to_owned(), key: key.to_owned() };
        let seen = Mutex::new(Seen { stamps: Stamp::of_pair(&pair), fault: None });
        let key = ArcSwap::from_pointee(certificate::read_key(&pair)?);
        Ok(Arc::new(Self { pair, key, seen }))
    }

    /// Looks at the files: serves what is new there from the next handshake on, else goes on with what
    /// is served. Returns what is worth telling: what is wrong at two looks in a row, once. May block.
    pub fn look(&self) -> Option<News> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = Stamp::of_pair(&self.pair);
        if stamps == seen.stamps {
            let (fault, told) = seen.fault.as_mut()?;
            return (!std::mem::replace(told, true)).then(|| News::Wrong(fault.clone()));
        }
        seen.stamps = stamps;
        match certificate::read_key(&self.pair) {
            Ok(key) => {
                seen.fault = None;
                self.key.store(Arc::new(key));
                Some(News::Served { file: self.pair.chain.clone(), names: "every name".to_owned() })
            }
            Err(fault) => {
                seen.fault = Some((fault, false));
                None
            }
        }
    }

    /// What serves gRPC with it: TLS 1.2 and 1.3, ALPN h2.
    ///
    /// # Errors
    /// What rustls says.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, CertsError> {
        Ok(tls::grpc_server_config(Arc::<Self>::clone(self))?)
    }
}

impl ResolvesServerCert for Sole {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.load_full())
    }
}

impl fmt::Debug for Sole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sole").field("pair", &self.pair).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use proto::Hostname;

    use super::*;
    use crate::dev_certificates;

    #[test]
    fn its_files_are_followed_and_the_last_good_ones_kept() {
        let dir = tempfile::tempdir().unwrap();
        let make = || {
            dev_certificates(dir.path(), &[Hostname::parse("ep-r.io").unwrap()], SystemTime::now()).unwrap()
        };
        let files = make();
        let sole = Sole::load(&files.chain, &files.key).unwrap();
        let first = sole.key.load_full();
        assert_eq!(sole.look(), None);
        fs::remove_file(&files.key).unwrap();
        assert_eq!(sole.look(), None, "told when it stays so");
        assert!(matches!(sole.look(), Some(News::Wrong(fault)) if fault.file == files.key));
        assert_eq!(sole.look(), None);
        assert!(Arc::ptr_eq(&first, &sole.key.load_full()));
        make();
        assert!(matches!(sole.look(), Some(News::Served { .. })));
        assert!(!Arc::ptr_eq(&first, &sole.key.load_full()));
    }
}
