use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;

use super::super::reference::{Fields, Message};

/// A message as hyper tells of it: without what it does not keep, and with what it orders anew in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    first: [Vec<u8>; 3],
    fields: Fields,
    payload: Vec<u8>,
}

impl From<&Message> for Heard {
    fn from(message: &Message) -> Self {
        let mut first = message.first.clone();
        if first[0].starts_with(b"HTTP/") {
            first[2].clear();
        } else {
            first[1] = canonical(&first[1]);
        }
        let fields = message.fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        Self { first, fields: sorted(fields), payload: message.payload.clone() }
    }
}

/// A target with its scheme in lower case and a path that is not empty.
fn canonical(target: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(target).into_owned();
    let Some((scheme, rest)) = text.split_once("://").filter(|_| !text.starts_with('/')) else {
        return target.to_vec();
    };
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let slash = if rest[at..].starts_with('/') { "" } else { "/" };
    format!("{}://{}{slash}{}", scheme.to_lowercase(), &rest[..at], &rest[at..]).into_bytes()
}

fn sorted<'f>(fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Fields {
    let mut fields: Vec<_> =
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

fn of_map(map: &HeaderMap) -> Fields {
    sorted(map.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())))
}

fn of_uri(uri: &Uri) -> Vec<u8> {
    let path = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => canonical(format!("{scheme}://{authority}{path}").as_bytes()),
        (_, Some(authority)) => authority.as_str().into(),
        _ => path.into(),
    }
}

/// The requests hyper's server takes, bodies and all, when `step` octets come at a time.
pub fn requests(octets: &[u8], step: usize) -> Vec<Heard> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let heard = heard.clone();
        async move {
            let (head, body) = request.into_parts();
            if let Ok(body) = body.collect().await {
                let version = format!("{:?}", head.version).into_bytes();
                let first = [head.method.as_str().into(), of_uri(&head.uri), version];
                let payload = body.to_bytes().to_vec();
                heard.borrow_mut().push(Heard { first, fields: of_map(&head.headers), payload });
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.header_read_timeout(None).half_close(true);
    drop(drive(builder.serve_connection(Wire::new(octets, step, true), service)));
    heard.take()
}

/// The answer hyper's client takes.
pub fn response(octets: &[u8], step: usize, to_head: bool) -> Option<Heard> {
    let wire = Wire::new(octets, step, false);
    let (mut sender, connection) =
        drive(hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(wire))?.ok()?;
    let method = if to_head { "HEAD" } else { "GET" };
    let request = Request::builder().method(method).uri("/").body(Empty::new()).ok()?;
    let answer = async move {
        let (head, body) = sender.send_request(request).await.ok()?.into_parts();
        let payload = body.collect().await.ok()?.to_bytes().to_vec();
        let version = format!("{:?}", head.version).into_bytes();
        let known = [Version::HTTP_10, Version::HTTP_11].contains(&head.version);
        let first = [version, head.status.as_str().into(), Vec::new()];
        known.then(|| Heard { first, fields: of_map(&head.headers), payload })
    };
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    let mut alive = true;
    drive(std::future::poll_fn(move |cx| {
        alive = alive && connection.as_mut().poll(cx).is_pending();
        answer.as_mut().poll(cx)
    }))?
}

/// Polls until it is done. All is in memory, so nobody is waited for; hyper yields now and then.
fn drive<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    (0..100_000).find_map(|_| match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// A stream that brings some octets and swallows whatever is written.
struct Wire {
    octets: Vec<u8>,
    at: usize,
    step: usize,
    /// Whether it may be read already: answers come after something was asked.
    open: bool,
}

impl Wire {
    fn new(octets: &[u8], step: usize, open: bool) -> Self {
        Self { octets: octets.to_vec(), at: 0, step, open }
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.open {
            return Poll::Pending;
        }
        let to = self.octets.len().min(self.at + self.step.min(buffer.remaining()));
        buffer.put_slice(&self.octets[self.at..to]);
        self.at = to;
        Poll::Ready(Ok(()))
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.open = true;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
