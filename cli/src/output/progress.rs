use std::io::{self, IsTerminal as _, Write as _};

use super::cell::{Cut, printable, shortened};

/// What is waited for, as it goes: one line that is written over on a terminal, elsewhere a line for
/// every change. On standard error.
pub(crate) struct Progress {
    terminal: Option<usize>,
    last: String,
    turn: usize,
}

const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠉"];
/// A terminal that does not say how wide it is.
const USUAL_WIDTH: usize = 80;

impl Progress {
    pub(crate) fn new() -> Self {
        let terminal = io::stderr().is_terminal();
        let width = super::terminal::width().unwrap_or(USUAL_WIDTH);
        Self { terminal: terminal.then_some(width), last: String::new(), turn: 0 }
    }

    /// How it stands, for `waited` seconds.
    pub(crate) fn tell(&mut self, state: &str, waited: u64) {
        let state = printable(state);
        let mut stderr = io::stderr();
        // When standard error is gone there is nobody to tell.
        let _ = match self.terminal {
            Some(width) => {
                let turn = SPINNER.get(self.turn % SPINNER.len()).copied().unwrap_or_default();
                self.turn += 1;
                let line = format!("{turn} {state} ({waited}s)");
                write!(stderr, "\r\x1b[K{}", shortened(&line, width.saturating_sub(1), Cut::End))
                    .and_then(|()| stderr.flush())
            }
            None if self.last != state => writeln!(stderr, "{state}"),
            None => Ok(()),
        };
        self.last = state.into_owned();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal.is_some() && self.turn > 0 {
            // As above.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
