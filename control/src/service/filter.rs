//! Which items of a list are wanted.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::token::TokenRecord;
use crate::domain::{Deployment, Organization, Package, Project, Secret, StaticRoute, User};

/// Those that satisfy all of it; what is empty asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Any of these names.
    pub names: BTreeSet<String>,
    /// Any of these guids.
    pub guids: BTreeSet<String>,
    /// All of these labels, each with this value.
    pub labels: BTreeMap<String, String>,
}

/// What a filter looks at.
pub(super) trait Filtered {
    /// The name it has, and others it is known by.
    fn names(&self) -> [Option<&str>; 2];

    /// Its guid, if its kind has any.
    fn guid(&self) -> Option<&str>;

    /// Its labels, if its kind has any.
    fn labels(&self) -> Option<&BTreeMap<String, String>>;
}

impl Filter {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.guids.is_empty() && self.labels.is_empty()
    }

    pub(super) fn wants(&self, item: &impl Filtered) -> bool {
        let named = || item.names().into_iter().flatten().any(|name| self.names.contains(name));
        let is_one = || item.guid().is_some_and(|guid| self.guids.contains(guid));
        let has = |(key, value)| item.labels().is_some_and(|labels| labels.get(key) == Some(value));
        (self.names.is_empty() || named())
            && (self.guids.is_empty() || is_one())
            && self.labels.iter().all(has)
    }
}

macro_rules! filtered {
    ($($kind:ty: $name:ident),*) => {$(
        impl Filtered for $kind {
            fn names(&self) -> [Option<&str>; 2] {
                [Some(self.$name.as_str()), None]
            }

            fn guid(&self) -> Option<&str> {
                Some(self.guid.as_str())
            }

            fn labels(&self) -> Option<&BTreeMap<String, String>> {
                Some(&self.labels)
            }
        }
    )*};
}

filtered!(Package: name, Deployment: name, Secret: name, Project: name, Organization: name);

impl Filtered for StaticRoute {
    fn names(&self) -> [Option<&str>; 2] {
        [Some(self.label.as_str()), self.called.as_ref().map(|called| called.as_str())]
    }

    fn guid(&self) -> Option<&str> {
        Some(self.guid.as_str())
    }

    fn labels(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.labels)
    }
}

impl Filtered for User {
    fn names(&self) -> [Option<&str>; 2] {
        [Some(self.email.as_str()), None]
    }

    fn guid(&self) -> Option<&str> {
        Some(self.guid.as_str())
    }

    fn labels(&self) -> Option<&BTreeMap<String, String>> {
        None
    }
}

impl Filtered for TokenRecord {
    fn names(&self) -> [Option<&str>; 2] {
        [Some(self.name.as_str()), None]
    }

    fn guid(&self) -> Option<&str> {
        None
    }

    fn labels(&self) -> Option<&BTreeMap<String, String>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(BTreeMap<String, String>);

    impl Filtered for Thing {
        fn names(&self) -> [Option<&str>; 2] {
            [Some("shop"), Some("shop-abcde")]
        }

        fn guid(&self) -> Option<&str> {
            Some("staticroute-a")
        }

        fn labels(&self) -> Option<&BTreeMap<String, String>> {
            Some(&self.0)
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn all_that_is_asked_for_must_be_so() {
        let thing = Thing(labels(&[("team", "web"), ("tier", "")]));
        let asked = |names: &[&str], guids: &[&str], pairs: &[(&str, &str)]| Filter {
            names: names.iter().map(ToString::to_string).collect(),
            guids: guids.iter().map(ToString::to_string).collect(),
            labels: labels(pairs),
        };
        for wanting in [
            asked(&[], &[], &[]),
            asked(&["other", "shop"], &[], &[]),
            asked(&["shop-abcde"], &["staticroute-a"], &[("team", "web")]),
            asked(&[], &[], &[("team", "web"), ("tier", "")]),
        ] {
            assert!(wanting.wants(&thing), "{wanting:?}");
        }
        for other in [
            asked(&["sho"], &[], &[]),
            asked(&["shop"], &["staticroute-b"], &[]),
            asked(&["shop"], &[], &[("team", "api")]),
            asked(&[], &[], &[("team", "web"), ("owner", "")]),
        ] {
            assert!(!other.wants(&thing), "{other:?}");
        }
    }
}
