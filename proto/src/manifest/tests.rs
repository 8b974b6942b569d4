use super::*;
use crate::wire;

const SHORT: &str = r#"
apiVersion: api.rapyuta.io/v2
kind: Package
metadata:
  name: hello
  version: 1.10
  labels:
    epr.io/backend-protocol/RPC: h2c
spec:
  runtime: cloud
  cloud: {replicas: 2}
  executables:
    - name: web
      type: docker
      runAsBash: true
      command: "python3 -m http.server"
      limits: {cpu: 0.025, memory: 128}
      docker:
        image: busybox:latest
        pullSecret: {depends: {kind: secret, nameOrGUID: registry}}
  environmentVars:
    - {name: GREETING, default: "hi", exposed: true, exposedName: HELLO}
    - {name: DEBUG, default: on}
  endpoints:
    - {name: WEB, type: external-http, port: 80, targetPort: 8080}
    - {name: RPC, type: external-https, targetPort: 50051}
    - {name: RAW, type: Internal-TCP-range, portRange: "22,80"}
"#;

fn one(text: &str) -> Document {
    let mut documents = read(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.pop().unwrap()
}

fn package(document: Document) -> wire::Package {
    let Object::Package(package) = document.object else { panic!("{:?}", document.object) };
    package
}

fn deployment(document: Document) -> wire::Deployment {
    let Object::Deployment(deployment) = document.object else { panic!("{:?}", document.object) };
    deployment
}

fn faults(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(|fault| fault.in_file("f").to_string()).collect()
}

#[test]
fn the_short_package_is_one_plan_with_one_component() {
    let package = package(one(SHORT));
    assert_eq!(package.version, "1.10");
    assert_eq!(package.plans.len(), 1);
    let component = &package.plans[0].components[0];
    assert_eq!((component.name.as_str(), component.replicas), ("default", 2));
    assert_eq!(component.runtime(), wire::RuntimeKind::Cloud);
    let Some(wire::executable::Kind::Docker(docker)) = &component.executables[0].kind else { panic!() };
    assert_eq!(docker.command, ["/bin/bash", "-c", "python3 -m http.server"]);
    assert_eq!((docker.image.as_str(), docker.pull_secret.as_str()), ("busybox:latest", "registry"));
    let limits = component.executables[0].limits.as_ref().unwrap();
    assert_eq!((limits.cpu.as_str(), limits.memory_mib), ("0.025", 128));
    assert_eq!(component.parameters[0].exposed_as, "HELLO");
    assert_eq!(component.parameters[1].default_value.as_deref(), Some("on"));
    let [web, rpc, raw] = component.endpoints.as_slice() else { panic!() };
    assert_eq!((web.port, web.target_port), (80, 8080));
    assert_eq!(rpc.backend_protocol(), wire::BackendProtocol::H2c);
    assert_eq!(raw.r#type(), wire::EndpointType::InternalTcpRange);
    assert_eq!(raw.port_range, "22,80");
}

#[test]
fn the_full_package_has_plans_and_components() {
    let text = "
apiVersion: api.rapyuta.io/v2
kind: package
metadata: {name: full, version: v1}
spec:
  plans:
    - name: small
      components:
        - name: front
          runtime: cloud
          executables: [{name: e, build: {name: b}, command: [run, it]}]
          endpoints: [{name: WEB, type: external-https, targetPort: 8080, backendProtocol: h2c}]
        - name: back
          runtime: device
          executables: [{name: p, type: preInstalled, command: [ls, -l]}]
";
    let package = package(one(text));
    let [front, back] = package.plans[0].components.as_slice() else { panic!() };
    assert_eq!(package.plans[0].name, "small");
    assert_eq!(front.endpoints[0].backend_protocol(), wire::BackendProtocol::H2c);
    let Some(wire::executable::Kind::Build(build)) = &front.executables[0].kind else { panic!() };
    assert_eq!((build.build.as_str(), build.command.len()), ("b", 2));
    let Some(wire::executable::Kind::Bash(bash)) = &back.executables[0].kind else { panic!() };
    assert_eq!(bash.command, "ls -l");
    assert_eq!(back.runtime(), wire::RuntimeKind::Device);
}

#[test]
fn a_deployment_names_its_package_routes_and_backends() {
    let text = r#"{"apiVersion": "apiextensions.rapyuta.io/v1", "kind": "Deployment",
      "metadata": {"name": "d", "guid": null, "depends": {"kind": "package", "nameOrGUID": "hello", "version": "1.0"}},
      "spec": {"runtime": "cloud", "plan": "small", "depends": [], "features": null,
        "envArgs": [{"name": "A", "value": "\u00e9\n"}],
        "staticRoutes": [{"name": "WEB", "depends": {"kind": "staticroute", "nameOrGUID": "hello-web"}}],
        "volumes": [{"execName": "e", "mountPath": "/tmp", "subPath": "/x", "depends": {"kind": "disk", "nameOrGUID": "k"}}],
        "backends": {"WEB": ["127.0.0.1:9000", "[::1]:9000"], "TLS": "10.0.0.1:1"}}}"#;
    let deployment = deployment(one(text));
    let spec = deployment.spec.unwrap();
    assert_eq!((spec.package_name.as_str(), spec.package_version.as_str()), ("hello", "1.0"));
    assert_eq!(spec.plan, "small");
    assert_eq!(spec.env_args[0].value, "é\n");
    assert_eq!(spec.static_routes[0].static_route, "hello-web");
    assert_eq!(spec.static_routes[0].endpoint, "WEB");
    assert_eq!(spec.volumes[0].disk, "k");
    let sizes: Vec<_> = spec.backends.iter().map(|set| (set.endpoint.as_str(), set.backends.len())).collect();
    assert_eq!(sizes, [("WEB", 2), ("TLS", 1)]);
}

#[test]
fn a_static_route_may_have_no_spec() {
    let bare = "apiVersion: api.rapyuta.io/v2\nkind: staticRoute\nmetadata: {name: abcd}\n";
    let Object::StaticRoute(route) = one(bare).object else { panic!() };
    assert_eq!(route.metadata.unwrap().name, "abcd");
    let ranged = format!("{bare}spec: {{sourceIPRange: [10.0.0.0/8, 2001:db8::/32]}}\n");
    let Object::StaticRoute(route) = one(&ranged).object else { panic!() };
    assert_eq!(route.source_ranges, ["10.0.0.0/8", "2001:db8::/32"]);
}

#[test]
fn every_fault_of_every_document_is_told_with_its_place() {
    let text = "\
kind: Package
metadata:
  name: a
spec:
  runtime: clout
  endpoints:
    - {name: WEB, type: external-htp, targetport: 80}
    - {name: B, type: external-http, port: eighty}
---
apiVersion: v1
kind: Disk
---
broken: [1, 2
---
apiVersion: api.rapyuta.io/v2
kind: Deployment
metadata: {name: d, name: e, depends: {}}
spec: {depends: [{kind: disk, nameOrGUID: parent}], managedServices: [x], backends: [x]}
";
    assert_eq!(
        faults(text),
        [
            "f:1:1: apiVersion: missing",
            "f:3:3: metadata.version: missing",
            "f:5:12: spec.runtime: \"clout\" is not known; did you mean `cloud`?",
            "f:7:25: spec.endpoints[0].type: \"external-htp\" is not known; did you mean `external-http`?",
            "f:7:39: spec.endpoints[0].targetport: unknown field; did you mean `targetPort`?",
            "f:8:44: spec.endpoints[1].port: must be a port between 1 and 65535, not \"eighty\"",
            "f:10:13: apiVersion: \"v1\" is not known; write api.rapyuta.io/v2",
            "f:11:7: kind: Disk is not supported; supported are Package, Deployment, StaticRoute, Secret and Project",
            "f:13:9: not valid YAML: unclosed bracket '['",
            "f:17:21: `name` is given twice, first on line 17",
            "f:17:39: metadata.depends.nameOrGUID: missing",
            "f:18:25: spec.depends[0].kind: \"disk\" is not known; known here: deployment",
            "f:18:53: spec.managedServices: is not supported",
            "f:18:85: spec.backends: must be a mapping, not a list",
        ]
    );
}

#[test]
fn labels_must_agree_with_endpoints() {
    let missing = SHORT.replace("protocol/RPC", "protocol/NONE");
    assert_eq!(
        faults(&missing),
        ["f:8:35: metadata.labels.epr.io/backend-protocol/NONE: no endpoint has this name"]
    );
    let torn = SHORT.replace("targetPort: 50051", "targetPort: 1, backendProtocol: http1");
    assert!(faults(&torn)[0].contains("says otherwise"));
    assert!(faults(&SHORT.replace("RPC: h2c", "RPC: h3"))[0].ends_with("must be http1 or h2c"));
}

#[test]
fn ports_are_numbers_a_port_can_have() {
    for wrong in ["0", "70000", "-1"] {
        let text = SHORT.replace("targetPort: 8080", &format!("targetPort: {wrong}"));
        let told = format!(
            "f:25:62: spec.endpoints[0].targetPort: must be a port between 1 and 65535, not {wrong:?}"
        );
        assert_eq!(faults(&text), [told]);
    }
}

#[test]
fn what_the_platform_writes_is_not_suggested() {
    let told = faults(&SHORT.replace("  version: 1.10", "  version: 1.10\n  colour: red"));
    assert_eq!(
        told,
        ["f:7:3: metadata.colour: unknown field; known here: name, project, labels, version, description"]
    );
}

#[test]
fn a_deployment_that_was_stopped_is_read_as_that() {
    let text = "{apiVersion: api.rapyuta.io/v2, kind: Deployment, status: STATUS, spec: {},
        metadata: {name: d, depends: {nameOrGUID: p}}}";
    let phase = |status: &str| deployment(one(&text.replace("STATUS", status))).status.map(|it| it.phase());
    assert_eq!(phase("{phase: Stopped}"), Some(wire::Phase::Stopped));
    for other in ["{phase: Succeeded}", "{phase: []}", "[]", "odd", "~"] {
        assert_eq!(phase(other), None, "{other}");
    }
}

#[test]
fn what_is_said_of_the_message_is_said_of_the_manifest() {
    let document = one(SHORT);
    for (said, told) in [
        ("put 8080 in target_port.", "put 8080 in targetPort."),
        (
            "is taken by plans[0].components[0].endpoints[1].name; no",
            "is taken by spec.endpoints[1].name; no",
        ),
        (
            r#""target_port" \"and\" "a\"target_port" is no name"#,
            r#""target_port" \"and\" "a\"target_port" is no name"#,
        ),
        ("deployment my_app runs", "deployment my_app runs"),
        ("", ""),
    ] {
        assert_eq!(document.in_its_words(said), told);
    }
}

#[test]
fn what_nothing_acts_on_is_told_but_no_fault() {
    let project = "{apiVersion: api.rapyuta.io/v2, kind: Project, metadata: {name: p},
        spec: {members: [{subject: {kind: User}}], features: {vpn: {enabled: false}}}}";
    let left_out = one(project).left_out;
    let told: Vec<_> = left_out.iter().map(|note| note.in_file("f").to_string()).collect();
    assert_eq!(told, ["f:2:16: spec.members: is left out: nothing acts on it"]);
}

