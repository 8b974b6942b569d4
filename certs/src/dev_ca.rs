//! Certificates for development: a CA of this machine's own and a wildcard certificate under it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use proto::Hostname;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use time::OffsetDateTime;

use crate::CertsError;
use crate::certificate;
use crate::fault::{Fault, Reason};
use crate::files::{create_private_dir, write_private};
use crate::names::CertName;
use crate::pem::{read_chain, read_key};
use crate::sources::Pair;

/// Where the development certificates are; PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevCertificates {
    /// The CA's certificate, for clients to trust.
    pub ca: PathBuf,
    /// The edge's certificate, leaf first.
    pub chain: PathBuf,
    /// The edge's private key, mode 0600.
    pub key: PathBuf,
    /// What was wrong with the certificate that was there, when it was made anew for that; whoever put it
    /// there wants to know. It is nobody's news that one has come of age.
    pub replaced: Option<String>,
}

/// How the certificate that is there is.
enum Standing {
    Good,
    /// There is none, it is too old, or the domains have changed.
    Due,
    /// It is of no use, and was meant to be.
    Unusable(Fault),
}

const CA_LIFE: Duration = days(3650);
/// Below the 398 days that browsers accept at most.
const EDGE_LIFE: Duration = days(90);
/// A certificate with less life left than this is made anew at start.
const RENEW_BEFORE: Duration = days(30);
/// Clocks of clients on other machines may be behind.
const BACKDATE: Duration = days(1);

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 3600)
}

/// Makes what is missing in `dir`, keeps what is still good: a CA (`ca.pem`, `ca.key`) and a
/// certificate for `*.DOMAIN` and `DOMAIN` of every base domain (`edge.pem`, `edge.key`).
///
/// The certificate is made anew when the domains have changed, when less than 30 days of its 90 are
/// left at `now`, or when it does not load; the CA, which people may have trusted, never is.
///
/// # Errors
/// A directory or file that can't be used; a CA of which one half is missing.
pub fn dev_certificates(
    dir: &Path,
    base_domains: &[Hostname],
    now: SystemTime,
) -> Result<DevCertificates, CertsError> {
    create_private_dir(dir)?;
    let (ca, chain, key) = (dir.join("ca.pem"), dir.join("edge.pem"), dir.join("edge.key"));
    let mut files = DevCertificates { ca, chain, key, replaced: None };
    let ca_key = dir.join("ca.key");
    let new_ca = ensure_ca(&files.ca, &ca_key, now)?;
    match standing(&files, base_domains, now) {
        Standing::Good if !new_ca => return Ok(files),
        Standing::Good | Standing::Due => {}
        Standing::Unusable(fault) => files.replaced = Some(fault.to_string()),
    }
    issue_edge(&files, &ca_key, base_domains, now)?;
    Ok(files)
}

/// Returns whether the CA is new.
fn ensure_ca(certificate: &Path, key: &Path, now: SystemTime) -> Result<bool, CertsError> {
    match (certificate.exists(), key.exists()) {
        (true, true) => return Ok(false),
        (false, false) => {}
        // The key is written first, so a key alone is what a crash in between leaves: nobody can have
        // trusted the certificate yet.
        (false, true) => {}
        (true, false) => {
            return Err(CertsError::HalfPair { present: certificate.to_owned(), missing: key.to_owned() });
        }
    }
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("epr development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, CA_LIFE);
    write_private(key, pair.serialize_pem().as_bytes())?;
    write_private(certificate, params.self_signed(&pair)?.pem().as_bytes())?;
    Ok(true)
}

fn standing(files: &DevCertificates, base_domains: &[Hostname], now: SystemTime) -> Standing {
    if !files.chain.exists() || !files.key.exists() {
        return Standing::Due;
    }
    let pair = Pair { chain: files.chain.clone(), key: files.key.clone() };
    let said = match certificate::read(&pair) {
        Ok((said, _)) => said,
        Err(fault) => return Standing::Unusable(fault),
    };
    let seconds =
        |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let lives = u64::try_from(said.not_after).is_ok_and(|end| end > seconds(now + RENEW_BEFORE));
    let wanted = base_domains.iter().map(|domain| CertName::Wildcard(domain.to_string()));
    let covers =
        wanted.clone().all(|name| said.names.contains(&name)) && said.names.len() == 2 * wanted.count();
    if lives && covers { Standing::Good } else { Standing::Due }
}

fn issue_edge(
    files: &DevCertificates,
    ca_key: &Path,
    base_domains: &[Hostname],
    now: SystemTime,
) -> Result<(), CertsError> {
    let ca = read_chain(&files.ca)?;
    let Some(ca) = ca.first() else {
        let problem = "no certificate in it; delete it and ca.key to have both made anew";
        return Err(Fault::new(&files.ca, Reason::Malformed, problem).into());
    };
    let ca_pair = KeyPair::try_from(&read_key(ca_key)?).map_err(|error| {
        Fault::new(ca_key, Reason::Malformed, format!("not a key this CA can sign with: {error}"))
    })?;
    let issuer = Issuer::from_ca_cert_der(ca, ca_pair)?;

    let names: Vec<String> =
        base_domains.iter().flat_map(|domain| [format!("*.{domain}"), domain.to_string()]).collect();
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = common_name("epr edge");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now, EDGE_LIFE);
    let certificate = params.signed_by(&pair, &issuer)?;
    write_private(&files.key, pair.serialize_pem().as_bytes())?;
    write_private(&files.chain, certificate.pem().as_bytes())
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}

