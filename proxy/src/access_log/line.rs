use std::net::SocketAddr;
use std::time::SystemTime;

use http::HeaderValue;
use serde::Serialize;

use super::Record;

/// Longer paths and agents are cut: a line must not be as long as a client likes.
const TEXT_MAX: usize = 1024;

#[derive(Serialize)]
struct Line<'r> {
    time: String,
    client: Option<SocketAddr>,
    protocol: &'r str,
    tls: bool,
    host: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'r str>,
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'r str>,
    bytes_in: u64,
    bytes_out: u64,
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<SocketAddr>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retried: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
}

/// Appends the record as one line.
pub(super) fn append(batch: &mut Vec<u8>, record: &Record) {
    let binding = record.entry.as_ref().and_then(|entry| entry.binding());
    let route = record.entry.as_ref().map(|entry| &entry.route);
    let line = Line {
        time: humantime::format_rfc3339_micros(record.at.unwrap_or(SystemTime::UNIX_EPOCH)).to_string(),
        client: record.client,
        protocol: record.protocol,
        tls: record.tls,
        host: route.map(|route| route.hostname.as_str()).or(record.asked.as_deref().map(cut)),
        method: record.method.as_ref().map(|method| cut(method.as_str())),
        path: record.path.as_ref().map(|path| cut(path)),
        status: record.status.map(|status| status.as_u16()),
        refusal: record.refusal.map(crate::refusal::Refusal::label),
        bytes_in: record.bytes_in,
        bytes_out: record.bytes_out,
        duration_us: u64::try_from(record.took.as_micros()).unwrap_or(u64::MAX),
        project: route.map(|route| route.project.as_str()),
        deployment: binding.map(|binding| binding.deployment.as_str()),
        endpoint: binding.map(|binding| binding.endpoint.as_str()),
        backend: record.upstream.as_ref().map(|upstream| upstream.address().get()),
        retried: record.retried,
        request_id: record.request_id.as_ref().map(text),
        user_agent: record.user_agent.as_ref().map(text),
    };
    let start = batch.len();
    match serde_json::to_writer(&mut *batch, &line) {
        Ok(()) => batch.push(b'\n'),
        // Half a line would spoil the next one.
        Err(_) => batch.truncate(start),
    }
}

pub(super) fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A field's value is bytes; what is not UTF-8 is written as replacement characters.
fn text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    String::from_utf8_lossy(bytes.get(..TEXT_MAX).unwrap_or(bytes)).into_owned()
}
