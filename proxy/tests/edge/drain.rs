//! The end: what is open gets its grace, and it is told who was cut.

use std::time::Duration;

use http::Response;
use proto::EdgeProtocol::Http;
use proxy::config::AccessLogTarget;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::backends::{echo, http1, whole};
use crate::client::{exchange, get, read_answer};
use crate::stage::{Stage, bound};
use crate::websocket::{open, switching};

/// A backend that answers once the hand says so.
async fn patient(stage: &Stage) -> (watch::Sender<bool>, watch::Receiver<usize>) {
    let (hand, go) = watch::channel(false);
    let (asked, count) = watch::channel(0);
    let asked = std::sync::Arc::new(asked);
    let backend = http1(&stage.tasks, move |_| {
        let (mut go, asked) = (go.clone(), asked.clone());
        async move {
            asked.send_modify(|count| *count += 1);
            let _ = go.wait_for(|go| *go).await;
            Response::new(whole("late"))
        }
    })
    .await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    (hand, count)
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n";

#[tokio::test]
async fn requests_in_flight_are_finished_and_idle_connections_closed() {
    let stage = Stage::open();
    let (hand, mut asked) = patient(&stage).await;
    let (http, https) = (stage.http, stage.https);
    let mut idle = TcpStream::connect(http).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: nobody.ep-r.io\r\n\r\n").await.unwrap();
    assert_eq!(read_answer(&mut idle).await.status, 404);
    let mut busy = TcpStream::connect(http).await.unwrap();
    busy.write_all(GET).await.unwrap();
    asked.wait_for(|count| *count == 1).await.unwrap();
    stage.drain();
    assert_eq!(exchange(&mut idle, b"").await, b"", "the idle one is closed at once");
    hand.send_replace(true);
    let answer = read_answer(&mut busy).await;
    assert_eq!((answer.body.as_str(), answer.field("connection")), ("late", Some("close")));
    let report = stage.report().await;
    assert_eq!(report.cut, 0);
    assert!(TcpStream::connect(http).await.is_err() && TcpStream::connect(https).await.is_err());
}

#[tokio::test]
async fn who_was_let_in_before_the_end_may_still_ask() {
    let stage = Stage::with(|config| config.timeouts.linger = Duration::from_secs(3600));
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut late = TcpStream::connect(stage.http).await.unwrap();
    while stage.open_connections() == 0 {
        tokio::task::yield_now().await;
    }
    stage.drain();
    // The listener is closed only after the drain has begun.
    while TcpStream::connect(stage.http).await.is_ok() {}
    late.write_all(GET).await.unwrap();
    let answer = read_answer(&mut late).await;
    assert_eq!((answer.status, answer.field("connection")), (200, Some("close")));
    // It is listened to until it has understood, or for `linger`.
    drop(late);
    assert_eq!(stage.report().await.cut, 0);
}

#[tokio::test]
async fn a_tunnel_that_is_cut_is_logged_with_what_it_carried() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let stage = Stage::with(|config| config.access_log = AccessLogTarget::File(path.clone()));
    let backend = switching(&stage.tasks).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    let mut tunnel = TcpStream::connect(stage.http).await.unwrap();
    open(&mut tunnel).await;
    stage.drain();
    stage.cut();
    assert_eq!(stage.report().await.cut, 1);
    let log = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!((&line["protocol"], &line["bytes_out"]), (&"websocket".into(), &7.into()), "{log}");
}

#[tokio::test]
async fn what_outlives_its_grace_is_cut_and_counted() {
    let stage = Stage::with(|config| config.timeouts.drain_grace = Duration::from_millis(50));
    let (_hand, mut asked) = patient(&stage).await;
    let mut busy = TcpStream::connect(stage.http).await.unwrap();
    busy.write_all(GET).await.unwrap();
    asked.wait_for(|count| *count == 1).await.unwrap();
    stage.drain();
    let report = stage.report().await;
    assert_eq!((report.open, report.cut), (1, 1));
    assert!(report.took >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_second_signal_cuts_at_once() {
    let stage = Stage::with(|config| config.timeouts.drain_grace = Duration::from_secs(3600));
    let (_hand, mut asked) = patient(&stage).await;
    let mut busy = TcpStream::connect(stage.http).await.unwrap();
    busy.write_all(GET).await.unwrap();
    asked.wait_for(|count| *count == 1).await.unwrap();
    stage.drain();
    stage.cut();
    assert_eq!(stage.report().await.cut, 1);
}

#[tokio::test]
async fn the_last_table_is_served_after_a_restart_without_control() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("routes.cache");
    let keep = |config: &mut proxy::config::Config| config.route_cache = Some(cache.clone());
    let stage = Stage::with(keep);
    let backends = proxy::tasks::Tasks::new();
    let backend = echo(&backends, "still here").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    stage.drain();
    stage.report().await;
    let again = Stage::with(keep);
    assert!(get(&again, "a.ep-r.io", "/").await.body.starts_with("still here\n"));
}
