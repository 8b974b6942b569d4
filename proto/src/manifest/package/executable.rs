use super::{command, probe};
use crate::manifest::depends;
use crate::manifest::fields::Fields;
use crate::manifest::spelling::PULL_POLICIES;
use crate::wire::{self, executable::Kind};

#[derive(Clone, Copy)]
enum Type {
    Docker,
    Build,
    PreInstalled,
}

const TYPES: [(&str, Type); 3] =
    [("docker", Type::Docker), ("build", Type::Build), ("preInstalled", Type::PreInstalled)];

pub(super) fn read(executable: &mut Fields<'_>) -> wire::Executable {
    wire::Executable {
        name: executable.text("name").unwrap_or_default(),
        kind: read_kind(executable),
        limits: executable.map("limits", |limits| wire::Limits {
            cpu: limits.text("cpu").unwrap_or_default(),
            memory_mib: limits
                .whole(("memory", "memory_mib"), "a whole number of mebibytes")
                .unwrap_or_default(),
        }),
        liveness_probe: executable.map("livenessProbe", probe::read),
        uid: executable.whole("uid", "the number of a user"),
        gid: executable.whole("gid", "the number of a group"),
    }
}

/// The type may be left out where what stands there tells it.
fn read_kind(executable: &mut Fields<'_>) -> Option<Kind> {
    let declared = executable.choice(("type", "kind"), &TYPES);
    let command = command::read(executable);
    let docker = executable.map("docker", |docker| wire::DockerImage {
        image: docker.required_text("image").unwrap_or_default(),
        pull_secret: docker.map(("pullSecret", ""), read_pull_secret).flatten().unwrap_or_default(),
        pull_policy: docker
            .choice(("imagePullPolicy", "pull_policy"), &PULL_POLICIES)
            .unwrap_or_default()
            .into(),
        ..Default::default()
    });
    let build = executable.map("build", |build| build.required_text(("name", "build")).unwrap_or_default());
    let kind = match declared {
        None | Some(Type::Docker) if build.is_some() && docker.is_none() => Type::Build,
        None => Type::Docker,
        Some(declared) => declared,
    };
    let part = match kind {
        Type::Docker => "docker",
        Type::Build => "build",
        Type::PreInstalled => "bash",
    };
    // What the message has in the part of its kind, the manifest has beside it.
    executable.also("type", part);
    executable.also("command", &format!("{part}.command"));
    executable.also("entrypoint", &format!("{part}.entrypoint"));
    match kind {
        Type::Docker => {
            if docker.is_none() && !executable.has("docker") {
                executable.fault("docker", "missing; write `docker: {image: NAME}`");
            }
            let command::Command { entrypoint, command } = command;
            docker.map(|docker| Kind::Docker(wire::DockerImage { command, entrypoint, ..docker }))
        }
        Type::Build => {
            if build.is_none() && !executable.has("build") {
                executable.fault("build", "missing; write `build: {name: NAME}`");
            }
            let command::Command { entrypoint, command } = command;
            build.map(|build| Kind::Build(wire::BuildReference { build, command, entrypoint }))
        }
        Type::PreInstalled => Some(Kind::Bash(wire::BashCommand { command: command.for_shell() })),
    }
}

fn read_pull_secret(secret: &mut Fields<'_>) -> Option<String> {
    depends::read(secret, &["secret"], "pull_secret")
}
