use proto::manifest::Object;
use proto::wire;

use super::identity;
use super::manifests::Declared;

/// The declared objects in the order in which they can be created: each level builds on those before it,
/// and on nothing of its own. Where objects need one another in a circle, the rules say so.
pub(super) fn levels(declared: &[Declared]) -> Vec<Vec<&Declared>> {
    let mut left: Vec<_> = declared.iter().collect();
    left.sort_by_key(|one| rank(&one.document.object));
    let mut levels = Vec::new();
    while !left.is_empty() {
        let waits = |one: &Declared| {
            let object = &one.document.object;
            left.iter().any(|other| needs(object, &other.document.object))
        };
        let (later, now): (Vec<_>, Vec<_>) = left.iter().copied().partition(|one| waits(one));
        if now.is_empty() {
            levels.push(later);
            break;
        }
        levels.push(now);
        left = later;
    }
    levels
}

/// Where objects do not need one another they come by kind.
fn rank(object: &Object) -> u8 {
    match object {
        Object::Project(_) => 0,
        Object::Secret(_) => 1,
        Object::Package(_) => 2,
        Object::StaticRoute(_) => 3,
        Object::Deployment(_) => 4,
    }
}

/// Whether `object` builds on `other`.
pub(crate) fn needs(object: &Object, other: &Object) -> bool {
    let (name, version) = identity(other);
    match (object, other) {
        (Object::Project(_), _) => false,
        (object, Object::Project(_)) => object.metadata().is_some_and(|metadata| metadata.project == name),
        (Object::Package(package), Object::Secret(_)) => refers_to(package, name),
        (Object::Deployment(deployment), other) => {
            deployment.spec.as_ref().is_some_and(|spec| spec_needs(spec, other, name, version))
        }
        (Object::Package(_) | Object::StaticRoute(_) | Object::Secret(_), _) => false,
    }
}

fn spec_needs(spec: &wire::DeploymentSpec, other: &Object, name: &str, version: &str) -> bool {
    match other {
        Object::Package(_) => spec.package_name == name && spec.package_version == version,
        Object::StaticRoute(_) => spec.static_routes.iter().any(|binding| names(binding, name)),
        Object::Deployment(_) => spec.depends.iter().any(|parent| parent.deployment == name),
        Object::Secret(_) => spec.env_args.iter().any(|variable| is_of(variable.value_from.as_ref(), name)),
        Object::Project(_) => false,
    }
}

fn is_of(value: Option<&wire::SecretKey>, secret: &str) -> bool {
    value.is_some_and(|value| value.secret == secret)
}

/// Whether a package pulls images with a secret, or takes a parameter's value from it.
fn refers_to(package: &wire::Package, secret: &str) -> bool {
    use wire::executable::Kind;
    let pulls = |executable: &wire::Executable| match &executable.kind {
        Some(Kind::Docker(docker)) => docker.pull_secret == secret,
        Some(Kind::Build(_) | Kind::Bash(_)) | None => false,
    };
    let mut components = package.plans.iter().flat_map(|plan| &plan.components);
    components.any(|component| {
        component.executables.iter().any(pulls)
            || component.parameters.iter().any(|parameter| is_of(parameter.value_from.as_ref(), secret))
    })
}

/// Whether a binding names a static route, by its name or its whole host name.
pub(super) fn names(binding: &wire::StaticRouteBinding, name: &str) -> bool {
    binding.static_route == name || binding.static_route.split('.').next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{label, manifests::built_in};

    const SHOP: &str = "\
apiVersion: api.rapyuta.io/v2
kind: Deployment
metadata: {name: front, depends: {nameOrGUID: shop, version: 1.0.0}}
spec:
  depends: [{kind: deployment, nameOrGUID: back}]
  staticRoutes: [{name: WEB, depends: {nameOrGUID: shop-web.ep-r.io}}]
---
apiVersion: api.rapyuta.io/v2
kind: Deployment
metadata: {name: back, depends: {nameOrGUID: shop, version: 1.0.0}}
spec: {}
---
apiVersion: api.rapyuta.io/v2
kind: StaticRoute
metadata: {name: shop-web}
---
apiVersion: api.rapyuta.io/v2
kind: Package
metadata: {name: shop, version: 1.0.0}
spec: {}
";

    #[test]
    fn what_others_build_on_comes_first() {
        let declared = built_in("shop.yaml", SHOP).unwrap();
        let labels: Vec<Vec<_>> = levels(&declared)
            .iter()
            .map(|level| level.iter().map(|one| label(&one.document.object)).collect())
            .collect();
        assert_eq!(
            labels,
            [
                vec!["package/shop@1.0.0", "static-route/shop-web"],
                vec!["deployment/back"],
                vec!["deployment/front"]
            ]
        );
    }

    #[test]
    fn a_circle_is_left_to_the_rules() {
        let circle = SHOP.replace("spec: {}\n---\napiVersion: api.rapyuta.io/v2\nkind: StaticRoute", "spec: {depends: [{kind: deployment, nameOrGUID: front}]}\n---\napiVersion: api.rapyuta.io/v2\nkind: StaticRoute");
        let declared = built_in("shop.yaml", &circle).unwrap();
        assert_eq!(levels(&declared).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }
}
