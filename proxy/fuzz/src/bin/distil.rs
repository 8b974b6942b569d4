//! Writes what fuzzing found into the tree, `found/TARGET.txt`: the smallest inputs of `corpus/TARGET`, which
//! `cargo fuzz cmin TARGET` has cut down to those that lead somewhere else each.

use std::fs;
use std::io;
use std::path::Path;

use proxy_fuzz::{TARGETS, found};

/// Characters a target's file may have.
const LIMIT: usize = 24 * 1024;

fn main() -> io::Result<()> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in TARGETS {
        let files = fs::read_dir(home.join("corpus").join(target.name))?;
        let inputs: io::Result<Vec<Vec<u8>>> = files.map(|file| fs::read(file?.path())).collect();
        let text = found::write(inputs?, LIMIT);
        fs::write(home.join("found").join(target.name).with_extension("txt"), text)?;
    }
    Ok(())
}
