use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

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

/// Asks for a secret on the terminal, which does not show what is typed; what was piped is read up to its end.
pub(crate) fn ask_secret(what: &str) -> io::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return io::read_to_string(stdin.lock());
    }
    write!(io::stderr(), "{what}: ")?;
    let mut line = String::new();
    {
        let _silent = Silent::begin()?;
        stdin.lock().read_line(&mut line)?;
    }
    // The line break that was typed was not shown either.
    writeln!(io::stderr())?;
    Ok(line)
}

/// A terminal that shows nothing of what is typed, as long as this is held.
struct Silent(rustix::termios::Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
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
