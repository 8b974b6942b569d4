//! A client that writes and reads frames as it likes (RFC 9113 4, RFC 7541).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::tls;
use crate::stage::Stage;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The last stream that GOAWAY says was taken.
    pub(crate) fn last_stream(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }

    /// The error code of `RST_STREAM` or GOAWAY.
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// The answer to a PING.
pub(crate) fn ack(ping: &Frame) -> Vec<u8> {
    frame(PING, ACK, 0, &ping.payload)
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Fields as literals that no table remembers (RFC 7541 6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name, value] {
            length(&mut bytes, text.len());
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

/// An integer with a prefix of seven bits (RFC 7541 5.1).
fn length(bytes: &mut Vec<u8>, n: usize) {
    if n < 127 {
        return bytes.push(u8::try_from(n).unwrap());
    }
    bytes.push(127);
    let mut rest = n - 127;
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap());
}

/// The fields of a request to `a.ep-r.io`.
pub(crate) fn head(method: &str) -> Vec<u8> {
    block(&[(":method", method), (":scheme", "https"), (":authority", "a.ep-r.io"), (":path", "/")])
}

/// A request without a body.
pub(crate) fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &head("GET"))
}

/// The head of one with a body.
pub(crate) fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &head("POST"))
}

pub(crate) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// A connection to the TLS port.
pub(crate) struct Raw(TlsStream<TcpStream>);

impl Raw {
    /// After the preface and the settings of both sides.
    pub(crate) async fn open(stage: &Stage) -> Self {
        Self::with(stage, &[]).await
    }

    pub(crate) async fn with(stage: &Stage, settings: &[u8]) -> Self {
        Self::over(tls(stage, "a.ep-r.io", &[b"h2"]).await.unwrap(), settings).await
    }

    pub(crate) async fn over(stream: TlsStream<TcpStream>, settings: &[u8]) -> Self {
        let mut raw = Self(stream);
        raw.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        raw.send(&frame(SETTINGS, 0, 0, settings)).await;
        raw.until(|frame| frame.kind == SETTINGS && frame.flags == 0).await;
        raw.send(&frame(SETTINGS, ACK, 0, &[])).await;
        raw
    }

    /// Whether the proxy still takes it.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        let sent = async {
            self.0.write_all(bytes).await?;
            self.0.flush().await
        };
        sent.await.is_ok()
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        assert!(self.try_send(bytes).await, "the proxy closed");
    }

    /// The next frame; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Reads until a frame is `wanted`.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.next().await.unwrap();
            if wanted(&frame) {
                return frame;
            }
        }
    }

    /// Reads until the proxy says goodbye, and why. Nothing follows.
    pub(crate) async fn goodbye(&mut self) -> u32 {
        let goodbye = self.until(|frame| frame.kind == GOAWAY).await;
        assert_eq!(self.next().await, None);
        goodbye.code()
    }

    /// Sends what `flood` gives for 0, 1, 2... until the proxy says goodbye, and why; at most `most` times.
    pub(crate) async fn flood(&mut self, most: u32, flood: impl Fn(u32) -> Vec<u8>) -> u32 {
        let (mut reader, mut writer) = tokio::io::split(&mut self.0);
        let write = async {
            for n in 0..most {
                if writer.write_all(&flood(n)).await.is_err() || writer.flush().await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let read = async {
            loop {
                let mut head = [0; 9];
                reader.read_exact(&mut head).await.unwrap();
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let mut payload = vec![0; usize::try_from(length).unwrap()];
                reader.read_exact(&mut payload).await.unwrap();
                if head[3] == GOAWAY {
                    return u32::from_be_bytes(payload[4..8].try_into().unwrap());
                }
            }
        };
        tokio::select! {
            code = read => code,
            () = write => unreachable!(),
        }
    }

    /// Asks on `stream` and reads the answer's head, and its body to the end.
    pub(crate) async fn asks(&mut self, stream: u32) {
        self.send(&get(stream)).await;
        let mut answered = self.until(|frame| frame.stream == stream).await;
        assert_eq!(answered.kind, HEADERS, "{answered:?}");
        while answered.flags & END_STREAM == 0 {
            answered = self.until(|frame| frame.stream == stream).await;
            assert_ne!(answered.kind, RST_STREAM, "{answered:?}");
        }
    }

    /// Breaks off without a word.
    pub(crate) fn into_inner(self) -> TlsStream<TcpStream> {
        self.0
    }
}
