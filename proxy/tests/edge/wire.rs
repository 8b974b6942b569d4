//! Both ends of the proxy in the hands of one test, byte by byte.

use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::time::Duration;

use proto::BackendProtocol::Http1;
use proto::EdgeProtocol::{Http, Https};
use proxy::config::Config;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;

use crate::client::{get, tls};
use crate::observed::admin;
use crate::stage::{Stage, bound_to};

/// How long what never comes is waited for, so that a test that would hang says on what.
const NEVER: Duration = Duration::from_secs(20);

/// The ports a request can come by. What is said of one holds for the other, unless a test says otherwise.
pub(crate) const DOORS: [Door; 2] = [Door::Plain, Door::Tls];

/// Every one of the first with every one of the second.
pub(crate) fn cross<A: Copy, B: Clone>(
    first: impl IntoIterator<Item = A>,
    second: impl IntoIterator<Item = B> + Clone,
) -> impl Iterator<Item = (A, B)> {
    first.into_iter().flat_map(move |a| second.clone().into_iter().map(move |b| (a, b)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Plain,
    Tls,
}

impl Door {
    /// The name that is served there.
    pub(crate) const fn host(self) -> &'static str {
        match self {
            Self::Plain => "plain.ep-r.io",
            Self::Tls => "tls.ep-r.io",
        }
    }

    const fn scheme(self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Tls => "https",
        }
    }

    /// A request with these lines of fields besides Host and X-Request-Id.
    pub(crate) fn request(self, line: &str, fields: &str) -> String {
        format!("{line}\r\nhost: {}\r\nx-request-id: id\r\n{fields}\r\n", self.host())
    }

    /// Its head as the backend gets it: with those `fields` of the client's that pass, and with `own` lines,
    /// which say how the body is framed and what becomes of the connection.
    pub(crate) fn forwarded(self, line: &str, fields: &str, own: &str) -> String {
        let (host, scheme) = (self.host(), self.scheme());
        format!(
            "{line}\r\nhost: {host}\r\n{fields}x-forwarded-for: 127.0.0.1\r\n\
             forwarded: for=127.0.0.1;proto={scheme}\r\nx-forwarded-proto: {scheme}\r\n\
             x-forwarded-host: {host}\r\nx-request-id: id\r\nepr-hop: 1\r\n{own}\r\n"
        )
    }
}

/// An answer with a body, as backends say it: it has all that the proxy would add, and passes as it is.
pub(crate) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ndate: D\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// The same as a client gets it whose connection ends with it.
pub(crate) fn last_answer(status: &str, body: &str) -> String {
    answer(status, body).replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1)
}

/// A proxy with one worker and a name on each port, both served by a backend that the test plays itself.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    backend: TcpListener,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stage = Stage::with(|config| {
            config.workers = NonZeroUsize::MIN;
            change(config);
        });
        let address = [backend.local_addr().unwrap()];
        // Two deployments, so that neither port gets connections the other has kept.
        stage.apply(vec![
            bound_to("dep-plain", Door::Plain.host(), Http, Http1, &address),
            bound_to("dep-tls", Door::Tls.host(), Https, Http1, &address),
        ]);
        Self { stage, backend }
    }

    pub(crate) async fn client(&self, door: Door) -> End {
        let wire = match door {
            Door::Plain => Wire::Tcp(TcpStream::connect(self.stage.http).await.unwrap()),
            Door::Tls => {
                Wire::Tls(Box::new(tls(&self.stage, Door::Tls.host(), &[b"http/1.1"]).await.unwrap()))
            }
        };
        End::new("the client", wire)
    }

    /// The backend's end of the next connection the proxy opens.
    pub(crate) async fn backend(&self) -> End {
        let accepted = tokio::time::timeout(NEVER, self.backend.accept()).await;
        let Ok(accepted) = accepted else { panic!("the proxy opens no connection to its backend") };
        End::new("the backend", Wire::Tcp(accepted.unwrap().0))
    }

    /// A client that has said `words`, and the backend they made the proxy connect to.
    pub(crate) async fn ask(&self, door: Door, words: impl AsRef<[u8]>) -> (End, End) {
        let mut client = self.client(door).await;
        client.says(words).await;
        (client, self.backend().await)
    }

    /// Returns once the worker has looked at all that was said to it before.
    pub(crate) async fn settle(&self) {
        assert_eq!(get(&self.stage, "nobody.ep-r.io", "/").await.status, 404);
    }

    /// How often something was refused for `reason`.
    pub(crate) async fn refusals(&self, reason: &str) -> u64 {
        self.settle().await;
        let metrics = admin(&self.stage, "/metrics").await.body;
        let line = format!("epr_refusals_total{{reason=\"{reason}\"}} ");
        metrics.lines().find_map(|found| found.strip_prefix(&line)).unwrap().parse().unwrap()
    }

    /// Fails if the proxy has opened a connection that was not taken.
    pub(crate) async fn backend_is_left_alone(&self) {
        self.settle().await;
        let accepted = tokio::time::timeout(Duration::ZERO, self.backend.accept()).await;
        assert!(accepted.is_err(), "the proxy went to its backend");
    }
}

/// One end of a connection.
pub(crate) struct End {
    who: &'static str,
    wire: Wire,
}

enum Wire {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl End {
    fn new(who: &'static str, wire: Wire) -> Self {
        let end = Self { who, wire };
        // What is said in two calls shall come in two pieces.
        end.tcp().set_nodelay(true).unwrap();
        end
    }

