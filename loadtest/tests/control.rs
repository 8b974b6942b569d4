//! Control as other programs meet it: its gRPC from Python, and the reports of a runtime under a lease.

use std::time::Duration;

use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks, static_route};
use loadtest::tools::{self, root};
use loadtest::{Epr, OrFault as _, Outcome, eventually, play};
use proto::wire::{
    Backend, CloseLeaseRequest, EndpointBackends, OpenLeaseRequest, Phase, ReportDeploymentRequest, Status,
};
use tokio::task::JoinSet;
use tonic::Code;

const LIMIT: Duration = Duration::from_secs(60);
const RACERS: usize = 40;

#[test]
fn python_drives_control_from_the_proto_files() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        let mut client = tools::python("control_client.py")?;
        client.arg(epr.grpc()?.to_string()).arg(epr.data_dir().join("admin.token"));
        client.arg(root().join("proto")).arg("from-python");
        let said = tools::finish(client).await?.success()?;
        assert_eq!(said, "from-python.ep-r.io\nALREADY_EXISTS\nUNAUTHENTICATED\nserving\n");
        Ok(())
    })
}

#[test]
fn a_runtime_reports_backends_under_a_lease() -> Outcome {
    play(LIMIT, async |stage| {
        let backend = HttpBackend::start(stage, "blue").await?;
        let epr = Epr::up(stage).await?;
        let app = App::new("hello").endpoint("WEB", Speaks::Http, &[]).bound("hello-web");
        epr.apply(stage, &app.manifest_with_routes()).await?;
        let sees = async |status: u16, by: &str| {
            eventually(&format!("{status} {by}"), Duration::from_secs(20), async || {
                let page = epr.curl("http://hello-web.ep-r.io/")?.get().await?;
                Ok((page.status == status && (page.backend() == by || page.refusal() == by)).then_some(()))
            })
            .await
        };
        sees(503, "no_backend").await?;

        let mut runtime = epr.api().await?.runtime();
        let request = OpenLeaseRequest { runtime: "test".to_owned(), ttl_seconds: 5, ..Default::default() };
        let lease = runtime.open_lease(request.clone()).await?.into_inner();
        let address = backend.addr().to_string();
        let report = |lease_id: &str| ReportDeploymentRequest {
            lease_id: lease_id.to_owned(),
            deployment: "hello".to_owned(),
            phase: Phase::Succeeded.into(),
            status: Status::Running.into(),
            backends: vec![EndpointBackends {
                endpoint: "WEB".to_owned(),
                backends: vec![Backend { address: address.clone(), unhealthy: false }],
            }],
            ..Default::default()
        };
        runtime.report_deployment(report(&lease.id)).await?;
        sees(200, "blue").await?;
        // Nobody keeps it alive: what was reported under it counts for nothing until somebody does.
        sees(503, "no_backend").await?;
        let kept = proto::wire::KeepAliveRequest { id: lease.id.clone(), ..Default::default() };
        runtime.keep_alive(kept).await?;
        sees(200, "blue").await?;
        runtime.close_lease(CloseLeaseRequest { id: lease.id, ..Default::default() }).await?;
        sees(503, "no_backend").await?;
        Ok(())
    })
}

#[test]
fn of_many_who_claim_a_name_one_gets_it() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        let api = epr.api().await?;
        for round in 0..5 {
            let mut claims = JoinSet::new();
            for _ in 0..RACERS {
                let (api, name) = (api.clone(), format!("wanted-{round}"));
                claims.spawn(async move { api.create_static_route(&name).await.map(drop) });
            }
            let mut won = 0;
            while let Some(claim) = claims.join_next().await {
                match claim? {
                    Ok(()) => won += 1,
                    Err(status) => assert_eq!(status.code(), Code::AlreadyExists, "{status:?}"),
                }
            }
            assert_eq!(won, 1, "round {round}");
        }
        Ok(())
    })
}

#[test]
fn of_many_who_move_a_route_each_is_obeyed_in_turn() -> Outcome {
    play(LIMIT, async |stage| {
        let epr = Epr::up(stage).await?;
        epr.apply(stage, &static_route("wanted")).await?;
        let mut backends = Vec::new();
        for number in 0..4 {
            let name = format!("owner-{number}");
            let backend = HttpBackend::start(stage, &name).await?;
            let app = App::new(&name).endpoint("WEB", Speaks::Http, &[backend.addr()]);
            epr.apply(stage, &app.manifest()).await?;
            backends.push(backend);
        }
        let api = epr.api().await?;
        let mut moves = JoinSet::new();
        for number in 0..RACERS {
            let api = api.clone();
            moves.spawn(async move {
                let receipt = api.bind("wanted", &format!("owner-{}", number % 4), None).await?;
                Ok::<_, tonic::Status>((receipt.revision.unwrap_or_default().number, number % 4))
            });
        }
        let mut commits = Vec::new();
        while let Some(moved) = moves.join_next().await {
            commits.push(moved??);
        }
        // Who was committed last serves it, at control and at the edge.
        let last = commits.iter().max().or_fault("nobody moved it")?.1;
        epr.settled(1).await?;
        let page = epr.curl("http://wanted.ep-r.io/")?.get().await?;
        assert_eq!(page.backend(), format!("owner-{last}"), "{commits:?}");
        Ok(())
    })
}
