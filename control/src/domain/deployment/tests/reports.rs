use super::*;
use crate::domain::LeaseId;

fn report(change: impl FnOnce(&mut ReportDraft)) -> ReportDraft {
    let mut report = ReportDraft::default();
    change(&mut report);
    report
}

#[test]
fn a_report_changes_what_it_says_and_no_more() {
    let mut deployment = create(&draft());
    let lease = samples::lease(1).id;
    let mut take = |draft: ReportDraft| {
        let judged = draft.judge(&deployment, &rules(), Faults::new()).unwrap();
        deployment.report(judged, &lease, samples::now());
        deployment.clone()
    };
    let up = take(report(|r| {
        r.phase = Some(Phase::Succeeded);
        r.backends = vec![backends("WEB", &["10.0.0.1:80"])];
    }));
    assert_eq!((up.phase, up.status), (Phase::Succeeded, Status::Running));
    let more = take(report(|r| r.backends = vec![backends("RAW", &["10.0.0.1:443"])]));
    assert!(more.endpoints[0].reported == up.endpoints[0].reported && more.endpoints[1].reported.is_some());
    let broken = take(report(|r| {
        r.status = Some(Status::Error);
        r.error_codes = vec!["DEP_E155".into(), "DEP_E155".into()];
        r.message = "it fell over".into();
    }));
    assert_eq!(
        (broken.phase, broken.status, broken.error_codes.as_slice()),
        (Phase::Succeeded, Status::Error, &[ErrorCode::Failed][..])
    );
    let well = take(report(|r| r.status = Some(Status::Running)));
    assert!(well.error_codes.is_empty() && well.message.is_empty());
}

#[test]
fn phases_follow_one_another() {
    let lease = samples::lease(1).id;
    let may = |from: Phase, to: Phase, generation: u64| {
        let mut deployment = create(&draft());
        (deployment.phase, deployment.generation) = (from, generation);
        let draft = report(|r| r.phase = Some(to));
        let judged = draft.judge(&deployment, &rules(), Faults::new());
        judged.map(|report| deployment.report(report, &lease, samples::now())).is_ok()
    };
    use Phase::{FailedToStart, FailedToUpdate, InProgress, Provisioning, Stopped, Succeeded};
    for from in [InProgress, Provisioning, Succeeded, FailedToUpdate, FailedToStart] {
        assert!(may(from, from, 1) && may(from, Succeeded, 1) && may(from, Provisioning, 1), "{from:?}");
        assert!(may(from, Succeeded, 2) && may(from, Provisioning, 2), "{from:?}");
        assert!(!may(from, Stopped, 1) && !may(from, Stopped, 2), "{from:?}");
        assert_eq!(may(from, InProgress, 1), from == InProgress, "{from:?}");
        assert_eq!(may(from, FailedToUpdate, 1), from == FailedToUpdate, "{from:?}");
        assert_eq!(may(from, FailedToUpdate, 2), from != Succeeded, "{from:?}");
        assert_eq!(may(from, FailedToStart, 1), from != Succeeded, "{from:?}");
        assert_eq!(may(from, FailedToStart, 2), from == FailedToStart, "{from:?}");
    }
}

#[test]
fn rules_on_reports_are_told_all_at_once() {
    let deployment = create(&draft());
    let report = report(|r| {
        r.phase = Some(Phase::Stopped);
        r.status = Some(Status::Stopped);
        r.message = "x".repeat(4097);
        r.error_codes = vec!["DEP_E153".into(), "E1".into()];
        r.backends = vec![backends("DB", &["8.8.8.8:53"])];
        r.executables = vec![executable("one"), executable("one"), executable("three")];
        r.executables[0].error_code = "E2".into();
        r.executables[2].reason = "x".repeat(4097);
    });
    let faults = report.judge(&deployment, &rules(), Faults::new()).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
    assert_eq!(
        told,
        [
            ("phase", "phase"),
            ("status", "status"),
            ("error_codes[1]", "error_code"),
            ("message", "message"),
            ("backends[0].endpoint", "endpoint_not_external"),
            ("backends[0].backends[0].address", "backend_network"),
            ("executables[0].error_code", "error_code"),
            ("executables[1].name", "executable_twice"),
            ("executables[2].name", "executable_unknown"),
            ("executables[2].reason", "text"),
        ]
    );
}

