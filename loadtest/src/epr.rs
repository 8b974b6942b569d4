use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use proto::wire::ListProxiesRequest;
use rustix::process::Signal;
use tokio::process::Command;

use crate::tools::{self, Finished};
use crate::{Curl, Fault, OrFault as _, Outcome, Process, Stage, Talk, eventually};

mod api;
mod listening;
mod start;

pub use api::{Api, Authenticated, Bearer};
pub use listening::Listening;
pub use start::Start;
pub(crate) use start::binary;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(30);
/// How long proxies may take to apply a change, or to follow a control plane that came back.
const SETTLE: Duration = Duration::from_secs(15);

/// A running `epr up`, `epr control` or `epr proxy`.
pub struct Epr {
    start: Start,
    process: Process,
    listening: Listening,
}

impl Epr {
    /// `epr up` on an empty data directory, every port chosen by the kernel.
    pub async fn up(stage: &Stage) -> Outcome<Self> {
        Self::start(stage, Start::up(stage)).await
    }

    /// Starts it and waits until it says where it listens.
    pub async fn start(stage: &Stage, start: Start) -> Outcome<Self> {
        let mut process = Process::start(stage, start.name(), start.command()?)?;
        let listening = listening::wait(&mut process, start.data_dir(), START).await?;
        Ok(Self { start, process, listening })
    }

    /// Kills it as a power cut would, starts it again as it was, on the same ports.
    pub async fn kill_and_restart(&mut self, stage: &Stage) -> Outcome {
        self.process.kill().await?;
        self.restart(stage).await
    }

    /// Starts it again as it was, on the same ports. It must have ended.
    pub async fn restart(&mut self, stage: &Stage) -> Outcome {
        let start = self.start.clone().listening_again(&self.listening);
        *self = Self::start(stage, start).await?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub async fn terminate(&mut self, within: Duration) -> Outcome<ExitStatus> {
        self.process.signal(Signal::TERM)?;
        self.process.wait(within).await
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where its files are.
    pub fn data_dir(&self) -> &Path {
        self.start.data_dir()
    }

    /// How it was started.
    pub fn how(&self) -> &Start {
        &self.start
    }

    /// The CA that clients of the edge trust.
    pub fn ca(&self) -> PathBuf {
        self.data_dir().join("tls/ca.pem")
    }

    /// Where it takes HTTP.
    pub fn http(&self) -> Outcome<SocketAddr> {
        self.listening.http.or_fault("it has no http port")
    }

    /// Where it takes TLS.
    pub fn https(&self) -> Outcome<SocketAddr> {
        self.listening.https.or_fault("it has no https port")
    }

    /// Where it answers its operator.
    pub fn admin(&self) -> Outcome<SocketAddr> {
        self.listening.admin.or_fault("it has no admin port")
    }

    /// Where it takes gRPC.
    pub fn grpc(&self) -> Outcome<SocketAddr> {
        self.listening.grpc.or_fault("it has no gRPC port")
    }

    /// Where it takes the JSON API.
    pub fn rest(&self) -> Outcome<SocketAddr> {
        self.listening.api.or_fault("it has no port for the JSON API")
    }

    /// A proxy that follows this control plane.
    pub fn proxy(&self, stage: &Stage, name: &str) -> Outcome<Start> {
        Ok(Start::proxy(stage, name, &format!("http://{}", self.grpc()?), self.data_dir()))
    }

    /// Types a verb: `epr VERB ARGS --data-dir DIR`.
    pub async fn run(&self, args: &[&str]) -> Outcome<Finished> {
        tools::finish(self.start.verb(args)?).await
    }

    /// Types a verb that must succeed; what it printed.
    pub async fn ok(&self, args: &[&str]) -> Outcome<String> {
        let finished = self.run(args).await?;
        finished.success().or_fault(format_args!("epr {}", args.join(" ")))
    }

    /// Applies a manifest; returns when all who follow serve it.
    pub async fn apply(&self, stage: &Stage, manifest: &str) -> Outcome<String> {
        let path = stage.write("applied.yaml", manifest)?;
        let said = self.ok(&["apply", "-f", &path.to_string_lossy()]).await?;
        self.settled(usize::from(self.listening.http.is_some())).await?;
        Ok(said)
    }

    /// Waits until so many proxies follow, at least, and all who follow have applied everything.
    pub async fn settled(&self, at_least: usize) -> Outcome {
        let mut fleet = self.api().await?.fleet();
        eventually("a settled fleet", SETTLE, async || {
            let told = fleet.list_proxies(ListProxiesRequest {}).await?.into_inner();
            let following: Vec<_> = told.proxies.iter().filter(|proxy| proxy.connected).collect();
            let settled = following.iter().all(|proxy| proxy.applied == told.revision);
            Ok((settled && following.len() >= at_least).then_some(()))
        })
        .await
    }

    /// gRPC with the administrator's token.
    pub async fn api(&self) -> Outcome<Api> {
        Api::connect(self.grpc()?, &self.data_dir().join("admin.token")).await
    }

    /// Curl at the edge: the URL's host is looked up here, its port is the listening one.
    pub fn curl(&self, url: &str) -> Outcome<Curl> {
        Curl::at(url, self.listening.http, self.listening.https, &self.ca())
    }

    /// Python's websockets at the edge, as a client one talks with.
    pub async fn websocket(&self, stage: &Stage, name: &str, url: &str) -> Outcome<Talk> {
        let edge = if url.starts_with("wss") { self.https()? } else { self.http()? };
        let mut command = tools::python("websocket_client.py")?;
        command.arg(url).arg(edge.ip().to_string()).arg(edge.port().to_string());
        if url.starts_with("wss") {
            command.arg(self.ca());
        }
        let mut talk = Talk::start(stage, name, command)?;
        let opened = talk.hear().await?;
        if opened.as_deref() != Some("open") {
            return Err(Fault::new(format_args!("{name} said {opened:?}")));
        }
        Ok(talk)
    }

    /// `openssl s_client` at the edge, with this SNI.
    pub fn openssl(&self, name: &str) -> Outcome<Command> {
        let edge = self.https()?.to_string();
        tools::command("openssl", ["s_client", "-connect", &edge, "-servername", name])
    }

    /// One page of the admin port.
    pub async fn admin_page(&self, path: &str) -> Outcome<String> {
        let page = Curl::plain(&format!("http://{}{path}", self.admin()?))?.get().await?;
        Ok(page.body)
    }

    /// Waits until a line of `/metrics` says `name value`.
    pub async fn metric_becomes(&self, line: &str, within: Duration) -> Outcome {
        let look = async || {
            let metrics = self.admin_page("/metrics").await?;
            Ok(metrics.lines().any(|found| found == line).then_some(()))
        };
        eventually(&format!("metric {line}"), within, look).await
    }
}
