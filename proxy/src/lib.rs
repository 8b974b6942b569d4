//! The data plane: takes connections, finds whose they are, and serves, passes through or refuses.
//!
//! # Map
//!
//! | room | what it is |
//! | --- | --- |
//! | [`config`] | every number |
//! | [`refusal`] | why traffic was not served |
//! | [`tasks`], [`drain`] | owned tasks; the signal to finish |

pub mod access_log;
pub mod config;
pub mod drain;
pub mod hello;
pub mod metrics;
pub mod per_worker;
pub mod refusal;
pub mod routes;
pub mod tasks;
pub mod upstream;
