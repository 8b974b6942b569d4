use serde_json::{Value, json};

use crate::manifest::Kind;
use crate::manifest::render::{self, Answers, Owner, list};
use crate::wire;

fn owner() -> Owner {
    Owner { organization_guid: "org-a".into(), organization_name: "acme".into(), project_name: "shop".into() }
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn metadata(name: &str) -> Option<wire::Metadata> {
    Some(wire::Metadata {
        name: name.into(),
        guid: "guid-1".into(),
        project: "project-1".into(),
        labels: [("app".to_owned(), "shop".to_owned())].into(),
        created_at: at(1_800_000_000),
        updated_at: at(1_800_000_001),
        creator: "user-1".into(),
    })
}

fn variable(name: &str, value: &str) -> wire::EnvVar {
    wire::EnvVar { name: name.into(), value: value.into(), ..Default::default() }
}

fn stopped_deployment() -> wire::Deployment {
    let spec = wire::DeploymentSpec {
        package_name: "My App".into(),
        package_version: "v1".into(),
        env_args: vec![variable("LEVEL", "debug")],
        static_routes: vec![wire::StaticRouteBinding {
            static_route: "shop-web".into(),
            endpoint: "WEB".into(),
        }],
        ..Default::default()
    };
    let executable = wire::ExecutableStatus {
        name: "web".into(),
        image: "nginx:1.27".into(),
        state: wire::ExecutableState::Error.into(),
        error_code: "DEP_E153".into(),
        exit_code: Some(1),
        ..Default::default()
    };
    let parent = wire::DependencyStatus {
        name: "db".into(),
        guid: "dep-2".into(),
        phase: wire::Phase::Succeeded.into(),
        status: wire::Status::Running.into(),
        error_codes: Vec::new(),
    };
    let endpoint = wire::EndpointStatus {
        name: "WEB".into(),
        r#type: wire::EndpointType::ExternalHttps.into(),
        random_host: "inst-x.ep-r.io".into(),
        static_hosts: vec!["shop-web-2.ep-r.io".into(), "shop-web.ep-r.io".into()],
        url: "https://shop-web.ep-r.io".into(),
        backends: Vec::new(),
    };
    let status = wire::DeploymentStatus {
        phase: wire::Phase::Stopped.into(),
        status: wire::Status::Stopped.into(),
        generation: 3,
        endpoints: vec![endpoint],
        environment: vec![
            variable("WEB", "https://shop-web.ep-r.io:443"),
            variable("WEB_HOST", "shop-web.ep-r.io"),
            variable("WEB_PORT", "443"),
            variable("LEVEL", "debug"),
        ],
        error_codes: vec!["DEP_E156".into()],
        executables: vec![executable],
        dependencies: vec![parent],
        events: vec![wire::Event { at: at(1_800_000_002), message: "stopped".into() }],
        stopped_at: at(1_800_000_003),
        ..Default::default()
    };
    wire::Deployment { metadata: metadata("d"), spec: Some(spec), status: Some(status) }
}

#[test]
fn a_deployment_says_what_the_client_looks_for() {
    let owner = owner();
    let answer = Answers::of(&owner).deployment(&stopped_deployment());
    assert_eq!(
        answer["metadata"],
        json!({
            "name": "d", "guid": "guid-1", "projectGUID": "project-1", "creatorGUID": "user-1",
            "labels": {"app": "shop"}, "createdAt": "2027-01-15T08:00:00Z",
            "updatedAt": "2027-01-15T08:00:01Z", "deletedAt": "2027-01-15T08:00:03Z", "generation": 3,
            "depends": {"kind": "package", "nameOrGUID": "My App", "version": "v1"},
            "organizationGUID": "org-a", "organizationName": "acme", "projectName": "shop",
        })
    );
    assert_eq!(
        answer["spec"],
        json!({
            "runtime": "cloud",
            "envArgs": [
                {"name": "LEVEL", "value": "debug"},
                {"name": "WEB", "value": "https://shop-web.ep-r.io:443"},
                {"name": "WEB_HOST", "value": "shop-web.ep-r.io"},
                {"name": "WEB_PORT", "value": "443"},
            ],
            "staticRoutes": [{
                "name": "WEB", "url": "shop-web.ep-r.io",
                "depends": {"kind": "staticroute", "nameOrGUID": "shop-web"},
            }],
        })
    );
    let status = &answer["status"];
    assert_eq!((&status["phase"], &status["status"]), (&json!("Stopped"), &json!("Stopped")));
    assert_eq!(
        status["executables_status"],
        json!({"web": {
            "name": "web", "image": "nginx:1.27", "status": "error", "error_code": "DEP_E153",
            "restart_count": 0, "exit_code": 1,
        }})
    );
    assert_eq!(
        status["dependencies"],
        json!({"deployments": [{"name": "db", "guid": "dep-2", "phase": "Succeeded", "status": "Running"}]})
    );
    assert_eq!(status["error_codes"], json!(["DEP_E156"]));
    assert_eq!(status["events"], json!([{"at": "2027-01-15T08:00:02Z", "message": "stopped"}]));
    assert_eq!(top(&answer), ["apiVersion", "kind", "metadata", "spec", "status"]);
}

/// People who apply it again are not told what is worked out anew each time.
#[test]
fn a_file_has_what_its_author_said() {
    let file = render::deployment(&stopped_deployment());
    assert_eq!(file["spec"]["envArgs"], json!([{"name": "LEVEL", "value": "debug"}]));
    assert_eq!(file["spec"].get("runtime"), None);
    assert_eq!(file["spec"]["staticRoutes"][0].get("url"), None);
}

fn top(answer: &Value) -> Vec<&str> {
    let mut fields: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

#[test]
fn a_static_route_has_no_range_its_model_refuses() {
    let mut route = wire::StaticRoute {
        metadata: metadata("shop-web"),
        hostname: "shop-web.ep-r.io".into(),
        source_ranges: ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32"].map(str::to_owned).into(),
        bound_to: None,
    };
    let owner = owner();
    let answer = Answers::of(&owner).static_route(&route);
    assert_eq!(
        answer["spec"],
        json!({
            "url": "shop-web.ep-r.io",
            "sourceIPRange": ["10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1"],
            "furtherSourceIPRange": ["2001:db8::/32"],
        })
    );
    assert_eq!(answer["status"], json!({"status": "Available"}));
    route.bound_to = Some(wire::BoundTo {
        deployment_guid: "dep-1".into(),
        deployment_name: "d".into(),
        endpoint: "WEB".into(),
        package_guid: "pkg-1".into(),
        ..Default::default()
    });
    let status = &Answers::of(&owner).static_route(&route)["status"];
    assert_eq!(
        *status,
        json!({
            "status": "Unavailable", "packageID": "pkg-1", "deploymentID": "dep-1", "deployment": "d",
            "endpoint": "WEB",
        })
    );
}

#[test]
fn secrets_are_shown_without_what_they_hold() {
    let docker = wire::DockerCredentials {
        username: "u".into(),
        password: "p".into(),
        email: "e@x".into(),
        ..Default::default()
    };
    let data = Some(wire::secret::Data::Docker(docker));
    let owner = owner();
    let answer = Answers::of(&owner).secret(&wire::Secret { metadata: metadata("s"), data });
    let shown = json!({"registry": "https://index.docker.io/v1/", "username": "u", "email": "e@x"});
    assert_eq!(answer["spec"], json!({"type": "Docker", "docker": shown}));
    let values = ["b", "a"].map(|key| (key.to_owned(), "hidden".to_owned())).into();
    let data = Some(wire::secret::Data::Opaque(wire::OpaqueData { values }));
    let answer = Answers::of(&owner).secret(&wire::Secret { metadata: metadata("s"), data });
    assert_eq!(answer["spec"], json!({"type": "Opaque", "secretKeys": ["a", "b"]}));
}

#[test]
fn a_build_says_no_type_that_its_model_refuses() {
    let build = wire::BuildReference { build: "b".into(), ..Default::default() };
    let executable = wire::Executable {
        name: "e".into(),
        kind: Some(wire::executable::Kind::Build(build)),
        ..Default::default()
    };
    let component =
        wire::Component { name: "default".into(), executables: vec![executable], ..Default::default() };
    let plans = vec![wire::Plan { components: vec![component], ..Default::default() }];
    let package = wire::Package { metadata: metadata("p"), version: "1".into(), plans, ..Default::default() };
    let owner = owner();
    let answer = Answers::of(&owner).package(&package);
    assert_eq!(answer["spec"], json!({"executables": [{"name": "e", "build": {"name": "b"}}]}));
    assert_eq!(render::package(&package)["spec"]["executables"][0]["type"], "build");
}

#[test]
fn a_project_has_the_features_its_model_wants() {
    let project = wire::Project {
        metadata: metadata("shop"),
        organization: "org-a".into(),
        organization_name: "acme".into(),
    };
    let answer = Answers::of(&Owner::default()).project(&project);
    assert_eq!(answer["status"], json!({"status": "Success"}));
    assert_eq!(answer["spec"]["features"]["dockerCache"], json!({"enabled": false}));
    assert_eq!(answer["metadata"]["organizationGUID"], "org-a");
    assert_eq!(answer["metadata"]["projectGUID"], "guid-1");
    assert_eq!(top(&answer), ["apiVersion", "kind", "metadata", "spec", "status"]);
}

#[test]
fn a_listing_says_where_to_go_on() {
    let page = list(Kind::Package, vec![json!({})], Some(7));
    assert_eq!(
        page,
        json!({"apiVersion": "api.rapyuta.io/v2", "kind": "PackageList", "metadata": {"continue": 7}, "items": [{}]})
    );
    assert_eq!(list(Kind::Secret, Vec::new(), None)["metadata"]["continue"], Value::Null);
}
