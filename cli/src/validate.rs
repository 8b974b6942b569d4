//! `epr validate`: manifests judged without a server.

use crate::args::ValidateArgs;
use crate::failure::Failure;

pub(crate) fn run(_args: &ValidateArgs) -> Result<(), Failure> {
    Ok(())
}
