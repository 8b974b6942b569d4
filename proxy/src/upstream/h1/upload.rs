use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http_body::Frame;

use super::super::RequestBody;
use super::super::error::Fault;
use super::connection::Connection;
use crate::buffers::{Parcel, Text};
use crate::http1::{Framing, fields_of, write};

/// A request whose head is written, and the body that goes behind it.
pub(crate) struct Written<B> {
    pub(crate) head: Text,
    pub(crate) body: B,
    /// How the head says that the body is framed.
    pub(crate) framing: Framing,
    /// By HEAD, whose answer has no body whatever it says.
    pub(crate) is_head: bool,
}

impl<B: RequestBody> Written<B> {
    /// Writes the head of a request with `body`.
    pub(in super::super) fn of(request: &Parts, body: B) -> Self {
        let framing = framing(&body);
        Self { head: head(request, framing), body, framing, is_head: request.method == Method::HEAD }
    }
}

/// A request on its way to a backend: its head, then its body as the head says.
pub(super) struct Upload<B> {
    request: Written<B>,
    /// Bytes of the head that are written.
    written: usize,
    /// A piece of the body.
    parcel: Parcel,
    rest: Rest,
}

/// What is still to be asked of the body.
enum Rest {
    /// So many bytes.
    Length(u64),
    Chunks,
    /// Nothing: its end is among what waits to be written.
    Nothing,
}

impl<B: RequestBody> Upload<B> {
    /// The body has yet to be asked for.
    pub(super) fn new(request: Written<B>) -> Self {
        let rest = match request.framing {
            Framing::Empty | Framing::UntilClose => Rest::Nothing,
            Framing::Length(length) => Rest::Length(length),
            Framing::Chunked => Rest::Chunks,
        };
        Self { request, written: 0, parcel: Parcel::new(Text::new()), rest }
    }

    /// The request, to be sent elsewhere. None once some of its body is gone.
    pub(super) fn into_request(self) -> Option<Written<B>> {
        let is_whole = self.request.framing == Framing::Empty || self.written == 0;
        is_whole.then_some(self.request)
    }

    /// Writes as much as there is and the backend takes. Ready when the request is whole.
    ///
    /// # Errors
    /// [`Fault::RequestBody`] when the body breaks off or is not as long as was said,
    /// [`Fault::Closed`] when the backend takes no more.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
    ) -> Poll<Result<(), Fault>> {
        while let Some(head @ [_, ..]) = self.request.head.get(self.written..) {
            let written = ready!(connection.poll_write(cx, &[IoSlice::new(head)]));
            self.written += written.map_err(|_| Fault::Closed)?;
        }
        loop {
            let written = self.parcel.poll_write(|parts| connection.poll_write(cx, parts));
            ready!(written).map_err(|_| Fault::Closed)?;
            if matches!(self.rest, Rest::Nothing) {
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(&mut self.request.body).poll_frame(cx)) {
                Some(Ok(frame)) => self.take(frame)?,
                Some(Err(_)) => return Poll::Ready(Err(Fault::RequestBody)),
                None => self.end()?,
            }
        }
    }

    /// Takes the next frame of the body to be written.
    fn take(&mut self, frame: Frame<Bytes>) -> Result<(), Fault> {
        match (frame.into_data(), &mut self.rest) {
            (Ok(data), Rest::Length(left)) => {
                *left = left.checked_sub(data.len() as u64).ok_or(Fault::RequestBody)?;
                self.parcel.data = data;
            }
            (Ok(data), Rest::Chunks) if !data.is_empty() => {
                write::chunk_line(&mut self.parcel.text, data.len());
                self.parcel.data = data;
                self.parcel.tail = b"\r\n";
            }
            (Err(frame), Rest::Chunks) => {
                if let Some(trailers) = frame.trailers_ref() {
                    write::last_chunk(&mut self.parcel.text, fields_of(trailers));
                    self.rest = Rest::Nothing;
                }
            }
            // An empty chunk would be the last; trailers have no place beside a length.
            (Ok(_) | Err(_), _) => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Length(0) | Rest::Nothing => Ok(()),
            Rest::Length(_) => Err(Fault::RequestBody),
            Rest::Chunks => {
                write::last_chunk(&mut self.parcel.text, std::iter::empty());
                Ok(())
            }
        }
    }
}

/// How `body` goes behind a head.
pub(crate) fn framing(body: &impl RequestBody) -> Framing {
    if body.is_end_stream() {
        return Framing::Empty;
    }
    body.size_hint().exact().map_or(Framing::Chunked, Framing::Length)
}

/// The head of `request` as it goes over the wire.
fn head(request: &Parts, framing: Framing) -> Text {
    let mut text = Text::new();
    let target = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    write::request_line(&mut text, request.method.as_str(), target);
    if let Some(host) = request.headers.get(HOST) {
        write::field(&mut text, "host", host.as_bytes());
    }
    for (name, value) in &request.headers {
        if ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            write::field(&mut text, name.as_str(), value.as_bytes());
        }
    }
    let has_content = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    write::framing(&mut text, framing, has_content);
    write::end(&mut text);
    text
}
