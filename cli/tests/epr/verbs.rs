//! The verbs beyond the examples of the page.

use std::io::Write as _;
use std::process::Stdio;

use super::running::{Running, finish};

const PACKAGE: &str = "\
apiVersion: api.rapyuta.io/v2
kind: Package
metadata: {name: shop, version: 1.0.0}
spec:
  executables: [{name: web, type: docker, docker: {image: web}}]
  endpoints: [{name: WEB, type: external-http, port: 80, targetPort: 8080}]
---
apiVersion: api.rapyuta.io/v2
kind: StaticRoute
metadata: {name: shop}
---
";

/// A deployment of the package, with `spec` beside where its backend is.
fn deployment(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: api.rapyuta.io/v2\nkind: Deployment\n\
         metadata: {{name: {name}, depends: {{kind: package, nameOrGUID: shop, version: 1.0.0}}}}\n\
         spec: {{backends: {{WEB: ['10.0.0.1:80']}}, {spec}}}\n---\n"
    )
}

const SHOP_ROUTE: &str = "staticRoutes: [{name: WEB, depends: {kind: staticroute, nameOrGUID: shop}}]";

#[test]
fn a_route_moves_by_manifest_without_serving_nothing() {
    let epr = Running::up();
    let before = format!("{PACKAGE}{}{}", deployment("blue", SHOP_ROUTE), deployment("green", ""));
    epr.ok(&["apply", "-f", &epr.write("shop.yaml", &before)]);
    // Blue no longer speaks of routes; green takes this one.
    let after = format!("{PACKAGE}{}{}", deployment("blue", ""), deployment("green", SHOP_ROUTE));
    let moved = epr.ok(&["apply", "-f", &epr.write("shop.yaml", &after)]);
    assert!(moved.contains("deployment/blue unchanged\ndeployment/green updated\n"), "{moved}");
    assert!(moved.contains("  + spec.staticRoutes[shop]: "), "{moved}");
    // Blue says that it has none: nothing is left to be done.
    let emptied = format!("{PACKAGE}{}", deployment("blue", "staticRoutes: []"));
    let emptied = epr.ok(&["apply", "-f", &epr.write("shop.yaml", &emptied)]);
    assert!(emptied.contains("deployment/blue unchanged\n"), "{emptied}");
    let shown = epr.ok(&["get", "static-route", "shop"]);
    assert!(shown.contains("green/WEB"), "{shown}");
}

#[test]
fn deployments_that_depend_on_others_come_after_them() {
    let epr = Running::up();
    let front = deployment("front", "depends: [{kind: deployment, nameOrGUID: back}]")
        .replace("WEB:", "WEB: ")
        .replace("nameOrGUID: shop", "nameOrGUID: front");
    let package = PACKAGE.replace("name: shop", "name: front").replace("WEB", "FRONT");
    let front = front.replace("{WEB: ", "{FRONT: ");
    let text = format!("{front}{}{PACKAGE}{}", deployment("back", ""), package.split("---").next().unwrap());
    let applied = epr.ok(&["apply", "-f", &epr.write("all.yaml", &text)]);
    let at = |label: &str| applied.find(label).unwrap_or_else(|| panic!("{label} in {applied}"));
    assert!(at("deployment/back created") < at("deployment/front created"), "{applied}");
    let page = epr.ok(&["describe", "deployment", "front"]);
    assert!(page.contains("Depends on\n") && page.contains("  back "), "{page}");
    let deleted = epr.ok(&["delete", "-f", &epr.write("all.yaml", &text)]);
    assert!(deleted.starts_with("deployment/front stopped\ndeployment/back stopped\n"), "{deleted}");
}

