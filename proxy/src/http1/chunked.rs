use super::chunk_line::ChunkLine;
use super::fault::Fault;
use super::field::Field;
use super::trailers::Trailers;
use crate::config::fixed;

/// A chunked body (RFC 9112 7.1), read step by step.
///
/// Sizes, extensions and trailers are held to the grammar, lines to CR LF; every line has a bound.
#[derive(Debug)]
pub struct Chunks {
    state: State,
    payload: u64,
    extensions: u64,
    trailers: Option<Box<Trailers>>,
}

#[derive(Debug)]
enum State {
    Line(ChunkLine),
    /// Payload, of which so much has yet to come.
    Data(u64),
    /// The carriage return after it.
    Return,
    Feed,
    Trailers,
    Over,
}

/// What to do with the bytes given to [`Chunks::step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Skip some, pass on some, and call again with what follows.
    Data {
        /// Bytes that are no payload.
        skip: usize,
        /// Bytes of payload after them: the rest of the chunk, or as much of it as is there; at least one.
        length: usize,
    },
    /// All are used, none of them payload; the body goes on.
    More {
        /// As many as there were.
        taken: usize,
    },
    /// The last chunk and the trailer section are over.
    End {
        /// The bytes that belong to them.
        taken: usize,
    },
}

impl Default for Chunks {
    fn default() -> Self {
        Self::new()
    }
}

impl Chunks {
    /// A body none of which has come yet.
    pub const fn new() -> Self {
        Self { state: State::Line(ChunkLine::new()), payload: 0, extensions: 0, trailers: None }
    }

    /// Reads on. `bytes` follow those which earlier steps skipped, passed on and took.
    ///
    /// # Errors
    /// [`Fault::BadChunk`], [`Fault::BadTrailer`] and [`Fault::BareLineFeed`]: the body is not to be read
    /// further.
    pub fn step(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        let mut taken = 0;
        while let Some(rest @ [first, ..]) = bytes.get(taken..) {
            match &mut self.state {
                State::Data(left) => {
                    let length = usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                    *left -= length as u64;
                    self.payload = self.payload.saturating_add(length as u64);
                    if *left == 0 {
                        self.state = State::Return;
                    }
                    return Ok(Step::Data { skip: taken, length });
                }
                State::Line(line) => {
                    if let Some(size) = line.take(*first)? {
                        self.extensions = self.extensions.saturating_add(line.extensions());
                        self.begin(size)?;
                    }
                    taken += 1;
                }
                State::Return => {
                    self.state = expect(*first, b'\r', State::Feed)?;
                    taken += 1;
                }
                State::Feed => {
                    self.state = expect(*first, b'\n', State::Line(ChunkLine::new()))?;
                    taken += 1;
                }
                State::Trailers => taken += self.trailing(rest)?,
                State::Over => return Ok(Step::End { taken }),
            }
        }
        // The last byte there was may have been the body's last.
        if self.is_over() { Ok(Step::End { taken }) } else { Ok(Step::More { taken }) }
    }

    /// Whether its last byte was taken.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The fields after the last chunk; those of the lines that have come.
    pub fn trailers(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.trailers.iter().flat_map(|trailers| trailers.fields())
    }

    fn begin(&mut self, size: u64) -> Result<(), Fault> {
        if self.extensions > self.payload.saturating_add(fixed::CHUNK_EXTENSIONS) {
            return Err(Fault::BadChunk);
        }
        self.state = if size == 0 { State::Trailers } else { State::Data(size) };
        Ok(())
    }

    /// Takes bytes of the trailer section, which is no more than a line's end for most.
    fn trailing(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let trailers = self.trailers.get_or_insert_default();
        let taken = trailers.take(bytes)?;
        if trailers.are_over() {
            self.state = State::Over;
        }
        Ok(taken)
    }
}

fn expect(byte: u8, expected: u8, then: State) -> Result<State, Fault> {
    if byte == expected { Ok(then) } else { Err(Fault::BadChunk) }
}

#[cfg(test)]
mod tests;
