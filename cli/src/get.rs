//! `epr get`: lists of resources, as tables or documents.

mod deployments;
mod organizations;
mod packages;
mod projects;
mod proxies;
mod routes;
mod secrets;
mod static_route;
mod tokens;
mod users;

use std::collections::HashMap;
use std::time::SystemTime;

use proto::wire;
use serde_json::Value;
use tonic::Status;

pub(crate) use organizations::static_routes;
pub(crate) use proxies::Follower;
pub(crate) use routes::NamedRoute;
pub(crate) use secrets::{contents, registry};
pub(crate) use users::by_names;

use crate::args::{Format, GetArgs, Kind};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Cell, Column, Out, Table, age, remark};

/// A kind of thing that can be shown.
pub(crate) trait Resource: Sized {
    const KIND: Kind;
    const COLUMNS: &'static [Column];

    /// All there are that satisfy what is asked for.
    async fn list(client: &Client, wanted: &Wanted) -> Result<Vec<Self>, Status>;

    /// Those a name means: of packages, every version of it. None when nothing has that name.
    async fn named(client: &Client, name: &str) -> Result<Vec<Self>, Status>;

    /// The cells under [`Self::COLUMNS`].
    fn row(&self, now: SystemTime) -> Vec<Cell>;

    fn document(&self) -> Value;

    /// As commands call it: `hello`, `hello@1.0.0`.
    fn name(&self) -> String;
}

/// What is asked for of all there are; what is empty asks for nothing.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) phases: Vec<wire::Phase>,
    /// Of tokens: whose.
    pub(crate) user: String,
}

impl Wanted {
    fn filter(&self) -> Option<wire::Filter> {
        let labels: HashMap<_, _> = self.labels.iter().cloned().collect();
        (!labels.is_empty()).then(|| wire::Filter { labels, ..Default::default() })
    }
}

/// Does `$generic` for the type that a kind is shown by.
macro_rules! of_kind {
    ($kind:expr, $generic:ident $args:tt) => {
        match $kind {
            Kind::Packages => $generic::<wire::Package> $args.await,
            Kind::Deployments => $generic::<wire::Deployment> $args.await,
            Kind::StaticRoutes => $generic::<wire::StaticRoute> $args.await,
            Kind::Secrets => $generic::<wire::Secret> $args.await,
            Kind::Routes => $generic::<crate::get::NamedRoute> $args.await,
            Kind::Proxies => $generic::<crate::get::Follower> $args.await,
            Kind::Projects => $generic::<wire::Project> $args.await,
            Kind::Organizations => $generic::<wire::Organization> $args.await,
            Kind::Users => $generic::<wire::User> $args.await,
            Kind::Tokens => $generic::<wire::Token> $args.await,
        }
    };
}
pub(crate) use of_kind;

pub(crate) async fn run(args: GetArgs) -> Result<(), Failure> {
    let kind = args.kind;
    if !args.labels.is_empty() && !kind.has_labels() {
        let (kinds, _) = kind.names();
        return Err(Failure::usage(format_args!("{kinds} carry no labels to be found by")));
    }
    if !args.phases.is_empty() && kind != Kind::Deployments {
        let (kinds, _) = kind.names();
        return Err(Failure::usage(format_args!("{kinds} have no phases; deployments have")));
    }
    let client = Client::of(&args.server).await?;
    let format = args.output.format;
    let wanted = Wanted { labels: args.labels, phases: args.phases, user: String::new() };
    match args.names.as_slice() {
        [] => of_kind!(kind, show_all(&client, &wanted, format)),
        names => of_kind!(kind, show_named(&client, names, format)),
    }
}

/// Shows all there are of a kind.
pub(crate) async fn show_all<T: Resource>(
    client: &Client,
    wanted: &Wanted,
    format: Format,
) -> Result<(), Failure> {
    let (kinds, _) = T::KIND.names();
    let items = T::list(client, wanted).await;
    let items = items.map_err(|status| Failure::of_call(format_args!("cannot get {kinds}"), &status))?;
    if items.is_empty() && matches!(format, Format::Table | Format::Wide) {
        remark(format_args!("no {kinds}"));
    }
    show(&items, format, false)
}

