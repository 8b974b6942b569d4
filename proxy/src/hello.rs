//! Reads a TLS `ClientHello`, whatever segments and records it comes in, and keeps its bytes.
//!
//! The name in it decides the route. The bytes go on untouched: to the backend of a Secure TCP route,
//! or to rustls, which reads them anew.
//!
//! Architecture invariant: nothing here knows rustls; [`scan`] is pure and holds no state.

mod extensions;
mod records;

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

pub use extensions::{Alpn, ServerName};
pub use records::{Scan, scan};

use crate::refusal::Refusal;

/// What most hellos fit in, post-quantum key shares included.
const FIRST_READ: usize = 2048;

/// A whole hello and everything read so far.
#[derive(Debug)]
pub struct Hello {
    /// All bytes read from the connection: the hello, and what came with it.
    pub bytes: BytesMut,
    /// The name the client wants.
    pub server_name: ServerName,
    /// Which protocols the client speaks inside TLS.
    pub alpn: Alpn,
    /// Whether it would rather have ChaCha20-Poly1305 than AES, for want of the latter in hardware.
    pub favours_chacha20: bool,
}

/// Reads until the hello is whole, within `limit` bytes and before `timeout` has passed.
///
/// None when the client closed without sending anything, as health checks of load balancers do.
/// Errors are the `Hello*` refusals, `BadHello` and `NotTls`.
pub async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
    timeout: Duration,
) -> Result<Option<Hello>, Refusal> {
    match tokio::time::timeout(timeout, read_within(stream, limit)).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::HelloTimeout),
    }
}

async fn read_within(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Option<Hello>, Refusal> {
    let mut bytes = BytesMut::with_capacity(FIRST_READ.min(limit));
    loop {
        let room = limit.saturating_sub(bytes.len());
        if room == 0 {
            return Err(Refusal::HelloTooLong);
        }
        let read = (&mut *stream).take(room as u64).read_buf(&mut bytes).await;
        match read {
            Ok(0) | Err(_) if bytes.is_empty() => return Ok(None),
            Ok(0) | Err(_) => return Err(Refusal::HelloTruncated),
            Ok(_) => {}
        }
        match scan(&bytes, limit) {
            Scan::NeedMore => {}
            Scan::Hello { server_name, alpn, favours_chacha20 } => {
                return Ok(Some(Hello { bytes, server_name, alpn, favours_chacha20 }));
            }
            Scan::NotTls => return Err(Refusal::NotTls),
            Scan::Malformed => return Err(Refusal::BadHello),
            Scan::TooLong => return Err(Refusal::HelloTooLong),
        }
    }
}

#[cfg(test)]
mod tests;
