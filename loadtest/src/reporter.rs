use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Command;

use crate::{Epr, Outcome, Process, Stage, tools};

/// The example platform service of `examples/reporter`: it runs whatever control wants to be run.
pub struct Reporter {
    process: Process,
    command: Box<dyn Fn() -> Outcome<Command> + Send>,
}

impl Reporter {
    /// Follows `control` with its runtime token, and holds leases of `ttl` seconds.
    pub async fn start(stage: &Stage, control: &Epr, ttl: u32) -> Outcome<Self> {
        let stubs = stubs(stage).await?;
        let (grpc, token) = (control.grpc()?, control.data_dir().join("runtime.token"));
        let listen = stage.ip();
        let command = move || {
            let mut command = Command::new(tools::venv("python")?);
            command.arg("-u").arg(tools::root().join("examples/reporter/reporter.py"));
            command.args(["--control", &grpc.to_string(), "--ttl", &ttl.to_string()]);
            command.arg("--token-file").arg(&token).args(["--listen", &listen.to_string(), "--grace", "1"]);
            command.env("PYTHONPATH", &stubs).env("PYTHONDONTWRITEBYTECODE", "1");
            Ok(command)
        };
        let process = Process::start(stage, "reporter", command()?)?;
        Ok(Self { process, command: Box::new(command) })
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) -> Outcome {
        self.process.kill().await
    }

    /// Starts it again as it was. It must have ended.
    pub fn restart(&mut self, stage: &Stage) -> Outcome {
        self.process = Process::start(stage, "reporter", (self.command)()?)?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub async fn terminate(&mut self, within: Duration) -> Outcome<ExitStatus> {
        self.process.signal(Signal::TERM)?;
        self.process.wait(within).await
    }
}

/// The messages and stubs of `epr.v1` in Python, made as the example's own set-up makes them.
async fn stubs(stage: &Stage) -> Outcome<PathBuf> {
    let target = stage.dir().join("stubs");
    let mut generate = Command::new(tools::venv("python")?);
    generate.arg(tools::root().join("examples/reporter/generate.py")).arg(&target);
    tools::finish(generate).await?.success()?;
    Ok(target)
}
