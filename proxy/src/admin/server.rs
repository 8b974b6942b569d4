use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Admin, asked, respond};
use crate::config::fixed;

/// After an accept that failed for want of descriptors.
const BACKOFF: Duration = Duration::from_millis(100);

/// Answers on `listener` until dropped, during a drain too: that is when people look. Connections end
/// with it.
pub async fn serve(listener: TcpListener, admin: Arc<Admin>) {
    let permits = Arc::new(Semaphore::new(fixed::ADMIN_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // Never closed, so this only waits.
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BACKOFF).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let admin = admin.clone();
        connections.spawn(async move {
            // What goes wrong with a connection concerns its client alone.
            let _ = tokio::time::timeout(fixed::ADMIN_LIFETIME, talk(stream, admin)).await;
            drop(permit);
        });
    }
}

async fn talk(stream: TcpStream, admin: Arc<Admin>) -> hyper::Result<()> {
    // Beyond loopback it is asked by names that only whoever opened it there knows.
    let on_loopback = stream.local_addr().is_ok_and(|here| here.ip().to_canonical().is_loopback());
    let service = service_fn(|request: Request<Incoming>| {
        let response = match on_loopback && !asked::is_by_local_name(request.headers()) {
            true => respond::misdirected(),
            false => respond::to(&admin, request.method(), request.uri()),
        };
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(fixed::ADMIN_PATIENCE);
    builder.serve_connection(TokioIo::new(stream), service).await
}
