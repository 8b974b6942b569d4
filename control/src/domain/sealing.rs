//! How what secrets hold is kept: sealed with AES-256-GCM, by keys that are not in the store.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::guid::{Chance, NoChance};

/// Bytes of a key.
const KEY_LENGTH: usize = 32;
/// Hexadecimal digits of a key's id: 64 bits of its hash, which tells nothing of the key.
const ID_LENGTH: usize = 16;
/// Most keys of one file: those that still open something.
const MOST_KEYS: usize = 64;

/// The keys of an installation: the first seals, all of them open.
pub struct Keyring(Vec<Key>);

struct Key {
    id: String,
    cipher: LessSafeKey,
}

/// What is sealed, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The id of the key it was sealed with.
    key: String,
    /// Drawn for it alone, in base64. Random nonces of 96 bits serve for 2^32 sealings with one key.
    nonce: String,
    /// Cipher text and tag, in base64.
    data: String,
}

/// Why a key file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// A line is no key.
    #[error("line {0} is no key: 64 hexadecimal digits, like `openssl rand -hex 32` makes them")]
    Line(usize),
    /// There is none.
    #[error("there is no key in it")]
    None,
    /// A file of another kind.
    #[error("there are more than {MOST_KEYS} keys in it")]
    TooMany,
}

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Its key is not here.
    #[error(
        "it is sealed with the key {0}, which is not in the key file; put that key back, as one of its lines"
    )]
    NoKey(String),
    /// It is not what was sealed, or stood in another place.
    #[error("it does not open: it was damaged, or did not stand here when it was sealed; write it anew")]
    Broken,
    /// No random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl Keyring {
    /// The keys in the text of a key file: one a line, empty lines and those beginning with `#` aside.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let mut keys = Vec::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if keys.len() == MOST_KEYS {
                return Err(KeyFault::TooMany);
            }
            let bytes = unhex(line).ok_or(KeyFault::Line(i + 1))?;
            keys.push(Key::new(&bytes).ok_or(KeyFault::Line(i + 1))?);
        }
        if keys.is_empty() { Err(KeyFault::None) } else { Ok(Self(keys)) }
    }

    /// Draws a key, as a line of a key file.
    pub fn draw(chance: &dyn Chance) -> Result<Zeroizing<String>, NoChance> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        chance.fill(&mut *bytes)?;
        Ok(Zeroizing::new(hex(&*bytes)))
    }

    /// Seals `plain` for the place that `place` describes, with the first key.
    pub fn seal(&self, plain: &[u8], place: &str, chance: &dyn Chance) -> Result<Sealed, SealError> {
        let key = self.0.first().ok_or_else(|| SealError::NoKey("of any kind".into()))?;
        let mut nonce = [0; NONCE_LEN];
        chance.fill(&mut nonce)?;
        let mut data = Zeroizing::new(plain.to_vec());
        let aad = Aad::from(associated(place, &key.id));
        key.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut *data)
            .map_err(|_| SealError::Broken)?;
        let (nonce, data) = (STANDARD.encode(nonce), STANDARD.encode(&*data));
        Ok(Sealed { key: key.id.clone(), nonce, data })
    }

    /// Opens what was sealed for the place that `place` describes.
    pub fn open(&self, sealed: &Sealed, place: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let key = self.0.iter().find(|key| key.id == sealed.key);
        let key = key.ok_or_else(|| SealError::NoKey(sealed.key.clone()))?;
        let nonce = STANDARD.decode(&sealed.nonce).map_err(|_| SealError::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| SealError::Broken)?;
        let mut data = Zeroizing::new(STANDARD.decode(&sealed.data).map_err(|_| SealError::Broken)?);
        let aad = Aad::from(associated(place, &key.id));
        let length = key.cipher.open_in_place(nonce, aad, &mut data).map_err(|_| SealError::Broken)?.len();
        data.truncate(length);
        Ok(data)
    }

    /// Whether it has the key `sealed` takes.
    pub fn opens(&self, sealed: &Sealed) -> bool {
        self.0.iter().any(|key| key.id == sealed.key)
    }

    /// Whether `sealed` was sealed with the key that seals now.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        self.0.first().is_some_and(|key| key.id == sealed.key)
    }
}

impl Key {
    fn new(bytes: &[u8]) -> Option<Self> {
        let digest = Sha256::new().chain_update(b"epr secrets key").chain_update(bytes).finalize();
        let id = hex(&digest).get(..ID_LENGTH)?.to_owned();
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        Some(Self { id, cipher })
    }
}

