use std::io;

/// The answer to the one key the load uses (RFC 6455 1.3).
pub(crate) const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
    connection: Upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// The key of RFC 6455's own example.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// Longer frames than any load sends.
const FRAME_MAX: usize = 128 * 1024;

/// Turns masked frames into unmasked ones of the same content.
#[derive(Default)]
pub(crate) struct Reader {
    kept: Vec<u8>,
}

impl Reader {
    /// Takes bytes; the echo of all frames that are whole with them.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.kept.extend_from_slice(bytes);
        let mut echo = Vec::new();
        while let Some(taken) = echo_one(&self.kept, &mut echo)? {
            self.kept.drain(..taken);
        }
        Ok(echo)
    }
}

/// Echoes the first frame; how many bytes it had, if it is whole.
fn echo_one(bytes: &[u8], echo: &mut Vec<u8>) -> io::Result<Option<usize>> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let (length, rest) = match (second & 0x7f, rest) {
        (126, &[high, low, ref rest @ ..]) => (usize::from(u16::from_be_bytes([high, low])), rest),
        (126, _) => return Ok(None),
        (127, _) => return Err(io::Error::other("a longer frame than any load sends")),
        (short, rest) => (usize::from(short), rest),
    };
    if second & 0x80 == 0 || length > FRAME_MAX {
        return Err(io::Error::other("a frame that is not the load's"));
    }
    let Some((mask, payload)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some(payload) = payload.get(..length) else { return Ok(None) };
    head(first, length, 0, echo);
    echo.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    Ok(Some(bytes.len() - rest.len() + 4 + length))
}

fn head(first: u8, length: usize, masked: u8, out: &mut Vec<u8>) {
    match u8::try_from(length) {
        Ok(short) if short < 126 => out.extend([first, masked | short]),
        _ => {
            out.extend([first, masked | 126]);
            out.extend((length as u16).to_be_bytes());
        }
    }
}

/// A masked binary frame of so many bytes, and how long its echo is.
pub(crate) fn frame(length: usize) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    head(0x82, length, 0x80, &mut bytes);
    let echoed = bytes.len() + length;
    bytes.extend(MASK);
    bytes.extend(std::iter::repeat_n(b'x', length).zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    (bytes, echoed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_unmasked_in_pieces_of_any_size() {
        for length in [0, 5, 125, 126, 128, 4000] {
            let (frame, echoed) = frame(length);
            for size in [1, 3, frame.len()] {
                let mut reader = Reader::default();
                let mut echo = Vec::new();
                for piece in frame.chunks(size) {
                    echo.extend(reader.take(piece).unwrap());
                }
                assert_eq!(echo.len(), echoed, "{length} bytes in pieces of {size}");
                assert!(echo.ends_with(&vec![b'x'; length]));
                assert_eq!(echo[1] & 0x80, 0);
            }
        }
    }
}
