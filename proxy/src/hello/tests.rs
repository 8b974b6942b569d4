use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use proptest::prelude::*;
use tokio::io::ReadBuf;

use super::*;

const LIMIT: usize = 16 * 1024;

/// A hello as rustls sends it, in one record.
fn hello(name: &'static str, alpn: &[&[u8]], sni: bool) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.enable_sni = sni;
    let mut client = rustls::ClientConnection::new(Arc::new(config), name.try_into().unwrap()).unwrap();
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    wire
}

fn name(text: &str) -> ServerName {
    ServerName::Name(text.into())
}

/// The same handshake bytes cut into records at `cuts`.
fn in_records(wire: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &wire[5..];
    for cut in cuts {
        let (now, later) = rest.split_at((*cut).clamp(1, rest.len().max(1)).min(rest.len()));
        push_record(&mut out, now);
        rest = later;
    }
    push_record(&mut out, rest);
    out
}

fn push_record(out: &mut Vec<u8>, fragment: &[u8]) {
    if !fragment.is_empty() {
        out.extend([22, 3, 1]);
        out.extend(u16::try_from(fragment.len()).unwrap().to_be_bytes());
        out.extend(fragment);
    }
}

/// A hello of our own with these extensions, in one record.
fn handmade(extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    let mut wire = Vec::new();
    push_record(&mut wire, &message);
    wire
}

#[test]
fn whoever_puts_chacha20_before_aes_favours_it() {
    let wire = handmade(&[]);
    let at = wire.windows(4).position(|bytes| bytes == [0, 2, 0x13, 1]).unwrap() + 2;
    for (suite, favours) in [
        ([0x13, 0x03], true),
        ([0xcc, 0xa8], true),
        ([0xcc, 0xa9], true),
        ([0x13, 0x01], false),
        ([0x13, 0x02], false),
        ([0xc0, 0x2b], false),
        ([0xc0, 0x30], false),
        ([0x0a, 0x0a], false),
    ] {
        let mut wire = wire.clone();
        wire[at..at + 2].copy_from_slice(&suite);
        let Scan::Hello { favours_chacha20, .. } = scan(&wire, LIMIT) else { panic!("not read") };
        assert_eq!(favours_chacha20, favours, "{suite:x?}");
    }
}

fn sni_extension(host: &[u8]) -> Vec<u8> {
    let length = u16::try_from(host.len()).unwrap();
    let mut out = vec![0, 0];
    out.extend((length + 5).to_be_bytes());
    out.extend((length + 3).to_be_bytes());
    out.push(0);
    out.extend(length.to_be_bytes());
    out.extend(host);
    out
}

#[test]
fn reads_a_modern_hello_larger_than_a_segment() {
    let wire = hello("My-Name.ep-r.io", &[b"h2", b"http/1.1"], true);
    assert!(wire.len() > 1400, "no post-quantum key share: {}", wire.len());
    let Scan::Hello { server_name, alpn, .. } = scan(&wire, LIMIT) else { panic!("not read") };
    assert_eq!(server_name, name("my-name.ep-r.io"));
    assert_eq!(alpn, Alpn { offered: true, h2: true, http1: true });
}

#[test]
fn tells_a_hello_without_a_name() {
    for wire in [hello("a.ep-r.io", &[], false), hello("192.0.2.1", &[], true), handmade(&[])] {
        let expected =
            Scan::Hello { server_name: ServerName::Absent, alpn: Alpn::default(), favours_chacha20: false };
        assert_eq!(scan(&wire, LIMIT), expected);
    }
}

#[test]
fn walks_over_extensions_it_does_not_know() {
    let mut extensions = vec![0x0a, 0x0a, 0, 0, 0x7a, 0x7a, 0, 1, 0];
    extensions.extend(sni_extension(b"A_b.ep-r.io."));
    extensions.extend([0, 21, 0, 3, 0, 0, 0]);
    let expected =
        Scan::Hello { server_name: name("a_b.ep-r.io"), alpn: Alpn::default(), favours_chacha20: false };
    assert_eq!(scan(&handmade(&extensions), LIMIT), expected);
}

