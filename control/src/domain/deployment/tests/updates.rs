use super::*;
use crate::domain::package::{Endpoint, EndpointKind};

fn there() -> Deployment {
    let mut there = create(&DeploymentDraft { static_routes: vec![binding("shop", "WEB")], ..draft() });
    (there.phase, there.status) = (Phase::Succeeded, Status::Running);
    let reported = Reported { lease: samples::lease(1).id, backends: Vec::new() };
    there.endpoints[0].reported = Some(reported);
    there
}

fn update(before: &Deployment, package: &Package, draft: &DeploymentDraft, moved: &Moved) -> Updated {
    let known = Known { package: Some(package), before: Some(before), ..Default::default() };
    let judged = judge(draft, &known).unwrap();
    // Other chance than what created it, or the same routes would be drawn.
    let chance = Counting::default();
    crate::domain::guid::letters(&chance, 1000).unwrap();
    judged.update(before.clone(), moved, samples::now(), &chance).unwrap()
}

fn last_events(deployment: &Deployment, count: usize) -> Vec<&str> {
    let events: Vec<_> = deployment.events.iter().map(|event| event.message.as_str()).collect();
    events[events.len() - count..].to_vec()
}

#[test]
fn it_is_another_generation_of_the_same() {
    let before = there();
    let draft = DeploymentDraft {
        name: String::new(),
        labels: [("team".to_owned(), "web".to_owned())].into(),
        static_routes: vec![binding("gate", "RAW"), binding("shop", "WEB"), binding("door", "WEB")],
        ..draft()
    };
    let moved =
        Moved::from([(StaticRouteLabel::parse("gate").unwrap(), DeploymentName::parse("other").unwrap())]);
    let Updated { deployment, claimed, released, unbound } = update(&before, &package(), &draft, &moved);
    assert_eq!((deployment.generation, &deployment.guid, &deployment.name), (2, &before.guid, &before.name));
    assert_eq!((deployment.phase, deployment.status), (Phase::Provisioning, Status::Pending));
    assert_eq!(deployment.endpoints, before.endpoints, "random routes and what was reported stay");
    assert!(claimed.is_empty() && released.is_empty() && unbound.is_empty());
    let order: Vec<_> = deployment.static_routes.iter().map(|b| b.label.as_str()).collect();
    assert_eq!(order, ["shop", "gate", "door"], "the oldest binding first");
    assert_eq!(
        last_events(&deployment, 4),
        [
            "updated to generation 2",
            "phase Succeeded -> Provisioning",
            "moved static route gate here, to RAW, from deployment other",
            "bound static route door to WEB",
        ]
    );
    let without = DeploymentDraft { static_routes: vec![binding("door", "RAW")], ..draft };
    let (mut again, lost) = (deployment, ["shop", "gate"].map(|name| StaticRouteLabel::parse(name).unwrap()));
    again.phase = Phase::FailedToUpdate;
    let next = update(&again, &package(), &without, &Moved::new());
    assert_eq!((next.deployment.generation, next.unbound.as_slice()), (3, &lost[..]));
    assert_eq!(
        last_events(&next.deployment, 3),
        ["bound static route door to RAW", "unbound static route shop", "unbound static route gate"]
    );
}

#[test]
fn endpoints_come_and_go_with_the_version() {
    let before = there();
    let mut next = package();
    next.version = Version::parse("2.0").unwrap();
    let endpoints = &mut next.plans[0].components[0].endpoints;
    let raw = endpoints[1].kind.clone();
    endpoints[1] = Endpoint { name: EndpointName::parse("NEW").unwrap(), kind: raw };
    let EndpointKind::Internal { .. } = endpoints[2].kind else { panic!("DB is internal") };
    let draft = DeploymentDraft { package_version: "2.0".into(), ..draft() };
    let updated = update(&before, &next, &draft, &Moved::new());
    let random = |deployment: &Deployment, name| deployment.endpoint(name).and_then(|e| e.random.clone());
    assert_eq!(random(&updated.deployment, "WEB"), random(&before, "WEB"));
    assert_eq!(updated.released, [random(&before, "RAW").unwrap()]);
    assert_eq!(updated.claimed, [random(&updated.deployment, "NEW").unwrap()]);
    assert_eq!(updated.unbound.len(), 1, "what was left out is unbound");
    assert_eq!(updated.deployment.package.version.as_str(), "2.0");
}

#[test]
fn an_unchanged_spec_is_a_restart() {
    let draft = DeploymentDraft { static_routes: vec![binding("shop", "WEB")], ..draft() };
    let Updated { deployment, .. } = update(&there(), &package(), &draft, &Moved::new());
    assert_eq!(last_events(&deployment, 2)[0], "restarted as generation 2");
    assert_eq!(deployment.phase, Phase::Provisioning);
}

#[test]
fn what_is_simply_there_goes_on_unless_a_runtime_has_it() {
    let fixed = vec![backends("WEB", &["10.0.0.1:80"]), backends("RAW", &["10.0.0.1:443"])];
    let draft = DeploymentDraft { backends: fixed, ..draft() };
    let alone = create(&draft);
    let updated = update(&alone, &package(), &draft, &Moved::new()).deployment;
    assert_eq!((updated.phase, updated.status), (Phase::Succeeded, Status::Running));
    assert!(updated.executables.iter().all(|seen| seen.state == ExecutableState::Unknown));
    let updated = update(&there(), &package(), &draft, &Moved::new()).deployment;
    assert_eq!(updated.phase, Phase::Provisioning);
    assert!(updated.executables.iter().all(|seen| seen.state == ExecutableState::Pending));
}

#[test]
fn what_it_is_one_of_cannot_be_changed() {
    let before = there();
    let (package, mut other) = (package(), package());
    let mut plan = other.plans[0].clone();
    plan.name = PlanName::parse("other").unwrap();
    other.plans.push(plan);
    let known = Known { package: Some(&package), before: Some(&before), ..Default::default() };
    breaks_in(&known, &[("metadata.name", "name_fixed")], |d| d.name = "another".into());
    let known = Known { package: Some(&other), ..known };
    breaks_in(&known, &[("spec.plan", "plan_fixed")], |d| d.plan = "other".into());
    let unsaid = judge(&draft(), &known).unwrap();
    assert_eq!(unsaid.package.plan.as_str(), "default", "of several, the one it has");
    let expected = [("spec.package_name", "package_fixed"), ("spec.package_name", "package_unknown")];
    let known = Known { package: None, ..known };
    breaks_in(&known, &expected, |d| d.package_name = "bye".into());
}

#[test]
fn only_what_is_settled_can_be_updated() {
    let mut deployment = there();
    for (phase, may) in [
        (Phase::InProgress, false),
        (Phase::Provisioning, false),
        (Phase::Succeeded, true),
        (Phase::FailedToUpdate, true),
        (Phase::FailedToStart, false),
        (Phase::Stopped, false),
    ] {
        deployment.phase = phase;
        match deployment.judge_update() {
            Ok(()) => assert!(may, "{phase:?}"),
            Err(broken) => {
                assert!(!may && broken.rule == "deployment_phase", "{phase:?}");
                assert!(broken.message.contains(&format!("phase {};", phase.as_str())), "{broken}");
            }
        }
    }
}
