use crate::manifest::{Kind, Object, read_one};
use crate::wire;

fn told(kind: Kind, body: &str) -> Vec<String> {
    let faults = read_one(kind, body.as_bytes()).unwrap_err();
    faults.iter().map(|fault| fault.plain().to_string()).collect()
}

#[test]
fn every_null_is_as_good_as_absent() {
    let body = r#"{"metadata": {"name": "shop-route", "guid": null, "labels": null, "newer": null},
        "kind": null, "apiVersion": null, "spec": {"url": null, "sourceIPRange": null}, "status": null}"#;
    let document = read_one(Kind::StaticRoute, body.as_bytes()).unwrap();
    assert_eq!(document.object.name(), "shop-route");
    assert!(document.gives("metadata.name") && !document.gives("source_ranges"));
    assert_eq!(told(Kind::StaticRoute, &body.replace("\"newer\": null", "\"newer\": 1")).len(), 1);
}

#[test]
fn json_is_read_as_json() {
    let body = r#"{"metadata": {"name": "d \ud83d\ude00	", "depends": {"kind": "Package", "nameOrGUID": "p", "version": "1"}},
        "spec": {"envArgs": [{"name": "A", "value": true}, {"name": "B", "value": 1.0}, {"name": "C", "value": -1}]}}"#;
    let read = read_one(Kind::Deployment, body.replace('\t', "").as_bytes()).unwrap();
    let Object::Deployment(deployment) = read.object else { panic!() };
    assert_eq!(deployment.metadata.unwrap().name, "d 😀");
    let values: Vec<_> = deployment.spec.unwrap().env_args.into_iter().map(|it| it.value).collect();
    assert_eq!(values, ["true", "1.0", "-1"]);
    for broken in ["", "{", "nope", "{\"a\": 1, \"a\": 2}", "{}{}", &"[".repeat(10_000)] {
        assert!(told(Kind::Secret, broken)[0].starts_with("not valid JSON: "), "{broken}");
    }
    assert_eq!(told(Kind::Secret, "[]"), ["must be a mapping, not a list"]);
}

#[test]
fn whole_numbers_may_come_as_floats() {
    let package = |memory: &str| {
        let executable = format!(
            r#"{{"name": "e", "docker": {{"image": "i"}}, "limits": {{"cpu": 1.0, "memory": {memory}}}}}"#
        );
        format!(
            r#"{{"metadata": {{"name": "p", "version": "1"}}, "spec": {{"executables": [{executable}]}}}}"#
        )
    };
    let read = read_one(Kind::Package, package("128.0").as_bytes()).unwrap();
    let Object::Package(read) = read.object else { panic!() };
    let limits = read.plans[0].components[0].executables[0].limits.clone();
    assert_eq!(limits, Some(wire::Limits { cpu: "1.0".into(), memory_mib: 128 }));
    for wrong in ["128.5", "-1", "1e30", "\"x\""] {
        assert_eq!(told(Kind::Package, &package(wrong)).len(), 1, "{wrong}");
    }
}

#[test]
fn a_body_is_of_the_kind_that_is_asked_for() {
    let body = r#"{"kind": "secret", "metadata": {"name": "s"}, "spec": {"type": "docker", "docker": {}}}"#;
    assert!(read_one(Kind::Secret, body.as_bytes()).is_ok());
    assert_eq!(
        told(Kind::StaticRoute, body)[0],
        "kind: \"secret\" is not what is asked for here; write StaticRoute"
    );
}

#[test]
fn of_very_many_faults_the_first_are_told() {
    let fields: Vec<_> = (0..1000).map(|i| format!("\"odd{i}\": 1")).collect();
    let told = told(Kind::Project, &format!("{{\"metadata\": {{\"name\": \"p\"}}, {}}}", fields.join(",")));
    assert_eq!(told.len(), 101);
    assert_eq!(told[100], "900 more faults are not told");
}

#[test]
fn what_a_body_takes_to_read_is_bounded() {
    let routes = |ranges: usize| {
        let ranges = vec!["0"; ranges].join(",");
        format!("{{\"metadata\": {{\"name\": \"shop\"}}, \"spec\": {{\"sourceIPRange\": [{ranges}]}}}}")
    };
    assert!(read_one(Kind::StaticRoute, routes(49_000).as_bytes()).is_ok());
    assert!(told(Kind::StaticRoute, &routes(50_000))[0].contains("more than 50000 values"));
    // Each address has a path, and the name of its endpoint stands in it.
    let name = "X".repeat(400_000);
    let body = format!(
        "{{\"metadata\": {{\"name\": \"d\", \"depends\": {{\"nameOrGUID\": \"p\"}}}}, \
         \"spec\": {{\"backends\": {{\"{name}\": [{}]}}}}}}",
        vec!["1"; 40_000].join(",")
    );
    let told = told(Kind::Deployment, &body);
    assert_eq!(told, ["spec.backends: has a name of more than 256 bytes, as nothing has"]);
}

