use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use proto::wire::deployment_service_client::DeploymentServiceClient;
use proto::wire::fleet_service_client::FleetServiceClient;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::route_service_client::RouteServiceClient;
use proto::wire::runtime_service_client::RuntimeServiceClient;
use proto::wire::secret_service_client::SecretServiceClient;
use proto::wire::static_route_service_client::StaticRouteServiceClient;
use proto::wire::{
    BindStaticRouteRequest, CreateStaticRouteRequest, Metadata, Receipt, StaticRoute, WaitForProxies,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::{OrFault as _, Outcome};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(20);

/// Puts the token into every call.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A channel whose calls carry a token.
pub type Authenticated = InterceptedService<Channel, Bearer>;

/// A connection to control with a token. Clones share the connection.
#[derive(Clone)]
pub struct Api(Authenticated);

impl Api {
    /// Connects with the token in a file.
    pub async fn connect(grpc: SocketAddr, token_file: &Path) -> Outcome<Self> {
        let token = fs::read_to_string(token_file).or_fault(token_file.display())?;
        Self::with_token(grpc, token.trim()).await
    }

    /// Connects with a token.
    pub async fn with_token(grpc: SocketAddr, token: &str) -> Outcome<Self> {
        let channel = Endpoint::from_shared(format!("http://{grpc}"))?.timeout(CALL).connect().await?;
        let bearer = Bearer(format!("Bearer {token}").parse()?);
        Ok(Self(InterceptedService::new(channel, bearer)))
    }

    /// Packages.
    pub fn packages(&self) -> PackageServiceClient<Authenticated> {
        PackageServiceClient::new(self.0.clone())
    }

    /// Deployments.
    pub fn deployments(&self) -> DeploymentServiceClient<Authenticated> {
        DeploymentServiceClient::new(self.0.clone())
    }

    /// Static routes.
    pub fn static_routes(&self) -> StaticRouteServiceClient<Authenticated> {
        StaticRouteServiceClient::new(self.0.clone())
    }

    /// Routes as the edge sees them.
    pub fn routes(&self) -> RouteServiceClient<Authenticated> {
        RouteServiceClient::new(self.0.clone())
    }

    /// What runtimes report.
    pub fn runtime(&self) -> RuntimeServiceClient<Authenticated> {
        RuntimeServiceClient::new(self.0.clone())
    }

    /// Secrets.
    pub fn secrets(&self) -> SecretServiceClient<Authenticated> {
        SecretServiceClient::new(self.0.clone())
    }

    /// Which proxies follow.
    pub fn fleet(&self) -> FleetServiceClient<Authenticated> {
        FleetServiceClient::new(self.0.clone())
    }

    /// Claims a static route.
    pub async fn create_static_route(&self, name: &str) -> Result<StaticRoute, Status> {
        let metadata = Metadata { name: name.to_owned(), ..Default::default() };
        let static_route = StaticRoute { metadata: Some(metadata), ..Default::default() };
        let request = CreateStaticRouteRequest { static_route: Some(static_route), dry_run: false };
        self.static_routes().create_static_route(request).await.map(tonic::Response::into_inner)
    }

    /// Binds or moves a static route to the only endpoint of a deployment, and if asked waits for the
    /// proxies connected now.
    pub async fn bind(
        &self,
        route: &str,
        deployment: &str,
        wait: Option<Duration>,
    ) -> Result<Receipt, Status> {
        let request = BindStaticRouteRequest {
            name: route.to_owned(),
            deployment: deployment.to_owned(),
            r#move: true,
            wait: wait.map(|wait| WaitForProxies { timeout: wait.try_into().ok() }),
            ..Default::default()
        };
        let bound = self.static_routes().bind_static_route(request).await?.into_inner();
        bound.receipt.ok_or_else(|| Status::internal("a bind without a receipt"))
    }
}
