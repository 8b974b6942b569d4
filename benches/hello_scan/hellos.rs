use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// What every hello asks for.
pub(crate) const NAME: &str = "amber-lift-1234.ep-r.io";

/// Values clients make up on purpose (RFC 8701), so that servers keep ignoring what they do not know.
const GREASE: [u8; 2] = [0x5a, 0x5a];
/// Up to the session id: both headers, version and random.
const FIXED: usize = 5 + 4 + 2 + 32;

type Fault = Box<dyn std::error::Error>;

/// The first flight of a rustls client, in one record.
pub(crate) fn hello(post_quantum: bool) -> Result<Vec<u8>, Fault> {
    let groups: &[&dyn SupportedKxGroup] = &[kx_group::X25519MLKEM768, kx_group::X25519];
    let kx_groups = groups.iter().skip(usize::from(!post_quantum)).copied().collect();
    let provider = CryptoProvider { kx_groups, ..default_provider() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut client = ClientConnection::new(Arc::new(config), NAME.try_into()?)?;
    let mut wire = Vec::new();
    client.write_tls(&mut wire)?;
    Ok(wire)
}

/// The same hello as a browser would send it: a made-up cipher suite first, and a made-up extension
/// before and after the others.
pub(crate) fn greased(hello: &[u8]) -> Option<Vec<u8>> {
    let (fixed, rest) = hello.split_at_checked(FIXED)?;
    let (&session, rest) = rest.split_first()?;
    let (session_id, rest) = rest.split_at_checked(session.into())?;
    let (suites, rest) = sized(rest)?;
    let (&methods, rest) = rest.split_first()?;
    let (compression, rest) = rest.split_at_checked(methods.into())?;
    let (extensions, _) = sized(rest)?;

    let suites = [&GREASE, suites].concat();
    let extensions = [&GREASE, &[0, 0], extensions, &[0x8a, 0x8a], &[0, 1, 0]].concat();
    let (_, version_and_random) = fixed.split_at_checked(9)?;
    let body = [
        version_and_random,
        &[session],
        session_id,
        &size(&suites)?,
        &suites,
        &[methods],
        compression,
        &size(&extensions)?,
        &extensions,
    ]
    .concat();
    let message = [&[1, 0], &size(&body)?[..], &body].concat();
    Some([&[22, 3, 1], &size(&message)?[..], &message].concat())
}

/// A vector with a length of two bytes before it, and what comes after.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn size(bytes: &[u8]) -> Option<[u8; 2]> {
    u16::try_from(bytes.len()).ok().map(u16::to_be_bytes)
}
