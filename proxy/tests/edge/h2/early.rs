//! Answers before the answer (RFC 9110 15.2).

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use proto::EdgeProtocol::Https;
use proxy::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::bodies::witness;
use crate::backends::serve;
use crate::client::tls;
use crate::stage::{Stage, bound};

type Sender = ::h2::client::SendRequest<Bytes>;

async fn connect(stage: &Stage, tasks: &Tasks) -> Sender {
    let stream = tls(stage, "a.ep-r.io", &[b"h2"]).await.unwrap();
    let (sender, connection) = ::h2::client::handshake(stream).await.unwrap();
    tasks.spawn(async {
        let _ = connection.await;
    });
    sender
}

/// The next answer before the answer.
async fn interim(answer: &mut ::h2::client::ResponseFuture) -> Response<()> {
    poll_fn(|cx| answer.poll_informational(cx)).await.unwrap().unwrap()
}

#[tokio::test]
async fn early_hints_reach_the_client_before_the_answer_without_what_is_of_one_hop() {
    let stage = Stage::open();
    let heard = Arc::new(Notify::new());
    let told = heard.clone();
    let backend = serve(&stage.tasks, move |mut stream| {
        let told = told.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\
                         Connection: x-one\r\nX-One: hop\r\n\r\n";
            stream.write_all(hints.as_bytes()).await.unwrap();
            told.notified().await;
            let rest = "HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n\
                        HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(rest.as_bytes()).await.unwrap();
            let _ = stream.read(&mut [0]).await;
        }
    });
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend.await])]);
    let mut sender = connect(&stage, &stage.tasks).await;
    let request = Request::get("https://a.ep-r.io/").body(()).unwrap();
    let (mut answer, _) = sender.send_request(request, true).unwrap();
    let hints = interim(&mut answer).await;
    assert_eq!((hints.status().as_u16(), &hints.headers()["link"]), (103, &"</a.css>".parse().unwrap()));
    assert_eq!(hints.headers().len(), 1, "{hints:?}");
    heard.notify_one();
    assert_eq!(interim(&mut answer).await.headers()["link"], "</b.css>");
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().data().await.unwrap().unwrap(), "ok");
}

#[tokio::test]
async fn who_waits_for_a_word_before_its_body_gets_it() {
    let stage = Stage::open();
    let (backend, mut heard) = witness(&stage.tasks, "body").await;
    stage.apply(vec![bound("a.ep-r.io", Https, &[backend])]);
    let mut sender = connect(&stage, &stage.tasks).await;
    let request = Request::post("https://a.ep-r.io/").header("expect", "100-continue");
    let request = request.header("content-length", "4").body(()).unwrap();
    let (mut answer, mut body) = sender.send_request(request, false).unwrap();
    assert_eq!(interim(&mut answer).await.status(), 100);
    body.send_data(Bytes::from_static(b"body"), true).unwrap();
    let (request, _) = heard.recv().await.unwrap();
    assert!(request.contains("content-length: 4\r\n") && !request.contains("expect"), "{request}");
}
