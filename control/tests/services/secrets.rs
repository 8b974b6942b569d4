//! Secrets: what is shown, what is kept, and the keys they are sealed with.

use std::path::Path;
use std::sync::{Arc, Mutex};

use control::{Control, KeyFileError, OpenError};
use futures_util::future::join_all;
use proto::wire;
use proto::wire::runtime_service_client::RuntimeServiceClient;
use tempfile::TempDir;
use tonic::{Code, Status};

use crate::actors::{Actor, metadata};
use crate::samples::{deployment, hello};
use crate::stage::{Stage, assert_refused, config};

/// What must be found nowhere.
const PASSWORD: &str = "correct-horse-battery-staple";

fn docker(name: &str, password: &str) -> wire::Secret {
    let docker =
        wire::DockerCredentials { username: "robot".into(), password: password.into(), ..Default::default() };
    wire::Secret { metadata: metadata(name), data: Some(wire::secret::Data::Docker(docker)) }
}

fn opaque(name: &str, values: &[(&str, &str)]) -> wire::Secret {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let data = wire::OpaqueData { values: values.collect() };
    wire::Secret { metadata: metadata(name), data: Some(wire::secret::Data::Opaque(data)) }
}

async fn create(actor: &Actor, secret: wire::Secret) -> Result<wire::Secret, Status> {
    let request = wire::CreateSecretRequest { secret: Some(secret), dry_run: false };
    actor.secrets().create_secret(request).await.map(tonic::Response::into_inner)
}

async fn get(actor: &Actor, name: &str) -> Result<wire::Secret, Status> {
    let request = wire::GetSecretRequest { name: name.into(), ..Default::default() };
    actor.secrets().get_secret(request).await.map(tonic::Response::into_inner)
}

async fn update(actor: &Actor, secret: wire::Secret) -> Result<wire::Secret, Status> {
    let request = wire::UpdateSecretRequest { secret: Some(secret) };
    actor.secrets().update_secret(request).await.map(tonic::Response::into_inner)
}

async fn delete(actor: &Actor, name: &str) -> Result<(), Status> {
    let request = wire::DeleteSecretRequest { name: name.into(), ..Default::default() };
    actor.secrets().delete_secret(request).await.map(|_| ())
}

/// `hello`, whose image is pulled with the secret `pull`.
fn pulling(version: &str) -> wire::CreatePackageRequest {
    let mut package = hello();
    package.version = version.into();
    let executable = &mut package.plans[0].components[0].executables[0];
    if let Some(wire::executable::Kind::Docker(docker)) = &mut executable.kind {
        docker.pull_secret = "pull".into();
    }
    wire::CreatePackageRequest { package: Some(package), dry_run: false }
}

