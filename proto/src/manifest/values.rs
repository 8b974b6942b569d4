//! Where the value of a variable comes from and goes to: the same in packages and in deployments.

use super::fields::Fields;
use crate::wire;

/// Reads `exposed` and `exposedName`; empty when the variable is not exposed.
pub(super) fn read_exposed_name(variable: &mut Fields<'_>) -> String {
    let exposed = variable.flag(("exposed", ""));
    let name = variable.text(("exposedName", "exposed_as"));
    if exposed == Some(true) && name.is_none() {
        variable.fault("exposedName", "missing; an exposed variable needs the name others see it by");
    }
    name.filter(|_| exposed.unwrap_or(true)).unwrap_or_default()
}

/// Reads `valueFrom: {secretKeyRef: {name, key}}`. What the secret holds is never read, not even when it
/// stands there.
pub(super) fn read_secret_key(variable: &mut Fields<'_>) -> Option<wire::SecretKey> {
    let read = variable.map(("valueFrom", "value_from"), |from| {
        from.map(("secretKeyRef", ""), |secret| {
            secret.ignore("value");
            wire::SecretKey {
                secret: secret.text(("name", "secret")).unwrap_or_default(),
                key: secret.text("key").unwrap_or_default(),
            }
        })
    });
    read.flatten()
}