#[test]
fn fields_of_the_message_are_found_in_the_text() {
    let document = one(SHORT);
    for (wire, line, field) in [
        ("metadata.name", 5, "metadata.name"),
        ("version", 6, "metadata.version"),
        ("plans[0].components[0].endpoints[1].target_port", 26, "spec.endpoints[1].targetPort"),
        ("plans[0].components[0].endpoints[1].port_range", 26, "spec.endpoints[1].portRange"),
        ("plans[0].components[0].volumes", 10, "spec.volumes"),
        ("plans[0].components[0].executables[0].limits.memory_mib", 17, "spec.executables[0].limits.memory"),
        ("plans[0].components[0].executables[0].docker.command", 16, "spec.executables[0].command"),
        (
            "plans[0].components[0].executables[0].docker.entrypoint",
            19,
            "spec.executables[0].docker.entrypoint",
        ),
        ("plans[0].components[0].parameters[1].name", 23, "spec.environmentVars[1].name"),
        ("something.else", 2, "something.else"),
    ] {
        let (place, found) = document.locate(wire);
        assert_eq!((place.line, found.as_str()), (line, field), "{wire}");
    }
}

#[test]
fn aliases_and_merges_are_followed_within_bounds() {
    let text = "
- &web {apiVersion: api.rapyuta.io/v2, kind: StaticRoute, metadata: {name: one-route}}
- {<<: *web, metadata: {name: two-routes}}
- null
";
    assert!(read(text).unwrap_err()[0].message.contains("must be a mapping"));
    let documents = read(&text.replace("- null", "")).unwrap();
    let Object::StaticRoute(second) = &documents[1].object else { panic!() };
    assert_eq!(second.metadata.as_ref().unwrap().name, "two-routes");

    let mut bomb = String::from("- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        let alias = format!("*a{}", i - 1);
        bomb.push_str(&format!("- &a{i} [{}]\n", vec![alias; 10].join(", ")));
    }
    assert!(read(&bomb).unwrap_err().iter().any(|fault| fault.message.contains("split the file")));
    assert!(faults(&"[".repeat(10_000))[0].contains("not valid YAML"));
}

#[test]
fn emptiness_is_no_fault_and_nothing_panics() {
    assert_eq!(read("").unwrap().len(), 0);
    assert_eq!(read("---\n---\n# only comments\n").unwrap().len(), 0);
    assert!(faults("just text")[0].contains("must be a mapping"));
    assert!(faults("{? [a] : b}").iter().any(|fault| fault.contains("a key must be a plain word")));
    assert!(!faults("\u{0}").is_empty());
}

mod answers;
mod bodies;
mod round_trips;
mod samples;

proptest::proptest! {
    /// Whatever people write, they get an answer; programs, too.
    #[test]
    fn text_is_read_or_refused(text in "(apiVersion|kind|metadata|spec|Package|[-:{}\\[\\]&*<>|\"' \\n#,!%~a-z0-9\u{e9}]){0,60}") {
        let _ = read(&text).map(|documents| documents.len());
        let _ = read_one(Kind::Package, text.as_bytes()).map(|document| document.number);
    }
}
