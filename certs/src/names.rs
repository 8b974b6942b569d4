//! Which host names a certificate is good for (RFC 6125 6.4, RFC 9525 6.3).

use std::path::Path;

use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::CertsError;

/// One DNS name of a certificate, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CertName {
    /// This name.
    Exact(String),
    /// One label, then this: `ep-r.io` stands for `*.ep-r.io`.
    Wildcard(String),
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
            Self::Wildcard(parent) => {
                host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
            }
        }
    }
}

/// The DNS names of a certificate, and the end of its validity in seconds since 1970.
pub(crate) fn read(
    certificate: &CertificateDer<'_>,
    path: &Path,
) -> Result<(Vec<CertName>, i64), CertsError> {
    let bad = |problem: String| CertsError::content(path, problem);
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|error| bad(format!("its first certificate is not X.509: {error}")))?;
    let names = parsed
        .subject_alternative_name()
        .map_err(|error| bad(format!("its subject alternative names can't be read: {error}")))?;
    let names: Vec<CertName> = names
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(text) => Some(CertName::parse(text)),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return Err(bad(
            "the certificate has no DNS name among its subject alternative names; clients need one".into(),
        ));
    }
    Ok((names, parsed.validity().not_after.timestamp()))
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
