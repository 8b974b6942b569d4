//! Deployments that are changed in place.

use proto::wire;
use tonic::{Code, Status};

use crate::runtime::{backends, lease, reported};
use crate::samples::{bound, deployment, full, full_deployment, guid_of, hello, name_of};
use crate::stage::{Stage, assert_refused, told};

impl Stage {
    pub(crate) async fn update_deployment(
        &self,
        deployment: wire::Deployment,
    ) -> Result<wire::UpdateDeploymentResponse, Status> {
        let request = wire::UpdateDeploymentRequest { deployment: Some(deployment), ..Default::default() };
        self.deployments().update_deployment(request).await.map(tonic::Response::into_inner)
    }

    /// An update that is taken.
    pub(crate) async fn updated(&self, deployment: wire::Deployment) -> wire::Deployment {
        self.update_deployment(deployment).await.unwrap().deployment.unwrap()
    }
}

fn status(deployment: &wire::Deployment) -> &wire::DeploymentStatus {
    deployment.status.as_ref().unwrap()
}

fn random_host(deployment: &wire::Deployment, endpoint: &str) -> String {
    let endpoints = &status(deployment).endpoints;
    endpoints.iter().find(|seen| seen.name == endpoint).unwrap().random_host.clone()
}

fn routes(deployment: &wire::Deployment) -> Vec<&str> {
    let bindings = &deployment.spec.as_ref().unwrap().static_routes;
    bindings.iter().map(|binding| binding.static_route.as_str()).collect()
}

fn events(deployment: &wire::Deployment) -> Vec<&str> {
    status(deployment).events.iter().map(|event| event.message.as_str()).collect()
}

/// `hello`, with an endpoint more and one less.
fn hello_again() -> wire::Package {
    let mut again = hello();
    again.version = "2.0".into();
    let endpoints = &mut again.plans[0].components[0].endpoints;
    let more = wire::Endpoint { name: "MORE".into(), ..endpoints[0].clone() };
    endpoints.push(more);
    again
}

fn of_version(mut deployment: wire::Deployment, version: &str) -> wire::Deployment {
    deployment.spec.as_mut().unwrap().package_version = version.into();
    deployment
}

#[tokio::test]
async fn an_update_moves_binds_and_releases_routes_in_one_commit() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    for name in ["gate", "shop", "door"] {
        stage.create_static_route(name).await.unwrap();
    }
    let one = stage.deploy(bound(deployment("one"), "door", "WEB")).await;
    stage.deploy(bound(bound(deployment("two"), "gate", "WEB"), "shop", "WEB")).await;

    let asked = bound(bound(deployment("one"), "gate.ep-r.io", ""), "shop", "WEB");
    let updated = stage.update_deployment(asked).await.unwrap();
    let revision = updated.receipt.unwrap().revision.unwrap();
    let updated = updated.deployment.unwrap();
    assert_eq!(stage.get_deployment("one").await, updated);
    assert_eq!((status(&updated).generation, routes(&updated)), (2, vec!["gate", "shop"]));
    assert_eq!(
        (status(&updated).phase(), guid_of(&updated.metadata)),
        (wire::Phase::Succeeded, guid_of(&one.metadata))
    );
    assert_eq!(random_host(&updated, "WEB"), random_host(&one, "WEB"));
    let two = stage.get_deployment("two").await;
    assert_eq!(routes(&two), Vec::<&str>::new());
    assert!(events(&two).contains(&"moved static route gate to deployment one"), "{:?}", events(&two));
    assert_eq!(
        events(&updated)[2..],
        [
            "updated to generation 2",
            "moved static route gate here, to WEB, from deployment two",
            "moved static route shop here, to WEB, from deployment two",
            "unbound static route door",
        ]
    );
    for (name, bound) in [("gate", true), ("shop", true), ("door", false)] {
        let bound_to = stage.get_static_route(name).await.bound_to.map(|bound| bound.deployment_guid);
        assert_eq!(bound_to.as_deref(), bound.then(|| guid_of(&one.metadata)), "{name}");
        let route = stage.route_at(&format!("{name}.ep-r.io"), &revision).await.unwrap();
        let Some(target) = route.target else { panic!("{name} leads nowhere") };
        assert_eq!(matches!(target, wire::route::Target::Binding(_)), bound, "{name}");
    }
}

