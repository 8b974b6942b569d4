//! gRPC to backends that speak HTTP/2 in the clear, as frames: what a library would hide is seen here.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use proto::BackendProtocol::H2c;
use proto::EdgeProtocol::Https;
use proxy::tasks::Tasks;
use tokio::sync::mpsc;

use crate::backends::serve;
use crate::client::tls;
use crate::stage::{Stage, bound_to};

type Client = h2::client::SendRequest<Bytes>;

/// A server whose calls are each answered by `answer`.
async fn server<F>(
    tasks: &Tasks,
    answer: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> F + Clone + Send + Sync + 'static,
) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let calls = tasks.clone();
    serve(tasks, move |stream| {
        let (answer, calls) = (answer.clone(), calls.clone());
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                calls.spawn(answer(request, respond));
            }
        }
    })
    .await
}

async fn client(stage: &Stage, backend: SocketAddr) -> Client {
    stage.apply(vec![bound_to("dep-g", "a.ep-r.io", Https, H2c, &[backend])]);
    let stream = tls(stage, "a.ep-r.io", &[b"h2"]).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    stage.tasks.spawn(async {
        let _ = connection.await;
    });
    sender.ready().await.unwrap()
}

/// The head of a call.
fn call() -> Request<()> {
    Request::post("https://a.ep-r.io/shop.Cart/Add")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", "250m")
        .header("grpc-encoding", "identity")
        .header("trace-bin", "AAEC")
        .body(())
        .unwrap()
}

/// A message with its prefix.
fn message(text: &str) -> Bytes {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[0], &length[..], text.as_bytes()].concat().into()
}

fn status(code: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())])
}

fn begin(mut respond: SendResponse<Bytes>) -> SendStream<Bytes> {
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    respond.send_response(head, false).unwrap()
}

async fn next(body: &mut RecvStream) -> Option<Bytes> {
    loop {
        let data = body.data().await?.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        // The end may come with a frame of its own.
        if !data.is_empty() {
            return Some(data);
        }
    }
}

