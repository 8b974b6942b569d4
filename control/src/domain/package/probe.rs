//! Liveness probes, and the rules on them.

use serde::{Deserialize, Serialize};

use super::executable::judge_words;
use crate::domain::{At, Faults, Port};

/// How a runtime finds out whether an executable is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivenessProbe {
    /// What it tries.
    pub check: Check,
    /// How often, and what it makes of the outcome.
    pub times: ProbeTimes,
}

/// Times and counts of a probe; none is the runtime's to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProbeTimes {
    /// Seconds, at least 1.
    pub initial_delay_seconds: Option<u32>,
    /// Seconds, at least 10.
    pub timeout_seconds: Option<u32>,
    /// Seconds, at least 1.
    pub period_seconds: Option<u32>,
    /// At least 1.
    pub success_threshold: Option<u32>,
    /// At least 1.
    pub failure_threshold: Option<u32>,
}

/// What a probe tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A request that must succeed.
    HttpGet {
        /// Begins with a slash.
        path: String,
        /// Where to.
        port: Port,
        /// None for the executable's own address.
        host: Option<String>,
        /// How.
        scheme: Scheme,
        /// Sent along.
        headers: Vec<HttpHeader>,
    },
    /// A command that must succeed.
    Exec {
        /// Not empty.
        command: Vec<String>,
    },
    /// A connection that must be accepted.
    TcpSocket {
        /// Where to.
        port: Port,
    },
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// With TLS.
    Https,
}

/// A field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A probe as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct ProbeDraft {
    /// None when nothing was said.
    pub check: Option<CheckDraft>,
    /// As it was written.
    pub times: ProbeTimes,
}

/// A check as someone wrote it. Ports of 0 were not given.
#[derive(Debug, Clone)]
pub enum CheckDraft {
    /// A request.
    HttpGet {
        /// Its path.
        path: String,
        /// Its port.
        port: u32,
        /// Empty means the executable's own address.
        host: String,
        /// `HTTP`, `HTTPS`, or empty.
        scheme: String,
        /// What to send along.
        headers: Vec<HttpHeader>,
    },
    /// A command.
    Exec {
        /// Its words.
        command: Vec<String>,
    },
    /// A connection.
    TcpSocket {
        /// Its port.
        port: u32,
    },
}

impl ProbeDraft {
    /// The probe it describes, with every fault noted.
    pub(super) fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<LivenessProbe> {
        self.times.judge(at, faults);
        let Some(check) = &self.check else {
            let message = "says not what to try; give http_get, exec or tcp_socket";
            faults.add(at, "probe_check_required", message);
            return None;
        };
        Some(LivenessProbe { check: check.judge(at, faults)?, times: self.times })
    }
}

impl ProbeTimes {
    fn judge(&self, at: &At<'_>, faults: &mut Faults) {
        for (field, given, least) in [
            ("initial_delay_seconds", self.initial_delay_seconds, 1),
            ("timeout_seconds", self.timeout_seconds, 10),
            ("period_seconds", self.period_seconds, 1),
            ("success_threshold", self.success_threshold, 1),
            ("failure_threshold", self.failure_threshold, 1),
        ] {
            if let Some(given) = given.filter(|given| *given < least) {
                let message = format!("{given} is too little; at least {least}, or leave it out");
                faults.add(at.field(field), "probe_bounds", message);
            }
        }
    }
}

impl CheckDraft {
    fn judge(&self, at: &At<'_>, faults: &mut Faults) -> Option<Check> {
        match self {
            Self::HttpGet { path, port, host, scheme, headers } => {
                let at = at.field("http_get");
                judge_path(path, &at.field("path"), faults);
                judge_host(host, &at.field("host"), faults);
                let list = at.field("headers");
                for (i, header) in headers.iter().enumerate() {
                    header.judge(&list.index(i), faults);
                }
                let scheme = judge_scheme(scheme, &at.field("scheme"), faults);
                let port = faults.take(at.field("port"), Port::parse(*port));
                let (path, headers) = (path.clone(), headers.clone());
                let host = (!host.is_empty()).then(|| host.clone());
                Some(Check::HttpGet { path, port: port?, host, scheme: scheme?, headers })
            }
            Self::Exec { command } => {
                let at = at.field("exec");
                let field = at.field("command");
                if command.iter().all(|word| word.trim().is_empty()) {
                    faults.add(field, "command_required", "is empty; say what to run");
                }
                judge_words(command, &field, faults);
                Some(Check::Exec { command: command.clone() })
            }
            Self::TcpSocket { port } => {
                let at = at.field("tcp_socket");
                let port = faults.take(at.field("port"), Port::parse(*port));
                Some(Check::TcpSocket { port: port? })
            }
        }
    }
}

fn judge_path(path: &str, at: &At<'_>, faults: &mut Faults) {
    let sound = path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic());
    if !sound {
        let message = format!("{path:?} is no path; begin it with a slash, and write %20 for a space");
        faults.add(at, "probe_path", message);
    }
}

fn judge_host(host: &str, at: &At<'_>, faults: &mut Faults) {
    let sound = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b));
    if !sound {
        let message = format!("{host:?} is no host; a name or an address, without scheme or path");
        faults.add(at, "probe_host", message);
    }
}

fn judge_scheme(scheme: &str, at: &At<'_>, faults: &mut Faults) -> Option<Scheme> {
    match scheme.to_ascii_uppercase().as_str() {
        "" | "HTTP" => Some(Scheme::Http),
        "HTTPS" => Some(Scheme::Https),
        _ => {
            faults.add(at, "probe_scheme", format!("{scheme:?} is not known; HTTP or HTTPS"));
            None
        }
    }
}

impl HttpHeader {
    /// A name is a token, a value has no line ends (RFC 9110 5.1, 5.5).
    fn judge(&self, at: &At<'_>, faults: &mut Faults) {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if self.name.is_empty() || !self.name.bytes().all(token) {
            let message = format!("{:?} is no name of a header", self.name);
            faults.add(at.field("name"), "probe_header", message);
        }
        if self.value.chars().any(|c| c.is_control() && c != '\t') {
            faults.add(at.field("value"), "probe_header", "must not contain control characters");
        }
    }
}
