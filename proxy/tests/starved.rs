//! Out of descriptors: the proxy waits, counts and goes on. Alone in its process, which it starves.

#![allow(
    clippy::unwrap_used,
    reason = "what goes wrong fails the test; clippy knows only `#[test]` functions"
)]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use certs::Certificates;
use proto::Hostname;
use proxy::Proxy;
use proxy::config::Config;
use proxy::drain::{self, Drain};
use proxy::metrics::Metrics;
use proxy::per_worker::WorkerId;
use proxy::tasks::Tasks;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Files opened until there are no descriptors left.
fn take_all_descriptors() -> Vec<File> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(256);
    setrlimit(Resource::Nofile, limit).unwrap();
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn start(tasks: &Tasks) -> (SocketAddr, Arc<Metrics>, Drain) {
    let dir = tempfile::tempdir().unwrap();
    let base = Hostname::parse("ep-r.io").unwrap();
    let made = certs::dev_certificates(dir.path(), &[base], SystemTime::now()).unwrap();
    let mut config = Config { workers: NonZeroUsize::MIN, ..Config::default() };
    let local = "127.0.0.1:0".parse().unwrap();
    (config.listen.http, config.listen.https, config.listen.admin) = (local, local, local);
    let proxy =
        Proxy::bind(config, Certificates::load(&made.chain, &made.key, SystemTime::now()).unwrap()).unwrap();
    let (address, metrics) = (proxy.http_addr(), proxy.metrics());
    let (hand, signal) = drain::channel();
    tasks.spawn(async move {
        proxy.run(signal).await;
    });
    (address, metrics, hand)
}

fn ask(mut stream: &TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a.ep-r.io\r\nconnection: close\r\n\r\n").unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_proxy_out_of_descriptors_serves_again_when_there_are_some() {
    let tasks = Tasks::new();
    let (address, metrics, hand) = start(&tasks);
    // Everything that is opened once is open after a first request.
    assert!(ask(&TcpStream::connect(address).unwrap()).starts_with("HTTP/1.1 404"));
    let worker = WorkerId::all(1).next().unwrap();
    assert_eq!(metrics.worker(worker).accept_failures.get(), 0);

    let mut held = take_all_descriptors();
    held.pop();
    let waiting = TcpStream::connect(address).unwrap();
    while metrics.worker(worker).accept_failures.get() == 0 {
        tokio::task::yield_now().await;
    }
    drop(held);
    assert!(ask(&waiting).starts_with("HTTP/1.1 404"), "the one that waited is served");
    hand.start();
    tasks.finished().await;
}
