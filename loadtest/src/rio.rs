use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::tools::{self, Finished};
use crate::{OrFault as _, Outcome, Stage};

/// The real client, unmodified, with a home and a configuration of its own.
pub struct Rio {
    home: PathBuf,
    config: PathBuf,
    ca: Option<PathBuf>,
}

impl Rio {
    /// A client of the API at `url`, which is not logged in; `ca` is whom it trusts under https.
    pub fn new(stage: &Stage, name: &str, url: &str, ca: Option<&Path>) -> Outcome<Self> {
        let home = stage.dir().join(name);
        std::fs::create_dir(&home)?;
        let config = home.join("rio.json");
        let written = json!({ "v2api_host": url, "rip_host": url });
        std::fs::write(&config, written.to_string())?;
        Ok(Self { home, config, ca: ca.map(Path::to_owned) })
    }

    /// Logs in with the token in a file, into the organization and project every installation has.
    pub async fn login(&self, token_file: &Path) -> Outcome<String> {
        let token = std::fs::read_to_string(token_file).or_fault(token_file.display())?;
        let place = ["--organization", "default", "--project", "default", "--silent"];
        self.ok(&[["auth", "login", "--auth-token", token.trim()].as_slice(), &place].concat()).await
    }

    /// Types `rio ARGS`.
    pub async fn run(&self, args: &[&str]) -> Outcome<Finished> {
        let mut command = self.command("rio")?;
        command.args(args);
        tools::finish(command).await
    }

    /// Types what must succeed; what it printed.
    pub async fn ok(&self, args: &[&str]) -> Outcome<String> {
        let finished = self.run(args).await?;
        finished.success().or_fault(format_args!("rio {}", args.join(" ")))
    }

    /// What `rio ... inspect --format json` tells.
    pub async fn inspect(&self, args: &[&str]) -> Outcome<Value> {
        let told = self.ok(&[args, &["--format", "json"]].concat()).await?;
        serde_json::from_str(&told).or_fault(told)
    }

    /// A script of this crate, run with the client's library, told where the configuration is.
    pub async fn script(&self, name: &str, args: &[&str]) -> Outcome<String> {
        let mut command = self.command("python")?;
        command.arg("-u").arg(tools::root().join("loadtest/python").join(name)).arg(&self.config).args(args);
        tools::finish(command).await?.success()
    }

    fn command(&self, program: &str) -> Outcome<Command> {
        let mut command = Command::new(tools::clients(program)?);
        command.current_dir(&self.home).env("HOME", &self.home).env("RIO_CONFIG", &self.config);
        command.env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1").env_remove("SSL_CERT_FILE");
        if let Some(ca) = &self.ca {
            command.env("SSL_CERT_FILE", ca);
        }
        Ok(command)
    }
}
