use proto::wire;
use tonic::Code;

use crate::samples::{bound, deployment, full, full_deployment, guid_of, hello, name_of};
use crate::stage::{Stage, assert_refused, told};

fn environment(deployment: &wire::Deployment) -> Vec<String> {
    let status = deployment.status.as_ref().unwrap();
    status.environment.iter().map(|var| format!("{}={}", var.name, var.value)).collect()
}

fn endpoint<'d>(deployment: &'d wire::Deployment, name: &str) -> &'d wire::EndpointStatus {
    let status = deployment.status.as_ref().unwrap();
    status.endpoints.iter().find(|endpoint| endpoint.name == name).unwrap()
}

#[tokio::test]
async fn it_has_random_routes_an_environment_and_the_static_host_it_asked_for() {
    let stage = Stage::start().await;
    stage.create_package(full()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let created =
        stage.create_deployment(bound(full_deployment("one"), "my-shop.ep-r.io", "SECURE")).await.unwrap();
    assert!(created.receipt.unwrap().revision.unwrap().number > 0);
    let one = created.deployment.unwrap();
    assert_eq!(stage.get_deployment("one").await, one);
    assert_eq!(stage.get_deployment(guid_of(&one.metadata)).await, one);

    let web = endpoint(&one, "WEB");
    assert_eq!(web.url, format!("http://{}", web.random_host));
    let label = web.random_host.strip_suffix(".ep-r.io").unwrap();
    let (a, b) = label.strip_prefix("inst-").unwrap().split_once('-').unwrap();
    assert!(
        (a.len(), b.len()) == (24, 6) && (a.to_owned() + b).chars().all(|c| c.is_ascii_lowercase()),
        "{label}"
    );
    assert_eq!(endpoint(&one, "SECURE").static_hosts, ["my-shop.ep-r.io"]);
    assert_eq!(endpoint(&one, "SECURE").url, "https://my-shop.ep-r.io");
    assert!(
        endpoint(&one, "RAW").url.ends_with(".ep-r.io:443") && endpoint(&one, "DB").random_host.is_empty()
    );

    let environment = environment(&one);
    for line in [
        "SECURE=https://my-shop.ep-r.io:443",
        "SECURE_HOST=my-shop.ep-r.io",
        "WEB_PORT=80",
        "DB_PORT=5432",
        "LEVEL=info",
    ] {
        assert!(environment.contains(&line.to_owned()), "{line} in {environment:?}");
    }
    let status = one.status.as_ref().unwrap();
    assert_eq!(
        (status.phase(), status.status(), status.generation),
        (wire::Phase::InProgress, wire::Status::Pending, 1)
    );
}

#[tokio::test]
async fn all_faults_come_at_once_whatever_they_depend_on() {
    let stage = Stage::start().await;
    stage.create_package(full()).await.unwrap();
    stage.create_static_route("taken-one").await.unwrap();
    stage.deploy(bound(full_deployment("holder"), "taken-one", "WEB")).await;
    let mut bad = bound(full_deployment("holder"), "taken-one", "WEB");
    bad = bound(bound(bad, "not-there", "NO"), "x", "WEB");
    let spec = bad.spec.as_mut().unwrap();
    spec.env_args =
        vec![wire::EnvVar { name: "WEB_HOST".into(), value: String::new(), ..Default::default() }];
    spec.volumes = vec![wire::Volume {
        executable: "other".into(),
        mount_path: "/d".into(),
        disk: "d".into(),
        ..Default::default()
    }];
    let (code, faults) = told(&stage.create_deployment(bad).await.unwrap_err());
    assert_eq!(code, Code::InvalidArgument);
    let mut faults: Vec<_> = faults.iter().map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("metadata.name", "deployment_exists"),
            ("spec.env_args[0].name", "variable_of_endpoint"),
            ("spec.static_routes[0].static_route", "static_route_bound"),
            ("spec.static_routes[1].endpoint", "endpoint_unknown"),
            ("spec.static_routes[1].static_route", "static_route_unknown"),
            ("spec.static_routes[2].static_route", "static_route_length"),
            ("spec.volumes[0].executable", "executable_unknown"),
        ]
    );
    // Those that depend on what is stored alone are no fault of the input.
    let taken = bound(full_deployment("another"), "taken-one", "WEB");
    let message = assert_refused(
        stage.create_deployment(taken).await,
        Code::FailedPrecondition,
        "spec.static_routes[0].static_route",
        "static_route_bound",
    );
    assert!(message.contains("deployment holder (dep-"), "{message}");
    assert_refused(
        stage.create_deployment(full_deployment("holder")).await,
        Code::AlreadyExists,
        "metadata.name",
        "deployment_exists",
    );
}

