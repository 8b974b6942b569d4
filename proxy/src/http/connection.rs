//! hyper on the client's side of a connection.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::rc::Rc;

use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::drive::{Ended, drive};
use super::pulse::{Lapse, Pulse};
use super::wire::Wire;
use super::{Client, handle};
use crate::refusal::Refusal;

/// A connection that ended in a way worth telling.
pub(crate) struct Broken<S> {
    pub(crate) refusal: Refusal,
    /// The stream, when nobody has told the client yet.
    pub(crate) untold: Option<S>,
}

impl<S> From<Refusal> for Broken<S> {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, untold: None }
    }
}

/// Serves HTTP/1.0 and HTTP/1.1 to the connection's end.
pub(crate) async fn serve_h1<S>(stream: S, client: Rc<Client>) -> Result<(), Broken<S>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let context = client.context.clone();
    let pulse = Pulse::new(Instant::now(), false);
    let beat = pulse.clone();
    let service = service_fn(move |request| {
        let (client, serving) = (client.clone(), beat.begin());
        async move { Ok::<_, Infallible>(handle(request, client, serving).await) }
    });
    let wire = Wire::new(stream, pulse.clone());
    let mut connection = context.h1.serve_connection(wire, service).with_upgrades();
    let finish = |connection: Pin<&mut _>| {
        hyper::server::conn::http1::UpgradeableConnection::graceful_shutdown(connection)
    };
    let timeouts = &context.config().timeouts;
    match drive(Pin::new(&mut connection), finish, &pulse, timeouts, context.drain.clone()).await {
        Ended::Broke(error) if error.is_parse_version_h2() => {
            let parts = connection.into_parts();
            let untold = parts.map(|parts| parts.io.into_inner());
            Err(Broken { refusal: Refusal::Http2OnPlain, untold })
        }
        // hyper has told the client: 400, 414 or 431.
        Ended::Broke(error) if error.is_parse() => Err(Refusal::BadRequest.into()),
        Ended::Lapsed(Lapse::Head) => Err(Refusal::HeadTimeout.into()),
        Ended::Whole | Ended::Lapsed(_) | Ended::Broke(_) => Ok(()),
    }
}

/// Serves HTTP/2 to the connection's end.
pub(crate) async fn serve_h2<S>(stream: S, client: Rc<Client>)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let context = client.context.clone();
    let pulse = Pulse::new(Instant::now(), true);
    let beat = pulse.clone();
    let service = service_fn(move |request| {
        let (client, serving) = (client.clone(), beat.begin());
        async move { Ok::<_, Infallible>(handle(request, client, serving).await) }
    });
    let wire = Wire::new(stream, pulse.clone());
    let mut connection = pin!(context.h2.serve_connection(wire, service));
    let finish =
        |connection: Pin<&mut _>| hyper::server::conn::http2::Connection::graceful_shutdown(connection);
    let timeouts = &context.config().timeouts;
    // Protocol errors are told by GOAWAY or RST_STREAM frames, and leave nobody to tell anything else.
    let _ended = drive(connection.as_mut(), finish, &pulse, timeouts, context.drain.clone()).await;
}
