//! One request to a backend and its answer; a second try where nothing can happen twice.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll};

use http::{Request, Response};
use proto::BackendProtocol;
use tokio::time::{Instant, sleep_until};

use super::clock::{Clock, Watch};
use super::meter::Meter;
use super::vigil::Vigil;
use crate::config::Config;
use crate::context::Context;
use crate::refusal::Refusal;
use crate::upload::{Progress, Upload};
use crate::upstream::{Early, SendError, UpstreamBody};

/// Sends `request` to a backend of the route it goes over and waits for the head of its answer.
///
/// When no byte of it was sent it goes to another backend, whatever its method; when some may have
/// been, only an idempotent one without a body is repeated. Both once. Interim answers are told `early`.
pub(super) async fn exchange(
    context: &Context,
    vigil: &mut Vigil,
    request: Request<Upload>,
    meter: &mut Meter,
    early: Option<&Early>,
) -> Result<Response<UpstreamBody<Upload>>, Refusal> {
    let (upstreams, config) = (&context.upstreams, context.config());
    let lease = upstreams.choose(vigil.entry(), None).ok_or(Refusal::NoBackend)?;
    let copy = copy_if_repeatable(&request, lease.upstream().protocol());
    let progress = request.body().progress();
    meter.goes_to(&lease, false);
    let first = {
        let sent = pin!(upstreams.send_telling(lease, request, early));
        match in_time(sent, progress.as_deref(), config, vigil).await? {
            Ok(response) => return Ok(response),
            Err(error) => error,
        }
    };
    let (fault, failed) = (first.fault, first.upstream);
    let Some(request) = again(first, copy) else { return Err(fault.refusal()) };
    let other = upstreams.choose_again(vigil.entry(), Some((failed, fault)));
    let Some(lease) = other else { return Err(fault.refusal()) };
    meter.goes_to(&lease, true);
    let sent = pin!(upstreams.send_again(lease, request, early));
    let second = in_time(sent, progress.as_deref(), config, vigil).await?;
    second.map_err(|error| error.fault.refusal())
}

/// What a second try needs if the first one keeps the request. Taken only of requests that might be
/// repeated: HTTP/2 says of any request that it was not looked at.
fn copy_if_repeatable(request: &Request<Upload>, speaks: BackendProtocol) -> Option<Request<Upload>> {
    let might = request.method().is_idempotent() || speaks == BackendProtocol::H2c;
    (might && matches!(request.body(), Upload::Empty)).then(|| {
        let mut copy = Request::new(Upload::Empty);
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        copy.headers_mut().clone_from(request.headers());
        copy
    })
}

fn again(error: SendError<Upload>, copy: Option<Request<Upload>>) -> Option<Request<Upload>> {
    match error.unsent {
        Some(unsent) => Some(*unsent),
        None => copy.filter(|copy| error.fault.may_repeat(copy.method())),
    }
}

/// Waits for the answer: `first_byte` from when the upload last moved, unless it is the client who
/// keeps everyone waiting. Whoever may not have the answer any more is told at once.
pub(super) async fn in_time<T>(
    mut answered: Pin<&mut impl Future<Output = T>>,
    progress: Option<&Progress>,
    config: &Config,
    vigil: &mut Vigil,
) -> Result<T, Refusal> {
    let timeouts = &config.timeouts;
    let started = Instant::now();
    let mut pace = None;
    let first_look = match progress {
        Some(_) => timeouts.first_byte.min(timeouts.stalled),
        None => timeouts.first_byte,
    };
    let mut timer = pin!(sleep_until(started + first_look.min(timeouts.watched_after)));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = answered.as_mut().poll(cx) {
            return Poll::Ready(Ok(answer));
        }
        if vigil.is_forbidden(cx) {
            return Poll::Ready(Err(Refusal::SourceNotAllowed));
        }
        if progress.is_some_and(|upload| is_too_slow(cx, upload, &mut pace, config)) {
            return Poll::Ready(Err(Refusal::BodyTimeout));
        }
        while timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            vigil.begin();
            if vigil.is_forbidden(cx) {
                return Poll::Ready(Err(Refusal::SourceNotAllowed));
            }
            let (due, refusal) = match progress {
                Some(upload) if upload.waits_for_client.get() => {
                    (upload.last.get() + timeouts.stalled, Refusal::BodyTimeout)
                }
                Some(upload) => {
                    (upload.last.get().max(started) + timeouts.first_byte, Refusal::BackendTimeout)
                }
                None => (started + timeouts.first_byte, Refusal::BackendTimeout),
            };
            if due <= now {
                return Poll::Ready(Err(refusal));
            }
            let look = started + first_look;
            timer.as_mut().reset(if now < look { due.min(look) } else { due });
        }
        Poll::Pending
    })
    .await
}

/// Whether it is the client who keeps everyone waiting, and is slower than it may be. A body that never waits for
/// its client costs no clock.
pub(super) fn is_too_slow(
    cx: &mut Task<'_>,
    upload: &Progress,
    pace: &mut Option<(Clock, Watch)>,
    config: &Config,
) -> bool {
    let bytes = upload.bytes.get();
    if !upload.waits_for_client.get() {
        if let Some((_, watch)) = pace {
            watch.rests(bytes);
        }
        return false;
    }
    let now = Instant::now();
    let begun = || (Clock::new(now + config.timeouts.body_grace), Watch::new(now));
    let (clock, watch) = pace.get_or_insert_with(begun);
    watch.sends_too_slowly(cx, clock, bytes, config)
}
