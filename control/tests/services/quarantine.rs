//! Backend addresses between projects, and random names that were given up.

use std::sync::Arc;
use std::time::Duration;

use control::store::{Embedded, EmbeddedConfig, Prefix, Store as _};
use futures_util::future::join_all;
use proto::{Epoch, wire};
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::samples::{deployment, hello};
use crate::stage::{Stage, assert_refused, told};

const ADDRESS: &str = "spec.backends[0].backends[0].address";

fn at(name: &str, project: &str, address: &str) -> wire::Deployment {
    let mut deployment = deployment(name);
    deployment.metadata.as_mut().unwrap().project = project.into();
    deployment.spec.as_mut().unwrap().backends[0].backends[0].address = address.into();
    deployment
}

impl Stage {
    /// Another project, with the package `hello`.
    async fn another_project(&self, name: &str) -> String {
        let made = self.admin().create_project(name, "").await.unwrap();
        let guid = made.metadata.unwrap().guid;
        let mut package = hello();
        package.metadata.as_mut().unwrap().project = guid.clone();
        self.create_package(package).await.unwrap();
        guid
    }

    async fn stop_in(&self, project: &str, name: &str) -> Result<(), Status> {
        let request =
            wire::StopDeploymentRequest { name: name.into(), project: project.into(), ..Default::default() };
        self.deployments().stop_deployment(request).await.map(|_| ())
    }
}

