use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// Which deployments have had a static route, and until when they may have been asked over it.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<Vec<Span>>);

#[derive(Debug)]
struct Span {
    to: String,
    /// When every proxy had acknowledged that it leads elsewhere.
    until: Option<Instant>,
}

impl History {
    /// It is about to go to `to`, who may be asked from now on.
    pub(super) fn moves(&self, to: &str) {
        self.spans(|spans| spans.push(Span { to: to.to_owned(), until: None }));
    }

    /// Every proxy has acknowledged the last move.
    pub(super) fn has_moved(&self) {
        self.spans(|spans| {
            let now = Instant::now();
            let last = spans.len().saturating_sub(1);
            spans.iter_mut().take(last).for_each(|span| {
                span.until.get_or_insert(now);
            });
        });
    }

    /// Whether `by` may have answered a request that was sent then.
    pub(super) fn may(&self, by: &str, sent: Instant) -> bool {
        self.spans(|spans| {
            spans.iter().any(|span| span.to == by && span.until.is_none_or(|until| sent <= until))
        })
    }

    fn spans<T>(&self, with: impl FnOnce(&mut Vec<Span>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_had_it_may_have_answered_what_was_sent_before_the_move_was_over() {
        let (history, before) = (History::default(), Instant::now());
        history.moves("a");
        history.has_moved();
        history.moves("b");
        assert!(history.may("a", Instant::now()) && history.may("b", before), "while it moves, either");
        history.has_moved();
        let after = Instant::now() + Duration::from_secs(1);
        assert!(history.may("a", before) && !history.may("a", after) && history.may("b", after));
        assert!(!history.may("c", before));
    }
}