#[tokio::test]
async fn random_routes_come_and_go_with_their_endpoints() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_package(hello_again()).await.unwrap();
    let one = stage.deploy(deployment("one")).await;
    let asked = of_version(deployment("one"), "2.0");
    let mut trial =
        wire::UpdateDeploymentRequest { deployment: Some(asked.clone()), dry_run: true, wait: None };
    let tried = stage.deployments().update_deployment(trial.clone()).await.unwrap().into_inner();
    assert!(tried.receipt.is_none() && status(&tried.deployment.unwrap()).endpoints.len() == 2);
    assert_eq!(stage.get_deployment("one").await, one, "a trial does nothing");

    // MORE has no backends that are simply there: somebody has to set it up.
    trial.dry_run = false;
    let updated = stage.deployments().update_deployment(trial).await.unwrap().into_inner();
    let revision = updated.receipt.unwrap().revision.unwrap();
    let updated = updated.deployment.unwrap();
    assert_eq!(status(&updated).phase(), wire::Phase::Provisioning);
    assert_eq!(random_host(&updated, "WEB"), random_host(&one, "WEB"));
    let more = random_host(&updated, "MORE");
    assert!(stage.route_at(&more, &revision).await.is_some());
    let used = |version: &str| wire::DeletePackageRequest {
        name: "hello".into(),
        version: version.into(),
        ..Default::default()
    };
    stage.packages().delete_package(used("1.0")).await.unwrap();
    let refused = stage.packages().delete_package(used("2.0")).await;
    assert_refused(refused, Code::FailedPrecondition, "name", "package_in_use");

    stage.create_package(hello()).await.unwrap();
    let lease = lease(&stage).await;
    let settled = wire::ReportDeploymentRequest {
        phase: wire::Phase::FailedToUpdate.into(),
        generation: 2,
        ..reported("one", &lease)
    };
    stage.runtime().report_deployment(settled).await.unwrap();
    let back = stage.update_deployment(deployment("one")).await.unwrap();
    let revision = back.receipt.unwrap().revision.unwrap();
    assert_eq!(status(&back.deployment.unwrap()).phase(), wire::Phase::Succeeded);
    assert_eq!(stage.route_at(&more, &revision).await, None, "given up with its endpoint");
}

#[tokio::test]
async fn what_was_reported_serves_until_it_is_reported_anew() {
    let stage = Stage::start().await;
    stage.create_package(full()).await.unwrap();
    stage.deploy(full_deployment("full")).await;
    let lease = lease(&stage).await;
    let up = wire::ReportDeploymentRequest {
        phase: wire::Phase::Succeeded.into(),
        backends: vec![backends("WEB", &["10.0.0.1:80"])],
        ..reported("full", &lease)
    };
    stage.runtime().report_deployment(up.clone()).await.unwrap();
    let updated = stage.updated(full_deployment("full")).await;
    assert_eq!((status(&updated).phase(), status(&updated).generation), (wire::Phase::Provisioning, 2));
    assert_eq!(status(&updated).endpoints[0].backends[0].address, "10.0.0.1:80");
    assert!(events(&updated).contains(&"restarted as generation 2"), "{:?}", events(&updated));

    let under_way = stage.update_deployment(full_deployment("full")).await;
    let message = assert_refused(under_way, Code::FailedPrecondition, "metadata.name", "deployment_phase");
    assert!(message.contains("is in phase Provisioning"), "{message}");
    let late = stage
        .runtime()
        .report_deployment(wire::ReportDeploymentRequest { generation: 1, ..up.clone() })
        .await;
    assert_refused(late, Code::FailedPrecondition, "generation", "generation");
    let anew = wire::ReportDeploymentRequest {
        generation: 2,
        backends: vec![backends("WEB", &["10.0.0.2:80"])],
        ..up
    };
    let anew = stage.runtime().report_deployment(anew).await.unwrap().into_inner().deployment.unwrap();
    assert_eq!(status(&anew).endpoints[0].backends[0].address, "10.0.0.2:80");
    assert!(events(&anew).ends_with(&["phase Provisioning -> Succeeded"]), "{:?}", events(&anew));
    stage.updated(full_deployment("full")).await;
}

#[tokio::test]
async fn all_faults_of_an_update_come_at_once() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let one = stage.deploy(deployment("one")).await;
    let mut asked = bound(bound(deployment("other"), "nowhere", "WEB"), "x", "WEB");
    asked.metadata.as_mut().unwrap().guid = guid_of(&one.metadata).into();
    let spec = asked.spec.as_mut().unwrap();
    spec.depends = vec![on("one"), on("who")];
    spec.runtime = wire::RuntimeKind::Device.into();
    spec.restart = 99;
    let (code, faults) = told(&stage.update_deployment(asked).await.unwrap_err());
    let mut faults: Vec<_> = faults.iter().map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
    faults.sort_unstable();
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        faults,
        [
            ("metadata.name", "name_fixed"),
            ("spec.depends[0].deployment", "dependency_itself"),
            ("spec.depends[1].deployment", "dependency_unknown"),
            ("spec.restart", "unknown_value"),
            ("spec.runtime", "runtime_mismatch"),
            ("spec.static_routes[0].static_route", "static_route_unknown"),
            ("spec.static_routes[1].static_route", "static_route_length"),
        ]
    );
    assert_eq!(stage.get_deployment("one").await, one);
    let nameless = stage.update_deployment(deployment("")).await;
    assert_refused(nameless, Code::InvalidArgument, "metadata.name", "name");
    let nobody = stage.update_deployment(deployment("nobody")).await.unwrap_err();
    assert_eq!(nobody.code(), Code::NotFound);
    stage.stop_deployment("one").await.unwrap();
    let stopped = stage.update_deployment(deployment("one")).await;
    assert_refused(stopped, Code::FailedPrecondition, "metadata.name", "deployment_stopped");
}

