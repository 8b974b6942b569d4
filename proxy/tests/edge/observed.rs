//! What people can see of it: the access log, the admin server, a port that is taken.

use std::sync::Arc;
use std::time::SystemTime;

use certs::Certificates;
use proto::EdgeProtocol::{Http, SecureTcp};
use proto::Hostname;
use proxy::Proxy;
use proxy::config::{AccessLogTarget, Config};
use tokio::net::TcpStream;

use crate::backends::{echo, says};
use crate::client::{Answer, alert, exchange, get, plain};
use crate::stage::{Stage, bound};

#[tokio::test]
async fn every_request_tunnel_and_refusal_is_one_line_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let stage = Stage::with(|config| config.access_log = AccessLogTarget::File(path.clone()));
    let backend = echo(&stage.tasks, "backend").await;
    let tls = says(&stage.tasks, b"not really TLS").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend]), bound("tcp.ep-r.io", SecureTcp, &[tls])]);
    let post = "POST /p?secret HTTP/1.1\r\nhost: a.ep-r.io\r\ncontent-length: 4\r\nx-request-id: id-1\r\n\
                connection: close\r\n\r\nbody";
    assert_eq!(plain(&stage, post).await.status, 200);
    get(&stage, "none.ep-r.io", "/").await;
    alert(&stage, "none.ep-r.io").await;
    crate::client::tls(&stage, "tcp.ep-r.io", &[]).await.unwrap_err();
    stage.drain();
    stage.report().await;
    let log = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |field: &str, value: &str| {
        lines
            .iter()
            .find(|line| line[field] == value)
            .unwrap_or_else(|| panic!("no {field} {value} in {log}"))
    };
    let served = find("method", "POST");
    assert_eq!(
        (&served["host"], &served["path"], &served["status"]),
        (&"a.ep-r.io".into(), &"/p".into(), &200.into())
    );
    assert_eq!((&served["bytes_in"], &served["request_id"]), (&4.into(), &"id-1".into()));
    assert_eq!(served["backend"], backend.to_string());
    assert!(served["bytes_out"].as_u64().unwrap() > 50);
    let missing = find("method", "GET");
    assert_eq!((&missing["refusal"], &missing["status"]), (&"no_route".into(), &404.into()));
    let passed = find("backend", &tls.to_string());
    assert_eq!((&passed["protocol"], &passed["bytes_out"]), (&"tls".into(), &14.into()));
    let refused = lines.iter().filter(|line| line["refusal"] == "no_route" && line["tls"] == true).count();
    assert_eq!((refused, lines.len()), (1, 4), "{log}");
}

pub(crate) async fn admin(stage: &Stage, path: &str) -> Answer {
    let mut stream = TcpStream::connect(stage.admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    Answer::parse(&exchange(&mut stream, request.as_bytes()).await)
}

#[tokio::test]
async fn the_admin_server_tells_and_counts() {
    let stage = Stage::open();
    assert_eq!((admin(&stage, "/live").await.status, admin(&stage, "/ready").await.status), (200, 503));
    let backend = echo(&stage.tasks, "backend").await;
    stage.apply(vec![bound("a.ep-r.io", Http, &[backend])]);
    assert_eq!(admin(&stage, "/ready").await.status, 200);
    get(&stage, "a.ep-r.io", "/").await;
    get(&stage, "none.ep-r.io", "/").await;
    let metrics = admin(&stage, "/metrics").await.body;
    for line in [
        "epr_refusals_total{reason=\"no_route\"} 1\n",
        "epr_requests_total{port=\"http\",protocol=\"http/1.1\",status=\"2xx\"} 1\n",
        "epr_connections_total{port=\"http\"} 2\n",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_flag_to_change() {
    let stage = Stage::open();
    let dir = tempfile::tempdir().unwrap();
    let base = Hostname::parse("ep-r.io").unwrap();
    let made = certs::dev_certificates(dir.path(), &[base], SystemTime::now()).unwrap();
    let certificates: Arc<Certificates> =
        Certificates::load(&made.chain, &made.key, SystemTime::now()).unwrap();
    let free = "127.0.0.1:0".parse().unwrap();
    for (flag, taken) in [("--http", stage.http), ("--https", stage.https), ("--admin", stage.admin)] {
        let mut config = Config::default();
        (config.listen.http, config.listen.https, config.listen.admin) = (free, free, free);
        match flag {
            "--http" => config.listen.http = taken,
            "--https" => config.listen.https = taken,
            _ => config.listen.admin = taken,
        }
        let error = Proxy::bind(config, certificates.clone()).err().unwrap().to_string();
        assert!(error.contains("another process has this port") && error.contains(flag), "{error}");
    }
}
