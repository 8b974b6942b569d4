use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chaos::frame::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Head, PREFACE, RST_STREAM, SETTINGS, frame,
};
use crate::{Outcome, Stage};

/// How a backend breaks an HTTP/2 answer off, of which it has sent a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chaos) enum Break {
    /// It resets the stream.
    Reset,
    /// It resets the stream, and says that there was no error.
    ResetWithoutError,
    /// It sends the connection away and closes it.
    GoesAway,
    /// It closes the connection.
    Closes,
    /// It ends the stream before its length is reached.
    TooShort,
    /// It sends more than it said.
    TooLong,
    /// It takes the stream for another.
    OtherStream,
    /// It stops.
    Stalls,
}

/// All of them.
pub(in crate::chaos) const BREAKS: [Break; 8] = [
    Break::Reset,
    Break::ResetWithoutError,
    Break::GoesAway,
    Break::Closes,
    Break::TooShort,
    Break::TooLong,
    Break::OtherStream,
    Break::Stalls,
];

/// `:status: 200`, from the static table (RFC 7541 A).
const OK: &[u8] = &[0x88];
/// `content-length: 1000`, its name from the static table (RFC 7541 6.2.2).
const THOUSAND: &[u8] = &[0x0f, 0x0d, 4, b'1', b'0', b'0', b'0'];
/// The same with a length of 2.
const TWO: &[u8] = &[0x0f, 0x0d, 1, b'2'];

/// A backend that speaks HTTP/2 in the clear and gives no answer whole.
pub(in crate::chaos) struct Frames {
    addr: SocketAddr,
    _server: JoinSet<io::Result<()>>,
}

impl Frames {
    pub(in crate::chaos) async fn start(stage: &Stage, how: Break) -> Outcome<Self> {
        let listener = TcpListener::bind(stage.any_port()).await?;
        let addr = listener.local_addr()?;
        let mut server = JoinSet::new();
        server.spawn(serve(listener, how));
        Ok(Self { addr, _server: server })
    }

    pub(in crate::chaos) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

async fn serve(listener: TcpListener, how: Break) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                connections.spawn(converse(accepted?.0, how));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(mut stream: TcpStream, how: Break) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    stream.read_exact(&mut [0; PREFACE.len()]).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    loop {
        let mut octets = [0; Head::OCTETS];
        stream.read_exact(&mut octets).await?;
        let head = Head::parse(octets);
        stream.read_exact(&mut vec![0; head.size]).await?;
        match head.kind {
            SETTINGS if head.flags & ACK == 0 => stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await?,
            HEADERS => {
                stream.write_all(&answer(how, head.stream)).await?;
                if matches!(how, Break::GoesAway | Break::Closes) {
                    return stream.shutdown().await;
                }
            }
            _ => {}
        }
    }
}

/// A head, a part of its body, and what breaks it off.
fn answer(how: Break, id: u32) -> Vec<u8> {
    let length = match how {
        Break::ResetWithoutError | Break::Closes => &[],
        Break::TooLong => TWO,
        _ => THOUSAND,
    };
    let head = frame(HEADERS, END_HEADERS, id, &[OK, length].concat());
    let part = frame(DATA, 0, id, b"part");
    let rest = match how {
        Break::Reset => frame(RST_STREAM, 0, id, &2_u32.to_be_bytes()),
        Break::ResetWithoutError => frame(RST_STREAM, 0, id, &0_u32.to_be_bytes()),
        Break::GoesAway => frame(GOAWAY, 0, 0, &[0; 8]),
        Break::TooShort | Break::TooLong => frame(DATA, END_STREAM, id, b"end"),
        Break::OtherStream => frame(DATA, END_STREAM, id + 2, b"other"),
        Break::Closes | Break::Stalls => Vec::new(),
    };
    [head, part, rest].concat()
}
