//! The real rapyuta.io client, as PyPI has it, against this control plane: the command line and the library,
//! with manifests as its documentation shows them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use loadtest::{Epr, Outcome, Reporter, Rio, Stage, Start, eventually, play, tools};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(240);
const WAIT: Duration = Duration::from_secs(30);
/// Seconds a lease lives.
const TTL: u32 = 30;

/// A control plane and a proxy in one process, what runs deployments, and a client that is logged in.
struct Site {
    epr: Epr,
    rio: Rio,
    _reporter: Reporter,
}

impl Site {
    async fn set_up(stage: &Stage) -> Outcome<Self> {
        let epr = Epr::up(stage).await?;
        let reporter = Reporter::start(stage, &epr, TTL).await?;
        let rio = Rio::new(stage, "home", &format!("http://{}", epr.rest()?), None)?;
        let said = rio.login(&epr.data_dir().join("admin.token")).await?;
        assert!(said.contains("Logged in successfully"), "{said}");
        Ok(Self { epr, rio, _reporter: reporter })
    }

    /// `rio VERB -f -v values.yaml manifests ARGS`, which must succeed.
    async fn manifests(&self, verb: &str, args: &[&str]) -> Outcome<String> {
        manifests(&self.rio, verb, args).await
    }
}

/// Six threads of the client share five connections, and now and then one of them closes what another is about to
/// use (encode/httpcore 1110). Who sees it types the command again, as here; it is told what both printed.
const LOST_AT_THE_CLIENT: &str = "Bad file descriptor";

async fn manifests(rio: &Rio, verb: &str, args: &[&str]) -> Outcome<String> {
    let (values, directory) = (example("values.yaml"), example("manifests"));
    let (values, directory) = (values.to_string_lossy(), directory.to_string_lossy());
    let args = [&[verb, "-f", "-v", &values, &directory], args].concat();
    let mut told = String::new();
    loop {
        let finished = rio.run(&args).await?;
        // The client tells how each one went on either stream.
        told += &format!("{}{}", finished.err, finished.out);
        let lost = finished.out.contains(LOST_AT_THE_CLIENT) || finished.err.contains(LOST_AT_THE_CLIENT);
        match finished.success() {
            Ok(_) => return Ok(told),
            Err(_) if lost => {}
            Err(fault) => return Err(fault),
        }
    }
}

fn example(name: &str) -> PathBuf {
    tools::root().join("examples/rio").join(name)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What the deployment was told, by name.
fn env<'v>(deployment: &'v Value, name: &str) -> &'v str {
    let args = deployment.pointer("/spec/envArgs").and_then(Value::as_array);
    let arg = args.into_iter().flatten().find(|arg| text(arg, "/name") == name);
    arg.map(|arg| text(arg, "/value")).unwrap_or_default()
}

#[test]
fn manifests_are_applied_served_and_deleted() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        let applied = site.manifests("apply", &[]).await?;
        for made in ["secret:registry", "staticroute:camera-rear-osaka", "package:MinIO File Server:1.2.0"] {
            assert!(applied.contains(&format!("Created {made}")), "{made}: {applied}");
        }
        assert!(applied.contains("Created deployment:robot agent"), "{applied}");
        inspected(&site).await?;
        waited_for_and_served(&site).await?;

        // Again: what can be changed is, what cannot is left as it is.
        let again = site.manifests("apply", &[]).await?;
        assert!(again.contains("Updated staticroute:shop-osaka"), "{again}");
        assert!(again.contains("Updated secret:database"), "{again}");
        assert!(again.contains("package:shop_front:v1.2.0") && !again.contains("Created"), "{again}");

        let anew = site.manifests("apply", &["--delete-existing"]).await?;
        assert!(anew.contains("Created deployment:shop_front_osaka"), "{anew}");
        site.rio.ok(&["deployment", "wait", "shop_front_osaka"]).await?;

        site.manifests("delete", &[]).await?;
        for (list, gone) in [
            ("static-route", "osaka"),
            ("package", "shop_front"),
            ("deployment", "osaka"),
            ("secret", "database"),
        ] {
            let listed = site.rio.ok(&[list, "list"]).await?;
            assert!(!listed.contains(gone), "{listed}");
        }
        let stopped = site.rio.ok(&["deployment", "list", "--phase", "Stopped"]).await?;
        assert!(stopped.matches("shop_front_osaka").count() == 2, "{stopped}");
        // Deleting what is not there is nothing to complain of.
        site.manifests("delete", &[]).await?;
        Ok(())
    })
}

