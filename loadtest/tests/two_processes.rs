//! Control and proxy apart: the same result, and each goes on without the other.

use std::path::Path;
use std::time::Duration;

use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks};
use loadtest::{Api, Epr, Outcome, Stage, Start, eventually, load, play, tools};
use rustix::process::Signal;

const LIMIT: Duration = Duration::from_secs(90);
const WAIT: Duration = Duration::from_secs(15);
/// Long enough for any proxy that runs.
const SHORT: Duration = Duration::from_secs(1);

async fn control_and_proxy(stage: &Stage) -> Outcome<(Epr, Epr)> {
    let control = Epr::start(stage, Start::control(stage)).await?;
    let proxy = proxy_of(stage, &control, "proxy-one").await?;
    Ok((control, proxy))
}

async fn proxy_of(stage: &Stage, control: &Epr, name: &str) -> Outcome<Epr> {
    Epr::start(stage, control.proxy(stage, name)?).await
}

async fn deploy(stage: &Stage, control: &Epr, name: &str) -> Outcome<HttpBackend> {
    let backend = HttpBackend::start(stage, name).await?;
    let app = App::new(name).endpoint("WEB", Speaks::Http, &[backend.addr()]);
    control.apply(stage, &app.manifest()).await?;
    Ok(backend)
}

/// Which backend the proxy serves the name from, or why none.
async fn served(proxy: &Epr, host: &str) -> Outcome<String> {
    let page = proxy.curl(&format!("http://{host}/"))?.get().await?;
    Ok(format!("{}{}", page.backend(), page.refusal()))
}

/// Waits for the table on disk that has the bound route: writes of it are rate limited.
async fn until_on_disk(cache: &Path) -> Outcome {
    eventually("a table on disk", WAIT, async || {
        let bytes = std::fs::read(cache).unwrap_or_default();
        let holds = |word: &[u8]| bytes.windows(word.len()).any(|found| found == word);
        Ok((holds(b"hello-web.ep-r.io") && holds(b"WEB")).then_some(()))
    })
    .await
}

#[test]
fn the_same_result_as_in_one_process() -> Outcome {
    play(LIMIT, async |stage| {
        let (control, proxy) = control_and_proxy(stage).await?;
        let backend = HttpBackend::start(stage, "blue").await?;
        let app = App::new("hello")
            .endpoint("WEB", Speaks::Http, &[backend.addr()])
            .bound("hello-web")
            .endpoint("SAFE", Speaks::Https, &[backend.addr()])
            .bound("hello-safe");
        control.apply(stage, &app.manifest_with_routes()).await?;
        control.settled(1).await?;
        let mut routes = control.api().await?.static_routes();
        let bound = routes.bind_static_route(proto::wire::BindStaticRouteRequest {
            name: "hello-web".to_owned(),
            deployment: "hello".to_owned(),
            endpoint: "WEB".to_owned(),
            wait: Some(proto::wire::WaitForProxies::default()),
            ..Default::default()
        });
        let receipt = bound.await?.into_inner().receipt.unwrap_or_default();
        assert_eq!(receipt.applied_by, ["proxy-one"], "{receipt:?}");
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "blue");
        let page = proxy.curl("https://hello-safe.ep-r.io/")?.args(&["--http2"]).get().await?;
        assert_eq!((page.status, page.backend()), (200, "blue"));
        Ok(())
    })
}

#[test]
fn a_proxy_goes_on_without_control_and_finds_it_again() -> Outcome {
    play(LIMIT, async |stage| {
        let (mut control, proxy) = control_and_proxy(stage).await?;
        let _blue = deploy(stage, &control, "blue").await?;
        let _green = deploy(stage, &control, "green").await?;
        control.settled(1).await?;
        let api = control.api().await?;
        api.create_static_route("hello-web").await?;
        api.bind("hello-web", "blue", Some(WAIT)).await?;

        let clients = load::start(proxy.http()?, "hello-web.ep-r.io", "/", 2);
        control.process().kill().await?;
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "blue");
        control.restart(stage).await?;
        control.settled(1).await?;
        let api = control.api().await?;
        let receipt = api.bind("hello-web", "green", Some(WAIT)).await?;
        assert_eq!(receipt.applied_by, ["proxy-one"], "{receipt:?}");
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "green");
        let seen = clients.stop().await?;
        assert!(seen.failures.is_empty(), "{seen:?}");
        Ok(())
    })
}

