use proptest::prelude::*;
use proto::BackendProtocol;

use super::*;
use crate::domain::Cpu;
use crate::domain::package::{
    Architecture, CheckDraft, EndpointDraft, EndpointKind, EndpointType, ExecutableDraft, ExecutableKind,
    HttpHeader, ParameterDraft, ProbeDraft, ProbeTimes, PullPolicy, RestartPolicy, RosDraft,
    RosEndpointDraft, RosEndpointKind, RosQos, RosVersion,
};
use crate::domain::samples;

mod details;
mod places;

fn executable(name: &str) -> ExecutableDraft {
    ExecutableDraft { name: name.into(), kind: Some(image("nginx:1.27")), ..Default::default() }
}

fn image(image: &str) -> ExecutableKind {
    ExecutableKind::Docker {
        image: image.into(),
        command: Vec::new(),
        entrypoint: Vec::new(),
        pull_secret: None,
        pull_policy: PullPolicy::default(),
    }
}

fn build() -> ExecutableKind {
    ExecutableKind::Build { build: "my-build".into(), command: Vec::new(), entrypoint: Vec::new() }
}

fn bash() -> ExecutableKind {
    ExecutableKind::Bash { command: "roscore".into() }
}

fn endpoint(name: &str, kind: EndpointType) -> EndpointDraft {
    EndpointDraft { name: name.into(), kind: Some(kind), ..Default::default() }
}

fn component(name: &str) -> ComponentDraft {
    ComponentDraft {
        name: name.into(),
        executables: vec![executable(&format!("{name}-exe"))],
        ..Default::default()
    }
}

/// A sound package of one component, changed by `change`.
fn package(change: impl FnOnce(&mut ComponentDraft)) -> PackageDraft {
    let mut part = component("part");
    part.endpoints = vec![endpoint("WEB", EndpointType::ExternalHttp)];
    change(&mut part);
    let plans = vec![PlanDraft { name: String::new(), components: vec![part] }];
    PackageDraft { name: "My App".into(), version: "v1.0".into(), plans, ..Default::default() }
}

/// Every fault of `draft`, as field and rule.
fn told(draft: &PackageDraft) -> Vec<(String, &'static str)> {
    let faults = draft.judge(Faults::new()).unwrap_err();
    faults.as_slice().iter().map(|fault| (fault.field.clone(), fault.rule)).collect()
}

/// Asserts that changing the component so breaks `rule` at `field` (within the component), and nothing else.
#[track_caller]
fn breaks(field: &str, rule: &'static str, change: impl FnOnce(&mut ComponentDraft)) {
    let field = format!("plans[0].components[0]{field}");
    assert_eq!(told(&package(change)), [(field, rule)]);
}

#[test]
fn a_sound_package_is_taken_with_its_defaults() {
    let judged = package(|_| ()).judge(Faults::new()).unwrap();
    let chance = crate::domain::guid::tests::Counting::default();
    let package = judged.create(crate::domain::built_in_project(), samples::now(), &chance).unwrap();
    let plan = package.plan("").unwrap();
    assert_eq!(plan.name.as_str(), "default");
    assert_eq!(package.plan(plan.id.as_str()), Some(plan));
    let part = &plan.components[0];
    assert_eq!(
        (part.replicas, part.executables[0].cpu, part.executables[0].memory.get()),
        (1, Cpu::DEFAULT, 512)
    );
}

#[test]
fn nothing_given_tells_everything_that_is_missing() {
    let names: Vec<_> = told(&PackageDraft::default());
    let expected = [("metadata.name", "name"), ("version", "version"), ("plans", "plans_required")]
        .map(|(f, r)| (f.to_owned(), r));
    assert_eq!(names, expected);
    let empty = PackageDraft { plans: vec![PlanDraft::default()], ..package(|_| ()) };
    assert_eq!(told(&empty), [("plans[0].components".to_owned(), "components_required")]);
}

