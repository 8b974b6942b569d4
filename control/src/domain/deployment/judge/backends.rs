use super::super::draft::EndpointBackendsDraft;
use super::super::{DeployedEndpoint, StoredBackend};
use crate::domain::fault::{At, Broken, Faults};
use crate::domain::package::pick_external;
use crate::domain::rules::Rules;

/// The backends that were written for each endpoint, by the endpoint's index.
pub(in super::super) fn judge_backends(
    drafts: &[EndpointBackendsDraft],
    endpoints: &[DeployedEndpoint],
    rules: &Rules,
    at: &At<'_>,
    faults: &mut Faults,
) -> Vec<(usize, Vec<StoredBackend>)> {
    let mut judged: Vec<(usize, Vec<StoredBackend>)> = Vec::new();
    for (i, draft) in drafts.iter().enumerate() {
        let at = at.index(i);
        let picked = pick_external(endpoints, |e| (&e.name, &e.kind), &draft.endpoint);
        let endpoint = faults.take(at.field("endpoint"), picked);
        let backends = judge_addresses(&draft.backends, rules, &at.field("backends"), faults);
        let index = endpoint.and_then(|found| endpoints.iter().position(|e| e.name == found.name));
        let Some(index) = index else {
            continue;
        };
        if judged.iter().any(|(seen, _)| *seen == index) {
            let message = format!("{} stands here twice; put its backends in one list", draft.endpoint);
            faults.add(at.field("endpoint"), "endpoint_twice", message);
        }
        judged.push((index, backends));
    }
    judged
}

fn judge_addresses(
    backends: &[(String, bool)],
    rules: &Rules,
    at: &At<'_>,
    faults: &mut Faults,
) -> Vec<StoredBackend> {
    let most = rules.backends_per_endpoint;
    if backends.len() > most {
        let message = format!("there are {}; at most {most} are possible", backends.len());
        faults.add(at, "too_many_backends", message);
    }
    let mut judged: Vec<StoredBackend> = Vec::new();
    for (i, (text, healthy)) in backends.iter().enumerate() {
        let at = at.index(i);
        let parsed = text.parse::<proto::BackendAddr>();
        let parsed = parsed.map_err(|error| Broken::new("backend_address", error.to_string()));
        let allowed = parsed.and_then(|address| rules.networks.judge(address));
        let Some(address) = faults.take(at.field("address"), allowed) else {
            continue;
        };
        if judged.iter().any(|seen| seen.address == address) {
            let message = format!("{address} stands here twice; name each backend once");
            faults.add(at.field("address"), "backend_twice", message);
        }
        judged.push(StoredBackend { address, healthy: *healthy });
    }
    judged
}
