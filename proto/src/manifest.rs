//! Manifests: resources as people write them, in YAML or JSON, read into the messages of [`wire`].
//!
//! The dialect is the v2 one of the real rapyuta.io client (`apiVersion: api.rapyuta.io/v2` or
//! `apiextensions.rapyuta.io/v1`), where a package has one implicit plan and component, and what goes
//! beyond it: `spec.plans` or `spec.components` of a package, `backendProtocol` of an endpoint (or the
//! label `epr.io/backend-protocol/<ENDPOINT>`), `spec.plan` and `spec.backends` of a deployment.
//!
//! [`read`] checks the shape alone: fields and their types. Which values are allowed is judged where the
//! rules are; [`Document::locate`] leads from a field of the message back to the line it came from.
//! [`render`] goes the other way, and what it writes can be read again.

mod deployment;
mod fields;
mod nearest;
mod package;
/// From messages to manifests.
pub mod render;
mod static_route;
mod tree;
mod words;

use std::fmt;

use crate::wire;
use fields::{Fields, Report};
use tree::{Node, Shape};

/// Versions of the dialect, all read alike; the first is written.
pub const API_VERSIONS: [&str; 2] = ["api.rapyuta.io/v2", "apiextensions.rapyuta.io/v1"];

/// Kinds of the real client that epr does not serve yet.
const KNOWN_KINDS: [&str; 10] = [
    "Device",
    "Disk",
    "ManagedService",
    "Network",
    "Project",
    "Role",
    "RoleBinding",
    "Secret",
    "ServiceAccount",
    "UserGroup",
];

/// Where something stands in a text; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// Something to say about a place in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which document of the text, from 1.
    pub document: usize,
    /// Where.
    pub place: Place,
    /// The field as the manifest calls it, like `spec.endpoints[0].port`; empty for the document itself.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// One resource of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// `kind: Package`.
    Package(wire::Package),
    /// `kind: StaticRoute`.
    StaticRoute(wire::StaticRoute),
    /// `kind: Deployment`.
    Deployment(wire::Deployment),
}

/// One document of a manifest.
#[derive(Debug, Clone)]
pub struct Document {
    /// Which document of the text, from 1.
    pub number: usize,
    /// Where it begins.
    pub place: Place,
    /// What it declares.
    pub object: Object,
    /// Fields that were understood but left out, because nothing acts on them yet.
    pub left_out: Vec<Fault>,
    origins: Vec<Origin>,
}

/// Where a field of a message came from.
#[derive(Debug, Clone)]
struct Origin {
    wire: String,
    field: String,
    place: Place,
}

impl Document {
    /// Where a field of the message (`plans[0].components[0].endpoints[1].port`) stands in the text, and
    /// its name there. A field the text does not have is located at what would hold it.
    pub fn locate(&self, wire_field: &str) -> (Place, String) {
        let mut held_by = wire_field;
        loop {
            if let Some(origin) = self.origins.iter().find(|origin| origin.wire == held_by) {
                let missing = wire_field.get(held_by.len()..).unwrap_or_default();
                return (origin.place, format!("{}{}", origin.field, in_manifest(missing)));
            }
            let Some(cut) = held_by.rfind(['.', '[']) else {
                return (self.place, in_manifest(wire_field));
            };
            held_by = held_by.get(..cut).unwrap_or_default();
        }
    }
}

/// What the manifest most likely calls a field of the message: the same words in camel case.
fn in_manifest(wire_field: &str) -> String {
    let mut name = String::with_capacity(wire_field.len());
    let mut upper = false;
    for c in wire_field.chars() {
        match c {
            '_' => upper = true,
            c => {
                name.push(if upper { c.to_ascii_uppercase() } else { c });
                upper = false;
            }
        }
    }
    name
}

impl Fault {
    /// The fault with the name of the text it is in: `hello.yaml:12:7: spec.endpoints[0].port: …`.
    pub fn in_file<'f>(&'f self, file: &'f str) -> impl fmt::Display + 'f {
        fmt::from_fn(move |f| {
            write!(f, "{file}:{}:{}: ", self.place.line, self.place.column)?;
            if !self.field.is_empty() {
                write!(f, "{}: ", self.field)?;
            }
            f.write_str(&self.message)
        })
    }
}

/// Reads a text of one or more documents; a list at the top is as many documents.
///
/// Errors: every fault of every document, in the order of the text.
pub fn read(text: &str) -> Result<Vec<Document>, Vec<Fault>> {
    let (roots, mut faults) = tree::parse(text);
    let mut documents = Vec::new();
    for (number, root) in roots {
        match &root.shape {
            Shape::Null => {}
            Shape::List(items) => {
                for item in items {
                    documents.extend(read_document(number, item, &mut faults));
                }
            }
            Shape::Scalar { .. } | Shape::Map(_) => {
                documents.extend(read_document(number, &root, &mut faults));
            }
        }
    }
    faults.sort_by_key(|fault| fault.place);
    if faults.is_empty() { Ok(documents) } else { Err(faults) }
}

fn read_document(number: usize, root: &Node, faults: &mut Vec<Fault>) -> Option<Document> {
    let report = Report::new(number);
    let object = Fields::over(root, &report, read_object).flatten();
    let (new, left_out, origins) = report.into_parts();
    faults.extend(new);
    object.map(|object| Document { number, place: root.place, object, left_out, origins })
}

fn read_object(fields: &mut Fields<'_>) -> Option<Object> {
    if let Some(version) = fields.required_text("apiVersion")
        && !API_VERSIONS.contains(&version.as_str())
    {
        fields.fault("apiVersion", format!("{version:?} is not known; write {}", API_VERSIONS[0]));
    }
    let Some(kind) = fields.required_text("kind") else {
        fields.ignore_rest();
        return None;
    };
    // What the platform says of it; of that, only a deployment's end matters.
    fields.ignore("status");
    match kind.to_ascii_lowercase().as_str() {
        "package" => Some(Object::Package(package::read(fields))),
        "staticroute" | "static-route" => Some(Object::StaticRoute(static_route::read(fields))),
        "deployment" => Some(Object::Deployment(deployment::read(fields))),
        other => {
            let known = KNOWN_KINDS.iter().find(|known| known.eq_ignore_ascii_case(other));
            let verdict = match known {
                Some(known) => format!("{known} is not supported yet"),
                None => format!("{kind:?} is no kind of resource"),
            };
            fields.fault("kind", format!("{verdict}; supported are Package, StaticRoute and Deployment"));
            fields.ignore_rest();
            None
        }
    }
}

/// Reads `metadata`; what else stands in it is for `more` to read.
fn read_metadata<T>(
    fields: &mut Fields<'_>,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> (wire::Metadata, Option<T>) {
    let read = fields.required_map(("metadata", ""), |fields| {
        let metadata = wire::Metadata {
            name: fields.required_text(("name", "metadata.name")).unwrap_or_default(),
            project: fields.text(("project", "metadata.project")).unwrap_or_default(),
            labels: fields.text_map(("labels", "metadata.labels")).into_iter().collect(),
            ..Default::default()
        };
        for given_by_the_platform in [
            "guid",
            "shortGUID",
            "creator",
            "creatorGUID",
            "projectGUID",
            "projectName",
            "organizationGUID",
            "organizationName",
            "organizationCreatorGUID",
            "region",
            "createdAt",
            "updatedAt",
            "deletedAt",
            "generation",
        ] {
            fields.ignore(given_by_the_platform);
        }
        (metadata, more(fields))
    });
    read.map_or_else(Default::default, |(metadata, more)| (metadata, Some(more)))
}

#[cfg(test)]
mod tests;
