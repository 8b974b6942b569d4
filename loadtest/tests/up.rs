//! What the README promises of `epr up`, with the clients people have.

use std::time::Duration;

use loadtest::backend::{self, HttpBackend, Nginx, SecureBackend};
use loadtest::manifest::{App, Speaks};
use loadtest::tools::{self, finish_with};
use loadtest::{Epr, KeepAlive, OrFault as _, Outcome, play};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const MIB: usize = 1024 * 1024;

#[test]
fn a_manifest_is_applied_shown_and_explained() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello").endpoint("WEB", Speaks::Http, &[backend.addr()]).bound("hello-web");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        for kind in ["packages", "deployments", "static-routes", "routes"] {
            let table = epr.ok(&["get", kind]).await?;
            assert!(table.contains("hello"), "{kind}: {table}");
            let json: Value = serde_json::from_str(&epr.ok(&["get", kind, "-o", "json"]).await?)?;
            assert!(json.to_string().contains("hello"), "{kind}: {json}");
            assert!(epr.ok(&["get", kind, "-o", "yaml"]).await?.contains("hello"), "{kind}");
        }
        // What was shown can be applied again, and says that nothing changed.
        let again = epr.ok(&["get", "static-routes", "-o", "yaml"]).await?;
        epr.apply(stage, &again).await?;

        let explained = epr.ok(&["explain", "http://hello-web.ep-r.io/"]).await?;
        assert!(explained.contains(&backend.addr().to_string()), "{explained}");
        let explained = epr.run(&["explain", "http://nobody-here.ep-r.io/"]).await?;
        assert!(explained.out.contains("no_route"), "{explained:?}");
        Ok(())
    })
}

#[test]
fn what_was_applied_is_served_when_apply_returns() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        for round in 0..5 {
            let (name, route) = (format!("hello-{round}"), format!("hello-web-{round}"));
            let app = App::new(&name).endpoint("WEB", Speaks::Http, &[backend.addr()]).bound(&route);
            let manifest = stage.write("hello.yaml", app.manifest_with_routes())?;
            epr.ok(&["apply", "-f", &manifest.to_string_lossy()]).await?;
            let mut client = KeepAlive::connect(epr.http()?, &format!("{route}.ep-r.io")).await?;
            assert_eq!(client.get("/").await?.by, "blue", "{round}");
            epr.ok(&["delete", "deployment", &name]).await?;
            assert_eq!(client.get("/").await?.by, "unbound", "{round}");
        }
        Ok(())
    })
}

#[test]
fn curl_gets_http_https_and_h2() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello")
            .endpoint("WEB", Speaks::Http, &[backend.addr()])
            .bound("hello-web")
            .endpoint("SAFE", Speaks::Https, &[backend.addr()])
            .bound("hello-safe");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        for (url, version, proto) in [
            ("http://hello-web.ep-r.io/a?b=c", "--http1.1", "http"),
            ("http://hello-web.ep-r.localhost/a?b=c", "--http1.1", "http"),
            ("https://hello-safe.ep-r.io/a?b=c", "--http1.1", "https"),
            ("https://hello-safe.ep-r.io/a?b=c", "--http2", "https"),
            ("https://hello-safe.ep-r.localhost/a?b=c", "--http2", "https"),
        ] {
            let page = epr.curl(url)?.args(&[version, "-H", "X-Forwarded-For: 6.6.6.6"]).get().await?;
            assert_eq!((page.status, page.backend()), (200, "blue"), "{url} {page:?}");
            assert_eq!(page.version, version.trim_start_matches("--http"), "{url}");
            let told: Value = serde_json::from_str(&page.body)?;
            assert_eq!(told["target"], "/a?b=c");
            assert_eq!(told["fields"]["x-forwarded-proto"][0], proto, "{told}");
            // Whoever claims to speak for another is not believed.
            assert!(!told.to_string().contains("6.6.6.6"), "{told}");
        }
        Ok(())
    })
}

#[test]
fn bodies_of_any_size_arrive_whole() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello")
            .endpoint("WEB", Speaks::Http, &[backend.addr()])
            .bound("hello-web")
            .endpoint("SAFE", Speaks::Https, &[backend.addr()])
            .bound("hello-safe");
        epr.apply(stage, &app.manifest_with_routes()).await?;
        let upload: Vec<u8> = (0..8 * MIB).map(|at| at.to_le_bytes()[0]).collect();
        let sum = upload.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
        let file = format!("@{}", stage.write("upload", &upload)?.display());

        for (base, version) in [
            ("http://hello-web.ep-r.io", "--http1.1"),
            ("https://hello-safe.ep-r.io", "--http1.1"),
            ("https://hello-safe.ep-r.io", "--http2"),
        ] {
            let page = epr.curl(&format!("{base}/bytes/{}", 20 * MIB))?.args(&[version]).get().await?;
            assert_eq!((page.status, page.body.len()), (200, 20 * MIB), "{base} {version}");
            for framing in ["Content-Type: application/octet-stream", "Transfer-Encoding: chunked"] {
                let args = [version, "--data-binary", &file, "-H", framing];
                let page = epr.curl(&format!("{base}/upload"))?.args(&args).get().await?;
                let told: Value = serde_json::from_str(&page.body)?;
                assert_eq!(told["body_bytes"], upload.len(), "{base} {version} {framing}");
                assert_eq!(told["body_sum"], sum.to_string(), "{base} {version} {framing}");
            }
        }
        Ok(())
    })
}

