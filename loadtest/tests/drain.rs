//! SIGTERM: nothing new, everything begun is finished, exit code 0.

use std::time::Duration;

use loadtest::backend::{self, HttpBackend};
use loadtest::manifest::{App, Speaks};
use loadtest::{Epr, KeepAlive, Outcome, eventually, play};
use rustix::process::Signal;
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_secs(20);

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
