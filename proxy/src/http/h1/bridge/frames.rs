use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::Body;

use super::super::line::{ClientStream, Line};
use super::super::reply::Asked;
use super::super::upload::Step;
use crate::buffers::{Parcel, Text};
use crate::context::Context as Worker;
use crate::http::answer::Answer;
use crate::http::headers;
use crate::http1::{Framing, fields_of, write};
use crate::refusal::Refusal;

/// The head of an answer, and how its body goes.
pub(super) struct Head {
    text: Text,
    framing: Framing,
    pub(super) persists: bool,
}

/// Makes the head of an answer that comes in frames. `is_whole` says whether the request was.
///
/// # Errors
/// [`Refusal::BackendGarbage`] when it cannot be an answer.
pub(super) fn head<B: Body>(
    response: &Response<B>,
    asked: &Asked,
    is_whole: bool,
    context: &Worker,
) -> Result<Head, Refusal> {
    let status = response.status();
    if status.is_informational() {
        return Err(Refusal::BackendGarbage);
    }
    let said = response.headers().get(CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let has_body = !(asked.is_head || matches!(status.as_u16(), 204 | 304));
    let framing = match response.body().size_hint().exact() {
        _ if !has_body => Framing::Empty,
        Some(length) => Framing::Length(length),
        None if asked.is_http10 => Framing::UntilClose,
        None => Framing::Chunked,
    };
    let persists = asked.persists && is_whole && framing != Framing::UntilClose && !context.is_draining();
    let mut text = Text::new();
    write::status_line(&mut text, status.as_u16(), status.canonical_reason().unwrap_or_default().as_bytes());
    let told = headers::to_client(fields_of(response.headers()), &mut *text)?;
    if !told.has_date {
        write::field(&mut text, "date", context.date().as_bytes());
    }
    match (framing, said) {
        (Framing::Empty, Some(length)) if status.as_u16() != 204 => {
            write::framing(&mut text, Framing::Length(length), false);
        }
        _ => write::framing(&mut text, framing, false),
    }
    if !persists {
        write::field(&mut text, "connection", b"close");
    } else if asked.is_http10 {
        write::field(&mut text, "connection", b"keep-alive");
    }
    write::end(&mut text);
    Ok(Head { text, framing, persists })
}

impl Head {
    /// Behind `rest`, which is left of what was being said.
    pub(super) fn behind(mut self, rest: &[u8]) -> Self {
        self.text.splice(0..0, rest.iter().copied());
        self
    }
}

/// An answer on its way to a client.
pub(super) struct Outgoing {
    parcel: Parcel,
    framing: Framing,
    answer: Answer,
    passed: u64,
    is_over: bool,
}

impl Outgoing {
    pub(super) fn new(head: Head, answer: Answer) -> Self {
        let is_over = head.framing == Framing::Empty;
        Self { parcel: Parcel::new(head.text), framing: head.framing, answer, passed: 0, is_over }
    }

    /// Bytes the client's connection took.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Nobody takes the rest of it.
    pub(super) fn cut(&mut self, refusal: Refusal) {
        self.answer.cut(refusal);
    }

    /// Passes on what there is.
    ///
    /// # Errors
    /// Why it ends before its end.
    pub(super) fn poll<S: ClientStream>(
        &mut self,
        cx: &mut Context<'_>,
        line: &mut Line<S>,
    ) -> Result<Step, Refusal> {
        let gone = |_| Refusal::ClientGone;
        loop {
            let passed = &mut self.passed;
            let written = self.parcel.poll_write(|parts| {
                let written = line.poll_write(cx, parts);
                if let Poll::Ready(Ok(count)) = &written {
                    *passed += *count as u64;
                }
                written
            });
            match written {
                Poll::Ready(written) => written.map_err(gone)?,
                Poll::Pending => return Ok(Step::Client),
            }
            if self.is_over {
                return match line.poll_flush(cx) {
                    Poll::Ready(flushed) => flushed.map(|()| Step::Done).map_err(gone),
                    Poll::Pending => Ok(Step::Client),
                };
            }
            match Pin::new(&mut self.answer).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => self.take(frame),
                Poll::Ready(Some(Err(broken))) => return Err(broken.refusal()),
                Poll::Ready(None) => self.end(),
                Poll::Pending => {
                    return match line.poll_flush(cx) {
                        Poll::Ready(flushed) => flushed.map(|()| Step::Backend).map_err(gone),
                        Poll::Pending => Ok(Step::Client),
                    };
                }
            }
        }
    }

    fn take(&mut self, frame: http_body::Frame<bytes::Bytes>) {
        match frame.into_data() {
            Ok(data) if data.is_empty() => {}
            Ok(data) => {
                if self.framing == Framing::Chunked {
                    write::chunk_line(&mut self.parcel.text, data.len());
                    self.parcel.tail = b"\r\n";
                }
                self.parcel.data = data;
            }
            Err(frame) => {
                if let (Some(trailers), Framing::Chunked) = (frame.trailers_ref(), self.framing) {
                    write::last_chunk(&mut self.parcel.text, fields_of(trailers));
                    self.is_over = true;
                }
            }
        }
    }

    fn end(&mut self) {
        if self.framing == Framing::Chunked {
            write::last_chunk(&mut self.parcel.text, std::iter::empty());
        }
        self.is_over = true;
    }
}
