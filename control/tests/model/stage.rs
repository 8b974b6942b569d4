use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use control::store::Store;
use control::tasks::Tasks;
use control::{Config, Control, ServeError};
use proto::wire::deployment_service_client::DeploymentServiceClient;
use proto::wire::identity_service_client::IdentityServiceClient;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::route_feed_service_client::RouteFeedServiceClient;
use proto::wire::route_service_client::RouteServiceClient;
use proto::wire::static_route_service_client::StaticRouteServiceClient;
use proto::{Hostname, wire};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::proxy::Proxy;

/// A control plane with two projects of one organization, and the package `hello` in both.
pub(crate) struct Stage {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) projects: Vec<String>,
    pub(crate) organization: String,
    /// Most static routes both projects may have together.
    pub(crate) most: Option<usize>,
    channel: Channel,
    dir: TempDir,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), ServeError>>,
}

/// What clients call.
pub(crate) struct Apis {
    pub(crate) deployments: DeploymentServiceClient<Authorized>,
    pub(crate) static_routes: StaticRouteServiceClient<Authorized>,
}

/// Adds a token to each call.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

pub(crate) type Authorized = InterceptedService<Channel, Bearer>;

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

pub(crate) fn domains() -> Vec<Hostname> {
    ["ep-r.io", "ep-r.localhost"].map(|name| Hostname::parse(name).unwrap()).to_vec()
}

impl Stage {
    pub(crate) async fn start(most: Option<usize>) -> Self {
        let dir = TempDir::new().unwrap();
        let mut config = Config::new(dir.path().to_owned(), domains());
        config.grpc.set_port(0);
        // The last revision of a round is told at once, also when it changes no route.
        config.feed.heartbeat = Duration::from_millis(20);
        let control = Control::open(config).await.unwrap();
        let (store, target) = (control.store(), format!("http://{}", control.grpc_addr()));
        let (stop, asked) = oneshot::channel::<()>();
        let (tell, ended) = oneshot::channel();
        Tasks::new().spawn("control", async move {
            let stopped = async move {
                let _ = asked.await;
            };
            let _ = tell.send(control.run(stopped).await);
        });
        let channel = Channel::from_shared(target).unwrap().connect().await.unwrap();
        let (projects, organization) = (Vec::new(), String::new());
        let mut stage = Self { store, projects, organization, most, channel, dir, stop, ended };
        stage.set_up().await;
        stage
    }

    async fn set_up(&mut self) {
        let mut identity = self.identity();
        let own = identity.who_am_i(wire::WhoAmIRequest {}).await.unwrap().into_inner().project;
        let request = wire::GetProjectRequest { name: own.clone() };
        self.organization = identity.get_project(request).await.unwrap().into_inner().organization;
        if let Some(most) = self.most {
            let request = wire::GetOrganizationRequest { name: self.organization.clone() };
            let mut organization = identity.get_organization(request).await.unwrap().into_inner();
            organization.set_subscription(wire::Subscription::Enterprise);
            organization.static_routes = u32::try_from(most).unwrap();
            let request = wire::UpdateOrganizationRequest { organization: Some(organization) };
            identity.update_organization(request).await.unwrap();
        }
        let metadata = Some(wire::Metadata { name: "other".into(), ..Default::default() });
        let project = Some(wire::Project { metadata, ..Default::default() });
        let made = identity.create_project(wire::CreateProjectRequest { project }).await.unwrap();
        self.projects = vec![own, made.into_inner().metadata.unwrap().guid];
        let mut packages = PackageServiceClient::new(self.authorized("admin.token"));
        for project in &self.projects {
            let request = wire::CreatePackageRequest { package: Some(hello(project)), dry_run: false };
            packages.create_package(request).await.unwrap();
        }
    }

    pub(crate) fn apis(&self) -> Apis {
        let admin = self.authorized("admin.token");
        Apis {
            deployments: DeploymentServiceClient::new(admin.clone()),
            static_routes: StaticRouteServiceClient::new(admin),
        }
    }

    pub(crate) fn follow(&self) -> Proxy {
        Proxy::follow(RouteFeedServiceClient::new(self.authorized("proxy.token")))
    }

    /// Every name that is listed, in both projects.
    pub(crate) async fn routes(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut routes = RouteServiceClient::new(self.authorized("admin.token"));
        for project in &self.projects {
            let page = Some(wire::PageRequest { size: 1000, ..Default::default() });
            let request = wire::ListRoutesRequest { page, project: project.clone() };
            let listed = routes.list_routes(request).await.unwrap().into_inner();
            assert!(listed.page.unwrap_or_default().next_token.is_empty());
            names.extend(listed.routes.into_iter().map(|route| route.hostname));
        }
        names
    }

    /// How many static routes organizations are said to have.
    pub(crate) async fn static_routes_used(&self) -> Vec<(String, usize)> {
        let request = wire::GetOrganizationRequest { name: self.organization.clone() };
        let found = self.identity().get_organization(request).await.unwrap().into_inner();
        vec![(self.organization.clone(), usize::try_from(found.static_routes_used).unwrap())]
    }

    /// Stops it, and tells where its store is.
    pub(crate) async fn stop(self) -> Kept {
        let Self { dir, stop, ended, channel, store, .. } = self;
        drop(channel);
        stop.send(()).unwrap();
        ended.await.unwrap().unwrap();
        drop(store);
        Kept { path: dir.path().join("store.redb"), _dir: dir }
    }

    fn identity(&self) -> IdentityServiceClient<Authorized> {
        IdentityServiceClient::new(self.authorized("admin.token"))
    }

    fn authorized(&self, file: &str) -> Authorized {
        let token = std::fs::read_to_string(self.dir.path().join(file)).unwrap();
        let bearer = Bearer(format!("Bearer {}", token.trim()).parse().unwrap());
        InterceptedService::new(self.channel.clone(), bearer)
    }
}

/// The file of a store that nobody has open.
pub(crate) struct Kept {
    path: PathBuf,
    _dir: TempDir,
}

impl std::ops::Deref for Kept {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// `hello 1.0`: WEB over HTTP and nothing else.
fn hello(project: &str) -> wire::Package {
    let docker = wire::DockerImage { image: "nginx:1.27".into(), ..Default::default() };
    let executable = wire::Executable {
        name: "app".into(),
        kind: Some(wire::executable::Kind::Docker(docker)),
        ..Default::default()
    };
    let kind = wire::EndpointType::ExternalHttp.into();
    let endpoint = wire::Endpoint { name: "WEB".into(), r#type: kind, ..Default::default() };
    let component = wire::Component {
        name: "main".into(),
        executables: vec![executable],
        endpoints: vec![endpoint],
        ..Default::default()
    };
    let metadata = wire::Metadata { name: "hello".into(), project: project.to_owned(), ..Default::default() };
    let plans = vec![wire::Plan { components: vec![component], ..Default::default() }];
    wire::Package { metadata: Some(metadata), version: "1.0".into(), plans, ..Default::default() }
}
