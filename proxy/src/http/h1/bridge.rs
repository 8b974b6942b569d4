//! The way of a request to an HTTP/2 backend: its body goes as frames, and frames come back.

mod feed;
mod frames;
mod relay;

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use http::{Request, Response};

use super::line::ClientStream;
use super::prepare::{Frames, Prepared, Turned};
use super::reply::Asked;
use super::upload::{Broke, Step};
use super::{After, Connection};
use crate::http::answer::Answer;
use crate::http::exchange::exchange;
use crate::http::meter::Meter;
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::upstream::UpstreamBody;

use feed::Feeder;
use relay::Relay;

/// Sends the request to a backend and passes its answer on.
pub(super) async fn pass<S: ClientStream>(
    connection: &mut Connection<S>,
    mut prepared: Prepared,
    frames: Frames,
) -> After {
    let (mut feeder, body) = Feeder::new(frames.framing, frames.expects_continue);
    let upload = body.map_or(Upload::Empty, Upload::piped);
    prepared.meter.uploads(upload.progress());
    let request = Request::from_parts(frames.head, upload);
    match ask(connection, &mut prepared, &mut feeder, request).await {
        Ok(response) => deliver(connection, prepared, feeder, response).await,
        Err(refusal) => {
            let Prepared { asked, meter, .. } = prepared;
            refuse(connection, &feeder, &asked, meter, refusal).await
        }
    }
}

/// Refuses a request that has no answer.
async fn refuse<S: ClientStream>(
    connection: &mut Connection<S>,
    feeder: &Feeder,
    asked: &Asked,
    mut meter: Meter,
    refusal: Refusal,
) -> After {
    if feeder.is_inviting() {
        meter.refused(refusal);
        return After::Breaks { reset: true };
    }
    let turned = Turned {
        declined: refusal.into(),
        fault: None,
        is_head: asked.is_head,
        is_http10: asked.is_http10,
        persists: asked.persists && feeder.is_over() && !refusal.closes(),
        meter: Some(meter),
    };
    connection.refuse(turned).await
}

/// Waits for the head of the answer, while the body goes.
async fn ask<S: ClientStream>(
    connection: &mut Connection<S>,
    prepared: &mut Prepared,
    feeder: &mut Feeder,
    request: Request<Upload>,
) -> Result<Response<UpstreamBody<Upload>>, Refusal> {
    let context = connection.client.context.clone();
    let mut answered = pin!(exchange(&context, &mut prepared.vigil, request, &mut prepared.meter, None));
    poll_fn(|cx| {
        match feeder.poll(cx, &mut connection.line) {
            Err(Broke::Client(refusal)) => return Poll::Ready(Err(refusal)),
            Ok(Step::Done) | Err(Broke::Backend) if connection.line.poll_gone(cx).is_err() => {
                return Poll::Ready(Err(Refusal::ClientGone));
            }
            Ok(_) | Err(Broke::Backend) => {}
        }
        // The time is kept by the exchange, which knows how far the body came.
        answered.as_mut().poll(cx)
    })
    .await
}

/// Passes the answer on to its end, and what the client still sends.
async fn deliver<S: ClientStream>(
    connection: &mut Connection<S>,
    prepared: Prepared,
    mut feeder: Feeder,
    response: Response<UpstreamBody<Upload>>,
) -> After {
    let Prepared { asked, vigil, mut meter, .. } = prepared;
    let context = connection.client.context.clone();
    let head = match frames::head(&response, &asked, feeder.is_over(), &context) {
        Ok(head) => head,
        Err(refusal) => {
            let asked = Asked { persists: false, ..asked };
            return refuse(connection, &feeder, &asked, meter, refusal).await;
        }
    };
    meter.answered(response.status());
    let persists = head.persists;
    let upload = meter.upload();
    let answer = frames::Outgoing::new(
        head.behind(feeder.withdraw()),
        Answer::backend(response.into_body(), vigil, meter),
    );
    let mut relay = Relay::new(connection, feeder, upload, answer);
    let sent = poll_fn(|cx| relay.poll(cx)).await;
    let is_whole = relay.is_whole();
    match sent {
        Ok(()) if persists => After::Persists,
        Ok(()) => After::Closes { unheard: !is_whole || asked.persists },
        Err(refusal) => After::Breaks { reset: asked.is_http10 || refusal.resets() },
    }
}
