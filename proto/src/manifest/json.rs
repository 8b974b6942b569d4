//! JSON as programs send it, read by a parser of JSON: to YAML, `\ud83d\ude00` is no character.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::tree::{Entry, Node, Shape};
use super::{Fault, Place};

/// All of a body is at one place: it has no lines anybody would look for.
const SOMEWHERE: Place = Place { line: 1, column: 1 };

pub(super) fn parse(body: &[u8]) -> Result<Node, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault {
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

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyShape).map(Self::from)
    }
}

struct AnyShape;

fn scalar<E>(value: impl fmt::Display) -> Result<Shape, E> {
    Ok(Shape::Scalar { text: value.to_string() })
}

impl<'de> Visitor<'de> for AnyShape {
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
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Shape::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Shape, A::Error> {
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        while let Some((key, value)) = fields.next_entry::<String, Node>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format_args!("`{key}` is given twice")));
            }
            entries.push(Entry { key, place: SOMEWHERE, value });
        }
        Ok(Shape::Map(entries))
    }
}
