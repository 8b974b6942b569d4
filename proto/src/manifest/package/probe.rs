use crate::manifest::fields::Fields;
use crate::wire::{self, liveness_probe::Check};

const SECONDS: &str = "a whole number of seconds";
const COUNT: &str = "a whole number";

pub(super) fn read(probe: &mut Fields<'_>) -> wire::LivenessProbe {
    wire::LivenessProbe {
        check: read_check(probe),
        initial_delay_seconds: probe.whole("initialDelaySeconds", SECONDS),
        timeout_seconds: probe.whole("timeoutSeconds", SECONDS),
        period_seconds: probe.whole("periodSeconds", SECONDS),
        success_threshold: probe.whole("successThreshold", COUNT),
        failure_threshold: probe.whole("failureThreshold", COUNT),
    }
}

/// The message holds one check: of two that are given, none is the one that was meant.
fn read_check(probe: &mut Fields<'_>) -> Option<Check> {
    let given: Vec<_> =
        ["httpGet", "exec", "tcpSocket"].into_iter().filter(|check| probe.has(check)).collect();
    if let [first, others @ ..] = given.as_slice() {
        for other in others {
            probe.fault(other, format!("{first} is given too, and a probe makes one check; leave one out"));
        }
    }
    let http = probe.map("httpGet", |get| wire::HttpGetCheck {
        path: get.text("path").unwrap_or_default(),
        port: get.port("port"),
        host: get.text("host").unwrap_or_default(),
        scheme: get.text("scheme").unwrap_or_default(),
        headers: get.each(("httpHeaders", "headers"), |header| wire::HttpHeader {
            name: header.required_text("name").unwrap_or_default(),
            value: header.text("value").unwrap_or_default(),
        }),
    });
    let exec = probe.map("exec", |exec| wire::ExecCheck { command: exec.texts("command") });
    let tcp = probe.map("tcpSocket", |socket| wire::TcpSocketCheck { port: socket.port("port") });
    http.map(Check::HttpGet).or(exec.map(Check::Exec)).or(tcp.map(Check::TcpSocket))
}
