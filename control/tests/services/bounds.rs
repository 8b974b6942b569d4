//! What a token bounded to less than its user, or an admin of one place alone, cannot learn or do.

use proto::wire;
use proto::wire::Role::{Admin, Developer, Runtime, Unspecified, Viewer};
use tonic::Code;

use crate::actors::{Actor, code_of_list, token_for};
use crate::stage::Stage;

async fn tokens(actor: &Actor, user: &str) -> Vec<wire::Token> {
    let request = wire::ListTokensRequest { user: user.into(), ..Default::default() };
    let mut tokens = actor.identity().list_tokens(request).await.unwrap().into_inner().tokens;
    tokens.sort_by(|a, b| a.name.cmp(&b.name));
    tokens
}

async fn delete(actor: &Actor, id: &str) -> Code {
    let request = wire::DeleteTokenRequest { id: id.into() };
    actor.identity().delete_token(request).await.err().map_or(Code::Ok, |status| status.code())
}

fn named(name: &str, role: wire::Role) -> wire::CreateTokenRequest {
    wire::CreateTokenRequest { name: name.into(), role: role.into(), ..Default::default() }
}

fn names(tokens: &[wire::Token]) -> Vec<&str> {
    tokens.iter().map(|token| token.name.as_str()).collect()
}

/// The boss of one house, who made a token for amy and knows it, learns by it nothing of what she is and has
/// elsewhere, and takes none of her other tokens.
#[tokio::test]
async fn a_token_kept_to_one_house_shows_nothing_of_others() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let acme = admin.create_organization("acme").await.unwrap().metadata.unwrap().guid;
    let shop = admin.create_project("shop", "acme").await.unwrap().metadata.unwrap().guid;
    admin.create_organization("umbrella").await.unwrap();
    let boss = stage.user("boss", Unspecified, &[("organization", "acme", Admin)]).await;
    boss.create_user("amy", Unspecified, &[("organization", "acme", Developer)]).await.unwrap();
    let kept =
        stage.with_token(&boss, wire::CreateTokenRequest { name: "kept".into(), ..token_for("amy") }).await;
    let roles = [
        ("organization", "acme", Developer),
        ("project", "shop", Viewer),
        ("organization", "umbrella", Admin),
    ];
    admin.set_roles("amy", Viewer, &roles).await.unwrap();
    let amy = stage.with_token(&admin, token_for("amy")).await;
    assert_eq!(names(&tokens(&amy, "").await), ["kept", "laptop"]);

    let request = wire::GetUserRequest::default();
    let got = kept.identity().get_user(request).await.unwrap().into_inner();
    let who = kept.who().await.unwrap().user.unwrap();
    let listed = kept.identity().list_users(wire::ListUsersRequest::default()).await.unwrap().into_inner();
    for user in [&got, &who, &listed.users[0]] {
        let places: Vec<_> = user.memberships.iter().filter_map(|there| there.r#where.clone()).collect();
        let seen = [
            wire::membership::Where::Organization(acme.clone()),
            wire::membership::Where::Project(shop.clone()),
        ];
        assert_eq!((user.role(), places), (Unspecified, seen.to_vec()));
    }
    assert_eq!(amy.who().await.unwrap().user.unwrap().memberships.len(), 3);

    let child = stage.with_token(&kept, named("child", Unspecified)).await;
    assert_eq!(names(&tokens(&kept, "").await), ["child", "kept"]);
    let laptop = tokens(&amy, "").await.into_iter().find(|token| token.name == "laptop").unwrap().id;
    assert_eq!(delete(&kept, &laptop).await, Code::NotFound);
    assert_eq!(code_of_list(&amy, "shop").await, Code::Ok);
    let own = tokens(&child, "").await;
    assert_eq!(delete(&child, &own[1].id).await, Code::Ok);
    assert_eq!(kept.who().await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn no_token_ends_a_stronger_one() {
    let stage = Stage::start().await;
    let amy = stage.user("amy", Unspecified, &[("project", "default", Developer)]).await;
    let looks = stage.with_token(&amy, named("looks", Viewer)).await;
    let own = tokens(&looks, "").await;
    assert_eq!(names(&own), ["laptop", "looks"]);
    assert_eq!(delete(&looks, &own[0].id).await, Code::PermissionDenied);
    assert_eq!(delete(&looks, &own[1].id).await, Code::Ok, "its own");
    assert_eq!(looks.who().await.unwrap_err().code(), Code::Unauthenticated);
    amy.who().await.unwrap();
    assert_eq!(delete(&amy, &own[0].id).await, Code::Ok);
}

/// What one project calls its runtime is nothing to another.
#[tokio::test]
async fn machines_of_different_projects_may_have_one_name() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let guid = admin.create_project("shop", "default").await.unwrap().metadata.unwrap().guid;
    let runtime = |project: &str| wire::CreateTokenRequest { project: project.into(), ..named("r", Runtime) };
    let boss = stage.user("boss", Unspecified, &[("project", "shop", Admin)]).await;
    admin.create_token(runtime("default")).await.unwrap();
    admin.create_token(runtime("")).await.unwrap();
    boss.create_token(runtime("shop")).await.unwrap();
    assert_eq!(boss.create_token(runtime(&guid)).await.unwrap_err().code(), Code::AlreadyExists);
    let theirs = tokens(&boss, "").await;
    assert_eq!(names(&theirs), ["laptop", "r"]);
    assert_eq!(delete(&boss, &theirs[1].id).await, Code::Ok);
    boss.create_token(runtime("shop")).await.unwrap();
}

/// By their address one may invite people one knows; a guid, as it stands in records as the creator's, says
/// nothing of whose it is.
#[tokio::test]
async fn strangers_are_invited_by_their_address_alone() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    admin.create_organization("acme").await.unwrap();
    let boss = stage.user("boss", Unspecified, &[("organization", "acme", Admin)]).await;
    let guid = admin.who().await.unwrap().user.unwrap().metadata.unwrap().guid;
    let there = [("organization", "acme", Viewer)];
    assert_eq!(boss.set_roles(&guid, Unspecified, &there).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(boss.set_roles("admin", Unspecified, &there).await.unwrap().email, "admin");
    boss.set_roles(&guid, Unspecified, &[]).await.unwrap();
}

/// An operator who empties `admin.token` makes the user `admin` the installation's: nobody else may have put
/// one of theirs in that place.
#[tokio::test]
async fn nobody_but_the_installation_has_a_user_admin() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    admin.create_organization("acme").await.unwrap();
    let there = [("organization", "acme", Admin)];
    let boss = stage.user("boss", Unspecified, &there).await;
    let chief = stage.user("chief", Admin, &[]).await;
    chief.delete_user("admin").await.unwrap();
    let refused = boss.create_user("Admin", Unspecified, &there).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{}", refused.message());
    chief.create_user("admin", Unspecified, &there).await.unwrap();
}

/// A boss whose own token opens one project alone hands on that project.
#[tokio::test]
async fn a_token_made_with_a_bounded_one_opens_what_both_may() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    admin.create_organization("acme").await.unwrap();
    for project in ["shop", "lab"] {
        admin.create_project(project, "acme").await.unwrap();
    }
    let boss = stage.user("boss", Unspecified, &[("project", "shop", Admin)]).await;
    boss.create_user("amy", Unspecified, &[("project", "shop", Admin)]).await.unwrap();
    let amy = stage.with_token(&boss, token_for("amy")).await;
    amy.create_user("bob", Unspecified, &[("project", "shop", Viewer)]).await.unwrap();
    admin.set_roles("amy", Unspecified, &[("organization", "acme", Admin)]).await.unwrap();
    let bob = stage.with_token(&amy, token_for("bob")).await;
    assert_eq!(bob.projects().await, ["shop"]);
    admin.set_roles("bob", Unspecified, &[("organization", "acme", Viewer)]).await.unwrap();
    assert_eq!(bob.projects().await, ["shop"]);
}
