//! The edge's other side: what backends can do to a request, and what of it their clients see.

mod bodies;
mod ends;
mod garbage;
mod h2c;
mod hand;
mod idle;
mod permits;
mod pools;
mod retry;
mod stalls;
