//! Processes under test: a running epr, a backend, a command that was typed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps a test fails as a test does")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn finish(child: Child) -> Finished {
    let output = child.wait_with_output().unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command to its end, with nothing to read.
pub(crate) fn typed(command: &mut Command) -> Finished {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command.spawn().unwrap())
}

fn epr() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epr"));
    for variable in ["EPR_SERVER", "EPR_TOKEN", "EPR_CA", "EPR_DATA_DIR", "EPR_LOG", "EPR_PROJECT"] {
        command.env_remove(variable);
    }
    command
}

/// `epr up` in `dir`, on ports of the kernel's choice but for those of `flags`.
pub(crate) fn up_command(dir: &Path, flags: &[(&str, &str)]) -> Command {
    let mut command = epr();
    command.args(["up", "--log", "warn", "--data-dir"]).arg(dir);
    for flag in ["--http", "--https", "--admin", "--grpc", "--api"] {
        let addr = flags.iter().find(|(name, _)| *name == flag).map_or("127.0.0.1:0", |(_, addr)| addr);
        command.args([flag, addr]);
    }
    command
}

fn new_dir() -> Rc<tempfile::TempDir> {
    Rc::new(tempfile::tempdir().unwrap())
}

/// A running epr, killed when dropped.
pub(crate) struct Running {
    dir: Rc<tempfile::TempDir>,
    child: Child,
    said: String,
    _stdout: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn up() -> Self {
        let dir = new_dir();
        let command = up_command(dir.path(), &[]);
        Self::start(dir, command, "epr up --demo")
    }

    /// With further options.
    pub(crate) fn up_with(options: &[&str]) -> Self {
        let dir = new_dir();
        let mut command = up_command(dir.path(), &[]);
        command.args(options);
        Self::start(dir, command, "epr up --demo")
    }

    pub(crate) fn demo() -> Self {
        Self::demo_in(new_dir())
    }

    fn demo_in(dir: Rc<tempfile::TempDir>) -> Self {
        let mut command = up_command(dir.path(), &[]);
        command.arg("--demo");
        Self::start(dir, command, "explain tls://")
    }

    pub(crate) fn control() -> Self {
        let dir = new_dir();
        let mut command = epr();
        command
            .args(["control", "--log", "warn", "--grpc", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data-dir"])
            .arg(dir.path());
        Self::start(dir, command, "a proxy for it")
    }

    pub(crate) fn proxy(control: &Self) -> Self {
        let dir = new_dir();
        let mut command = epr();
        let url = format!("http://{}", control.listening("grpc"));
        command.args(["proxy", "--log", "warn", "--id", "apart", "--control", &url, "--token-file"]);
        command.arg(control.path("proxy.token")).arg("--data-dir").arg(dir.path());
        command.args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        Self::start(dir, command, "following")
    }

    /// Starts it and reads what it says up to the line that holds `last`.
    fn start(dir: Rc<tempfile::TempDir>, mut command: Command, last: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.lines().last().is_some_and(|line| line.contains(last)) {
            if stdout.read_line(&mut said).unwrap() == 0 {
                panic!("it ended: {:?}\n{said}", finish(child));
            }
        }
        Self { dir, child, said, _stdout: stdout }
    }

    /// A demonstration on the same data once more, when this one has ended.
    pub(crate) fn demo_again(&self) -> Self {
        Self::demo_in(Rc::clone(&self.dir))
    }

    /// The command that would start it once more.
    pub(crate) fn start_again(&self) -> Command {
        up_command(self.dir.path(), &[])
    }

    /// The lines it says to type.
    pub(crate) fn steps(&self) -> Vec<String> {
        let (_, steps) = self.said.split_once("another terminal:").unwrap();
        let lines = steps.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file beside the data; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    pub(crate) fn listening(&self, what: &str) -> SocketAddr {
        let text = std::fs::read_to_string(self.path("listening.json")).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        value[what].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = epr();
        command.args(args).arg("--data-dir").arg(self.dir.path());
        command
    }

    pub(crate) fn typed(&self, args: &[&str]) -> Finished {
        typed(&mut self.command(args))
    }

    /// What a verb that must succeed printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let finished = self.typed(args);
        assert_eq!(finished.code, 0, "epr {}: {finished:?}", args.join(" "));
        finished.out
    }

    /// The whole answer to a request for `/` of `host`.
    pub(crate) fn get(&self, host: &str) -> String {
        let mut stream = TcpStream::connect(self.listening("http")).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> Finished {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Finished { code, out: self.said.clone(), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP backend that answers every request with its name.
pub(crate) struct Backend(SocketAddr);

impl Backend {
    pub(crate) fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().filter_map(Result::ok) {
                std::thread::spawn(move || answer(&mut stream, name));
            }
        });
        Self(addr)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0
    }
}

fn answer(stream: &mut TcpStream, name: &str) -> std::io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len())?;
    }
}
