//! docs/API.md, run: every example as it stands there brings the answer that stands behind it.

use std::time::Duration;

use loadtest::{Epr, Outcome, Stage, Start, play, tools};
use serde_json::Value;
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(90);
/// Stands in an example for what differs each time.
const ANYTHING: &str = "…";

/// A fenced block: its language and its text.
struct Block<'d> {
    language: &'d str,
    text: &'d str,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let fenced = document.split("```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.split_once('\n'))
        .map(|(language, text)| Block { language, text })
        .collect()
}

/// Whether `told` has all that stands in `shown`.
fn has(told: &Value, shown: &Value) -> bool {
    match (told, shown) {
        (told, Value::String(any)) if any == ANYTHING => !told.is_null(),
        (Value::Object(told), Value::Object(shown)) => {
            shown.iter().all(|(key, shown)| told.get(key).is_some_and(|told| has(told, shown)))
        }
        (Value::Array(told), Value::Array(shown)) => {
            told.len() == shown.len() && told.iter().zip(shown).all(|(told, shown)| has(told, shown))
        }
        (told, shown) => told == shown,
    }
}

/// Runs `script` after everything that defines what it uses.
async fn shell(stage: &Stage, control: &Epr, definitions: &str, script: &str) -> Outcome<String> {
    let mut bash = tools::command("bash", ["-euc", &format!("{definitions}\n{script}")])?;
    bash.current_dir(stage.dir()).env("API", format!("http://{}", control.rest()?));
    bash.env("TOKEN", token(control)?);
    tools::finish(bash).await?.success()
}

fn token(control: &Epr) -> Outcome<String> {
    Ok(std::fs::read_to_string(control.data_dir().join("admin.token"))?.trim().to_owned())
}

#[test]
fn every_example_brings_what_stands_behind_it() -> Outcome {
    play(LIMIT, async |stage| {
        let control =
            Epr::start(stage, Start::control(stage).flag("--backend-network", "127.0.0.0/8")).await?;
        let document = std::fs::read_to_string(tools::root().join("docs/API.md"))?;
        let blocks = blocks(&document);
        let (mut definitions, mut said, mut run) = (None, String::new(), 0);
        for block in &blocks {
            match (block.language, definitions) {
                ("sh", None) => definitions = Some(block.text),
                ("sh", Some(definitions)) => said = shell(stage, &control, definitions, block.text).await?,
                ("json", _) => {
                    let told: Value = serde_json::from_str(&said)?;
                    let shown: Value = serde_json::from_str(block.text)?;
                    assert!(has(&told, &shown), "{}\nis not in\n{told:#}", block.text);
                    run += 1;
                }
                ("python", _) => {
                    said = python(stage, &control, block.text).await?;
                    assert!(
                        blocks.iter().any(|shown| shown.language.is_empty() && shown.text == said),
                        "{said}"
                    );
                    run += 1;
                }
                _ => {}
            }
        }
        assert!(run > 10, "{run} examples");
        Ok(())
    })
}

async fn python(stage: &Stage, control: &Epr, script: &str) -> Outcome<String> {
    let stubs = stage.dir().join("stubs");
    let mut generate = Command::new(tools::venv("python")?);
    generate.arg(tools::root().join("examples/reporter/generate.py")).arg(&stubs);
    tools::finish(generate).await?.success()?;
    let mut python = Command::new(tools::venv("python")?);
    python.args(["-c", script]).env("PYTHONPATH", &stubs).env("PYTHONDONTWRITEBYTECODE", "1");
    python.env("GRPC", control.grpc()?.to_string()).env("TOKEN", token(control)?);
    tools::finish(python).await?.success()
}
