//! A request's head: read, judged, and rewritten for its backend.

use std::rc::Rc;

use http::HeaderValue;
use proto::BackendProtocol;
use tokio::time::Instant;

use super::reply::Asked;
use super::say::refusal;
use super::upload::Upload;
use crate::buffers::Text;
use crate::http::headers;
use crate::http::meter::{Meter, Seen};
use crate::http::onward::Onward;
use crate::http::vigil::Vigil;
use crate::http::{Client, Declined, find, target};
use crate::http1::{Fault, Framing, Known, RequestHead, Version};
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
    let onward = Onward::of(head)?;
    let found = find(client, onward.host, &onward.path, meter)?;
    let vigil = Vigil::new(client.clone(), found.admitted);
    let new_id = || client.context.ids.next();
    let asked = Asked {
        is_head: head.method == "HEAD",
        is_http10: head.version == Version::Http10,
        persists: head.persists,
        websocket: onward.websocket,
    };
    let way = match found.speaks {
        BackendProtocol::Http1 => {
            let mut text = Text::new();
            let passed = onward.write(&client.fields, new_id, &mut text)?;
            meter.named(&passed.id);
            Way::Straight(Upload::new(text, head.framing, head.expects_continue))
        }
        BackendProtocol::H2c if onward.websocket.is_some() => {
            return Err(Refusal::WebSocketNotSupported.into());
        }
        BackendProtocol::H2c => {
            let uri = target::for_h2c(onward.host, &*onward.path)?;
            let request =
                http::Request::builder().method(head.method).uri(uri).version(http::Version::HTTP_2);
            let (mut parts, ()) = request.body(()).map_err(|_| Refusal::BadRequest)?.into_parts();
            let how = onward.how(&client.fields, found.speaks);
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
