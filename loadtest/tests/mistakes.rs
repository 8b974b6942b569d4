//! Mistakes people make: each ends in one clear line with what to do, and loses nothing.

use std::net::TcpListener;
use std::time::Duration;

use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks, static_route};
use loadtest::tools::{self, Finished};
use loadtest::{Epr, OrFault as _, Outcome, Stage, Start, play};

const LIMIT: Duration = Duration::from_secs(60);

/// Starts what must not start; what it says.
async fn refused(start: &Start) -> Outcome<String> {
    let finished = tools::finish(start.command()?).await?;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    the_error(&finished)
}

/// The one line that says what is wrong.
fn the_error(finished: &Finished) -> Outcome<String> {
    assert!(!finished.err.contains("panicked"), "{}", finished.err);
    let mut lines = finished.err.lines().filter(|line| line.starts_with("error: "));
    let line = lines.next().or_fault(format_args!("no line says what is wrong: {finished:?}"))?;
    assert_eq!(lines.next(), None, "{}", finished.err);
    Ok(line.to_owned())
}

async fn hello(stage: &Stage, epr: &Epr) -> Outcome<HttpBackend> {
    let backend = HttpBackend::start(stage, "blue").await?;
    let app = App::new("hello").endpoint("WEB", Speaks::Http, &[backend.addr()]).bound("hello-web");
    epr.apply(stage, &app.manifest_with_routes()).await?;
    Ok(backend)
}

async fn still_serves(epr: &Epr) -> Outcome {
    let page = epr.curl("http://hello-web.ep-r.io/")?.get().await?;
    assert_eq!((page.status, page.backend()), (200, "blue"), "{page:?}");
    Ok(())
}

#[test]
fn a_port_somebody_else_has() -> Outcome {
    play(LIMIT, async |stage| {
        let foreign = TcpListener::bind(stage.any_port())?.local_addr()?;
        let _held = TcpListener::bind(foreign)?;
        for flag in ["--http", "--https", "--admin", "--grpc", "--api"] {
            let error = refused(&Start::up(stage).port(flag, foreign)).await?;
            assert!(error.contains(&foreign.to_string()), "{flag}: {error}");
        }
        Ok(())
    })
}

#[test]
fn a_port_another_epr_has() -> Outcome {
    play(LIMIT, async |stage| {
        let first = Epr::up(stage).await?;
        let _backend = hello(stage, &first).await?;
        let second = Start::up(stage).data(stage.dir().join("second"));
        for (flag, taken) in [
            ("--http", first.http()?),
            ("--https", first.https()?),
            ("--admin", first.admin()?),
            ("--grpc", first.grpc()?),
            ("--api", first.rest()?),
        ] {
            let error = refused(&second.clone().port(flag, taken)).await?;
            assert!(error.contains(&taken.to_string()), "{flag}: {error}");
            still_serves(&first).await?;
        }
        Ok(())
    })
}

#[test]
fn a_second_instance_on_the_same_data() -> Outcome {
    play(LIMIT, async |stage| {
        let first = Epr::up(stage).await?;
        let _backend = hello(stage, &first).await?;
        for start in [Start::up(stage), Start::control(stage).data(first.data_dir())] {
            let error = refused(&start).await?;
            assert!(error.contains(&*first.data_dir().to_string_lossy()), "{error}");
        }
        // The second one has not taken the first one's place.
        still_serves(&first).await?;
        first.ok(&["get", "routes"]).await?;
        Ok(())
    })
}

#[test]
fn a_directory_that_cannot_be_used() -> Outcome {
    play(LIMIT, async |stage| {
        let file = stage.write("file", "somebody's notes")?;
        for dir in [file.clone(), file.join("below"), "/proc/epr-data".into()] {
            let error = refused(&Start::up(stage).data(&dir)).await?;
            assert!(error.contains(&*dir.to_string_lossy()), "{error}");
        }
        assert_eq!(std::fs::read_to_string(file)?, "somebody's notes");

        let damaged = stage.dir().join("damaged");
        std::fs::create_dir(&damaged)?;
        std::fs::write(damaged.join("store.redb"), "not a store")?;
        let error = refused(&Start::up(stage).data(&damaged)).await?;
        assert!(error.contains("store.redb"), "{error}");
        assert_eq!(std::fs::read_to_string(damaged.join("store.redb"))?, "not a store");
        Ok(())
    })
}

#[test]
fn a_start_beyond_loopback_without_tls() -> Outcome {
    play(LIMIT, async |stage| {
        for flag in ["--grpc", "--api"] {
            let start = Start::control(stage).port(flag, "0.0.0.0:0".parse()?);
            let error = refused(&start).await?;
            assert!(error.contains(flag) && error.to_lowercase().contains("tls"), "{error}");
        }
        Ok(())
    })
}

