use proto::hostname::fold;

/// What a hello says of the name it wants (RFC 6066 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerName {
    /// There is no `server_name` extension.
    Absent,
    /// It is no host name: an address, or characters that none has.
    Invalid,
    /// A host name, folded as routes are.
    Name(Box<str>),
}

/// Which protocols a client offers inside TLS (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alpn {
    /// Whether it offers any.
    pub offered: bool,
    /// Whether `h2` is among them.
    pub h2: bool,
    /// Whether `http/1.1` is among them.
    pub http1: bool,
}

/// What a hello says that matters here.
pub(super) struct Facts {
    pub(super) server_name: ServerName,
    pub(super) alpn: Alpn,
    pub(super) favours_chacha20: bool,
}

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const HOST_NAME: u8 = 0;

/// Reads the body of a `ClientHello` (RFC 8446 4.1.2); none when it does not parse.
///
/// Only the two extensions that matter are looked into; the others are walked over, whatever their
/// type, for clients send made-up ones on purpose (RFC 8701).
pub(super) fn facts(body: &[u8]) -> Option<Facts> {
    let mut cursor = Cursor(body);
    cursor.take(2 + 32)?; // legacy_version and random
    let session = cursor.u8()?;
    if session > 32 {
        return None;
    }
    cursor.take(usize::from(session))?;
    let suites = cursor.vec16()?;
    if suites.is_empty() || suites.len() % 2 != 0 {
        return None;
    }
    let favours_chacha20 = favours_chacha20(suites);
    let compression = cursor.u8()?;
    if compression == 0 {
        return None;
    }
    cursor.take(usize::from(compression))?;
    if cursor.0.is_empty() {
        // Before TLS 1.2 the extensions could be left out.
        let (server_name, alpn) = (ServerName::Absent, Alpn::default());
        return Some(Facts { server_name, alpn, favours_chacha20 });
    }
    let extensions = cursor.vec16()?;
    cursor.0.is_empty().then_some(())?;
    let (server_name, alpn) = walk(extensions)?;
    Some(Facts { server_name, alpn, favours_chacha20 })
}

/// Whether ChaCha20-Poly1305 comes before every cipher with AES in GCM, of those an edge would take (RFC 8446 B.4,
/// RFC 5289, RFC 7905).
fn favours_chacha20(suites: &[u8]) -> bool {
    let (suites, _) = suites.as_chunks::<2>();
    let known = suites.iter().find_map(|suite| match suite {
        [0x13, 0x03] | [0xcc, 0xa8 | 0xa9] => Some(true),
        [0x13, 0x01 | 0x02] | [0xc0, 0x2b | 0x2c | 0x2f | 0x30] => Some(false),
        _ => None,
    });
    known.unwrap_or(false)
}

fn walk(extensions: &[u8]) -> Option<(ServerName, Alpn)> {
    let mut cursor = Cursor(extensions);
    let (mut server_name, mut alpn) = (None, None);
    while !cursor.0.is_empty() {
        let kind = cursor.u16()?;
        let data = cursor.vec16()?;
        // None may come twice (RFC 8446 4.2): two names would let two readers see different ones.
        let twice = match kind {
            SERVER_NAME => server_name.replace(read_server_name(data)?).is_some(),
            ALPN => alpn.replace(read_alpn(data)?).is_some(),
            _ => false,
        };
        if twice {
            return None;
        }
    }
    Some((server_name.unwrap_or(ServerName::Absent), alpn.unwrap_or_default()))
}

/// Takes exactly one name of type `host_name`; other types were never defined.
fn read_server_name(data: &[u8]) -> Option<ServerName> {
    let mut list = Cursor(Cursor(data).whole_vec16()?);
    let kind = list.u8()?;
    let name = list.whole_vec16()?;
    if kind != HOST_NAME || name.is_empty() {
        return None;
    }
    let mut buffer = [0_u8; 253];
    Some(match fold(name, &mut buffer) {
        Ok(folded) => ServerName::Name(Box::from(folded)),
        Err(_) => ServerName::Invalid,
    })
}

fn read_alpn(data: &[u8]) -> Option<Alpn> {
    let mut list = Cursor(Cursor(data).whole_vec16()?);
    let mut alpn = Alpn { offered: true, ..Alpn::default() };
    if list.0.is_empty() {
        return None;
    }
    while !list.0.is_empty() {
        let length = list.u8()?;
        match list.take(usize::from(length))? {
            b"" => return None,
            b"h2" => alpn.h2 = true,
            b"http/1.1" => alpn.http1 = true,
            _ => {}
        }
    }
    Some(alpn)
}

/// Takes bytes off the front, or says that there are not enough.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    /// A vector with a length of two bytes before it.
    fn vec16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// Such a vector, with nothing after it.
    fn whole_vec16(&mut self) -> Option<&'a [u8]> {
        let vec = self.vec16()?;
        self.0.is_empty().then_some(vec)
    }
}
