//! What the numbers of the protocol are called.

use proto::wire::{self, EdgeProtocol, EndpointType, ExecutableState, Phase, Role, Status, Subscription};

use crate::output::{Cell, Tone};

/// The protocol of an endpoint in few letters; none for internal ones.
pub(crate) fn external(kind: EndpointType) -> Option<&'static str> {
    match kind {
        EndpointType::ExternalHttp => Some("http"),
        EndpointType::ExternalHttps => Some("https"),
        EndpointType::ExternalSecureTcp => Some("tls"),
        EndpointType::Unspecified
        | EndpointType::InternalTcp
        | EndpointType::InternalUdp
        | EndpointType::InternalTcpRange
        | EndpointType::InternalUdpRange => None,
    }
}

/// What an endpoint speaks, internal ones too.
pub(crate) fn endpoint(kind: EndpointType) -> &'static str {
    match kind {
        EndpointType::InternalTcp | EndpointType::InternalTcpRange => "tcp",
        EndpointType::InternalUdp | EndpointType::InternalUdpRange => "udp",
        other => external(other).unwrap_or_default(),
    }
}

pub(crate) fn protocol(protocol: EdgeProtocol) -> &'static str {
    match protocol {
        EdgeProtocol::Unspecified => "",
        EdgeProtocol::Http => "http",
        EdgeProtocol::Https => "https",
        EdgeProtocol::SecureTcp => "tls",
    }
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Unspecified => "",
        Role::Admin => "admin",
        Role::Developer => "developer",
        Role::Viewer => "viewer",
        Role::Proxy => "proxy",
        Role::Runtime => "runtime",
    }
}

pub(crate) fn subscription(subscription: Subscription) -> &'static str {
    match subscription {
        Subscription::Unspecified => "custom",
        Subscription::Community => "community",
        Subscription::Professional => "professional",
        Subscription::Enterprise => "enterprise",
    }
}

/// A phase as the real client spells it.
pub(crate) fn phase(phase: Phase) -> &'static str {
    proto::manifest::render::phase(phase)
}

/// A status as the real client spells it.
pub(crate) fn status(status: Status) -> &'static str {
    proto::manifest::render::status(status)
}

/// What an error code of a deployment means.
pub(crate) fn error_code(code: &str) -> Option<&'static str> {
    match code {
        "DEP_E153" => Some("an image could not be pulled"),
        "DEP_E154" => Some("an executable exited too early"),
        "DEP_E155" => Some("an executable failed"),
        "DEP_E156" => Some("a deployment it depends on is in error"),
        _ => None,
    }
}

pub(crate) fn executable(state: ExecutableState) -> Cell {
    let (word, tone) = match state {
        ExecutableState::Unspecified | ExecutableState::Unknown => ("Unknown", Tone::Busy),
        ExecutableState::Running => ("Running", Tone::Good),
        ExecutableState::Pending => ("Pending", Tone::Busy),
        ExecutableState::Error => ("Error", Tone::Bad),
        ExecutableState::Terminating => ("Terminating", Tone::Busy),
        ExecutableState::Terminated => ("Terminated", Tone::Faint),
    };
    Cell::new(word, tone)
}

/// How a deployment does, in one word: its phase on the way there, then its status.
pub(crate) fn state(phase: Phase, status: Status) -> Cell {
    let tone = match (phase, status) {
        (Phase::FailedToUpdate | Phase::FailedToStart, _) | (Phase::Succeeded, Status::Error) => Tone::Bad,
        (Phase::Stopped, _) | (Phase::Succeeded, Status::Stopped) => Tone::Faint,
        (Phase::Succeeded, Status::Running) => Tone::Good,
        (Phase::Unspecified | Phase::InProgress | Phase::Provisioning, _) => Tone::Busy,
        (Phase::Succeeded, Status::Unspecified | Status::Pending | Status::Unknown) => Tone::Busy,
    };
    let word = match phase {
        Phase::Succeeded => self::status(status),
        phase => self::phase(phase),
    };
    Cell::new(word, tone)
}

/// `2/3`: how many of the backends are healthy.
pub(crate) fn health<'b>(backends: impl Iterator<Item = &'b wire::Backend>) -> Cell {
    let (mut healthy, mut all) = (0, 0);
    for backend in backends {
        all += 1;
        healthy += u32::from(!backend.unhealthy);
    }
    let tone = match (healthy, all) {
        (_, 0) => Tone::Busy,
        (0, _) => Tone::Bad,
        (healthy, all) if healthy < all => Tone::Busy,
        _ => Tone::Plain,
    };
    Cell::new(format!("{healthy}/{all}"), tone)
}

pub(crate) fn sources(ranges: &[String]) -> String {
    match ranges {
        [] => "all".to_owned(),
        ranges => ranges.join(", "),
    }
}

/// `1 character`, `2 characters`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_is_told_until_it_has_succeeded() {
        assert_eq!(state(Phase::Provisioning, Status::Pending).text(), "Provisioning");
        assert_eq!(state(Phase::Succeeded, Status::Running), Cell::good("Running"));
        assert_eq!(state(Phase::Stopped, Status::Stopped), Cell::faint("Stopped"));
    }
}
