//! Power cuts: whatever was acknowledged is there afterwards, and nothing is there by half.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use loadtest::backend::HttpBackend;
use loadtest::manifest::{App, Speaks};
use loadtest::{Api, Epr, KeepAlive, OrFault as _, Outcome, eventually, play};
use proto::wire::{ListRoutesRequest, ListStaticRoutesRequest, PageRequest, StaticRoute, route};
use tokio::task::JoinSet;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(120);
/// No new round begins after this.
const ENOUGH: Duration = Duration::from_secs(50);
const ROUNDS: u64 = 20;
const WRITERS: usize = 4;
const COLOURS: [&str; 2] = ["blue", "green"];

/// What the writers were told.
#[derive(Default)]
struct Told {
    claimed: BTreeSet<String>,
    /// What each writer's route was bound to last, and what it may have become since: a bind that was
    /// cut off has happened or has not.
    bound: BTreeMap<String, (String, Option<String>)>,
    answers: u64,
}

type Shared = Arc<Mutex<Told>>;

fn told<T>(shared: &Shared, change: impl FnOnce(&mut Told) -> T) -> T {
    change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Claims names and moves its own route until the server is gone.
async fn write(api: Api, shared: Shared, writer: usize, round: u64) {
    let own = format!("own-route-{writer}");
    for step in 0_u64.. {
        let name = format!("claim-{writer}-{round}-{step}");
        let Ok(_) = api.create_static_route(&name).await else { return };
        told(&shared, |told| {
            told.claimed.insert(name);
            told.answers += 1;
        });
        let colour = COLOURS[usize::from(step % 2 == 0)];
        told(&shared, |told| {
            if let Some((_, next)) = told.bound.get_mut(&own) {
                *next = Some(colour.to_owned());
            }
        });
        let Ok(_) = api.bind(&own, colour, None).await else { return };
        told(&shared, |told| {
            told.bound.insert(own.clone(), (colour.to_owned(), None));
            told.answers += 1;
        });
    }
}

async fn list(api: &Api) -> Outcome<BTreeMap<String, StaticRoute>> {
    let (mut all, mut token) = (BTreeMap::new(), String::new());
    loop {
        let page = Some(PageRequest { size: 1000, token });
        let request = ListStaticRoutesRequest { page, ..Default::default() };
        let listed = api.static_routes().list_static_routes(request).await?.into_inner();
        for one in listed.static_routes {
            let name = one.metadata.as_ref().or_fault("a route without metadata")?.name.clone();
            all.insert(name, one);
        }
        token = listed.page.unwrap_or_default().next_token;
        if token.is_empty() {
            return Ok(all);
        }
    }
}

/// Holds what is stored against what was told; settles what was in doubt.
async fn judge(api: &Api, shared: &Shared) -> Outcome {
    let stored = list(api).await?;
    told(shared, |told| {
        for name in &told.claimed {
            assert!(stored.contains_key(name), "{name} was acknowledged and is gone");
        }
        for (name, (last, next)) in &mut told.bound {
            let bound = stored.get(name).and_then(|route| route.bound_to.clone()).unwrap_or_default();
            let now = bound.deployment_name;
            assert!(now == *last || Some(&now) == next.as_ref(), "{name}: {now}, not {last} nor {next:?}");
            (*last, *next) = (now, None);
        }
    });
    // The edge's own view is the same: every name, bound to what the static route is bound to.
    let request = ListRoutesRequest {
        page: Some(PageRequest { size: 1000, ..Default::default() }),
        ..Default::default()
    };
    let routes = api.routes().list_routes(request).await?.into_inner().routes;
    for shown in &routes {
        let Some(label) = shown.hostname.strip_suffix(".ep-r.io") else { continue };
        let Some(owner) = stored.get(label) else { continue };
        let bound = owner.bound_to.as_ref().map(|bound| bound.deployment_guid.as_str());
        let edge = match &shown.target {
            Some(route::Target::Binding(binding)) => Some(binding.deployment.as_str()),
            _ => None,
        };
        assert_eq!(bound, edge, "{label}");
    }
    Ok(())
}

/// The edge serves every writer's route from where it is bound.
async fn serves(epr: &Epr, shared: &Shared) -> Outcome {
    let bound = told(shared, |told| told.bound.clone());
    for (name, (colour, _)) in bound {
        let host = format!("{name}.ep-r.io");
        // A new process follows its own control from the start, and is ready when it has the table.
        eventually(&host, Duration::from_secs(10), async || {
            let answer = KeepAlive::connect(epr.http()?, &host).await?.get("/").await?;
            Ok((answer.by == colour).then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[test]
fn everything_acknowledged_survives_any_kill() -> Outcome {
    play(LIMIT, async |stage| {
        let began = Instant::now();
        let mut epr = Epr::up(stage).await?;
        let mut backends = Vec::new();
        for colour in COLOURS {
            let backend = HttpBackend::start(stage, colour).await?;
            let app = App::new(colour).endpoint("WEB", Speaks::Http, &[backend.addr()]);
            epr.apply(stage, &app.manifest()).await?;
            backends.push(backend);
        }
        let shared = Shared::default();
        let api = epr.api().await?;
        for writer in 0..WRITERS {
            let own = format!("own-route-{writer}");
            api.create_static_route(&own).await?;
            api.bind(&own, COLOURS[0], None).await?;
            told(&shared, |told| told.bound.insert(own, (COLOURS[0].to_owned(), None)));
        }
        for round in 0..ROUNDS {
            if began.elapsed() > ENOUGH {
                break;
            }
            let api = epr.api().await?;
            let mut writers = JoinSet::new();
            for writer in 0..WRITERS {
                writers.spawn(write(api.clone(), Arc::clone(&shared), writer, round));
            }
            let goal = told(&shared, |told| told.answers) + 5 + round * 13 % 60;
            eventually("answers", Duration::from_secs(20), async || {
                Ok((told(&shared, |told| told.answers) >= goal).then_some(()))
            })
            .await?;
            epr.process().kill().await?;
            while writers.join_next().await.is_some() {}
            epr.restart(stage).await?;
            judge(&epr.api().await?, &shared).await?;
            serves(&epr, &shared).await?;
        }
        Ok(())
    })
}
