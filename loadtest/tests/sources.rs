//! Whom a static route serves changes live, from the gRPC call to connections that are open at the edge.

use std::time::Duration;

use http_body_util::BodyExt as _;
use loadtest::backend::{self, HttpBackend, SecureBackend};
use loadtest::manifest::{App, Speaks};
use loadtest::{Epr, KeepAlive, OrFault as _, Outcome, Talk, play};
use proto::wire::{Metadata, StaticRoute, UpdateStaticRouteRequest, WaitForProxies};

const LIMIT: Duration = Duration::from_secs(60);
const NAMES: [&str; 3] = ["my-web", "my-chat", "my-tcp"];

/// Has these sources served by all the names, at the edge when this returns.
async fn serve(epr: &Epr, source_ranges: &[&str]) -> Outcome {
    let api = epr.api().await?;
    for name in NAMES {
        let metadata = Some(Metadata { name: name.to_owned(), ..Default::default() });
        let source_ranges = source_ranges.iter().map(|range| (*range).to_owned()).collect();
        let static_route = Some(StaticRoute { metadata, source_ranges, ..Default::default() });
        let wait = Some(WaitForProxies { timeout: Duration::from_secs(10).try_into().ok() });
        let request = UpdateStaticRouteRequest { static_route, wait };
        let updated = api.static_routes().update_static_route(request).await?.into_inner();
        let receipt = updated.receipt.or_fault("no receipt")?;
        assert_eq!((receipt.applied_by.len(), receipt.lagging.len()), (1, 0), "{receipt:?}");
    }
    Ok(())
}

#[test]
fn sources_change_live_for_what_comes_and_for_what_is_open() -> Outcome {
    play(LIMIT, async |stage| {
        let web = HttpBackend::start(stage, "web").await?;
        let chat = backend::websocket(stage, "chat").await?;
        let secure = SecureBackend::start(stage, "my-tcp.ep-r.io").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("mine")
            .endpoint("WEB", Speaks::Http, &[web.addr()])
            .bound("my-web")
            .endpoint("CHAT", Speaks::Https, &[chat.addr()])
            .bound("my-chat")
            .endpoint("TCP", Speaks::SecureTcp, &[secure.addr()])
            .bound("my-tcp");
        epr.apply(stage, &app.manifest_with_routes()).await?;
        let status = async || Outcome::Ok(epr.curl("http://my-web.ep-r.io/")?.get().await?.status);

        let mut download = KeepAlive::connect(epr.http()?, "my-web.ep-r.io").await?;
        let mut body = download.open("/drip").await?.into_body();
        let mut websocket = epr.websocket(stage, "chat-client", "wss://my-chat.ep-r.io/").await?;
        let mut command = epr.openssl("my-tcp.ep-r.io")?;
        command.args(["-quiet", "-verify_quiet"]);
        let mut tcp = Talk::start(stage, "openssl", command)?;
        web.until_dripping(1).await?;

        serve(&epr, &["127.0.0.0/8", "2001:db8::/32"]).await?;
        web.drip("drop");
        let frame = body.frame().await.or_fault("the download ended")??;
        assert_eq!(frame.into_data().ok().as_deref(), Some(b"drop".as_slice()), "who may stay stays");
        assert_eq!(websocket.ask("there?").await?, "chat: there?");
        assert_eq!(tcp.ask("there?").await?, "there?");
        assert_eq!(status().await?, 200);

        websocket.say("wait-close").await?;
        serve(&epr, &["198.51.100.0/24"]).await?;
        assert_eq!(status().await?, 403);
        let cut = body.frame().await;
        assert!(cut.as_ref().is_none_or(Result::is_err), "{cut:?}");
        assert_eq!(websocket.rest().await?, ["closed 1006"], "without a farewell");
        assert_eq!(tcp.hear().await?, None);
        let accepted = secure.accepted();
        let mut command = epr.openssl("my-tcp.ep-r.io")?;
        command.args(["-quiet", "-verify_quiet"]);
        assert_eq!(Talk::start(stage, "openssl-again", command)?.hear().await?, None);
        assert_eq!(secure.accepted(), accepted, "closed before any backend is dialled");

        serve(&epr, &[]).await?;
        assert_eq!(status().await?, 200);
        Ok(())
    })
}
