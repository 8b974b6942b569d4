use std::sync::Arc;

use control::domain::record;
use control::store::{Prefix, Store};
use proto::wire;
use tonic::Code;

use crate::dice::Dice;
use crate::stage::{Apis, Stage};

/// Names of static routes that both projects want.
const ROUTES: usize = 8;
/// Names of deployments in each project.
const DEPLOYMENTS: usize = 5;

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    Claim(String),
    Disclaim(String),
    Create { deployment: String, routes: Vec<String> },
    Update { deployment: String, routes: Vec<String> },
    Stop(String),
    Bind { route: String, deployment: String, takes_it: bool },
    Unbind(String),
}

/// What came of a wish.
#[derive(Debug)]
pub(crate) struct Did {
    pub(crate) project: String,
    pub(crate) wish: Wish,
    /// What the store stood at before it was told, and when it was answered.
    pub(crate) between: (u64, u64),
    pub(crate) answer: Result<Done, Code>,
}

/// A wish that was granted.
#[derive(Debug)]
pub(crate) struct Done {
    /// Where it is in the order, when the answer tells.
    pub(crate) revision: Option<u64>,
    /// What it made has this guid, when it made something.
    pub(crate) guid: String,
}

/// Wishes for this and that in one project.
pub(crate) struct Client {
    project: String,
    /// Where its deployments listen: an address belongs to one project.
    address: String,
    store: Arc<dyn Store>,
    apis: Apis,
    dice: Dice,
}

impl Client {
    pub(crate) fn new(stage: &Stage, number: usize, dice: Dice) -> Self {
        let which = number % stage.projects.len();
        let (project, address) = (stage.projects[which].clone(), format!("10.0.{which}.7:8080"));
        Self { project, address, store: stage.store.clone(), apis: stage.apis(), dice }
    }

    pub(crate) async fn act(&mut self) -> Did {
        let wish = self.wish();
        let before = self.readable().await;
        let answer = self.tell(&wish).await.map_err(|status| match status.code() {
            code @ (Code::AlreadyExists | Code::FailedPrecondition | Code::NotFound) => code,
            // Names in a spec are part of the input.
            code if status.message().contains("there is no static route") => code,
            _ => panic!("{wish:?}: {status:?}"),
        });
        let between = (before, self.readable().await);
        Did { project: self.project.clone(), wish, between, answer }
    }

    /// The revision whose records can be read now. What the store says of itself may be a moment older.
    async fn readable(&self) -> u64 {
        self.store.list(&Prefix::of([record::INSTALLATION]), None, 1).await.unwrap().revision.number
    }

    fn wish(&mut self) -> Wish {
        match self.dice.below(20) {
            0..4 => Wish::Claim(self.route()),
            4..6 => Wish::Disclaim(self.route()),
            6..9 => Wish::Create { deployment: self.deployment(), routes: self.routes() },
            9..12 => Wish::Update { deployment: self.deployment(), routes: self.routes() },
            12..14 => Wish::Stop(self.deployment()),
            14..18 => Wish::Bind {
                route: self.route(),
                deployment: self.deployment(),
                takes_it: !self.dice.one_in(3),
            },
            _ => Wish::Unbind(self.route()),
        }
    }

    fn route(&mut self) -> String {
        format!("shop-{}", self.dice.below(ROUTES))
    }

    fn deployment(&mut self) -> String {
        format!("deployment {}", self.dice.below(DEPLOYMENTS))
    }

    /// None to two, each once.
    fn routes(&mut self) -> Vec<String> {
        let mut routes: Vec<_> = (0..self.dice.below(3)).map(|_| self.route()).collect();
        routes.sort_unstable();
        routes.dedup();
        routes
    }

    async fn tell(&mut self, wish: &Wish) -> Result<Done, tonic::Status> {
        let (project, address, apis) = (self.project.clone(), self.address.clone(), &mut self.apis);
        match wish.clone() {
            Wish::Claim(name) => {
                let metadata = Some(wire::Metadata { name, project, ..Default::default() });
                let static_route = Some(wire::StaticRoute { metadata, ..Default::default() });
                let request = wire::CreateStaticRouteRequest { static_route, dry_run: false };
                let made = apis.static_routes.create_static_route(request).await?.into_inner();
                Ok(Done { revision: None, guid: made.metadata.unwrap().guid })
            }
            Wish::Disclaim(name) => {
                let request = wire::DeleteStaticRouteRequest { name, project };
                apis.static_routes.delete_static_route(request).await?;
                Ok(Done { revision: None, guid: String::new() })
            }
            Wish::Create { deployment, routes } => {
                let deployment = Some(described(project, deployment, routes, address));
                let request = wire::CreateDeploymentRequest { deployment, ..Default::default() };
                let made = apis.deployments.create_deployment(request).await?.into_inner();
                done(made.receipt, made.deployment)
            }
            Wish::Update { deployment, routes } => {
                let deployment = Some(described(project, deployment, routes, address));
                let request = wire::UpdateDeploymentRequest { deployment, ..Default::default() };
                let made = apis.deployments.update_deployment(request).await?.into_inner();
                done(made.receipt, made.deployment)
            }
            Wish::Stop(name) => {
                let request = wire::StopDeploymentRequest { name, project, wait: None };
                let stopped = apis.deployments.stop_deployment(request).await?.into_inner();
                done(stopped.receipt, stopped.deployment)
            }
            Wish::Bind { route: name, deployment, takes_it } => {
                let request = wire::BindStaticRouteRequest {
                    name,
                    project,
                    deployment,
                    r#move: takes_it,
                    ..Default::default()
                };
                let bound = apis.static_routes.bind_static_route(request).await?.into_inner();
                done(bound.receipt, None)
            }
            Wish::Unbind(name) => {
                let request = wire::UnbindStaticRouteRequest { name, project, wait: None };
                let unbound = apis.static_routes.unbind_static_route(request).await?.into_inner();
                done(unbound.receipt, None)
            }
        }
    }
}

fn done(receipt: Option<wire::Receipt>, made: Option<wire::Deployment>) -> Result<Done, tonic::Status> {
    let guid = made.and_then(|made| made.metadata).map(|metadata| metadata.guid).unwrap_or_default();
    Ok(Done { revision: Some(receipt.unwrap().revision.unwrap().number), guid })
}

/// Of the package `hello`, with a backend that is simply there.
fn described(project: String, name: String, routes: Vec<String>, address: String) -> wire::Deployment {
    let backend = wire::Backend { address, unhealthy: false };
    let binding = |static_route| wire::StaticRouteBinding { static_route, endpoint: "WEB".into() };
    let spec = wire::DeploymentSpec {
        package_name: "hello".into(),
        package_version: "1.0".into(),
        backends: vec![wire::EndpointBackends { endpoint: "WEB".into(), backends: vec![backend] }],
        static_routes: routes.into_iter().map(binding).collect(),
        ..Default::default()
    };
    let metadata = wire::Metadata { name, project, ..Default::default() };
    wire::Deployment { metadata: Some(metadata), spec: Some(spec), status: None }
}
