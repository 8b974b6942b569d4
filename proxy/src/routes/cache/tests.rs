use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::routes::Routes;
use crate::routes::tests::{bound, unbound};

fn table(names: usize) -> (std::sync::Arc<Routes>, RouteUpdate) {
    let update = RouteUpdate {
        revision: Revision::new(Epoch(7), 42),
        base: None,
        upserts: (0..names)
            .map(|n| match n % 3 {
                0 => unbound(&format!("n{n}.ep-r.io")),
                _ => bound(&format!("n{n}.ep-r.io"), "dep-a", &["10.0.0.1:80", "10.0.0.2:80"]),
            })
            .collect(),
        removals: Vec::new(),
    };
    let routes = Routes::new();
    routes.apply(update.clone()).unwrap();
    (routes, update)
}

fn sorted(mut update: RouteUpdate) -> RouteUpdate {
    update.upserts.sort_by(|a, b| a.hostname.cmp(&b.hostname));
    update
}

#[test]
fn what_was_saved_is_loaded_and_nobody_else_may_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("routes.cache");
    assert!(load(&path).unwrap().is_none());
    fs::write(beside(&path), "left by a crash").unwrap();
    let (routes, update) = table(100);
    save(&path, &routes.table()).unwrap();
    save(&path, &routes.table()).unwrap();
    assert_eq!(sorted(load(&path).unwrap().unwrap()), sorted(update));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_table_at_no_revision_is_not_saved() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("routes.cache");
    save(&path, &Routes::new().table()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_file_cut_short_anywhere_or_with_any_bit_changed_or_a_byte_more_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("routes.cache");
    let (routes, _) = table(3);
    save(&path, &routes.table()).unwrap();
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        let read = read_table(&good[..length]).unwrap();
        assert!(matches!(read, Err(Damage::Length)), "{length}: {read:?}");
    }
    for bit in 0..8 * good.len() {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(read_table(bad.as_slice()).unwrap().is_err(), "bit {bit}");
    }
    let longer = [good.as_slice(), b"x"].concat();
    assert!(matches!(read_table(longer.as_slice()).unwrap(), Err(Damage::Length)));
    assert!(read_table(good.as_slice()).unwrap().is_ok());
}

#[test]
fn a_newer_format_is_told_as_such() {
    let future = [b"EPRROUTE".as_slice(), &2_u32.to_le_bytes(), &[0; 100]].concat();
    assert!(matches!(read_table(future.as_slice()).unwrap(), Err(Damage::Version(2))));
    assert!(matches!(read_table([0; 100].as_slice()).unwrap(), Err(Damage::Magic)));
}

#[test]
fn an_unwritable_place_is_an_error_not_a_crash() {
    let (routes, _) = table(3);
    assert!(save(Path::new("/proc/no/such/routes.cache"), &routes.table()).is_err());
    assert!(matches!(load(Path::new("/proc")), Err(CacheError::Io { .. })));
}
