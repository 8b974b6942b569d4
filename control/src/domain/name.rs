//! What people call things.

use super::Broken;
use super::text::text;

text! {
    /// The name of a package.
    PackageName, |text| check_free("a package's name", text)
}

text! {
    /// The name of a deployment.
    DeploymentName, |text| check_free("a deployment's name", text)
}

text! {
    /// The name of a plan within its package.
    PlanName, |text| check_free("a plan's name", text)
}

text! {
    /// The version of a package: `v1.0.0`.
    Version, |text| {
        let sound = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_+".contains(&b));
        if sound {
            return Ok(());
        }
        let message = format!("{text:?} is no version; 1 to 64 letters, digits, '.', '-', '_' or '+', like v1.0.0");
        Err(Broken::new("version", message))
    }
}

text! {
    /// The name of a component within its plan.
    ComponentName, |text| check_component("component", text)
}

text! {
    /// The name of an executable within its plan.
    ExecutableName, |text| check_component("executable", text)
}

text! {
    /// The name of an endpoint within its package; also of the variables that carry its address.
    EndpointName, |text| {
        if is_identifier(text) && text.len() <= 63 {
            return Ok(());
        }
        let message = format!(
            "{text:?} is no name of an endpoint; at most 63 letters, digits and underscores, not beginning with a digit"
        );
        Err(Broken::new("endpoint_name", message))
    }
}

text! {
    /// The name of an environment variable (POSIX.1-2017 8.1, lowercase allowed).
    VariableName, |text| {
        if is_identifier(text) && text.len() <= 255 {
            return Ok(());
        }
        let message = format!(
            "{text:?} is no name of an environment variable; letters, digits and underscores, not beginning with a digit"
        );
        Err(Broken::new("variable_name", message))
    }
}

text! {
    /// The name of an organization.
    OrganizationName, |text| check_named("an organization's name", "org-", text)
}

text! {
    /// The name of a project within its organization.
    ProjectName, |text| check_named("a project's name", "project-", text)
}

text! {
    /// The name of a secret within its project.
    SecretName, |text| check_named("a secret's name", "secret-", text)
}

text! {
    /// The name of a token among those of its user.
    TokenName, |text| check_free("a token's name", text)
}

text! {
    /// How a user is called and found: an address, or any word. Without capitals, which nobody tells apart.
    Email, |text| {
        check_named("a user's email", "user-", text)?;
        if text.chars().any(|c| c.is_whitespace() || c.is_uppercase()) {
            let message = format!("a user's email has neither spaces nor capitals; this is {text:?}");
            return Err(Broken::new("email", message));
        }
        Ok(())
    }
}

/// A free name that is no guid of its kind: what is found by either must not be two things.
fn check_named(what: &str, prefix: &str, text: &str) -> Result<(), Broken> {
    check_free(what, text)?;
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    if matches!(rest.len(), 20 | 24) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return Err(Broken::new("name", format!("{what} must not look like a guid; this is {text:?}")));
    }
    Ok(())
}

/// Longest free name in bytes.
const LONGEST_NAME: usize = 128;

/// Names in use hold spaces and underscores (`MinIO File Server`): nothing is asked of them but that
/// they can be read and typed.
fn check_free(what: &str, text: &str) -> Result<(), Broken> {
    if text.is_empty() {
        return Err(Broken::new("name", format!("{what} must not be empty")));
    }
    if text.len() > LONGEST_NAME {
        return Err(Broken::new(
            "name",
            format!("{what} has at most {LONGEST_NAME} bytes; this has {}", text.len()),
        ));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        let message = format!("{what} has no control characters, nor spaces at its ends; this is {text:?}");
        return Err(Broken::new("name", message));
    }
    Ok(())
}

fn check_component(what: &str, text: &str) -> Result<(), Broken> {
    let sound = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    if sound {
        return Ok(());
    }
    let message = format!(
        "{text:?} is no name of {} {what}; 1 to 63 letters, digits, '-' and '_', not beginning with a digit",
        if what.starts_with('e') { "an" } else { "a" }
    );
    Err(Broken::new("component_name", message))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_people_use_are_taken() {
        for name in ["MinIO File Server", "my_app", "käse", "a/b@c", "1"] {
            assert!(PackageName::parse(name).is_ok(), "{name}");
        }
        for bad in ["", " a", "a ", "a\nb", "\u{7f}", &"x".repeat(129)] {
            assert_eq!(DeploymentName::parse(bad).unwrap_err().rule, "name", "{bad:?}");
        }
    }

    #[test]
    fn names_of_parts_are_stricter() {
        assert!(EndpointName::parse("WEB_1").is_ok() && ComponentName::parse("my-part_2").is_ok());
        for bad in ["", "1WEB", "WEB-1", "WEB 1", "WÉB"] {
            assert_eq!(EndpointName::parse(bad).unwrap_err().rule, "endpoint_name", "{bad:?}");
            assert_eq!(VariableName::parse(bad).unwrap_err().rule, "variable_name", "{bad:?}");
        }
        for bad in ["", "1part", "a.b", "a b", &"x".repeat(64)] {
            assert_eq!(ExecutableName::parse(bad).unwrap_err().rule, "component_name", "{bad:?}");
        }
        for bad in ["", "1.0 beta", "1/2", "a@b"] {
            assert_eq!(Version::parse(bad).unwrap_err().rule, "version", "{bad:?}");
        }
    }

    #[test]
    fn stored_texts_are_checked_when_read_back() {
        let name: EndpointName = serde_json::from_str("\"WEB\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"WEB\"");
        assert!(serde_json::from_str::<EndpointName>("\"no-hyphen\"").is_err());
    }
}
