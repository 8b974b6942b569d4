//! What runtimes report.

use std::collections::HashSet;

use proto::{BackendAddr, ProjectId};

use super::{Changed, Error, Kind, Prepared, Service, keys};
use crate::domain::deployment::ReportDraft;
use crate::domain::{Deployment, Faults, Lease, LeaseId, Package};
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
        let current = asked.report.judge_generation(&found.record);
        current.map_err(|broken| Error::refused("generation", broken.rule, broken.message))?;
        self.know_executables(&mut found.record, &asked.report).await?;
        let already = held_under(&found.record, &lease);
        let (judged, mut refused) = (asked.report.judge(&found.record, &self.rules, faults), Faults::new());
        let claims = &asked.report.backends;
        let claims = self.claim_backends(project, claims, "backends", &already, &mut refused).await?;
        let (report, invalid) = match judged {
            Ok(report) => (Some(report), Faults::new()),
            Err(faults) => (None, faults),
        };
        Error::of(invalid, Faults::new(), refused)?;
        if let Some(report) = report {
            found.record.report(report, &lease, self.now());
        }
        // The lease is relied on: what is reported under one that is being closed would be void unseen.
        let batch =
            Batch::new().with(self.put_deployment(&found)?).check(lease_key, Expect::At(held.version));
        let batch = claims.into_iter().fold(batch, Batch::with);
        Ok(Prepared::new(found.record, batch, false))
    }

    /// Records of earlier versions do not say what executables there are; the package does.
    async fn know_executables(&self, deployment: &mut Deployment, report: &ReportDraft) -> Result<(), Error> {
        if report.executables.is_empty() || !deployment.executables.is_empty() {
            return Ok(());
        }
        let (project, of) = (&deployment.project, &deployment.package);
        let key = keys::package(project, &of.name, &of.version);
        let package = self.load::<Package>(Kind::Package, &key).await?;
        let plan = package.as_ref().and_then(|package| package.record.plan(of.plan.as_str()));
        if let Some(plan) = plan {
            deployment.know_executables(plan);
        }
        Ok(())
    }
}

/// Addresses the deployment has anyway, or that this lease has said it has.
fn held_under(deployment: &Deployment, lease: &LeaseId) -> HashSet<BackendAddr> {
    let held = deployment.endpoints.iter().flat_map(|endpoint| {
        let reported = endpoint.reported.iter().filter(|reported| reported.lease == *lease);
        endpoint.fixed.iter().chain(reported.flat_map(|reported| &reported.backends))
    });
    held.map(|backend| backend.address).collect()
}
