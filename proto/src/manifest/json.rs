//! JSON as programs send it, read by a parser of JSON: to YAML, `\ud83d\ude00` is no character.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::tree::{Entry, Node, Shape};
use super::{Fault, Place};

/// All of a body is at one place: it has no lines anybody would look for.
const SOMEWHERE: Place = Place { line: 1, column: 1 };

/// Values of one body: each takes many times the room its text does. A resource with more is larger than any
/// that can be stored.
const MOST_VALUES: usize = 50_000;

pub(super) fn parse(body: &[u8]) -> Result<Node, Fault> {
    let values = Cell::new(0);
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = AnyNode { values: &values }.deserialize(&mut json).and_then(|node| json.end().map(|()| node));
    read.map_err(|error| Fault {
        document: 1,
        place: Place { line: error.line().max(1), column: error.column().max(1) },
        field: String::new(),
        message: format!("not valid JSON: {error}"),
    })
}

impl From<Shape> for Node {
    fn from(shape: Shape) -> Self {
        Self { place: SOMEWHERE, shape }
    }
}

/// Reads any value as a node, and counts it.
#[derive(Clone, Copy)]
struct AnyNode<'c> {
    values: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for AnyNode<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MOST_VALUES {
            return Err(de::Error::custom(format_args!("more than {MOST_VALUES} values")));
        }
        from.deserialize_any(self).map(Node::from)
    }
}

fn scalar<E>(value: impl fmt::Display) -> Result<Shape, E> {
    Ok(Shape::Scalar { text: value.to_string() })
}

impl<'de> Visitor<'de> for AnyNode<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        scalar(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        scalar(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        scalar(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        // `1.0` stays `1.0`.
        scalar(format_args!("{value:?}"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        scalar(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        while let Some(key) = fields.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format_args!("`{key}` is given twice")));
            }
            let value = fields.next_value_seed(self)?;
            entries.push(Entry { key, place: SOMEWHERE, value });
        }
        Ok(Shape::Map(entries))
    }
}
