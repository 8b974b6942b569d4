use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{Fault, OrFault as _, Outcome, Stage};

/// A child process that does not outlive its owner. It stays in the test's process group, so that who
/// ends the group (the test runner at a time-out, Ctrl-C) ends it as well.
pub struct Process {
    name: String,
    child: Child,
    pid: Pid,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// Starts it, with its output and its errors in two logs of the stage.
    pub fn start(stage: &Stage, name: &str, mut command: Command) -> Outcome<Self> {
        let (out, err) = (stage.log_path(&format!("{name}.out")), stage.log_path(&format!("{name}.err")));
        let append = |path: &PathBuf| File::options().create(true).append(true).open(path);
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(append(&out)?)
            .stderr(append(&err)?)
            .kill_on_drop(true)
            .spawn()
            .or_fault(format_args!("cannot start {program}"))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = id.or_fault(format_args!("{name} ended at once"))?;
        Ok(Self { name: name.to_owned(), child, pid, out, err })
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// What it is called on this stage.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Outcome {
        Ok(kill_process(self.pid, signal)?)
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub async fn kill(&mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it ends by itself.
    pub async fn wait(&mut self, within: Duration) -> Outcome<ExitStatus> {
        match timeout(within, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => Err(Fault::new(format_args!("{} still runs after {within:?}", self.name))),
        }
    }

    /// What it has printed so far.
    pub fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it has complained of so far.
    pub fn err(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }
}
