//! A reader of HTTP/1 that is strict and slow: the grammars of RFC 9110, 9112 and 3986 written down rule by
//! rule, an octet at a time. It shares nothing with the reader it is the measure of.
//!
//! Where the RFCs let a recipient choose, it chooses to refuse: one Content-Length at most, no coding but
//! `chunked`, no user information. In two places it takes more than the grammars, as everyone must: a request
//! target may have any visible character but `#`, for browsers send them; the space before an absent reason
//! may be absent.

mod body;
mod cursor;
mod head;
mod uri;

use cursor::{Cursor, Stop};
pub use head::Framing;

/// Names and values, in the order they came.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A message, in octets as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The parts of the first line: method, target, version, or version, status, reason.
    pub first: [Vec<u8>; 3],
    /// Names and values, these without the blanks around them.
    pub fields: Fields,
    /// How the body's end was found.
    pub framing: Framing,
    /// Whether another message may follow.
    pub persists: bool,
    /// The body as it was written.
    pub body: Vec<u8>,
    /// The body without chunk lines and trailers.
    pub payload: Vec<u8>,
    /// The fields after the last chunk.
    pub trailers: Fields,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At the end of the octets, between two messages or after the last.
    Clean,
    /// At the end of the octets, in the middle of a message that could go on.
    Partial,
    /// At an octet no message can have there.
    Refused,
}

/// The requests of a connection on which these octets came.
pub fn requests(octets: &[u8]) -> (Vec<Message>, End) {
    let mut cursor = Cursor::new(octets);
    let mut messages: Vec<Message> = Vec::new();
    while !cursor.is_at_end() && messages.last().is_none_or(|last| last.persists) {
        match request(&mut cursor) {
            Ok(message) => messages.push(message),
            Err(stop) => return (messages, stop.into()),
        }
    }
    (messages, End::Clean)
}

/// The answers that came for one request, interim ones and the last, before the backend closed.
pub fn responses(octets: &[u8], to_head: bool) -> (Vec<Message>, End) {
    let mut cursor = Cursor::new(octets);
    let mut messages = Vec::new();
    loop {
        match response(&mut cursor, to_head) {
            Ok((message, is_final)) => {
                messages.push(message);
                if is_final {
                    return (messages, End::Clean);
                }
            }
            Err(stop) => return (messages, stop.into()),
        }
    }
}

/// A chunked body: what it took, what it holds, and its trailers.
pub fn chunked(octets: &[u8]) -> Result<(usize, Vec<u8>, Fields), End> {
    let mut cursor = Cursor::new(octets);
    let (payload, trailers) = body::chunked(&mut cursor)?;
    Ok((cursor.at(), payload, trailers))
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::More => Self::Partial,
            Stop::Bad => Self::Refused,
        }
    }
}

fn request(cursor: &mut Cursor<'_>) -> Result<Message, Stop> {
    // RFC 9112 2.2: at least one empty line before the request line is to be ignored; two are.
    for _ in 0..2 {
        if cursor.peek()? == b'\r' {
            cursor.crlf()?;
        }
    }
    let (first, version) = head::request_line(cursor)?;
    let fields = head::fields(cursor, |_| true)?;
    let framing = head::said_framing(&fields, version)?.unwrap_or(Framing::None);
    head::expectations(&fields)?;
    whole(cursor, first, fields, framing, version)
}

fn response(cursor: &mut Cursor<'_>, to_head: bool) -> Result<(Message, bool), Stop> {
    let (first, version, status) = head::status_line(cursor)?;
    let fields = head::fields(cursor, |_| true)?;
    let interim = (100..=199).contains(&status);
    // RFC 9112 6.3, rule 1 goes before all others.
    let framing = if interim || status == 204 || status == 304 || to_head {
        Framing::None
    } else {
        head::said_framing(&fields, version)?.unwrap_or(Framing::UntilClose)
    };
    Ok((whole(cursor, first, fields, framing, version)?, !interim || status == 101))
}

fn whole(
    cursor: &mut Cursor<'_>,
    first: [Vec<u8>; 3],
    fields: Fields,
    framing: Framing,
    version: u8,
) -> Result<Message, Stop> {
    let persists = head::persists(&fields, version);
    let from = cursor.at();
    let (payload, trailers) = body::read(cursor, framing)?;
    let body = cursor.since(from).to_vec();
    Ok(Message { first, fields, framing, persists, body, payload, trailers })
}
