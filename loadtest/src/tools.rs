//! Programs from outside: found or named as missing, run to their end under a time limit.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::epr::binary;
use crate::{Fault, OrFault as _, Outcome};

/// How long a program may take that should be over at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

impl Finished {
    /// What it printed, when it succeeded.
    #[track_caller]
    pub fn success(self) -> Outcome<String> {
        if self.code == Some(0) {
            return Ok(self.out);
        }
        Err(Fault::new(format_args!("exit code {:?}\n{}{}", self.code, self.out, self.err)))
    }
}

/// The program called `name` on the PATH.
pub fn program(name: &str) -> Outcome<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian keeps nginx where only root's PATH looks.
    let dirs = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = dirs.map(|dir| dir.join(name)).find(|path| path.is_file());
    found.or_fault(format_args!("{name} is not installed; run .ci/setup"))
}

/// The top of the repository.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// A program of the repository's virtual environment: `python`, `k6`.
pub fn venv(name: &str) -> Outcome<PathBuf> {
    of_environment(".venv", name)
}

/// A program of the environment that has the real client: `rio`, `python`, `schemathesis`.
pub fn clients(name: &str) -> Outcome<PathBuf> {
    of_environment(".venv-clients", name)
}

fn of_environment(environment: &str, name: &str) -> Outcome<PathBuf> {
    let path = root().join(environment).join("bin").join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(Fault::new(format_args!("{} is missing; run .ci/setup", path.display())))
}

/// A Python script of this crate, ready to run.
pub fn python(script: &str) -> Outcome<Command> {
    let mut command = Command::new(venv("python")?);
    command.arg("-u").arg(root().join("loadtest/python").join(script));
    Ok(command)
}

/// Kits of the conformance suite that need nothing but Python, ready to run; nothing is recorded.
pub fn conformance(kits: &[&str]) -> Outcome<Command> {
    let mut command = Command::new(venv("python")?);
    command.args(["-m", "suite", "--no-record"]).args(kits).current_dir(root().join("loadtest/conformance"));
    command.env("EPR_BIN", binary()?).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// A command line of a program on the PATH.
pub fn command(name: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome<Command> {
    let mut command = Command::new(program(name)?);
    command.args(args);
    Ok(command)
}

/// Runs it to its end with nothing on its standard input.
pub async fn finish(command: Command) -> Outcome<Finished> {
    finish_with(command, b"").await
}

/// Runs it to its end with `input` on its standard input.
pub async fn finish_with(command: Command, input: &[u8]) -> Outcome<Finished> {
    finish_within(command, input, PATIENCE).await
}

/// The same for a program that takes its time.
pub async fn finish_within(mut command: Command, input: &[u8], patience: Duration) -> Outcome<Finished> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().or_fault(format_args!("cannot start {name}"))?;
    let mut stdin = child.stdin.take().or_fault("no standard input")?;
    let run = async {
        // A program that ends without reading its input breaks the pipe, and that is its right.
        let _ = stdin.write_all(input).await;
        drop(stdin);
        child.wait_with_output().await
    };
    let Ok(output) = timeout(patience, run).await else {
        return Err(Fault::new(format_args!("{name} is not over within {patience:?}")));
    };
    let output = output?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) })
}
