//! What a backend sends: `proxy::http1`.
//!
//! An input is an octet that says whether the request was a HEAD, if it is odd, and the answer.

use super::http1;

/// Asserts of answers what [`super::request::check`] does of requests.
pub fn check(data: &[u8]) {
    if let Some((first, octets)) = data.split_first() {
        http1::check_responses(octets, first % 2 == 1);
    }
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let sound = [
        "0HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n",
        "1HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\n",
        "0HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\ngrpc-status: 0\r\n\r\n",
        "0HTTP/1.0 404 Not Found\r\n\r\nuntil the end",
        "0HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 \r\n\r\n",
        "0HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\u{1}",
        "0HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        "0HTTP/1.1 999 \u{e4}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ];
    let nasty = http1::nasty::responses().into_iter().map(|(octets, _)| [b"0", octets.as_slice()].concat());
    sound.map(|seed| seed.as_bytes().to_vec()).into_iter().chain(nasty).collect()
}
