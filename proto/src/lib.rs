//! The contract between the halves of epr, and with the services that drive it.
//!
//! - [`wire`]: messages and services generated from `epr/v1/*.proto`, exactly as they travel.
//! - [`Hostname`], [`Route`], [`RouteUpdate`], [`Revision`], [`BackendAddr`], [`SourceRanges`]: what they
//!   are once parsed. Each has one way in, a constructor that checks.
//! - [`convert`]: from the one to the other, naming every field that is wrong.
//! - [`manifest`]: resources as people write them, in YAML or JSON, read into messages and back.
//!
//! Architecture invariant: this crate knows nothing of stores, sockets or certificates.

#![warn(clippy::indexing_slicing)]
#![cfg_attr(not(test), warn(clippy::string_slice))]

mod backend;
pub mod convert;
/// Host names and how they are folded.
pub mod hostname;
pub mod manifest;
mod revision;
mod route;
mod source_ranges;
pub mod wire;

pub use backend::{Backend, BackendAddr, BackendAddrError};
pub use convert::{FieldFault, FieldFaults};
pub use hostname::{Hostname, HostnameError};
pub use revision::{Epoch, Revision};
pub use route::{
    BackendProtocol, Binding, DeploymentId, EdgeProtocol, EndpointName, ProjectId, Route, RouteUpdate, Target,
};
pub use source_ranges::{SourceRangeError, SourceRanges};
