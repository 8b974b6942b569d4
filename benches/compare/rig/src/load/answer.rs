use std::io;

use crate::backend::{field, find_head_end};

/// What has to come before a unit is done.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A response with this status and, unless it is 101, this length.
    Response { status: u16, length: u64, head: Vec<u8>, left: Option<u64> },
    /// So many bytes.
    Bytes(u64),
}

impl Answer {
    pub(crate) fn response(status: u16, length: u64) -> Self {
        Self::Response { status, length, head: Vec::new(), left: None }
    }

    /// Takes bytes; whether it is whole with them.
    ///
    /// # Errors
    /// When it is another answer than the one expected, or more.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        match self {
            Self::Bytes(left) => less(left, bytes.len()),
            Self::Response { left: Some(left), .. } => less(left, bytes.len()),
            Self::Response { status, length, head, left } => {
                let body = if head.is_empty()
                    && let Some(end) = find_head_end(bytes)
                {
                    let (whole, body) = bytes.split_at(end);
                    judge(whole, *status, *length)?;
                    body.len()
                } else {
                    head.extend_from_slice(bytes);
                    let Some(end) = find_head_end(head) else { return Ok(false) };
                    judge(head.get(..end).unwrap_or_default(), *status, *length)?;
                    head.len() - end
                };
                less(left.insert(*length), body)
            }
        }
    }
}

fn less(left: &mut u64, bytes: usize) -> io::Result<bool> {
    *left = left.checked_sub(bytes as u64).ok_or_else(|| io::Error::other("more than was asked for"))?;
    Ok(*left == 0)
}

fn judge(head: &[u8], status: u16, length: u64) -> io::Result<()> {
    let found = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    if found != Some(status) {
        let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
        return Err(io::Error::other(format!("{} instead of {status}", String::from_utf8_lossy(line))));
    }
    if status == 101 {
        return Ok(());
    }
    match field(head, b"content-length").and_then(|value| value.parse::<u64>().ok()) {
        Some(found) if found == length => Ok(()),
        found => Err(io::Error::other(format!("Content-Length {found:?} instead of {length}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn whole_with_the_last_byte_in_pieces_of_any_size() {
        for size in 1..=RESPONSE.len() {
            let mut answer = Answer::response(200, 5);
            let pieces: Vec<_> = RESPONSE.chunks(size).collect();
            for (number, piece) in pieces.iter().enumerate() {
                assert_eq!(answer.take(piece).unwrap(), number + 1 == pieces.len(), "in pieces of {size}");
            }
        }
    }

    #[test]
    fn another_answer_is_an_error() {
        assert!(Answer::response(404, 5).take(RESPONSE).is_err());
        assert!(Answer::response(200, 6).take(RESPONSE).is_err());
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(Answer::response(200, 5).take(chunked).is_err());
        assert!(Answer::Bytes(3).take(b"four").is_err());
    }

    #[test]
    fn an_upgrade_has_no_body() {
        let switched = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";
        assert!(Answer::response(101, 0).take(switched).unwrap());
    }
}
