//! What may be had, and when again, as the command line says it.

use control::Config;
use control::config::{AddressLimits, Reserved, SweepLimits};

use crate::args::NameArgs;
use crate::failure::Failure;

impl NameArgs {
    /// `config` with what is said here.
    pub(super) fn within(&self, config: Config) -> Result<Config, Failure> {
        Ok(Config {
            reserved: self.reserved()?,
            organization_suffix: self.organization_suffix,
            addresses: AddressLimits { quarantine: self.quarantine, ..config.addresses },
            sweep: SweepLimits { tombstone: self.tombstone, ..config.sweep },
            ..config
        })
    }

    fn reserved(&self) -> Result<Reserved, Failure> {
        let Some(file) = &self.reserved_words else {
            return Ok(Reserved::default());
        };
        let told = |why: &dyn std::fmt::Display| {
            Failure::refused(format_args!("{}, which --reserved-words names: {why}", file.display()))
        };
        let text = std::fs::read_to_string(file).map_err(|error| told(&error))?;
        Reserved::read(&text).map_err(|faults| told(&faults))
    }
}
