//! `epr validate`: manifests judged without a server, by the rules a server has.

use std::collections::HashSet;

use control::Offline;
use proto::manifest::{Object, Place};
use proto::wire::{self, Fault};

use crate::apply::manifests::{self, Declared};
use crate::apply::{found, is_stopped, label, located};
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
    judged.iter().for_each(|found| remark(&found.told));
    let faults = judged.iter().filter(|found| !found.is_warning).count();
    match read.faults + contradictions.len() + faults {
        0 => {}
        faults => return Err(Failure::refused(count(faults, "fault"))),
    }
    let mut out = Out::new();
    let good = out.paint().green("valid");
    out.line(format_args!("{good}: {}", count(read.declared.len(), "object")));
    out.finish()
}

/// What was found.
struct Found {
    place: Place,
    told: String,
    /// It may be as it should be all the same.
    is_warning: bool,
}

/// Everything there is to say of the manifests, in the order in which it stands there.
fn judge(offline: &Offline, declared: &[Declared]) -> Vec<Found> {
    let there: HashSet<String> = declared.iter().map(|one| label(&one.document.object)).collect();
    let mut judged = Vec::new();
    for one in declared.iter().filter(|one| !is_stopped(&one.document.object)) {
        let mut of_one = broken(offline, one, declared);
        of_one.extend(missing(one, &there));
        of_one.sort_by_key(|found| found.place);
        judged.extend(of_one);
    }
    judged
}

/// The rules that an object breaks.
fn broken(offline: &Offline, one: &Declared, declared: &[Declared]) -> Vec<Found> {
    let object = &one.document.object;
    let mut faults = faults_of(offline, one, declared);
    faults.retain(|fault| !UNKNOWN.contains(&fault.rule.as_str()));
    if let Some(circle) = circle(object.name(), object, declared) {
        let message =
            format!("deployments depend on one another in a circle, {circle}; leave one of them out");
        faults.push(Fault { field: "spec.depends".to_owned(), message, ..Default::default() });
    }
    let fault = |fault: &Fault| {
        let (place, told) = found(one, fault);
        Found { place, told, is_warning: false }
    };
    faults.iter().map(fault).collect()
}

/// What an object names that is not `there`.
fn missing(one: &Declared, there: &HashSet<String>) -> Vec<Found> {
    let mut references = references(&one.document.object);
    references.retain(|(_, needed)| !there.contains(needed));
    let warning = |(field, needed): &(String, String)| {
        let message = format!("{needed} is not among these manifests; a server must have it (warning)");
        let (place, _) = one.document.locate(field);
        Found { place, told: located(one, field, &message), is_warning: true }
    };
    references.iter().map(warning).collect()
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

    fn judged(text: &str) -> Vec<Found> {
        let domains = vec![Hostname::parse("ep-r.io").unwrap()];
        judge(&Offline::new(domains), &built_in("shop.yaml", text).unwrap())
    }

    fn faults(text: &str) -> Vec<String> {
        judged(text).into_iter().filter(|found| !found.is_warning).map(|found| found.told).collect()
    }

    #[test]
    fn what_is_not_among_the_manifests_may_be_elsewhere() {
        assert_eq!(faults(SHOP), [""; 0]);
        let told: Vec<_> = judged(SHOP).into_iter().map(|found| found.told).collect();
        assert_eq!(
            told,
            [
                "shop.yaml:12:52: spec.staticRoutes[0].depends.nameOrGUID: static-route/shop-web is not among these \
              manifests; a server must have it (warning)"
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
        let faults = faults(&format!("{SHOP}{}{}{}", of("a", "b"), of("b", "a"), of("c", "a")));
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("in a circle, a -> b -> a;"), "{faults:?}");
    }

    #[test]
    fn rules_are_judged_where_they_are_broken() {
        let faults =
            faults(&SHOP.replace("port: 80", "port: 81").replace("[{name: WEB, dep", "[{name: WBE, dep"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("shop.yaml:6:54: spec.endpoints[0].port: "), "{faults:?}");
    }

    #[test]
    fn all_is_told_in_the_order_of_the_file() {
        let twice = "executables: [{name: web, docker: {image: web}}, {name: web, docker: {image: web}}]";
        let text = SHOP
            .replace("executables: [{name: web, docker: {image: web}}]", twice)
            .replace("port: 80", "port: 81")
            .replace("spec:\n  executables", "spec:\n  hostPID: true\n  executables")
            .replace("metadata: {name: shop, version", "metadata: {name: 'shop ', version");
        let judged = judged(&text);
        let places: Vec<_> = judged.iter().map(|found| found.place).collect();
        assert!(judged.len() >= 4 && places.is_sorted(), "{places:?}");
    }
}
