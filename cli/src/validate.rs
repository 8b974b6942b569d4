//! `epr validate`: manifests judged without a server, by the rules a server has.

use std::collections::HashSet;

use control::Offline;
use proto::manifest::Object;
use proto::wire::{self, Fault};

use crate::apply::manifests::{self, Declared};
use crate::apply::{is_stopped, label, located, ruled};
use crate::args::ValidateArgs;
use crate::failure::Failure;
use crate::output::{Out, remark};
use crate::words::count;

/// Rules on what only a store knows to be there. What a server has may be enough for them.
const UNKNOWN: [&str; 1] = ["package_unknown"];

pub(crate) fn run(args: &ValidateArgs) -> Result<(), Failure> {
    let read = manifests::read_and_tell(&args.filenames)?;
    let contradictions = manifests::contradictions(&read.declared);
    contradictions.iter().for_each(remark);
    let offline = Offline::new(args.base_domains.base_domains.clone());
    let judged = judge(&offline, &read.declared);
    judged.warnings.iter().for_each(|warning| remark(format_args!("{warning} (warning)")));
    judged.faults.iter().for_each(remark);
    match read.faults + contradictions.len() + judged.faults.len() {
        0 => {}
        faults => return Err(Failure::refused(count(faults, "fault"))),
    }
    let mut out = Out::new();
    let good = out.paint().green("valid");
    out.line(format_args!("{good}: {}", count(read.declared.len(), "object")));
    out.finish()
}

/// What was found, each with its place.
struct Judged {
    faults: Vec<String>,
    warnings: Vec<String>,
}

fn judge(offline: &Offline, declared: &[Declared]) -> Judged {
    let there: HashSet<String> = declared.iter().map(|one| label(&one.document.object)).collect();
    let mut judged = Judged { faults: Vec::new(), warnings: Vec::new() };
    for one in declared.iter().filter(|one| !is_stopped(&one.document.object)) {
        for fault in faults_of(offline, one, declared) {
            if !UNKNOWN.contains(&fault.rule.as_str()) {
                judged.faults.push(ruled(located(one, &fault.field, &fault.message), &fault.rule));
            }
        }
        if let Some(circle) = circle(one.document.object.name(), &one.document.object, declared) {
            let message =
                format!("deployments depend on one another in a circle, {circle}; leave one of them out");
            judged.faults.push(located(one, "spec.depends", &message));
        }
        for (field, needed) in references(&one.document.object) {
            if !there.contains(&needed) {
                let message = format!("{needed} is not among these manifests; a server must have it");
                judged.warnings.push(located(one, &field, &message));
            }
        }
    }
    judged
}

/// `a -> b -> a`, when a deployment depends on itself by others that are declared.
fn circle(name: &str, object: &Object, declared: &[Declared]) -> Option<String> {
    let parents = |object: &Object| match object {
        Object::Deployment(deployment) => {
            let depends = deployment.spec.iter().flat_map(|spec| &spec.depends);
            depends.map(|parent| parent.deployment.clone()).collect()
        }
        _ => Vec::new(),
    };
    let mut seen = HashSet::new();
    let begin = parents(object).into_iter().map(|parent| (format!("{name} -> {parent}"), parent));
    let mut open: Vec<(String, String)> = begin.collect();
    while let Some((way, at)) = open.pop() {
        if at == name {
            return Some(way);
        }
        if !seen.insert(at.clone()) {
            continue;
        }
        let next = declared.iter().map(|one| &one.document.object).filter(|object| object.name() == at);
        open.extend(next.flat_map(parents).map(|parent| (format!("{way} -> {parent}"), parent)));
    }
    None
}

fn faults_of(offline: &Offline, one: &Declared, declared: &[Declared]) -> Vec<Fault> {
    match one.document.object.clone() {
        Object::Package(package) => offline.package(package).err().unwrap_or_default(),
        Object::StaticRoute(route) => offline.static_route(route),
        Object::Secret(secret) => offline.secret(secret),
        Object::Project(project) => offline.project(project),
        Object::Deployment(deployment) => {
            let package = deployment.spec.as_ref().and_then(|spec| package_of(spec, declared));
            offline.deployment(deployment, package.cloned())
        }
    }
}

fn package_of<'d>(spec: &wire::DeploymentSpec, declared: &'d [Declared]) -> Option<&'d wire::Package> {
    declared.iter().find_map(|one| match &one.document.object {
        Object::Package(package) if one.document.object.name() == spec.package_name => {
            (package.version == spec.package_version).then_some(package)
        }
        _ => None,
    })
}

