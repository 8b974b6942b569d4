/// Why a rule did not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The octets ended where it could have gone on.
    More,
    /// An octet stands where it cannot.
    Bad,
}

/// Goes over octets one at a time.
pub(super) struct Cursor<'o> {
    octets: &'o [u8],
    at: usize,
}

impl<'o> Cursor<'o> {
    pub(super) fn new(octets: &'o [u8]) -> Self {
        Self { octets, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.octets.len()
    }

    pub(super) fn since(&self, from: usize) -> &'o [u8] {
        &self.octets[from..self.at]
    }

    pub(super) fn peek(&self) -> Result<u8, Stop> {
        self.octets.get(self.at).copied().ok_or(Stop::More)
    }

    pub(super) fn one(&mut self, allowed: impl Fn(u8) -> bool) -> Result<u8, Stop> {
        let octet = self.peek()?;
        if !allowed(octet) {
            return Err(Stop::Bad);
        }
        self.at += 1;
        Ok(octet)
    }

    pub(super) fn literal(&mut self, text: &[u8]) -> Result<(), Stop> {
        text.iter().try_for_each(|&expected| self.one(|octet| octet == expected).map(|_| ()))
    }

    pub(super) fn crlf(&mut self) -> Result<(), Stop> {
        self.literal(b"\r\n")
    }

    /// `*allowed`, which ends before an octet that is not.
    pub(super) fn any(&mut self, allowed: impl Fn(u8) -> bool) -> Result<Vec<u8>, Stop> {
        let mut taken = Vec::new();
        while allowed(self.peek()?) {
            taken.push(self.one(&allowed)?);
        }
        Ok(taken)
    }

    /// `1*allowed`
    pub(super) fn some(&mut self, allowed: impl Fn(u8) -> bool) -> Result<Vec<u8>, Stop> {
        let taken = self.any(allowed)?;
        if taken.is_empty() { Err(Stop::Bad) } else { Ok(taken) }
    }

    /// So many octets, whatever they are.
    pub(super) fn exactly(&mut self, count: u64) -> Result<Vec<u8>, Stop> {
        (0..count).map(|_| self.one(|_| true)).collect()
    }

    pub(super) fn rest(&mut self) -> Vec<u8> {
        let rest = self.octets[self.at..].to_vec();
        self.at = self.octets.len();
        rest
    }
}

/// RFC 5234 B.1
pub(super) fn vchar(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7e)
}

/// RFC 9110 5.5
pub(super) fn obs_text(octet: u8) -> bool {
    matches!(octet, 0x80..=0xff)
}

/// What OWS and BWS are made of (RFC 9110 5.6.3).
pub(super) fn blank(octet: u8) -> bool {
    octet == 0x20 || octet == 0x09
}

/// RFC 9110 5.6.2
pub(super) fn tchar(octet: u8) -> bool {
    let marks = b"!#$%&'*+-.^_`|~";
    marks.contains(&octet) || octet.is_ascii_digit() || octet.is_ascii_alphabetic()
}
