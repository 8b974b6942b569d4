//! Values of options, with errors that show what a right one looks like.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::IpNet;

pub(super) fn addr(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "an IP address and a port are expected, like 127.0.0.1:8080 or [::1]:8080")
}

pub(super) fn network(text: &str) -> Result<IpNet, &'static str> {
    text.parse().map_err(|_| "an IP address and a prefix length are expected, like 10.0.0.0/8 or 10.0.0.7/32")
}

pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "a number with its unit is expected, like 5s or 500ms")
}

pub(super) fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a whole number from 1 up is expected")
}
