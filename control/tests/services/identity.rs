//! Organizations, projects, users, tokens: who may do what, and what nobody may.

use futures_util::future::join_all;
use proto::wire;
use proto::wire::Role::{Admin, Developer, Proxy, Runtime, Unspecified, Viewer};
use tonic::Code;

use crate::actors::{code_of_list, metadata, package_in, token_for};
use crate::samples::deployment;
use crate::stage::{Stage, assert_refused, told};

#[tokio::test]
async fn an_installation_begins_with_one_of_each() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let who = admin.who().await.unwrap();
    assert_eq!((who.role(), who.token_name.as_str()), (Admin, "admin.token"));
    let user = who.user.unwrap();
    assert_eq!((user.email.as_str(), user.role()), ("admin", Admin));
    assert_eq!(admin.projects().await, ["default"]);
    let project =
        admin.identity().get_project(wire::GetProjectRequest::default()).await.unwrap().into_inner();
    assert_eq!(project.organization_name, "default");
    let request = wire::GetOrganizationRequest { name: project.organization };
    let organization = admin.identity().get_organization(request).await.unwrap().into_inner();
    assert_eq!(
        (organization.short_guid.len(), organization.subscription()),
        (5, wire::Subscription::Unspecified)
    );
    for (file, role) in [("proxy.token", Proxy), ("runtime.token", Runtime)] {
        let who = stage.file(file).who().await.unwrap();
        assert_eq!((who.role(), who.user), (role, None));
    }
    let same = Stage::on(stage.stop().await).await;
    assert_eq!(
        same.admin().who().await.unwrap().user.unwrap().metadata,
        user.metadata,
        "a start makes no other"
    );
}

