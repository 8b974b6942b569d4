use std::time::SystemTime;

use super::json::{member, plain};
use super::note::{End, Note};
use crate::digits;

/// The second of the last line: many lines have the same.
#[derive(Default)]
pub(super) struct Second {
    since_epoch: u64,
    /// Up to the fraction, as RFC 3339 has it.
    text: String,
}

/// Appends one line.
pub(super) fn append(out: &mut Vec<u8>, second: &mut Second, note: &Note, end: &End<'_>) {
    let words = note.words.text.split_at_checked(note.words.rest).unwrap_or_default();
    out.extend_from_slice(b"{\"time\":\"");
    second.write(out, note.at);
    out.extend_from_slice(b"\",\"client\":\"");
    digits::address(out, note.client);
    out.extend_from_slice(b"\",\"protocol\":\"");
    out.extend_from_slice(note.protocol.as_bytes());
    out.extend_from_slice(if note.tls { b"\",\"tls\":true" } else { b"\",\"tls\":false" });
    let route = end.entry.map(|entry| &entry.route);
    match (route, &note.asked) {
        (Some(route), _) => plain(out, ",\"host\":", route.hostname.as_str()),
        (None, Some(asked)) => member(out, ",\"host\":", asked.as_bytes()),
        (None, None) => out.extend_from_slice(b",\"host\":null"),
    }
    out.extend_from_slice(words.0);
    match note.status {
        Some(status) => number(out, ",\"status\":", status.as_u16().into()),
        None => out.extend_from_slice(b",\"status\":null"),
    }
    if let Some(refusal) = end.refusal {
        plain(out, ",\"refusal\":", refusal.label());
    }
    number(out, ",\"bytes_in\":", end.bytes_in);
    number(out, ",\"bytes_out\":", end.bytes_out);
    number(out, ",\"duration_us\":", u64::try_from(end.took.as_micros()).unwrap_or(u64::MAX));
    if let Some(route) = route {
        plain(out, ",\"project\":", route.project.as_str());
    }
    if let Some(binding) = end.entry.and_then(|entry| entry.binding()) {
        plain(out, ",\"deployment\":", binding.deployment.as_str());
        plain(out, ",\"endpoint\":", binding.endpoint.as_str());
    }
    if let Some(upstream) = &note.upstream {
        out.extend_from_slice(b",\"backend\":\"");
        digits::address(out, upstream.address().get());
        out.push(b'"');
    }
    if note.retried {
        out.extend_from_slice(b",\"retried\":true");
    }
    out.extend_from_slice(words.1);
    out.extend_from_slice(b"}\n");
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    out.extend_from_slice(name.as_bytes());
    digits::decimal(out, value);
}

impl Second {
    /// Writes `at` with its microseconds.
    fn write(&mut self, out: &mut Vec<u8>, at: SystemTime) {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if self.since_epoch != since.as_secs() || self.text.is_empty() {
            self.since_epoch = since.as_secs();
            self.text = humantime::format_rfc3339_seconds(at).to_string();
            self.text.truncate(self.text.len().saturating_sub("Z".len()));
        }
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'.');
        digits::padded(out, since.subsec_micros().into(), 6);
        out.push(b'Z');
    }
}
