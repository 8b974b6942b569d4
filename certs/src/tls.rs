//! Every TLS configuration of epr.

use std::path::Path;
use std::sync::Arc;

use proto::Hostname;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::server::{NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CipherSuite, ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;

use crate::CertsError;
use crate::fault::{Fault, Reason};
use crate::pem::read_chain;

/// HTTP/2 before HTTP/1.1, as clients that speak both prefer (RFC 7301, RFC 9113 3.2).
const EDGE_ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];
const GRPC_ALPN: [&[u8]; 1] = [b"h2"];
const HTTP1_ALPN: [&[u8]; 1] = [b"http/1.1"];

/// The key exchanges that are offered, the most wanted first: X25519 together with ML-KEM, so that what is
/// recorded today stays secret when there are quantum computers, then what every client has.
static GROUPS: [&dyn SupportedKxGroup; 4] =
    [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// The cipher a client would rather have, as the order of its offer says: whoever has no AES in hardware puts
/// ChaCha20 first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Favourite {
    /// AES in GCM.
    Aes,
    /// ChaCha20-Poly1305.
    ChaCha20,
}

/// The one provider. Its ciphers are all authenticated and forward secret.
fn provider() -> Arc<CryptoProvider> {
    provider_for(Favourite::Aes)
}

/// The same, its ciphers in the order that serves a client best. AES-128 comes before AES-256: nobody can break
/// either, and with SHA-256 in place of SHA-384 a handshake costs a quarter less.
fn provider_for(favourite: Favourite) -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider { kx_groups: GROUPS.to_vec(), ..aws_lc_rs::default_provider() };
    provider.cipher_suites.sort_by_key(|suite| match (strength(suite.suite()), favourite) {
        (Cipher::ChaCha20, Favourite::ChaCha20) => 0,
        (Cipher::Aes128, _) => 1,
        (Cipher::Aes256, _) => 2,
        (Cipher::ChaCha20, Favourite::Aes) => 3,
    });
    Arc::new(provider)
}

enum Cipher {
    Aes128,
    Aes256,
    ChaCha20,
}

fn strength(suite: CipherSuite) -> Cipher {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => Cipher::Aes128,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => Cipher::ChaCha20,
        _ => Cipher::Aes256,
    }
}

/// What ends TLS at the edge with one certificate for clients with a favourite: TLS 1.2 and 1.3, ALPN h2 and
/// http/1.1, sessions resumed by tickets alone.
///
/// No early data (RFC 8446 8): whoever recorded it may send it again, and a proxy can't know which
/// requests bear that.
pub(crate) fn edge_server_config(
    key: Arc<CertifiedKey>,
    tickets: Arc<dyn ProducesTickets>,
    favourite: Favourite,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider_for(favourite))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    // Of the client's order the favourite alone counts.
    config.ignore_client_order = true;
    config.alpn_protocols = EDGE_ALPN.map(<[u8]>::to_vec).to_vec();
    config.ticketer = tickets;
    // Tickets carry the session; a cache on top would cost memory and a lock for nothing.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// What serves gRPC beyond loopback, with what `resolver` has: ALPN h2.
pub(crate) fn grpc_server_config(
    resolver: Arc<dyn ResolvesServerCert>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = GRPC_ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

/// The same for a server that speaks HTTP/1.1: ALPN http/1.1, all else as in `config`.
pub fn for_http1(config: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.alpn_protocols = HTTP1_ALPN.map(<[u8]>::to_vec).to_vec();
    Arc::new(config)
}

/// What a gRPC client trusts: the CAs in the PEM file `ca`, or those of the system without one.
///
/// # Errors
/// A file that can't be read or holds no certificate; a system without CAs.
pub fn client_config(ca: Option<&Path>) -> Result<Arc<ClientConfig>, CertsError> {
    let mut roots = RootCertStore::empty();
    let (trusted, origin) = match ca {
        Some(path) => (read_chain(path)?, path),
        None => (rustls_native_certs::load_native_certs().certs, Path::new("the system's CA certificates")),
    };
    let (added, _) = roots.add_parsable_certificates(trusted);
    if added == 0 {
        let problem = "no CA certificate in it; name a PEM file that holds one";
        return Err(Fault::new(origin, Reason::Malformed, problem).into());
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = GRPC_ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

/// A server with a certificate of its own for `name`, trusted by nobody: what a demonstration
/// backend of a Secure TCP endpoint brings along.
///
/// # Errors
/// When the certificate can't be generated.
pub fn self_signed_server_config(names: &[Hostname]) -> Result<Arc<ServerConfig>, CertsError> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    if let Some(name) = names.first() {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&pair)?;
    let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
