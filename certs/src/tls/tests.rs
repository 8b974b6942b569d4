use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::{ClientConnection, HandshakeKind, NamedGroup, ProtocolVersion, ServerConnection};
use rustls_pki_types::ServerName;

use super::*;
use crate::{Certificates, dev_certificates};

/// Runs a handshake in memory, to the tickets that follow it.
fn handshake(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    name: &str,
) -> Result<ClientConnection, rustls::Error> {
    let mut client = ClientConnection::new(Arc::clone(client), name.to_owned().try_into().unwrap())?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    while client.is_handshaking() || client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert_eq!(client.alpn_protocol(), server.alpn_protocol());
    Ok(client)
}

/// An edge with a certificate for `*.ep-r.io`, and the CA its clients trust.
struct Edge {
    certificates: Arc<Certificates>,
    ca: PathBuf,
    _dir: tempfile::TempDir,
}

impl Edge {
    fn open(tickets: Option<PathBuf>) -> Self {
        let (dir, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
        let base = [Hostname::parse("ep-r.io").unwrap()];
        let files = dev_certificates(dir.path(), &base, now).unwrap();
        let pair = crate::Pair { chain: files.chain, key: files.key };
        let certificates = Certificates::open(pair.into(), tickets, now).unwrap();
        Self { certificates, ca: files.ca, _dir: dir }
    }

    fn config(&self) -> Arc<ServerConfig> {
        self.certificates.choose("shop.ep-r.io").unwrap().server_config(Favourite::Aes)
    }

    /// What a client trusts and speaks.
    fn client(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        groups: &[&'static dyn SupportedKxGroup],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(read_chain(&self.ca).unwrap());
        let provider = CryptoProvider { kx_groups: groups.to_vec(), ..aws_lc_rs::default_provider() };
        let config = ClientConfig::builder_with_provider(provider.into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
        Arc::new(config)
    }
}

const VERSIONS: [&rustls::SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

#[test]
fn a_client_that_trusts_the_ca_gets_its_name_and_h2() {
    let edge = Edge::open(None);
    for version in VERSIONS {
        let client = handshake(&edge.config(), &edge.client(version, &GROUPS), "shop.ep-r.io").unwrap();
        assert_eq!(client.alpn_protocol(), Some(&b"h2"[..]));
        assert_eq!(client.protocol_version(), Some(version.version));
    }
    let distrusting = client_config(Some(&Edge::open(None).ca)).unwrap();
    assert!(handshake(&edge.config(), &distrusting, "shop.ep-r.io").is_err());
}

#[test]
fn what_is_agreed_on_is_the_best_both_have() {
    use kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    let edge = Edge::open(None);
    for (groups, agreed) in [
        (&GROUPS[..], NamedGroup::X25519MLKEM768),
        (&[X25519, SECP256R1], NamedGroup::X25519),
        (&[SECP256R1], NamedGroup::secp256r1),
        (&[SECP384R1], NamedGroup::secp384r1),
        (&[X25519MLKEM768], NamedGroup::X25519MLKEM768),
    ] {
        let client = edge.client(&rustls::version::TLS13, groups);
        let client = handshake(&edge.config(), &client, "shop.ep-r.io").unwrap();
        assert_eq!(client.negotiated_key_exchange_group().map(|group| group.name()), Some(agreed));
        assert_eq!(client.handshake_kind(), Some(HandshakeKind::Full), "without another round trip");
    }
    let suites: Vec<_> =
        provider().cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
    let is_sane = |suite: &String| {
        let authenticated = suite.contains("GCM") || suite.contains("CHACHA20_POLY1305");
        authenticated && (suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_"))
    };
    assert!(suites.len() == 9 && suites.iter().all(is_sane), "{suites:?}");
}

#[test]
fn the_client_chooses_between_ciphers_and_we_how_strong_they_are() {
    let edge = Edge::open(None);
    let certificate = edge.certificates.choose("shop.ep-r.io").unwrap();
    for version in VERSIONS {
        let agreed = |favourite, offers: fn(&str) -> bool| {
            let mut client = ClientConfig::clone(&edge.client(version, &GROUPS));
            let mut provider = CryptoProvider::clone(client.crypto_provider());
            provider.cipher_suites.retain(|suite| offers(&format!("{:?}", suite.suite())));
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(read_chain(&edge.ca).unwrap());
            client = ClientConfig::builder_with_provider(provider.into())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let client =
                handshake(&certificate.server_config(favourite), &Arc::new(client), "shop.ep-r.io").unwrap();
            format!("{:?}", client.negotiated_cipher_suite().unwrap().suite())
        };
        assert!(agreed(Favourite::Aes, |_| true).contains("AES_128"));
        assert!(agreed(Favourite::Aes, |suite| !suite.contains("AES_128")).contains("AES_256"));
        assert!(agreed(Favourite::Aes, |suite| suite.contains("CHACHA20")).contains("CHACHA20"));
        assert!(agreed(Favourite::ChaCha20, |_| true).contains("CHACHA20"));
        assert!(agreed(Favourite::ChaCha20, |suite| suite.contains("AES")).contains("AES_128"));
    }
}

#[test]
fn sessions_resume_with_tickets_and_without_early_data() {
    let edge = Edge::open(None);
    for version in VERSIONS {
        let client = edge.client(version, &GROUPS);
        let kind = |name: &str| {
            let client = handshake(&edge.config(), &client, name).unwrap();
            assert!(client.protocol_version() == Some(version.version) && !client.is_early_data_accepted());
            client.handshake_kind()
        };
        assert_eq!(kind("a.ep-r.io"), Some(HandshakeKind::Full));
        assert_eq!(kind("a.ep-r.io"), Some(HandshakeKind::Resumed), "{version:?}");
        assert_eq!(kind("b.ep-r.io"), Some(HandshakeKind::Full), "a session is of one name");
    }
    // Session ids are of no use: nothing is kept.
    let mut client = ClientConfig::clone(&edge.client(&rustls::version::TLS12, &GROUPS));
    client.resumption =
        Resumption::in_memory_sessions(8).tls12_resumption(rustls::client::Tls12Resumption::SessionIdOnly);
    let client = Arc::new(client);
    for _ in 0..2 {
        let client = handshake(&edge.config(), &client, "a.ep-r.io").unwrap();
        assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_2));
        assert_eq!(client.handshake_kind(), Some(HandshakeKind::Full));
    }
}

/// Sessions of a client that takes those of any name for any other.
#[derive(Debug)]
struct OfAnyName(ClientSessionMemoryCache);

fn any_name() -> ServerName<'static> {
    ServerName::try_from("any.name").unwrap()
}

impl ClientSessionStore for OfAnyName {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(any_name(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&any_name())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(any_name(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&any_name())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&any_name());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(any_name(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&any_name())
    }
}

/// However a client mixes up its tickets: another name may have another certificate.
#[test]
fn a_ticket_of_one_name_resumes_nothing_under_another() {
    let edge = Edge::open(None);
    for version in VERSIONS {
        let mut client = ClientConfig::clone(&edge.client(version, &GROUPS));
        client.resumption = Resumption::store(Arc::new(OfAnyName(ClientSessionMemoryCache::new(8))));
        let client = Arc::new(client);
        let kind = |name: &str| handshake(&edge.config(), &client, name).unwrap().handshake_kind();
        assert_eq!(kind("a.ep-r.io"), Some(HandshakeKind::Full));
        assert_eq!(kind("a.ep-r.io"), Some(HandshakeKind::Resumed), "{version:?}");
        assert_eq!(kind("b.ep-r.io"), Some(HandshakeKind::Full), "{version:?}");
    }
}

#[test]
fn a_client_resumes_at_another_proxy_of_the_fleet() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tickets.key");
    fs::write(&file, "5a".repeat(32)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let (one, two, stranger) = (Edge::open(Some(file.clone())), Edge::open(Some(file)), Edge::open(None));
    for version in VERSIONS {
        // Of the other proxies' certificates it trusts none: a session that resumes needs none.
        let client = one.client(version, &GROUPS);
        assert!(handshake(&two.config(), &client, "a.ep-r.io").is_err());
        handshake(&one.config(), &client, "a.ep-r.io").unwrap();
        let resumed = handshake(&two.config(), &client, "a.ep-r.io").unwrap();
        assert_eq!(resumed.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
        assert!(handshake(&stranger.config(), &client, "a.ep-r.io").is_err());
    }
}
