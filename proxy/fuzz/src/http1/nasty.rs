//! Messages that were made to be read in two ways, or to be read at all where they should not be.

use proxy::http1::Fault;

use super::Ended;

/// Octets, and what becomes of the first message in them.
pub type Nasty = (Vec<u8>, Ended);

/// Requests.
pub fn requests() -> Vec<Nasty> {
    let lines = LINES.iter().map(|(line, fault)| (format!("{line}\r\nHost: a\r\n\r\n").into_bytes(), *fault));
    let fields = FIELDS.iter().map(|(field, fault)| {
        let head = [b"POST / HTTP/1.1\r\nHost: a\r\n", *field, b"\r\n\r\n"].concat();
        ([&head, BOTH_WAYS].concat(), *fault)
    });
    let whole = WHOLE.iter().map(|(octets, fault)| (octets.to_vec(), *fault));
    let refused = |(octets, fault): (Vec<u8>, Fault)| (octets, Ended::Refused(fault));
    let mut all: Vec<_> = lines.chain(fields).chain(whole).map(refused).collect();
    all.extend(chunked().into_iter().map(|(body, ended)| ([CHUNKED_HEAD, &body].concat(), ended)));
    all.extend(line_ends());
    all
}

/// Chunked bodies.
pub fn chunked() -> Vec<Nasty> {
    let refused = CHUNKS.iter().map(|(body, fault)| (body.to_vec(), Ended::Refused(*fault)));
    let open = OPEN_CHUNKS.iter().map(|body| (body.to_vec(), Ended::Partial));
    refused.chain(open).collect()
}

/// Answers.
pub fn responses() -> Vec<Nasty> {
    let fields = FIELDS.iter().filter(|(_, fault)| *fault != Fault::UnknownExpectation);
    let fields = fields.map(|(field, fault)| {
        let head = [b"HTTP/1.1 200 OK\r\n", *field, b"\r\n\r\n"].concat();
        ([&head, BOTH_WAYS].concat(), *fault)
    });
    let answers = ANSWERS.iter().map(|(octets, fault)| (octets.to_vec(), *fault));
    fields.chain(answers).map(|(octets, fault)| (octets, Ended::Refused(fault))).collect()
}

const CHUNKED_HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A body to whoever goes by a length of 6, two messages to whoever goes by chunks.
const BOTH_WAYS: &[u8] = b"0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

/// The line ends of a sound request, each spoilt in each way.
fn line_ends() -> Vec<Nasty> {
    let sound = b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\nGET /hidden";
    let ends = (0..sound.len()).filter(|at| sound[*at..].starts_with(b"\r\n"));
    let spoilt = ends.flat_map(|at| {
        let with =
            |end: &[u8], fault| ([&sound[..at], end, &sound[at + 2..]].concat(), Ended::Refused(fault));
        [
            with(b"\n", Fault::BareLineFeed),
            with(b"\n\r\n", Fault::BareLineFeed),
            with(b"\r", Fault::BareCarriageReturn),
            with(b"\r\r\n", Fault::BareCarriageReturn),
            with(b"\0\r\n", Fault::Nul),
        ]
    });
    spoilt.collect()
}