#[tokio::test]
async fn roles_reach_as_far_as_they_should() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    admin.create_organization("acme").await.unwrap();
    let [shop, lab] = ["shop", "lab"];
    let shop_guid = admin.create_project(shop, "acme").await.unwrap().metadata.unwrap().guid;
    admin.create_project(lab, "acme").await.unwrap();
    let boss = stage.user("boss", Unspecified, &[("organization", "acme", Admin)]).await;
    let dev = stage.user("Dev@Acme", Unspecified, &[("project", &shop_guid, Developer)]).await;
    let guest = stage.user("guest", Viewer, &[]).await;

    assert_eq!(admin.projects().await, ["default", "lab", "shop"]);
    assert_eq!(guest.projects().await, ["default", "lab", "shop"]);
    assert_eq!(boss.projects().await, ["lab", "shop"]);
    assert_eq!(dev.projects().await, ["shop"]);
    assert_eq!(dev.who().await.unwrap().project, shop_guid, "the only one they have a role in");
    for (actor, project, code) in [
        (&boss, "lab", Code::Ok),
        (&boss, "default", Code::NotFound),
        (&dev, "shop", Code::Ok),
        (&dev, &shop_guid, Code::Ok),
        (&dev, "lab", Code::NotFound),
        (&dev, "", Code::Ok),
        (&guest, "lab", Code::Ok),
    ] {
        assert_eq!(code_of_list(actor, project).await, code, "{project}");
    }
    dev.packages().create_package(package_in("shop")).await.unwrap();
    let refused = guest.packages().create_package(package_in("shop")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("a token of the role viewer may not call"), "{}", refused.message());
    let both = [("project", shop, Viewer), ("project", lab, Developer)];
    let both = stage.user("both", Unspecified, &both).await;
    both.packages().create_package(package_in(lab)).await.unwrap();
    let refused = both.packages().create_package(package_in(shop)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("you are viewer in project shop"), "{}", refused.message());

    // Bosses manage their own house and no other.
    boss.create_project("new", "acme").await.unwrap();
    assert_eq!(boss.create_project("new", "default").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(boss.create_organization("mine").await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(dev.create_project("new", "acme").await.unwrap_err().code(), Code::PermissionDenied);
    boss.create_user("hire", Unspecified, &[("project", "shop", Viewer)]).await.unwrap();
    for (role, place) in
        [(Admin, None), (Unspecified, None), (Unspecified, Some(("project", "default", Viewer)))]
    {
        let refused = boss.create_user("spy", role, place.as_slice()).await.unwrap_err();
        assert!(matches!(refused.code(), Code::PermissionDenied | Code::InvalidArgument), "{refused:?}");
    }
    let refused = dev.set_roles("dev@acme", Unspecified, &[("project", "shop", Admin)]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = boss.set_roles("boss", Admin, &[("organization", "acme", Admin)]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_admin_of_one_place_leaves_roles_elsewhere_alone() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    for name in ["acme", "umbrella"] {
        admin.create_organization(name).await.unwrap();
    }
    let boss = stage.user("boss", Unspecified, &[("organization", "acme", Admin)]).await;
    let both = [("organization", "acme", Viewer), ("organization", "umbrella", Developer)];
    let amy = stage.user("amy", Unspecified, &both).await;

    let changed = boss.set_roles("amy", Unspecified, &[("organization", "acme", Developer)]).await.unwrap();
    assert_eq!(changed.memberships.len(), 1, "the other is none of the boss's business");
    let request = wire::GetUserRequest { email: "amy".into() };
    let amy_now = admin.identity().get_user(request.clone()).await.unwrap().into_inner();
    let mut roles: Vec<_> = amy_now.memberships.iter().map(wire::Membership::role).collect();
    roles.sort_unstable();
    assert_eq!(roles, [Developer, Developer]);
    assert_eq!(boss.identity().get_user(request).await.unwrap().into_inner().memberships.len(), 1);

    // Nor may they act for somebody who is more than theirs.
    assert_eq!(boss.delete_user("amy").await.unwrap_err().code(), Code::PermissionDenied);
    let refused = boss.create_token(wire::CreateTokenRequest { name: "x".into(), ..token_for("amy") }).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(boss.set_roles("admin", Unspecified, &[]).await.unwrap().role(), Unspecified);
    assert_eq!(stage.admin().who().await.unwrap().user.unwrap().role(), Admin, "it stays what it was");

    // Who is in no common place is not known.
    stage.user("zoe", Unspecified, &[("organization", "umbrella", Viewer)]).await;
    let request = wire::GetUserRequest { email: "zoe".into() };
    assert_eq!(boss.identity().get_user(request).await.unwrap_err().code(), Code::NotFound);
    let listed = boss.identity().list_users(wire::ListUsersRequest::default()).await.unwrap().into_inner();
    let mut emails: Vec<_> = listed.users.iter().map(|user| user.email.as_str()).collect();
    emails.sort_unstable();
    assert_eq!(emails, ["amy", "boss"]);
    let listed = amy.identity().list_users(wire::ListUsersRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.users.len(), 1, "oneself");
}

#[tokio::test]
async fn all_faults_of_an_identity_at_once() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let refused = admin
        .create_user("A B", Proxy, &[("project", "none", Viewer), ("organization", "default", Unspecified)])
        .await
        .unwrap_err();
    let own = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(field, rule)| ((*field).to_owned(), (*rule).to_owned())).collect()
    };
    let expected = own(&[
        ("role", "role_of_tokens"),
        ("memberships[1].role", "role_required"),
        ("email", "email"),
        ("memberships[0].project", "project_unknown"),
    ]);
    assert_eq!(told(&refused), (Code::InvalidArgument, expected));
    let twice = [("project", "default", Viewer), ("project", "default", Admin)];
    assert_refused(
        admin.create_user("a", Unspecified, &twice).await,
        Code::InvalidArgument,
        "memberships[1]",
        "membership_repeated",
    );
    admin.create_user("a", Unspecified, &[]).await.unwrap();
    assert_refused(admin.create_user("A", Viewer, &[]).await, Code::AlreadyExists, "email", "user_exists");
    assert_refused(admin.create_project("", "").await, Code::InvalidArgument, "metadata.name", "name");
    let guid = "project-aaaaaaaaaaaaaaaaaaaa";
    assert_refused(admin.create_project(guid, "").await, Code::InvalidArgument, "metadata.name", "name");
    let again = admin.create_project("default", "").await;
    assert_refused(again, Code::AlreadyExists, "metadata.name", "project_exists");
    let again = admin.create_organization("default").await;
    assert_refused(again, Code::AlreadyExists, "metadata.name", "organization_exists");
    let organization = wire::Organization {
        metadata: metadata("o"),
        subscription: wire::Subscription::Community.into(),
        static_routes: 7,
        ..Default::default()
    };
    let request = wire::CreateOrganizationRequest { organization: Some(organization) };
    let refused = admin.identity().create_organization(request).await;
    assert_refused(refused, Code::InvalidArgument, "static_routes", "static_routes_fixed");
    let bad = wire::CreateTokenRequest {
        lifetime: Some(prost_types::Duration { seconds: -1, nanos: 0 }),
        project: "none".into(),
        ..Default::default()
    };
    let expected = own(&[("lifetime", "lifetime"), ("name", "name"), ("project", "project_unknown")]);
    assert_eq!(told(&admin.create_token(bad).await.unwrap_err()), (Code::InvalidArgument, expected));
}

