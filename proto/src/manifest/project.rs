use super::fields::Fields;
use super::metadata;
use crate::wire;

pub(super) fn read(fields: &mut Fields<'_>) -> wire::Project {
    let (metadata, organization) = metadata::read(fields, |fields| {
        let guid = fields.text(("organizationGUID", "organization"));
        guid.or_else(|| fields.text(("organizationName", "organization")))
    });
    fields.map(("spec", ""), |spec| {
        // Who may do what is said by roles of users.
        for elsewhere in ["members", "users", "userGroups", "features"] {
            spec.leave_out(elsewhere);
        }
    });
    wire::Project {
        metadata: Some(metadata),
        organization: organization.flatten().unwrap_or_default(),
        ..Default::default()
    }
}
