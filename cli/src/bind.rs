use proto::wire;

use crate::args::{BindArgs, UnbindArgs, Wait};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Out, remark};

pub(crate) async fn bind(args: BindArgs) -> Result<(), Failure> {
    let (deployment, endpoint) = args.target.split_once('/').unwrap_or((&args.target, ""));
    let client = Client::of(&args.server).await?;
    let request = wire::BindStaticRouteRequest {
        name: args.route.clone(),
        deployment: deployment.to_owned(),
        endpoint: endpoint.to_owned(),
        r#move: args.take,
        wait: args.wait.to_wire(),
        project: client.project(),
    };
    let response = client.static_routes().bind_static_route(request).await.map_err(|status| {
        let failure = Failure::of_call(format_args!("cannot bind {}", args.route), &status);
        let bound_elsewhere = status.code() == tonic::Code::FailedPrecondition && !args.take;
        if bound_elsewhere { failure.instead("with a bind", "with --move") } else { failure }
    })?;
    let response = response.into_inner();
    let mut out = Out::new();
    out.line(format_args!("{} -> {}", args.route, target_of(response.static_route.as_ref())));
    out.flush();
    tell_receipt(response.receipt.as_ref(), &args.wait);
    out.finish()
}

pub(crate) async fn unbind(args: UnbindArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let request = wire::UnbindStaticRouteRequest {
        name: args.route.clone(),
        wait: args.wait.to_wire(),
        project: client.project(),
    };
    let response = client
        .static_routes()
        .unbind_static_route(request)
        .await
        .map_err(|status| Failure::of_call(format_args!("cannot unbind {}", args.route), &status))?;
    let mut out = Out::new();
    out.line(format_args!("{} unbound", args.route));
    out.flush();
    tell_receipt(response.into_inner().receipt.as_ref(), &args.wait);
    out.finish()
}

fn target_of(route: Option<&wire::StaticRoute>) -> String {
    let bound = route.and_then(|route| route.bound_to.clone()).unwrap_or_default();
    format!("{}/{}", bound.deployment_name, bound.endpoint)
}

/// Who serves the change, for one who waited.
fn tell_receipt(receipt: Option<&wire::Receipt>, wait: &Wait) {
    let (Some(receipt), Some(_)) = (receipt, wait.wait) else { return };
    match receipt.applied_by.as_slice() {
        [] if receipt.lagging.is_empty() => remark("no proxy is connected; each learns it when it connects"),
        [] => {}
        proxies => remark(format_args!("served by {}", proxies.join(", "))),
    }
    tell_lagging(receipt);
}

/// Who does not serve a change yet.
pub(crate) fn tell_lagging(receipt: &wire::Receipt) {
    for laggard in &receipt.lagging {
        match laggard.nack.as_str() {
            "" => remark(format_args!("{} has not applied it yet", laggard.proxy)),
            reason => remark(format_args!("{} refused it: {reason}", laggard.proxy)),
        }
    }
}

impl Wait {
    fn to_wire(&self) -> Option<wire::WaitForProxies> {
        // What is longer than the protocol can say is longer than the server waits.
        let timeout = self.wait?.try_into().ok();
        Some(wire::WaitForProxies { timeout })
    }
}
