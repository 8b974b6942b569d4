use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use proto::wire;
use tonic::{Code, Status};

use crate::output::Paint;

/// How a command that did not succeed ends: what is said, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

/// Exit codes, as `epr --help` lists them. 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The server refused, or something failed.
    Refused = 1,
    /// The command line is wrong.
    Usage = 2,
    /// There is no server to talk to.
    Unreachable = 3,
    /// What was waited for has not come.
    InVain = 4,
}

/// What helps most often when a connection came about and no answer.
const ADDRESS: &str = "is it the --grpc address? https:// with TLS, http:// without";

impl Failure {
    pub(crate) fn refused(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Refused, message: message.to_string() }
    }

    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    pub(crate) fn in_vain(message: impl fmt::Display) -> Self {
        Self { exit: Exit::InVain, message: message.to_string() }
    }

    pub(crate) fn unreachable(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Unreachable, message: message.to_string() }
    }

    /// What a refused call means; `doing` says which, like `bind hello-web`.
    pub(crate) fn of_call(doing: impl fmt::Display, status: &Status) -> Self {
        if speaks_otherwise(status) {
            let why = root_cause(status);
            return Self::unreachable(format_args!(
                "{doing}: what listens there does not speak gRPC ({why})"
            ))
            .hint(ADDRESS);
        }
        let message = format!("{doing}: {}", describe(status));
        match is_unreachable(status) {
            true => Self { exit: Exit::Unreachable, message }.hint(ADDRESS),
            false => Self { exit: Exit::Refused, message },
        }
    }

    /// Whether no server answered.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.exit == Exit::Unreachable
    }

    /// Adds what to do about it, on a line of its own.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.message = format!("{}\n  {hint}", self.message);
        self
    }

    /// Puts into a command's words what the server says in those of the protocol.
    #[must_use]
    pub(crate) fn instead(mut self, said: &str, told: &str) -> Self {
        self.message = self.message.replace(said, told);
        self
    }

    /// Says it on standard error and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            let paint = Paint::for_stream(io::stderr().is_terminal());
            // There is nobody left to tell when standard error is gone.
            let _ = writeln!(io::stderr(), "{} {}", paint.red("error:"), self.message);
        }
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Whether no server answered, as opposed to one that refused: what a server says has no further cause.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    let ours = std::error::Error::source(status).is_some();
    ours && matches!(
        status.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown
    )
}

/// Whether what answered does not even speak HTTP/2: an edge's own port, TLS where none is spoken.
fn speaks_otherwise(status: &Status) -> bool {
    std::error::Error::source(status).is_some() && status.code() == Code::Internal
}

/// The faults a refusal carries; none when it has only its message.
pub(crate) fn faults(status: &Status) -> Vec<wire::Fault> {
    use prost::Message as _;
    wire::Faults::decode(status.details()).map(|faults| faults.faults).unwrap_or_default()
}

/// A refusal in words: every fault it carries, else its message.
pub(crate) fn describe(status: &Status) -> String {
    if is_unreachable(status) {
        return format!("the server does not answer ({})", root_cause(status));
    }
    if status.code() == Code::Unauthenticated {
        return format!(
            "the server does not accept this token ({}); --token-file FILE or EPR_TOKEN gives another",
            status.message()
        );
    }
    let faults = faults(status);
    let told = match faults.as_slice() {
        [] => status.message().to_owned(),
        // What a verb names is named in the message.
        [one] if matches!(one.field.as_str(), "" | "name") => one.message.clone(),
        [one] => format!("{}: {}", one.field, one.message),
        all => all.iter().map(|fault| format!("\n  {}: {}", fault.field, fault.message)).collect(),
    };
    if told.is_empty() { status.code().description().to_owned() } else { told }
}

/// The innermost reason: "Connection refused" rather than "transport error".
fn root_cause(status: &Status) -> String {
    let mut cause: &dyn std::error::Error = status;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<Status>() {
        Some(status) => status.message().to_owned(),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn all_faults_are_told() {
        let fault = |field: &str| wire::Fault {
            field: field.into(),
            rule: "r".into(),
            message: format!("{field} is wrong"),
        };
        let details = wire::Faults { faults: vec![fault("a"), fault("b")] }.encode_to_vec();
        let status = Status::with_details(Code::InvalidArgument, "2 faults", details.into());
        assert_eq!(describe(&status), "\n  a: a is wrong\n  b: b is wrong");
        assert_eq!(describe(&Status::not_found("no such deployment")), "no such deployment");
    }

    #[test]
    fn exit_codes_tell_refused_from_unreachable() {
        assert_eq!(Failure::of_call("x", &Status::not_found("")).exit, Exit::Refused);
        assert_eq!(Failure::of_call("x", &Status::unavailable("the disk is full")).exit, Exit::Refused);
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let unreachable = Status::from_error(Box::new(tonic::ConnectError(Box::new(refused))));
        let failure = Failure::of_call("x", &unreachable);
        assert_eq!(failure.exit, Exit::Unreachable);
        let told = failure.to_string();
        assert!(told.starts_with("x: the server does not answer (connection refused)\n  is it "), "{told}");
    }
}
