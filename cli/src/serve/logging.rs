use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::args::{LogArgs, LogFormat};
use crate::failure::Failure;

/// Logs to standard error from here on.
pub(super) fn start(args: &LogArgs) -> Result<(), Failure> {
    // On a terminal a person wants to read what was asked for, and what goes wrong; elsewhere logs are
    // kept, and searched later.
    let terminal = io::stderr().is_terminal();
    let (usual_level, usual_format) =
        if terminal { ("warn", LogFormat::Text) } else { ("info", LogFormat::Json) };
    let wanted = args.log.as_deref().unwrap_or(usual_level);
    let filter = EnvFilter::try_new(wanted).map_err(|error| {
        Failure::usage(format_args!("--log {wanted:?}: {error}; write for example info or warn,proxy=debug"))
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let started = match args.log_format.unwrap_or(usual_format) {
        LogFormat::Text => log.with_ansi(colour).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::refused(format_args!("cannot log: {error}")))?;
    // Whoever contains a panic says what it means; that there was one is a line of the log like others.
    std::panic::set_hook(Box::new(|panic| {
        let (what, at) = (panic.payload_as_str().unwrap_or("no words"), panic.location());
        tracing::error!(what, at = at.map(tracing::field::display), "a defect was contained");
    }));
    Ok(())
}
