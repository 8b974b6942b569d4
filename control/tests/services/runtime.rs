use proto::wire;
use tonic::Code;

use crate::samples::{full, full_deployment};
use crate::stage::{Stage, assert_refused, told};

async fn stage_with_lease() -> (Stage, wire::Lease) {
    let stage = Stage::start().await;
    stage.create_package(full()).await.unwrap();
    stage.deploy(full_deployment("full")).await;
    let lease = lease(&stage).await;
    (stage, lease)
}

pub(crate) async fn lease(stage: &Stage) -> wire::Lease {
    let open = wire::OpenLeaseRequest { runtime: "test".into(), ttl_seconds: 3600, ..Default::default() };
    stage.runtime().open_lease(open).await.unwrap().into_inner()
}

pub(crate) fn backends(endpoint: &str, addresses: &[&str]) -> wire::EndpointBackends {
    let backends =
        addresses.iter().map(|address| wire::Backend { address: (*address).into(), unhealthy: false });
    wire::EndpointBackends { endpoint: endpoint.into(), backends: backends.collect() }
}

fn report(lease: &wire::Lease) -> wire::ReportDeploymentRequest {
    reported("full", lease)
}

/// A report of a deployment in which nothing is said yet.
pub(crate) fn reported(deployment: &str, lease: &wire::Lease) -> wire::ReportDeploymentRequest {
    wire::ReportDeploymentRequest {
        lease_id: lease.id.clone(),
        deployment: deployment.into(),
        ..Default::default()
    }
}

fn web_backends(deployment: &wire::Deployment) -> Vec<String> {
    let web = &deployment.status.as_ref().unwrap().endpoints[0];
    web.backends.iter().map(|backend| backend.address.clone()).collect()
}

#[tokio::test]
async fn what_is_reported_counts_until_its_lease_is_closed() {
    let (stage, lease) = stage_with_lease().await;
    let up = wire::ReportDeploymentRequest {
        phase: wire::Phase::Succeeded.into(),
        backends: vec![backends("WEB", &["10.0.0.1:80", "10.0.0.2:80"])],
        ..report(&lease)
    };
    let reported = stage.runtime().report_deployment(up).await.unwrap().into_inner().deployment.unwrap();
    let status = reported.status.as_ref().unwrap();
    assert_eq!((status.phase(), status.status()), (wire::Phase::Succeeded, wire::Status::Running));
    assert_eq!(web_backends(&reported), ["10.0.0.1:80", "10.0.0.2:80"]);

    let raw_too = wire::ReportDeploymentRequest {
        backends: vec![backends("RAW", &["10.0.0.1:443"])],
        ..report(&lease)
    };
    let reported = stage.runtime().report_deployment(raw_too).await.unwrap().into_inner().deployment.unwrap();
    assert_eq!(web_backends(&reported).len(), 2, "what was not named stays");

    let kept = wire::KeepAliveRequest { id: lease.id.clone(), ..Default::default() };
    assert_eq!(stage.runtime().keep_alive(kept.clone()).await.unwrap().into_inner(), lease);
    let close = wire::CloseLeaseRequest { id: lease.id.clone(), ..Default::default() };
    stage.runtime().close_lease(close).await.unwrap();
    assert_eq!(web_backends(&stage.get_deployment("full").await), Vec::<String>::new());
    assert_eq!(stage.runtime().keep_alive(kept).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(stage.runtime().report_deployment(report(&lease)).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_report_is_judged_whole() {
    let (stage, lease) = stage_with_lease().await;
    let bad = wire::ReportDeploymentRequest {
        phase: wire::Phase::Stopped.into(),
        status: 99,
        backends: vec![backends("WEB", &["169.254.169.254:80", "here", "10.0.0.1:80"]), backends("NO", &[])],
        error_codes: vec!["DEP_E999".into()],
        ..report(&lease)
    };
    let (code, faults) = told(&stage.runtime().report_deployment(bad).await.unwrap_err());
    let faults: Vec<_> = faults.iter().map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        faults,
        [
            ("status", "unknown_value"),
            ("phase", "phase"),
            ("error_codes[0]", "error_code"),
            ("backends[0].backends[0].address", "backend_network"),
            ("backends[0].backends[1].address", "backend_address"),
            ("backends[1].endpoint", "endpoint_unknown"),
        ]
    );
    assert_eq!(web_backends(&stage.get_deployment("full").await), Vec::<String>::new());
}

#[tokio::test]
async fn a_stopped_deployment_takes_no_report() {
    let (stage, lease) = stage_with_lease().await;
    stage.stop_deployment("full").await.unwrap();
    let late = stage.runtime().report_deployment(report(&lease)).await;
    assert_refused(late, Code::FailedPrecondition, "deployment", "deployment_stopped");
}

#[tokio::test]
async fn executables_are_told_of_and_shown() {
    let (stage, lease) = stage_with_lease().await;
    let app = wire::ExecutableStatus {
        name: "app".into(),
        image: "nginx@sha256:1".into(),
        state: wire::ExecutableState::Error.into(),
        error_code: "DEP_E154".into(),
        reason: "it ended at once".into(),
        restart_count: 3,
        exit_code: Some(1),
        image_bytes: 1_000,
    };
    let told =
        wire::ReportDeploymentRequest { executables: vec![app.clone()], generation: 1, ..report(&lease) };
    let shown =
        stage.runtime().report_deployment(told.clone()).await.unwrap().into_inner().deployment.unwrap();
    assert_eq!(shown.status.as_ref().unwrap().executables, std::slice::from_ref(&app));
    assert_eq!(stage.get_deployment("full").await, shown);

    let huge =
        wire::ExecutableStatus { image_bytes: 10_000_000_001, error_code: String::new(), ..app.clone() };
    let huge = wire::ReportDeploymentRequest { executables: vec![huge], ..told.clone() };
    let shown = stage.runtime().report_deployment(huge).await.unwrap().into_inner().deployment.unwrap();
    let status = shown.status.unwrap();
    assert_eq!(
        (status.status(), status.error_codes.as_slice()),
        (wire::Status::Error, &["DEP_E153".to_owned()][..])
    );
    assert!(status.executables[0].reason.contains("at most 10 GB"), "{}", status.executables[0].reason);

    let unknown = vec![app.clone(), wire::ExecutableStatus { name: "other".into(), state: 77, ..app }];
    let bad = wire::ReportDeploymentRequest { executables: unknown, ..told };
    let (code, faults) = told_by(stage.runtime().report_deployment(bad).await);
    assert_eq!(code, Code::InvalidArgument);
    let expected = [("executables[1].state", "unknown_value"), ("executables[1].name", "executable_unknown")];
    assert_eq!(faults, expected.map(|(field, rule)| (field.to_owned(), rule.to_owned())));
}

fn told_by<T: std::fmt::Debug>(result: Result<T, tonic::Status>) -> (Code, Vec<(String, String)>) {
    told(&result.unwrap_err())
}
