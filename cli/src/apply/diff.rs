//! What differs between two documents, as a person would say it.

use std::fmt;

use serde_json::Value;

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// Like `spec.envArgs[MODE].value`.
    path: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// A field that is written without anybody being told of what it was and is.
    pub(super) fn hidden(path: &str) -> Self {
        let told = Some(Value::from("(never shown)"));
        Self { path: path.to_owned(), before: told.clone(), after: told }
    }

    /// The sign that diffs put before such a line.
    pub(super) fn sign(&self) -> char {
        match (&self.before, &self.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.sign(), self.path)?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before == after => Shown(before).fmt(f),
            (Some(before), Some(after)) => write!(f, "{} -> {}", Shown(before), Shown(after)),
            (Some(only), None) | (None, Some(only)) => Shown(only).fmt(f),
            (None, None) => Ok(()),
        }
    }
}

/// A value in one line.
struct Shown<'v>(&'v Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { ", " } else { "" }, Shown(item))?;
                }
                Ok(())
            }
            Value::Object(fields) => {
                f.write_str("{")?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {}", if i > 0 { ", " } else { "" }, Shown(value))?;
                }
                f.write_str("}")
            }
            // Quoted only where the quotes tell something.
            Value::String(text) if !text.is_empty() && text.trim() == text && !text.contains('\n') => {
                f.write_str(text)
            }
            other => other.fmt(f),
        }
    }
}

/// What must change for `before` to become `after`.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let (was, is) = (parts(before), parts(after));
    // An item that comes or goes is told as a whole, a field with all that is in it.
    let comes_or_goes = path.ends_with(']') && (before.is_none() || after.is_none());
    if comes_or_goes || was.is_none() && before.is_some() || is.is_none() && after.is_some() {
        found.push(Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
        return;
    }
    let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
    for (step, value) in &was {
        let after = is.iter().find(|(other, _)| other == step).map(|(_, value)| *value);
        compare(&join(path, step), Some(value), after, found);
    }
    for (step, value) in is.iter().filter(|(step, _)| !was.iter().any(|(other, _)| other == step)) {
        compare(&join(path, step), None, Some(value), found);
    }
}

fn join(path: &str, step: &str) -> String {
    if path.is_empty() || step.starts_with('[') { format!("{path}{step}") } else { format!("{path}.{step}") }
}

/// What a value is made of, when that is looked at one by one: the fields of a mapping, and the items of a
/// list of mappings, which go by what names them rather than by their number.
fn parts(value: Option<&Value>) -> Option<Vec<(String, &Value)>> {
    match value? {
        Value::Object(fields) => Some(fields.iter().map(|(name, value)| (name.clone(), value)).collect()),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
            let names: Vec<_> = items.iter().map(named).collect();
            let unique = |name: &Option<&str>| names.iter().filter(|other| *other == name).count() == 1;
            let step = |(i, name): (usize, &Option<&str>)| match name {
                Some(text) if unique(name) => format!("[{text}]"),
                _ => format!("[{i}]"),
            };
            Some(names.iter().enumerate().map(step).zip(items).collect())
        }
        _ => None,
    }
}

/// What an item of a list goes by: its name, or what it depends on.
fn named(item: &Value) -> Option<&str> {
    let depends = item.get("depends").and_then(|depends| depends.get("nameOrGUID"));
    let name = depends.or_else(|| item.get("nameOrGUID")).or_else(|| item.get("name"))?;
    name.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_reads_as_a_person_would_say_it() {
        let before = json!({
            "metadata": { "labels": { "team": "shop" } },
            "spec": {
                "envArgs": [{ "name": "A", "value": "1" }, { "name": "B", "value": "" }],
                "backends": { "WEB": ["10.0.0.1:80"] },
                "staticRoutes": [{ "name": "WEB", "depends": { "nameOrGUID": "old" } }],
            },
        });
        let after = json!({
            "metadata": {},
            "spec": {
                "envArgs": [{ "name": "B", "value": "x y" }, { "name": "A", "value": "1" }],
                "backends": { "WEB": ["10.0.0.1:80", "10.0.0.2:80"] },
                "staticRoutes": [{ "name": "WEB", "depends": { "nameOrGUID": "new" } }],
            },
        });
        let lines: Vec<_> = changes(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "- metadata.labels.team: shop",
                "~ spec.backends.WEB: 10.0.0.1:80 -> 10.0.0.1:80, 10.0.0.2:80",
                "~ spec.envArgs[B].value: \"\" -> x y",
                "- spec.staticRoutes[old]: {depends: {nameOrGUID: old}, name: WEB}",
                "+ spec.staticRoutes[new]: {depends: {nameOrGUID: new}, name: WEB}",
            ]
        );
    }

    #[test]
    fn the_same_is_no_difference() {
        let value = json!({ "a": [1, { "b": null }] });
        assert_eq!(changes(&value, &value), []);
    }
}
