//! Things as large as they may be.

use proto::wire;
use proto::wire::static_route_service_client::StaticRouteServiceClient;
use tonic::Code;

use crate::samples::{bound, deployment, hello, package_of, static_route};
use crate::stage::{Stage, assert_refused};

/// As much as a static route can have.
fn large_route(name: &str) -> wire::StaticRoute {
    let mut route = static_route(name);
    let labels = (0..63).map(|i| (format!("{i:04}"), "x".repeat(250)));
    route.metadata.as_mut().unwrap().labels = labels.collect();
    let range = |i| format!("fd00:1111:2222:3333:4444:5555:6666:{i:04x}/128");
    route.source_ranges = (0..256).map(range).collect();
    route
}

async fn create(
    client: &mut StaticRouteServiceClient<crate::stage::Authorized>,
    route: wire::StaticRoute,
) -> Result<wire::StaticRoute, tonic::Status> {
    let request = wire::CreateStaticRouteRequest { static_route: Some(route), dry_run: false };
    client.create_static_route(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_deployment_with_as_much_as_it_may_have_can_be_stopped() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let mut client = stage.static_routes();
    let mut large = deployment("large");
    for i in 0..60 {
        let name = format!("route-{i}");
        create(&mut client, large_route(&name)).await.unwrap();
        large = bound(large, &name, "WEB");
    }
    stage.deploy(large).await;
    stage.stop_deployment("large").await.unwrap();
    assert_eq!(stage.get_static_route("route-59").await.bound_to, None);

    // All routes through pages that any client takes.
    let (mut seen, mut token, mut pages) = (0, String::new(), 0);
    loop {
        let page = Some(wire::PageRequest { size: 1000, token });
        let request = wire::ListRoutesRequest { page, ..Default::default() };
        let listed = stage.routes().list_routes(request).await.unwrap().into_inner();
        (seen, pages) = (seen + listed.routes.len(), pages + 1);
        token = listed.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(seen == 120 && pages > 1, "{seen} in {pages}");

    let mut too_large = large_route("too-large");
    let labels = (0..64).map(|i| (format!("{i:04}"), "x".repeat(253)));
    too_large.metadata.as_mut().unwrap().labels = labels.collect();
    let refused = create(&mut client, too_large).await;
    assert_refused(refused, Code::InvalidArgument, "metadata.labels", "labels");
}

#[tokio::test]
async fn a_page_is_no_larger_than_clients_take() {
    let stage = Stage::start().await;
    for i in 0..10 {
        let mut package = package_of(&format!("package-{i}"), "1.0", Vec::new());
        package.description = "x".repeat(600_000);
        stage.create_package(package).await.unwrap();
    }
    let (mut seen, mut token) = (0, String::new());
    loop {
        let page = Some(wire::PageRequest { size: 0, token });
        let request = wire::ListPackagesRequest { page, ..Default::default() };
        let listed = stage.packages().list_packages(request).await.unwrap().into_inner();
        seen += listed.packages.len();
        token = listed.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 10);
}

#[tokio::test]
async fn a_record_has_a_largest_size() {
    let stage = Stage::start().await;
    let mut package = hello();
    // Each of these takes two bytes in the store.
    package.description = "\\".repeat(600_000);
    let refused = stage.create_package(package).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("the package would take"), "{}", refused.message());
}
