use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::super::RequestBody;
use super::super::choose::Lease;
use super::super::early::Early;
use super::super::error::Fault;
use super::answer::Answer;
use super::upload::Upload;
use super::{Connection, H1};
use crate::http1::{Framing, HeadScan, ResponseHead, Room};

/// A request that was not answered, and the request itself when nothing of it was sent.
pub(in super::super) struct Unanswered<B> {
    pub(in super::super) fault: Fault,
    pub(in super::super) unsent: Option<Request<B>>,
}

/// The head of an answer, how its body ends, and whether the connection can be used again.
type Head = (Response<()>, Framing, bool);

impl H1 {
    /// Sends `request` over `connection` and waits for the head of its answer. Interim ones are told `early`.
    pub(in super::super) async fn send<B: RequestBody>(
        self: &Rc<Self>,
        mut connection: Connection,
        request: Request<B>,
        lease: Lease,
        early: Option<&Early>,
    ) -> Result<Response<Answer<B>>, Unanswered<B>> {
        let to_head = *request.method() == Method::HEAD;
        let mut upload = Some(Upload::new(request));
        let mut scan = HeadScan::response();
        let answered = poll_fn(|cx| {
            if let Some(sending) = &mut upload {
                match sending.poll(cx, &mut connection) {
                    Poll::Ready(Ok(())) => upload = None,
                    Poll::Ready(Err(Fault::Closed)) if connection.is_touched() => {
                        // It may have answered before it closed.
                    }
                    Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                    Poll::Pending => {}
                }
            }
            self.poll_final(cx, &mut connection, &mut scan, to_head, early)
        });
        match answered.await {
            Ok((response, framing, persists)) => {
                let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
                let home = (persists && !switches).then(|| self.clone());
                let answer = Answer::new(connection, framing, upload, home, lease);
                Ok(response.map(|()| answer))
            }
            Err(fault) => {
                let unsent = upload.filter(|_| !connection.is_touched()).map(Upload::into_request);
                connection.reset();
                Err(Unanswered { fault, unsent })
            }
        }
    }

    /// The head of the final answer. That the backend is ready for the body is no news: it was not asked.
    fn poll_final(
        &self,
        cx: &mut std::task::Context<'_>,
        connection: &mut Connection,
        scan: &mut HeadScan,
        to_head: bool,
        early: Option<&Early>,
    ) -> Poll<Result<Head, Fault>> {
        loop {
            let length = std::task::ready!(connection.poll_head(cx, scan, &self.bounds))?;
            let mut room = Room::default();
            let bytes = connection.unread().get(..length).unwrap_or_default();
            let head = ResponseHead::parse(bytes, &mut room, &self.bounds).map_err(|_| Fault::Garbage)?;
            let interim = (100..200).contains(&head.status) && head.status != 101;
            let response = response(&head)?;
            if !interim {
                let framing = head.framing(to_head).map_err(|_| Fault::Garbage)?;
                let persists = head.persists && !head.is_doubtful();
                connection.consume(length);
                return Poll::Ready(Ok((response, framing, persists)));
            }
            if let Some(early) = early.filter(|_| response.status() != StatusCode::CONTINUE) {
                early.tell(response);
            }
            connection.consume_interim(length, &self.bounds)?;
            *scan = HeadScan::response();
        }
    }
}

fn response(head: &ResponseHead<'_>) -> Result<Response<()>, Fault> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(head.status).map_err(|_| Fault::Garbage)?;
    let fields: &mut HeaderMap = response.headers_mut();
    for field in head.fields() {
        let name = HeaderName::from_bytes(field.name).map_err(|_| Fault::Garbage)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| Fault::Garbage)?;
        fields.append(name, value);
    }
    Ok(response)
}
