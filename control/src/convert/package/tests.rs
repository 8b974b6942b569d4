//! Packages that break no rule come back as they were sent, with what was left open filled in.

use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use proto::wire::{self, executable::Kind, liveness_probe::Check};

use super::{draft, message};
use crate::domain::guid::tests::Counting;
use crate::domain::{Faults, built_in_project, samples};

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_]{0,5}"
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec("[ -~é]{0,6}", 0..3)
}

fn flag() -> impl Strategy<Value = bool> {
    any::<bool>()
}

fn check() -> impl Strategy<Value = Check> {
    let header = (name(), "[ -~]{0,6}").prop_map(|(name, value)| wire::HttpHeader { name, value });
    let scheme = prop::sample::select(vec!["", "HTTP", "HTTPS"]);
    let host = prop::sample::select(vec!["", "localhost", "10.0.0.1"]);
    let http = ("/[a-z/]{0,5}", 1..=65_535_u32, host, scheme, vec(header, 0..2));
    prop_oneof![
        http.prop_map(|(path, port, host, scheme, headers)| {
            let (host, scheme) = (host.to_owned(), scheme.to_owned());
            Check::HttpGet(wire::HttpGetCheck { path, port, host, scheme, headers })
        }),
        vec("[a-z]{1,4}", 1..3).prop_map(|command| Check::Exec(wire::ExecCheck { command })),
        (1..=65_535_u32).prop_map(|port| Check::TcpSocket(wire::TcpSocketCheck { port })),
    ]
}

fn probe() -> impl Strategy<Value = wire::LivenessProbe> {
    let at_least = |least: u32| option::of(least..100_000_u32);
    (check(), at_least(1), at_least(10), at_least(1), at_least(1), at_least(1)).prop_map(
        |(
            check,
            initial_delay_seconds,
            timeout_seconds,
            period_seconds,
            success_threshold,
            failure_threshold,
        )| {
            wire::LivenessProbe {
                check: Some(check),
                initial_delay_seconds,
                timeout_seconds,
                period_seconds,
                success_threshold,
                failure_threshold,
            }
        },
    )
}

/// What the cloud runs, and the containers of devices.
fn contained() -> impl Strategy<Value = Kind> {
    let secret = prop_oneof![Just(String::new()), "[a-z]{1,5}"];
    prop_oneof![
        ("[a-z]{1,5}(:[0-9.]{1,3})?", words(), secret, words(), 0..=3_i32).prop_map(
            |(image, command, pull_secret, entrypoint, pull_policy)| {
                Kind::Docker(wire::DockerImage { image, command, pull_secret, entrypoint, pull_policy })
            }
        ),
        ("[a-z]{1,5}", words(), words()).prop_map(|(build, command, entrypoint)| {
            Kind::Build(wire::BuildReference { build, command, entrypoint })
        }),
    ]
}

fn bash() -> impl Strategy<Value = Kind> {
    "[a-z][ -~]{0,8}".prop_map(|command| Kind::Bash(wire::BashCommand { command }))
}

fn executable(kind: BoxedStrategy<Kind>, device: bool) -> impl Strategy<Value = wire::Executable> {
    let (cpu, memory) = if device {
        ((1..=256_000_u32).boxed(), (0..=100_000_u32).boxed())
    } else {
        ((1..=320_u32).prop_map(|steps| steps * 25).boxed(), (0..=256_u32).prop_map(|it| it * 128).boxed())
    };
    let cpu = option::of(cpu).prop_map(|millis| {
        millis.map(|millis| format!("{}.{:03}", millis / 1000, millis % 1000)).unwrap_or_default()
    });
    let limits = (cpu, memory).prop_map(|(cpu, memory_mib)| wire::Limits { cpu, memory_mib });
    let user = || option::of(any::<u32>());
    (kind, option::of(limits), option::of(probe()), user(), user()).prop_map(
        |(kind, limits, liveness_probe, uid, gid)| wire::Executable {
            name: String::new(),
            kind: Some(kind),
            limits,
            liveness_probe,
            uid,
            gid,
        },
    )
}

