//! Reading a `ClientHello`: `proxy::hello`.
//!
//! An input is what a client sends first.

use std::cell::RefCell;
use std::time::Duration;

use proto::Hostname;
use proxy::hello::{Alpn, Scan, ServerName, read, scan};
use proxy::refusal::Refusal;
use tokio::io::AsyncReadExt;
use tokio::runtime::{Builder, Runtime};

const LIMIT: usize = 16 * 1024;
/// Longer inputs show nothing that shorter ones do not, and are slow.
const LONGEST: usize = 4096;
const RECORD_HEADER: usize = 5;

/// Asserts that a verdict, once given, stays whatever follows; that it does not depend on how the bytes
/// come in, in segments or in records; and that rustls never sees another name.
pub fn check(data: &[u8]) {
    let data = data.get(..LONGEST).unwrap_or(data);
    let verdict = scan(data, LIMIT);
    verdicts_stay(data, &verdict);
    segments_do_not_matter(data, &verdict);
    rustls_agrees(data, &verdict);
    if let Scan::Hello { server_name, alpn, .. } = &verdict {
        names_are_canonical(server_name);
        assert!(alpn.offered || !(alpn.h2 || alpn.http1));
        records_do_not_matter(data, &verdict);
    }
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let sni = |name: &[u8]| extension(0, &sized(&[&[0], &sized(name)[..]].concat()));
    let alpn = extension(16, &sized(b"\x02h2\x08http/1.1"));
    // A made-up extension (RFC 8701), supported versions, a key share as long as a post-quantum one.
    let grease = extension(0x5a5a, &[]);
    let versions = extension(43, &[4, 3, 4, 3, 3]);
    let share = extension(51, &sized(&[&[0x11, 0xec], &sized(&[9; 1216])[..]].concat()));
    let whole = hello(&[&grease[..], &sni(b"Shop.ep-r.io"), &versions, &alpn].concat());
    vec![
        whole.clone(),
        whole.get(..40).unwrap_or_default().to_vec(),
        in_records(&whole, 3),
        in_records(&whole, 50),
        hello(&[&sni(b"shop.ep-r.io")[..], &alpn, &share].concat()),
        hello(&[]),
        hello(&sni(b"192.0.2.1")),
        hello(&sni(b"a..b")),
        hello(&[sni(b"a.b"), sni(b"c.d")].concat()),
        [&hello(&sni(b"a.b"))[..], b"early data"].concat(),
        b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        vec![0x16, 3, 1, 0, 0],
        vec![0x16, 3, 1, 0, 4, 1, 0, 0xff, 0xff],
        vec![0x16, 3, 1, 0, 4, 2, 0, 0, 4],
        vec![0x15, 3, 1, 0, 2, 2, 0],
    ]
}

fn verdicts_stay(data: &[u8], last: &Scan) {
    let step = data.len() / 256 + 1;
    let mut given = None;
    for end in (0..data.len()).step_by(step) {
        let verdict = scan(data.get(..end).unwrap_or_default(), LIMIT);
        let settled = given.as_ref().is_none_or(|given| *given == verdict);
        assert!(settled, "{given:?} became {verdict:?} at byte {end}");
        if verdict != Scan::NeedMore {
            given = Some(verdict);
        }
    }
    assert!(given.as_ref().is_none_or(|given| given == last), "{given:?} became {last:?}");
}

fn segments_do_not_matter(data: &[u8], verdict: &Scan) {
    for cut in [0, 1, 5, data.len() / 2, data.len()] {
        let (first, second) = data.split_at(cut.min(data.len()));
        let came = with_runtime(|runtime| {
            let mut stream = first.chain(second);
            runtime.block_on(read(&mut stream, LIMIT, Duration::from_secs(60)))
        });
        let Some(came) = came else { return };
        match verdict {
            Scan::Hello { server_name, alpn, .. } => {
                let Ok(Some(hello)) = came else { unreachable!("a whole hello, but {came:?}") };
                assert_eq!((&hello.server_name, &hello.alpn), (server_name, alpn));
                assert!(data.starts_with(&hello.bytes), "the bytes kept are not those that came");
            }
            Scan::NeedMore if data.is_empty() => assert!(matches!(came, Ok(None)), "{came:?}"),
            Scan::NeedMore => assert!(matches!(came, Err(Refusal::HelloTruncated)), "{came:?}"),
            Scan::NotTls => assert!(matches!(came, Err(Refusal::NotTls)), "{came:?}"),
            Scan::Malformed => assert!(matches!(came, Err(Refusal::BadHello)), "{came:?}"),
            Scan::TooLong => assert!(matches!(came, Err(Refusal::HelloTooLong)), "{came:?}"),
        }
    }
}

