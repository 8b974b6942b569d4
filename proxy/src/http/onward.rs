//! The head with which an HTTP/1 request goes on: to whom, for what, in which words. No I/O, no routes.

use std::borrow::Cow;

use proto::BackendProtocol;

use super::headers::{self, ClientFields, Passed, ToBackend};
use super::upgrade::{self, Asked};
use super::{host, target};
use crate::http1::{Framing, RequestHead, Target, write};
use crate::refusal::Refusal;

/// A request that may be sent on as far as its head tells.
#[derive(Debug)]
pub struct Onward<'h> {
    /// The authority it is routed by, as the client wrote it.
    pub host: &'h [u8],
    /// What stands in the backend's request line: origin-form or `*`.
    pub path: Cow<'h, str>,
    /// The client asks for a WebSocket.
    pub(super) websocket: Option<Asked>,
    head: &'h RequestHead<'h>,
}

impl<'h> Onward<'h> {
    /// Judges what the head asks for.
    ///
    /// # Errors
    /// [`Refusal::ConnectNotSupported`]; [`Refusal::MissingHost`], [`Refusal::RepeatedHost`],
    /// [`Refusal::BadAuthority`] when it does not say whose it is, in one way.
    pub fn of(head: &'h RequestHead<'h>) -> Result<Self, Refusal> {
        if head.method == "CONNECT" {
            return Err(Refusal::ConnectNotSupported);
        }
        let authority = match head.target {
            Target::Absolute { scheme, authority, .. } => Some((scheme, authority)),
            Target::Origin(_) | Target::Authority(_) | Target::Asterisk => None,
        };
        let host = host::of_request(head.version.into(), authority, head.fields())?;
        let path = target::for_http1(head.method, &head.target)?;
        // A body and what goes through a tunnel would come on one stream.
        let websocket = match head.framing {
            Framing::Empty | Framing::Length(0) => {
                upgrade::wants_websocket(head.method, head.version.into(), head.fields())
            }
            Framing::Length(_) | Framing::Chunked | Framing::UntilClose => None,
        };
        Ok(Self { host, path, websocket, head })
    }

    /// Writes the head for a backend that speaks HTTP/1. Behind it goes the body, as it came.
    ///
    /// # Errors
    /// Those of the fields: [`Refusal::Loop`], [`Refusal::BadRequest`]. What was written is then of no use.
    pub fn write(
        &self,
        client: &ClientFields,
        new_id: impl FnOnce() -> [u8; 32],
        out: &mut Vec<u8>,
    ) -> Result<Passed<'h>, Refusal> {
        let head = self.head;
        write::request_line(out, head.method, &self.path);
        let passed =
            headers::to_backend(head.fields(), &self.how(client, BackendProtocol::Http1), new_id, out)?;
        write::framing(out, head.framing, has_content(head.method));
        if head.expects_continue {
            write::field(out, "expect", b"100-continue");
        }
        if self.websocket.is_some() {
            upgrade::ask(out);
        }
        write::end(out);
        Ok(passed)
    }

    /// How its fields go to a backend that speaks `speaks`.
    pub(super) fn how<'c>(&self, client: &'c ClientFields, speaks: BackendProtocol) -> ToBackend<'c>
    where
        'h: 'c,
    {
        ToBackend { client, host: self.host, speaks }
    }
}

/// Methods that mean something with a body, so that an empty one is said (RFC 9110 8.6).
pub(super) fn has_content(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}
