//! What the platform means: resources, their rules, and the routes that follow from them.
//!
//! - [`package`], [`deployment`], [`static_route`], [`lease`]: the records, and how inputs become them,
//!   with all faults of an input at once ([`fault`]).
//! - [`organization`], [`project`], [`user`], [`token`]: who owns what, and who may do what there
//!   ([`role`], [`caller`]).
//! - [`secret`]: what nobody may read back, and how it is sealed ([`sealing`]).
//! - [`name`], [`label`], [`port`], [`quantity`], [`guid`], [`reserved`], [`networks`]: the values they
//!   are made of. Each has one way in, a constructor that checks.
//! - [`world`]: from records to routes. [`environment`]: from records to what executables see.
//!   [`explain`]: what a request to a URL would meet, and why.
//! - [`record`]: how records are stored, and under which keys.
//!
//! Architecture invariant: nothing here waits, reads, writes, looks at a clock or draws by lot; times
//! and chance are arguments.

pub mod caller;
pub mod deployment;
pub mod environment;
pub mod explain;
pub mod fault;
pub mod guid;
pub mod label;
mod labels;
pub mod lease;
pub mod name;
pub mod networks;
pub mod organization;
pub mod package;
pub mod port;
pub mod project;
pub mod quantity;
pub mod record;
pub mod reserved;
pub mod role;
pub mod rules;
#[cfg(test)]
pub(crate) mod samples;
pub mod sealing;
pub mod secret;
pub mod static_route;
pub(crate) mod text;
mod time;
pub mod token;
pub mod user;
pub mod world;

pub use caller::Caller;
pub use deployment::Deployment;
pub use fault::{At, Broken, Fault, Faults};
pub use guid::{
    Chance, DeploymentGuid, LeaseId, NoChance, OrganizationGuid, PackageGuid, PlanId, SecretGuid,
    StaticRouteGuid, UserGuid, built_in_organization, built_in_project,
};
pub use label::{Label, RandomLabel, StaticRouteLabel};
pub use lease::Lease;
pub use name::{
    ComponentName, DeploymentName, Email, EndpointName, ExecutableName, OrganizationName, PackageName,
    PlanName, ProjectName, SecretName, TokenName, VariableName, Version,
};
pub use networks::BackendNetworks;
pub use organization::Organization;
pub use package::Package;
pub use port::{Port, PortRange, PublicPorts};
pub use project::Project;
pub use quantity::{Cpu, MemoryMib};
pub use record::{Place, RecordError};
pub use reserved::Reserved;
pub use role::{Access, Level, Role};
pub use sealing::Keyring;
pub use secret::{Secret, SecretData, SecretKey, SecretUse};
pub use static_route::StaticRoute;
pub use time::Timestamp;
pub use token::Token;
pub use user::User;
pub use world::{World, route_of, routes_of};
