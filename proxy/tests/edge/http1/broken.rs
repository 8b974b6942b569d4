//! Messages that break off at any byte: nobody takes what came of one for all of it.

use std::io::ErrorKind;

use crate::client::Answer;
use crate::wire::{DOORS, End, Scene, cross};

/// How a side ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Fin,
    Reset,
}

const ENDINGS: [Ending; 2] = [Ending::Fin, Ending::Reset];

/// Ends `end`; what is left to hear is for whoever only stopped talking.
async fn ends(mut end: End, how: Ending) -> Option<End> {
    match how {
        Ending::Fin => {
            end.stops().await;
            Some(end)
        }
        Ending::Reset => {
            end.resets();
            None
        }
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_is_never_whole_to_its_backend() {
    let line = "POST / HTTP/1.1";
    let bodies = [
        ("content-length: 12\r\n", "twelve bytes"),
        ("transfer-encoding: chunked\r\n", "6;x\r\ntwelve\r\n6\r\n bytes\r\n0\r\nt: v\r\n\r\n"),
    ];
    for (door, (ending, (framing, body))) in cross(DOORS, cross(ENDINGS, bodies).collect::<Vec<_>>()) {
        let scene = Scene::open().await;
        let (head, forwarded) = (door.request(line, framing), door.forwarded(line, "", framing) + body);
        let whole = head.clone() + body;
        // From the last bytes of the head on; over TLS each takes a handshake.
        for cut in head.len() - 3..whole.len() {
            let mut client = scene.client(door).await;
            client.says(&whole[..cut]).await;
            scene.settle().await;
            let client = ends(client, ending).await;
            if cut < head.len() {
                scene.backend_is_left_alone().await;
                continue;
            }
            let (heard, ended) = scene.backend().await.hears_out().await;
            let is_part = forwarded.starts_with(&heard) && heard.len() < forwarded.len();
            assert!(is_part, "{ending:?} after {cut} bytes: {heard:?}");
            assert_eq!(ended, Err(ErrorKind::ConnectionReset), "{ending:?} after {cut} bytes");
            if let Some(mut client) = client {
                assert_eq!(client.hears_out().await.0, "");
            }
        }
    }
}

/// An answer of every framing, and the client's version.
const ANSWERS: [(&str, &str, &str); 5] = [
    ("HTTP/1.1", "content-length: 12\r\n", "twelve bytes"),
    ("HTTP/1.1", "transfer-encoding: chunked\r\n", "6;x\r\ntwelve\r\n6\r\n bytes\r\n0\r\nt: v\r\n\r\n"),
    ("HTTP/1.0", "content-length: 12\r\n", "twelve bytes"),
    ("HTTP/1.0", "transfer-encoding: chunked\r\n", "6;x\r\ntwelve\r\n6\r\n bytes\r\n0\r\nt: v\r\n\r\n"),
    ("HTTP/1.1", "", "twelve bytes"),
];

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_whole_to_its_client() {
    for (door, (ending, (version, framing, body))) in
        cross(DOORS, cross(ENDINGS, ANSWERS).collect::<Vec<_>>())
    {
        // It is the end that says that all is there.
        if (framing, ending) == ("", Ending::Fin) {
            continue;
        }
        let scene = Scene::open().await;
        let head = format!("HTTP/1.1 200 OK\r\ndate: D\r\n{framing}\r\n");
        let whole = head.clone() + body;
        let last = whole.len() - usize::from(!framing.is_empty());
        for cut in head.len() - 3..=last {
            // By a method that is not asked for again.
            let request = door.request(&format!("POST / {version}"), "");
            let (mut client, mut backend) = scene.ask(door, request).await;
            backend.hears(door.forwarded("POST / HTTP/1.1", "", "content-length: 0\r\n")).await;
            backend.says(&whole[..cut]).await;
            scene.settle().await;
            let _backend = ends(backend, ending).await;
            let (heard, ended) = if cut < head.len() {
                // The connection may go on behind a refusal.
                let head = client.hears_head().await;
                client.stops().await;
                (head, client.hears_out().await.1)
            } else {
                client.hears_out().await
            };
            let answer = Answer::parse(heard.as_bytes());
            let is_short = answer.field("content-length").is_some() && !heard.ends_with("bytes");
            let is_unended = answer.field("transfer-encoding").is_some() && !heard.ends_with("v\r\n\r\n");
            let is_reset = ended == Err(ErrorKind::ConnectionReset);
            assert!(
                answer.status == 502 || is_short || is_unended || is_reset,
                "{door:?} {version} {framing:?} {ending:?} after {cut} bytes: {heard:?} {ended:?}"
            );
            assert!(answer.status == 502 || cut >= head.len(), "{heard}");
        }
    }
}
