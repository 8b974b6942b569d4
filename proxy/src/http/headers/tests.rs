use super::*;

fn fields(list: &[(&'static str, &'static str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    list.iter().map(field).collect()
}

fn client(trusted: bool) -> ClientFields {
    ClientFields::new("192.0.2.7".parse().unwrap(), "https", trusted)
}

fn forwarded(
    list: &[(&'static str, &'static str)],
    trusted: bool,
    speaks: BackendProtocol,
) -> Result<HeaderMap, Refusal> {
    let mut headers = fields(list);
    let host = HeaderValue::from_static("a.ep-r.io");
    to_backend(&mut headers, &client(trusted), &host, speaks, || HeaderValue::from_static("made"))?;
    Ok(headers)
}

#[test]
fn fields_of_this_hop_stay_here() {
    let headers = forwarded(
        &[
            ("connection", "Keep-Alive, X-Secret , , x-forwarded-for"),
            ("connection", "close, host, content-length"),
            ("keep-alive", "5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "x"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAAP__"),
            ("expect", "100-continue"),
            ("proxy", "http://evil"),
            ("x-secret", "1"),
            ("content-length", "3"),
            ("trailer", "x-sum"),
            ("accept", "*/*"),
        ],
        false,
        BackendProtocol::Http1,
    )
    .unwrap();
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let ours =
        ["epr-hop", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"];
    let mut expected = [&ours[..], &["accept", "content-length", "trailer"]].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn claims_of_untrusted_peers_are_replaced_and_of_trusted_ones_continued() {
    let claims = [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "1"),
        ("x-real-ip", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
    ];
    let untrusted = forwarded(&claims, false, BackendProtocol::Http1).unwrap();
    assert_eq!(untrusted.get_all("x-forwarded-for").iter().count(), 1);
    assert_eq!(untrusted["x-forwarded-for"], "192.0.2.7");
    assert_eq!(untrusted["forwarded"], "for=192.0.2.7;proto=https");
    assert_eq!(
        (&untrusted["x-forwarded-proto"], untrusted.get("x-real-ip")),
        (&"https".parse().unwrap(), None)
    );
    assert_eq!(untrusted.get("x-forwarded-port"), None);
    let trusted = forwarded(&claims, true, BackendProtocol::Http1).unwrap();
    assert_eq!(trusted["x-forwarded-for"], "10.0.0.1, 10.0.0.2, 192.0.2.7");
    assert_eq!(trusted["forwarded"], "for=10.0.0.1, for=192.0.2.7;proto=https");
    assert_eq!(
        (&trusted["x-forwarded-proto"], &trusted["x-forwarded-host"]),
        (&"http".parse().unwrap(), &"a.ep-r.io".parse().unwrap())
    );
}

#[test]
fn an_ipv6_peer_is_quoted_in_forwarded() {
    let fields = ClientFields::new("2001:db8::1".parse().unwrap(), "http", false);
    assert_eq!(fields.forwarded, "for=\"[2001:db8::1]\";proto=http");
    assert_eq!(fields.address, "2001:db8::1");
}

#[test]
fn request_ids_are_kept_when_sane() {
    let id = |value| {
        forwarded(&[("x-request-id", value)], false, BackendProtocol::Http1).unwrap()["x-request-id"].clone()
    };
    assert_eq!(id("abc-123"), "abc-123");
    assert_eq!((id("a b"), id("")), (HeaderValue::from_static("made"), HeaderValue::from_static("made")));
}

#[test]
fn the_hop_count_ends_a_loop() {
    let mut value = "junk";
    for expected in HOPS {
        let headers = forwarded(&[("epr-hop", value)], false, BackendProtocol::Http1).unwrap();
        assert_eq!(headers["epr-hop"], expected);
        value = expected;
    }
    assert_eq!(forwarded(&[("epr-hop", value)], false, BackendProtocol::Http1).unwrap_err(), Refusal::Loop);
    let removed = forwarded(&[("epr-hop", "8"), ("connection", "epr-hop")], false, BackendProtocol::Http1);
    assert_eq!(removed.unwrap_err(), Refusal::Loop);
}

#[test]
fn cookies_and_te_fit_the_backends_protocol() {
    let list = [("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3"), ("te", "gzip, Trailers")];
    let h1 = forwarded(&list, false, BackendProtocol::Http1).unwrap();
    assert_eq!(
        (h1.get_all("cookie").iter().count(), &h1["cookie"]),
        (1, &HeaderValue::from_static("a=1; b=2; c=3"))
    );
    assert_eq!(h1.get("te"), None);
    let h2 = forwarded(&list, false, BackendProtocol::H2c).unwrap();
    assert_eq!((h2.get_all("cookie").iter().count(), &h2["te"]), (3, &HeaderValue::from_static("trailers")));
}

#[test]
fn responses_lose_what_is_ours_to_say() {
    let mut headers = fields(&[
        ("connection", "x-inner"),
        ("x-inner", "1"),
        ("epr-refusal", "fake"),
        ("etag", "1"),
        ("upgrade", "h2c"),
    ]);
    assert_eq!(to_client(&mut headers), Ok(()));
    assert_eq!(headers, fields(&[("etag", "1")]));
}

#[test]
fn a_body_comes_in_chunks_or_has_a_length_and_is_not_coded_otherwise() {
    let mut both = fields(&[("content-length", "5"), ("transfer-encoding", "Chunked")]);
    assert_eq!((to_client(&mut both), both), (Ok(()), fields(&[])));
    for coding in ["gzip", "gzip, chunked", "chunked, chunked"] {
        let coded = [("transfer-encoding", coding)];
        assert_eq!(to_client(&mut fields(&coded)), Err(Refusal::BackendGarbage), "{coding}");
        let request = forwarded(&coded, false, BackendProtocol::Http1);
        assert_eq!(request, Err(Refusal::BadRequest), "{coding}");
    }
}

#[test]
fn a_length_is_said_once() {
    let twice = [("content-length", "5"), ("content-length", "5")];
    let headers = forwarded(&twice, false, BackendProtocol::Http1).unwrap();
    assert_eq!(headers.get_all("content-length").iter().collect::<Vec<_>>(), ["5"]);
}

#[test]
fn claims_are_removed_however_they_are_spelt() {
    let spelt = ["x_forwarded_for", "x-forwarded_proto", "x_real_ip", "x-client-ip", "x-forwarded-any"];
    let claims = spelt.map(|name| (name, "192.0.2.9"));
    let honest = [("x-realm", "kept"), ("x-real-ipa", "kept")];
    let headers = forwarded(&[&claims[..], &honest[..]].concat(), false, BackendProtocol::Http1).unwrap();
    assert!(headers.values().all(|value| value != "192.0.2.9"), "{headers:?}");
    assert_eq!(
        (&headers["x-realm"], &headers["x-real-ipa"]),
        (&"kept".parse().unwrap(), &"kept".parse().unwrap())
    );
}
