//! Which certificate a connection is served with, and what it is good for.

use std::time::Duration;

use proto::EdgeProtocol::Https;
use tokio::io::AsyncWriteExt;

use super::GET;
use crate::backends::echo;
use crate::client::{read_answer, tls, tls_get};
use crate::observed::admin;
use crate::stage::{Stage, bound};

/// The certificate a client of `a.ep-r.io` is shown.
async fn shown(stage: &Stage) -> Vec<u8> {
    let stream = tls(stage, "a.ep-r.io", &[]).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn each_name_has_its_own_and_a_connection_is_good_for_what_its_own_covers() {
    let stage = Stage::certified(&["ep-r.io", "shop.example", "c.ep-r.io"], |_| {});
    let backend = echo(&stage.tasks, "backend").await;
    let names = ["a.ep-r.io", "b.ep-r.io", "c.ep-r.io", "a.shop.example"];
    stage.apply(names.map(|name| bound(name, Https, &[backend])).to_vec());
    for (sni, host, status, refusal) in [
        ("a.ep-r.io", "a.ep-r.io", 200, "-"),
        ("a.ep-r.io", "b.ep-r.io", 200, "-"),
        ("a.shop.example", "a.shop.example", 200, "-"),
        // Covered by a certificate we hold, but not by the one this client has seen.
        ("a.ep-r.io", "a.shop.example", 421, "not_covered"),
        ("a.shop.example", "a.ep-r.io", 421, "not_covered"),
        // One for that very name beats the wildcard, and covers less.
        ("c.ep-r.io", "c.ep-r.io", 200, "-"),
        ("c.ep-r.io", "a.ep-r.io", 421, "not_covered"),
        ("a.ep-r.io", "c.ep-r.io", 200, "-"),
    ] {
        assert_eq!(tls_get(&stage, sni, host).await.refusal(), (status, refusal), "{host} over {sni}");
    }
}

#[tokio::test]
async fn a_new_one_is_served_without_a_failed_handshake_and_a_broken_one_is_told() {
    let stage = Stage::certified(&["ep-r.io"], |config| {
        config.timeouts.certificate_look = Duration::from_millis(5);
    });
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut old = tls(&stage, "a.ep-r.io", &[]).await.unwrap();
    let before = shown(&stage).await;
    stage.certify_anew("ep-r.io");
    // Every handshake on the way succeeds.
    while shown(&stage).await == before {}
    let after = shown(&stage).await;
    // Connections of the old one go on.
    old.write_all(GET).await.unwrap();
    assert_eq!(read_answer(&mut old).await.status, 200);

    std::fs::write(stage.ca.with_file_name("ep-r.io").join("edge.pem"), "half").unwrap();
    let wrong = |page: &str| {
        page.lines().any(|line| line.starts_with("epr_certificate_file_wrong{") && line.contains("edge.pem"))
    };
    while !wrong(&admin(&stage, "/metrics").await.body) {}
    assert_eq!(shown(&stage).await, after);
    let page = admin(&stage, "/metrics").await.body;
    assert!(page.contains("reason=\"malformed\"} 1\n"), "{page}");
    let days = page.lines().find(|line| line.starts_with("epr_certificate_days_left{")).unwrap();
    assert!(days.ends_with(" 90.000") || days.contains(" 89.9"), "{days}");
}
