//! HTTP/2 in the clear.

use std::time::Duration;

use http::{Method, StatusCode};
use proto::BackendProtocol;
use proxy::config::BackendPolicy;
use proxy::upstream::{DialError, Fault};

use crate::backend::{self, Backend, Behaviour};
use crate::{Stage, entries, entry, local};

#[tokio::test]
async fn h2c_requests_share_a_connection_and_its_going_away_costs_none() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::H2c).await);
        let entry = entry("dep-a", BackendProtocol::H2c, &[&backend]);
        let paths: Vec<_> = (0..50).map(|n| format!("/{n}")).collect();
        let answers = futures_util::future::join_all(paths.iter().map(|path| stage.get(&entry, path))).await;
        assert!(answers.iter().zip(&paths).all(|((status, body), path)| *status == 200 && body == path));
        assert_eq!((backend.connections(), stage.reused()), (1, 49));
        for n in 1..=3 {
            let (status, _) = stage.get(&entry, "/go-away").await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(stage.get(&entry, "/next").await.1, "/next");
            assert!(backend.connections() <= 1 + n);
        }
        assert!(backend.connections() > 1);
        assert_eq!(entry.backends[0].in_flight(), 0);
    })
    .await;
}

#[tokio::test]
async fn streams_that_do_not_fit_on_a_connection_open_another() {
    local(async {
        let (stage, backend) =
            (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::H2cNarrow).await);
        let entry = entry("dep-a", BackendProtocol::H2c, &[&backend]);
        stage.get(&entry, "/").await;
        tokio::task::yield_now().await;
        let seven = futures_util::future::join_all((0..7).map(|_| stage.send(&entry, "/held")));
        let seven = tokio::time::timeout(Duration::from_secs(10), seven).await.expect("none waits");
        assert!(seven.iter().all(Result::is_ok));
        assert_eq!(entry.backends[0].in_flight(), 7);
        assert!((4..=7).contains(&backend.connections()), "{}", backend.connections());
        drop(seven);
        stage.get(&entry, "/").await;
        assert!((4..=7).contains(&backend.connections()), "one of those is used again");
    })
    .await;
}

#[tokio::test]
async fn answers_nobody_reads_keep_no_other_waiting() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::H2c).await);
        let entry = entry("dep-a", BackendProtocol::H2c, &[&backend]);
        let unread = futures_util::future::join_all((0..20).map(|_| stage.send(&entry, "/large"))).await;
        assert!(unread.iter().all(Result::is_ok));
        let read = tokio::time::timeout(Duration::from_secs(10), stage.get(&entry, "/large"));
        assert_eq!(read.await.expect("in time").1.len(), 256 * 1024);
        assert_eq!(backend.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_h2c_backend_says_when_it_has_not_looked_at_a_request() {
    local(async {
        let (stage, backend) = (Stage::new(BackendPolicy::default()), Backend::start(Behaviour::H2c).await);
        let entry = entry("dep-a", BackendProtocol::H2c, &[&backend]);
        let error = stage.send(&entry, "/refuse").await.expect_err("refused");
        assert_eq!(error.fault, Fault::RefusedStream);
        assert!(error.fault.may_repeat(&Method::POST));
        let error = stage.send(&entry, "/reset").await.expect_err("reset");
        assert_eq!(error.fault, Fault::Closed);
        assert_eq!(stage.get(&entry, "/").await.0, StatusCode::OK);
        assert_eq!(backend.connections(), 1);
        let leaving = Backend::start(Behaviour::H2cLeaving).await;
        let entry = self::entry("dep-b", BackendProtocol::H2c, &[&leaving]);
        assert_eq!(stage.send(&entry, "/").await.expect_err("unseen").fault, Fault::RefusedStream);
    })
    .await;
}

#[tokio::test]
async fn many_requests_to_an_h2c_backend_that_is_gone_share_one_failed_dial() {
    local(async {
        let stage = Stage::new(BackendPolicy::default());
        let (_held, gone) = backend::gone();
        let entry = entries(&[("dep-a", BackendProtocol::H2c, &[&gone])]).remove(0);
        let errors = futures_util::future::join_all((0..20).map(|_| stage.send(&entry, "/"))).await;
        for error in errors {
            let error = error.expect_err("gone");
            assert_eq!((error.fault, error.unsent.is_some()), (Fault::Dial(DialError::Refused), true));
        }
        assert_eq!(stage.metrics.worker(stage.worker).dials_refused.get(), 1);
    })
    .await;
}
