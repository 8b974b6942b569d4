//! Upgrades (RFC 9110 7.8, RFC 6455 4): WebSocket alone, and no tunnel before the backend has switched.

use crate::client::Answer;
use crate::wire::{DOORS, Door, End, Scene, answer};

const GET: &str = "GET /chat HTTP/1.1";
const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SWITCHES: &str = "connection: upgrade\r\nupgrade: websocket\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\ndate: D\r\n\
                        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
                        connection: upgrade\r\nupgrade: websocket\r\n\r\n";

fn ask(door: Door) -> String {
    door.request(GET, &format!("Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\n{KEY}"))
}

/// A client that has asked to switch and said `more` behind it, and the backend that has heard the first.
async fn asked(scene: &Scene, door: Door, more: &str) -> (End, End) {
    let (client, mut backend) = scene.ask(door, ask(door) + more).await;
    backend.hears(door.forwarded(GET, KEY, SWITCHES)).await;
    (client, backend)
}

#[tokio::test]
async fn what_comes_before_the_switch_waits_for_it_and_is_not_lost() {
    for door in DOORS {
        let scene = Scene::open().await;
        for early in ["", "early", "GET /not-a-request HTTP/1.1\r\nhost: x\r\n\r\n", &"long ".repeat(4000)] {
            let (mut client, mut backend) = asked(&scene, door, early).await;
            scene.settle().await;
            backend.hears_nothing();
            backend.says("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n").await;
            client.hears("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n").await;
            backend.hears_nothing();
            // What the backend says at once belongs to the tunnel as well.
            backend.says(SWITCHED.to_owned() + "welcome").await;
            client.hears(SWITCHED.to_owned() + "welcome").await;
            backend.hears(early).await;
            client.says("\0\r\nmore").await;
            backend.hears("\0\r\nmore").await;
            backend.says("bye").await;
            backend.stops().await;
            client.hears_last("bye").await;
            client.says("so long").await;
            client.stops().await;
            backend.hears_last("so long").await;
        }
    }
}

#[tokio::test]
async fn a_client_that_has_said_all_before_the_switch_still_listens() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, "all").await;
        client.stops().await;
        scene.settle().await;
        backend.says(SWITCHED.to_owned() + "welcome").await;
        backend.hears_last("all").await;
        backend.stops().await;
        client.hears_last(SWITCHED.to_owned() + "welcome").await;
    }
}

#[tokio::test]
async fn who_does_not_switch_answers() {
    for door in DOORS {
        let scene = Scene::open().await;
        let next = door.request("GET /next HTTP/1.1", "");
        let (mut client, mut backend) = asked(&scene, door, &next).await;
        for status in ["200 OK", "400 Bad Request", "426 Upgrade Required"] {
            backend.says(answer(status, "no")).await;
            client.hears(answer(status, "no")).await;
            // What was said behind it is the next request.
            backend.hears(door.forwarded("GET /next HTTP/1.1", "", "")).await;
            backend.says(answer("200 OK", "next")).await;
            client.hears(answer("200 OK", "next")).await;
            client.says(ask(door) + &next).await;
            backend.hears(door.forwarded(GET, KEY, SWITCHES)).await;
        }
        // What a refusing backend would rather speak is between it and us.
        backend
            .says("HTTP/1.1 426 Upgrade Required\r\ndate: D\r\nUpgrade: h2c\r\nConnection: upgrade\r\ncontent-length: 0\r\n\r\n")
            .await;
        client.hears("HTTP/1.1 426 Upgrade Required\r\ndate: D\r\ncontent-length: 0\r\n\r\n").await;
    }
}

#[tokio::test]
async fn words_for_a_tunnel_are_no_request_when_there_is_none() {
    for door in DOORS {
        let scene = Scene::open().await;
        let (mut client, mut backend) = asked(&scene, door, "\u{1}\u{2} a frame").await;
        backend.says(answer("403 Forbidden", "no")).await;
        client.hears(answer("403 Forbidden", "no")).await;
        let (heard, _) = client.hears_out().await;
        assert_eq!(Answer::parse(heard.as_bytes()).refusal(), (400, "bad_request"));
        scene.settle().await;
        backend.hears_nothing();
    }
}