/// Shows those of `names`; tells of every one that is not there.
async fn show_named<T: Resource>(client: &Client, names: &[String], format: Format) -> Result<(), Failure> {
    let (mut items, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match find::<T>(client, name).await {
            Ok(found) => items.extend(found),
            Err(failure) if names.len() == 1 || failure.is_unreachable() => return Err(failure),
            Err(failure) => failures.push(failure),
        }
    }
    show(&items, format, names.len() == 1)?;
    failures.iter().for_each(remark);
    match failures.len() {
        0 => Ok(()),
        failed => Err(Failure::refused(format_args!("{failed} of {} not shown", names.len()))),
    }
}

/// What a name means; nothing of that name is a failure.
pub(crate) async fn find<T: Resource>(client: &Client, name: &str) -> Result<Vec<T>, Failure> {
    let (_, one) = T::KIND.names();
    let found = T::named(client, name).await;
    let found = found.map_err(|status| Failure::of_call(format_args!("cannot get {one} {name}"), &status))?;
    match found.as_slice() {
        [] => Err(Failure::refused(format_args!("cannot get {one} {name}: there is no {one} {name:?}"))),
        _ => Ok(found),
    }
}

fn show<T: Resource>(items: &[T], format: Format, one: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    match format {
        Format::Table | Format::Wide if items.is_empty() => {}
        Format::Table | Format::Wide => table_of(items).wide(format == Format::Wide).print(&mut out),
        Format::Name => items.iter().for_each(|item| out.line(label(item))),
        Format::Json => match items {
            [only] if one => out.json(&only.document()),
            _ => out.json(&items.iter().map(T::document).collect()),
        },
        Format::Yaml => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.line("---");
                }
                out.yaml(&item.document())?;
            }
        }
    }
    out.finish()
}

fn table_of<T: Resource>(items: &[T]) -> Table {
    let now = SystemTime::now();
    let mut table = Table::new(T::COLUMNS);
    items.iter().for_each(|item| table.row(item.row(now)));
    table
}

/// As commands call it: `deployment/hello`.
fn label<T: Resource>(item: &T) -> String {
    format!("{}/{}", T::KIND.tag(), item.name())
}

/// Follows the pages of a list. Stops when a page leads to itself.
async fn pages<T, F>(mut page: impl FnMut(Option<wire::PageRequest>) -> F) -> Result<Vec<T>, Status>
where
    F: Future<Output = Result<(Vec<T>, Option<wire::PageResponse>), Status>>,
{
    let (mut items, mut token) = (Vec::new(), String::new());
    loop {
        let (more, next) = page(Some(wire::PageRequest { size: 0, token: token.clone() })).await?;
        items.extend(more);
        let next = next.unwrap_or_default().next_token;
        if next.is_empty() || next == token {
            return Ok(items);
        }
        token = next;
    }
}

/// The one that was answered.
fn only<T>(result: Result<tonic::Response<T>, Status>) -> Result<Vec<T>, Status> {
    result.map(|found| vec![found.into_inner()])
}

pub(crate) fn time(at: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    at.and_then(|at| at.try_into().ok())
}

pub(crate) fn age_of(metadata: Option<&wire::Metadata>, now: SystemTime) -> Cell {
    age(metadata.and_then(|metadata| time(metadata.created_at)), now).into()
}

pub(crate) fn name_of(metadata: Option<&wire::Metadata>) -> &str {
    metadata.map(|metadata| metadata.name.as_str()).unwrap_or_default()
}

pub(crate) fn guid_of(metadata: Option<&wire::Metadata>) -> &str {
    metadata.map(|metadata| metadata.guid.as_str()).unwrap_or_default()
}

/// `team=shop, tier=1`.
pub(crate) fn labels_of(metadata: Option<&wire::Metadata>) -> String {
    let mut labels: Vec<_> = metadata
        .into_iter()
        .flat_map(|metadata| &metadata.labels)
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    labels.sort_unstable();
    labels.join(", ")
}
