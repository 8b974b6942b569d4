use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::connection::{Connection, Turn};
use super::tally::Tally;
use super::{Args, Script};
use crate::clock::now;
use crate::poll::{Poll, Ready, Wants};
use crate::random::Random;
use crate::tls;
use crate::wire::Wire;

const BUFFER: usize = 512 * 1024;
const TIMER: usize = usize::MAX;
/// How often the end of the time is looked for while nothing happens.
const LOOK: u64 = 5_000_000;
/// Units that may wait for a connection when they come at a rate.
const QUEUE: usize = 100_000;
/// Addresses connections come from in turn, so that ports do not run out.
const SOURCES: u8 = 32;
/// Failures in a row after which it is no use.
const HOPELESS: u64 = 2_000;

/// Connections at work.
pub(crate) struct Engine {
    pub(crate) tally: Tally,
    script: Script,
    target: SocketAddr,
    most: usize,
    once: bool,
    poll: Poll,
    connections: Vec<Option<Connection>>,
    /// Places without a connection, and connections without work.
    free: Vec<usize>,
    idle: Vec<usize>,
    /// When units were meant that no connection had time for.
    late: VecDeque<u64>,
    pace: Option<Pace>,
    random: Random,
    buffer: Vec<u8>,
    dialled: u8,
    in_a_row: u64,
}

/// When units are meant to begin.
struct Pace {
    timer: OwnedFd,
    next: f64,
    step: f64,
}

impl Engine {
    pub(crate) fn new(args: &Args, script: Script) -> io::Result<Self> {
        let poll = Poll::new()?;
        let pace = args.rate.map(|rate| Pace::new(rate, &poll)).transpose()?;
        let mut engine = Self {
            tally: Tally::default(),
            script,
            target: args.target,
            most: args.connections,
            once: args.once,
            poll,
            connections: Vec::new(),
            free: Vec::new(),
            idle: Vec::new(),
            late: VecDeque::new(),
            pace,
            random: Random::new(args.seed),
            buffer: vec![0; BUFFER],
            dialled: 0,
            in_a_row: 0,
        };
        if engine.pace.is_none() {
            for _ in 0..args.connections {
                engine.open(now());
            }
        }
        Ok(engine)
    }

    pub(crate) fn run_until(&mut self, end: u64) -> io::Result<()> {
        let mut ready = Vec::new();
        while now() < end {
            self.poll.wait(Some(LOOK), &mut ready)?;
            for event in &ready {
                if event.token == TIMER { self.begin_those_due()? } else { self.turn(event) }
            }
            if self.in_a_row > HOPELESS {
                let errors = self.tally.results();
                return Err(io::Error::other(format!("nothing but failures: {errors}")));
            }
        }
        Ok(())
    }

    fn begin_those_due(&mut self) -> io::Result<()> {
        let Some(pace) = &mut self.pace else { return Ok(()) };
        let mut due = Vec::new();
        pace.due(now(), &mut due)?;
        for since in due {
            self.begin(since);
        }
        Ok(())
    }

    /// Begins a unit on a connection that has no work, on a new one, or later.
    fn begin(&mut self, since: u64) {
        if let Some(place) = self.idle.pop() {
            self.ask(place, since);
        } else if self.connections.len() - self.free.len() < self.most {
            self.open(since);
        } else if self.late.len() < QUEUE {
            self.late.push_back(since);
        } else {
            self.tally.dropped += 1;
        }
    }

    fn open(&mut self, since: u64) {
        let place = self.free.pop().unwrap_or(self.connections.len());
        if place == self.connections.len() {
            self.connections.push(None);
        }
        match self.dial(place, since) {
            Ok(connection) => {
                self.tally.opened();
                if let Some(slot) = self.connections.get_mut(place) {
                    *slot = Some(connection);
                }
                self.send(place);
            }
            Err(error) => self.lose(place, &error),
        }
    }