/// What an object names, and the field that does.
fn references(object: &Object) -> Vec<(String, String)> {
    match object {
        Object::Deployment(wire::Deployment { spec: Some(spec), .. }) => of_deployment(spec),
        Object::Package(package) => of_package(package),
        Object::Deployment(_) | Object::StaticRoute(_) | Object::Secret(_) | Object::Project(_) => Vec::new(),
    }
}

fn of_deployment(spec: &wire::DeploymentSpec) -> Vec<(String, String)> {
    let package = format!("package/{}@{}", spec.package_name, spec.package_version);
    let mut found = vec![("spec.package_name".to_owned(), package)];
    for (i, binding) in spec.static_routes.iter().enumerate() {
        let name = binding.static_route.split('.').next().unwrap_or_default();
        found.push((format!("spec.static_routes[{i}].static_route"), format!("static-route/{name}")));
    }
    for (i, parent) in spec.depends.iter().enumerate() {
        found.push((format!("spec.depends[{i}].deployment"), format!("deployment/{}", parent.deployment)));
    }
    for (i, variable) in spec.env_args.iter().enumerate() {
        let secret = variable.value_from.iter().map(|key| format!("secret/{}", key.secret));
        found.extend(secret.map(|secret| (format!("spec.env_args[{i}].value_from.secret"), secret)));
    }
    found
}

fn of_package(package: &wire::Package) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (p, plan) in package.plans.iter().enumerate() {
        for (c, component) in plan.components.iter().enumerate() {
            let at = format!("plans[{p}].components[{c}]");
            for (i, executable) in component.executables.iter().enumerate() {
                if let Some(wire::executable::Kind::Docker(docker)) = &executable.kind
                    && !docker.pull_secret.is_empty()
                {
                    let field = format!("{at}.executables[{i}].docker.pull_secret");
                    found.push((field, format!("secret/{}", docker.pull_secret)));
                }
            }
            for (i, parameter) in component.parameters.iter().enumerate() {
                let secret = parameter.value_from.iter().map(|key| format!("secret/{}", key.secret));
                let field = format!("{at}.parameters[{i}].value_from.secret");
                found.extend(secret.map(|secret| (field.clone(), secret)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proto::Hostname;

    use super::*;
    use crate::apply::manifests::built_in;

    const SHOP: &str = "\
apiVersion: api.rapyuta.io/v2
kind: Package
metadata: {name: shop, version: 1.0.0}
spec:
  executables: [{name: web, docker: {image: web}}]
  endpoints: [{name: WEB, type: external-http, port: 80}]
---
apiVersion: api.rapyuta.io/v2
kind: Deployment
metadata: {name: shop, depends: {nameOrGUID: shop, version: 1.0.0}}
spec:
  staticRoutes: [{name: WEB, depends: {nameOrGUID: shop-web}}]
";

    fn judged(text: &str) -> Judged {
        let domains = vec![Hostname::parse("ep-r.io").unwrap()];
        judge(&Offline::new(domains), &built_in("shop.yaml", text).unwrap())
    }

    #[test]
    fn what_is_not_among_the_manifests_may_be_elsewhere() {
        let judged = judged(SHOP);
        assert_eq!(judged.faults, [""; 0]);
        assert_eq!(
            judged.warnings,
            [
                "shop.yaml:12:52: spec.staticRoutes[0].depends.nameOrGUID: static-route/shop-web is not among these \
              manifests; a server must have it"
            ]
        );
    }

    #[test]
    fn a_circle_is_seen() {
        let of = |name: &str, parent: &str| {
            format!(
                "---\napiVersion: api.rapyuta.io/v2\nkind: Deployment\nmetadata: {{name: {name}, depends: \
                 {{nameOrGUID: shop, version: 1.0.0}}}}\nspec: {{depends: [{{kind: deployment, nameOrGUID: \
                 {parent}}}]}}\n"
            )
        };
        let judged = judged(&format!("{SHOP}{}{}{}", of("a", "b"), of("b", "a"), of("c", "a")));
        assert_eq!(judged.faults.len(), 2, "{:?}", judged.faults);
        assert!(judged.faults[0].contains("in a circle, a -> b -> a;"), "{:?}", judged.faults);
    }

    #[test]
    fn rules_are_judged_where_they_are_broken() {
        let judged =
            judged(&SHOP.replace("port: 80", "port: 81").replace("[{name: WEB, dep", "[{name: WBE, dep"));
        assert_eq!(judged.faults.len(), 1, "{:?}", judged.faults);
        assert!(
            judged.faults[0].starts_with("shop.yaml:6:54: spec.endpoints[0].port: "),
            "{:?}",
            judged.faults
        );
    }
}