#[test]
fn openssl_meets_the_backends_own_certificate() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = SecureBackend::start(stage, "hello-tcp.ep-r.io").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello").endpoint("TCP", Speaks::SecureTcp, &[backend.addr()]).bound("hello-tcp");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        let direct = tools::command("openssl", ["s_client", "-connect", &backend.addr().to_string()])?;
        let own = certificate(&finish_with(direct, b"bye\n").await?.out)?;
        let seen = finish_with(epr.openssl("hello-tcp.ep-r.io")?, b"").await?.out;
        assert_eq!(certificate(&seen)?, own);

        let mut echo = epr.openssl("hello-tcp.ep-r.io")?;
        echo.args(["-quiet", "-verify_quiet"]);
        assert_eq!(finish_with(echo, b"through and back\nbye\n").await?.out, "through and back\nbye\n");
        Ok(())
    })
}

/// The certificate openssl printed, as PEM.
fn certificate(printed: &str) -> Outcome<String> {
    let (_, rest) = printed.split_once("-----BEGIN").or_fault(printed)?;
    let (pem, _) = rest.split_once("-----END").or_fault(printed)?;
    Ok(pem.to_owned())
}

#[test]
fn websockets_pass_both_ways() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = backend::websocket(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello")
            .endpoint("WS", Speaks::Http, &[backend.addr()])
            .bound("hello-ws")
            .endpoint("WSS", Speaks::Https, &[backend.addr()])
            .bound("hello-wss");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        for url in ["ws://hello-ws.ep-r.io/chat", "wss://hello-wss.ep-r.io/chat"] {
            let mut talk = epr.websocket(stage, "client", url).await?;
            assert_eq!(talk.ask("one").await?, "blue: one");
            assert_eq!(talk.ask("ping").await?, "pong");
            assert_eq!(talk.ask(&format!("binary {}", 3 * MIB)).await?, format!("binary {}", 3 * MIB));
            assert_eq!(talk.ask("two").await?, "blue: two");
            assert_eq!(talk.rest().await?, ["closed 1000"], "{url}");
        }
        Ok(())
    })
}

#[test]
fn grpc_reaches_an_h2c_backend() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = backend::grpc(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello").endpoint("RPC", Speaks::HttpsH2c, &[backend.addr()]).bound("hello-rpc");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        let mut client = tools::python("grpc_client.py")?;
        client.arg(epr.https()?.to_string()).arg("hello-rpc.ep-r.io").arg(epr.ca());
        let said = tools::finish(client).await?.success()?;
        let expected = "blue: one\nblue: a\nblue: b\nblue: c\nFAILED_PRECONDITION blue was told to fail\n";
        assert_eq!(said, expected);
        Ok(())
    })
}

#[test]
fn nginx_serves_files_through_the_edge() -> Outcome {
    play(LIMIT, async |stage| {
        let nginx = Nginx::start(stage).await?;
        nginx.put("page.txt", "0123456789")?;
        let epr = Epr::up(stage).await?;
        let app = App::new("files")
            .endpoint("WEB", Speaks::Http, &[nginx.addr()])
            .bound("files-web")
            .endpoint("SAFE", Speaks::Https, &[nginx.addr()])
            .bound("files-safe");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        let url = "https://files-safe.ep-r.io/page.txt";
        let page = epr.curl(url)?.args(&["--http2"]).get().await?;
        assert_eq!((page.status, page.body.as_str()), (200, "0123456789"));
        let part = epr.curl(url)?.args(&["--range", "2-4"]).get().await?;
        assert_eq!((part.status, part.body.as_str()), (206, "234"));
        assert_eq!(part.field("content-range"), "bytes 2-4/10");
        let tag = format!("If-None-Match: {}", page.field("etag"));
        assert_eq!(epr.curl(url)?.args(&["-H", &tag]).get().await?.status, 304);
        let head = epr.curl("http://files-web.ep-r.io/page.txt")?.args(&["--head"]).get().await?;
        assert_eq!((head.status, head.field("content-length")), (200, "10"));
        assert_eq!(epr.curl("http://files-web.ep-r.io/none")?.get().await?.status, 404);

        // Requests of different clients share connections to the backend.
        let mut most = 0;
        for _ in 0..8 {
            let page = epr.curl("http://files-web.ep-r.io/page.txt")?.get().await?;
            most = most.max(page.field("x-connection-requests").parse::<u32>()?);
        }
        assert!(most > 1, "every request opened a connection to the backend");
        Ok(())
    })
}
