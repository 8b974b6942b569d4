//! Amounts of CPU and memory, exact.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Broken;

/// An amount of CPU, counted in whole thousandths of a core: sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "StoredCpu", into = "StoredCpu")]
pub struct Cpu(u32);

/// How an amount of CPU is stored: as a number of steps of 0.025 core where it is one, else in thousandths.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredCpu {
    Steps(u32),
    Millicores { millicores: u32 },
}

const STEP: u32 = 25;
const CORE: u32 = 1000;

impl Cpu {
    /// What an executable gets that names none: 0.1 core.
    pub const DEFAULT: Self = Self(100);

    /// Reads a decimal number of cores of the cloud, 0.025 to 8 in steps of 0.025. Empty text means the
    /// default.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let sound = |amount: u32| amount.is_multiple_of(STEP) && (STEP..=8 * CORE).contains(&amount);
        Self::read(text, sound, "0.025 to 8 cores in steps of 0.025, like 0.5")
    }

    /// Reads a decimal number of cores of a device, 0.001 to 256. Empty text means the default.
    pub fn parse_on_device(text: &str) -> Result<Self, Broken> {
        let sound = |amount: u32| (1..=256 * CORE).contains(&amount);
        Self::read(text, sound, "on a device 0.001 to 256 cores in steps of 0.001, like 0.5")
    }

    fn read(text: &str, sound: impl Fn(u32) -> bool, right: &str) -> Result<Self, Broken> {
        if text.is_empty() {
            return Ok(Self::DEFAULT);
        }
        let amount = millis(text).filter(|amount| sound(*amount));
        amount.map(Self).ok_or_else(|| Broken::new("cpu", format!("{text:?} is no amount of CPU; {right}")))
    }

    /// Whole cores in the sum of `amounts`, rounded down.
    pub fn whole_cores(amounts: impl IntoIterator<Item = Self>) -> u32 {
        amounts.into_iter().map(|cpu| cpu.0).fold(0, u32::saturating_add) / CORE
    }
}

impl From<StoredCpu> for Cpu {
    fn from(stored: StoredCpu) -> Self {
        match stored {
            StoredCpu::Steps(steps) => Self(steps.saturating_mul(STEP)),
            StoredCpu::Millicores { millicores } => Self(millicores),
        }
    }
}

impl From<Cpu> for StoredCpu {
    fn from(Cpu(millicores): Cpu) -> Self {
        if millicores.is_multiple_of(STEP) {
            Self::Steps(millicores / STEP)
        } else {
            Self::Millicores { millicores }
        }
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
        let text = format!("{}.{:03}", self.0 / CORE, self.0 % CORE);
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

    /// Reads 128 to 32768 in steps of 128, as the cloud has it; 0 means the default.
    pub fn parse(mebibytes: u32) -> Result<Self, Broken> {
        let sound = mebibytes.is_multiple_of(128) && (128..=32_768).contains(&mebibytes);
        Self::read(mebibytes, sound, "128 to 32768 mebibytes in steps of 128, like 512")
    }

    /// Reads 1 to 4194304, as a device may have it; 0 means the default.
    pub fn parse_on_device(mebibytes: u32) -> Result<Self, Broken> {
        Self::read(mebibytes, mebibytes <= 4 << 20, "on a device 1 to 4194304 mebibytes, like 512")
    }

    fn read(mebibytes: u32, sound: bool, right: &str) -> Result<Self, Broken> {
        match mebibytes {
            0 => Ok(Self::DEFAULT),
            _ if sound => Ok(Self(mebibytes)),
            _ => Err(Broken::new("memory", format!("{mebibytes} is no amount of memory; {right}"))),
        }
    }

    /// Mebibytes.
    pub fn get(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn devices_have_more_and_finer_amounts() {
        for (text, shown) in [("0.001", "0.001"), ("256", "256"), ("0.333", "0.333"), ("", "0.1")] {
            assert_eq!(Cpu::parse_on_device(text).unwrap().to_string(), shown, "{text:?}");
        }
        for bad in ["0", "256.001", "0.0001", "x"] {
            assert_eq!(Cpu::parse_on_device(bad).unwrap_err().rule, "cpu", "{bad:?}");
        }
        for good in [1, 100, 4_194_304] {
            assert_eq!(MemoryMib::parse_on_device(good).unwrap().get(), good);
        }
        assert_eq!(MemoryMib::parse_on_device(4_194_305).unwrap_err().rule, "memory");
    }

    #[test]
    fn amounts_are_stored_in_steps_where_they_are_some() {
        for (text, stored) in [("0.5", "20"), ("8", "320"), ("0.333", r#"{"millicores":333}"#)] {
            let cpu = Cpu::parse_on_device(text).unwrap();
            assert_eq!(serde_json::to_string(&cpu).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Cpu>(stored).unwrap(), cpu);
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

    proptest! {
        /// What is shown reads the same, stored and read back too; what the cloud takes, devices take.
        #[test]
        fn amounts_are_shown_as_they_are_read(millicores in 1..=256_000_u32) {
            let text = format!("{}.{:03}", millicores / 1000, millicores % 1000);
            let cpu = Cpu::parse_on_device(&text).unwrap();
            prop_assert_eq!(Cpu::parse_on_device(&cpu.to_string()).unwrap(), cpu);
            let stored = serde_json::to_string(&cpu).unwrap();
            prop_assert_eq!(serde_json::from_str::<Cpu>(&stored).unwrap(), cpu);
            let in_the_cloud = millicores % 25 == 0 && millicores <= 8000;
            prop_assert_eq!(Cpu::parse(&text).ok(), in_the_cloud.then_some(cpu));
            prop_assert_eq!(Cpu::whole_cores([cpu]), millicores / 1000);
        }

        #[test]
        fn any_text_is_an_amount_or_none(text in "[0-9.e+-]{0,8}") {
            if let Ok(cpu) = Cpu::parse(&text) {
                prop_assert_eq!(Cpu::parse(&cpu.to_string()), Ok(cpu));
            }
        }
    }
}
