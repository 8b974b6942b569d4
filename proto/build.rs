//! Generates the messages and services from `epr/v1/*.proto` with a pure-Rust compiler, so that no
//! system `protoc` is needed, and writes the descriptor set that the reflection service serves.

use std::path::PathBuf;

use prost::Message as _;

const PROTOS: [&str; 9] = [
    "epr/v1/common.proto",
    "epr/v1/package.proto",
    "epr/v1/deployment.proto",
    "epr/v1/static_route.proto",
    "epr/v1/route.proto",
    "epr/v1/route_feed.proto",
    "epr/v1/fleet.proto",
    "epr/v1/secret.proto",
    "epr/v1/identity.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=epr");
    let descriptors = protox::compile(PROTOS, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("epr.v1.descriptors"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
