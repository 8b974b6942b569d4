//! The services of `epr.v1`: translate, call, translate back. Nothing is decided here.
//!
//! - [`Server`]: all of them, on a [`Listener`], behind authentication.
//! - `status`: from errors to statuses, the only place.
//!
//! Architecture invariant: no rule of the domain stands here, and no access to the store.

mod deployments;
mod identity;
mod listener;
mod packages;
mod receipt;
mod routes;
mod runtime;
mod secrets;
mod server;
mod static_routes;
mod status;

pub use listener::Listener;
pub use server::{DescriptionError, ServeError, Server, bind};

use http::header::AUTHORIZATION;
use proto::wire::deployment_service_server::DeploymentServiceServer;
use proto::wire::identity_service_server::IdentityServiceServer;
use proto::wire::package_service_server::PackageServiceServer;
use proto::wire::route_service_server::RouteServiceServer;
use proto::wire::runtime_service_server::RuntimeServiceServer;
use proto::wire::secret_service_server::SecretServiceServer;
use proto::wire::static_route_service_server::StaticRouteServiceServer;
use proto::{ProjectId, wire};
use tonic::service::Routes;
use tonic::{Request, Status};
use tonic_health::server::HealthReporter;

use crate::auth::{Access, Auth, Caller};
use crate::config::{Limits, Timeouts};
use crate::drain::Signal;
use crate::feed::{Feed, fleet_server};
use crate::lease::Leases;
use crate::service::Service;
use crate::tasks::Tasks;
use crate::watch::Watches;

/// Bytes of a message that asks for health: the name of a service.
const HEALTH_BYTES: usize = 1 << 10;

/// What the services work with. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The use cases.
    pub service: Service,
    /// Who calls.
    pub auth: Auth,
    /// The routes, and who has them.
    pub feed: Feed,
    /// The leases of runtimes.
    pub leases: Leases,
    /// What runtimes are to run.
    pub watches: Watches,
    /// How long waits may take.
    pub timeouts: Timeouts,
    /// How large messages may be.
    pub limits: Limits,
}

/// All services: those of `epr.v1`, health, and reflection. The streams of proxies are tasks of `tasks`
/// and end when `signal` is given.
fn services(parts: &Parts, tasks: Tasks, signal: Signal) -> Result<Routes, tonic_reflection::server::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    let most = parts.limits.message_bytes;
    // Anybody may ask.
    let health = health.max_decoding_message_size(HEALTH_BYTES);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(wire::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?
        .max_decoding_message_size(most);
    tell_health(reporter, &tasks, signal.clone());
    Ok(Routes::new(health)
        .add_service(reflection)
        .add_service(PackageServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(DeploymentServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(StaticRouteServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(SecretServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(IdentityServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(RuntimeServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(RouteServiceServer::new(parts.clone()).max_decoding_message_size(most))
        .add_service(fleet_server(parts.feed.clone()).max_decoding_message_size(most))
        .add_service(parts.feed.route_feed_server(tasks, signal)))
}

/// Healthy until a drain begins, as a whole (the empty name, which is so from the start).
fn tell_health(reporter: HealthReporter, tasks: &Tasks, signal: Signal) {
    tasks.spawn("health", async move {
        signal.given().await;
        reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    });
}

impl Parts {
    /// Who calls, and what they may do now that the whole request is there. It was let in by its head; its
    /// message may have come much later, when the token was gone or its user was less.
    pub(crate) async fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let token = request.metadata().get(AUTHORIZATION.as_str()).map(|value| value.as_bytes());
        self.auth.identify(token).await.map_err(|error| status::refused(&error))
    }

    /// The project a request acts in: the one `asked` for by name or guid, or else the caller's; where the
    /// caller may do what takes `access`.
    pub(crate) async fn project<T>(
        &self,
        request: &Request<T>,
        asked: &str,
        access: Access,
    ) -> Result<ProjectId, Status> {
        let caller = self.caller(request).await?;
        let found = self.service.project_for(&caller, asked, access).await;
        found.map_err(|error| status::status(&error))
    }
}

/// The project named in the metadata of a resource, empty when there is none.
fn named(metadata: Option<&wire::Metadata>) -> &str {
    metadata.map(|metadata| metadata.project.as_str()).unwrap_or_default()
}
