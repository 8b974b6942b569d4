use http::{HeaderMap, HeaderName, HeaderValue};

use crate::http1::write;

/// Where the fields of a head go: into the bytes of an HTTP/1 head, or into HTTP/2's map of them.
pub(crate) trait Sink {
    /// Adds a field.
    fn put(&mut self, name: impl AsRef<[u8]>, value: &[u8]);

    /// Adds fields, which `text` has as they go over HTTP/1.
    fn put_all<'f>(&mut self, _text: &[u8], fields: impl Iterator<Item = (&'f str, &'f [u8])>) {
        fields.for_each(|(name, value)| self.put(name, value));
    }

    /// Adds a field whose value is all `parts`, with `between` between each two.
    fn put_joined<'p>(
        &mut self,
        name: impl AsRef<[u8]>,
        parts: impl Iterator<Item = &'p [u8]>,
        between: &str,
    ) {
        let mut value = Vec::new();
        join(&mut value, parts, between);
        self.put(name, &value);
    }
}

/// A head as it is sent over HTTP/1.
impl Sink for Vec<u8> {
    fn put(&mut self, name: impl AsRef<[u8]>, value: &[u8]) {
        write::field(self, name, value);
    }

    fn put_all<'f>(&mut self, text: &[u8], _fields: impl Iterator<Item = (&'f str, &'f [u8])>) {
        self.extend_from_slice(text);
    }

    fn put_joined<'p>(
        &mut self,
        name: impl AsRef<[u8]>,
        parts: impl Iterator<Item = &'p [u8]>,
        between: &str,
    ) {
        write::field(self, name, b"");
        // Written in place of the line's end, so that no value is put together elsewhere first.
        self.truncate(self.len().saturating_sub(b"\r\n".len()));
        join(self, parts, between);
        self.extend_from_slice(b"\r\n");
    }
}

/// A head as hyper and h2 take it. What it cannot hold, no reader of heads lets in.
impl Sink for HeaderMap {
    fn put(&mut self, name: impl AsRef<[u8]>, value: &[u8]) {
        let name = HeaderName::from_bytes(name.as_ref());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            // Full at 32768 fields, which is more than the bounds of any head allow.
            let _ = self.try_append(name, value);
        }
    }
}

fn join<'p>(to: &mut Vec<u8>, parts: impl Iterator<Item = &'p [u8]>, between: &str) {
    for (at, part) in parts.enumerate() {
        if at > 0 {
            to.extend_from_slice(between.as_bytes());
        }
        to.extend_from_slice(part);
    }
}
