use super::Fields;
use super::cursor::{Cursor, Stop, blank, obs_text, tchar, vchar};
use super::uri::is_target;

/// How a body's end is found (RFC 9112 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// After so many octets.
    Length(u64),
    /// By chunks.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// `method SP request-target SP HTTP-version CRLF` (RFC 9112 3), and the minor version.
pub(super) fn request_line(cursor: &mut Cursor<'_>) -> Result<([Vec<u8>; 3], u8), Stop> {
    let method = cursor.some(tchar)?;
    cursor.literal(b" ")?;
    let target = cursor.some(|octet| vchar(octet) && octet != b'#')?;
    if method.len() > 32 || !is_target(&method, &target) {
        return Err(Stop::Bad);
    }
    cursor.literal(b" ")?;
    let (text, version) = version(cursor)?;
    cursor.crlf()?;
    Ok(([method, target, text], version))
}

/// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 4), the minor version and the status.
pub(super) fn status_line(cursor: &mut Cursor<'_>) -> Result<([Vec<u8>; 3], u8, u16), Stop> {
    let (text, version) = version(cursor)?;
    cursor.literal(b" ")?;
    let first = cursor.one(|octet| matches!(octet, b'1'..=b'9'))?;
    let digit = |octet: u8| octet.is_ascii_digit();
    let code = vec![first, cursor.one(digit)?, cursor.one(digit)?];
    let mut reason = Vec::new();
    if cursor.peek()? != b'\r' {
        cursor.literal(b" ")?;
        reason = cursor.any(|octet| vchar(octet) || obs_text(octet) || blank(octet))?;
    }
    cursor.crlf()?;
    let status = code.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    Ok(([text, code, reason], version, status))
}

/// RFC 9112 2.3
fn version(cursor: &mut Cursor<'_>) -> Result<(Vec<u8>, u8), Stop> {
    cursor.literal(b"HTTP/1.")?;
    let minor = cursor.one(|octet| octet == b'0' || octet == b'1')?;
    Ok(([b"HTTP/1.", &[minor][..]].concat(), minor - b'0'))
}

/// `*( field-line CRLF ) CRLF` (RFC 9112 2.1), of fields whose names may stand there.
pub(super) fn fields(cursor: &mut Cursor<'_>, may: fn(&[u8]) -> bool) -> Result<Fields, Stop> {
    let mut fields = Vec::new();
    while cursor.peek()? != b'\r' {
        // field-name ":" OWS field-value OWS (RFC 9112 5); nothing begins with a blank, so nothing is folded.
        let name = cursor.some(tchar)?;
        cursor.literal(b":")?;
        let mut value = cursor.any(|octet| vchar(octet) || obs_text(octet) || blank(octet))?;
        cursor.crlf()?;
        while value.last().copied().is_some_and(blank) {
            value.pop();
        }
        while value.first().copied().is_some_and(blank) {
            value.remove(0);
        }
        if !may(&name) {
            return Err(Stop::Bad);
        }
        fields.push((name, value));
    }
    cursor.crlf()?;
    Ok(fields)
}

pub(super) fn values<'f>(fields: &'f Fields, name: &str) -> Vec<&'f [u8]> {
    let named = fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| value.as_slice()).collect()
}

/// What the fields say of the body's length (RFC 9112 6).
pub(super) fn said_framing(fields: &Fields, version: u8) -> Result<Option<Framing>, Stop> {
    let (lengths, codings) = (values(fields, "Content-Length"), values(fields, "Transfer-Encoding"));
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(None),
        ([], [coding]) if version == 1 && coding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Some(Framing::Chunked))
        }
        ([length], []) => Ok(Some(Framing::Length(decimal(length).ok_or(Stop::Bad)?))),
        _ => Err(Stop::Bad),
    }
}

/// `1*DIGIT`, in 63 bits.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.iter()
        .try_fold(0_u128, |number, digit| {
            let number = number * 10 + u128::from(digit - b'0');
            (number < 1 << 63).then_some(number)
        })?
        .try_into()
        .ok()
}

/// RFC 9110 10.1.1
pub(super) fn expectations(fields: &Fields) -> Result<(), Stop> {
    match values(fields, "Expect").as_slice() {
        [] => Ok(()),
        [one] if one.eq_ignore_ascii_case(b"100-continue") => Ok(()),
        _ => Err(Stop::Bad),
    }
}

/// RFC 9112 9.3
pub(super) fn persists(fields: &Fields, version: u8) -> bool {
    let mut options = Vec::new();
    for value in values(fields, "Connection") {
        for option in value.split(|octet| *octet == b',') {
            let text: Vec<u8> = option.iter().copied().map(|octet| octet.to_ascii_lowercase()).collect();
            let text = String::from_utf8_lossy(&text).into_owned();
            options.push(text.trim_matches([' ', '\t']).to_owned());
        }
    }
    let has = |name: &str| options.iter().any(|option| option == name);
    !has("close") && (version == 1 || has("keep-alive"))
}
