use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use benches::clock::wall;
use control::clock;
use control::config::{BackendNetworks, Limits, PublicPorts};
use control::domain::deployment::{BindingDraft, DeploymentDraft, EndpointBackendsDraft};
use control::domain::package::{
    ComponentDraft, EndpointDraft, EndpointType, ExecutableDraft, ExecutableKind, PackageDraft, PlanDraft,
    PullPolicy, Runtime,
};
use control::domain::rules::Rules;
use control::domain::static_route::StaticRouteDraft;
use control::domain::{Faults, Keyring, Reserved, built_in_project};
use control::service::{Service, SystemChance, built_in};
use control::store::{Embedded, EmbeddedConfig};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use loadtest::{Fault, Outcome};
use proto::{Epoch, Hostname, ProjectId};

/// Endpoints of a deployment: each has a random route, and a static one bound to it.
const ENDPOINTS: usize = 32;
/// Routes of a deployment.
pub(crate) const PER_DEPLOYMENT: usize = 2 * ENDPOINTS;
/// Changes under way at once: they share an fsync.
const AT_ONCE: usize = 200;

/// Fills the store at `file` with `deployments` deployments, by the rules and in the commits by which
/// callers would, without the way over gRPC. Tells how many seconds it took.
pub(crate) async fn seed(file: &Path, domain: &Hostname, deployments: usize) -> Outcome<f64> {
    let start = wall();
    let store = Embedded::open(&EmbeddedConfig::at(file), Epoch(start | 1))?;
    built_in::make(&store, &SystemChance, clock::system()().into()).await?;
    let rules = Rules {
        domains: vec![domain.clone()],
        ports: PublicPorts::default(),
        reserved: Reserved::default(),
        organization_suffix: false,
        networks: BackendNetworks::private(),
        backends_per_endpoint: 1,
    };
    let service = Service::new(
        Arc::new(store),
        Arc::new(rules),
        Limits::default(),
        clock::system(),
        Arc::new(SystemChance),
        Arc::new(Keyring::parse(&Keyring::draw(&SystemChance)?)?),
    );
    let project = built_in_project();
    service.create_package(&project, &package(), Faults::new(), false).await?;
    let names =
        (0..deployments).flat_map(|deployment| (0..ENDPOINTS).map(move |at| static_route(deployment, at)));
    let claim = |name| claim(&service, &project, name);
    stream::iter(names.map(claim)).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
    let deploy = |index| deploy(&service, &project, index);
    stream::iter((0..deployments).map(deploy))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|()| async { Ok(()) })
        .await?;
    Ok((wall() - start) as f64 / 1e9)
}

async fn claim(service: &Service, project: &ProjectId, name: String) -> Outcome {
    let draft = StaticRouteDraft { name, ..Default::default() };
    service.create_static_route(project, &draft, Faults::new(), false).await?;
    Ok(())
}

async fn deploy(service: &Service, project: &ProjectId, index: usize) -> Outcome {
    let [.., a, b, c] = (index as u64).to_be_bytes();
    let backend = |at: usize| format!("{}:{}", Ipv4Addr::new(10, a, b, c), 8000 + at);
    let draft = DeploymentDraft {
        name: format!("filler-{index}"),
        package_name: "filler".to_owned(),
        package_version: "v1.0.0".to_owned(),
        static_routes: (0..ENDPOINTS)
            .map(|at| BindingDraft { static_route: static_route(index, at), endpoint: endpoint(at) })
            .collect(),
        backends: (0..ENDPOINTS)
            .map(|at| EndpointBackendsDraft { endpoint: endpoint(at), backends: vec![(backend(at), true)] })
            .collect(),
        ..Default::default()
    };
    let created = service.create_deployment(project, &draft, Faults::new(), false).await;
    created.map_err(|error| Fault::new(format_args!("{}: {error}", draft.name)))?;
    Ok(())
}

fn static_route(deployment: usize, at: usize) -> String {
    format!("field-unit-{deployment}-{at}")
}

fn endpoint(at: usize) -> String {
    format!("E{at}")
}

fn package() -> PackageDraft {
    let kind = ExecutableKind::Docker {
        image: "example/filler".to_owned(),
        command: Vec::new(),
        entrypoint: Vec::new(),
        pull_secret: None,
        pull_policy: PullPolicy::default(),
    };
    let executable = ExecutableDraft { name: "app".to_owned(), kind: Some(kind), ..Default::default() };
    let endpoints = (0..ENDPOINTS).map(|at| EndpointDraft {
        name: endpoint(at),
        kind: Some(EndpointType::ExternalHttps),
        target_port: 8000,
        ..Default::default()
    });
    let component = ComponentDraft {
        name: "app".to_owned(),
        runtime: Runtime::Cloud,
        executables: vec![executable],
        endpoints: endpoints.collect(),
        ..Default::default()
    };
    PackageDraft {
        name: "filler".to_owned(),
        version: "v1.0.0".to_owned(),
        plans: vec![PlanDraft { name: String::new(), components: vec![component] }],
        ..Default::default()
    }
}
