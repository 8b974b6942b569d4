//! The cheapest server there is for what the loads ask: whole answers are made once and kept.
//!
//! On one port HTTP/1.1: `GET /b/N` has N bytes, `POST /u` takes what Content-Length says, `GET /head` has
//! the request's own head, and an Upgrade gets WebSocket echo. On the other, behind a ClientHello of one
//! record, eight bytes (big endian) at a time say how many bytes are wanted.

mod behind_hello;
mod http;
mod websocket;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

use serde_json::json;

use crate::poll::{Poll, Ready, Wants};
use http::Answers;
pub(crate) use http::{field, find_head_end};
pub(crate) use websocket::{KEY, frame};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where HTTP/1.1 is served.
    #[arg(long, default_value = "127.0.0.1:0")]
    http: SocketAddr,
    /// Where bytes are served behind a ClientHello.
    #[arg(long, default_value = "127.0.0.1:0")]
    tls: SocketAddr,
}

const BUFFER: usize = 256 * 1024;
/// Tokens of the two listeners; connections come after them.
const LISTENERS: usize = 2;

/// What is spoken on a connection.
enum Speaks {
    Http(http::Reader),
    WebSocket(websocket::Reader),
    BehindHello(behind_hello::Reader),
}

/// Bytes to be sent: of something kept, from a place on; so often from the start.
pub(crate) struct Output {
    bytes: Rc<[u8]>,
    at: usize,
}

struct Connection {
    socket: TcpStream,
    speaks: Speaks,
    output: Option<Output>,
    /// Bytes of the kept body that are to follow the output.
    bulk: u64,
}

pub(crate) fn run(args: &Args) -> io::Result<()> {
    let listeners = [TcpListener::bind(args.http)?, TcpListener::bind(args.tls)?];
    for listener in &listeners {
        rustix::net::listen(listener, 4096)?;
        listener.set_nonblocking(true)?;
    }
    let [http, tls] = &listeners;
    crate::tell(&json!({ "http": http.local_addr()?, "tls": tls.local_addr()? }))?;
    Server::new(listeners)?.serve()
}

struct Server {
    poll: Poll,
    listeners: [TcpListener; LISTENERS],
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    answers: Answers,
    buffer: Vec<u8>,
}

impl Server {
    fn new(listeners: [TcpListener; LISTENERS]) -> io::Result<Self> {
        let poll = Poll::new()?;
        for (token, listener) in listeners.iter().enumerate() {
            poll.watch(listener, token, Wants::Read)?;
        }
        let (connections, free) = (Vec::new(), Vec::new());
        Ok(Self { poll, listeners, connections, free, answers: Answers::default(), buffer: vec![0; BUFFER] })
    }

    fn serve(&mut self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            self.poll.wait(None, &mut ready)?;
            for event in &ready {
                if event.token < LISTENERS {
                    self.accept(event.token)?;
                } else {
                    self.turn(event);
                }
            }
        }
    }

    fn accept(&mut self, listener: usize) -> io::Result<()> {
        let Some(from) = self.listeners.get(listener) else { return Ok(()) };
        // Out of descriptors or gone again: whoever asked finds out.
        let Ok((socket, _)) = from.accept() else { return Ok(()) };
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let place = self.free.pop().unwrap_or(self.connections.len());
        self.poll.watch(&socket, place + LISTENERS, Wants::Read)?;
        let speaks = match listener {
            0 => Speaks::Http(http::Reader::default()),
            _ => Speaks::BehindHello(behind_hello::Reader::default()),
        };
        let connection = Some(Connection { socket, speaks, output: None, bulk: 0 });
        match self.connections.get_mut(place) {
            Some(free) => *free = connection,
            None => self.connections.push(connection),
        }
        Ok(())
    }

    fn turn(&mut self, event: &Ready) {
        let place = event.token - LISTENERS;
        let Some(slot) = self.connections.get_mut(place) else { return };
        let Some(connection) = slot else { return };
        let goes_on = connection.turn(event, &self.poll, &mut self.answers, &mut self.buffer);
        // Errors are ends: what was cut shows at the other side.
        if !goes_on.unwrap_or(false) {
            *slot = None;
            self.free.push(place);
        }
    }
}

impl Connection {
    /// Whether the connection goes on.
    fn turn(
        &mut self,
        event: &Ready,
        poll: &Poll,
        answers: &mut Answers,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        let waited = self.waits();
        if event.read && !waited {
            let bytes = match self.socket.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            };
            self.take(buffer.get(..bytes).unwrap_or_default(), answers)?;
        }
        self.send(answers)?;
        if self.waits() != waited {
            let wants = if waited { Wants::Read } else { Wants::Write };
            poll.rewatch(&self.socket, event.token, wants)?;
        }
        Ok(true)
    }

    fn waits(&self) -> bool {
        self.output.is_some() || self.bulk > 0
    }

    fn take(&mut self, bytes: &[u8], answers: &mut Answers) -> io::Result<()> {
        match &mut self.speaks {
            Speaks::Http(reader) => {
                let Some(asked) = reader.take(bytes)? else { return Ok(()) };
                self.output = Some(Output { bytes: answers.to(&asked), at: 0 });
                if matches!(asked, http::Asked::WebSocket) {
                    self.speaks = Speaks::WebSocket(websocket::Reader::default());
                }
            }
            Speaks::WebSocket(reader) => {
                let echo = reader.take(bytes)?;
                if !echo.is_empty() {
                    self.output = Some(Output { bytes: echo.into(), at: 0 });
                }
            }
            Speaks::BehindHello(reader) => self.bulk += reader.take(bytes),
        }
        Ok(())
    }

    fn send(&mut self, answers: &Answers) -> io::Result<()> {
        if let Some(output) = &mut self.output {
            let rest = output.bytes.get(output.at..).unwrap_or_default();
            output.at += written(self.socket.write(rest))?;
            if output.at < output.bytes.len() {
                return Ok(());
            }
            self.output = None;
        }
        while self.bulk > 0 {
            let most = answers.bulk().len().min(usize::try_from(self.bulk).unwrap_or(usize::MAX));
            let sent = written(self.socket.write(answers.bulk().get(..most).unwrap_or_default()))?;
            self.bulk -= sent as u64;
            if sent < most {
                break;
            }
        }
        Ok(())
    }
}

fn written(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