async fn inspected(site: &Site) -> Outcome {
    let rio = &site.rio;
    let route = rio.inspect(&["static-route", "inspect", "console-osaka"]).await?;
    assert_eq!(text(&route, "/spec/url"), "console-osaka.ep-r.io");
    assert_eq!(text(&route, "/status/status"), "Unavailable");
    assert_eq!(route.pointer("/spec/sourceIPRange/1").and_then(Value::as_str), Some("10.1.2.0/24"));
    assert!(rio.ok(&["static-route", "list", "--label", "site=osaka"]).await?.contains("console-osaka"));

    let package = rio.inspect(&["package", "inspect", "MinIO File Server", "--version", "1.2.0"]).await?;
    assert_eq!(text(&package, "/spec/executables/1/command/0"), "/bin/bash", "{package}");
    assert_eq!(package.pointer("/spec/endpoints/2/port").and_then(Value::as_u64), Some(9100));
    let package = rio.inspect(&["package", "inspect", "shop_front"]).await?;
    assert_eq!(text(&package, "/spec/endpoints/5/portRange"), "3446-3449,3500", "{package}");
    assert!(rio.ok(&["package", "list"]).await?.contains("robot_agent"));
    let deployments = rio.ok(&["package", "deployments", "shop_front", "--version", "v1.2.0"]).await?;
    assert!(
        deployments.contains("shop_front_osaka") && !deployments.contains("file server"),
        "{deployments}"
    );

    let secret = rio.inspect(&["secret", "inspect", "database"]).await?;
    assert_eq!(text(&secret, "/spec/secretKeys/0"), "password", "{secret}");
    let told = rio.ok(&["secret", "inspect", "registry"]).await?;
    assert!(told.contains("shop-robot") && !told.contains("not-a-real-password"), "{told}");
    assert!(rio.ok(&["secret", "list"]).await?.contains("registry"));

    let shop = rio.inspect(&["deployment", "inspect", "shop_front_osaka"]).await?;
    assert_eq!(env(&shop, "WEB_HOST"), "shop-osaka.ep-r.io", "{shop}");
    assert_eq!(env(&shop, "FILES_HOST"), "files-osaka.ep-r.io", "{shop}");
    assert_eq!(text(&shop, "/spec/staticRoutes/0/url"), "shop-osaka.ep-r.io");
    let guid = text(&shop, "/metadata/guid");
    let same = rio.inspect(&["deployment", "inspect", guid]).await?;
    assert_eq!(text(&same, "/metadata/name"), "shop_front_osaka");
    Ok(())
}

async fn waited_for_and_served(site: &Site) -> Outcome {
    let rio = &site.rio;
    for name in ["file server osaka", "shop_front_osaka", "robot agent"] {
        assert!(rio.ok(&["deployment", "wait", name]).await?.contains("Phase: Succeeded"), "{name}");
    }
    assert_eq!(rio.ok(&["deployment", "status", "shop_front_osaka"]).await?.trim(), "Running");
    let listed = rio.ok(&["deployment", "list", "--wide"]).await?;
    assert!(listed.contains("MinIO File Server (1.2.0)") && listed.contains("Succeeded"), "{listed}");
    assert!(rio.ok(&["deployment", "list", "--device", "robot-7"]).await?.contains("robot agent"));
    served(&site.epr, "http://shop-osaka.ep-r.io/").await?;
    served(&site.epr, "https://console-osaka.ep-r.io/").await?;

    rio.ok(&["deployment", "restart", "shop_front_osaka", "--force"]).await?;
    rio.ok(&["deployment", "wait", "shop_front_osaka"]).await?;
    let restarted = rio.inspect(&["deployment", "inspect", "shop_front_osaka"]).await?;
    assert_eq!(restarted.pointer("/metadata/generation").and_then(Value::as_u64), Some(2), "{restarted}");
    assert_eq!(env(&restarted, "GREETING"), "konnichiwa");
    served(&site.epr, "http://shop-osaka.ep-r.io/").await?;
    assert!(
        rio.ok(&["deployment", "logs", "shop_front_osaka", "--exec", "front"]).await?.contains("shop-osaka")
    );
    Ok(())
}

