use futures_util::StreamExt as _;
use proto::wire;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::route_feed_service_client::RouteFeedServiceClient;
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::samples::hello;
use crate::stage::{Bearer, Stage};

fn list() -> wire::ListPackagesRequest {
    wire::ListPackagesRequest::default()
}

#[tokio::test]
async fn everything_but_health_takes_a_token_of_its_role() {
    let stage = Stage::start().await;
    let nobody = InterceptedService::new(stage.channel.clone(), Bearer::nobody());
    let refused = PackageServiceClient::new(nobody.clone()).list_packages(list()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("admin.token"), "{}", refused.message());
    let health = HealthClient::new(nobody.clone()).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(health.into_inner().status(), ServingStatus::Serving);
    let large = HealthCheckRequest { service: "x".repeat(64 << 10) };
    let refused = HealthClient::new(nobody).check(large).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "nobody has room for strangers");

    let proxy = Bearer::from_file(&stage.dir.path().join("proxy.token"));
    let proxy = InterceptedService::new(stage.channel.clone(), proxy);
    let refused = PackageServiceClient::new(proxy.clone()).list_packages(list()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);

    let hello = wire::FollowRequest {
        message: Some(wire::follow_request::Message::Hello(wire::Hello {
            proxy_id: "p1".into(),
            ..Default::default()
        })),
    };
    // A proxy that has nothing more to say now: the end of its side would end the stream.
    let once = || tokio_stream::iter([hello.clone()]).chain(tokio_stream::pending());
    let admin = Bearer::from_file(&stage.dir.path().join("admin.token"));
    let admin = InterceptedService::new(stage.channel.clone(), admin);
    let refused = RouteFeedServiceClient::new(admin).follow(once()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut stream = RouteFeedServiceClient::new(proxy).follow(once()).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap().message.unwrap();
    assert!(matches!(first, wire::follow_response::Message::SnapshotBegin(_)), "{first:?}");
}

#[tokio::test]
async fn a_project_is_named_by_guid_or_name_or_not_at_all() {
    let stage = Stage::start().await;
    let own = stage.create_package(hello()).await.unwrap().metadata.unwrap().project;
    let named = |project: &str| wire::ListPackagesRequest { project: project.into(), ..Default::default() };
    for project in ["", "default", &own] {
        let listed = stage.packages().list_packages(named(project)).await.unwrap().into_inner();
        assert_eq!(listed.packages.len(), 1, "{project:?}");
    }
    for other in ["project-other", "project-aaaaaaaaaaaaaaaaaaaa", "Default"] {
        let refused = stage.packages().list_packages(named(other)).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        assert!(refused.message().contains(other), "{}", refused.message());
    }
    let mut elsewhere = hello();
    elsewhere.metadata.as_mut().unwrap().project = "project-other".into();
    assert_eq!(stage.create_package(elsewhere).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn the_services_can_be_looked_at() {
    let stage = Stage::start().await;
    let admin = Bearer::from_file(&stage.dir.path().join("admin.token"));
    let admin = InterceptedService::new(stage.channel.clone(), admin);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(admin);
    let mut stream = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = stream.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for service in [
        "PackageService",
        "DeploymentService",
        "StaticRouteService",
        "RuntimeService",
        "RouteService",
        "RouteFeedService",
        "FleetService",
    ] {
        assert!(names.contains(&format!("epr.v1.{service}")), "{service} in {names:?}");
    }
}
