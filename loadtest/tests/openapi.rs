//! The JSON API against its own description: whatever fits it, and whatever does not, is answered as it says.

use std::time::Duration;

use loadtest::{Curl, Epr, Outcome, Start, play, tools};
use serde_json::Value;
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(200);
const RUN: Duration = Duration::from_secs(150);
/// Test cases of each operation in each phase.
const EXAMPLES: &str = "12";
const SEED: &str = "20261122";
/// What must hold of every answer. Left out are the two checks that take every wrong body for one that must
/// be refused, and every right one for one that must not: here a null is as good as nothing, and what fits
/// the schema can break rules the schema cannot say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method,\
                      use_after_free,ignored_auth";

#[test]
fn every_operation_answers_as_it_is_described() -> Outcome {
    play(LIMIT, async |stage| {
        let control =
            Epr::start(stage, Start::control(stage).flag("--backend-network", "127.0.0.0/8")).await?;
        let mut python = Command::new(tools::clients("python")?);
        python.arg("-u").arg(tools::root().join("loadtest/python/described.py"));
        python.arg(format!("http://{}", control.rest()?)).arg(control.data_dir().join("admin.token"));
        python.current_dir(stage.dir()).env("PYTHONDONTWRITEBYTECODE", "1");
        let said = tools::finish(python).await?.success()?;
        assert!(said.contains("operations answer as they are described"), "{said}");
        Ok(())
    })
}

#[test]
fn whatever_is_sent_is_answered_as_it_is_described() -> Outcome {
    play(LIMIT, async |stage| {
        let mut control = Epr::start(stage, Start::control(stage)).await?;
        let url = format!("http://{}/openapi.json", control.rest()?);
        let page = Curl::plain(&url)?.get().await?;
        let described: Value = serde_json::from_str(&page.body)?;
        assert_eq!(described["openapi"].as_str(), Some("3.1.0"));

        let token = std::fs::read_to_string(control.data_dir().join("admin.token"))?;
        let mut command = Command::new(tools::clients("schemathesis")?);
        command.current_dir(stage.dir()).args(["run", &url, "--checks", CHECKS, "--seed", SEED]);
        command.args(["--header", &format!("Authorization: Bearer {}", token.trim())]);
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--workers", "2"]);
        command.args(["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "20"]);
        command.args(["--generation-database", "none", "--no-shrink", "--continue-on-failure"]);
        let finished = tools::finish_within(command, b"", RUN).await?;
        let said = finished.success()?;
        assert!(said.contains("No issues found"), "{said}");
        assert!(!control.process().err().contains("a defect was contained"), "{}", control.process().err());
        Ok(())
    })
}