#[test]
fn rules_on_components_and_executables() {
    breaks(".name", "component_name", |c| c.name = "1st".into());
    breaks(".executables", "executables_required", |c| c.executables.clear());
    breaks(".executables[0].name", "component_name", |c| c.executables[0].name = String::new());
    breaks(".executables[1].name", "executable_name_twice", |c| c.executables.push(executable("part-exe")));
    breaks(".executables[0]", "executable_kind_required", |c| c.executables[0].kind = None);
    breaks(".executables[0].limits.cpu", "cpu", |c| c.executables[0].cpu = "0.03".into());
    breaks(".executables[0].limits.memory_mib", "memory", |c| c.executables[0].memory_mib = 100);
    breaks(".replicas", "replicas", |c| c.replicas = 1001);
    for bad in ["", " ", "a b"] {
        breaks(".executables[0].docker.image", "image", |c| c.executables[0].kind = Some(image(bad)));
    }
}

#[test]
fn ports_follow_the_protocol() {
    for (kind, fixed) in [
        (EndpointType::ExternalHttp, 80),
        (EndpointType::ExternalHttps, 443),
        (EndpointType::ExternalSecureTcp, 443),
    ] {
        breaks(".endpoints[0].port", "port_fixed_by_protocol", |c| {
            c.endpoints = vec![EndpointDraft { port: 8080, ..endpoint("WEB", kind) }];
        });
        breaks(".endpoints[0].target_port", "port", |c| {
            c.endpoints = vec![EndpointDraft { target_port: 65_536, ..endpoint("WEB", kind) }];
        });
        let sound = EndpointDraft { port: fixed, target_port: 9000, ..endpoint("WEB", kind) };
        assert!(package(|c| c.endpoints = vec![sound]).judge(Faults::new()).is_ok(), "{kind:?}");
    }
    breaks(".endpoints[0].port", "port", |c| {
        c.endpoints = vec![EndpointDraft { port: 70_000, ..endpoint("DB", EndpointType::InternalTcp) }];
    });
}

#[test]
fn internal_endpoints_have_defaults_and_ranges_have_their_own_field() {
    let judged = package(|c| {
        c.endpoints = vec![
            endpoint("A", EndpointType::InternalTcp),
            EndpointDraft { port: 5432, ..endpoint("B", EndpointType::InternalUdp) },
            EndpointDraft { port_range: "443-445".into(), ..endpoint("C", EndpointType::InternalTcpRange) },
        ];
    });
    let judged = judged.judge(Faults::new()).unwrap();
    let kinds: Vec<_> = judged.plans[0].1[0].endpoints.iter().map(|e| &e.kind).collect();
    let EndpointKind::Internal { port, target_port, .. } = kinds[0] else { panic!("{kinds:?}") };
    assert_eq!((port.get(), target_port.get()), (443, 443));
    let EndpointKind::Internal { port, target_port, .. } = kinds[1] else { panic!("{kinds:?}") };
    assert_eq!((port.get(), target_port.get()), (5432, 5432));
    assert!(matches!(kinds[2], EndpointKind::InternalRange { ports, .. } if ports.ports().count() == 3));

    let range = |range: &str, port, target_port| {
        let draft = EndpointDraft {
            port,
            target_port,
            port_range: range.into(),
            ..endpoint("C", EndpointType::InternalTcpRange)
        };
        move |c: &mut ComponentDraft| c.endpoints = vec![draft]
    };
    breaks(".endpoints[0].port_range", "port_range", range("", 0, 0));
    breaks(".endpoints[0].port_range", "port_range", range("90-80", 0, 0));
    breaks(".endpoints[0].port", "range_without_port", range("80", 80, 0));
    breaks(".endpoints[0].target_port", "range_without_port", range("80", 0, 80));
    breaks(".endpoints[0].port_range", "port_range_on_single_port", |c| {
        c.endpoints[0].port_range = "80".into()
    });
}

