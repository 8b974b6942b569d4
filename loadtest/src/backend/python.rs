use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::{Fault, Outcome, Process, Stage, eventually, tools};

/// How long Python may take to start on a busy machine.
const START: Duration = Duration::from_secs(30);

/// A server written in Python.
pub struct PythonBackend {
    addr: SocketAddr,
    _process: Process,
}

/// A WebSocket server (Python's websockets) that puts its name before what it echoes.
pub async fn websocket(stage: &Stage, name: &str) -> Outcome<PythonBackend> {
    PythonBackend::start(stage, "websocket_backend.py", name).await
}

/// A gRPC server (Python's grpcio), HTTP/2 in the clear, that puts its name before what it echoes.
pub async fn grpc(stage: &Stage, name: &str) -> Outcome<PythonBackend> {
    PythonBackend::start(stage, "grpc_backend.py", name).await
}

impl PythonBackend {
    async fn start(stage: &Stage, script: &str, name: &str) -> Outcome<Self> {
        let mut command = tools::python(script)?;
        command.arg(stage.ip().to_string()).arg(name);
        let mut process = Process::start(stage, name, command)?;
        let path = stage.log_path(&format!("{name}.out"));
        let port = eventually(script, START, async || {
            if let Some(status) = process.ended()? {
                return Err(Fault::new(format_args!("{script} ended with {status}: {}", process.err())));
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let said = text.split_once('\n').and_then(|(line, _)| serde_json::from_str::<Value>(line).ok());
            Ok(said.and_then(|said| u16::try_from(said["port"].as_u64()?).ok()))
        })
        .await?;
        Ok(Self { addr: SocketAddr::from((stage.ip(), port)), _process: process })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}
