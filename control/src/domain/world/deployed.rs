//! A live deployment, reduced to what its routes need: there may be a million of them.

use proto::{Backend, BackendProtocol, DeploymentId, EdgeProtocol, EndpointName, ProjectId};

use crate::domain::deployment::{DeployedEndpoint, StoredBackend};
use crate::domain::label::Label;
use crate::domain::package::EndpointKind;
use crate::domain::{Deployment, LeaseId};

#[derive(Debug, Clone)]
pub(super) struct Deployed {
    pub(super) id: DeploymentId,
    pub(super) project: ProjectId,
    pub(super) endpoints: Box<[Exposed]>,
}

/// An external endpoint.
#[derive(Debug, Clone)]
pub(super) struct Exposed {
    pub(super) name: EndpointName,
    pub(super) protocol: EdgeProtocol,
    pub(super) backend_protocol: BackendProtocol,
    pub(super) random: Option<Label>,
    pub(super) fixed: Box<[Backend]>,
    pub(super) reported: Option<(LeaseId, Box<[Backend]>)>,
}

impl Deployed {
    pub(super) fn read(record: Deployment, project: ProjectId) -> Option<Self> {
        let id = DeploymentId::parse(record.guid.as_str())?;
        let endpoints = record.endpoints.into_iter().filter_map(Exposed::read).collect();
        Some(Self { id, project, endpoints })
    }

    pub(super) fn endpoint(&self, name: &str) -> Option<&Exposed> {
        self.endpoints.iter().find(|endpoint| endpoint.name.as_str() == name)
    }

    /// The random labels, each with the index of its endpoint.
    pub(super) fn random_labels(&self) -> impl Iterator<Item = (usize, &Label)> {
        self.endpoints.iter().enumerate().filter_map(|(i, endpoint)| Some((i, endpoint.random.as_ref()?)))
    }

    /// The leases its backends depend on; one may come twice.
    pub(super) fn leases(&self) -> impl Iterator<Item = &LeaseId> {
        self.endpoints.iter().filter_map(|endpoint| endpoint.reported.as_ref().map(|(lease, _)| lease))
    }
}

impl Exposed {
    /// None for internal endpoints, which have no routes.
    fn read(endpoint: DeployedEndpoint) -> Option<Self> {
        let EndpointKind::External { protocol, backend_protocol, .. } = endpoint.kind else {
            return None;
        };
        let backends =
            |stored: Vec<StoredBackend>| stored.into_iter().map(Backend::from).collect::<Box<[_]>>();
        Some(Self {
            name: EndpointName::parse(endpoint.name.as_str())?,
            protocol,
            backend_protocol,
            random: endpoint.random.map(|label| label.as_label()),
            fixed: backends(endpoint.fixed),
            reported: endpoint.reported.map(|reported| (reported.lease, backends(reported.backends))),
        })
    }
}