fn records_do_not_matter(data: &[u8], verdict: &Scan) {
    for size in [1, 7, 300] {
        let cut = in_records(data, size);
        // Headers make it longer, so that it may no longer fit.
        let again = scan(&cut, LIMIT);
        assert_eq!(&again, verdict, "in records of {size}");
    }
}

fn names_are_canonical(server_name: &ServerName) {
    if let ServerName::Name(name) = server_name {
        let parsed = Hostname::parse_ascii(name.as_bytes());
        assert_eq!(parsed.as_ref().map(Hostname::as_str), Ok(&**name));
    }
}

/// A hello goes on to rustls or to the backend as it came: were another name read there, a client could
/// be routed by one name and be served by another.
fn rustls_agrees(data: &[u8], verdict: &Scan) {
    let mut acceptor = rustls::server::Acceptor::default();
    let mut rest = data;
    let accepted = loop {
        match acceptor.read_tls(&mut rest) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => break accepted,
            Ok(None) => {}
            Err(_) => return,
        }
    };
    let hello = accepted.client_hello();
    let Scan::Hello { server_name, alpn, .. } = verdict else {
        // We may be the stricter, never the laxer.
        assert_ne!(*verdict, Scan::NeedMore, "rustls has a whole hello");
        return;
    };
    let theirs = hello.server_name().map(|name| Hostname::parse_ascii(name.as_bytes()));
    match (theirs, server_name) {
        (Some(Ok(theirs)), ServerName::Name(ours)) => assert_eq!(theirs.as_str(), &**ours),
        (Some(Err(_)) | None, ServerName::Absent | ServerName::Invalid) => {}
        (theirs, ours) => unreachable!("rustls sees {theirs:?}, we {ours:?}"),
    }
    let offers =
        |wanted: &[u8]| hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == wanted));
    let theirs = Alpn { offered: hello.alpn().is_some(), h2: offers(b"h2"), http1: offers(b"http/1.1") };
    assert_eq!(theirs, *alpn);
}

fn with_runtime<T>(run: impl FnOnce(&Runtime) -> T) -> Option<T> {
    thread_local! {
        static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|kept| {
        if kept.is_none() {
            *kept = Builder::new_current_thread().enable_time().build().ok();
        }
        kept.as_ref().map(run)
    })
}

/// A hello with these extensions, in one record (RFC 8446 4.1.2).
fn hello(extensions: &[u8]) -> Vec<u8> {
    let fixed = [&[3, 3][..], &[7; 32], &[0], &sized(&[0x13, 1, 0xc0, 0x2b]), &[1, 0]].concat();
    let body = [fixed, sized(extensions)].concat();
    record(&[&[1, 0], &sized(&body)[..]].concat())
}

/// The same handshake bytes in records of at most `size`.
fn in_records(wire: &[u8], size: usize) -> Vec<u8> {
    let (mut message, mut rest) = (Vec::new(), wire);
    while let Some((&[22, 3, _, high, low], after)) = rest.split_first_chunk::<RECORD_HEADER>() {
        let length = usize::from(u16::from_be_bytes([high, low])).min(after.len());
        let (fragment, after) = after.split_at(length);
        message.extend_from_slice(fragment);
        rest = after;
    }
    message.chunks(size).flat_map(record).collect()
}

fn record(fragment: &[u8]) -> Vec<u8> {
    [&[22, 3, 1], &sized(fragment)[..]].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(body)].concat()
}

/// With its length in two bytes before it.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}
