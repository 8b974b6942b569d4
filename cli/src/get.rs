//! `epr get`: lists of resources, as tables or documents.

mod deployments;
mod packages;
mod proxies;
mod routes;
mod static_routes;

use std::time::SystemTime;

use proto::wire;
use serde_json::Value;
use tonic::Status;

use crate::args::{Format, GetArgs, Kind};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Out, Table, age};

/// A kind of thing that can be shown.
trait Shown {
    const COLUMNS: &'static [&'static str];
    /// The cells under [`Self::COLUMNS`].
    fn row(&self, now: SystemTime) -> Vec<String>;
    fn document(&self) -> Value;
    /// As commands call it: `deployment/hello`.
    fn label(&self) -> String;
}

pub(crate) async fn run(args: GetArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let name = args.name.as_deref();
    let format = args.output;
    match args.kind {
        Kind::Packages => show(packages::fetch(&client, name).await, &args, format),
        Kind::Deployments => show(deployments::fetch(&client, name).await, &args, format),
        Kind::StaticRoutes => show(static_routes::fetch(&client, name).await, &args, format),
        Kind::Routes => show(routes::fetch(&client, name).await, &args, format),
        Kind::Proxies => show(proxies::fetch(&client, name).await, &args, format),
    }
}

fn show<T: Shown>(fetched: Result<Vec<T>, Status>, args: &GetArgs, format: Format) -> Result<(), Failure> {
    let (kind, one) = args.kind.names();
    let items = fetched.map_err(|status| match &args.name {
        Some(name) => Failure::of_call(format_args!("cannot get {one} {name}"), &status),
        None => Failure::of_call(format_args!("cannot get {kind}"), &status),
    })?;
    if let (Some(name), []) = (&args.name, items.as_slice()) {
        return Err(Failure::refused(format_args!("cannot get {one} {name}: there is no {one} {name:?}")));
    }
    let mut out = Out::new();
    match format {
        Format::Table if items.is_empty() => crate::output::remark(format_args!("no {kind}")),
        Format::Table => {
            let now = SystemTime::now();
            let mut table = Table::new(T::COLUMNS);
            items.iter().for_each(|item| table.row(item.row(now)));
            table.print(&mut out);
        }
        Format::Name => items.iter().for_each(|item| out.line(item.label())),
        Format::Json => match (&args.name, items.as_slice()) {
            (Some(_), [only]) => out.json(&only.document()),
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

/// Follows the pages of a list. Stops when a page leads to itself.
async fn pages<T, F>(mut page: impl FnMut(wire::PageRequest) -> F) -> Result<Vec<T>, Status>
where
    F: Future<Output = Result<(Vec<T>, Option<wire::PageResponse>), Status>>,
{
    let (mut items, mut token) = (Vec::new(), String::new());
    loop {
        let (more, next) = page(wire::PageRequest { size: 0, token: token.clone() }).await?;
        items.extend(more);
        let next = next.unwrap_or_default().next_token;
        if next.is_empty() || next == token {
            return Ok(items);
        }
        token = next;
    }
}

fn created(metadata: Option<&wire::Metadata>) -> Option<SystemTime> {
    metadata?.created_at.and_then(|at| at.try_into().ok())
}

fn age_of(metadata: Option<&wire::Metadata>, now: SystemTime) -> String {
    age(created(metadata), now)
}

fn name_of(metadata: Option<&wire::Metadata>) -> &str {
    metadata.map(|metadata| metadata.name.as_str()).unwrap_or_default()
}

/// The protocol of an endpoint in few letters; none for internal ones.
fn external(kind: wire::EndpointType) -> Option<&'static str> {
    match kind {
        wire::EndpointType::ExternalHttp => Some("http"),
        wire::EndpointType::ExternalHttps => Some("https"),
        wire::EndpointType::ExternalSecureTcp => Some("tls"),
        _ => None,
    }
}

fn protocol(protocol: wire::EdgeProtocol) -> &'static str {
    match protocol {
        wire::EdgeProtocol::Unspecified => "",
        wire::EdgeProtocol::Http => "http",
        wire::EdgeProtocol::Https => "https",
        wire::EdgeProtocol::SecureTcp => "tls",
    }
}

/// `2/3`: how many of the backends are healthy.
fn health<'b>(backends: impl Iterator<Item = &'b wire::Backend>) -> String {
    let (mut healthy, mut all) = (0, 0);
    for backend in backends {
        all += 1;
        healthy += u32::from(!backend.unhealthy);
    }
    format!("{healthy}/{all}")
}

fn sources(ranges: &[String]) -> String {
    match ranges {
        [] => "all".to_owned(),
        ranges => ranges.join(", "),
    }
}
