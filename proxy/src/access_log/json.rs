//! Members of a JSON object (RFC 8259), written straight into a line.

/// Longer texts are cut: a line must not be as long as a client likes.
pub(super) const TEXT_MAX: usize = 1024;

/// What is not UTF-8 becomes replacement characters. `name` comes with what stands around it.
pub(super) fn member(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    let value = cut(value);
    if is_plain(value) {
        out.push(b'"');
        out.extend_from_slice(value);
        out.push(b'"');
        return;
    }
    let start = out.len();
    // A vector takes all that is written, and text is never a fault; half of one would spoil the line.
    if serde_json::to_writer(&mut *out, &String::from_utf8_lossy(value)).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// The same of a text that stands for itself: a name of ours.
pub(super) fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// Whether a text stands for itself. Looks at all of it: without a way out in between several bytes are judged
/// at once.
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |all, &byte| all & (b' '..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\'))
}

/// The beginning of `text`, without a character that its end would cut in two.
fn cut(text: &[u8]) -> &[u8] {
    if text.len() <= TEXT_MAX {
        return text;
    }
    let longest = text.get(..TEXT_MAX).unwrap_or_default();
    match std::str::from_utf8(longest) {
        Err(error) if error.error_len().is_none() => longest.get(..error.valid_up_to()).unwrap_or_default(),
        Ok(_) | Err(_) => longest,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &[u8]) -> String {
        let mut out = Vec::new();
        member(&mut out, "{\"a\":", value);
        out.push(b'}');
        let object: serde_json::Value = serde_json::from_slice(&out).unwrap();
        object["a"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_cut_spares_characters() {
        let text = "ü".repeat(TEXT_MAX);
        assert_eq!(read(text.as_bytes()), "ü".repeat(TEXT_MAX / 2));
        let odd = format!("a{text}");
        assert_eq!(read(odd.as_bytes()), format!("a{}", "ü".repeat(TEXT_MAX / 2 - 1)));
    }

    proptest! {
        /// Whatever a client says is one text of one line.
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut out = Vec::new();
            member(&mut out, "", &bytes);
            prop_assert!(!out.iter().any(|&byte| byte < b' '));
            prop_assert_eq!(read(&bytes), String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn text_comes_back(text in ".{0,60}") {
            prop_assert_eq!(read(text.as_bytes()), text);
        }
    }
}