fn parameter() -> impl Strategy<Value = wire::Parameter> {
    let secret = ("[a-z]{1,5}", "[a-z]{1,5}").prop_map(|(secret, key)| wire::SecretKey { secret, key });
    let value = prop_oneof![
        (option::of("[ -~é]{0,6}"), flag()).prop_map(|(default, exposed)| (default, exposed, None)),
        secret.prop_map(|from| (None, false, Some(from))),
    ];
    ("[ -~]{0,8}", value).prop_map(|(description, (default_value, exposed, value_from))| wire::Parameter {
        description,
        default_value,
        // Its real name comes with its place, which makes it unique.
        exposed_as: if exposed { "x".into() } else { String::new() },
        value_from,
        ..Default::default()
    })
}

fn endpoint() -> impl Strategy<Value = wire::Endpoint> {
    let port = || prop_oneof![Just(0), 1..=65_535_u32];
    let range = prop::sample::select(vec!["443-445", "3446-3449,3500,3510-3530", "5000"]);
    let protocol = 0..=2_i32;
    (1..=7_i32, port(), port(), range, protocol).prop_map(|(r#type, port, target_port, range, protocol)| {
        let mut endpoint = wire::Endpoint { r#type, ..Default::default() };
        match r#type {
            // HTTP, HTTPS
            1 | 2 => (endpoint.target_port, endpoint.backend_protocol) = (target_port, protocol),
            3 => endpoint.target_port = target_port,
            4 | 5 => (endpoint.port, endpoint.target_port) = (port, target_port),
            _ => endpoint.port_range = range.to_owned(),
        }
        endpoint
    })
}

fn ros() -> impl Strategy<Value = wire::Ros> {
    let timeout = || option::of((1..100_000_u32).prop_map(|millis| f64::from(millis) / 1000.0));
    let endpoint = (1..=3_i32, flag(), 0..=2_u8, 0..=4_i32, timeout()).prop_map(
        |(r#type, compression, reach, qos, timeout)| wire::RosEndpoint {
            r#type,
            name: String::new(),
            compression,
            scoped: reach == 1,
            targeted: reach == 2,
            qos: if r#type == 1 { qos } else { 0 },
            timeout: timeout.filter(|_| r#type != 1),
        },
    );
    let version = || prop::sample::select(vec!["kinetic", "melodic", "noetic", "foxy"]);
    (flag(), version(), vec(endpoint, 0..3)).prop_map(|(enabled, version, mut endpoints)| {
        endpoints.retain(|_| enabled);
        wire::Ros { enabled, version: version.to_owned(), endpoints }
    })
}

fn component() -> impl Strategy<Value = wire::Component> {
    let parameters = || vec(parameter(), 0..3);
    let cloud = (
        vec(executable(contained().boxed(), false), 1..3),
        parameters(),
        vec(endpoint(), 0..3),
        0..=1000_u32,
        option::of(ros()),
    )
        .prop_map(|(executables, parameters, endpoints, replicas, ros)| wire::Component {
            runtime: wire::RuntimeKind::Cloud.into(),
            executables,
            parameters,
            endpoints,
            replicas,
            ros,
            ..Default::default()
        });
    let device = |kind: BoxedStrategy<Kind>, runtime: wire::DeviceRuntime| {
        let said = (0..=3_i32, 0..=3_i32, flag()).prop_map(move |(architecture, restart, said)| {
            let runtime = if said { runtime.into() } else { 0 };
            wire::DeviceSettings { architecture, restart, runtime }
        });
        let executables = vec(executable(kind, true), 1..3);
        (executables, parameters(), option::of(said), flag(), option::of(ros())).prop_map(
            |(executables, parameters, device, host_pid, ros)| wire::Component {
                runtime: wire::RuntimeKind::Device.into(),
                executables,
                parameters,
                device,
                host_pid,
                ros,
                ..Default::default()
            },
        )
    };
    // A device with both runtimes: nobody says which, and nothing is built.
    let image = || {
        let image = wire::DockerImage { image: "a".into(), pull_policy: 1, ..Default::default() };
        Just(Kind::Docker(image))
    };
    let both = device(prop_oneof![bash(), image()].boxed(), wire::DeviceRuntime::Unspecified);
    prop_oneof![
        cloud,
        both,
        device(contained().boxed(), wire::DeviceRuntime::Containers),
        device(bash().boxed(), wire::DeviceRuntime::Preinstalled),
    ]
}

fn package() -> impl Strategy<Value = wire::Package> {
    let labels = hash_map("[a-z][a-z./-]{0,4}[a-z]", "[a-z0-9]{0,5}", 0..3);
    let plan = vec(component(), 1..3).prop_map(|components| wire::Plan { components, ..Default::default() });
    let text = ("[A-Za-z][A-Za-z _]{0,8}[a-z]", "v?[0-9.]{1,5}", "[ -~é]{0,10}");
    (text, labels, vec(plan, 1..3)).prop_map(|((name, version, description), labels, plans)| {
        let metadata = Some(wire::Metadata { name, labels, ..Default::default() });
        let mut package = wire::Package { metadata, version, description, plans };
        name_everything(&mut package);
        package
    })
}

/// Names that are unique wherever they must be.
fn name_everything(package: &mut wire::Package) {
    let mut n = 0;
    let mut next = |prefix: &str| {
        n += 1;
        format!("{prefix}{n}")
    };
    for plan in &mut package.plans {
        plan.name = next("plan");
        for component in &mut plan.components {
            component.name = next("component-");
            component.executables.iter_mut().for_each(|it| it.name = next("exe-"));
            component.endpoints.iter_mut().for_each(|it| it.name = next("END_"));
            for parameter in &mut component.parameters {
                parameter.name = next("PARAMETER_");
                if !parameter.exposed_as.is_empty() {
                    parameter.exposed_as = next("EXPOSED_");
                }
            }
            let ros = component.ros.iter_mut().flat_map(|ros| &mut ros.endpoints);
            ros.for_each(|it| it.name = next("/ros/name_"));
        }
    }
}

/// The package as it is shown: what its author left open is filled in.
fn filled(mut package: wire::Package) -> wire::Package {
    for component in package.plans.iter_mut().flat_map(|plan| &mut plan.components) {
        let device = component.runtime() == wire::RuntimeKind::Device;
        component.replicas = if device { 0 } else { component.replicas.max(1) };
        component.executables.iter_mut().for_each(fill_executable);
        component.endpoints.iter_mut().for_each(fill_endpoint);
        if device {
            let bash = |it: &wire::Executable| matches!(it.kind, Some(Kind::Bash(_)));
            let fit = match component.executables.iter().filter(|it| bash(it)).count() {
                0 => wire::DeviceRuntime::Containers,
                all if all == component.executables.len() => wire::DeviceRuntime::Preinstalled,
                _ => wire::DeviceRuntime::Unspecified,
            };
            let said = component.device.get_or_insert_default();
            // The first word of each is what holds when nothing is said.
            said.architecture = said.architecture.max(1);
            said.restart = said.restart.max(1);
            said.set_runtime(fit);
        }
        for endpoint in component.ros.iter_mut().flat_map(|ros| &mut ros.endpoints) {
            if endpoint.r#type() == wire::RosEndpointType::Topic {
                endpoint.qos = endpoint.qos.max(1);
            }
        }
    }
    package
}

