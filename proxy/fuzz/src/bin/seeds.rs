//! Writes the inputs to begin with where `cargo fuzz run` looks for them: `corpus/TARGET/seed-N`.

use std::fs;
use std::io;
use std::path::Path;

use proxy_fuzz::TARGETS;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in TARGETS {
        let dir = corpus.join(target.name);
        fs::create_dir_all(&dir)?;
        for (number, input) in target.inputs().iter().enumerate() {
            fs::write(dir.join(format!("seed-{number}")), input)?;
        }
    }
    Ok(())
}
