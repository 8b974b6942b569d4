//! Amounts of CPU and memory, exact.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Broken;

/// An amount of CPU in steps of 0.025 core, counted in whole steps: sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpu(u32);

const STEPS_PER_CORE: u32 = 40;
const LARGEST_STEPS: u32 = 8 * STEPS_PER_CORE;

impl Cpu {
    /// What an executable gets that names none: 0.1 core.
    pub const DEFAULT: Self = Self(4);

    /// Reads a decimal number of cores, 0.025 to 8 in steps of 0.025. Empty text means the default.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        if text.is_empty() {
            return Ok(Self::DEFAULT);
        }
        let broken = || {
            let message =
                format!("{text:?} is no amount of CPU; 0.025 to 8 cores in steps of 0.025, like 0.5");
            Broken::new("cpu", message)
        };
        let millicores = millis(text).ok_or_else(broken)?;
        let steps = millicores / 25;
        let sound = millicores % 25 == 0 && (1..=LARGEST_STEPS).contains(&steps);
        if sound { Ok(Self(steps)) } else { Err(broken()) }
    }

    /// Whole cores in the sum of `amounts`, rounded down.
    pub fn whole_cores(amounts: impl IntoIterator<Item = Self>) -> u32 {
        amounts.into_iter().map(|cpu| cpu.0).fold(0, u32::saturating_add) / STEPS_PER_CORE
    }
}

/// A decimal number with at most three places that matter, times a thousand.
fn millis(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !digits(whole) || !digits(part) {
        return None;
    }
    let part = part.trim_end_matches('0');
    if part.len() > 3 {
        return None;
    }
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u32 = format!("{part:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(part)
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millicores = self.0 * 25;
        let text = format!("{}.{:03}", millicores / 1000, millicores % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// An amount of memory in mebibytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemoryMib(u32);

impl MemoryMib {
    /// What an executable gets that names none.
    pub const DEFAULT: Self = Self(512);

    /// Reads 128 to 32768 in steps of 128; 0 means the default.
    pub fn parse(mebibytes: u32) -> Result<Self, Broken> {
        if mebibytes == 0 {
            return Ok(Self::DEFAULT);
        }
        if mebibytes.is_multiple_of(128) && (128..=32_768).contains(&mebibytes) {
            return Ok(Self(mebibytes));
        }
        let message =
            format!("{mebibytes} is no amount of memory; 128 to 32768 mebibytes in steps of 128, like 512");
        Err(Broken::new("memory", message))
    }

    /// Mebibytes.
    pub fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_exact() {
        for (text, shown) in
            [("0.025", "0.025"), ("1", "1"), ("8", "8"), (".5", "0.5"), ("2.50000", "2.5"), ("", "0.1")]
        {
            assert_eq!(Cpu::parse(text).unwrap().to_string(), shown, "{text:?}");
        }
        for bad in ["0", "0.02", "8.025", "0.0251", "1e1", "-1", "+1", ".", "half", "1,5", "99999999999"] {
            assert_eq!(Cpu::parse(bad).unwrap_err().rule, "cpu", "{bad:?}");
        }
    }

    #[test]
    fn whole_cores_round_down_without_drift() {
        let cores = |texts: &[&str]| Cpu::whole_cores(texts.iter().map(|text| Cpu::parse(text).unwrap()));
        assert_eq!(cores(&["1", "0.5"]), 1);
        assert_eq!(cores(&["1", "2"]), 3);
        assert_eq!(cores(&["0.5", "0.5"]), 1);
        assert_eq!(cores(&["0.1"; 10]), 1);
        assert_eq!(cores(&["0.975"]), 0);
    }

    #[test]
    fn memory_has_steps() {
        assert_eq!(MemoryMib::parse(0).unwrap(), MemoryMib::DEFAULT);
        assert_eq!(MemoryMib::parse(32_768).unwrap().get(), 32_768);
        for bad in [1, 127, 129, 32_769, 32_896] {
            assert_eq!(MemoryMib::parse(bad).unwrap_err().rule, "memory", "{bad}");
        }
    }
}
