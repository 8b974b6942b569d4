//! Static routes outlive deployments and move between them, and nobody notices.

use std::time::Duration;

use http_body_util::BodyExt as _;
use loadtest::backend::{self, HttpBackend, SecureBackend};
use loadtest::manifest::{App, Speaks, static_route};
use loadtest::{Epr, KeepAlive, OrFault as _, Outcome, Talk, load, play};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const MOVES: usize = 50;
const CLIENTS: usize = 4;
const WAIT: Duration = Duration::from_secs(10);

#[test]
fn fifty_moves_under_load_fail_no_request() -> Outcome {
    play(LIMIT, async |stage| {
        let colours = ["blue", "green"];
        let backends =
            [HttpBackend::start(stage, colours[0]).await?, HttpBackend::start(stage, colours[1]).await?];
        let epr = Epr::up(stage).await?;
        epr.apply(stage, &static_route("moving")).await?;
        for (colour, backend) in colours.iter().zip(&backends) {
            let app = App::new(colour).endpoint("WEB", Speaks::Http, &[backend.addr()]);
            epr.apply(stage, &app.manifest()).await?;
        }
        let api = epr.api().await?;
        api.bind("moving", "blue", Some(WAIT)).await?;

        let clients = load::start(epr.http()?, "moving.ep-r.io", "/", CLIENTS);
        let mut probes = Vec::new();
        for _ in 0..CLIENTS {
            probes.push(KeepAlive::connect(epr.http()?, "moving.ep-r.io").await?);
        }
        for turn in 1..=MOVES {
            let now = colours[turn % 2];
            let receipt = api.bind("moving", now, Some(WAIT)).await?;
            assert!(receipt.lagging.is_empty(), "{receipt:?}");
            assert_eq!(receipt.applied_by.len(), 1, "{receipt:?}");
            for probe in &mut probes {
                let answer = probe.get("/").await?;
                assert_eq!((answer.status, answer.by.as_str()), (200, now), "after move {turn}");
            }
        }
        let seen = clients.stop().await?;
        assert!(seen.failures.is_empty(), "{} failed of {}: {seen:?}", seen.failures.len(), seen.answered);
        assert!(seen.answered > MOVES as u64, "no load: {seen:?}");
        for backend in &backends {
            assert!(backend.requests() > MOVES as u64);
        }
        Ok(())
    })
}

#[test]
fn what_other_routes_carry_is_left_alone() -> Outcome {
    play(LIMIT, async |stage| {
        let web = HttpBackend::start(stage, "still").await?;
        let chat = backend::websocket(stage, "chat").await?;
        let secure = SecureBackend::start(stage, "still-tcp.ep-r.io").await?;
        let epr = Epr::up(stage).await?;
        let still = App::new("still")
            .endpoint("WEB", Speaks::Http, &[web.addr()])
            .bound("still-web")
            .endpoint("CHAT", Speaks::Http, &[chat.addr()])
            .bound("still-chat")
            .endpoint("TCP", Speaks::SecureTcp, &[secure.addr()])
            .bound("still-tcp");
        epr.apply(stage, &still.manifest_with_routes()).await?;
        epr.apply(stage, &static_route("moving")).await?;
        for name in ["blue", "green"] {
            let app = App::new(name).endpoint("WEB", Speaks::Http, &[web.addr()]);
            epr.apply(stage, &app.manifest()).await?;
        }
        let api = epr.api().await?;

        let mut download = KeepAlive::connect(epr.http()?, "still-web.ep-r.io").await?;
        let mut body = download.open("/drip").await?.into_body();
        let mut websocket = epr.websocket(stage, "chat-client", "ws://still-chat.ep-r.io/").await?;
        let mut command = epr.openssl("still-tcp.ep-r.io")?;
        command.args(["-quiet", "-verify_quiet"]);
        let mut tcp = Talk::start(stage, "openssl", command)?;
        assert_eq!(tcp.ask("before").await?, "before");
        web.until_dripping(1).await?;

        for turn in 0..10 {
            api.bind("moving", ["blue", "green"][turn % 2], Some(WAIT)).await?;
            web.drip("drop");
            let frame = body.frame().await.or_fault("the download ended")??;
            assert_eq!(frame.into_data().ok().as_deref(), Some(b"drop".as_slice()));
            assert_eq!(websocket.ask("still there?").await?, "chat: still there?");
            assert_eq!(tcp.ask("still there?").await?, "still there?");
        }
        web.end();
        assert!(body.frame().await.is_none());
        assert_eq!(websocket.rest().await?, ["closed 1000"]);
        Ok(())
    })
}

