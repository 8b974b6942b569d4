use super::fields::Fields;
use super::metadata;
use crate::wire;

pub(super) fn read(fields: &mut Fields<'_>) -> wire::StaticRoute {
    let (metadata, _) = metadata::read(fields, |_| ());
    let source_ranges = fields.map(("spec", ""), |spec| {
        spec.ignore("url");
        let mut ranges = spec.texts(("sourceIPRange", "source_ranges"));
        // Where answers put what the real client would choke on.
        ranges.extend(spec.texts(("furtherSourceIPRange", "source_ranges")));
        ranges
    });
    wire::StaticRoute {
        metadata: Some(metadata),
        source_ranges: source_ranges.unwrap_or_default(),
        ..Default::default()
    }
}