#[test]
fn names_that_no_host_has_are_invalid() {
    for host in [&b"192.0.2.1"[..], b"a b", b"\xc3\xbc.ep-r.io", b"a..b", b"a:443", b"user@a", &[b'a'; 300]] {
        let Scan::Hello { server_name, .. } = scan(&handmade(&sni_extension(host)), LIMIT) else {
            panic!("{host:?} not read")
        };
        assert_eq!(server_name, ServerName::Invalid, "{host:?}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_malformed() {
    let twice = [sni_extension(b"a.ep-r.io"), sni_extension(b"b.ep-r.io")].concat();
    let mut cut = sni_extension(b"a.ep-r.io");
    cut.pop();
    let two_names = [0, 0, 0, 10, 0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b'];
    for extensions in [&twice[..], &cut, &two_names, &[0, 0, 0, 0], &[0, 0, 0, 2, 0, 0], &[0, 16, 0, 2, 0, 0]]
    {
        assert_eq!(scan(&handmade(extensions), LIMIT), Scan::Malformed, "{extensions:?}");
    }
}

#[test]
fn other_protocols_are_not_tls() {
    let ssl2 = [0x80, 0x2e, 1, 3, 1, 0, 0x15];
    for bytes in
        [&b"GET / HTTP/1.1\r\n"[..], b"PRI * HTTP/2", b"SSH-2.0-x", &ssl2, b"\0", &[22, 2], &[21, 3, 1]]
    {
        assert_eq!(scan(bytes, LIMIT), Scan::NotTls, "{bytes:?}");
    }
    assert_eq!(scan(&[22, 3, 1, 0, 0], LIMIT), Scan::Malformed, "an empty fragment");
    assert_eq!(scan(&[22, 3, 1, 0x40, 1], LIMIT), Scan::Malformed, "a fragment above 16 KiB");
    assert_eq!(scan(&[22, 3, 1, 0, 4, 2, 0, 0, 0], LIMIT), Scan::Malformed, "a ServerHello");
    assert_eq!(scan(&[22, 3, 1, 0, 4, 1, 0, 0x40, 0], LIMIT), Scan::TooLong);
    let mut interrupted = in_records(&hello("a.ep-r.io", &[], true), &[10]);
    interrupted[15] = 21;
    assert_eq!(scan(&interrupted, LIMIT), Scan::Malformed, "an alert in the middle");
}

proptest! {
    /// The records a hello comes in change nothing, and no prefix of it is taken for a whole one.
    #[test]
    fn any_split_reads_the_same(cuts in prop::collection::vec(1_usize..400, 0..12), keep in 0.0_f64..1.0) {
        let wire = hello("any-split.ep-r.io", &[b"h2"], true);
        let split = in_records(&wire, &cuts);
        prop_assert_eq!(scan(&split, LIMIT), scan(&wire, LIMIT));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a length")]
        let prefix = (split.len() as f64 * keep) as usize;
        prop_assert_eq!(scan(&split[..prefix], LIMIT), Scan::NeedMore);
    }

    #[test]
    fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..200), tls in any::<bool>()) {
        let wire = if tls { handmade(&bytes) } else { bytes };
        let _judged = scan(&wire, LIMIT);
    }
}

/// Gives its bytes in pieces of at most `step`, then the end.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl AsyncRead for Trickle<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let (now, later) = self.bytes.split_at(self.step.min(self.bytes.len()).min(buf.remaining()));
        buf.put_slice(now);
        self.bytes = later;
        Poll::Ready(Ok(()))
    }
}

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn reading_keeps_every_byte_whatever_the_segments() {
    let wire = in_records(&hello("trickle.ep-r.io", &[], true), &[1, 1, 1, 1, 300]);
    for step in [1, 2, 7, 1460, LIMIT] {
        let mut stream = Trickle { bytes: &wire, step };
        let hello = read(&mut stream, LIMIT, SOON).await.unwrap().unwrap();
        assert_eq!((hello.server_name, &hello.bytes[..]), (name("trickle.ep-r.io"), &wire[..]));
    }
}

#[tokio::test]
async fn reading_ends_at_its_bounds() {
    let wire = hello("a.ep-r.io", &[], true);
    let judge = async |bytes: &[u8], limit| read(&mut Trickle { bytes, step: 100 }, limit, SOON).await;
    assert!(judge(b"", LIMIT).await.unwrap().is_none());
    assert_eq!(judge(&wire[..700], LIMIT).await.unwrap_err(), Refusal::HelloTruncated);
    assert_eq!(judge(&wire, 1000).await.unwrap_err(), Refusal::HelloTooLong);
    assert_eq!(judge(b"GET / HTTP/1.0\r\n\r\n", LIMIT).await.unwrap_err(), Refusal::NotTls);
    // Records of one byte each pass the limit before the message does.
    let thin = in_records(&wire, &[1; 1400]);
    assert_eq!(judge(&thin, 8000).await.unwrap_err(), Refusal::HelloTooLong);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_given_up() {
    let (mut silent, _open) = tokio::io::duplex(64);
    assert_eq!(read(&mut silent, LIMIT, SOON).await.unwrap_err(), Refusal::HelloTimeout);
}
