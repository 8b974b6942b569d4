//! Heads: as large as they may be, in pieces of any size, and of every form a request may have.

use proxy::config::Limits;

use crate::client::Answer;
use crate::wire::{DOORS, Door, End, Scene, answer, last_answer};

const GET: &str = "GET / HTTP/1.1";
const CLOSE: &str = "connection: close\r\n";

/// The client is refused, and its connection ends in order.
async fn refused(client: &mut End) -> (u16, String) {
    let (heard, ended) = client.hears_out().await;
    let answer = Answer::parse(heard.as_bytes());
    assert_eq!((answer.field("connection"), ended), (Some("close"), Ok(())), "{heard}");
    let (status, name) = answer.refusal();
    (status, name.to_owned())
}

#[tokio::test]
async fn a_head_may_be_so_large_and_no_larger() {
    let most = Limits::default().head_bytes;
    for door in DOORS {
        let scene = Scene::open().await;
        let filled = |bytes: usize| {
            let bare = door.request(GET, "x: \r\n").len();
            format!("x: {}\r\n", "y".repeat(bytes - bare))
        };
        for _ in 0..2 {
            let fields = filled(most);
            let request = door.request(GET, &fields);
            assert_eq!(request.len(), most);
            let (mut client, mut backend) = scene.ask(door, request).await;
            backend.hears(door.forwarded(GET, &fields, "")).await;
            backend.says(answer("200 OK", "ok")).await;
            client.hears(answer("200 OK", "ok")).await;
            // On the same connection, too.
            client.says(door.request(GET, &filled(most + 1))).await;
            assert_eq!(refused(&mut client).await, (431, "head_too_long".to_owned()));
            drop(backend);
            scene.settle().await;
        }
        let mut client = scene.client(door).await;
        client.says(format!("GET /{}", "x".repeat(most - 5))).await;
        assert_eq!(refused(&mut client).await, (414, "target_too_long".to_owned()));
    }
}

#[tokio::test]
async fn a_head_may_have_so_many_fields_and_no_more() {
    let most = Limits::default().head_fields;
    for door in DOORS {
        let scene = Scene::open().await;
        // Beside Host and X-Request-Id.
        let fields: String = (2..most).map(|n| format!("x-{n}: {n}\r\n")).collect();
        let (mut client, mut backend) = scene.ask(door, door.request(GET, &fields)).await;
        backend.hears(door.forwarded(GET, &fields, "")).await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears(answer("200 OK", "ok")).await;
        client.says(door.request(GET, &(fields + "one-more: x\r\n"))).await;
        assert_eq!(refused(&mut client).await, (431, "head_too_long".to_owned()));
    }
}

/// Requests of every shape, and what the backend gets of each.
fn shapes(door: Door) -> [(String, String); 4] {
    let upload = "transfer-encoding: chunked\r\n";
    let (post, put) = ("POST /p?q HTTP/1.1", "PUT / HTTP/1.1");
    [
        (door.request(GET, CLOSE), door.forwarded(GET, "", "")),
        (
            door.request(post, &format!("{CLOSE}content-length: 4\r\n")) + "body",
            door.forwarded(post, "", "content-length: 4\r\n") + "body",
        ),
        (
            door.request(put, &format!("{CLOSE}x: \t y \t\r\n{upload}"))
                + "1;e=\"v\"\r\nb\r\n0\r\nt: v\r\n\r\n",
            door.forwarded(put, "x: y\r\n", upload) + "1;e=\"v\"\r\nb\r\n0\r\nt: v\r\n\r\n",
        ),
        (
            format!("\r\n\r\n{}", door.request("HEAD /old HTTP/1.0", "")),
            door.forwarded("HEAD /old HTTP/1.1", "", ""),
        ),
    ]
}

#[tokio::test]
async fn it_does_not_matter_in_which_pieces_they_come() {
    let scene = Scene::open().await;
    let door = Door::Plain;
    let mut backend: Option<End> = None;
    for (n, (request, forwarded)) in shapes(door).into_iter().enumerate() {
        for cut in 1..request.len() {
            let (first, second) = request.split_at(cut);
            let mut client = scene.client(door).await;
            client.says(first).await;
            scene.settle().await;
            client.says(second).await;
            let backend = match &mut backend {
                Some(backend) => backend,
                none => none.insert(scene.backend().await),
            };
            backend.hears(&forwarded).await;
            if n == 3 {
                backend.says("HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 2\r\n\r\n").await;
                client
                    .hears_last(
                        "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 2\r\nconnection: close\r\n\r\n",
                    )
                    .await;
            } else {
                backend.says(answer("200 OK", "ok")).await;
                client.hears_last(last_answer("200 OK", "ok")).await;
            }
        }
    }
}

#[tokio::test]
async fn they_may_come_byte_by_byte() {
    for door in DOORS {
        let scene = Scene::open().await;
        for (n, (request, forwarded)) in shapes(door).into_iter().enumerate() {
            let mut client = scene.client(door).await;
            for byte in request.as_bytes().chunks(1) {
                client.says(byte).await;
            }
            let mut backend = scene.backend().await;
            backend.hears(&forwarded).await;
            let body = if n == 3 { "" } else { "ok" };
            backend.says(format!("HTTP/1.0 200 OK\r\ndate: D\r\ncontent-length: 2\r\n\r\n{body}")).await;
            let head = "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";
            client.hears_last(head.to_owned() + body).await;
        }
    }
}

