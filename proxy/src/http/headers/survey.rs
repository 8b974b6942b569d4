use std::cmp::Ordering;

use super::is_of_this_hop;
use crate::http1::{Field, Known, tokens};

/// What must be known of all fields of a head before the first of them goes on.
#[derive(Default)]
pub(super) struct Survey<'b> {
    pub(super) named: Named<'b>,
    /// How often the request has passed an edge, as it says.
    pub(super) hop: Option<&'b [u8]>,
    pub(super) id: Option<&'b [u8]>,
    pub(super) cookies: usize,
    /// Whether trailers are welcome (RFC 9110 10.1.4).
    pub(super) trailers: bool,
    codings: Codings,
}

#[derive(Default)]
enum Codings {
    #[default]
    None,
    Chunked,
    Other,
}

impl<'b> Survey<'b> {
    pub(super) fn of(fields: impl Iterator<Item = Field<'b>>) -> Self {
        let mut survey = Self::default();
        fields.for_each(|field| survey.see(field));
        survey.named.sort();
        survey
    }

    fn see(&mut self, field: Field<'b>) {
        let value = field.value;
        // Few fields of few heads: the rest is not looked at.
        if field.known == Known::Connection {
            self.named.add(value);
        } else if field.known == Known::TransferEncoding {
            tokens(value).for_each(|coding| self.codings.add(coding));
        } else if field.known == Known::Te {
            self.trailers |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"trailers"));
        } else if field.known == Known::EprHop {
            self.hop = self.hop.or(Some(value));
        } else if field.known == Known::XRequestId {
            self.id = self.id.or(Some(value));
        } else if field.known == Known::Cookie {
            self.cookies += 1;
        }
    }

    /// Whether a body is coded for this hop in no other way than in chunks. Another transfer coding, which
    /// nobody undoes here, would be lost with the field that names it (RFC 9112 6.1).
    pub(super) fn is_at_most_chunked(&self) -> bool {
        !matches!(self.codings, Codings::Other)
    }
}

impl Codings {
    fn add(&mut self, coding: &[u8]) {
        *self = match self {
            Self::None if coding.eq_ignore_ascii_case(b"chunked") => Self::Chunked,
            Self::None | Self::Chunked | Self::Other => Self::Other,
        };
    }
}

/// The fields that Connection fields name, of which it must be asked. Most heads have none.
#[derive(Default)]
pub(super) struct Named<'b>(Vec<&'b [u8]>);

impl<'b> Named<'b> {
    fn add(&mut self, connection: &'b [u8]) {
        self.0.extend(tokens(connection).filter(may_be_removed));
    }

    /// Names come by the thousand where a client means harm: each field is looked up, not compared with all.
    fn sort(&mut self) {
        self.0.sort_unstable_by(|a, b| order(a, b));
    }

    /// Whether the field goes no further by its sender's word (RFC 9110 7.6.1).
    pub(super) fn has(&self, name: impl AsRef<[u8]>) -> bool {
        !self.0.is_empty() && self.0.binary_search_by(|named| order(named, name.as_ref())).is_ok()
    }
}

fn order(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase))
}

/// Whether a field is removed when Connection names it: not one that never goes on as it came anyway, nor
/// one that nobody may take from a message by naming it. `close` is no field.
fn may_be_removed(name: &&[u8]) -> bool {
    let known = Known::of_bytes(name);
    !(is_of_this_hop(known)
        || matches!(known, Known::Host | Known::ContentType | Known::EprHop)
        || name.eq_ignore_ascii_case(b"close"))
}
