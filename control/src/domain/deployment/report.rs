//! What a runtime says of a deployment, and the rules on it.

use super::draft::EndpointBackendsDraft;
use super::executables::{ExecutableReport, ExecutableStatus, judge_executables};
use super::judge::judge_backends;
use super::{Deployment, ErrorCode, Phase, Reported, Status, StoredBackend};
use crate::domain::fault::{At, Broken, Faults};
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
    /// How the executables do that are named; the others stay as they were.
    pub executables: Vec<ExecutableReport>,
    /// The generation this tells of; 0 means the present one.
    pub generation: u64,
}

/// A report that breaks no rule, for the deployment it was judged by.
#[derive(Debug, Clone)]
pub struct Report {
    phase: Option<Phase>,
    status: Option<Status>,
    backends: Vec<(usize, Vec<StoredBackend>)>,
    error_codes: Vec<ErrorCode>,
    message: String,
    executables: Vec<(usize, ExecutableStatus)>,
}

impl ReportDraft {
    /// Whether it tells of `deployment` as it is now. What is told of an earlier generation is no more, and
    /// would be taken for news of this one.
    pub fn judge_generation(&self, deployment: &Deployment) -> Result<(), Broken> {
        let now = deployment.generation;
        let message = match self.generation {
            0 => return Ok(()),
            told if told == now => return Ok(()),
            told if told < now => format!(
                "this tells of generation {told}, and deployment {} is at {now} by now; look what is to run, and \
                 report that",
                deployment.name
            ),
            told => {
                format!("there is no generation {told} of deployment {}; it is at {now}", deployment.name)
            }
        };
        Err(Broken::new("generation", message))
    }

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
        let error_codes = self.judge_error_codes(&mut faults);
        if self.message.len() > LONGEST_MESSAGE {
            let message =
                format!("has {} bytes; at most {LONGEST_MESSAGE} are possible: cut it", self.message.len());
            faults.add("message", "message", message);
        }
        let at = At::named("backends");
        let backends = judge_backends(&self.backends, &deployment.endpoints, rules, &at, &mut faults);
        let executables = judge_executables(&self.executables, &deployment.executables, &mut faults);
        let (phase, status, message) = (self.phase, self.status, self.message.clone());
        faults.none_or(Some(Report { phase, status, backends, error_codes, message, executables }))
    }

    fn judge_error_codes(&self, faults: &mut Faults) -> Vec<ErrorCode> {
        let list = At::named("error_codes");
        let mut codes = Vec::new();
        for (i, text) in self.error_codes.iter().enumerate() {
            let code = faults.take(list.index(i), ErrorCode::parse(text));
            codes.extend(code.filter(|code| !codes.contains(code)));
        }
        codes
    }
}

/// Whether a runtime may say that `deployment` is in `phase` now.
///
/// ```text
/// InProgress ─┬─► Provisioning ─┬─► Succeeded ◄─► Provisioning (set up anew, elsewhere)
///             │                 ├─► FailedToStart   the first generation only ─► Provisioning, Succeeded
///             │                 └─► FailedToUpdate  later ones only ──────────► Provisioning, Succeeded
///             └─► each of those at once
/// ```
fn may_follow(deployment: &Deployment, phase: Phase) -> Result<(), &'static str> {
    let first = deployment.generation == 1;
    match (deployment.phase, phase) {
        (now, then) if now == then => Ok(()),
        (_, Phase::Stopped) => Err("a runtime cannot stop a deployment; its owner does"),
        (_, Phase::InProgress) => {
            Err("a deployment is InProgress before a runtime takes it up, and never again")
        }
        (_, Phase::FailedToUpdate) if first => {
            Err("it has not been updated since it was created; report FailedToStart, or the status Error")
        }
        (_, Phase::FailedToStart) if !first => {
            Err("it has run before it was updated; report FailedToUpdate, or the status Error")
        }
        (Phase::Succeeded, Phase::FailedToStart) => Err("it has started; report the status Error instead"),
        (Phase::Succeeded, Phase::FailedToUpdate) => {
            Err("this generation of it has been set up; report the status Error instead")
        }
        (_, Phase::Provisioning | Phase::Succeeded | Phase::FailedToUpdate | Phase::FailedToStart) => Ok(()),
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
        let before = self.phase;
        if let Some(phase) = report.phase {
            self.phase = phase;
            self.status = report.status.unwrap_or(status_in(phase));
        } else if let Some(status) = report.status {
            self.status = status;
        }
        self.note_phase(before, now);
        for (index, backends) in report.backends {
            if let Some(endpoint) = self.endpoints.get_mut(index) {
                endpoint.reported = Some(Reported { lease: lease.clone(), backends });
            }
        }
        self.report_executables(report.executables, now);
        self.updated_at = now;
    }

    fn report_executables(&mut self, told: Vec<(usize, ExecutableStatus)>, now: Timestamp) {
        for (index, told) in told {
            let Some(known) = self.executables.get_mut(index) else {
                continue;
            };
            let (name, restarts) = (told.name.clone(), told.restart_count);
            let restarted = restarts > known.restart_count;
            *known = told;
            if restarted {
                self.note(now, format!("executable {name} restarted, {restarts} times by now"));
            }
        }
        if self.executables.iter().any(ExecutableStatus::is_too_large) {
            if !self.error_codes.contains(&ErrorCode::ImagePull) {
                self.error_codes.push(ErrorCode::ImagePull);
            }
            self.status = Status::Error;
        }
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
