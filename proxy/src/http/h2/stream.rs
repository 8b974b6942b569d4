//! One request, from its head to the last byte of its answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, HeaderValue, USER_AGENT};
use http::{Method, Request, Response};
use http_body::Body as _;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::outgoing::Outgoing;
use super::pulse::Serving;
use super::request::{self, Forwarded, Switched};
use super::tunnel;
use crate::http::answer::Answer;
use crate::http::meter::{Meter, Seen};
use crate::http::{Client, Declined, refuse, target};
use crate::refusal::Refusal;
use crate::upstream::Early;

/// Looks at `request`, of which `begun` says whether there is room for it. What is returned answers it, whatever
/// becomes of it.
///
/// Not an `async fn`: that would hold all it is given twice, and this is held by each request under way.
pub(super) fn serve(
    client: Rc<Client>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    serving: Serving,
    begun: Result<(), Refusal>,
) -> impl Future<Output = ()> + 'static {
    let method = request.method().clone();
    let mut meter = Meter::new(client.clone(), &seen(&request), Instant::now());
    let span = match client.context.is_sampled() {
        true => tracing::info_span!("request", %method, peer = %client.peer),
        false => tracing::Span::none(),
    };
    let early = Early::default();
    let prepared = begun.map_err(Declined::from);
    let prepared = prepared.and_then(|()| request::prepare(request, &client, &mut meter, &early));
    async move {
        let forwarded = match prepared {
            Ok(prepared) => {
                let forwarded = request::forward(prepared, &client.context, &mut meter, &early);
                match unless_reset(pin!(forwarded.instrument(span)), &mut respond, &early).await {
                    Some(forwarded) => forwarded,
                    // Nobody waits for the answer; what was asked of a backend ends with this.
                    None => return,
                }
            }
            Err(declined) => Err(declined),
        };
        match answer(forwarded, &method, &client, meter, respond, &serving) {
            Then::Sends(outgoing) => outgoing.run().await,
            // Most requests become none, and shall not carry the room for one.
            Then::Tunnel(tunnel) => {
                let (switched, respond, meter) = *tunnel;
                Box::pin(tunnel::run(&client, switched, respond, meter, &serving)).await;
            }
            Then::Over => {}
        }
    }
}

/// What is left to do when the head of an answer is there.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made, and most are the large one"
)]
enum Then<'s> {
    /// Its body goes out.
    Sends(Outgoing<'s>),
    Tunnel(Box<(Switched, SendResponse<Bytes>, Meter)>),
    /// Nothing.
    Over,
}

/// Answers with what a backend made of a request, or with a refusal.
fn answer<'s>(
    forwarded: Result<Forwarded, Declined>,
    method: &Method,
    client: &'s Client,
    mut meter: Meter,
    respond: SendResponse<Bytes>,
    serving: &'s Serving,
) -> Then<'s> {
    let upload = meter.upload();
    let response = match forwarded {
        Ok(Forwarded::Answer(response, vigil)) => {
            meter.answered(response.status());
            response.map(|body| Answer::backend(body, vigil, meter))
        }
        Ok(Forwarded::Tunnel(switched)) => return Then::Tunnel(Box::new((switched, respond, meter))),
        Err(Declined { refusal, location }) => {
            meter.refused(refusal);
            let response = refuse::with_location(refuse::answer(refusal, method), location);
            response.map(|text| Answer::text(text, meter))
        }
    };
    match begin(respond, response) {
        Some((send, answer)) => {
            Then::Sends(Outgoing::new(answer, send, serving, upload, client.context.config()))
        }
        None => Then::Over,
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
