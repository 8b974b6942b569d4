//! The control plane. (Map to come.)

pub mod domain;
pub mod store;
pub mod auth;
pub mod drain;
pub mod tasks;
