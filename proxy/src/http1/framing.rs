use super::chunked::{Chunks, Step};
use super::fault::Fault;
use super::field::{Field, Known, tokens};
use super::head::Version;

/// The longest body, and the largest chunk, in bytes: 2^63 - 1. Many who read the message after us keep lengths
/// in signed numbers, and a larger one is another number, or a negative one, to them.
pub(super) const LONGEST: u64 = i64::MAX.unsigned_abs();

/// How a body's end is found (RFC 9112 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    Empty,
    /// It is so many bytes long.
    Length(u64),
    /// It comes in chunks.
    Chunked,
    /// It ends with the connection; answers alone may.
    UntilClose,
}

/// What a head says of its body's length, gathered field by field.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Said<'b> {
    length: Option<&'b [u8]>,
    coding: Option<&'b [u8]>,
    repeated: bool,
}

impl<'b> Said<'b> {
    pub(super) fn note_length(&mut self, value: &'b [u8]) {
        self.repeated |= self.length.replace(value).is_some();
    }

    pub(super) fn note_coding(&mut self, value: &'b [u8]) {
        self.repeated |= self.coding.replace(value).is_some();
    }

    /// The framing, if any was said.
    ///
    /// # Errors
    /// [`Fault::AmbiguousLength`], [`Fault::BadLength`], [`Fault::UnknownCoding`], [`Fault::BadCoding`],
    /// [`Fault::CodingInHttp10`].
    pub(super) fn framing(&self, version: Version) -> Result<Option<Framing>, Fault> {
        match (self.length, self.coding) {
            (None, None) => Ok(None),
            (_, Some(_)) if version == Version::Http10 => Err(Fault::CodingInHttp10),
            (Some(_), Some(_)) => Err(Fault::AmbiguousLength),
            _ if self.repeated => Err(Fault::AmbiguousLength),
            (Some(length), None) => number(length).map(|length| Some(Framing::Length(length))),
            (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Some(Framing::Chunked)),
            (None, Some(coding)) => Err(refused(coding)),
        }
    }
}

/// What is wrong with codings that are not `chunked` alone.
fn refused(codings: &[u8]) -> Fault {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let chunked = tokens(codings).filter(|coding| is_chunked(coding)).count();
    match tokens(codings).last() {
        Some(last) if is_chunked(last) && chunked == 1 && tokens(codings).count() > 1 => Fault::UnknownCoding,
        _ => Fault::BadCoding,
    }
}

/// The length that fields say of a body, where HTTP/2 frames it: one number, however often it is said (RFC 9110
/// 8.6), and no more than [`LONGEST`].
///
/// # Errors
/// [`Fault::BadLength`], [`Fault::AmbiguousLength`].
pub(crate) fn length<'b>(fields: impl Iterator<Item = Field<'b>>) -> Result<Option<u64>, Fault> {
    let mut lengths =
        fields.filter(|field| field.known == Known::ContentLength).map(|field| number(field.value));
    let Some(first) = lengths.next().transpose()? else { return Ok(None) };
    for other in lengths {
        if other? != first {
            return Err(Fault::AmbiguousLength);
        }
    }
    Ok(Some(first))
}

/// Decimal digits that make a number no larger than [`LONGEST`].
fn number(digits: &[u8]) -> Result<u64, Fault> {
    if digits.is_empty() {
        return Err(Fault::BadLength);
    }
    digits.iter().try_fold(0_u64, |number, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0')).ok_or(Fault::BadLength)?;
        let number = number.checked_mul(10).and_then(|tens| tens.checked_add(digit));
        number.filter(|&number| number <= LONGEST).ok_or(Fault::BadLength)
    })
}

/// Reads over a body as it comes, so that it can be passed on as it is.
#[derive(Debug)]
pub struct Body {
    framing: Framing,
    state: State,
}

#[derive(Debug)]
enum State {
    Left(u64),
    Chunks(Chunks),
    Open,
    Over,
}

/// What [`Body::scan`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// So many of the bytes are the body's.
    pub taken: usize,
    /// So many of these are payload: what is left without chunk lines and trailers.
    pub payload: u64,
}

