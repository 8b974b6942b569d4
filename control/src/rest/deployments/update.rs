use axum::body::Body;
use axum::extract::State;
use proto::manifest::drop_injected;
use proto::wire;

use super::super::Parts;
use super::super::answer::{Answer, found};
use super::super::body::{DEPLOYMENT, Read, resource};
use super::super::call::Call;
use super::super::failure::Failure;
use super::message;
use crate::convert::deployment;
use crate::domain::Deployment;

/// Changes what the body gives and keeps the rest. The client sends all of a deployment back as it got
/// it, with the static routes it is to have: that is how a route moves.
pub(in crate::rest) async fn update(State(parts): State<Parts>, mut call: Call, body: Body) -> Answer {
    let (within, read) = resource(&parts, &mut call, body, DEPLOYMENT).await?;
    let there = parts.service.get_deployment(&within.id, &call.name).await?;
    same(&read.message, &there)?;
    let guid = there.guid.to_string();
    let asked = merged(&read, message(&parts, there).await?);
    let (mut draft, faults) = deployment::draft(asked);
    draft.creator = call.caller.user.clone();
    let changed = parts.service.update_deployment(&within.id, &guid, &draft, faults, false).await;
    let changed = changed.map_err(|error| read.told(error))?;
    Ok(found(&within.answers().deployment(&message(&parts, changed.record).await?)))
}

/// A body about another deployment than the path is a mistake.
fn same(asked: &wire::Deployment, there: &Deployment) -> Result<(), Failure> {
    let name = asked.metadata.as_ref().map(|metadata| metadata.name.as_str()).unwrap_or_default();
    if name.is_empty() || name == there.name.as_str() || name == there.guid.as_str() {
        return Ok(());
    }
    Err(Failure::malformed(format_args!(
        "metadata.name: {name:?} is another deployment than {}; names cannot be changed",
        there.name
    )))
}

/// What is asked for, with what the body does not give taken from what is there. What an answer told of
/// endpoints' addresses comes back with it, and is left out.
fn merged(read: &Read<wire::Deployment>, there: wire::Deployment) -> wire::Deployment {
    let mut asked = read.message.clone();
    let (metadata, had) = (asked.metadata.get_or_insert_default(), there.metadata.unwrap_or_default());
    metadata.name = had.name;
    if !read.gives("metadata.labels") {
        metadata.labels = had.labels;
    }
    let spec = asked.spec.get_or_insert_default();
    keep(read, spec, there.spec.unwrap_or_default());
    drop_injected(spec, &there.status.unwrap_or_default());
    asked
}

/// Takes from `had` every field that the body does not give.
fn keep(read: &Read<wire::Deployment>, spec: &mut wire::DeploymentSpec, had: wire::DeploymentSpec) {
    macro_rules! keep {
        ($($field:ident),*) => {
            $(if !read.gives(concat!("spec.", stringify!($field))) { spec.$field = had.$field; })*
        };
    }
    keep!(
        package_name,
        package_version,
        plan,
        env_args,
        static_routes,
        volumes,
        backends,
        depends,
        restart,
        device,
        ros_networks,
        features,
        service_account,
        network_interface,
        runtime
    );
}
