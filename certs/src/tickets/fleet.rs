use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::key::TicketKey;
use crate::fault::{Fault, Reason};
use crate::pem;
use crate::stamp::Stamp;

/// Secrets a file may hold: the one in use, and those on their way in or out.
const MOST: usize = 8;

type Secret = Zeroizing<[u8; 32]>;

/// The secrets that a fleet derives its keys from, in a file: 64 hexadecimal digits a line, the first
/// seals, all open.
pub(super) struct Fleet {
    file: PathBuf,
    stamp: Option<Stamp>,
    secrets: Vec<Secret>,
    /// Why the file as it is now was not taken; what it held before goes on.
    fault: Option<Fault>,
}

impl Fleet {
    pub(super) fn read(file: PathBuf) -> Result<Self, Fault> {
        let stamp = Stamp::of(&file);
        let secrets = read(&file)?;
        Ok(Self { file, stamp, secrets, fault: None })
    }

    /// Looks whether the file has changed; returns whether there are other secrets in it.
    pub(super) fn look(&mut self) -> bool {
        let stamp = Stamp::of(&self.file);
        if stamp == self.stamp {
            return false;
        }
        self.stamp = stamp;
        match read(&self.file) {
            Ok(secrets) => {
                self.fault = None;
                let others = secrets != self.secrets;
                self.secrets = secrets;
                others
            }
            Err(fault) => {
                self.fault = Some(fault);
                false
            }
        }
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.clone()
    }

    /// The keys of `period`, the sealing one first: those of the one before, whose tickets are still
    /// around, and of the one after, for proxies whose clocks are ahead.
    pub(super) fn keys(&self, period: u64) -> Option<Vec<Arc<TicketKey>>> {
        let periods = [Some(period), period.checked_sub(1), period.checked_add(1)];
        let each = periods.into_iter().flatten();
        let pairs = each.flat_map(|period| self.secrets.iter().map(move |secret| (secret, period)));
        pairs.map(|(secret, period)| TicketKey::derive(secret, period).map(Arc::new)).collect()
    }
}

fn read(file: &Path) -> Result<Vec<Secret>, Fault> {
    let text = pem::read(file)?;
    let mode = fs::metadata(file).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        let problem = "others than its owner may use it, and whoever has it can read what clients say and hear; \
                       chmod 600 it, and put a new secret there";
        return Err(Fault::new(file, Reason::Exposed, problem));
    }
    let malformed = |problem: &str| Fault::new(file, Reason::Malformed, problem);
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let secrets: Option<Vec<Secret>> =
        lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).map(secret).collect();
    match secrets {
        None => Err(malformed("each line must be 64 hexadecimal digits, as openssl rand -hex 32 makes them")),
        Some(secrets) if secrets.is_empty() => Err(malformed(
            "no secret in it; 64 hexadecimal digits are expected, as openssl rand -hex 32 makes them",
        )),
        Some(secrets) if secrets.len() > MOST => {
            Err(malformed("more than 8 secrets in it; take out those no ticket is sealed with any more"))
        }
        Some(secrets) => Ok(secrets),
    }
}

/// The 32 bytes that 64 hexadecimal digits stand for.
fn secret(line: &[u8]) -> Option<Secret> {
    let mut secret = Zeroizing::new([0; 32]);
    let (pairs, rest) = line.as_chunks::<2>();
    if pairs.len() != secret.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in secret.iter_mut().zip(pairs) {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(secret)
}
