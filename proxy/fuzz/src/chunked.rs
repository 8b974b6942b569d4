//! Chunked bodies: `proxy::http1::Chunks` and `proxy::http1::Body`.

use super::http1;

/// Asserts that the body found is that of a strict reader of the RFC, however the octets come.
pub fn check(data: &[u8]) {
    http1::check_chunked(data);
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let sound = [
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "000A\r\n0123456789\r\n5\r\nhello\r\n00\r\nx: y\r\nGrpc-Status:0 \r\n\r\n",
        "ffffffffffffffff",
        "5 ; a ; b = c;d=\"e;f=\\\"\\\\\u{e4}\t\"\r\nhello\r\n0;a\r\n\r\n",
    ];
    let nasty = http1::nasty::chunked().into_iter().map(|(octets, _)| octets);
    sound.map(|seed| seed.as_bytes().to_vec()).into_iter().chain(nasty).collect()
}
