use std::fmt::Write as _;

use proto::manifest::Object;
use proto::wire;
use tonic::{Code, Status};

use super::manifests::Declared;
use super::{label, same};
use crate::client::Client;
use crate::failure::{self, Failure};
use crate::output::quoted;

/// How an object came out of applying it.
pub(crate) enum Outcome {
    /// It is new.
    Created(Created),
    /// It was there, and the same.
    Unchanged,
    /// It was there, and is something else.
    Different(Failure),
    /// A dry run cannot say: this, which it builds on, would be created only now.
    NotJudged(String),
    /// It was not tried: its manifest says that it had been stopped.
    Stopped,
    /// It was not tried: this, which it builds on, could not be created.
    Skipped(String),
}

pub(crate) enum Created {
    Package,
    StaticRoute,
    /// With who serves it.
    Deployment(Box<wire::CreateDeploymentResponse>),
}

/// How objects are created.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// Judge, create nothing.
    pub(crate) dry_run: bool,
    /// Return when the connected proxies serve it.
    pub(crate) wait: bool,
}

/// Creates an object, or sees that it is there.
pub(crate) async fn create(client: &Client, declared: &Declared, how: How) -> Result<Outcome, Failure> {
    let dry_run = how.dry_run;
    if super::is_stopped(&declared.document.object) {
        return Ok(Outcome::Stopped);
    }
    let result = match &declared.document.object {
        Object::Package(package) => {
            let request = wire::CreatePackageRequest { package: Some(package.clone()), dry_run };
            client.packages().create_package(request).await.map(|_| Created::Package)
        }
        Object::StaticRoute(route) => {
            let request = wire::CreateStaticRouteRequest { static_route: Some(route.clone()), dry_run };
            client.static_routes().create_static_route(request).await.map(|_| Created::StaticRoute)
        }
        Object::Deployment(deployment) => {
            let deployment = Some(deployment.clone());
            let wait = how.wait.then(wire::WaitForProxies::default);
            let request = wire::CreateDeploymentRequest { deployment, dry_run, wait };
            let response = client.deployments().create_deployment(request).await;
            response.map(|response| Created::Deployment(Box::new(response.into_inner())))
        }
    };
    match result {
        Ok(created) => Ok(Outcome::Created(created)),
        Err(status) if status.code() == Code::AlreadyExists => already_there(client, declared, &status).await,
        Err(status) => Err(refusal(declared, &status)),
    }
}

/// The one of `absent` that an object builds on.
pub(crate) fn needed<'o>(object: &Object, absent: &[&'o Object]) -> Option<&'o Object> {
    let Object::Deployment(wire::Deployment { spec: Some(spec), .. }) = object else { return None };
    let is_needed = |object: &Object| {
        let (name, version) = super::identity(object);
        match object {
            Object::Package(_) => name == spec.package_name && version == spec.package_version,
            Object::StaticRoute(_) => spec.static_routes.iter().any(|binding| binding.static_route == name),
            Object::Deployment(_) => false,
        }
    };
    absent.iter().copied().find(|object| is_needed(object))
}

/// Whether what is there is what was declared.
async fn already_there(client: &Client, declared: &Declared, refused: &Status) -> Result<Outcome, Failure> {
    let (name, version) = super::identity(&declared.document.object);
    let (name, version) = (name.to_owned(), version.to_owned());
    let project = String::new();
    let difference = match &declared.document.object {
        Object::Package(package) => {
            let request = wire::GetPackageRequest { name, version, project };
            let there =
                client.packages().get_package(request).await.map_err(|_| refusal(declared, refused))?;
            let differs = !same::packages(package, there.get_ref());
            differs.then(|| "a package never changes: give the new one another version".to_owned())
        }
        Object::StaticRoute(route) => {
            let request = wire::GetStaticRouteRequest { name: name.clone(), project };
            // One of another project is not ours to see: then the refusal says all there is to say.
            let there = client.static_routes().get_static_route(request).await;
            let there = there.map_err(|_| refusal(declared, refused))?;
            let differs = !same::static_routes(route, there.get_ref());
            differs.then(|| {
                format!("to replace it: epr delete static-route {}, then apply again", quoted(&name))
            })
        }
        Object::Deployment(deployment) => {
            let request = wire::GetDeploymentRequest { name: name.clone(), project };
            let there = client.deployments().get_deployment(request).await;
            let there = there.map_err(|_| refusal(declared, refused))?;
            let differs = !same::deployments(deployment, there.get_ref());
            differs
                .then(|| format!("to replace it: epr delete deployment {}, then apply again", quoted(&name)))
        }
    };
    let Some(hint) = difference else { return Ok(Outcome::Unchanged) };
    let place = declared.document.place;
    let label = label(&declared.document.object);
    let told = format_args!("{}:{}: {label} exists and is different", declared.file, place.line);
    Ok(Outcome::Different(Failure::refused(told).hint(hint)))
}

/// A refusal, each fault with its place in the manifest.
fn refusal(declared: &Declared, status: &Status) -> Failure {
    let (document, file) = (&declared.document, &declared.file);
    let faults = failure::faults(status);
    if failure::is_unreachable(status) || faults.is_empty() {
        let label = label(&document.object);
        return Failure::of_call(format_args!("{file}:{}: {label}", document.place.line), status);
    }
    let mut told = String::new();
    for fault in faults {
        let (place, field) = document.locate(&fault.field);
        let message = document.in_its_words(&fault.message);
        let separator = if told.is_empty() { "" } else { "\n" };
        let at = format_args!("{separator}{file}:{}:{}", place.line, place.column);
        // Writing to a String cannot fail.
        let _ = match field.as_str() {
            "" => write!(told, "{at}: {message}"),
            field => write!(told, "{at}: {field}: {message}"),
        };
    }
    Failure::refused(told)
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
---
apiVersion: api.rapyuta.io/v2
kind: Deployment
metadata: {name: hello, depends: {nameOrGUID: hello, version: 1.0.0}}
spec: {}
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
                fault("plans[0].components[0].executables", "is empty"),
                fault("", "no"),
            ],
        };
        let details = faults.encode_to_vec().into();
        let status = Status::with_details(Code::InvalidArgument, "", details);
        assert_eq!(
            refusal(&declared[0], &status).to_string(),
            "hello.yaml:6:46: spec.endpoints[0].port: must be 80, see targetPort\n\
             hello.yaml:5:3: spec.executables: is empty\n\
             hello.yaml:1:1: no"
        );
    }

    #[test]
    fn what_a_deployment_builds_on_is_known() {
        let declared = built_in("hello.yaml", HELLO).unwrap();
        let (package, deployment) = (&declared[0].document.object, &declared[1].document.object);
        assert_eq!(needed(deployment, &[package]), Some(package));
        assert_eq!(needed(deployment, &[deployment]), None);
        assert_eq!(needed(package, &[package]), None);
    }
}
