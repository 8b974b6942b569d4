use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A path that names one value, like `project/p1/package/hello@1.0`.
///
/// Its parts are separated by `/`; within a part `/`, `%` and control characters are written as `%xx`,
/// so that no name can reach into another's path. Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// The key whose parts these are.
    pub fn of<const N: usize>(parts: [&str; N]) -> Self {
        Self(join(&parts).into())
    }

    /// A key as [`Key::as_str`] gave it, for backends that read it back.
    pub(super) fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The whole path, as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts as they were given to [`Key::of`].
    pub fn parts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('/').map(unescape)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

/// The beginning that all keys of one kind share, in whole parts: `project/p1/package/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Every key whose first parts these are, and that has more; with no parts, every key.
    pub fn of<const N: usize>(parts: [&str; N]) -> Self {
        let mut text = join(&parts);
        if N > 0 {
            text.push('/');
        }
        Self(text)
    }

    /// The text the keys begin with.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One of them, by what comes after the prefix as it is stored: where a listing goes on.
    pub fn with_rest(&self, rest: &str) -> Key {
        Key(format!("{}{rest}", self.0).into())
    }

    /// Whether `key` is one of them.
    pub fn covers(&self, key: &Key) -> bool {
        key.as_str().starts_with(&self.0)
    }
}

fn join(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            text.push('/');
        }
        for c in part.chars() {
            match c {
                '/' | '%' | '\0'..='\x1f' | '\x7f' => text.push_str(&format!("%{:02x}", u32::from(c))),
                _ => text.push(c),
            }
        }
    }
    text
}

fn unescape(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        // Only `join` writes keys, so the two digits are there; a stray sign is kept as it is.
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_cannot_reach_into_another_path() {
        let sly = Key::of(["project", "p1/package", "x"]);
        assert_eq!(sly.as_str(), "project/p1%2fpackage/x");
        assert!(!Prefix::of(["project", "p1"]).covers(&sly));
        assert!(!Prefix::of(["project", "p1"]).covers(&Key::of(["project", "p12", "x"])));
        assert!(Prefix::of([]).covers(&sly));
    }

    proptest! {
        #[test]
        fn parts_come_back(a in any::<String>(), b in any::<String>()) {
            let key = Key::of([&a, &b]);
            let parts: Vec<_> = key.parts().map(Cow::into_owned).collect();
            prop_assert_eq!(parts, [a.clone(), b]);
            prop_assert!(Prefix::of([&a]).covers(&key));
        }
    }
}
