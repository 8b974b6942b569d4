//! Ports, ranges of them, and the ports clients see.

use std::fmt;
use std::num::NonZeroU16;

use proto::EdgeProtocol;
use serde::{Deserialize, Serialize};

use super::Broken;

/// A port that is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Port(NonZeroU16);

impl Port {
    /// HTTP and WebSocket at the edge.
    pub const HTTP: Self = Self::known(80);
    /// HTTPS, Secure TCP, and internal endpoints that name no other.
    pub const HTTPS: Self = Self::known(443);

    const fn known(port: u16) -> Self {
        match NonZeroU16::new(port) {
            Some(port) => Self(port),
            None => Self(NonZeroU16::MIN),
        }
    }

    /// Reads a number from 1 to 65535.
    pub fn parse(number: u32) -> Result<Self, Broken> {
        let port = u16::try_from(number).ok().and_then(NonZeroU16::new);
        port.map(Self)
            .ok_or_else(|| Broken::new("port", format!("{number} is no port; ports are 1 to 65535")))
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ports clients use at the edge, which differ from the listening ones behind a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicPorts {
    /// Of `http://` URLs.
    pub http: u16,
    /// Of `https://` and `tls://` URLs.
    pub https: u16,
}

impl Default for PublicPorts {
    /// 80 and 443.
    fn default() -> Self {
        Self { http: 80, https: 443 }
    }
}

impl PublicPorts {
    /// The port of `protocol`.
    pub fn of(self, protocol: EdgeProtocol) -> u16 {
        match protocol {
            EdgeProtocol::Http => self.http,
            EdgeProtocol::Https | EdgeProtocol::SecureTcp => self.https,
        }
    }
}

/// Most ports in one range.
const MOST_PORTS: u32 = 50;

/// Several ports: `443-445` or `3446-3449,3500`. At least 1 and at most 50, none twice, kept as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortRange(Vec<(Port, Port)>);

impl PortRange {
    /// Reads ports and `from-to` stretches, separated by commas.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let broken = |message: String| Broken::new("port_range", message);
        if text.trim().is_empty() {
            return Err(broken("is empty; write ports and stretches like 3446-3449,3500".to_owned()));
        }
        let mut stretches: Vec<(Port, Port)> = Vec::new();
        let mut count = 0;
        for item in text.split(',').map(str::trim) {
            let (from, to) = stretch(item)?;
            if from > to {
                return Err(broken(format!("{item:?} is reversed; write {to}-{from}")));
            }
            if let Some((a, b)) = stretches.iter().find(|(a, b)| from <= *b && *a <= to) {
                return Err(broken(format!("{item:?} overlaps {a}-{b}; each port may stand there once")));
            }
            count += u32::from(to.get() - from.get()) + 1;
            stretches.push((from, to));
        }
        if count > MOST_PORTS {
            return Err(broken(format!("has {count} ports; at most {MOST_PORTS} are possible")));
        }
        Ok(Self(stretches))
    }

    /// The first port written.
    pub fn first(&self) -> Port {
        self.0.first().map_or(Port::HTTPS, |(from, _)| *from)
    }

    /// Every port, in the order written.
    pub fn ports(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().flat_map(|(from, to)| from.get()..=to.get())
    }
}

fn stretch(item: &str) -> Result<(Port, Port), Broken> {
    let port = |text: &str| {
        let number = text.trim().parse::<u32>().ok().filter(|_| !text.trim().starts_with('+'));
        let number = number.ok_or_else(|| {
            Broken::new("port_range", format!("{item:?} is neither a port nor a stretch like 443-445"))
        })?;
        Port::parse(number).map_err(|broken| Broken::new("port_range", broken.message))
    };
    match item.split_once('-') {
        Some((from, to)) => Ok((port(from)?, port(to)?)),
        None => port(item).map(|port| (port, port)),
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (from, to)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "," };
            if from == to {
                write!(f, "{separator}{from}")?;
            } else {
                write!(f, "{separator}{from}-{to}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for PortRange {
    type Error = Broken;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_documentation() {
        for (text, count) in [("5000", 1), ("443-445", 3), ("3446-3449,3500,3510-3530", 26), ("1-50", 50)] {
            let range = PortRange::parse(text).unwrap();
            assert_eq!((range.ports().count(), range.to_string().as_str()), (count, text));
        }
        assert_eq!(PortRange::parse(" 80 , 90 - 91 ").unwrap().to_string(), "80,90-91");
        assert_eq!(PortRange::parse("3500,443").unwrap().first().get(), 3500);
    }

    #[test]
    fn what_is_no_range() {
        for (text, tells) in [
            ("", "empty"),
            (" ", "empty"),
            ("80,", "neither"),
            ("0", "1 to 65535"),
            ("0-10", "1 to 65535"),
            ("65536", "1 to 65535"),
            ("90-80", "write 80-90"),
            ("80-90,85", "overlaps 80-90"),
            ("80,80", "overlaps"),
            ("1-51", "51 ports"),
            ("1-40,100-120", "61 ports"),
            ("1-2-3", "neither"),
            ("http", "neither"),
            ("+80", "neither"),
            ("99999999999", "neither"),
        ] {
            let broken = PortRange::parse(text).unwrap_err();
            assert_eq!(broken.rule, "port_range", "{text:?}");
            assert!(broken.message.contains(tells), "{text:?}: {}", broken.message);
        }
    }

    /// What a range means, read without any cleverness: the list of its ports.
    fn naive(stretches: &[(u32, Option<u32>)]) -> Option<Vec<u16>> {
        let mut ports = Vec::new();
        for (from, to) in stretches {
            let to = to.unwrap_or(*from);
            (*from <= to).then_some(())?;
            for port in *from..=to {
                ports.push(u16::try_from(port).ok().filter(|port| *port != 0)?);
            }
        }
        let once: BTreeSet<_> = ports.iter().collect();
        (once.len() == ports.len() && (1..=50).contains(&ports.len())).then_some(ports)
    }

    fn port() -> impl Strategy<Value = u32> {
        prop_oneof![6 => 1_u32..120, 1 => 65_500_u32..65_600, 1 => Just(0)]
    }

    proptest! {
        #[test]
        fn ranges_agree_with_the_list_of_their_ports(
            stretches in prop::collection::vec(
                (port(), prop::option::of(0_u32..40)).prop_map(|(from, more)| (from, more.map(|n| from + n))), 1..5)
        ) {
            let text: Vec<_> = stretches.iter().map(|(from, to)| match to {
                Some(to) => format!("{from}-{to}"),
                None => from.to_string(),
            }).collect();
            let parsed = PortRange::parse(&text.join(",")).ok();
            prop_assert_eq!(parsed.as_ref().map(|range| range.ports().collect::<Vec<_>>()), naive(&stretches));
            if let Some(range) = parsed {
                prop_assert_eq!(PortRange::parse(&range.to_string()), Ok(range));
            }
        }

        #[test]
        fn nothing_makes_it_fail_in_another_way(text in "[0-9,\\- +a]{0,20}") {
            if let Ok(range) = PortRange::parse(&text) {
                prop_assert!((1..=50).contains(&range.ports().count()));
            }
        }
    }
}
