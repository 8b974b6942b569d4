//! Static routes by all that they are called.

use std::borrow::Cow;

use proto::ProjectId;

use super::super::{Error, Kind, Loaded, Service, keys};
use crate::domain::deployment::DeploymentDraft;
use crate::domain::record::GuidIndex;
use crate::domain::{StaticRoute, StaticRouteGuid, StaticRouteLabel};

impl Service {
    /// The static route with this name, host name or guid; the name with or without the organization's
    /// short id at its end, whether that is part of the label or not.
    pub(in crate::service) async fn find_static_route(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Loaded<StaticRoute>, Error> {
        let found = self.seek_static_route(project, name).await?;
        found.ok_or_else(|| Error::not_found(Kind::StaticRoute, name))
    }

    /// As [`Service::find_static_route`]; none when there is none.
    async fn seek_static_route(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Option<Loaded<StaticRoute>>, Error> {
        if let Ok(guid) = StaticRouteGuid::parse(name)
            && let Some(index) =
                self.load::<GuidIndex>(Kind::Index, &keys::guid(project, guid.as_str())).await?
            && let GuidIndex::StaticRoute { label } = index.record
        {
            return self.load_static_route(project, &label).await;
        }
        let Ok(label) = StaticRouteLabel::find(name, &self.rules.domains) else {
            return Ok(None);
        };
        let found = self.load_static_route(project, &label).await?;
        if found.is_some() || name.contains('.') {
            return Ok(found);
        }
        let short = self.organization_around(project).await?.record.short_id;
        let other = label.without_suffix(&short).or_else(|| label.with_suffix(&short).ok());
        match other {
            Some(other) => self.load_static_route(project, &other).await,
            None => Ok(None),
        }
    }

    /// `draft` with the labels of its static routes for whatever they are called in it. Those that are
    /// not there stay as they are, to be told.
    pub(in crate::service) async fn with_route_labels<'d>(
        &self,
        project: &ProjectId,
        draft: &'d DeploymentDraft,
    ) -> Result<Cow<'d, DeploymentDraft>, Error> {
        let mut draft = Cow::Borrowed(draft);
        for index in 0..draft.static_routes.len() {
            let Some(binding) = draft.static_routes.get(index) else { break };
            let Some(found) = self.seek_static_route(project, &binding.static_route).await? else {
                continue;
            };
            let label = found.record.label.as_str();
            if label != binding.static_route
                && let Some(binding) = draft.to_mut().static_routes.get_mut(index)
            {
                label.clone_into(&mut binding.static_route);
            }
        }
        Ok(draft)
    }

    pub(in crate::service) async fn load_static_route(
        &self,
        project: &ProjectId,
        label: &StaticRouteLabel,
    ) -> Result<Option<Loaded<StaticRoute>>, Error> {
        self.load(Kind::StaticRoute, &keys::static_route(project, label)).await
    }
}
