//! Backends as they are: several, gone, closing, answering in odd but lawful ways, or not in HTTP at all.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use loadtest::backend::{HttpBackend, RawBackend, Then};
use loadtest::hello::read_to_close;
use loadtest::manifest::{App, Speaks};
use loadtest::{Curl, Epr, KeepAlive, Outcome, Stage, play};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(60);
/// Each protocol a client may speak, by the endpoint it is for.
const WAYS: [(&str, &str, &str); 3] =
    [("http", "web", "--http1.1"), ("https", "safe", "--http1.1"), ("https", "safe", "--http2")];

/// A deployment whose two endpoints lead to these backends, at `NAME-web` and `NAME-safe`.
async fn deploy(stage: &Stage, epr: &Epr, name: &str, backends: &[SocketAddr]) -> Outcome {
    let app = App::new(name)
        .endpoint("WEB", Speaks::Http, backends)
        .bound(&format!("{name}-web"))
        .endpoint("SAFE", Speaks::Https, backends)
        .bound(&format!("{name}-safe"));
    epr.apply(stage, &app.manifest_with_routes()).await.map(drop)
}

/// Curl at a deployment in each way, with the way in words.
fn ways<'e>(epr: &'e Epr, name: &'e str) -> impl Iterator<Item = Outcome<(String, Curl)>> + 'e {
    WAYS.iter().map(move |(scheme, endpoint, version)| {
        let curl = epr.curl(&format!("{scheme}://{name}-{endpoint}.ep-r.io/"))?.args(&[version]);
        Ok((format!("{scheme} {version}"), curl))
    })
}

#[test]
fn several_share_the_requests_and_one_that_is_gone_costs_none() -> Outcome {
    play(LIMIT, async |stage| {
        let (one, two) = (HttpBackend::start(stage, "one").await?, HttpBackend::start(stage, "two").await?);
        let gone = stage.free_port()?;
        let epr = Epr::up(stage).await?;
        deploy(stage, &epr, "hello", &[one.addr(), two.addr(), gone]).await?;
        let mut seen = BTreeSet::new();
        for _ in 0..4 {
            let mut client = KeepAlive::connect(epr.http()?, "hello-web.ep-r.io").await?;
            for _ in 0..50 {
                let answer = client.get("/").await?;
                assert_eq!(answer.status, 200, "{answer:?}");
                seen.insert(answer.by);
            }
        }
        assert_eq!(seen, BTreeSet::from(["one".to_owned(), "two".to_owned()]));
        Ok(())
    })
}

#[test]
fn one_that_closes_after_each_answer_costs_no_request() -> Outcome {
    play(LIMIT, async |stage| {
        let answer = "HTTP/1.1 200 OK\r\nx-backend: closing\r\nContent-Length: 2\r\n\r\nok";
        let backend = RawBackend::start(stage, answer, Then::Close).await?;
        let epr = Epr::up(stage).await?;
        deploy(stage, &epr, "hello", &[backend.addr()]).await?;
        let mut client = KeepAlive::connect(epr.http()?, "hello-web.ep-r.io").await?;
        for number in 0..100 {
            let answer = client.get("/").await?;
            assert_eq!((answer.status, answer.bytes), (200, 2), "request {number}: {answer:?}");
        }
        assert!(backend.accepted() >= 100);
        Ok(())
    })
}

/// Answer, what becomes of the connection, status and body a client gets.
const LAWFUL: [(&str, Then, u16, &str); 8] = [
    ("HTTP/1.1 200 OK\r\n\r\nto the end", Then::Close, 200, "to the end"),
    ("HTTP/1.0 200 OK\r\n\r\nold", Then::Close, 200, "old"),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n",
        Then::Stay,
        200,
        "abc",
    ),
    (
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
        Then::Stay,
        200,
        "a",
    ),
    ("HTTP/1.1 204 No Content\r\n\r\n", Then::Stay, 204, ""),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Then::Stay, 304, ""),
    ("HTTP/1.1 404 \r\nContent-Length: 4\r\n\r\nnone", Then::Stay, 404, "none"),
    ("HTTP/1.1 599 Own Words\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Then::Close, 599, ""),
];

#[test]
fn lawful_answers_in_every_form_arrive() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        for (number, (answer, then, status, body)) in LAWFUL.into_iter().enumerate() {
            let name = format!("lawful-{number}");
            let backend = RawBackend::start(stage, answer, then).await?;
            deploy(stage, &epr, &name, &[backend.addr()]).await?;
            for way in ways(&epr, &name) {
                let (way, curl) = way?;
                let page = curl.get().await?;
                assert_eq!((page.status, page.body.as_str()), (status, body), "{way} {answer:?}: {page:?}");
                assert_eq!(page.refusal(), "", "{way} {answer:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn what_is_no_answer_is_told_with_its_reason() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        let silent = RawBackend::start(stage, "", Then::Close).await?;
        let other = RawBackend::start(stage, "SSH-2.0-OpenSSH_9.2\r\n", Then::Close).await?;
        for (name, backend, label) in [
            ("silent", silent.addr(), "backend_reset"),
            ("other", other.addr(), "backend_garbage"),
            ("absent", stage.free_port()?, "connect_failed"),
        ] {
            deploy(stage, &epr, name, &[backend]).await?;
            for way in ways(&epr, name) {
                let (way, curl) = way?;
                let page = curl.get().await?;
                assert_eq!((page.status, page.refusal()), (502, label), "{way}: {page:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn a_body_cut_short_is_never_taken_for_whole() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        for (name, answer) in [
            ("counted", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            ("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        ] {
            let backend = RawBackend::start(stage, answer, Then::Close).await?;
            deploy(stage, &epr, name, &[backend.addr()]).await?;
            for way in ways(&epr, name) {
                let (way, curl) = way?;
                let (finished, _) = curl.try_get().await?;
                // Partial file, or an HTTP/2 stream that was not closed cleanly.
                assert!(matches!(finished.code, Some(18 | 92)), "{way} {name}: {finished:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn clients_that_half_close_or_pipeline_are_answered() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "web").await?;
        let epr = Epr::up(stage).await?;
        deploy(stage, &epr, "hello", &[backend.addr()]).await?;
        let request = "GET /one HTTP/1.1\r\nHost: hello-web.ep-r.io\r\n\r\n";
        for count in [1, 3] {
            let mut stream = TcpStream::connect(epr.http()?).await?;
            stream.write_all(request.repeat(count).as_bytes()).await?;
            stream.shutdown().await?;
            let answers = String::from_utf8_lossy(&read_to_close(&mut stream).await?).into_owned();
            assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), count, "{answers}");
        }
        Ok(())
    })
}
