use crate::limits::Place;
use crate::refusal::Refusal;

/// What a connection's requests take beyond the first, each as much as a connection: its backend's descriptor is
/// as real as that of a client of its own.
///
/// They are kept while the connection is busy, so that a client that always has many requests under way takes
/// them once.
#[derive(Default)]
pub(super) struct Places(Vec<Place>);

impl Places {
    /// Has room for so many requests. The first one needs none of its own: the connection has a place.
    ///
    /// # Errors
    /// What `another` says.
    pub(super) fn fit(
        &mut self,
        serving: usize,
        another: impl FnOnce() -> Result<Place, Refusal>,
    ) -> Result<(), Refusal> {
        if serving > self.0.len() + 1 {
            self.0.push(another()?);
        }
        Ok(())
    }

    /// Only so many requests are left.
    pub(super) fn shrink(&mut self, serving: usize) {
        if serving == 0 {
            self.0 = Vec::new();
        } else if self.0.len() >= 2 * serving {
            self.0.truncate(serving - 1);
        }
    }
}
