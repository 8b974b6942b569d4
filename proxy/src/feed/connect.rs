use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use certs::Distrust;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::config::{FeedConfig, fixed};

type BoxError = Box<dyn Error + Send + Sync>;
type Connecting = Pin<Box<dyn Future<Output = Result<TokioIo<Box<dyn Stream>>, BoxError>> + Send>>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens a channel to the control plane.
pub(super) async fn channel(config: &FeedConfig) -> Result<Channel, String> {
    let endpoint = Endpoint::from_shared(config.url.clone())
        .map_err(|error| format!("{:?} is not a URL like https://HOST:PORT: {error}", config.url))?
        .connect_timeout(fixed::FEED_CONNECT)
        // A machine that vanished without a word is noticed below the stream's own heartbeats.
        .http2_keep_alive_interval(config.silence / 2)
        .keep_alive_timeout(config.silence / 2)
        .keep_alive_while_idle(true);
    let tls = match endpoint.uri().scheme_str() {
        Some("https") => {
            Some(config.ca.clone().ok_or("the URL is https but no CA is given to verify it with")?)
        }
        Some("http") => None,
        other => {
            return Err(format!("the URL's scheme is {}, not http or https", other.unwrap_or("missing")));
        }
    };
    let connector = service_fn(move |uri: Uri| -> Connecting { Box::pin(connect(uri, tls.clone())) });
    endpoint.connect_with_connector(connector).await.map_err(|error| reason(&error))
}

async fn connect(
    uri: Uri,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Result<TokioIo<Box<dyn Stream>>, BoxError> {
    let host = uri.host().ok_or("the URL has no host")?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        may_hear_tokens(stream.peer_addr()?.ip())?;
        return Ok(TokioIo::new(Box::new(stream)));
    };
    let name = ServerName::try_from(host)?;
    Ok(TokioIo::new(Box::new(TlsConnector::from(tls).connect(name, stream).await?)))
}

/// Whether a token may go to `peer` in the clear: it travels with the stream, and so to everybody on the way.
fn may_hear_tokens(peer: IpAddr) -> Result<(), &'static str> {
    match peer.to_canonical().is_loopback() {
        true => Ok(()),
        false => Err("http:// would send the token in the clear beyond this machine; use https://"),
    }
}

/// Why something failed, in words: what TLS found wrong, or else the innermost cause. What wraps it says no
/// more than "transport error".
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    if let Some(distrust) = Distrust::of(error) {
        return distrust.to_string();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<tonic::Status>() {
        Some(status) => status.message().to_owned(),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_leave_the_machine_under_tls_alone() {
        for (peer, may) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.7", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(may_hear_tokens(peer.parse().unwrap()).is_ok(), may, "{peer}");
        }
    }

    #[test]
    fn reasons_are_words() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let status = tonic::Status::from_error(Box::new(tonic::ConnectError(Box::new(refused))));
        assert_eq!(reason(&status), "connection refused");
        let tls = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
        let error = tonic::ConnectError(Box::new(std::io::Error::new(std::io::ErrorKind::InvalidData, tls)));
        assert_eq!(reason(&error), "its certificate is not trusted");
    }
}
