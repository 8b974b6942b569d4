use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use memchr::memmem;

use super::websocket;

/// More than any head that proxies make of the loads' heads.
const HEAD_MAX: usize = 16 * 1024;
const BULK: usize = 256 * 1024;

/// What a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A body of so many bytes.
    Bytes(usize),
    /// The request's own head.
    Echo(Vec<u8>),
    WebSocket,
    /// Something the loads never ask for.
    Nonsense,
}

/// Reads requests that come one at a time, in whatever pieces.
#[derive(Default)]
pub(crate) struct Reader {
    head: Vec<u8>,
    /// The request whose body is being read, and what is left of it.
    body: Option<(Asked, u64)>,
}

impl Reader {
    /// Takes bytes; the request that is whole with them.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> io::Result<Option<Asked>> {
        if let Some((asked, left)) = &mut self.body {
            *left = left.saturating_sub(bytes.len() as u64);
            let asked = (*left == 0).then(|| asked.clone());
            if asked.is_some() {
                self.body = None;
            }
            return Ok(asked);
        }
        // Most heads come whole and are read where they lie.
        if self.head.is_empty()
            && let Some(end) = find_head_end(bytes)
        {
            let (head, rest) = bytes.split_at(end);
            return Ok(self.whole(head, rest.len()));
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = find_head_end(&self.head) else {
            return if self.head.len() > HEAD_MAX {
                Err(io::Error::other("no end of a head"))
            } else {
                Ok(None)
            };
        };
        let whole = std::mem::take(&mut self.head);
        let (head, rest) = whole.split_at(end);
        Ok(self.whole(head, rest.len()))
    }

    fn whole(&mut self, head: &[u8], follows: usize) -> Option<Asked> {
        let asked = asked(head);
        let length = field(head, b"content-length").and_then(|value| value.parse().ok());
        let left = length.unwrap_or(0_u64).saturating_sub(follows as u64);
        if left == 0 {
            return Some(asked);
        }
        self.body = Some((asked, left));
        None
    }
}

fn asked(head: &[u8]) -> Asked {
    let mut words = head.split(|&byte| byte == b' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Asked::Nonsense };
    // Chunked uploads would be another work than the same for all.
    if field(head, b"transfer-encoding").is_some() {
        return Asked::Nonsense;
    }
    match (method, target) {
        (b"GET", b"/ws") => Asked::WebSocket,
        (b"GET", b"/head") => Asked::Echo(head.to_vec()),
        (b"POST", b"/u") => Asked::Bytes(2),
        (b"GET", target) => target
            .strip_prefix(b"/b/")
            .and_then(|count| std::str::from_utf8(count).ok()?.parse().ok())
            .map_or(Asked::Nonsense, Asked::Bytes),
        _ => Asked::Nonsense,
    }
}

/// How long the head is at whose beginning the bytes begin, once it is whole.
pub(crate) fn find_head_end(bytes: &[u8]) -> Option<usize> {
    memmem::find(bytes, b"\r\n\r\n").map(|end| end + 4)
}

/// The value of a field, whose name is given in lower case.
pub(crate) fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    head.split(|&byte| byte == b'\n').find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (found, value) = line.split_at(colon);
        let value = found.eq_ignore_ascii_case(name).then_some(value)?;
        Some(std::str::from_utf8(value).ok()?.trim_start_matches(':').trim())
    })
}

/// Answers that were made once.
pub(crate) struct Answers {
    bodies: HashMap<usize, Rc<[u8]>>,
    upgraded: Rc<[u8]>,
    nonsense: Rc<[u8]>,
    bulk: Rc<[u8]>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            bodies: HashMap::new(),
            upgraded: websocket::ACCEPTED.as_bytes().into(),
            nonsense: b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".as_slice().into(),
            bulk: vec![b'x'; BULK].into(),
        }
    }
}

impl Answers {
    pub(crate) fn to(&mut self, asked: &Asked) -> Rc<[u8]> {
        match asked {
            Asked::Bytes(count) => {
                let make = || answer(&vec![b'x'; *count]);
                Rc::clone(self.bodies.entry(*count).or_insert_with(make))
            }
            Asked::Echo(head) => answer(head),
            Asked::WebSocket => Rc::clone(&self.upgraded),
            Asked::Nonsense => Rc::clone(&self.nonsense),
        }
    }

    /// Bytes of no meaning.
    pub(crate) fn bulk(&self) -> &[u8] {
        &self.bulk
    }
}

fn answer(body: &[u8]) -> Rc<[u8]> {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_in_pieces_of_any_size() {
        let request = b"POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";
        for size in 1..request.len() {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for piece in request.chunks(size) {
                found.extend(reader.take(piece).unwrap());
            }
            assert_eq!(found, [Asked::Bytes(2)], "in pieces of {size}");
        }
    }

    #[test]
    fn targets_mean_what_they_say() {
        let asked = |text: &str| Reader::default().take(text.as_bytes()).unwrap().unwrap();
        assert_eq!(asked("GET /b/65536 HTTP/1.1\r\n\r\n"), Asked::Bytes(65_536));
        assert_eq!(asked("GET /ws HTTP/1.1\r\nupgrade: websocket\r\n\r\n"), Asked::WebSocket);
        assert_eq!(asked("GET /b/x HTTP/1.1\r\n\r\n"), Asked::Nonsense);
        assert_eq!(asked("POST /u HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"), Asked::Nonsense);
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let head = b"GET / HTTP/1.1\r\nHost: a:1\r\nX-Forwarded-For:  127.0.0.1\r\n\r\n";
        assert_eq!(field(head, b"x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(field(head, b"host"), Some("a:1"));
        assert_eq!(field(head, b"forwarded"), None);
    }
}
