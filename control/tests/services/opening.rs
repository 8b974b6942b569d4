use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use certs::dev_certificates;
use control::tasks::Tasks;
use control::{Control, OpenError};
use hyper_util::rt::TokioIo;
use proto::Hostname;
use proto::wire;
use proto::wire::package_service_client::PackageServiceClient;
use proto::wire::route_feed_service_client::RouteFeedServiceClient;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tower::service_fn;

use crate::samples::{bound, deployment, guid_of, hello};
use crate::stage::{Bearer, Stage, config};

async fn refusal(config: control::Config) -> (OpenError, String) {
    let error = Control::open(config).await.err().unwrap();
    let text = error.to_string();
    (error, text)
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    let (error, text) = refusal(control::Config { base_domains: Vec::new(), ..config(dir.path()) }).await;
    assert!(matches!(error, OpenError::NoDomain), "{text}");

    let open_to_all = control::Config { grpc: "0.0.0.0:0".parse().unwrap(), ..config(dir.path()) };
    let (error, text) = refusal(open_to_all).await;
    assert!(matches!(error, OpenError::Insecure { .. }) && text.contains("certificate"), "{text}");

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (error, text) =
        refusal(control::Config { grpc: taken.local_addr().unwrap(), ..config(dir.path()) }).await;
    assert!(
        matches!(error, OpenError::Listen { .. }) && text.contains("another process listens there"),
        "{text}"
    );

    let file = dir.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let (error, text) = refusal(config(&file)).await;
    assert!(matches!(error, OpenError::Store(_)) && text.contains(file.to_str().unwrap()), "{text}");

    let first = Control::open(config(dir.path())).await.unwrap();
    let (error, text) = refusal(config(dir.path())).await;
    assert!(matches!(error, OpenError::Store(_)) && text.contains("another epr runs"), "{text}");
    drop(first);
    Control::open(config(dir.path())).await.unwrap();
}

#[tokio::test]
async fn what_is_kept_is_private() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("made/here");
    let control = Control::open(config(&data)).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let tokens = control.first_tokens();
    for file in [&tokens.admin, &tokens.proxy, &data.join("store.redb")] {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert!(control.metrics()().contains("epr_control_routes 0"));
}

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart() {
    let stage = Stage::start().await;
    stage.create_package(hello()).await.unwrap();
    stage.create_static_route("my-shop").await.unwrap();
    let before = stage.deploy(bound(deployment("shop"), "my-shop", "WEB")).await;
    let stage = Stage::on(stage.stop().await).await;
    assert_eq!(stage.get_deployment(guid_of(&before.metadata)).await, before);
    let unbound = stage.unbind("my-shop").await.unwrap();
    let revision = unbound.receipt.unwrap().revision.unwrap();
    assert!(stage.route_at("my-shop.ep-r.io", &revision).await.is_some());
}

#[tokio::test]
async fn a_drain_ends_the_streams_of_proxies() {
    let stage = Stage::start().await;
    let proxy = Bearer::from_file(&stage.dir.path().join("proxy.token"));
    let mut client = RouteFeedServiceClient::new(InterceptedService::new(stage.channel.clone(), proxy));
    let hello = wire::Hello { proxy_id: "p1".into(), ..Default::default() };
    let hello = wire::FollowRequest { message: Some(wire::follow_request::Message::Hello(hello)) };
    // The proxy's side of the stream stays open: it is for control to end it.
    let (asks, requests) = tokio::sync::mpsc::channel(1);
    asks.send(hello).await.unwrap();
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut stream = client.follow(requests).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    stage.stop().await;
    while let Ok(Some(_)) = stream.message().await {}
    drop(asks);
}

#[tokio::test]
async fn grpc_is_served_over_tls() {
    let dir = Arc::new(TempDir::new().unwrap());
    let names = [Hostname::parse("control.ep-r.io").unwrap(), Hostname::parse("ep-r.io").unwrap()];
    let made = dev_certificates(&dir.path().join("tls"), &names, std::time::SystemTime::now()).unwrap();
    let mut config = config(dir.path());
    config.grpc = "0.0.0.0:0".parse().unwrap();
    config.tls = Some(certs::Sole::load(&made.chain, &made.key).unwrap().server_config().unwrap());
    let control = Control::open(config).await.unwrap();
    let port = control.grpc_addr().port();
    let (stop, asked) = oneshot::channel::<()>();
    let tasks = Tasks::new();
    tasks.spawn("control", async move {
        let asked = async {
            let _ = asked.await;
        };
        control.run(asked).await.unwrap();
    });

    let tls = TlsConnector::from(certs::client_config(Some(&made.ca)).unwrap());
    let connect = service_fn(move |_| {
        let tls = tls.clone();
        async move {
            let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
            let name = ServerName::try_from("control.ep-r.io").unwrap();
            Ok::<_, std::io::Error>(TokioIo::new(tls.connect(name, tcp).await?))
        }
    });
    let channel =
        Endpoint::from_static("http://control.ep-r.io").connect_with_connector(connect).await.unwrap();
    let admin = Bearer::from_file(&dir.path().join("admin.token"));
    let mut packages = PackageServiceClient::new(InterceptedService::new(channel, admin));
    assert!(
        packages
            .list_packages(wire::ListPackagesRequest::default())
            .await
            .unwrap()
            .into_inner()
            .packages
            .is_empty()
    );
    stop.send(()).unwrap();
    tasks.finished().await;
}

/// One that says nothing, and one that never says what it began: neither holds up the end.
#[tokio::test]
async fn a_drain_cuts_what_does_not_end() {
    let dir = TempDir::new().unwrap();
    let mut config = config(dir.path());
    config.timeouts.drain_grace = std::time::Duration::from_millis(20);
    let control = Control::open(config).await.unwrap();
    let mut silent = TcpStream::connect(control.grpc_addr()).await.unwrap();
    let (stop, asked) = oneshot::channel::<()>();
    let tasks = Tasks::new();
    let channel = Endpoint::from_shared(format!("http://{}", control.grpc_addr())).unwrap();
    tasks.spawn("control", async move {
        let asked = async {
            let _ = asked.await;
        };
        control.run(asked).await.unwrap();
    });
    // The silent one came first, so once this one is served the silent one has been accepted.
    let channel = channel.connect().await.unwrap();
    let admin = Bearer::from_file(&dir.path().join("admin.token"));
    let mut packages = PackageServiceClient::new(InterceptedService::new(channel, admin));
    packages.list_packages(wire::ListPackagesRequest::default()).await.unwrap();
    stop.send(()).unwrap();
    tasks.finished().await;
    let mut rest = Vec::new();
    // Cut or closed: it is over either way.
    let _ = silent.read_to_end(&mut rest).await;
    assert!(Control::open(crate::stage::config(dir.path())).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_does_not_begin_is_closed() {
    let dir = TempDir::new().unwrap();
    let mut config = config(dir.path());
    config.timeouts.handshake = std::time::Duration::from_millis(20);
    let control = Control::open(config).await.unwrap();
    let mut silent = TcpStream::connect(control.grpc_addr()).await.unwrap();
    silent.write_all(b"PRI * HTTP/2.0").await.unwrap();
    let mut rest = Vec::new();
    tokio::select! {
        _ = control.run(std::future::pending()) => panic!("it was not told to stop"),
        _ = silent.read_to_end(&mut rest) => {}
    }
}
