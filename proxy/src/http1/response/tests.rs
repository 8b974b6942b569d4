use super::super::field::Known;
use super::*;

const BOUNDS: Bounds = Bounds { bytes: 1000, fields: 8 };

fn read<T>(lines: &[&str], look: impl FnOnce(Result<ResponseHead<'_>, Fault>) -> T) -> T {
    let head = format!("{}\r\n\r\n", lines.join("\r\n"));
    look(ResponseHead::parse(head.as_bytes(), &mut Room::default(), &BOUNDS))
}

fn framing(lines: &[&str], to_head: bool) -> Result<Framing, Fault> {
    read(lines, |head| head.unwrap().framing(to_head))
}

#[test]
fn a_status_line_is_a_version_a_status_and_a_reason() {
    read(&["HTTP/1.1 404 Not  Found\u{e4}", "A: b"], |head| {
        let head = head.unwrap();
        assert_eq!(
            (head.status, head.reason, head.version),
            (404, "Not  Found\u{e4}".as_bytes(), Version::Http11)
        );
        assert!(head.persists);
        assert!(head.fields().map(|field| (field.known, field.name)).eq([(Known::Other, &b"A"[..])]));
    });
    for empty in ["HTTP/1.0 999 ", "HTTP/1.0 999"] {
        read(&[empty], |head| {
            let head = head.unwrap();
            assert_eq!((head.status, head.reason, head.persists), (999, &b""[..], false));
        });
    }
    for line in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 099 x",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 -20",
        "HTTP/1.1 200 \u{1}",
        "HTTP/1.1200 OK",
        " HTTP/1.1 200 OK",
    ] {
        let expected = if line.starts_with(' ') { Fault::BadVersion } else { Fault::BadStatusLine };
        assert_eq!(read(&[line], |head| head.err()), Some(expected), "{line:?}");
    }
    for line in ["HTTP/1.2 200 OK", "HTTP/2.0 200 OK", "http/1.1 200 OK", "HTTP/0.9 200 OK", "ICY 200 OK"] {
        assert_eq!(read(&[line], |head| head.err()), Some(Fault::BadVersion), "{line:?}");
    }
}

#[test]
fn an_answer_ends_as_its_head_says_or_with_the_connection() {
    assert_eq!(framing(&["HTTP/1.1 200 OK", "Content-Length: 3"], false), Ok(Framing::Length(3)));
    assert_eq!(framing(&["HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"], false), Ok(Framing::Chunked));
    assert_eq!(framing(&["HTTP/1.1 200 OK"], false), Ok(Framing::UntilClose));
    let both = ["HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked"];
    assert_eq!(framing(&both, false), Err(Fault::AmbiguousLength));
    let coded = ["HTTP/1.1 200 OK", "Transfer-Encoding: gzip"];
    assert_eq!(framing(&coded, false), Err(Fault::BadCoding));
    let old = ["HTTP/1.0 200 OK", "Transfer-Encoding: chunked"];
    assert_eq!(framing(&old, false), Err(Fault::CodingInHttp10));
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    for said in ["Content-Length: 3", "Transfer-Encoding: chunked", "Content-Length: x", "X: y"] {
        for status in ["100", "101", "103", "199", "204", "304"] {
            assert_eq!(
                framing(&[&format!("HTTP/1.1 {status} x"), said], false),
                Ok(Framing::Empty),
                "{status}"
            );
        }
        assert_eq!(framing(&["HTTP/1.1 200 OK", said], true), Ok(Framing::Empty));
    }
    let length = |lines: &[&str]| read(lines, |head| head.unwrap().content_length);
    assert_eq!(length(&["HTTP/1.1 304 x", "Content-Length: 3"]), Some(3), "of the body that is not there");
    assert_eq!(length(&["HTTP/1.1 304 x", "Content-Length: x"]), None);
    assert_eq!(length(&["HTTP/1.1 304 x", "Content-Length: 3", "Content-Length: 3"]), None);
}

#[test]
fn who_says_that_there_is_a_body_where_there_can_be_none_is_doubtful() {
    for (status, said, is_doubtful) in [
        ("204", "X: y", false),
        ("204", "Content-Length: 0", false),
        ("204", "Content-Length: 3", true),
        ("204", "Content-Length: x", true),
        ("204", "Transfer-Encoding: chunked", true),
        ("304", "Content-Length: 3", false),
        ("304", "Transfer-Encoding: chunked", true),
        ("200", "Transfer-Encoding: chunked", false),
    ] {
        let head = [&*format!("HTTP/1.1 {status} x"), said];
        assert_eq!(read(&head, |head| head.unwrap().is_doubtful()), is_doubtful, "{status} {said}");
    }
}
