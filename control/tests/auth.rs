//! Tokens: how the first ones come about, and what they open.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use control::auth::{
    Access, Auth, AuthError, AuthLayer, Caller, Role, Token, TokenFileError, TokenFiles, first_tokens,
};
use control::domain::record::encode;
use control::domain::token::TokenRecord;
use control::domain::{Chance, Level, NoChance, Project, Timestamp, UserGuid, built_in_project};
use control::service::keys;
use control::store::{Batch, Embedded, EmbeddedConfig, Expect, Store};
use http::{Request, Response};
use proto::Epoch;
use tower::{Layer as _, Service as _, service_fn};

struct FromSystem;

impl Chance for FromSystem {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoChance> {
        getrandom::fill(bytes).map_err(|error| NoChance(error.to_string()))
    }
}

fn open(dir: &Path) -> Arc<dyn Store> {
    Arc::new(Embedded::open(&EmbeddedConfig::at(dir.join("store.redb")), Epoch(1)).unwrap())
}

async fn files(store: &Arc<dyn Store>, dir: &Path) -> TokenFiles {
    first_tokens(&**store, dir, &FromSystem, Timestamp::from(SystemTime::UNIX_EPOCH)).await.unwrap()
}

fn bearer(path: &Path) -> String {
    format!("Bearer {}", std::fs::read_to_string(path).unwrap().trim())
}

async fn admit(store: &Arc<dyn Store>, path: &str, header: &str) -> Result<Option<Caller>, AuthError> {
    Auth::new(store.clone(), control::clock::system()).admit(path, Some(header.as_bytes())).await
}

const READ: &str = "/epr.v1.PackageService/GetPackage";
const WATCH: &str = "/epr.v1.RuntimeService/WatchDeployments";
const FEED: &str = "/epr.v1.RouteFeedService/Follow";

#[tokio::test]
async fn the_first_tokens_are_private_and_open_what_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let files = files(&store, dir.path()).await;
    for path in [&files.admin, &files.proxy, &files.runtime] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let caller = admit(&store, READ, &bearer(&files.admin)).await.unwrap().unwrap();
    assert_eq!((caller.role, &*caller.name), (Role::Admin, "admin.token"));
    assert_eq!(admit(&store, FEED, &bearer(&files.proxy)).await.unwrap().unwrap().role, Role::Proxy);
    let forbidden = admit(&store, READ, &bearer(&files.proxy)).await.unwrap_err();
    assert!(forbidden.to_string().contains("role proxy may not call"), "{forbidden}");
    assert!(matches!(admit(&store, FEED, &bearer(&files.admin)).await, Err(AuthError::Forbidden { .. })));
    let runtime = bearer(&files.runtime);
    assert_eq!(admit(&store, WATCH, &runtime).await.unwrap().unwrap().role, Role::Runtime);
    assert!(matches!(admit(&store, READ, &runtime).await, Err(AuthError::Forbidden { .. })));
    assert!(matches!(admit(&store, FEED, &runtime).await, Err(AuthError::Forbidden { .. })));
    let stranger = format!("Bearer epr_{}", "a".repeat(40));
    assert_eq!(admit(&store, READ, &stranger).await, Err(AuthError::Unknown));
    let auth = Auth::new(store, control::clock::system());
    assert_eq!(auth.admit("/grpc.health.v1.Health/Check", None).await, Ok(None));
    let missing = auth.admit(READ, None).await.unwrap_err();
    assert!(missing.to_string().contains("authorization: Bearer TOKEN"), "{missing}");
}

#[tokio::test]
async fn a_start_keeps_renews_or_adopts_what_the_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let path = files(&store, dir.path()).await.admin;
    let first = bearer(&path);
    files(&store, dir.path()).await;
    assert_eq!(bearer(&path), first, "a start changes nothing");

    std::fs::remove_file(&path).unwrap();
    files(&store, dir.path()).await;
    let second = bearer(&path);
    assert_ne!(first, second);
    assert!(admit(&store, READ, &first).await.is_ok(), "the file may have been moved on purpose");

    std::fs::write(&path, "").unwrap();
    let proxy = bearer(&dir.path().join("proxy.token"));
    files(&store, dir.path()).await;
    let third = bearer(&path);
    for refused in [&first, &second] {
        assert_eq!(admit(&store, READ, refused).await, Err(AuthError::Unknown));
    }
    assert!(admit(&store, READ, &third).await.is_ok() && admit(&store, FEED, &proxy).await.is_ok());

    drop(store);
    std::fs::remove_file(dir.path().join("store.redb")).unwrap();
    let store = open(dir.path());
    files(&store, dir.path()).await;
    assert!(admit(&store, READ, &third).await.is_ok(), "a new store takes the token over");

    std::fs::write(&path, "my secret").unwrap();
    let result = first_tokens(&*store, dir.path(), &FromSystem, SystemTime::UNIX_EPOCH.into()).await;
    assert!(matches!(result, Err(TokenFileError::Content(at)) if at == path));
}

