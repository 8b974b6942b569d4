use proto::wire;
use tonic::Code;

use crate::samples::{deployment, full, full_deployment, guid_of, hello, name_of, static_route};
use crate::stage::{Stage, assert_refused};

fn deployment_of(route: &wire::StaticRoute) -> &str {
    &route.bound_to.as_ref().unwrap().deployment_name
}

fn static_hosts(deployment: &wire::Deployment) -> Vec<String> {
    let endpoints = deployment.status.as_ref().unwrap().endpoints.iter();
    endpoints.flat_map(|endpoint| endpoint.static_hosts.clone()).collect()
}

#[tokio::test]
async fn a_name_is_claimed_once_and_found_by_all_its_names() {
    let stage = Stage::start().await;
    let claimed = stage.create_static_route("my-shop").await.unwrap();
    assert_eq!((claimed.hostname.as_str(), &claimed.bound_to), ("my-shop.ep-r.io", &None));
    for name in ["my-shop", "my-shop.ep-r.io", "MY-SHOP.ep-r.localhost", guid_of(&claimed.metadata)] {
        assert_eq!(stage.get_static_route(name).await, claimed, "{name}");
    }
    assert_refused(
        stage.create_static_route("my-shop").await,
        Code::AlreadyExists,
        "metadata.name",
        "static_route_taken",
    );
    for (name, rule) in
        [("abc", "static_route_length"), ("admin", "static_route_reserved"), ("My-Shop", "static_route_name")]
    {
        assert_refused(stage.create_static_route(name).await, Code::InvalidArgument, "metadata.name", rule);
    }
    let delete = wire::DeleteStaticRouteRequest { name: "my-shop".into(), ..Default::default() };
    stage.static_routes().delete_static_route(delete).await.unwrap();
    let again = stage.create_static_route("my-shop").await.unwrap();
    assert_ne!(guid_of(&again.metadata), guid_of(&claimed.metadata));
    let listed =
        stage.static_routes().list_static_routes(wire::ListStaticRoutesRequest::default()).await.unwrap();
    assert_eq!(listed.into_inner().static_routes, [again]);
}

#[tokio::test]
async fn a_random_route_cannot_be_claimed() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let shop = stage.deploy(deployment("shop")).await;
    let random = &shop.status.unwrap().endpoints[0].random_host;
    let label = random.strip_suffix(".ep-r.io").unwrap();
    assert_refused(
        stage.create_static_route(label).await,
        Code::InvalidArgument,
        "metadata.name",
        "static_route_reserved",
    );
}

#[tokio::test]
async fn bind_move_and_unbind() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let a = stage.deploy(deployment("a")).await;
    stage.deploy(deployment("b")).await;

    let bound = stage.bind("my-shop", "a", false).await.unwrap();
    assert_eq!(deployment_of(bound.static_route.as_ref().unwrap()), "a");
    assert_eq!(static_hosts(&stage.get_deployment("a").await), ["my-shop.ep-r.io"]);
    stage.bind("my-shop", guid_of(&a.metadata), false).await.unwrap();

    let message = assert_refused(
        stage.bind("my-shop", "b", false).await,
        Code::FailedPrecondition,
        "name",
        "static_route_bound",
    );
    assert!(message.contains("deployment a (dep-"), "{message}");
    let moved = stage.bind("my-shop", "b", true).await.unwrap();
    let revision = moved.receipt.unwrap().revision.unwrap();
    let route = stage.route_at("my-shop.ep-r.localhost", &revision).await.unwrap();
    let Some(wire::route::Target::Binding(binding)) = route.target else { panic!("not bound") };
    assert_eq!(binding.deployment, guid_of(&stage.get_deployment("b").await.metadata));
    assert_eq!(static_hosts(&stage.get_deployment("a").await), Vec::<String>::new());
    assert_eq!(static_hosts(&stage.get_deployment("b").await), ["my-shop.ep-r.io"]);

    let delete = || wire::DeleteStaticRouteRequest { name: "my-shop".into(), ..Default::default() };
    let message = assert_refused(
        stage.static_routes().delete_static_route(delete()).await,
        Code::FailedPrecondition,
        "name",
        "static_route_bound",
    );
    assert!(message.contains("of deployment b (dep-"), "{message}");
    for _ in 0..2 {
        assert_eq!(stage.unbind("my-shop").await.unwrap().static_route.unwrap().bound_to, None);
    }
    stage.static_routes().delete_static_route(delete()).await.unwrap();
    assert_eq!(stage.unbind("my-shop").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn only_a_live_external_endpoint_can_be_bound() {
    let stage = Stage::start().await;
    stage.create_package(full()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    stage.deploy(full_deployment("full")).await;
    let bind = |endpoint: &str| wire::BindStaticRouteRequest {
        name: "my-shop".into(),
        deployment: "full".into(),
        endpoint: endpoint.into(),
        ..Default::default()
    };
    for (endpoint, rule) in
        [("", "endpoint_required"), ("NO", "endpoint_unknown"), ("DB", "endpoint_not_external")]
    {
        let refused = stage.static_routes().bind_static_route(bind(endpoint)).await;
        let message = assert_refused(refused, Code::InvalidArgument, "endpoint", rule);
        assert!(message.contains("WEB, SECURE, RAW"), "{message}");
    }
    stage.static_routes().bind_static_route(bind("RAW")).await.unwrap();
    stage.unbind("my-shop").await.unwrap();
    stage.stop_deployment("full").await.unwrap();
    let late = stage.static_routes().bind_static_route(bind("RAW")).await;
    assert_refused(late, Code::FailedPrecondition, "deployment", "deployment_stopped");
    assert_eq!(stage.bind("my-shop", "never-was", false).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(stage.bind("never-was", "full", false).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn source_ranges_reach_the_edge() {
    let stage = Stage::start().await;
    let mut route = static_route("my-shop");
    route.source_ranges = vec!["10.0.0.0/8".into(), "nonsense".into()];
    let create = |route| wire::CreateStaticRouteRequest { static_route: Some(route), dry_run: false };
    let refused = stage.static_routes().create_static_route(create(route.clone())).await;
    assert_refused(refused, Code::InvalidArgument, "source_ranges[1]", "source_range");
    route.source_ranges[1] = "2001:db8::1".into();
    let created = stage.static_routes().create_static_route(create(route)).await.unwrap().into_inner();
    assert_eq!(created.source_ranges, ["10.0.0.0/8", "2001:db8::1/128"]);
    let unbound = stage.unbind("my-shop").await.unwrap();
    let revision = unbound.receipt.unwrap().revision.unwrap();
    let at_edge = stage.route_at(&created.hostname, &revision).await.unwrap();
    assert_eq!(at_edge.source_ranges, created.source_ranges);
    assert_eq!(name_of(&created.metadata), "my-shop");
}
