//! Deployments that depend on others.

use proto::wire;
use tonic::Code;

use crate::runtime::{lease, reported};
use crate::samples::{bound, deployment, full, guid_of, hello, package_of};
use crate::stage::{Stage, assert_refused};

/// `db 1.0`: one endpoint among deployments, and a parameter that others see.
fn db() -> wire::Package {
    let endpoint = wire::Endpoint {
        name: "DB".into(),
        r#type: wire::EndpointType::InternalTcp.into(),
        port: 5432,
        ..Default::default()
    };
    let mut db = package_of("db", "1.0", vec![endpoint]);
    let parameter = wire::Parameter {
        name: "NAME".into(),
        default_value: Some("orders".into()),
        exposed_as: "DB_NAME".into(),
        ..Default::default()
    };
    db.plans[0].components[0].parameters.push(parameter);
    db
}

fn of(package: &str, name: &str, parents: &[&str]) -> wire::Deployment {
    let mut made = deployment(name);
    let spec = made.spec.as_mut().unwrap();
    spec.package_name = package.into();
    if package != "hello" {
        spec.backends.clear();
    }
    let on = |name: &&str| wire::DeploymentDependency { deployment: (*name).into(), wait: false };
    spec.depends = parents.iter().map(on).collect();
    made
}

/// A package without endpoints: its deployments may depend on each other in any way, but a circle.
async fn plain(stage: &Stage) {
    stage.create_package(package_of("plain", "1.0", Vec::new())).await.unwrap();
}

async fn settle(stage: &Stage, name: &str, lease: &wire::Lease) {
    let report =
        wire::ReportDeploymentRequest { phase: wire::Phase::Succeeded.into(), ..reported(name, lease) };
    stage.runtime().report_deployment(report).await.unwrap();
}

fn lines(deployment: &wire::Deployment) -> Vec<String> {
    let environment = &deployment.status.as_ref().unwrap().environment;
    environment.iter().map(|var| format!("{}={}", var.name, var.value)).collect()
}

fn codes(deployment: &wire::Deployment) -> &[String] {
    &deployment.status.as_ref().unwrap().error_codes
}

#[tokio::test]
async fn it_sees_its_parents_as_they_are_now() {
    let stage = Stage::start().await;
    for package in [hello(), db()] {
        stage.create_package(package).await.unwrap();
    }
    let parent = stage.deploy(of("db", "orders db", &[])).await;
    let child = stage.deploy(of("hello", "web", &["orders db"])).await;
    let host = format!("DB_HOST=main.{}.internal", guid_of(&parent.metadata));
    for line in [host.as_str(), "DB_PORT=5432", "DB_NAME=orders"] {
        assert!(lines(&child).iter().any(|seen| seen == line), "{line} in {:?}", lines(&child));
    }
    assert!(!lines(&child).iter().any(|line| line.starts_with("NAME=")), "what is not exposed");
    let seen = &child.status.as_ref().unwrap().dependencies;
    assert_eq!((seen[0].name.as_str(), seen[0].phase()), ("orders db", wire::Phase::InProgress));
    assert_eq!(codes(&child), Vec::<String>::new());

    let lease = lease(&stage).await;
    let fell = wire::ReportDeploymentRequest {
        status: wire::Status::Error.into(),
        error_codes: vec!["DEP_E155".into()],
        ..reported("orders db", &lease)
    };
    stage.runtime().report_deployment(fell).await.unwrap();
    let child = stage.get_deployment("web").await;
    assert_eq!(codes(&child), ["DEP_E156"]);
    assert_eq!(child.status.as_ref().unwrap().dependencies[0].error_codes, ["DEP_E155"]);
    let listed = stage.deployments().list_deployments(wire::ListDeploymentsRequest::default()).await.unwrap();
    assert!(listed.into_inner().deployments.contains(&child), "a list shows the same");

    settle(&stage, "orders db", &lease).await;
    assert_eq!(codes(&stage.get_deployment("web").await), Vec::<String>::new());
    stage.stop_deployment("orders db").await.unwrap();
    let orphan = stage.get_deployment("web").await;
    assert_eq!(codes(&orphan), ["DEP_E156"]);
    assert_eq!(orphan.status.as_ref().unwrap().dependencies[0].phase(), wire::Phase::Stopped);
    let refused = stage.create_deployment(of("hello", "another", &[guid_of(&parent.metadata)])).await;
    let field = "spec.depends[0].deployment";
    assert_refused(refused, Code::FailedPrecondition, field, "dependency_stopped");
    // What it depends on anyway is no reason to refuse an update of something else.
    let mut kept = of("hello", "web", &["orders db"]);
    kept.spec.as_mut().unwrap().service_account = "other".into();
    stage.updated(kept).await;
}

