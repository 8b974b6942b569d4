use proto::wire;
use proto::wire::static_route_service_server::StaticRouteService;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{Parts, named};
use crate::auth::Access;
use crate::convert::{page_in, page_out, static_route};
use crate::domain::{Faults, StaticRoute};
use crate::service::{BindAsked, Listed};

impl Parts {
    /// A static route as it is shown.
    async fn seen(&self, route: StaticRoute) -> Result<wire::StaticRoute, Status> {
        let viewed = self.service.view_static_route(route).await.map_err(|error| status(&error))?;
        Ok(static_route::message(viewed, self.service.rules()))
    }
}

#[tonic::async_trait]
impl StaticRouteService for Parts {
    async fn create_static_route(
        &self,
        request: Request<wire::CreateStaticRouteRequest>,
    ) -> Result<Response<wire::StaticRoute>, Status> {
        let asked = request.get_ref().static_route.as_ref().and_then(|route| route.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let creator = self.caller(&request).await?.user;
        let wire::CreateStaticRouteRequest { static_route, dry_run } = request.into_inner();
        let draft = static_route::draft(static_route.unwrap_or_default(), creator);
        let created = self.service.create_static_route(&project, &draft, Faults::new(), dry_run).await;
        let created = created.map_err(|error| status(&error))?;
        Ok(Response::new(self.seen(created).await?))
    }

    async fn get_static_route(
        &self,
        request: Request<wire::GetStaticRouteRequest>,
    ) -> Result<Response<wire::StaticRoute>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let found = self.service.get_static_route(&project, &request.get_ref().name).await;
        let found = found.map_err(|error| status(&error))?;
        Ok(Response::new(self.seen(found).await?))
    }

    async fn list_static_routes(
        &self,
        request: Request<wire::ListStaticRoutesRequest>,
    ) -> Result<Response<wire::ListStaticRoutesResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let request = request.into_inner();
        let asked = page_in(request.page, request.filter);
        let listed = self.service.list_static_routes(&project, &asked).await;
        let Listed { items, next } = listed.map_err(|error| status(&error))?;
        let items = self.service.view_static_routes(items).await.map_err(|error| status(&error))?;
        let (listed, rules) = (Listed { items, next }, self.service.rules());
        let (static_routes, page) = page_out(listed, |route| static_route::message(route, rules));
        Ok(Response::new(wire::ListStaticRoutesResponse { static_routes, page }))
    }

    async fn update_static_route(
        &self,
        request: Request<wire::UpdateStaticRouteRequest>,
    ) -> Result<Response<wire::UpdateStaticRouteResponse>, Status> {
        let asked = request.get_ref().static_route.as_ref().and_then(|route| route.metadata.as_ref());
        let project = self.project(&request, named(asked), Access::Change).await?;
        let wire::UpdateStaticRouteRequest { static_route, wait } = request.into_inner();
        let wait = self.wait(wait)?;
        let guid = static_route.as_ref().and_then(|route| Some(route.metadata.as_ref()?.guid.clone()));
        let draft = static_route::draft(static_route.unwrap_or_default(), None);
        let name = guid.filter(|guid| !guid.is_empty()).unwrap_or_else(|| draft.name.clone());
        let changed = self.service.update_static_route(&project, &name, &draft, Faults::new()).await;
        let changed = changed.map_err(|error| status(&error))?;
        let receipt = Some(self.receipt(changed.revision, wait).await);
        let static_route = Some(self.seen(changed.record).await?);
        Ok(Response::new(wire::UpdateStaticRouteResponse { static_route, receipt }))
    }

    async fn delete_static_route(
        &self,
        request: Request<wire::DeleteStaticRouteRequest>,
    ) -> Result<Response<wire::DeleteStaticRouteResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Change).await?;
        let deleted = self.service.delete_static_route(&project, &request.get_ref().name).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteStaticRouteResponse {}))
    }

    async fn bind_static_route(
        &self,
        request: Request<wire::BindStaticRouteRequest>,
    ) -> Result<Response<wire::BindStaticRouteResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Change).await?;
        let wire::BindStaticRouteRequest { name, deployment, endpoint, r#move, wait, .. } =
            request.into_inner();
        let wait = self.wait(wait)?;
        let asked = BindAsked { static_route: name, deployment, endpoint, move_it: r#move };
        let bound = self.service.bind_static_route(&project, &asked).await;
        let bound = bound.map_err(|error| status(&error))?;
        let receipt = Some(self.receipt(bound.revision, wait).await);
        let static_route = Some(self.seen(bound.record).await?);
        Ok(Response::new(wire::BindStaticRouteResponse { static_route, receipt }))
    }

    async fn unbind_static_route(
        &self,
        request: Request<wire::UnbindStaticRouteRequest>,
    ) -> Result<Response<wire::UnbindStaticRouteResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Change).await?;
        let wire::UnbindStaticRouteRequest { name, wait, .. } = request.into_inner();
        let wait = self.wait(wait)?;
        let unbound = self.service.unbind_static_route(&project, &name).await;
        let unbound = unbound.map_err(|error| status(&error))?;
        let receipt = Some(self.receipt(unbound.revision, wait).await);
        let static_route = Some(self.seen(unbound.record).await?);
        Ok(Response::new(wire::UnbindStaticRouteResponse { static_route, receipt }))
    }
}
