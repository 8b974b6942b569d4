use serde_json::{Map, Value, json};

use super::writer::{depends, put, put_list, put_number, put_some, texts};
use crate::manifest::spelling::{PULL_POLICIES, word};
use crate::wire::{self, executable::Kind, liveness_probe::Check};

/// Who reads what is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Somebody who applies it again.
    People,
    /// The real client, whose models know no builds and refuse the word.
    Client,
}

pub(super) fn executable(executable: &wire::Executable, whom: For) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", &executable.name);
    match &executable.kind {
        Some(Kind::Docker(docker)) => {
            out.insert("type".to_owned(), json!("docker"));
            out.insert("docker".to_owned(), image(docker));
            put_list(&mut out, "entrypoint", texts(&docker.entrypoint));
            put_list(&mut out, "command", texts(&docker.command));
        }
        Some(Kind::Build(build)) => {
            // That there is a build says enough to our own reader.
            put(&mut out, "type", if whom == For::People { "build" } else { "" });
            out.insert("build".to_owned(), json!({ "name": build.build }));
            put_list(&mut out, "entrypoint", texts(&build.entrypoint));
            put_list(&mut out, "command", texts(&build.command));
        }
        Some(Kind::Bash(bash)) => {
            out.insert("type".to_owned(), json!("preInstalled"));
            out.insert("command".to_owned(), json!([bash.command]));
        }
        None => {}
    }
    put_some(&mut out, "limits", executable.limits.as_ref().map(limits));
    put_some(&mut out, "livenessProbe", executable.liveness_probe.as_ref().map(probe));
    put_some(&mut out, "uid", executable.uid);
    put_some(&mut out, "gid", executable.gid);
    out.into()
}

fn image(docker: &wire::DockerImage) -> Value {
    let mut out = Map::new();
    put(&mut out, "image", &docker.image);
    put_some(&mut out, "imagePullPolicy", word(docker.pull_policy(), &PULL_POLICIES));
    if !docker.pull_secret.is_empty() {
        out.insert("pullSecret".to_owned(), json!({ "depends": depends("secret", &docker.pull_secret) }));
    }
    out.into()
}

fn limits(limits: &wire::Limits) -> Value {
    let mut out = Map::new();
    if !limits.cpu.is_empty() {
        out.insert("cpu".to_owned(), number(&limits.cpu));
    }
    put_number(&mut out, "memory", limits.memory_mib);
    out.into()
}

/// A decimal number as a number, as long as that reads the same again.
fn number(text: &str) -> Value {
    let whole = text.parse::<u32>().ok().map(Value::from);
    let decimal = || text.parse::<f64>().ok().map(Value::from);
    let reads_the_same = |number: &Value| *number.to_string() == *text;
    whole.or_else(decimal).filter(reads_the_same).unwrap_or_else(|| json!(text))
}

fn probe(probe: &wire::LivenessProbe) -> Value {
    let mut out = Map::new();
    match &probe.check {
        Some(Check::HttpGet(get)) => {
            out.insert("httpGet".to_owned(), http_get(get));
        }
        Some(Check::Exec(exec)) => {
            out.insert("exec".to_owned(), json!({ "command": exec.command }));
        }
        Some(Check::TcpSocket(socket)) => {
            let mut written = Map::new();
            put_number(&mut written, "port", socket.port);
            out.insert("tcpSocket".to_owned(), written.into());
        }
        None => {}
    }
    put_some(&mut out, "initialDelaySeconds", probe.initial_delay_seconds);
    put_some(&mut out, "timeoutSeconds", probe.timeout_seconds);
    put_some(&mut out, "periodSeconds", probe.period_seconds);
    put_some(&mut out, "successThreshold", probe.success_threshold);
    put_some(&mut out, "failureThreshold", probe.failure_threshold);
    out.into()
}

fn http_get(get: &wire::HttpGetCheck) -> Value {
    let mut out = Map::new();
    put(&mut out, "path", &get.path);
    put_number(&mut out, "port", get.port);
    put(&mut out, "host", &get.host);
    put(&mut out, "scheme", &get.scheme);
    let headers = get.headers.iter().map(|header| json!({ "name": header.name, "value": header.value }));
    put_list(&mut out, "httpHeaders", headers.collect());
    out.into()
}
