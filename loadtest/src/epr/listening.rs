use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::{Fault, Outcome, Process, eventually};

/// What a running epr says of itself in `DATA_DIR/listening.json`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listening {
    /// gRPC, of control.
    pub grpc: Option<SocketAddr>,
    /// The JSON API, of control.
    pub api: Option<SocketAddr>,
    /// Plain HTTP, of the proxy.
    pub http: Option<SocketAddr>,
    /// TLS, of the proxy.
    pub https: Option<SocketAddr>,
    /// Health, metrics and explanations.
    pub admin: Option<SocketAddr>,
}

/// Waits for the file this very process writes: an earlier one may have left its own behind.
pub(super) async fn wait(process: &mut Process, data_dir: &Path, within: Duration) -> Outcome<Listening> {
    let path = data_dir.join("listening.json");
    let pid = process.pid().as_raw_nonzero().get();
    eventually("a start", within, async || {
        if let Some(status) = process.ended()? {
            return Err(Fault::new(format_args!(
                "{} ended with {status}: {}",
                process.name(),
                process.err().trim()
            )));
        }
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        let Ok(value) = serde_json::from_slice::<Value>(&text) else { return Ok(None) };
        Ok((value["pid"].as_i64() == Some(pid.into())).then(|| Listening::read(&value)))
    })
    .await
}

impl Listening {
    fn read(value: &Value) -> Self {
        let addr = |name: &str| value[name].as_str().and_then(|text| text.parse().ok());
        let [grpc, api, http, https, admin] = ["grpc", "api", "http", "https", "admin"].map(addr);
        Self { grpc, api, http, https, admin }
    }
}
