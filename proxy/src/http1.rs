//! HTTP/1.0 and HTTP/1.1 as bytes (RFC 9112): heads, framing and bodies, read strictly and written plainly.
//!
//! Bytes go in, heads and spans come out; nothing here waits, nor knows of routes. What could be read in two
//! ways is refused and never repaired: whoever reads a message after us must find the same one.
//!
//! A message is read in steps. [`HeadScan`] finds where its head ends, however the bytes trickle in;
//! [`RequestHead`] and [`ResponseHead`] read the head where it lies; [`Body`] says how many of the bytes that
//! follow are the body's, so that these can be passed on as they are; [`Chunks`] gives the payload alone.
//! [`mod@write`] makes heads and chunks anew.

mod chunk_line;
mod chunked;
mod fault;
mod field;
mod framing;
mod head;
mod octets;
mod request;
mod response;
mod scan;
mod target;
mod trailers;
pub mod write;

pub use chunked::{Chunks, Step};
pub use fault::Fault;
pub(crate) use field::is_trimmed;
pub use field::{Field, Known, fields_of, tokens};
pub(crate) use framing::length;
pub use framing::{Body, Framing, Scanned};
pub use head::{Bounds, Room, Version};
pub use request::RequestHead;
pub(crate) use request::expects_continue;
pub use response::ResponseHead;
pub use scan::HeadScan;
pub use target::Target;
pub(crate) use trailers::{may_trail, sifted};
