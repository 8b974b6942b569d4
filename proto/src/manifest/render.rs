//! Two readers: people, who apply again what they see (`package` and its like, `object`), and the real
//! client, which takes answers apart by models that refuse what they do not know (`Answers`).

use serde_json::{Map, Value, json};

use super::spelling::{PHASES, STATUSES, meaning, word};
use super::{API_VERSIONS, Kind, Object};
use crate::wire;

mod answers;
mod deployment;
mod executable;
mod identity;
mod package;
mod static_route;
mod status;
mod writer;

pub use answers::{Answers, Owner, list};
pub use deployment::deployment;
pub use identity::{project, secret};
pub use package::{package, package_full};
pub use static_route::static_route;

/// Any resource as a manifest.
pub fn object(object: &Object) -> Value {
    match object {
        Object::Package(package) => self::package(package),
        Object::Deployment(deployment) => self::deployment(deployment),
        Object::StaticRoute(route) => static_route(route),
        Object::Secret(secret) => self::secret(secret),
        Object::Project(project) => self::project(project),
    }
}

/// A phase as the dialect spells it; empty when it is not known.
pub fn phase(phase: wire::Phase) -> &'static str {
    word(phase, &PHASES).unwrap_or_default()
}

/// The phase that is spelt so.
pub fn phase_of(word: &str) -> Option<wire::Phase> {
    meaning(word, &PHASES)
}

/// A status as the dialect spells it; empty when it is not known.
pub fn status(status: wire::Status) -> &'static str {
    word(status, &STATUSES).unwrap_or_default()
}

/// The four parts of a manifest; without a status when there is nothing to say.
struct Parts {
    kind: Kind,
    metadata: Map<String, Value>,
    spec: Map<String, Value>,
    status: Map<String, Value>,
}

impl Parts {
    fn into_value(self) -> Value {
        let mut document = Map::new();
        document.insert("apiVersion".to_owned(), json!(API_VERSIONS[0]));
        document.insert("kind".to_owned(), json!(self.kind.as_str()));
        document.insert("metadata".to_owned(), self.metadata.into());
        document.insert("spec".to_owned(), self.spec.into());
        if !self.status.is_empty() {
            document.insert("status".to_owned(), self.status.into());
        }
        document.into()
    }
}
