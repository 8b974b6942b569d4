use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{Method, Request};
use http_body::Frame;

use super::super::RequestBody;
use super::super::error::Fault;
use super::connection::Connection;
use crate::buffers::{Parcel, Text};
use crate::http1::{Framing, fields_of, write};

/// A request on its way to a backend: its head, then its body as the head says.
pub(super) struct Upload<B> {
    request: Request<B>,
    /// The head, or a piece of the body.
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
    /// The head of `request` stands ready; its body has yet to be asked for.
    pub(super) fn new(request: Request<B>) -> Self {
        let framing = framing(request.body());
        let rest = match framing {
            Framing::Empty | Framing::UntilClose => Rest::Nothing,
            Framing::Length(length) => Rest::Length(length),
            Framing::Chunked => Rest::Chunks,
        };
        let text = head(&request, framing);
        Self { request, parcel: Parcel::new(text), rest }
    }

    /// The request, to be sent elsewhere: of no use once its body was begun.
    pub(super) fn into_request(self) -> Request<B> {
        self.request
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
        loop {
            let written = self.parcel.poll_write(|parts| connection.poll_write(cx, parts));
            ready!(written).map_err(|_| Fault::Closed)?;
            if matches!(self.rest, Rest::Nothing) {
                return Poll::Ready(Ok(()));
            }
            match ready!(Pin::new(self.request.body_mut()).poll_frame(cx)) {
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

fn framing(body: &impl RequestBody) -> Framing {
    if body.is_end_stream() {
        return Framing::Empty;
    }
    body.size_hint().exact().map_or(Framing::Chunked, Framing::Length)
}

/// The head of `request` as it goes over the wire.
fn head<B>(request: &Request<B>, framing: Framing) -> Text {
    let mut text = Text::new();
    let target = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    write::request_line(&mut text, request.method().as_str(), target);
    if let Some(host) = request.headers().get(HOST) {
        write::field(&mut text, "host", host.as_bytes());
    }
    for (name, value) in request.headers() {
        if ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            write::field(&mut text, name.as_str(), value.as_bytes());
        }
    }
    let has_content = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    write::framing(&mut text, framing, has_content);
    write::end(&mut text);
    text
}
