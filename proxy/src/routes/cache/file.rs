use std::io::{self, Read, Write};

use prost::Message;
use sha2::{Digest, Sha256};

use super::Damage;

const MAGIC: [u8; 8] = *b"EPRROUTE";
/// Raise it when the layout changes. An older epr refuses a newer file; this one reads all older ones.
const VERSION: u32 = 1;
/// A route is some hundred bytes; one with thousands of backends or source ranges still fits.
const MESSAGE_MAX: u32 = 4 * 1024 * 1024;

/// What stands before the routes.
pub(super) struct Header {
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) routes: u64,
}

/// Writes the parts of a file in order, hashing them.
pub(super) struct Writing<W> {
    output: W,
    hash: Sha256,
    buffer: Vec<u8>,
}

/// Reads the parts of a file in order, hashing them. What was read counts only after
/// [`Reading::finish`] has found the checksum right.
pub(super) struct Reading<R> {
    input: R,
    hash: Sha256,
    buffer: Vec<u8>,
}

pub(super) enum ReadError {
    Io(io::Error),
    Damaged(Damage),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Damage> for ReadError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl<W: Write> Writing<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, hash: Sha256::new(), buffer: Vec::new() }
    }

    pub(super) fn header(&mut self, header: &Header) -> io::Result<()> {
        self.put(&MAGIC)?;
        self.put(&VERSION.to_le_bytes())?;
        self.put(&header.epoch.to_le_bytes())?;
        self.put(&header.number.to_le_bytes())?;
        self.put(&header.routes.to_le_bytes())
    }

    pub(super) fn message(&mut self, message: &impl Message) -> io::Result<()> {
        let too_long = || io::Error::new(io::ErrorKind::InvalidData, "a route is too long for the cache");
        let length = u32::try_from(message.encoded_len()).map_err(|_| too_long())?;
        if length > MESSAGE_MAX {
            return Err(too_long());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer.extend_from_slice(&length.to_le_bytes());
        message.encode(&mut buffer).map_err(io::Error::other)?;
        let put = self.put(&buffer);
        self.buffer = buffer;
        put
    }

    /// Writes the checksum and hands back the output, flushed.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&self.hash.finalize())?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.output.write_all(bytes)
    }
}

impl<R: Read> Reading<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, hash: Sha256::new(), buffer: Vec::new() }
    }

    pub(super) fn header(&mut self) -> Result<Header, ReadError> {
        if self.take::<8>()? != MAGIC {
            return Err(Damage::Magic.into());
        }
        let version = u32::from_le_bytes(self.take()?);
        if version != VERSION {
            return Err(Damage::Version(version).into());
        }
        let mut number = || self.take().map(u64::from_le_bytes);
        Ok(Header { epoch: number()?, number: number()?, routes: number()? })
    }

    /// The message of route `at`, which is for the error.
    pub(super) fn message<M: Message + Default>(&mut self, at: u64) -> Result<M, ReadError> {
        let length = u32::from_le_bytes(self.take()?);
        if length > MESSAGE_MAX {
            return Err(Damage::Route(at, format!("{length} bytes are too many")).into());
        }
        self.buffer.clear();
        // Grows with what is there, not with what the length says is there.
        let got = self.input.by_ref().take(u64::from(length)).read_to_end(&mut self.buffer)?;
        if got as u64 != u64::from(length) {
            return Err(Damage::Length.into());
        }
        self.hash.update(&self.buffer);
        M::decode(self.buffer.as_slice()).map_err(|error| Damage::Route(at, error.to_string()).into())
    }

    /// Reads the checksum, after which nothing may follow.
    pub(super) fn finish(&mut self) -> Result<(), ReadError> {
        let computed = std::mem::take(&mut self.hash).finalize();
        if self.take::<32>()?.as_slice() != computed.as_slice() {
            return Err(Damage::Checksum.into());
        }
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(Damage::Length.into()),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.hash.update(bytes);
        Ok(bytes)
    }
}
