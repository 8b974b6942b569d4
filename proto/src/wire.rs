//! Messages and services as they travel, generated from `epr/v1/*.proto`.
//!
//! The documentation of each stands in the `.proto` files.
#![allow(missing_docs, reason = "generated; the .proto files are the documentation")]
#![allow(clippy::all, reason = "generated")]
#![allow(unused_qualifications, reason = "generated")]
#![allow(clippy::too_many_lines, clippy::large_futures, clippy::wildcard_imports, reason = "generated")]
#![allow(clippy::allow_attributes_without_reason, reason = "generated")]

tonic::include_proto!("epr.v1");

/// The encoded `FileDescriptorSet` of `epr.v1`, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/epr.v1.descriptors"));
