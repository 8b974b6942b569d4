//! The services as callers see them: a whole control plane, over gRPC and TCP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

#[path = "services/access.rs"]
mod access;
#[path = "services/actors.rs"]
mod actors;
#[path = "services/bounds.rs"]
mod bounds;
#[path = "services/dependencies.rs"]
mod dependencies;
#[path = "services/deployments.rs"]
mod deployments;
#[path = "services/floods.rs"]
mod floods;
#[path = "services/held.rs"]
mod held;
#[path = "services/identity.rs"]
mod identity;
#[path = "services/manifests.rs"]
mod manifests;
#[path = "services/methods.rs"]
mod methods;
#[path = "services/names.rs"]
mod names;
#[path = "services/opening.rs"]
mod opening;
#[path = "services/packages.rs"]
mod packages;
#[path = "services/quarantine.rs"]
mod quarantine;
#[path = "services/races.rs"]
mod races;
#[path = "services/routes.rs"]
mod routes;
#[path = "services/routes_of_many.rs"]
mod routes_of_many;
#[path = "services/runtime.rs"]
mod runtime;
#[path = "services/samples.rs"]
mod samples;
#[path = "services/secrets.rs"]
mod secrets;
#[path = "services/sizes.rs"]
mod sizes;
#[path = "services/stage.rs"]
mod stage;
#[path = "services/static_routes.rs"]
mod static_routes;
#[path = "services/tokens.rs"]
mod tokens;
#[path = "services/updates.rs"]
mod updates;
#[path = "services/watch.rs"]
mod watch;
