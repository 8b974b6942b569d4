//! What rendering is made of.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::wire;

pub(super) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn list<T>(items: &[T], each: impl Fn(&T) -> Value) -> Value {
    items.iter().map(each).collect()
}

/// Writes a text unless it is empty.
pub(super) fn put(out: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        out.insert(name.to_owned(), json!(text));
    }
}

/// Writes what is there.
pub(super) fn put_some(out: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        out.insert(name.to_owned(), value.into());
    }
}

/// Writes what is true.
pub(super) fn put_flag(out: &mut Map<String, Value>, name: &str, flag: bool) {
    put_some(out, name, flag.then_some(true));
}

/// Writes a number unless it is 0, which says nothing.
pub(super) fn put_number(out: &mut Map<String, Value>, name: &str, number: u32) {
    put_some(out, name, (number != 0).then_some(number));
}

/// Writes a list unless it is empty.
pub(super) fn put_list(out: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        out.insert(name.to_owned(), items.into());
    }
}

pub(super) fn texts(texts: &[String]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

pub(super) fn timestamp(at: Option<&prost_types::Timestamp>) -> Option<String> {
    at.map(ToString::to_string)
}

/// A reference to another resource.
pub(super) fn depends(kind: &str, name: &str) -> Value {
    json!({ "kind": kind, "nameOrGUID": name })
}

/// Where the value of a variable comes from and goes to.
pub(super) fn put_value_from(out: &mut Map<String, Value>, from: Option<&wire::SecretKey>, exposed_as: &str) {
    if let Some(from) = from {
        let mut secret = Map::new();
        put(&mut secret, "name", &from.secret);
        put(&mut secret, "key", &from.key);
        out.insert("valueFrom".to_owned(), json!({ "secretKeyRef": secret }));
    }
    if !exposed_as.is_empty() {
        out.insert("exposed".to_owned(), json!(true));
        put(out, "exposedName", exposed_as);
    }
}

pub(super) fn metadata(metadata: Option<&wire::Metadata>) -> Map<String, Value> {
    let mut out = Map::new();
    let Some(metadata) = metadata else { return out };
    put(&mut out, "name", &metadata.name);
    put(&mut out, "guid", &metadata.guid);
    put(&mut out, "projectGUID", &metadata.project);
    put(&mut out, "creatorGUID", &metadata.creator);
    if !metadata.labels.is_empty() {
        let labels: BTreeMap<_, _> = metadata.labels.iter().collect();
        out.insert("labels".to_owned(), json!(labels));
    }
    put_some(&mut out, "createdAt", timestamp(metadata.created_at.as_ref()));
    put_some(&mut out, "updatedAt", timestamp(metadata.updated_at.as_ref()));
    out
}
