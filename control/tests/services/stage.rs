//! A control plane for one test, and clients for it.

use std::path::Path;
use std::sync::Arc;

use control::tasks::Tasks;
use control::{Config, Control, ServeError};
use prost::Message as _;
use proto::wire::deployment_service_client::DeploymentServiceClient;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::route_service_client::RouteServiceClient;
use proto::wire::runtime_service_client::RuntimeServiceClient;
use proto::wire::static_route_service_client::StaticRouteServiceClient;
use proto::{Hostname, wire};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// A running control plane. Dropping it asks it to stop.
pub(crate) struct Stage {
    pub(crate) dir: Arc<TempDir>,
    pub(crate) channel: Channel,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), ServeError>>,
}

/// Adds a token to each call.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

pub(crate) type Authorized = InterceptedService<Channel, Bearer>;

impl Bearer {
    pub(crate) fn from_file(path: &Path) -> Self {
        let token = std::fs::read_to_string(path).unwrap();
        Self(Some(format!("Bearer {}", token.trim()).parse().unwrap()))
    }

    pub(crate) fn token(text: &str) -> Self {
        Self(Some(format!("Bearer {text}").parse().unwrap()))
    }

    pub(crate) fn nobody() -> Self {
        Self(None)
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

pub(crate) fn config(dir: &Path) -> Config {
    let domains = ["ep-r.io", "ep-r.localhost"].map(|name| Hostname::parse(name).unwrap());
    let mut config = Config::new(dir.to_owned(), domains.to_vec());
    config.grpc.set_port(0);
    config
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::on(Arc::new(TempDir::new().unwrap())).await
    }

    /// On a data directory that may have been used before.
    pub(crate) async fn on(dir: Arc<TempDir>) -> Self {
        Self::with(dir, |_| {}).await
    }

    /// As [`Stage::on`], with other settings.
    pub(crate) async fn with(dir: Arc<TempDir>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(dir.path());
        change(&mut config);
        let control = Control::open(config).await.unwrap();
        let target = format!("http://{}", control.grpc_addr());
        let (stop, asked) = oneshot::channel::<()>();
        let (tell, ended) = oneshot::channel();
        Tasks::new().spawn("control", async move {
            let result = control
                .run(async move {
                    let _ = asked.await;
                })
                .await;
            let _ = tell.send(result);
        });
        let channel = Channel::from_shared(target).unwrap().connect().await.unwrap();
        Self { dir, channel, stop, ended }
    }

    /// Stops it, and hands back its data directory.
    pub(crate) async fn stop(self) -> Arc<TempDir> {
        let Self { dir, stop, ended, channel } = self;
        stop.send(()).unwrap();
        ended.await.unwrap().unwrap();
        drop(channel);
        dir
    }

    fn authorized(&self) -> Authorized {
        InterceptedService::new(self.channel.clone(), Bearer::from_file(&self.dir.path().join("admin.token")))
    }

    pub(crate) fn packages(&self) -> PackageServiceClient<Authorized> {
        PackageServiceClient::new(self.authorized())
    }

    pub(crate) fn deployments(&self) -> DeploymentServiceClient<Authorized> {
        DeploymentServiceClient::new(self.authorized())
    }

    pub(crate) fn static_routes(&self) -> StaticRouteServiceClient<Authorized> {
        StaticRouteServiceClient::new(self.authorized())
    }

    pub(crate) fn routes(&self) -> RouteServiceClient<Authorized> {
        RouteServiceClient::new(self.authorized())
    }

    pub(crate) fn runtime(&self) -> RuntimeServiceClient<Authorized> {
        RuntimeServiceClient::new(self.authorized())
    }

    /// The route of `hostname` once the edge's table has reached `revision`.
    pub(crate) async fn route_at(&self, hostname: &str, revision: &wire::Revision) -> Option<wire::Route> {
        loop {
            let page =
                self.routes().list_routes(wire::ListRoutesRequest::default()).await.unwrap().into_inner();
            if page.revision.unwrap().number >= revision.number {
                return page.routes.into_iter().find(|route| route.hostname == hostname);
            }
        }
    }
}

/// The code of a refusal, and its faults as field and rule.
pub(crate) fn told(status: &Status) -> (Code, Vec<(String, String)>) {
    let faults = wire::Faults::decode(status.details()).unwrap().faults;
    (status.code(), faults.into_iter().map(|fault| (fault.field, fault.rule)).collect())
}

/// As [`told`], for one fault.
#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(
    result: Result<T, Status>,
    code: Code,
    field: &str,
    rule: &str,
) -> String {
    let status = result.unwrap_err();
    assert_eq!(told(&status), (code, vec![(field.to_owned(), rule.to_owned())]), "{}", status.message());
    status.message().to_owned()
}
