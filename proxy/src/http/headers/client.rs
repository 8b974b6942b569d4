use std::net::IpAddr;

use super::Sink;
use super::survey::Survey;
use crate::http1::{Field, Known};

/// What a client's connection says of every request on it, made once.
pub(crate) struct ClientFields {
    /// Whether what the peer says of the client before it is believed.
    trusted: bool,
    address: Box<str>,
    forwarded: Box<str>,
    scheme: &'static str,
}

impl ClientFields {
    /// For the connection of `peer`, which speaks `http` or `https`.
    pub(crate) fn new(peer: IpAddr, scheme: &'static str, trusted: bool) -> Self {
        let node = match peer {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        Self {
            trusted,
            address: peer.to_string().into(),
            forwarded: format!("for={node};proto={scheme}").into(),
            scheme,
        }
    }

    /// Whether a field goes on although the client might claim in it to be another.
    pub(super) fn lets_through(&self, field: &Field<'_>) -> bool {
        self.trusted || !is_claim(field)
    }

    /// Says who the client is and what it asked for. `fields` are those of its request.
    pub(super) fn introduce<'b>(
        &self,
        host: &[u8],
        survey: &Survey<'b>,
        fields: impl Iterator<Item = Field<'b>> + Clone,
        sink: &mut impl Sink,
    ) {
        let (address, forwarded) = (self.address.as_bytes(), self.forwarded.as_bytes());
        if !self.trusted {
            sink.put("x-forwarded-for", address);
            sink.put("forwarded", forwarded);
            sink.put("x-forwarded-proto", self.scheme.as_bytes());
            sink.put("x-forwarded-host", host);
            return;
        }
        let said = |known: Known| {
            let said = fields.clone().filter(move |field| field.known == known);
            said.filter(|field| !survey.named.has(field.name)).map(|field| field.value)
        };
        let list = |known: Known| said(known).filter(|value| !value.is_empty());
        sink.put_joined("x-forwarded-for", list(Known::XForwardedFor).chain([address]), ", ");
        sink.put_joined("forwarded", list(Known::Forwarded).chain([forwarded]), ", ");
        if said(Known::XForwardedProto).next().is_none() {
            sink.put("x-forwarded-proto", self.scheme.as_bytes());
        }
        if said(Known::XForwardedHost).next().is_none() {
            sink.put("x-forwarded-host", host);
        }
    }
}

/// Whether a field is one in which a client might claim to be another, also as CGI and its heirs read
/// it: to these `X_Forwarded_For` is the same as `X-Forwarded-For`.
fn is_claim(field: &Field<'_>) -> bool {
    let name = field.name.as_bytes();
    let begins = |with: &[u8]| {
        let same = |(a, b): (&u8, &u8)| a.eq_ignore_ascii_case(b) || (*a == b'_' && *b == b'-');
        name.len() >= with.len() && name.iter().zip(with).all(same)
    };
    field.known == Known::Forwarded
        || begins(b"x-forwarded-")
        || (name.len() == b"x-real-ip".len() && begins(b"x-real-ip"))
        || (name.len() == b"x-client-ip".len() && begins(b"x-client-ip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_peer_is_quoted_in_forwarded() {
        let fields = ClientFields::new("2001:db8::1".parse().unwrap(), "http", false);
        assert_eq!(&*fields.forwarded, "for=\"[2001:db8::1]\";proto=http");
        assert_eq!(&*fields.address, "2001:db8::1");
    }
}
