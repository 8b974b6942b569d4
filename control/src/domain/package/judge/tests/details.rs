//! Probes, ROS, and what is taken from secrets.

use super::*;

#[test]
fn probes_try_one_thing_within_bounds() {
    let http = |path: &str, port, host: &str, scheme: &str| CheckDraft::HttpGet {
        path: path.into(),
        port,
        host: host.into(),
        scheme: scheme.into(),
        headers: Vec::new(),
    };
    let good = || http("/health", 8080, "", "https");
    for (field, rule, check) in [
        ("http_get.path", "probe_path", http("health", 80, "", "")),
        ("http_get.path", "probe_path", http("/a b", 80, "", "")),
        ("http_get.port", "port", http("/", 0, "", "")),
        ("http_get.host", "probe_host", http("/", 80, "http://x/", "")),
        ("http_get.scheme", "probe_scheme", http("/", 80, "", "ftp")),
        ("exec.command", "command_required", CheckDraft::Exec { command: Vec::new() }),
        ("exec.command", "command_text", CheckDraft::Exec { command: vec!["\0".into()] }),
        ("tcp_socket.port", "port", CheckDraft::TcpSocket { port: 70_000 }),
    ] {
        let field = format!(".executables[0].liveness_probe.{field}");
        let probe = ProbeDraft { check: Some(check), ..Default::default() };
        breaks(&field, rule, |c| c.executables[0].probe = Some(probe));
    }
    let header = |name: &str, value: &str| HttpHeader { name: name.into(), value: value.into() };
    for (field, bad) in
        [("name", header("a b", "")), ("name", header("", "")), ("value", header("a", "x\r\n"))]
    {
        let check = CheckDraft::HttpGet {
            path: "/".into(),
            port: 80,
            host: "localhost".into(),
            scheme: "HTTP".into(),
            headers: vec![header("X-Ok", "yes"), bad],
        };
        let field = format!(".executables[0].liveness_probe.http_get.headers[1].{field}");
        let probe = ProbeDraft { check: Some(check), ..Default::default() };
        breaks(&field, "probe_header", |c| c.executables[0].probe = Some(probe));
    }
    breaks(".executables[0].liveness_probe", "probe_check_required", |c| {
        c.executables[0].probe = Some(ProbeDraft::default());
    });
    let times = |n| ProbeTimes {
        initial_delay_seconds: Some(n),
        timeout_seconds: Some(n),
        period_seconds: Some(n),
        success_threshold: Some(n),
        failure_threshold: Some(n),
    };
    let with = |times| package(|c| c.executables[0].probe = Some(ProbeDraft { check: Some(good()), times }));
    let broken = told(&with(times(0)));
    assert!(broken.len() == 5 && broken.iter().all(|(_, rule)| *rule == "probe_bounds"), "{broken:?}");
    let timeout = "plans[0].components[0].executables[0].liveness_probe.timeout_seconds";
    assert_eq!(told(&with(times(9))), [(timeout.to_owned(), "probe_bounds")]);
    assert!(with(times(10)).judge(Faults::new()).is_ok());
    assert!(with(ProbeTimes::default()).judge(Faults::new()).is_ok());
}

fn ros(kind: RosEndpointKind, name: &str) -> RosEndpointDraft {
    RosEndpointDraft { kind: Some(kind), name: name.into(), ..Default::default() }
}