/// First lines.
const LINES: &[(&str, Fault)] = &[
    ("GET /", Fault::BadRequestLine),
    ("GET", Fault::BadRequestLine),
    ("GET  / HTTP/1.1", Fault::BadRequestLine),
    ("GET /  HTTP/1.1", Fault::BadRequestLine),
    ("GET / HTTP/1.1 ", Fault::BadRequestLine),
    ("GET\t/\tHTTP/1.1", Fault::BadRequestLine),
    ("GET /a b HTTP/1.1", Fault::BadRequestLine),
    ("GET / HTTP/1.1 HTTP/1.1", Fault::BadRequestLine),
    ("GE\x0bT / HTTP/1.1", Fault::BadRequestLine),
    ("GET: / HTTP/1.1", Fault::BadRequestLine),
    (" GET / HTTP/1.1", Fault::NotHttp),
    ("\x16\x03\x01\x02", Fault::NotHttp),
    ("GET / HTTP/0.9", Fault::BadVersion),
    ("GET / HTTP/1.2", Fault::BadVersion),
    ("GET / HTTP/1.10", Fault::BadVersion),
    ("GET / HTTP/2.0", Fault::BadVersion),
    ("GET / HTTP/3", Fault::BadVersion),
    ("GET / http/1.1", Fault::BadVersion),
    ("GET / HTTP/1.1\t", Fault::BadVersion),
    ("GET / HTTP/1.1\x0b", Fault::BadVersion),
    ("GET / HTTPS/1.1", Fault::BadVersion),
    ("GET /a#b HTTP/1.1", Fault::BadTarget),
    ("GET /\x0b HTTP/1.1", Fault::BadTarget),
    ("GET /\x7f HTTP/1.1", Fault::BadTarget),
    ("GET /\u{e4} HTTP/1.1", Fault::BadTarget),
    ("GET a HTTP/1.1", Fault::BadTarget),
    ("GET ?a HTTP/1.1", Fault::BadTarget),
    ("GET * HTTP/1.1", Fault::BadTarget),
    ("GET a.b:80 HTTP/1.1", Fault::BadTarget),
    ("GET http:/a HTTP/1.1", Fault::BadTarget),
    ("GET http:///a HTTP/1.1", Fault::BadTarget),
    ("GET http://a@b/ HTTP/1.1", Fault::BadTarget),
    ("GET http://a:@b/ HTTP/1.1", Fault::BadTarget),
    ("GET http://a#@b/ HTTP/1.1", Fault::BadTarget),
    ("GET http://a\\b/ HTTP/1.1", Fault::BadTarget),
    ("GET http://a:b/ HTTP/1.1", Fault::BadTarget),
    ("GET http://[::1/ HTTP/1.1", Fault::BadTarget),
    ("GET file:///etc/passwd HTTP/1.1", Fault::BadTarget),
    ("GET gopher://a/ HTTP/1.1", Fault::BadTarget),
    ("OPTIONS */a HTTP/1.1", Fault::BadTarget),
    ("CONNECT / HTTP/1.1", Fault::BadTarget),
    ("CONNECT a.b HTTP/1.1", Fault::BadTarget),
    ("CONNECT http://a.b:1 HTTP/1.1", Fault::BadTarget),
    ("PRI * HTTP/2.0", Fault::Http2Preface),
    ("PRI * HTTP/1.1", Fault::BadTarget),
];

