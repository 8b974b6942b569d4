//! How a device runs a component.

use serde::{Deserialize, Serialize};

use super::ExecutableKind;

/// What somebody said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceDraft {
    /// None when nothing was said.
    pub architecture: Option<Architecture>,
    /// None when nothing was said.
    pub restart: Option<RestartPolicy>,
    /// None when nothing was said.
    pub runtime: Option<DeviceRuntime>,
}

/// How a device runs a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSettings {
    /// What its processor must be.
    pub architecture: Architecture,
    /// What becomes of executables that end.
    pub restart: RestartPolicy,
    /// What runs the executables; none for a device that has both runtimes.
    pub runtime: Option<DeviceRuntime>,
}

/// A kind of processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// 64 bits, Intel's and AMD's.
    #[default]
    Amd64,
    /// 32 bits, ARM's.
    Arm32v7,
    /// 64 bits, ARM's.
    Arm64v8,
}

/// What becomes of executables that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestartPolicy {
    /// They are started again.
    #[default]
    Always,
    /// They stay ended.
    Never,
    /// They are started again when they have failed.
    OnFailure,
}

/// What runs the executables of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceRuntime {
    /// Containers of images, fetched or built.
    Containers,
    /// Programs that are on the device already, run by bash commands.
    Preinstalled,
}

impl DeviceRuntime {
    /// What can run `kinds`: bash commands want the preinstalled runtime, everything else containers. None
    /// where they want both.
    pub fn fit_for<'e>(kinds: impl IntoIterator<Item = &'e ExecutableKind>) -> Option<Self> {
        let (mut bash, mut contained) = (false, false);
        for kind in kinds {
            match kind {
                ExecutableKind::Bash { .. } => bash = true,
                ExecutableKind::Docker { .. } | ExecutableKind::Build { .. } => contained = true,
            }
        }
        match (bash, contained) {
            (true, true) => None,
            (true, false) => Some(Self::Preinstalled),
            (false, _) => Some(Self::Containers),
        }
    }
}

impl DeviceSettings {
    /// What holds where nothing was said.
    pub fn usual(runtime: Option<DeviceRuntime>) -> Self {
        Self { architecture: Architecture::default(), restart: RestartPolicy::default(), runtime }
    }
}

impl DeviceDraft {
    /// What was said, and what holds where nothing was.
    pub(super) fn or_usual(self, runtime: Option<DeviceRuntime>) -> DeviceSettings {
        DeviceSettings {
            architecture: self.architecture.unwrap_or_default(),
            restart: self.restart.unwrap_or_default(),
            runtime,
        }
    }
}
