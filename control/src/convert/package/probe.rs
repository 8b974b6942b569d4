use proto::wire::{self, liveness_probe};

use crate::domain::package::{Check, CheckDraft, HttpHeader, LivenessProbe, ProbeDraft, ProbeTimes, Scheme};

pub(super) fn draft(probe: wire::LivenessProbe) -> ProbeDraft {
    ProbeDraft {
        check: probe.check.map(|check| match check {
            liveness_probe::Check::HttpGet(get) => CheckDraft::HttpGet {
                path: get.path,
                port: get.port,
                host: get.host,
                scheme: get.scheme,
                headers: get.headers.into_iter().map(header_in).collect(),
            },
            liveness_probe::Check::Exec(exec) => CheckDraft::Exec { command: exec.command },
            liveness_probe::Check::TcpSocket(socket) => CheckDraft::TcpSocket { port: socket.port },
        }),
        times: ProbeTimes {
            initial_delay_seconds: probe.initial_delay_seconds,
            timeout_seconds: probe.timeout_seconds,
            period_seconds: probe.period_seconds,
            success_threshold: probe.success_threshold,
            failure_threshold: probe.failure_threshold,
        },
    }
}

fn header_in(header: wire::HttpHeader) -> HttpHeader {
    HttpHeader { name: header.name, value: header.value }
}

pub(super) fn message(probe: LivenessProbe) -> wire::LivenessProbe {
    let check = match probe.check {
        Check::HttpGet { path, port, host, scheme, headers } => {
            let headers = headers.into_iter();
            liveness_probe::Check::HttpGet(wire::HttpGetCheck {
                path,
                port: port.get().into(),
                host: host.unwrap_or_default(),
                scheme: match scheme {
                    Scheme::Http => "HTTP".to_owned(),
                    Scheme::Https => "HTTPS".to_owned(),
                },
                headers: headers.map(|it| wire::HttpHeader { name: it.name, value: it.value }).collect(),
            })
        }
        Check::Exec { command } => liveness_probe::Check::Exec(wire::ExecCheck { command }),
        Check::TcpSocket { port } => {
            liveness_probe::Check::TcpSocket(wire::TcpSocketCheck { port: port.get().into() })
        }
    };
    wire::LivenessProbe {
        check: Some(check),
        initial_delay_seconds: probe.times.initial_delay_seconds,
        timeout_seconds: probe.times.timeout_seconds,
        period_seconds: probe.times.period_seconds,
        success_threshold: probe.times.success_threshold,
        failure_threshold: probe.times.failure_threshold,
    }
}
