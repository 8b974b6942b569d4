//! Records for tests.

use proto::{BackendProtocol, EdgeProtocol};

use super::deployment::{DeployedEndpoint, Deployment, EnvVar, PackageRef, Phase, Status, StoredBackend};
use super::package::{EndpointKind, Transport};
use super::static_route::StaticRouteDraft;
use super::*;

/// A point in time.
pub(crate) fn now() -> Timestamp {
    Timestamp::from(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000))
}

fn guid_tail(n: u8) -> String {
    format!("{n:020}")
}

/// The endpoint [`web_deployment`] has.
pub(crate) fn web() -> EndpointName {
    EndpointName::parse("WEB").unwrap()
}

fn deployment(n: u8, endpoints: Vec<DeployedEndpoint>) -> Deployment {
    Deployment {
        guid: DeploymentGuid::parse(&format!("dep-{}", guid_tail(n))).unwrap(),
        project: built_in_project(),
        name: DeploymentName::parse(&format!("deployment {n}")).unwrap(),
        labels: [].into(),
        created_at: now(),
        updated_at: now(),
        creator: None,
        generation: 1,
        package: PackageRef {
            name: PackageName::parse("hello").unwrap(),
            version: Version::parse("1.0").unwrap(),
            plan: PlanName::parse("default").unwrap(),
        },
        env_args: Vec::new(),
        depends: Vec::new(),
        settings: Default::default(),
        volumes: Vec::new(),
        endpoints,
        parameters: Vec::new(),
        static_routes: Vec::new(),
        phase: Phase::Succeeded,
        status: Status::Running,
        error_codes: Vec::new(),
        message: String::new(),
        executables: Vec::new(),
        events: Vec::new(),
        stopped_at: None,
    }
}

fn endpoint(n: u8, name: &str, kind: EndpointKind) -> DeployedEndpoint {
    let letter = |n: u8| char::from(b'a' + n % 26);
    let random = kind.external().map(|_| {
        let text = format!("inst-{}-{}", letter(n).to_string().repeat(24), letter(n).to_string().repeat(6));
        RandomLabel::parse(&text).unwrap()
    });
    DeployedEndpoint {
        name: EndpointName::parse(name).unwrap(),
        component: ComponentName::parse("main_part").unwrap(),
        kind,
        random,
        fixed: Vec::new(),
        reported: None,
    }
}

fn external(protocol: EdgeProtocol) -> EndpointKind {
    EndpointKind::External { protocol, backend_protocol: BackendProtocol::Http1, target_port: Port::HTTP }
}

/// The `n`th deployment, with one HTTP endpoint called WEB and one backend.
pub(crate) fn web_deployment(n: u8, backend: &str) -> Deployment {
    let mut web = endpoint(n, "WEB", external(EdgeProtocol::Http));
    web.fixed = vec![StoredBackend { address: backend.parse().unwrap(), healthy: true }];
    deployment(n, vec![web])
}

/// The `n`th deployment after an update: its endpoint has another name, and thus another random route,
/// when it is `renamed`.
pub(crate) fn updated_deployment(n: u8, renamed: bool) -> Deployment {
    let mut updated = web_deployment(n, "10.0.0.8:80");
    updated.generation = 2;
    if renamed {
        let mut gate = endpoint(n + 13, "GATE", external(EdgeProtocol::Https));
        gate.fixed = std::mem::take(&mut updated.endpoints[0].fixed);
        updated.endpoints = vec![gate];
    }
    updated
}

/// A deployment with an endpoint of each kind.
pub(crate) fn every_endpoint() -> Deployment {
    let port = |number| Port::parse(number).unwrap();
    let internal =
        EndpointKind::Internal { transport: Transport::Tcp, port: port(5432), target_port: port(5433) };
    let range = EndpointKind::InternalRange {
        transport: Transport::Udp,
        ports: PortRange::parse("3500,4000-4002").unwrap(),
    };
    let mut deployment = deployment(
        1,
        vec![
            endpoint(1, "WEB", external(EdgeProtocol::Http)),
            endpoint(2, "SECURE", external(EdgeProtocol::Https)),
            endpoint(3, "RAW", external(EdgeProtocol::SecureTcp)),
            endpoint(4, "DB", internal),
            endpoint(5, "MEDIA", range),
        ],
    );
    let var = |name, value: &str| EnvVar::plain(VariableName::parse(name).unwrap(), value);
    deployment.parameters = vec![var("LEVEL", "debug")];
    deployment.env_args = vec![var("LEVEL", "debug"), var("EXTRA", "1")];
    deployment
}

/// A static route that leads nowhere.
pub(crate) fn static_route(name: &str) -> StaticRoute {
    let draft = StaticRouteDraft { name: name.into(), ..Default::default() };
    let judged = draft.judge(&Reserved::default(), None, Faults::new()).unwrap();
    judged.create(built_in_project(), now(), &guid::tests::Counting::default()).unwrap()
}

/// The `n`th lease, held.
pub(crate) fn lease(n: u8) -> Lease {
    Lease {
        id: LeaseId::parse(&format!("lease-{}", guid_tail(n))).unwrap(),
        project: built_in_project(),
        runtime: "test".into(),
        ttl_seconds: 30,
        opened_at: now(),
        lapsed: false,
    }
}
