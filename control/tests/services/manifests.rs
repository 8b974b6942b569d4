//! The manifests of docs/MANIFESTS.md and of examples/ are what they say they are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message as _;
use proto::manifest::{Document, Kind, Object, read};
use proto::wire;
use tempfile::TempDir;
use tonic::Status;

use crate::stage::Stage;

/// A fenced block of a page: what stands behind the fence, the line it begins in, and its text.
struct Block {
    info: String,
    line: usize,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in (1..).zip(page.lines()) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block { info: info.to_owned(), line: number, text: String::new() });
            }
            (None, Some(block)) => writeln!(block.text, "{line}").unwrap(),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

async fn create(stage: &Stage, object: Object) -> Result<(), Status> {
    let admin = stage.admin();
    match object {
        Object::Project(project) => {
            let request = wire::CreateProjectRequest { project: Some(project) };
            admin.identity().create_project(request).await.map(|_| ())
        }
        Object::Secret(secret) => {
            let request = wire::CreateSecretRequest { secret: Some(secret), dry_run: false };
            admin.secrets().create_secret(request).await.map(|_| ())
        }
        Object::StaticRoute(route) => {
            let request = wire::CreateStaticRouteRequest { static_route: Some(route), dry_run: false };
            stage.static_routes().create_static_route(request).await.map(|_| ())
        }
        Object::Package(package) => {
            let request = wire::CreatePackageRequest { package: Some(package), dry_run: false };
            stage.packages().create_package(request).await.map(|_| ())
        }
        Object::Deployment(deployment) => {
            let deployment = Some(deployment);
            let request = wire::CreateDeploymentRequest { deployment, ..Default::default() };
            stage.deployments().create_deployment(request).await.map(|_| ())
        }
    }
}

/// The faults of a refusal, as somebody is told who applied the document.
fn faults_of(document: &Document, status: &Status) -> String {
    let faults = wire::Faults::decode(status.details()).unwrap().faults;
    assert!(!faults.is_empty(), "{status:?}");
    let mut lines: Vec<_> = faults
        .iter()
        .map(|fault| {
            let (place, field) = document.locate(&fault.field);
            let message = document.in_its_words(&fault.message);
            (place, format!("{}:{}: {field}: {message}\n", place.line, place.column))
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[tokio::test]
async fn the_page_on_manifests_is_true() {
    let stage = Stage::start().await;
    let page = std::fs::read_to_string(root().join("docs/MANIFESTS.md")).unwrap();
    let blocks = blocks(&page);
    let (mut kinds, mut untrue) = (Vec::new(), String::new());
    for (block, next) in blocks.iter().zip(blocks.iter().skip(1).map(Some).chain([None])) {
        let line = block.line;
        match block.info.as_str() {
            "yaml" => {
                for document in read(&block.text).unwrap_or_else(|faults| panic!("line {line}: {faults:?}")) {
                    kinds.push(document.object.kind());
                    let refused = create(&stage, document.object.clone()).await.err();
                    let faults = refused.map(|status| faults_of(&document, &status));
                    assert_eq!(faults, None, "MANIFESTS.md:{line}: {}", document.object.name());
                }
            }
            "yaml is refused" => {
                let told = match read(&block.text) {
                    Ok(documents) => {
                        let [document] = <[Document; 1]>::try_from(documents).unwrap();
                        let status = create(&stage, document.object.clone()).await.unwrap_err();
                        faults_of(&document, &status)
                    }
                    Err(faults) => faults
                        .iter()
                        .map(|fault| {
                            format!("{}:{}: {}\n", fault.place.line, fault.place.column, fault.plain())
                        })
                        .collect(),
                };
                if next.filter(|next| next.info == "text").is_none_or(|next| next.text != told) {
                    write!(untrue, "MANIFESTS.md:{line} is refused with:\n{told}").unwrap();
                }
            }
            _ => {}
        }
    }
    assert!(untrue.is_empty(), "{untrue}");
    for kind in Kind::ALL {
        assert!(kinds.contains(&kind), "no example of {kind}");
    }
}

/// Every example can be applied to a control plane that has nothing yet, its documents in their order.
#[tokio::test]
async fn the_examples_can_be_applied() {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            examples.push(path);
        }
    }
    assert!(examples.len() >= 2, "{examples:?}");
    for path in examples {
        let dir = Arc::new(TempDir::new().unwrap());
        // Applications that somebody tries out run beside it.
        let stage = Stage::with(dir, |config| {
            config.backend_networks = config.backend_networks.clone().with_loopback();
        });
        let stage = stage.await;
        let text = std::fs::read_to_string(&path).unwrap();
        let documents = read(&text).unwrap_or_else(|faults| panic!("{}: {faults:?}", path.display()));
        for document in documents {
            let told = document.clone();
            if let Err(status) = create(&stage, document.object).await {
                panic!("{}: {}\n{}", path.display(), told.object.name(), faults_of(&told, &status));
            }
            assert_eq!(told.left_out, [], "{}", path.display());
        }
        stage.stop().await;
    }
}
