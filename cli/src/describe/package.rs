use proto::wire::{self, executable::Kind};

use super::{About, Described, metadata_facts};
use crate::output::{Cell, Column, Cut, Facts, Out, Table, section};
use crate::words;

impl Described for wire::Package {
    fn metadata(&self) -> Option<&wire::Metadata> {
        self.metadata.as_ref()
    }

    fn page(&self, out: &mut Out, about: &About) {
        let mut facts = Facts::new();
        facts.add("description", self.description.as_str());
        metadata_facts(&mut facts, self.metadata.as_ref(), about);
        facts.print(out);
        for plan in &self.plans {
            for component in &plan.components {
                section(out, &heading(self, plan, component));
                executables(out, component);
                endpoints(out, component);
                parameters(out, component);
            }
        }
    }
}

/// What tells the component from the others, and where it runs.
fn heading(package: &wire::Package, plan: &wire::Plan, component: &wire::Component) -> String {
    let place = match component.runtime() {
        wire::RuntimeKind::Device => "on a device".to_owned(),
        wire::RuntimeKind::Cloud | wire::RuntimeKind::Unspecified => match component.replicas {
            0 | 1 => "on the cloud".to_owned(),
            replicas => format!("on the cloud, {replicas} replicas"),
        },
    };
    match package.plans.len() {
        0 | 1 => format!("Component {}, {place}", component.name),
        _ => format!("Plan {}, component {}, {place}", plan.name, component.name),
    }
}

fn executables(out: &mut Out, component: &wire::Component) {
    const COLUMNS: &[Column] = &[
        Column::new("EXECUTABLE").cut(Cut::End),
        Column::new("CPU"),
        Column::new("MEMORY"),
        Column::new("RUNS").cut(Cut::Middle),
    ];
    if component.executables.is_empty() {
        return;
    }
    let mut table = Table::new(COLUMNS).indent(2);
    for executable in &component.executables {
        let limits = executable.limits.clone().unwrap_or_default();
        let memory =
            if limits.memory_mib == 0 { String::new() } else { format!("{} MiB", limits.memory_mib) };
        table.row(vec![
            executable.name.as_str().into(),
            limits.cpu.into(),
            memory.into(),
            runs(executable).into(),
        ]);
    }
    table.print(out);
}

fn runs(executable: &wire::Executable) -> String {
    match &executable.kind {
        Some(Kind::Docker(docker)) if docker.pull_secret.is_empty() => docker.image.clone(),
        Some(Kind::Docker(docker)) => format!("{} (pulled with secret {})", docker.image, docker.pull_secret),
        Some(Kind::Build(build)) => format!("build {}", build.build),
        Some(Kind::Bash(bash)) => bash.command.clone(),
        None => String::new(),
    }
}

fn endpoints(out: &mut Out, component: &wire::Component) {
    const COLUMNS: &[Column] = &[
        Column::new("ENDPOINT").cut(Cut::End),
        Column::new("SPEAKS"),
        Column::new("PORT").cut(Cut::End),
        Column::new("TARGET PORT"),
        Column::new("REACHED FROM"),
    ];
    if component.endpoints.is_empty() {
        return;
    }
    out.line("");
    let mut table = Table::new(COLUMNS).indent(2);
    for endpoint in &component.endpoints {
        let port = |port: u32| if port == 0 { String::new() } else { port.to_string() };
        let ports =
            if endpoint.port_range.is_empty() { port(endpoint.port) } else { endpoint.port_range.clone() };
        let is_external = words::external(endpoint.r#type()).is_some();
        table.row(vec![
            endpoint.name.as_str().into(),
            words::endpoint(endpoint.r#type()).into(),
            ports.into(),
            port(endpoint.target_port).into(),
            if is_external { "outside" } else { "within" }.into(),
        ]);
    }
    table.print(out);
}

fn parameters(out: &mut Out, component: &wire::Component) {
    const COLUMNS: &[Column] = &[
        Column::new("PARAMETER").cut(Cut::End),
        Column::new("DEFAULT").cut(Cut::End),
        Column::new("EXPOSED AS").cut(Cut::End),
        Column::new("ABOUT").cut(Cut::End),
    ];
    if component.parameters.is_empty() {
        return;
    }
    out.line("");
    let mut table = Table::new(COLUMNS).indent(2);
    for parameter in &component.parameters {
        let default = match (&parameter.value_from, &parameter.default_value) {
            (Some(key), _) => Cell::faint(format!("from secret {}, key {}", key.secret, key.key)),
            (None, Some(value)) => value.as_str().into(),
            (None, None) => "".into(),
        };
        table.row(vec![
            parameter.name.as_str().into(),
            default,
            parameter.exposed_as.as_str().into(),
            parameter.description.as_str().into(),
        ]);
    }
    table.print(out);
}
