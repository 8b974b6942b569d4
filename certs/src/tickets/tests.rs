use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;
use crate::Reason;

const START: SystemTime = SystemTime::UNIX_EPOCH;

fn write(path: &Path, text: &str) {
    // Another file each time, whatever the clock of the file system.
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, path).unwrap();
}

fn at(periods: u32) -> SystemTime {
    START + PERIOD * periods
}

#[test]
fn a_ticket_is_good_for_its_period_and_the_next() {
    let tickets = Tickets::new(None, at(10)).unwrap();
    let ticket = tickets.encrypt(b"session").unwrap();
    assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    assert_ne!(tickets.encrypt(b"session").unwrap(), ticket);
    tickets.turn(at(11) - Duration::from_secs(1));
    tickets.turn(at(9));
    assert_eq!(tickets.ring.load().keys.len(), 1, "neither early nor backwards");
    tickets.turn(at(11));
    assert_eq!(tickets.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    tickets.turn(at(12));
    assert_eq!(tickets.decrypt(&ticket), None);
    let ticket = tickets.encrypt(b"session").unwrap();
    tickets.turn(at(20));
    assert_eq!(tickets.decrypt(&ticket), None, "a proxy that slept does not trust its old key");
}

#[test]
fn what_is_no_ticket_of_ours_opens_nothing() {
    let tickets = Tickets::new(None, START).unwrap();
    let ticket = tickets.encrypt(b"session").unwrap();
    for length in 0..ticket.len() {
        assert_eq!(tickets.decrypt(&ticket[..length]), None);
        let mut other = ticket.clone();
        other[length] ^= 1;
        assert_eq!(tickets.decrypt(&other), None);
    }
    assert_eq!(tickets.decrypt(&vec![0; 70_000]), None);
    let another = Tickets::new(None, START).unwrap();
    assert_eq!(another.decrypt(&ticket), None);
}

#[test]
fn a_fleet_that_shares_a_secret_shares_tickets_for_as_long() {
    let dir = tempfile::tempdir().unwrap();
    let (file, other) = (dir.path().join("tickets.key"), dir.path().join("other.key"));
    write(&file, &format!("# in use\n{}\n", "1f".repeat(32)));
    write(&other, &"2E".repeat(32));
    let open = |file: &Path, now| Tickets::new(Some(file.to_owned()), now).unwrap();
    let (one, two) = (open(&file, at(5)), open(&file, at(5)));
    let ticket = one.encrypt(b"session").unwrap();
    assert_eq!(two.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    assert_eq!(open(&other, at(5)).decrypt(&ticket), None);
    // Clocks that differ at the turn of a period, and the one before.
    assert_eq!(open(&file, at(4)).decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    two.turn(at(6));
    assert_eq!(two.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    assert_ne!(two.encrypt(b"x").unwrap()[..16], ticket[..16]);
    two.turn(at(7));
    assert_eq!(two.decrypt(&ticket), None);
}

#[test]
fn secrets_are_replaced_while_both_open() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tickets.key");
    let (old, new) = ("11".repeat(32), "22".repeat(32));
    write(&file, &old);
    let tickets = Tickets::new(Some(file.clone()), START).unwrap();
    let ticket = tickets.encrypt(b"session").unwrap();
    write(&file, &format!("{new}\n{old}\n"));
    assert!(tickets.turn(START).renewed && !tickets.turn(START).renewed);
    assert!(tickets.decrypt(&ticket).is_some());
    let second = tickets.encrypt(b"session").unwrap();
    write(&file, "not a secret");
    let turned = tickets.turn(START);
    assert_eq!(turned.fault.map(|fault| fault.reason), Some(Reason::Malformed));
    assert!(tickets.decrypt(&ticket).is_some(), "the last good ones go on");
    write(&file, &new);
    assert!(tickets.turn(START).fault.is_none());
    assert!(tickets.decrypt(&ticket).is_none() && tickets.decrypt(&second).is_some());
}

#[test]
fn a_file_that_others_may_read_or_that_holds_no_secrets_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tickets.key");
    for (text, reason) in [
        (String::new(), Reason::Malformed),
        ("12".repeat(31), Reason::Malformed),
        (format!("{}x", "12".repeat(32)), Reason::Malformed),
        ("xy".repeat(32), Reason::Malformed),
        (format!("{}\n", "12".repeat(32)).repeat(9), Reason::Malformed),
    ] {
        write(&file, &text);
        let refused = Tickets::new(Some(file.clone()), START).unwrap_err();
        assert!(matches!(&refused, CertsError::Files(faults) if faults[0].reason == reason), "{refused}");
    }
    write(&file, &"12".repeat(32));
    assert!(Tickets::new(Some(file.clone()), START).is_ok());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = Tickets::new(Some(file), START).unwrap_err().to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
}
