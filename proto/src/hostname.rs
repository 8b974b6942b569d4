use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A host name as routes are keyed by it: ASCII, lower case, no trailing dot, no port.
///
/// Labels are 1 to 63 letters, digits, hyphens or underscores and the whole is at most 253 bytes
/// (RFC 1035 2.3.4; the underscore is allowed because names in use have it). A-labels (`xn--`) are
/// taken as they are; names that are not ASCII are mapped to them (UTS 46). IP addresses are not
/// host names: an all-digit last label is refused.
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hostname(Arc<str>);

/// Why a text is not a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostnameError {
    /// Nothing, or nothing but the root's dot.
    #[error("a host name must not be empty")]
    Empty,
    /// More than 253 bytes.
    #[error("a host name has at most 253 characters")]
    TooLong,
    /// A label is empty or longer than 63 bytes.
    #[error("each label between dots has 1 to 63 characters")]
    LabelLength,
    /// A character other than letters, digits, hyphen, underscore and dot.
    #[error("a host name holds only letters, digits, '-', '_' and '.'")]
    Character,
    /// An IPv4 address, or something that might be taken for one.
    #[error("an IP address is not a host name")]
    IpAddress,
    /// Not ASCII, and not mappable by IDNA.
    #[error("this international name is not valid under IDNA (UTS 46)")]
    Idna,
}

/// Longest host name in bytes, without the trailing dot (RFC 1035 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

impl Hostname {
    /// Parses text that people wrote: maps international names by IDNA, folds case, drops one
    /// trailing dot.
    pub fn parse(text: &str) -> Result<Self, HostnameError> {
        if text.is_ascii() {
            return Self::parse_ascii(text.as_bytes());
        }
        let mapped = idna::domain_to_ascii(text).map_err(|_| HostnameError::Idna)?;
        Self::parse_ascii(mapped.as_bytes())
    }

    /// Parses a name from the network (a Host field, an SNI extension): ASCII only.
    pub fn parse_ascii(bytes: &[u8]) -> Result<Self, HostnameError> {
        let mut buffer = [0_u8; MAX_NAME];
        let folded = fold(bytes, &mut buffer)?;
        Ok(Self(Arc::from(folded)))
    }

    /// The name, lower case, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first label and the rest: `("my-name", "ep-r.io")`; none for a single label.
    pub fn split_first_label(&self) -> Option<(&str, &str)> {
        self.0.split_once('.')
    }
}

/// Checks and folds `bytes` into `buffer` without allocating, for look-ups on the request path.
///
/// Returns the folded name. Errors as [`Hostname::parse_ascii`], which is this and one allocation.
pub fn fold<'b>(bytes: &[u8], buffer: &'b mut [u8; MAX_NAME]) -> Result<&'b str, HostnameError> {
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    if bytes.is_empty() {
        return Err(HostnameError::Empty);
    }
    let Some(out) = buffer.get_mut(..bytes.len()) else {
        return Err(HostnameError::TooLong);
    };
    let (mut label, mut digits_only) = (0, true);
    for (to, &byte) in out.iter_mut().zip(bytes) {
        *to = byte.to_ascii_lowercase();
        match Class::of(byte) {
            Class::Letter => (label, digits_only) = (label + 1, false),
            Class::Digit => label += 1,
            Class::Dot if (1..=MAX_LABEL).contains(&label) => (label, digits_only) = (0, true),
            Class::Dot => return Err(HostnameError::LabelLength),
            Class::Other => return Err(HostnameError::Character),
        }
    }
    if !(1..=MAX_LABEL).contains(&label) {
        return Err(HostnameError::LabelLength);
    }
    if digits_only {
        return Err(HostnameError::IpAddress);
    }
    std::str::from_utf8(out).map_err(|_| HostnameError::Character)
}

/// What a byte is in a name.
#[derive(Clone, Copy)]
enum Class {
    /// Of a label: a hyphen and an underscore too.
    Letter,
    Digit,
    Dot,
    Other,
}

impl Class {
    fn of(byte: u8) -> Self {
        // A table costs a request less than comparisons, of which each byte needs several.
        #[expect(clippy::indexing_slicing, reason = "within bounds, or it would not compile")]
        const CLASSES: [Class; 256] = {
            let mut classes = [Class::Other; 256];
            let mut byte = 0_u8;
            while byte < 128 {
                classes[byte as usize] = match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => Class::Letter,
                    b'0'..=b'9' => Class::Digit,
                    b'.' => Class::Dot,
                    _ => Class::Other,
                };
                byte += 1;
            }
            classes
        };
        CLASSES.get(usize::from(byte)).copied().unwrap_or(Self::Other)
    }
}

impl FromStr for Hostname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hostname({})", self.0)
    }
}

impl AsRef<str> for Hostname {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Hostname {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folds_case_and_one_trailing_dot() {
        assert_eq!(Hostname::parse("My-Name.EP-R.io.").unwrap().as_str(), "my-name.ep-r.io");
        assert_eq!(Hostname::parse("a.b..").unwrap_err(), HostnameError::LabelLength);
    }

    #[test]
    fn refuses_what_is_no_name() {
        for (text, error) in [
            ("", HostnameError::Empty),
            (".", HostnameError::Empty),
            (".a", HostnameError::LabelLength),
            ("a..b", HostnameError::LabelLength),
            ("a b", HostnameError::Character),
            ("a:80", HostnameError::Character),
            ("user@a", HostnameError::Character),
            ("127.0.0.1", HostnameError::IpAddress),
            ("[::1]", HostnameError::Character),
        ] {
            assert_eq!(Hostname::parse(text).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(Hostname::parse(&"a".repeat(64)).unwrap_err(), HostnameError::LabelLength);
        assert_eq!(Hostname::parse(&"a.".repeat(127)).unwrap().as_str().len(), 253);
        assert_eq!(Hostname::parse(&"a.".repeat(128)).unwrap_err(), HostnameError::TooLong);
    }

    #[test]
    fn maps_international_names_only_from_people() {
        assert_eq!(Hostname::parse("bücher.ep-r.io").unwrap().as_str(), "xn--bcher-kva.ep-r.io");
        assert_eq!(Hostname::parse_ascii("bücher.ep-r.io".as_bytes()), Err(HostnameError::Character));
        assert_eq!(Hostname::parse("with_underscore.x").unwrap().as_str(), "with_underscore.x");
    }

    proptest! {
        /// Whatever is accepted is in canonical form: parsing it again changes nothing.
        #[test]
        fn parsing_is_idempotent(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(name) = Hostname::parse_ascii(&bytes) {
                prop_assert_eq!(Hostname::parse(name.as_str()), Ok(name));
            }
        }

        #[test]
        fn likely_names_agree_with_a_naive_reading(text in "[a-zA-Z0-9_.-]{0,70}") {
            let trimmed = text.strip_suffix('.').unwrap_or(&text).to_ascii_lowercase();
            let sound = trimmed.split('.').all(|label| (1..=63).contains(&label.len()))
                && !trimmed.split('.').next_back().unwrap_or("").bytes().all(|b| b.is_ascii_digit());
            let parsed = Hostname::parse(&text).ok();
            prop_assert_eq!(parsed.as_ref().map(Hostname::as_str), sound.then_some(trimmed.as_str()));
        }
    }
}
