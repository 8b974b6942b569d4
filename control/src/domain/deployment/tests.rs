use proto::Hostname;

use super::*;
use crate::domain::guid::tests::Counting;
use crate::domain::package::{
    ComponentDraft, EndpointDraft, EndpointType, ExecutableDraft, ExecutableKind, PackageDraft,
    ParameterDraft, PlanDraft, PullPolicy, Runtime,
};
use crate::domain::rules::Rules;
use crate::domain::{BackendNetworks, Faults, Package, PublicPorts, Reserved, built_in_project, samples};

fn rules() -> Rules {
    Rules {
        domains: vec![Hostname::parse("ep-r.io").unwrap()],
        ports: PublicPorts::default(),
        reserved: Reserved::default(),
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
        env_args: vec![("KEY".into(), "k".into()), ("EXTRA".into(), "1".into())],
        ..Default::default()
    }
}

fn binding(static_route: &str, endpoint: &str) -> BindingDraft {
    BindingDraft { static_route: static_route.into(), endpoint: endpoint.into() }
}

fn volume(executable: &str, mount_path: &str) -> VolumeDraft {
    VolumeDraft {
        executable: executable.into(),
        mount_path: mount_path.into(),
        disk: "disk".into(),
        sub_path: String::new(),
    }
}

fn backends(endpoint: &str, addresses: &[&str]) -> EndpointBackendsDraft {
    let backends = addresses.iter().map(|text| ((*text).to_owned(), true)).collect();
    EndpointBackendsDraft { endpoint: endpoint.into(), backends }
}

fn create(draft: &DeploymentDraft) -> Deployment {
    let judged = draft.judge(Some(&package()), &rules(), Faults::new()).unwrap();
    judged.create(built_in_project(), samples::now(), &Counting::default()).unwrap()
}

/// Asserts that the draft changed so breaks these rules at these fields, and no others.
#[track_caller]
fn breaks(expected: &[(&str, &str)], change: impl FnOnce(&mut DeploymentDraft)) {
    let mut draft = draft();
    change(&mut draft);
    let faults = draft.judge(Some(&package()), &rules(), Faults::new()).unwrap_err();
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
    let faults = draft().judge(None, &rules(), Faults::new()).unwrap_err();
    assert_eq!(
        (faults.as_slice()[0].field.as_str(), faults.as_slice()[0].rule),
        ("spec.package_name", "package_unknown")
    );
    breaks(&[("spec.plan", "plan_unknown")], |d| d.plan = "other".into());
    assert!(
        DeploymentDraft { plan: "default".into(), ..draft() }
            .judge(Some(&package()), &rules(), Faults::new())
            .is_ok()
    );
}

