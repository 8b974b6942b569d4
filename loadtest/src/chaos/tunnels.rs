use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::backends::{KEY, pattern};
use super::draw::Draw;
use super::ledger::Ledger;
use super::site::{Edge, Group, Name};
use crate::hello::client_hello;
use crate::manifest::Speaks;
use crate::{Fault, OrFault as _, Outcome};

/// How long a tunnel may take among all that goes on. Less than the grace of one whose route has moved.
const PATIENCE: Duration = Duration::from_secs(20);
/// Messages of a tunnel.
const MESSAGES: u64 = 5;

/// Opens one tunnel of the group after the other, each to hear whose it is and every byte again.
pub(super) async fn run(edge: Edge, group: Group, ledger: Arc<Ledger>, over: CancellationToken, seed: u64) {
    let mut draw = Draw::new(seed);
    let passes = group.speaks == Speaks::SecureTcp;
    let who = if passes { "sound clients, passed through" } else { "sound clients, WebSocket" };
    while !over.is_cancelled() {
        let Some(name) = draw.one_of(&group.names) else { return };
        let (number, size) = (ledger.number(), draw.below(1 << 16));
        let talk = timeout(PATIENCE, talk(&edge, name, passes, number, size));
        match talk.await.or_fault("a tunnel stands still").flatten() {
            Ok(()) => ledger.saw(who, "tunnel held"),
            Err(fault) => ledger.wrong(format_args!("{who}: {}: {fault:?}", name.host)),
        }
    }
}

async fn talk(edge: &Edge, name: &Name, passes: bool, number: u64, size: u64) -> Outcome {
    let sent = Instant::now();
    let stream = TcpStream::connect(if passes { edge.https } else { edge.http }).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let hello = client_hello(Some(&name.host));
    if passes {
        stream.write_all(&hello).await?;
    } else {
        let head = format!("GET /n/{number}/0 HTTP/1.1\r\nhost: {}\r\n", name.host);
        let fields = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
        stream.write_all(format!("{head}{fields}sec-websocket-key: {KEY}\r\n\r\n").as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 101 ") {
            return Err(Fault::new(format_args!("{number}: {line:?}")));
        }
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).await?;
        }
    }
    let mut by = String::new();
    stream.read_line(&mut by).await?;
    if !name.history.may(by.trim_end(), sent) {
        return Err(Fault::new(format_args!("a tunnel to {by:?}, which had it no more")));
    }
    if passes {
        hear(&mut stream, &hello).await?;
    }
    for message in 0..MESSAGES {
        let words = pattern(number + message, size);
        stream.write_all(&words).await?;
        hear(&mut stream, &words).await?;
    }
    stream.shutdown().await?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await?;
    if rest.is_empty() { Ok(()) } else { Err(Fault::new(format_args!("{} bytes too many", rest.len()))) }
}

async fn hear(stream: &mut BufReader<TcpStream>, words: &[u8]) -> Outcome {
    let mut heard = vec![0; words.len()];
    stream.read_exact(&mut heard).await?;
    if heard == words { Ok(()) } else { Err(Fault::new("other bytes than those that were sent")) }
}
