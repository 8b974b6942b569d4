//! Static routes as they are shown.

use std::collections::HashMap;

use super::super::{Error, Kind, Service, keys};
use crate::domain::{Deployment, Package, PackageGuid, StaticRoute};

/// A static route with what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewedStaticRoute {
    /// As it is stored.
    pub route: StaticRoute,
    /// The package that the deployment is of which it serves now.
    pub package: Option<PackageGuid>,
}

impl Service {
    /// A static route as it is shown.
    pub async fn view_static_route(&self, route: StaticRoute) -> Result<ViewedStaticRoute, Error> {
        let package = self.package_behind(&route).await?;
        Ok(ViewedStaticRoute { route, package })
    }

    /// Static routes as they are shown; each deployment is looked at once.
    pub async fn view_static_routes(
        &self,
        routes: Vec<StaticRoute>,
    ) -> Result<Vec<ViewedStaticRoute>, Error> {
        let (mut seen, mut viewed) = (HashMap::new(), Vec::with_capacity(routes.len()));
        for route in routes {
            let deployment = route.bound_to.as_ref().map(|bound| bound.deployment.clone());
            let package = match seen.get(&deployment) {
                Some(package) => Option::clone(package),
                None => self.package_behind(&route).await?,
            };
            seen.insert(deployment, package.clone());
            viewed.push(ViewedStaticRoute { route, package });
        }
        Ok(viewed)
    }

    async fn package_behind(&self, route: &StaticRoute) -> Result<Option<PackageGuid>, Error> {
        let Some(bound) = &route.bound_to else {
            return Ok(None);
        };
        let key = keys::deployment(&route.project, &bound.deployment);
        let Some(deployment) = self.load::<Deployment>(Kind::Deployment, &key).await? else {
            return Ok(None);
        };
        let used = deployment.record.package;
        let key = keys::package(&route.project, &used.name, &used.version);
        let package = self.load::<Package>(Kind::Package, &key).await?;
        Ok(package.map(|package| package.record.guid))
    }
}
