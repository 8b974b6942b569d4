//! What runtimes are told to run.

use proto::wire;
use proto::wire::watch_deployments_response::Message;
use tonic::{Code, Status, Streaming};

use proto::wire::runtime_service_client::RuntimeServiceClient;

use crate::actors::Actor;
use crate::samples::{bound, deployment, hello, name_of, package_of};
use crate::stage::Stage;

type Watch = Streaming<wire::WatchDeploymentsResponse>;

async fn watch(stage: &Stage) -> Watch {
    watch_as(&stage.admin(), "").await.unwrap()
}

async fn watch_as(actor: &Actor, project: &str) -> Result<Watch, Status> {
    let request = wire::WatchDeploymentsRequest { project: project.into() };
    let mut runtime = RuntimeServiceClient::new(actor.channel());
    runtime.watch_deployments(request).await.map(tonic::Response::into_inner)
}

/// The next message that is not a heartbeat.
async fn next(watch: &mut Watch) -> Message {
    loop {
        match watch.message().await.unwrap().unwrap().message.unwrap() {
            Message::Heartbeat(_) => {}
            other => return other,
        }
    }
}

/// The names of the deployments it tells of, in order, before it is in step.
async fn at_first(watch: &mut Watch) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        match next(watch).await {
            Message::Run(run) => names.push(name_of(&run.deployment.unwrap().metadata).to_owned()),
            Message::Synced(_) => break,
            other => panic!("{other:?}"),
        }
    }
    names.sort_unstable();
    names
}

/// The next message, which must tell of a deployment to run.
async fn to_run(watch: &mut Watch) -> wire::DeploymentToRun {
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
}

#[tokio::test]
async fn a_runtime_learns_what_comes_and_goes() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let mut watch = watch(&stage).await;
    assert_eq!(next(&mut watch).await, Message::Synced(wire::WatchSynced {}));
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

/// `child` depends on `parent`, which serves API, and waits for it.
async fn stage_with_child() -> Stage {
    let stage = Stage::start().await;
    let endpoint = wire::Endpoint {
        name: "API".into(),
        r#type: wire::EndpointType::ExternalHttp.into(),
        ..Default::default()
    };
    stage.create_package(package_of("api", "1.0", vec![endpoint])).await.unwrap();
    stage.create_package(hello()).await.unwrap();
    let mut parent = deployment("parent");
    let spec = parent.spec.as_mut().unwrap();
    (spec.package_name, spec.backends[0].endpoint) = ("api".into(), "API".into());
    stage.deploy(parent).await;
    let mut child = deployment("child");
    let depends = wire::DeploymentDependency { deployment: "parent".into(), wait: true };
    child.spec.as_mut().unwrap().depends.push(depends);
    child.spec.as_mut().unwrap().backends[0].backends[0].address = "10.0.0.8:8080".into();
    stage.deploy(child).await;
    stage
}

#[tokio::test]
async fn what_happens_to_a_deployment_is_told_to_those_who_depend_on_it() {
    let stage = stage_with_child().await;
    stage.create_static_route("the-parent").await.unwrap();
    let mut watch = watch(&stage).await;
    assert_eq!(at_first(&mut watch).await, ["child", "parent"]);

    stage.bind("the-parent", "parent", false).await.unwrap();
    for expected in ["parent", "child"] {
        let told = to_run(&mut watch).await.deployment.unwrap();
        assert_eq!(name_of(&told.metadata), expected);
        assert_eq!(variable(&told, "API_HOST"), "the-parent.ep-r.io");
    }

    let open = wire::OpenLeaseRequest { runtime: "test".into(), ..Default::default() };
    let lease = stage.runtime().open_lease(open).await.unwrap().into_inner();
    let report = wire::ReportDeploymentRequest {
        lease_id: lease.id,
        deployment: "parent".into(),
        status: wire::Status::Error.into(),
        ..Default::default()
    };
    stage.runtime().report_deployment(report).await.unwrap();
    let told = to_run(&mut watch).await.deployment.unwrap();
    let parent = &told.status.as_ref().unwrap().dependencies[0];
    assert_eq!((name_of(&told.metadata), parent.status()), ("child", wire::Status::Error));
}

#[tokio::test]
async fn an_update_is_told_of_whoever_loses_by_it_too() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    stage.deploy(bound(deployment("old"), "my-shop", "WEB")).await;
    stage.deploy(deployment("new")).await;
    let mut watch = watch(&stage).await;
    assert_eq!(at_first(&mut watch).await, ["new", "old"]);
    let update = wire::UpdateDeploymentRequest {
        deployment: Some(bound(deployment("new"), "my-shop", "WEB")),
        ..Default::default()
    };
    stage.deployments().update_deployment(update).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        let deployment = to_run(&mut watch).await.deployment.unwrap();
        let (generation, host) =
            (deployment.status.as_ref().unwrap().generation, variable(&deployment, "WEB_HOST"));
        told.push((name_of(&deployment.metadata).to_owned(), generation, host == "my-shop.ep-r.io"));
    }
    told.sort_unstable();
    assert_eq!(told, [("new".to_owned(), 2, true), ("old".to_owned(), 1, false)]);
}

#[tokio::test]
async fn a_runtime_is_told_of_the_projects_its_token_opens() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.deploy(deployment("ours")).await;
    let mut everything = watch_as(&stage.file("runtime.token"), "").await.unwrap();
    assert_eq!(at_first(&mut everything).await, ["ours"]);

    stage.admin().create_project("other", "").await.unwrap();
    let admin_there = [("project", "other", wire::Role::Admin)];
    let owner = stage.user("owner@example.com", wire::Role::Unspecified, &admin_there).await;
    let mut package = hello();
    package.metadata.as_mut().unwrap().project = "other".into();
    let request = wire::CreatePackageRequest { package: Some(package), dry_run: false };
    owner.packages().create_package(request).await.unwrap();
    let mut theirs = deployment("theirs");
    theirs.metadata.as_mut().unwrap().project = "other".into();
    theirs.spec.as_mut().unwrap().backends[0].backends[0].address = "10.0.9.9:8080".into();
    let request = wire::CreateDeploymentRequest { deployment: Some(theirs), ..Default::default() };
    owner.deployments().create_deployment(request).await.unwrap();

    let told = to_run(&mut everything).await.deployment.unwrap();
    assert_eq!(name_of(&told.metadata), "theirs", "of a project that is younger than the watch");
    let token = wire::CreateTokenRequest {
        name: "runner".into(),
        role: wire::Role::Runtime.into(),
        project: "other".into(),
        ..Default::default()
    };
    let runner = stage.with_token(&owner, token).await;
    assert_eq!(at_first(&mut watch_as(&runner, "").await.unwrap()).await, ["theirs"]);
    assert_eq!(at_first(&mut watch_as(&runner, "other").await.unwrap()).await, ["theirs"]);
    let refused = watch_as(&runner, "default").await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
}