#[test]
fn a_proxy_serves_its_last_table_before_control_is_up() -> Outcome {
    play(LIMIT, async |stage| {
        let (mut control, mut proxy) = control_and_proxy(stage).await?;
        let _blue = deploy(stage, &control, "blue").await?;
        control.settled(1).await?;
        let api = control.api().await?;
        api.create_static_route("hello-web").await?;
        api.bind("hello-web", "blue", Some(WAIT)).await?;
        until_on_disk(&proxy.data_dir().join("routes.cache")).await?;

        control.process().kill().await?;
        proxy.kill_and_restart(stage).await?;
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "blue");
        control.restart(stage).await?;
        control.settled(1).await?;
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "blue");
        Ok(())
    })
}

#[test]
fn a_bind_names_who_serves_it_and_who_lags() -> Outcome {
    play(LIMIT, async |stage| {
        let (control, mut one) = control_and_proxy(stage).await?;
        let two = proxy_of(stage, &control, "proxy-two").await?;
        let _blue = deploy(stage, &control, "blue").await?;
        let _green = deploy(stage, &control, "green").await?;
        control.settled(2).await?;
        let api = control.api().await?;
        api.create_static_route("hello-web").await?;
        let mut receipt = api.bind("hello-web", "blue", Some(WAIT)).await?;
        receipt.applied_by.sort();
        assert_eq!(receipt.applied_by, ["proxy-one", "proxy-two"]);

        one.process().signal(Signal::STOP)?;
        let receipt = api.bind("hello-web", "green", Some(SHORT)).await?;
        assert_eq!(receipt.applied_by, ["proxy-two"]);
        let lagging: Vec<_> = receipt.lagging.iter().map(|laggard| laggard.proxy.as_str()).collect();
        assert_eq!(lagging, ["proxy-one"]);
        assert_eq!(served(&two, "hello-web.ep-r.io").await?, "green");
        let said = control.run(&["bind", "hello-web", "blue", "--move", "--wait=300ms"]).await?;
        assert_eq!(said.code, Some(0), "a deadline passed does not undo the commit: {said:?}");
        assert!(format!("{}{}", said.out, said.err).contains("proxy-one"), "{said:?}");

        one.process().signal(Signal::CONT)?;
        let mut receipt = api.bind("hello-web", "green", Some(WAIT)).await?;
        receipt.applied_by.sort();
        assert_eq!(receipt.applied_by, ["proxy-one", "proxy-two"]);
        assert_eq!(served(&one, "hello-web.ep-r.io").await?, "green");
        Ok(())
    })
}

#[test]
fn control_is_followed_and_asked_over_tls() -> Outcome {
    play(LIMIT, async |stage| {
        let (certificate, key) = (stage.dir().join("grpc.pem"), stage.dir().join("grpc.key"));
        let mut openssl = tools::command("openssl", ["req", "-x509", "-nodes", "-subj", "/CN=control"])?;
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.args(["-addext", &format!("subjectAltName=IP:{}", stage.ip())]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
        tools::finish(openssl).await?.success()?;
        let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());

        let start = Start::control(stage).flag("--tls-cert", &certificate).flag("--tls-key", &key);
        let control = Epr::start(stage, start).await?;
        let url = format!("https://{}", control.grpc()?);
        let start = Start::proxy(stage, "proxy-one", &url, control.data_dir());
        let proxy = Epr::start(stage, start.flag("--ca", &certificate)).await?;
        let backend = HttpBackend::start(stage, "blue").await?;
        let app = App::new("hello").endpoint("WEB", Speaks::Http, &[backend.addr()]).bound("hello-web");
        let manifest = stage.write("hello.yaml", app.manifest_with_routes())?;
        control.ok(&["apply", "-f", &manifest.to_string_lossy(), "--ca", &certificate]).await?;
        eventually("the route", WAIT, async || {
            Ok((served(&proxy, "hello-web.ep-r.io").await? == "blue").then_some(()))
        })
        .await?;
        assert!(control.ok(&["get", "proxies", "--ca", &certificate]).await?.contains("proxy-one"));

        // Nobody who does not trust the certificate says a word, let alone a token.
        let finished = control.run(&["get", "proxies"]).await?;
        assert_eq!(finished.code, Some(3), "{finished:?}");
        let token = std::fs::read_to_string(control.data_dir().join("admin.token"))?;
        let plain = Api::with_token(control.grpc()?, token.trim()).await;
        assert!(plain.is_err() || plain?.create_static_route("never").await.is_err());
        Ok(())
    })
}