#[tokio::test]
async fn a_switch_to_something_else_is_garbage() {
    let scene = Scene::open().await;
    for switched in [
        SWITCHED.replace("upgrade: websocket", "upgrade: h2c"),
        SWITCHED.replace("upgrade: websocket\r\n", ""),
        SWITCHED.replace("s3pPLMBiTxaQ9kYGzzhZRbK", "S3pPLMBiTxaQ9kYGzzhZRbK"),
    ] {
        let (mut client, mut backend) = asked(&scene, Door::Plain, "early").await;
        backend.says(&switched).await;
        let refused = Answer::parse(client.hears_head().await.as_bytes());
        assert_eq!(refused.refusal(), (502, "backend_garbage"), "{switched}");
        backend.is_reset().await;
    }
}

#[tokio::test]
async fn no_other_upgrade_is_forwarded() {
    for door in DOORS {
        let scene = Scene::open().await;
        let upgrade = |to: &str| format!("connection: upgrade, http2-settings\r\nupgrade: {to}\r\n");
        let settings = "http2-settings: AAMAAABkAAQAAP__\r\n";
        let mut client = scene.client(door).await;
        let mut backend: Option<End> = None;
        for (line, fields) in [
            (GET, upgrade("h2c") + settings),
            (GET, upgrade("TLS/1.0, h2c")),
            (GET, upgrade("websocket/13")),
            (GET, settings.to_owned()),
            // Without the other half of the request to switch.
            (GET, "upgrade: websocket\r\n".to_owned()),
            (GET, "connection: upgrade\r\n".to_owned()),
            ("POST /chat HTTP/1.1", upgrade("websocket")),
        ] {
            client.says(door.request(line, &fields)).await;
            let backend = match &mut backend {
                Some(backend) => backend,
                none => none.insert(scene.backend().await),
            };
            let own = if line == GET { "" } else { "content-length: 0\r\n" };
            backend.hears(door.forwarded(line, "", own)).await;
            backend.says(answer("200 OK", "as it was")).await;
            client.hears(answer("200 OK", "as it was")).await;
        }
    }
}

#[tokio::test]
async fn http10_does_not_upgrade() {
    let scene = Scene::open().await;
    let fields = format!("connection: upgrade, keep-alive\r\nupgrade: websocket\r\n{KEY}");
    let request = Door::Plain.request("GET /chat HTTP/1.0", &fields);
    let (mut client, mut backend) = scene.ask(Door::Plain, request).await;
    backend.hears(Door::Plain.forwarded(GET, KEY, "")).await;
    backend.says(answer("426 Upgrade Required", "")).await;
    client
        .hears(
            "HTTP/1.1 426 Upgrade Required\r\ndate: D\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n",
        )
        .await;
}

#[tokio::test]
async fn a_body_leaves_no_room_for_a_tunnel() {
    for door in DOORS {
        let scene = Scene::open().await;
        for (framing, body) in
            [("content-length: 4\r\n", "body"), ("transfer-encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n")]
        {
            let fields = format!("connection: upgrade\r\nupgrade: websocket\r\n{KEY}{framing}");
            let (mut client, mut backend) = scene.ask(door, door.request(GET, &fields) + body).await;
            backend.hears(door.forwarded(GET, KEY, framing) + body).await;
            backend.says(SWITCHED).await;
            let refused = Answer::parse(client.hears_head().await.as_bytes());
            assert_eq!(refused.refusal(), (502, "backend_garbage"), "nobody asked to switch");
        }
        // An empty one does.
        let fields = format!("connection: upgrade\r\nupgrade: websocket\r\n{KEY}content-length: 0\r\n");
        let (mut client, mut backend) = scene.ask(door, door.request(GET, &fields)).await;
        backend.hears(door.forwarded(GET, KEY, &format!("content-length: 0\r\n{SWITCHES}"))).await;
        backend.says(SWITCHED).await;
        client.hears(SWITCHED).await;
    }
}
