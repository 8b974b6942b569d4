//! How much one client, one route and one backend may have, and what is told to who wants more.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http::Request;
use proto::BackendProtocol::Http1;
use proto::EdgeProtocol::{Http, Https, SecureTcp};
use proxy::config::Config;
use proxy::tasks::Tasks;
use rustls::AlertDescription::InternalError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::backends::{echo, serve};
use crate::client::{Answer, alert, exchange, get, read_answer};
use crate::h2::frames::{ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING, Raw, ack, get as get_h2};
use crate::h2::{connect, empty};
use crate::observed::admin;
use crate::stage::{Stage, bound, bound_to};
use crate::websocket::{open, switching};

const ASK: &str = "GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";

fn some(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// Begins answers, and ends them when the sender is dropped.
async fn holds(tasks: &Tasks) -> (SocketAddr, watch::Sender<()>) {
    let (sender, receiver) = watch::channel(());
    let address = serve(tasks, move |mut stream| {
        let mut released = receiver.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf").await;
            let _ = released.changed().await;
            let _ = stream.write_all(b"rest").await;
        }
    })
    .await;
    (address, sender)
}

/// A request whose answer has begun.
async fn held(stage: &Stage) -> TcpStream {
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    stream.write_all(ASK.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"half") {
        heard.push(stream.read_u8().await.unwrap());
    }
    stream
}

