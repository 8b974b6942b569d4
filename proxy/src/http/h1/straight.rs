//! The straight way of a request: to an HTTP/1.1 backend, byte for byte.

use super::download::Download;
use super::line::ClientStream;
use super::passage::{Failed, Passage};
use super::prepare::{Prepared, Turned};
use super::reply::{Final, Reply};
use super::upload::Upload;
use super::{After, Connection, tunnel};
use crate::refusal::Refusal;
use crate::upstream::{self, Fault, Lease, Pick};

/// An answer that has begun.
pub(super) struct Answered {
    backend: upstream::Connection,
    lease: Lease,
    reply: Final,
    is_sent: bool,
    is_deaf: bool,
}

/// What a request has come to.
pub(super) enum Passed {
    /// It is over.
    Over(After),
    /// The client has nothing of an answer yet and is told this.
    Refused(Refusal),
    /// Its backend speaks something else from now on.
    Switched(Answered),
}

/// Sends the request to a backend and passes its answer on.
pub(super) async fn pass<S: ClientStream>(
    connection: &mut Connection<S>,
    prepared: &mut Prepared,
    upload: &mut Upload,
) -> Passed {
    let answered = match exchange(connection, prepared, upload).await {
        Ok(answered) => answered,
        Err(Failed::Cut(refusal)) => {
            prepared.meter.moved_straight(upload.passed(), 0);
            prepared.meter.refused(refusal);
            return Passed::Over(After::Breaks { reset: true });
        }
        Err(failed) => return Passed::Refused(failed.refusal()),
    };
    prepared.meter.answered(answered.reply.status);
    if answered.reply.has_switched {
        return Passed::Switched(answered);
    }
    deliver(connection, prepared, upload, answered).await
}

/// Carries the tunnel that the request has become.
pub(super) async fn switch<S: ClientStream>(
    connection: &mut Connection<S>,
    prepared: Prepared,
    answered: Answered,
) {
    let Answered { backend, lease, reply, .. } = answered;
    let (admitted, meter) = (prepared.vigil.into_admitted(), prepared.meter);
    tunnel::run(connection, backend, lease, &reply.head, admitted, meter).await;
}

/// Finds a backend that answers.
///
/// When no byte of the request was sent it goes to another backend, whatever its method; when some may
/// have been, only an idempotent one without a body is repeated. Both once.
async fn exchange<S: ClientStream>(
    connection: &mut Connection<S>,
    prepared: &mut Prepared,
    upload: &mut Upload,
) -> Result<Answered, Failed> {
    let context = connection.client.context.clone();
    let mut failed = None;
    loop {
        let lease = context.upstreams.choose_again(prepared.vigil.entry(), failed);
        let Some(lease) = lease else {
            return Err(failed.map_or(Refusal::NoBackend.into(), |(_, fault)| Failed::Backend(fault)));
        };
        prepared.meter.goes_to(&lease, failed.is_some());
        let pick = match failed {
            Some(_) => Pick::Fresh,
            None if prepared.is_repeatable => Pick::Any,
            None => Pick::Sure,
        };
        let (fault, may_repeat) = match context.upstreams.connect(&lease, pick).await {
            Err(fault) => (fault, true),
            Ok(backend) => {
                let mut passage = Passage::new(connection, backend, upload, prepared);
                match passage.answer().await {
                    Ok(Reply::Final(reply)) => {
                        let Passage { backend, is_sent, is_deaf, .. } = passage;
                        return Ok(Answered { backend, lease, reply, is_sent, is_deaf });
                    }
                    Ok(Reply::Interim(_)) => return Err(Refusal::BackendGarbage.into()),
                    Err(failed @ (Failed::Refused(_) | Failed::Cut(_))) => {
                        passage.backend.reset();
                        return Err(failed);
                    }
                    Err(Failed::Backend(fault)) => {
                        let backend = passage.backend;
                        let unheard = prepared.is_repeatable && fault == Fault::Closed;
                        (fault, !backend.is_touched() || unheard)
                    }
                }
            }
        };
        if failed.is_some() || !may_repeat || !upload.rewind() {
            return Err(Failed::Backend(fault));
        }
        failed = Some((lease.upstream().id(), fault));
    }
}

/// Passes the answer on to its end.
async fn deliver<S: ClientStream>(
    connection: &mut Connection<S>,
    prepared: &mut Prepared,
    upload: &mut Upload,
    answered: Answered,
) -> Passed {
    let Answered { backend, lease, reply, is_sent, is_deaf } = answered;
    let mut download = Download::new(reply.head, reply.framing, !prepared.asked.is_http10);
    let mut passage = Passage::new(connection, backend, upload, prepared);
    (passage.is_sent, passage.is_deaf) = (is_sent, is_deaf);
    let relayed = passage.relay(&mut download).await;
    let Passage { backend, is_sent, is_deaf, .. } = passage;
    prepared.meter.moved_straight(upload.passed(), download.passed());
    let is_whole = is_sent && !is_deaf;
    match relayed {
        Ok(()) => {
            if is_whole && reply.backend_persists {
                connection.client.context.upstreams.keep(&lease, backend);
            } else if !is_whole {
                backend.reset();
            }
            Passed::Over(match reply.client_persists {
                true => After::Persists,
                // Who did not ask for the end may be asking the next thing.
                false => After::Closes { unheard: !is_whole || prepared.asked.persists },
            })
        }
        Err(refusal) if !download.has_begun() && !refusal.resets() => {
            // The backend goes with this: a client that does not read its refusal keeps neither it nor a place at it.
            backend.reset();
            Passed::Refused(refusal)
        }
        Err(refusal) => {
            prepared.meter.cut_short(refusal);
            backend.reset();
            Passed::Over(After::Breaks { reset: prepared.asked.is_http10 || refusal.resets() })
        }
    }
}

/// The refusal as it is told.
pub(super) fn turned(prepared: Prepared, refusal: Refusal, upload: &Upload) -> Turned {
    let Prepared { asked, mut meter, .. } = prepared;
    meter.moved_straight(upload.passed(), 0);
    Turned {
        declined: refusal.into(),
        fault: None,
        is_head: asked.is_head,
        is_http10: asked.is_http10,
        persists: asked.persists && upload.is_consumed() && !refusal.closes(),
        meter: Some(meter),
    }
}
