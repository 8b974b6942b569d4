use proto::wire::route_service_server::RouteService;
use proto::{Hostname, wire};
use tonic::{Request, Response, Status};

use super::Parts;
use super::status::status;
use crate::auth::Access;
use crate::convert::page_in;
use crate::domain::Faults;
use crate::domain::explain::{Explanation, explain};
use crate::service::Error;

#[tonic::async_trait]
impl RouteService for Parts {
    async fn list_routes(
        &self,
        request: Request<wire::ListRoutesRequest>,
    ) -> Result<Response<wire::ListRoutesResponse>, Status> {
        let project = self.project(&request, &request.get_ref().project, Access::Read).await?;
        let asked = page_in(request.into_inner().page, None);
        let after = match asked.token.as_str() {
            "" => None,
            token => Some(Hostname::parse(token).map_err(|_| {
                let message = "was not given by the page before; send it as it came, or leave it out";
                status(&Error::Invalid(Faults::one("page.token", "page_token", message)))
            })?),
        };
        let size = self.service.page_size(asked.size);
        let page = self.feed.routes(Some(&project), after.as_ref(), size);
        let next_token = page.next.map(|last| last.to_string()).unwrap_or_default();
        Ok(Response::new(wire::ListRoutesResponse {
            routes: page.routes.iter().map(Into::into).collect(),
            page: Some(wire::PageResponse { next_token }),
            revision: Some(page.revision.into()),
        }))
    }

    async fn explain(
        &self,
        request: Request<wire::ExplainRequest>,
    ) -> Result<Response<wire::ExplainResponse>, Status> {
        let project = self.project(&request, "", Access::Read).await?;
        let rules = self.service.rules();
        let url = &request.get_ref().url;
        let explained = explain(url, &rules.domains, rules.ports, |name| self.feed.route(name));
        let explained = explained
            .map_err(|broken| status(&Error::Invalid(Faults::one("url", broken.rule, broken.message))))?;
        let explained = match &explained.route {
            // What others do behind their names is theirs.
            Some(route) if route.project != project => Explanation {
                steps: vec![format!("{} belongs to another project.", route.hostname)],
                route: None,
                refusal: None,
            },
            _ => explained,
        };
        Ok(Response::new(wire::ExplainResponse {
            steps: explained.steps,
            route: explained.route.as_ref().map(Into::into),
            refusal: explained.refusal.unwrap_or_default().to_owned(),
        }))
    }
}
