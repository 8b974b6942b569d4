use proto::wire;
use tonic::Code;

use crate::samples::{deployment, full, guid_of, hello, name_of, package_of};
use crate::stage::{Stage, assert_refused, told};

fn get(name: &str, version: &str) -> wire::GetPackageRequest {
    wire::GetPackageRequest { name: name.into(), version: version.into(), ..Default::default() }
}

#[tokio::test]
async fn a_package_comes_back_as_it_was_given_by_name_version_and_guid() {
    let stage = Stage::start().await;
    let created = stage.create_package(full()).await.unwrap();
    assert!(guid_of(&created.metadata).starts_with("pkg-"));
    let component = &created.plans[0].components[0];
    assert_eq!((created.plans[0].name.as_str(), component.replicas), ("default", 1));
    let ports: Vec<_> =
        component.endpoints.iter().map(|e| (e.name.as_str(), e.port, e.target_port)).collect();
    assert_eq!(ports, [("WEB", 80, 80), ("SECURE", 443, 443), ("RAW", 443, 443), ("DB", 5432, 5432)]);
    for asked in [get("full", "1.0"), get("full", ""), get(guid_of(&created.metadata), "")] {
        assert_eq!(stage.packages().get_package(asked).await.unwrap().into_inner(), created);
    }
    stage.create_package(package_of("full", "2.0", Vec::new())).await.unwrap();
    assert_refused(
        stage.packages().get_package(get("full", "")).await,
        Code::InvalidArgument,
        "version",
        "version_required",
    );
    let missing = stage.packages().get_package(get("full", "3.0")).await.unwrap_err();
    assert_eq!(
        (missing.code(), missing.message()),
        (Code::NotFound, r#"there is no package "full 3.0" in this project"#)
    );
}

#[tokio::test]
async fn all_faults_come_at_once_and_nothing_is_created() {
    let stage = Stage::start().await;
    let mut package = full();
    package.version = "one zero".into();
    let component = &mut package.plans[0].components[0];
    component.runtime = 77;
    component.endpoints[0].port = 8080;
    component.endpoints[1].name = "1st".into();
    component.executables[0].limits.as_mut().unwrap().cpu = "9".into();
    let status = stage.create_package(package).await.unwrap_err();
    let (code, faults) = told(&status);
    let faults: Vec<_> = faults.iter().map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        faults,
        [
            ("plans[0].components[0].runtime", "unknown_value"),
            ("version", "version"),
            ("plans[0].components[0].executables[0].limits.cpu", "cpu"),
            ("plans[0].components[0].endpoints[0].port", "port_fixed_by_protocol"),
            ("plans[0].components[0].endpoints[1].name", "endpoint_name"),
        ]
    );
    let listed = stage.packages().list_packages(wire::ListPackagesRequest::default()).await.unwrap();
    assert!(listed.into_inner().packages.is_empty());
}

#[tokio::test]
async fn a_package_never_changes_and_a_trial_creates_nothing() {
    let stage = Stage::start().await;
    let trial = wire::CreatePackageRequest { package: Some(hello()), dry_run: true };
    stage.packages().create_package(trial.clone()).await.unwrap();
    stage.create_package(hello()).await.unwrap();
    assert_refused(
        stage.create_package(hello()).await,
        Code::AlreadyExists,
        "metadata.name",
        "package_exists",
    );
    assert_refused(
        stage.packages().create_package(trial).await,
        Code::AlreadyExists,
        "metadata.name",
        "package_exists",
    );
}

#[tokio::test]
async fn pages_go_through_all_of_them_in_order() {
    let stage = Stage::start().await;
    let names = ["a/b", "a b", "a%c", "käse", "zz"];
    for name in names {
        stage.create_package(package_of(name, "1.0", Vec::new())).await.unwrap();
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = Some(wire::PageRequest { size: 2, token });
        let request = wire::ListPackagesRequest { page, ..Default::default() };
        let listed = stage.packages().list_packages(request).await.unwrap().into_inner();
        assert!(listed.packages.len() <= 2);
        seen.extend(listed.packages.iter().map(|package| name_of(&package.metadata).to_owned()));
        token = listed.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    seen.sort_unstable();
    let mut expected = names.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_package_in_use_stays() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    let user = stage.deploy(deployment("user")).await;
    let delete = || wire::DeletePackageRequest { name: "hello".into(), ..Default::default() };
    let message = assert_refused(
        stage.packages().delete_package(delete()).await,
        Code::FailedPrecondition,
        "name",
        "package_in_use",
    );
    assert!(message.contains(&format!("deployment user ({})", guid_of(&user.metadata))), "{message}");
    stage.deploy(deployment("another")).await;
    stage.stop_deployment("user").await.unwrap();
    stage.stop_deployment("another").await.unwrap();
    stage.packages().delete_package(delete()).await.unwrap();
    assert_eq!(stage.packages().delete_package(delete()).await.unwrap_err().code(), Code::NotFound);
    assert_refused(
        stage.create_deployment(deployment("late")).await,
        Code::InvalidArgument,
        "spec.package_name",
        "package_unknown",
    );
}

#[tokio::test]
async fn a_package_names_secrets_that_are_there_and_keeps_them() {
    let stage = Stage::start().await;
    let mut package = hello();
    package.plans[0].components[0].parameters.push(wire::Parameter {
        name: "PASSWORD".into(),
        value_from: Some(wire::SecretKey { secret: "db".into(), key: "password".into() }),
        ..Default::default()
    });
    let field = "plans[0].components[0].parameters[1].value_from";
    let create = || stage.create_package(package.clone());
    assert_refused(create().await, Code::InvalidArgument, field, "secret_unknown");
    let secret = |key: &str| {
        let values = [(key.to_owned(), "hidden".to_owned())].into();
        let metadata = Some(wire::Metadata { name: "db".into(), ..Default::default() });
        let data = Some(wire::secret::Data::Opaque(wire::OpaqueData { values }));
        Some(wire::Secret { metadata, data })
    };
    let secrets = stage.admin();
    let request = wire::CreateSecretRequest { secret: secret("user"), dry_run: false };
    secrets.secrets().create_secret(request).await.unwrap();
    assert_refused(create().await, Code::InvalidArgument, field, "secret_key_unknown");
    let request = wire::UpdateSecretRequest { secret: secret("password") };
    secrets.secrets().update_secret(request).await.unwrap();
    let created = create().await.unwrap();
    assert!(!created.metadata.unwrap().creator.is_empty());
    let delete = || wire::DeleteSecretRequest { name: "db".into(), ..Default::default() };
    assert_refused(
        secrets.secrets().delete_secret(delete()).await,
        Code::FailedPrecondition,
        "name",
        "secret_in_use",
    );
    let request = wire::DeletePackageRequest { name: "hello".into(), ..Default::default() };
    stage.packages().delete_package(request).await.unwrap();
    secrets.secrets().delete_secret(delete()).await.unwrap();
}
