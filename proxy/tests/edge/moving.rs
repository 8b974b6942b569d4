//! A route moves under load: no request fails, and each goes to the one or the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use proto::BackendProtocol::Http1;
use proto::EdgeProtocol::Http;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::backends::echo;
use crate::client::read_answer;
use crate::stage::{Stage, bound_to};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_moves_back_and_forth_without_a_failed_request() {
    let stage = Stage::open();
    let (a, b) = (echo(&stage.tasks, "backend-a").await, echo(&stage.tasks, "backend-b").await);
    let to = |deployment: &str, backend| bound_to(deployment, "a.ep-r.io", Http, Http1, &[backend]);
    stage.apply(vec![to("dep-a", a)]);
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (http, stop, served) = (stage.http, stop.clone(), served.clone());
            async move {
                let mut stream = TcpStream::connect(http).await.unwrap();
                while !stop.load(Relaxed) {
                    stream.write_all(b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\n\r\n").await.unwrap();
                    let answer = read_answer(&mut stream).await;
                    assert!(answer.status == 200 && answer.body.starts_with("backend-"), "{answer:?}");
                    served.fetch_add(1, Relaxed);
                }
            }
        })
        .collect();
    let mover = async {
        for round in 0..50 {
            let (deployment, backend, tag) =
                if round % 2 == 0 { ("dep-b", b, "backend-b") } else { ("dep-a", a, "backend-a") };
            let before = served.load(Relaxed);
            while served.load(Relaxed) < before + 20 {
                tokio::task::yield_now().await;
            }
            stage.apply(vec![to(deployment, backend)]);
            // The next request, on whichever worker, goes to the new one.
            let answer = crate::client::get(&stage, "a.ep-r.io", "/").await;
            assert!(answer.body.starts_with(tag), "{}", answer.body);
        }
        stop.store(true, Relaxed);
    };
    tokio::join!(mover, futures_util::future::join_all(clients));
    assert!(served.load(Relaxed) > 1000);
}
