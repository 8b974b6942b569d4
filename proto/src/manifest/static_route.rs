use super::fields::Fields;
use super::read_metadata;
use crate::wire;

pub(super) fn read(fields: &mut Fields<'_>) -> wire::StaticRoute {
    let (metadata, _) = read_metadata(fields, |_| ());
    let source_ranges = fields.map(("spec", ""), |spec| {
        spec.ignore("url");
        spec.texts(("sourceIPRange", "source_ranges"))
    });
    wire::StaticRoute {
        metadata: Some(metadata),
        source_ranges: source_ranges.unwrap_or_default(),
        ..Default::default()
    }
}