/// What stands among the fields of a message that would otherwise have no body.
const FIELDS: &[(&[u8], Fault)] = &[
    (b"Content-Length: 6\r\nTransfer-Encoding: chunked", Fault::AmbiguousLength),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 6", Fault::AmbiguousLength),
    (b"Content-Length: 6\r\nTransfer-Encoding: identity", Fault::AmbiguousLength),
    (b"Content-Length: 6\r\nContent-Length: 6", Fault::AmbiguousLength),
    (b"Content-Length: 6\r\nContent-Length: 5", Fault::AmbiguousLength),
    (b"Content-Length: 6\r\ncontent-length: 0", Fault::AmbiguousLength),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Fault::AmbiguousLength),
    (b"Transfer-Encoding: chunked\r\nTransfer-encoding: x", Fault::AmbiguousLength),
    (b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked", Fault::AmbiguousLength),
    (b"Transfer-Encoding: xchunked", Fault::BadCoding),
    (b"Transfer-Encoding: chunkedx", Fault::BadCoding),
    (b"Transfer-Encoding: chunked, chunked", Fault::BadCoding),
    (b"Transfer-Encoding: chunked,", Fault::BadCoding),
    (b"Transfer-Encoding: ,chunked", Fault::BadCoding),
    (b"Transfer-Encoding: gzip, chunked", Fault::UnknownCoding),
    (b"Transfer-Encoding: chunked, gzip", Fault::BadCoding),
    (b"Transfer-Encoding: identity", Fault::BadCoding),
    (b"Transfer-Encoding: identity, chunked", Fault::UnknownCoding),
    (b"Transfer-Encoding: chunked;a=b", Fault::BadCoding),
    (b"Transfer-Encoding: \"chunked\"", Fault::BadCoding),
    (b"Transfer-Encoding: 'chunked'", Fault::BadCoding),
    (b"Transfer-Encoding: chun ked", Fault::BadCoding),
    (b"Transfer-Encoding: \xa0chunked", Fault::BadCoding),
    (b"Transfer-Encoding:", Fault::BadCoding),
    (b"Transfer-Encoding: \x0bchunked", Fault::BadField),
    (b"Transfer-Encoding: chunked\x0b", Fault::BadField),
    (b"Transfer-Encoding: \x0cchunked", Fault::BadField),
    (b"Transfer-Encoding: \x7fchunked", Fault::BadField),
    (b"Transfer-Encoding : chunked", Fault::BadField),
    (b"Transfer-Encoding\t: chunked", Fault::BadField),
    (b"Transfer-Encoding\x0b: chunked", Fault::BadField),
    (b"Transfer-Encoding\xa0: chunked", Fault::BadField),
    (b"Transfer Encoding: chunked", Fault::BadField),
    (b"\x0bTransfer-Encoding: chunked", Fault::BadField),
    (b"\xefTransfer-Encoding: chunked", Fault::BadField),
    (b"Transfer-Encoding", Fault::BadField),
    (b": chunked", Fault::BadField),
    (b"Transfer-Encoding:\r\n chunked", Fault::ObsoleteFolding),
    (b"Transfer-Encoding: chunked\r\n , x", Fault::ObsoleteFolding),
    (b" Transfer-Encoding: chunked", Fault::ObsoleteFolding),
    (b"\tTransfer-Encoding: chunked", Fault::ObsoleteFolding),
    (b"X: y\r\n\tTransfer-Encoding: chunked", Fault::ObsoleteFolding),
    (b"X: y\nTransfer-Encoding: chunked", Fault::BareLineFeed),
    (b"X: y\rTransfer-Encoding: chunked", Fault::BareCarriageReturn),
    (b"X: y\r\r\nTransfer-Encoding: chunked", Fault::BareCarriageReturn),
    (b"X: y\0Transfer-Encoding: chunked", Fault::Nul),
    (b"Transfer-Encoding: chunked\0", Fault::Nul),
    (b"Transfer-Encoding\0: chunked", Fault::Nul),
    (b"Content-Length: +6", Fault::BadLength),
    (b"Content-Length: -6", Fault::BadLength),
    (b"Content-Length: -0", Fault::BadLength),
    (b"Content-Length: 6,6", Fault::BadLength),
    (b"Content-Length: 6, 6", Fault::BadLength),
    (b"Content-Length: 6 6", Fault::BadLength),
    (b"Content-Length: 0 6", Fault::BadLength),
    (b"Content-Length: 0x6", Fault::BadLength),
    (b"Content-Length: 6.0", Fault::BadLength),
    (b"Content-Length: 6e0", Fault::BadLength),
    (b"Content-Length: 6;", Fault::BadLength),
    (b"Content-Length: \"6\"", Fault::BadLength),
    (b"Content-Length: 6_0", Fault::BadLength),
    (b"Content-Length: \xef\xbc\x96", Fault::BadLength),
    (b"Content-Length:", Fault::BadLength),
    (b"Content-Length: 9223372036854775808", Fault::BadLength),
    (b"Content-Length: 18446744073709551615", Fault::BadLength),
    (b"Content-Length: 18446744073709551616", Fault::BadLength),
    (b"Content-Length: 18446744073709551622", Fault::BadLength),
    (b"Content-Length: 99999999999999999999999999999999999999999", Fault::BadLength),
    (b"Content-Length: 6\x0b", Fault::BadField),
    (b"Content-Length : 6", Fault::BadField),
    (b"Content-Length\t: 6", Fault::BadField),
    (b"Content-Length: \r\n 6", Fault::ObsoleteFolding),
    (b"Content-Length: 6\n", Fault::BareLineFeed),
    (b"Expect: 100-continue, x\r\nContent-Length: 6", Fault::UnknownExpectation),
    (b"Expect: 100-continue\r\nExpect: 100-continue", Fault::UnknownExpectation),
    (b"Expect: 200-ok", Fault::UnknownExpectation),
];