fn fill_executable(executable: &mut wire::Executable) {
    let limits = executable.limits.get_or_insert_default();
    let cpu =
        if limits.cpu.is_empty() { "0.1" } else { limits.cpu.trim_end_matches('0').trim_end_matches('.') };
    limits.cpu = cpu.to_owned();
    if limits.memory_mib == 0 {
        limits.memory_mib = 512;
    }
    if let Some(Kind::Docker(docker)) = &mut executable.kind {
        docker.pull_policy = docker.pull_policy.max(1);
    }
    if let Some(Check::HttpGet(get)) =
        executable.liveness_probe.as_mut().and_then(|probe| probe.check.as_mut())
        && get.scheme.is_empty()
    {
        get.scheme = "HTTP".to_owned();
    }
}

fn fill_endpoint(endpoint: &mut wire::Endpoint) {
    use wire::EndpointType as Type;
    let usual = match endpoint.r#type() {
        Type::ExternalHttp => 80,
        Type::ExternalHttps | Type::ExternalSecureTcp | Type::InternalTcp | Type::InternalUdp => 443,
        Type::Unspecified | Type::InternalTcpRange | Type::InternalUdpRange => return,
    };
    if endpoint.port == 0 {
        endpoint.port = usual;
    }
    if endpoint.target_port == 0 {
        endpoint.target_port = endpoint.port;
    }
    if matches!(endpoint.r#type(), Type::ExternalHttp | Type::ExternalHttps) {
        endpoint.backend_protocol = endpoint.backend_protocol.max(1);
    }
}

