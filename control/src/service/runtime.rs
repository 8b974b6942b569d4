//! What runtimes report.

use std::collections::HashMap;

use proto::ProjectId;

use super::{Changed, Error, Kind, Prepared, Service, keys};
use crate::domain::deployment::ReportDraft;
use crate::domain::{Deployment, Faults, Lease, LeaseId};
use crate::store::{Batch, Expect};

/// What a runtime says of a deployment.
#[derive(Debug, Clone, Default)]
pub struct ReportAsked {
    /// The lease it holds.
    pub lease: String,
    /// Name or guid of the deployment.
    pub deployment: String,
    /// What it says.
    pub report: ReportDraft,
}

impl Service {
    /// Takes in a report; `faults` are those its transport found.
    pub async fn report_deployment(
        &self,
        project: &ProjectId,
        asked: &ReportAsked,
        faults: Faults,
    ) -> Result<Changed<Deployment>, Error> {
        self.commit("the deployment", || self.prepare_report(project, asked, faults.clone())).await
    }

    /// Shows the reported backends of `deployments` as healthy as their leases let them be: those of a
    /// lapsed lease are unhealthy, those of a closed one are gone.
    pub async fn see_leases(&self, deployments: &mut [Deployment]) -> Result<(), Error> {
        let mut lapsed: HashMap<LeaseId, Option<bool>> = HashMap::new();
        for deployment in deployments {
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
        }
        Ok(())
    }

    async fn prepare_report(
        &self,
        project: &ProjectId,
        asked: &ReportAsked,
        faults: Faults,
    ) -> Result<Prepared<Deployment>, Error> {
        let mut found = self.find_live_deployment(project, &asked.deployment, "deployment").await?;
        let Ok(lease) = LeaseId::parse(&asked.lease) else {
            return Err(Error::not_found(Kind::Lease, &asked.lease));
        };
        let lease_key = keys::lease(project, &lease);
        let held = self.load::<Lease>(Kind::Lease, &lease_key).await?;
        let held = held.ok_or_else(|| Error::not_found(Kind::Lease, &asked.lease))?;
        let report = asked.report.judge(&found.record, &self.rules, faults).map_err(Error::Invalid)?;
        found.record.report(report, &lease, self.now());
        // The lease is relied on: what is reported under one that is being closed would be void unseen.
        let batch =
            Batch::new().with(self.put_deployment(&found)?).check(lease_key, Expect::At(held.version));
        Ok(Prepared::new(found.record, batch, false))
    }
}