async fn served(epr: &Epr, url: &str) -> Outcome {
    eventually(url, WAIT, async || {
        let page = epr.curl(url)?.get().await?;
        Ok((page.status == 200).then_some(()))
    })
    .await
}

#[test]
fn each_verb_by_itself() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        let rio = &site.rio;
        assert!(rio.ok(&["project", "list"]).await?.contains("Success"));
        assert!(rio.ok(&["project", "select", "default"]).await?.contains("is selected"));
        assert!(rio.ok(&["project", "whoami"]).await?.contains("admin"));
        assert!(rio.ok(&["organization", "list"]).await?.contains("default"));
        assert!(rio.inspect(&["organization", "inspect", "default"]).await?.to_string().contains("org-"));
        assert!(rio.ok(&["auth", "refresh-token"]).await?.contains("refreshed"));

        let made = rio.ok(&["static-route", "create", "shop-kyoto"]).await?;
        assert!(made.contains("shop-kyoto.ep-r.io"), "{made}");
        for (name, why) in
            [("shop-kyoto", "exists already"), ("Shop_Kyoto", "metadata.name"), ("www", "metadata.name")]
        {
            let finished = rio.run(&["static-route", "create", name]).await?;
            assert!(finished.code == Some(1) && finished.out.contains(why), "{name}: {finished:?}");
        }
        rio.ok(&["static-route", "delete", "shop-kyoto", "--force"]).await?;
        let finished = rio.run(&["static-route", "inspect", "shop-kyoto"]).await?;
        assert!(
            finished.code == Some(1) && finished.out.contains("there is no static route"),
            "{finished:?}"
        );

        wrong_manifests(stage, rio).await?;
        strangers(stage, &site).await?;
        pieces_deleted(&site).await
    })
}

/// What is wrong is told with its field, and the client ends with 1.
async fn wrong_manifests(stage: &Stage, rio: &Rio) -> Outcome {
    let wrong = "apiVersion: api.rapyuta.io/v2\nkind: Package\nmetadata: {name: wrong, version: '1'}\nspec:\n  \
                 runtime: cloud\n  executables: [{name: 1st, docker: {image: x}, limits: {cpu: 9, memory: 100}}]\n  \
                 endpoints: [{name: WEB, type: external-http, port: 8080}]\n";
    let path = stage.write("wrong.yaml", wrong)?;
    let finished = rio.run(&["apply", "-f", &path.to_string_lossy()]).await?;
    let said = format!("{}{}", finished.out, finished.err);
    assert_eq!(finished.code, Some(1), "{said}");
    for field in ["spec.executables[0].name", "spec.executables[0].limits.cpu", "spec.endpoints[0].port"] {
        assert!(said.contains(field), "{field}: {said}");
    }
    Ok(())
}

/// Who has no token, or one of another kind, gets in nowhere.
async fn strangers(stage: &Stage, site: &Site) -> Outcome {
    let url = format!("http://{}", site.epr.rest()?);
    let rio = Rio::new(stage, "stranger", &url, None)?;
    let unknown = stage.write("unknown.token", format!("epr_{}", "a".repeat(40)))?;
    for token in [unknown, site.epr.data_dir().join("proxy.token")] {
        let refused = rio.login(&token).await;
        let said = refused.err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(said.contains("token"), "{}: {said}", token.display());
    }
    Ok(())
}

