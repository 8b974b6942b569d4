//! HTTP/2 from clients: to HTTP/1.1 backends, and gRPC-like to h2c ones.

pub(crate) mod bodies;
mod early;
mod floods;
pub(crate) mod frames;
mod malformed;
mod places;
mod tunnels;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proto::BackendProtocol::H2c;
use proto::EdgeProtocol::{Http, Https};
use proxy::tasks::Tasks;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::backends::{Body, echo, h2c, whole};
use crate::client::tls;
use crate::stage::{Stage, bound, bound_to};

pub(crate) async fn connect(stage: &Stage, sni: &'static str) -> SendRequest<Body> {
    let stream = tls(stage, sni, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    stage.tasks.spawn(async {
        let _ = connection.await;
    });
    sender
}

fn get(host: &str) -> http::request::Builder {
    Request::get(format!("https://{host}/path"))
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never: std::convert::Infallible| match never {}).boxed()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn one_connection_serves_many_names_each_by_its_own_rules() {
    let stage = Stage::open();
    let (a, b) = (echo(&stage.tasks, "backend-a").await, echo(&stage.tasks, "backend-b").await);
    stage.apply(vec![
        bound("a.ep-r.io", Https, &[a]),
        bound_to("dep-b", "b.ep-r.io", Https, proto::BackendProtocol::Http1, &[b]),
        bound("plain.ep-r.io", Http, &[a]),
    ]);
    let mut sender = connect(&stage, "a.ep-r.io").await;
    let request = get("a.ep-r.io").header("cookie", "x=1").header("cookie", "y=2");
    let answer = text(sender.send_request(request.body(empty()).unwrap()).await.unwrap()).await;
    assert!(answer.starts_with("backend-a\nGET /path HTTP/1.1\n"), "{answer}");
    for line in ["host: a.ep-r.io\n", "cookie: x=1; y=2\n", "x-forwarded-proto: https\n"] {
        assert!(answer.contains(line), "no {line:?} in {answer}");
    }
    let answer = text(sender.send_request(get("b.ep-r.io").body(empty()).unwrap()).await.unwrap()).await;
    assert!(answer.starts_with("backend-b\n"));
    for (host, status) in [("plain.ep-r.io", 421), ("foreign.example", 421), ("none.ep-r.io", 404)] {
        let response = sender.send_request(get(host).body(empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{host}");
        assert!(response.headers().contains_key("epr-refusal"));
    }
    let two_names = get("a.ep-r.io").header("host", "b.ep-r.io").body(empty()).unwrap();
    let response = sender.send_request(two_names).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let connect = Request::connect("a.ep-r.io:443").body(empty()).unwrap();
    assert_eq!(sender.send_request(connect).await.unwrap().status(), StatusCode::NOT_IMPLEMENTED);
    let last = sender.send_request(get("a.ep-r.io").body(empty()).unwrap()).await.unwrap();
    assert_eq!(last.status(), StatusCode::OK, "refusals leave the connection open");
}

/// A body whose frames come from a channel.
fn streamed() -> (mpsc::Sender<Frame<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(4);
    let frames = ReceiverStream::new(receiver).map(Ok);
    (sender, BodyExt::boxed(StreamBody::new(frames)))
}

/// Answers each frame as it comes, and ends in trailers.
fn conversation(request: Request<Incoming>) -> Response<Body> {
    assert_eq!(request.uri().to_string(), "http://grpc.ep-r.io/path");
    assert_eq!(request.headers()["te"], "trailers");
    let (sender, body) = streamed();
    let mut incoming = request.into_body();
    Tasks::new().spawn(async move {
        while let Some(Ok(frame)) = incoming.frame().await {
            // The end may come with an empty frame.
            let data = frame.into_data().unwrap_or_default();
            if !data.is_empty() {
                sender.send(Frame::data([b"re: ", &data[..]].concat().into())).await.unwrap();
            }
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        sender.send(Frame::trailers(trailers)).await.unwrap();
    });
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

#[tokio::test]
async fn a_bidirectional_call_streams_frame_by_frame_and_ends_in_trailers() {
    let stage = Stage::open();
    let backend = h2c(&stage.tasks, |request| async move { conversation(request) }).await;
    stage.apply(vec![bound_to("dep-g", "grpc.ep-r.io", Https, H2c, &[backend])]);
    let mut sender = connect(&stage, "grpc.ep-r.io").await;
    let (frames, body) = streamed();
    let request = Request::post("https://grpc.ep-r.io/path").header("te", "trailers").body(body).unwrap();
    let mut answer = sender.send_request(request).await.unwrap().into_body();
    for word in ["one", "two"] {
        frames.send(Frame::data(word.into())).await.unwrap();
        // The answer to each frame comes before the next is sent.
        let heard = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(heard, format!("re: {word}"));
    }
    drop(frames);
    let trailers = answer.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test]
async fn an_answer_of_trailers_only_and_a_deadline_pass() {
    let stage = Stage::open();
    let backend = h2c(&stage.tasks, |request| async move {
        assert_eq!(request.headers()["grpc-timeout"], "1S");
        Response::builder().header("grpc-status", "12").body(whole("")).unwrap()
    })
    .await;
    stage.apply(vec![bound_to("dep-g", "grpc.ep-r.io", Https, H2c, &[backend])]);
    let mut sender = connect(&stage, "grpc.ep-r.io").await;
    let request = Request::post("https://grpc.ep-r.io/path").header("grpc-timeout", "1S");
    let response = sender.send_request(request.body(whole("call")).unwrap()).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "12");
}

#[tokio::test]
async fn http1_clients_reach_h2c_backends_too() {
    let stage = Stage::open();
    let backend = h2c(&stage.tasks, |request| async move {
        Response::new(whole(format!("{:?} {}", request.version(), request.uri())))
    })
    .await;
    stage.apply(vec![bound_to("dep-g", "grpc.ep-r.io", Http, H2c, &[backend])]);
    let answer = crate::client::get(&stage, "grpc.ep-r.io:8080", "/a").await;
    assert_eq!(
        (answer.status, answer.body.contains("HTTP/2.0 http://grpc.ep-r.io:8080/a")),
        (200, true),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_stream_whose_client_takes_nothing_is_reset() {
    let stage = Stage::with(|config| {
        let short = std::time::Duration::from_millis(50);
        let timeouts = &mut config.timeouts;
        (timeouts.body_idle, timeouts.first_byte, timeouts.stalled) = (short, short, short);
    });
    let backend =
        crate::backends::http1(&stage.tasks, |_| async { Response::new(whole(vec![0; 100_000])) }).await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let stream = tls(&stage, "a.ep-r.io", &[b"h2"]).await.unwrap();
    let mut builder = ::h2::client::Builder::new();
    let (mut sender, connection) =
        builder.initial_window_size(10).handshake::<_, Bytes>(stream).await.unwrap();
    stage.tasks.spawn(async {
        let _ = connection.await;
    });
    let (response, _) = sender.send_request(get("a.ep-r.io").body(()).unwrap(), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let some = body.data().await.unwrap().unwrap();
    assert_eq!(some.len(), 10, "as much as it may be sent");
    let error = body.data().await.unwrap().unwrap_err();
    assert!(error.is_reset() && error.is_remote(), "{error}");
}
