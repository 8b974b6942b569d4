use super::Fields;
use super::cursor::{Cursor, Stop, blank, obs_text, tchar, vchar};
use super::head::{Framing, fields};

/// Payload and trailers of a body.
pub(super) fn read(cursor: &mut Cursor<'_>, framing: Framing) -> Result<(Vec<u8>, Fields), Stop> {
    match framing {
        Framing::None => Ok((Vec::new(), Vec::new())),
        Framing::Length(length) => Ok((cursor.exactly(length)?, Vec::new())),
        Framing::Chunked => chunked(cursor),
        Framing::UntilClose => Ok((cursor.rest(), Vec::new())),
    }
}

/// `*chunk last-chunk trailer-section CRLF` (RFC 9112 7.1)
pub(super) fn chunked(cursor: &mut Cursor<'_>) -> Result<(Vec<u8>, Fields), Stop> {
    let mut payload = Vec::new();
    loop {
        let size = chunk_size(cursor)?;
        chunk_extensions(cursor)?;
        cursor.crlf()?;
        if size == 0 {
            break;
        }
        payload.extend(cursor.exactly(size)?);
        cursor.crlf()?;
    }
    Ok((payload, fields(cursor, may_trail)?))
}

/// `1*HEXDIG`, at most as many as 64 bits have, the first of which stays zero.
fn chunk_size(cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
    let (mut digits, mut size) = (0, 0_i64);
    while digits == 0 || cursor.peek()?.is_ascii_hexdigit() {
        let digit = char::from(cursor.one(|octet| octet.is_ascii_hexdigit())?).to_digit(16);
        let sixteenfold = if digits < 16 { size.checked_mul(16) } else { None };
        digits += 1;
        size = sixteenfold.zip(digit).map(|(size, digit)| size + i64::from(digit)).ok_or(Stop::Bad)?;
    }
    u64::try_from(size).map_err(|_| Stop::Bad)
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 7.1.1)
fn chunk_extensions(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    let mut blanks = cursor.any(blank)?;
    while !blanks.is_empty() || cursor.peek()? == b';' {
        cursor.literal(b";")?;
        cursor.any(blank)?;
        cursor.some(tchar)?;
        blanks = cursor.any(blank)?;
        if cursor.peek()? == b'=' {
            cursor.literal(b"=")?;
            cursor.any(blank)?;
            if cursor.peek()? == b'"' {
                quoted_string(cursor)?;
            } else {
                cursor.some(tchar)?;
            }
            blanks = cursor.any(blank)?;
        }
    }
    Ok(())
}

/// `DQUOTE *( qdtext / quoted-pair ) DQUOTE` (RFC 9110 5.6.4)
fn quoted_string(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    cursor.literal(b"\"")?;
    loop {
        let text = |octet| vchar(octet) || obs_text(octet) || blank(octet);
        match cursor.one(text)? {
            b'"' => return Ok(()),
            b'\\' => drop(cursor.one(text)?),
            _ => {}
        }
    }
}

/// Not the fields that frame, route, authenticate or modify a message (RFC 9110 6.5.1), nor those a proxy is
/// believed in; nor what could be taken for one of them by who makes `-` of `_`.
fn may_trail(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_lowercase().replace('_', "-");
    let framing = ["content-length", "transfer-encoding", "trailer", "te"];
    let of_the_hop = ["connection", "keep-alive", "upgrade", "http2-settings", "proxy", "via"];
    let routing = ["host", "max-forwards", "location", "x-http-method-override"];
    let who = ["authorization", "www-authenticate", "cookie", "set-cookie"];
    let modifiers = ["expect", "range", "cache-control"];
    let content = ["content-encoding", "content-range", "content-type"];
    let claims = ["forwarded", "x-real-ip", "x-client-ip", "x-request-id"];
    let lists: [&[&str]; 7] = [&framing, &of_the_hop, &routing, &who, &modifiers, &content, &claims];
    let families = ["epr-", "proxy-", "sec-", "x-forwarded-"];
    !lists.iter().any(|list| list.contains(&name.as_str()))
        && !families.iter().any(|family| name.starts_with(family))
}
