//! What holds of any fields, whoever sends them.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::http1::{fields_of, tokens};

/// Fields that mean something here, and some that do not.
const NAMES: [&str; 38] = [
    "host",
    "connection",
    "connection",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "content-length",
    "content-type",
    "upgrade",
    "http2-settings",
    "expect",
    "proxy",
    "cookie",
    "cookie",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x_forwarded_for",
    "x-real_ip",
    "x-client-ip",
    "x-request-id",
    "x-request-id",
    "epr-hop",
    "epr-refusal",
    "date",
    "traceparent",
    "set-cookie",
    "accept",
    "x-secret",
    "x",
];

const OF_THIS_HOP: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "http2-settings",
    "expect",
    "proxy",
    "te",
];

const VALUES: [&str; 9] =
    ["chunked", "trailers", "100-continue", "close", "1", "7", "abc-1", "10.9.9.9", "websocket"];

const HOST: &[u8] = b"A.ep-r.io:81";
const ID: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

type Fields = Vec<(String, Vec<u8>)>;

fn name() -> impl Strategy<Value = String> {
    let known = (select(&NAMES[..]), any::<u64>()).prop_map(|(name, upper)| {
        let cased = |(at, c): (usize, char)| {
            if upper >> (at % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c }
        };
        name.chars().enumerate().map(cased).collect()
    });
    prop_oneof![8 => known, 1 => "[-_a-zA-Z0-9!#$%&'*+.^`|~]{1,12}"]
}

/// What a reader of heads lets in: no control character but the tab, no blank at either end.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let any = prop::collection::vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..20);
    let any = any.prop_map(|value| value.trim_ascii().to_vec());
    let listed = prop::collection::vec(name(), 0..4).prop_map(|names| names.join(" ,, ").into_bytes());
    prop_oneof![any, listed, select(&VALUES[..]).prop_map(|value| value.as_bytes().to_vec())]
}

fn fields() -> impl Strategy<Value = Fields> {
    prop::collection::vec((name(), value()), 0..24)
}

fn borrowed(fields: &Fields) -> impl Iterator<Item = Field<'_>> + Clone {
    fields.iter().map(|(name, value)| Field { known: Known::of(name), name: name.as_bytes(), value })
}

/// As a head over HTTP/1 is read by others: lines, each a name and a value.
fn read(head: &[u8]) -> Fields {
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a line ends");
        let colon = rest[..end].iter().position(|byte| *byte == b':').expect("a field has a colon");
        let name = String::from_utf8(rest[..colon].to_ascii_lowercase()).expect("a name is ASCII");
        fields.push((name, rest[colon + 1..end].trim_ascii().to_vec()));
        rest = &rest[end + 2..];
    }
    fields
}

fn of_map(map: &HeaderMap) -> Fields {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), value.as_bytes().trim_ascii().to_vec())
    };
    map.iter().map(field).collect()
}

/// In an order that does not tell how fields of different names stood to each other.
fn sorted(mut fields: Fields) -> Fields {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

fn all<'f>(fields: &'f Fields, name: &str) -> Vec<&'f [u8]> {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value).collect()
}

/// Lower-case names that Connection fields hold.
fn named(fields: &Fields) -> Vec<String> {
    let connection = borrowed(fields).filter(|field| field.known == Known::Connection);
    let tokens = connection.flat_map(|field| tokens(field.value));
    tokens.map(|token| String::from_utf8_lossy(token).to_ascii_lowercase()).collect()
}

fn forward(
    fields: &Fields,
    trusted: bool,
    speaks: BackendProtocol,
    sink: &mut impl Sink,
) -> Result<(), Refusal> {
    let client = ClientFields::new([192, 0, 2, 7].into(), "https", trusted);
    let how = ToBackend { client: &client, host: HOST, speaks };
    to_backend(borrowed(fields), &how, || ID, sink).map(drop)
}

