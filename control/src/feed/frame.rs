use std::fmt;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use proto::wire::{self, follow_response::Message};
use proto::{FieldFaults, Hostname, Revision, Route};

/// Numbers of the fields in `route_feed.proto` that are written here by hand, because their routes are
/// encoded already. A test reads them back with the generated code.
mod field {
    pub(super) const RESPONSE_CHUNK: u32 = 2;
    pub(super) const RESPONSE_DELTA: u32 = 4;
    pub(super) const CHUNK_ROUTES: u32 = 1;
    pub(super) const DELTA_UPSERTS: u32 = 3;
    pub(super) const DELTA_REMOVALS: u32 = 4;
}

/// A route as it travels: encoded once, for a million routes are kept, compared and sent to many.
///
/// Two are equal when the routes are: the encoding has no freedom.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct EncodedRoute(Arc<[u8]>);

impl EncodedRoute {
    /// Its host name, which is the first field of the message.
    pub(super) fn hostname(&self) -> &str {
        let after_key = self.0.get(1..).unwrap_or_default();
        let (length, rest) = match after_key {
            [low, high, rest @ ..] if low & 0x80 != 0 => {
                (usize::from(low & 0x7f) | usize::from(*high) << 7, rest)
            }
            [length, rest @ ..] => (usize::from(*length), rest),
            [] => (0, after_key),
        };
        rest.get(..length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }

    /// The route itself.
    pub(super) fn decode(&self) -> Result<Route, FieldFaults> {
        wire::Route::decode(&*self.0).unwrap_or_default().try_into()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<&Route> for EncodedRoute {
    fn from(route: &Route) -> Self {
        Self(wire::Route::from(route).encode_to_vec().into())
    }
}

impl fmt::Debug for EncodedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodedRoute({})", self.hostname())
    }
}

/// An encoded `FollowResponse`, shared by all streams it is sent on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame(pub(super) Bytes);

impl Frame {
    /// One revision, for those who hold `base`.
    pub(super) fn delta(
        base: Revision,
        revision: Revision,
        upserts: &[EncodedRoute],
        removals: &[Hostname],
    ) -> Self {
        let revisions =
            wire::Delta { base: Some(base.into()), revision: Some(revision.into()), ..Default::default() };
        let mut body = BytesMut::new();
        let _ = revisions.encode(&mut body);
        for route in upserts {
            put_field(&mut body, field::DELTA_UPSERTS, &route.0);
        }
        for name in removals {
            put_field(&mut body, field::DELTA_REMOVALS, name.as_str().as_bytes());
        }
        Self::response(field::RESPONSE_DELTA, &body)
    }

    /// What a snapshot begins with.
    pub(super) fn snapshot_begin(revision: Revision, routes: usize) -> Self {
        let (revision, routes) = (Some(revision.into()), u64::try_from(routes).unwrap_or(u64::MAX));
        Self::of(Message::SnapshotBegin(wire::SnapshotBegin { revision, routes }))
    }

    /// Some of its routes.
    pub(super) fn snapshot_chunk<'a>(routes: impl IntoIterator<Item = &'a EncodedRoute>) -> Self {
        let mut body = BytesMut::new();
        for route in routes {
            put_field(&mut body, field::CHUNK_ROUTES, &route.0);
        }
        Self::response(field::RESPONSE_CHUNK, &body)
    }

    /// What it ends with.
    pub(super) fn snapshot_end(revision: Revision) -> Self {
        Self::of(Message::SnapshotEnd(wire::SnapshotEnd { revision: Some(revision.into()) }))
    }

    /// That there is nothing to send.
    pub(super) fn heartbeat(revision: Revision) -> Self {
        Self::of(Message::Heartbeat(wire::Heartbeat { revision: Some(revision.into()) }))
    }

    fn of(message: Message) -> Self {
        Self(wire::FollowResponse { message: Some(message) }.encode_to_vec().into())
    }

    fn response(field: u32, body: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(body.len() + 11);
        put_field(&mut bytes, field, body);
        Self(bytes.freeze())
    }
}

/// Writes a length-delimited field.
fn put_field(to: &mut BytesMut, field: u32, body: &[u8]) {
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    to.reserve(1 + encoded_len_varint(length) + body.len());
    encode_key(field, WireType::LengthDelimited, to);
    encode_varint(length, to);
    to.put_slice(body);
}

#[cfg(test)]
pub(super) mod tests {
    use proto::{Epoch, ProjectId, SourceRanges, Target};

    use super::*;

    pub(in crate::feed) fn route(name: &str) -> Route {
        Route {
            hostname: Hostname::parse(name).unwrap(),
            project: ProjectId::parse("project-a").unwrap(),
            target: Target::Unbound { last: None },
            sources: SourceRanges::everyone(),
        }
    }

    #[test]
    fn a_route_knows_its_name_and_comes_back() {
        let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join(".");
        for name in ["a", "shop.ep-r.io", &"x.".repeat(64)[..127], &long] {
            let encoded = EncodedRoute::from(&route(name));
            assert_eq!(encoded.hostname(), name);
            assert_eq!(encoded.decode(), Ok(route(name)));
        }
    }

    #[test]
    fn the_generated_code_reads_what_is_written_by_hand() {
        let read = |frame: Frame| wire::FollowResponse::decode(frame.0).unwrap().message.unwrap();
        let (base, revision) = (Revision::new(Epoch(7), 1), Revision::new(Epoch(7), 300));
        let routes = [route("a.ep-r.io"), route("b.ep-r.io")];
        let encoded: Vec<_> = routes.iter().map(EncodedRoute::from).collect();
        let removals = [Hostname::parse("gone.ep-r.io").unwrap()];

        let update = proto::RouteUpdate {
            revision,
            base: Some(base),
            upserts: routes.to_vec(),
            removals: removals.to_vec(),
        };
        let delta = read(Frame::delta(base, revision, &encoded, &removals));
        assert_eq!(delta, Message::Delta(wire::Delta::from(&update)));

        let chunk = wire::SnapshotChunk { routes: routes.iter().map(Into::into).collect() };
        assert_eq!(read(Frame::snapshot_chunk(&encoded)), Message::SnapshotChunk(chunk));
        assert!(
            matches!(read(Frame::snapshot_begin(revision, 2)), Message::SnapshotBegin(b) if b.routes == 2)
        );
    }
}
