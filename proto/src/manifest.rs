//! Manifests: resources as people write them, in YAML or JSON, read into the messages of [`wire`](crate::wire).
//!
//! The dialect is the v2 one of the real rapyuta.io client (`apiVersion: api.rapyuta.io/v2` or
//! `apiextensions.rapyuta.io/v1`), where a package has one implicit plan and component, and what goes
//! beyond it: `spec.plans` or `spec.components` of a package, `backendProtocol` of an endpoint (or the
//! label `epr.io/backend-protocol/<ENDPOINT>`), `device.runtime` of a component, `spec.plan` and
//! `spec.backends` of a deployment. docs/MANIFESTS.md has every field.
//!
//! [`read`] reads files, [`read_one`] the body of a request. Both check the shape alone: fields and their
//! types. Which values are allowed is judged where the rules are; [`Document::locate`] leads from a field of
//! the message back to the line it came from. [`render`] goes the other way, and what it writes can be read
//! again.

mod depends;
mod deployment;
mod document;
mod fields;
mod injected;
mod json;
mod kind;
mod metadata;
mod nearest;
mod origins;
mod package;
mod project;
/// From messages to manifests.
pub mod render;
mod report;
mod secret;
mod spelling;
mod static_route;
mod tree;
mod values;
mod words;

use fields::Fields;
use report::Report;
use tree::{Node, Shape};

use document::in_manifest;
pub use document::{Document, Fault, Object, Place};
pub use injected::drop_injected;
pub use kind::Kind;

/// Versions of the dialect, all read alike; the first is written.
pub const API_VERSIONS: [&str; 2] = ["api.rapyuta.io/v2", "apiextensions.rapyuta.io/v1"];

/// Faults told of one body. A body of nothing but faults has an answer of bounded size all the same.
const MOST_FAULTS: usize = 100;

/// Reads a text of one or more documents; a list at the top is as many documents.
///
/// Errors: every fault of every document, in the order of the text.
pub fn read(text: &str) -> Result<Vec<Document>, Vec<Fault>> {
    let (documents, faults) = read_sound(text);
    if faults.is_empty() { Ok(documents) } else { Err(faults) }
}

/// Reads the documents of a text that are without fault, and finds the faults of the others, in the order of
/// the text.
pub fn read_sound(text: &str) -> (Vec<Document>, Vec<Fault>) {
    let (mut roots, mut faults) = tree::parse(text);
    // There is JSON that is no YAML: with characters in two halves, as programs write them.
    if !faults.is_empty()
        && let Ok(root) = json::parse(text.as_bytes())
    {
        (roots, faults) = (vec![(1, root)], Vec::new());
    }
    let mut documents = Vec::new();
    for (number, root) in roots {
        match &root.shape {
            Shape::Null => {}
            Shape::List(items) => {
                for item in items {
                    documents.extend(read_document(Report::new(number), item, None, &mut faults));
                }
            }
            Shape::Scalar { .. } | Shape::Map(_) => {
                documents.extend(read_document(Report::new(number), &root, None, &mut faults));
            }
        }
    }
    faults.sort_by_key(|fault| fault.place);
    documents.retain(|document: &Document| faults.iter().all(|fault| fault.document != document.number));
    (documents, faults)
}

/// Reads the body of a request, which is one resource of this kind, in JSON.
///
/// `apiVersion` and `kind` may be missing. Every null is as good as absent, in fields nobody knows too.
///
/// Errors: the faults of the body; of very many only the first.
pub fn read_one(kind: Kind, body: &[u8]) -> Result<Document, Vec<Fault>> {
    let root = json::parse(body).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let document = read_document(Report::of_body(), &root, Some(kind), &mut faults);
    let more = faults.len().saturating_sub(MOST_FAULTS);
    if more > 0 {
        faults.truncate(MOST_FAULTS);
        let message = format!("{more} more faults are not told");
        faults.push(Fault { document: 1, place: root.place, field: String::new(), message });
    }
    document.filter(|_| faults.is_empty()).ok_or(faults)
}

fn read_document(
    report: Report,
    root: &Node,
    expected: Option<Kind>,
    faults: &mut Vec<Fault>,
) -> Option<Document> {
    let object = Fields::over(root, &report, |fields| read_object(fields, expected)).flatten();
    let number = report.document();
    let (new, left_out, origins) = report.into_parts();
    faults.extend(new);
    object.map(|object| Document { number, place: root.place, object, left_out, origins })
}

fn read_object(fields: &mut Fields<'_>, expected: Option<Kind>) -> Option<Object> {
    let version = match expected {
        Some(_) => fields.text("apiVersion"),
        None => fields.required_text("apiVersion"),
    };
    if let Some(version) = version.filter(|version| !API_VERSIONS.contains(&version.as_str())) {
        fields.fault("apiVersion", format!("{version:?} is not known; write {}", API_VERSIONS[0]));
    }
    let Some(kind) = read_kind(fields, expected) else {
        fields.ignore_rest();
        return None;
    };
    // What the platform says of it; of that, only a deployment's end matters.
    fields.ignore("status");
    Some(match kind {
        Kind::Package => Object::Package(package::read(fields)),
        Kind::Deployment => Object::Deployment(deployment::read(fields)),
        Kind::StaticRoute => Object::StaticRoute(static_route::read(fields)),
        Kind::Secret => Object::Secret(secret::read(fields)),
        Kind::Project => Object::Project(project::read(fields)),
    })
}

fn read_kind(fields: &mut Fields<'_>, expected: Option<Kind>) -> Option<Kind> {
    let Some(expected) = expected else {
        let kind = Kind::parse(&fields.required_text("kind")?);
        return kind.map_err(|message| fields.fault("kind", message)).ok();
    };
    if let Some(word) = fields.text("kind")
        && Kind::parse(&word) != Ok(expected)
    {
        fields.fault("kind", format!("{word:?} is not what is asked for here; write {expected}"));
    }
    Some(expected)
}

#[cfg(test)]
mod tests;
