//! Binds the ports and takes connections: as many as there are places for, and a few that wait for one.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

use crate::config::Config;
use crate::drain::Signal;
use crate::limits::Ticket;

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

/// What the kernel does for the connections of a port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Length of the accept queue.
    pub(crate) backlog: i32,
    /// Bytes it holds that are not on the wire, per connection.
    pub(crate) unsent: u32,
    /// How long it keeps what a client does not take or acknowledge.
    pub(crate) unacknowledged: Duration,
}

impl Terms {
    /// Those for clients.
    pub(crate) fn of(config: &Config) -> Self {
        let (limits, timeouts) = (&config.limits, &config.timeouts);
        Self { backlog: limits.backlog, unsent: limits.unsent, unacknowledged: timeouts.unacknowledged }
    }
}

/// The sockets of one port, one for each worker, all bound to the same address.
///
/// The kernel shares connections out among them. A process of the same user that asked for the same
/// port with `SO_REUSEPORT` would silently get a share as well, so the port is first tried without it.
pub(crate) fn bind(
    address: SocketAddr,
    flag: &'static str,
    workers: usize,
    terms: Terms,
) -> Result<Vec<StdListener>, ListenError> {
    let fail = |source: io::Error| ListenError { address, flag, advice: advice(&source, flag), source };
    if address.port() != 0 {
        drop(listen(address, false, terms).map_err(fail)?);
    }
    let mut sockets: Vec<StdListener> = Vec::with_capacity(workers);
    for _ in 0..workers.max(1) {
        let bound = match sockets.first() {
            Some(first) => first.local_addr().map_err(fail)?,
            None => address,
        };
        sockets.push(listen(bound, true, terms).map_err(fail)?);
    }
    Ok(sockets)
}

/// One socket for one port, as the admin server needs it.
pub(crate) fn bind_one(
    address: SocketAddr,
    flag: &'static str,
    terms: Terms,
) -> Result<StdListener, ListenError> {
    listen(address, false, Terms { backlog: 128, ..terms }).map_err(|source| ListenError {
        address,
        flag,
        advice: advice(&source, flag),
        source,
    })
}

fn listen(address: SocketAddr, shared: bool, terms: Terms) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the last run may still be in TIME_WAIT; they must not keep the port.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    // Taken connections inherit these: one call here instead of one for each.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(terms.unsent)?;
    socket.set_tcp_user_timeout(Some(terms.unacknowledged))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(terms.backlog)?;
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
    /// One place for each connection that may be open.
    pub(crate) places: Arc<Semaphore>,
    /// One for each that may wait for a place.
    pub(crate) waiting: Arc<Semaphore>,
    /// How long to wait when the process is out of descriptors.
    pub(crate) backoff: Duration,
    /// Length of the kernel's accept queue.
    pub(crate) queue: i32,
    /// Tells when to stop.
    pub(crate) drain: Signal,
}

/// A taken connection.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) ticket: Ticket,
}

impl Accepted {
    /// A peer who came by IPv4 to a socket for both is called by its IPv4 address.
    fn new(stream: TcpStream, peer: SocketAddr, ticket: Ticket) -> Self {
        Self { stream, peer: SocketAddr::new(peer.ip().to_canonical(), peer.port()), ticket }
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
    let mut waiting = PollSemaphore::new(gate.waiting.clone());
    let mut drain = gate.drain.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            () = drain.draining() => break,
            accepted = take(&listener, &gate.places, &mut waiting) => accepted,
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
    empty(listener.into_std()?, &gate, serve)
}

/// The ticket comes first: without one the connection waits in the kernel's queue. While nobody comes it
/// goes back, for another port or worker may have a connection and need it.
///
/// Those who wait stand in line for places, and this does not: it gets one when nobody waits.
async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    waiting: &mut PollSemaphore,
) -> io::Result<Option<Accepted>> {
    poll_fn(|cx| {
        let ticket = match places.clone().try_acquire_owned() {
            Ok(place) => Ticket::Place(place),
            Err(_) => match ready!(waiting.poll_acquire(cx)) {
                Some(wait) => Ticket::Waits(wait),
                None => return Poll::Ready(Ok(None)),
            },
        };
        let accepted = ready!(listener.poll_accept(cx));
        Poll::Ready(accepted.map(|(stream, peer)| Some(Accepted::new(stream, peer, ticket))))
    })
    .await
}

