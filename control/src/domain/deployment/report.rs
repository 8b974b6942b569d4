//! What a runtime says of a deployment, and the rules on it.

use super::draft::{EndpointBackendsDraft, judge_backends};
use super::{Deployment, ErrorCode, Phase, Reported, Status, StoredBackend};
use crate::domain::fault::{At, Faults};
use crate::domain::rules::Rules;
use crate::domain::{LeaseId, Timestamp};

/// Bytes of what a runtime says to people.
const LONGEST_MESSAGE: usize = 4 << 10;

/// What a runtime says. What is not said stays as it was.
#[derive(Debug, Clone, Default)]
pub struct ReportDraft {
    /// How far it has come.
    pub phase: Option<Phase>,
    /// How it does.
    pub status: Option<Status>,
    /// The backends of the endpoints that are named; the others keep theirs.
    pub backends: Vec<EndpointBackendsDraft>,
    /// What went wrong, as `DEP_E153`. Said anew with each phase or status.
    pub error_codes: Vec<String>,
    /// For people. Said anew with each phase or status.
    pub message: String,
}

/// A report that breaks no rule, for the deployment it was judged by.
#[derive(Debug, Clone)]
pub struct Report {
    phase: Option<Phase>,
    status: Option<Status>,
    backends: Vec<(usize, Vec<StoredBackend>)>,
    error_codes: Vec<ErrorCode>,
    message: String,
}

impl ReportDraft {
    /// The report it describes of `deployment`, which must be live, or every fault of it, added to those
    /// found before.
    pub fn judge(
        &self,
        deployment: &Deployment,
        rules: &Rules,
        mut faults: Faults,
    ) -> Result<Report, Faults> {
        if let Some(phase) = self.phase
            && let Err(message) = may_follow(deployment, phase)
        {
            faults.add("phase", "phase", message);
        }
        if self.status == Some(Status::Stopped) {
            faults.add("status", "status", "a runtime cannot stop a deployment; its owner does");
        }
        let list = At::named("error_codes");
        let mut error_codes = Vec::new();
        for (i, text) in self.error_codes.iter().enumerate() {
            match ErrorCode::ALL.into_iter().find(|code| code.as_str() == text) {
                Some(code) if error_codes.contains(&code) => {}
                Some(code) => error_codes.push(code),
                None => {
                    let known: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
                    let message = format!("{text:?} is no error code; there are {}", known.join(", "));
                    faults.add(list.index(i), "error_code", message);
                }
            }
        }
        if self.message.len() > LONGEST_MESSAGE {
            let message =
                format!("has {} bytes; at most {LONGEST_MESSAGE} are possible: cut it", self.message.len());
            faults.add("message", "message", message);
        }
        let at = At::named("backends");
        let backends = judge_backends(&self.backends, &deployment.endpoints, rules, &at, &mut faults);
        let (phase, status, message) = (self.phase, self.status, self.message.clone());
        faults.none_or(Some(Report { phase, status, backends, error_codes, message }))
    }
}

/// Whether a runtime may say that `deployment` is in `phase` now.
fn may_follow(deployment: &Deployment, phase: Phase) -> Result<(), String> {
    let now = deployment.phase;
    match phase {
        _ if phase == now => Ok(()),
        Phase::Stopped => Err("a runtime cannot stop a deployment; its owner does".to_owned()),
        Phase::InProgress => Err(format!("it is {} and does not go back to InProgress", now.as_str())),
        Phase::FailedToUpdate if deployment.generation == 1 => {
            Err("it has not been updated since it was created; report FailedToStart, or the status Error"
                .to_owned())
        }
        Phase::FailedToStart if now == Phase::Succeeded => {
            Err("it has started; report the status Error instead".to_owned())
        }
        Phase::Provisioning | Phase::Succeeded | Phase::FailedToUpdate | Phase::FailedToStart => Ok(()),
    }
}

impl Deployment {
    /// Takes in what `report` says under `lease`.
    pub fn report(&mut self, report: Report, lease: &LeaseId, now: Timestamp) {
        if report.phase.is_some() || report.status.is_some() || !report.error_codes.is_empty() {
            self.error_codes = report.error_codes;
            self.message = report.message;
        } else if !report.message.is_empty() {
            self.message = report.message;
        }
        if let Some(phase) = report.phase {
            self.phase = phase;
            self.status = report.status.unwrap_or(status_in(phase));
        } else if let Some(status) = report.status {
            self.status = status;
        }
        for (index, backends) in report.backends {
            if let Some(endpoint) = self.endpoints.get_mut(index) {
                endpoint.reported = Some(Reported { lease: lease.clone(), backends });
            }
        }
        self.updated_at = now;
    }
}

/// The status of a deployment whose runtime tells its phase alone.
fn status_in(phase: Phase) -> Status {
    match phase {
        Phase::InProgress | Phase::Provisioning => Status::Pending,
        Phase::Succeeded => Status::Running,
        Phase::FailedToUpdate | Phase::FailedToStart => Status::Error,
        Phase::Stopped => Status::Stopped,
    }
}
