use std::collections::HashMap;

use super::*;

/// A deployment of the package with other names, of which nothing is exposed.
fn parent(n: u8, name: &str, endpoint: &str) -> Deployment {
    let mut parent = samples::web_deployment(n, "10.0.0.9:80");
    parent.name = DeploymentName::parse(name).unwrap();
    parent.endpoints[0].name = EndpointName::parse(endpoint).unwrap();
    parent
}

fn exposed(name: &str, value: &str, exposed_as: &str) -> EnvVar {
    let exposed_as = Some(VariableName::parse(exposed_as).unwrap());
    EnvVar { exposed_as, ..EnvVar::plain(VariableName::parse(name).unwrap(), value) }
}

fn on(name: &str) -> DependencyDraft {
    DependencyDraft { deployment: name.into(), wait: false }
}

fn child_of(parents: &[&Deployment]) -> Deployment {
    let package = package();
    let draft = DeploymentDraft {
        depends: parents.iter().map(|parent| on(parent.name.as_str())).collect(),
        ..draft()
    };
    let parents: Vec<_> = parents.iter().map(|parent| Some(*parent)).collect();
    let known = Known { package: Some(&package), parents: &parents, before: None };
    let judged = judge(&draft, &known).unwrap();
    judged.create(built_in_project(), samples::now(), &Counting::default()).unwrap()
}

fn known(parents: &[&Deployment]) -> HashMap<DeploymentGuid, Deployment> {
    parents.iter().map(|parent| (parent.guid.clone(), (*parent).clone())).collect()
}

fn lines(viewed: &ViewedDeployment) -> Vec<String> {
    viewed.environment.iter().map(|var| format!("{}={}", var.name, var.value)).collect()
}

#[test]
fn it_sees_where_its_parents_are_and_what_they_expose_as_they_are_now() {
    let mut api = parent(1, "api", "API");
    api.parameters = vec![exposed("LEVEL", "debug", "API_LEVEL")];
    api.env_args = vec![exposed("MORE", "m", "API_MORE")];
    let child = child_of(&[&api]);
    assert_eq!((child.depends[0].named.as_str(), &child.depends[0].deployment), ("api", &api.guid));
    let seen = lines(&ViewedDeployment::of(child.clone(), &known(&[&api]), &rules()));
    let random = api.endpoints[0].random.clone().unwrap();
    for line in [&format!("API=http://{random}.ep-r.io:80"), "API_PORT=80", "API_LEVEL=debug", "API_MORE=m"] {
        assert!(seen.iter().any(|seen| seen == line), "{line} in {seen:?}");
    }
    assert!(!seen.iter().any(|line| line.starts_with("MORE=")), "only what is exposed: {seen:?}");

    let label = StaticRouteLabel::parse("gate").unwrap();
    let endpoint = EndpointName::parse("API").unwrap();
    api.gain(label, endpoint, None, samples::now()).unwrap();
    api.parameters[0].value = "info".into();
    let seen = lines(&ViewedDeployment::of(child.clone(), &known(&[&api]), &rules()));
    assert!(
        seen.contains(&"API_HOST=gate.ep-r.io".to_owned()) && seen.contains(&"API_LEVEL=info".to_owned())
    );

    api.stop(samples::now());
    let gone = ViewedDeployment::of(child, &known(&[&api]), &rules());
    assert!(!lines(&gone).iter().any(|line| line.starts_with("API")), "nothing is there any more");
}

#[test]
fn grandparents_are_not_seen() {
    let grandparent = parent(1, "db", "DB_GATE");
    let mut middle = parent(2, "api", "API");
    let dependency = Dependency { deployment: grandparent.guid.clone(), named: "db".into(), wait: false };
    middle.depends.push(dependency);
    let child = child_of(&[&middle]);
    let seen = lines(&ViewedDeployment::of(child, &known(&[&middle, &grandparent]), &rules()));
    assert!(seen.iter().any(|line| line.starts_with("API=")));
    assert!(!seen.iter().any(|line| line.starts_with("DB_GATE")), "{seen:?}");
}

#[test]
fn a_variable_that_would_come_from_two_places_is_refused_with_both_named() {
    let package = package();
    let (web, api) = (parent(1, "first web", "WEB"), parent(2, "api", "API"));
    let mut other = parent(3, "other", "API_HOST");
    other.parameters =
        vec![exposed("LEVEL", "1", "LEVEL"), exposed("X", "1", "EXTRA"), exposed("Y", "1", "FREE")];
    let parents = [Some(&web), Some(&api), Some(&other)];
    let known = Known { package: Some(&package), parents: &parents, before: None };
    let mut draft = draft();
    draft.depends = vec![on("first web"), on("api"), on("other")];
    let faults = judge(&draft, &known).unwrap_err();
    let told: Vec<_> =
        faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule, f.message.as_str())).collect();
    let about = |i: usize, all: [&str; 3]| {
        let field = format!("spec.depends[{i}].deployment");
        let found = told.iter().any(|(at, rule, message)| {
            *at == field && *rule == "variable_collision" && all.iter().all(|part| message.contains(part))
        });
        assert!(found, "{i} {all:?} in {told:#?}");
    };
    about(0, ["WEB", "its own endpoint WEB", "the endpoint WEB of deployment first web"]);
    about(2, ["API_HOST", "the endpoint API of deployment api", "the endpoint API_HOST of deployment other"]);
    about(2, ["LEVEL", "its own variable LEVEL", "LEVEL of deployment other, which exposes it"]);
    about(2, ["EXTRA", "its own variable EXTRA", "X of deployment other, which exposes it"]);
    assert_eq!(told.len(), 4, "each pair once: {told:#?}");
}

