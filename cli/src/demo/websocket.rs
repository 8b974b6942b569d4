//! As much of WebSocket (RFC 6455) as it takes to say hello and to echo.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper::header::HeaderValue;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// RFC 6455 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Longest payload of one frame that is echoed.
const MOST_PAYLOAD: u64 = 1024 * 1024;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
/// "Normal closure" (RFC 6455 7.4.1).
const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

/// The answer to a handshake's key (RFC 6455 4.2.2); none to what is no key.
pub(super) fn accept(key: &[u8]) -> Option<HeaderValue> {
    let sound = BASE64.decode(key).is_ok_and(|nonce| nonce.len() == 16);
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::from_str(&BASE64.encode(digest)).ok().filter(|_| sound)
}

/// Says hello; then closes if that is all, else sends back what comes until the client closes.
pub(super) async fn converse<S>(mut stream: S, greeting: &str, greet_only: bool) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    send(&mut stream, FINAL | TEXT, format!("{greeting}\n").as_bytes()).await?;
    if greet_only {
        send(&mut stream, FINAL | CLOSE, &NORMAL).await?;
        return stream.shutdown().await;
    }
    loop {
        let (first, payload) = receive(&mut stream).await?;
        match first & 0x0F {
            CLOSE => {
                send(&mut stream, FINAL | CLOSE, &payload).await?;
                return stream.shutdown().await;
            }
            PING => send(&mut stream, FINAL | PONG, &payload).await?,
            PONG => {}
            // Text, binary, and what continues them: back as it came, in the same frames.
            _ => send(&mut stream, first, &payload).await?,
        }
    }
}

/// The first byte of a frame and its payload, unmasked.
async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let first = stream.read_u8().await?;
    let second = stream.read_u8().await?;
    let length = match second & 0x7F {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        short => u64::from(short),
    };
    if second & 0x80 == 0 || length > MOST_PAYLOAD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an unmasked or very large frame"));
    }
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await?;
    let mut payload = Vec::new();
    stream.take(length).read_to_end(&mut payload).await?;
    if payload.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Ok((first, payload))
}

/// Sends an unmasked frame, in one write.
async fn send(stream: &mut (impl AsyncWrite + Unpin), first: u8, payload: &[u8]) -> io::Result<()> {
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    stream.write_all(&frame).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_of_the_rfc_is_answered_as_there() {
        let answer = accept(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert_eq!(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(accept(b"c2hvcnQ="), None);
    }

    /// A final binary frame, masked as clients must, and what it looks like unmasked.
    fn frame(length: usize) -> (Vec<u8>, Vec<u8>) {
        const MASK: [u8; 4] = [1, 2, 3, 4];
        let header = |mask: u8| {
            let mut header = vec![FINAL | 0x2];
            match length {
                ..126 => header.push(mask | u8::try_from(length).unwrap()),
                126..65_536 => {
                    header.push(mask | 126);
                    header.extend(u16::try_from(length).unwrap().to_be_bytes());
                }
                _ => {
                    header.push(mask | 127);
                    header.extend((length as u64).to_be_bytes());
                }
            }
            header
        };
        let masked: Vec<u8> = MASK.iter().cycle().take(length).map(|mask| b'x' ^ mask).collect();
        ([header(0x80), MASK.to_vec(), masked].concat(), [header(0), vec![b'x'; length]].concat())
    }

    #[tokio::test]
    async fn frames_come_back_until_the_client_closes() {
        let (mut client, server) = tokio::io::duplex(256 * 1024);
        let talk = async {
            let mut hello = [0; 4];
            client.read_exact(&mut hello).await?;
            assert_eq!(&hello, b"\x81\x02a\n");
            for length in [5, 200, 70_000] {
                let (sent, expected) = frame(length);
                client.write_all(&sent).await?;
                let mut back = vec![0; expected.len()];
                client.read_exact(&mut back).await?;
                assert!(back == expected, "a frame of {length}");
            }
            client.write_all(&[FINAL | CLOSE, 0x80, 0, 0, 0, 0]).await?;
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await?;
            assert_eq!(rest, [FINAL | CLOSE, 0]);
            io::Result::Ok(())
        };
        let (talked, served) = tokio::join!(talk, converse(server, "a", false));
        talked.unwrap();
        served.unwrap();
    }
}
