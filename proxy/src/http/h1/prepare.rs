//! A request's head: read, judged, and rewritten for its backend.

use std::rc::Rc;

use http::HeaderValue;
use proto::BackendProtocol;
use tokio::time::Instant;

use super::reply::Asked;
use super::say::refusal;
use super::upload::Upload;
use crate::buffers::Text;
use crate::http::headers::{self, ToBackend};
use crate::http::meter::{Meter, Seen};
use crate::http::vigil::Vigil;
use crate::http::{Client, Declined, find, host, target, upgrade};
use crate::http1::{Fault, Framing, Known, RequestHead, Target, Version, write};
use crate::refusal::Refusal;

/// A request that may pass.
pub(super) struct Prepared {
    pub(super) asked: Asked,
    /// Whether it may be sent again although some of it was sent (RFC 9110 9.2.2).
    pub(super) is_repeatable: bool,
    pub(super) started: Instant,
    pub(super) vigil: Vigil,
    pub(super) meter: Meter,
}

/// How it goes on.
pub(super) enum Way {
    /// Byte for byte, behind this head.
    Straight(Upload),
    /// In frames.
    Frames(Frames),
}

/// A request for an HTTP/2 backend.
pub(super) struct Frames {
    pub(super) head: http::request::Parts,
    pub(super) framing: Framing,
    /// The client waits to be told to send its body.
    pub(super) expects_continue: bool,
}

/// A request that may not.
pub(super) struct Turned {
    pub(super) declined: Declined,
    pub(super) fault: Option<Fault>,
    pub(super) is_head: bool,
    /// In HTTP/1.0, where it has to be said that the next request may follow.
    pub(super) is_http10: bool,
    /// Whether the next request may follow the answer.
    pub(super) persists: bool,
    pub(super) meter: Option<Meter>,
}

impl From<Fault> for Box<Turned> {
    fn from(fault: Fault) -> Self {
        let declined = refusal(fault).into();
        Self::new(Turned {
            declined,
            fault: Some(fault),
            is_head: false,
            is_http10: false,
            persists: false,
            meter: None,
        })
    }
}

/// Reads the head that `bytes` are and judges the request, which `is_last` on its connection whatever it asks.
pub(super) fn prepare(
    client: &Rc<Client>,
    bytes: &[u8],
    started: Instant,
    is_last: bool,
) -> Result<(Way, Prepared), Box<Turned>> {
    let context = &client.context;
    let mut room = context.room.borrow_mut();
    let head = RequestHead::parse(bytes, &mut room, &context.bounds)?;
    let mut meter = Meter::new(client.clone(), &seen(&head), started);
    let framing = head.framing;
    let persists = head.persists && !is_last;
    match judged(client, &head, &mut meter) {
        Ok((way, vigil, asked)) => {
            let asked = Asked { persists, ..asked };
            let is_repeatable = framing == Framing::Empty && is_idempotent(head.method);
            Ok((way, Prepared { asked, is_repeatable, started, vigil, meter }))
        }
        Err(declined) => Err(Box::new(Turned {
            persists: persists && framing == Framing::Empty && !declined.refusal.closes(),
            fault: None,
            is_head: head.method == "HEAD",
            is_http10: head.version == Version::Http10,
            declined,
            meter: Some(meter),
        })),
    }
}

fn judged(
    client: &Rc<Client>,
    head: &RequestHead<'_>,
    meter: &mut Meter,
) -> Result<(Way, Vigil, Asked), Declined> {
    let context = &client.context;
    if head.method == "CONNECT" {
        return Err(Refusal::ConnectNotSupported.into());
    }
    let authority = match head.target {
        Target::Absolute { scheme, authority, .. } => Some((scheme, authority)),
        Target::Origin(_) | Target::Authority(_) | Target::Asterisk => None,
    };
    let host = host::of_request(head.version.into(), authority, head.fields())?;
    let path = target::for_http1(head.method, &head.target)?;
    let found = find(client, host, &path, meter)?;
    // A body and what goes through a tunnel would come on one stream.
    let websocket = match head.framing {
        Framing::Empty | Framing::Length(0) => {
            upgrade::wants_websocket(head.method, head.version.into(), head.fields())
        }
        Framing::Length(_) | Framing::Chunked | Framing::UntilClose => None,
    };
    let vigil = Vigil::new(client.clone(), found.admitted);
    let how = ToBackend { client: &client.fields, host, speaks: found.speaks };
    let new_id = || context.ids.next();
    let asked = Asked {
        is_head: head.method == "HEAD",
        is_http10: head.version == Version::Http10,
        persists: head.persists,
        websocket,
    };
    let way = match found.speaks {
        BackendProtocol::Http1 => {
            let mut text = Text::new();
            write::request_line(&mut text, head.method, &path);
            let passed = headers::to_backend(head.fields(), &how, new_id, &mut *text)?;
            meter.named(&passed.id);
            write::framing(&mut text, head.framing, has_content(head.method));
            if head.expects_continue {
                write::field(&mut text, "expect", b"100-continue");
            }
            if websocket.is_some() {
                upgrade::ask(&mut *text);
            }
            write::end(&mut text);
            Way::Straight(Upload::new(text, head.framing, head.expects_continue))
        }
        BackendProtocol::H2c if websocket.is_some() => return Err(Refusal::WebSocketNotSupported.into()),
        BackendProtocol::H2c => {
            let uri = target::for_h2c(host, &*path)?;
            let request =
                http::Request::builder().method(head.method).uri(uri).version(http::Version::HTTP_2);
            let (mut parts, ()) = request.body(()).map_err(|_| Refusal::BadRequest)?.into_parts();
            let passed = headers::to_backend(head.fields(), &how, new_id, &mut parts.headers)?;
            meter.named(&passed.id);
            if let Framing::Length(length) = head.framing {
                parts.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            Way::Frames(Frames {
                head: parts,
                framing: head.framing,
                expects_continue: head.expects_continue,
            })
        }
    };
    Ok((way, vigil, asked))
}

fn seen<'h>(head: &RequestHead<'h>) -> Seen<'h> {
    let user_agent = head.fields().find(|field| field.known == Known::UserAgent);
    Seen {
        is_h2: false,
        method: head.method,
        path: head.target.path(),
        user_agent: user_agent.map(|field| field.value),
    }
}

/// RFC 9110 9.2.2.
fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE")
}

/// Methods that mean something with a body, so that an empty one is said (RFC 9110 8.6).
fn has_content(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}
