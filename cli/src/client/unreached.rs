use std::io;
use std::path::Path;

use tokio_rustls::rustls::{CertificateError, Error as TlsError};

use crate::failure::Failure;

/// Why no connection to `url` came about, and what helps. `ca` is what was trusted, if not the system's CAs.
pub(super) fn not_connected(
    url: &str,
    ca: Option<&Path>,
    error: &(dyn std::error::Error + 'static),
) -> Failure {
    let (why, hint) = match tls_error(error) {
        Some(TlsError::InvalidCertificate(fault)) => of_certificate(fault, ca),
        Some(TlsError::InvalidMessage(_)) => {
            ("what listens there does not speak TLS".to_owned(), "without TLS it is http://, not https://")
        }
        _ => (innermost(error), "is it running? `epr up` starts one; --server URL names another"),
    };
    Failure::unreachable(format_args!("no server at {url}: {why}")).hint(hint)
}

fn of_certificate(fault: &CertificateError, ca: Option<&Path>) -> (String, &'static str) {
    let trusted = ca.map_or_else(|| "the system's CAs".to_owned(), |path| path.display().to_string());
    match fault {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("its certificate is for another name".to_owned(), "--server URL takes a name in the certificate")
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            "its certificate is a CA's own, and no server's".to_owned(),
            "make one for the server: by the CA, or self-signed with basicConstraints=CA:FALSE",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("its certificate has expired".to_owned(), "renew it, and see that both clocks are right")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("its certificate is not valid yet".to_owned(), "see that both clocks are right")
        }
        _ => (format!("its certificate is not trusted by {trusted}"), "--ca FILE names the CA to trust"),
    }
}

/// What TLS says, wherever in the chain of causes it is. An I/O error hides what it was made of from
/// `source`, and is asked for it.
fn tls_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e TlsError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let found = error.downcast_ref().or_else(|| inside?.downcast_ref());
        if found.is_some() {
            return found;
        }
        cause = error.source();
    }
    None
}

/// The cause that says most.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: TlsError) -> String {
        let error = io::Error::new(io::ErrorKind::InvalidData, error);
        not_connected("https://c", Some(Path::new("ca.pem")), &tonic::ConnectError(Box::new(error)))
            .to_string()
    }

    #[test]
    fn certificates_are_spoken_of_in_words() {
        assert_eq!(
            told(CertificateError::UnknownIssuer.into()),
            "no server at https://c: its certificate is not trusted by ca.pem\n  --ca FILE names the CA to trust"
        );
        assert!(told(CertificateError::NotValidForName.into()).contains("for another name"));
        assert!(told(CertificateError::Expired.into()).contains("has expired"));
    }
}
