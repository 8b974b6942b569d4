//! How the executables of a deployment do, as its runtime tells.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Deployment, ErrorCode};
use crate::domain::ExecutableName;
use crate::domain::fault::{At, Faults};
use crate::domain::package::{ExecutableKind, Plan, Runtime};

/// Most bytes an image may have in the cloud: 10 GB.
const MOST_IMAGE_BYTES: u64 = 10_000_000_000;
/// Bytes of a reason, and of an image's name.
const LONGEST_REASON: usize = 4 << 10;
const LONGEST_IMAGE: usize = 1 << 10;

/// How an executable does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutableStatus {
    /// As in the package.
    pub name: ExecutableName,
    /// Where its component runs.
    pub runtime: Runtime,
    /// The image that runs, or is to run; empty when there is none.
    pub image: String,
    /// How it does.
    pub state: ExecutableState,
    /// What went wrong.
    pub error_code: Option<ErrorCode>,
    /// The same in words.
    pub reason: String,
    /// How often it was started again.
    pub restart_count: u32,
    /// How it ended last.
    pub exit_code: Option<i32>,
    /// Size of the image in bytes; 0 when nobody knows.
    pub image_bytes: u64,
}

/// How an executable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutableState {
    /// It runs.
    Running,
    /// It is to run.
    Pending,
    /// It does not run.
    Error,
    /// It is being ended.
    Terminating,
    /// It has ended.
    Terminated,
    /// Nobody knows.
    Unknown,
}

/// What a runtime says of an executable.
#[derive(Debug, Clone, Default)]
pub struct ExecutableReport {
    /// Its name.
    pub name: String,
    /// Empty: the package's.
    pub image: String,
    /// None: nobody knows.
    pub state: Option<ExecutableState>,
    /// As `DEP_E153`; empty when nothing went wrong.
    pub error_code: String,
    /// For people.
    pub reason: String,
    /// How often it was started again.
    pub restart_count: u32,
    /// How it ended last.
    pub exit_code: Option<i32>,
    /// Size of the image in bytes; 0 when it is not known.
    pub image_bytes: u64,
}

impl ExecutableStatus {
    /// The executables of `plan`, of which nothing is known but that.
    pub(super) fn of_plan(plan: &Plan, state: ExecutableState) -> Vec<Self> {
        let executables = plan.components.iter().flat_map(|component| {
            component.executables.iter().map(move |executable| (component.runtime, executable))
        });
        let begins = executables.map(|(runtime, executable)| Self {
            name: executable.name.clone(),
            runtime,
            image: match &executable.kind {
                ExecutableKind::Docker { image, .. } => image.clone(),
                ExecutableKind::Build { .. } | ExecutableKind::Bash { .. } => String::new(),
            },
            state,
            error_code: None,
            reason: String::new(),
            restart_count: 0,
            exit_code: None,
            image_bytes: 0,
        });
        begins.collect()
    }

    /// Whether its image is too large for where it runs.
    pub(super) fn is_too_large(&self) -> bool {
        self.runtime == Runtime::Cloud && self.image_bytes > MOST_IMAGE_BYTES
    }

    /// With an image too large it is in error, whatever its runtime says.
    fn refuse_if_too_large(&mut self) {
        if !self.is_too_large() {
            return;
        }
        let said = std::mem::take(&mut self.reason);
        let separator = if said.is_empty() { "" } else { "; " };
        self.reason = format!(
            "the image {} has {} bytes; at most 10 GB ({MOST_IMAGE_BYTES} bytes) are possible in the cloud: make \
             it smaller{separator}{said}",
            self.image, self.image_bytes
        );
        self.state = ExecutableState::Error;
        self.error_code = Some(ErrorCode::ImagePull);
    }
}

impl Deployment {
    /// Makes the executables of `plan` known to a record of an earlier version.
    pub fn know_executables(&mut self, plan: &Plan) {
        if self.executables.is_empty() {
            self.executables = ExecutableStatus::of_plan(plan, ExecutableState::Unknown);
        }
    }
}

/// What was said of each executable, for the one at its index.
pub(super) fn judge_executables(
    drafts: &[ExecutableReport],
    known: &[ExecutableStatus],
    faults: &mut Faults,
) -> Vec<(usize, ExecutableStatus)> {
    let list = At::named("executables");
    let mut seen = HashSet::new();
    let mut judged = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        let at = list.index(i);
        if !seen.insert(&draft.name) {
            let message = format!("{:?} stands here twice; tell of each executable once", draft.name);
            faults.add(at.field("name"), "executable_twice", message);
        }
        let index = known.iter().position(|known| known.name.as_str() == draft.name);
        if index.is_none() {
            let names: Vec<_> = known.iter().map(|known| known.name.as_str()).collect();
            let message =
                format!("{:?} is no executable of this deployment; it has {}", draft.name, names.join(", "));
            faults.add(at.field("name"), "executable_unknown", message);
        }
        let found = index.and_then(|index| Some((index, draft.judge(known.get(index)?, &at, faults))));
        if found.is_none() {
            draft.judge_texts(&at, faults);
        }
        judged.extend(found);
    }
    judged
}

impl ExecutableReport {
    fn judge(&self, known: &ExecutableStatus, at: &At<'_>, faults: &mut Faults) -> ExecutableStatus {
        let error_code = self.judge_texts(at, faults);
        let image = if self.image.is_empty() { known.image.clone() } else { self.image.clone() };
        let mut told = ExecutableStatus {
            name: known.name.clone(),
            runtime: known.runtime,
            image,
            state: self.state.unwrap_or(ExecutableState::Unknown),
            error_code,
            reason: self.reason.clone(),
            restart_count: self.restart_count,
            exit_code: self.exit_code,
            image_bytes: self.image_bytes,
        };
        told.refuse_if_too_large();
        told
    }

    fn judge_texts(&self, at: &At<'_>, faults: &mut Faults) -> Option<ErrorCode> {
        for (text, longest, name) in
            [(&self.reason, LONGEST_REASON, "reason"), (&self.image, LONGEST_IMAGE, "image")]
        {
            if text.len() > longest {
                let message = format!("has {} bytes; at most {longest} are possible: cut it", text.len());
                faults.add(at.field(name), "text", message);
            }
        }
        if self.error_code.is_empty() {
            return None;
        }
        faults.take(at.field("error_code"), ErrorCode::parse(&self.error_code))
    }
}
