//! Last words on a connection that is refused before HTTP is spoken on it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Writes `words`, closes our half and reads what the client still sends until it closes or `linger`
/// has passed.
///
/// Closing with unread bytes would make the kernel send a reset, and the reset may reach the client
/// before the words do (RFC 9112 9.6).
pub(crate) async fn say(mut stream: TcpStream, words: &[u8], linger: Duration) {
    let orderly = async {
        stream.write_all(words).await?;
        stream.shutdown().await?;
        let mut unheard = [0_u8; 512];
        while stream.read(&mut unheard).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Whether it heard us or not, the connection ends here.
    let _ = tokio::time::timeout(linger, orderly).await;
}