#[tokio::test]
async fn there_is_always_somebody_who_runs_the_installation() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let refused = admin.delete_user("admin").await;
    let message = assert_refused(refused, Code::FailedPrecondition, "email", "last_admin");
    assert!(message.contains("make somebody else one first"), "{message}");
    let refused = admin.set_roles("admin", Developer, &[]).await;
    assert_refused(refused, Code::FailedPrecondition, "email", "last_admin");

    // Of two who take it from each other at the same moment one stays.
    for round in 0..8 {
        let name = format!("other{round}");
        let other = stage.user(&name, Admin, &[]).await;
        let (one, two) =
            tokio::join!(admin.set_roles(&name, Viewer, &[]), other.set_roles("admin", Viewer, &[]));
        let (admin_is, other_is) = (admin.who().await.unwrap(), other.who().await.unwrap());
        let is_admin = |who: wire::WhoAmIResponse| who.user.unwrap().role() == Admin;
        let admins = [is_admin(admin_is), is_admin(other_is)];
        assert!(admins.contains(&true), "round {round}: {one:?} {two:?}");
        if !admins[0] {
            other.set_roles("admin", Admin, &[]).await.unwrap();
        }
        admin.delete_user(&name).await.unwrap();
    }

    // Once there is another, the first may go; the file that made it brings it back when it is emptied.
    let other = stage.user("other", Admin, &[]).await;
    other.delete_user("admin").await.unwrap();
    assert_eq!(admin.who().await.unwrap_err().code(), Code::Unauthenticated);
    let file = stage.dir.path().join("admin.token");
    let stage = Stage::on(stage.stop().await).await;
    assert_eq!(stage.admin().who().await.unwrap_err().code(), Code::Unauthenticated);
    std::fs::write(&file, "").unwrap();
    let stage = Stage::on(stage.stop().await).await;
    assert_eq!(stage.admin().who().await.unwrap().user.unwrap().role(), Admin);
}

#[tokio::test]
async fn a_project_goes_when_it_holds_nothing_and_then_whole() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let message =
        assert_refused(admin.delete_project("default").await, Code::FailedPrecondition, "name", "built_in");
    assert!(message.contains("stays"), "{message}");
    let first = admin.create_project("shop", "").await.unwrap().metadata.unwrap().guid;
    admin.packages().create_package(package_in("shop")).await.unwrap();
    let mut live = deployment("web");
    live.metadata.as_mut().unwrap().project = "shop".into();
    let request = wire::CreateDeploymentRequest { deployment: Some(live), ..Default::default() };
    admin.deployments().create_deployment(request).await.unwrap();
    let message = assert_refused(
        admin.delete_project("shop").await,
        Code::FailedPrecondition,
        "name",
        "project_in_use",
    );
    assert!(message.contains("deployment web, package hello 1.0"), "{message}");
    let stop = wire::StopDeploymentRequest { name: "web".into(), project: "shop".into(), wait: None };
    admin.deployments().stop_deployment(stop).await.unwrap();
    let delete =
        wire::DeletePackageRequest { name: "hello".into(), project: "shop".into(), ..Default::default() };
    admin.packages().delete_package(delete).await.unwrap();
    admin.delete_project("shop").await.unwrap();
    assert_eq!(admin.delete_project("shop").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(code_of_list(&admin, &first).await, Code::NotFound);
    let second = admin.create_project("shop", "").await.unwrap().metadata.unwrap().guid;
    assert_ne!(first, second);
    let list = wire::ListDeploymentsRequest { project: "shop".into(), ..Default::default() };
    let listed = admin.deployments().list_deployments(list).await.unwrap().into_inner();
    assert!(listed.deployments.is_empty(), "nothing of the first is in the second");
}

