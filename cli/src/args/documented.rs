//! The page for operators names every number of the proxy with its default, and the option that changes it;
//! so does the help.

use std::time::Duration;

use clap::CommandFactory as _;
use proxy::config::{BackendPolicy, FeedConfig, Limits, Rate, Timeouts};

use super::Cli;

const PAGE: &str = include_str!("../../../docs/OPERATIONS.md");

/// A number: its option, or the name it has in the code; and what it is unless something else is said.
struct Number {
    name: &'static str,
    usual: Usual,
}

enum Usual {
    Time(Duration),
    Count(u64),
    Bytes(u64),
    Rate(Option<Rate>),
}

impl Usual {
    /// As the help says it.
    fn plain(&self) -> String {
        match self {
            Self::Time(time) => humantime::format_duration(*time).to_string(),
            Self::Count(count) | Self::Bytes(count) => count.to_string(),
            Self::Rate(Some(rate)) => rate.to_string(),
            Self::Rate(None) => "no limit".to_owned(),
        }
    }

    /// As the page does.
    fn readable(&self) -> String {
        match self {
            Self::Count(count) => grouped(*count),
            Self::Bytes(bytes) if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
            Self::Bytes(bytes) if bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
            Self::Bytes(bytes) => format!("{bytes} B"),
            Self::Time(_) | Self::Rate(_) => self.plain(),
        }
    }
}

/// With a comma for each thousand.
fn grouped(count: u64) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", grouped(count / 1000), count % 1000) }
}

/// The values of a structure, none left out, each with its name.
macro_rules! numbers {
    ($of:expr, $all:ident { $($field:ident: $name:literal $make:expr),* $(,)? } $(beside $other:ident)?) => {{
        let $all { $($field,)* $($other: _,)? } = $of;
        vec![$(Number { name: $name, usual: $make($field) }),*]
    }};
}

fn count(n: impl TryInto<u64>) -> Usual {
    Usual::Count(n.try_into().ok().unwrap())
}

fn bytes(n: impl TryInto<u64>) -> Usual {
    Usual::Bytes(n.try_into().ok().unwrap())
}

fn times() -> Vec<Number> {
    numbers!(Timeouts::default(), Timeouts {
        hello: "--hello-timeout" Usual::Time,
        handshake: "--handshake-timeout" Usual::Time,
        head: "--head-timeout" Usual::Time,
        keep_alive: "--keep-alive" Usual::Time,
        connect: "--connect-timeout" Usual::Time,
        first_byte: "--first-byte-timeout" Usual::Time,
        stalled: "--stall-timeout" Usual::Time,
        body_grace: "--body-grace" Usual::Time,
        body_idle: "--body-idle-timeout" Usual::Time,
        watched_after: "watched_after" Usual::Time,
        tunnel_idle: "--tunnel-idle-timeout" Usual::Time,
        tunnel_grace: "--tunnel-grace" Usual::Time,
        drain_grace: "--drain-grace" Usual::Time,
        log_grace: "log_grace" Usual::Time,
        linger: "linger" Usual::Time,
        certificate_look: "certificate_look" Usual::Time,
        unacknowledged: "--unacknowledged-timeout" Usual::Time,
        place: "place" Usual::Time,
        accept_backoff: "accept_backoff" Usual::Time,
    })
}

fn limits() -> Vec<Number> {
    numbers!(Limits::default(), Limits {
        connections: "--max-connections" |n: std::num::NonZeroUsize| count(n.get()),
        connections_per_source: "--connections-per-source" |n: std::num::NonZeroU32| count(n.get()),
        source_prefix_v6: "source_prefix_v6" count,
        requests_per_connection: "--requests-per-connection" |n: std::num::NonZeroU32| count(n.get()),
        in_flight_per_route: "--in-flight-per-route" |n: std::num::NonZeroU32| count(n.get()),
        in_flight_per_backend: "--in-flight-per-backend" |n: std::num::NonZeroU32| count(n.get()),
        rate_per_source: "--rate-per-source" Usual::Rate,
        rate_per_route: "--rate-per-route" Usual::Rate,
        body_rate: "--body-rate" |n: std::num::NonZeroU32| bytes(n.get()),
        rated_sources: "rated_sources" |n: std::num::NonZeroUsize| count(n.get()),
        waiting: "waiting" |n: std::num::NonZeroUsize| count(n.get()),
        last_words: "last_words" count,
        backlog: "backlog" count,
        unsent: "--unsent" bytes,
        hello_bytes: "hello_bytes" bytes,
        head_bytes: "--head-bytes" bytes,
        head_fields: "--head-fields" count,
        h2_field_bytes: "h2_field_bytes" bytes,
        h2_streams: "--h2-streams" count,
        h2_resets: "--h2-resets" |rate| Usual::Rate(Some(rate)),
        h2_unseen_resets: "h2_unseen_resets" count,
        h2_idle_frames: "--h2-idle-frames" |rate| Usual::Rate(Some(rate)),
        h2_faulty_streams: "h2_faulty_streams" count,
        h2_stream_window: "--h2-stream-window" bytes,
        h2_connection_window: "--h2-connection-window" bytes,
        h2_backend_window: "h2_backend_window" bytes,
        relay_buffer: "relay_buffer" bytes,
        access_log_queue: "access_log_queue" count,
        routes: "routes" count,
    })
}

fn of_backends() -> Vec<Number> {
    numbers!(BackendPolicy::default(), BackendPolicy {
        idle_per_backend: "idle_per_backend" count,
        idle_per_worker: "idle_per_worker" count,
        idle_timeout: "idle_timeout" Usual::Time,
        h2_connections: "h2_connections" count,
        vanished: "vanished" Usual::Time,
        set_aside: "set_aside" Usual::Time,
    } beside networks)
}

fn of_the_feed() -> Vec<Number> {
    let FeedConfig { silence, backoff: (first, _), cache_interval, url: _, token: _, ca: _, proxy_id: _ } =
        FeedConfig::new(String::new(), String::new(), String::new());
    [("silence", silence), ("backoff", first), ("cache_interval", cache_interval)]
        .map(|(name, time)| Number { name, usual: Usual::Time(time) })
        .into()
}

fn all() -> impl Iterator<Item = Number> {
    [times(), limits(), of_backends(), of_the_feed()].into_iter().flatten()
}

#[test]
fn the_page_names_every_number_and_its_default() {
    for Number { name, usual } in all() {
        let (name, usual) = (format!("`{name}"), usual.readable());
        let is_it = |line: &&str| {
            let mut cells = line.split('|').map(str::trim);
            cells
                .nth(2)
                .is_some_and(|cell| cell.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['`', ' '])))
                && cells.next().is_some_and(|cell| {
                    cell.strip_prefix(&usual).is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
                })
        };
        assert_eq!(PAGE.lines().filter(is_it).count(), 1, "a row with {name} and {usual}");
    }
}

#[test]
fn the_help_names_every_default() {
    let command = Cli::command();
    let proxy = command.find_subcommand("proxy").unwrap();
    for Number { name, usual } in all() {
        let Some(option) = name.strip_prefix("--") else { continue };
        let argument = proxy.get_arguments().find(|argument| argument.get_long() == Some(option));
        let help = argument.and_then(|argument| argument.get_help()).unwrap_or_else(|| panic!("{name}"));
        let said = help.to_string();
        let said = said.rsplit_once("[default: ").map(|(_, said)| said.trim_end_matches(']'));
        let fits = said
            .is_some_and(|said| said == usual.plain() || said.starts_with(&format!("{}, ", usual.plain())));
        assert!(fits, "{name}: {} in {help}", usual.plain());
    }
}