/// Asks until the answer is not the refusal it was.
async fn until_served(stage: &Stage, refused: &str) -> Answer {
    loop {
        let answer = get(stage, "a.ep-r.io", "/").await;
        if answer.refusal().1 != refused {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_source_has_so_many_connections() {
    let stage = Stage::with(|config| config.limits.connections_per_source = some(2));
    let backend = echo(&stage.tasks, "served").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(stage.http).await.unwrap();
        stream.write_all(ASK.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.status, 200);
        open.push(stream);
    }
    let refused = get(&stage, "a.ep-r.io", "/").await;
    assert_eq!(refused.refusal(), (429, "too_many_connections"));
    assert_eq!((refused.field("connection"), refused.field("retry-after")), (Some("close"), Some("2")));
    let mut tls = TcpStream::connect(stage.https).await.unwrap();
    assert!(matches!(tls.read(&mut [0; 16]).await, Ok(0) | Err(_)), "closed without a word");
    open.pop();
    assert_eq!(until_served(&stage, "too_many_connections").await.status, 200);
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_refusals_total{reason=\"too_many_connections\"}"), "{page}");
    assert!(page.contains("epr_sources_connected 1\n"), "{page}");
}

#[tokio::test]
async fn a_trusted_peer_brings_as_many_as_it_likes() {
    let stage = Stage::with(|config| {
        config.limits.connections_per_source = some(1);
        config.limits.rate_per_source = Some("1/s:1".parse().unwrap());
        config.trusted_peers = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let backend = echo(&stage.tasks, "served").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let _open = TcpStream::connect(stage.http).await.unwrap();
    for _ in 0..3 {
        assert_eq!(get(&stage, "a.ep-r.io", "/").await.status, 200);
    }
}

#[tokio::test]
async fn a_route_has_so_much_under_way_and_others_go_on() {
    let stage = Stage::with(|config| config.limits.in_flight_per_route = some(1));
    let ((slow, release), other) = (holds(&stage.tasks).await, echo(&stage.tasks, "other").await);
    stage.apply(vec![
        bound("a.ep-r.io", Http, &[slow]),
        bound_to("dep-b", "b.ep-r.io", Http, Http1, &[other]),
    ]);
    let _first = held(&stage).await;
    let refused = get(&stage, "a.ep-r.io", "/").await;
    assert_eq!((refused.refusal(), refused.field("retry-after")), ((503, "route_busy"), Some("1")));
    assert_eq!(get(&stage, "b.ep-r.io", "/").await.status, 200);
    // What is under way counts on when the route changes.
    stage.apply(vec![bound("a.ep-r.io", Http, &[other])]);
    assert_eq!(get(&stage, "a.ep-r.io", "/").await.refusal(), (503, "route_busy"));
    drop(release);
    assert_eq!(until_served(&stage, "route_busy").await.status, 200);
}

#[tokio::test]
async fn tunnels_are_under_way_to_their_end() {
    let stage = Stage::with(|config| config.limits.in_flight_per_route = some(1));
    let backend = switching(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut tunnel = TcpStream::connect(stage.http).await.unwrap();
    open(&mut tunnel).await;
    assert_eq!(get(&stage, "a.ep-r.io", "/").await.refusal(), (503, "route_busy"));
    drop(tunnel);
    loop {
        let mut next = TcpStream::connect(stage.http).await.unwrap();
        next.write_all(
            b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n",
        )
        .await
        .unwrap();
        if read_answer(&mut next).await.status == 101 {
            break;
        }
    }
}

#[tokio::test]
async fn what_passes_through_is_refused_by_an_alert() {
    let stage = Stage::with(|config| config.limits.rate_per_route = Some("1/s:1".parse().unwrap()));
    let backend = serve(&stage.tasks, |stream| async move { drop(stream) }).await;
    stage.apply(vec![bound("a.ep-r.io", SecureTcp, &[backend])]);
    // As many as come within far more than a test may take.
    let mut refused = false;
    for _ in 0..100 {
        refused |= alert(&stage, "a.ep-r.io").await == Some(InternalError);
    }
    assert!(refused);
}

#[tokio::test]
async fn a_backend_has_so_much_under_way_over_all_its_routes() {
    let stage = Stage::with(|config| config.limits.in_flight_per_backend = some(1));
    let (slow, _release) = holds(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[slow]), bound("b.ep-r.io", Http, &[slow])]);
    let _first = held(&stage).await;
    let refused = get(&stage, "b.ep-r.io", "/").await;
    assert_eq!((refused.refusal(), refused.field("retry-after")), ((503, "backend_busy"), Some("1")));
    let other = echo(&stage.tasks, "other").await;
    stage.apply(vec![bound("b.ep-r.io", Http, &[slow, other])]);
    for _ in 0..8 {
        assert!(get(&stage, "b.ep-r.io", "/").await.body.starts_with("other"), "the one that has room");
    }
}

/// What twenty requests that come at once are told.
async fn twenty_at_once(stage: &Stage) -> Vec<(u16, String)> {
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    stream.write_all(ASK.repeat(20).as_bytes()).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..20 {
        let answer = read_answer(&mut stream).await;
        assert!(answer.status == 200 || answer.field("retry-after") == Some("1"));
        told.push((answer.status, answer.refusal().1.to_owned()));
    }
    told
}

#[tokio::test]
async fn requests_come_no_faster_than_the_rate() {
    type Set = fn(&mut Config);
    let by_source: Set = |config| config.limits.rate_per_source = Some("1/s:2".parse().unwrap());
    let by_route: Set = |config| config.limits.rate_per_route = Some("1/s:2".parse().unwrap());
    for (set, name) in [(by_source, "rate_per_source"), (by_route, "rate_per_route")] {
        let stage = Stage::with(set);
        let backend = echo(&stage.tasks, "served").await;
        stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
        let told = twenty_at_once(&stage).await;
        assert_eq!((told[0].0, told[1].0), (200, 200), "the burst");
        assert!(told.contains(&(429, name.to_owned())), "{told:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_gives_its_place_to_who_comes() {
    let stage = Stage::with(|config| {
        config.limits.connections = NonZeroUsize::MIN;
        config.timeouts.place = Duration::from_secs(60);
    });
    let backend = echo(&stage.tasks, "served").await;
    let b = bound_to("dep-b", "b.ep-r.io", Https, Http1, &[backend]);
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend]), b]);
    let mut idle = connect(&stage, "b.ep-r.io").await;
    let ask = Request::get("https://b.ep-r.io/").body(empty()).unwrap();
    assert_eq!(idle.send_request(ask).await.unwrap().status(), 200);
    assert_eq!(get(&stage, "a.ep-r.io", "/").await.status, 200);
    let ask = Request::get("https://b.ep-r.io/").body(empty()).unwrap();
    assert!(idle.send_request(ask).await.is_err(), "it was told to go");
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("epr_connections_shed_total 1\n"), "{page}");
}

#[tokio::test]
async fn of_idle_connections_the_newest_goes() {
    let stage = Stage::with(|config| {
        config.workers = NonZeroUsize::MIN;
        config.limits.connections = NonZeroUsize::new(2).unwrap();
        config.timeouts.place = Duration::from_secs(60);
    });
    let backend = echo(&stage.tasks, "served").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(stage.http).await.unwrap();
        stream.write_all(ASK.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.status, 200);
        idle.push(stream);
    }
    assert_eq!(get(&stage, "a.ep-r.io", "/").await.status, 200);
    assert_eq!(idle[1].read(&mut [0; 16]).await.unwrap(), 0, "the newest was told to go");
    idle[0].write_all(ASK.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut idle[0]).await.status, 200);
}

