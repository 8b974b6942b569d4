//! The straight way of a request: to an HTTP/1.1 backend, behind a head that is written at once.

use std::pin::pin;

use http::Method;
use http::request::Parts;

use super::request::{Concluded, conclude};
use crate::buffers::Text;
use crate::context::Context;
use crate::http::exchange::in_time;
use crate::http::headers::{self, ToBackend};
use crate::http::meter::Meter;
use crate::http::onward::has_content;
use crate::http::vigil::Vigil;
use crate::http::{target, upgrade};
use crate::http1::{Framing, Known, fields_of, write};
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::upstream::{Early, Fault, Pick, Unanswered, UpstreamBody, Written, framing};

/// A request for a backend that speaks HTTP/1.1.
pub(super) struct Asking {
    request: Written<Upload>,
    /// Whether it may be sent again although some of it was sent (RFC 9110 9.2.2).
    is_repeatable: bool,
    /// The client asks for a WebSocket.
    websocket: Option<upgrade::Asked>,
}

impl Asking {
    /// A request with the body `upload`, or none.
    ///
    /// # Errors
    /// Those of its fields, as for all that write heads.
    pub(super) fn plain(
        head: &Parts,
        how: &ToBackend<'_>,
        upload: Upload,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<Self, Refusal> {
        let mut text = Text::new();
        write::request_line(&mut text, head.method.as_str(), target::of_uri(&head.uri));
        let new_id = || context.ids.next();
        let passed = headers::to_backend(fields_of(&head.headers), how, new_id, &mut *text)?;
        meter.named(&passed.id);
        meter.uploads(upload.progress());
        let framing = framing(&upload);
        write::framing(&mut text, framing, has_content(head.method.as_str()));
        write::end(&mut text);
        let is_head = head.method == Method::HEAD;
        Ok(Self {
            request: Written { head: text, body: upload, framing, is_head },
            is_repeatable: head.method.is_idempotent() && framing == Framing::Empty,
            websocket: None,
        })
    }

    /// The handshake that a CONNECT stands for (RFC 8441 5).
    ///
    /// # Errors
    /// Those of its fields.
    pub(super) fn websocket(
        head: &Parts,
        how: &ToBackend<'_>,
        context: &Context,
        meter: &mut Meter,
    ) -> Result<Self, Refusal> {
        let mut text = Text::new();
        write::request_line(&mut text, "GET", target::of_uri(&head.uri));
        // Keys are of HTTP/1 alone.
        let is_key = |known| matches!(known, Known::SecWebsocketKey | Known::SecWebsocketAccept);
        let fields = fields_of(&head.headers).filter(|field| !is_key(field.known));
        let passed = headers::to_backend(fields, how, || context.ids.next(), &mut *text)?;
        meter.named(&passed.id);
        let asked = upgrade::ask_anew(&context.ids.next(), &mut *text);
        write::end(&mut text);
        let framing = Framing::Empty;
        Ok(Self {
            request: Written { head: text, body: Upload::Empty, framing, is_head: false },
            is_repeatable: true,
            websocket: Some(asked),
        })
    }

    /// Finds a backend that answers, and waits for the head of that. What comes before is told `early`.
    ///
    /// When no byte of the request was sent it goes to another backend, whatever its method; when some may
    /// have been, only an idempotent one without a body is repeated. Both once.
    pub(super) async fn exchange(
        self,
        context: &Context,
        vigil: &mut Vigil,
        meter: &mut Meter,
        early: &Early,
    ) -> Result<(Concluded, UpstreamBody<Upload>), Refusal> {
        let Self { mut request, is_repeatable, websocket } = self;
        let upstreams = &context.upstreams;
        let progress = request.body.progress();
        let mut failed = None;
        loop {
            let lease = upstreams.choose_again(vigil.entry(), failed);
            let Some(lease) = lease else {
                return Err(failed.map_or(Refusal::NoBackend, |(_, fault): (_, Fault)| fault.refusal()));
            };
            meter.goes_to(&lease, failed.is_some());
            let pick = match failed {
                Some(_) => Pick::Fresh,
                None if is_repeatable => Pick::Any,
                None => Pick::Sure,
            };
            let upstream = lease.upstream().id();
            let sent = upstreams.send_written(pick, lease, request, Some(early), |answer| {
                Ok(conclude(answer.status, answer.fields(), websocket.as_ref(), context))
            });
            let unanswered = match in_time(pin!(sent), progress.as_deref(), context.config(), vigil).await? {
                Ok((concluded, body)) => return Ok((concluded?, body)),
                Err(unanswered) => unanswered,
            };
            let Unanswered { fault, is_touched, request: again } = unanswered;
            let may_repeat = !is_touched || (is_repeatable && fault == Fault::Closed);
            match again.filter(|_| may_repeat && failed.is_none()) {
                Some(again) => request = again,
                None => return Err(fault.refusal()),
            }
            failed = Some((upstream, fault));
        }
    }
}
