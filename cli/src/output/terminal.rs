use std::io::{self, BufRead, ErrorKind, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcgetwinsize, tcsetattr};

/// Columns of the terminal that standard output is; none when it is none.
pub(super) fn width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let measured = tcgetwinsize(&stdout).map(|size| usize::from(size.ws_col)).unwrap_or_default();
    // A terminal that does not know how wide it is says 0.
    let told = || std::env::var("COLUMNS").ok()?.parse().ok();
    Some(measured).filter(|columns| *columns > 0).or_else(told)
}

/// What Ctrl-C types.
const INTERRUPT: u8 = 0x03;

/// Asks for a secret on the terminal, which does not show what is typed; what was piped is read up to its end.
pub(crate) fn ask_secret(what: &str) -> io::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return io::read_to_string(stdin.lock());
    }
    write!(io::stderr(), "{what}: ")?;
    let line = {
        let _silent = Silent::begin()?;
        typed_line(&mut stdin.lock())
    };
    // The line break that was typed was not shown either.
    writeln!(io::stderr())?;
    line
}

/// A line as a [`Silent`] terminal hands it on.
fn typed_line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    loop {
        let typed = input.fill_buf()?;
        let length = typed.len();
        line.extend_from_slice(typed);
        input.consume(length);
        match line.last() {
            Some(&INTERRUPT) => return Err(io::Error::new(ErrorKind::Interrupted, "interrupted")),
            Some(b'\n') => break,
            _ if length == 0 => break,
            _ => {}
        }
    }
    String::from_utf8(line).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// A terminal that shows nothing of what is typed, as long as this is held. Ctrl-C ends a line there and no
/// process: one that it ended would leave the terminal silent.
struct Silent(rustix::termios::Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_ends_at_its_end_or_is_given_up() {
        let typed = |parts: [&'static [u8]; 2]| {
            let [first, second] = parts;
            typed_line(&mut io::BufReader::new(io::Read::chain(first, second)))
        };
        assert_eq!(typed([b"hun", b"ter2\n"]).unwrap(), "hunter2\n");
        assert_eq!(typed([b"no line break", b""]).unwrap(), "no line break");
        assert_eq!(typed([b"hun", b"\x03"]).unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(typed([b"\xff\n", b""]).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