/// Requests from their first octet on.
const WHOLE: &[(&[u8], Fault)] = &[
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Fault::CodingInHttp10),
    (
        b"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Fault::CodingInHttp10,
    ),
    (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Fault::ObsoleteFolding),
    (b"GET / HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n", Fault::ObsoleteFolding),
    (b"GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n", Fault::ObsoleteFolding),
    (b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", Fault::BadRequestLine),
    (b"\nGET / HTTP/1.1\r\n\r\n", Fault::BareLineFeed),
    (b"\r\n\nGET / HTTP/1.1\r\n\r\n", Fault::BareLineFeed),
    (b"\r\n GET / HTTP/1.1\r\n\r\n", Fault::NotHttp),
    (b"\0GET / HTTP/1.1\r\n\r\n", Fault::NotHttp),
    (b"\xef\xbb\xbfGET / HTTP/1.1\r\n\r\n", Fault::NotHttp),
    (b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", Fault::BareCarriageReturn),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Fault::Http2Preface),
    (b"\x80\x2e\x01\x00\x02", Fault::NotHttp),
];

/// Chunked bodies.
const CHUNKS: &[(&[u8], Fault)] = &[
    (b"0x5\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"-5\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"+5\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5_0\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b" 5\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5 \r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5\t\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5\x0b\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"\r\n5\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b";\r\n0\r\n\r\n", Fault::BadChunk),
    (b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"10000000000000005\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"00000000000000005\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"8000000000000000\r\nhello", Fault::BadChunk),
    (b"ffffffffffffffff\r\nhello", Fault::BadChunk),
    (b"fffffffffffffffff\r\nhello", Fault::BadChunk),
    (b"5\nhello\r\n0\r\n\r\n", Fault::BareLineFeed),
    (b"5\r\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5\rhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhello\n0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhello\n\n0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhelloX\n0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhello\rX0\r\n\r\n", Fault::BadChunk),
    (b"5\rX5\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhello0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhelloXX0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhello\r0\r\n\r\n", Fault::BadChunk),
    (b"5\r\nhello\r\n\r\n0\r\n\r\n", Fault::BadChunk),
    (b"4\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"6\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;;\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a=\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a b\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a\rX\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a\nhello\r\n0\r\n\r\n", Fault::BareLineFeed),
    (b"5;a=\"\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a=\"b\r\n\"\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a=\"b\\\r\n\"\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a=\"b\n\"\r\nhello\r\n0\r\n\r\n", Fault::BareLineFeed),
    (b"5;a=\"b\0\"\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", Fault::BadChunk),
    (b"0\n\r\n", Fault::BareLineFeed),
    (b"0\r\n\n", Fault::BareLineFeed),
    (b"0\r\n\r\r\n", Fault::BadTrailer),
    (b"0\r\nX\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nX : y\r\n\r\n", Fault::BadTrailer),
    (b"0\r\n X: y\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nX: y\r\n z\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nX: y\n\r\n", Fault::BareLineFeed),
    (b"0\r\nX: y\0\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nX: y\rZ: w\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nContent-Length: 5\r\n\r\n", Fault::BadTrailer),
    (b"0\r\ntransfer-encoding: chunked\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nHost: b\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nAuthorization: x\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nX_Forwarded_For: x\r\n\r\n", Fault::BadTrailer),
    (b"0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Fault::BadTrailer),
];

/// Chunked bodies that lack something.
const OPEN_CHUNKS: &[&[u8]] = &[
    b"",
    b"5",
    b"5\r\nhello",
    b"5\r\nhello\r\n",
    b"5\r\nhello\r\n0",
    b"5\r\nhello\r\n0\r\n",
    b"0\r\nX: y\r\n",
    b"7fffffffffffffff\r\nhello\r\n0\r\n\r\n",
];

/// Answers from their first octet on.
const ANSWERS: &[(&[u8], Fault)] = &[
    (b"HTTP/1.1 99 OK\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1 099 OK\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1 1000 OK\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1  200 OK\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1 200OK\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1 200 O\x0bK\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1\r\n\r\n", Fault::BadStatusLine),
    (b"HTTP/1.1 200 OK\n\r\n", Fault::BareLineFeed),
    (b"HTTP/1.1 200 O\rK\r\n\r\n", Fault::BareCarriageReturn),
    (b"HTTP/1.1 200 O\0K\r\n\r\n", Fault::Nul),
    (b"HTTP/1.2 200 OK\r\n\r\n", Fault::BadVersion),
    (b"HTTP/2 200\r\n\r\n", Fault::BadVersion),
    (b"HTTP/0.9 200 OK\r\n\r\n", Fault::BadVersion),
    (b"http/1.1 200 OK\r\n\r\n", Fault::NotHttp),
    (b"ICY 200 OK\r\n\r\n", Fault::NotHttp),
    (b"\r\nHTTP/1.1 200 OK\r\n\r\n", Fault::NotHttp),
    (b"<html>hello", Fault::NotHttp),
    (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Fault::CodingInHttp10),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX : y\r\n\r\n", Fault::BadField),
    (b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n", Fault::ObsoleteFolding),
];
