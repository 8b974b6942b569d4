use std::future::poll_fn;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Both ends of a connection.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (dialled, accepted) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (dialled.unwrap(), accepted.unwrap().0)
}

/// Moves `left` bytes, as long as it goes on.
async fn moved(pipe: &mut Pipe, from: &TcpStream, to: &TcpStream, left: u64) -> (u64, u64, Then) {
    let (mut taken, mut given) = (0, 0);
    let then = poll_fn(|cx| {
        let passed = pipe.poll(cx, from, to, left - taken);
        taken += passed.taken;
        given += passed.given;
        match passed.then {
            Then::WaitsToRead | Then::WaitsToWrite | Then::Yields => Poll::Pending,
            then => Poll::Ready(then),
        }
    })
    .await;
    (taken, given, then)
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()[0]).collect()
}

#[tokio::test]
async fn all_comes_as_it_was_and_no_more_is_taken() {
    let ((mut source, from), (to, mut sink)) = (connection().await, connection().await);
    let sent = bytes(3_000_000);
    let length = sent.len() as u64 - 7;
    let mut pipe = Pipe::lend().unwrap();
    let mut came = vec![0; sent.len() - 7];
    let (wrote, read, passed) = tokio::join!(
        source.write_all(&sent),
        sink.read_exact(&mut came),
        moved(&mut pipe, &from, &to, length)
    );
    assert!(wrote.is_ok() && read.is_ok());
    assert!(matches!(passed, (taken, given, Then::Done) if taken == length && given == length));
    assert!(came == sent[..came.len()] && pipe.is_empty());
    let mut rest = [0; 7];
    { from }.read_exact(&mut rest).await.unwrap();
    assert_eq!(rest, sent[came.len()..]);
}

#[tokio::test]
async fn it_tells_an_end_from_a_break_and_whose_it_is() {
    for broken in [false, true] {
        let ((mut source, from), (to, _sink)) = (connection().await, connection().await);
        source.write_all(b"some").await.unwrap();
        from.readable().await.unwrap();
        let mut pipe = Pipe::lend().unwrap();
        let begun = poll_fn(|cx| Poll::Ready(pipe.poll(cx, &from, &to, 100))).await;
        assert!(matches!(begun, Passed { taken: 4, given: 4, then: Then::WaitsToRead }), "{begun:?}");
        if broken {
            source.set_zero_linger().unwrap();
        }
        drop(source);
        let (taken, _, then) = moved(&mut pipe, &from, &to, 96).await;
        assert_eq!(taken, 0);
        assert!(
            if broken { matches!(then, Then::ReadBroke) } else { matches!(then, Then::Ended) },
            "{then:?}"
        );
    }
    let ((mut source, from), (to, sink)) = (connection().await, connection().await);
    sink.set_zero_linger().unwrap();
    drop(sink);
    source.write_all(b"some").await.unwrap();
    let mut pipe = Pipe::lend().unwrap();
    assert!(matches!(moved(&mut pipe, &from, &to, 100).await.2, Then::WriteBroke));
}

#[tokio::test]
async fn whoever_takes_nothing_is_waited_for_and_what_is_held_is_not_lent_again() {
    let ((source, from), (to, sink)) = (connection().await, connection().await);
    let (chunk, mut pipe) = (bytes(65_536), Pipe::lend().unwrap());
    loop {
        while source.try_write(&chunk).is_ok() {}
        let passed = poll_fn(|cx| Poll::Ready(pipe.poll(cx, &from, &to, u64::MAX))).await;
        if matches!(passed.then, Then::WaitsToWrite) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(!pipe.is_empty());
    let spare = || SHELF.with_borrow(|shelf| (shelf.spare.len(), shelf.lent));
    assert_eq!(spare(), (0, 1));
    drop(pipe);
    assert_eq!(spare(), (0, 0));
    drop(Pipe::lend().unwrap());
    assert_eq!(spare(), (1, 0));
    drop((from, to, sink));
}

#[test]
fn there_are_only_so_many() {
    let lent: Vec<_> = (0..fixed::PIPES).map(|_| Pipe::lend().unwrap()).collect();
    assert!(Pipe::lend().is_none());
    drop(lent);
    assert!(Pipe::lend().is_some());
}
