use proxy::http1::{
    Body, Bounds, Chunks, Fault, Field, Framing, HeadScan, RequestHead, ResponseHead, Room, Step, Target,
};

use super::super::reference::{self, Fields, Message};

/// Far from what inputs reach, but for very long ones.
const BOUNDS: Bounds = Bounds { bytes: 32 * 1024, fields: 100 };

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// After a message.
    Clean,
    /// In the middle of one.
    Partial,
    /// For a fault.
    Refused(Fault),
}

/// The requests found in octets that have come so far at each arrival.
pub fn requests(octets: &[u8], arrivals: &[usize]) -> (Vec<Message>, Ended) {
    Reader::new(HeadScan::request, request).read(octets, arrivals)
}

/// The answers, up to the final one.
pub fn responses(octets: &[u8], arrivals: &[usize], to_head: bool) -> (Vec<Message>, Ended) {
    let parse = if to_head { response_to_head } else { response };
    Reader::new(HeadScan::response, parse).read(octets, arrivals)
}

/// What a chunked body took, its payload, and its trailers.
pub fn chunked(octets: &[u8], arrivals: &[usize]) -> Result<(usize, Vec<u8>, Fields), Ended> {
    let (mut chunks, mut body) = (Chunks::new(), Body::new(Framing::Chunked));
    let (mut from, mut payload, mut lines) = (0, Vec::new(), Vec::new());
    for &to in arrivals {
        let scanned = body.scan(&octets[from..to]);
        let before = payload.len();
        let stepped = unchunk(&mut chunks, &octets[from..to], &mut payload, &mut lines);
        // What was taken may be passed on, whatever comes of the rest.
        assert!(is_in_lines(&lines), "{} was taken", lines.escape_ascii());
        assert_eq!(stepped, scanned.map(|scanned| scanned.taken), "two ways to read a chunk");
        let scanned = scanned.map_err(Ended::Refused)?;
        assert_eq!(scanned.payload, (payload.len() - before) as u64);
        assert!(scanned.taken == to - from || body.is_over(), "octets were left");
        from += scanned.taken;
        if body.is_over() {
            assert_eq!((chunks.is_over(), body.end()), (true, Ok(())));
            return Ok((from, payload, owned(chunks.trailers())));
        }
    }
    assert_eq!(body.end(), Err(Fault::Truncated));
    Err(Ended::Partial)
}

/// Whether each line but the last, which may have just begun, ends in CR LF, and neither stands elsewhere.
fn is_in_lines(octets: &[u8]) -> bool {
    let mut lines = octets.split(|octet| *octet == b'\n').rev();
    let last = lines.next().unwrap_or_default();
    let is_line = |line: &[u8]| line.strip_suffix(b"\r").is_some_and(|line| !line.contains(&b'\r'));
    !last.strip_suffix(b"\r").unwrap_or(last).contains(&b'\r') && lines.all(is_line)
}

/// Adds what chunks hold to `payload`, and what is around it to `lines`; how many octets they took.
fn unchunk(
    chunks: &mut Chunks,
    octets: &[u8],
    payload: &mut Vec<u8>,
    lines: &mut Vec<u8>,
) -> Result<usize, Fault> {
    let mut at = 0;
    loop {
        match chunks.step(&octets[at..])? {
            Step::Data { skip, length } => {
                assert!(length > 0);
                lines.extend_from_slice(&octets[at..][..skip]);
                payload.extend_from_slice(&octets[at + skip..][..length]);
                at += skip + length;
            }
            Step::More { taken } => {
                assert_eq!(at + taken, octets.len(), "octets were left");
                lines.extend_from_slice(&octets[at..]);
                return Ok(octets.len());
            }
            Step::End { taken } => {
                lines.extend_from_slice(&octets[at..][..taken]);
                return Ok(at + taken);
            }
        }
    }
}

type Parse = fn(&[u8], &mut Room) -> Result<(Message, Framing, bool), Fault>;

/// Reads as a connection does: what came is kept until it is used.
struct Reader {
    scan: fn() -> HeadScan,
    parse: Parse,
    head: HeadScan,
    room: Room,
    buffer: Vec<u8>,
    open: Option<(Message, Body, bool)>,
    messages: Vec<Message>,
    /// No other message may follow.
    over: bool,
}

