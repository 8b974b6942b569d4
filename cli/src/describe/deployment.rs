use std::time::SystemTime;

use proto::wire::{self, DeploymentSpec, DeploymentStatus};

use super::{About, Described, metadata_facts, when};
use crate::get::time;
use crate::output::{Cell, Column, Cut, Facts, Out, Table, Tone, age, section};
use crate::words;

impl Described for wire::Deployment {
    fn state(&self) -> Cell {
        let status = self.status.clone().unwrap_or_default();
        words::state(status.phase(), status.status())
    }

    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        facts(self, &spec, &status, about).print(out);
        endpoints(out, &spec, &status);
        executables(out, &status);
        dependencies(out, &spec, &status);
        volumes(out, &spec);
        environment(out, &status);
        events(out, &status, about.now);
    }
}

fn facts(
    deployment: &wire::Deployment,
    spec: &DeploymentSpec,
    status: &DeploymentStatus,
    about: &About,
) -> Facts {
    let mut facts = Facts::new();
    let plan = if spec.plan.is_empty() { String::new() } else { format!(", plan {}", spec.plan) };
    facts.add("package", format!("{}@{}{plan}", spec.package_name, spec.package_version));
    let (phase, state) = (words::phase(status.phase()), words::status(status.status()));
    facts.add("phase", if state == phase { phase.to_owned() } else { format!("{phase}, {state}") });
    facts.add("message", Cell::new(status.message.as_str(), tone_of(status)));
    for (i, code) in status.error_codes.iter().enumerate() {
        let told = words::error_code(code).map_or_else(|| code.clone(), |words| format!("{code}: {words}"));
        facts.add(if i == 0 { "errors" } else { "" }, Cell::bad(told));
    }
    facts.add("generation", status.generation.to_string());
    facts.add("device", spec.device.as_str());
    metadata_facts(&mut facts, deployment.metadata.as_ref(), about);
    facts.add("stopped", when(status.stopped_at, about.now));
    facts
}

fn tone_of(status: &DeploymentStatus) -> Tone {
    if status.error_codes.is_empty() { Tone::Plain } else { Tone::Bad }
}

