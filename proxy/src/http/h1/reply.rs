//! The head of a backend's answer as the client gets it.

use http::StatusCode;

use super::super::{headers, upgrade};
use crate::buffers::Text;
use crate::context::Context;
use crate::http1::{Framing, ResponseHead, write};
use crate::refusal::Refusal;

/// What of a request matters to its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// By HEAD, whose answer has no body.
    pub(super) is_head: bool,
    /// In HTTP/1.0, which knows neither chunks nor interim answers.
    pub(super) is_http10: bool,
    /// The connection goes on after the answer, as far as the client is concerned.
    pub(super) persists: bool,
    /// To become a WebSocket.
    pub(super) websocket: Option<upgrade::Asked>,
}

/// The head of an answer.
pub(super) enum Reply {
    /// Another one follows.
    Interim(Interim),
    /// The one that counts.
    Final(Final),
}

/// An interim answer (RFC 9110 15.2).
pub(super) struct Interim {
    /// Its head, rewritten. Empty where the client must not have it.
    pub(super) head: Text,
    /// It tells the client to send its body.
    pub(super) is_continue: bool,
}

/// The answer's head, rewritten, and what it says of what follows.
pub(super) struct Final {
    pub(super) head: Text,
    pub(super) status: StatusCode,
    pub(super) framing: Framing,
    /// The backend's connection can be used again.
    pub(super) backend_persists: bool,
    /// The client's goes on.
    pub(super) client_persists: bool,
    /// Both speak WebSocket from now on.
    pub(super) has_switched: bool,
}

/// Reads `head` and makes it fit for the client. `is_whole` says whether the request was: if not, the
/// connection cannot go on after the answer.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when it is not HTTP/1.1, or not an answer to what was asked.
pub(super) fn read(head: &[u8], asked: &Asked, is_whole: bool, context: &Context) -> Result<Reply, Refusal> {
    let mut room = context.room.borrow_mut();
    let garbage = |_| Refusal::BackendGarbage;
    let answer = ResponseHead::parse(head, &mut room, &context.bounds).map_err(garbage)?;
    if (100..200).contains(&answer.status) && answer.status != 101 {
        let (head, is_continue) = (interim(&answer, asked)?, answer.status == 100);
        return Ok(Reply::Interim(Interim { head, is_continue }));
    }
    let has_switched = upgrade::has_switched(answer.status, answer.fields(), asked.websocket.as_ref())?;
    let framing = answer.framing(asked.is_head).map_err(garbage)?;
    let closes_by_end = asked.is_http10 && matches!(framing, Framing::UntilClose | Framing::Chunked);
    let client_persists = asked.persists && is_whole && !closes_by_end && !context.is_draining();
    let mut text = Text::new();
    write::status_line(&mut text, answer.status, answer.reason);
    let told = headers::to_client(answer.fields(), &mut *text)?;
    if !told.has_date {
        write::field(&mut text, "date", context.date().as_bytes());
    }
    match (framing, answer.content_length) {
        (Framing::Chunked | Framing::UntilClose, _) if asked.is_http10 => {}
        // The client shall see whether the answer is whole.
        (Framing::UntilClose, _) => write::framing(&mut text, Framing::Chunked, false),
        (Framing::Length(_) | Framing::Chunked, _) => write::framing(&mut text, framing, false),
        // What the body would be like (RFC 9110 8.6).
        (Framing::Empty, Some(length)) if asked.is_head || answer.status == 304 => {
            write::framing(&mut text, Framing::Length(length), false);
        }
        (Framing::Empty, _) => {}
    }
    if has_switched {
        upgrade::ask(&mut *text);
    } else if !client_persists {
        write::field(&mut text, "connection", b"close");
    } else if asked.is_http10 {
        write::field(&mut text, "connection", b"keep-alive");
    }
    write::end(&mut text);
    Ok(Reply::Final(Final {
        head: text,
        status: StatusCode::from_u16(answer.status).map_err(|_| Refusal::BackendGarbage)?,
        framing,
        backend_persists: answer.persists && framing != Framing::UntilClose && !answer.is_doubtful(),
        client_persists,
        has_switched,
    }))
}

fn interim(answer: &ResponseHead<'_>, asked: &Asked) -> Result<Text, Refusal> {
    let mut text = Text::new();
    if !asked.is_http10 {
        write::status_line(&mut text, answer.status, answer.reason);
        headers::to_client(answer.fields(), &mut *text)?;
        write::end(&mut text);
    }
    Ok(text)
}
