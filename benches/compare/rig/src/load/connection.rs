use std::io;

use super::script::{Exchange, Script};
use crate::poll::{Poll, Wants};
use crate::wire::Wire;

/// Bytes of uploads' bodies.
static BODY: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// What a connection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Working,
    Idle,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// More has to come.
    Waits,
    /// The unit is done.
    Done,
    /// The other side closed a connection on which nothing was under way.
    Closed,
}

pub(crate) struct Connection {
    pub(crate) wire: Wire,
    /// Number of its host.
    pub(crate) host: usize,
    /// When the unit under way was meant to begin.
    pub(crate) since: u64,
    stage: Stage,
    exchange: Exchange,
    /// Bytes of the exchange that were sent.
    sent: usize,
    /// Whether no unit was asked for yet.
    fresh: bool,
    wants: Wants,
}

impl Connection {
    /// A connection that begins its first unit, meant for `since`.
    pub(crate) fn begin(wire: Wire, host: usize, since: u64, script: &Script) -> Self {
        let (stage, exchange, fresh) = match script.opening(host) {
            Some(opening) => (Stage::Opening, opening, true),
            None => (Stage::Working, script.unit(host, true), false),
        };
        Self { wire, host, since, stage, exchange, sent: 0, fresh, wants: Wants::Read }
    }

    /// Begins another unit, meant for `since`.
    pub(crate) fn next(&mut self, host: usize, since: u64, script: &Script) {
        self.since = since;
        self.host = host;
        self.work(script);
    }

    fn work(&mut self, script: &Script) {
        self.exchange = script.unit(self.host, self.fresh);
        self.sent = 0;
        self.fresh = false;
        self.stage = Stage::Working;
    }

    /// Sends what can be sent, and watches for what is needed then.
    pub(crate) fn send(&mut self, poll: &Poll, token: usize) -> io::Result<()> {
        let flushed = self.wire.flush()?;
        let whole = flushed && self.push()?;
        let wants = if whole { Wants::Read } else { Wants::Both };
        if wants != self.wants {
            self.wants = wants;
            poll.rewatch(&self.wire, token, wants)?;
        }
        Ok(())
    }

    /// Whether all was taken.
    fn push(&mut self) -> io::Result<bool> {
        let Exchange { bytes, body, .. } = &mut self.exchange;
        if let Some(rest) = bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let taken = self.wire.write(rest)?;
            self.sent += taken;
            if taken < rest.len() {
                return Ok(false);
            }
        }
        while *body > 0 {
            let most = BODY.len().min(usize::try_from(*body).unwrap_or(usize::MAX));
            let taken = self.wire.write(BODY.get(..most).unwrap_or_default())?;
            *body -= taken as u64;
            if taken < most {
                return Ok(false);
            }
        }
        // Of TLS, what the socket did not take.
        Ok(self.wire.session().is_none_or(|session| !session.wants_write()))
    }

    /// Reads what there is.
    pub(crate) fn read(&mut self, buffer: &mut [u8], script: &Script) -> io::Result<Turn> {
        let got = self.wire.read(buffer)?;
        if got.bytes > 0 {
            let bytes = buffer.get(..got.bytes).unwrap_or_default();
            if self.stage == Stage::Idle {
                return Err(io::Error::other("an answer nobody asked for"));
            }
            if self.exchange.answer.take(bytes)? {
                return Ok(self.answered(script));
            }
        }
        match (got.end, self.stage) {
            (false, _) => Ok(Turn::Waits),
            (true, Stage::Idle) => Ok(Turn::Closed),
            (true, _) => Err(io::Error::other("closed before the answer was whole")),
        }
    }

    fn answered(&mut self, script: &Script) -> Turn {
        if self.stage == Stage::Opening {
            self.work(script);
            return Turn::Waits;
        }
        self.stage = Stage::Idle;
        Turn::Done
    }
}