#[tokio::test]
async fn what_a_secret_holds_is_never_told() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let made = create(&admin, docker("pull", PASSWORD)).await.unwrap();
    let Some(wire::secret::Data::Docker(shown)) = &made.data else { panic!("{made:?}") };
    assert_eq!((shown.username.as_str(), shown.registry.as_str()), ("robot", "https://index.docker.io/v1/"));
    assert_eq!(shown.password, "");
    assert!(!made.metadata.as_ref().unwrap().creator.is_empty());
    let guid = made.metadata.as_ref().unwrap().guid.clone();
    assert_eq!(get(&admin, &guid).await.unwrap(), made);
    create(&admin, opaque("values", &[("KEY", PASSWORD), ("OTHER", PASSWORD)])).await.unwrap();
    let listed =
        admin.secrets().list_secrets(wire::ListSecretsRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.secrets.len(), 2);
    assert!(!format!("{listed:?}").contains(PASSWORD));
    let Some(wire::secret::Data::Opaque(values)) = &listed.secrets[1].data else { panic!("{listed:?}") };
    let mut keys: Vec<_> = values.values.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["KEY", "OTHER"]);

    let again = create(&admin, docker("pull", "x")).await;
    assert_refused(again, Code::AlreadyExists, "metadata.name", "secret_exists");
    let other = update(&admin, opaque("pull", &[("KEY", PASSWORD)])).await;
    let message = assert_refused(other, Code::InvalidArgument, "data", "secret_type_fixed");
    assert!(!message.contains(PASSWORD), "{message}");
    let mut renewed = docker("pull", "another");
    renewed.metadata.as_mut().unwrap().labels = [("team".to_owned(), "web".to_owned())].into();
    let renewed = update(&admin, renewed).await.unwrap().metadata.unwrap();
    assert_eq!((renewed.guid.as_str(), renewed.labels.len()), (guid.as_str(), 1));
    delete(&admin, "pull").await.unwrap();
    assert_eq!(get(&admin, &guid).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(delete(&admin, "pull").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_trial_keeps_nothing() {
    let stage = Stage::start().await;
    let request = wire::CreateSecretRequest { secret: Some(docker("pull", PASSWORD)), dry_run: true };
    stage.admin().secrets().create_secret(request).await.unwrap();
    assert_eq!(get(&stage.admin(), "pull").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_secret_in_use_stays() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let refused = admin.packages().create_package(pulling("1.0")).await;
    let field = "plans[0].components[0].executables[0].docker.pull_secret";
    assert_refused(refused, Code::InvalidArgument, field, "secret_unknown");
    create(&admin, docker("pull", PASSWORD)).await.unwrap();
    admin.packages().create_package(pulling("1.0")).await.unwrap();
    let message =
        assert_refused(delete(&admin, "pull").await, Code::FailedPrecondition, "name", "secret_in_use");
    assert!(message.contains("package hello 1.0"), "{message}");
    update(&admin, docker("pull", "another")).await.unwrap();
    let request = wire::DeletePackageRequest { name: "hello".into(), ..Default::default() };
    admin.packages().delete_package(request).await.unwrap();
    delete(&admin, "pull").await.unwrap();
}

/// A deployment whose environment has `PASSWORD` from the secret `values`.
fn referring(name: &str) -> wire::Deployment {
    let mut deployment = deployment(name);
    let from = wire::SecretKey { secret: "values".into(), key: "KEY".into() };
    let variable = wire::EnvVar { name: "LEVEL".into(), value_from: Some(from), ..Default::default() };
    deployment.spec.as_mut().unwrap().env_args.push(variable);
    deployment
}

#[tokio::test]
async fn a_secret_a_live_deployment_refers_to_stays_and_reaches_its_runtime_alone() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    stage.create_package(hello()).await.unwrap();
    let refused = stage.create_deployment(referring("web")).await;
    assert!(refused.unwrap_err().message().contains("there is no secret \"values\""));
    create(&admin, docker("values", PASSWORD)).await.unwrap();
    let refused = stage.create_deployment(referring("web")).await;
    assert!(refused.unwrap_err().message().contains("values come from opaque ones"));
    delete(&admin, "values").await.unwrap();
    create(&admin, opaque("values", &[("KEY", PASSWORD)])).await.unwrap();
    let shown = stage.deploy(referring("web")).await;
    assert!(!format!("{shown:?}").contains(PASSWORD), "{shown:?}");
    let message =
        assert_refused(delete(&admin, "values").await, Code::FailedPrecondition, "name", "secret_in_use");
    assert!(message.contains("deployment web (dep-"), "{message}");

    let request = wire::GetDeploymentSecretsRequest { deployment: "web".into(), ..Default::default() };
    let mut runtime = RuntimeServiceClient::new(stage.file("runtime.token").channel());
    let told = runtime.get_deployment_secrets(request).await.unwrap().into_inner().secrets;
    assert_eq!((told.len(), told[0].name.as_str()), (1, "values"));
    let Some(wire::secret_data::Data::Opaque(data)) = &told[0].data else { panic!("not opaque") };
    assert_eq!(data.values.get("KEY").map(String::as_str), Some(PASSWORD));
    stage.stop_deployment("web").await.unwrap();
    delete(&admin, "values").await.unwrap();
}

/// A secret goes or is used, never both.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_deleted_while_it_is_begun_to_be_used_is_gone_or_used() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    for round in 0..12 {
        let _ = create(&admin, docker("pull", PASSWORD)).await;
        let mut clients: Vec<_> = (0..3).map(|_| admin.packages()).collect();
        let creating = clients
            .iter_mut()
            .enumerate()
            .map(|(i, client)| client.create_package(pulling(&format!("{round}.{i}"))));
        let (created, deleted) = tokio::join!(join_all(creating), delete(&admin, "pull"));
        let used = created.iter().any(Result::is_ok);
        assert_eq!(get(&admin, "pull").await.is_ok(), deleted.is_err(), "round {round}");
        assert!(!(used && deleted.is_ok()), "round {round}: a package pulls with a secret that is gone");
        for i in 0..3 {
            let request = wire::DeletePackageRequest {
                name: "hello".into(),
                version: format!("{round}.{i}"),
                ..Default::default()
            };
            let _ = admin.packages().delete_package(request).await;
        }
    }
}

/// The files of a data directory that hold `text`.
fn holding(dir: &Path, text: &str) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        path.is_file()
            && std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    };
    let mut found: Vec<_> = entries.filter(holds).map(|path| name_of(&path)).collect();
    found.sort_unstable();
    found
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[tokio::test]
async fn the_store_holds_neither_tokens_nor_what_secrets_hold() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    create(&admin, docker("pull", PASSWORD)).await.unwrap();
    create(&admin, opaque("values", &[("KEY", PASSWORD)])).await.unwrap();
    update(&admin, docker("pull", "tr0ub4dor-and-three")).await.unwrap();
    let request = wire::CreateTokenRequest { name: "laptop".into(), ..Default::default() };
    let token = admin.create_token(request).await.unwrap().secret;
    let dir = stage.stop().await;
    assert_eq!(holding(dir.path(), "robot"), ["store.redb"], "what may be shown is there in the clear");
    for secret in [PASSWORD, "tr0ub4dor-and-three", token.as_str(), token.trim_start_matches("epr_")] {
        assert!(holding(dir.path(), secret).is_empty(), "{secret}");
    }
    let own = std::fs::read_to_string(dir.path().join("admin.token")).unwrap();
    assert_eq!(holding(dir.path(), own.trim()), ["admin.token"]);
    let key = std::fs::read_to_string(dir.path().join("secrets.key")).unwrap();
    assert_eq!(holding(dir.path(), key.trim()), ["secrets.key"]);
}

