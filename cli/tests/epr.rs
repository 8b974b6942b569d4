//! The real binary, as a person meets it: started, typed at, stopped.
#![allow(clippy::unwrap_used, reason = "what helps a test fails as a test does")]

#[path = "epr/doc.rs"]
mod doc;
#[path = "epr/running.rs"]
mod running;
#[path = "epr/verbs.rs"]
mod verbs;

use std::io::Write as _;
use std::process::{Command, Stdio};

use running::{Backend, Running, finish, typed};
use rustix::process::Signal;

const HELLO: &str = include_str!("../../examples/hello.yaml");

/// The example of the README, its backend somewhere else.
fn hello(backend: &Backend) -> String {
    HELLO.replace("127.0.0.1:9000", &backend.addr().to_string())
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn declare_bind_explain_and_delete() {
    let backend = Backend::start("blue");
    let epr = Running::up();
    let manifest = epr.write("hello.yaml", &hello(&backend));

    let dry = epr.ok(&["apply", "-f", &manifest, "--dry-run"]);
    assert!(dry.contains("package/hello@1.0.0 would be created"), "{dry}");
    assert!(dry.contains("deployment/hello not judged: package/hello@1.0.0 is not there yet"), "{dry}");
    assert_eq!(json(&epr.ok(&["get", "packages", "-o", "json"])), json("[]"));

    let applied = epr.ok(&["apply", "-f", &manifest]);
    let lines: Vec<_> = applied.lines().collect();
    assert_eq!(
        lines[..3],
        ["package/hello@1.0.0 created", "static-route/hello created", "static-route/hello-safe created"]
    );
    assert!(applied.contains("  WEB   http://hello.ep-r.io:"), "{applied}");
    let again = epr.ok(&["apply", "-f", &manifest]);
    assert_eq!(again.matches(" unchanged\n").count(), 4, "{again}");

    let route = json(&epr.ok(&["get", "static-route", "hello", "-o", "json"]));
    assert_eq!(route["status"]["deployment"], "hello");
    let names = epr.ok(&["get", "deployments", "-o", "name"]);
    assert_eq!(names, "deployment/hello\n");
    let table = epr.ok(&["get", "deployments"]);
    assert!(table.starts_with("NAME ") && table.contains("hello@1.0.0"), "{table}");

    assert_eq!(epr.ok(&["unbind", "hello", "--wait"]), "hello unbound\n");
    assert!(epr.get("hello.ep-r.io").starts_with("HTTP/1.1 503"));
    assert_eq!(epr.ok(&["bind", "hello", "hello/WEB", "--wait"]), "hello -> hello/WEB\n");
    assert!(epr.get("hello.ep-r.io").ends_with("blue"));

    let explained = epr.ok(&["explain", "http://hello.ep-r.io/"]);
    assert!(explained.contains(&backend.addr().to_string()) && explained.contains("served"), "{explained}");

    let in_use = epr.typed(&["delete", "static-route", "hello"]);
    assert_eq!(in_use.code, 1);
    assert!(in_use.err.contains("hello"), "{in_use:?}");
    let deleted = epr.ok(&["delete", "-f", &manifest]);
    assert!(deleted.starts_with("deployment/hello stopped\n"), "{deleted}");
    assert!(deleted.ends_with("package/hello@1.0.0 deleted\n"), "{deleted}");
    assert_eq!(json(&epr.ok(&["get", "static-routes", "-o", "json"])), json("[]"));
}

#[test]
fn what_is_shown_can_be_applied_again() {
    let backend = Backend::start("blue");
    let epr = Running::up();
    let manifest = epr.write("hello.yaml", &hello(&backend));
    epr.ok(&["apply", "-f", &manifest]);
    let mut shown = String::new();
    for kind in ["packages", "static-routes", "deployments"] {
        shown += &format!("---\n{}", epr.ok(&["get", kind, "-o", "yaml"]));
    }
    let mut apply = epr.command(&["apply", "-f", "-"]);
    let mut child =
        apply.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(shown.as_bytes()).unwrap();
    let applied = finish(child);
    assert_eq!(applied.out.matches(" unchanged\n").count(), 4, "{applied:?}\n{shown}");
}

#[test]
fn what_differs_is_updated_but_for_packages() {
    let backend = Backend::start("blue");
    let epr = Running::up();
    let manifest = epr.write("hello.yaml", &hello(&backend));
    epr.ok(&["apply", "-f", &manifest]);
    let other = hello(&backend)
        .replace("A web server", "Another")
        .replace(&backend.addr().to_string(), "10.0.0.1:80");
    let other = epr.write("other.yaml", &other);
    for line in [&["apply", "--dry-run", "-f", &other][..], &["apply", "-f", &other]] {
        let refused = epr.typed(line);
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("package/hello@1.0.0 exists and is different"), "{refused:?}");
        assert!(
            refused.err.contains("- metadata.description: A web server")
                || refused.err.contains("~ metadata.description: A web server -> Another"),
            "{refused:?}"
        );
        assert!(refused.err.contains("give the new one another version"), "{refused:?}");
        assert!(refused.err.contains("1 of 4 not applied"), "{refused:?}");
    }
}

