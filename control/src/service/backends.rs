//! Backend addresses, which belong to one project at a time.

use std::collections::HashSet;

use proto::{BackendAddr, ProjectId};

use super::{Error, Kind, Service, keys, stored};
use crate::addresses::Standing;
use crate::domain::Faults;
use crate::domain::deployment::EndpointBackendsDraft;
use crate::domain::guid::built_in_project;
use crate::domain::record::AddressOwner;
use crate::store::{Expect, Op, Operation};

/// How often an address that is being taken back is looked at again.
const ATTEMPTS: u32 = 8;

impl Service {
    /// What a commit says that makes a deployment of `project` use the addresses in `asked`, which stand
    /// at `field`, beside those it uses already; what stands against that is added to `refused`.
    ///
    /// There is one operation for each address that is new to the deployment, and none where it gives one up.
    pub(super) async fn claim_backends(
        &self,
        project: &ProjectId,
        asked: &[EndpointBackendsDraft],
        field: &str,
        already: &HashSet<BackendAddr>,
        refused: &mut Faults,
    ) -> Result<Vec<Operation>, Error> {
        let new = new_addresses(asked, field, already);
        let most = self.addresses.most_new();
        if new.len() > most {
            let message = format!(
                "names {} addresses that are new to the deployment; one change may name {most}: name some now \
                 and the others in another change",
                new.len()
            );
            refused.add(field, "too_many_new_backends", message);
            return Ok(Vec::new());
        }
        let mut operations = Vec::with_capacity(new.len());
        for (field, address) in new {
            operations.extend(self.claim_backend(project, &field, address, refused).await?);
        }
        Ok(operations)
    }

    async fn claim_backend(
        &self,
        project: &ProjectId,
        field: &str,
        address: BackendAddr,
        refused: &mut Faults,
    ) -> Result<Option<Operation>, Error> {
        let key = keys::backend_address(address);
        for _ in 0..ATTEMPTS {
            let owner = self.load::<AddressOwner>(Kind::Index, &key).await?;
            let expect = owner.as_ref().map_or(Expect::Absent, |owner| Expect::At(owner.version));
            let owned = AddressOwner { project: project.clone(), contested: false };
            if owner.as_ref().is_some_and(|owner| owner.record == owned) {
                return Ok(Some(Operation { key, expect, op: Op::Check }));
            }
            let is_ours = owner.as_ref().is_some_and(|owner| owner.record.project == *project);
            // Deployments from before addresses had owners are all of the built-in project.
            if !is_ours && (owner.is_some() || *project != built_in_project()) {
                match self.addresses.standing(project, address).await? {
                    Standing::Free if owner.is_some() => {
                        self.addresses.take_back(address).await?;
                        continue;
                    }
                    Standing::Free => {}
                    taken => {
                        told(taken, field, address, refused);
                        return Ok(None);
                    }
                }
            }
            let op = Op::Put(stored(Kind::Index, &owned)?.into());
            return Ok(Some(Operation { key, expect, op }));
        }
        Err(Error::Concurrent { what: "who uses a backend address", attempts: ATTEMPTS })
    }
}

/// The addresses that are not used already, each once, with where it stands. What is no address is told
/// elsewhere.
fn new_addresses(
    asked: &[EndpointBackendsDraft],
    field: &str,
    already: &HashSet<BackendAddr>,
) -> Vec<(String, BackendAddr)> {
    let (mut seen, mut new) = (already.clone(), Vec::new());
    for (i, endpoint) in asked.iter().enumerate() {
        for (j, (text, _)) in endpoint.backends.iter().enumerate() {
            if let Ok(address) = text.parse::<BackendAddr>()
                && seen.insert(address)
            {
                new.push((format!("{field}[{i}].backends[{j}].address"), address));
            }
        }
    }
    new
}

/// Says what stands against an address, and nothing of whose it is.
fn told(standing: Standing, field: &str, address: BackendAddr, refused: &mut Faults) {
    match standing {
        Standing::Free => {}
        Standing::InUse => {
            let message =
                format!("{address} is in use by a deployment of another project; each project has its own");
            refused.add(field, "backend_in_use", message);
        }
        Standing::Quarantined(rest) => {
            let message = format!(
                "{address} was in use by another project until a moment ago; it can be used here in {} s, when \
                 what still knows it of old has forgotten it",
                rest.as_secs() + 1
            );
            refused.add(field, "backend_quarantined", message);
        }
    }
}