/// As it went in: without what the control plane gives.
fn as_sent(mut package: wire::Package) -> wire::Package {
    let given = package.metadata.take().unwrap_or_default();
    package.metadata = Some(wire::Metadata { name: given.name, labels: given.labels, ..Default::default() });
    package.plans.iter_mut().for_each(|plan| plan.id.clear());
    package
}

proptest! {
    #[test]
    fn nothing_of_a_package_is_lost(sent in package()) {
        let (draft, faults) = draft(sent.clone());
        let judged = draft.judge(faults).map_err(|faults| TestCaseError::fail(faults.to_string()))?;
        let created = judged.create(built_in_project(), samples::now(), &Counting::default()).unwrap();
        // It lies in the store in between.
        let stored = serde_json::to_string(&created).unwrap();
        let loaded: crate::domain::Package = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&loaded, &created);
        prop_assert_eq!(as_sent(message(loaded)), filled(sent));
    }
}

#[test]
fn numbers_that_mean_nothing_here_are_told() {
    let ros = wire::Ros {
        endpoints: vec![wire::RosEndpoint { r#type: 9, qos: 9, ..Default::default() }],
        ..Default::default()
    };
    let docker = wire::DockerImage { image: "a".into(), pull_policy: 9, ..Default::default() };
    let executable = wire::Executable { kind: Some(Kind::Docker(docker)), ..Default::default() };
    let component = wire::Component {
        runtime: 9,
        executables: vec![executable],
        device: Some(wire::DeviceSettings { architecture: 9, restart: 9, runtime: 9 }),
        ros: Some(ros),
        endpoints: vec![wire::Endpoint { r#type: 9, backend_protocol: 9, ..Default::default() }],
        ..Default::default()
    };
    let plans = vec![wire::Plan { components: vec![component], ..Default::default() }];
    let (_, faults) = draft(wire::Package { plans, ..Default::default() });
    let told: Vec<_> = faults.as_slice().iter().map(|fault| (fault.field.as_str(), fault.rule)).collect();
    let expected = [
        "runtime",
        "executables[0].docker.pull_policy",
        "endpoints[0].type",
        "endpoints[0].backend_protocol",
        "device.architecture",
        "device.restart",
        "device.runtime",
        "ros.endpoints[0].type",
        "ros.endpoints[0].qos",
    ]
    .map(|field| (format!("plans[0].components[0].{field}"), "unknown_value"));
    assert_eq!(told, expected.each_ref().map(|(field, rule)| (field.as_str(), *rule)));
    assert_eq!(Faults::new(), draft(wire::Package::default()).1);
}

/// What the version before this one stored opens still, and says what was meant.
#[test]
fn earlier_records_open() {
    let stored = r#"{"guid":"pkg-00000000000000000001","project":"project-builtin0000000000000","name":"old",
      "version":"1","description":"","labels":{},"created_at":1800000000000,"plans":[{
      "id":"plan-00000000000000000001","name":"default","components":[{"name":"part","runtime":"device",
      "executables":[{"name":"e","kind":{"bash":{"command":"ls"}},"cpu":4,"memory":512},
      {"name":"f","kind":{"docker":{"image":"i","command":[],"pull_secret":null}},"cpu":320,"memory":128}],
      "parameters":[{"name":"P","description":"","default":null,"exposed_as":null}],
      "endpoints":[],"replicas":1}]}]}"#;
    let mut value: serde_json::Value = serde_json::from_str(stored).unwrap();
    value["created_at"] = serde_json::to_value(samples::now()).unwrap();
    let package: crate::domain::Package = serde_json::from_value(value).unwrap();
    let shown = message(package);
    let part = &shown.plans[0].components[0];
    assert_eq!(part.device.unwrap().runtime(), wire::DeviceRuntime::Unspecified);
    let cpu: Vec<_> = part.executables.iter().map(|it| it.limits.clone().unwrap().cpu).collect();
    assert_eq!(cpu, ["0.1", "8"]);
    let Some(Kind::Docker(docker)) = &part.executables[1].kind else { panic!() };
    assert_eq!(docker.pull_policy(), wire::PullPolicy::IfNotPresent);
}
