use proxy::http1::{Field, Framing, Known, write};

use super::super::reference::{self, End, Message};

/// Asserts that a request, its head written anew and its body passed on, is one message with one framing to
/// the next reader; and that it is the same message with its body in other chunks.
pub fn request(message: &Message) {
    let [method, target, _] = &message.first;
    let start = |out: &mut Vec<u8>| write::request_line(out, text(method), text(target));
    check(message, start, reference::requests);
}

/// The same of an answer.
pub fn response(message: &Message, to_head: bool) {
    let [_, status, reason] = &message.first;
    let status = text(status).bytes().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    let start = |out: &mut Vec<u8>| write::status_line(out, status, reason);
    check(message, start, |octets| {
        let (messages, end) = reference::responses(octets, to_head);
        // After an interim answer the final one is awaited.
        (messages, if end == End::Partial { End::Clean } else { end })
    });
}

fn check(message: &Message, start: impl Fn(&mut Vec<u8>), read: impl Fn(&[u8]) -> (Vec<Message>, End)) {
    let framing = match message.framing {
        reference::Framing::None => Framing::Empty,
        reference::Framing::Length(length) => Framing::Length(length),
        reference::Framing::Chunked => Framing::Chunked,
        reference::Framing::UntilClose => Framing::UntilClose,
    };
    let kept = |message: &Message| -> Vec<_> {
        message.fields.iter().filter(|(name, _)| !frames(text(name))).cloned().collect()
    };
    let mut head = Vec::new();
    start(&mut head);
    kept(message).iter().for_each(|(name, value)| write::field(&mut head, name, value));
    write::framing(&mut head, framing, false);
    write::end(&mut head);
    every_line_ends_in_one_way(&head);

    let same = |body: &[u8]| {
        let octets = [&head, body].concat();
        let (read, end) = read(&octets);
        assert_eq!((read.len(), end), (1, End::Clean), "{}", octets.escape_ascii());
        let read = &read[0];
        let said = read.fields.iter().filter(|(name, _)| frames(text(name))).count();
        assert_eq!(said, usize::from(matches!(framing, Framing::Length(_) | Framing::Chunked)));
        assert_eq!((kept(read), read.framing), (kept(message), message.framing));
        assert_eq!((&read.payload, &read.trailers), (&message.payload, &message.trailers));
        assert_eq!(read.body, body, "all of it was taken");
    };
    same(&message.body);
    if framing == Framing::Chunked {
        let mut body = Vec::new();
        message.payload.chunks(7).for_each(|chunk| write::chunk(&mut body, chunk));
        let field = |(name, value)| Field { known: Known::Other, name, value };
        write::last_chunk(
            &mut body,
            message.trailers.iter().map(|(name, value)| field((name, value.as_slice()))),
        );
        same(&body);
    }
}

fn frames(name: &str) -> bool {
    matches!(Known::of(name), Known::ContentLength | Known::TransferEncoding)
}

/// Whoever ends lines at any carriage return, or any line feed, finds the same lines.
pub fn every_line_ends_in_one_way(head: &[u8]) {
    let pairs = head.windows(2).filter(|pair| *pair == b"\r\n").count();
    for byte in *b"\r\n" {
        assert_eq!(head.iter().filter(|other| **other == byte).count(), pairs, "{}", head.escape_ascii());
    }
    assert!(!head.contains(&0));
}

fn text(bytes: &[u8]) -> &str {
    assert!(bytes.is_ascii(), "it was read as a token or target");
    std::str::from_utf8(bytes).unwrap_or_default()
}
