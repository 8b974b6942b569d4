use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{MOST, PATIENCE, Stream, secured};
use crate::chaos::backends::{HIDDEN, SMUGGLED, target};
use crate::chaos::draw::Draw;
use crate::chaos::frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Head, PING, PREFACE, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, field, frame,
};
use crate::chaos::ledger::Ledger;
use crate::chaos::site::Edge;

/// What a client does over HTTP/2 that nobody should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misdeed {
    /// Nothing wrong: it asks whom it asks, and looks at what comes.
    None,
    /// It resets each request as soon as it is asked (CVE-2023-44487).
    RapidReset,
    /// Its head never ends (CVE-2024-27316).
    EndlessHead,
    /// Pings without a pause, none of whose answers it reads.
    Pings,
    /// The same of settings.
    Settings,
    /// It asks for much, and leaves no room for any of it.
    Deaf,
    /// It gives more room than there is.
    Overflows,
    /// It ends within its body.
    ShortBody,
    /// It resets the stream within its body.
    ResetBody,
    /// It is gone within its body.
    Gone,
    /// It says a length and sends a request hidden behind it.
    Smuggles,
    /// It says over HTTP/2 that its body has chunks.
    SmugglesChunks,
    /// A second request stands in its path.
    SmugglesInPath,
    /// The same in a value.
    SmugglesInValue,
    /// Its head cannot be read.
    BadHead,
    /// It speaks on streams nobody has opened.
    OtherStream,
    /// It speaks no HTTP.
    Rubbish,
}

pub(super) const MISDEEDS: [Misdeed; 17] = [
    Misdeed::None,
    Misdeed::RapidReset,
    Misdeed::EndlessHead,
    Misdeed::Pings,
    Misdeed::Settings,
    Misdeed::Deaf,
    Misdeed::Overflows,
    Misdeed::ShortBody,
    Misdeed::ResetBody,
    Misdeed::Gone,
    Misdeed::Smuggles,
    Misdeed::SmugglesChunks,
    Misdeed::SmugglesInPath,
    Misdeed::SmugglesInValue,
    Misdeed::BadHead,
    Misdeed::OtherStream,
    Misdeed::Rubbish,
];

/// How often it does what is bad only in numbers.
const OFTEN: u32 = 2000;
/// `NO_ERROR` excepted, a code by which a peer says what it thinks (RFC 9113, 7).
const CANCEL: u32 = 8;
const INITIAL_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// Does it, and tells in short what came back.
pub(super) async fn commit(
    edge: &Edge,
    host: &str,
    misdeed: Misdeed,
    ledger: &Ledger,
    draw: &mut Draw,
) -> io::Result<String> {
    let mut stream: Box<dyn Stream> = if draw.below(8) == 0 {
        // In the clear.
        Box::new(TcpStream::connect(edge.http).await?)
    } else {
        Box::new(secured(edge, host, &[b"h2"]).await?)
    };
    let words = words(host, misdeed, ledger.number(), draw.below(5000));
    // Whom it annoys may close before all is said; what was heard until then counts.
    let said = timeout(PATIENCE, stream.write_all(&words)).await;
    if misdeed == Misdeed::Gone {
        if draw.below(2) == 0 {
            let _ = stream.tcp().set_zero_linger();
        }
        return Ok("gone".to_owned());
    }
    if misdeed == Misdeed::Deaf {
        sleep(PATIENCE).await;
    }
    let mut heard = Vec::new();
    let _ = timeout(PATIENCE, (&mut stream).take(MOST).read_to_end(&mut heard)).await;
    if heard.is_empty() && !matches!(said, Ok(Ok(()))) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(judge(host, misdeed, &heard, ledger))
}

