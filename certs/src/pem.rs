//! PEM files, read with a bound.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::fault::{Fault, Reason};

/// Chains and keys are a few kilobytes; what is larger was named by mistake.
const MOST_BYTES: u64 = 1024 * 1024;

/// The content of a file, wiped from memory once it has been used.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let unreadable =
        |error: io::Error| Fault::new(path, Reason::Unreadable, format!("cannot be read: {error}"));
    // Asked before it is opened: opening a pipe waits for a writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Fault::new(path, Reason::Unreadable, "is not a file"));
    }
    let mut content = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    match content.len() as u64 > MOST_BYTES {
        true => {
            Err(Fault::new(path, Reason::Malformed, "is larger than 1 MiB, which no PEM file of ours is"))
        }
        false => Ok(content),
    }
}

/// Every certificate of a PEM file, in order.
pub(crate) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| Fault::new(path, Reason::Malformed, format!("not a PEM certificate chain: {error}")))
}

/// The private key of a PEM file.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|error| Fault::new(path, Reason::Malformed, format!("not a PEM private key: {error}")))
}
