//! epr.
fn main() {}
