//! Binds the ports and takes connections, never more than there are permits for.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

use crate::drain::Signal;

/// A port that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({flag}): {}", .advice)]
pub struct ListenError {
    /// What was asked for.
    pub address: SocketAddr,
    /// The option that chooses it.
    pub flag: &'static str,
    /// What is the matter and what helps.
    pub advice: String,
    /// What the kernel said.
    #[source]
    pub source: io::Error,
}

/// The sockets of one port, one for each worker, all bound to the same address.
///
/// The kernel shares connections out among them. A process of the same user that asked for the same
/// port with `SO_REUSEPORT` would silently get a share as well, so the port is first tried without it.
pub(crate) fn bind(
    address: SocketAddr,
    flag: &'static str,
    workers: usize,
    backlog: i32,
) -> Result<Vec<StdListener>, ListenError> {
    let fail = |source: io::Error| ListenError { address, flag, advice: advice(&source, flag), source };
    if address.port() != 0 {
        drop(listen(address, false, 1).map_err(fail)?);
    }
    let mut sockets: Vec<StdListener> = Vec::with_capacity(workers);
    for _ in 0..workers.max(1) {
        let bound = match sockets.first() {
            Some(first) => first.local_addr().map_err(fail)?,
            None => address,
        };
        sockets.push(listen(bound, true, backlog).map_err(fail)?);
    }
    Ok(sockets)
}

/// One socket for one port, as the admin server needs it.
pub(crate) fn bind_one(address: SocketAddr, flag: &'static str) -> Result<StdListener, ListenError> {
    listen(address, false, 128).map_err(|source| ListenError {
        address,
        flag,
        advice: advice(&source, flag),
        source,
    })
}

fn listen(address: SocketAddr, shared: bool, backlog: i32) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the last run may still be in TIME_WAIT; they must not keep the port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    // Taken connections inherit it: one call here instead of one for each.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

fn advice(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another process has this port; stop it, or choose another with {flag} ADDR")
        }
        io::ErrorKind::PermissionDenied => format!(
            "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose one from 1024 up with {flag} ADDR"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no such address; choose one it has with {flag} ADDR")
        }
        _ => format!("{error}; choose another address with {flag} ADDR"),
    }
}

/// What accepting needs to know.
pub(crate) struct Gate {
    /// One permit for each connection that may be open.
    pub(crate) permits: Arc<Semaphore>,
    /// How long to wait when the process is out of descriptors.
    pub(crate) backoff: Duration,
    /// Tells when to stop.
    pub(crate) drain: Signal,
}

/// A taken connection. It counts against the limit until the permit is dropped.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Accepted {
    /// A peer who came by IPv4 to a socket for both is called by its IPv4 address.
    fn new(stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) -> Self {
        Self { stream, peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()), permit }
    }
}

/// Takes connections until a drain begins, then those already in the queue, and closes the socket.
///
/// `starved` is told each time the process was out of descriptors or memory.
pub(crate) async fn accept(
    listener: StdListener,
    mut gate: Gate,
    mut serve: impl FnMut(Accepted),
    starved: impl Fn(),
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut permits = PollSemaphore::new(gate.permits.clone());
    let mut drain = gate.drain.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            () = drain.draining() => break,
            accepted = take(&listener, &mut permits) => accepted,
        };
        match accepted {
            Ok(Some(accepted)) => serve(accepted),
            Ok(None) => {}
            Err(error) if is_starved(&error) => {
                starved();
                tokio::select! {
                    () = gate.drain.draining() => break,
                    () = tokio::time::sleep(gate.backoff) => {}
                }
            }
            // The client gave up while it waited in the queue.
            Err(_) => {}
        }
    }
    empty(listener.into_std()?, &gate.permits, serve)
}

/// The permit comes first: without one the connection waits in the kernel's queue. While nobody comes it
/// goes back, for another port or worker may have a connection and need it.
async fn take(listener: &TcpListener, permits: &mut PollSemaphore) -> io::Result<Option<Accepted>> {
    poll_fn(|cx| {
        let Some(permit) = ready!(permits.poll_acquire(cx)) else { return Poll::Ready(Ok(None)) };
        let accepted = ready!(listener.poll_accept(cx));
        Poll::Ready(accepted.map(|(stream, peer)| Some(Accepted::new(stream, peer, permit))))
    })
    .await
}

