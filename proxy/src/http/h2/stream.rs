//! One request, from its head to the last byte of its answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_body::Body as _;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::outgoing::Outgoing;
use super::pulse::Serving;
use super::request::{self, Forwarded};
use super::tunnel;
use crate::http::answer::Answer;
use crate::http::meter::{Meter, Seen};
use crate::http::{Client, Declined, refuse, target};
use crate::refusal::Refusal;
use crate::upstream::Early;

/// Answers `request`, whatever becomes of it. `begun` says whether there is room for it.
pub(super) async fn run(
    client: Rc<Client>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    serving: Serving,
    begun: Result<(), Refusal>,
) {
    let method = request.method().clone();
    let mut meter = Meter::new(client.clone(), &seen(&request), Instant::now());
    let span = match client.context.is_sampled() {
        true => tracing::info_span!("request", %method, peer = %client.peer),
        false => tracing::Span::none(),
    };
    let forwarded = match begun {
        Ok(()) => {
            let early = Early::default();
            let forwarded = pin!(request::forward(request, &client, &mut meter, &early).instrument(span));
            match unless_reset(forwarded, &mut respond, &early).await {
                Some(forwarded) => forwarded,
                // Nobody waits for the answer; what was asked of a backend ends with this.
                None => return,
            }
        }
        Err(refusal) => Err(refusal.into()),
    };
    let upload = meter.upload();
    let response = match forwarded {
        Ok(Forwarded::Answer(response, vigil)) => {
            meter.answered(response.status());
            response.map(|body| Answer::backend(body, vigil, meter))
        }
        Ok(Forwarded::Tunnel(switched)) => {
            // Most requests become none, and shall not carry the room for one.
            return Box::pin(tunnel::run(&client, switched, respond, meter, &serving)).await;
        }
        Err(Declined { refusal, location }) => {
            meter.refused(refusal);
            let response = refuse::with_location(refuse::answer(refusal, &method), location);
            response.map(|text| Answer::text(text, meter))
        }
    };
    if let Some((send, answer)) = begin(respond, response) {
        Outgoing::new(answer, send, &serving, upload, client.context.config()).run().await;
    }
}

fn seen(request: &Request<RecvStream>) -> Seen<'_> {
    Seen {
        is_h2: true,
        method: request.method().as_str(),
        path: target::of_uri(request.uri()),
        user_agent: request.headers().get(USER_AGENT).map(HeaderValue::as_bytes),
    }
}

/// What `asked` says; none when the client takes its request back before. What comes `early` is sent at once.
async fn unless_reset<T>(
    mut asked: Pin<&mut impl Future<Output = T>>,
    respond: &mut SendResponse<Bytes>,
    early: &Early,
) -> Option<T> {
    poll_fn(|cx| {
        let said = asked.as_mut().poll(cx);
        while let Poll::Ready(interim) = early.poll(cx) {
            if let Some(interim) = request::interim(interim) {
                // It fails only where the stream or the connection is gone.
                let _gone = respond.send_informational(interim);
            }
        }
        if let Poll::Ready(said) = said {
            return Poll::Ready(Some(said));
        }
        respond.poll_reset(cx).map(|_| None)
    })
    .await
}

/// Sends the head of an answer. What is still to be sent is given back.
fn begin(
    mut respond: SendResponse<Bytes>,
    response: Response<Answer>,
) -> Option<(SendStream<Bytes>, Answer)> {
    let (mut head, mut answer) = response.into_parts();
    let is_whole = answer.is_end_stream();
    if let Some(length) = answer.size_hint().exact().filter(|_| !is_whole) {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    match respond.send_response(Response::from_parts(head, ()), is_whole) {
        Ok(send) => (!is_whole).then_some((send, answer)),
        // The stream is gone, or the connection.
        Err(_) => {
            answer.cut(Refusal::ClientGone);
            None
        }
    }
}