fn record(role: Role, name: &str) -> TokenRecord {
    TokenRecord {
        role,
        project: built_in_project(),
        name: name.into(),
        created: SystemTime::UNIX_EPOCH.into(),
        user: None,
        expires_at: None,
        within: None,
    }
}

/// Stores a token, and tells the header that carries it.
async fn put(store: &Arc<dyn Store>, record: &[u8]) -> String {
    let token = Token::draw(&FromSystem).unwrap();
    let batch = Batch::new().put(keys::token(&token.hash()), Expect::Absent, record.to_vec());
    store.commit(batch).await.unwrap();
    format!("Bearer {}", token.secret())
}

#[tokio::test]
async fn a_token_ends_by_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let ends = TokenRecord { expires_at: Some(at(100).into()), ..record(Role::Viewer, "brief") };
    let header = put(&store, &encode("token", &ends).unwrap()).await;
    for (now, admitted) in [(0, true), (99, true), (100, false), (1_000_000, false)] {
        let auth = Auth::new(store.clone(), Arc::new(move || at(now)));
        let met = auth.admit(READ, Some(header.as_bytes())).await;
        assert_eq!(met.is_ok(), admitted, "{now}");
        assert!(admitted || met == Err(AuthError::Ended), "{now}");
    }
}

/// The store of a time before there were users.
#[tokio::test]
async fn tokens_of_a_time_without_users_stay_valid() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let old = |role: &str, name: &str| {
        let project = built_in_project();
        format!(
            r#"{{"format":1,"record":{{"role":"{role}","project":"{project}","name":"{name}","created":7}}}}"#
        )
    };
    let [of_file, moved, looks] = [
        put(&store, old("admin", "admin.token").as_bytes()).await,
        put(&store, old("admin", "admin.token").as_bytes()).await,
        put(&store, old("viewer", "grafana").as_bytes()).await,
    ];
    std::fs::write(dir.path().join("admin.token"), of_file.trim_start_matches("Bearer ")).unwrap();
    files(&store, dir.path()).await;
    let caller = async |header: &str| admit(&store, READ, header).await.unwrap().unwrap();
    let operator = caller(&of_file).await;
    assert!(operator.runs_installation() && operator.user.is_some(), "{operator:?}");
    let nameless = caller(&moved).await;
    assert!(nameless.runs_installation() && nameless.user.is_none(), "{nameless:?}");
    let looks = caller(&looks).await;
    let project = Project::built_in(SystemTime::UNIX_EPOCH.into()).unwrap();
    assert_eq!(looks.level_in(&project), Some(Level::Viewer));
    assert!(looks.may(Access::Read, &project) && !looks.may(Access::Change, &project));
}

#[tokio::test]
async fn the_tokens_of_a_user_who_is_gone_open_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let gone = TokenRecord { user: Some(UserGuid::draw(&FromSystem).unwrap()), ..record(Role::Admin, "old") };
    let header = put(&store, &encode("token", &gone).unwrap()).await;
    assert_eq!(admit(&store, READ, &header).await, Err(AuthError::Unknown));
}

#[tokio::test]
async fn only_callers_reach_the_service() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let files = files(&store, dir.path()).await;
    let service = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Ok(()))) });
    let layer = AuthLayer::new(Auth::new(store, control::clock::system()), |error| Response::new(Err(error)));
    let mut guarded = layer.layer(service);
    let request = |tokens: &[String]| {
        let mut request = Request::builder().uri(format!("http://control{READ}"));
        for token in tokens {
            request = request.header("authorization", token);
        }
        request.body(()).unwrap()
    };
    let token = bearer(&files.admin);
    let mut call = async |tokens: &[String]| guarded.call(request(tokens)).await.unwrap().into_body();
    assert_eq!(call(std::slice::from_ref(&token)).await, Ok(()));
    assert_eq!(call(&[]).await, Err(AuthError::Missing));
    assert_eq!(call(&[token.clone(), token]).await, Err(AuthError::Malformed));
}
