//! Heads and chunks as they go over the wire. What is written was judged before: nothing is judged here.

use super::field::Field;
use super::framing::Framing;
use crate::digits;

/// The interim answer that asks for the body of a request (RFC 9110 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// `METHOD target HTTP/1.1`
pub fn request_line(out: &mut Vec<u8>, method: &str, target: &str) {
    all(out, &[method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
}

/// `HTTP/1.1 status reason`
pub fn status_line(out: &mut Vec<u8>, status: u16, reason: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    digits::decimal(out, status.into());
    all(out, &[b" ", reason, b"\r\n"]);
}

/// `name: value`
pub fn field(out: &mut Vec<u8>, name: impl AsRef<[u8]>, value: &[u8]) {
    all(out, &[name.as_ref(), b": ", value, b"\r\n"]);
}

/// The field that says how long the body is, if one is needed. `has_content`: whether a message without a
/// body has to say so, as a request whose method is meant to have one should (RFC 9110 8.6).
pub fn framing(out: &mut Vec<u8>, framing: Framing, has_content: bool) {
    let length = match framing {
        Framing::Chunked => return field(out, "transfer-encoding", b"chunked"),
        Framing::UntilClose => return,
        Framing::Empty if has_content => 0,
        Framing::Empty => return,
        Framing::Length(length) => length,
    };
    content_length(out, length);
}

/// `content-length: length`
pub fn content_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"content-length: ");
    digits::decimal(out, length);
    end(out);
}

/// The end of a head, and of a line.
pub fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

/// The line before `length` bytes of payload, which must be followed by an [`end`]. No chunk is empty: that
/// would be the last.
pub fn chunk_line(out: &mut Vec<u8>, length: usize) {
    digits::hexadecimal(out, length as u64);
    end(out);
}

/// A whole chunk, or nothing when there is no payload.
pub fn chunk(out: &mut Vec<u8>, payload: &[u8]) {
    if !payload.is_empty() {
        chunk_line(out, payload.len());
        out.extend_from_slice(payload);
        end(out);
    }
}

/// The last chunk, the trailer section and its end.
pub fn last_chunk<'b>(out: &mut Vec<u8>, trailers: impl IntoIterator<Item = Field<'b>>) {
    out.extend_from_slice(b"0\r\n");
    for Field { name, value, .. } in trailers {
        field(out, name, value);
    }
    end(out);
}

fn all(out: &mut Vec<u8>, parts: &[&[u8]]) {
    out.reserve(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests {
    use super::super::field::Known;
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn heads_are_lines() {
        assert_eq!(written(|out| request_line(out, "GET", "/a?b")), "GET /a?b HTTP/1.1\r\n");
        assert_eq!(written(|out| status_line(out, 200, b"OK")), "HTTP/1.1 200 OK\r\n");
        assert_eq!(written(|out| status_line(out, 599, b"")), "HTTP/1.1 599 \r\n");
        assert_eq!(written(|out| field(out, "a", b"b")), "a: b\r\n");
    }

    #[test]
    fn a_body_has_one_framing_or_none() {
        let said = |said, has_content| written(|out| framing(out, said, has_content));
        assert_eq!(said(Framing::Empty, false), "");
        assert_eq!(said(Framing::Empty, true), "content-length: 0\r\n");
        assert_eq!(said(Framing::Length(7), false), "content-length: 7\r\n");
        assert_eq!(said(Framing::Chunked, true), "transfer-encoding: chunked\r\n");
        assert_eq!(said(Framing::UntilClose, true), "");
    }

    #[test]
    fn only_the_last_chunk_is_empty() {
        let trailer = Field { known: Known::Other, name: b"x-sum", value: b"1" };
        let body = written(|out| {
            chunk(out, &[b'a'; 17]);
            chunk(out, b"");
            last_chunk(out, [trailer]);
        });
        assert_eq!(body, "11\r\naaaaaaaaaaaaaaaaa\r\n0\r\nx-sum: 1\r\n\r\n");
    }
}
