use std::collections::HashSet;

use super::super::draft::BindingDraft;
use super::super::{DeployedEndpoint, MOST_STATIC_ROUTES, StaticRouteBinding};
use super::SPEC;
use crate::domain::StaticRouteLabel;
use crate::domain::fault::Faults;
use crate::domain::package::pick_external;
use crate::domain::rules::Rules;

/// The labels of the static routes asked for, in order; none where one is wrong.
pub(super) fn judge_labels(
    drafts: &[BindingDraft],
    rules: &Rules,
    faults: &mut Faults,
) -> Vec<Option<StaticRouteLabel>> {
    let list = SPEC.field("static_routes");
    if drafts.len() > MOST_STATIC_ROUTES {
        let message = format!("there are {}; at most {MOST_STATIC_ROUTES} are possible", drafts.len());
        faults.add(list, "too_many_static_routes", message);
    }
    let mut seen = HashSet::new();
    let mut labels = Vec::new();
    for (i, binding) in drafts.iter().enumerate() {
        let at = list.index(i);
        let found = StaticRouteLabel::find(&binding.static_route, &rules.domains);
        let label = faults.take(at.field("static_route"), found);
        if let Some(label) = &label
            && !seen.insert(label.clone())
        {
            let message = format!("{label} stands here twice; a static route leads to one endpoint");
            faults.add(at.field("static_route"), "static_route_twice", message);
        }
        labels.push(label);
    }
    labels
}

pub(super) fn judge_bindings(
    drafts: &[BindingDraft],
    labels: Vec<Option<StaticRouteLabel>>,
    endpoints: &[DeployedEndpoint],
    faults: &mut Faults,
) -> Vec<StaticRouteBinding> {
    let list = SPEC.field("static_routes");
    let mut bindings = Vec::new();
    for ((i, label), binding) in labels.into_iter().enumerate().zip(drafts) {
        let picked = pick_external(endpoints, |e| (&e.name, &e.kind), &binding.endpoint);
        let endpoint = faults.take(list.index(i).field("endpoint"), picked);
        if let Some((label, endpoint)) = label.zip(endpoint) {
            bindings.push(StaticRouteBinding { label, endpoint: endpoint.name.clone() });
        }
    }
    bindings
}
