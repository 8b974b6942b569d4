//! The example platform service as it is, against real control planes and proxies: what is deployed runs by
//! itself, and goes on when either side ends.

use std::fs;
use std::path::Path;
use std::time::Duration;

use loadtest::manifest::{App, Speaks};
use loadtest::{Epr, OrFault as _, Outcome, Reporter, Stage, Start, Talk, eventually, load, play, tools};
use proto::wire::{
    CreateDeploymentRequest, CreateSecretRequest, Deployment, DeploymentDependency, DeploymentSpec,
    DeploymentStatus, EnvVar, GetDeploymentRequest, Metadata, OpaqueData, Phase, Secret, SecretKey, Status,
    UpdateDeploymentRequest, secret,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(150);
const WAIT: Duration = Duration::from_secs(30);
/// Seconds a lease lives: the least there is.
const TTL: u32 = 5;

/// A control plane, a proxy and the service, each a process.
struct Site {
    control: Epr,
    proxy: Epr,
    reporter: Reporter,
}

impl Site {
    async fn set_up(stage: &Stage) -> Outcome<Self> {
        let control = Epr::start(stage, Start::control(stage)).await?;
        let proxy = Epr::start(stage, control.proxy(stage, "proxy")?).await?;
        let reporter = Reporter::start(stage, &control, TTL).await?;
        Ok(Self { control, proxy, reporter })
    }

    /// Waits until the deployment is as `look` wants it.
    async fn until(&self, name: &str, look: impl Fn(&DeploymentStatus) -> bool) -> Outcome<Deployment> {
        let mut deployments = self.control.api().await?.deployments();
        eventually(name, WAIT, async || {
            let request = GetDeploymentRequest { name: name.to_owned(), ..Default::default() };
            let found = deployments.get_deployment(request).await?.into_inner();
            Ok(found.status.as_ref().is_some_and(&look).then_some(found))
        })
        .await
    }

    async fn until_runs(&self, name: &str) -> Outcome<Deployment> {
        self.until(name, |status| status.phase() == Phase::Succeeded && status.status() == Status::Running)
            .await
    }

    /// Waits until the name is served by the deployment, or refused with that label.
    async fn sees(&self, host: &str, by: &str) -> Outcome {
        eventually(&format!("{host}: {by}"), WAIT, async || {
            let page = self.proxy.curl(&format!("http://{host}.ep-r.io/"))?.get().await?;
            let served = page.status == 200 && page.backend() == by;
            Ok((served || page.refusal() == by).then_some(()))
        })
        .await
    }

    /// What the application behind the name tells of itself.
    async fn told(&self, host: &str) -> Outcome<Value> {
        let page = self.proxy.curl(&format!("http://{host}.ep-r.io/"))?.get().await?;
        Ok(serde_json::from_str(&page.body)?)
    }
}

fn app(name: &str) -> App {
    App::new(name).endpoint("WEB", Speaks::Http, &[]).bound(&format!("{name}-web"))
}

#[test]
fn what_is_deployed_runs_and_goes_on_when_either_side_is_killed() -> Outcome {
    play(LIMIT, async |stage| {
        let mut site = Site::set_up(stage).await?;
        site.control.apply(stage, &app("hello").manifest_with_routes()).await?;
        let hello = site.until_runs("hello").await?;
        let backends = hello.status.map(|status| status.endpoints[0].backends.clone());
        site.sees("hello-web", "hello").await?;

        site.control.kill_and_restart(stage).await?;
        site.sees("hello-web", "hello").await?;
        site.control.apply(stage, &app("second").manifest_with_routes()).await?;
        site.until_runs("second").await?;
        site.sees("second-web", "second").await?;
        let hello = site.until_runs("hello").await?;
        assert_eq!(hello.status.map(|status| status.endpoints[0].backends.clone()), backends);

        site.reporter.kill().await?;
        site.sees("hello-web", "no_backend").await?;
        site.reporter.restart(stage)?;
        site.sees("hello-web", "hello").await?;
        site.sees("second-web", "second").await?;

        // Both at once: what was deployed meanwhile, and what was stopped, is seen by whoever comes back.
        site.reporter.kill().await?;
        site.control.ok(&["delete", "deployment", "second"]).await?;
        site.control.apply(stage, &app("third").manifest_with_routes()).await?;
        site.control.kill_and_restart(stage).await?;
        site.reporter.restart(stage)?;
        site.sees("third-web", "third").await?;
        site.sees("hello-web", "hello").await?;
        site.sees("second-web", "unbound").await?;

        let ended = site.reporter.terminate(WAIT).await?;
        assert!(ended.success(), "{ended}");
        let page = site.proxy.curl("http://hello-web.ep-r.io/")?.get().await?;
        assert_eq!(page.refusal(), "no_backend", "its lease is closed before it ends");
        Ok(())
    })
}

#[test]
fn what_ends_by_itself_is_started_again() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        site.control.apply(stage, &app("hello").manifest_with_routes()).await?;
        site.sees("hello-web", "hello").await?;
        let first = site.told("hello-web").await?;
        let pid = first["pid"].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        kill_process(pid.or_fault("it tells no process")?, Signal::KILL)?;
        let again = |status: &DeploymentStatus| {
            status.executables.iter().any(|executable| executable.restart_count == 1)
                && status.status() == Status::Running
        };
        site.until("hello", again).await?;
        eventually("another process", WAIT, async || {
            let page = site.proxy.curl("http://hello-web.ep-r.io/")?.get().await?;
            Ok((page.status == 200 && !page.body.contains(&first["pid"].to_string())).then_some(()))
        })
        .await
    })
}