#[test]
fn of_many_faults_in_a_large_body_each_finds_its_field() {
    let endpoints: Vec<_> =
        (0..10_000).map(|i| format!("{{\"name\": \"E{i}\", \"type\": \"internal-tcp\"}}")).collect();
    let labels: Vec<_> = (0..10_000).map(|i| format!("\"epr.io/backend-protocol/X{i}\": \"h2c\"")).collect();
    let body = format!(
        "{{\"metadata\": {{\"name\": \"p\", \"version\": \"1\", \"labels\": {{{}}}}}, \
         \"spec\": {{\"endpoints\": [{}]}}}}",
        labels.join(","),
        endpoints.join(",")
    );
    let told = told(Kind::Package, &body);
    assert_eq!((told.len(), told[100].as_str()), (101, "9900 more faults are not told"));
    assert!(told[0].starts_with("metadata.labels.epr.io/backend-protocol/X"), "{}", told[0]);
    let document =
        read_one(Kind::Package, body.replace("h2c", "").replace("epr.io/", "").as_bytes()).unwrap();
    for i in 0..10_000 {
        let (_, field) = document.locate(&format!("plans[0].components[0].endpoints[{i}].target_port"));
        assert_eq!(field, format!("spec.endpoints[{i}].targetPort"));
    }
}

#[test]
fn secrets_hold_what_their_type_says() {
    let with = |spec: &str| format!(r#"{{"metadata": {{"name": "s"}}, "spec": {spec}}}"#);
    let opaque =
        read_one(Kind::Secret, with(r#"{"type": "Opaque", "data": {"a": "b"}}"#).as_bytes()).unwrap();
    let Object::Secret(wire::Secret { data: Some(wire::secret::Data::Opaque(opaque)), .. }) = opaque.object
    else {
        panic!()
    };
    assert_eq!(opaque.values.get("a").map(String::as_str), Some("b"));
    for (spec, fault) in [
        (
            r#"{"type": "Docker"}"#,
            "spec.docker: missing; write `docker: {username: …, password: …, email: …}`",
        ),
        (r#"{"data": {}}"#, "spec.type: missing; Docker or Opaque"),
        (r#"{"type": "Git"}"#, "spec.type: \"Git\" is not known; known here: Docker, Opaque"),
        (
            r#"{"type": "Opaque", "docker": {}}"#,
            "spec.docker: a Docker secret has it, and this one is Opaque; leave it out",
        ),
        (
            r#"{"type": "Docker", "docker": {}, "data": {"a": "b"}}"#,
            "spec.data: an Opaque secret has it, and this one is Docker; leave it out",
        ),
    ] {
        assert_eq!(told(Kind::Secret, &with(spec)), [fault]);
    }
}

#[test]
fn a_shell_is_put_before_a_command_once() {
    let package = |executable: &str| {
        let body = format!(
            r#"{{"metadata": {{"name": "p", "version": "1"}}, "spec": {{"executables": [{executable}]}}}}"#
        );
        let read = read_one(Kind::Package, body.as_bytes()).unwrap();
        let Object::Package(read) = read.object else { panic!() };
        read.plans[0].components[0].executables[0].kind.clone().unwrap()
    };
    for (said, words) in [
        (r#""command": ["run"], "runAsBash": true"#, "/bin/bash -c run"),
        (r#""command": ["/bin/bash", "-c", "run"], "runAsBash": true"#, "/bin/bash -c run"),
        (r#""command": "run", "runAsBash": false"#, "run"),
        (r#""command": ["run"], "entrypoint": "/bin/sh", "runAsBash": true"#, "run"),
        (r#""command": null, "runAsBash": true"#, ""),
    ] {
        let kind = package(&format!(r#"{{"name": "e", "docker": {{"image": "i"}}, {said}}}"#));
        let wire::executable::Kind::Docker(docker) = kind else { panic!() };
        assert_eq!(docker.command.join(" "), words, "{said}");
        assert_eq!(docker.entrypoint.is_empty(), !said.contains("entrypoint"), "{said}");
    }
    // A preinstalled program is run by a shell anyway.
    let kind =
        package(r#"{"type": "preInstalled", "command": ["/bin/bash", "-c", "a | b"], "runAsBash": true}"#);
    assert_eq!(kind, wire::executable::Kind::Bash(wire::BashCommand { command: "a | b".into() }));
}

#[test]
fn files_of_programs_are_read_too() {
    let text = r#"{"apiVersion": "api.rapyuta.io/v2", "kind": "StaticRoute",
        "metadata": {"name": "abcd", "labels": {"who": "\ud83d\ude00"}}}"#;
    let documents = crate::manifest::read(text).unwrap();
    let labels = &documents[0].object.metadata().unwrap().labels;
    assert_eq!(labels.get("who").map(String::as_str), Some("😀"));
}
