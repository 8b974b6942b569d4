use std::net::IpAddr;
use std::ops::Range;

use super::Sink;
use super::survey::Survey;
use crate::buffers::Text;
use crate::digits;
use crate::http1::{Field, Known};

/// What a client's connection says of every request on it, made once.
#[derive(Debug)]
pub struct ClientFields {
    /// Whether what the peer says of the client before it is believed.
    trusted: bool,
    /// [`NAMES`] with their values, as they go over HTTP/1.
    text: Box<[u8]>,
    values: [Range<u16>; NAMES.len()],
}

const NAMES: [&str; 3] = ["x-forwarded-for", "forwarded", "x-forwarded-proto"];

impl ClientFields {
    /// For the connection of `peer`, which speaks `http` or `https`. Whether what the peer says of the client before it
    /// is believed is `trusted`.
    pub fn new(peer: IpAddr, scheme: &'static str, trusted: bool) -> Self {
        let mut text = Text::new();
        let around = match peer {
            IpAddr::V4(_) => ("for=", ";proto="),
            IpAddr::V6(_) => ("for=\"[", "]\";proto="),
        };
        let mut value = |name: &str, write: &dyn Fn(&mut Vec<u8>)| {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            let from = text.len();
            write(&mut text);
            let to = text.len();
            text.extend_from_slice(b"\r\n");
            // All of it takes less than 200 bytes.
            let short = |at: usize| u16::try_from(at).unwrap_or_default();
            short(from)..short(to)
        };
        let [address, forwarded, proto] = NAMES;
        let values = [
            value(address, &|text| digits::ip(text, peer)),
            value(forwarded, &|text| {
                text.extend_from_slice(around.0.as_bytes());
                digits::ip(text, peer);
                text.extend_from_slice(around.1.as_bytes());
                text.extend_from_slice(scheme.as_bytes());
            }),
            value(proto, &|text| text.extend_from_slice(scheme.as_bytes())),
        ];
        // As much memory as it takes, for as long as the connection lives.
        Self { trusted, text: text.as_slice().into(), values }
    }

    /// The values of [`NAMES`].
    fn values(&self) -> [&[u8]; NAMES.len()] {
        self.values.clone().map(|Range { start, end }| {
            self.text.get(usize::from(start)..usize::from(end)).unwrap_or_default()
        })
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
        if !self.trusted {
            sink.put_all(&self.text, NAMES.into_iter().zip(self.values()));
            sink.put("x-forwarded-host", host);
            return;
        }
        let [address, forwarded, scheme] = self.values();
        let said = |known: Known| {
            let said = fields.clone().filter(move |field| field.known == known);
            said.filter(|field| !survey.named.has(field.name)).map(|field| field.value)
        };
        let list = |known: Known| said(known).filter(|value| !value.is_empty());
        sink.put_joined("x-forwarded-for", list(Known::XForwardedFor).chain([address]), ", ");
        sink.put_joined("forwarded", list(Known::Forwarded).chain([forwarded]), ", ");
        if said(Known::XForwardedProto).next().is_none() {
            sink.put("x-forwarded-proto", scheme);
        }
        if said(Known::XForwardedHost).next().is_none() {
            sink.put("x-forwarded-host", host);
        }
    }
}

/// Whether a field is one in which a client might claim to be another, also as CGI and its heirs read
/// it: to these `X_Forwarded_For` is the same as `X-Forwarded-For`.
fn is_claim(field: &Field<'_>) -> bool {
    let name = field.name;
    let begins = |with: &[u8]| {
        let same = |(a, b): (&u8, &u8)| a.eq_ignore_ascii_case(b) || (*a == b'_' && *b == b'-');
        name.len() >= with.len() && name.iter().zip(with).all(same)
    };
    field.known == Known::Forwarded
        || (matches!(name, [b'x' | b'X', ..])
            && (begins(b"x-forwarded-")
                || (name.len() == b"x-real-ip".len() && begins(b"x-real-ip"))
                || (name.len() == b"x-client-ip".len() && begins(b"x-client-ip"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_peer_is_quoted_in_forwarded() {
        let fields = ClientFields::new("2001:db8::1".parse().unwrap(), "http", false);
        assert_eq!(fields.values(), [&b"2001:db8::1"[..], b"for=\"[2001:db8::1]\";proto=http", b"http"]);
    }
}
