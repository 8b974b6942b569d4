//! What tests create.

use proto::wire;
use proto::wire::EndpointType::{ExternalHttp, ExternalHttps, ExternalSecureTcp, InternalTcp};

use crate::stage::Stage;

fn metadata(name: &str) -> Option<wire::Metadata> {
    Some(wire::Metadata { name: name.into(), ..Default::default() })
}

fn endpoint(name: &str, kind: wire::EndpointType) -> wire::Endpoint {
    wire::Endpoint { name: name.into(), r#type: kind.into(), ..Default::default() }
}

/// One component with these endpoints.
pub(crate) fn package_of(name: &str, version: &str, endpoints: Vec<wire::Endpoint>) -> wire::Package {
    let docker = wire::DockerImage { image: "nginx:1.27".into(), ..Default::default() };
    let executable = wire::Executable {
        name: "app".into(),
        kind: Some(wire::executable::Kind::Docker(docker)),
        limits: Some(wire::Limits { cpu: "1.5".into(), memory_mib: 256 }),
        ..Default::default()
    };
    let component = wire::Component {
        name: "main".into(),
        executables: vec![executable],
        parameters: vec![wire::Parameter {
            name: "LEVEL".into(),
            default_value: Some("info".into()),
            ..Default::default()
        }],
        endpoints,
        ..Default::default()
    };
    let plans = vec![wire::Plan { components: vec![component], ..Default::default() }];
    wire::Package { metadata: metadata(name), version: version.into(), plans, ..Default::default() }
}

/// `hello 1.0`: WEB over HTTP and nothing else.
pub(crate) fn hello() -> wire::Package {
    package_of("hello", "1.0", vec![endpoint("WEB", ExternalHttp)])
}

/// `full 1.0`: an endpoint of each protocol.
pub(crate) fn full() -> wire::Package {
    let endpoints = vec![
        endpoint("WEB", ExternalHttp),
        endpoint("SECURE", ExternalHttps),
        endpoint("RAW", ExternalSecureTcp),
        wire::Endpoint { port: 5432, ..endpoint("DB", InternalTcp) },
    ];
    package_of("full", "1.0", endpoints)
}

/// Of the package `hello`, with one backend that is simply there.
pub(crate) fn deployment(name: &str) -> wire::Deployment {
    let backend = wire::Backend { address: "10.0.0.7:8080".into(), unhealthy: false };
    let spec = wire::DeploymentSpec {
        package_name: "hello".into(),
        package_version: "1.0".into(),
        backends: vec![wire::EndpointBackends { endpoint: "WEB".into(), backends: vec![backend] }],
        ..Default::default()
    };
    wire::Deployment { metadata: metadata(name), spec: Some(spec), status: None }
}

/// Of the package `full`, without backends.
pub(crate) fn full_deployment(name: &str) -> wire::Deployment {
    let spec = wire::DeploymentSpec {
        package_name: "full".into(),
        package_version: "1.0".into(),
        ..Default::default()
    };
    wire::Deployment { metadata: metadata(name), spec: Some(spec), status: None }
}

pub(crate) fn bound(mut deployment: wire::Deployment, route: &str, endpoint: &str) -> wire::Deployment {
    let binding = wire::StaticRouteBinding { static_route: route.into(), endpoint: endpoint.into() };
    deployment.spec.as_mut().unwrap().static_routes.push(binding);
    deployment
}

pub(crate) fn static_route(name: &str) -> wire::StaticRoute {
    wire::StaticRoute { metadata: metadata(name), ..Default::default() }
}

pub(crate) fn name_of(metadata: &Option<wire::Metadata>) -> &str {
    &metadata.as_ref().unwrap().name
}

pub(crate) fn guid_of(metadata: &Option<wire::Metadata>) -> &str {
    &metadata.as_ref().unwrap().guid
}

impl Stage {
    pub(crate) async fn create_package(
        &self,
        package: wire::Package,
    ) -> Result<wire::Package, tonic::Status> {
        let request = wire::CreatePackageRequest { package: Some(package), dry_run: false };
        self.packages().create_package(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn create_deployment(
        &self,
        deployment: wire::Deployment,
    ) -> Result<wire::CreateDeploymentResponse, tonic::Status> {
        let request = wire::CreateDeploymentRequest { deployment: Some(deployment), ..Default::default() };
        self.deployments().create_deployment(request).await.map(tonic::Response::into_inner)
    }

    /// A deployment that is taken.
    pub(crate) async fn deploy(&self, deployment: wire::Deployment) -> wire::Deployment {
        self.create_deployment(deployment).await.unwrap().deployment.unwrap()
    }

    pub(crate) async fn get_deployment(&self, name: &str) -> wire::Deployment {
        let request = wire::GetDeploymentRequest { name: name.into(), ..Default::default() };
        self.deployments().get_deployment(request).await.unwrap().into_inner()
    }

    pub(crate) async fn stop_deployment(
        &self,
        name: &str,
    ) -> Result<wire::StopDeploymentResponse, tonic::Status> {
        let request = wire::StopDeploymentRequest { name: name.into(), ..Default::default() };
        self.deployments().stop_deployment(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn create_static_route(&self, name: &str) -> Result<wire::StaticRoute, tonic::Status> {
        let request =
            wire::CreateStaticRouteRequest { static_route: Some(static_route(name)), dry_run: false };
        self.static_routes().create_static_route(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn get_static_route(&self, name: &str) -> wire::StaticRoute {
        let request = wire::GetStaticRouteRequest { name: name.into(), ..Default::default() };
        self.static_routes().get_static_route(request).await.unwrap().into_inner()
    }

    pub(crate) async fn bind(
        &self,
        route: &str,
        deployment: &str,
        move_it: bool,
    ) -> Result<wire::BindStaticRouteResponse, tonic::Status> {
        let request = wire::BindStaticRouteRequest {
            name: route.into(),
            deployment: deployment.into(),
            r#move: move_it,
            ..Default::default()
        };
        self.static_routes().bind_static_route(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn unbind(&self, route: &str) -> Result<wire::UnbindStaticRouteResponse, tonic::Status> {
        let request = wire::UnbindStaticRouteRequest { name: route.into(), ..Default::default() };
        self.static_routes().unbind_static_route(request).await.map(tonic::Response::into_inner)
    }
}
