//! What is not served, seen from outside: each row of the matrix of answers, over real sockets.

use std::time::Duration;

use loadtest::backend::{HttpBackend, SecureBackend};
use loadtest::hello::{alert, client_hello, exchange, in_records};
use loadtest::manifest::{App, Speaks, static_route, static_route_for};
use loadtest::tools::finish_with;
use loadtest::{Epr, Outcome, Page, Stage, play};

const LIMIT: Duration = Duration::from_secs(60);
const INTERNAL_ERROR: u8 = 80;
const MISSING_EXTENSION: u8 = 109;
const UNRECOGNIZED_NAME: u8 = 112;

struct Edge {
    epr: Epr,
    web: HttpBackend,
    tcp: SecureBackend,
}

/// One of everything that is served, and of everything that is not.
async fn edge(stage: &Stage) -> Outcome<Edge> {
    let web = HttpBackend::start(stage, "web").await?;
    let tcp = SecureBackend::start(stage, "some-tcp.ep-r.io").await?;
    let epr = Epr::up(stage).await?;
    let some = App::new("some")
        .endpoint("WEB", Speaks::Http, &[web.addr()])
        .bound("some-web")
        .endpoint("SAFE", Speaks::Https, &[web.addr()])
        .bound("some-safe")
        .endpoint("TCP", Speaks::SecureTcp, &[tcp.addr()])
        .bound("some-tcp");
    let away = App::new("away")
        .endpoint("WEB", Speaks::Http, &[])
        .bound("away-web")
        .endpoint("SAFE", Speaks::Https, &[])
        .bound("away-safe")
        .endpoint("TCP", Speaks::SecureTcp, &[])
        .bound("away-tcp");
    let few = App::new("few")
        .endpoint("WEB", Speaks::Http, &[web.addr()])
        .bound("few-web")
        .endpoint("SAFE", Speaks::Https, &[web.addr()])
        .bound("few-safe")
        .endpoint("TCP", Speaks::SecureTcp, &[tcp.addr()])
        .bound("few-tcp");
    let gone = App::new("gone")
        .endpoint("SAFE", Speaks::Https, &[web.addr()])
        .bound("gone-safe")
        .endpoint("TCP", Speaks::SecureTcp, &[tcp.addr()])
        .bound("gone-tcp");
    let sources = |name| static_route_for(name, &["127.0.0.2/32", "fd00::/8"]);
    let parts = [
        some.manifest_with_routes(),
        away.manifest_with_routes(),
        sources("few-web"),
        sources("few-safe"),
        sources("few-tcp"),
        few.manifest(),
        gone.manifest_with_routes(),
        static_route("never-bound"),
    ];
    epr.apply(stage, &parts.join("---\n")).await?;
    epr.ok(&["delete", "deployment", "gone"]).await?;
    epr.settled(1).await?;
    Ok(Edge { epr, web, tcp })
}

impl Edge {
    async fn plain(&self, host: &str) -> Outcome<Page> {
        self.epr.curl(&format!("http://{host}/a?b"))?.get().await
    }

    async fn https(&self, host: &str) -> Outcome<Page> {
        self.epr.curl(&format!("https://{host}/a?b"))?.args(&["--http2"]).get().await
    }

    /// A request for `host` on a connection that was opened for `some-safe`.
    async fn shared(&self, host: &str, version: &str) -> Outcome<Page> {
        let field = format!("Host: {host}");
        self.epr.curl("https://some-safe.ep-r.io/a?b")?.args(&[version, "-H", &field]).get().await
    }

    /// The alert that meets a hello for `name`.
    async fn hello(&self, name: Option<&str>) -> Outcome<Option<u8>> {
        Ok(alert(&exchange(self.epr.https()?, &client_hello(name)).await?))
    }

    /// The first line that meets these bytes on the plain port.
    async fn raw(&self, bytes: &[u8]) -> Outcome<String> {
        let answer = exchange(self.epr.http()?, bytes).await?;
        Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
    }
}

#[track_caller]
fn assert_refused(page: &Page, status: u16, label: &str) {
    assert_eq!((page.status, page.refusal()), (status, label), "{page:?}");
    assert_eq!(page.backend(), "", "{page:?}");
}

