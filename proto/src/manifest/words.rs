use super::{Document, in_manifest};

/// Fields that rules name in what they say, and that manifests spell otherwise.
const SPELT_OTHERWISE: [&str; 5] =
    ["target_port", "port_range", "backend_protocol", "http_get", "tcp_socket"];

impl Document {
    /// What is said of the message, said of the manifest: fields it names are named as the manifest does.
    /// What stands in quotation marks is somebody's own words and stays as it is.
    pub fn in_its_words(&self, said: &str) -> String {
        let mut told = String::with_capacity(said.len());
        let mut word = String::new();
        let (mut quoted, mut escaped) = (false, false);
        for c in said.chars() {
            if !quoted && (c.is_ascii_alphanumeric() || "_.[]".contains(c)) {
                word.push(c);
                continue;
            }
            self.put_word(&mut told, &std::mem::take(&mut word));
            told.push(c);
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
        }
        self.put_word(&mut told, &word);
        told
    }

    fn put_word(&self, told: &mut String, word: &str) {
        let field = word.trim_end_matches('.');
        let stop = word.get(field.len()..).unwrap_or_default();
        if SPELT_OTHERWISE.contains(&field) {
            told.push_str(&in_manifest(field));
        } else if field.starts_with("plans[") {
            told.push_str(&self.locate(field).1);
        } else {
            told.push_str(field);
        }
        told.push_str(stop);
    }
}
