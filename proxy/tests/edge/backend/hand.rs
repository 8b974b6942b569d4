//! A backend in the test's own hand: nothing happens on it that the test does not do.

use std::io::ErrorKind;
use std::net::SocketAddr;

use proto::EdgeProtocol::Http;
use proxy::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Answer, read_answer};
use crate::h2::frames::Frame;
use crate::stage::{Stage, bound};

pub(super) struct Hand {
    listener: TcpListener,
    /// The same socket, which says at once whether somebody waits.
    queue: std::net::TcpListener,
    pub(super) address: SocketAddr,
}

/// A connection that the proxy opened.
pub(super) struct Peer(TcpStream);

impl Hand {
    pub(super) fn open() -> Self {
        let queue = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        queue.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(queue.try_clone().unwrap()).unwrap();
        let address = queue.local_addr().unwrap();
        Self { listener, queue, address }
    }

    /// A stage of one worker, thus with one pool, where `a.ep-r.io` leads here.
    pub(super) fn stage(&self, change: impl FnOnce(&mut Config)) -> Stage {
        let stage = Stage::with(|config| {
            config.workers = std::num::NonZeroUsize::MIN;
            change(config);
        });
        stage.apply(vec![bound("a.ep-r.io", Http, &[self.address])]);
        stage
    }

    pub(super) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        Peer(stream)
    }

    /// Nobody has connected but those who were accepted.
    pub(super) fn has_no_other(&self) -> bool {
        self.queue.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// A connection that has answered once and is kept by the proxy.
    pub(super) async fn kept(&self, client: &mut TcpStream) -> Peer {
        client.write_all(GET).await.unwrap();
        let mut peer = self.accept().await;
        peer.answers(client).await;
        peer
    }
}

pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";
pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

impl Peer {
    /// The next head.
    pub(super) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// What comes until it ends so.
    pub(super) async fn until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            match self.0.read_u8().await {
                Ok(byte) => read.push(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&read)),
            }
        }
        String::from_utf8(read).unwrap()
    }

    pub(super) async fn say(&mut self, words: &[u8]) {
        self.0.write_all(words).await.unwrap();
    }

    /// The next frame, once HTTP/2 is spoken.
    pub(super) async fn frame(&mut self) -> Frame {
        self.try_frame().await.unwrap()
    }

    /// The next frame; none at the end.
    pub(super) async fn try_frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.unwrap();
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Whether the proxy's side still takes it.
    pub(super) async fn try_say(&mut self, words: &[u8]) -> bool {
        self.0.write_all(words).await.is_ok()
    }

    /// Reads a request's head and answers it, so that `client` has its answer.
    pub(super) async fn answers(&mut self, client: &mut TcpStream) {
        self.head().await;
        self.say(OK).await;
        let Answer { status, body, .. } = read_answer(client).await;
        assert_eq!((status, body.as_str()), (200, "ok"));
    }

    /// Says that nothing more comes.
    pub(super) async fn shut(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    pub(super) fn end(self, how: End) {
        if how == End::Reset {
            self.0.set_zero_linger().unwrap();
        }
    }

    /// Reads until the proxy has closed: the bytes, and whether by a reset.
    pub(super) async fn rest(&mut self) -> (String, End) {
        let mut read = Vec::new();
        let end = match self.0.read_to_end(&mut read).await {
            Ok(_) => End::Fin,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
            Err(error) => panic!("{error}"),
        };
        (String::from_utf8(read).unwrap(), end)
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Fin,
    Reset,
}

pub(super) const BOTH_ENDS: [End; 2] = [End::Fin, End::Reset];

/// A connection to the plain port.
pub(super) async fn client(stage: &Stage) -> TcpStream {
    TcpStream::connect(stage.http).await.unwrap()
}
