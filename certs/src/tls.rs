//! Every TLS configuration of epr.

use std::path::Path;
use std::sync::Arc;

use proto::Hostname;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::PrivateKeyDer;

use crate::certificates::{read_chain, read_key};
use crate::{Certificates, CertsError};

/// HTTP/2 before HTTP/1.1, as clients that speak both prefer (RFC 7301, RFC 9113 3.2).
const EDGE_ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];
const GRPC_ALPN: [&[u8]; 1] = [b"h2"];
const HTTP1_ALPN: [&[u8]; 1] = [b"http/1.1"];

/// One provider for all: X25519MLKEM768 is preferred where the client offers it.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What terminates TLS at the edge: TLS 1.2 and 1.3, certificates by SNI, ALPN h2 and http/1.1,
/// stateless tickets whose keys rotate (RFC 5077), no early data (it may be replayed).
///
/// # Errors
/// When the system has no randomness for the first ticket key.
pub fn edge_server_config(certificates: &Arc<Certificates>) -> Result<Arc<ServerConfig>, CertsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Certificates>::clone(certificates));
    config.alpn_protocols = EDGE_ALPN.map(<[u8]>::to_vec).to_vec();
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    // Tickets carry the session; a cache on top would cost memory and a lock for nothing.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// What serves gRPC beyond loopback: one certificate, ALPN h2.
///
/// # Errors
/// As [`Certificates::load`].
pub fn grpc_server_config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, CertsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(read_chain(chain)?, read_key(key)?)?;
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
        return Err(CertsError::content(origin, "no CA certificate in it; name a PEM file that holds one"));
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
mod tests {
    use std::time::SystemTime;

    use rustls::{ClientConnection, ServerConnection};

    use super::*;
    use crate::dev_certificates;

    /// Runs a handshake in memory; returns the ALPN agreed on and whether the client resumed.
    fn handshake(
        server: &Arc<ServerConfig>,
        client: &Arc<ClientConfig>,
        name: &str,
    ) -> Result<String, rustls::Error> {
        let mut client = ClientConnection::new(Arc::clone(client), name.to_owned().try_into().unwrap())?;
        let mut server = ServerConnection::new(Arc::clone(server))?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(String::from_utf8(server.alpn_protocol().unwrap_or_default().to_vec()).unwrap())
    }

    #[test]
    fn a_client_that_trusts_the_ca_gets_its_name_and_h2() {
        let dir = tempfile::tempdir().unwrap();
        let base = [Hostname::parse("ep-r.io").unwrap()];
        let files = dev_certificates(dir.path(), &base, SystemTime::now()).unwrap();
        let certificates = Certificates::load(&files.chain, &files.key).unwrap();
        let server = edge_server_config(&certificates).unwrap();
        let client = client_config(Some(&files.ca)).unwrap();
        assert_eq!(handshake(&server, &client, "shop.ep-r.io").unwrap(), "h2");
        assert!(handshake(&server, &client, "shop.example.org").is_err());

        let stranger = tempfile::tempdir().unwrap();
        let other = dev_certificates(stranger.path(), &base, SystemTime::now()).unwrap();
        let distrusting = client_config(Some(&other.ca)).unwrap();
        assert!(handshake(&server, &distrusting, "shop.ep-r.io").is_err());
        certificates.replace(&other.chain, &other.key).unwrap();
        assert_eq!(handshake(&server, &distrusting, "shop.ep-r.io").unwrap(), "h2");
    }
}