#[tokio::test]
async fn stopping_releases_everything_and_the_url_is_the_same_next_time() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let first = stage.deploy(bound(deployment("shop"), "my-shop", "")).await;
    assert_eq!(
        first.status.as_ref().unwrap().phase(),
        wire::Phase::Succeeded,
        "its backends are simply there"
    );
    let stopped = stage.stop_deployment("shop").await.unwrap();
    let revision = stopped.receipt.unwrap().revision.unwrap();
    let stopped = stopped.deployment.unwrap();
    assert_eq!(stopped.status.as_ref().unwrap().phase(), wire::Phase::Stopped);
    assert!(endpoint(&stopped, "WEB").url.is_empty() && environment(&stopped) == ["LEVEL=info"]);
    assert_eq!(stage.get_deployment("shop").await, stopped, "it stays listed");
    assert_eq!(stage.get_static_route("my-shop").await.bound_to, None);
    let route = stage.route_at("my-shop.ep-r.io", &revision).await.unwrap();
    let last = wire::Unbound { last_protocol: wire::EdgeProtocol::Http.into() };
    assert_eq!(route.target, Some(wire::route::Target::Unbound(last)));

    // Again is no error and changes nothing.
    assert_eq!(stage.stop_deployment("shop").await.unwrap().deployment.unwrap(), stopped);

    let second = stage.deploy(bound(deployment("shop"), "my-shop", "WEB")).await;
    assert_eq!(endpoint(&second, "WEB").url, endpoint(&first, "WEB").url);
    assert_ne!(endpoint(&second, "WEB").random_host, endpoint(&first, "WEB").random_host);
    assert_ne!(guid_of(&second.metadata), guid_of(&first.metadata));
    assert_eq!(stage.get_deployment("shop").await, second, "the live one has the name");
    assert_eq!(stage.get_deployment(guid_of(&first.metadata)).await, stopped);
}

#[tokio::test]
async fn listing_by_phase() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    for name in ["a", "b", "c"] {
        stage.deploy(deployment(name)).await;
    }
    stage.stop_deployment("b").await.unwrap();
    let list = async |phases: &[wire::Phase]| {
        let phases = phases.iter().map(|phase| (*phase).into()).collect();
        let request = wire::ListDeploymentsRequest { phases, ..Default::default() };
        let listed = stage.deployments().list_deployments(request).await.unwrap().into_inner();
        let mut names: Vec<_> = listed.deployments.iter().map(|d| name_of(&d.metadata).to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(list(&[]).await, ["a", "b", "c"]);
    assert_eq!(list(&[wire::Phase::Stopped]).await, ["b"]);
    assert_eq!(list(&[wire::Phase::Succeeded, wire::Phase::InProgress]).await, ["a", "c"]);
    let unknown = wire::ListDeploymentsRequest { phases: vec![1, 99], ..Default::default() };
    assert_refused(
        stage.deployments().list_deployments(unknown).await,
        Code::InvalidArgument,
        "phases[1]",
        "unknown_value",
    );
}

#[tokio::test]
async fn a_trial_is_judged_and_does_nothing() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let trial = wire::CreateDeploymentRequest {
        deployment: Some(bound(deployment("shop"), "my-shop", "WEB")),
        dry_run: true,
        ..Default::default()
    };
    let judged = stage.deployments().create_deployment(trial).await.unwrap().into_inner();
    assert!(judged.receipt.is_none() && judged.deployment.is_some());
    assert_eq!(stage.get_static_route("my-shop").await.bound_to, None);
    stage.deploy(deployment("shop")).await;
}

#[tokio::test]
async fn a_wait_is_judged_before_anything_is_done() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let wait = |seconds| wire::WaitForProxies { timeout: Some(prost_types::Duration { seconds, nanos: 0 }) };
    let create = |seconds| wire::CreateDeploymentRequest {
        deployment: Some(deployment("shop")),
        wait: Some(wait(seconds)),
        ..Default::default()
    };
    for bad in [61, -1] {
        let refused = stage.deployments().create_deployment(create(bad)).await;
        assert_refused(refused, Code::InvalidArgument, "wait.timeout", "wait_timeout");
    }
    let created = stage.deployments().create_deployment(create(1)).await.unwrap().into_inner();
    let receipt = created.receipt.unwrap();
    assert!(receipt.applied_by.is_empty() && receipt.lagging.is_empty(), "no proxy follows");
}