#[test]
fn rules_on_environment() {
    breaks(&[("spec.env_args", "parameter_required")], |d| d.env_args.clear());
    breaks(&[("spec.env_args[2].name", "env_arg_twice")], |d| d.env_args.push(("KEY".into(), "x".into())));
    breaks(&[("spec.env_args[2].name", "variable_name")], |d| d.env_args.push(("A-B".into(), "x".into())));
    breaks(&[("spec.env_args[2].value", "variable_value")], |d| d.env_args.push(("A".into(), "\0".into())));
    breaks(&[("spec.env_args[2].name", "variable_of_endpoint")], |d| {
        d.env_args.push(("WEB_HOST".into(), "x".into()))
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
        deployment.gain(label(i), endpoint("WEB"), samples::now()).unwrap();
    }
    deployment.gain(label(0), endpoint("RAW"), samples::now()).unwrap();
    assert_eq!(deployment.static_routes[0].endpoint, endpoint("RAW"));
    let broken = deployment.gain(label(MOST_STATIC_ROUTES), endpoint("WEB"), samples::now()).unwrap_err();
    assert_eq!(broken.rule, "too_many_static_routes");
    deployment.lose(&label(3), samples::now());
    assert!(deployment.gain(label(MOST_STATIC_ROUTES), endpoint("WEB"), samples::now()).is_ok());
    assert!(deployment.bound_to(&endpoint("DB")).is_none());
}

fn report(change: impl FnOnce(&mut ReportDraft)) -> ReportDraft {
    let mut report = ReportDraft::default();
    change(&mut report);
    report
}

#[test]
fn a_report_changes_what_it_says_and_no_more() {
    let mut deployment = create(&draft());
    let lease = samples::lease(1).id;
    let mut take = |draft: ReportDraft| {
        let judged = draft.judge(&deployment, &rules(), Faults::new()).unwrap();
        deployment.report(judged, &lease, samples::now());
        deployment.clone()
    };
    let up = take(report(|r| {
        r.phase = Some(Phase::Succeeded);
        r.backends = vec![backends("WEB", &["10.0.0.1:80"])];
    }));
    assert_eq!((up.phase, up.status), (Phase::Succeeded, Status::Running));
    let more = take(report(|r| r.backends = vec![backends("RAW", &["10.0.0.1:443"])]));
    assert!(more.endpoints[0].reported == up.endpoints[0].reported && more.endpoints[1].reported.is_some());
    let broken = take(report(|r| {
        r.status = Some(Status::Error);
        r.error_codes = vec!["DEP_E155".into(), "DEP_E155".into()];
        r.message = "it fell over".into();
    }));
    assert_eq!(
        (broken.phase, broken.status, broken.error_codes.as_slice()),
        (Phase::Succeeded, Status::Error, &[ErrorCode::Failed][..])
    );
    let well = take(report(|r| r.status = Some(Status::Running)));
    assert!(well.error_codes.is_empty() && well.message.is_empty());
}

#[test]
fn phases_follow_one_another() {
    let lease = samples::lease(1).id;
    let may = |from: Phase, to: Phase, generation: u64| {
        let mut deployment = create(&draft());
        (deployment.phase, deployment.generation) = (from, generation);
        let draft = report(|r| r.phase = Some(to));
        let judged = draft.judge(&deployment, &rules(), Faults::new());
        judged.map(|report| deployment.report(report, &lease, samples::now())).is_ok()
    };
    use Phase::{FailedToStart, FailedToUpdate, InProgress, Provisioning, Stopped, Succeeded};
    let live = [InProgress, Provisioning, Succeeded, FailedToUpdate, FailedToStart];
    for from in live {
        assert!(may(from, from, 1) && may(from, Succeeded, 1) && may(from, Provisioning, 1), "{from:?}");
        assert!(!may(from, Stopped, 1), "{from:?}");
        assert_eq!(may(from, InProgress, 1), from == InProgress, "{from:?}");
        assert_eq!(may(from, FailedToUpdate, 1), from == FailedToUpdate, "{from:?}");
        assert!(may(from, FailedToUpdate, 2), "{from:?}");
        assert_eq!(may(from, FailedToStart, 1), from != Succeeded, "{from:?}");
    }
}

#[test]
fn rules_on_reports_are_told_all_at_once() {
    let deployment = create(&draft());
    let report = report(|r| {
        r.phase = Some(Phase::Stopped);
        r.status = Some(Status::Stopped);
        r.message = "x".repeat(4097);
        r.error_codes = vec!["DEP_E153".into(), "E1".into()];
        r.backends = vec![backends("DB", &["8.8.8.8:53"])];
    });
    let faults = report.judge(&deployment, &rules(), Faults::new()).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
    assert_eq!(
        told,
        [
            ("phase", "phase"),
            ("status", "status"),
            ("error_codes[1]", "error_code"),
            ("message", "message"),
            ("backends[0].endpoint", "endpoint_not_external"),
            ("backends[0].backends[0].address", "backend_network"),
        ]
    );
}

#[test]
fn a_record_comes_back_as_it_was_stored() {
    let mut deployment = create(&DeploymentDraft {
        static_routes: vec![binding("shop", "WEB")],
        volumes: vec![volume("one", "/data")],
        backends: vec![backends("WEB", &["10.0.0.1:80", "[fd00::1]:80"])],
        ..draft()
    });
    deployment.endpoints[1].reported = Some(Reported { lease: samples::lease(1).id, backends: Vec::new() });
    let stored = crate::domain::record::encode("deployment", &deployment).unwrap();
    assert_eq!(crate::domain::record::decode("deployment", &stored), Ok(deployment));
    let package = package();
    let stored = crate::domain::record::encode("package", &package).unwrap();
    assert_eq!(crate::domain::record::decode("package", &stored), Ok(package));
}
