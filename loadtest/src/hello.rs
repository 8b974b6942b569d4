//! TLS hellos written by hand (RFC 8446 4.1.2), and what comes back: for what no proper client would send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tools::PATIENCE;
use crate::{Fault, Outcome};

const EXTENSIONS: [(u16, &[u8]); 4] = [
    // supported_versions: TLS 1.3 and 1.2.
    (43, &[4, 3, 4, 3, 3]),
    // supported_groups: X25519, P-256.
    (10, &[0, 4, 0, 29, 0, 23]),
    // signature_algorithms: ECDSA P-256, RSA-PSS SHA-256.
    (13, &[0, 4, 4, 3, 8, 4]),
    // key_share: none yet; who goes on asks for one.
    (51, &[0, 0]),
];

/// A `ClientHello` in one record, with `name` as its SNI.
pub fn client_hello(name: Option<&str>) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = name {
        // server_name: a list of one host_name (RFC 6066 3).
        let host = [vec![0], sized(name.as_bytes())].concat();
        extensions.extend(extension(0, &sized(&host)));
    }
    for (kind, body) in EXTENSIONS {
        extensions.extend(extension(kind, body));
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]); // random
    body.push(0); // no session id
    body.extend(sized(&[0x13, 0x01, 0xc0, 0x2b])); // cipher suites
    body.extend([1, 0]); // no compression
    body.extend(sized(&extensions));
    let [_, high, middle, low] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    let message = [vec![1, high, middle, low], body].concat();
    record(&message)
}

/// The same hello, cut into TLS records of at most `size` bytes of it.
pub fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
    let message = hello.get(5..).unwrap_or_default();
    message.chunks(size.max(1)).flat_map(record).collect()
}

fn record(fragment: &[u8]) -> Vec<u8> {
    [vec![22, 3, 1], sized(fragment)].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), sized(body)].concat()
}

/// With its length before it, in two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [length.to_be_bytes().to_vec(), bytes.to_vec()].concat()
}

/// Sends `bytes`, then reads until the other side closes; all that came back.
pub async fn exchange(addr: SocketAddr, bytes: &[u8]) -> Outcome<Vec<u8>> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(bytes).await?;
    read_to_close(&mut stream).await
}

/// Reads until the other side closes. A reset after its answer counts as a close.
pub async fn read_to_close(stream: &mut TcpStream) -> Outcome<Vec<u8>> {
    let mut came = Vec::new();
    match timeout(PATIENCE, stream.read_to_end(&mut came)).await {
        Ok(Ok(_)) => Ok(came),
        Ok(Err(_)) if !came.is_empty() => Ok(came),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Fault::new(format_args!("not closed within {PATIENCE:?}; got {came:?}"))),
    }
}

/// The description of the fatal alert that stands alone in `answer`.
pub fn alert(answer: &[u8]) -> Option<u8> {
    match answer {
        [0x15, 3, _, 0, 2, 2, description] => Some(*description),
        _ => None,
    }
}
