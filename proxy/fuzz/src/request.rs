//! What a client sends: `proxy::http1`, on the way in and on to the backend.

use super::http1;

/// Asserts that the requests found are those of a strict reader of the RFC, however the octets come; that
/// hyper reads none of them otherwise; and that each, written anew, has one framing.
pub fn check(data: &[u8]) {
    http1::check_requests(data);
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let sound = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a?b=c HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\nx",
        "\r\nGET / HTTP/1.1\r\nhost:a\r\nX-Empty:\r\nx:\t\"b\" \r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\" ; c\r\nhello\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "GET http://a.b:80/c?d HTTP/1.1\r\nHost: a\r\n\r\nGET HTTPS://[::1] HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS http://a?b HTTP/1.1\r\n\r\n",
        "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n",
        "GET /|^{}\"<>\\` HTTP/1.1\r\nX: \u{e4}\r\n\r\n",
    ];
    let nasty = http1::nasty::requests().into_iter().map(|(octets, _)| octets);
    sound.map(|seed| seed.as_bytes().to_vec()).into_iter().chain(nasty).collect()
}
