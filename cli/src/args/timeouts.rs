use std::time::Duration;

use clap::Args;
use proxy::config::Timeouts;

use super::values;

/// How long the phases of a connection may take.
#[derive(Debug, Default, Args)]
pub(crate) struct TimeoutArgs {
    /// From a connection to a whole TLS ClientHello [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    hello_timeout: Option<Duration>,
    /// From the ClientHello to the end of the TLS handshake [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    handshake_timeout: Option<Duration>,
    /// From the first byte of a request's head to its last, and to the first byte of a connection [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    head_timeout: Option<Duration>,
    /// Between requests of one connection [default: 1m 15s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    keep_alive: Option<Duration>,
    /// For a connection to a backend to be established [default: 3s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    connect_timeout: Option<Duration>,
    /// From a request to the first byte of its answer [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    first_byte_timeout: Option<Duration>,
    /// Without a byte from a client that sends a body, or taken by one that has an answer to read [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    stall_timeout: Option<Duration>,
    /// For which a client may fall behind --body-rate in all [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    body_grace: Option<Duration>,
    /// Without a byte of an answer's body from its backend [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    body_idle_timeout: Option<Duration>,
    /// Without a byte in either direction of a WebSocket or a passed-through connection [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    tunnel_idle_timeout: Option<Duration>,
    /// For which the kernel keeps what a client has no room for or does not acknowledge [default: 2m]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    unacknowledged_timeout: Option<Duration>,
    /// Left to tunnels after their route moved, was unbound or deleted [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    tunnel_grace: Option<Duration>,
    /// Left to requests and tunnels after the proxy was told to stop [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = values::patience)]
    drain_grace: Option<Duration>,
}

impl TimeoutArgs {
    /// What is usual, where the command line says nothing else.
    pub(crate) fn timeouts(&self, usual: Timeouts) -> Timeouts {
        Timeouts {
            hello: self.hello_timeout.unwrap_or(usual.hello),
            handshake: self.handshake_timeout.unwrap_or(usual.handshake),
            head: self.head_timeout.unwrap_or(usual.head),
            keep_alive: self.keep_alive.unwrap_or(usual.keep_alive),
            connect: self.connect_timeout.unwrap_or(usual.connect),
            first_byte: self.first_byte_timeout.unwrap_or(usual.first_byte),
            stalled: self.stall_timeout.unwrap_or(usual.stalled),
            body_grace: self.body_grace.unwrap_or(usual.body_grace),
            body_idle: self.body_idle_timeout.unwrap_or(usual.body_idle),
            tunnel_idle: self.tunnel_idle_timeout.unwrap_or(usual.tunnel_idle),
            unacknowledged: self.unacknowledged_timeout.unwrap_or(usual.unacknowledged),
            tunnel_grace: self.tunnel_grace.unwrap_or(usual.tunnel_grace),
            drain_grace: self.drain_grace.unwrap_or(usual.drain_grace),
            ..usual
        }
    }
}
