//! What the rules depend on that an operator may set.

use proto::Hostname;

use super::{BackendNetworks, PublicPorts, Reserved};

/// Settings the rules are judged by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Domains names are served under; the first is the primary one. Never empty.
    pub domains: Vec<Hostname>,
    /// Ports clients use.
    pub ports: PublicPorts,
    /// Names nobody may claim.
    pub reserved: Reserved,
    /// Whether the names of static routes end with the short id of their organization.
    pub organization_suffix: bool,
    /// Where backends may be.
    pub networks: BackendNetworks,
    /// Most backends of one endpoint.
    pub backends_per_endpoint: usize,
}
