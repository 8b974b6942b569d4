//! Which bytes may stand where (RFC 9110 5.5 and 5.6.2, RFC 5234 B.1).

/// Whether a byte may stand in a token.
#[allow(clippy::indexing_slicing, reason = "a place for every byte; get() is not const")]
pub(super) const fn is_tchar(byte: u8) -> bool {
    TCHAR[byte as usize]
}

#[allow(clippy::indexing_slicing, reason = "seen by the compiler")]
const TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let at = byte as usize;
        table[at] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether bytes are a token.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_tchar(byte))
}

/// Whether a byte may stand in a field's value: VCHAR, obs-text, space and tab.
pub(super) const fn is_text(byte: u8) -> bool {
    (byte >= b' ' && byte != 0x7f) || byte == b'\t'
}

/// Whether all bytes may stand in a field's value. Looks at all of them: without a way out in between
/// several are judged at once.
pub(super) fn are_text(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, &byte| all & is_text(byte))
}

/// How many bytes at the front may stand in a field's value. Eight are looked at in one step.
pub(super) fn text_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += visible_length(bytes.get(at..).unwrap_or_default());
        if bytes.get(at) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
}

/// The same without tabs.
fn visible_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let stops = controls(u64::from_le_bytes(*word));
        if stops != 0 {
            return at * 8 + (stops.trailing_zeros() / 8) as usize;
        }
    }
    let tail = rest.iter().position(|&byte| byte < b' ' || byte == 0x7f);
    bytes.len() - rest.len() + tail.unwrap_or(rest.len())
}

/// The high bits of those of eight bytes that are control characters. Above the lowest one that is, others may
/// be marked too: a subtraction borrows from the byte that follows.
const fn controls(word: u64) -> u64 {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    let low = word.wrapping_sub(LOWEST * b' ' as u64) & !word;
    let deleted = word ^ (LOWEST * 0x7f);
    (low | (deleted.wrapping_sub(LOWEST) & !deleted)) & (LOWEST * 0x80)
}

/// Whether all bytes may stand in a request target: VCHAR but for `#`, which begins what is never sent
/// (RFC 9110 4.2.5). More than RFC 3986 allows, as much as browsers send.
pub(super) fn are_target(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, &byte| all & (byte > b' ') & (byte < 0x7f) & (byte != b'#'))
}

/// Whether a byte is one of the blanks around values: OWS, BWS.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `bytes` without the blanks around them.
pub(super) fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_are_those_of_the_grammar() {
        let separators = b"\"(),/:;<=>?@[\\]{} \t";
        for byte in 0..=u8::MAX {
            let visible = (0x21..=0x7e).contains(&byte);
            assert_eq!(is_tchar(byte), visible && !separators.contains(&byte), "{byte:#x}");
            assert_eq!(is_text(byte), visible || byte >= 0x80 || is_blank(byte), "{byte:#x}");
            assert_eq!(are_target(&[byte]), visible && byte != b'#', "{byte:#x}");
        }
        assert!(!is_token(b"") && is_token(b"a") && !is_token(b"a b"));
    }

    #[test]
    fn text_ends_where_a_byte_is_none_wherever_that_stands() {
        for length in 0..=24 {
            let text: Vec<u8> = b"a\xff ~\x80\t!z".iter().copied().cycle().take(length).collect();
            assert_eq!(text_length(&text), length);
            for (at, byte) in (0..length).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
                let mut bytes = text.clone();
                bytes[at] = byte;
                let expected = if is_text(byte) { length } else { at };
                assert_eq!(text_length(&bytes), expected, "{}", bytes.escape_ascii());
            }
        }
        for pair in [*b"\t\x08", *b"\0\x01", *b"\x7f\x7e", *b"\x1f ", *b"\t\x7f"] {
            assert_eq!(text_length(&pair), usize::from(pair[0] == b'\t'), "{}", pair.escape_ascii());
        }
    }

    #[test]
    fn blanks_go_at_both_ends_alone() {
        assert_eq!(trimmed(b" \t a \t b\t "), b"a \t b");
        assert_eq!(trimmed(b" \t "), b"");
    }
}