    fn tcp(&self) -> &TcpStream {
        match &self.wire {
            Wire::Tcp(stream) => stream,
            Wire::Tls(stream) => stream.get_ref().0,
        }
    }

    fn stream(&mut self) -> &mut dyn Stream {
        match &mut self.wire {
            Wire::Tcp(stream) => stream,
            Wire::Tls(stream) => stream,
        }
    }

    pub(crate) async fn says(&mut self, words: impl AsRef<[u8]>) {
        self.tries_to_say(words).await.unwrap();
    }

    /// Says as much as is taken.
    pub(crate) async fn tries_to_say(&mut self, words: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream().write_all(words.as_ref()).await?;
        self.stream().flush().await
    }

    /// Says as much of `words` as is taken at once, if any is.
    pub(crate) async fn says_some(&mut self, words: &[u8]) -> Option<usize> {
        let said = tokio::time::timeout(Duration::ZERO, self.stream().write(words)).await;
        said.ok().map(Result::unwrap)
    }

    /// Has said all it had to say: a FIN, after `close_notify` over TLS.
    pub(crate) async fn stops(&mut self) {
        self.stream().shutdown().await.unwrap();
    }

    /// Goes away so that the other side cannot take it for an orderly end.
    pub(crate) fn resets(self) {
        self.tcp().set_zero_linger().unwrap();
    }

    /// Hears `expected`, byte for byte, and leaves unread what may follow.
    pub(crate) async fn hears(&mut self, expected: impl AsRef<[u8]>) {
        hear(self.who, self.stream(), expected.as_ref()).await;
    }

    /// Says `pieces` one by one while it hears `expected`.
    pub(crate) async fn says_and_hears(&mut self, pieces: &[&[u8]], expected: impl AsRef<[u8]>) {
        let who = self.who;
        let (mut heard, mut told) = tokio::io::split(self.stream());
        let says = async {
            for piece in pieces {
                told.write_all(piece).await.unwrap();
                told.flush().await.unwrap();
            }
        };
        tokio::join!(says, hear(who, &mut heard, expected.as_ref()));
    }

    /// Hears as many bytes, whatever they are.
    pub(crate) async fn hears_bytes(&mut self, count: usize) -> Vec<u8> {
        let (who, mut heard) = (self.who, vec![0; count]);
        let read = tokio::time::timeout(NEVER, self.stream().read_exact(&mut heard)).await;
        let Ok(Ok(_)) = read else { panic!("{who} does not hear {count} bytes: {read:?}") };
        heard
    }

    /// Hears a head, or what else ends with a blank line.
    pub(crate) async fn hears_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.hears_bytes(1).await);
        }
        String::from_utf8(head).unwrap()
    }

    /// All that is left to hear, and whether the end is an orderly one.
    pub(crate) async fn hears_out(&mut self) -> (String, Result<(), ErrorKind>) {
        let (who, mut all) = (self.who, Vec::new());
        let ended = tokio::time::timeout(NEVER, self.stream().read_to_end(&mut all)).await;
        let Ok(ended) = ended else { panic!("{who} hears no end, but {}", all.escape_ascii()) };
        (String::from_utf8_lossy(&all).into_owned(), ended.map(|_| ()).map_err(|error| error.kind()))
    }

    /// Hears `expected` and then an orderly end.
    pub(crate) async fn hears_last(&mut self, expected: impl AsRef<[u8]>) {
        self.hears(expected).await;
        assert_eq!(self.hears_out().await, (String::new(), Ok(())), "{} hears more", self.who);
    }

    /// Hears an orderly end.
    pub(crate) async fn hears_the_end(&mut self) {
        self.hears_last("").await;
    }

    /// Hears nothing more but a reset.
    pub(crate) async fn is_reset(&mut self) {
        let reset = (String::new(), Err(ErrorKind::ConnectionReset));
        assert_eq!(self.hears_out().await, reset, "{} is to be reset", self.who);
    }

    /// Has nothing to hear now, without TLS.
    pub(crate) fn hears_nothing(&self) {
        let mut bytes = [0; 4096];
        match self.tcp().try_read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(read) => panic!("{} hears {}", self.who, bytes[..read].escape_ascii()),
            Err(error) => panic!("{} hears {error}", self.who),
        }
    }
}

async fn hear(who: &str, stream: &mut (impl AsyncRead + Unpin + ?Sized), expected: &[u8]) {
    let (mut heard, mut so_far) = (vec![0; expected.len()], 0);
    while so_far < expected.len() {
        let read = tokio::time::timeout(NEVER, stream.read(&mut heard[so_far..])).await;
        let told = |why: &str| -> String {
            let (heard, expected) = (heard[..so_far].escape_ascii(), expected.escape_ascii());
            format!("{who} {why}\n   heard: {heard}\nexpected: {expected}")
        };
        match read {
            Ok(Ok(0)) => panic!("{}", told("hears the end")),
            Ok(Ok(read)) => so_far += read,
            Ok(Err(error)) => panic!("{}", told(&error.to_string())),
            Err(_) => panic!("{}", told("waits in vain")),
        }
        let same = heard[..so_far] == expected[..so_far];
        assert!(
            same,
            "{who} hears something else\n   heard: {}\nexpected: {}",
            heard[..so_far].escape_ascii(),
            expected.escape_ascii()
        );
    }
}
