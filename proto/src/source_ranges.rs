use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

/// Which client addresses a route serves: everyone, or those in a list of CIDRs.
///
/// Cloning is cheap: the list is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceRanges(Option<Arc<[IpNet]>>);

/// A text that is not a CIDR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a CIDR like 203.0.113.0/24 or 2001:db8::/32")]
pub struct SourceRangeError(pub String);

impl SourceRanges {
    /// Everyone is served.
    pub fn everyone() -> Self {
        Self(None)
    }

    /// Parses one CIDR; a bare address means itself alone, and host bits are cleared.
    pub fn parse_one(text: &str) -> Result<IpNet, SourceRangeError> {
        text.parse::<IpNet>()
            .map(|net| net.trunc())
            .or_else(|_| text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())))
            .map_err(|_| SourceRangeError(text.to_owned()))
    }

    /// Whether a client at `source` is served. IPv4-mapped IPv6 addresses count as the IPv4 they are.
    pub fn allow(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        self.0.as_ref().is_none_or(|nets| nets.iter().any(|net| net.contains(&source)))
    }

    /// The CIDRs; empty when everyone is served.
    pub fn as_slice(&self) -> &[IpNet] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromIterator<IpNet> for SourceRanges {
    /// An empty list means everyone.
    fn from_iter<I: IntoIterator<Item = IpNet>>(nets: I) -> Self {
        let nets: Arc<[IpNet]> = nets.into_iter().collect();
        Self((!nets.is_empty()).then_some(nets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> SourceRanges {
        texts.iter().map(|text| SourceRanges::parse_one(text).unwrap()).collect()
    }

    #[test]
    fn an_empty_list_allows_everyone_and_another_only_its_own() {
        assert!(SourceRanges::everyone().allow("192.0.2.1".parse().unwrap()));
        let some = ranges(&["203.0.113.77/24", "2001:db8::1"]);
        assert!(some.allow("203.0.113.1".parse().unwrap()));
        assert!(some.allow("::ffff:203.0.113.1".parse().unwrap()));
        assert!(some.allow("2001:db8::1".parse().unwrap()));
        assert!(!some.allow("2001:db8::2".parse().unwrap()));
        assert!(!some.allow("203.0.114.1".parse().unwrap()));
        assert!(SourceRanges::parse_one("203.0.113.0/33").is_err());
    }
}
