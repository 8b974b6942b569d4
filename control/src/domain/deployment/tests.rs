use proto::Hostname;

use super::*;
use crate::domain::guid::tests::Counting;
use crate::domain::package::{
    ComponentDraft, EndpointDraft, EndpointType, ExecutableDraft, ExecutableKind, PackageDraft,
    ParameterDraft, PlanDraft, PullPolicy, Runtime,
};
use crate::domain::rules::Rules;
use crate::domain::{BackendNetworks, Faults, Package, PublicPorts, Reserved, built_in_project, samples};

mod dependencies;
mod events;
mod reports;
mod settings;
mod updates;

fn rules() -> Rules {
    Rules {
        domains: vec![Hostname::parse("ep-r.io").unwrap()],
        ports: PublicPorts::default(),
        reserved: Reserved::default(),
        organization_suffix: false,
        networks: BackendNetworks::private(),
        backends_per_endpoint: 3,
    }
}

/// Two executables of 1 and 0.5 cores, two external endpoints and an internal one, two parameters.
fn package() -> Package {
    let executable = |name: &str, cpu: &str| ExecutableDraft {
        name: name.into(),
        kind: Some(ExecutableKind::Docker {
            image: "app".into(),
            command: Vec::new(),
            entrypoint: Vec::new(),
            pull_secret: None,
            pull_policy: PullPolicy::default(),
        }),
        cpu: cpu.into(),
        ..Default::default()
    };
    let endpoint =
        |name: &str, kind| EndpointDraft { name: name.into(), kind: Some(kind), ..Default::default() };
    let parameter = |name: &str, default: Option<&str>| ParameterDraft {
        name: name.into(),
        default: default.map(Into::into),
        ..Default::default()
    };
    let component = ComponentDraft {
        name: "part".into(),
        runtime: Runtime::Cloud,
        executables: vec![executable("one", "1"), executable("two", "0.5")],
        parameters: vec![parameter("LEVEL", Some("info")), parameter("KEY", None)],
        endpoints: vec![
            endpoint("WEB", EndpointType::ExternalHttp),
            endpoint("RAW", EndpointType::ExternalSecureTcp),
            endpoint("DB", EndpointType::InternalTcp),
        ],
        ..Default::default()
    };
    let plans = vec![PlanDraft { name: String::new(), components: vec![component] }];
    let draft = PackageDraft { name: "hello".into(), version: "1.0".into(), plans, ..Default::default() };
    let judged = draft.judge(Faults::new()).unwrap();
    judged.create(built_in_project(), samples::now(), &Counting::default()).unwrap()
}

fn draft() -> DeploymentDraft {
    DeploymentDraft {
        name: "my deployment".into(),
        package_name: "hello".into(),
        package_version: "1.0".into(),
        env_args: vec![arg("KEY", "k"), arg("EXTRA", "1")],
        ..Default::default()
    }
}

fn arg(name: &str, value: &str) -> EnvArgDraft {
    EnvArgDraft { name: name.into(), value: value.into(), ..Default::default() }
}

fn binding(static_route: &str, endpoint: &str) -> BindingDraft {
    BindingDraft { static_route: static_route.into(), endpoint: endpoint.into() }
}

fn volume(executable: &str, mount_path: &str) -> VolumeDraft {
    VolumeDraft {
        executable: executable.into(),
        mount_path: mount_path.into(),
        disk: "disk".into(),
        ..Default::default()
    }
}

fn backends(endpoint: &str, addresses: &[&str]) -> EndpointBackendsDraft {
    let backends = addresses.iter().map(|text| ((*text).to_owned(), true)).collect();
    EndpointBackendsDraft { endpoint: endpoint.into(), backends }
}

fn judge(draft: &DeploymentDraft, known: &Known<'_>) -> Result<JudgedDeployment, Faults> {
    draft.judge(known, &rules(), Faults::new())
}

fn create(draft: &DeploymentDraft) -> Deployment {
    let package = package();
    let judged = judge(draft, &Known { package: Some(&package), ..Default::default() }).unwrap();
    judged.create(built_in_project(), samples::now(), &Counting::default()).unwrap()
}

/// Asserts that the draft changed so breaks these rules at these fields, and no others.
#[track_caller]
fn breaks(expected: &[(&str, &str)], change: impl FnOnce(&mut DeploymentDraft)) {
    let package = package();
    breaks_in(&Known { package: Some(&package), ..Default::default() }, expected, change);
}

/// As [`breaks`], judged by what is `known`.
#[track_caller]
fn breaks_in(known: &Known<'_>, expected: &[(&str, &str)], change: impl FnOnce(&mut DeploymentDraft)) {
    let mut draft = draft();
    change(&mut draft);
    let faults = judge(&draft, known).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
    assert_eq!(told, expected, "{faults}");
}