#[test]
fn faults_are_told_with_their_lines_and_nothing_is_done() {
    let epr = Running::up();
    let manifest = epr.write(
        "bad.yaml",
        &HELLO.replace("targetPort", "targetPrt").replace("kind: Package", "kind: Pakage"),
    );
    let refused = epr.typed(&["apply", "-f", &manifest]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.contains(&format!("{manifest}:8:7: kind: ")), "{refused:?}");

    // The server's own rules, told where the manifest breaks them.
    let manifest = epr.write(
        "worse.yaml",
        &HELLO.replace("port: 443", "port: 8443").replace("name: WEB #", "name: 2WEB #"),
    );
    let refused = epr.typed(&["apply", "-f", &manifest]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.out.contains("deployment/hello skipped: package/hello@1.0.0 is not there"),
        "{refused:?}"
    );
    for place in [":22:13: spec.endpoints[0].name: ", ":28:13: spec.endpoints[1].port: "] {
        assert!(refused.err.contains(&format!("{manifest}{place}")), "{refused:?}");
    }
    // In the words of the manifest, wherever a field is spoken of.
    assert!(refused.err.contains("put 8443 in targetPort"), "{refused:?}");

    // What cannot be read is one more fault beside those of the other files.
    let refused = epr.typed(&["apply", "-f", "/nonexistent.yaml", &epr.write("odd.yaml", "kind: Odd")]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert!(refused.err.starts_with("cannot read /nonexistent.yaml: "), "{refused:?}");
    assert!(
        refused.err.contains("odd.yaml:1:7: kind: ") && refused.err.contains("error: 3 faults"),
        "{refused:?}"
    );
}

#[test]
fn what_was_stopped_is_not_started_by_applying_what_was_shown() {
    let backend = Backend::start("blue");
    let epr = Running::up();
    epr.ok(&["apply", "-f", &epr.write("hello.yaml", &hello(&backend))]);
    epr.ok(&["delete", "deployment", "hello"]);
    let shown = epr.write("shown.yaml", &epr.ok(&["get", "deployments", "-o", "yaml"]));
    let applied = epr.ok(&["apply", "-f", &shown]);
    assert_eq!(epr.ok(&["delete", "-f", &shown]), "");
    assert_eq!(applied, "deployment/hello left out: it was stopped (status.phase)\n");
}

#[test]
fn a_bound_route_says_how_it_is_moved() {
    let backend = Backend::start("blue");
    let epr = Running::up();
    epr.ok(&["apply", "-f", &epr.write("hello.yaml", &hello(&backend))]);
    let refused = epr.typed(&["bind", "hello", "hello/SAFE"]);
    assert_eq!((refused.code, refused.err.lines().count()), (1, 1), "{refused:?}");
    assert!(refused.err.ends_with("or move it here with --move\n"), "{refused:?}");
    let names = epr.ok(&["get", "deployments", "-o", "name"]);
    assert_eq!(names, "deployment/hello\n");
}

#[test]
fn what_is_no_control_plane_is_told_from_none() {
    let epr = Running::up();
    let token = epr.path("admin.token").display().to_string();
    for (scheme, what, told) in [
        ("http", "http", "does not speak gRPC"),
        ("http", "https", "does not speak gRPC"),
        ("https", "http", "does not speak TLS"),
        ("https", "grpc", "does not speak TLS"),
    ] {
        let url = format!("{scheme}://{}", epr.listening(what));
        let refused = epr.typed(&["get", "packages", "--server", &url, "--token-file", &token]);
        assert_eq!((refused.code, refused.err.lines().count()), (3, 2), "{url} {refused:?}");
        assert!(refused.err.contains(told) && refused.err.contains("://"), "{url} {refused:?}");
    }
    let ca = epr.typed(&["get", "packages", "--server", "https://127.0.0.1:1", "--ca", "/nonexistent"]);
    assert_eq!(ca.code, 2, "{ca:?}");
    assert!(ca.err.contains("/nonexistent") && ca.err.contains("--ca FILE"), "{ca:?}");
}

#[test]
fn an_end_is_asked_for_and_comes() {
    let mut epr = Running::up();
    epr.signal(Signal::TERM);
    let ended = epr.wait();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!epr.path("listening.json").exists());
    let unreachable = epr.typed(&["get", "routes"]);
    assert_eq!(unreachable.code, 3);
    assert!(unreachable.err.contains("epr up"), "{unreachable:?}");
}