#[tokio::test]
async fn an_address_is_of_one_project_at_a_time() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let lab = stage.another_project("lab").await;
    stage.deploy(at("a", "", "10.0.0.7:80")).await;
    stage.deploy(at("b", "", "10.0.0.7:80")).await;
    let taken = stage.create_deployment(at("c", &lab, "[::ffff:10.0.0.7]:80")).await;
    let message = assert_refused(taken, Code::FailedPrecondition, ADDRESS, "backend_in_use");
    for secret in ["project-", "dep-", "default"] {
        assert!(!message.contains(secret), "{message}");
    }
    stage.deploy(at("c", &lab, "10.0.0.7:81")).await;
    stage.stop_in("", "a").await.unwrap();
    let taken = stage.create_deployment(at("d", &lab, "10.0.0.7:80")).await;
    assert_refused(taken, Code::FailedPrecondition, ADDRESS, "backend_in_use");
    stage.stop_in("", "b").await.unwrap();
    let taken = stage.create_deployment(at("d", &lab, "10.0.0.7:80")).await;
    let message = assert_refused(taken, Code::FailedPrecondition, ADDRESS, "backend_quarantined");
    assert!(message.contains("in 600 s") || message.contains("in 59"), "{message}");
    stage.deploy(at("a", "", "10.0.0.7:80")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_projects_that_want_an_address_one_gets_it() {
    let dir = Arc::new(TempDir::new().unwrap());
    let stage = Stage::with(dir, |config| config.addresses.quarantine = Duration::ZERO).await;
    stage.create_package(hello()).await.unwrap();
    let mut projects = vec![String::new()];
    for name in ["lab", "shop"] {
        projects.push(stage.another_project(name).await);
    }
    for round in 0..8 {
        // In every other round the address was another project's before.
        let address = format!("10.0.1.{}:80", round / 2 + 1);
        let asking: Vec<_> = projects.iter().cycle().take(12).enumerate().collect();
        let created =
            join_all(asking.iter().map(|(n, project)| {
                stage.create_deployment(at(&format!("r{round}-{n}"), project, &address))
            }))
            .await;
        let owners: Vec<_> =
            asking.iter().zip(&created).filter(|(_, c)| c.is_ok()).map(|((n, p), _)| (*n, *p)).collect();
        assert!(!owners.is_empty(), "{created:?}");
        assert!(owners.iter().all(|(_, project)| *project == owners[0].1), "round {round}: {owners:?}");
        for lost in created.iter().filter_map(|created| created.as_ref().err()) {
            assert_eq!(told(lost).1, [(ADDRESS.to_owned(), "backend_in_use".to_owned())], "{lost}");
        }
        for (n, project) in owners {
            stage.stop_in(project, &format!("r{round}-{n}")).await.unwrap();
        }
        projects.rotate_left(1);
    }
}

#[tokio::test]
async fn what_is_reported_is_judged_alike() {
    let dir = Arc::new(TempDir::new().unwrap());
    let stage = Stage::with(dir, |config| config.addresses.most_new = 3).await;
    stage.create_package(hello()).await.unwrap();
    let lab = stage.another_project("lab").await;
    stage.deploy(at("a", &lab, "10.0.0.7:80")).await;
    let mut bare = deployment("b");
    bare.spec.as_mut().unwrap().backends.clear();
    stage.deploy(bare).await;
    let open = wire::OpenLeaseRequest { runtime: "test".into(), ..Default::default() };
    let lease = stage.runtime().open_lease(open).await.unwrap().into_inner().id;
    let report = |addresses: &[&str]| wire::ReportDeploymentRequest {
        lease_id: lease.clone(),
        deployment: "b".into(),
        backends: vec![wire::EndpointBackends {
            endpoint: "WEB".into(),
            backends: addresses
                .iter()
                .map(|address| wire::Backend { address: (*address).into(), unhealthy: false })
                .collect(),
        }],
        ..Default::default()
    };
    let mut runtime = stage.runtime();
    runtime.report_deployment(report(&["10.0.0.8:80"])).await.unwrap();
    let refused = runtime.report_deployment(report(&["10.0.0.8:80", "10.0.0.7:80"])).await;
    let field = "backends[0].backends[1].address";
    assert_refused(refused, Code::FailedPrecondition, field, "backend_in_use");
    let taken = stage.create_deployment(at("c", &lab, "10.0.0.8:80")).await;
    assert_refused(taken, Code::FailedPrecondition, ADDRESS, "backend_in_use");
    let many = ["10.0.0.8:80", "10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3", "10.0.0.1:4"];
    let refused = runtime.report_deployment(report(&many)).await;
    let message = assert_refused(refused, Code::FailedPrecondition, "backends", "too_many_new_backends");
    assert!(message.contains("names 4 addresses") && message.contains("may name 3"), "{message}");
    runtime.report_deployment(report(&many[..4])).await.unwrap();
    runtime.report_deployment(report(&many)).await.unwrap();
    runtime.close_lease(wire::CloseLeaseRequest { id: lease, ..Default::default() }).await.unwrap();
    let taken = stage.create_deployment(at("c", &lab, "10.0.0.8:80")).await;
    assert_refused(taken, Code::FailedPrecondition, ADDRESS, "backend_quarantined");
}

/// Stores of the time before addresses had owners: what their deployments use is theirs.
#[tokio::test]
async fn addresses_of_old_deployments_are_theirs() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.deploy(at("a", "", "10.0.0.7:80")).await;
    let dir = stage.stop().await;
    let store = open(&dir);
    let owners = store.list(&Prefix::of(["backend-address"]), None, 10).await.unwrap().entries;
    assert_eq!(owners.len(), 1);
    let forget = control::store::Batch::new().delete(owners[0].key.clone(), control::store::Expect::Any);
    store.commit(forget).await.unwrap();
    drop(store);
    let stage = Stage::on(dir).await;
    let lab = stage.another_project("lab").await;
    let taken = stage.create_deployment(at("b", &lab, "10.0.0.7:80")).await;
    assert_refused(taken, Code::FailedPrecondition, ADDRESS, "backend_in_use");
    stage.deploy(at("b", "", "10.0.0.7:80")).await;
}

#[tokio::test]
async fn a_random_name_given_up_is_nobodys_and_stays_so() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let random = stage.deploy(deployment("a")).await.status.unwrap().endpoints[0].random_host.clone();
    stage.stop_in("", "a").await.unwrap();
    let store = open(&stage.stop().await);
    let label = random.strip_suffix(".ep-r.io").unwrap();
    let claim = store.list(&Prefix::of(["label"]), None, 10).await.unwrap().entries;
    let [claim] = claim.as_slice() else { panic!("{claim:?}") };
    assert_eq!(claim.key.as_str(), format!("label/{label}"));
    assert!(String::from_utf8_lossy(&claim.value).contains("released"), "{claim:?}");
    let released = store.list(&Prefix::of(["released"]), None, 10).await.unwrap().entries;
    assert!(released.len() == 1 && String::from_utf8_lossy(&released[0].value).contains(label));
}

fn open(dir: &Arc<TempDir>) -> Embedded {
    Embedded::open(&EmbeddedConfig::at(dir.path().join("store.redb")), Epoch(9)).unwrap()
}
