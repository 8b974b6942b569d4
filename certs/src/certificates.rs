use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::CertsError;
use crate::names::{self, CertName};

/// The certificates the edge serves, chosen by SNI and replaced as a whole without disturbing
/// handshakes under way.
pub struct Certificates {
    served: ArcSwap<Vec<Served>>,
}

/// One chain with its key, and the names it is good for.
struct Served {
    names: Vec<CertName>,
    key: Arc<CertifiedKey>,
}

impl Certificates {
    /// Loads a chain (leaf first) and its key from PEM files.
    ///
    /// # Errors
    /// A file that can't be read or holds something else; a key that is not the certificate's.
    pub fn load(chain: &Path, key: &Path) -> Result<Arc<Self>, CertsError> {
        let served = Served::load(chain, key)?;
        Ok(Arc::new(Self { served: ArcSwap::from_pointee(vec![served]) }))
    }

    /// Serves another chain and key from the next handshake on; on an error the old ones stay.
    ///
    /// # Errors
    /// As [`Certificates::load`].
    pub fn replace(&self, chain: &Path, key: &Path) -> Result<(), CertsError> {
        let served = Served::load(chain, key)?;
        self.served.store(Arc::new(vec![served]));
        Ok(())
    }

    /// Whether a certificate here is good for `name`, a folded host name.
    pub fn covers(&self, name: &str) -> bool {
        self.served.load().iter().any(|served| served.covers(name))
    }
}

impl Served {
    fn load(chain_path: &Path, key_path: &Path) -> Result<Self, CertsError> {
        let chain = read_chain(chain_path)?;
        let Some(leaf) = chain.first() else {
            return Err(CertsError::content(
                chain_path,
                "no certificate in it; a PEM chain, leaf first, is expected",
            ));
        };
        let (names, _) = names::read(leaf, chain_path)?;
        let key = read_key(key_path)?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| {
            CertsError::content(key_path, format!("does not go with {}: {error}", chain_path.display()))
        })?;
        Ok(Self { names, key: Arc::new(key) })
    }

    fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.covers(name))
    }
}

/// Every certificate of a PEM file, in order.
pub(crate) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertsError> {
    let pem = std::fs::read(path).map_err(CertsError::io("read", path))?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| CertsError::content(path, format!("not a PEM certificate chain: {error}")))
}

/// The private key of a PEM file.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertsError> {
    let pem = std::fs::read(path).map_err(CertsError::io("read", path))?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| CertsError::content(path, format!("not a PEM private key: {error}")))
}

impl ResolvesServerCert for Certificates {
    /// None, and with it the end of the handshake, for a name no certificate is good for.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        let served = self.served.load();
        served.iter().find(|served| served.covers(&name)).map(|served| Arc::clone(&served.key))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.served.load().iter().map(|served| &served.names)).finish()
    }
}
