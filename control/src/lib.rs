//! The control plane. (Map to come.)

pub mod store;
