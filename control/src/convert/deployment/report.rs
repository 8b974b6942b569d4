//! What runtimes say, and what is said in their words.

use proto::wire;

use super::backends_in;
use crate::convert::known;
use crate::domain::deployment::{ExecutableReport, ExecutableState, Phase, ReportDraft, Status};
use crate::domain::{At, Faults};
use crate::service::ReportAsked;

/// The phases of a filter, noting those that mean nothing here.
pub(crate) fn phases_in(phases: &[i32]) -> (Vec<Phase>, Faults) {
    let mut faults = Faults::new();
    let list = At::named("phases");
    let phases = phases.iter().enumerate();
    let phases = phases.filter_map(|(i, phase)| phase_in(known(*phase, list.index(i), &mut faults)?));
    (phases.collect(), faults)
}

/// What a runtime says, noting what means nothing here.
pub(crate) fn report_in(report: wire::ReportDeploymentRequest) -> (ReportAsked, Faults) {
    let mut faults = Faults::new();
    let phase = known(report.phase, "phase", &mut faults).and_then(phase_in);
    let status = known(report.status, "status", &mut faults).and_then(status_in);
    let list = At::named("executables");
    let executables = report.executables.into_iter().enumerate();
    let executables =
        executables.map(|(i, executable)| executable_in(executable, &list.index(i), &mut faults)).collect();
    let draft = ReportDraft {
        phase,
        status,
        backends: report.backends.into_iter().map(backends_in).collect(),
        error_codes: report.error_codes,
        message: report.message,
        executables,
        generation: report.generation,
    };
    (ReportAsked { lease: report.lease_id, deployment: report.deployment, report: draft }, faults)
}

fn executable_in(told: wire::ExecutableStatus, at: &At<'_>, faults: &mut Faults) -> ExecutableReport {
    let state = known::<wire::ExecutableState>(told.state, at.field("state"), faults);
    ExecutableReport {
        name: told.name,
        image: told.image,
        state: state.and_then(state_in),
        error_code: told.error_code,
        reason: told.reason,
        restart_count: told.restart_count,
        exit_code: told.exit_code,
        image_bytes: told.image_bytes,
    }
}

fn state_in(state: wire::ExecutableState) -> Option<ExecutableState> {
    match state {
        wire::ExecutableState::Unspecified => None,
        wire::ExecutableState::Running => Some(ExecutableState::Running),
        wire::ExecutableState::Pending => Some(ExecutableState::Pending),
        wire::ExecutableState::Error => Some(ExecutableState::Error),
        wire::ExecutableState::Terminating => Some(ExecutableState::Terminating),
        wire::ExecutableState::Terminated => Some(ExecutableState::Terminated),
        wire::ExecutableState::Unknown => Some(ExecutableState::Unknown),
    }
}

fn phase_in(phase: wire::Phase) -> Option<Phase> {
    match phase {
        wire::Phase::Unspecified => None,
        wire::Phase::InProgress => Some(Phase::InProgress),
        wire::Phase::Provisioning => Some(Phase::Provisioning),
        wire::Phase::Succeeded => Some(Phase::Succeeded),
        wire::Phase::FailedToUpdate => Some(Phase::FailedToUpdate),
        wire::Phase::FailedToStart => Some(Phase::FailedToStart),
        wire::Phase::Stopped => Some(Phase::Stopped),
    }
}

fn status_in(status: wire::Status) -> Option<Status> {
    match status {
        wire::Status::Unspecified => None,
        wire::Status::Running => Some(Status::Running),
        wire::Status::Pending => Some(Status::Pending),
        wire::Status::Error => Some(Status::Error),
        wire::Status::Unknown => Some(Status::Unknown),
        wire::Status::Stopped => Some(Status::Stopped),
    }
}
