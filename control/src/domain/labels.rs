//! Labels people put on resources to find them again.

use std::collections::BTreeMap;

use super::fault::{At, Faults};

/// Most labels of one resource, most bytes of a key or value, and most bytes of all together.
const MOST_LABELS: usize = 64;
const LONGEST: usize = 256;
const MOST_BYTES: usize = 16 << 10;

/// Notes what is wrong with `labels`.
pub(super) fn judge_labels(labels: &BTreeMap<String, String>, at: &At<'_>, faults: &mut Faults) {
    if labels.len() > MOST_LABELS {
        let message = format!("there are {}; at most {MOST_LABELS} are possible", labels.len());
        faults.add(at, "labels", message);
    }
    let bytes: usize = labels.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > MOST_BYTES {
        let message = format!("have {bytes} bytes together; at most {MOST_BYTES} are possible");
        faults.add(at, "labels", message);
    }
    for (key, value) in labels {
        let sound = |text: &str| text.len() <= LONGEST && !text.chars().any(char::is_control);
        if key.is_empty() || !sound(key) || !sound(value) {
            let message = format!("must have a key, and at most {LONGEST} bytes of text in key and value");
            faults.add(at.field(key), "labels", message);
        }
    }
}
