use super::*;

const BOUNDS: Bounds = Bounds { bytes: 64, fields: 3 };

/// What a scan says in the end of bytes that come in pieces of `step`.
fn look(mut scan: HeadScan, bytes: &[u8], step: usize) -> Result<Option<Range<usize>>, Fault> {
    let ends = (step..bytes.len()).step_by(step).chain([bytes.len()]);
    for end in ends {
        if let Some(head) = scan.look(&bytes[..end], &BOUNDS)? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

/// The same in pieces of every size.
fn request(bytes: &[u8]) -> Result<Option<Range<usize>>, Fault> {
    let whole = look(HeadScan::request(), bytes, bytes.len().max(1));
    for step in 1..bytes.len() {
        assert_eq!(look(HeadScan::request(), bytes, step), whole, "{} by {step}", bytes.escape_ascii());
    }
    whole
}

fn response(bytes: &[u8]) -> Result<Option<Range<usize>>, Fault> {
    let whole = look(HeadScan::response(), bytes, bytes.len().max(1));
    for step in 1..bytes.len() {
        assert_eq!(look(HeadScan::response(), bytes, step), whole, "{} by {step}", bytes.escape_ascii());
    }
    whole
}

#[test]
fn a_head_ends_with_a_blank_line() {
    assert_eq!(request(b"GET / HTTP/1.1\r\n\r\n"), Ok(Some(0..18)));
    assert_eq!(request(b"GET / HTTP/1.1\r\na: b\r\n\r\nGET / HTTP/1.1\r\n\r\n"), Ok(Some(0..24)));
    assert_eq!(response(b"HTTP/1.1 200 OK\r\n\r\n\r\n"), Ok(Some(0..19)));
    for part in
        ["", "G", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\na: b\r\n\r"]
    {
        assert_eq!(request(part.as_bytes()), Ok(None), "{part:?}");
    }
}

#[test]
fn a_few_blank_lines_may_precede_a_request() {
    assert_eq!(request(b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"), Ok(Some(4..22)));
    assert_eq!(request(b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"), Err(Fault::BadRequestLine));
    assert_eq!(request(b"\r\n\r"), Ok(None));
    assert_eq!(request(b"\n"), Err(Fault::BareLineFeed));
    assert_eq!(request(b"\rG"), Err(Fault::BareCarriageReturn));
    assert_eq!(response(b"\r\nHTTP/1.1 200 OK\r\n\r\n"), Err(Fault::NotHttp));
}

#[test]
fn what_is_no_message_is_refused_at_its_first_byte() {
    for first in [0x16, 0x80, 0, b' ', b'\t', b':', 0xff, b'/'] {
        assert_eq!(request(&[first]), Err(Fault::NotHttp), "{first:#x}");
    }
    assert_eq!(response(b"HTTQ"), Err(Fault::NotHttp));
    assert_eq!(response(b"SSH-2.0"), Err(Fault::NotHttp));
    assert_eq!(response(b"HTTP"), Ok(None));
}

#[test]
fn http2_is_told_from_http1() {
    assert_eq!(request(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Err(Fault::Http2Preface));
    assert_eq!(request(b"PRI * HTTP/2."), Ok(None));
    assert_eq!(request(b"\r\nPRI * HTTP/2.0\r\n"), Err(Fault::BadVersion));
    assert_eq!(request(b"PRI * HTTP/1.1\r\n"), Err(Fault::BadTarget));
}

#[test]
fn a_bare_byte_is_refused_before_the_head_is_whole() {
    assert_eq!(request(b"GET / HTTP/1.1\nA"), Err(Fault::BareLineFeed));
    assert_eq!(request(b"GET / HTTP/1.1\r\na: b\n"), Err(Fault::BareLineFeed));
    assert_eq!(request(b"GET / HTTP/1.1\r\na: b\r\n\n"), Err(Fault::BareLineFeed));
    assert_eq!(request(b"GET / HTTP/1.1\ra"), Err(Fault::BareCarriageReturn));
    assert_eq!(request(b"GET / HTTP/1.1\r\n\r\r"), Err(Fault::BareCarriageReturn));
    assert_eq!(request(b"GET / HTTP/1.1\r\na: \0"), Err(Fault::Nul));
    assert_eq!(request(b"GE\0"), Err(Fault::Nul));
    assert_eq!(response(b"HTTP/1.1 200 OK\r\na: \0"), Err(Fault::Nul));
}

#[test]
fn the_first_line_is_judged_before_the_head_is_whole() {
    assert_eq!(request(b"GET /\r\n"), Err(Fault::BadRequestLine));
    assert_eq!(request(b"GET / HTTP/3.0\r\na: \0"), Err(Fault::BadVersion), "the fault that comes first");
    assert_eq!(response(b"HTTP/2.0 200\r\n"), Err(Fault::BadVersion));
    assert_eq!(response(b"HTTP/1.1 20\r\n"), Err(Fault::BadStatusLine));
}

#[test]
fn bounds_are_kept() {
    let head = |length: usize| format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(length - 23));
    assert_eq!(request(head(64).as_bytes()), Ok(Some(0..64)));
    assert_eq!(request(head(65).as_bytes()), Err(Fault::HeadTooLong));
    assert_eq!(request(format!("\r\n{}", head(62)).as_bytes()), Ok(Some(2..64)));
    assert_eq!(request(format!("\r\n{}", head(63)).as_bytes()), Err(Fault::HeadTooLong), "blank lines count");
    assert_eq!(request(&[b'a'; 64]), Err(Fault::TargetTooLong));
    assert_eq!(request(&[b'a'; 63]), Ok(None));
    let answer = format!("HTTP/1.1 200 {}", "x".repeat(64));
    assert_eq!(response(answer.as_bytes()), Err(Fault::HeadTooLong));
    let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a:b\r\n".repeat(count));
    assert_eq!(request(fields(3).as_bytes()), Ok(Some(0..33)));
    let many = fields(4);
    assert_eq!(request(&many.as_bytes()[..many.len() - 1]), Err(Fault::TooManyFields));
    let at_once = HeadScan::request().look(many.as_bytes(), &BOUNDS);
    assert_eq!(at_once, Ok(Some(0..38)), "whoever reads a whole head counts them");
}

#[test]
fn a_cut_at_the_bound_changes_nothing() {
    // The bound falls between the carriage return and what follows it.
    let line = format!("GET / HTTP/1.1\r\na: {}\r", "b".repeat(64 - 20));
    assert_eq!(line.len(), 64);
    for next in ["", "\n", "x"] {
        assert_eq!(request(format!("{line}{next}").as_bytes()), Err(Fault::HeadTooLong), "{next:?}");
    }
}
