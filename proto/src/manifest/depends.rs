//! `depends: {kind: …, nameOrGUID: …}`: how the dialect refers to another resource.

use super::fields::{Fields, Name};

/// Reads the name or guid in `depends`, which the message has in its field `wire`. An empty `depends` is as
/// good as none.
pub(super) fn read(fields: &mut Fields<'_>, kinds: &[&str], wire: &str) -> Option<String> {
    fields.map(("depends", ""), |depends| name_of(depends, kinds, wire)).flatten()
}

/// Like [`read`], of a reference that must be there.
pub(super) fn required(fields: &mut Fields<'_>, kinds: &[&str], wire: &str) -> String {
    let read = |depends: &mut Fields<'_>| required_name_of(depends, kinds, wire);
    fields.required_map(("depends", ""), read).unwrap_or_default()
}

/// Reads the fields of a `depends`: the name, if there is one.
fn name_of(depends: &mut Fields<'_>, kinds: &[&str], wire: &str) -> Option<String> {
    check_kind(depends, kinds);
    let name = depends.text((spelling(depends), wire));
    name.filter(|name| !name.is_empty())
}

/// Reads the fields of a `depends` that must have a name.
pub(super) fn required_name_of(depends: &mut Fields<'_>, kinds: &[&str], wire: &str) -> String {
    check_kind(depends, kinds);
    let name: Name = (spelling(depends), wire).into();
    depends.required_text(name).unwrap_or_default()
}

fn check_kind(depends: &mut Fields<'_>, kinds: &[&str]) {
    let kinds: Vec<_> = kinds.iter().map(|kind| (*kind, ())).collect();
    depends.choice("kind", &kinds);
    depends.ignore("guid");
}

fn spelling(depends: &Fields<'_>) -> &'static str {
    if depends.has("nameOrGuid") { "nameOrGuid" } else { "nameOrGUID" }
}
