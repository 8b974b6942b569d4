use std::time::{Duration, SystemTime};

/// How long ago, in the one unit that matters: `42s`, `7m`, `3h`, `12d`. A dash when it is not known.
pub(crate) fn age(since: Option<SystemTime>, now: SystemTime) -> String {
    let Some(since) = since else { return "-".to_owned() };
    // A clock that is a little behind the server's makes no one younger than nothing.
    let seconds = now.duration_since(since).unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_enough() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (ago, text) in
            [(0, "0s"), (119, "119s"), (120, "2m"), (7_200, "2h"), (172_800, "2d"), (900_000, "10d")]
        {
            assert_eq!(age(Some(now - Duration::from_secs(ago)), now), text);
        }
        assert_eq!(age(None, now), "-");
        assert_eq!(age(Some(now + Duration::from_secs(5)), now), "0s");
    }
}
