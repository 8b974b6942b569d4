//! How much memory this process holds.

use std::fs;
use std::io;

/// Bytes of this process that are in memory now (proc(5), `statm`).
///
/// # Errors
/// When `/proc` is not there or does not read as it should.
pub fn resident() -> io::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm has no second number"))?;
    Ok(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted() {
        let before = resident().unwrap();
        let held = vec![1_u8; 64 << 20];
        let after = resident().unwrap();
        assert!(after - before >= 60 << 20, "{before} to {after} with {} bytes", held.len());
    }
}
