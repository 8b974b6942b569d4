//! `epr describe`: all there is to know of one resource, on a page.

mod deployment;
mod identity;
mod package;
mod routes;

use std::time::SystemTime;

use proto::wire;

use crate::args::DescribeArgs;
use crate::args::Kind;
use crate::client::Client;
use crate::failure::Failure;
use crate::get::{self, Follower, NamedRoute, Resource, guid_of, labels_of, name_of, of_kind, time};
use crate::output::{Cell, Facts, Out, age};

/// What fills the page of a kind.
trait Described: Resource {
    /// How it does, beside its name; nothing where there is nothing to do well or badly.
    fn state(&self) -> Cell {
        "".into()
    }

    fn metadata(&self) -> Option<&wire::Metadata> {
        None
    }

    fn page(&self, out: &mut Out, about: &About);
}

/// What a page is told beside the resource.
struct About {
    now: SystemTime,
    /// The project it is in, and who made it; by their names where those may be known.
    project: String,
    creator: String,
}

impl About {
    async fn of(client: &Client, metadata: Option<&wire::Metadata>) -> Self {
        let mut about = Self { now: SystemTime::now(), project: String::new(), creator: String::new() };
        let Some(metadata) = metadata else { return about };
        // A project is in itself, which its page need not say.
        if !metadata.project.is_empty() && metadata.project != metadata.guid {
            about.project = project_by_name(client, &metadata.project).await;
        }
        if !metadata.creator.is_empty() {
            let request = wire::GetUserRequest { email: metadata.creator.clone() };
            let user = client.identity().get_user(request).await;
            about.creator = user.map_or_else(|_| metadata.creator.clone(), |user| user.into_inner().email);
        }
        about
    }
}

/// `shop (project-…)`; the guid alone where the name may not be known.
pub(crate) async fn project_by_name(client: &Client, guid: &str) -> String {
    let request = wire::GetProjectRequest { name: guid.to_owned() };
    match client.identity().get_project(request).await {
        Ok(project) => {
            let project = project.into_inner();
            format!("{} ({})", name_of(project.metadata.as_ref()), guid_of(project.metadata.as_ref()))
        }
        Err(_) => guid.to_owned(),
    }
}

pub(crate) async fn run(args: DescribeArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    of_kind!(args.kind, describe(&client, &args.name))
}

async fn describe<T: Described>(client: &Client, name: &str) -> Result<(), Failure> {
    let found = get::find::<T>(client, name).await?;
    let mut out = Out::new();
    let paint = out.paint();
    for (i, one) in found.iter().enumerate() {
        if i > 0 {
            out.line("");
        }
        let state = one.state();
        let title = paint.bold(format_args!("{} {}", T::KIND.names().1, one.name()));
        match state.text() {
            "" => out.line(title),
            text => out.line(format_args!("{title}   {}", paint.tone(state.tone(), text))),
        }
        out.line("");
        one.page(&mut out, &About::of(client, one.metadata()).await);
    }
    out.finish()
}

/// What every resource carries.
fn metadata_facts(facts: &mut Facts, metadata: Option<&wire::Metadata>, about: &About) {
    let Some(it) = metadata else { return };
    let second = |at: Option<prost_types::Timestamp>| at.map(|at| at.seconds);
    facts.add("guid", guid_of(metadata));
    facts.add("project", about.project.as_str());
    facts.add("labels", labels_of(metadata));
    let by = if about.creator.is_empty() { String::new() } else { format!(" by {}", about.creator) };
    facts.add("created", format!("{}{by}", when(it.created_at, about.now)));
    if second(it.updated_at) != second(it.created_at) {
        facts.add("updated", when(it.updated_at, about.now));
    }
}

/// `3m ago (2026-11-22T21:55:09Z)`.
fn when(at: Option<prost_types::Timestamp>, now: SystemTime) -> String {
    let Some(at) = at else { return String::new() };
    // To the second: nobody reads further.
    let shown = prost_types::Timestamp { nanos: 0, ..at };
    format!("{} ago ({shown})", age(time(Some(at)), now))
}

impl Described for Follower {
    fn state(&self) -> Cell {
        Follower::state(self)
    }

    fn page(&self, out: &mut Out, about: &About) {
        let now = about.now;
        let proxy = self.proxy();
        let mut facts = Facts::new();
        facts.add("peer", proxy.peer.as_str());
        facts.add("version", proxy.version.as_str());
        facts.add("connected", when(proxy.connected_since, now));
        if let Some(applied) = proxy.applied {
            facts.add("serves revision", proto::Revision::from(applied).to_string());
        }
        facts.add("since", when(proxy.applied_since, now));
        for (i, reason) in proxy.nack_reasons.iter().enumerate() {
            facts.add(if i == 0 { "refused" } else { "" }, Cell::bad(reason.as_str()));
        }
        facts.print(out);
    }
}

impl Described for NamedRoute {
    fn page(&self, out: &mut Out, _: &About) {
        routes::page(self, out);
    }
}