#[test]
fn a_proxy_that_is_not_let_in_says_why() -> Outcome {
    play(LIMIT, async |stage| {
        let control = Epr::start(stage, Start::control(stage)).await?;
        let wrong = stage.write("wrong.token", "epr_not_a_token")?;
        let start = control.proxy(stage, "stranger")?.flag("--token-file", wrong.to_string_lossy());
        let mut proxy = Epr::start(stage, start).await?;
        eventually("words about the token", WAIT, async || {
            Ok(proxy.process().err().contains("token").then_some(()))
        })
        .await?;
        // It is alive, has no table and says so.
        let page = loadtest::Curl::plain(&format!("http://{}/ready", proxy.admin()?))?.get().await?;
        assert_eq!(page.status, 503, "{page:?}");
        let missing = control.proxy(stage, "lost")?.flag("--token-file", "/no/such.token");
        let finished = tools::finish(missing.command()?).await?;
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains("/no/such.token"), "{finished:?}");
        Ok(())
    })
}

#[test]
fn a_damaged_table_on_disk_does_not_stop_a_proxy() -> Outcome {
    play(LIMIT, async |stage| {
        let (control, mut proxy) = control_and_proxy(stage).await?;
        let _blue = deploy(stage, &control, "blue").await?;
        let api = control.api().await?;
        api.create_static_route("hello-web").await?;
        api.bind("hello-web", "blue", Some(WAIT)).await?;
        let cache = proxy.data_dir().join("routes.cache");
        until_on_disk(&cache).await?;
        let whole = std::fs::read(&cache)?;
        let mut flipped = whole.clone();
        if let Some(byte) = flipped.get_mut(whole.len() / 2) {
            *byte ^= 0x10;
        }
        let half = whole.get(..whole.len() / 2).unwrap_or_default().to_vec();
        for damaged in [flipped, half, Vec::new(), b"not a table".to_vec()] {
            proxy.process().kill().await?;
            std::fs::write(&cache, damaged)?;
            proxy.restart(stage).await?;
            control.settled(1).await?;
            assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "blue");
        }
        Ok(())
    })
}

#[test]
fn a_store_from_a_backup_is_what_counts() -> Outcome {
    play(LIMIT, async |stage| {
        let (mut control, proxy) = control_and_proxy(stage).await?;
        let _blue = deploy(stage, &control, "blue").await?;
        let _green = deploy(stage, &control, "green").await?;
        let api = control.api().await?;
        api.create_static_route("hello-web").await?;
        api.bind("hello-web", "blue", Some(WAIT)).await?;
        control.terminate(WAIT).await?;
        let (store, backup) = (control.data_dir().join("store.redb"), stage.dir().join("backup"));
        std::fs::copy(&store, &backup)?;

        control.restart(stage).await?;
        control.settled(1).await?;
        let api = control.api().await?;
        api.create_static_route("later-web").await?;
        api.bind("later-web", "green", Some(WAIT)).await?;
        api.bind("hello-web", "green", Some(WAIT)).await?;
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "green");
        control.terminate(WAIT).await?;

        // As many commits as before, but others: numbers alone could not tell them apart.
        std::fs::copy(&backup, &store)?;
        control.restart(stage).await?;
        let api = control.api().await?;
        for name in ["other-one", "other-two", "other-three"] {
            api.create_static_route(name).await?;
        }
        control.settled(1).await?;
        assert_eq!(served(&proxy, "hello-web.ep-r.io").await?, "blue");
        assert_eq!(served(&proxy, "later-web.ep-r.io").await?, "no_route");
        assert_eq!(served(&proxy, "other-one.ep-r.io").await?, "unbound");
        Ok(())
    })
}
