//! Executables, and the rules on them.

use serde::{Deserialize, Serialize};

use super::probe::{LivenessProbe, ProbeDraft};
use super::{DeviceRuntime, Runtime};
use crate::domain::{At, Cpu, ExecutableName, Faults, MemoryMib, SecretName};

/// One program of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executable {
    /// Unique in its plan.
    pub name: ExecutableName,
    /// What is run.
    pub kind: ExecutableKind,
    /// Cores it may use.
    pub cpu: Cpu,
    /// Memory it may use.
    pub memory: MemoryMib,
    /// How its runtime finds out whether it is alive.
    #[serde(default)]
    pub probe: Option<LivenessProbe>,
    /// The user it runs as; none for the image's.
    #[serde(default)]
    pub uid: Option<u32>,
    /// The group it runs as; none for the image's.
    #[serde(default)]
    pub gid: Option<u32>,
}

/// What an executable runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutableKind {
    /// An image from a registry.
    Docker {
        /// Reference of the image.
        image: String,
        /// What the entrypoint is given; without an entrypoint of its own, it overrides the image's.
        command: Vec<String>,
        /// Overrides the image's entrypoint when not empty.
        #[serde(default)]
        entrypoint: Vec<String>,
        /// Name of the pull secret of a private image.
        pull_secret: Option<String>,
        /// When the image is fetched.
        #[serde(default)]
        pull_policy: PullPolicy,
    },
    /// What a build yields. Not on the preinstalled runtime.
    Build {
        /// Name of the build.
        build: String,
        /// As with images.
        command: Vec<String>,
        /// As with images.
        #[serde(default)]
        entrypoint: Vec<String>,
    },
    /// A command of the preinstalled runtime, and of that alone.
    Bash {
        /// What the shell is given.
        command: String,
    },
}

/// When an image is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    /// When it is not there.
    #[default]
    IfNotPresent,
    /// Each time the executable starts.
    Always,
    /// Never: it is there.
    Never,
}

/// An executable as someone wrote it.
#[derive(Debug, Clone, Default)]
pub struct ExecutableDraft {
    /// Its name.
    pub name: String,
    /// What is to be run; none when nothing was said.
    pub kind: Option<ExecutableKind>,
    /// Cores as a decimal number; empty means the default.
    pub cpu: String,
    /// Mebibytes; 0 means the default.
    pub memory_mib: u32,
    /// How its runtime is to find out whether it is alive.
    pub probe: Option<ProbeDraft>,
    /// None means the image's.
    pub uid: Option<u32>,
    /// None means the image's.
    pub gid: Option<u32>,
}

/// What will run an executable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunBy {
    Cloud,
    /// None for a device with both runtimes.
    Device(Option<DeviceRuntime>),
}

impl RunBy {
    pub(super) fn new(runtime: Runtime, on_device: Option<DeviceRuntime>) -> Self {
        match runtime {
            Runtime::Cloud => Self::Cloud,
            Runtime::Device => Self::Device(on_device),
        }
    }
}

impl ExecutableDraft {
    /// The executable it describes, with every fault noted.
    pub(super) fn judge(&self, by: RunBy, at: &At<'_>, faults: &mut Faults) -> Option<Executable> {
        let name = faults.take(at.field("name"), ExecutableName::parse(&self.name));
        let limits = at.field("limits");
        let (cpu, memory) = match by {
            RunBy::Cloud => (Cpu::parse(&self.cpu), MemoryMib::parse(self.memory_mib)),
            RunBy::Device(_) => {
                (Cpu::parse_on_device(&self.cpu), MemoryMib::parse_on_device(self.memory_mib))
            }
        };
        let cpu = faults.take(limits.field("cpu"), cpu);
        let memory = faults.take(limits.field("memory_mib"), memory);
        match &self.kind {
            None => {
                let message = "says not what to run; give docker, build or bash";
                faults.add(at, "executable_kind_required", message);
            }
            Some(kind) => {
                kind.judge(at, faults);
                kind.judge_place(by, at, faults);
            }
        }
        let probe = self.probe.as_ref().map(|probe| probe.judge(&at.field("liveness_probe"), faults));
        let (uid, gid) = (self.uid, self.gid);
        Some(Executable {
            name: name?,
            kind: self.kind.clone()?,
            cpu: cpu?,
            memory: memory?,
            probe: probe.flatten(),
            uid,
            gid,
        })
    }
}

impl ExecutableKind {
    fn judge(&self, at: &At<'_>, faults: &mut Faults) {
        match self {
            Self::Docker { image, command, entrypoint, pull_secret, .. } => {
                let at = at.field("docker");
                if image.is_empty() || image.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    let message = format!("{image:?} is no reference of an image, like nginx:1.27");
                    faults.add(at.field("image"), "image", message);
                }
                if let Some(secret) = pull_secret {
                    faults.take(at.field("pull_secret"), SecretName::parse(secret));
                }
                judge_words(command, &at.field("command"), faults);
                judge_words(entrypoint, &at.field("entrypoint"), faults);
            }
            Self::Build { build, command, entrypoint } => {
                let at = at.field("build");
                if build.trim().is_empty() {
                    faults.add(at.field("build"), "build_required", "is empty; name the build");
                }
                judge_words(command, &at.field("command"), faults);
                judge_words(entrypoint, &at.field("entrypoint"), faults);
            }
            Self::Bash { command } => {
                let at = at.field("bash");
                let field = at.field("command");
                if command.trim().is_empty() {
                    faults.add(field, "command_required", "is empty; say what to run");
                }
                judge_words(std::slice::from_ref(command), &field, faults);
            }
        }
    }

    fn judge_place(&self, by: RunBy, at: &At<'_>, faults: &mut Faults) {
        let preinstalled = RunBy::Device(Some(DeviceRuntime::Preinstalled));
        let containers = RunBy::Device(Some(DeviceRuntime::Containers));
        match self {
            Self::Docker { .. } if by == preinstalled => {
                let message = "the preinstalled runtime of a device runs no images; give bash, or put it \
                               into a component with the containers runtime";
                faults.add(at.field("docker"), "image_on_preinstalled", message);
            }
            // A device with both runtimes has the preinstalled one, too.
            Self::Build { .. } if by == preinstalled || by == RunBy::Device(None) => {
                let message = "the preinstalled runtime of a device runs no builds; give bash, or put it \
                               into a component with the containers runtime";
                faults.add(at.field("build"), "build_on_preinstalled", message);
            }
            Self::Bash { .. } if by == RunBy::Cloud => {
                let message =
                    "a bash command runs on the preinstalled runtime of a device only; give docker or build";
                faults.add(at.field("bash"), "bash_on_cloud", message);
            }
            Self::Bash { .. } if by == containers => {
                let message = "a bash command runs on the preinstalled runtime alone, and this component asks \
                               for containers; give docker or build, or leave the device's runtime out";
                faults.add(at.field("bash"), "bash_in_containers", message);
            }
            Self::Docker { .. } | Self::Build { .. } | Self::Bash { .. } => {}
        }
    }
}

/// No program can be given a word with a NUL in it.
pub(super) fn judge_words(words: &[String], at: &At<'_>, faults: &mut Faults) {
    if words.iter().any(|word| word.contains('\0')) {
        faults.add(at, "command_text", "must not contain a NUL character");
    }
}
