//! The story of a connection, from accept to its last byte.
//!
//! [`serve_plain`] for the port in the clear, [`serve_tls`] for the TLS port. Each is a straight line;
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

use crate::context::Context;
use crate::farewell;
use crate::hello;
use crate::http::{self, Client, Door};
use crate::listener::Accepted;
use crate::metrics::Port;
use crate::refusal::Refusal;
use crate::tls;
use introduction::{Introduced, Way};

/// Serves a connection to the port in the clear.
///
/// Not an `async fn`: that would hold all it is given twice, and this is held by each idle connection.
pub(crate) fn serve_plain(accepted: Accepted, context: Rc<Context>) -> impl Future<Output = ()> {
    let open = Open::count(context.clone(), Port::Http);
    async move {
        let _open = open;
        let peer = accepted.peer;
        match context.limits.enter(peer.ip(), accepted.ticket).await {
            Ok(place) => {
                let client = Client::new(context, peer, Door::Plain, place);
                http::serve_h1(accepted.stream, client).await;
            }
            Err(refusal) => {
                Box::pin(shut_out(accepted.stream, refusal, Port::Http, peer, &context)).await;
            }
        }
    }
}

/// Serves a connection to the TLS port.
pub(crate) async fn serve_tls(accepted: Accepted, context: Rc<Context>) {
    let Accepted { mut stream, peer, ticket } = accepted;
    let _open = Open::count(context.clone(), Port::Https);
    let place = match context.limits.enter(peer.ip(), ticket).await {
        Ok(place) => place,
        Err(refusal) => return Box::pin(shut_out(stream, refusal, Port::Https, peer, &context)).await,
    };
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
            let _place = place;
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
            let client = Client::new(context.clone(), peer, door, place);
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
async fn shut_out(stream: TcpStream, refusal: Refusal, port: Port, peer: SocketAddr, context: &Context) {
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

/// Counts a connection as open while it lives.
struct Open(Rc<Context>, Port);

impl Open {
    fn count(context: Rc<Context>, port: Port) -> Self {
        context.metrics().connection_begins(port);
        Self(context, port)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics().connection_ends(self.1);
    }
}
