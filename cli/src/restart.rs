use proto::wire;

use crate::args::RestartArgs;
use crate::bind::tell_lagging;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Out, remark};

/// Updates deployments to what they are, which has their runtimes start them anew.
pub(crate) async fn run(args: RestartArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let mut out = Out::new();
    let mut failed = 0;
    for name in &args.deployments {
        match Box::pin(restart(&client, name)).await {
            Ok(generation) => out.line(format_args!("deployment/{name} restarted (generation {generation})")),
            Err(failure) if args.deployments.len() == 1 || failure.is_unreachable() => return Err(failure),
            Err(failure) => {
                out.flush();
                failed += 1;
                remark(failure);
            }
        }
    }
    out.finish()?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::refused(format_args!("{failed} of {} not restarted", args.deployments.len()))),
    }
}

async fn restart(client: &Client, name: &str) -> Result<u64, Failure> {
    let refused = |status| Failure::of_call(format_args!("cannot restart deployment {name}"), &status);
    let request = wire::GetDeploymentRequest { name: name.to_owned(), project: client.project() };
    let there = client.deployments().get_deployment(request).await.map_err(refused)?.into_inner();
    let deployment = Some(wire::Deployment { status: None, ..there });
    let wait = Some(wire::WaitForProxies::default());
    let request = wire::UpdateDeploymentRequest { deployment, dry_run: false, wait };
    let updated = client.deployments().update_deployment(request).await.map_err(refused)?.into_inner();
    updated.receipt.iter().for_each(tell_lagging);
    Ok(updated.deployment.and_then(|deployment| deployment.status).unwrap_or_default().generation)
}
