//! Certificates: where they come from, which one a name is served with, and every TLS configuration.
//!
//! - [`Certificates`]: chains and keys held for the edge, chosen by SNI, replaced as their files change.
//! - [`Certificate`]: the one a connection is served with.
//! - [`Sole`]: the one of a server that is called by any name, as the control plane is.
//! - `tickets`: by which clients resume sessions, and their keys.
//! - [`dev_certificates`]: a development CA and a wildcard certificate under it, made on first start.
//! - [`Certificate::server_config`], [`Sole::server_config`], [`for_http1`], [`client_config`]: the only places where
//!   rustls is configured; the rest of epr takes these ready.
//! - [`Distrust`]: why a server was not trusted, in words.
//!
//! Architecture invariant: one cryptography provider, aws-lc-rs. A second one in the build makes
//! rustls panic when it is asked for its default, so every builder here names the provider.

#![warn(clippy::indexing_slicing)]
#![cfg_attr(not(test), warn(clippy::string_slice))]

mod certificate;
mod certificates;
mod dev_ca;
mod distrust;
mod error;
mod fault;
mod files;
mod names;
mod pem;
mod sole;
mod sources;
mod stamp;
mod tickets;
mod tls;

pub use certificate::Certificate;
pub use certificates::{Certificates, News};
pub use dev_ca::{DevCertificates, dev_certificates};
pub use distrust::Distrust;
pub use error::CertsError;
pub use fault::{Fault, Reason};
pub use files::write_private;
pub use sole::Sole;
pub use sources::{Pair, Sources};
pub use tls::{Favourite, client_config, for_http1, self_signed_server_config};
