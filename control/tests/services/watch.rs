//! What runtimes are told to run.

use proto::wire;
use proto::wire::watch_deployments_response::Message;
use tonic::{Code, Streaming};

use crate::samples::{deployment, hello, name_of};
use crate::stage::Stage;

async fn watch(stage: &Stage) -> Streaming<wire::WatchDeploymentsResponse> {
    let request = wire::WatchDeploymentsRequest::default();
    stage.runtime().watch_deployments(request).await.unwrap().into_inner()
}

/// The next message that is not a heartbeat.
async fn next(watch: &mut Streaming<wire::WatchDeploymentsResponse>) -> Message {
    loop {
        match watch.message().await.unwrap().unwrap().message.unwrap() {
            Message::Heartbeat(_) => {}
            other => return other,
        }
    }
}

/// The next message, which must tell of a deployment to run.
async fn to_run(watch: &mut Streaming<wire::WatchDeploymentsResponse>) -> wire::DeploymentToRun {
    match next(watch).await {
        Message::Run(run) => run,
        other => panic!("{other:?}"),
    }
}

fn variable(deployment: &wire::Deployment, name: &str) -> String {
    let environment = &deployment.status.as_ref().unwrap().environment;
    environment.iter().find(|variable| variable.name == name).unwrap().value.clone()
}

#[tokio::test]
async fn a_runtime_learns_what_to_run_and_what_changes() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    stage.deploy(deployment("one")).await;
    stage.deploy(deployment("gone")).await;
    stage.stop_deployment("gone").await.unwrap();

    let mut watch = watch(&stage).await;
    let run = to_run(&mut watch).await;
    let (one, plan) = (run.deployment.unwrap(), run.plan.unwrap());
    assert_eq!((name_of(&one.metadata), plan.name.as_str()), ("one", "default"));
    assert_eq!(plan.components[0].executables[0].name, "app");
    let random = one.status.as_ref().unwrap().endpoints[0].random_host.clone();
    assert_eq!(variable(&one, "WEB_HOST"), random);
    assert_eq!(next(&mut watch).await, Message::Synced(wire::WatchSynced {}));

    stage.bind("my-shop", "one", false).await.unwrap();
    let bound = to_run(&mut watch).await.deployment.unwrap();
    assert_eq!(variable(&bound, "WEB_HOST"), "my-shop.ep-r.io");
    stage.unbind("my-shop").await.unwrap();
    assert_eq!(variable(&to_run(&mut watch).await.deployment.unwrap(), "WEB_HOST"), random);

    let two = stage.deploy(deployment("two")).await;
    assert_eq!(to_run(&mut watch).await.deployment.unwrap().metadata, two.metadata);
    stage.stop_deployment("two").await.unwrap();
    let metadata = two.metadata.unwrap();
    let stop = wire::DeploymentToStop { guid: metadata.guid, name: metadata.name, project: metadata.project };
    assert_eq!(next(&mut watch).await, Message::Stop(stop));
}

#[tokio::test]
async fn a_report_is_not_echoed() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.deploy(deployment("one")).await;
    let mut watch = watch(&stage).await;
    to_run(&mut watch).await;
    assert_eq!(next(&mut watch).await, Message::Synced(wire::WatchSynced {}));

    let open = wire::OpenLeaseRequest { runtime: "test".into(), ..Default::default() };
    let lease = stage.runtime().open_lease(open).await.unwrap().into_inner();
    let report = wire::ReportDeploymentRequest {
        lease_id: lease.id,
        deployment: "one".into(),
        phase: wire::Phase::Succeeded.into(),
        status: wire::Status::Error.into(),
        message: "it crashed".into(),
        ..Default::default()
    };
    stage.runtime().report_deployment(report).await.unwrap();
    stage.deploy(deployment("two")).await;
    let told = to_run(&mut watch).await.deployment.unwrap();
    assert_eq!(name_of(&told.metadata), "two");
}

#[tokio::test]
async fn a_watch_ends_with_control() {
    let stage = Stage::start().await;
    let mut watch = watch(&stage).await;
    assert_eq!(next(&mut watch).await, Message::Synced(wire::WatchSynced {}));
    stage.stop().await;
    assert_eq!(watch.message().await.unwrap_err().code(), Code::Unavailable);
}
