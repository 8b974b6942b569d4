//! That no deployment comes to depend on itself, however far around.
//!
//! What is created is depended on by nobody yet, and closes no circle; only an update that adds a parent
//! can. Two of them that are judged at the same moment could close one together without either seeing it.
//! So every such update writes one record of its project, under the version it had before the parents'
//! parents were looked at: of two at once, one is judged anew, by what the other has done. Reports and
//! binds, which change the parents' records all the time, do not come in between.

use std::collections::HashMap;

use super::super::{Error, Kind, Service, keys, stored};
use super::around::Around;
use crate::domain::deployment::cycle_through;
use crate::domain::{Deployment, DeploymentGuid};
use crate::store::{Expect, Op, Operation};

/// Deployments looked at for one update, parents' parents and all.
const MOST_ANCESTORS: usize = 1_000;

impl Service {
    /// Notes whether the parents `around` has beside those of `before` depend on `before` in turn, and what
    /// the commit must say so that it stays as it was seen.
    pub(super) async fn look_for_cycles(
        &self,
        before: &Deployment,
        around: &mut Around,
    ) -> Result<(), Error> {
        let had = |guid: &DeploymentGuid| before.depends.iter().any(|on| on.deployment == *guid);
        let parents = around.parents.iter().flatten().map(|parent| parent.record.guid.clone());
        let added: Vec<_> = parents.filter(|guid| !had(guid)).collect();
        if added.is_empty() {
            return Ok(());
        }
        let key = keys::dependencies(&before.project);
        let version = self.store.get(&key).await?.map(|found| found.version);
        let expect = version.map_or(Expect::Absent, Expect::At);
        let op = Op::Put(stored(Kind::Index, &before.guid)?.into());
        around.operations.push(Operation { key, expect, op });
        let Some(known) = self.ancestors(before, &added).await? else {
            let message = format!(
                "what it would depend on depends on more than {MOST_ANCESTORS} others, directly and through \
                 others; depend on fewer"
            );
            around.refused.add("spec.depends", "dependencies_too_deep", message);
            return Ok(());
        };
        let Some(way) = cycle_through(&before.name, &before.guid, &added, &known) else {
            return Ok(());
        };
        let way: Vec<_> = way.iter().map(|name| name.as_str()).collect();
        let message = format!(
            "deployments would depend on each other in a circle: {}; leave one of these dependencies out",
            way.join(" -> ")
        );
        around.refused.add("spec.depends", "dependency_cycle", message);
        Ok(())
    }

    /// The deployments `parents` are, and all that they depend on; none when there are too many.
    async fn ancestors(
        &self,
        of: &Deployment,
        parents: &[DeploymentGuid],
    ) -> Result<Option<HashMap<DeploymentGuid, Deployment>>, Error> {
        let mut known = HashMap::new();
        let mut due: Vec<DeploymentGuid> = parents.to_vec();
        while let Some(guid) = due.pop() {
            if guid == of.guid || known.contains_key(&guid) {
                continue;
            }
            if known.len() == MOST_ANCESTORS {
                return Ok(None);
            }
            let found =
                self.load::<Deployment>(Kind::Deployment, &keys::deployment(&of.project, &guid)).await?;
            if let Some(found) = found {
                due.extend(found.record.depends.iter().map(|on| on.deployment.clone()));
                known.insert(guid, found.record);
            }
        }
        Ok(Some(known))
    }
}