#[test]
fn a_second_instance_is_told_of_the_first() {
    let epr = Running::up();
    let second = typed(&mut epr.start_again());
    assert_eq!(second.code, 1);
    assert_eq!(second.err.lines().count(), 1, "{second:?}");
    assert!(second.err.contains("in use by another epr (process "), "{second:?}");
}

#[test]
fn a_taken_port_is_told_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for flag in ["--http", "--https", "--admin", "--grpc", "--api"] {
        let dir = tempfile::tempdir().unwrap();
        let refused = typed(&mut running::up_command(dir.path(), &[(flag, &addr)]));
        assert_eq!(refused.code, 1, "{refused:?}");
        assert_eq!(refused.err.lines().count(), 1, "{flag}: {refused:?}");
        assert!(refused.err.contains(&addr) && refused.err.contains(flag), "{flag}: {refused:?}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for (args, told) in [
        (&["up", "--http", "nonsense"][..], "--http"),
        (&["up", "--https", "8443"], "like 127.0.0.1:8080"),
        (&["up", "--http", "127.0.0.1:18080", "--https", "127.0.0.1:18080"], "--http and --https both"),
        (&["up", "--backend-network", "10.0.0.1"], "like 10.0.0.0/8"),
        (&["up", "--workers", "0"], "from 1 up"),
        (&["bind", "a", "b", "--wait=5"], "like 5s"),
        (
            &["get", "packages", "--server", "http://127.0.0.1:1", "--token-file", "/proc/self/cmdline"],
            "holds no token",
        ),
        (&["up", "--log", "a=b=c"], "--log"),
        (&["bind", "only-one"], "DEPLOYMENT"),
        (&["frobnicate"], "frobnicate"),
        (&["get", "packages", "--server", "nowhere", "--token-file", "/dev/null"], "no token"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let refused = typed(Command::new(env!("CARGO_BIN_EXE_epr")).args(args).current_dir(dir.path()));
        assert_eq!(refused.code, 2, "{args:?} {refused:?}");
        assert!(refused.err.contains(told) && !refused.err.contains("RUST_BACKTRACE"), "{refused:?}");
    }
}

#[test]
fn two_processes_do_as_one() {
    let backend = Backend::start("blue");
    let control = Running::control();
    let proxy = Running::proxy(&control);
    control.ok(&["apply", "-f", &control.write("hello.yaml", &hello(&backend))]);
    control.ok(&["unbind", "hello", "--wait"]);
    control.ok(&["bind", "hello", "hello/WEB", "--wait"]);
    assert!(proxy.get("hello.ep-r.io").ends_with("blue"));
    let proxies = json(&control.ok(&["get", "proxies", "-o", "json"]));
    assert_eq!((&proxies[0]["id"], &proxies[0]["state"]), (&"apart".into(), &"current".into()), "{proxies}");
}

#[test]
fn every_line_of_the_demonstration_works_as_printed() {
    let mut epr = Running::demo();
    for round in ["at first", "after a restart"] {
        let steps = epr.steps();
        assert!(steps.len() >= 8, "{steps:?}");
        for step in &steps {
            let done = typed(Command::new("sh").args(["-c", step]));
            assert_eq!(done.code, 0, "{round}: {step}\n{done:?}");
            let told = if step.contains("/greeting") {
                "101 Switching Protocols"
            } else if step.starts_with("curl") || step.starts_with("printf") {
                "hello from hello-"
            } else {
                "hello-"
            };
            assert!(done.out.contains(told), "{round}: {step}\n{done:?}");
        }
        let page = epr.ok(&["describe", "deployment", "hello-blue"]);
        assert!(page.contains("  server   Running"), "{round}: {page}");
        epr.signal(Signal::TERM);
        assert_eq!(epr.wait().code, 0);
        epr = epr.demo_again();
    }
}

#[test]
fn a_proxy_says_all_that_is_wrong_with_its_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("junk.pem"), "junk").unwrap();
    let proxy = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epr"));
        command.args(["proxy", "--control", "http://127.0.0.1:1", "--token-file", &path("token")]);
        command.args(["--data-dir", &path("data"), "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]);
        typed(command.args(["--admin", "127.0.0.1:0"]).args(options))
    };
    let (junk, none) = (path("junk.pem"), path("none.pem"));
    let wrong =
        proxy(&["--cert", &junk, "--key", &junk, "--cert", &none, "--key", &junk, "--certs", &path("x")]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.err.starts_with("error: 3 things are wrong with the certificates:\n  "), "{wrong:?}");
    for file in [&junk, &none, &path("x")] {
        assert!(wrong.err.contains(&format!("\n  {file}: ")), "{file}: {wrong:?}");
    }
    let odd = proxy(&["--cert", &junk, "--key", &junk, "--cert", &none]);
    assert!(odd.code == 2 && odd.err.contains("2 --cert and 1 --key"), "{odd:?}");
}
