use std::num::{NonZeroU32, NonZeroUsize};

use clap::{Args, value_parser};
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
    /// Requests over one connection, before its client is told to open another [default: 1000000]
    #[arg(long, value_name = "N")]
    requests_per_connection: Option<NonZeroU32>,
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
    /// Bytes of a request's head, and of an answer's [default: 32768]
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u32).range(1024..=1024 * 1024))]
    head_bytes: Option<u32>,
    /// Fields of a request's head, and of an answer's [default: 100]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(16..=10_000))]
    head_fields: Option<u16>,
    /// Bytes a second of a body that a client has to send or take, but for --body-grace [default: 240]
    #[arg(long, value_name = "BYTES", value_parser = values::byte_rate)]
    body_rate: Option<NonZeroU32>,
    /// Bytes the kernel holds for a client, or a backend, beyond those on the wire [default: 131072]
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u32).range(16_384..=1 << 30))]
    unsent: Option<u32>,
    /// Requests over one HTTP/2 connection at once [default: 128]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=65_536))]
    h2_streams: Option<u32>,
    /// Requests a second an HTTP/2 client may take back, and how many at once [default: 100/s:1000]
    #[arg(long, value_name = "N/s[:BURST]")]
    h2_resets: Option<Rate>,
    /// Frames a second of an HTTP/2 client that neither ask nor bring anything [default: 200/s:2000]
    #[arg(long, value_name = "N/s[:BURST]")]
    h2_idle_frames: Option<Rate>,
    /// Bytes of a request's body over HTTP/2 that may wait for its backend [default: 262144]
    #[arg(long, value_name = "BYTES", value_parser = values::window)]
    h2_stream_window: Option<u32>,
    /// The same of all requests over one connection [default: 1048576]
    #[arg(long, value_name = "BYTES", value_parser = values::window)]
    h2_connection_window: Option<u32>,
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
            requests_per_connection: self.requests_per_connection.unwrap_or(usual.requests_per_connection),
            in_flight_per_route: self.in_flight_per_route.unwrap_or(usual.in_flight_per_route),
            in_flight_per_backend: self.in_flight_per_backend.unwrap_or(usual.in_flight_per_backend),
            rate_per_source: self.rate_per_source.or(usual.rate_per_source),
            rate_per_route: self.rate_per_route.or(usual.rate_per_route),
            head_bytes: self.head_bytes.map_or(usual.head_bytes, |bytes| bytes as usize),
            h2_field_bytes: self.head_bytes.unwrap_or(usual.h2_field_bytes),
            head_fields: self.head_fields.map_or(usual.head_fields, usize::from),
            body_rate: self.body_rate.unwrap_or(usual.body_rate),
            unsent: self.unsent.unwrap_or(usual.unsent),
            h2_streams: self.h2_streams.unwrap_or(usual.h2_streams),
            h2_resets: self.h2_resets.unwrap_or(usual.h2_resets),
            h2_idle_frames: self.h2_idle_frames.unwrap_or(usual.h2_idle_frames),
            h2_stream_window: self.h2_stream_window.unwrap_or(usual.h2_stream_window),
            h2_connection_window: self.h2_connection_window.unwrap_or(usual.h2_connection_window),
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
    fn one_size_holds_for_heads_of_both_versions() {
        let said = limits(&["--head-bytes", "65536"]).unwrap();
        assert_eq!((said.head_bytes, said.h2_field_bytes), (65_536, 65_536));
        for bad in [["--head-bytes", "100"], ["--body-rate", "0"], ["--h2-stream-window", "4294967295"]] {
            assert!(limits(&bad).is_err(), "{bad:?}");
        }
    }
}
