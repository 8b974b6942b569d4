use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::tools::{self, Finished};
use crate::{Fault, OrFault as _, Outcome};

/// A curl command line that has not run yet.
pub struct Curl {
    command: Command,
    dir: TempDir,
}

/// What curl got.
#[derive(Debug, Clone)]
pub struct Page {
    /// Status of the last answer.
    pub status: u16,
    /// HTTP version of the last answer, as curl prints it: `1.1`, `2`.
    pub version: String,
    /// Field names in lower case, in their order.
    pub fields: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Page {
    /// The first field of that name, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// Which backend answered.
    pub fn backend(&self) -> &str {
        self.field("x-backend")
    }

    /// Why nobody did.
    pub fn refusal(&self) -> &str {
        self.field("epr-refusal")
    }
}

impl Curl {
    /// Without any edge: the URL as it is.
    pub fn plain(url: &str) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let mut command = tools::command("curl", ["--silent", "--show-error", "--max-time", "20"])?;
        command.arg("--noproxy").arg("*");
        command.arg("--dump-header").arg(dir.path().join("head"));
        command.arg("--output").arg(dir.path().join("body"));
        command.args(["--write-out", "%{http_code} %{http_version}"]).arg(url);
        Ok(Self { command, dir })
    }

    pub(crate) fn at(
        url: &str,
        http: Option<SocketAddr>,
        https: Option<SocketAddr>,
        ca: &Path,
    ) -> Outcome<Self> {
        let (scheme, rest) = url.split_once("://").or_fault("a URL needs a scheme")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let edge = if scheme == "https" { https } else { http }.or_fault("it has no such port")?;
        let port = edge.port();
        let mut curl = Self::plain(&format!("{scheme}://{host}:{port}/{path}"))?;
        curl.command.arg("--resolve").arg(format!("{host}:{port}:{}", edge.ip()));
        curl.command.arg("--cacert").arg(ca);
        Ok(curl)
    }

    /// Further arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    /// Where it keeps what it got.
    pub fn body_path(&self) -> PathBuf {
        self.dir.path().join("body")
    }

    /// Runs it; a page whatever its status, a fault when there was no answer.
    pub async fn get(self) -> Outcome<Page> {
        let (finished, page) = self.try_get().await?;
        page.or_fault(format_args!("curl: exit code {:?}: {}", finished.code, finished.err.trim()))
    }

    /// Runs it; how curl ended, and the page if there was one.
    pub async fn try_get(self) -> Outcome<(Finished, Option<Page>)> {
        let finished = tools::finish(self.command).await?;
        if finished.code != Some(0) {
            return Ok((finished, None));
        }
        let head = fs::read_to_string(self.dir.path().join("head")).unwrap_or_default();
        let body = fs::read(self.dir.path().join("body")).unwrap_or_default();
        let (status, version) = finished.out.trim().split_once(' ').or_fault("curl printed no status")?;
        let status = status.parse().map_err(|_| Fault::new(format_args!("status {status:?}")))?;
        let last = head.trim_end().rsplit("\r\n\r\n").next().unwrap_or_default();
        let fields = last.lines().skip(1).filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let (version, fields) = (version.to_owned(), fields.collect());
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok((finished, Some(Page { status, version, fields, body })))
    }
}
