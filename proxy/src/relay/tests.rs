use std::cell::Cell;
use std::future::pending;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};

use super::*;

impl Bare for DuplexStream {
    fn bare(&self) -> Option<&TcpStream> {
        None
    }
}

const IDLE: Duration = Duration::from_secs(60);
const BUFFER: usize = 4096;

/// Bytes to the backend, and to the client.
type Carried = (Cell<u64>, Cell<u64>);

impl Account for Carried {
    fn to_backend(&self, bytes: u64) {
        self.0.set(self.0.get() + bytes);
    }

    fn to_client(&self, bytes: u64) {
        self.1.set(self.1.get() + bytes);
    }
}

/// How it ended, and bytes to the backend and to the client.
type Relayed = (End<&'static str>, u64, u64);

/// A relay between two pipes, and the far ends of both.
fn between(
    stop: impl Future<Output = &'static str> + 'static,
) -> (DuplexStream, DuplexStream, impl Future<Output = Relayed>) {
    let (client, mut near_client) = duplex(512);
    let (backend, mut near_backend) = duplex(512);
    let relay = async move {
        let carried = Carried::default();
        let end = run(&mut near_client, &mut near_backend, BUFFER, IDLE, stop, &carried).await;
        (end, carried.0.get(), carried.1.get())
    };
    (client, backend, relay)
}

fn bytes(length: usize) -> Vec<u8> {
    (0_u32..).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).take(length).collect()
}

#[tokio::test]
async fn carries_both_ways_at_once_more_than_any_buffer() {
    let (client, backend, relay) = between(pending());
    let (up, down) = (bytes(300_000), bytes(200_001));
    let talk = async |stream: DuplexStream, says: &[u8]| {
        let (mut read, mut write) = tokio::io::split(stream);
        let mut heard = Vec::new();
        let say = async {
            write.write_all(says).await.unwrap();
            write.shutdown().await.unwrap();
        };
        tokio::join!(say, async { read.read_to_end(&mut heard).await.unwrap() });
        heard
    };
    let (relayed, at_client, at_backend) = tokio::join!(relay, talk(client, &up), talk(backend, &down));
    assert_eq!((at_client, at_backend), (down, up));
    assert_eq!(relayed, (End::Whole, 300_000, 200_001));
}

#[tokio::test]
async fn a_closed_half_leaves_the_other_open() {
    let (mut client, mut backend, relay) = between(pending());
    let talk = async {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = Vec::new();
        backend.read_to_end(&mut heard).await.unwrap();
        backend.write_all(b"late answer").await.unwrap();
        backend.shutdown().await.unwrap();
        client.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let (relayed, heard) = tokio::join!(relay, talk);
    assert_eq!((heard.as_slice(), relayed.0), (&b"questionlate answer"[..], End::Whole));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_it_and_traffic_keeps_it() {
    let (mut client, mut backend, relay) = between(pending());
    let started = Instant::now();
    let talk = async {
        for _ in 0..4 {
            tokio::time::advance(IDLE / 2).await;
            client.write_all(b"x").await.unwrap();
            backend.read_u8().await.unwrap();
        }
    };
    let (relayed, ()) = tokio::join!(relay, talk);
    assert_eq!((relayed.0, relayed.1), (End::Idle, 4));
    assert!(started.elapsed() >= IDLE * 3, "ended while bytes moved");
}

#[tokio::test]
async fn a_stop_ends_it_at_once() {
    let (_client, _backend, relay) = between(async { "moved" });
    assert_eq!(relay.await.0, End::Stopped("moved"));
}

#[tokio::test]
async fn tells_who_broke() {
    let (client, mut backend, relay) = between(pending());
    drop(client);
    let talk = async {
        // The client is gone: its half is closed first, then writing to it fails.
        backend.write_all(b"unheard").await.unwrap();
        backend
    };
    let (relayed, _backend) = tokio::join!(relay, talk);
    assert_eq!(relayed.0, End::ClientBroke);
}

/// Both ends of a connection.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (dialled, accepted) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (dialled.unwrap(), accepted.unwrap().0)
}

#[tokio::test]
async fn much_at_once_between_bare_connections_comes_as_it_was() {
    let ((mut client, mut near_client), (mut backend, mut near_backend)) =
        (connection().await, connection().await);
    let carried = Carried::default();
    let told = &carried;
    // The end of what is said last is told by closing both.
    let relay =
        async move { run(&mut near_client, &mut near_backend, BUFFER, IDLE, pending::<()>(), told).await };
    let bytes = |seed: usize| -> Vec<u8> {
        (0..5_000_000_usize).map(|at| (at.wrapping_mul(seed) >> 9).to_le_bytes()[0]).collect()
    };
    let (there, back) = (bytes(2_654_435_761), bytes(40_503));
    let client = async {
        let (mut from, mut to) = client.split();
        let mut heard = Vec::new();
        let (said, _) = tokio::join!(
            async {
                to.write_all(&there).await.unwrap();
                to.shutdown().await.unwrap();
            },
            from.read_to_end(&mut heard)
        );
        let () = said;
        heard
    };
    let backend = async {
        let (mut from, mut to) = backend.split();
        let mut heard = Vec::new();
        let (said, _) = tokio::join!(
            async {
                // A little now and then, and much at once.
                for part in back.chunks(1_300_001) {
                    to.write_all(&part[..10]).await.unwrap();
                    tokio::task::yield_now().await;
                    to.write_all(&part[10..]).await.unwrap();
                }
                to.shutdown().await.unwrap();
            },
            from.read_to_end(&mut heard)
        );
        let () = said;
        heard
    };
    let (end, client_heard, backend_heard) = tokio::join!(relay, client, backend);
    assert_eq!(end, End::Whole);
    assert!(client_heard == back && backend_heard == there);
    assert_eq!((carried.0.get(), carried.1.get()), (there.len() as u64, back.len() as u64));
}