#[test]
fn it_begins_with_a_random_route_for_each_external_endpoint() {
    let deployment = create(&draft());
    let random: Vec<_> = deployment.endpoints.iter().map(|e| e.random.is_some()).collect();
    assert_eq!(random, [true, true, false]);
    assert_eq!(
        (deployment.phase, deployment.status, deployment.generation),
        (Phase::InProgress, Status::Pending, 1)
    );
    let parameters: Vec<_> =
        deployment.parameters.iter().map(|p| (p.name.as_str(), p.value.as_str())).collect();
    assert_eq!(parameters, [("LEVEL", "info"), ("KEY", "k")]);

    let fixed = vec![backends("WEB", &["10.0.0.1:80"]), backends("RAW", &["10.0.0.1:443"])];
    let there = create(&DeploymentDraft { backends: fixed, ..draft() });
    assert_eq!((there.phase, there.status), (Phase::Succeeded, Status::Running));
    let half = create(&DeploymentDraft { backends: vec![backends("WEB", &["10.0.0.1:80"])], ..draft() });
    assert_eq!(half.phase, Phase::InProgress);
}

#[test]
fn the_package_and_plan_must_be_there() {
    let faults = judge(&draft(), &Known::default()).unwrap_err();
    assert_eq!(
        (faults.as_slice()[0].field.as_str(), faults.as_slice()[0].rule),
        ("spec.package_name", "package_unknown")
    );
    breaks(&[("spec.plan", "plan_unknown")], |d| d.plan = "other".into());
    create(&DeploymentDraft { plan: "default".into(), ..draft() });
}

#[test]
fn rules_on_environment() {
    breaks(&[("spec.env_args", "parameter_required")], |d| d.env_args.clear());
    breaks(&[("spec.env_args[2].name", "env_arg_twice")], |d| d.env_args.push(arg("KEY", "x")));
    breaks(&[("spec.env_args[2].name", "variable_name")], |d| d.env_args.push(arg("A-B", "x")));
    breaks(&[("spec.env_args[2].value", "variable_value")], |d| d.env_args.push(arg("A", "\0")));
    breaks(&[("spec.env_args[2].name", "variable_of_endpoint")], |d| d.env_args.push(arg("WEB_HOST", "x")));
    let (no_name, taken) = ("spec.env_args[1].name", "spec.env_args[2].name");
    breaks(&[(no_name, "variable_name"), (taken, "variable_of_endpoint")], |d| {
        d.env_args.truncate(1);
        d.env_args.extend([arg("1ST", "x"), arg("WEB_HOST", "x")]);
    });
}

#[test]
fn rules_on_volumes() {
    assert!(create(&DeploymentDraft { volumes: vec![volume("two", "/data")], ..draft() }).volumes.len() == 1);
    breaks(&[("spec.volumes[1]", "volumes_exceed_cpu")], |d| {
        d.volumes = vec![volume("one", "/a"), volume("two", "/b"), volume("two", "/c")]
    });
    breaks(&[("spec.volumes[0].executable", "executable_unknown")], |d| {
        d.volumes = vec![volume("three", "/a")]
    });
    breaks(&[("spec.volumes[0].mount_path", "mount_path")], |d| d.volumes = vec![volume("one", "data")]);
    breaks(&[("spec.volumes[0].disk", "disk_required")], |d| {
        d.volumes = vec![VolumeDraft { disk: String::new(), ..volume("one", "/a") }]
    });
    breaks(
        &[("spec.volumes[1].mount_path", "mount_path_twice"), ("spec.volumes[1]", "volumes_exceed_cpu")],
        |d| {
            d.volumes = vec![volume("one", "/a"), volume("one", "/a")];
        },
    );
}

#[test]
fn rules_on_static_routes() {
    let deployment =
        create(&DeploymentDraft { static_routes: vec![binding("shop.ep-r.io", "WEB")], ..draft() });
    assert_eq!(deployment.static_routes[0].label.as_str(), "shop");
    let at = "spec.static_routes[0]";
    breaks(&[(&format!("{at}.static_route"), "static_route_length")], |d| {
        d.static_routes = vec![binding("x", "WEB")]
    });
    breaks(&[(&format!("{at}.static_route"), "static_route_domain")], |d| {
        d.static_routes = vec![binding("shop.other.io", "WEB")]
    });
    breaks(&[(&format!("{at}.endpoint"), "endpoint_required")], |d| {
        d.static_routes = vec![binding("shop", "")]
    });
    breaks(&[(&format!("{at}.endpoint"), "endpoint_unknown")], |d| {
        d.static_routes = vec![binding("shop", "NO")]
    });
    breaks(&[(&format!("{at}.endpoint"), "endpoint_not_external")], |d| {
        d.static_routes = vec![binding("shop", "DB")]
    });
    breaks(&[("spec.static_routes[1].static_route", "static_route_twice")], |d| {
        d.static_routes = vec![binding("shop", "WEB"), binding("shop.ep-r.io", "RAW")];
    });
    breaks(&[("spec.static_routes", "too_many_static_routes")], |d| {
        d.static_routes = (0..=MOST_STATIC_ROUTES).map(|i| binding(&format!("shop{i}"), "WEB")).collect();
    });
}

