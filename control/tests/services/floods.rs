//! Small requests that would have large answers.

use proto::wire;
use tonic::Code;

use crate::actors::package_in;
use crate::stage::{Stage, told};

/// A message of a megabyte has room for half a million empty parts, each of which breaks several rules.
#[tokio::test]
async fn of_many_faults_some_are_told() {
    let stage = Stage::start().await;
    let memberships = vec![wire::Membership::default(); 200_000];
    let request = wire::SetUserRolesRequest { email: "admin".into(), memberships, ..Default::default() };
    let refused = stage.admin().identity().set_user_roles(request).await.unwrap_err();
    let (code, faults) = told(&refused);
    assert_eq!(code, Code::InvalidArgument);
    assert!((10..=101).contains(&faults.len()), "{}", faults.len());

    let mut request = package_in("");
    request.package.as_mut().unwrap().plans = vec![wire::Plan::default(); 200_000];
    let refused = stage.admin().packages().create_package(request).await.unwrap_err();
    let (code, faults) = told(&refused);
    assert_eq!(code, Code::InvalidArgument);
    assert!((10..=101).contains(&faults.len()), "{}", faults.len());
    assert_eq!(faults.last().unwrap().1, "more_faults");

    let mut request = package_in("");
    request.package.as_mut().unwrap().metadata.as_mut().unwrap().name = "\u{7f}".repeat(500_000);
    let refused = stage.admin().packages().create_package(request).await.unwrap_err();
    assert_eq!(told(&refused), (Code::InvalidArgument, vec![("metadata.name".into(), "name".into())]));
    let name = "ü".repeat(400_000);
    let request = wire::GetUserRequest { email: name };
    let refused = stage.admin().identity().get_user(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}