impl Sealed {
    /// The id of the key it takes.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What must be the same when it is opened: a sealed value moved to another place, or said to be of
/// another key, does not open.
fn associated(place: &str, key: &str) -> Vec<u8> {
    format!("epr secret v1\n{key}\n{place}").into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() != 2 * KEY_LENGTH || !text.is_ascii() {
        return None;
    }
    let pairs = (0..KEY_LENGTH).map(|i| text.get(2 * i..2 * i + 2));
    let bytes: Option<Vec<u8>> = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    bytes.map(Zeroizing::new)
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::guid::tests::Counting;

    fn keyring(lines: &[&str]) -> Keyring {
        Keyring::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let chance = Counting::default();
        let (old, new) = (Keyring::draw(&chance).unwrap(), Keyring::draw(&chance).unwrap());
        let before = keyring(&[&old]);
        let sealed = before.seal(b"hush", "p/s", &chance).unwrap();
        assert_ne!(before.seal(b"hush", "p/s", &chance).unwrap(), sealed, "each has a nonce of its own");
        let both = keyring(&["# since May", &new, "", &old]);
        assert_eq!(&**both.open(&sealed, "p/s").unwrap(), b"hush");
        assert!(both.opens(&sealed) && !both.is_current(&sealed) && before.is_current(&sealed));
        let after = keyring(&[&new]);
        assert_eq!(after.open(&sealed, "p/s").unwrap_err(), SealError::NoKey(sealed.key().to_owned()));
        assert_eq!(both.open(&sealed, "p/other").unwrap_err(), SealError::Broken);
    }

    #[test]
    fn what_was_tampered_with_does_not_open() {
        let chance = Counting::default();
        let (one, two) = (Keyring::draw(&chance).unwrap(), Keyring::draw(&chance).unwrap());
        let ring = keyring(&[&one, &two]);
        let sealed = ring.seal(b"hush", "p/s", &chance).unwrap();
        let other = ring.seal(b"loud", "p/s", &chance).unwrap();
        let other_key = keyring(&[&two, &one]).seal(b"hush", "p/s", &chance).unwrap();
        for tampered in [
            Sealed { data: other.data, ..sealed.clone() },
            Sealed { nonce: other.nonce, ..sealed.clone() },
            Sealed { key: other_key.key, ..sealed.clone() },
            Sealed { nonce: "AAAA".into(), ..sealed.clone() },
            Sealed { data: "%".into(), ..sealed.clone() },
            Sealed { data: String::new(), ..sealed },
        ] {
            assert_eq!(ring.open(&tampered, "p/s").unwrap_err(), SealError::Broken, "{tampered:?}");
        }
    }

    #[test]
    fn neither_keys_nor_what_they_seal_are_printed() {
        let chance = Counting::default();
        let line = Keyring::draw(&chance).unwrap();
        let ring = keyring(&[&line]);
        let sealed = ring.seal(b"hush", "p/s", &chance).unwrap();
        let printed = format!("{ring:?} {sealed:?}");
        assert!(!printed.contains(line.get(..8).unwrap()) && !printed.contains(&sealed.data), "{printed}");
    }

    #[test]
    fn a_file_that_holds_no_keys_is_told_by_its_line() {
        assert_eq!(Keyring::parse("# none\n\n").unwrap_err(), KeyFault::None);
        let key = "0".repeat(64);
        assert_eq!(Keyring::parse(&format!("{key}\nshort")).unwrap_err(), KeyFault::Line(2));
        assert_eq!(Keyring::parse(&"g".repeat(64)).unwrap_err(), KeyFault::Line(1));
        assert_eq!(Keyring::parse(&"é".repeat(32)).unwrap_err(), KeyFault::Line(1));
        assert_eq!(Keyring::parse(&format!("{key}\n").repeat(65)).unwrap_err(), KeyFault::TooMany);
        assert!(Keyring::parse(&key.to_uppercase()).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_sealed_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..200), place in ".*") {
            let chance = Counting::default();
            let ring = Keyring::parse(&Keyring::draw(&chance).unwrap()).unwrap();
            let sealed = ring.seal(&plain, &place, &chance).unwrap();
            prop_assert_eq!(&*ring.open(&sealed, &place).unwrap(), &plain);
        }
    }
}