#[test]
fn rules_on_backends() {
    let at = "spec.backends[0].backends[0].address";
    breaks(&[(at, "backend_address")], |d| d.backends = vec![backends("WEB", &["10.0.0.1"])]);
    breaks(&[(at, "backend_network")], |d| d.backends = vec![backends("WEB", &["169.254.169.254:80"])]);
    breaks(&[(at, "backend_network")], |d| d.backends = vec![backends("WEB", &["127.0.0.1:80"])]);
    breaks(&[("spec.backends[0].endpoint", "endpoint_not_external")], |d| {
        d.backends = vec![backends("DB", &[])]
    });
    breaks(&[("spec.backends[1].endpoint", "endpoint_twice")], |d| {
        d.backends = vec![backends("WEB", &[]), backends("WEB", &[])]
    });
    breaks(&[("spec.backends[0].backends[1].address", "backend_twice")], |d| {
        d.backends = vec![backends("WEB", &["10.0.0.1:80"; 2])]
    });
    let four = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"];
    breaks(&[("spec.backends[0].backends", "too_many_backends")], |d| {
        d.backends = vec![backends("WEB", &four)]
    });
}

#[test]
fn stopping_gives_back_what_it_held() {
    let mut deployment = create(&DeploymentDraft { static_routes: vec![binding("shop", "WEB")], ..draft() });
    let held = deployment.stop(samples::now());
    assert_eq!((held.random.len(), held.static_routes.len()), (2, 1));
    assert!(!deployment.is_live() && deployment.static_routes.is_empty());
    assert!(deployment.endpoints.iter().all(|endpoint| endpoint.random.is_none()));
}

#[test]
fn bindings_are_gained_and_lost() {
    let mut deployment = create(&draft());
    let label = |i: usize| StaticRouteLabel::parse(&format!("shop{i}")).unwrap();
    let endpoint = |name| EndpointName::parse(name).unwrap();
    for i in 0..MOST_STATIC_ROUTES {
        deployment.gain(label(i), endpoint("WEB"), None, samples::now()).unwrap();
    }
    deployment.gain(label(0), endpoint("RAW"), None, samples::now()).unwrap();
    assert_eq!(deployment.static_routes[0].endpoint, endpoint("RAW"));
    let broken =
        deployment.gain(label(MOST_STATIC_ROUTES), endpoint("WEB"), None, samples::now()).unwrap_err();
    assert_eq!(broken.rule, "too_many_static_routes");
    deployment.lose(&label(3), None, samples::now());
    assert!(deployment.gain(label(MOST_STATIC_ROUTES), endpoint("WEB"), None, samples::now()).is_ok());
    assert!(deployment.bound_to(&endpoint("DB")).is_none());
}

#[test]
fn a_record_comes_back_as_it_was_stored() {
    let mut deployment = create(&DeploymentDraft {
        static_routes: vec![binding("shop", "WEB")],
        volumes: vec![volume("one", "/data")],
        backends: vec![backends("WEB", &["10.0.0.1:80", "[fd00::1]:80"])],
        settings: settings::everything(),
        ..draft()
    });
    deployment.env_args[0].exposed_as = Some(VariableName::parse("THEIR_KEY").unwrap());
    deployment.endpoints[1].reported = Some(Reported { lease: samples::lease(1).id, backends: Vec::new() });
    let parent = Dependency {
        deployment: samples::web_deployment(2, "10.0.0.9:80").guid,
        named: "a".into(),
        wait: true,
    };
    deployment.depends.push(parent);
    let stored = crate::domain::record::encode("deployment", &deployment).unwrap();
    assert_eq!(crate::domain::record::decode("deployment", &stored), Ok(deployment));
    let package = package();
    let stored = crate::domain::record::encode("package", &package).unwrap();
    assert_eq!(crate::domain::record::decode("package", &stored), Ok(package));
}

/// As the version before wrote it, when records had less in them.
#[test]
fn records_of_the_version_before_can_be_read() {
    let stored =
        br#"{"format":1,"record":{"guid":"dep-aaaaaaaaaaaaaaaaaaaa","project":"project-builtin0000000000000",
        "name":"shop","labels":{},"created_at":1800000000000,"updated_at":1800000000000,"generation":1,
        "package":{"name":"hello","version":"1.0","plan":"default"},
        "env_args":[{"name":"KEY","value":"k"}],
        "volumes":[{"executable":"one","mount_path":"/d","disk":"disk","sub_path":""}],
        "endpoints":[{"name":"WEB","component":"part","kind":{"external":{"protocol":"http",
            "backend_protocol":"http1","target_port":80}},
            "random":"inst-aaaaaaaaaaaaaaaaaaaaaaaa-bbbbbb"}],
        "parameters":[{"name":"KEY","value":"k"}],"static_routes":[{"label":"shop","endpoint":"WEB"}],
        "phase":"succeeded","status":"running","error_codes":["DEP_E155"],"message":""}}"#;
    let read: Deployment = crate::domain::record::decode("deployment", stored).unwrap();
    assert_eq!((read.phase, read.error_codes.as_slice()), (Phase::Succeeded, &[ErrorCode::Failed][..]));
    assert!(read.depends.is_empty() && read.events.is_empty() && read.settings == Settings::default());
    let mut known = read.clone();
    known.know_executables(&package().plans[0]);
    let names: Vec<_> = known.executables.iter().map(|executable| executable.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
}
