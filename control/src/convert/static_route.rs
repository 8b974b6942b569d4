//! Static routes, in and out.

use proto::wire;

use super::{labels_in, labels_out, timestamp};
use crate::domain::rules::Rules;
use crate::domain::static_route::{BoundTo, StaticRouteDraft};
use crate::domain::{PackageGuid, UserGuid};
use crate::service::ViewedStaticRoute;

/// The draft of a message that `creator` sent.
pub(crate) fn draft(route: wire::StaticRoute, creator: Option<UserGuid>) -> StaticRouteDraft {
    let metadata = route.metadata.unwrap_or_default();
    StaticRouteDraft {
        name: metadata.name,
        labels: labels_in(metadata.labels),
        source_ranges: route.source_ranges,
        creator,
    }
}

/// The message of a static route.
pub(crate) fn message(viewed: ViewedStaticRoute, rules: &Rules) -> wire::StaticRoute {
    let ViewedStaticRoute { route, package } = viewed;
    let hostname = rules.domains.first().and_then(|domain| route.label.as_label().under(domain));
    wire::StaticRoute {
        metadata: Some(wire::Metadata {
            name: route.name().to_string(),
            guid: route.guid.to_string(),
            project: route.project.to_string(),
            labels: labels_out(route.labels),
            created_at: timestamp(route.created_at),
            updated_at: timestamp(route.updated_at),
            creator: route.creator.map(String::from).unwrap_or_default(),
        }),
        hostname: hostname.map(|host| host.to_string()).unwrap_or_default(),
        source_ranges: route.source_ranges.iter().map(ToString::to_string).collect(),
        bound_to: route.bound_to.map(|bound| bound_to_message(bound, package)),
    }
}

fn bound_to_message(bound: BoundTo, package: Option<PackageGuid>) -> wire::BoundTo {
    wire::BoundTo {
        deployment_guid: bound.deployment.to_string(),
        deployment_name: bound.deployment_name.to_string(),
        endpoint: bound.endpoint.to_string(),
        protocol: wire::EdgeProtocol::from(bound.protocol).into(),
        package_guid: package.map(String::from).unwrap_or_default(),
    }
}
