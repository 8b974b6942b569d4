//! Tokens: what they open, for how long, and who sees them.

use proto::wire;
use proto::wire::Role::{Admin, Developer, Proxy, Runtime, Unspecified, Viewer};
use proto::wire::runtime_service_client::RuntimeServiceClient;
use tonic::Code;

use crate::actors::{code_of_list, package_in, token_for};
use crate::stage::{Stage, assert_refused};

#[tokio::test]
async fn tokens_open_no_more_than_who_made_them_may() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let dev = stage.user("dev", Unspecified, &[("project", "default", Developer)]).await;
    let named = |name: &str, role: wire::Role| wire::CreateTokenRequest {
        name: name.into(),
        role: role.into(),
        ..Default::default()
    };
    let looker = stage.with_token(&dev, named("look", Viewer)).await;
    assert_eq!(code_of_list(&looker, "").await, Code::Ok);
    let refused = looker.packages().create_package(package_in("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(
        looker.create_token(named("more", Developer)).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    let same = stage.with_token(&looker, named("same", Unspecified)).await;
    assert_eq!(
        same.packages().create_package(package_in("")).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    for role in [Proxy, Runtime] {
        assert_eq!(dev.create_token(named("m", role)).await.unwrap_err().code(), Code::PermissionDenied);
    }
    let taken = dev.create_token(named("look", Viewer)).await;
    assert_refused(taken, Code::AlreadyExists, "name", "token_exists");

    // No token outlives the one it is made with.
    let hour = wire::CreateTokenRequest {
        lifetime: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..named("hour", Unspecified)
    };
    let made = dev.create_token(hour.clone()).await.unwrap();
    let end = made.token.unwrap().expires_at.unwrap();
    let hour_holder = stage.holder_of(&made.secret);
    let child = hour_holder.create_token(named("child", Unspecified)).await.unwrap().token.unwrap();
    assert_eq!(child.expires_at, Some(end));
    let longer = wire::CreateTokenRequest {
        lifetime: Some(prost_types::Duration { seconds: 7_200, nanos: 0 }),
        ..named("longer", Unspecified)
    };
    assert_refused(hour_holder.create_token(longer).await, Code::InvalidArgument, "lifetime", "lifetime");

    // One sees and deletes one's own; what is deleted is refused at once.
    let list = |user: &str| wire::ListTokensRequest { user: user.into(), ..Default::default() };
    let mut own = dev.identity().list_tokens(list("")).await.unwrap().into_inner().tokens;
    own.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = own.iter().map(|token| (token.name.as_str(), token.role())).collect();
    assert_eq!(
        names,
        [
            ("child", Developer),
            ("hour", Developer),
            ("laptop", Developer),
            ("look", Viewer),
            ("same", Viewer)
        ]
    );
    let theirs = admin.identity().list_tokens(list("admin")).await.unwrap().into_inner().tokens;
    let delete = |id: &str| wire::DeleteTokenRequest { id: id.into() };
    let refused = dev.identity().delete_token(delete(&theirs[0].id)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let look = own.iter().find(|token| token.name == "look").unwrap();
    dev.identity().delete_token(delete(&look.id)).await.unwrap();
    assert_eq!(looker.who().await.unwrap_err().code(), Code::Unauthenticated);
    dev.create_token(named("look", Viewer)).await.unwrap();

    admin.delete_user("dev").await.unwrap();
    assert_eq!(dev.who().await.unwrap_err().code(), Code::Unauthenticated);
    let left = admin.identity().list_tokens(list("")).await.unwrap().into_inner().tokens;
    let mut names: Vec<_> = left.iter().map(|token| token.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["admin.token", "proxy.token", "runtime.token"]);
}

/// A token made by a boss opens the boss's house, whatever its user is given elsewhere later.
#[tokio::test]
async fn tokens_made_for_others_stay_in_the_house() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    admin.create_organization("acme").await.unwrap();
    admin.create_project("shop", "acme").await.unwrap();
    let boss = stage.user("boss", Unspecified, &[("organization", "acme", Admin)]).await;
    boss.create_user("amy", Unspecified, &[("organization", "acme", Developer)]).await.unwrap();
    let amy = stage.with_token(&boss, token_for("amy")).await;
    assert_eq!(amy.projects().await, ["shop"]);
    admin.set_roles("amy", Admin, &[("organization", "acme", Developer)]).await.unwrap();
    assert_eq!(amy.projects().await, ["shop"]);
    assert_eq!(code_of_list(&amy, "default").await, Code::NotFound);
    assert_eq!(amy.create_organization("mine").await.unwrap_err().code(), Code::PermissionDenied);
    let child = wire::CreateTokenRequest { name: "child".into(), ..Default::default() };
    let child = stage.with_token(&amy, child).await;
    assert_eq!(child.projects().await, ["shop"]);

    // A runtime of theirs is one for a project of theirs.
    let runtime = |project: &str| wire::CreateTokenRequest {
        name: "r".into(),
        role: Runtime.into(),
        project: project.into(),
        ..Default::default()
    };
    assert_eq!(boss.create_token(runtime("")).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(boss.create_token(runtime("default")).await.unwrap_err().code(), Code::NotFound);
    let runtime = stage.with_token(&boss, runtime("shop")).await;
    let open = async |project: &str| {
        let request =
            wire::OpenLeaseRequest { runtime: "r".into(), project: project.into(), ..Default::default() };
        let mut client = RuntimeServiceClient::new(runtime.channel());
        client.open_lease(request).await.err().map(|status| status.code())
    };
    assert_eq!([open("shop").await, open("").await], [None, None]);
    assert_eq!(open("default").await, Some(Code::NotFound));
}