/// One by one, as `rio KIND delete NAME` does it.
async fn pieces_deleted(site: &Site) -> Outcome {
    let rio = &site.rio;
    site.manifests("apply", &[]).await?;
    let finished = rio.run(&["static-route", "delete", "shop-osaka", "--force"]).await?;
    assert!(finished.code == Some(1) && finished.out.contains("shop_front_osaka"), "{finished:?}");
    for name in ["robot agent", "shop_front_osaka", "file server osaka"] {
        rio.ok(&["deployment", "delete", name, "--force"]).await?;
    }
    rio.ok(&["static-route", "delete", "--all", "--force"]).await?;
    rio.ok(&["package", "delete", "shop_front", "--version", "v1.2.0", "--force"]).await?;
    rio.ok(&["package", "delete", "--all", "--force"]).await?;
    rio.ok(&["secret", "delete", "database", "--force"]).await?;
    rio.ok(&["secret", "delete", "--all", "--force"]).await?;
    for kind in ["static-route", "package", "deployment", "secret"] {
        let listed = rio.ok(&[kind, "list"]).await?;
        assert!(!listed.contains("osaka") && !listed.contains("1.2.0"), "{listed}");
    }
    Ok(())
}

#[test]
fn the_library_does_everything_with_everything() -> Outcome {
    play(LIMIT, async |stage| {
        let site = Site::set_up(stage).await?;
        let said = site.rio.script("sdk_client.py", &[]).await?;
        assert!(said.contains("deployments: created, a route moved"), "{said}");
        Ok(())
    })
}

#[test]
fn over_https_with_a_ca_of_ones_own() -> Outcome {
    play(LIMIT, async |stage| {
        let (ca, certificate, key) = private_ca(stage).await?;
        let start = Start::control(stage)
            .flag("--tls-cert", certificate.to_string_lossy())
            .flag("--tls-key", key.to_string_lossy());
        let control = Epr::start(stage, start).await?;
        let (url, token) = (format!("https://{}", control.rest()?), control.data_dir().join("admin.token"));
        let rio = Rio::new(stage, "home", &url, Some(&ca))?;
        rio.login(&token).await?;
        let applied = manifests(&rio, "apply", &[]).await?;
        assert!(applied.contains("Created deployment:shop_front_osaka"), "{applied}");
        let shop = rio.inspect(&["deployment", "inspect", "shop_front_osaka"]).await?;
        assert_eq!(text(&shop, "/status/phase"), "InProgress");
        manifests(&rio, "delete", &[]).await?;
        let said = rio.script("sdk_client.py", &["--nothing-runs"]).await?;
        assert!(said.contains("static routes: claimed"), "{said}");

        // Who does not trust the CA, or speaks in the clear, does not come as far as sending a token.
        for (name, url) in [("distrustful", url.clone()), ("clear", url.replace("https", "http"))] {
            let other = Rio::new(stage, name, &url, None)?;
            assert!(other.login(&token).await.is_err(), "{name}");
        }
        Ok(())
    })
}

/// A CA, and a certificate it has signed for the stage's address, with its key.
async fn private_ca(stage: &Stage) -> Outcome<(PathBuf, PathBuf, PathBuf)> {
    let path = |name: &str| stage.dir().join(name);
    let (ca, ca_key) = (path("ca.pem"), path("ca.key"));
    let (certificate, key) = (path("api.pem"), path("api.key"));
    let make =
        async |subject: &str, extensions: &[&str], key: &Path, out: &Path, by: Option<(&Path, &Path)>| {
            let mut openssl =
                tools::command("openssl", ["req", "-x509", "-nodes", "-days", "2", "-subj", subject])?;
            openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
            for extension in extensions {
                openssl.args(["-addext", extension]);
            }
            if let Some((ca, ca_key)) = by {
                openssl.arg("-CA").arg(ca).arg("-CAkey").arg(ca_key);
            }
            openssl.arg("-keyout").arg(key).arg("-out").arg(out);
            tools::finish(openssl).await?.success()
        };
    let signs = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
    make("/CN=a CA of one's own", &signs, &ca_key, &ca, None).await?;
    let address = format!("subjectAltName=IP:{}", stage.ip());
    let serves = ["basicConstraints=critical,CA:FALSE", &address];
    make("/CN=control", &serves, &key, &certificate, Some((&ca, &ca_key))).await?;
    Ok((ca, certificate, key))
}
