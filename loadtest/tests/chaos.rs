//! A storm: everybody does what they should not, static routes move all the time, and no request of a sound
//! client to a sound backend fails or is answered by another.

use std::time::Duration;

use loadtest::chaos;
use loadtest::{Outcome, play};

#[test]
fn nobody_who_behaves_notices_those_who_do_not() -> Outcome {
    play(Duration::from_secs(180), async |stage| {
        // `load chaos` rages as long as one likes.
        // Longer than the proxy waits for those who stand still.
        let report = chaos::storm(stage, Duration::from_secs(13), 1).await?;
        assert!(report.wrong.is_empty(), "\n{}", report.table());
        let answered = |(what, count): &(String, u64)| what.starts_with("sound") && *count > 0;
        assert!(report.seen.iter().any(answered), "\n{}", report.table());
        for stands_still in ["Mute", "HalfHead"] {
            let timed_out = |what: &str| what.contains(stands_still) && what.contains("504 backend_timeout");
            assert!(
                report.seen.iter().any(|(what, _)| timed_out(what)),
                "{stands_still}:\n{}",
                report.table()
            );
        }
        Ok(())
    })
}
