use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::json;
use crate::buffers::Text;
use crate::refusal::Refusal;
use crate::routes::{RouteEntry, Upstream};

/// What is remembered of a request, tunnel or refused connection until its line is written.
pub struct Note {
    /// When the head (or the hello) was there.
    pub at: SystemTime,
    /// The client's address, as believed.
    pub client: SocketAddr,
    /// `http/1.1`, `h2`, `websocket`, `tls`.
    pub protocol: &'static str,
    /// Whether the client spoke TLS.
    pub tls: bool,
    /// The name asked for where there is no route.
    pub asked: Option<Box<str>>,
    /// Of the answer.
    pub status: Option<http::StatusCode>,
    /// The backend that served it, or failed to.
    pub upstream: Option<Arc<Upstream>>,
    /// Whether it was sent more than once.
    pub retried: bool,
    /// What the request said.
    pub words: Words,
}

/// How it ended.
#[derive(Clone, Copy, Default)]
pub struct End<'e> {
    /// From then to the end of the answer (or the tunnel).
    pub took: Duration,
    /// The route that was found; tells name, deployment and endpoint.
    pub entry: Option<&'e RouteEntry>,
    /// Why it was not served.
    pub refusal: Option<Refusal>,
    /// Body or tunnel bytes from the client.
    pub bytes_in: u64,
    /// Body or tunnel bytes to the client.
    pub bytes_out: u64,
}

impl Note {
    /// Of `client`, who came at `at` and speaks `protocol`. The rest is filled in as it becomes known.
    pub fn new(at: SystemTime, client: SocketAddr, protocol: &'static str, tls: bool) -> Self {
        Self {
            at,
            client,
            protocol,
            tls,
            asked: None,
            status: None,
            upstream: None,
            retried: false,
            words: Words::default(),
        }
    }
}

/// What a request said, as members of its line: its head is gone when that is written.
#[derive(Default)]
pub struct Words {
    pub(super) text: Text,
    /// Where those begin that stand at the line's end.
    pub(super) rest: usize,
}

impl Words {
    /// Of a request's method, target and user agent. Its query is left out: people put secrets there.
    pub fn new(method: &str, target: &str, user_agent: Option<&[u8]>) -> Self {
        let mut text = Text::new();
        let path = target.split('?').next().unwrap_or_default();
        json::member(&mut text, ",\"method\":", method.as_bytes());
        json::member(&mut text, ",\"path\":", path.as_bytes());
        let rest = text.len();
        if let Some(user_agent) = user_agent {
            json::member(&mut text, ",\"user_agent\":", user_agent);
        }
        Self { text, rest }
    }

    /// The id it goes to its backend with.
    pub fn named(&mut self, id: &[u8]) {
        json::member(&mut self.text, ",\"request_id\":", id);
    }
}