/// Serves who is in the queue already: closing the socket would reset them. There are no more than the queue
/// holds, and one that is just coming; who comes meanwhile is too late, or a flood would keep the worker here.
fn empty(listener: StdListener, gate: &Gate, mut serve: impl FnMut(Accepted)) -> io::Result<()> {
    for _ in 0..=gate.queue {
        let Ok(place) = gate.places.clone().try_acquire_owned() else { break };
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || is_starved(&error) => break,
            // That client gave up while it waited.
            Err(_) => continue,
        };
        stream.set_nonblocking(true)?;
        serve(Accepted::new(TcpStream::from_std(stream)?, peer, Ticket::Place(place)));
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
    use std::cell::{Cell, RefCell};
    use std::net::Ipv4Addr;
    use std::rc::Rc;

    use super::*;
    use crate::drain;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    fn terms() -> Terms {
        Terms { unsent: 20_000, ..Terms::of(&Config::default()) }
    }

    #[tokio::test]
    async fn taken_connections_are_under_the_terms_of_their_port() {
        let listener = TcpListener::from_std(bind(ANY, "--http", 1, terms()).unwrap().remove(0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (taken, _client) = tokio::join!(listener.accept(), client);
        let taken = taken.unwrap().0;
        let socket = socket2::SockRef::from(&taken);
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), 20_000);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(terms().unacknowledged));
        assert!(socket.tcp_nodelay().unwrap());
    }

    #[test]
    fn all_workers_share_a_port_that_nobody_else_gets() {
        let sockets = bind(ANY, "--http", 3, terms()).unwrap();
        let address = sockets[0].local_addr().unwrap();
        assert!(sockets.iter().all(|socket| socket.local_addr().unwrap() == address));
        let error = bind(address, "--http", 1, terms()).unwrap_err().to_string();
        assert!(error.contains("another process has this port") && error.contains("--http ADDR"), "{error}");
        drop(sockets);
        bind(address, "--http", 1, terms()).unwrap();
    }

    #[test]
    fn an_address_of_another_machine_is_told_apart() {
        let error = bind("192.0.2.1:8080".parse().unwrap(), "--https", 1, terms()).unwrap_err();
        assert!(error.to_string().contains("no such address"), "{error}");
    }

    #[tokio::test]
    async fn a_peer_is_called_by_its_ipv4_address_on_a_socket_for_both() {
        let port = |listener: &StdListener| listener.local_addr().unwrap().port();
        let listener = bind("[::]:0".parse().unwrap(), "--http", 1, terms()).unwrap().remove(0);
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port(&listener));
        let listener = TcpListener::from_std(listener).unwrap();
        let places = Arc::new(Semaphore::new(1));
        let mut waiting = PollSemaphore::new(Arc::new(Semaphore::new(1)));
        let taken = take(&listener, &places, &mut waiting);
        let (accepted, client) = tokio::join!(taken, TcpStream::connect(address));
        assert_eq!(accepted.unwrap().unwrap().peer, client.unwrap().local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_port_nobody_comes_to_keeps_no_permit() {
        let mut ports: Vec<_> = (0..2).map(|_| bind(ANY, "--http", 1, terms()).unwrap().remove(0)).collect();
        let busy = ports.remove(1);
        let address = busy.local_addr().unwrap();
        let (places, waiting) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(1)));
        let (hand, signal) = drain::channel();
        let gate = || Gate {
            places: places.clone(),
            waiting: waiting.clone(),
            backoff: Duration::ZERO,
            queue: 16,
            drain: signal.clone(),
        };
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
    async fn takes_who_has_a_place_and_who_may_wait_and_empties_the_queue_at_the_end() {
        let listener = bind(ANY, "--http", 1, terms()).unwrap().remove(0);
        let address = listener.local_addr().unwrap();
        let (places, waiting) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
        let (hand, signal) = drain::channel();
        let gate = Gate {
            places: places.clone(),
            waiting: waiting.clone(),
            backoff: Duration::from_millis(1),
            queue: 16,
            drain: signal,
        };
        let taken = Rc::new(RefCell::new(Vec::<Accepted>::new()));
        let reaches = async |count| {
            while taken.borrow().len() < count {
                tokio::task::yield_now().await;
            }
        };
        let clients = async {
            let mut clients = Vec::new();
            for _ in 0..3 {
                clients.push(TcpStream::connect(address).await.unwrap());
            }
            reaches(2).await;
            let waits = |at: usize| matches!(taken.borrow()[at].ticket, Ticket::Waits(_));
            assert_eq!((waits(0), waits(1)), (false, true));
            assert_eq!((places.available_permits(), waiting.available_permits()), (0, 0));
            taken.borrow_mut().remove(1);
            reaches(2).await;
            assert!(matches!(taken.borrow()[1].ticket, Ticket::Waits(_)), "the next one may wait");
            places.add_permits(10);
            clients.push(TcpStream::connect(address).await.unwrap());
            hand.start();
            clients
        };
        let serve = |accepted: Accepted| taken.borrow_mut().push(accepted);
        let (done, _clients) = tokio::join!(accept(listener, gate, serve, || {}), clients);
        done.unwrap();
        assert_eq!(taken.borrow().len(), 3, "the one in the queue was served");
        assert!(TcpStream::connect(address).await.is_err(), "the socket is closed");
    }

    #[tokio::test]
    async fn who_comes_while_the_queue_is_emptied_does_not_keep_it_open() {
        let listener = bind(ANY, "--http", 1, terms()).unwrap().remove(0);
        let address = listener.local_addr().unwrap();
        let (hand, drain) = drain::channel();
        hand.start();
        let (places, waiting) = (Arc::new(Semaphore::new(100)), Arc::new(Semaphore::new(1)));
        let gate = Gate { places, waiting, backoff: Duration::ZERO, queue: 1, drain };
        let come = || std::net::TcpStream::connect(address).unwrap();
        let mut came = vec![come()];
        let mut taken = 0;
        // For each that is taken another one comes, which connects at once: the kernel does it.
        let serve = |accepted: Accepted| {
            taken += 1;
            came.push(come());
            drop(accepted);
        };
        accept(listener, gate, serve, || {}).await.unwrap();
        assert_eq!((taken, came.len()), (2, 3));
    }
}
