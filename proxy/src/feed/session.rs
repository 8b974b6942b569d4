//! What the messages of a feed mean. Pure: messages in, steps out.

use proto::wire::{self, follow_response::Message};
use proto::{FieldFaults, Revision, Route, RouteUpdate};

/// One stream, as the proxy sees it.
pub(super) struct Session {
    held: Option<Revision>,
    most: usize,
    stage: Stage,
}

enum Stage {
    /// Deltas on what is held are expected.
    Following,
    /// A whole table is expected; whatever else comes was sent before control knew that.
    Waiting,
    /// A whole table is coming.
    Receiving(Partial),
}

/// What has come of a whole table.
struct Partial {
    revision: Option<Revision>,
    announced: u64,
    seen: u64,
    routes: Vec<Route>,
    faults: Vec<String>,
}

/// What is to be done about a message.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing.
    None,
    /// Apply this, and tell [`Session::applied`] or [`Session::refused`].
    Apply(RouteUpdate),
    /// Tell control why the revision is refused. Control sends a whole table then.
    Refuse(Refused),
}

/// A revision that is not served.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) revision: Option<Revision>,
    pub(super) reasons: Vec<String>,
}

/// More reasons than this help nobody.
const REASONS_MAX: usize = 20;

impl Session {
    /// A stream that begins with this held. `most` is how many routes a table may have.
    pub(super) fn new(held: Option<Revision>, most: usize) -> Self {
        let stage = if held.is_some() { Stage::Following } else { Stage::Waiting };
        Self { held, most, stage }
    }

    /// A message has come.
    pub(super) fn on(&mut self, message: Message) -> Step {
        match message {
            Message::SnapshotBegin(begin) => {
                self.stage = Stage::Receiving(Partial::new(&begin, self.most));
                Step::None
            }
            Message::SnapshotChunk(chunk) => self.on_chunk(chunk),
            Message::SnapshotEnd(end) => self.on_end(&end),
            Message::Delta(delta) => self.on_delta(delta),
            Message::Heartbeat(heartbeat) => self.on_heartbeat(&heartbeat),
        }
    }

    /// The update of the last step is served.
    pub(super) fn applied(&mut self, revision: Revision) {
        self.held = Some(revision);
        self.stage = Stage::Following;
    }

    /// The update of the last step could not be applied.
    pub(super) fn refused(&mut self) {
        self.stage = Stage::Waiting;
    }

    fn on_chunk(&mut self, chunk: wire::SnapshotChunk) -> Step {
        match &mut self.stage {
            Stage::Receiving(partial) => {
                partial.take(chunk, self.most);
                Step::None
            }
            Stage::Waiting => Step::None,
            Stage::Following => self.refuse(None, "routes of a snapshot came before its beginning"),
        }
    }

    fn on_end(&mut self, end: &wire::SnapshotEnd) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Waiting) {
            Stage::Receiving(partial) => partial.finish(end.revision.map(Revision::from)),
            Stage::Waiting => Step::None,
            Stage::Following => self.refuse(None, "the end of a snapshot came before its beginning"),
        }
    }

    fn on_delta(&mut self, delta: wire::Delta) -> Step {
        let revision = delta.revision.map(Revision::from);
        match self.stage {
            Stage::Following => {}
            Stage::Waiting => return Step::None,
            Stage::Receiving(_) => return self.refuse(revision, "a delta came within a snapshot"),
        }
        if delta.base.map(Revision::from) != self.held {
            let text = |r: Option<Revision>| r.map_or("none".to_owned(), |r| r.to_string());
            let (base, held) = (text(delta.base.map(Revision::from)), text(self.held));
            return self.refuse(revision, &format!("it builds on revision {base}, but {held} is held"));
        }
        match RouteUpdate::try_from(delta) {
            Ok(update) => Step::Apply(update),
            Err(faults) => {
                self.stage = Stage::Waiting;
                Step::Refuse(Refused { revision, reasons: reasons(&faults, "") })
            }
        }
    }

    /// What a heartbeat names may be ahead of what is held: not every commit changes a route.
    fn on_heartbeat(&mut self, heartbeat: &wire::Heartbeat) -> Step {
        let at = heartbeat.revision.map(Revision::from);
        match (&self.stage, at, self.held) {
            (Stage::Following, Some(at), Some(held)) if at.epoch != held.epoch => {
                self.refuse(Some(at), &format!("it is of another epoch than {held}, which is held"))
            }
            _ => Step::None,
        }
    }

    fn refuse(&mut self, revision: Option<Revision>, reason: &str) -> Step {
        self.stage = Stage::Waiting;
        Step::Refuse(Refused { revision, reasons: vec![reason.to_owned()] })
    }
}

impl Partial {
    fn new(begin: &wire::SnapshotBegin, most: usize) -> Self {
        let mut partial = Self {
            revision: begin.revision.map(Revision::from),
            announced: begin.routes,
            seen: 0,
            routes: Vec::new(),
            faults: Vec::new(),
        };
        if partial.revision.is_none() {
            partial.fault("revision: missing".to_owned());
        }
        if begin.routes > most as u64 {
            partial.fault(format!("routes: {} are more than the {most} this proxy takes", begin.routes));
        }
        partial
    }

    fn take(&mut self, chunk: wire::SnapshotChunk, most: usize) {
        for route in chunk.routes {
            let at = self.seen;
            self.seen += 1;
            match Route::try_from(route) {
                Ok(route) if self.faults.is_empty() && self.routes.len() < most => self.routes.push(route),
                // A table with a fault is not served; its sound routes need not be kept.
                Ok(_) => self.routes = Vec::new(),
                Err(faults) => {
                    for reason in reasons(&faults, &format!("routes[{at}].")) {
                        self.fault(reason);
                    }
                }
            }
        }
    }

    fn finish(mut self, end: Option<Revision>) -> Step {
        if end != self.revision {
            self.fault("the end of the snapshot names another revision than its beginning".to_owned());
        }
        if self.seen != self.announced {
            self.fault(format!("routes: {} were announced and {} came", self.announced, self.seen));
        }
        match self.revision {
            Some(revision) if self.faults.is_empty() => {
                Step::Apply(RouteUpdate { revision, base: None, upserts: self.routes, removals: Vec::new() })
            }
            revision => Step::Refuse(Refused { revision, reasons: self.faults }),
        }
    }

    fn fault(&mut self, reason: String) {
        if self.faults.len() < REASONS_MAX {
            self.faults.push(reason);
        }
    }
}

fn reasons(faults: &FieldFaults, at: &str) -> Vec<String> {
    faults.0.iter().take(REASONS_MAX).map(|fault| format!("{at}{}: {}", fault.field, fault.message)).collect()
}

#[cfg(test)]
mod tests;
