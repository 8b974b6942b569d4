//! Writes the inputs to begin with where `cargo fuzz run` looks for them: `corpus/TARGET/seed-N`.

use std::fs;
use std::io;
use std::path::Path;

use proxy_fuzz::{authority, chunked, hello, request, response, route_update};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let targets = [
        ("authority", authority::seeds()),
        ("chunked", chunked::seeds()),
        ("hello", hello::seeds()),
        ("request", request::seeds()),
        ("response", response::seeds()),
        ("route_update", route_update::seeds()),
    ];
    for (target, seeds) in targets {
        let dir = corpus.join(target);
        fs::create_dir_all(&dir)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(dir.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
