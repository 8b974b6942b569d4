use proto::manifest::{Object, Place};
use proto::wire;
use tonic::{Code, Status};

use super::manifests::Declared;
use super::{Outcome, Run, Served, in_project, label, same, update};
use crate::failure::{self, Failure};

/// Creates an object, or sees to what is there already.
pub(super) async fn create(run: &Run<'_>, declared: &Declared) -> Result<Outcome, Failure> {
    let (client, dry_run) = (run.client, run.dry_run);
    let object = &declared.document.object;
    let metadata = in_project(object.metadata(), client);
    let result = match object {
        Object::Package(package) => {
            let package = wire::Package { metadata, ..package.clone() };
            let request = wire::CreatePackageRequest { package: Some(package), dry_run };
            client.packages().create_package(request).await.map(|_| Served::default())
        }
        Object::StaticRoute(route) => {
            let route = wire::StaticRoute { metadata, ..route.clone() };
            let request = wire::CreateStaticRouteRequest { static_route: Some(route), dry_run };
            client.static_routes().create_static_route(request).await.map(|_| Served::default())
        }
        // One that was shown holds nothing, which no secret may, so it is not for making one.
        Object::Secret(secret) if same::holds_nothing(secret) && is_there(run, declared).await => {
            Err(Status::already_exists("it is there"))
        }
        Object::Secret(secret) => {
            let secret = wire::Secret { metadata, ..secret.clone() };
            let request = wire::CreateSecretRequest { secret: Some(secret), dry_run };
            client.secrets().create_secret(request).await.map(|_| Served::default())
        }
        Object::Project(project) => create_project(run, project).await,
        Object::Deployment(deployment) => {
            let deployment = Some(wire::Deployment { metadata, ..deployment.clone() });
            let request = wire::CreateDeploymentRequest { deployment, dry_run, wait: run.waiting() };
            let response = client.deployments().create_deployment(request).await;
            response.map(tonic::Response::into_inner).map(|response| Served {
                deployment: response.deployment.map(Box::new),
                receipt: response.receipt,
            })
        }
    };
    match result {
        Ok(served) => Ok(Outcome::Created(served)),
        Err(status) if status.code() == Code::AlreadyExists => {
            match Box::pin(update::update(run, declared, &status)).await {
                Err(failure) if !failure.is_unreachable() => Ok(Outcome::Kept(failure)),
                other => other,
            }
        }
        Err(status) => Err(refusal(declared, &status)),
    }
}

async fn is_there(run: &Run<'_>, declared: &Declared) -> bool {
    let name = declared.document.object.name().to_owned();
    let request = wire::GetSecretRequest { name, project: run.project_of(declared) };
    run.client.secrets().get_secret(request).await.is_ok()
}

/// Projects cannot be made as a trial, so a dry run asks only whether it is there.
async fn create_project(run: &Run<'_>, project: &wire::Project) -> Result<Served, Status> {
    let mut identity = run.client.identity();
    if run.dry_run {
        let name = project.metadata.as_ref().map(|metadata| metadata.name.clone()).unwrap_or_default();
        return match identity.get_project(wire::GetProjectRequest { name }).await {
            Ok(_) => Err(Status::already_exists("it is there")),
            Err(status) if status.code() == Code::NotFound => Ok(Served::default()),
            Err(status) => Err(status),
        };
    }
    let request = wire::CreateProjectRequest { project: Some(project.clone()) };
    identity.create_project(request).await.map(|_| Served::default())
}

/// A refusal, each fault with its place in the manifest.
pub(super) fn refusal(declared: &Declared, status: &Status) -> Failure {
    let (document, file) = (&declared.document, &declared.file);
    let faults = failure::faults(status);
    if failure::is_unreachable(status) || faults.is_empty() {
        let label = label(&document.object);
        return Failure::of_call(format_args!("{file}:{}: {label}", document.place.line), status);
    }
    let mut told: Vec<_> = faults.iter().map(|fault| found(declared, fault)).collect();
    told.sort_by_key(|(place, _)| *place);
    Failure::refused(told.into_iter().map(|(_, told)| told).collect::<Vec<_>>().join("\n"))
}

/// A fault in words, and where it stands: what is to be told in the order of the file.
pub(crate) fn found(declared: &Declared, fault: &wire::Fault) -> (Place, String) {
    let (place, _) = declared.document.locate(&fault.field);
    (place, ruled(located(declared, &fault.field, &fault.message), &fault.rule))
}

/// What is wrong, and the rule it breaks by its name.
fn ruled(told: String, rule: &str) -> String {
    if rule.is_empty() { told } else { format!("{told} [{rule}]") }
}

/// A fault of a message's field, told of the manifest it came from.
pub(crate) fn located(declared: &Declared, field: &str, message: &str) -> String {
    let (document, file) = (&declared.document, &declared.file);
    let (place, field) = document.locate(field);
    let message = document.in_its_words(message);
    let at = format_args!("{file}:{}:{}", place.line, place.column);
    match field.as_str() {
        "" => format!("{at}: {message}"),
        field => format!("{at}: {field}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::apply::manifests::built_in;

    const HELLO: &str = "\
apiVersion: api.rapyuta.io/v2
kind: Package
metadata: {name: hello, version: 1.0.0}
spec:
  endpoints:
    - {name: WEB, type: external-http, port: 81}
";

    #[test]
    fn faults_of_the_server_are_found_in_the_file() {
        let declared = built_in("hello.yaml", HELLO).unwrap();
        let fault = |field: &str, message: &str| wire::Fault {
            field: field.into(),
            rule: String::new(),
            message: message.into(),
        };
        let faults = wire::Faults {
            faults: vec![
                fault("plans[0].components[0].endpoints[0].port", "must be 80, see target_port"),
                fault("", "no"),
                fault("plans[0].components[0].executables", "is empty"),
            ],
        };
        let details = faults.encode_to_vec().into();
        let status = Status::with_details(Code::InvalidArgument, "", details);
        assert_eq!(
            refusal(&declared[0], &status).to_string(),
            "hello.yaml:1:1: no\n\
             hello.yaml:5:3: spec.executables: is empty\n\
             hello.yaml:6:46: spec.endpoints[0].port: must be 80, see targetPort"
        );
    }
}
