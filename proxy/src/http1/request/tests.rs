use super::*;

const BOUNDS: Bounds = Bounds { bytes: 1000, fields: 8 };

/// Reads a head whose lines are joined here.
fn read<T>(lines: &[&str], look: impl FnOnce(Result<RequestHead<'_>, Fault>) -> T) -> T {
    let head = format!("{}\r\n\r\n", lines.join("\r\n"));
    look(RequestHead::parse(head.as_bytes(), &mut Room::default(), &BOUNDS))
}

fn fault(lines: &[&str]) -> Option<Fault> {
    read(lines, |head| head.err())
}

#[test]
fn a_head_is_read_where_it_lies() {
    let lines = ["POST /a?b HTTP/1.1", "Host: a.b", "x-Empty:", "Content-Length:\t7 ", "X: \"a\tb\" "];
    read(&lines, |head| {
        let head = head.unwrap();
        assert_eq!((head.method, head.target), ("POST", Target::Origin("/a?b")));
        assert_eq!((head.version, head.framing), (Version::Http11, Framing::Length(7)));
        let fields: Vec<_> = head.fields().map(|field| (field.known, field.name, field.value)).collect();
        assert_eq!(
            fields,
            [
                (Known::Host, &b"Host"[..], &b"a.b"[..]),
                (Known::Other, b"x-Empty", b""),
                (Known::ContentLength, b"Content-Length", b"7"),
                (Known::Other, b"X", b"\"a\tb\""),
            ]
        );
    });
}

#[test]
fn names_are_found_beside_bytes_that_are_no_text() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nx: \xff\xfe\r\nY-z: 1\r\n\r\n";
    let mut room = Room::default();
    let head = RequestHead::parse(head, &mut room, &BOUNDS).unwrap();
    assert!(head.fields().map(|field| field.name).eq([&b"Host"[..], b"x", b"Y-z"]));
    assert!(head.fields().map(|field| field.value).eq([&b"a"[..], b"\xff\xfe", b"1"]));
}

#[test]
fn a_room_serves_one_head_after_the_other() {
    let mut room = Room::default();
    for (head, count) in [("GET / HTTP/1.1\r\na: b\r\nc: d\r\n\r\n", 2), ("GET / HTTP/1.0\r\n\r\n", 0)] {
        let head = RequestHead::parse(head.as_bytes(), &mut room, &BOUNDS).unwrap();
        assert_eq!(head.fields().count(), count);
    }
}

#[test]
fn a_request_line_is_three_words() {
    for line in [
        "GET /",
        "GET",
        "",
        " GET / HTTP/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        "GET /a b HTTP/1.1",
        "G(T / HTTP/1.1",
        "/ HTTP/1.1",
    ] {
        assert_eq!(fault(&[line]), Some(Fault::BadRequestLine), "{line:?}");
    }
    assert!(fault(&[&format!("{} / HTTP/1.1", "M".repeat(32))]).is_none());
    assert_eq!(fault(&[&format!("{} / HTTP/1.1", "M".repeat(33))]), Some(Fault::BadRequestLine));
}

#[test]
fn a_version_is_one_of_two() {
    for version in [
        "HTTP/0.9",
        "HTTP/1.2",
        "HTTP/2.0",
        "HTTP/2",
        "HTTP/1.10",
        "HTTP/1.1a",
        "HTTP/01.1",
        "http/1.1",
        "Http/1.1",
        "HTTP/1,1",
        "HTTP/ 1.1",
        "HTTP1.1",
        "ICAP/1.0",
        "HTTPS/1.1",
        "",
    ] {
        let line = format!("GET / {version}");
        let expected = if version.contains(' ') { Fault::BadRequestLine } else { Fault::BadVersion };
        assert_eq!(fault(&[&line]), Some(expected), "{version:?}");
    }
}

#[test]
fn a_connection_persists_unless_it_says_otherwise() {
    let persists = |version, fields: &[&str]| {
        let first = format!("GET / {version}");
        let lines: Vec<_> = std::iter::once(first.as_str()).chain(fields.iter().copied()).collect();
        read(&lines, |head| head.unwrap().persists)
    };
    assert!(persists("HTTP/1.1", &[]));
    assert!(persists("HTTP/1.1", &["Connection: x, closed"]));
    assert!(!persists("HTTP/1.1", &["Connection: x ,CLOSE"]));
    assert!(!persists("HTTP/1.1", &["Connection: keep-alive", "Connection: close"]));
    assert!(!persists("HTTP/1.0", &[]));
    assert!(persists("HTTP/1.0", &["Connection: Keep-Alive"]));
    assert!(!persists("HTTP/1.0", &["Connection: close, Keep-Alive"]));
}

#[test]
fn the_one_expectation_is_100_continue() {
    let expects = |lines: &[&str]| read(lines, |head| head.map(|head| head.expects_continue));
    let length = "Content-Length: 1";
    assert_eq!(expects(&["PUT / HTTP/1.1", length, "Expect: 100-Continue"]), Ok(true));
    assert_eq!(expects(&["PUT / HTTP/1.1", length]), Ok(false));
    assert_eq!(expects(&["PUT / HTTP/1.1", "Expect: 100-continue"]), Ok(false), "nothing would come");
    assert_eq!(expects(&["PUT / HTTP/1.0", length, "Expect: 100-continue"]), Ok(false));
    for other in ["", "200-ok", "100-continue, x", "100-continue;q=1", "100 continue"] {
        let expect = format!("Expect: {other}");
        assert_eq!(expects(&["PUT / HTTP/1.1", length, &expect]), Err(Fault::UnknownExpectation), "{other}");
    }
    let twice = expects(&["PUT / HTTP/1.1", length, "Expect: 100-continue", "Expect: 100-continue"]);
    assert_eq!(twice, Err(Fault::UnknownExpectation));
}

#[test]
fn a_head_keeps_to_its_bounds() {
    let fields = ["a: b"; 9];
    let lines = |count: usize| [&["GET / HTTP/1.1"], &fields[..count]].concat();
    assert_eq!(fault(&lines(8)), None);
    assert_eq!(fault(&lines(9)), Some(Fault::TooManyFields));
    let long = |length: usize| format!("a: {}", "b".repeat(length));
    let rest = "GET / HTTP/1.1\r\na: \r\n\r\n".len();
    assert_eq!(fault(&["GET / HTTP/1.1", &long(BOUNDS.bytes - rest)]), None);
    assert_eq!(fault(&["GET / HTTP/1.1", &long(BOUNDS.bytes - rest + 1)]), Some(Fault::HeadTooLong));
}

#[test]
fn nothing_but_a_whole_head_is_read() {
    let parse = |head: &str| RequestHead::parse(head.as_bytes(), &mut Room::default(), &BOUNDS).err();
    let whole = "GET / HTTP/1.1\r\na: b\r\n\r\n";
    assert_eq!(parse(whole), None);
    for length in 0..whole.len() {
        assert!(parse(&whole[..length]).is_some(), "{length}");
    }
    assert_eq!(parse(&format!("{whole}x")), Some(Fault::BadField));
    assert_eq!(parse("GET / HTTP/1.1\n\r\n"), Some(Fault::BareLineFeed));
    assert_eq!(parse("GET / HTTP/1.1\r\na: b\n\r\n"), Some(Fault::BareLineFeed));
}