/// A project goes or is used, never both.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_project_that_goes_while_it_is_used() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    for round in 0..12 {
        let name = format!("p{round}");
        let guid = admin.create_project(&name, "").await.unwrap().metadata.unwrap().guid;
        let mut packages: Vec<_> = (0..4)
            .map(|i| {
                let mut request = package_in(&guid);
                request.package.as_mut().unwrap().version = format!("1.{i}");
                (admin.packages(), request)
            })
            .collect();
        let creating = packages.iter_mut().map(|(client, request)| client.create_package(request.clone()));
        let (created, deleted) = tokio::join!(join_all(creating), admin.delete_project(&guid));
        let made = created.iter().filter(|created| created.is_ok()).count();
        match deleted {
            Ok(()) => {
                assert_eq!(made, 0, "round {round}");
                assert_eq!(code_of_list(&admin, &guid).await, Code::NotFound);
            }
            Err(refused) => {
                assert_eq!(told(&refused).1[0].1, "project_in_use", "{refused:?}");
                assert_eq!(code_of_list(&admin, &guid).await, Code::Ok);
                // And it is open again.
                let mut request = package_in(&guid);
                request.package.as_mut().unwrap().version = "2.0".into();
                admin.packages().create_package(request).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_goes_or_has_projects() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let delete = |name: &str| wire::DeleteOrganizationRequest { name: name.into() };
    let refused = admin.identity().delete_organization(delete("default")).await;
    assert_refused(refused, Code::FailedPrecondition, "name", "built_in");
    for round in 0..12 {
        let name = format!("o{round}");
        admin.create_organization(&name).await.unwrap();
        let mut identity = admin.identity();
        let (created, deleted) =
            tokio::join!(admin.create_project("p", &name), identity.delete_organization(delete(&name)));
        let there =
            admin.identity().get_organization(wire::GetOrganizationRequest { name: name.clone() }).await;
        assert!(created.is_err() || deleted.is_err(), "round {round}");
        assert_eq!(there.is_err(), deleted.is_ok(), "round {round}");
        if created.is_ok() {
            let refused = admin.identity().delete_organization(delete(&name)).await;
            assert_refused(refused, Code::FailedPrecondition, "name", "organization_in_use");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_a_name_one_has_it() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let projects = join_all((0..12).map(|_| admin.create_project("one", ""))).await;
    assert_eq!(projects.iter().filter(|created| created.is_ok()).count(), 1);
    let users = join_all((0..12).map(|_| admin.create_user("one", Viewer, &[]))).await;
    assert_eq!(users.iter().filter(|created| created.is_ok()).count(), 1);
    let organizations = join_all((0..12).map(|_| admin.create_organization("one"))).await;
    assert_eq!(organizations.iter().filter(|created| created.is_ok()).count(), 1);
    let tokens = join_all((0..12).map(|_| admin.create_token(token_for("one")))).await;
    assert_eq!(tokens.iter().filter(|made| made.is_ok()).count(), 1);
    let taken = tokens.into_iter().filter_map(Result::err);
    assert!(taken.into_iter().all(|status| status.code() == Code::AlreadyExists));
}

#[tokio::test]
async fn an_organization_pays_for_its_routes() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let mut organization = admin.create_organization("acme").await.unwrap();
    organization.subscription = wire::Subscription::Enterprise.into();
    organization.static_routes = 700;
    let request = wire::UpdateOrganizationRequest { organization: Some(organization) };
    admin.identity().update_organization(request).await.unwrap();
    let request = wire::GetOrganizationRequest { name: "acme".into() };
    let found = admin.identity().get_organization(request).await.unwrap().into_inner();
    assert_eq!((found.subscription(), found.static_routes), (wire::Subscription::Enterprise, 700));
    assert_eq!(found.static_routes_used, 0);
    let listed = admin
        .identity()
        .list_organizations(wire::ListOrganizationsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.organizations.len(), 2);
}
