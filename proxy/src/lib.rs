//! The data plane: takes connections, finds whose they are, and serves, passes through or refuses.
//!
//! # The life of a connection
//!
//! `listener` accepts it with a permit on one of the `worker`s, where it stays. `edge` tells its
//! story: on the TLS port [`hello`] is read whole and its name looked up in [`routes`]; then either
//! `tls` is finished and [`http`] served, or the bytes are handed to a backend by `relay`. Each
//! request is looked up by its own authority, judged, and sent to a backend chosen by [`upstream`].
//! What is not served is a [`refusal`], told in the one way its kind is told.
//!
//! # Map
//!
//! Each room uses only rooms of the rows below its own, which a test holds it to.
//!
//! | room | what it is |
//! | --- | --- |
//! | `proxy` | bind and run |
//! | `worker`, `side` | one thread per core; one for what happens beside the traffic |
//! | [`admin`] | answers to why, by the judges of real traffic |
//! | `edge` | the story of a connection |
//! | [`http`] | heads, fields, answers, upgrades |
//! | `relay`, `tls`, `farewell` | bytes both ways; the handshake; last words |
//! | `context` | what a worker's connections share |
//! | `listener`, `upload` | sockets; request bodies |
//! | [`upstream`], [`feed`], [`access_log`], [`limits`] | connections to backends; routes from control; what is written; how much each may have |
//! | [`routes`] | the table, its last good copy on disk |
//! | [`metrics`], [`hello`] | what is counted; reads TLS hellos |
//! | [`per_worker`], [`refusal`], [`drain`], [`tasks`] | the ground |
//! | [`http1`] | heads, framing and bodies of HTTP/1 as bytes |
//! | `buffers`, `splice`, `descriptors`, `dice`, `digits`, `request_id` | memory for bytes on their way, and pipes; how many files; draws; numbers as text; names for requests |
//! | [`config`] | every bound, with its reason |

#![warn(clippy::indexing_slicing)]
#![cfg_attr(not(test), warn(clippy::string_slice))]

pub mod access_log;
pub mod admin;
mod buffers;
pub mod config;
mod context;
mod descriptors;
mod dice;
mod digits;
pub mod drain;
mod edge;
mod farewell;
pub mod feed;
pub mod hello;
pub mod http;
pub mod http1;
pub mod limits;
mod listener;
pub mod metrics;
pub mod per_worker;
mod proxy;
pub mod refusal;
mod relay;
mod request_id;
pub mod routes;
mod side;
mod splice;
pub mod tasks;
mod tls;
mod upload;
pub mod upstream;
mod worker;

pub use listener::ListenError;
pub use proxy::{BindError, Proxy};
