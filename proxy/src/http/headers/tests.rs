use super::*;
use crate::http1::fields_of;

type Pair = (&'static str, &'static str);

fn client(trusted: bool) -> ClientFields {
    ClientFields::new("192.0.2.7".parse().unwrap(), "https", trusted)
}

fn fields(list: &[Pair]) -> impl Iterator<Item = Field<'static>> + Clone {
    list.iter().map(|(name, value)| Field {
        known: Known::of(name),
        name: name.as_bytes(),
        value: value.as_bytes(),
    })
}

/// Names in lower case and values, in order.
fn read(head: &[u8]) -> Vec<(String, String)> {
    let lines = std::str::from_utf8(head).unwrap().split_terminator("\r\n");
    let field = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    lines.map(field).collect()
}

struct Forwarded(Vec<(String, String)>);

impl Forwarded {
    fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

fn forwarded(list: &[Pair], trusted: bool, speaks: BackendProtocol) -> Result<Forwarded, Refusal> {
    let client = client(trusted);
    let how = ToBackend { client: &client, host: b"a.ep-r.io", speaks };
    let mut head = Vec::new();
    to_backend(fields(list), &how, || [b'm'; 32], &mut head)?;
    Ok(Forwarded(read(&head)))
}

fn to_http1(list: &[Pair]) -> Forwarded {
    forwarded(list, false, BackendProtocol::Http1).unwrap()
}

const OURS: [&str; 7] = [
    "host",
    "epr-hop",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

#[test]
fn fields_of_this_hop_stay_here() {
    let head = to_http1(&[
        ("Host", "other"),
        ("Connection", "Keep-Alive, X-Secret , , x-forwarded-for"),
        ("connection", "close, host, content-type, epr-hop, \u{fc}"),
        ("Keep-Alive", "5"),
        ("proxy-connection", "keep-alive"),
        ("Proxy-Authorization", "x"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("expect", "100-continue"),
        ("proxy", "http://evil"),
        ("x-SECRET", "1"),
        ("content-type", "a/b"),
        ("trailer", "x-sum"),
        ("traceparent", "00-1-2-01"),
        ("tracestate", "a=b"),
        ("Accept", "*/*"),
    ]);
    let mut expected =
        [&OURS[..], &["accept", "content-type", "traceparent", "tracestate", "trailer"]].concat();
    expected.sort_unstable();
    assert_eq!(head.names(), expected);
    assert_eq!(head.0[0], ("host".into(), "a.ep-r.io".into()), "Host is the first");
}

#[test]
fn framing_is_left_to_whoever_sends_the_body() {
    for speaks in [BackendProtocol::Http1, BackendProtocol::H2c] {
        for framing in [("Content-Length", "3"), ("transfer-encoding", "chunked")] {
            let head = forwarded(&[framing], false, speaks).unwrap();
            assert!(head.names().iter().all(|name| OURS.contains(name)), "{:?}", head.0);
        }
    }
    assert_eq!(length(fields(&[("content-length", "5"), ("content-length", "5")])), Ok(Some(5)));
    assert_eq!(length(fields(&[("content-length", "5"), ("transfer-encoding", "chunked")])), Ok(None));
}

#[test]
fn claims_of_untrusted_peers_are_replaced_and_of_trusted_ones_continued() {
    let claims = [
        ("X-Forwarded-For", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-proto", "http"),
        ("X-Forwarded-Port", "1"),
        ("x-real-ip", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
    ];
    let untrusted = to_http1(&claims);
    let mut ours = OURS;
    ours.sort_unstable();
    assert_eq!(untrusted.names(), ours);
    assert_eq!(untrusted.all("x-forwarded-for"), ["192.0.2.7"]);
    assert_eq!(untrusted.all("forwarded"), ["for=192.0.2.7;proto=https"]);
    assert_eq!(untrusted.all("x-forwarded-proto"), ["https"]);
    let trusted = forwarded(&claims, true, BackendProtocol::Http1).unwrap();
    assert_eq!(trusted.all("x-forwarded-for"), ["10.0.0.1, 10.0.0.2, 192.0.2.7"]);
    assert_eq!(trusted.all("forwarded"), ["for=10.0.0.1, for=192.0.2.7;proto=https"]);
    assert_eq!(
        (trusted.all("x-forwarded-proto"), trusted.all("x-forwarded-host")),
        (vec!["http"], vec!["a.ep-r.io"])
    );
    assert_eq!((trusted.all("x-forwarded-port"), trusted.all("x-real-ip")), (vec!["1"], vec!["10.0.0.1"]));
}

#[test]
fn a_trusted_peer_that_says_nothing_is_the_client() {
    let list = [("x-forwarded-for", ""), ("x-forwarded-proto", "http"), ("connection", "x-forwarded-proto")];
    let head = forwarded(&list, true, BackendProtocol::H2c).unwrap();
    assert_eq!(head.all("x-forwarded-for"), ["192.0.2.7"]);
    assert_eq!(
        (head.all("x-forwarded-proto"), head.all("x-forwarded-host")),
        (vec!["https"], vec!["a.ep-r.io"])
    );
}

#[test]
fn request_ids_are_kept_when_sane() {
    let made = [b'm'; 32].map(char::from).iter().collect::<String>();
    let long = "x".repeat(129).leak() as &'static str;
    for (list, id) in [
        (&[("X-Request-Id", "abc-123")][..], "abc-123"),
        (&[("x-request-id", "abc"), ("x-request-id", "def")], "abc"),
        (&[("x-request-id", "a b")], &made),
        (&[("x-request-id", "")], &made),
        (&[("x-request-id", long)], &made),
        (&[("x-request-id", "abc"), ("connection", "X-Request-ID")], &made),
        (&[], &made),
    ] {
        assert_eq!(to_http1(list).all("x-request-id"), [id], "{list:?}");
    }
}

#[test]
fn the_caller_learns_the_id_and_whether_the_client_waits_to_send() {
    let client = client(false);
    let how = ToBackend { client: &client, host: b"a", speaks: BackendProtocol::Http1 };
    let of = |list| to_backend(fields(list), &how, || [b'm'; 32], &mut Vec::new()).unwrap();
    let passed = of(&[("x-request-id", "abc"), ("expect", "100-Continue")]);
    assert_eq!(passed.id.as_bytes(), &b"abc"[..]);
    let passed = of(&[("expect", "200-ok")]);
    assert_eq!(passed.id.as_bytes(), &[b'm'; 32][..]);
    assert_eq!(passed.id.as_bytes(), "m".repeat(32).as_bytes());
}

#[test]
fn the_hop_count_ends_a_loop() {
    let mut value = "junk";
    for expected in HOPS {
        assert_eq!(to_http1(&[("Epr-Hop", value)]).all("epr-hop"), [expected]);
        value = expected;
    }
    let again = |list: &[Pair]| forwarded(list, false, BackendProtocol::Http1).err();
    assert_eq!(again(&[("epr-hop", value)]), Some(Refusal::Loop));
    assert_eq!(again(&[("epr-hop", "8"), ("connection", "epr-hop")]), Some(Refusal::Loop));
}

#[test]
fn cookies_and_te_fit_the_backends_protocol() {
    let list = [("cookie", "a=1"), ("Cookie", "b=2"), ("cookie", "c=3"), ("te", "gzip, Trailers")];
    let h1 = to_http1(&list);
    assert_eq!((h1.all("cookie"), h1.all("te")), (vec!["a=1; b=2; c=3"], vec![]));
    let h2 = forwarded(&list, false, BackendProtocol::H2c).unwrap();
    assert_eq!((h2.all("cookie"), h2.all("te")), (vec!["a=1", "b=2", "c=3"], vec!["trailers"]));
    assert_eq!(h2.all("host"), [""; 0], "HTTP/2 has :authority");
    let removed = [&list[..], &[("connection", "cookie")]].concat();
    assert_eq!(to_http1(&removed).all("cookie"), [""; 0]);
}

#[test]
fn responses_lose_what_is_ours_to_say() {
    let list = [
        ("Connection", "X-Inner"),
        ("x-inner", "1"),
        ("Epr-Refusal", "fake"),
        ("ETag", "1"),
        ("upgrade", "h2c"),
        ("content-length", "3"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ];
    let mut head = Vec::new();
    assert_eq!(to_client(fields(&list), &mut head), Ok(Told { has_date: false }));
    let expected = [("etag", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")];
    assert_eq!(read(&head), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let dated = to_client(fields(&[("Date", "Mon, 23 Nov 2026 00:00:00 GMT")]), &mut head);
    assert_eq!(dated, Ok(Told { has_date: true }));
}

#[test]
fn a_body_comes_in_chunks_or_has_a_length_and_is_not_coded_otherwise() {
    let both = [("content-length", "5"), ("transfer-encoding", "Chunked")];
    let mut head = Vec::new();
    assert_eq!((to_client(fields(&both), &mut head).is_ok(), head.len()), (true, 0));
    for codings in [&["gzip"][..], &["gzip, chunked"], &["chunked, chunked"], &["chunked", "chunked"]] {
        let coded: Vec<Pair> = codings.iter().map(|coding| ("transfer-encoding", *coding)).collect();
        assert_eq!(to_client(fields(&coded), &mut head), Err(Refusal::BackendGarbage), "{codings:?}");
        let request = forwarded(&coded, false, BackendProtocol::Http1).err();
        assert_eq!(request, Some(Refusal::BadRequest), "{codings:?}");
    }
    assert!(head.is_empty());
}

#[test]
fn claims_are_removed_however_they_are_spelt() {
    let spelt =
        ["x_forwarded_for", "X-Forwarded_Proto", "X_REAL_IP", "x-client-ip", "x-forwarded-any", "Forwarded"];
    let claims = spelt.map(|name| (name, "192.0.2.9"));
    let honest = [("x-realm", "kept"), ("X-Real-IPa", "kept"), ("x-forwarded", "kept"), ("x", "kept")];
    let head = to_http1(&[&claims[..], &honest[..]].concat());
    assert!(head.0.iter().all(|(_, value)| value != "192.0.2.9"), "{:?}", head.0);
    for (name, value) in honest {
        assert_eq!(head.all(&name.to_ascii_lowercase()), [value]);
    }
}

#[test]
fn a_map_takes_the_same_fields_as_a_head() {
    let list = [("Cookie", "a=1"), ("cookie", "b=2"), ("Accept", "*/*"), ("set-cookie", "\u{fc}")];
    let client = client(false);
    let how = ToBackend { client: &client, host: b"a.ep-r.io", speaks: BackendProtocol::Http1 };
    let mut map = http::HeaderMap::new();
    to_backend(fields(&list), &how, || [b'm'; 32], &mut map).unwrap();
    assert_eq!((map.len(), &map["cookie"]), (OURS.len() + 3, &http::HeaderValue::from_static("a=1; b=2")));
    let mut again = Vec::new();
    to_client(fields_of(&map), &mut again).unwrap();
    assert_eq!(read(&again).len(), map.len());
}
