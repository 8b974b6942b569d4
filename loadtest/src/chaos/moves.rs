use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proto::wire::{
    Deployment, GetDeploymentRequest, StaticRouteBinding, UpdateDeploymentRequest, WaitForProxies,
};
use tokio_util::sync::CancellationToken;

use super::draw::Draw;
use super::ledger::Ledger;
use super::site::{Group, Name};
use crate::{Api, OrFault as _, Outcome};

const WAIT: Duration = Duration::from_secs(20);

/// Binds one static route of the group after the other elsewhere.
pub(super) async fn bind(api: Api, group: Group, ledger: Arc<Ledger>, over: CancellationToken, seed: u64) {
    let mut draw = Draw::new(seed);
    let mut bound = HashMap::new();
    while !over.is_cancelled() {
        let (Some(name), Some(to)) = (draw.one_of(&group.names), draw.one_of(&group.deployments)) else {
            return;
        };
        // Who has it already, or had it when this began, is no move.
        let moves = bound.insert(&name.route, to).map(|before| before != to);
        if moves == Some(false) {
            continue;
        }
        name.history.moves(to);
        match api.bind(&name.route, to, Some(WAIT)).await {
            Ok(receipt) if receipt.lagging.is_empty() => {
                name.history.has_moved();
                ledger.moved(usize::from(moves.is_some()));
            }
            Ok(receipt) => ledger.wrong(format_args!("a proxy lags behind a bind: {receipt:?}")),
            Err(status) => ledger.wrong(format_args!("bind {} to {to}: {status}", name.route)),
        }
    }
}

/// Moves all static routes of the group at once, to and fro, by updates of its two deployments.
pub(super) async fn churn(api: Api, group: Group, ledger: Arc<Ledger>, over: CancellationToken) {
    // The first one may move nothing: a storm before this one ended somewhere.
    let mut moved = 0;
    for to in group.deployments.iter().cycle().skip(1) {
        if over.is_cancelled() {
            return;
        }
        group.names.iter().for_each(|name| name.history.moves(to));
        match update(&api, to, &group.names).await {
            Ok(()) => {
                group.names.iter().for_each(|name| name.history.has_moved());
                ledger.moved(moved);
                moved = group.names.len();
            }
            Err(fault) => ledger.wrong(format_args!("update of {to}: {fault:?}")),
        }
    }
}

/// Names the static routes in an update of the deployment, which takes them from the one that has them.
async fn update(api: &Api, to: &str, names: &[Name]) -> Outcome {
    let mut deployments = api.deployments();
    let name = GetDeploymentRequest { name: to.to_owned(), ..Default::default() };
    let Deployment { metadata, spec, .. } = deployments.get_deployment(name).await?.into_inner();
    let mut spec = spec.or_fault("a deployment without a spec")?;
    let binding =
        |name: &Name| StaticRouteBinding { static_route: name.route.clone(), endpoint: "WEB".to_owned() };
    spec.static_routes = names.iter().map(binding).collect();
    let request = UpdateDeploymentRequest {
        deployment: Some(Deployment { metadata, spec: Some(spec), status: None }),
        dry_run: false,
        wait: Some(WaitForProxies { timeout: WAIT.try_into().ok() }),
    };
    let receipt = deployments.update_deployment(request).await?.into_inner().receipt;
    let lagging = receipt.or_fault("an update without a receipt")?.lagging;
    if lagging.is_empty() { Ok(()) } else { Err(crate::Fault::new(format_args!("{lagging:?} lag behind"))) }
}
