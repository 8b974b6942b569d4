//! `epr up --demo`: an example that is there at once. Small backends within this process, and a runtime
//! that reports them under a lease, as a platform service does for the deployments it runs.

mod backends;
mod page;
mod secure;
mod server;
mod websocket;

use std::path::Path;
use std::time::Duration;

use proto::wire::runtime_service_client::RuntimeServiceClient;
use proto::{Hostname, wire};
use tonic::Code;

use crate::apply::{self, manifests};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::remark;
use backends::Backends;

const MANIFEST: &str = include_str!("../../examples/demo.yaml");

/// The static routes of the example, and the endpoints they serve at first.
const ROUTES: [(&str, &str); 3] = [("hello-web", "WEB"), ("hello-secure", "SECURE"), ("hello-tls", "TLS")];
const DEPLOYMENTS: [&str; 2] = ["hello-blue", "hello-green"];

const LEASE_SECONDS: u32 = 30;

/// The backends of the example; they serve until this is dropped.
pub(crate) struct Demo {
    deployments: Vec<Backends>,
}

impl Demo {
    /// Starts the backends of every deployment.
    pub(crate) async fn start(domains: &[Hostname]) -> Result<Self, Failure> {
        let mut deployments = Vec::new();
        for name in DEPLOYMENTS {
            let started = Backends::start(name, domains).await;
            deployments.push(
                started.map_err(|error| Failure::refused(format_args!("cannot start the demo: {error}")))?,
            );
        }
        Ok(Self { deployments })
    }

    /// Applies the example, reports its backends, binds its routes where they are not bound yet. All of it
    /// may have been done before.
    pub(crate) async fn set_up(&self, client: &Client, data_dir: &Path) -> Result<wire::Lease, Failure> {
        let declared = manifests::built_in("examples/demo.yaml", MANIFEST)?;
        let mut failures = Vec::new();
        apply::all(client, &declared, false, |applied| {
            failures.extend(applied.failure().map(ToString::to_string));
        })
        .await;
        if !failures.is_empty() {
            return Err(
                Failure::refused(failures.join("\n")).hint("another --data-dir gives the demo a fresh start")
            );
        }
        let lease = self.report(client, data_dir).await?;
        for (route, endpoint) in ROUTES {
            bind(client, route, endpoint).await?;
        }
        Ok(lease)
    }

    /// Says under a lease where the backends are.
    async fn report(&self, client: &Client, data_dir: &Path) -> Result<wire::Lease, Failure> {
        let lease = open_lease(client, &data_dir.join("demo.lease")).await?;
        for backends in &self.deployments {
            report(client, &lease, backends).await?;
        }
        Ok(lease)
    }

    /// Keeps the lease alive. Returns only when that has become impossible.
    pub(crate) async fn keep_alive(
        &self,
        client: &Client,
        data_dir: &Path,
        mut lease: wire::Lease,
    ) -> Result<(), Failure> {
        loop {
            tokio::time::sleep(Duration::from_secs(u64::from(LEASE_SECONDS / 3))).await;
            let request = wire::KeepAliveRequest { id: lease.id.clone(), project: String::new() };
            match client.runtime().keep_alive(request).await {
                Ok(_) => {}
                Err(status) if status.code() == Code::NotFound => {
                    lease = self.report(client, data_dir).await?
                }
                Err(status) => remark(Failure::of_call("the demo cannot keep its lease", &status)),
            }
        }
    }
}

/// The lease of an earlier run, if it is still known: a demonstration restarted needs no second one.
async fn open_lease(client: &Client, file: &Path) -> Result<wire::Lease, Failure> {
    if let Ok(id) = std::fs::read_to_string(file) {
        let request = wire::KeepAliveRequest { id: id.trim().to_owned(), project: String::new() };
        if let Ok(lease) = client.runtime().keep_alive(request).await {
            return Ok(lease.into_inner());
        }
    }
    let lease = new_lease(client).await?;
    certs::write_private(file, lease.id.as_bytes()).map_err(Failure::refused)?;
    Ok(lease)
}

async fn new_lease(client: &Client) -> Result<wire::Lease, Failure> {
    let request = wire::OpenLeaseRequest {
        runtime: "demo".to_owned(),
        ttl_seconds: LEASE_SECONDS,
        project: String::new(),
    };
    let opened = client.runtime().open_lease(request).await;
    opened
        .map(tonic::Response::into_inner)
        .map_err(|status| Failure::of_call("the demo cannot open a lease", &status))
}

async fn report(client: &Client, lease: &wire::Lease, backends: &Backends) -> Result<(), Failure> {
    let request = wire::ReportDeploymentRequest {
        lease_id: lease.id.clone(),
        deployment: backends.deployment().to_owned(),
        phase: wire::Phase::Succeeded.into(),
        status: wire::Status::Running.into(),
        backends: backends.report(),
        executables: vec![backends.executable()],
        ..Default::default()
    };
    let reported = client.runtime().report_deployment(request).await;
    let doing = format_args!("the demo cannot report {}", backends.deployment());
    reported.map(|_| ()).map_err(|status| Failure::of_call(doing, &status))
}

/// Binds a route unless it serves something: where it was moved to, it stays.
async fn bind(client: &Client, route: &str, endpoint: &str) -> Result<(), Failure> {
    let doing = format_args!("the demo cannot bind {route}");
    let request = wire::GetStaticRouteRequest { name: route.to_owned(), project: String::new() };
    let there = client.static_routes().get_static_route(request).await;
    let there = there.map_err(|status| Failure::of_call(doing, &status))?.into_inner();
    if there.bound_to.is_some() {
        return Ok(());
    }
    let request = wire::BindStaticRouteRequest {
        name: route.to_owned(),
        deployment: DEPLOYMENTS[0].to_owned(),
        endpoint: endpoint.to_owned(),
        wait: Some(wire::WaitForProxies { timeout: None }),
        ..Default::default()
    };
    let bound = client.static_routes().bind_static_route(request).await;
    bound.map(|_| ()).map_err(|status| Failure::of_call(doing, &status))
}

/// The service that runtimes report to.
type Runtime = RuntimeServiceClient<crate::client::Authenticated>;

impl Client {
    fn runtime(&self) -> Runtime {
        RuntimeServiceClient::new(self.authenticated())
    }
}