impl Body {
    /// A body none of which has come yet.
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Over,
            Framing::Length(length) => State::Left(length),
            Framing::Chunked => State::Chunks(Chunks::new()),
            Framing::UntilClose => State::Open,
        };
        Self { framing, state }
    }

    /// How its end is found.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// How many of `bytes` belong to the body. They go on where what the last call took ended. All are
    /// taken, unless the body ends before.
    ///
    /// # Errors
    /// Those of [`Chunks::step`]; nothing of `bytes` may then be passed on.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Scanned, Fault> {
        match &mut self.state {
            State::Over => Ok(Scanned { taken: 0, payload: 0 }),
            State::Open => Ok(Scanned { taken: bytes.len(), payload: bytes.len() as u64 }),
            State::Left(left) => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= taken as u64;
                if *left == 0 {
                    self.state = State::Over;
                }
                Ok(Scanned { taken, payload: taken as u64 })
            }
            State::Chunks(chunks) => over_chunks(chunks, bytes),
        }
    }

    /// `count` bytes of a body whose length was said go on without being looked at.
    pub fn pass(&mut self, count: u64) {
        if let State::Left(left) = &mut self.state {
            *left = left.saturating_sub(count);
            if *left == 0 {
                self.state = State::Over;
            }
        }
    }

    /// Whether its last byte was taken.
    pub fn is_over(&self) -> bool {
        match &self.state {
            State::Over => true,
            State::Chunks(chunks) => chunks.is_over(),
            State::Left(_) | State::Open => false,
        }
    }

    /// The stream has ended here. Over then, if the body may end so.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    pub fn end(&mut self) -> Result<(), Fault> {
        if matches!(self.state, State::Open) {
            self.state = State::Over;
        }
        if self.is_over() { Ok(()) } else { Err(Fault::Truncated) }
    }

    /// How many bytes have yet to come, of a body whose length was said.
    pub fn remaining(&self) -> Option<u64> {
        match (&self.state, self.framing) {
            (State::Left(left), _) => Some(*left),
            (State::Over, Framing::Empty | Framing::Length(_)) => Some(0),
            _ => None,
        }
    }
}

