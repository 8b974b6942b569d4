use crate::domain::{Chance, NoChance};

/// Random bytes of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoChance> {
        getrandom::fill(bytes).map_err(|error| NoChance(error.to_string()))
    }
}
