use proto::wire::{self, route::Target};

use crate::args::ExplainArgs;
use crate::client::Client;
use crate::failure::Failure;
use crate::get::name_of;
use crate::output::{Out, paragraph};

pub(crate) async fn run(args: ExplainArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let request = wire::ExplainRequest { url: args.url.clone() };
    let answer = client
        .routes()
        .explain(request)
        .await
        .map_err(|status| Failure::of_call(format_args!("cannot explain {}", args.url), &status))?
        .into_inner();
    let deployment = deployment_of(&client, answer.route.as_ref()).await;
    let mut out = Out::new();
    let paint = out.paint();
    for (i, step) in answer.steps.iter().enumerate() {
        let step = by_name(step, deployment.as_ref());
        paragraph(&mut out, &format!("{:>2}.", i + 1), &step);
    }
    match (answer.refusal.as_str(), &answer.route) {
        ("", None) => out.line(format_args!("{} not yours to see", paint.yellow("=>"))),
        ("", Some(_)) => out.line(format_args!("{} {}", paint.green("=>"), "served")),
        (refusal, _) => out.line(format_args!("{} refused: {refusal}", paint.yellow("=>"))),
    }
    out.finish()
}

/// The deployment that a route leads to. Its name is a courtesy: without it, the guid says which it is.
async fn deployment_of(client: &Client, route: Option<&wire::Route>) -> Option<wire::Deployment> {
    let Some(Target::Binding(binding)) = &route?.target else { return None };
    let request =
        wire::GetDeploymentRequest { name: binding.deployment.clone(), project: route?.project.clone() };
    client.deployments().get_deployment(request).await.ok().map(tonic::Response::into_inner)
}

/// Names a deployment where a step has only its guid.
fn by_name(step: &str, deployment: Option<&wire::Deployment>) -> String {
    let metadata = deployment.and_then(|deployment| deployment.metadata.as_ref());
    match metadata {
        Some(it) if !it.guid.is_empty() => {
            step.replace(&it.guid, &format!("{} ({})", name_of(metadata), it.guid))
        }
        _ => step.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_goes_by_its_name() {
        let metadata = wire::Metadata { name: "shop".into(), guid: "dep-x".into(), ..Default::default() };
        let deployment = wire::Deployment { metadata: Some(metadata), ..Default::default() };
        let step = "It leads to endpoint WEB of deployment dep-x.";
        assert_eq!(by_name(step, Some(&deployment)), "It leads to endpoint WEB of deployment shop (dep-x).");
        assert_eq!(by_name(step, None), step);
    }
}
