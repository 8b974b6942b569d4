//! The feed as a whole: against a model, and over real connections.

mod model;
mod stage;
mod streams;
mod waits;