#[test]
fn what_the_backend_speaks_is_a_matter_of_http() {
    for kind in [EndpointType::ExternalSecureTcp, EndpointType::InternalTcp] {
        breaks(".endpoints[0].backend_protocol", "backend_protocol_of_http_only", |c| {
            c.endpoints =
                vec![EndpointDraft { backend_protocol: Some(BackendProtocol::H2c), ..endpoint("X", kind) }];
        });
    }
    breaks(".endpoints[0].type", "endpoint_type_required", |c| c.endpoints[0].kind = None);
    breaks(".endpoints[0].name", "endpoint_name", |c| c.endpoints[0].name = "my-web".into());
}

#[test]
fn variables_do_not_collide() {
    let host = || endpoint("WEB_HOST", EndpointType::InternalTcp);
    breaks(".endpoints[1].name", "variable_collision", |c| c.endpoints.push(host()));
    breaks(".parameters[0].name", "variable_collision", |c| {
        c.parameters = vec![ParameterDraft { name: "WEB_PORT".into(), ..Default::default() }];
    });
    breaks(".parameters[1].name", "parameter_name_twice", |c| {
        c.parameters = vec![ParameterDraft { name: "LEVEL".into(), ..Default::default() }; 2];
    });
    breaks(".parameters[1].exposed_as", "exposed_twice", |c| {
        let parameter =
            |name: &str| ParameterDraft { name: name.into(), exposed_as: "OUT".into(), ..Default::default() };
        c.parameters = vec![parameter("A"), parameter("B")];
    });
    breaks(".parameters[0].exposed_as", "variable_name", |c| {
        c.parameters =
            vec![ParameterDraft { name: "A".into(), exposed_as: "a-b".into(), ..Default::default() }];
    });
}

#[test]
fn names_are_unique_and_the_first_bearer_is_told() {
    let mut draft = package(|_| ());
    let mut second = component("part");
    second.executables[0].name = "other".into();
    second.endpoints = vec![endpoint("WEB", EndpointType::ExternalHttps)];
    draft.plans[0].components.push(second);
    draft.plans.push(PlanDraft { name: "default".into(), components: vec![component("x")] });
    let faults = draft.judge(Faults::new()).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
    assert_eq!(
        told,
        [
            ("plans[0].components[1].name", "component_name_twice"),
            ("plans[0].components[1].endpoints[0].name", "endpoint_name_twice"),
            ("plans[1].name", "plan_name_twice"),
        ]
    );
    assert!(faults.to_string().contains("taken by plans[0].components[0].endpoints[0].name"), "{faults}");
}

#[test]
fn a_plan_has_at_most_so_many_external_endpoints() {
    let many = |n: usize| {
        package(|c| {
            c.endpoints = (0..n).map(|i| endpoint(&format!("E{i}"), EndpointType::ExternalHttp)).collect()
        })
    };
    assert!(many(MOST_EXTERNAL_ENDPOINTS).judge(Faults::new()).is_ok());
    assert_eq!(
        told(&many(MOST_EXTERNAL_ENDPOINTS + 1)),
        [("plans[0]".to_owned(), "too_many_external_endpoints")]
    );
}

proptest! {
    /// Whatever is written: judged without a panic, and faults are there exactly when it is refused.
    #[test]
    fn any_input_is_judged(name in ".{0,20}", version in ".{0,8}", endpoint_name in ".{0,8}",
        port in any::<u32>(), target_port in any::<u32>(), port_range in "[0-9,-]{0,12}", cpu in ".{0,6}") {
        let mut draft = package(|c| {
            c.executables[0].cpu = cpu;
            c.endpoints = vec![EndpointDraft {
                name: endpoint_name, kind: Some(EndpointType::InternalTcp), port, target_port, port_range, backend_protocol: None,
            }];
        });
        (draft.name, draft.version) = (name, version);
        if let Err(faults) = draft.judge(Faults::new()) {
            prop_assert!(!faults.is_empty());
        }
    }
}