#[test]
fn an_update_runs_anew_and_fails_no_request() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        site.control.apply(stage, &app("hello").manifest_with_routes()).await?;
        let Deployment { metadata, spec, .. } = site.until_runs("hello").await?;
        site.sees("hello-web", "hello").await?;
        let clients = load::start(site.proxy.http()?, "hello-web.ep-r.io", "/", 2);

        let mut spec = spec.or_fault("a deployment without a spec")?;
        spec.env_args.push(EnvVar { name: "COLOUR".into(), value: "green".into(), ..Default::default() });
        let deployment = Some(Deployment { metadata, spec: Some(spec), status: None });
        let request = UpdateDeploymentRequest { deployment, ..Default::default() };
        site.control.api().await?.deployments().update_deployment(request).await?;
        let runs = |status: &DeploymentStatus| (status.generation, status.phase()) == (2, Phase::Succeeded);
        site.until("hello", runs).await?;
        eventually("the new environment", WAIT, async || {
            let page = site.proxy.curl("http://hello-web.ep-r.io/env/COLOUR")?.get().await?;
            Ok((page.body == "green").then_some(()))
        })
        .await?;
        // The processes of the generation before have ended by then, and nobody has noticed.
        let answered = clients.answered();
        eventually("more answers", WAIT, async || Ok((clients.answered() > answered + 2_000).then_some(())))
            .await?;
        let seen = clients.stop().await?;
        assert!(seen.failures.is_empty(), "{seen:?}");
        Ok(())
    })
}

#[test]
fn secrets_reach_what_runs_and_nobody_else() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        let api = site.control.api().await?;
        let values = [("password".to_owned(), "s3cr3t".to_owned())].into();
        let secret = Secret {
            metadata: Some(Metadata { name: "vault".into(), ..Default::default() }),
            data: Some(secret::Data::Opaque(OpaqueData { values })),
        };
        api.secrets().create_secret(CreateSecretRequest { secret: Some(secret), dry_run: false }).await?;
        site.control.apply(stage, &app("hello").package()).await?;
        let from = SecretKey { secret: "vault".into(), key: "password".into() };
        let variable = EnvVar { name: "PASSWORD".into(), value_from: Some(from), ..Default::default() };
        let spec = DeploymentSpec {
            package_name: "hello".into(),
            package_version: "v1.0.0".into(),
            env_args: vec![variable],
            ..Default::default()
        };
        let metadata = Some(Metadata { name: "hello".into(), ..Default::default() });
        let deployment = Some(Deployment { metadata, spec: Some(spec), status: None });
        let request = CreateDeploymentRequest { deployment, ..Default::default() };
        api.deployments().create_deployment(request).await?;

        let hello = site.until_runs("hello").await?;
        assert!(!format!("{hello:?}").contains("s3cr3t"));
        let random = &hello.status.as_ref().or_fault("no status")?.endpoints[0].random_host;
        site.control.settled(1).await?;
        let page = site.proxy.curl(&format!("http://{random}/env/PASSWORD"))?.get().await?;
        assert_eq!(page.body, "s3cr3t");
        Ok(())
    })
}

