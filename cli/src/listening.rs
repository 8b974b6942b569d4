use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Where a running epr listens: `listening.json` in its data directory, written once everything is
/// bound and removed at a clean end, so that the verbs find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listening {
    pub(crate) pid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grpc: Option<SocketAddr>,
    /// Whether gRPC is served under TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) grpc_tls: bool,
    /// The JSON API; under TLS when gRPC is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<SocketAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<SocketAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) https: Option<SocketAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) admin: Option<SocketAddr>,
}

/// Removes the file when dropped.
pub(crate) struct Published(PathBuf);

fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join("listening.json")
}

impl Listening {
    /// What a proxy of this process listens on.
    pub(crate) fn of_proxy(proxy: &proxy::Proxy) -> Self {
        Self {
            pid: std::process::id(),
            grpc: None,
            grpc_tls: false,
            api: None,
            http: Some(proxy.http_addr()),
            https: Some(proxy.https_addr()),
            admin: Some(proxy.admin_addr()),
        }
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn publish(&self, data_dir: &Path) -> Result<Published, Failure> {
        let path = path_in(data_dir);
        let text = serde_json::to_vec(self).map_err(Failure::refused)?;
        certs::write_private(&path, &text).map_err(Failure::refused)?;
        Ok(Published(path))
    }

    /// What a running epr with this data directory has said.
    pub(crate) fn read(data_dir: &Path) -> Result<Self, Failure> {
        let path = path_in(data_dir);
        let text = std::fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::unreachable(format_args!("no running epr found: there is no {}", path.display()))
                    .hint("start one with `epr up`, or name another: --data-dir DIR, or --server URL")
            }
            io::ErrorKind::PermissionDenied => {
                Failure::unreachable(format_args!("cannot read {}: it is its owner's alone", path.display()))
                    .hint("be who runs epr, or name server and token: --server URL --token-file FILE")
            }
            _ => Failure::unreachable(format_args!("cannot read {}: {error}", path.display())),
        })?;
        serde_json::from_slice(&text)
            .map_err(|error| Failure::unreachable(format_args!("{} is damaged: {error}", path.display())))
            .map_err(|failure| {
                failure.hint("restart epr to have it written anew, or name the server: --server URL")
            })
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // A file left behind does no harm: its addresses refuse connections.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_there_while_it_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let said = Listening {
            pid: 7,
            grpc: "127.0.0.1:7700".parse().ok(),
            grpc_tls: false,
            api: "127.0.0.1:7701".parse().ok(),
            http: "127.0.0.1:8080".parse().ok(),
            https: None,
            admin: None,
        };
        let published = said.publish(dir.path()).unwrap();
        assert_eq!(Listening::read(dir.path()).unwrap(), said);
        drop(published);
        assert!(Listening::read(dir.path()).unwrap_err().to_string().contains("epr up"));
    }
}
