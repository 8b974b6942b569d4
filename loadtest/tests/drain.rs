//! SIGTERM: nothing new, everything begun is finished, exit code 0.

use std::time::Duration;

use loadtest::backend::{self, HttpBackend};
use loadtest::manifest::{App, Speaks};
use loadtest::{Epr, KeepAlive, OrFault as _, Outcome, eventually, play};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const LIMIT: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_secs(20);
/// Types of HTTP/2 frames, and a frame of settings that sets nothing.
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const NO_SETTINGS: [u8; 9] = [0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];

/// Waits until the port takes no more connections.
async fn until_closed(port: std::net::SocketAddr) -> Outcome {
    eventually("a closed listener", WAIT, async || Ok(TcpStream::connect(port).await.err().map(drop))).await
}

#[test]
fn requests_and_tunnels_begun_are_finished() -> Outcome {
    play(LIMIT, async |stage| {
        let web = HttpBackend::start(stage, "web").await?;
        let chat = backend::websocket(stage, "chat").await?;
        let mut epr = Epr::up(stage).await?;
        let app = App::new("hello")
            .endpoint("WEB", Speaks::Http, &[web.addr()])
            .bound("hello-web")
            .endpoint("SAFE", Speaks::Https, &[web.addr()])
            .bound("hello-safe")
            .endpoint("CHAT", Speaks::Http, &[chat.addr()])
            .bound("hello-chat");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        let mut idle = KeepAlive::connect(epr.http()?, "hello-web.ep-r.io").await?;
        assert_eq!(idle.get("/").await?.status, 200);
        let mut websocket = epr.websocket(stage, "chat-client", "ws://hello-chat.ep-r.io/").await?;
        let h1 = epr.curl("http://hello-web.ep-r.io/slow")?;
        let h2 = epr.curl("https://hello-safe.ep-r.io/slow")?.args(&["--http2", "--verbose"]);
        let drain = async {
            web.until_slow(2).await?;
            epr.process().signal(Signal::TERM)?;
            until_closed(epr.http()?).await?;
            until_closed(epr.https()?).await?;
            assert_eq!(websocket.ask("still there?").await?, "chat: still there?");
            // A connection without a request is told to go.
            assert!(idle.get("/").await.is_err(), "an idle connection outlives the drain");
            assert!(epr.process().ended()?.is_none(), "it ended with requests in flight");
            web.release();
            Outcome::Ok(())
        };
        let (drained, h1, h2) = tokio::join!(drain, h1.get(), h2.try_get());
        drained?;
        assert_eq!(h1?.status, 200);
        let (finished, h2) = h2?;
        assert_eq!(h2.map(|page| page.status), Some(200), "{finished:?}");
        assert_eq!(websocket.ask("and now?").await?, "chat: and now?");
        assert_eq!(websocket.rest().await?, ["closed 1000"]);
        let status = epr.process().wait(WAIT).await?;
        assert_eq!(status.code(), Some(0), "{status}");
        assert!(!epr.data_dir().join("listening.json").exists());
        Ok(())
    })
}

#[test]
fn without_work_it_ends_at_once() -> Outcome {
    play(LIMIT, async |stage| {
        let mut epr = Epr::up(stage).await?;
        for signal in [Signal::TERM, Signal::INT] {
            epr.process().signal(signal)?;
            let status = epr.process().wait(Duration::from_secs(5)).await?;
            assert_eq!(status.code(), Some(0), "{signal:?}: {status}");
            epr.restart(stage).await?;
        }
        Ok(())
    })
}

/// The type of the next HTTP/2 frame (RFC 9113 4.1); none when the connection is closed. A ping is
/// answered, for the server goes once it knows that its GOAWAY has been read (RFC 9113 6.8).
async fn next_frame(stream: &mut TlsStream<TcpStream>) -> Outcome<Option<u8>> {
    let mut head = [0; 9];
    if timeout(WAIT, stream.read_exact(&mut head)).await.or_fault("it stays open")?.is_err() {
        return Ok(None);
    }
    let [high, middle, low, kind, ..] = head;
    let mut payload = vec![0; usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)];
    stream.read_exact(&mut payload).await?;
    if kind == PING {
        stream.write_all(&[&[0, 0, 8, PING, 1, 0, 0, 0, 0], payload.as_slice()].concat()).await?;
        stream.flush().await?;
    }
    Ok(Some(kind))
}

#[test]
fn an_http2_client_is_told_to_go_away() -> Outcome {
    play(LIMIT, async |stage| {
        let web = HttpBackend::start(stage, "web").await?;
        let mut epr = Epr::up(stage).await?;
        let app = App::new("hello").endpoint("SAFE", Speaks::Https, &[web.addr()]).bound("hello-safe");
        epr.apply(stage, &app.manifest_with_routes()).await?;

        let tls = TlsConnector::from(certs::client_config(Some(&epr.ca()))?);
        let tcp = TcpStream::connect(epr.https()?).await?;
        let mut stream = tls.connect("hello-safe.ep-r.io".to_owned().try_into()?, tcp).await?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
        stream.write_all(&NO_SETTINGS).await?;
        stream.flush().await?;
        // Its own settings say that it has taken the connection on.
        assert_eq!(next_frame(&mut stream).await?, Some(SETTINGS));

        epr.process().signal(Signal::TERM)?;
        let mut frames = Vec::new();
        while let Some(frame) = next_frame(&mut stream).await? {
            frames.push(frame);
        }
        assert!(frames.contains(&GOAWAY), "{frames:?}");
        assert_eq!(epr.process().wait(WAIT).await?.code(), Some(0));
        Ok(())
    })
}