fn speaks() -> impl Strategy<Value = BackendProtocol> {
    select(&[BackendProtocol::Http1, BackendProtocol::H2c][..])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_keeps_nothing_of_this_hop(fields in fields(), trusted: bool, speaks in speaks()) {
        let mut head = Vec::new();
        if forward(&fields, trusted, speaks, &mut head).is_err() {
            prop_assert!(head.is_empty(), "a refused request leaves nothing behind");
            return Ok(());
        }
        let out = read(&head);
        let over_http1 = speaks == BackendProtocol::Http1;
        for name in OF_THIS_HOP.iter().filter(|name| over_http1 || **name != "te") {
            prop_assert_eq!(all(&out, name), [b""; 0], "{}", name);
        }
        prop_assert!(all(&out, "te").iter().all(|te| *te == b"trailers"));
        let ours = ["host", "epr-hop", "x-request-id", "x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host"];
        let kept = [&ours[..], &["te", "content-type"]].concat();
        for name in named(&fields).iter().filter(|name| !kept.contains(&name.as_str())) {
            prop_assert_eq!(all(&out, name), [b""; 0], "Connection names {}", name);
        }
        prop_assert_eq!(all(&out, "host"), if over_http1 { vec![HOST] } else { vec![] });
        for name in ["epr-hop", "x-request-id", "x-forwarded-for", "forwarded"] {
            prop_assert_eq!(all(&out, name).len(), 1, "{}", name);
        }
        if over_http1 {
            prop_assert!(all(&out, "cookie").len() <= 1);
        }
    }

    #[test]
    fn values_hold_nothing_that_ends_a_line(fields in fields(), trusted: bool, speaks in speaks()) {
        let (mut request, mut response) = (Vec::new(), Vec::new());
        let _ = forward(&fields, trusted, speaks, &mut request);
        let _ = to_client(borrowed(&fields), &mut response);
        for (name, value) in read(&request).iter().chain(&read(&response)) {
            prop_assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)), "{}", name);
            prop_assert!(HeaderName::from_bytes(name.as_bytes()).is_ok(), "{}", name);
        }
    }

    /// Whatever an untrusted client says, and however it spells it.
    #[test]
    fn who_the_client_is_we_say(fields in fields(), speaks in speaks()) {
        let mut head = Vec::new();
        if forward(&fields, false, speaks, &mut head).is_err() {
            return Ok(());
        }
        let out = read(&head);
        let claims = out.iter().filter(|(name, _)| {
            let name = name.replace('_', "-");
            name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip", "x-client-ip"].contains(&name.as_str())
        });
        let claims: Vec<_> = claims.map(|(name, value)| (name.as_str(), &**value)).collect();
        let ours = [
            ("x-forwarded-for", &b"192.0.2.7"[..]),
            ("forwarded", b"for=192.0.2.7;proto=https"),
            ("x-forwarded-proto", b"https"),
            ("x-forwarded-host", HOST),
        ];
        prop_assert_eq!(claims, ours);
    }

    /// Whom a trusted peer speaks for comes before it.
    #[test]
    fn a_trusted_peer_is_the_last_of_the_chain(fields in fields(), speaks in speaks()) {
        let mut head = Vec::new();
        if forward(&fields, true, speaks, &mut head).is_err() {
            return Ok(());
        }
        let (out, removed) = (read(&head), named(&fields));
        for (name, ours) in [("x-forwarded-for", &b"192.0.2.7"[..]), ("forwarded", b"for=192.0.2.7;proto=https")] {
            let said = fields.iter().filter(|(known, value)| known.eq_ignore_ascii_case(name) && !value.is_empty());
            let said = said.filter(|_| !removed.iter().any(|removed| removed == name));
            let chain: Vec<_> = said.map(|(_, value)| &**value).chain([ours]).collect();
            prop_assert_eq!(all(&out, name), [chain.join(&b", "[..])]);
        }
    }

    #[test]
    fn all_else_goes_on_untouched(fields in fields(), trusted: bool, speaks in speaks()) {
        let (mut request, mut response) = (Vec::new(), Vec::new());
        let removed = named(&fields);
        let kept = |name: &str| -> Fields {
            let plain = fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            plain.filter(|_| !removed.iter().any(|removed| removed == name)).map(|(_, value)| (name.to_owned(), value.clone())).collect()
        };
        let forwarded = forward(&fields, trusted, speaks, &mut request).is_ok();
        let answered = to_client(borrowed(&fields), &mut response).is_ok();
        for name in ["traceparent", "set-cookie", "accept", "x-secret", "trailer", "date", "x"] {
            for (out, done) in [(read(&request), forwarded), (read(&response), answered)] {
                let out: Fields = out.into_iter().filter(|(known, _)| known == name).collect();
                prop_assert!(!done || out == kept(name), "{}: {:?} of {:?}", name, out, kept(name));
            }
        }
    }

    #[test]
    fn an_answer_keeps_nothing_of_the_backends_hop(fields in fields()) {
        let mut head = Vec::new();
        let told = to_client(borrowed(&fields), &mut head);
        if told.is_err() {
            return Ok(());
        }
        let out = read(&head);
        for name in OF_THIS_HOP.iter().chain(&["epr-refusal"]) {
            prop_assert_eq!(all(&out, name), [b""; 0], "{}", name);
        }
        let kept = ["host", "epr-hop", "content-type"];
        for name in named(&fields).iter().filter(|name| !kept.contains(&name.as_str())) {
            prop_assert_eq!(all(&out, name), [b""; 0], "Connection names {}", name);
        }
        prop_assert_eq!(told, Ok(Told { has_date: !all(&out, "date").is_empty() }));
    }

    /// The same is sent on whether fields come from a head or a map, and go into one or the other.
    #[test]
    fn heads_and_maps_agree(fields in fields(), trusted: bool, speaks in speaks()) {
        let mut map = HeaderMap::new();
        borrowed(&fields).for_each(|field| map.put(field.name, field.value));
        let client = ClientFields::new([192, 0, 2, 7].into(), "https", trusted);
        let how = ToBackend { client: &client, host: HOST, speaks };
        let (mut head, mut of_head) = (Vec::new(), HeaderMap::new());
        let (mut to_head, mut of_both) = (Vec::new(), HeaderMap::new());
        let outcomes = [
            to_backend(borrowed(&fields), &how, || ID, &mut head).map(drop),
            to_backend(borrowed(&fields), &how, || ID, &mut of_head).map(drop),
            to_backend(fields_of(&map), &how, || ID, &mut to_head).map(drop),
            to_backend(fields_of(&map), &how, || ID, &mut of_both).map(drop),
        ];
        prop_assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{:?}", outcomes);
        let head = sorted(read(&head));
        prop_assert_eq!(&head, &sorted(of_map(&of_head)));
        prop_assert_eq!(&head, &sorted(read(&to_head)));
        prop_assert_eq!(&head, &sorted(of_map(&of_both)));

        let (mut head, mut of_both) = (Vec::new(), HeaderMap::new());
        let outcomes =
            (to_client(borrowed(&fields), &mut head), to_client(fields_of(&map), &mut of_both));
        prop_assert_eq!(outcomes.0, outcomes.1);
        prop_assert_eq!(sorted(read(&head)), sorted(of_map(&of_both)));
    }
}
