use std::error::Error;
use std::fmt;
use std::io;

use rustls::{CertificateError, Error as TlsError};

/// Why a server is not trusted, or is no TLS server at all, in words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// What it says is not TLS.
    NotTls,
    /// Its certificate is for another name.
    OtherName,
    /// Its certificate is a CA's own.
    CaAsServer,
    /// Its certificate's time is over.
    Expired,
    /// Its certificate's time has not come.
    NotYetValid,
    /// Its certificate is of an unknown CA, or wrong in another way.
    Untrusted,
}

impl Distrust {
    /// What TLS says, wherever in the chain of causes it is; none when it says nothing.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            // An I/O error hides what it was made of from `source`, and is asked for it.
            let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let found = error.downcast_ref().or_else(|| inside?.downcast_ref());
            if let Some(told) = found.and_then(Self::of_tls) {
                return Some(told);
            }
            cause = error.source();
        }
        None
    }

    fn of_tls(error: &TlsError) -> Option<Self> {
        match error {
            TlsError::InvalidCertificate(fault) => Some(Self::of_certificate(fault)),
            TlsError::InvalidMessage(_) => Some(Self::NotTls),
            _ => None,
        }
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                Self::CaAsServer
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            _ => Self::Untrusted,
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotTls => "what listens there does not speak TLS",
            Self::OtherName => "its certificate is for another name",
            Self::CaAsServer => "its certificate is a CA's own, and no server's",
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate is not valid yet",
            Self::Untrusted => "its certificate is not trusted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_says_is_found_in_the_chain_of_causes() {
        let tls = TlsError::from(CertificateError::UnknownIssuer);
        let error = io::Error::new(io::ErrorKind::InvalidData, io::Error::other(tls));
        assert_eq!(Distrust::of(&error), None);
        let error = io::Error::new(io::ErrorKind::InvalidData, TlsError::from(CertificateError::Expired));
        assert_eq!(Distrust::of(&error), Some(Distrust::Expired));
        assert_eq!(Distrust::of(&io::Error::other("no")), None);
    }
}