#[test]
fn rules_on_the_list_of_parents() {
    let package = package();
    let api = parent(1, "api", "API");
    let parents = [Some(&api), None, Some(&api)];
    let known = Known { package: Some(&package), parents: &parents, before: None };
    breaks_in(&known, &[("spec.depends[2].deployment", "dependency_twice")], |d| {
        d.depends = vec![on("api"), on("who"), on(api.guid.as_str())];
    });
    let none = [None; MOST_DEPENDENCIES + 1];
    let known = Known { parents: &none, ..known };
    breaks_in(&known, &[("spec.depends", "too_many_dependencies")], |d| {
        d.depends = vec![on("x"); MOST_DEPENDENCIES + 1];
    });
    let mut stopped = api.clone();
    stopped.stop(samples::now());
    assert!(api.judge_as_parent().is_ok());
    assert_eq!(stopped.judge_as_parent().unwrap_err().rule, "dependency_stopped");
}

#[test]
fn what_fails_a_parent_is_shown_at_the_child() {
    let mut api = parent(1, "api", "API");
    let child = child_of(&[&api]);
    let codes = |api: &Deployment| {
        let viewed = ViewedDeployment::of(child.clone(), &known(&[api]), &rules());
        assert_eq!((viewed.dependencies[0].phase, viewed.dependencies[0].status), (api.phase, api.status));
        viewed.error_codes
    };
    assert_eq!(codes(&api), []);
    api.status = Status::Error;
    assert_eq!(codes(&api), [ErrorCode::ParentInError]);
    (api.phase, api.status) = (Phase::FailedToStart, Status::Unknown);
    assert_eq!(codes(&api), [ErrorCode::ParentInError]);
    (api.phase, api.status) = (Phase::Provisioning, Status::Pending);
    assert_eq!(codes(&api), []);
    api.stop(samples::now());
    assert_eq!(codes(&api), [ErrorCode::ParentInError]);
}

#[test]
fn a_circle_is_found_however_long() {
    let mut all: Vec<Deployment> = (1..6).map(|n| parent(n, &format!("d{n}"), "X")).collect();
    for n in 0..4 {
        let next = all[n + 1].guid.clone();
        all[n].depends.push(Dependency { deployment: next, named: format!("d{}", n + 2), wait: false });
    }
    // Many ways to one place are no circle.
    let last = all[4].guid.clone();
    all[0].depends.push(Dependency { deployment: last.clone(), named: "d5".into(), wait: false });
    let known: HashMap<_, _> = all.iter().map(|one| (one.guid.clone(), one.clone())).collect();
    let outside = parent(9, "outside", "X");
    assert_eq!(cycle_through(&outside.name, &outside.guid, std::slice::from_ref(&all[0].guid), &known), None);
    let way = cycle_through(&all[4].name, &last, std::slice::from_ref(&all[1].guid), &known).unwrap();
    let way: Vec<_> = way.iter().map(DeploymentName::as_str).collect();
    assert_eq!(way, ["d5", "d2", "d3", "d4", "d5"]);
}

#[test]
fn rules_on_what_is_exposed() {
    let expose =
        |name: &str, exposed_as: &str| EnvArgDraft { exposed_as: exposed_as.into(), ..arg(name, "1") };
    breaks(&[("spec.env_args[0].exposed_as", "variable_name")], |d| d.env_args[0].exposed_as = "A-B".into());
    breaks(&[("spec.env_args[1].exposed_as", "variable_collision")], |d| {
        d.env_args[1] = expose("EXTRA", "WEB_PORT");
    });
    breaks(&[("spec.env_args[2].exposed_as", "exposed_twice")], |d| {
        d.env_args.extend([expose("MORE", "SEEN")]);
        d.env_args[1].exposed_as = "SEEN".into();
    });
    let mut exposing = package();
    exposing.plans[0].components[0].parameters[0].exposed_as = Some(VariableName::parse("SEEN").unwrap());
    let known = Known { package: Some(&exposing), ..Default::default() };
    breaks_in(&known, &[("spec.env_args[1].exposed_as", "exposed_twice")], |d| {
        d.env_args[1] = expose("EXTRA", "SEEN");
    });
    breaks_in(&known, &[("spec.env_args[2].value_from", "secret_exposed")], |d| {
        let value_from = Some(("db".into(), "password".into()));
        d.env_args.push(EnvArgDraft { value_from, ..arg("LEVEL", "") });
    });
    // What is given is exposed as the package says, unless it says so itself.
    for (given, seen) in [(arg("LEVEL", "9"), "SEEN"), (expose("LEVEL", "OTHER"), "OTHER")] {
        let mut draft = draft();
        draft.env_args.push(given);
        let judged = judge(&draft, &known).unwrap();
        assert_eq!(judged.parameters[0].exposed_as.as_ref().map(VariableName::as_str), Some(seen));
    }
}
