use std::error::Error;
use std::fmt;
use std::panic::Location;

/// What went wrong in a story, and the line of the story it went wrong in.
pub struct Fault {
    what: String,
    at: &'static Location<'static>,
}

/// What a story ends with.
pub type Outcome<T = ()> = Result<T, Fault>;

impl Fault {
    /// A fault at the caller's line.
    #[track_caller]
    pub fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), at: Location::caller() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  at {}", self.what, self.at)
    }
}

// Not an `Error` itself: then every error turns into a fault by `?`, with its place and its causes.
impl<E: Error> From<E> for Fault {
    #[track_caller]
    fn from(error: E) -> Self {
        let mut what = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !what.contains(&text) {
                what.push_str(": ");
                what.push_str(&text);
            }
            cause = inner.source();
        }
        Self { what, at: Location::caller() }
    }
}

/// Says what was expected where something is missing.
pub trait OrFault<T> {
    /// The value, or a fault with these words.
    fn or_fault(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T> OrFault<T> for Option<T> {
    #[track_caller]
    fn or_fault(self, what: impl fmt::Display) -> Outcome<T> {
        match self {
            Some(value) => Ok(value),
            None => Err(Fault::new(what)),
        }
    }
}

impl<T, E: fmt::Display> OrFault<T> for Result<T, E> {
    #[track_caller]
    fn or_fault(self, what: impl fmt::Display) -> Outcome<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => Err(Fault::new(format_args!("{what}: {error}"))),
        }
    }
}
