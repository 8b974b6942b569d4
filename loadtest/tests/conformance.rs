//! The quick kits of `loadtest/conformance` that are made of nothing but cases of ours, as ordinary tests.

use std::time::Duration;

use loadtest::tools::{conformance, finish_within};
use loadtest::{Outcome, play};

const LIMIT: Duration = Duration::from_secs(150);

fn holds(kit: &str) -> Outcome {
    play(LIMIT, async |_| {
        let told = finish_within(conformance(&[kit])?, b"", LIMIT).await?.success()?;
        // "KIT ours: 4311 passed, 0 failed in 11 s"
        let passed = told.split_once(": ").and_then(|(_, rest)| rest.split_once(" passed"));
        let passed: u32 = passed.map_or("", |(passed, _)| passed).parse()?;
        assert!(passed > 100, "{told}");
        Ok(())
    })
}

#[test]
fn no_request_is_read_in_two_ways() -> Outcome {
    holds("smuggling")
}

#[test]
fn a_hello_in_any_cut_and_shape_is_served_or_refused() -> Outcome {
    holds("hello")
}

#[test]
fn nobody_speaks_for_another() -> Outcome {
    holds("forwarded")
}
