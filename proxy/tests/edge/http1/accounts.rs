//! However a request ends, it is written down once, by what became of it, and leaves nothing taken.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use proxy::config::AccessLogTarget;

use crate::wire::{DOORS, Door, Scene, answer, last_answer};

/// An answer as it is when its backend closes.
fn closing(status: &str, body: &str) -> String {
    last_answer(status, body)
}

/// What is written of a request: path, status, refusal, bytes of both bodies.
type Line = (String, Option<u64>, Option<String>, u64, u64);

fn line(path: &str, status: u64, refusal: &str, bytes_in: u64, bytes_out: u64) -> Line {
    let refusal = (!refusal.is_empty()).then(|| refusal.to_owned());
    (path.to_owned(), (status > 0).then_some(status), refusal, bytes_in, bytes_out)
}

fn lines(log: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(log).unwrap();
    let values = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let read = values.map(|line| {
        let text = |name: &str| line[name].as_str().map(ToOwned::to_owned);
        let number = |name: &str| line[name].as_u64();
        let (bytes_in, bytes_out) = (number("bytes_in").unwrap(), number("bytes_out").unwrap());
        (text("path").unwrap(), number("status"), text("refusal"), bytes_in, bytes_out)
    });
    read.filter(|line| line.0 != "/").collect()
}

/// The one place there is for a request is free.
async fn is_free(scene: &Scene, door: Door) {
    scene.settle().await;
    let (mut client, mut backend) =
        scene.ask(door, door.request("GET / HTTP/1.1", "connection: close\r\n")).await;
    backend.hears(door.forwarded("GET / HTTP/1.1", "", "")).await;
    backend.says(closing("200 OK", "free")).await;
    client.hears_last(last_answer("200 OK", "free")).await;
    scene.settle().await;
}

/// A request to `path` that brings `body`, of which the backend gets `passed`; the client then does and hears
/// what `then` says.
async fn uploads(
    scene: &Scene,
    door: Door,
    path: &str,
    framing: &str,
    passed: &str,
    said: &str,
    heard: &str,
) {
    let post = format!("POST {path} HTTP/1.1");
    let (mut client, mut backend) = scene.ask(door, door.request(&post, framing) + passed).await;
    backend.hears(door.forwarded(&post, "", framing) + passed).await;
    backend.says(said).await;
    if heard.is_empty() {
        client.stops().await;
    }
    client.hears(heard).await;
    drop(client);
    is_free(scene, door).await;
}

/// A request without a body to `path`, to which the backend has said `said` when `heard` was heard.
async fn asks(
    scene: &Scene,
    door: Door,
    path: &str,
    said: &str,
    heard: &str,
) -> (crate::wire::End, crate::wire::End) {
    let get = format!("GET {path} HTTP/1.1");
    let (mut client, mut backend) = scene.ask(door, door.request(&get, "")).await;
    backend.hears(door.forwarded(&get, "", "")).await;
    backend.says(said).await;
    client.hears(heard).await;
    (client, backend)
}

#[tokio::test]
async fn each_is_counted_once_whatever_became_of_it() {
    for door in DOORS {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("access.log");
        let scene = Scene::with(|config| {
            config.access_log = AccessLogTarget::File(log.clone());
            config.limits.in_flight_per_route = NonZeroU32::MIN;
            config.limits.in_flight_per_backend = NonZeroU32::MIN;
            config.timeouts.drain_grace = Duration::from_millis(50);
        })
        .await;
        let (length, chunked) = ("content-length: 8\r\n", "transfer-encoding: chunked\r\n");
        let half = "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 9\r\n\r\nhalf";
        let no = last_answer("413 Content Too Large", "no");
        uploads(&scene, door, "/early", length, "half", &answer("413 Content Too Large", "no"), &no).await;
        uploads(&scene, door, "/half", length, "half", "", "").await;
        uploads(&scene, door, "/chunks", chunked, "2\r\nxx\r\n", "", "").await;
        uploads(
            &scene,
            door,
            "/chunked",
            chunked,
            "0\r\n\r\n",
            "HTTP/1.0 204 x\r\ndate: D\r\n\r\n",
            "HTTP/1.1 204 x\r\n",
        )
        .await;

        let (client, _backend) = asks(&scene, door, "/gone", "", "").await;
        client.resets();
        is_free(&scene, door).await;
        let (client, mut backend) = asks(&scene, door, "/turned-away", half, half).await;
        client.resets();
        backend.is_reset().await;
        is_free(&scene, door).await;
        let (mut client, backend) = asks(&scene, door, "/broken", half, half).await;
        backend.resets();
        assert_eq!(client.hears_out().await.0, "");
        is_free(&scene, door).await;
        let (client, _backend) =
            asks(&scene, door, "/garbage", "SMTP\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n").await;
        drop(client);
        is_free(&scene, door).await;
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
        let (client, _backend) = asks(&scene, door, "/hinted", interim, interim).await;
        client.resets();
        is_free(&scene, door).await;
        let (_client, _backend) = asks(&scene, door, "/drained", half, half).await;
        scene.stage.drain();
        scene.stage.report().await;
        let expected = [
            line("/early", 413, "", 4, 2),
            line("/half", 0, "client_gone", 4, 0),
            line("/chunks", 0, "client_gone", 7, 0),
            line("/chunked", 204, "", 5, 0),
            line("/gone", 0, "client_gone", 0, 0),
            line("/turned-away", 200, "client_gone", 0, 4),
            line("/broken", 200, "backend_reset", 0, 4),
            line("/garbage", 502, "backend_garbage", 0, 0),
            line("/hinted", 0, "client_gone", 0, 0),
            line("/drained", 200, "", 0, 4),
        ];
        assert_eq!(lines(&log), expected, "{door:?}");
    }
}
