use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::Listening;
use crate::{Fault, OrFault as _, Outcome, Stage};

/// How an epr is started: a subcommand, its data directory, where it listens, and further flags.
#[derive(Clone)]
pub struct Start {
    subcommand: &'static str,
    name: String,
    data_dir: PathBuf,
    ports: Vec<(&'static str, SocketAddr)>,
    flags: Vec<String>,
    descriptors: Option<usize>,
}

impl Start {
    /// Both halves in one process.
    pub fn up(stage: &Stage) -> Self {
        Self::new(stage, "up", "up", &["--grpc", "--api", "--http", "--https", "--admin"])
    }

    /// The control plane alone.
    pub fn control(stage: &Stage) -> Self {
        Self::new(stage, "control", "control", &["--grpc", "--api", "--admin"])
    }

    /// A proxy that follows the control plane at the URL `control`, whose files are in `control_dir`.
    pub fn proxy(stage: &Stage, name: &str, control: &str, control_dir: &Path) -> Self {
        let token = control_dir.join("proxy.token");
        Self::new(stage, "proxy", name, &["--http", "--https", "--admin"])
            .flag("--control", control)
            .flag("--token-file", token.to_string_lossy())
            .flag("--id", name)
    }

    fn new(stage: &Stage, subcommand: &'static str, name: &str, ports: &[&'static str]) -> Self {
        Self {
            subcommand,
            name: name.to_owned(),
            data_dir: stage.dir().join(name),
            ports: ports.iter().map(|port| (*port, stage.any_port())).collect(),
            flags: Vec::new(),
            descriptors: None,
        }
    }

    /// One more flag with its value, or another value for it.
    #[must_use]
    pub fn flag(mut self, flag: &str, value: impl AsRef<str>) -> Self {
        if let Some(at) = self.flags.iter().position(|had| had == flag) {
            self.flags.drain(at..at + 2);
        }
        self.flags.extend([flag.to_owned(), value.as_ref().to_owned()]);
        self
    }

    /// One more flag without a value.
    #[must_use]
    pub fn switch(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Another data directory.
    #[must_use]
    pub fn data(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data_dir = dir.into();
        self
    }

    /// Another address for `--http`, `--https`, `--admin`, `--grpc` or `--api`.
    #[must_use]
    pub fn port(mut self, flag: &str, addr: SocketAddr) -> Self {
        for (_, value) in self.ports.iter_mut().filter(|(name, _)| *name == flag) {
            *value = addr;
        }
        self
    }

    /// At most so many open files.
    #[must_use]
    pub fn descriptors(mut self, most: usize) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// On the ports it had before.
    pub(super) fn listening_again(self, had: &Listening) -> Self {
        let ports = [
            ("--grpc", had.grpc),
            ("--api", had.api),
            ("--http", had.http),
            ("--https", had.https),
            ("--admin", had.admin),
        ];
        let known = ports.into_iter().filter_map(|(flag, addr)| Some((flag, addr?)));
        known.fold(self, |start, (flag, addr)| start.port(flag, addr))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The command line of a verb for whoever runs with this data directory.
    pub fn verb(&self, args: &[&str]) -> Outcome<Command> {
        let mut command = Command::new(binary()?);
        command.args(args).arg("--data-dir").arg(&self.data_dir);
        forget_environment(&mut command);
        Ok(command)
    }

    /// The whole command line.
    pub fn command(&self) -> Outcome<Command> {
        let binary = binary()?;
        let mut command = match self.descriptors {
            None => Command::new(&binary),
            Some(most) => {
                let mut limited = crate::tools::command("prlimit", [format!("--nofile={most}:{most}")])?;
                limited.arg(&binary);
                limited
            }
        };
        command.arg(self.subcommand).arg("--data-dir").arg(&self.data_dir).args(&self.flags);
        forget_environment(&mut command);
        for (flag, addr) in &self.ports {
            command.arg(flag).arg(addr.to_string());
        }
        Ok(command)
    }
}

/// Takes away what the operator's own shell may say to epr.
fn forget_environment(command: &mut Command) {
    for name in ["EPR_SERVER", "EPR_TOKEN", "EPR_CA", "EPR_DATA_DIR", "EPR_LOG"] {
        command.env_remove(name);
    }
}

/// The binary built beside this executable, or the one `EPR_BIN` names.
pub(crate) fn binary() -> Outcome<PathBuf> {
    if let Some(named) = env::var_os("EPR_BIN") {
        return Ok(named.into());
    }
    let own = env::current_exe()?;
    let dir = own.parent().or_fault("an executable without a directory")?;
    // Tests stand one level below the binaries.
    let profile = if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir };
    let binary = profile.join("epr");
    if binary.is_file() {
        return Ok(binary);
    }
    let release = if profile.ends_with("release") { " --release" } else { "" };
    let (wanted, build) = (binary.display(), format!("cargo build{release}"));
    Err(Fault::new(format_args!("{wanted} is missing; run `{build}`, or name another in EPR_BIN")))
}
