use serde::de::DeserializeOwned;

use super::{Error, Kind, Service};
use crate::domain::record::decode;
use crate::store::Prefix;

/// Records read at once.
const PORTION: usize = 128;
/// Things named in a refusal, beyond which it is said that there are more.
const NAMED: usize = 5;

/// What stands against something, as it is named to people.
#[derive(Debug, Default)]
pub(super) struct Gathered(Vec<String>);

impl Gathered {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Whether more would change nothing in what is told.
    fn is_enough(&self) -> bool {
        self.0.len() > NAMED
    }

    /// One more.
    pub(super) fn add(&mut self, what: Option<String>) {
        if !self.is_enough() {
            self.0.extend(what);
        }
    }

    /// The first few in words; none when there are none.
    pub(super) fn told(&self) -> Option<String> {
        let named = self.0.get(..NAMED.min(self.0.len())).filter(|named| !named.is_empty())?;
        let more = if self.is_enough() { " and more" } else { "" };
        Some(format!("{}{more}", named.join(", ")))
    }
}

impl Service {
    /// Adds to `found` what `tell` tells of the records under `prefix`, until there is more than is named.
    pub(super) async fn gather<T: DeserializeOwned>(
        &self,
        kind: Kind,
        prefix: &Prefix,
        found: &mut Gathered,
        tell: impl Fn(T) -> Option<String>,
    ) -> Result<(), Error> {
        let mut after = None;
        while !found.is_enough() {
            let page = self.store.list(prefix, after.as_ref(), PORTION).await?;
            for entry in page.entries {
                found.add(tell(decode(kind.as_str(), &entry.value)?));
                after = Some(entry.key);
            }
            if !page.more {
                break;
            }
        }
        Ok(())
    }
}
