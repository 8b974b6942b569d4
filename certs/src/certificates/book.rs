use std::collections::HashMap;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::names::{self, CertName};

/// Certificates by the names they are for, which no two share.
pub(super) struct Book {
    all: Vec<Arc<Certificate>>,
    exact: HashMap<String, Arc<Certificate>>,
    /// By what is behind the star.
    wildcards: HashMap<String, Arc<Certificate>>,
}

impl Book {
    pub(super) fn new(all: Vec<Arc<Certificate>>) -> Self {
        let (mut exact, mut wildcards) = (HashMap::new(), HashMap::new());
        for certificate in &all {
            for name in certificate.names() {
                let (names, name) = match name {
                    CertName::Exact(name) => (&mut exact, name),
                    CertName::Wildcard(parent) => (&mut wildcards, parent),
                };
                names.insert(name.clone(), Arc::clone(certificate));
            }
        }
        Self { all, exact, wildcards }
    }

    /// The one for `name`. A star stands for one label, so no two wildcards are good for one name.
    pub(super) fn choose(&self, name: &str) -> Option<&Arc<Certificate>> {
        self.exact.get(name).or_else(|| self.wildcards.get(names::parent_of(name)?))
    }

    pub(super) fn all(&self) -> &[Arc<Certificate>] {
        &self.all
    }

    /// Whether it is of these and no others.
    pub(super) fn is_of(&self, served: &[Arc<Certificate>]) -> bool {
        self.all.len() == served.len()
            && self.all.iter().zip(served).all(|(one, other)| Arc::ptr_eq(one, other))
    }
}
