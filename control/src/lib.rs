//! The control plane. (Map to come.)

pub mod auth;
pub mod clock;
pub mod config;
pub mod domain;
pub mod drain;
pub mod grpc;
pub mod serve;
pub mod service;
pub mod store;
pub mod tasks;
pub mod feed;
pub mod metrics;
