//! A static route goes from one deployment to another and back, under load: no request fails, and each
//! switch has a receipt.

use std::time::Duration;

use loadtest::switch::{Move, Site, Switched};
use loadtest::{Outcome, play};

const LIMIT: Duration = Duration::from_secs(150);
/// `load switch` does as many as one likes.
const SWITCHES: u64 = 30;

fn no_request_fails(how: Move) -> Outcome {
    play(LIMIT, async |stage| {
        let mut site = Site::set_up(stage, 2).await?;
        let mut rows = Vec::new();
        for _ in 0..SWITCHES {
            rows.push(site.switch(how).await?);
        }
        let (answered, failures) = site.stop().await?;
        let shown: Vec<String> = rows.iter().map(Switched::row).collect();
        let shown = format!("{}\n{}", Switched::heading(), shown.join("\n"));
        assert!(failures.is_empty(), "{} of {answered} failed: {failures:?}\n{shown}", failures.len());
        assert!(rows.iter().all(Switched::is_clean), "{shown}");
        assert!(rows.iter().all(|row| row.applied.len() == 2 && row.by_new > 0), "{shown}");
        assert!(rows.is_sorted_by(|a, b| a.number < b.number && a.revision != b.revision), "{shown}");
        Ok(())
    })
}

#[test]
fn no_request_fails_when_a_route_is_bound_elsewhere() -> Outcome {
    no_request_fails(Move::Bind)
}

#[test]
fn no_request_fails_when_an_update_takes_a_route() -> Outcome {
    no_request_fails(Move::Update)
}