#[tokio::test]
async fn what_is_under_way_keeps_its_place_and_who_comes_is_told() {
    let stage = Stage::with(|config| {
        config.limits.connections = NonZeroUsize::MIN;
        config.timeouts.place = Duration::from_millis(20);
    });
    let (slow, release) = holds(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[slow])]);
    let mut first = held(&stage).await;
    let refused = get(&stage, "a.ep-r.io", "/").await;
    assert_eq!((refused.refusal(), refused.field("retry-after")), ((503, "overloaded"), Some("2")));
    let mut tls = TcpStream::connect(stage.https).await.unwrap();
    assert!(matches!(tls.read(&mut [0; 16]).await, Ok(0) | Err(_)), "closed without a word");
    drop(release);
    let mut rest = [0; 4];
    first.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"rest", "it was served to its end");
    drop(first);
    assert_eq!(until_served(&stage, "overloaded").await.status, 200);
}

#[tokio::test]
async fn many_are_told_at_once_and_the_others_hear_nothing() {
    let stage = Stage::with(|config| {
        config.limits.connections_per_source = some(1);
        config.limits.last_words = 0;
    });
    let mut held = TcpStream::connect(stage.http).await.unwrap();
    held.write_all(ASK.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut held).await.status, 404);
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    assert_eq!(stream.read(&mut [0; 16]).await.unwrap_or_default(), 0);
    assert_eq!(exchange(&mut held, b"GET / HTTP/1.0\r\nhost: a.ep-r.io\r\n\r\n").await[9..12], *b"404");
}

#[tokio::test]
async fn a_connection_brings_so_many_requests_and_the_last_answer_says_so() {
    let stage = Stage::with(|config| config.limits.requests_per_connection = some(3));
    let backend = echo(&stage.tasks, "served").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let lost = "GET / HTTP/1.1\r\nhost: lost.ep-r.io\r\n\r\n";
    for (asked, last) in [([ASK, lost, ASK, ASK], 200), ([ASK, ASK, lost, ASK], 404)] {
        let mut stream = TcpStream::connect(stage.http).await.unwrap();
        stream.write_all(asked.concat().as_bytes()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(read_answer(&mut stream).await.field("connection"), None);
        }
        let answer = read_answer(&mut stream).await;
        assert_eq!((answer.status, answer.field("connection")), (last, Some("close")));
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0, "what was asked beyond is not answered");
    }
    let mut stream = TcpStream::connect(stage.http).await.unwrap();
    stream.write_all(ASK.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200, "another connection is not concerned");
}

#[tokio::test]
async fn over_http2_too() {
    let stage = Stage::with(|config| {
        config.limits.requests_per_connection = some(2);
        config.limits.h2_streams = 4;
    });
    let backend = echo(&stage.tasks, "served").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut heeds = Raw::open(&stage).await;
    heeds.asks(1).await;
    heeds.send(&get_h2(3)).await;
    let (mut answered, mut goodbyes) = (0, Vec::new());
    while let Some(frame) = heeds.next().await {
        answered += u32::from(frame.kind == HEADERS);
        if frame.kind == PING {
            heeds.send(&ack(&frame)).await;
        }
        if frame.kind == GOAWAY {
            goodbyes.push((frame.last_stream(), frame.code()));
        }
    }
    assert_eq!((answered, goodbyes), (1, vec![(0x7fff_ffff, NO_ERROR), (3, NO_ERROR)]));

    // Who does not hear is served a little longer, and then no more.
    let mut deaf = Raw::open(&stage).await;
    let (mut stream, mut answered, mut said) = (1, 0, Vec::new());
    while deaf.try_send(&get_h2(stream)).await {
        stream += 2;
        let heard = loop {
            match deaf.next().await {
                Some(frame) if frame.kind == HEADERS => break true,
                Some(frame) if frame.kind == GOAWAY => said.push(frame.code()),
                Some(_) => {}
                None => break false,
            }
        };
        if !heard {
            break;
        }
        answered += 1;
    }
    assert_eq!((answered, said), (6, vec![NO_ERROR, ENHANCE_YOUR_CALM]));
}