fn over_chunks(chunks: &mut Chunks, bytes: &[u8]) -> Result<Scanned, Fault> {
    let mut scanned = Scanned { taken: 0, payload: 0 };
    loop {
        match chunks.step(bytes.get(scanned.taken..).unwrap_or_default())? {
            Step::Data { skip, length } => {
                scanned.taken += skip + length;
                scanned.payload += length as u64;
            }
            Step::More { taken } | Step::End { taken } => {
                scanned.taken += taken;
                return Ok(scanned);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(
        lengths: &[&'static str],
        codings: &[&'static str],
        version: Version,
    ) -> Result<Option<Framing>, Fault> {
        let mut said = Said::default();
        lengths.iter().for_each(|length| said.note_length(length.as_bytes()));
        codings.iter().for_each(|coding| said.note_coding(coding.as_bytes()));
        said.framing(version)
    }

    #[test]
    fn a_length_is_digits_said_once() {
        let of = |length| said(&[length], &[], Version::Http11);
        assert_eq!(of("0"), Ok(Some(Framing::Length(0))));
        assert_eq!(of("007"), Ok(Some(Framing::Length(7))));
        assert_eq!(of("9223372036854775807"), Ok(Some(Framing::Length(LONGEST))));
        for large in ["9223372036854775808", "18446744073709551615", "18446744073709551616"] {
            assert_eq!(of(large), Err(Fault::BadLength), "{large}");
        }
        for bad in ["", "+1", "-1", "1,1", "1, 1", "0x1", "1 1", "1.0", "1e1", "\u{661}"] {
            assert_eq!(of(bad), Err(Fault::BadLength), "{bad}");
        }
        assert_eq!(said(&["1", "1"], &[], Version::Http11), Err(Fault::AmbiguousLength));
        assert_eq!(said(&["1"], &[], Version::Http10), Ok(Some(Framing::Length(1))));
    }

    #[test]
    fn over_http2_a_length_may_be_repeated_but_not_changed() {
        let of = |lengths: &[&'static str]| {
            length(lengths.iter().map(|value| Field {
                known: Known::ContentLength,
                name: b"content-length",
                value: value.as_bytes(),
            }))
        };
        assert_eq!((of(&[]), of(&["5"]), of(&["5", "05"])), (Ok(None), Ok(Some(5)), Ok(Some(5))));
        assert_eq!(of(&["5", "6"]), Err(Fault::AmbiguousLength));
        for bad in ["", "+5", "5, 5", "9223372036854775808"] {
            assert_eq!(of(&[bad]), Err(Fault::BadLength), "{bad}");
            assert_eq!(of(&["5", bad]), Err(Fault::BadLength), "{bad}");
        }
    }

    #[test]
    fn the_one_coding_is_chunked() {
        let of = |coding| said(&[], &[coding], Version::Http11);
        assert_eq!(of("chunked"), Ok(Some(Framing::Chunked)));
        assert_eq!(of("CHUNKED"), Ok(Some(Framing::Chunked)));
        let lists = ["xchunked", "chunked, chunked", "chunked, gzip", "gzip", "identity", "chunked,"];
        for bad in lists.into_iter().chain(["", "chunked;q=1", "\"chunked\""]) {
            assert_eq!(of(bad), Err(Fault::BadCoding), "{bad}");
        }
        for before in ["gzip, chunked", "identity ,Chunked", "a, b,, chunked ,"] {
            assert_eq!(of(before), Err(Fault::UnknownCoding), "{before}");
        }
        assert_eq!(said(&[], &["chunked", "chunked"], Version::Http11), Err(Fault::AmbiguousLength));
        assert_eq!(said(&["1"], &["chunked"], Version::Http11), Err(Fault::AmbiguousLength));
        assert_eq!(said(&["x"], &["identity"], Version::Http11), Err(Fault::AmbiguousLength));
        assert_eq!(said(&[], &["chunked"], Version::Http10), Err(Fault::CodingInHttp10));
        assert_eq!(said(&[], &[], Version::Http10), Ok(None));
    }

    #[test]
    fn a_body_takes_its_own_bytes_alone() {
        let mut body = Body::new(Framing::Length(3));
        assert_eq!(body.remaining(), Some(3));
        assert_eq!(body.scan(b"ab"), Ok(Scanned { taken: 2, payload: 2 }));
        assert_eq!((body.remaining(), body.is_over(), body.end()), (Some(1), false, Err(Fault::Truncated)));
        assert_eq!(body.scan(b"cGET /"), Ok(Scanned { taken: 1, payload: 1 }));
        assert_eq!(body.scan(b"GET /"), Ok(Scanned { taken: 0, payload: 0 }));
        assert_eq!((body.remaining(), body.is_over(), body.end()), (Some(0), true, Ok(())));

        let mut chunked = Body::new(Framing::Chunked);
        assert_eq!(chunked.scan(b"3\r\nabc\r\n2"), Ok(Scanned { taken: 9, payload: 3 }));
        assert_eq!(chunked.end(), Err(Fault::Truncated));
        assert_eq!(chunked.scan(b"\r\nde\r\n0\r\n\r\nGET"), Ok(Scanned { taken: 11, payload: 2 }));
        assert_eq!((chunked.is_over(), chunked.remaining(), chunked.end()), (true, None, Ok(())));
    }

    #[test]
    fn what_has_no_length_ends_with_the_stream() {
        let mut body = Body::new(Framing::UntilClose);
        assert_eq!(body.scan(b"abc"), Ok(Scanned { taken: 3, payload: 3 }));
        assert_eq!(
            (body.is_over(), body.remaining(), body.end(), body.is_over()),
            (false, None, Ok(()), true)
        );
        for empty in [Framing::Empty, Framing::Length(0)] {
            let mut body = Body::new(empty);
            assert_eq!(
                (body.is_over(), body.end(), body.scan(b"x")),
                (true, Ok(()), Ok(Scanned { taken: 0, payload: 0 }))
            );
        }
    }
}