/// All that it says.
fn words(host: &str, misdeed: Misdeed, number: u64, size: u64) -> Vec<u8> {
    let get = |stream, path: &str| head(host, stream, "GET", path, &[], END_STREAM);
    let post = |fields: &[(&str, &str)], body: &[u8], flags| {
        [head(host, 1, "POST", &target(number, size), fields, 0), frame(DATA, flags, 1, body)].concat()
    };
    let thousand = [("content-length", "1000")];
    let hidden = format!("GET {HIDDEN}{number} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let path = target(number, size);
    let often = |what: &dyn Fn(u32) -> Vec<u8>| (0..OFTEN).flat_map(what).collect::<Vec<_>>();
    let settings = if misdeed == Misdeed::Deaf { INITIAL_WINDOW.as_slice() } else { &[] };
    let rest = match misdeed {
        Misdeed::None => get(1, &path),
        Misdeed::RapidReset => often(&|at| {
            let stream = 2 * at + 1;
            [get(stream, &path), frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())].concat()
        }),
        Misdeed::EndlessHead => [
            frame(HEADERS, END_STREAM, 1, &field("x-first", "1")),
            often(&|_| frame(CONTINUATION, 0, 1, &field("x-more", "of the same"))),
        ]
        .concat(),
        Misdeed::Pings => often(&|at| frame(PING, 0, 0, &u64::from(at).to_be_bytes())),
        Misdeed::Settings => often(&|_| frame(SETTINGS, 0, 0, &[])),
        Misdeed::Deaf => get(1, &target(number, 20_000_000)),
        Misdeed::Overflows => {
            let most = frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]);
            [get(1, &path), most.clone(), most].concat()
        }
        Misdeed::ShortBody => post(&thousand, b"part", END_STREAM),
        Misdeed::ResetBody => {
            [post(&thousand, b"part", 0), frame(RST_STREAM, 0, 1, &CANCEL.to_be_bytes())].concat()
        }
        Misdeed::Gone => post(&thousand, b"part", 0),
        Misdeed::Smuggles => post(&[("content-length", "0")], hidden.as_bytes(), END_STREAM),
        Misdeed::SmugglesChunks => {
            let body = format!("0\r\n\r\n{hidden}");
            post(&[("transfer-encoding", "chunked")], body.as_bytes(), END_STREAM)
        }
        Misdeed::SmugglesInPath => get(1, &format!("{path} HTTP/1.1\r\n\r\nGET {HIDDEN}{number}")),
        Misdeed::SmugglesInValue => {
            let value = format!("1\r\n\r\nGET {HIDDEN}{number} HTTP/1.1");
            head(host, 1, "GET", &path, &[("x-value", &value)], END_STREAM)
        }
        Misdeed::BadHead => frame(HEADERS, END_STREAM | END_HEADERS, 1, &[0xff; 40]),
        Misdeed::OtherStream => [get(1, &path), frame(DATA, 0, 99, b"to nobody")].concat(),
        Misdeed::Rubbish => (0..=255).cycle().take(3000).collect(),
    };
    [PREFACE.as_slice(), &frame(SETTINGS, 0, 0, settings), &rest].concat()
}

fn head(host: &str, stream: u32, method: &str, path: &str, fields: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "https"), (":authority", host), (":path", path)];
    let block: Vec<u8> = pseudo.iter().chain(fields).flat_map(|(name, value)| field(name, value)).collect();
    frame(HEADERS, END_HEADERS | flags, stream, &block)
}

/// What came back, in short. Nothing of what somebody said beside an answer may be in it.
fn judge(host: &str, misdeed: Misdeed, heard: &[u8], ledger: &Ledger) -> String {
    let text = String::from_utf8_lossy(heard);
    if text.contains(SMUGGLED) {
        ledger.wrong(format_args!("{misdeed:?} at {host}: heard what belongs to no answer: {text:.300}"));
    }
    if text.starts_with("HTTP/1.1 ") {
        return text.get(9..12).unwrap_or_default().to_owned();
    }
    outcome(heard)
}

/// The last word about the connection, or else about a stream, or else that there was an answer.
fn outcome(mut heard: &[u8]) -> String {
    let (mut answered, mut reset) = (false, None);
    while let Some((octets, rest)) = heard.split_first_chunk() {
        let head = Head::parse(*octets);
        let Some((payload, rest)) = rest.split_at_checked(head.size) else { break };
        let code =
            |at: usize| payload.get(at..).and_then(<[u8]>::first_chunk).copied().map(u32::from_be_bytes);
        match head.kind {
            HEADERS => answered = true,
            RST_STREAM => reset = code(0),
            GOAWAY if code(4).is_some_and(|code| code != 0) => {
                return format!("GOAWAY {}", code(4).unwrap_or_default());
            }
            _ => {}
        }
        heard = rest;
    }
    match (reset, answered) {
        (Some(code), _) => format!("RST_STREAM {code}"),
        (None, true) => "an answer".to_owned(),
        (None, false) => "nothing".to_owned(),
    }
}