/// What is logged, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_callers_and_no_secrets() {
    let log = Log::default();
    let kept = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter("control=trace").with_writer(move || kept.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let stage = Stage::start().await;
    let admin = stage.admin();
    create(&admin, docker("pull", PASSWORD)).await.unwrap();
    create(&admin, docker("pull", PASSWORD)).await.unwrap_err();
    create(&admin, opaque("bad key", &[(" ", PASSWORD)])).await.unwrap_err();
    let request = wire::CreateTokenRequest { name: "my laptop".into(), ..Default::default() };
    let token = admin.create_token(request).await.unwrap().secret;
    stage.holder_of(&token).who().await.unwrap();
    let stranger = format!("epr_{}", "q".repeat(40));
    stage.holder_of(&stranger).who().await.unwrap_err();
    stage.stop().await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("admin.token") && text.contains("my laptop"), "{text}");
    for secret in [PASSWORD, token.trim_start_matches("epr_"), stranger.trim_start_matches("epr_")] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
}

async fn refused(dir: &TempDir, given: Option<&Path>) -> String {
    let config = control::Config { secrets_key: given.map(Path::to_owned), ..config(dir.path()) };
    let error = Control::open(config).await.err().unwrap();
    assert!(matches!(error, OpenError::SecretsKey(_)), "{error}");
    error.to_string()
}

async fn opens(dir: &TempDir, given: Option<&Path>) {
    let config = control::Config { secrets_key: given.map(Path::to_owned), ..config(dir.path()) };
    drop(Control::open(config).await.unwrap());
}

#[tokio::test]
async fn a_store_is_not_served_without_the_keys_of_its_secrets() {
    let stage = Stage::start().await;
    let admin = stage.admin();
    let file = stage.dir.path().join("secrets.key");
    let old = std::fs::read_to_string(&file).unwrap();
    create(&admin, docker("pull", PASSWORD)).await.unwrap();
    let dir = stage.stop().await;

    std::fs::remove_file(&file).unwrap();
    let text = refused(&dir, None).await;
    assert!(text.contains("1 of 1 secrets") && text.contains("put the file back"), "{text}");
    assert!(!file.exists(), "no key is made that opens nothing");
    let new = "11".repeat(32);
    std::fs::write(&file, &new).unwrap();
    assert!(refused(&dir, None).await.contains("sealed with keys that are not in"));
    std::fs::write(&file, format!("{new}\nrubbish")).unwrap();
    let text = refused(&dir, None).await;
    assert!(text.contains("line 2 is no key") && !text.contains("rubbish"), "{text}");
    let elsewhere = dir.path().join("elsewhere");
    assert!(refused(&dir, Some(&elsewhere)).await.contains("elsewhere"));

    // With both, what was sealed with the old one is sealed with the new one, and the old one may go.
    std::fs::write(&elsewhere, format!("# since today\n{new}\n{old}")).unwrap();
    opens(&dir, Some(&elsewhere)).await;
    std::fs::write(&elsewhere, &new).unwrap();
    opens(&dir, Some(&elsewhere)).await;
    std::fs::write(&file, &old).unwrap();
    assert!(refused(&dir, None).await.contains("1 of 1 secrets"));

    // Lost for good: the secret is there, and holds nothing until it is updated.
    std::fs::write(&file, "").unwrap();
    let stage = Stage::on(dir).await;
    get(&stage.admin(), "pull").await.unwrap();
    update(&stage.admin(), docker("pull", PASSWORD)).await.unwrap();
    let same = Stage::on(stage.stop().await).await;
    get(&same.admin(), "pull").await.unwrap();
    assert_ne!(std::fs::read_to_string(&file).unwrap(), old);
}

#[tokio::test]
async fn a_key_file_is_made_private_and_a_given_one_is_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = Arc::new(TempDir::new().unwrap());
    opens(&dir, None).await;
    let file = dir.path().join("secrets.key");
    assert_eq!(mode(&file), 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    opens(&dir, None).await;
    assert_eq!(mode(&file), 0o600);
    let given = dir.path().join("given");
    std::fs::write(&given, "22".repeat(32)).unwrap();
    std::fs::set_permissions(&given, std::fs::Permissions::from_mode(0o440)).unwrap();
    opens(&dir, Some(&given)).await;
    assert_eq!(mode(&given), 0o440);
    std::fs::remove_file(&given).unwrap();
    std::fs::write(&given, "\n").unwrap();
    assert!(refused(&dir, Some(&given)).await.contains("there is no key in it"));
    std::fs::remove_file(&given).unwrap();
    let error =
        Control::open(control::Config { secrets_key: Some(given.clone()), ..config(dir.path()) }).await;
    assert!(
        matches!(error.err().unwrap(), OpenError::SecretsKey(KeyFileError::File { path, .. }) if path == given)
    );
}
