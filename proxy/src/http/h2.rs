//! HTTP/2 with clients: the h2 crate reads and writes frames, what they bring is ours.
//!
//! `serve` is the life of a connection, which one task drives (`drive`); each request has a task of its own
//! (`stream`): its head is judged (`request`) and goes on as text (`straight`) or in frames, the answer's body goes
//! out as windows open (`outgoing`), a WebSocket becomes a tunnel (`tunnel`).
//!
//! What a client can do without end and at no cost is counted as it comes by (`frames`, `budget`); what h2
//! counts itself is set in `context`. Who does too much is told ENHANCE_YOUR_CALM.
//!
//! Architecture invariant: a stream that ends before its end is reset, on both sides. A body that was taken
//! back never looks whole to a backend, nor an answer that broke off to a client.

mod budget;
mod drive;
pub mod frames;
mod head;
mod line;
mod outgoing;
mod places;
mod pulse;
mod request;
mod straight;
mod stream;
mod tunnel;
mod window;

use std::rc::Rc;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::Request;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout};

use super::{Client, ClientStream, Door};
use crate::refusal::Refusal;
use drive::{Drive, Ended};
use line::{Line, Measured};
use pulse::{Lapse, Pulse};

/// Serves HTTP/2 to the connection's end.
pub(crate) async fn serve<S: ClientStream + Measured>(mut stream: S, client: Rc<Client>) {
    let context = client.context.clone();
    let (timeouts, limits) = (&context.config().timeouts, &context.config().limits);
    let pulse = Pulse::new(limits, Instant::now());
    let handshake = context.h2.handshake(Line::new(&mut stream, pulse.clone()));
    let begin = |request, respond| begin(&client, &pulse, request, respond);
    let mut drive = Drive::new(handshake, pulse.clone(), timeouts, limits);
    let ended = drive.run(begin, timeouts, context.drain.clone(), &context.limits.idle).await;
    drop(drive);
    if let Some(refusal) = ended.refusal() {
        note(&client, refusal);
    }
    if ended == Ended::Lapsed(Lapse::Stalled) {
        // What it was sent and does not take shall not wait for it. Without the reset it does, for a while.
        let _ = stream.tcp().set_zero_linger();
    }
    if let Some(patience) = ended.heard_out(timeouts) {
        // A reset would overtake the GOAWAY, and answers (RFC 9112 9.6 says the same of HTTP/1). Who takes an answer
        // says so now and then; who is silent has all, or is in no hurry to close.
        let hear_out = async {
            let mut unheard = [0_u8; 1024];
            while let Ok(Ok(1..)) = timeout(timeouts.linger, stream.read(&mut unheard)).await {}
        };
        let _ = timeout(patience, hear_out).await;
    }
}

/// Has a request served by a task of its own.
fn begin(client: &Rc<Client>, pulse: &Pulse, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
    let context = &client.context;
    let (serving, begun) = pulse.begin(|| context.limits.another(client.peer.ip()));
    context.streams.spawn_local(stream::serve(client.clone(), request, respond, serving, begun));
}

/// Counts and logs a refusal of everything that is asked on a connection.
fn note(client: &Client, refusal: Refusal) {
    client.context.metrics().refusal(refusal);
    let tls = matches!(client.door, Door::Tls { .. });
    client.context.log_refusal(refusal, client.peer, "h2", tls, None);
}
