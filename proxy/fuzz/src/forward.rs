//! What a backend gets of what a client sends: `proxy::http::Onward`.

use std::net::{IpAddr, Ipv4Addr};

use proxy::http::{ClientFields, Onward, host};
use proxy::http1::{Body, Bounds, HeadScan, Known, RequestHead, Room, tokens};

use super::http1::{every_line_ends_in_one_way, heard};
use super::reference::{self, End, Framing, Message};

const BOUNDS: Bounds = Bounds { bytes: 32 * 1024, fields: 100 };
const ID: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

/// What an untrusted client is said to be, whatever it says itself.
const CLAIMS: [(&str, &str); 3] = [
    ("x-forwarded-for", "192.0.2.7"),
    ("forwarded", "for=192.0.2.7;proto=https"),
    ("x-forwarded-proto", "https"),
];

/// Fields that stand in every head of ours, whether or not the client's had them, or named them in Connection.
const OURS: [&str; 12] = [
    "host",
    "x-forwarded-for",
    "forwarded",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-request-id",
    "epr-hop",
    "content-length",
    "transfer-encoding",
    "expect",
    "connection",
    "upgrade",
];

/// Asserts that each request that may go on is one request, with one framing, to two readers behind; that it goes to
/// the host it was routed by and says nothing of this hop; and that nothing in it is new but what is ours.
///
/// The first octet says whether the client is trusted.
pub fn check(data: &[u8]) {
    let Some((&first, mut octets)) = data.split_first() else { return };
    let is_trusted = first % 2 == 1;
    let client = ClientFields::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), "https", is_trusted);
    let (mut scan, mut room) = (HeadScan::request(), Room::default());
    while let Ok(Some(found)) = scan.look(octets, &BOUNDS) {
        let (bytes, rest) = (&octets[found.clone()], &octets[found.end..]);
        let Ok(head) = RequestHead::parse(bytes, &mut room, &BOUNDS) else { return };
        let mut body = Body::new(head.framing);
        let Ok(scanned) = body.scan(rest) else { return };
        if !body.is_over() {
            return;
        }
        let (body, rest) = rest.split_at(scanned.taken);
        goes_on(&head, body, &client, is_trusted);
        let persists = head.persists;
        octets = rest;
        if !persists {
            return;
        }
    }
}

fn goes_on(head: &RequestHead<'_>, body: &[u8], client: &ClientFields, is_trusted: bool) {
    let Ok(onward) = Onward::of(head) else { return };
    if host::parse(onward.host, &mut [0; 253]).is_err() {
        return;
    }
    let mut octets = Vec::new();
    let Ok(passed) = onward.write(client, || ID, &mut octets) else { return };
    let id = passed.id.as_bytes().to_vec();
    every_line_ends_in_one_way(&octets);
    octets.extend_from_slice(body);

    let (read, end) = reference::requests(&octets);
    assert_eq!((read.len(), end), (1, End::Clean), "{}", octets.escape_ascii());
    let read = &read[0];
    let heard = heard(&octets);
    assert!(heard.len() < 2, "hyper reads {heard:?}");
    match heard.first() {
        Some(other) => assert_eq!(*other, read.into(), "hyper reads another request"),
        None => assert!(hyper_may_refuse(read), "hyper refuses {}", octets.escape_ascii()),
    }
    assert_eq!(read.first, [head.method.as_bytes(), onward.path.as_bytes(), b"HTTP/1.1"].map(<[u8]>::to_vec));
    assert_eq!(read.body, body, "all of the body is its body");
    assert_eq!(all(read, "host"), [onward.host]);
    assert_eq!((all(read, "x-request-id"), all(read, "epr-hop").len()), (vec![id.as_slice()], 1));
    has_one_framing(head, read);
    says_nothing_of_this_hop(head, read);
    has_nothing_new(head, read);
    if !is_trusted {
        says_who_the_client_is(onward.host, read);
    }
}

/// What browsers say and URIs do not have (RFC 3986 2), and more fields than hyper takes unless told otherwise.
fn hyper_may_refuse(read: &Message) -> bool {
    let uri = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(octet);
    !read.first[1].iter().all(uri) || read.fields.len() > 100
}

fn has_one_framing(head: &RequestHead<'_>, read: &Message) {
    let is_the_same = match head.framing {
        proxy::http1::Framing::Empty => matches!(read.framing, Framing::None | Framing::Length(0)),
        proxy::http1::Framing::Length(length) => read.framing == Framing::Length(length),
        proxy::http1::Framing::Chunked => read.framing == Framing::Chunked,
        // No request ends so.
        proxy::http1::Framing::UntilClose => false,
    };
    assert!(is_the_same, "{:?} became {:?}", head.framing, read.framing);
    let said = all(read, "content-length").len() + all(read, "transfer-encoding").len();
    assert_eq!(said, usize::from(read.framing != Framing::None));
}