#[tokio::test]
async fn what_is_more_than_one_commit_may_hold_is_refused_in_words() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let names: Vec<_> = (0..98).map(|n| format!("route-{n}")).collect();
    for name in &names {
        stage.create_static_route(name).await.unwrap();
    }
    let with = |name: &str, routes: &[String]| {
        routes.iter().fold(deployment(name), |deployment, route| bound(deployment, route, "WEB"))
    };
    stage.deploy(with("one", &names[..49])).await;
    let refused = stage.update_deployment(with("one", &names[49..])).await;
    let message = assert_refused(refused, Code::FailedPrecondition, "spec", "too_many_changes");
    assert!(message.contains("which holds 99"), "{message}");
    assert_eq!(routes(&stage.get_deployment("one").await).len(), 49, "nothing was done");
    stage.updated(with("one", &names[49..80])).await;
}

#[tokio::test]
async fn everything_of_a_deployment_comes_back_as_it_was_given() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.deploy(full_settings("parent-free", Vec::new())).await;
    let mut asked = full_settings("one", Vec::new());
    let created = stage.deploy(asked.clone()).await;
    assert!(created.metadata.as_ref().unwrap().creator.starts_with("user-"));
    asked.spec.as_mut().unwrap().plan = "default".into();
    assert_eq!(created.spec, asked.spec);
    let plain = stage.updated(deployment("one")).await;
    assert_eq!(plain.spec.as_ref().unwrap().restart(), wire::RestartPolicy::Unspecified);
    assert_eq!(plain.metadata.unwrap().creator, created.metadata.unwrap().creator);
}

fn on(name: &str) -> wire::DeploymentDependency {
    wire::DeploymentDependency { deployment: name.into(), wait: true }
}

fn full_settings(name: &str, depends: Vec<wire::DeploymentDependency>) -> wire::Deployment {
    let mut deployment = deployment(name);
    let spec = deployment.spec.as_mut().unwrap();
    spec.env_args = vec![wire::EnvVar {
        name: "LEVEL".into(),
        value: "debug".into(),
        exposed_as: "SEEN".into(),
        ..Default::default()
    }];
    spec.volumes = vec![wire::Volume {
        executable: "app".into(),
        mount_path: "/data".into(),
        disk: "disk".into(),
        sub_path: "a".into(),
        ..Default::default()
    }];
    spec.depends = depends;
    spec.restart = wire::RestartPolicy::OnFailure.into();
    spec.runtime = wire::RuntimeKind::Cloud.into();
    spec.ros_networks =
        vec![wire::RosNetwork { network: "net".into(), domain_id: Some(0), interface: "eth0".into() }];
    spec.features = Some(wire::Features {
        params_enabled: true,
        params_trees: vec!["tree".into()],
        params_block_until_synced: true,
        vpn_enabled: false,
    });
    spec.service_account = "robot".into();
    spec.network_interface = "eth1".into();
    deployment
}

#[tokio::test]
async fn lists_are_filtered_by_phase_name_guid_and_label() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    for name in ["a", "b", "c"] {
        let mut labelled = deployment(name);
        labelled.metadata.as_mut().unwrap().labels = [("team".to_owned(), name.to_owned())].into();
        stage.deploy(labelled).await;
    }
    let b = stage.get_deployment("b").await;
    let list = async |filter: wire::Filter| {
        let request = wire::ListDeploymentsRequest {
            filter: Some(filter),
            phases: vec![wire::Phase::Succeeded.into()],
            ..Default::default()
        };
        let listed = stage.deployments().list_deployments(request).await.unwrap().into_inner().deployments;
        let mut names: Vec<_> = listed.iter().map(|found| name_of(&found.metadata).to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(
        list(wire::Filter { names: vec!["a".into(), "c".into()], ..Default::default() }).await,
        ["a", "c"]
    );
    let guids = vec![guid_of(&b.metadata).to_owned()];
    assert_eq!(list(wire::Filter { guids, ..Default::default() }).await, ["b"]);
    let labels = [("team".to_owned(), "c".to_owned())].into();
    assert_eq!(list(wire::Filter { labels, ..Default::default() }).await, ["c"]);
    stage.stop_deployment("c").await.unwrap();
    assert_eq!(list(wire::Filter::default()).await, ["a", "b"]);
}
