//! The story of a connection, from accept to its last byte.
//!
//! [`begin`] has each served by [`serve_plain`], for the port in the clear, or [`serve_tls`], for the TLS port. Each is a straight line;
//! the wrapper around it counts, logs and tells the client.
//!
//! Tasks are as large as the largest of what they may come to, and most connections wait for HTTP/1.1: what
//! others come to is boxed.

pub(crate) mod introduction;
mod passthrough;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use certs::Favourite;
use rustls::ServerConfig;
use tokio::net::TcpStream;

use crate::context::{Context, Open};
use crate::farewell;
use crate::hello;
use crate::http::{self, Client, Door};
use crate::limits::{Entered, Place};
use crate::listener::Accepted;
use crate::metrics::Port;
use crate::refusal::Refusal;
use crate::tls;
use introduction::{Introduced, Way};

/// A connection that was taken, and may be served.
pub(crate) struct Arrived {
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    open: Open,
}

/// Has a connection to `port` served, by a task of its own. Most have their place already, and their tasks shall not
/// carry the room for what others come to.
pub(crate) fn begin<F>(
    accepted: Accepted,
    port: Port,
    context: &Rc<Context>,
    serve: impl FnOnce(Arrived, Rc<Context>) -> F + 'static,
) where
    F: Future<Output = ()> + 'static,
{
    let Accepted { stream, peer, ticket } = accepted;
    let (open, tasks, context) = (Open::count(context.clone(), port), &context.connections, context.clone());
    match context.limits.enter(peer.ip(), ticket) {
        Ok(Entered::In(place)) => tasks.spawn_local(serve(Arrived { stream, peer, place, open }, context)),
        Ok(Entered::Waits(waiting)) => tasks.spawn_local(async move {
            match context.limits.wait(waiting).await {
                Ok(place) => serve(Arrived { stream, peer, place, open }, context).await,
                Err(refusal) => shut_out(stream, refusal, port, peer, &context, open).await,
            }
        }),
        Err(refusal) => tasks.spawn_local(async move {
            shut_out(stream, refusal, port, peer, &context, open).await;
        }),
    }
}

/// Serves a connection to the port in the clear.
pub(crate) fn serve_plain(arrived: Arrived, context: Rc<Context>) -> impl Future<Output = ()> {
    let Arrived { stream, peer, place, open } = arrived;
    http::serve_h1(stream, Client::new(context, peer, Door::Plain, place, open))
}

/// Serves a connection to the TLS port.
pub(crate) async fn serve_tls(arrived: Arrived, context: Rc<Context>) {
    let Arrived { mut stream, peer, place, open } = arrived;
    let introduced = match introduction::hear(&mut stream, &context, peer.ip()).await {
        Ok(Some(introduced)) => introduced,
        Ok(None) => return,
        Err(stranger) => {
            return Box::pin(turn_away(stream, stranger.refusal, stranger.name, peer, &context)).await;
        }
    };
    let Introduced { hello, name, way } = introduced;
    match way {
        Way::PassThrough(entry) => {
            // Held to the connection's end.
            let _held = (place, open);
            let passed = Box::pin(passthrough::run(stream, hello, entry, peer, &context)).await;
            if let Err((stream, refusal)) = passed {
                Box::pin(turn_away(stream, refusal, Some(name), peer, &context)).await;
            }
        }
        Way::Terminate(certificate) => {
            let config = certificate.server_config(match hello.favours_chacha20 {
                true => Favourite::ChaCha20,
                false => Favourite::Aes,
            });
            let door = Door::Tls { server_name: name, certificate };
            let client = Client::new(context.clone(), peer, door, place, open);
            let finished = terminate(stream, hello, config, client).await;
            if let Err(refusal) = finished {
                context.metrics().refusal(refusal);
                context.log_refusal(refusal, peer, "tls", true, None);
            }
        }
    }
}

/// Ends TLS here and serves HTTP within it.
async fn terminate(
    stream: TcpStream,
    hello: hello::Hello,
    config: Arc<ServerConfig>,
    client: Rc<Client>,
) -> Result<(), Refusal> {
    let context = client.context.clone();
    let timeout = context.config().timeouts.handshake;
    let stream = Box::pin(tls::finish(stream, hello.bytes, config, timeout)).await?;
    let metrics = context.metrics();
    metrics.handshakes.inc();
    metrics.handshakes_resumed.add(u64::from(tls::is_resumed(&stream)));
    if tls::speaks_h2(&stream) {
        Box::pin(http::serve_h2(stream, client)).await;
    } else {
        http::serve_h1(stream, client).await;
    }
    Ok(())
}

/// Tells a client that it is not connected. Before TLS is spoken there are no words for that, and many who hear
/// it are told nothing.
async fn shut_out(
    stream: TcpStream,
    refusal: Refusal,
    port: Port,
    peer: SocketAddr,
    context: &Context,
    _open: Open,
) {
    context.metrics().refusal(refusal);
    let tls = port == Port::Https;
    context.log_refusal(refusal, peer, if tls { "tls" } else { "http/1.1" }, tls, None);
    if port == Port::Http
        && let Some(_last_words) = context.limits.last_words()
    {
        let answer = http::raw_answer(refusal, &context.date());
        farewell::say(stream, &answer, context.config().timeouts.linger).await;
    }
}

/// Tells a client why it is not served, before TLS is spoken: by an alert, or in plain words when it
/// does not speak TLS.
async fn turn_away(
    stream: TcpStream,
    refusal: Refusal,
    name: Option<Box<str>>,
    peer: SocketAddr,
    context: &Context,
) {
    context.metrics().refusal(refusal);
    if let Some(entry) = name.as_deref().and_then(|name| context.route(name)) {
        let counters = entry.counters(context.worker);
        counters.requests.inc();
        counters.refused.inc();
    }
    context.log_refusal(refusal, peer, "tls", refusal != Refusal::NotTls, name);
    let linger = context.config().timeouts.linger;
    match refusal.tls_alert() {
        Some(alert) => farewell::say(stream, &alert.record(), linger).await,
        None if refusal == Refusal::NotTls => {
            farewell::say(stream, &http::raw_answer(refusal, &context.date()), linger).await;
        }
        None => {}
    }
}
