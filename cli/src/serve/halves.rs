use std::future::Future;
use std::sync::{Arc, OnceLock};

use control::{Control, OpenError};
use proxy::config::ExtraMetrics;
use proxy::drain::DrainReport;

use super::ports;
use super::stop::Stop;
use crate::failure::Failure;
use crate::output::remark;

/// The control plane's metrics, for a proxy that is bound before the control plane is open.
#[derive(Clone, Default)]
pub(super) struct LateMetrics(Arc<OnceLock<ExtraMetrics>>);

impl LateMetrics {
    pub(super) fn source(&self) -> ExtraMetrics {
        let late = Arc::clone(&self.0);
        Arc::new(move || late.get().map(|metrics| metrics()).unwrap_or_default())
    }

    pub(super) fn set(&self, metrics: ExtraMetrics) {
        // It is set once, by the one control plane of this process.
        let _ = self.0.set(metrics);
    }
}

/// Why there is no control plane, in terms of the command line.
pub(super) fn not_opened(error: &OpenError) -> Failure {
    match error {
        OpenError::Listen { what, addr, source } => ports::not_listening(*addr, flag_of(what), source),
        OpenError::Insecure { what, addr } => Failure::refused(format_args!(
            "{what} on {addr} would send tokens in the clear; choose a loopback address with {} ADDR, or run \
             `epr control` with --tls-cert FILE --tls-key FILE",
            flag_of(what)
        )),
        other => Failure::refused(other),
    }
}

/// The option that says where the control plane listens for this.
fn flag_of(what: &str) -> &'static str {
    match what {
        "gRPC" => "--grpc",
        "the JSON API" => "--api",
        _ => "--admin",
    }
}

/// Runs the control plane until it is asked to stop; a second asking leaves it where it is.
pub(super) async fn run_control(control: Control, stop: &Stop) -> Result<(), Failure> {
    tokio::select! {
        ended = control.run(stop.asked()) => ended.map_err(Failure::refused),
        () = stop.cut() => Ok(()),
    }
}

/// Runs both halves to their ends. When one fails, the other is cut; when one ends, the other is asked
/// to.
pub(super) async fn run_both(
    proxy: impl Future<Output = DrainReport>,
    control: impl Future<Output = Result<(), Failure>>,
    stop: &Stop,
) -> Result<(), Failure> {
    let proxy = async {
        let report = proxy.await;
        stop.ask();
        report
    };
    let control = async {
        let ended = control.await;
        match &ended {
            Ok(()) => stop.ask(),
            Err(_) => stop.cut_now(),
        }
        ended
    };
    let (report, ended) = stop.until_done(async { tokio::join!(proxy, control) }).await;
    ended?;
    tell(&report);
    Ok(())
}

/// Says how a drain went.
pub(super) fn tell(report: &DrainReport) {
    let took = report.took.as_secs_f64();
    match (report.open, report.cut) {
        (0, _) => remark("stopped"),
        (open, 0) => remark(format_args!("stopped; all {open} open connections finished, in {took:.1} s")),
        (open, cut) => {
            remark(format_args!("stopped; {cut} of {open} open connections were cut, after {took:.1} s"))
        }
    }
}
