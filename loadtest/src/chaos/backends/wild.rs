use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{HIDDEN, NUMBER, SMUGGLED, asked};
use crate::chaos::ledger::Ledger;
use crate::manifest::Speaks;
use crate::{Outcome, Stage};

/// How a backend misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chaos) enum Character {
    /// It is gone every other moment, and all who are connected with it.
    Dies,
    /// It takes connections and nothing else.
    Deaf,
    /// It reads, and never answers.
    Mute,
    /// It stops within the head of its answer.
    HalfHead,
    /// It closes within the body.
    HalfBody,
    /// It stops within the body.
    StalledBody,
    /// It resets the connection within the body.
    ResetBody,
    /// It closes within a chunk.
    HalfChunk,
    /// More comes behind the body than was said.
    TooLong,
    /// It says two lengths.
    TwoLengths,
    /// Its chunks are none.
    BadChunks,
    /// It answers a second time when nobody has asked.
    Twice,
    /// It says that it is about to answer, without end.
    Interim,
    /// It speaks no HTTP.
    Rubbish,
    /// It resets every connection.
    Resets,
    /// It resets every connection once it was asked.
    ResetsAsked,
    /// It answers before it has read, and closes.
    Early,
}

/// All of them, and over what they are reached.
pub(in crate::chaos) const WILD: [(Character, &[Speaks]); 17] = [
    (Character::Dies, &[Speaks::Http, Speaks::Https, Speaks::SecureTcp]),
    (Character::Deaf, &[Speaks::Http, Speaks::SecureTcp]),
    (Character::Mute, BOTH),
    (Character::HalfHead, BOTH),
    (Character::HalfBody, BOTH),
    (Character::StalledBody, BOTH),
    (Character::ResetBody, BOTH),
    (Character::HalfChunk, BOTH),
    (Character::TooLong, BOTH),
    (Character::TwoLengths, BOTH),
    (Character::BadChunks, BOTH),
    (Character::Twice, BOTH),
    (Character::Interim, BOTH),
    (Character::Rubbish, &[Speaks::Http, Speaks::Https, Speaks::HttpsH2c]),
    (Character::Resets, &[Speaks::Http, Speaks::Https, Speaks::HttpsH2c, Speaks::SecureTcp]),
    (Character::ResetsAsked, BOTH),
    (Character::Early, BOTH),
];

const BOTH: &[Speaks] = &[Speaks::Http, Speaks::Https];
const LIFE: Duration = Duration::from_millis(150);
const INTERIM: u32 = 10_000;

impl Character {
    /// Whether there is a whole answer in what it says.
    pub(in crate::chaos) fn answers(self) -> bool {
        matches!(self, Self::Dies | Self::TooLong | Self::Twice | Self::Early)
    }
}

/// A backend that misbehaves.
pub(in crate::chaos) struct Wild {
    addr: SocketAddr,
    _server: JoinSet<io::Result<()>>,
}

impl Wild {
    pub(in crate::chaos) async fn start(
        stage: &Stage,
        character: Character,
        ledger: Arc<Ledger>,
    ) -> Outcome<Self> {
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let mut server = JoinSet::new();
        server.spawn(live(listener, addr, character, ledger));
        Ok(Self { addr, _server: server })
    }

    pub(in crate::chaos) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn live(
    mut listener: TcpListener,
    addr: SocketAddr,
    character: Character,
    ledger: Arc<Ledger>,
) -> io::Result<()> {
    loop {
        let mut connections = JoinSet::new();
        let end = async {
            if character == Character::Dies { sleep(LIFE).await } else { std::future::pending().await }
        };
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    connections.spawn(converse(stream, character, Arc::clone(&ledger)));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop((listener, connections));
        sleep(LIFE).await;
        listener = TcpListener::bind(addr).await?;
    }
}

async fn converse(mut stream: TcpStream, character: Character, ledger: Arc<Ledger>) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    match character {
        Character::Resets => return stream.set_zero_linger(),
        Character::Deaf => return std::future::pending().await,
        Character::Rubbish => stream.write_all(&[0xfe; 300]).await?,
        _ => {}
    }
    while let Some(number) = ask(&mut stream, character, &ledger).await? {
        let head = format!("HTTP/1.1 200 OK\r\n{NUMBER}: {number}\r\n");
        let (words, then) = answer(character, &head);
        stream.write_all(&words).await?;
        match then {
            Then::Stay => {}
            Then::Close => return stream.shutdown().await,
            Then::Reset => return stream.set_zero_linger(),
            Then::Stall => {
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await? > 0 {
                    if String::from_utf8_lossy(&rest).contains(HIDDEN) {
                        ledger.wrong(format_args!("{character:?} got what was hidden"));
                    }
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

enum Then {
    Stay,
    Close,
    Reset,
    Stall,
}

fn answer(character: Character, head: &str) -> (Vec<u8>, Then) {
    let (text, then) = match character {
        Character::Dies => (format!("{head}content-length: 2\r\n\r\nok"), Then::Stay),
        Character::Deaf | Character::Mute => (String::new(), Then::Stall),
        Character::HalfHead => (head.to_owned(), Then::Stall),
        Character::HalfBody => (format!("{head}content-length: 1000\r\n\r\npart"), Then::Close),
        Character::StalledBody => (format!("{head}content-length: 1000\r\n\r\npart"), Then::Stall),
        Character::ResetBody => (format!("{head}content-length: 1000\r\n\r\npart"), Then::Reset),
        Character::HalfChunk => (format!("{head}transfer-encoding: chunked\r\n\r\n64\r\npart"), Then::Close),
        Character::TooLong => (format!("{head}content-length: 2\r\n\r\nok{SMUGGLED}"), Then::Stay),
        Character::TwoLengths => {
            (format!("{head}content-length: 2\r\ncontent-length: 10\r\n\r\n{SMUGGLED}!!"), Then::Stay)
        }
        Character::BadChunks => {
            (format!("{head}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n-1\r\n{SMUGGLED}\r\n"), Then::Stay)
        }
        Character::Twice => {
            let other = format!("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{SMUGGLED}");
            (format!("{head}content-length: 2\r\n\r\nok{other}"), Then::Stay)
        }
        Character::Interim => {
            ("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(INTERIM as usize), Then::Stall)
        }
        Character::Rubbish => (String::new(), Then::Close),
        Character::Resets | Character::ResetsAsked => (String::new(), Then::Reset),
        Character::Early => (format!("{head}content-length: 2\r\nconnection: close\r\n\r\nok"), Then::Close),
    };
    (text.into_bytes(), then)
}

/// The number of the next request; none at the connection's end.
async fn ask(stream: &mut TcpStream, character: Character, ledger: &Ledger) -> io::Result<Option<u64>> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(None);
        }
        head.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&head);
        if text.contains(HIDDEN) {
            ledger.wrong(format_args!("{character:?} got what was hidden: {text:.300}"));
        }
        let Some((first, _)) = text.split_once("\r\n") else { continue };
        let mut words = first.split(' ');
        let (method, number) = (words.next(), words.next().and_then(asked).map(|(number, _)| number));
        // HTTP/2 begins with a line of its own; TLS with none.
        let Some(number) = number else { return Ok((character == Character::Rubbish).then_some(0)) };
        if method == Some("POST") {
            ledger.posted(number);
        }
        return Ok(Some(number));
    }
}