#[test]
fn what_is_open_on_the_moved_route_keeps_its_backend() -> Outcome {
    play(LIMIT, async |stage| {
        let (old, new) = (HttpBackend::start(stage, "old").await?, HttpBackend::start(stage, "new").await?);
        let (chat, other) =
            (backend::websocket(stage, "old").await?, backend::websocket(stage, "new").await?);
        let epr = Epr::up(stage).await?;
        epr.apply(stage, &format!("{}---\n{}", static_route("moving"), static_route("chatting"))).await?;
        for (name, web, chat) in [("old", old.addr(), chat.addr()), ("new", new.addr(), other.addr())] {
            let app = App::new(&format!("{name}-web")).endpoint("WEB", Speaks::Http, &[web]);
            epr.apply(stage, &app.manifest()).await?;
            let app = App::new(&format!("{name}-chat")).endpoint("WS", Speaks::Https, &[chat]);
            epr.apply(stage, &app.manifest()).await?;
        }
        let api = epr.api().await?;
        api.bind("moving", "old-web", Some(WAIT)).await?;
        api.bind("chatting", "old-chat", Some(WAIT)).await?;

        let mut download = KeepAlive::connect(epr.http()?, "moving.ep-r.io").await?;
        let mut body = download.open("/drip").await?.into_body();
        let mut slow = KeepAlive::connect(epr.http()?, "moving.ep-r.io").await?;
        let mut websocket = epr.websocket(stage, "chat-client", "wss://chatting.ep-r.io/").await?;
        let turn = async {
            old.until_dripping(1).await?;
            old.until_slow(1).await?;
            api.bind("moving", "new-web", Some(WAIT)).await?;
            api.bind("chatting", "new-chat", Some(WAIT)).await?;
            old.release();
            Outcome::Ok(())
        };
        let (turned, answer) = tokio::join!(turn, slow.get("/slow"));
        turned?;
        let answer = answer?;
        assert_eq!((answer.status, answer.by.as_str()), (200, "old"));
        old.drip("drop");
        let frame = body.frame().await.or_fault("the download ended")??;
        assert_eq!(frame.into_data().ok().as_deref(), Some(b"drop".as_slice()));
        assert_eq!(websocket.ask("who?").await?, "old: who?");

        // The same client connection goes on to the new one, and so does whoever comes now.
        assert_eq!(slow.get("/").await?.by, "new");
        let mut late = epr.websocket(stage, "late-client", "wss://chatting.ep-r.io/").await?;
        assert_eq!(late.ask("who?").await?, "new: who?");
        assert_eq!(websocket.rest().await?, ["closed 1000"]);
        Ok(())
    })
}

#[test]
fn a_static_route_keeps_its_url_and_a_random_one_does_not() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        epr.apply(stage, &static_route("kept-name")).await?;
        let app = App::new("hello").endpoint("WEB", Speaks::Http, &[backend.addr()]).bound("kept-name");
        epr.apply(stage, &app.manifest()).await?;
        let first = random_host(&epr).await?;
        assert_eq!(get(&epr, "kept-name.ep-r.io").await?, (200, "blue".to_owned()));
        assert_eq!(get(&epr, &first).await?, (200, "blue".to_owned()));

        epr.ok(&["delete", "deployment", "hello"]).await?;
        epr.settled(1).await?;
        assert_eq!(get(&epr, "kept-name.ep-r.io").await?, (503, "unbound".to_owned()));
        assert_eq!(get(&epr, &first).await?, (404, "no_route".to_owned()));

        epr.apply(stage, &app.deployment()).await?;
        let second = random_host(&epr).await?;
        assert_eq!(get(&epr, "kept-name.ep-r.io").await?, (200, "blue".to_owned()));
        assert_eq!(get(&epr, &second).await?, (200, "blue".to_owned()));
        assert_ne!(first, second);

        epr.ok(&["unbind", "kept-name", "--wait"]).await?;
        assert_eq!(get(&epr, "kept-name.ep-r.io").await?, (503, "unbound".to_owned()));
        epr.ok(&["bind", "kept-name", "hello/WEB", "--wait"]).await?;
        assert_eq!(get(&epr, "kept-name.ep-r.io").await?, (200, "blue".to_owned()));
        Ok(())
    })
}

/// The host of the live deployment's random route.
async fn random_host(epr: &Epr) -> Outcome<String> {
    let shown: Value = serde_json::from_str(&epr.ok(&["get", "routes", "-o", "json"]).await?)?;
    let text = shown.to_string();
    let host = text.split('"').find(|word| word.starts_with("inst-") && word.ends_with(".ep-r.io"));
    Ok(host.or_fault(&text)?.to_owned())
}

/// Status, and who answered or why nobody did.
async fn get(epr: &Epr, host: &str) -> Outcome<(u16, String)> {
    let page = epr.curl(&format!("http://{host}/"))?.get().await?;
    Ok((page.status, format!("{}{}", page.backend(), page.refusal())))
}
