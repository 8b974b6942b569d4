//! Deployments as they are shown, with what follows from others' records.

use std::collections::HashMap;

use super::super::{Error, Kind, Service, keys};
use crate::domain::deployment::ViewedDeployment;
use crate::domain::{Deployment, DeploymentGuid, Lease, LeaseId};

/// Whether leases have lapsed; none of those that are closed.
type Lapsed = HashMap<LeaseId, Option<bool>>;

impl Service {
    /// All there is to show of a deployment: see [`Service::view_deployments`].
    pub async fn view_deployment(&self, deployment: Deployment) -> Result<ViewedDeployment, Error> {
        let (guid, name) = (deployment.guid.clone(), deployment.name.clone());
        let mut viewed = self.view_deployments(vec![deployment]).await?;
        let viewed = viewed.pop().filter(|viewed| viewed.deployment.guid == guid);
        viewed.ok_or_else(|| Error::not_found(Kind::Deployment, name.as_str()))
    }

    /// All there is to show of deployments, in their order: what their executables see, how those do that
    /// they depend on, and reported backends as healthy as their leases let them be (those of a lapsed lease
    /// are unhealthy, those of a closed one are gone).
    ///
    /// Each parent and each lease is looked up once, however many depend on it.
    pub async fn view_deployments(
        &self,
        deployments: Vec<Deployment>,
    ) -> Result<Vec<ViewedDeployment>, Error> {
        let mut lapsed = Lapsed::new();
        let mut known: HashMap<DeploymentGuid, Deployment> = HashMap::new();
        let mut viewed = Vec::with_capacity(deployments.len());
        for mut deployment in deployments {
            self.see_leases(&mut deployment, &mut lapsed).await?;
            for on in &deployment.depends {
                if known.contains_key(&on.deployment) {
                    continue;
                }
                let key = keys::deployment(&deployment.project, &on.deployment);
                if let Some(parent) = self.load::<Deployment>(Kind::Deployment, &key).await? {
                    known.insert(on.deployment.clone(), parent.record);
                }
            }
            viewed.push(ViewedDeployment::of(deployment, &known, &self.rules));
        }
        Ok(viewed)
    }

    async fn see_leases(&self, deployment: &mut Deployment, lapsed: &mut Lapsed) -> Result<(), Error> {
        for endpoint in &mut deployment.endpoints {
            let Some(reported) = &mut endpoint.reported else {
                continue;
            };
            if !lapsed.contains_key(&reported.lease) {
                let key = keys::lease(&deployment.project, &reported.lease);
                let lease = self.load::<Lease>(Kind::Lease, &key).await?;
                lapsed.insert(reported.lease.clone(), lease.map(|lease| lease.record.lapsed));
            }
            match lapsed.get(&reported.lease).copied().flatten() {
                Some(false) => {}
                Some(true) => reported.backends.iter_mut().for_each(|backend| backend.healthy = false),
                None => endpoint.reported = None,
            }
        }
        Ok(())
    }

    /// Drops from a record what was reported under leases that are closed: it is void, and no runtime has
    /// to do with it.
    pub(super) async fn forget_closed_leases(&self, deployment: &mut Deployment) -> Result<(), Error> {
        for endpoint in &mut deployment.endpoints {
            if let Some(reported) = &endpoint.reported {
                let key = keys::lease(&deployment.project, &reported.lease);
                if self.store.get(&key).await?.is_none() {
                    endpoint.reported = None;
                }
            }
        }
        Ok(())
    }
}
