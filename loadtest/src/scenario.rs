//! Load scenarios: each is one run of wrk or k6 against the edge, measured from both sides.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{Epr, Fault, OrFault as _, Outcome, tools};

/// Microseconds per tick of `/proc/PID/stat`: Linux counts in hundredths of a second for all programs.
const TICK_US: u64 = 10_000;
const CONNECTIONS: &str = "64";

/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    tool: Tool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// Name asked for, whether over TLS, path, whether each request is a connection.
    Wrk { label: &'static str, tls: bool, path: &'static str, close: bool },
    /// Script.
    K6(&'static str),
}

const fn wrk(
    name: &'static str,
    (label, tls): (&'static str, bool),
    path: &'static str,
    shows: &'static str,
) -> Scenario {
    Scenario { name, shows, tool: Tool::Wrk { label, tls, path, close: false } }
}

const fn handshakes(name: &'static str, label: &'static str, shows: &'static str) -> Scenario {
    Scenario { name, shows, tool: Tool::Wrk { label, tls: true, path: "/small", close: true } }
}

const PLAIN: (&str, bool) = ("load-web", false);
const SAFE: (&str, bool) = ("load-safe", true);
const SECURE_TCP: (&str, bool) = ("load-tcp", true);

/// Every scenario, in the order in which they run.
pub const ALL: [Scenario; 12] = [
    wrk("http", PLAIN, "/small", "HTTP/1.1 keep-alive, 1 KiB"),
    wrk("http-64k", PLAIN, "/medium", "HTTP/1.1 keep-alive, 64 KiB"),
    wrk("http-1m", PLAIN, "/large", "HTTP/1.1 keep-alive, 1 MiB"),
    wrk("https", SAFE, "/small", "TLS terminated, HTTP/1.1 keep-alive, 1 KiB"),
    handshakes("https-handshake", "load-safe", "a resumed TLS handshake with each request"),
    Scenario {
        name: "https-full-handshake",
        shows: "k6, a full TLS handshake with each request",
        tool: Tool::K6("https-full.js"),
    },
    wrk("secure-tcp", SECURE_TCP, "/small", "TLS passed through, keep-alive, 1 KiB"),
    wrk("secure-tcp-1m", SECURE_TCP, "/large", "TLS passed through, 1 MiB"),
    handshakes("secure-tcp-open", "load-tcp", "a passed-through connection with each request"),
    Scenario { name: "k6-http", shows: "k6, HTTP/1.1 keep-alive, 1 KiB", tool: Tool::K6("http.js") },
    Scenario { name: "k6-https", shows: "k6, HTTP/2 over TLS, 1 KiB", tool: Tool::K6("https.js") },
    Scenario { name: "k6-websocket", shows: "k6, WSS, 128 B there and back", tool: Tool::K6("websocket.js") },
];

/// What a run showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Requests answered (messages echoed).
    pub requests: u64,
    /// Of them, or besides them, failed.
    pub failed: u64,
    /// Per second.
    pub rate: f64,
    /// Median as the client saw it, in microseconds.
    pub p50_us: u64,
    /// 99th percentile as the client saw it, in microseconds.
    pub p99_us: u64,
    /// CPU time of the proxy per request, in microseconds; in steps of 10 ms over the whole run.
    pub cpu_us: f64,
}

impl Scenario {
    /// Runs it for so many seconds against a proxy that serves the names of [`crate::scenario`].
    pub async fn run(&self, proxy: &mut Epr, seconds: u64) -> Outcome<Measured> {
        let mut command = match self.tool {
            Tool::Wrk { label, tls, path, close } => {
                let (scheme, edge) = if tls { ("https", proxy.https()?) } else { ("http", proxy.http()?) };
                let url = format!("{scheme}://{label}.ep-r.io:{}{path}", edge.port());
                let script = tools::root().join("loadtest/scenarios/wrk.lua");
                let mut command = tools::command("wrk", ["--threads", "1", "--connections", CONNECTIONS])?;
                command.args(["--duration", &format!("{seconds}s"), "--script"]).arg(script).arg(url);
                if close {
                    command.env("CLOSE", "1");
                }
                command
            }
            Tool::K6(script) => {
                let mut command = Command::new(tools::venv("k6")?);
                command.args(["run", "--quiet", "--no-usage-report"]);
                command.arg(tools::root().join("loadtest/scenarios").join(script));
                if script == "https-full.js" {
                    // Otherwise the figure would be that of HTTP/2's connection preface, too.
                    command.env("GODEBUG", "http2client=0");
                }
                command
            }
        };
        command.env("EDGE", proxy.http()?.ip().to_string()).env("SECONDS", seconds.to_string());
        command.env("HTTP", proxy.http()?.port().to_string()).env("HTTPS", proxy.https()?.port().to_string());
        let before = cpu_us(proxy)?;
        let said = self.finish(command, seconds).await?;
        let used = cpu_us(proxy)? - before;
        Measured::read(&said, used).or_fault(format_args!("{} printed no summary:\n{said}", self.name))
    }

    async fn finish(&self, mut command: Command, seconds: u64) -> Outcome<String> {
        let limit = Duration::from_secs(seconds + 60);
        let output = timeout(limit, command.kill_on_drop(true).output()).await;
        let output = output.or_fault(format_args!("{} is not over within {limit:?}", self.name))??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(Fault::new(format_args!("{}: {}\n{said}{complaint}", self.name, output.status)))
    }
}

impl Measured {
    fn read(said: &str, used_us: u64) -> Option<Self> {
        let value: Value = serde_json::from_str(said.lines().rfind(|line| line.starts_with('{'))?).ok()?;
        let number = |name: &str| value[name].as_u64();
        let requests = number("requests")?;
        let per = |total: f64, parts: f64| if parts > 0.0 { total / parts } else { 0.0 };
        Some(Self {
            requests,
            failed: number("failed")?,
            rate: per(as_f64(requests), value["seconds"].as_f64()?),
            p50_us: number("p50_us")?,
            p99_us: number("p99_us")?,
            cpu_us: per(as_f64(used_us), as_f64(requests)),
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of a short run are far below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

/// CPU time of the process so far, user and system (proc(5): fields 14 and 15 of stat).
fn cpu_us(proxy: &mut Epr) -> Outcome<u64> {
    let path = format!("/proc/{}/stat", proxy.process().pid().as_raw_nonzero());
    let stat = fs::read_to_string(path)?;
    // The name before may hold blanks and parentheses: count from behind its last one.
    let (_, rest) = stat.rsplit_once(')').or_fault(&stat)?;
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Ok(ticks.sum::<u64>() * TICK_US)
}