fn executable(name: &str) -> ExecutableReport {
    ExecutableReport { name: name.into(), state: Some(ExecutableState::Running), ..Default::default() }
}

fn take(deployment: &mut Deployment, change: impl FnOnce(&mut ReportDraft)) {
    let lease: LeaseId = samples::lease(1).id;
    let judged = report(change).judge(deployment, &rules(), Faults::new()).unwrap();
    deployment.report(judged, &lease, samples::now());
}

#[test]
fn executables_are_told_one_by_one() {
    let mut deployment = create(&draft());
    let seen = |deployment: &Deployment| {
        let seen =
            deployment.executables.iter().map(|seen| (seen.name.to_string(), seen.state, seen.image.clone()));
        seen.collect::<Vec<_>>()
    };
    let pending = |name: &str| (name.to_owned(), ExecutableState::Pending, "app".to_owned());
    assert_eq!(seen(&deployment), [pending("one"), pending("two")]);
    take(&mut deployment, |r| {
        let exit_code = Some(-1);
        r.executables = vec![ExecutableReport {
            image: "app@sha256:1".into(),
            restart_count: 2,
            exit_code,
            ..executable("two")
        }];
    });
    let running = ("two".to_owned(), ExecutableState::Running, "app@sha256:1".to_owned());
    assert_eq!(seen(&deployment), [pending("one"), running]);
    assert_eq!(deployment.executables[1].exit_code, Some(-1));
    assert!(deployment.events.last().unwrap().message.contains("executable two restarted, 2 times"));
    let events = deployment.events.len();
    take(&mut deployment, |r| {
        r.executables = vec![ExecutableReport { restart_count: 2, ..executable("two") }]
    });
    assert_eq!(deployment.events.len(), events, "it was not started again since");
    deployment.stop(samples::now());
    assert!(deployment.executables.iter().all(|seen| seen.state == ExecutableState::Terminated));
}

#[test]
fn an_image_of_more_than_ten_gigabytes_is_refused_in_the_cloud() {
    let mut deployment = create(&draft());
    let sized = |image_bytes| ExecutableReport { image_bytes, reason: "slow".into(), ..executable("one") };
    take(&mut deployment, |r| {
        r.phase = Some(Phase::Succeeded);
        r.executables = vec![sized(10_000_000_000)];
    });
    assert_eq!((deployment.status, deployment.error_codes.len()), (Status::Running, 0));
    take(&mut deployment, |r| r.executables = vec![sized(10_000_000_001)]);
    let one = &deployment.executables[0];
    assert_eq!((one.state, one.error_code), (ExecutableState::Error, Some(ErrorCode::ImagePull)));
    assert!(one.reason.contains("10000000001 bytes") && one.reason.ends_with("; slow"), "{}", one.reason);
    assert_eq!(
        (deployment.status, deployment.error_codes.as_slice()),
        (Status::Error, &[ErrorCode::ImagePull][..])
    );
    take(&mut deployment, |r| r.status = Some(Status::Running));
    assert_eq!(deployment.status, Status::Error, "as long as the image is what it is");
    take(&mut deployment, |r| {
        r.status = Some(Status::Running);
        r.executables = vec![sized(1)];
    });
    assert_eq!((deployment.status, deployment.error_codes.len()), (Status::Running, 0));

    deployment.executables[0].runtime = Runtime::Device;
    take(&mut deployment, |r| r.executables = vec![sized(10_000_000_001)]);
    assert_eq!(deployment.executables[0].state, ExecutableState::Running, "devices have no such bound");
}

#[test]
fn what_is_told_of_another_generation_is_no_news() {
    let mut deployment = create(&draft());
    deployment.generation = 3;
    let judged = |generation| report(|r| r.generation = generation).judge_generation(&deployment);
    assert!(judged(0).is_ok() && judged(3).is_ok());
    for other in [2, 4] {
        let broken = judged(other).unwrap_err();
        assert!(broken.rule == "generation" && broken.message.contains("at 3"), "{broken}");
    }
}
