use proto::wire::{self, executable::Kind};

use super::probe;
use crate::convert::known;
use crate::domain::package::{Executable, ExecutableDraft, ExecutableKind, PullPolicy};
use crate::domain::{At, Faults};

pub(super) fn drafts(
    executables: Vec<wire::Executable>,
    at: &At<'_>,
    faults: &mut Faults,
) -> Vec<ExecutableDraft> {
    let executables = executables.into_iter().enumerate();
    executables.map(|(i, executable)| draft(executable, &at.index(i), faults)).collect()
}

fn draft(executable: wire::Executable, at: &At<'_>, faults: &mut Faults) -> ExecutableDraft {
    let limits = executable.limits.unwrap_or_default();
    ExecutableDraft {
        name: executable.name,
        kind: executable.kind.map(|kind| kind_in(kind, at, faults)),
        cpu: limits.cpu,
        memory_mib: limits.memory_mib,
        probe: executable.liveness_probe.map(probe::draft),
        uid: executable.uid,
        gid: executable.gid,
    }
}

fn kind_in(kind: Kind, at: &At<'_>, faults: &mut Faults) -> ExecutableKind {
    match kind {
        Kind::Docker(docker) => {
            let at = at.field("docker");
            let policy = known::<wire::PullPolicy>(docker.pull_policy, at.field("pull_policy"), faults);
            ExecutableKind::Docker {
                image: docker.image,
                command: docker.command,
                entrypoint: docker.entrypoint,
                pull_secret: Some(docker.pull_secret).filter(|secret| !secret.is_empty()),
                pull_policy: match policy.unwrap_or_default() {
                    wire::PullPolicy::Unspecified | wire::PullPolicy::IfNotPresent => {
                        PullPolicy::IfNotPresent
                    }
                    wire::PullPolicy::Always => PullPolicy::Always,
                    wire::PullPolicy::Never => PullPolicy::Never,
                },
            }
        }
        Kind::Build(wire::BuildReference { build, command, entrypoint }) => {
            ExecutableKind::Build { build, command, entrypoint }
        }
        Kind::Bash(bash) => ExecutableKind::Bash { command: bash.command },
    }
}

pub(super) fn message(executable: Executable) -> wire::Executable {
    wire::Executable {
        name: executable.name.to_string(),
        kind: Some(kind_out(executable.kind)),
        limits: Some(wire::Limits { cpu: executable.cpu.to_string(), memory_mib: executable.memory.get() }),
        liveness_probe: executable.probe.map(probe::message),
        uid: executable.uid,
        gid: executable.gid,
    }
}

fn kind_out(kind: ExecutableKind) -> Kind {
    match kind {
        ExecutableKind::Docker { image, command, entrypoint, pull_secret, pull_policy } => {
            let pull_policy = match pull_policy {
                PullPolicy::IfNotPresent => wire::PullPolicy::IfNotPresent,
                PullPolicy::Always => wire::PullPolicy::Always,
                PullPolicy::Never => wire::PullPolicy::Never,
            };
            let pull_secret = pull_secret.unwrap_or_default();
            let pull_policy = pull_policy.into();
            Kind::Docker(wire::DockerImage { image, command, entrypoint, pull_secret, pull_policy })
        }
        ExecutableKind::Build { build, command, entrypoint } => {
            Kind::Build(wire::BuildReference { build, command, entrypoint })
        }
        ExecutableKind::Bash { command } => Kind::Bash(wire::BashCommand { command }),
    }
}