#[test]
fn names_on_the_plain_port() -> Outcome {
    play(LIMIT, async |stage| {
        let edge = edge(stage).await?;
        let page = edge.plain("some-safe.ep-r.io").await?;
        assert_refused(&page, 308, "redirect_to_https");
        let port = edge.epr.https()?.port();
        assert_eq!(page.field("location"), format!("https://some-safe.ep-r.io:{port}/a?b"));
        assert_refused(&edge.plain("some-tcp.ep-r.io").await?, 404, "secure_tcp_on_plain");
        assert_refused(&edge.plain("nobody-here.ep-r.io").await?, 404, "no_route");
        assert_refused(&edge.plain("www.example.org").await?, 404, "no_route");
        let page = edge.plain("never-bound.ep-r.io").await?;
        assert_refused(&page, 503, "unbound");
        assert!(page.field("retry-after").parse::<u32>().is_ok(), "{page:?}");
        let page = edge.plain("away-web.ep-r.io").await?;
        assert_refused(&page, 503, "no_backend");
        assert_refused(&edge.plain("few-web.ep-r.io").await?, 403, "source_not_allowed");
        let from = ["--interface", "127.0.0.2"];
        let page = edge.epr.curl("http://few-web.ep-r.io/")?.args(&from).get().await?;
        assert_eq!((page.status, page.backend()), (200, "web"));
        Ok(())
    })
}

#[test]
fn names_on_the_tls_port() -> Outcome {
    play(LIMIT, async |stage| {
        let edge = edge(stage).await?;
        assert_refused(&edge.https("never-bound.ep-r.io").await?, 503, "unbound");
        assert_refused(&edge.https("gone-safe.ep-r.io").await?, 503, "unbound");
        assert_refused(&edge.https("away-safe.ep-r.io").await?, 503, "no_backend");
        assert_refused(&edge.https("few-safe.ep-r.io").await?, 403, "source_not_allowed");
        let from = ["--interface", "127.0.0.2"];
        let page = edge.epr.curl("https://few-safe.ep-r.io/")?.args(&from).get().await?;
        assert_eq!((page.status, page.backend()), (200, "web"));

        for (name, expected) in [
            (Some("some-web.ep-r.io"), UNRECOGNIZED_NAME),
            (Some("nobody-here.ep-r.io"), UNRECOGNIZED_NAME),
            (Some("www.example.org"), UNRECOGNIZED_NAME),
            (Some("gone-tcp.ep-r.io"), INTERNAL_ERROR),
            (Some("away-tcp.ep-r.io"), INTERNAL_ERROR),
            (None, MISSING_EXTENSION),
        ] {
            assert_eq!(edge.hello(name).await?, Some(expected), "{name:?}");
        }
        // Whoever may not come in meets a closed door before any backend is asked.
        assert_eq!(exchange(edge.epr.https()?, &client_hello(Some("few-tcp.ep-r.io"))).await?, b"");
        assert_eq!(edge.tcp.accepted(), 0);
        // Real clients understand the alerts.
        let finished = finish_with(edge.epr.openssl("nobody-here.ep-r.io")?, b"").await?;
        assert!(format!("{finished:?}").contains("unrecognized name"), "{finished:?}");
        Ok(())
    })
}

#[test]
fn other_names_on_a_shared_connection() -> Outcome {
    play(LIMIT, async |stage| {
        let edge = edge(stage).await?;
        for version in ["--http1.1", "--http2"] {
            for (host, status, label) in [
                ("some-web.ep-r.io", 421, "http_on_tls"),
                ("some-tcp.ep-r.io", 421, "secure_tcp_on_tls"),
                ("www.example.org", 421, "not_covered"),
                ("nobody-here.ep-r.io", 404, "no_route"),
                ("never-bound.ep-r.io", 503, "unbound"),
                ("few-safe.ep-r.io", 403, "source_not_allowed"),
            ] {
                let page = edge.shared(host, version).await?;
                assert_eq!((page.status, page.refusal()), (status, label), "{version} {host} {page:?}");
            }
            // A name under the same certificate is served whatever the SNI was, in any case and form.
            for host in
                ["some-safe.ep-r.io", "SOME-safe.EP-R.io", "some-safe.ep-r.io.", "some-safe.ep-r.io:443"]
            {
                let page = edge.shared(host, version).await?;
                assert_eq!((page.status, page.backend()), (200, "web"), "{version} {host} {page:?}");
            }
        }
        assert_eq!(edge.web.requests(), 8);
        Ok(())
    })
}

#[test]
fn what_is_not_tls_and_hellos_in_pieces() -> Outcome {
    play(LIMIT, async |stage| {
        let edge = edge(stage).await?;
        let answer =
            exchange(edge.epr.https()?, b"GET / HTTP/1.1\r\nHost: some-safe.ep-r.io\r\n\r\n").await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
        assert!(answer.contains("not_tls"), "{answer:?}");
        // Garbage is closed upon, with or without words.
        exchange(edge.epr.https()?, &[0; 64]).await?;

        let hello = client_hello(Some("nobody-here.ep-r.io"));
        for size in [1, 3, 40] {
            let answer = exchange(edge.epr.https()?, &in_records(&hello, size)).await?;
            assert_eq!(alert(&answer), Some(UNRECOGNIZED_NAME), "records of {size}");
        }
        Ok(())
    })
}

