use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::super::RequestBody;
use super::super::choose::Lease;
use super::super::early::Early;
use super::super::error::Fault;
use super::answer::Answer;
use super::upload::{Upload, Written};
use super::{Connection, H1};
use crate::http1::{Framing, HeadScan, ResponseHead, Room};

/// A request that was not answered.
pub(crate) struct Unanswered<B> {
    pub(crate) fault: Fault,
    /// Whether some of it may have been sent.
    pub(crate) is_touched: bool,
    /// The request, unless some of its body is gone.
    pub(crate) request: Option<Written<B>>,
}

/// What was read of a head, how the body behind it ends, and whether the connection can be used again.
type Head<R> = (R, Framing, bool);

impl H1 {
    /// Sends `request` over `connection` and waits for the head of its answer, which is what `read` makes of it.
    /// Interim ones are told `early`.
    pub(in super::super) async fn send<B: RequestBody, R>(
        self: &Rc<Self>,
        mut connection: Connection,
        request: Written<B>,
        lease: Lease,
        early: Option<&Early>,
        mut read: impl FnMut(&ResponseHead<'_>) -> Result<R, Fault>,
    ) -> Result<(R, Answer<B>), Unanswered<B>> {
        let to_head = request.is_head;
        let (mut upload, mut is_sent) = (Upload::new(request), false);
        let mut scan = HeadScan::response();
        let answered = poll_fn(|cx| {
            if !is_sent {
                match upload.poll(cx, &mut connection) {
                    Poll::Ready(Ok(())) => is_sent = true,
                    Poll::Ready(Err(Fault::Closed)) if connection.is_touched() => {
                        // It may have answered before it closed.
                    }
                    Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                    Poll::Pending => {}
                }
            }
            self.poll_final(cx, &mut connection, &mut scan, to_head, early, &mut read)
        });
        match answered.await {
            Ok((read, framing, persists)) => {
                let home = persists.then(|| self.clone());
                let upload = (!is_sent).then_some(upload);
                Ok((read, Answer::new(connection, framing, upload, home, lease)))
            }
            Err(fault) => {
                connection.reset();
                let is_touched = connection.is_touched();
                Err(Unanswered { fault, is_touched, request: upload.into_request() })
            }
        }
    }

    /// The head of the final answer. That the backend is ready for the body is no news: it was not asked.
    fn poll_final<R>(
        &self,
        cx: &mut Context<'_>,
        connection: &mut Connection,
        scan: &mut HeadScan,
        to_head: bool,
        early: Option<&Early>,
        read: &mut impl FnMut(&ResponseHead<'_>) -> Result<R, Fault>,
    ) -> Poll<Result<Head<R>, Fault>> {
        loop {
            let length = std::task::ready!(connection.poll_head(cx, scan, &self.bounds))?;
            let mut room = Room::default();
            let bytes = connection.unread().get(..length).unwrap_or_default();
            let head = ResponseHead::parse(bytes, &mut room, &self.bounds).map_err(|_| Fault::Garbage)?;
            let interim = (100..200).contains(&head.status) && head.status != 101;
            if !interim {
                let framing = head.framing(to_head).map_err(|_| Fault::Garbage)?;
                let persists = head.persists && !head.is_doubtful() && head.status != 101;
                let read = read(&head)?;
                connection.consume(length);
                return Poll::Ready(Ok((read, framing, persists)));
            }
            if let Some(early) = early.filter(|_| head.status != 100) {
                early.tell(response(&head)?);
            }
            connection.consume_interim(length, &self.bounds)?;
            *scan = HeadScan::response();
        }
    }
}

/// The head with its fields as they came.
pub(in super::super) fn response(head: &ResponseHead<'_>) -> Result<Response<()>, Fault> {
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