#[tokio::test]
async fn a_unary_call_and_its_fields() {
    let stage = Stage::open();
    let backend = server(&stage.tasks, |request, respond| async move {
        let fields = request.headers();
        assert_eq!((request.uri().path(), &fields["te"]), ("/shop.Cart/Add", &"trailers".parse().unwrap()));
        for (name, value) in [("grpc-timeout", "250m"), ("grpc-encoding", "identity"), ("trace-bin", "AAEC")]
        {
            assert_eq!(fields[name], value);
        }
        assert!(!fields.contains_key("content-length") && !fields.contains_key("transfer-encoding"));
        let mut body = request.into_body();
        let asked = next(&mut body).await.unwrap();
        assert_eq!((asked, next(&mut body).await), (message("ask"), None));
        let mut send = begin(respond);
        send.send_data(message("answer"), false).unwrap();
        send.send_trailers(status("0")).unwrap();
    })
    .await;
    let mut client = client(&stage, backend).await;
    let (response, mut send) = client.send_request(call(), false).unwrap();
    send.send_data(message("ask"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!((next(&mut body).await, next(&mut body).await), (Some(message("answer")), None));
    assert_eq!(body.trailers().await.unwrap().unwrap(), status("0"));
}

#[tokio::test]
async fn metadata_behind_the_answer_that_belongs_in_its_head_is_left_out() {
    let stage = Stage::open();
    let backend = server(&stage.tasks, |_, respond| async move {
        let mut trailers = status("0");
        for name in ["epr-refusal", "set-cookie", "content-length", "host", "via", "x-request-id"] {
            trailers.insert(name, "7".parse().unwrap());
        }
        begin(respond).send_trailers(trailers).unwrap();
    })
    .await;
    let mut client = client(&stage, backend).await;
    let (answer, _) = client.send_request(call(), true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    assert!(next(&mut body).await.is_none());
    assert_eq!(body.trailers().await.unwrap().unwrap(), status("0"));
}

#[tokio::test]
async fn both_sides_stream_and_either_may_end_first() {
    let stage = Stage::open();
    let backend = server(&stage.tasks, |request, respond| async move {
        let (mut body, mut send) = (request.into_body(), begin(respond));
        while let Some(asked) = next(&mut body).await {
            if asked == message("enough") {
                break;
            }
            send.send_data(asked, false).unwrap();
        }
        send.send_trailers(status("0")).unwrap();
    })
    .await;
    let mut client = client(&stage, backend).await;
    for server_ends in [false, true] {
        let (response, mut send) = client.send_request(call(), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        for n in 0..20 {
            let text = message(&n.to_string());
            send.send_data(text.clone(), false).unwrap();
            assert_eq!(next(&mut body).await, Some(text), "each before the next is sent");
        }
        if server_ends {
            send.send_data(message("enough"), false).unwrap();
        } else {
            send.send_data(Bytes::new(), true).unwrap();
        }
        assert_eq!(next(&mut body).await, None);
        assert_eq!(body.trailers().await.unwrap().unwrap(), status("0"));
    }
}

#[tokio::test]
async fn an_answer_of_trailers_only_is_one_frame() {
    let stage = Stage::open();
    let backend = server(&stage.tasks, |_, mut respond| async move {
        let head = Response::builder().header("grpc-status", "5").header("grpc-message", "no%20cart");
        respond.send_response(head.body(()).unwrap(), true).unwrap();
    })
    .await;
    let mut client = client(&stage, backend).await;
    let (response, _) = client.send_request(call(), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(
        (&response.headers()["grpc-status"], &response.headers()["grpc-message"]),
        (&"5".parse().unwrap(), &"no%20cart".parse().unwrap())
    );
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn a_call_that_is_cancelled_ends_at_its_server_too_and_no_other() {
    let stage = Stage::open();
    let (told, mut heard) = mpsc::channel(4);
    let told = Arc::new(told);
    let backend = server(&stage.tasks, move |request, respond| {
        let told = told.clone();
        async move {
            let (mut body, mut send) = (request.into_body(), begin(respond));
            send.send_data(message("begun"), false).unwrap();
            let first = body.data().await;
            if let Some(Ok(data)) = first {
                send.send_data(data, true).unwrap();
                return;
            }
            let ended = std::future::poll_fn(|cx| send.poll_reset(cx)).await;
            told.send(ended.unwrap()).await.unwrap();
        }
    })
    .await;
    let mut client = client(&stage, backend).await;
    let (stays, mut words) = client.send_request(call(), false).unwrap();
    let mut stays = stays.await.unwrap().into_body();
    assert_eq!(next(&mut stays).await, Some(message("begun")));
    for reason in [Reason::CANCEL, Reason::NO_ERROR] {
        let (goes, mut send) = client.send_request(call(), false).unwrap();
        let mut goes = goes.await.unwrap().into_body();
        assert_eq!(next(&mut goes).await, Some(message("begun")));
        send.send_reset(reason);
        assert_eq!(heard.recv().await, Some(Reason::CANCEL), "never that nothing is wrong");
    }
    words.send_data(message("still"), true).unwrap();
    assert_eq!(next(&mut stays).await, Some(message("still")));
}

#[tokio::test]
async fn a_call_that_its_server_resets_ends_with_the_same_reason() {
    let stage = Stage::open();
    let backend = server(&stage.tasks, |request, mut respond| async move {
        match request.headers().get("begun") {
            Some(_) => {
                let mut send = begin(respond);
                next(&mut request.into_body()).await;
                send.send_reset(Reason::ENHANCE_YOUR_CALM);
            }
            None => respond.send_reset(Reason::INTERNAL_ERROR),
        }
    })
    .await;
    let mut client = client(&stage, backend).await;
    let (response, _) = client.send_request(call(), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 502, "nothing was said yet, so it is said why");
    let mut begun = call();
    begun.headers_mut().insert("begun", "1".parse().unwrap());
    let (response, mut send) = client.send_request(begun, false).unwrap();
    let mut body = response.await.unwrap().into_body();
    send.send_data(message("go"), false).unwrap();
    let ended = body.data().await.unwrap().unwrap_err();
    assert!(ended.is_remote(), "{ended}");
    assert_eq!(ended.reason(), Some(Reason::ENHANCE_YOUR_CALM));
}