impl Reader {
    fn new(scan: fn() -> HeadScan, parse: Parse) -> Self {
        let (buffer, messages) = (Vec::new(), Vec::new());
        Self { scan, parse, head: scan(), room: Room::default(), buffer, open: None, messages, over: false }
    }

    fn read(mut self, octets: &[u8], arrivals: &[usize]) -> (Vec<Message>, Ended) {
        let mut from = 0;
        for &to in arrivals {
            self.buffer.extend_from_slice(&octets[from..to]);
            from = to;
            if let Err(fault) = self.advance() {
                return (self.messages, Ended::Refused(fault));
            }
        }
        let ends_well = self.open.as_mut().is_some_and(|(_, body, _)| body.end().is_ok());
        if ends_well {
            self.close();
        }
        let answers = (self.scan)().look(b"\r\n", &BOUNDS) == Err(Fault::NotHttp);
        let clean = self.over || (self.open.is_none() && self.buffer.is_empty() && !answers);
        (self.messages, if clean { Ended::Clean } else { Ended::Partial })
    }

    fn advance(&mut self) -> Result<(), Fault> {
        while !self.over {
            let Some((message, body, _)) = &mut self.open else {
                let Some(head) = self.head.look(&self.buffer, &BOUNDS)? else { return Ok(()) };
                let (message, framing, last) = (self.parse)(&self.buffer[head.clone()], &mut self.room)?;
                self.buffer.drain(..head.end);
                self.open = Some((message, Body::new(framing), last));
                continue;
            };
            let taken = body.scan(&self.buffer)?.taken;
            assert!(taken == self.buffer.len() || body.is_over(), "octets were left");
            message.body.extend(self.buffer.drain(..taken));
            if !body.is_over() {
                return Ok(());
            }
            self.close();
        }
        Ok(())
    }

    fn close(&mut self) {
        let Some((mut message, _, last)) = self.open.take() else { return };
        message.payload = message.body.clone();
        if message.framing == reference::Framing::Chunked {
            let body = chunked(&message.body, &[message.body.len()]);
            assert_eq!(body.as_ref().map(|(taken, ..)| *taken), Ok(message.body.len()));
            (_, message.payload, message.trailers) = body.unwrap_or_default();
        }
        self.over = last;
        self.messages.push(message);
        self.head = (self.scan)();
    }
}

fn request(head: &[u8], room: &mut Room) -> Result<(Message, Framing, bool), Fault> {
    let head = RequestHead::parse(head, room, &BOUNDS)?;
    let target = match head.target {
        Target::Origin(target) | Target::Authority(target) => target.to_owned(),
        Target::Absolute { scheme, authority, path } => format!("{scheme}://{authority}{path}"),
        Target::Asterisk => "*".to_owned(),
    };
    let version = format!("{:?}", http::Version::from(head.version));
    let first = [head.method.into(), target.into(), version.into()];
    let message = message(first, owned(head.fields()), head.framing, head.persists);
    Ok((message, head.framing, !head.persists))
}

fn response(head: &[u8], room: &mut Room) -> Result<(Message, Framing, bool), Fault> {
    answer(head, room, false)
}

fn response_to_head(head: &[u8], room: &mut Room) -> Result<(Message, Framing, bool), Fault> {
    answer(head, room, true)
}

fn answer(head: &[u8], room: &mut Room, to_head: bool) -> Result<(Message, Framing, bool), Fault> {
    let head = ResponseHead::parse(head, room, &BOUNDS)?;
    let framing = head.framing(to_head)?;
    let version = format!("{:?}", http::Version::from(head.version));
    let first = [version.into(), head.status.to_string().into(), head.reason.to_vec()];
    let message = message(first, owned(head.fields()), framing, head.persists);
    Ok((message, framing, !matches!(head.status, 100 | 102..=199)))
}

fn message(first: [Vec<u8>; 3], fields: Fields, framing: Framing, persists: bool) -> Message {
    let framing = match framing {
        Framing::Empty => reference::Framing::None,
        Framing::Length(length) => reference::Framing::Length(length),
        Framing::Chunked => reference::Framing::Chunked,
        Framing::UntilClose => reference::Framing::UntilClose,
    };
    let (body, payload, trailers) = Default::default();
    Message { first, fields, framing, persists, body, payload, trailers }
}

fn owned<'b>(fields: impl Iterator<Item = Field<'b>>) -> Fields {
    fields.map(|field| (field.name.into(), field.value.into())).collect()
}