#[test]
fn requests_that_must_not_be_forwarded() -> Outcome {
    play(LIMIT, async |stage| {
        let edge = edge(stage).await?;
        let own = "Host: some-web.ep-r.io\r\n";
        for (request, status) in [
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
            (format!("GET / HTTP/1.1\r\n{own}{own}\r\n"), "400"),
            (format!("GET / HTTP/1.1\r\n{own}Host: other.ep-r.io\r\n\r\n"), "400"),
            ("GET / HTTP/1.1\r\nHost: me@some-web.ep-r.io\r\n\r\n".to_owned(), "400"),
            ("GET / HTTP/1.1\r\nHost: some-web.ep-r.io:port\r\n\r\n".to_owned(), "400"),
            ("GET / HTTP/1.1\r\nHost: some-web.ep-r.io:99999\r\n\r\n".to_owned(), "400"),
            ("GET / HTTP/1.1\r\nHost: s\u{f6}me-web.ep-r.io\r\n\r\n".to_owned(), "400"),
            (format!("GET / HTTP/1.1\r\n{own}A : b\r\n\r\n"), "400"),
            (format!("GET / HTTP/1.1\r\n{own} folded\r\n\r\n"), "400"),
            (format!("POST / HTTP/1.1\r\n{own}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), "400"),
            (format!("POST / HTTP/1.1\r\n{own}Content-Length: +1\r\n\r\na"), "400"),
            (format!("POST / HTTP/1.1\r\n{own}Transfer-Encoding: chunked, identity\r\n\r\n"), "400"),
            (format!("POST / HTTP/1.1\r\n{own}Transfer-Encoding: gzip, chunked\r\n\r\n"), "501"),
            (format!("CONNECT some-web.ep-r.io:80 HTTP/1.1\r\n{own}\r\n"), "501"),
            ("nonsense\r\n\r\n".to_owned(), "400"),
        ] {
            let line = edge.raw(request.as_bytes()).await?;
            let seen = line.split(' ').nth(1).unwrap_or_default();
            let refused = if status.is_empty() { !seen.starts_with('2') } else { seen == status };
            assert!(refused, "{request:?}: {line:?}, not {status}");
        }
        assert_eq!(edge.web.requests(), 0, "something was forwarded");
        Ok(())
    })
}

#[test]
fn requests_in_odd_but_lawful_forms() -> Outcome {
    play(LIMIT, async |stage| {
        let edge = edge(stage).await?;
        let end = "Connection: close\r\n\r\n";
        for request in [
            // The target's authority is asked, whatever Host says (RFC 9112 3.2.2).
            format!("GET http://some-web.ep-r.io/ HTTP/1.1\r\nHost: nobody-here.ep-r.io\r\n{end}"),
            format!("GET / HTTP/1.1\r\nHost: Some-Web.EP-R.io.:80\r\n{end}"),
            "GET / HTTP/1.0\r\nHost: some-web.ep-r.io\r\n\r\n".to_owned(),
        ] {
            let line = edge.raw(request.as_bytes()).await?;
            assert_eq!(line.split(' ').nth(1), Some("200"), "{request:?}: {line:?}");
        }
        // Only websocket is an upgrade that is forwarded.
        let upgrade = [
            "-H",
            "Connection: Upgrade, HTTP2-Settings",
            "-H",
            "Upgrade: h2c",
            "-H",
            "HTTP2-Settings: AAMAAABk",
        ];
        let page = edge.epr.curl("http://some-web.ep-r.io/")?.args(&upgrade).get().await?;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("h2c"), "{}", page.body);
        assert!(!page.body.contains("http2-settings"), "{}", page.body);
        Ok(())
    })
}

#[test]
fn the_edges_own_ports_are_no_backends() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        let own =
            [("http", epr.http()?), ("https", epr.https()?), ("admin", epr.admin()?), ("grpc", epr.grpc()?)];
        for (name, addr) in own {
            let app = App::new(name).endpoint("WEB", Speaks::Http, &[addr]).bound(&format!("{name}-web"));
            epr.apply(stage, &app.manifest_with_routes()).await?;
            let page = epr.curl(&format!("http://{name}-web.ep-r.io/metrics"))?.get().await?;
            assert_refused(&page, 502, "backend_forbidden");
        }
        let metadata = App::new("meta").endpoint("WEB", Speaks::Http, &["169.254.169.254:80".parse()?]);
        let path = stage.write("metadata.yaml", metadata.manifest())?;
        let finished = epr.run(&["apply", "-f", &path.to_string_lossy()]).await?;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.err.contains("169.254.169.254"), "{finished:?}");
        Ok(())
    })
}