    fn dial(&mut self, place: usize, since: u64) -> io::Result<Connection> {
        let host = self.random.below(self.script.hosts.len());
        self.dialled = self.dialled % SOURCES + 1;
        let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 1, self.dialled)), 0);
        let socket = Wire::connect(self.target, self.target.is_ipv4().then_some(from))?;
        let wire = match &self.script.tls {
            None => Wire::Plain(socket),
            Some(config) => {
                let name = self.script.hosts.get(host).map(String::as_str).unwrap_or_default();
                Wire::Tls { socket, session: Box::new(tls::session(config, name)?.into()) }
            }
        };
        self.poll.watch(&wire, place, Wants::Read)?;
        Ok(Connection::begin(wire, host, since, &self.script))
    }

    /// Asks for another unit on a connection that is there.
    fn ask(&mut self, place: usize, since: u64) {
        let Some(Some(connection)) = self.connections.get_mut(place) else { return };
        let mixes = self.script.mixes_hosts();
        let host = if mixes { self.random.below(self.script.hosts.len()) } else { connection.host };
        connection.next(host, since, &self.script);
        self.send(place);
    }

    fn send(&mut self, place: usize) {
        let Some(Some(connection)) = self.connections.get_mut(place) else { return };
        if let Err(error) = connection.send(&self.poll, place) {
            self.lose(place, &error);
        }
    }

    fn turn(&mut self, event: &Ready) {
        let place = event.token;
        let Some(Some(connection)) = self.connections.get_mut(place) else { return };
        let turn = if event.read { connection.read(&mut self.buffer, &self.script) } else { Ok(Turn::Waits) };
        match turn {
            Ok(Turn::Waits) => self.send(place),
            Ok(Turn::Done) => self.done(place),
            Ok(Turn::Closed) => {
                self.idle.retain(|&idle| idle != place);
                self.close(place);
            }
            Err(error) => self.lose(place, &error),
        }
    }

    fn done(&mut self, place: usize) {
        let Some(Some(connection)) = self.connections.get_mut(place) else { return };
        self.in_a_row = 0;
        self.tally.done(now().saturating_sub(connection.since));
        if self.once {
            if let Some(session) = connection.wire.session() {
                self.tally.shook_hands(session);
            }
            self.close(place);
        } else {
            self.idle.push(place);
        }
        match (&self.pace, self.late.pop_front()) {
            (_, Some(since)) => self.begin(since),
            (None, None) => self.begin(now()),
            (Some(_), None) => {}
        }
    }

    fn close(&mut self, place: usize) {
        if let Some(slot) = self.connections.get_mut(place) {
            *slot = None;
            self.free.push(place);
        }
    }

    fn lose(&mut self, place: usize, error: &io::Error) {
        self.in_a_row += 1;
        self.tally.failed(error);
        self.close(place);
        if self.pace.is_none() && self.in_a_row <= HOPELESS {
            self.open(now());
        }
    }
}

impl Pace {
    fn new(rate: f64, poll: &Poll) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        poll.watch(&timer, TIMER, Wants::Read)?;
        let step = 1e9 / rate;
        let pace = Self { timer, next: now() as f64 + step, step };
        pace.set()?;
        Ok(pace)
    }

    /// The moments that have come.
    fn due(&mut self, now: u64, due: &mut Vec<u64>) -> io::Result<()> {
        while self.next as u64 <= now {
            due.push(self.next as u64);
            self.next += self.step;
        }
        self.set()
    }

    /// Setting the timer anew also takes back that it had gone off.
    fn set(&self) -> io::Result<()> {
        let at = self.next as u64;
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec {
            tv_sec: (at / 1_000_000_000).cast_signed(),
            tv_nsec: (at % 1_000_000_000).cast_signed(),
        };
        timerfd_settime(
            &self.timer,
            TimerfdTimerFlags::ABSTIME,
            &Itimerspec { it_interval: once, it_value: value },
        )?;
        Ok(())
    }
}
