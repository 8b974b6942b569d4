use std::net::IpAddr;
use std::ops::Range;

use super::Sink;
use super::survey::Survey;
use crate::http1::{Field, Known, write};

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
        let address = peer.to_string();
        let forwarded = match peer {
            IpAddr::V4(_) => format!("for={address};proto={scheme}"),
            IpAddr::V6(_) => format!("for=\"[{address}]\";proto={scheme}"),
        };
        let (mut text, mut ends) = (Vec::new(), [0; NAMES.len()]);
        let values = [&address, &forwarded, scheme].map(str::as_bytes);
        for ((name, value), end) in NAMES.iter().zip(values).zip(&mut ends) {
            write::field(&mut text, name, value);
            *end = text.len() - b"\r\n".len();
        }
        // All of it takes less than 200 bytes.
        let short = |at: usize| u16::try_from(at).unwrap_or_default();
        let [first, second, third] = values.map(<[u8]>::len);
        let ranges = [(first, ends[0]), (second, ends[1]), (third, ends[2])];
        let values = ranges.map(|(length, end)| short(end - length)..short(end));
        Self { trusted, text: text.into(), values }
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
