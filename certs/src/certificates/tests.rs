use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use tempfile::TempDir;

use super::*;
use crate::Reason;

const DAY: Duration = Duration::from_secs(86_400);

/// A directory with certificates, and a clock.
struct Desk {
    dir: TempDir,
    now: SystemTime,
    /// Files written so far.
    written: Cell<usize>,
}

/// A certificate and its key, as PEM.
struct Made {
    chain: String,
    key: String,
}

impl Desk {
    fn new() -> Self {
        // Whole seconds, as certificates have them.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Self { dir: tempfile::tempdir().unwrap(), now, written: Cell::new(0) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn pair(&self, stem: &str) -> Pair {
        Pair { chain: self.path(&format!("{stem}.pem")), key: self.path(&format!("{stem}.key")) }
    }

    /// For 90 days from `from` days from now on.
    fn make_at(&self, names: &[&str], from: i32) -> Made {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = time::OffsetDateTime::from(self.now) + time::Duration::days(from.into());
        params.not_after = params.not_before + time::Duration::days(90);
        Made { chain: params.self_signed(&pair).unwrap().pem(), key: pair.serialize_pem() }
    }

    fn make(&self, names: &[&str]) -> Made {
        self.make_at(names, -1)
    }

    fn put(&self, stem: &str, made: &Made) -> Pair {
        let pair = self.pair(stem);
        fs::create_dir_all(pair.chain.parent().unwrap()).unwrap();
        self.write(&pair.chain, &made.chain);
        self.write(&pair.key, &made.key);
        pair
    }

    /// Each time another length: a file system's clock may stand still between two writes.
    fn write(&self, path: &Path, pem: &str) {
        let before = self.written.replace(self.written.get() + 1);
        fs::write(path, format!("{}{pem}", "\n".repeat(before))).unwrap();
    }

    fn open(&self, pairs: &[Pair]) -> Result<Arc<Certificates>, CertsError> {
        let sources = Sources { pairs: pairs.to_vec(), directories: vec![] };
        Certificates::open(sources, None, self.now)
    }

    fn open_dir(&self) -> Result<Arc<Certificates>, CertsError> {
        let sources = Sources { pairs: vec![], directories: vec![self.dir.path().to_owned()] };
        Certificates::open(sources, None, self.now)
    }