#[tokio::test]
async fn a_static_route_of_a_parent_is_seen() {
    let stage = Stage::start().await;
    for package in [hello(), full()] {
        stage.create_package(package).await.unwrap();
    }
    stage.create_static_route("gate").await.unwrap();
    stage.deploy(of("hello", "api", &[])).await;
    let field = "spec.depends[0].deployment";
    let refused = stage.create_deployment(of("full", "web", &["api"])).await;
    let message = assert_refused(refused, Code::InvalidArgument, field, "variable_collision");
    assert!(
        message.contains("its own endpoint WEB") && message.contains("the endpoint WEB of deployment api"),
        "{message}"
    );
    stage.create_package(db()).await.unwrap();
    stage.deploy(of("db", "db", &["api"])).await;
    stage.bind("gate", "api", false).await.unwrap();
    let child = stage.get_deployment("db").await;
    assert!(lines(&child).contains(&"WEB_HOST=gate.ep-r.io".to_owned()), "{:?}", lines(&child));
    // A move by an update is seen as well.
    stage.deploy(of("hello", "other", &[])).await;
    stage.updated(bound(of("hello", "other", &[]), "gate", "WEB")).await;
    let child = stage.get_deployment("db").await;
    assert!(!lines(&child).contains(&"WEB_HOST=gate.ep-r.io".to_owned()), "{:?}", lines(&child));
}

#[tokio::test]
async fn a_circle_is_refused_with_all_of_it_named() {
    let stage = Stage::start().await;
    plain(&stage).await;
    let itself = stage.create_deployment(of("plain", "a", &["a"])).await;
    assert_refused(itself, Code::InvalidArgument, "spec.depends[0].deployment", "dependency_itself");
    stage.deploy(of("plain", "a", &[])).await;
    stage.deploy(of("plain", "b", &["a"])).await;
    stage.deploy(of("plain", "c", &["b"])).await;
    let lease = lease(&stage).await;
    settle(&stage, "a", &lease).await;
    let refused = stage.update_deployment(of("plain", "a", &["c"])).await;
    let message = assert_refused(refused, Code::FailedPrecondition, "spec.depends", "dependency_cycle");
    assert!(message.contains("a -> c -> b -> a"), "{message}");
}

/// Each of two would be no circle by itself; together they would be one. Neither sees the other while it
/// is judged, and yet one of them is refused.
#[tokio::test(flavor = "multi_thread")]
async fn two_updates_at_once_close_no_circle() {
    let stage = Stage::start().await;
    plain(&stage).await;
    let lease = lease(&stage).await;
    for round in 0..12 {
        let name = |which: &str| format!("{which}{round}");
        let (a, b, c) = (name("a"), name("b"), name("c"));
        stage.deploy(of("plain", &c, &[])).await;
        stage.deploy(of("plain", &a, &[])).await;
        stage.deploy(of("plain", &b, &[&c])).await;
        for settled in [&a, &c] {
            settle(&stage, settled, &lease).await;
        }
        let (one, two) = tokio::join!(
            stage.update_deployment(of("plain", &a, &[&b])),
            stage.update_deployment(of("plain", &c, &[&a]))
        );
        let lost = match (one, two) {
            (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => Err::<(), _>(lost),
            (one, two) => panic!("round {round}: {one:?} and {two:?}"),
        };
        assert_refused(lost, Code::FailedPrecondition, "spec.depends", "dependency_cycle");
    }
}

#[tokio::test]
async fn secrets_must_be_there_and_stay_while_they_are_referred_to() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let mut asked = deployment("one");
    asked.spec.as_mut().unwrap().env_args = vec![wire::EnvVar {
        name: "PASSWORD".into(),
        value_from: Some(wire::SecretKey { secret: "db".into(), key: "password".into() }),
        ..Default::default()
    }];
    let field = "spec.env_args[0].value_from";
    let refused = stage.create_deployment(asked.clone()).await;
    assert_refused(refused, Code::InvalidArgument, field, "secret_unknown");
    stage.deploy(deployment("two")).await;
    let mut changed = asked.clone();
    changed.metadata.as_mut().unwrap().name = "two".into();
    let refused = stage.update_deployment(changed.clone()).await;
    assert_refused(refused, Code::InvalidArgument, field, "secret_unknown");

    let data = wire::OpaqueData { values: [("password".to_owned(), "p".to_owned())].into() };
    let metadata = Some(wire::Metadata { name: "db".into(), ..Default::default() });
    let secret = wire::Secret { metadata, data: Some(wire::secret::Data::Opaque(data)) };
    let request = wire::CreateSecretRequest { secret: Some(secret), dry_run: false };
    stage.admin().secrets().create_secret(request).await.unwrap();
    let one = stage.deploy(asked).await;
    assert!(lines(&one).contains(&"PASSWORD=".to_owned()), "what it is stands in the secret alone");
    stage.updated(changed).await;
    for name in ["one", "two"] {
        let delete = wire::DeleteSecretRequest { name: "db".into(), ..Default::default() };
        let refused = stage.admin().secrets().delete_secret(delete).await;
        assert_refused(refused, Code::FailedPrecondition, "name", "secret_in_use");
        stage.stop_deployment(name).await.unwrap();
    }
    let delete = wire::DeleteSecretRequest { name: "db".into(), ..Default::default() };
    stage.admin().secrets().delete_secret(delete).await.unwrap();
}
