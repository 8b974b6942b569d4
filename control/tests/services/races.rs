//! Many want the same thing at the same moment.

use std::sync::Arc;

use futures_util::future::join_all;
use proto::wire;
use proto::wire::Role::{Admin, Viewer};
use tonic::Code;

use crate::samples::{bound, deployment, guid_of, hello};
use crate::stage::{Stage, told};

const RACERS: usize = 24;

/// The deployments that say they have the static route `name`.
async fn holders(stage: &Stage, name: &str) -> Vec<String> {
    let listed = stage.deployments().list_deployments(wire::ListDeploymentsRequest::default()).await.unwrap();
    let has = |deployment: &wire::Deployment| {
        deployment.spec.as_ref().unwrap().static_routes.iter().any(|binding| binding.static_route == name)
    };
    let holders = listed.into_inner().deployments.into_iter().filter(has);
    holders.map(|deployment| guid_of(&deployment.metadata).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_claim_a_name_one_wins() {
    let stage = Stage::start().await;
    let claims = join_all((0..RACERS).map(|_| stage.create_static_route("my-shop"))).await;
    assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
    for lost in claims.into_iter().filter_map(Result::err) {
        assert_eq!(told(&lost).1, [("metadata.name".to_owned(), "static_route_taken".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_create_with_one_name_or_one_route_one_wins() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let same_name = join_all((0..RACERS).map(|_| stage.create_deployment(deployment("one")))).await;
    assert_eq!(same_name.iter().filter(|created| created.is_ok()).count(), 1);
    assert!(same_name.iter().filter_map(|c| c.as_ref().err()).all(|lost| lost.code() == Code::AlreadyExists));

    let same_route = join_all(
        (0..RACERS).map(|i| stage.create_deployment(bound(deployment(&format!("d{i}")), "my-shop", "WEB"))),
    )
    .await;
    let winners: Vec<_> = same_route.iter().filter_map(|created| created.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1);
    assert!(same_route.iter().filter_map(|c| c.as_ref().err()).all(|l| l.code() == Code::FailedPrecondition));
    let winner = guid_of(&winners[0].deployment.as_ref().unwrap().metadata);
    assert_eq!(stage.get_static_route("my-shop").await.bound_to.unwrap().deployment_guid, winner);
    assert_eq!(holders(&stage, "my-shop").await, [winner]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bind_one_wins_and_of_many_who_move_one_has_it() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let names: Vec<_> = (0..RACERS).map(|i| format!("d{i}")).collect();
    for name in &names {
        stage.deploy(deployment(name)).await;
    }
    let bound = join_all(names.iter().map(|name| stage.bind("my-shop", name, false))).await;
    assert_eq!(bound.iter().filter(|bound| bound.is_ok()).count(), 1);
    assert!(
        bound.iter().filter_map(|b| b.as_ref().err()).all(|lost| lost.code() == Code::FailedPrecondition)
    );

    let moved = join_all(names.iter().map(|name| stage.bind("my-shop", name, true))).await;
    assert!(moved.iter().all(Result::is_ok), "{moved:?}");
    let holder = stage.get_static_route("my-shop").await.bound_to.unwrap().deployment_guid;
    assert_eq!(holders(&stage, "my-shop").await, [holder]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_deployment_can_gain_many_routes_at_once() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.deploy(deployment("one")).await;
    let routes: Vec<_> = (0..RACERS).map(|i| format!("shop-{i}")).collect();
    join_all(routes.iter().map(|name| stage.create_static_route(name))).await;
    let bound = join_all(routes.iter().map(|name| stage.bind(name, "one", false))).await;
    assert!(bound.iter().all(Result::is_ok), "{bound:?}");
    assert_eq!(stage.get_deployment("one").await.spec.unwrap().static_routes.len(), RACERS);
}

/// Whatever order they fall in, no route leads to a stopped deployment, and no claim is left behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_bound_while_its_deployment_stops_ends_unbound() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    for round in 0..12 {
        let name = format!("d{round}");
        stage.deploy(deployment(&name)).await;
        let (bound, stopped) = tokio::join!(stage.bind("my-shop", &name, true), stage.stop_deployment(&name));
        stopped.unwrap();
        if let Err(lost) = bound {
            assert_eq!(told(&lost).1, [("deployment".to_owned(), "deployment_stopped".to_owned())]);
        }
        assert_eq!(stage.get_static_route("my-shop").await.bound_to, None, "round {round}");
        assert!(holders(&stage, "my-shop").await.is_empty());
    }
}

/// A package goes or is used, never both.
#[tokio::test(flavor = "multi_thread")]
async fn a_package_deleted_while_it_is_deployed_is_gone_or_used() {
    let stage = Arc::new(Stage::start().await);
    for round in 0..12 {
        let _ = stage.create_package(hello()).await;
        let delete = wire::DeletePackageRequest { name: "hello".into(), ..Default::default() };
        let name = format!("d{round}");
        let mut packages = stage.packages();
        let (created, deleted) =
            tokio::join!(stage.create_deployment(deployment(&name)), packages.delete_package(delete));
        let there = stage
            .packages()
            .get_package(wire::GetPackageRequest { name: "hello".into(), ..Default::default() })
            .await
            .is_ok();
        match (created, deleted) {
            (Ok(_), Err(_)) => assert!(there, "round {round}"),
            (Err(_), Ok(_)) => assert!(!there, "round {round}"),
            // The deletion looked, saw the use, and the deployment saw the deletion: both gave way.
            (Err(_), Err(_)) => assert!(there, "round {round}"),
            (Ok(_), Ok(_)) => panic!("round {round}: a deployment uses a package that is gone"),
        }
        let _ = stage.stop_deployment(&name).await;
    }
}

/// Each update builds on the one before: none is lost, and none is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn updates_of_one_deployment_come_one_after_the_other() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.deploy(deployment("one")).await;
    let update = |n: usize| {
        let mut asked = deployment("one");
        asked.spec.as_mut().unwrap().service_account = format!("account {n}");
        stage.update_deployment(asked)
    };
    let updates = join_all((0..RACERS).map(update)).await;
    let generation =
        |made: wire::UpdateDeploymentResponse| made.deployment.unwrap().status.unwrap().generation;
    let mut generations: Vec<_> = updates.into_iter().map(|made| generation(made.unwrap())).collect();
    generations.sort_unstable();
    assert_eq!(generations, (2..2 + RACERS as u64).collect::<Vec<_>>());
}

/// Of updates that have to be reported before the next, one is taken.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_updates_that_a_runtime_has_to_carry_out_one_is_taken() {
    let stage = Stage::start().await;
    stage.create_package(crate::samples::full()).await.unwrap();
    stage.deploy(crate::samples::full_deployment("full")).await;
    let lease = crate::runtime::lease(&stage).await;
    let up = wire::ReportDeploymentRequest {
        phase: wire::Phase::Succeeded.into(),
        ..crate::runtime::reported("full", &lease)
    };
    stage.runtime().report_deployment(up).await.unwrap();
    let updates =
        join_all((0..RACERS).map(|_| stage.update_deployment(crate::samples::full_deployment("full")))).await;
    assert_eq!(updates.iter().filter(|made| made.is_ok()).count(), 1);
    for lost in updates.into_iter().filter_map(Result::err) {
        assert_eq!(told(&lost).1, [("metadata.name".to_owned(), "deployment_phase".to_owned())]);
    }
}

/// Whatever order they fall in, a stopped deployment holds nothing, and the route it was about to take is
/// where it was or nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_updated_while_it_stops_ends_stopped_and_empty() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    stage.deploy(deployment("other")).await;
    for round in 0..12 {
        let name = format!("d{round}");
        stage.deploy(deployment(&name)).await;
        stage.bind("my-shop", "other", true).await.unwrap();
        let asked = bound(deployment(&name), "my-shop", "WEB");
        let (updated, stopped) = tokio::join!(stage.update_deployment(asked), stage.stop_deployment(&name));
        stopped.unwrap();
        let bound_to = stage.get_static_route("my-shop").await.bound_to.map(|bound| bound.deployment_name);
        match updated {
            Ok(_) => assert_eq!(bound_to, None, "round {round}"),
            Err(lost) => {
                let stopped = [("metadata.name".to_owned(), "deployment_stopped".to_owned())];
                assert_eq!((told(&lost).1.as_slice(), bound_to.as_deref()), (&stopped[..], Some("other")));
            }
        }
        assert_eq!(holders(&stage, "my-shop").await.len(), usize::from(bound_to.is_some()), "round {round}");
    }
}

/// A route that an update takes while it is bound elsewhere ends at one of the two, and that one says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_many_take_by_update_and_bind_ends_at_one() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    for name in ["my-shop", "gate"] {
        stage.create_static_route(name).await.unwrap();
    }
    let names: Vec<_> = (0..8).map(|n| format!("d{n}")).collect();
    for name in &names {
        stage.deploy(deployment(name)).await;
    }
    for round in 0..4 {
        let updates = names[..4].iter().map(|name| {
            stage.update_deployment(bound(bound(deployment(name), "my-shop", "WEB"), "gate", "WEB"))
        });
        let binds = names[4..].iter().map(|name| stage.bind("my-shop", name, true));
        let (updates, binds) = tokio::join!(join_all(updates), join_all(binds));
        assert!(updates.iter().all(Result::is_ok) && binds.iter().all(Result::is_ok), "round {round}");
        for route in ["my-shop", "gate"] {
            let holder = stage.get_static_route(route).await.bound_to.unwrap().deployment_guid;
            assert_eq!(holders(&stage, route).await, [holder], "round {round}, {route}");
        }
    }
}

/// Of two who take the role from each other one has lost it before the other gives up theirs, whoever else
/// is there.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_a_role_takes_none_from_others() {
    let stage = Stage::start().await;
    for round in 0..16 {
        let names = [format!("one{round}"), format!("two{round}")];
        let one = stage.user(&names[0], Admin, &[]).await;
        let two = stage.user(&names[1], Admin, &[]).await;
        let (first, second) =
            tokio::join!(one.set_roles(&names[1], Viewer, &[]), two.set_roles(&names[0], Viewer, &[]));
        let done = [&first, &second].iter().filter(|changed| changed.is_ok()).count();
        assert_eq!(done, 1, "round {round}: {first:?} {second:?}");
        let lost = first.err().or(second.err()).unwrap();
        assert_eq!(lost.code(), Code::PermissionDenied, "{}", lost.message());
    }
}
