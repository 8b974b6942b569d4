use super::fields::Fields;
use crate::wire;

/// What the platform says of a resource; no author decides it.
const GIVEN_BY_THE_PLATFORM: [&str; 15] = [
    "guid",
    "shortGUID",
    "creator",
    "creatorGUID",
    "projectGUID",
    "projectName",
    "organizationGUID",
    "organizationName",
    "organizationCreatorGUID",
    "region",
    "createdAt",
    "updatedAt",
    "deletedAt",
    "generation",
    "revision",
];

/// Reads `metadata`; what else stands in it is for `more` to read.
pub(super) fn read<T>(
    fields: &mut Fields<'_>,
    more: impl FnOnce(&mut Fields<'_>) -> T,
) -> (wire::Metadata, Option<T>) {
    let read = fields.required_map(("metadata", ""), |fields| {
        let metadata = wire::Metadata {
            name: fields.required_text(("name", "metadata.name")).unwrap_or_default(),
            project: fields.text(("project", "metadata.project")).unwrap_or_default(),
            labels: fields.text_map(("labels", "metadata.labels")).into_iter().collect(),
            ..Default::default()
        };
        GIVEN_BY_THE_PLATFORM.into_iter().for_each(|field| fields.ignore(field));
        (metadata, more(fields))
    });
    read.map_or_else(Default::default, |(metadata, more)| (metadata, Some(more)))
}
