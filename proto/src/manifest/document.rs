use std::fmt;

use super::kind::Kind;
use super::origins::Origins;
use crate::wire;

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
#[allow(clippy::large_enum_variant, reason = "there are few of them at a time, and all are soon taken apart")]
pub enum Object {
    /// `kind: Package`.
    Package(wire::Package),
    /// `kind: Deployment`.
    Deployment(wire::Deployment),
    /// `kind: StaticRoute`.
    StaticRoute(wire::StaticRoute),
    /// `kind: Secret`.
    Secret(wire::Secret),
    /// `kind: Project`.
    Project(wire::Project),
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
    /// Fields that were understood but left out, because nothing acts on them.
    pub left_out: Vec<Fault>,
    pub(super) origins: Origins,
}

impl Object {
    /// What kind of resource it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Package(_) => Kind::Package,
            Self::Deployment(_) => Kind::Deployment,
            Self::StaticRoute(_) => Kind::StaticRoute,
            Self::Secret(_) => Kind::Secret,
            Self::Project(_) => Kind::Project,
        }
    }

    /// What every kind of resource carries.
    pub fn metadata(&self) -> Option<&wire::Metadata> {
        match self {
            Self::Package(package) => package.metadata.as_ref(),
            Self::Deployment(deployment) => deployment.metadata.as_ref(),
            Self::StaticRoute(route) => route.metadata.as_ref(),
            Self::Secret(secret) => secret.metadata.as_ref(),
            Self::Project(project) => project.metadata.as_ref(),
        }
    }

    /// Its name; empty when it has none.
    pub fn name(&self) -> &str {
        self.metadata().map_or("", |metadata| &metadata.name)
    }
}

impl Document {
    /// Where a field of the message (`plans[0].components[0].endpoints[1].port`) stands in the text, and
    /// its name there. A field the text does not have is located at what would hold it.
    pub fn locate(&self, wire_field: &str) -> (Place, String) {
        let mut held_by = wire_field;
        loop {
            if let Some(origin) = self.origins.find(held_by) {
                let missing = wire_field.get(held_by.len()..).unwrap_or_default();
                return (origin.place, format!("{}{}", origin.field, in_manifest(missing)));
            }
            let Some(cut) = held_by.rfind(['.', '[']) else {
                return (self.place, in_manifest(wire_field));
            };
            held_by = held_by.get(..cut).unwrap_or_default();
        }
    }

    /// Whether the text has this field of the message, and not as null. What it does not have, its author
    /// may not know of: an empty list may mean "none" or "as it is".
    pub fn gives(&self, wire_field: &str) -> bool {
        self.origins.find(wire_field).is_some()
    }
}

/// What the manifest most likely calls a field of the message: the same words in camel case.
pub(super) fn in_manifest(wire_field: &str) -> String {
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
        fmt::from_fn(move |f| write!(f, "{file}:{}:{}: {}", self.place.line, self.place.column, self.plain()))
    }

    /// The fault alone, for a text that has no lines worth telling: `spec.endpoints[0].port: …`.
    pub fn plain(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| {
            if !self.field.is_empty() {
                write!(f, "{}: ", self.field)?;
            }
            f.write_str(&self.message)
        })
    }
}
