//! Names between projects and organizations: claimed by one, limited by what an organization pays for.

use futures_util::future::join_all;
use proto::wire;
use tonic::{Code, Status};

use crate::actors::metadata;
use crate::samples::static_route;
use crate::stage::{Stage, assert_refused, told};

impl Stage {
    /// A project in an organization of a subscription; tells its guid.
    async fn project_of(&self, organization: &str, project: &str, pays_for: wire::Subscription) -> String {
        let admin = self.admin();
        if admin.create_organization(organization).await.is_ok() {
            self.subscribe(organization, pays_for, 0).await;
        }
        admin.create_project(project, organization).await.unwrap().metadata.unwrap().guid
    }

    async fn subscribe(&self, organization: &str, to: wire::Subscription, static_routes: u32) {
        let organization = wire::Organization {
            metadata: metadata(organization),
            subscription: to.into(),
            static_routes,
            ..Default::default()
        };
        let request = wire::UpdateOrganizationRequest { organization: Some(organization) };
        self.admin().identity().update_organization(request).await.unwrap();
    }

    async fn used(&self, organization: &str) -> u32 {
        let request = wire::GetOrganizationRequest { name: organization.into() };
        let found = self.admin().identity().get_organization(request).await.unwrap();
        found.into_inner().static_routes_used
    }

    async fn claim_in(&self, project: &str, name: &str) -> Result<wire::StaticRoute, Status> {
        let mut route = static_route(name);
        route.metadata.as_mut().unwrap().project = project.into();
        let request = wire::CreateStaticRouteRequest { static_route: Some(route), dry_run: false };
        self.static_routes().create_static_route(request).await.map(tonic::Response::into_inner)
    }

    async fn give_up_in(&self, project: &str, name: &str) -> Result<(), Status> {
        let request = wire::DeleteStaticRouteRequest { name: name.into(), project: project.into() };
        self.static_routes().delete_static_route(request).await.map(|_| ())
    }
}

use wire::Subscription::{Community, Enterprise, Professional, Unspecified};

#[tokio::test(flavor = "multi_thread")]
async fn of_projects_of_several_organizations_one_gets_a_name() {
    let stage = Stage::start().await;
    let mut projects = vec![String::new()];
    for (organization, project) in [("acme", "shop"), ("acme", "lab"), ("umbrella", "shop")] {
        projects.push(stage.project_of(organization, project, Unspecified).await);
    }
    for round in 0..6 {
        let name = format!("wanted-{round}");
        let asking = || projects.iter().cycle().take(16);
        let claims = join_all(asking().map(|project| stage.claim_in(project, &name))).await;
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
        let owner = claims.iter().position(Result::is_ok).unwrap() % projects.len();
        for (project, claim) in asking().zip(&claims) {
            let Err(lost) = claim else { continue };
            assert_eq!(told(lost).1, [("metadata.name".to_owned(), "static_route_taken".to_owned())]);
            let is_told = lost.message().contains("in this project");
            assert_eq!(is_told, *project == projects[owner], "whose it is, is told to the owner only");
        }
        for (at, project) in projects.iter().enumerate() {
            let request = wire::GetStaticRouteRequest { name: name.clone(), project: project.clone() };
            let found = stage.static_routes().get_static_route(request).await;
            assert_eq!(found.is_ok(), at == owner, "nobody sees another's");
            if at != owner {
                assert_eq!(stage.give_up_in(project, &name).await.unwrap_err().code(), Code::NotFound);
            }
        }
        stage.give_up_in(&projects[owner], &name).await.unwrap();
        let next = (owner + 1) % projects.len();
        stage.claim_in(&projects[next], &name).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_has_as_many_routes_as_it_pays_for() {
    let stage = Stage::start().await;
    let shop = stage.project_of("acme", "shop", Community).await;
    let lab = stage.project_of("acme", "lab", Community).await;
    let free = stage.project_of("umbrella", "shop", Unspecified).await;
    let claims = join_all((0..24).map(|n| {
        let (project, name) = (if n % 2 == 0 { &shop } else { &lab }, format!("acme-{n}"));
        let stage = &stage;
        async move { (project, name.clone(), stage.claim_in(project, &name).await) }
    }))
    .await;
    let (got, lost): (Vec<_>, Vec<_>) = claims.iter().partition(|(_, _, claim)| claim.is_ok());
    assert_eq!((got.len(), stage.used("acme").await), (5, 5));
    for (_, _, lost) in &lost {
        let lost = lost.as_ref().unwrap_err();
        assert_eq!(lost.code(), Code::FailedPrecondition, "{lost}");
        assert_eq!(told(lost).1, [("metadata.name".to_owned(), "static_route_limit".to_owned())]);
        assert!(
            lost.message().contains("has 5 static routes") && lost.message().contains("allows 5"),
            "{lost}"
        );
    }
    join_all((0..8).map(|n| {
        let (stage, free) = (&stage, &free);
        async move { stage.claim_in(free, &format!("umbrella-{n}")).await.unwrap() }
    }))
    .await;

    // Given up and claimed at once: it is never one too many, and the number stays right.
    let (project, name, _) = got[0];
    let (gone, claims) = tokio::join!(
        stage.give_up_in(project, name),
        join_all((0..6).map(|n| {
            let (stage, lab) = (&stage, &lab);
            async move { stage.claim_in(lab, &format!("next-{n}")).await }
        }))
    );
    gone.unwrap();
    let more = claims.iter().filter(|claim| claim.is_ok()).count();
    assert!(more <= 1, "{claims:?}");
    let late = stage.claim_in(&shop, "late-one").await;
    assert_eq!(late.is_ok(), more == 0);
    assert_eq!(stage.used("acme").await, 5);
}

#[tokio::test]
async fn the_number_is_right_after_the_subscription_has_changed() {
    let stage = Stage::start().await;
    let project = stage.project_of("acme", "shop", Community).await;
    for n in 0..5 {
        stage.claim_in(&project, &format!("acme-{n}")).await.unwrap();
    }
    stage.subscribe("acme", Unspecified, 0).await;
    for n in 5..9 {
        stage.claim_in(&project, &format!("acme-{n}")).await.unwrap();
    }
    stage.give_up_in(&project, "acme-0").await.unwrap();
    stage.subscribe("acme", Enterprise, 9).await;
    stage.claim_in(&project, "acme-9").await.unwrap();
    let message = assert_refused(
        stage.claim_in(&project, "acme-10").await,
        Code::FailedPrecondition,
        "metadata.name",
        "static_route_limit",
    );
    assert!(
        message.contains("has 9 static routes") && message.contains("(enterprise) allows 9"),
        "{message}"
    );
    stage.subscribe("acme", Community, 0).await;
    stage.give_up_in(&project, "acme-1").await.unwrap();
    let refused = stage.claim_in(&project, "acme-10").await;
    assert_refused(refused, Code::FailedPrecondition, "metadata.name", "static_route_limit");
    stage.subscribe("acme", Professional, 0).await;
    stage.claim_in(&project, "acme-10").await.unwrap();
    assert_eq!(stage.used("acme").await, 9);
}