fn says_nothing_of_this_hop(head: &RequestHead<'_>, read: &Message) {
    let gone = ["keep-alive", "proxy-connection", "proxy-authorization", "proxy", "te", "http2-settings"];
    for name in gone {
        assert_eq!(all(read, name), [b""; 0], "{name}");
    }
    let upgrades = [("connection", "upgrade"), ("upgrade", "websocket")];
    let asked = upgrades.map(|(name, value)| (all(read, name), value));
    assert!(
        asked.iter().all(|(said, _)| said.is_empty())
            || asked.iter().all(|(said, value)| *said == [value.as_bytes()]),
        "an upgrade is asked for in whole or not at all"
    );
    let asks = |known, token: &[u8]| {
        let said = head.fields().filter(|field| field.known == known).flat_map(|field| tokens(field.value));
        said.into_iter().any(|said| said.eq_ignore_ascii_case(token))
    };
    let client_asks = asks(Known::Connection, b"upgrade") && asks(Known::Upgrade, b"websocket");
    assert!(all(read, "upgrade").is_empty() || client_asks, "nobody has asked for an upgrade");
    let expects: &[&[u8]] = if head.expects_continue { &[b"100-continue"] } else { &[] };
    assert_eq!(all(read, "expect"), expects);
    let connection = head.fields().filter(|field| field.known == Known::Connection);
    for named in connection.flat_map(|field| tokens(field.value)) {
        let named = String::from_utf8_lossy(named).to_lowercase();
        let is_ours = OURS.contains(&named.as_str());
        // Said of the body, whoever names it.
        let stays = is_ours || named == "content-type";
        assert!(stays || all(read, &named).is_empty(), "Connection names {named}");
    }
}

fn has_nothing_new(head: &RequestHead<'_>, read: &Message) {
    let cookies = head.fields().filter(|field| field.known == Known::Cookie);
    let cookies: Vec<_> = cookies.map(|field| field.value).collect();
    let mut left: Vec<_> =
        head.fields().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec())).collect();
    for (name, value) in &read.fields {
        let name = name.to_ascii_lowercase();
        let is_ours = OURS.iter().any(|ours| ours.as_bytes() == name);
        if is_ours {
            continue;
        }
        if cookies.len() > 1 && name == b"cookie" {
            // Blanks at the ends are none of the value.
            assert_eq!(value, cookies.join(&b"; "[..]).trim_ascii(), "one cookie of all");
            continue;
        }
        let at = left.iter().position(|field| *field == (name.clone(), value.clone()));
        assert!(at.is_some(), "{} is new", name.escape_ascii());
        at.map(|at| left.swap_remove(at));
    }
}

/// However the client spells its claims: CGI takes `_` for `-`.
fn says_who_the_client_is(host: &[u8], read: &Message) {
    let mut claims = Vec::new();
    for (name, value) in &read.fields {
        let name = String::from_utf8_lossy(name).to_lowercase().replace('_', "-");
        if name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip", "x-client-ip"].contains(&&*name) {
            claims.push((name, value.as_slice()));
        }
    }
    let ours = CLAIMS.map(|(name, value)| (name.to_owned(), value.as_bytes()));
    let ours: Vec<_> = ours.into_iter().chain([("x-forwarded-host".to_owned(), host)]).collect();
    assert_eq!(claims, ours);
}

fn all<'m>(message: &'m Message, name: &str) -> Vec<&'m [u8]> {
    let of_name = |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(name.as_bytes());
    message.fields.iter().filter(of_name).map(|(_, value)| value.as_slice()).collect()
}

/// Inputs to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let own = [
        "0GET / HTTP/1.1\r\nHost: a.b\r\nConnection: x, keep-alive, host\r\nX: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n\r\n",
        "0POST / HTTP/1.1\r\nHost: a.b\r\nConnection: Content-Length, epr-hop\r\nEpr-Hop: 3\r\nContent-Length: 1\r\n\r\nx",
        "0GET / HTTP/1.1\r\nHost: a.b\r\nConnection: Upgrade, x\r\nUpgrade: h2c, websocket\r\nSec-WebSocket-Key: \
         dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "0GET / HTTP/1.1\r\nHost: a.b\r\nX-Forwarded-For: 1.2.3.4\r\nX_Forwarded-Proto: http\r\nForwarded: for=x\r\n\
         X-Real_IP: 1\r\n\r\n",
        "1GET / HTTP/1.1\r\nHost: a.b\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded:\r\nX-Forwarded-Host: c\r\n\r\n",
        "0GET / HTTP/1.1\r\nHost: a.b\r\nCookie: a=b\r\nCookie: c=d\r\nX-Request-Id: r\r\nX-Request-Id: s\r\n\r\n",
        "0GET / HTTP/1.1\r\nHost: a.b\r\nCookie: a=b\r\nCookie: \r\n\r\n",
        "0PUT http://a.b:80?x HTTP/1.1\r\nHost: a.b\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n\
         1\r\nx\r\n0\r\nt: u\r\n\r\nGET / HTTP/1.1\r\nHost: a.b\r\n\r\n",
    ];
    // A quote in a query, which clients send and hyper refuses.
    let quoted = "0GET /a?\"=c HTTP/1.1\r\nHost: a.b\r\n\r\n";
    let own = own.into_iter().chain([quoted]);
    let of_clients = super::request::seeds().into_iter().map(|seed| [b"0", seed.as_slice()].concat());
    own.map(|seed| seed.as_bytes().to_vec()).chain(of_clients).collect()
}
