//! What runs where.

use super::*;

/// Puts the component onto a device, to run `kind`.
fn on_device(c: &mut ComponentDraft, kind: ExecutableKind) {
    c.endpoints.clear();
    c.runtime = Runtime::Device;
    c.executables[0].kind = Some(kind);
}

#[test]
fn what_runs_where() {
    let [containers, preinstalled] = [DeviceRuntime::Containers, DeviceRuntime::Preinstalled].map(Some);
    breaks(".executables[0].bash", "bash_on_cloud", |c| c.executables[0].kind = Some(bash()));
    breaks(".executables[0].bash", "bash_in_containers", |c| {
        on_device(c, bash());
        c.device.runtime = containers;
    });
    for (kind, field, rule) in [
        (build(), ".executables[0].build", "build_on_preinstalled"),
        (image("app"), ".executables[0].docker", "image_on_preinstalled"),
    ] {
        breaks(field, rule, |c| {
            on_device(c, kind.clone());
            c.device.runtime = preinstalled;
        });
        for runtime in [containers, None] {
            let sound = package(|c| {
                on_device(c, kind.clone());
                c.device.runtime = runtime;
            });
            assert!(sound.judge(Faults::new()).is_ok(), "{kind:?}");
        }
    }
    // Bash beside containers is for a device that has both runtimes, and builds run on none that has the
    // preinstalled one.
    let beside_bash = |c: &mut ComponentDraft, kind| {
        on_device(c, kind);
        c.executables.push(ExecutableDraft { kind: Some(bash()), ..executable("shell") });
    };
    breaks(".executables[0].build", "build_on_preinstalled", |c| beside_bash(c, build()));
    let both = package(|c| beside_bash(c, image("app"))).judge(Faults::new()).unwrap();
    assert_eq!(both.plans[0].1[0].device.unwrap().runtime, None);
    for runtime in [preinstalled, None] {
        let sound = package(|c| {
            on_device(c, bash());
            c.device.runtime = runtime;
        });
        assert!(sound.judge(Faults::new()).is_ok());
    }
    assert!(package(|c| c.executables[0].kind = Some(build())).judge(Faults::new()).is_ok());
}

#[test]
fn what_only_the_cloud_has_and_what_only_devices_have() {
    breaks(".endpoints", "endpoint_on_device", |c| {
        let endpoints = c.endpoints.clone();
        on_device(c, bash());
        c.endpoints = endpoints;
    });
    breaks(".replicas", "replicas_on_device", |c| {
        on_device(c, image("app"));
        c.replicas = 2;
    });
    breaks(".device", "device_on_cloud", |c| c.device.restart = Some(RestartPolicy::Never));
    breaks(".host_pid", "host_pid_on_cloud", |c| c.host_pid = true);
    let sound = package(|c| {
        on_device(c, image("app"));
        c.host_pid = true;
        c.executables[0] = ExecutableDraft {
            uid: Some(0),
            gid: Some(1000),
            cpu: "0.01".into(),
            memory_mib: 100,
            ..c.executables[0].clone()
        };
    });
    let judged = sound.judge(Faults::new()).unwrap();
    let part = &judged.plans[0].1[0];
    let device = part.device.unwrap();
    assert_eq!((device.architecture, device.restart), (Architecture::Amd64, RestartPolicy::Always));
    assert_eq!(device.runtime, Some(DeviceRuntime::Containers));
    assert_eq!((part.executables[0].cpu.to_string(), part.executables[0].memory.get()), ("0.01".into(), 100));
}

#[test]
fn words_of_commands_have_no_nul() {
    let nul = || vec!["a\0".to_owned()];
    let with = |command: Vec<String>, entrypoint: Vec<String>| {
        let (pull_secret, pull_policy) = (None, PullPolicy::Always);
        ExecutableKind::Docker { image: "a".into(), command, entrypoint, pull_secret, pull_policy }
    };
    for (field, kind) in [
        ("docker.command", with(nul(), Vec::new())),
        ("docker.entrypoint", with(Vec::new(), nul())),
        (
            "build.command",
            ExecutableKind::Build { build: "b".into(), command: nul(), entrypoint: Vec::new() },
        ),
        (
            "build.entrypoint",
            ExecutableKind::Build { build: "b".into(), command: Vec::new(), entrypoint: nul() },
        ),
    ] {
        let field = format!(".executables[0].{field}");
        breaks(&field, "command_text", |c| c.executables[0].kind = Some(kind));
    }
    breaks(".executables[0].bash.command", "command_text", |c| {
        on_device(c, ExecutableKind::Bash { command: "a\0".into() });
    });
    breaks(".executables[0].bash.command", "command_required", |c| {
        on_device(c, ExecutableKind::Bash { command: " ".into() });
    });
    breaks(".executables[0].build.build", "build_required", |c| {
        let (command, entrypoint) = (Vec::new(), Vec::new());
        c.executables[0].kind = Some(ExecutableKind::Build { build: String::new(), command, entrypoint });
    });
}