fn set_validity(params: &mut CertificateParams, now: SystemTime, life: Duration) {
    params.not_before = OffsetDateTime::from(now - BACKDATE);
    params.not_after = OffsetDateTime::from(now + life);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::Certificates;

    fn domains(names: &[&str]) -> Vec<Hostname> {
        names.iter().map(|name| Hostname::parse(name).unwrap()).collect()
    }

    #[test]
    fn first_start_makes_them_and_the_next_keeps_them() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("data/tls");
        let (now, base) = (SystemTime::now(), domains(&["ep-r.io", "ep-r.localhost"]));
        let files = dev_certificates(&dir, &base, now).unwrap();
        let before = fs::read(&files.chain).unwrap();
        assert_eq!(dev_certificates(&dir, &base, now + days(59)).unwrap(), files);
        assert_eq!(fs::read(&files.chain).unwrap(), before);

        let served = Certificates::load(&files.chain, &files.key, now).unwrap();
        for name in ["shop.ep-r.io", "shop.ep-r.localhost", "ep-r.io"] {
            assert!(served.choose(name).unwrap().covers(name), "{name}");
        }
        assert!(served.choose("shop.example.org").is_none());
        for name in ["ca.key", "edge.key"] {
            assert_eq!(fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn the_certificate_is_renewed_and_the_ca_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (now, base) = (SystemTime::now(), domains(&["ep-r.io"]));
        let files = dev_certificates(dir.path(), &base, now).unwrap();
        let ca = fs::read(&files.ca).unwrap();
        let mut last = fs::read(&files.chain).unwrap();
        let mut renewed = |base: &[Hostname], now| {
            dev_certificates(dir.path(), base, now).unwrap();
            let current = fs::read(&files.chain).unwrap();
            current != std::mem::replace(&mut last, current.clone())
        };
        assert!(renewed(&base, now + days(61)));
        assert!(renewed(&domains(&["ep-r.io", "example.org"]), now + days(61)));
        fs::remove_file(&files.key).unwrap();
        assert!(renewed(&base, now));
        assert_eq!(fs::read(&files.ca).unwrap(), ca);
    }

    #[test]
    fn what_was_wrong_with_a_certificate_is_told_as_it_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (now, base) = (SystemTime::now(), domains(&["ep-r.io"]));
        let files = dev_certificates(dir.path(), &base, now).unwrap();
        assert_eq!(files.replaced, None);
        for junk in ["", "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            fs::write(&files.chain, junk).unwrap();
            let replaced = dev_certificates(dir.path(), &base, now).unwrap().replaced.unwrap();
            assert!(replaced.contains("edge.pem"), "{replaced}");
            assert!(Certificates::load(&files.chain, &files.key, now).is_ok());
        }
        assert_eq!(dev_certificates(dir.path(), &base, now + days(61)).unwrap().replaced, None);
    }

    #[test]
    fn half_a_ca_is_an_error_that_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let base = domains(&["ep-r.io"]);
        dev_certificates(dir.path(), &base, SystemTime::now()).unwrap();
        fs::remove_file(dir.path().join("ca.key")).unwrap();
        let error = dev_certificates(dir.path(), &base, SystemTime::now()).unwrap_err().to_string();
        assert!(error.contains("ca.pem is there but") && error.contains("restore it, or delete"), "{error}");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let base = domains(&["ep-r.io"]);
        let a = dev_certificates(one.path(), &base, SystemTime::now()).unwrap();
        let b = dev_certificates(two.path(), &base, SystemTime::now()).unwrap();
        let error = Certificates::load(&a.chain, &b.key, SystemTime::now()).unwrap_err().to_string();
        assert!(error.contains("does not go with"), "{error}");
    }
}
