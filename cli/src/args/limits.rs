use std::num::{NonZeroU32, NonZeroUsize};

use clap::Args;
use ipnet::IpNet;
use proxy::config::{Limits, Rate};

use super::values;

/// How much of a proxy one client, one route and one backend may have.
#[derive(Debug, Default, Args)]
pub(crate) struct LimitArgs {
    /// Client connections open at once [default: 65536, or what the process has file descriptors for]
    #[arg(long, value_name = "N", value_parser = values::count)]
    max_connections: Option<NonZeroUsize>,
    /// Of these, those of one source: an IPv4 address, or an IPv6 network of 64 bits [default: 4096]
    #[arg(long, value_name = "N")]
    connections_per_source: Option<NonZeroU32>,
    /// Requests and tunnels under way over one route [default: 32768]
    #[arg(long, value_name = "N")]
    in_flight_per_route: Option<NonZeroU32>,
    /// Requests and tunnels under way to one backend [default: 16384]
    #[arg(long, value_name = "N")]
    in_flight_per_backend: Option<NonZeroU32>,
    /// Requests a second of one source, and how many at once: 50/s or 50/s:200 [default: no limit]
    #[arg(long, value_name = "N/s[:BURST]")]
    rate_per_source: Option<Rate>,
    /// Requests a second over one route, whoever asks, by this proxy [default: no limit]
    #[arg(long, value_name = "N/s[:BURST]")]
    rate_per_route: Option<Rate>,
    /// Network of load balancers of your own: their forwarded fields are believed, and no limit of a source
    /// holds for them; may be repeated
    #[arg(long = "trusted-peer", value_name = "CIDR", value_parser = values::network)]
    pub(crate) trusted_peers: Vec<IpNet>,
}

impl LimitArgs {
    /// What is usual, where the command line says nothing else.
    pub(crate) fn limits(&self, usual: Limits) -> Limits {
        Limits {
            connections: self.max_connections.unwrap_or(usual.connections),
            connections_per_source: self.connections_per_source.unwrap_or(usual.connections_per_source),
            in_flight_per_route: self.in_flight_per_route.unwrap_or(usual.in_flight_per_route),
            in_flight_per_backend: self.in_flight_per_backend.unwrap_or(usual.in_flight_per_backend),
            rate_per_source: self.rate_per_source.or(usual.rate_per_source),
            rate_per_route: self.rate_per_route.or(usual.rate_per_route),
            ..usual
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn limits(line: &[&str]) -> Result<Limits, String> {
        let line = Line::try_parse_from([&["proxy"], line].concat()).map_err(|error| error.to_string())?;
        Ok(line.limits.limits(Limits::default()))
    }

    #[test]
    fn what_is_not_said_is_usual() {
        let (said, usual) = (limits(&["--rate-per-source", "5/s:9"]).unwrap(), Limits::default());
        assert_eq!(said.rate_per_source, Rate::new(5, 9));
        assert_eq!((said.rate_per_route, said.connections), (None, usual.connections));
    }

    #[test]
    fn a_wrong_rate_is_told_with_a_right_one() {
        let error = limits(&["--rate-per-route", "5/m"]).unwrap_err();
        assert!(error.contains("N/s:BURST"), "{error}");
    }

    #[test]
    fn the_help_says_what_is_usual() {
        use clap::CommandFactory as _;
        let (help, usual) = (Line::command().render_long_help().to_string(), Limits::default());
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for number in [usual.connections_per_source, usual.in_flight_per_route, usual.in_flight_per_backend] {
            assert!(help.contains(&format!("[default: {number}]")), "{number}: {help}");
        }
        assert!(help.contains(&format!("[default: {}, or", usual.connections)), "{help}");
    }
}