    fn faults(&self, pairs: &[Pair]) -> Vec<(String, Reason)> {
        match self.open(pairs) {
            Err(CertsError::Files(faults)) => faults.iter().map(|fault| self.short(fault)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn short(&self, fault: &Fault) -> (String, Reason) {
        let file = fault.file.strip_prefix(self.dir.path()).unwrap();
        (file.display().to_string(), fault.reason)
    }

    fn wrong(&self, news: &[News]) -> Vec<(String, Reason)> {
        let wrong = news.iter().filter_map(|news| match news {
            News::Wrong(fault) => Some(self.short(fault)),
            _ => None,
        });
        wrong.collect()
    }
}

fn file_of(certificates: &Certificates, name: &str) -> Option<String> {
    let file = certificates.choose(name)?.file().file_stem()?.to_str()?.to_owned();
    Some(file)
}

#[test]
fn a_name_of_its_own_beats_a_wildcard_and_what_covers_is_asked_of_the_one_chosen() {
    let desk = Desk::new();
    let wild = desk.put("wild", &desk.make(&["*.ep-r.io", "ep-r.io"]));
    let shop = desk.put("shop", &desk.make(&["shop.ep-r.io"]));
    let deep = desk.put("deep", &desk.make(&["*.shop.ep-r.io", "SHOP.example.org"]));
    let certificates = desk.open(&[wild, shop, deep]).unwrap();
    for (name, file) in [
        ("shop.ep-r.io", Some("shop")),
        ("other.ep-r.io", Some("wild")),
        ("ep-r.io", Some("wild")),
        ("a.shop.ep-r.io", Some("deep")),
        ("shop.example.org", Some("deep")),
        ("a.b.shop.ep-r.io", None),
        ("example.org", None),
        ("io", None),
        ("", None),
    ] {
        assert_eq!(file_of(&certificates, name).as_deref(), file, "{name}");
    }
    let shop = certificates.choose("shop.ep-r.io").unwrap();
    assert!(shop.covers("shop.ep-r.io") && !shop.covers("other.ep-r.io"));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let desk = Desk::new();
    let good = desk.put("good", &desk.make(&["*.ep-r.io"]));
    let again = desk.put("good2", &desk.make(&["*.ep-r.io", "other.ep-r.io"]));
    let old = desk.put("old", &desk.make_at(&["old.ep-r.io"], -91));
    let early = desk.put("early", &desk.make_at(&["early.ep-r.io"], 1));
    let mut mixed = desk.make(&["mixed.ep-r.io"]);
    mixed.key = desk.make(&["x.ep-r.io"]).key;
    let mixed = desk.put("mixed", &mixed);
    let junk = desk.put("junk", &Made { chain: "junk".into(), key: "junk".into() });
    let nameless = desk.put("nameless", &desk.make(&[]));
    let missing = desk.pair("missing");
    let directory = Pair { chain: desk.dir.path().to_owned(), key: good.key.clone() };
    let pairs = [good, again, old, early, mixed, junk, nameless, missing, directory];
    let mut faults = desk.faults(&pairs);
    faults.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("", Reason::Unreadable),
        ("early.pem", Reason::NotYetValid),
        ("good2.pem", Reason::DuplicateName),
        ("junk.pem", Reason::Malformed),
        ("missing.pem", Reason::Unreadable),
        ("mixed.key", Reason::KeyMismatch),
        ("nameless.pem", Reason::NoNames),
        ("old.pem", Reason::Expired),
    ];
    assert_eq!(faults, expected.map(|(file, reason)| (file.to_owned(), reason)));
    let said = desk.open(&pairs).unwrap_err().to_string();
    assert!(said.starts_with("8 things are wrong with the certificates:\n  "), "{said}");
    assert!(
        said.contains("good2.pem: is for *.ep-r.io, and so is ") && said.contains("good.pem; one"),
        "{said}"
    );
}

#[test]
fn what_replaces_a_pair_is_served_however_it_came() {
    let desk = Desk::new();
    let names = ["*.ep-r.io"];
    let pair = desk.put("edge", &desk.make(&names));
    let certificates = desk.open(std::slice::from_ref(&pair)).unwrap();
    let mut last = certificates.choose("a.ep-r.io").unwrap();
    let mut is_another = || {
        let news = certificates.look(desk.now);
        let next = certificates.choose("a.ep-r.io").unwrap();
        let is_another = !Arc::ptr_eq(&last, &next);
        assert_eq!(is_another, matches!(news[..], [News::Served { .. }]), "{news:?}");
        last = next;
        is_another
    };
    assert!(!is_another());
    // In place.
    desk.put("edge", &desk.make(&names));
    assert!(is_another() && !is_another());
    // By renames.
    let new = desk.put("new", &desk.make(&names));
    fs::rename(&new.key, &pair.key).unwrap();
    assert!(!is_another(), "a half-replaced pair changes nothing");
    fs::rename(&new.chain, &pair.chain).unwrap();
    assert!(is_another() && !is_another());
}

#[test]
fn a_mount_whose_link_moves_is_followed() {
    let desk = Desk::new();
    desk.put("..1/tls", &desk.make(&["*.ep-r.io"]));
    desk.put("..2/tls", &desk.make(&["*.ep-r.io"]));
    symlink("..1", desk.path("..data")).unwrap();
    for file in ["tls.pem", "tls.key"] {
        symlink(Path::new("..data").join(file), desk.path(file)).unwrap();
    }
    let certificates = desk.open_dir().unwrap();
    let first = certificates.choose("a.ep-r.io").unwrap();
    symlink("..2", desk.path("..data_tmp")).unwrap();
    fs::rename(desk.path("..data_tmp"), desk.path("..data")).unwrap();
    assert_eq!(certificates.look(desk.now).len(), 1);
    assert!(!Arc::ptr_eq(&first, &certificates.choose("a.ep-r.io").unwrap()));
}

#[test]
fn what_is_broken_is_told_once_and_the_last_good_one_is_served_on() {
    let desk = Desk::new();
    let pair = desk.put("edge", &desk.make(&["*.ep-r.io"]));
    let certificates = desk.open(std::slice::from_ref(&pair)).unwrap();
    let first = certificates.choose("a.ep-r.io").unwrap();
    let next = desk.make(&["*.ep-r.io"]);
    desk.write(&pair.chain, &next.chain[..200]);
    assert_eq!(certificates.look(desk.now), [], "it may be about to be whole");
    let half = [("edge.pem".to_owned(), Reason::Malformed)];
    assert_eq!(desk.wrong(&certificates.look(desk.now)), half);
    assert_eq!(certificates.look(desk.now), [], "told once");
    assert_eq!(certificates.faults().len(), 1);
    desk.write(&pair.chain, &next.chain);
    certificates.look(desk.now);
    let mismatch = [("edge.key".to_owned(), Reason::KeyMismatch)];
    assert_eq!(desk.wrong(&certificates.look(desk.now)), mismatch);
    assert!(Arc::ptr_eq(&first, &certificates.choose("a.ep-r.io").unwrap()));
    desk.write(&pair.key, &next.key);
    let news = certificates.look(desk.now);
    assert!(news.contains(&News::Mended { file: pair.key.clone() }), "{news:?}");
    assert!(!Arc::ptr_eq(&first, &certificates.choose("a.ep-r.io").unwrap()));
    assert_eq!(*certificates.faults(), []);
    // Files that go are no reason to stop.
    fs::remove_file(&pair.chain).unwrap();
    certificates.look(desk.now);
    assert_eq!(desk.wrong(&certificates.look(desk.now)), [("edge.pem".to_owned(), Reason::Unreadable)]);
    assert!(certificates.choose("a.ep-r.io").is_some());
}

#[test]
fn one_that_clients_would_refuse_replaces_none_they_take() {
    let desk = Desk::new();
    let pair = desk.put("edge", &desk.make(&["*.ep-r.io"]));
    let certificates = desk.open(&[pair]).unwrap();
    let first = certificates.choose("a.ep-r.io").unwrap();
    desk.put("edge", &desk.make_at(&["*.ep-r.io"], 3));
    certificates.look(desk.now);
    let early = [("edge.pem".to_owned(), Reason::NotYetValid)];
    assert_eq!(desk.wrong(&certificates.look(desk.now)), early);
    assert!(Arc::ptr_eq(&first, &certificates.choose("a.ep-r.io").unwrap()));
    certificates.look(desk.now + 4 * DAY);
    assert!(!Arc::ptr_eq(&first, &certificates.choose("a.ep-r.io").unwrap()), "its time has come");
}

#[test]
fn a_directory_gains_and_loses_certificates() {
    let desk = Desk::new();
    desk.put("a", &desk.make(&["a.ep-r.io"]));
    desk.put("below/tls", &desk.make(&["b.ep-r.io"]));
    let certificates = desk.open_dir().unwrap();
    assert!(certificates.choose("a.ep-r.io").is_some() && certificates.choose("b.ep-r.io").is_some());
    let c = desk.put("c", &desk.make(&["c.ep-r.io"]));
    assert_eq!(certificates.look(desk.now).len(), 1);
    assert!(certificates.choose("c.ep-r.io").is_some());
    // A name that is taken: who had it keeps it, until it goes.
    desk.put("0", &desk.make(&["a.ep-r.io"]));
    certificates.look(desk.now);
    let taken = [("0.pem".to_owned(), Reason::DuplicateName)];
    assert_eq!(desk.wrong(&certificates.look(desk.now)), taken);
    assert_eq!(file_of(&certificates, "a.ep-r.io").as_deref(), Some("a"));
    let a = desk.pair("a");
    fs::remove_file(&a.key).unwrap();
    certificates.look(desk.now);
    assert_eq!(file_of(&certificates, "a.ep-r.io").as_deref(), Some("a"), "half of it is still there");
    fs::remove_file(&a.chain).unwrap();
    let news = certificates.look(desk.now);
    assert!(news.contains(&News::Withdrawn { file: a.chain }), "{news:?}");
    assert_eq!(file_of(&certificates, "a.ep-r.io").as_deref(), Some("0"));
    // A directory that vanishes takes nothing with it.
    fs::remove_file(c.chain).unwrap();
    fs::remove_file(c.key).unwrap();
    let away = tempfile::tempdir().unwrap();
    fs::rename(desk.dir.path(), away.path().join("away")).unwrap();
    certificates.look(desk.now);
    assert_eq!(desk.wrong(&certificates.look(desk.now))[0], (String::new(), Reason::Unreadable));
    assert!(certificates.choose("a.ep-r.io").is_some());
    fs::rename(away.path().join("away"), desk.dir.path()).unwrap();
    certificates.look(desk.now);
    assert!(certificates.choose("c.ep-r.io").is_none());
}

#[test]
fn names_may_move_between_certificates_in_one_look() {
    let desk = Desk::new();
    desk.put("a", &desk.make(&["a.ep-r.io", "x.ep-r.io"]));
    desk.put("b", &desk.make(&["b.ep-r.io"]));
    let certificates = desk.open_dir().unwrap();
    desk.put("a", &desk.make(&["a.ep-r.io"]));
    desk.put("b", &desk.make(&["b.ep-r.io", "x.ep-r.io"]));
    certificates.look(desk.now);
    assert_eq!(*certificates.faults(), []);
    assert_eq!(file_of(&certificates, "x.ep-r.io").as_deref(), Some("b"));
}

#[test]
fn the_end_of_a_certificate_is_foretold_in_steps() {
    let desk = Desk::new();
    let pair = desk.put("edge", &desk.make_at(&["*.ep-r.io"], 0));
    let certificates = desk.open(std::slice::from_ref(&pair)).unwrap();
    let told = |day: u32| {
        certificates.look(desk.now + day * DAY).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let named = |end: &str| vec![format!("the certificate in {} {end}", pair.chain.display())];
    assert_eq!(told(75), Vec::<String>::new());
    assert_eq!(told(76), named("expires in 14 days"));
    assert_eq!(told(80), Vec::<String>::new());
    assert_eq!(told(88), named("expires in 2 days"));
    assert_eq!(told(90), named("has expired, and clients refuse it"));
    assert_eq!(told(91), Vec::<String>::new());
    let served = certificates.choose("a.ep-r.io").unwrap();
    assert!((served.days_left(desk.now + 91 * DAY) + 1.0).abs() < 1e-9);
}
