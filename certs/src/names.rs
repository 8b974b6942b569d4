//! Which host names a certificate is good for (RFC 6125 6.4, RFC 9525 6.3), and when.

use std::fmt;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::fault::{Fault, Reason};

/// One DNS name of a certificate, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CertName {
    /// This name.
    Exact(String),
    /// One label, then this: `ep-r.io` stands for `*.ep-r.io`.
    Wildcard(String),
}

/// What a certificate says of itself.
pub(crate) struct Said {
    pub(crate) names: Vec<CertName>,
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    /// Seconds since 1970.
    pub(crate) not_after: i64,
}

impl CertName {
    fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        match text.strip_prefix("*.") {
            Some(parent) => Self::Wildcard(parent.to_owned()),
            None => Self::Exact(text),
        }
    }

    /// Whether it is good for `host`, a folded host name.
    pub(crate) fn covers(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Wildcard(parent) => parent_of(host) == Some(parent),
        }
    }
}

impl fmt::Display for CertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Wildcard(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// What a wildcard for `host` has behind its star.
pub(crate) fn parent_of(host: &str) -> Option<&str> {
    host.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, parent)| parent)
}

/// The DNS names and the time of a certificate.
pub(crate) fn read(certificate: &CertificateDer<'_>, path: &Path) -> Result<Said, Fault> {
    let bad = |reason, problem: String| Fault::new(path, reason, problem);
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|error| bad(Reason::Malformed, format!("its first certificate is not X.509: {error}")))?;
    let names = parsed.subject_alternative_name().map_err(|error| {
        bad(Reason::Malformed, format!("its subject alternative names can't be read: {error}"))
    })?;
    let mut said = Said {
        names: Vec::new(),
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
    };
    for name in names.iter().flat_map(|extension| &extension.value.general_names) {
        if let GeneralName::DNSName(text) = name {
            let name = CertName::parse(text);
            if !said.names.contains(&name) {
                said.names.push(name);
            }
        }
    }
    match said.names.is_empty() {
        true => Err(bad(
            Reason::NoNames,
            "the certificate has no DNS name among its subject alternative names; clients need one".into(),
        )),
        false => Ok(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        let wildcard = CertName::parse("*.EP-R.io");
        assert!(wildcard.covers("shop.ep-r.io"));
        for other in ["ep-r.io", "a.b.ep-r.io", ".ep-r.io", "shop.ep-r.iox", "shop.xep-r.io"] {
            assert!(!wildcard.covers(other), "{other}");
        }
        assert!(CertName::parse("ep-r.io").covers("ep-r.io"));
    }
}