#[test]
fn a_wrong_command_line() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        for (args, word) in [
            (vec!["get", "deploments"], "deploments"),
            (vec!["bind", "only-one"], "DEPLOYMENT"),
            (vec!["apply"], "--filename"),
            (vec!["apply", "--filname", "x"], "--filname"),
            (vec!["delete", "deployment"], "delete"),
            (vec!["fly"], "fly"),
        ] {
            let finished = epr.run(&args).await?;
            assert_eq!(finished.code, Some(2), "{args:?}: {finished:?}");
            assert!(finished.err.contains(word), "{args:?}: {finished:?}");
        }
        let port = Start::up(stage).flag("--workers", "none");
        let finished = tools::finish(port.command()?).await?;
        assert_eq!(finished.code, Some(2), "{finished:?}");
        Ok(())
    })
}

#[test]
fn a_bad_manifest_tells_every_fault_and_creates_nothing() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        let good = static_route("good-name");
        for (bad, words) in [
            ("kind: [", vec!["bad.yaml:"]),
            (
                "apiVersion: api.rapyuta.io/v2\nkind: Packge\nmetadata: {name: x}",
                vec!["bad.yaml:2", "Packge"],
            ),
            (
                "apiVersion: api.rapyuta.io/v2\nkind: Package\nmetadata:\n  nme: x\nspec: {colour: red}\n",
                vec!["bad.yaml:4", "nme", "bad.yaml:5", "colour", "version"],
            ),
        ] {
            let path = stage.write("bad.yaml", format!("{bad}\n---\n{good}"))?;
            let finished = epr.run(&["apply", "-f", &path.to_string_lossy()]).await?;
            assert_eq!(finished.code, Some(1), "{bad}: {finished:?}");
            for word in words {
                assert!(finished.err.contains(word), "{bad}: no {word} in {}", finished.err);
            }
            let left = epr.ok(&["get", "static-routes", "-o", "name"]).await?;
            assert_eq!(left.trim(), "", "{bad}");
        }
        // What only the rules can judge is told with its place too; what is good is created.
        for name in ["No_Good", "www"] {
            let path = stage.write("bad.yaml", format!("{}---\n{good}", static_route(name)))?;
            let finished = epr.run(&["apply", "-f", &path.to_string_lossy()]).await?;
            assert_eq!(finished.code, Some(1), "{name}: {finished:?}");
            assert!(finished.err.contains("bad.yaml:4") && finished.err.contains(name), "{finished:?}");
            let left = epr.ok(&["get", "static-routes", "-o", "name"]).await?;
            assert_eq!(left.trim(), "static-route/good-name", "{name}");
        }
        let missing = epr.run(&["apply", "-f", "/no/such.yaml"]).await?;
        assert_eq!(missing.code, Some(1), "{missing:?}");
        assert!(the_error(&missing)?.contains("/no/such.yaml"), "{missing:?}");
        Ok(())
    })
}

#[test]
fn a_wrong_token_and_no_server() -> Outcome {
    play(LIMIT, async |stage| {
        let mut epr = Epr::up(stage).await?;
        let wrong = stage.write("wrong.token", "epr_not_a_token")?;
        let finished = epr.run(&["get", "routes", "--token-file", &wrong.to_string_lossy()]).await?;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(the_error(&finished)?.contains("token"), "{finished:?}");
        // A proxy's token follows the feed and does nothing else.
        let proxys = epr.data_dir().join("proxy.token");
        let finished = epr.run(&["get", "routes", "--token-file", &proxys.to_string_lossy()]).await?;
        assert_eq!(finished.code, Some(1), "{finished:?}");

        // After a kill its file still says where it listened.
        epr.process().kill().await?;
        let finished = epr.run(&["get", "routes"]).await?;
        assert_eq!(finished.code, Some(3), "{finished:?}");
        the_error(&finished)?;
        let nowhere = Start::up(stage).data(stage.dir().join("nowhere"));
        let finished = tools::finish(nowhere.verb(&["get", "routes"])?).await?;
        assert_eq!(finished.code, Some(3), "{finished:?}");
        assert!(finished.err.contains("epr up"), "{finished:?}");
        Ok(())
    })
}

#[test]
fn secrets_are_for_their_owner_alone() -> Outcome {
    use std::os::unix::fs::PermissionsExt as _;
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        for name in ["admin.token", "proxy.token", "tls/ca.key", "tls/edge.key", "store.redb"] {
            let mode = std::fs::metadata(epr.data_dir().join(name)).or_fault(name)?.permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        // Tokens are in no log and in no answer.
        let token = std::fs::read_to_string(epr.data_dir().join("admin.token"))?;
        let said = format!(
            "{}{}",
            std::fs::read_to_string(stage.log_path("up.out"))?,
            std::fs::read_to_string(stage.log_path("up.err"))?
        );
        assert!(!said.contains(token.trim()), "{said}");
        Ok(())
    })
}
