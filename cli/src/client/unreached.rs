use std::path::Path;

use certs::Distrust;

use crate::failure::Failure;

/// Why no connection to `url` came about, and what helps. `ca` is what was trusted, if not the system's CAs.
pub(super) fn not_connected(
    url: &str,
    ca: Option<&Path>,
    error: &(dyn std::error::Error + 'static),
) -> Failure {
    let distrust = Distrust::of(error);
    let why = match distrust {
        Some(Distrust::Untrusted) => {
            let by = ca.map_or_else(|| "the system's CAs".to_owned(), |path| path.display().to_string());
            format!("{} by {by}", Distrust::Untrusted)
        }
        Some(distrust) => distrust.to_string(),
        None => innermost(error),
    };
    Failure::unreachable(format_args!("no server at {url}: {why}")).hint(hint(distrust))
}

fn hint(distrust: Option<Distrust>) -> &'static str {
    match distrust {
        None => "is it running? `epr up` starts one; --server URL names another",
        Some(Distrust::NotTls) => "without TLS it is http://, not https://",
        Some(Distrust::OtherName) => "--server URL takes a name in the certificate",
        Some(Distrust::CaAsServer) => {
            "make one for the server: by the CA, or self-signed with basicConstraints=CA:FALSE"
        }
        Some(Distrust::Expired) => "renew it, and see that both clocks are right",
        Some(Distrust::NotYetValid) => "see that both clocks are right",
        Some(Distrust::Untrusted) => "--ca FILE names the CA to trust",
    }
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
    use std::io;

    use tokio_rustls::rustls::{CertificateError, Error as TlsError};

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