#[test]
fn rules_on_ros() {
    use RosEndpointKind::{Action, Service, Topic};
    let with = |c: &mut ComponentDraft, endpoints: Vec<RosEndpointDraft>| {
        c.ros = RosDraft { enabled: true, version: "noetic".into(), endpoints };
    };
    breaks(".ros.version", "ros_version", |c| c.ros.enabled = true);
    breaks(".ros.version", "ros_version", |c| c.ros.version = "humble".into());
    breaks(".ros.endpoints", "ros_not_enabled", |c| c.ros.endpoints = vec![ros(Topic, "/a")]);
    breaks(".ros.endpoints[0].name", "ros_name", |c| with(c, vec![ros(Topic, "a b")]));
    breaks(".ros.endpoints[0].type", "ros_endpoint_type", |c| {
        with(c, vec![RosEndpointDraft { kind: None, ..ros(Topic, "/a") }]);
    });
    breaks(".ros.endpoints[1].name", "ros_name_twice", |c| with(c, vec![ros(Topic, "/a"), ros(Topic, "/a")]));
    breaks(".ros.endpoints[0].targeted", "ros_scoped_and_targeted", |c| {
        with(c, vec![RosEndpointDraft { scoped: true, targeted: true, ..ros(Topic, "/a") }]);
    });
    breaks(".ros.endpoints[0].timeout", "ros_timeout", |c| {
        with(c, vec![RosEndpointDraft { timeout: Some(0.0), ..ros(Service, "/a") }]);
    });
    breaks(".ros.endpoints[0].timeout", "ros_timeout_of_topic", |c| {
        with(c, vec![RosEndpointDraft { timeout: Some(1.0), ..ros(Topic, "/a") }]);
    });
    for kind in [Service, Action] {
        breaks(".ros.endpoints[0].qos", "ros_qos_of_topics_only", |c| {
            with(c, vec![RosEndpointDraft { qos: Some(RosQos::High), ..ros(kind, "/a") }]);
        });
    }
    let low = RosEndpointDraft { qos: Some(RosQos::Low), timeout: Some(120.0), ..ros(Service, "/a") };
    let sound = package(|c| with(c, vec![ros(Topic, "/a"), low, ros(Action, "/a")]));
    let judged = sound.judge(Faults::new()).unwrap();
    let said = judged.plans[0].1[0].ros.clone().unwrap();
    assert_eq!(said.version, Some(RosVersion::Noetic));
    assert_eq!(said.endpoints.iter().map(|e| e.qos).collect::<Vec<_>>(), [Some(RosQos::Low), None, None]);
    assert_eq!(package(|_| ()).judge(Faults::new()).unwrap().plans[0].1[0].ros, None);
}

#[test]
fn values_from_secrets_stay_within_their_deployment() {
    let from = |secret: &str, key: &str| ParameterDraft {
        name: "PASSWORD".into(),
        value_from: Some((secret.into(), key.into())),
        ..Default::default()
    };
    breaks(".parameters[0].value_from.secret", "name", |c| c.parameters = vec![from("", "key")]);
    breaks(".parameters[0].value_from.key", "secret_key", |c| c.parameters = vec![from("db", "")]);
    breaks(".parameters[0].exposed_as", "secret_exposed", |c| {
        c.parameters = vec![ParameterDraft { exposed_as: "P".into(), ..from("db", "key") }];
    });
    breaks(".parameters[0].default_value", "secret_with_default", |c| {
        c.parameters = vec![ParameterDraft { default: Some(String::new()), ..from("db", "key") }];
    });
    breaks(".executables[0].docker.pull_secret", "name", |c| {
        let (command, entrypoint) = (Vec::new(), Vec::new());
        let (pull_secret, pull_policy) = (Some(" x".to_owned()), PullPolicy::Never);
        let image = "a".to_owned();
        let kind = ExecutableKind::Docker { image, command, entrypoint, pull_secret, pull_policy };
        c.executables[0].kind = Some(kind);
    });
    let many = package(|c| {
        let numbered = |i: usize| ParameterDraft { name: format!("P{i}"), ..from(&format!("s{i}"), "key") };
        c.parameters = (0..=MOST_SECRETS).map(numbered).collect();
    });
    assert_eq!(told(&many), [("plans[0]".to_owned(), "too_many_secrets")]);
    let judged = package(|c| c.parameters = vec![from("db", "key")]).judge(Faults::new()).unwrap();
    let chance = crate::domain::guid::tests::Counting::default();
    let package = judged.create(crate::domain::built_in_project(), samples::now(), &chance).unwrap();
    let uses = package.secret_uses();
    assert_eq!(uses.len(), 1);
    assert_eq!(uses[0].field, "plans[0].components[0].parameters[0].value_from");
    assert_eq!(package.secrets().collect::<Vec<_>>(), ["db"]);
}