#[tokio::test]
async fn every_form_of_a_target_is_understood() {
    let scene = Scene::open().await;
    let door = Door::Plain;
    let (mut client, mut backend) = scene.ask(door, door.request("GET /first HTTP/1.1", "")).await;
    backend.hears(door.forwarded("GET /first HTTP/1.1", "", "")).await;
    backend.says(answer("200 OK", "")).await;
    client.hears(answer("200 OK", "")).await;
    let absolute = format!("http://{}", door.host());
    for (line, passed) in [
        ("GET /a/../b?c=d%20e#", None),
        ("GET /a//b/./c?x=/?y", Some("GET /a//b/./c?x=/?y")),
        ("GET ABSOLUTE HTTP", Some("GET /")),
        ("GET ABSOLUTE/p?q", Some("GET /p?q")),
        ("GET ABSOLUTE?q", Some("GET /?q")),
        ("OPTIONS *", Some("OPTIONS *")),
        ("OPTIONS ABSOLUTE", Some("OPTIONS *")),
        ("OPTIONS ABSOLUTE/", Some("OPTIONS /")),
        ("OPTIONS /x", Some("OPTIONS /x")),
        ("TRACE /", Some("TRACE /")),
        ("PROPFIND /dav", Some("PROPFIND /dav")),
        ("get /", Some("get /")),
        ("M-SEARCH /", Some("M-SEARCH /")),
        ("!#$%&'*+-.^_`|~09aZ /", Some("!#$%&'*+-.^_`|~09aZ /")),
    ] {
        let line = line.replace("ABSOLUTE HTTP", "ABSOLUTE").replace("ABSOLUTE", &absolute);
        let request = door.request(&format!("{line} HTTP/1.1"), "");
        let Some(passed) = passed else {
            let mut stranger = scene.client(door).await;
            stranger.says(request).await;
            assert_eq!(refused(&mut stranger).await, (400, "bad_request".to_owned()), "{line}");
            continue;
        };
        client.says(request).await;
        backend.hears(door.forwarded(&format!("{passed} HTTP/1.1"), "", "")).await;
        backend.says(answer("200 OK", "")).await;
        client.hears(answer("200 OK", "")).await;
    }
    for line in ["GET *", "GET x", "GET plain.ep-r.io:80", "OPTIONS **", "GET ", "GET  /", "G(T /", "GET\t/"]
    {
        let mut stranger = scene.client(door).await;
        stranger.says(door.request(&format!("{line} HTTP/1.1"), "")).await;
        assert_eq!(refused(&mut stranger).await, (400, "bad_request".to_owned()), "{line}");
    }
}

#[tokio::test]
async fn versions_are_two() {
    for door in DOORS {
        let scene = Scene::open().await;
        for version in ["HTTP/1.2", "HTTP/2.0", "HTTP/2", "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/1.1x"] {
            let mut client = scene.client(door).await;
            client.says(door.request(&format!("GET / {version}"), "")).await;
            assert_eq!(refused(&mut client).await, (505, "version_not_supported".to_owned()), "{version}");
        }
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
        for said in [preface, "PRI * HTTP/2.0"] {
            let mut client = scene.client(door).await;
            client.says(said).await;
            assert_eq!(refused(&mut client).await, (505, "http2_on_plain".to_owned()), "{said:?}");
        }
        for line in ["GET /", "GET /\r\n"] {
            let mut client = scene.client(door).await;
            client.says(format!("{line}\r\n\r\n")).await;
            assert_eq!(refused(&mut client).await, (400, "bad_request".to_owned()), "{line}");
        }
        scene.backend_is_left_alone().await;
    }
}

#[tokio::test]
async fn blank_lines_before_a_request_are_few() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = scene.ask(door, "\r\n\r\n".to_owned() + &door.request(GET, "")).await;
        for _ in 0..2 {
            backend.hears(door.forwarded(GET, "", "")).await;
            backend.says(answer("200 OK", "ok")).await;
            client.hears(answer("200 OK", "ok")).await;
            client.says("\r\n").await;
            client.says(door.request(GET, "")).await;
        }
        for blank in ["\r\n\r\n\r\n", "\n", "\r\r", " \r\n"] {
            let mut client = scene.client(door).await;
            client.says(blank.to_owned() + &door.request(GET, "")).await;
            assert_eq!(refused(&mut client).await, (400, "bad_request".to_owned()), "{blank:?}");
        }
    }
}

#[tokio::test]
async fn http10_is_kept_alive_if_it_says_so() {
    for door in DOORS {
        let scene = Scene::open().await;
        let old = "GET / HTTP/1.0";
        let kept = "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok";
        let (mut client, mut backend) =
            scene.ask(door, door.request(old, "connection: keep-alive\r\n")).await;
        for fields in ["connection: x, Keep-Alive\r\n", "connection: keep-alive\r\nconnection: close\r\n"] {
            backend.hears(door.forwarded(GET, "", "")).await;
            backend.says(answer("200 OK", "ok")).await;
            client.hears(kept).await;
            client.says(door.request(old, fields)).await;
        }
        backend.hears(door.forwarded(GET, "", "")).await;
        backend.says(answer("200 OK", "ok")).await;
        client.hears_last(last_answer("200 OK", "ok")).await;
    }
}

#[tokio::test]
async fn an_old_client_that_is_kept_is_told_so_with_a_refusal_too() {
    for door in DOORS {
        let scene = Scene::open().await;
        let mut client = scene.client(door).await;
        for _ in 0..2 {
            client.says("GET / HTTP/1.0\r\nhost: nobody.ep-r.io\r\nconnection: keep-alive\r\n\r\n").await;
            let head = client.hears_head().await;
            assert!(head.contains("\r\nconnection: keep-alive\r\n"), "{head}");
            let length = head.split_once("content-length: ").unwrap().1.split_once("\r\n").unwrap().0;
            client.hears_bytes(length.parse().unwrap()).await;
        }
    }
}
