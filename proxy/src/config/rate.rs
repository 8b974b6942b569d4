use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// So many requests a second, and so many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

/// Text that is not a [`Rate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate is N/s, or N/s:BURST, with numbers from 1 to {}", Rate::MOST)]
pub struct NotARate;

impl Rate {
    /// The highest rate, and the highest burst. The time between two requests is kept in whole
    /// nanoseconds; up to here that makes a rate less than a thousandth slower than it says.
    pub const MOST: u32 = 1_000_000;

    /// `per_second` requests a second, `burst` at once; none where one is 0 or above [`Rate::MOST`].
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let number = |n: u32| NonZeroU32::new(n).filter(|n| n.get() <= Self::MOST);
        Some(Self { per_second: number(per_second)?, burst: number(burst)? })
    }

    /// The same of numbers that are known to fit.
    pub(super) const fn fixed(per_second: u32, burst: u32) -> Self {
        const fn number(n: u32) -> NonZeroU32 {
            match NonZeroU32::new(n) {
                Some(n) => n,
                None => NonZeroU32::MIN,
            }
        }
        Self { per_second: number(per_second), burst: number(burst) }
    }

    /// Requests a second in the long run.
    pub fn per_second(self) -> NonZeroU32 {
        self.per_second
    }

    /// Requests that may come at once after a rest.
    pub fn burst(self) -> NonZeroU32 {
        self.burst
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    /// `N/s` or `N/s:BURST`; without a burst it is what one second allows.
    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (rate, burst) = match text.split_once(':') {
            Some((rate, burst)) => (rate, Some(burst)),
            None => (text, None),
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| NotARate);
        let per_second = number(rate.strip_suffix("/s").ok_or(NotARate)?)?;
        let burst = burst.map_or(Ok(per_second), number)?;
        Self::new(per_second, burst).ok_or(NotARate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s:{}", self.per_second, self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        let read = |text: &str| text.parse::<Rate>().map(|rate| rate.to_string());
        assert_eq!(read("10/s").unwrap(), "10/s:10");
        assert_eq!(read("10/s:1").unwrap(), "10/s:1");
        assert_eq!(read("1000000/s:1000000").unwrap(), "1000000/s:1000000");
        for wrong in ["", "10", "/s", "0/s", "10/s:", "10/s:0", "10/m", "-1/s", "1000001/s", "1/s:1000001"] {
            assert_eq!(read(wrong), Err(NotARate), "{wrong}");
        }
    }
}
