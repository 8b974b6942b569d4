use proto::wire;

use crate::convert::known;
use crate::domain::package::{Architecture, DeviceDraft, DeviceRuntime, DeviceSettings, RestartPolicy};
use crate::domain::{At, Faults};

pub(super) fn draft(device: wire::DeviceSettings, at: &At<'_>, faults: &mut Faults) -> DeviceDraft {
    let architecture = known::<wire::Architecture>(device.architecture, at.field("architecture"), faults);
    let restart = known::<wire::RestartPolicy>(device.restart, at.field("restart"), faults);
    let runtime = known::<wire::DeviceRuntime>(device.runtime, at.field("runtime"), faults);
    DeviceDraft {
        architecture: architecture.and_then(|architecture| match architecture {
            wire::Architecture::Unspecified => None,
            wire::Architecture::Amd64 => Some(Architecture::Amd64),
            wire::Architecture::Arm32v7 => Some(Architecture::Arm32v7),
            wire::Architecture::Arm64v8 => Some(Architecture::Arm64v8),
        }),
        restart: restart.and_then(restart_in),
        runtime: runtime.and_then(|runtime| match runtime {
            wire::DeviceRuntime::Unspecified => None,
            wire::DeviceRuntime::Containers => Some(DeviceRuntime::Containers),
            wire::DeviceRuntime::Preinstalled => Some(DeviceRuntime::Preinstalled),
        }),
    }
}

/// None when nothing was said.
pub(crate) fn restart_in(restart: wire::RestartPolicy) -> Option<RestartPolicy> {
    match restart {
        wire::RestartPolicy::Unspecified => None,
        wire::RestartPolicy::Always => Some(RestartPolicy::Always),
        wire::RestartPolicy::Never => Some(RestartPolicy::Never),
        wire::RestartPolicy::OnFailure => Some(RestartPolicy::OnFailure),
    }
}

pub(crate) fn restart_out(restart: RestartPolicy) -> wire::RestartPolicy {
    match restart {
        RestartPolicy::Always => wire::RestartPolicy::Always,
        RestartPolicy::Never => wire::RestartPolicy::Never,
        RestartPolicy::OnFailure => wire::RestartPolicy::OnFailure,
    }
}

pub(super) fn message(device: DeviceSettings) -> wire::DeviceSettings {
    let architecture = match device.architecture {
        Architecture::Amd64 => wire::Architecture::Amd64,
        Architecture::Arm32v7 => wire::Architecture::Arm32v7,
        Architecture::Arm64v8 => wire::Architecture::Arm64v8,
    };
    let runtime = match device.runtime {
        None => wire::DeviceRuntime::Unspecified,
        Some(DeviceRuntime::Containers) => wire::DeviceRuntime::Containers,
        Some(DeviceRuntime::Preinstalled) => wire::DeviceRuntime::Preinstalled,
    };
    wire::DeviceSettings {
        architecture: architecture.into(),
        restart: restart_out(device.restart).into(),
        runtime: runtime.into(),
    }
}
