use proto::wire;

use super::{About, Described, metadata_facts};
use crate::get::NamedRoute;
use crate::output::{Cell, Facts, Out};
use crate::words;

impl Described for wire::StaticRoute {
    fn state(&self) -> Cell {
        if self.bound_to.is_some() { Cell::good("bound") } else { Cell::busy("not bound") }
    }

    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        facts.add("host name", self.hostname.as_str());
        match &self.bound_to {
            Some(bound) => {
                facts.add("serves", format!("{}/{}", bound.deployment_name, bound.endpoint));
                facts.add("protocol", words::protocol(bound.protocol()));
                facts.add("deployment", bound.deployment_guid.as_str());
                facts.add("package", bound.package_guid.as_str());
            }
            None => facts.add("serves", Cell::busy("nothing")),
        }
        facts.add("sources", words::sources(&self.source_ranges));
        metadata_facts(&mut facts, self.metadata.as_ref(), about);
        facts.print(out);
    }
}

pub(super) fn page(named: &NamedRoute, out: &mut Out) {
    let mut facts = Facts::new();
    match named.binding() {
        Some(bound) => {
            facts.add("leads to", format!("{}/{}", named.deployment(), bound.endpoint));
            facts.add("protocol", words::protocol(bound.protocol()));
            facts.add("deployment", bound.deployment.as_str());
            if bound.backends.is_empty() {
                facts.add("backends", Cell::bad("none"));
            }
            for (i, backend) in bound.backends.iter().enumerate() {
                let name = if i == 0 { "backends" } else { "" };
                let cell = match backend.unhealthy {
                    true => Cell::bad(format!("{} unhealthy", backend.address)),
                    false => Cell::good(format!("{} healthy", backend.address)),
                };
                facts.add(name, cell);
            }
        }
        None => facts.add("leads to", Cell::busy("nothing: its static route is not bound")),
    }
    facts.add("sources", words::sources(&named.route().source_ranges));
    facts.print(out);
}
