use super::*;

/// What a body says in all, read in two pieces: the payload, and how many bytes the body took.
fn read(bytes: &[u8], split: usize) -> Result<(Vec<u8>, usize), Fault> {
    let mut chunks = Chunks::new();
    let mut payload = Vec::new();
    let mut taken = 0;
    for end in [split, bytes.len()] {
        while taken < end && !chunks.is_over() {
            match chunks.step(&bytes[taken..end])? {
                Step::Data { skip, length } => {
                    assert!(length > 0);
                    payload.extend_from_slice(&bytes[taken + skip..][..length]);
                    taken += skip + length;
                }
                Step::More { taken: more } => {
                    assert_eq!(taken + more, end, "all is taken");
                    taken = end;
                }
                Step::End { taken: last } => taken += last,
            }
        }
    }
    if chunks.is_over() { Ok((payload, taken)) } else { Err(Fault::Truncated) }
}

/// The same at every split.
fn read_all_ways(bytes: &[u8]) -> Result<(Vec<u8>, usize), Fault> {
    let whole = read(bytes, bytes.len());
    for split in 0..bytes.len() {
        assert_eq!(read(bytes, split), whole, "{} at {split}", bytes.escape_ascii());
    }
    whole
}

#[test]
fn payload_is_what_is_in_the_chunks() {
    let body = b"3\r\nabc\r\n00A;x=\"y\\\"\"\r\n0123456789\r\n0 ;last\r\nx-sum: 1\r\n\r\n";
    assert_eq!(read_all_ways(body), Ok((b"abc0123456789".to_vec(), body.len())));
    assert_eq!(read_all_ways(b"0\r\n\r\nGET / HTTP/1.1\r\n"), Ok((Vec::new(), 5)));
}

#[test]
fn every_end_is_cr_lf() {
    for bad in [
        &b"3\r\nabc\n0\r\n\r\n"[..],
        b"3\r\nabc\r0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3\r\nabc \r\n0\r\n\r\n",
        b"3\r\nab\r\n0\r\n\r\n",
        b"3\r\nabc\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(read_all_ways(bad), Err(Fault::BadChunk), "{}", bad.escape_ascii());
    }
    for bare in [&b"3\nabc\r\n0\r\n\r\n"[..], b"3\r\nabc\r\n0\n\r\n", b"0\r\n\n", b"0\r\na: b\n\r\n"] {
        assert_eq!(read_all_ways(bare), Err(Fault::BareLineFeed), "{}", bare.escape_ascii());
    }
}

#[test]
fn a_body_that_breaks_off_is_not_over() {
    let body = b"3\r\nabc\r\n0\r\na: b\r\n\r\n";
    for length in 0..body.len() {
        assert_eq!(read(&body[..length], length), Err(Fault::Truncated), "{length}");
    }
}

#[test]
fn trailers_are_kept() {
    let mut chunks = Chunks::new();
    let body = b"0\r\nGrpc-Status:  0 \r\nx: \xff\r\n\r\n";
    assert_eq!(chunks.step(body), Ok(Step::End { taken: body.len() }));
    let fields: Vec<_> = chunks.trailers().map(|field| (field.name, field.value)).collect();
    assert_eq!(fields, [(&b"Grpc-Status"[..], &b"0"[..]), (b"x", b"\xff")]);
    assert_eq!(chunks.step(b"GET"), Ok(Step::End { taken: 0 }));
}

#[test]
fn extensions_weigh_no_more_than_the_payload_and_a_little() {
    let light = format!("1;{}\r\nx\r\n", "a".repeat(99));
    let heavy = usize::try_from(fixed::CHUNK_EXTENSIONS).unwrap() / 99;
    assert!(read(format!("{}0\r\n\r\n", light.repeat(heavy)).as_bytes(), 0).is_ok());
    assert_eq!(read(format!("{}0\r\n\r\n", light.repeat(heavy + 2)).as_bytes(), 0), Err(Fault::BadChunk));
    let fair = format!("64;{}\r\n{}\r\n", "a".repeat(99), "x".repeat(100));
    assert!(read(format!("{}0\r\n\r\n", fair.repeat(500)).as_bytes(), 0).is_ok());
}