/// Serves who is in the queue already: closing the socket would reset them.
fn empty(listener: StdListener, permits: &Arc<Semaphore>, mut serve: impl FnMut(Accepted)) -> io::Result<()> {
    while let Ok(permit) = permits.clone().try_acquire_owned() {
        let Ok((stream, peer)) = listener.accept() else { break };
        stream.set_nonblocking(true)?;
        serve(Accepted::new(TcpStream::from_std(stream)?, peer, permit));
    }
    Ok(())
}

/// `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`: accepting anew at once would only spin.
fn is_starved(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let starving = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| starving.iter().any(|errno| errno.raw_os_error() == code))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::Ipv4Addr;
    use std::rc::Rc;

    use super::*;
    use crate::drain;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn all_workers_share_a_port_that_nobody_else_gets() {
        let sockets = bind(ANY, "--http", 3, 16).unwrap();
        let address = sockets[0].local_addr().unwrap();
        assert!(sockets.iter().all(|socket| socket.local_addr().unwrap() == address));
        let error = bind(address, "--http", 1, 16).unwrap_err().to_string();
        assert!(error.contains("another process has this port") && error.contains("--http ADDR"), "{error}");
        drop(sockets);
        bind(address, "--http", 1, 16).unwrap();
    }

    #[test]
    fn an_address_of_another_machine_is_told_apart() {
        let error = bind("192.0.2.1:8080".parse().unwrap(), "--https", 1, 16).unwrap_err();
        assert!(error.to_string().contains("no such address"), "{error}");
    }

    #[tokio::test]
    async fn a_peer_is_called_by_its_ipv4_address_on_a_socket_for_both() {
        let port = |listener: &StdListener| listener.local_addr().unwrap().port();
        let listener = bind("[::]:0".parse().unwrap(), "--http", 1, 16).unwrap().remove(0);
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port(&listener));
        let listener = TcpListener::from_std(listener).unwrap();
        let mut permits = PollSemaphore::new(Arc::new(Semaphore::new(1)));
        let (accepted, client) = tokio::join!(take(&listener, &mut permits), TcpStream::connect(address));
        assert_eq!(accepted.unwrap().unwrap().peer, client.unwrap().local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_port_nobody_comes_to_keeps_no_permit() {
        let mut ports: Vec<_> = (0..2).map(|_| bind(ANY, "--http", 1, 16).unwrap().remove(0)).collect();
        let busy = ports.remove(1);
        let address = busy.local_addr().unwrap();
        let permits = Arc::new(Semaphore::new(1));
        let (hand, signal) = drain::channel();
        let gate = || Gate { permits: permits.clone(), backoff: Duration::ZERO, drain: signal.clone() };
        let (idle, served) = (accept(ports.remove(0), gate(), drop, || {}), Cell::new(0));
        let busy = accept(busy, gate(), |_| served.set(served.get() + 1), || {});
        let reaches = async |count| {
            while served.get() < count {
                tokio::task::yield_now().await;
            }
        };
        let client = async {
            for count in 1..=3 {
                let _client = TcpStream::connect(address).await.unwrap();
                reaches(count).await;
            }
            hand.start();
        };
        let (idle, busy, ()) = tokio::join!(idle, busy, client);
        assert_eq!((idle.is_ok(), busy.is_ok(), served.get()), (true, true, 3));
    }

    #[tokio::test]
    async fn takes_no_more_than_permitted_and_empties_the_queue_at_the_end() {
        let listener = bind(ANY, "--http", 1, 16).unwrap().remove(0);
        let address = listener.local_addr().unwrap();
        let permits = Arc::new(Semaphore::new(1));
        let (hand, signal) = drain::channel();
        let gate = Gate { permits: permits.clone(), backoff: Duration::from_millis(1), drain: signal };
        let (count, held) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
        let serve = |accepted: Accepted| {
            count.set(count.get() + 1);
            held.set(Some(accepted));
        };
        let clients = async {
            let first = TcpStream::connect(address).await.unwrap();
            let second = TcpStream::connect(address).await.unwrap();
            while count.get() == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!((count.get(), permits.available_permits()), (1, 0));
            drop(held.take());
            while count.get() == 1 {
                tokio::task::yield_now().await;
            }
            permits.add_permits(10);
            let third = TcpStream::connect(address).await.unwrap();
            hand.start();
            (first, second, third)
        };
        let (done, _clients) = tokio::join!(accept(listener, gate, serve, || {}), clients);
        done.unwrap();
        assert_eq!(count.get(), 3, "the one in the queue was served");
        assert!(TcpStream::connect(address).await.is_err(), "the socket is closed");
    }
}