#[test]
fn who_depends_on_another_waits_for_it_and_knows_where_it_is() -> Outcome {
    play(LIMIT, async |stage| {
        let control = Epr::start(stage, Start::control(stage)).await?;
        let proxy = Epr::start(stage, control.proxy(stage, "proxy")?).await?;
        let parent = App::new("parent").endpoint("API", Speaks::Https, &[]).bound("the-parent");
        control.apply(stage, &parent.manifest_with_routes()).await?;
        control.apply(stage, &app("child").package()).await?;
        let spec = DeploymentSpec {
            package_name: "child".into(),
            package_version: "v1.0.0".into(),
            depends: vec![DeploymentDependency { deployment: "parent".into(), wait: true }],
            ..Default::default()
        };
        let metadata = Some(Metadata { name: "child".into(), ..Default::default() });
        let deployment = Some(Deployment { metadata, spec: Some(spec), status: None });
        let request = CreateDeploymentRequest { deployment, ..Default::default() };
        control.api().await?.deployments().create_deployment(request).await?;

        let reporter = Reporter::start(stage, &control, TTL).await?;
        let site = Site { control, proxy, reporter };
        let child = site.until_runs("child").await?;
        let status = child.status.as_ref().or_fault("no status")?;
        assert_eq!(status.dependencies[0].status(), Status::Running, "{:?}", status.dependencies);
        site.control.settled(1).await?;
        let random = &status.endpoints[0].random_host;
        let page = site.proxy.curl(&format!("http://{random}/env/API"))?.get().await?;
        assert_eq!(page.body, "https://the-parent.ep-r.io:443");
        Ok(())
    })
}

#[test]
fn the_example_is_tried_as_it_describes_itself() -> Outcome {
    play(LIMIT, async |stage| {
        let own = tools::root().join("examples/reporter");
        let read = |path: &Path| fs::read_to_string(path).or_fault(path.display());
        let tested = read(&tools::root().join("loadtest/python/requirements.txt"))?;
        for pin in read(&own.join("requirements.txt"))?.lines() {
            assert!(tested.lines().any(|line| line == pin), "{pin} is not what the tests run with");
        }
        let site = Site::set_up(stage).await?;
        site.control.apply(stage, &read(&own.join("hello.yaml"))?).await?;
        site.control.ok(&["wait", "deployment", "reported-hello", "--for", "served"]).await?;
        site.sees("reported-hello", "reported-hello").await
    })
}

#[test]
fn every_protocol_is_run() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        let app = App::new("all")
            .endpoint("WEB", Speaks::Http, &[])
            .bound("all-web")
            .endpoint("SAFE", Speaks::Https, &[])
            .bound("all-safe")
            .endpoint("TCP", Speaks::SecureTcp, &[])
            .bound("all-tcp");
        site.control.apply(stage, &app.manifest_with_routes()).await?;
        site.until_runs("all").await?;
        site.sees("all-web", "all").await?;
        let page = site.proxy.curl("https://all-safe.ep-r.io/env/SAFE")?.get().await?;
        assert_eq!(page.body, "https://all-safe.ep-r.io:443", "an executable sees its address");
        let mut command = site.proxy.openssl("all-tcp.ep-r.io")?;
        command.args(["-quiet", "-verify_quiet"]);
        let mut tcp = Talk::start(stage, "openssl", command)?;
        assert_eq!(tcp.ask("hello").await?, "hello");

        let grpc = App::new("other").endpoint("GRPC", Speaks::HttpsH2c, &[]);
        site.control.apply(stage, &grpc.manifest()).await?;
        let failed = site.until("other", |status| status.phase() == Phase::FailedToStart).await?;
        let status = failed.status.unwrap_or_default();
        assert_eq!(status.error_codes, ["DEP_E155"]);
        assert!(status.message.contains("h2c"), "{}", status.message);
        Ok(())
    })
}
