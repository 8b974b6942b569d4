use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, options};

use super::{Fault, Place};

/// Nodes one text may have, aliases counted each time they are used: a bound on what a small text with
/// nested aliases can grow to.
const MAX_NODES: usize = 200_000;
const MAX_DEPTH: usize = 64;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) shape: Shape,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    Null,
    /// The text as it stands, so that `1.10` and `on` can be read as the text they may be meant as.
    Scalar {
        text: String,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

/// Why a document could not be read to its end.
struct Broken {
    place: Place,
    message: String,
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    document: usize,
    faults: Vec<Fault>,
}

/// The documents of a text with their numbers, and what is wrong with it as YAML. A document that is
/// broken is left out, and reading goes on behind it.
pub(super) fn parse(text: &str) -> (Vec<(usize, Node)>, Vec<Fault>) {
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(text, limits()),
        anchors: HashMap::new(),
        nodes: 0,
        document: 0,
        faults: Vec::new(),
    };
    let mut roots = Vec::new();
    loop {
        match builder.next_document() {
            Ok(Some(root)) => roots.push((builder.document, root)),
            Ok(None) => break,
            Err(broken) => {
                builder.fault(broken.place, broken.message);
                if builder.nodes > MAX_NODES || !builder.parser.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
        }
    }
    (roots, builder.faults)
}

fn limits() -> Options {
    options! { emit_comments: false, flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH }
}

impl Builder<'_> {
    fn fault(&mut self, place: Place, message: impl Into<String>) {
        let (document, field) = (self.document, String::new());
        self.faults.push(Fault { document, place, field, message: message.into() });
    }

    fn next(&mut self) -> Result<Option<(Event<'_>, Place)>, Broken> {
        let event = self.parser.next_event().transpose().map_err(Broken::from)?;
        Ok(event.map(|(event, span)| (event, Place::from(&span))))
    }

    fn next_document(&mut self) -> Result<Option<Node>, Broken> {
        loop {
            match self.next()? {
                None => return Ok(None),
                Some((Event::DocumentStart(..), _)) => break,
                Some(_) => {}
            }
        }
        self.document += 1;
        self.anchors.clear();
        self.node()?.map_or_else(|| Ok(None), |root| Ok(Some(root)))
    }

    /// The next node, or none where the collection it would be in ends.
    fn node(&mut self) -> Result<Option<Node>, Broken> {
        let Some((event, place)) = self.next()? else { return Ok(None) };
        let (anchor, shape) = match event {
            Event::Scalar(text, style, anchor, _) => (anchor, scalar(text.into_owned(), style)),
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                while let Some(item) = self.node()? {
                    items.push(item);
                }
                (anchor, Shape::List(items))
            }
            Event::MappingStart(_, anchor, _) => (anchor, Shape::Map(self.entries()?)),
            Event::Alias(id) => return self.alias(id, place).map(Some),
            _ => return Ok(None),
        };
        self.count(1, place)?;
        let node = Node { place, shape };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(Some(node))
    }

    fn entries(&mut self) -> Result<Vec<Entry>, Broken> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        while let Some(key) = self.node()? {
            let Some(value) = self.node()? else { break };
            let Shape::Scalar { text } = key.shape else {
                self.fault(key.place, "a key must be a plain word");
                continue;
            };
            if text == "<<" {
                merged.extend(self.merge(value));
                continue;
            }
            if let Some(first) = entries.iter().find(|entry| entry.key == text) {
                let line = first.place.line;
                self.fault(key.place, format!("`{text}` is given twice, first on line {line}"));
                continue;
            }
            entries.push(Entry { key: text, place: key.place, value });
        }
        // What is written out wins over what is merged in.
        for entry in merged {
            if !entries.iter().any(|known| known.key == entry.key) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    fn merge(&mut self, value: Node) -> Vec<Entry> {
        match value.shape {
            Shape::Map(entries) => entries,
            Shape::List(items) => items.into_iter().flat_map(|item| self.merge(item)).collect(),
            Shape::Null | Shape::Scalar { .. } => {
                self.fault(value.place, "`<<` merges a mapping, or a list of them");
                Vec::new()
            }
        }
    }

    /// The node an alias stands for, at the place of the alias.
    fn alias(&mut self, id: usize, place: Place) -> Result<Node, Broken> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(Broken { place, message: "this alias refers to a node it is itself part of".into() });
        };
        let (weight, depth) = node.size();
        self.count(weight, place)?;
        if depth > MAX_DEPTH {
            return Err(Broken { place, message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        Ok(Node { place, ..node })
    }

    fn count(&mut self, nodes: usize, place: Place) -> Result<(), Broken> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(Broken { place, message: format!("more than {MAX_NODES} values: split the file") });
        }
        Ok(())
    }
}

impl Node {
    /// How many nodes it is, and in how many levels.
    fn size(&self) -> (usize, usize) {
        let join = |(nodes, depth): (usize, usize), child: &Self| {
            let (more, below) = child.size();
            (nodes + more, depth.max(1 + below))
        };
        match &self.shape {
            Shape::Null | Shape::Scalar { .. } => (1, 1),
            Shape::List(items) => items.iter().fold((1, 1), join),
            Shape::Map(entries) => entries.iter().map(|entry| &entry.value).fold((1, 1), join),
        }
    }
}

impl Shape {
    /// What it is, for a sentence that says what it should have been.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Scalar { text } => format!("{text:?}"),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a mapping".to_owned(),
        }
    }
}

fn scalar(text: String, style: ScalarStyle) -> Shape {
    let null = style == ScalarStyle::Plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    if null { Shape::Null } else { Shape::Scalar { text } }
}

impl From<&Span> for Place {
    fn from(span: &Span) -> Self {
        Self { line: span.start.line(), column: span.start.col() + 1 }
    }
}

impl From<ScanError> for Broken {
    fn from(error: ScanError) -> Self {
        let marker = error.marker();
        Self {
            place: Place { line: marker.line(), column: marker.col() + 1 },
            message: format!("not valid YAML: {}", error.info()),
        }
    }
}
