use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::access_log::Note;
use crate::context::Context;
use crate::hello::Hello;
use crate::metrics::Tunnel;
use crate::refusal::Refusal;
use crate::relay::{self, Account as _, End, TunnelMeter, leash};
use crate::routes::RouteEntry;
use crate::upstream::{DialError, Lease};

/// Carries a TLS connection to a backend of `entry` without opening it. The client comes back when no
/// backend took the connection.
pub(super) async fn run(
    mut client: TcpStream,
    hello: Hello,
    entry: Arc<RouteEntry>,
    peer: SocketAddr,
    context: &Rc<Context>,
) -> Result<(), (TcpStream, Refusal)> {
    let started = Instant::now();
    let admitted = match context.limits.admit(entry.clone(), peer.ip(), started) {
        Ok(admitted) => admitted,
        Err(refusal) => return Err((client, refusal)),
    };
    let watch = context.shared.routes.watch(&entry);
    let (lease, mut backend) = match connect(context, &entry, &hello.bytes).await {
        Ok(connected) => connected,
        Err(refusal) => return Err((client, refusal)),
    };
    let sent = hello.bytes.len() as u64;
    drop(hello);
    let note = context.log.is_on().then(|| {
        let upstream = Some(lease.upstream().clone());
        Box::new(Note { upstream, ..Note::new(SystemTime::now(), peer, "tls", true) })
    });
    let meter = TunnelMeter::begin(context.clone(), Tunnel::SecureTcp, entry, started, note);
    let config = context.config();
    let stop = leash(watch, peer.ip(), config.timeouts.tunnel_grace);
    let (buffer, idle) = (config.limits.relay_buffer, config.timeouts.tunnel_idle);
    meter.to_backend(sent);
    let end = relay::run(&mut client, &mut backend, buffer, idle, stop, &meter).await;
    if end != End::Whole {
        // A reset stays a reset, and what was cut must not look like an orderly end. Without it the
        // end looks orderly, which is all that is lost.
        let _ = client.set_zero_linger();
        let _ = backend.set_zero_linger();
    }
    drop((admitted, lease));
    Ok(())
}

/// Connects to a backend, or to one other when the first does not take the connection, and says the
/// hello to it.
async fn connect(context: &Context, entry: &RouteEntry, hello: &[u8]) -> Result<(Lease, TcpStream), Refusal> {
    let upstreams = &context.upstreams;
    let lease = upstreams.choose(entry, None).ok_or(Refusal::NoBackend)?;
    let (lease, mut stream) = match upstreams.dial(&lease).await {
        Ok(stream) => (lease, stream),
        Err(error) => {
            let failed = lease.upstream().id();
            drop(lease);
            let Some(lease) = upstreams.choose(entry, Some(failed)) else { return Err(refusal(error)) };
            context.metrics().retries.inc();
            let stream = upstreams.dial(&lease).await.map_err(refusal)?;
            (lease, stream)
        }
    };
    // A fresh connection takes a hello whole; if it does not, the backend is gone already.
    stream.write_all(hello).await.map_err(|_| Refusal::BackendReset)?;
    Ok((lease, stream))
}

fn refusal(error: DialError) -> Refusal {
    match error {
        DialError::Forbidden(_) => Refusal::BackendForbidden,
        DialError::Timeout | DialError::Refused | DialError::Failed(_) => Refusal::ConnectFailed,
    }
}
