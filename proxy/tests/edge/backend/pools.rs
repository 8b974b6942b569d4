//! Connections kept for reuse: whose they are, how many, and for how long.

use std::time::Duration;

use proto::BackendProtocol::{H2c, Http1};
use proto::EdgeProtocol::Http;
use tokio::io::AsyncWriteExt;

use super::hand::{End, GET, Hand, OK, client};
use crate::client::read_answer;
use crate::stage::{Stage, bound, bound_to, unbound};

const LONG: Duration = Duration::from_secs(3600);

fn get(name: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: {name}\r\n\r\n")
}

#[tokio::test]
async fn what_was_opened_for_one_deployment_is_never_used_for_another() {
    let hand = Hand::open();
    let stage = hand.stage(|config| config.backends.idle_timeout = LONG);
    stage.apply(vec![
        bound_to("dep-b", "b.ep-r.io", Http, Http1, &[hand.address]),
        bound_to("dep-c", "c.ep-r.io", Http, H2c, &[hand.address]),
        bound("same.ep-r.io", Http, &[hand.address]),
    ]);
    let mut client = client(&stage).await;
    let mut a = hand.kept(&mut client).await;
    client.write_all(get("b.ep-r.io").as_bytes()).await.unwrap();
    let mut b = hand.accept().await;
    b.answers(&mut client).await;
    // Each goes on with its own.
    for (name, own) in [("a.ep-r.io", &mut a), ("b.ep-r.io", &mut b)] {
        client.write_all(get(name).as_bytes()).await.unwrap();
        own.answers(&mut client).await;
    }
    client.write_all(get("same.ep-r.io").as_bytes()).await.unwrap();
    a.answers(&mut client).await;
    client.write_all(get("c.ep-r.io").as_bytes()).await.unwrap();
    // Held: were it closed, the request would be sent again, over another.
    let mut c = hand.accept().await;
    c.until("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(hand.has_no_other());
}

#[tokio::test]
async fn what_no_route_leads_to_any_more_is_closed() {
    let (hand, other) = (Hand::open(), Hand::open());
    let stage = hand.stage(|config| config.backends.idle_timeout = LONG);
    let bind = |address| bound("b.ep-r.io", Http, &[address]);
    stage.apply(vec![bind(hand.address)]);
    let mut client = client(&stage).await;
    let mut kept = hand.kept(&mut client).await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[other.address])]);
    // The other route still leads there.
    client.write_all(get("b.ep-r.io").as_bytes()).await.unwrap();
    kept.answers(&mut client).await;
    stage.apply(vec![unbound("b.ep-r.io", Some(Http))]);
    assert_eq!(kept.rest().await, (String::new(), End::Fin));
    // Nor is one kept whose last request outlives its route.
    stage.apply(vec![bind(hand.address)]);
    client.write_all(get("b.ep-r.io").as_bytes()).await.unwrap();
    let mut late = hand.accept().await;
    late.head().await;
    stage.apply(vec![unbound("b.ep-r.io", Some(Http))]);
    late.say(OK).await;
    assert_eq!(read_answer(&mut client).await.status, 200);
    assert_eq!(late.rest().await, (String::new(), End::Fin));
}

#[tokio::test]
async fn what_is_too_many_or_too_old_is_closed() {
    let hand = Hand::open();
    let stage = hand.stage(|config| {
        config.backends.idle_per_backend = 1;
        config.backends.idle_timeout = LONG;
    });
    assert_eq!(two_at_once(&hand, &stage).await, 1, "one is kept");
    let hand = Hand::open();
    let stage = hand.stage(|config| config.backends.idle_timeout = Duration::ZERO);
    let mut client = client(&stage).await;
    assert_eq!(hand.kept(&mut client).await.rest().await, (String::new(), End::Fin));
}

/// Has two requests answered over connections of their own; the number of those kept.
async fn two_at_once(hand: &Hand, stage: &Stage) -> usize {
    let mut clients = [client(stage).await, client(stage).await];
    let mut peers = Vec::new();
    for client in &mut clients {
        client.write_all(GET).await.unwrap();
        let mut peer = hand.accept().await;
        peer.head().await;
        peers.push(peer);
    }
    for (client, peer) in clients.iter_mut().zip(&mut peers) {
        peer.say(OK).await;
        assert_eq!(read_answer(client).await.status, 200);
    }
    // The first one is kept, and goes on; the second is closed.
    let (mut first, mut second) = (peers.remove(0), peers.remove(0));
    assert_eq!(second.rest().await, (String::new(), End::Fin));
    clients[1].write_all(GET).await.unwrap();
    first.answers(&mut clients[1]).await;
    1
}
