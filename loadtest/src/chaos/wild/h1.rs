use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{MOST, PATIENCE, Stream, secured};
use crate::chaos::backends::{HIDDEN, NUMBER, SMUGGLED, target};
use crate::chaos::draw::Draw;
use crate::chaos::ledger::Ledger;
use crate::chaos::site::Edge;

/// What a client does over HTTP/1.1 that nobody should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misdeed {
    /// Nothing wrong: it asks whom it asks, and looks at what comes.
    None,
    /// It ends within its body.
    ShortBody,
    /// It resets within its body.
    ResetBody,
    /// It is gone before the answer.
    Gone,
    /// It ends or stays away within its head.
    HalfHead,
    /// It takes nothing of a large answer.
    Deaf,
    /// It says two lengths, with a request hidden behind the shorter.
    Smuggles,
    /// The same with chunks.
    SmugglesChunks,
    /// Chunks that are none.
    BadChunks,
    /// It speaks no HTTP.
    Rubbish,
    /// Connections that ask nothing.
    Storm,
    /// It says all it has to say at once.
    Pipelines,
}

pub(super) const MISDEEDS: [Misdeed; 12] = [
    Misdeed::None,
    Misdeed::ShortBody,
    Misdeed::ResetBody,
    Misdeed::Gone,
    Misdeed::HalfHead,
    Misdeed::Deaf,
    Misdeed::Smuggles,
    Misdeed::SmugglesChunks,
    Misdeed::BadChunks,
    Misdeed::Rubbish,
    Misdeed::Storm,
    Misdeed::Pipelines,
];

/// Does it, and tells in short what came back.
pub(super) async fn commit(
    edge: &Edge,
    host: &str,
    misdeed: Misdeed,
    ledger: &Ledger,
    draw: &mut Draw,
) -> io::Result<String> {
    let heard = converse(edge, host, misdeed, ledger, draw).await?;
    Ok(judge(host, misdeed, &heard, ledger))
}

/// What came back, in short. Nothing of what somebody said beside an answer may be in it.
fn judge(host: &str, misdeed: Misdeed, heard: &Heard, ledger: &Ledger) -> String {
    let text = String::from_utf8_lossy(&heard.bytes);
    if text.contains(SMUGGLED) {
        ledger.wrong(format_args!("{misdeed:?} at {host}: heard what belongs to no answer: {text:.300}"));
    }
    let numbers = text.match_indices(NUMBER).filter_map(|(at, _)| {
        let value = text.get(at + NUMBER.len() + 2..)?.split("\r\n").next()?;
        value.parse::<u64>().ok()
    });
    for number in numbers {
        if !heard.numbers.contains(&number) {
            ledger
                .wrong(format_args!("{misdeed:?} at {host}: the answer to {number}, which it has not asked"));
        }
    }
    text.get(9..12).filter(|_| text.starts_with("HTTP/1.1 ")).unwrap_or("nothing").to_owned()
}

/// What a client heard, and the requests it had sent.
struct Heard {
    bytes: Vec<u8>,
    numbers: Vec<u64>,
}

async fn open(edge: &Edge, host: &str, draw: &mut Draw) -> io::Result<Box<dyn Stream>> {
    if draw.below(2) == 0 {
        return Ok(Box::new(TcpStream::connect(edge.http).await?));
    }
    if draw.below(5) == 0 {
        // Without TLS, where TLS is spoken.
        return Ok(Box::new(TcpStream::connect(edge.https).await?));
    }
    Ok(Box::new(secured(edge, host, &[]).await?))
}

async fn converse(
    edge: &Edge,
    host: &str,
    misdeed: Misdeed,
    ledger: &Ledger,
    draw: &mut Draw,
) -> io::Result<Heard> {
    let mut stream = open(edge, host, draw).await?;
    let mut numbers = vec![ledger.number()];
    let number = numbers.first().copied().unwrap_or_default();
    let path = target(number, if misdeed == Misdeed::Deaf { 20_000_000 } else { draw.below(5000) });
    let head =
        |method: &str, fields: &str| format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n");
    let hidden = || format!("GET {HIDDEN}{number} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let (words, reads) = match misdeed {
        Misdeed::None => (head("GET", "connection: close\r\n"), true),
        Misdeed::ShortBody => (head("POST", "content-length: 1000\r\n") + "part", draw.below(2) == 0),
        Misdeed::ResetBody => (head("POST", "content-length: 1000\r\n") + "part", false),
        Misdeed::Gone => (head("GET", ""), false),
        Misdeed::HalfHead => (head("GET", "x-half: ").trim_end().to_owned(), draw.below(2) == 0),
        Misdeed::Deaf => (head("GET", ""), false),
        Misdeed::Smuggles => {
            let body = hidden();
            (head("POST", &format!("content-length: 0\r\ncontent-length: {}\r\n", body.len())) + &body, true)
        }
        Misdeed::SmugglesChunks => {
            let fields = "content-length: 5\r\ntransfer-encoding: chunked\r\n";
            (head("POST", fields) + "0\r\n\r\n" + &hidden(), true)
        }
        Misdeed::BadChunks => {
            (head("POST", "transfer-encoding: chunked\r\n") + "5\r\nhello\r\n-5\r\n" + &hidden(), true)
        }
        Misdeed::Rubbish => (String::from_utf8_lossy(&[7; 500]).into_owned(), true),
        Misdeed::Storm => (String::new(), false),
        Misdeed::Pipelines => {
            let mut all = String::new();
            for _ in 0..5 {
                let number = ledger.number();
                numbers.push(number);
                all += &format!("GET {} HTTP/1.1\r\nhost: {host}\r\n\r\n", target(number, 10));
            }
            (all + &head("GET", "connection: close\r\n"), true)
        }
    };
    stream.write_all(words.as_bytes()).await?;
    stream.flush().await?;
    if misdeed == Misdeed::Storm {
        let mut others = Vec::new();
        for _ in 0..20 {
            others.push(TcpStream::connect(if draw.below(2) == 0 { edge.http } else { edge.https }).await?);
        }
    }
    if misdeed == Misdeed::ResetBody || (misdeed == Misdeed::Gone && draw.below(2) == 0) {
        let _ = stream.tcp().set_zero_linger();
    }
    if misdeed == Misdeed::Deaf {
        sleep(PATIENCE).await;
    }
    let mut bytes = Vec::new();
    if reads {
        // What came within that time is what it heard.
        let _ = timeout(PATIENCE, (&mut stream).take(MOST).read_to_end(&mut bytes)).await;
    }
    Ok(Heard { bytes, numbers })
}