#[test]
fn labels_and_source_ranges_of_a_static_route_change() {
    let epr = Running::up();
    let route = |more: &str| {
        let text = format!("apiVersion: api.rapyuta.io/v2\nkind: StaticRoute\nmetadata: {{name: shop{more}");
        epr.write("route.yaml", &text)
    };
    epr.ok(&["apply", "-f", &route("}")]);
    let changed = route(", labels: {team: a}}\nspec: {sourceIPRange: [10.0.0.0/8]}");
    let told = "static-route/shop updated\n  + metadata.labels.team: a\n  + spec.sourceIPRange: 10.0.0.0/8\n";
    assert_eq!(epr.ok(&["apply", "-f", &changed]), told);
    assert_eq!(epr.ok(&["apply", "-f", &changed]), "static-route/shop unchanged\n");
    assert_eq!(epr.ok(&["get", "sr", "-l", "team=a", "-o", "name"]), "static-route/shop\n");
    assert_eq!(epr.ok(&["get", "sr", "-l", "team=b", "-o", "name"]), "");
}

#[test]
fn a_secret_is_written_each_time_and_never_emptied_by_accident() {
    let epr = Running::up();
    let text = "apiVersion: api.rapyuta.io/v2\nkind: Secret\nmetadata: {name: reg}\n\
                spec: {type: Docker, docker: {username: robot, password: hunter2, email: r@example.net}}\n";
    let manifest = epr.write("secret.yaml", text);
    assert_eq!(epr.ok(&["apply", "-f", &manifest]), "secret/reg created\n");
    let again = epr.ok(&["apply", "-f", &manifest]);
    assert_eq!(again, "secret/reg updated\n  ~ spec: (never shown)\n");
    let shown = epr.ok(&["get", "secrets", "-o", "yaml"]);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(epr.ok(&["apply", "-f", &epr.write("shown.yaml", &shown)]), "secret/reg unchanged\n");
    let other = shown.replace("robot", "somebody");
    let refused = epr.typed(&["apply", "-f", &epr.write("other.yaml", &other)]);
    assert!(refused.code == 1 && refused.err.contains("holds no values"), "{refused:?}");
}

#[test]
fn a_password_comes_by_a_pipe_and_a_token_goes_by_one() {
    let epr = Running::up();
    let mut create = epr.command(&["secret", "create", "reg", "--docker", "--username", "robot"]);
    create.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = create.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"hunter2\n").unwrap();
    assert_eq!(finish(child).out, "secret/reg created\n");
    let nothing = epr.typed(&["secret", "create", "other", "--docker", "--username", "robot"]);
    assert!(nothing.code == 2 && nothing.err.contains("the password is empty"), "{nothing:?}");

    let token = epr.ok(&["token", "create", "ci", "--role", "viewer"]);
    assert_eq!((token.lines().count(), token.starts_with("epr_")), (1, true));
    let mut get = epr.command(&["delete", "secret", "reg"]);
    let refused = super::running::typed(get.env("EPR_TOKEN", token.trim()));
    assert!(refused.code == 1 && refused.err.contains("viewer"), "{refused:?}");
}

#[test]
fn what_cannot_be_is_told_at_once() {
    let epr = Running::up();
    let manifest = format!("{PACKAGE}{}", deployment("blue", SHOP_ROUTE));
    epr.ok(&["apply", "-f", &epr.write("shop.yaml", &manifest)]);
    epr.ok(&["delete", "deployment", "blue"]);
    let stopped = epr.typed(&["wait", "deployment", "blue", "--for=succeeded"]);
    assert!(stopped.code == 1 && stopped.err.contains("it is stopped"), "{stopped:?}");
    assert_eq!(epr.ok(&["wait", "deployment", "blue", "--for=deleted"]), "deployment/blue deleted\n");
    for (line, told) in [
        (&["get", "proxies", "-l", "a=b"][..], "carry no labels"),
        (&["get", "packages", "--phase", "stopped"], "have no phases"),
        (&["wait", "secret", "x", "--for=served"], "can be waited for to be deleted"),
        (&["delete", "route", "x"], "cannot be deleted"),
    ] {
        let refused = epr.typed(line);
        assert!(refused.code == 2 && refused.err.contains(told), "{refused:?}");
    }
    let some = epr.typed(&["get", "packages", "shop", "nope"]);
    assert!(some.code == 1 && some.out.contains("shop") && some.err.contains("nope"), "{some:?}");
}