/// Each endpoint with all its URLs and where it really listens.
fn endpoints(out: &mut Out, spec: &DeploymentSpec, status: &DeploymentStatus) {
    if status.endpoints.is_empty() {
        return;
    }
    section(out, "Endpoints");
    for endpoint in &status.endpoints {
        let (bold, speaks) = (out.paint().bold(&endpoint.name), words::endpoint(endpoint.r#type()));
        let faint = out.paint().dim(format_args!("({speaks})"));
        out.line(format_args!("  {bold} {faint}"));
        let mut facts = Facts::new();
        for (i, url) in urls(endpoint).into_iter().enumerate() {
            facts.add(if i == 0 { "  url" } else { "" }, url);
        }
        let bound = spec.static_routes.iter().filter(|binding| binding.endpoint == endpoint.name);
        let bound: Vec<_> = bound.map(|binding| binding.static_route.as_str()).collect();
        facts.add("  bound", bound.join(", "));
        let is_external = words::external(endpoint.r#type()).is_some();
        if endpoint.backends.is_empty() && is_external {
            facts.add("  backends", Cell::busy("none reported"));
        }
        for (i, backend) in endpoint.backends.iter().enumerate() {
            let health = if backend.unhealthy { Cell::bad } else { Cell::good };
            let word = if backend.unhealthy { "unhealthy" } else { "healthy" };
            facts.add(if i == 0 { "  backends" } else { "" }, health(format!("{} {word}", backend.address)));
        }
        facts.print(out);
    }
}

/// The URL people are to use, then the same under the other names.
fn urls(endpoint: &wire::EndpointStatus) -> Vec<String> {
    let (Some((scheme, rest)), false) = (endpoint.url.split_once("://"), endpoint.url.is_empty()) else {
        return Vec::new();
    };
    let (host, port) = rest.split_once(':').map_or((rest, ""), |(host, port)| (host, port));
    let hosts = endpoint.static_hosts.iter().chain([&endpoint.random_host]);
    let others = hosts.filter(|other| !other.is_empty() && *other != host);
    let separator = if port.is_empty() { "" } else { ":" };
    let others = others.map(|other| format!("{scheme}://{other}{separator}{port}"));
    std::iter::once(endpoint.url.clone()).chain(others).collect()
}

fn executables(out: &mut Out, status: &DeploymentStatus) {
    const COLUMNS: &[Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("STATE"),
        Column::new("RESTARTS"),
        Column::new("EXIT"),
        Column::new("IMAGE").cut(Cut::Middle),
        Column::new("REASON").cut(Cut::End),
    ];
    if status.executables.is_empty() {
        return;
    }
    section(out, "Executables");
    let mut table = Table::new(COLUMNS).indent(2);
    for executable in &status.executables {
        let reason = match (executable.error_code.as_str(), executable.reason.as_str()) {
            ("", reason) => reason.to_owned(),
            (code, "") => code.to_owned(),
            (code, reason) => format!("{code}: {reason}"),
        };
        table.row(vec![
            executable.name.as_str().into(),
            words::executable(executable.state()),
            executable.restart_count.to_string().into(),
            executable.exit_code.map(|code| code.to_string()).unwrap_or_default().into(),
            executable.image.as_str().into(),
            reason.into(),
        ]);
    }
    table.print(out);
}

fn dependencies(out: &mut Out, spec: &DeploymentSpec, status: &DeploymentStatus) {
    const COLUMNS: &[Column] = &[
        Column::new("NAME").cut(Cut::End),
        Column::new("STATE"),
        Column::new("ERRORS"),
        Column::new("WAITS"),
    ];
    if status.dependencies.is_empty() {
        return;
    }
    section(out, "Depends on");
    let mut table = Table::new(COLUMNS).indent(2);
    for parent in &status.dependencies {
        let declared = spec.depends.iter();
        let waits = declared
            .filter(|it| it.deployment == parent.name || it.deployment == parent.guid)
            .any(|it| it.wait);
        table.row(vec![
            parent.name.as_str().into(),
            words::state(parent.phase(), parent.status()),
            Cell::bad(parent.error_codes.join(", ")),
            if waits { "until it runs" } else { "no" }.into(),
        ]);
    }
    table.print(out);
}

fn volumes(out: &mut Out, spec: &DeploymentSpec) {
    const COLUMNS: &[Column] = &[
        Column::new("DISK").cut(Cut::End),
        Column::new("EXECUTABLE").cut(Cut::End),
        Column::new("MOUNTED AT").cut(Cut::End),
        Column::new("PART").cut(Cut::End),
    ];
    if spec.volumes.is_empty() {
        return;
    }
    section(out, "Volumes");
    let mut table = Table::new(COLUMNS).indent(2);
    for volume in &spec.volumes {
        let cells = [&volume.disk, &volume.executable, &volume.mount_path, &volume.sub_path];
        table.row(cells.into_iter().map(|cell| cell.as_str().into()).collect());
    }
    table.print(out);
}

/// Secrets' values are for executables alone: who looks is told which secret they are in.
fn environment(out: &mut Out, status: &DeploymentStatus) {
    if status.environment.is_empty() {
        return;
    }
    section(out, "Environment");
    let mut facts = Facts::new();
    for variable in &status.environment {
        let exposed = match variable.exposed_as.as_str() {
            "" => String::new(),
            name => format!(" (exposed as {name})"),
        };
        let value = match &variable.value_from {
            Some(key) => Cell::faint(format!("from secret {}, key {}{exposed}", key.secret, key.key)),
            None if variable.value.is_empty() => Cell::faint(format!("\"\"{exposed}")),
            None => format!("{}{exposed}", variable.value).into(),
        };
        facts.add(variable.name.as_str(), value);
    }
    facts.print(out);
}

fn events(out: &mut Out, status: &DeploymentStatus, now: SystemTime) {
    if status.events.is_empty() {
        return;
    }
    section(out, "Events");
    let mut facts = Facts::new();
    for event in &status.events {
        facts.add(format!("{} ago", age(time(event.at), now)), event.message.as_str());
    }
    facts.print(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_an_endpoint_has_its_url() {
        let endpoint = wire::EndpointStatus {
            url: "https://shop.ep-r.io:8443".into(),
            random_host: "inst-a.ep-r.io".into(),
            static_hosts: vec!["shop.ep-r.io".into(), "store.ep-r.io".into()],
            ..Default::default()
        };
        assert_eq!(
            urls(&endpoint),
            ["https://shop.ep-r.io:8443", "https://store.ep-r.io:8443", "https://inst-a.ep-r.io:8443"]
        );
        assert_eq!(urls(&wire::EndpointStatus::default()), [""; 0]);
    }
}
