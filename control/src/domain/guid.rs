//! Names the control plane gives, and the chance it draws them from.

use proto::ProjectId;

use super::Broken;
use super::text::text;

/// The project every installation has from the start.
pub const BUILT_IN_PROJECT: &str = "project-builtin0000000000000";
/// The organization that project belongs to.
const BUILT_IN_ORGANIZATION: &str = "org-builtin0000000000000";
/// What the guids of projects begin with.
const PROJECT_PREFIX: &str = "project-";

/// The guid of the built-in project.
pub fn built_in_project() -> ProjectId {
    #[allow(clippy::expect_used, reason = "a constant; a test reads it")]
    ProjectId::parse(BUILT_IN_PROJECT).expect("the built-in project's guid is sound")
}

/// The guid of the built-in organization.
pub fn built_in_organization() -> OrganizationGuid {
    #[allow(clippy::expect_used, reason = "a constant; a test reads it")]
    OrganizationGuid::parse(BUILT_IN_ORGANIZATION).expect("the built-in organization's guid is sound")
}

/// Draws the guid of a new project.
pub fn draw_project(chance: &dyn Chance) -> Result<ProjectId, NoChance> {
    let drawn = draw(chance, LETTERS_AND_DIGITS, GUID_LENGTH)?;
    ProjectId::parse(&format!("{PROJECT_PREFIX}{drawn}"))
        .ok_or_else(|| NoChance("a drawn guid is not sound; this is a defect in epr".into()))
}

/// The guid of a project as someone wrote it.
pub fn parse_project(text: &str) -> Result<ProjectId, Broken> {
    check(text, PROJECT_PREFIX)?;
    ProjectId::parse(text).ok_or_else(|| no_guid(text, PROJECT_PREFIX))
}

/// Letters and digits after the prefix of a guid. 36^20 is 103 bits: none is drawn twice.
const GUID_LENGTH: usize = 20;
/// The other form there is: as many lowercase letters. Read, never drawn.
const LETTERS_LENGTH: usize = 24;

const LETTERS_AND_DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

/// Where random bytes come from. In service they come from the operating system, for guids and random
/// routes must not be guessable.
pub trait Chance: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoChance>;
}

/// The system gives no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoChance(pub String);

/// `length` random lowercase letters.
pub fn letters(chance: &dyn Chance, length: usize) -> Result<String, NoChance> {
    draw(chance, LETTERS, length)
}

/// Draws evenly from `alphabet`, which has at most 256 characters of ASCII: bytes above its largest
/// multiple are drawn again, or the first letters would be likelier.
fn draw(chance: &dyn Chance, alphabet: &[u8], length: usize) -> Result<String, NoChance> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        chance.fill(&mut bytes)?;
        let wanted = length - text.len();
        let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(
            drawn.filter_map(|byte| alphabet.get(byte % alphabet.len())).take(wanted).map(|c| char::from(*c)),
        );
    }
    Ok(text)
}

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        text! {
            $(#[$doc])*
            $name, |text| check(text, $prefix)
        }

        impl $name {
            /// What its texts begin with.
            pub const PREFIX: &'static str = $prefix;

            /// Draws a new one.
            pub fn draw(chance: &dyn Chance) -> Result<Self, NoChance> {
                let drawn = draw(chance, LETTERS_AND_DIGITS, GUID_LENGTH)?;
                Ok(Self(format!("{}{drawn}", $prefix).into()))
            }
        }
    };
}

guid! {
    /// The guid of a package, one version of it.
    PackageGuid, "pkg-"
}
guid! {
    /// The id of a plan of a package.
    PlanId, "plan-"
}
guid! {
    /// The guid of a deployment.
    DeploymentGuid, "dep-"
}
guid! {
    /// The guid of a static route.
    StaticRouteGuid, "staticroute-"
}
guid! {
    /// The id of a runtime's lease.
    LeaseId, "lease-"
}
guid! {
    /// The guid of a user.
    UserGuid, "user-"
}
guid! {
    /// The guid of an organization.
    OrganizationGuid, "org-"
}
guid! {
    /// The guid of a secret.
    SecretGuid, "secret-"
}

fn check(text: &str, prefix: &'static str) -> Result<(), Broken> {
    let sound = text.strip_prefix(prefix).is_some_and(|rest| match rest.len() {
        GUID_LENGTH => rest.bytes().all(|b| LETTERS_AND_DIGITS.contains(&b)),
        LETTERS_LENGTH => rest.bytes().all(|b| LETTERS.contains(&b)),
        _ => false,
    });
    if sound { Ok(()) } else { Err(no_guid(text, prefix)) }
}

fn no_guid(text: &str, prefix: &str) -> Broken {
    let message = format!(
        "{text:?} is no guid of this kind: {prefix} and {GUID_LENGTH} lowercase letters or digits, or \
         {LETTERS_LENGTH} lowercase letters"
    );
    Broken::new("guid", message)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Chance that can be foretold: a counter, mixed (`splitmix64`).
    #[derive(Debug, Default)]
    pub(crate) struct Counting(AtomicU64);

    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoChance> {
            for chunk in bytes.chunks_mut(8) {
                let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                let mixed = (z ^ (z >> 31)).to_le_bytes();
                chunk.copy_from_slice(mixed.get(..chunk.len()).unwrap());
            }
            Ok(())
        }
    }

    #[test]
    fn guids_are_drawn_in_their_form() {
        let chance = Counting::default();
        let guid = DeploymentGuid::draw(&chance).unwrap();
        assert_eq!(guid.as_str().len(), "dep-".len() + 20);
        assert_eq!(DeploymentGuid::parse(guid.as_str()), Ok(guid.clone()));
        assert_ne!(DeploymentGuid::draw(&chance).unwrap(), guid);
        for bad in
            ["", "dep-", "pkg-aaaaaaaaaaaaaaaaaaaa", "dep-AAAAAAAAAAAAAAAAAAAA", "dep-aaaaaaaaaaaaaaaaaaaaa"]
        {
            assert_eq!(DeploymentGuid::parse(bad).unwrap_err().rule, "guid", "{bad:?}");
        }
        let letters = format!("dep-{}", "a".repeat(24));
        assert_eq!(DeploymentGuid::parse(&letters).unwrap().as_str(), letters);
        assert!(DeploymentGuid::parse(&format!("dep-{}1", "a".repeat(23))).is_err());
    }

    #[test]
    fn projects_and_organizations_have_guids_of_their_own() {
        assert_eq!(parse_project(BUILT_IN_PROJECT), Ok(built_in_project()));
        assert_eq!(built_in_organization().as_str(), BUILT_IN_ORGANIZATION);
        let drawn = draw_project(&Counting::default()).unwrap();
        assert_eq!(parse_project(drawn.as_str()), Ok(drawn));
        for other in ["default", "project-x", BUILT_IN_ORGANIZATION] {
            assert_eq!(parse_project(other).unwrap_err().rule, "guid", "{other:?}");
        }
    }

    #[test]
    fn letters_are_drawn_evenly() {
        let text = letters(&Counting::default(), 26_000).unwrap();
        for letter in 'a'..='z' {
            let count = text.chars().filter(|c| *c == letter).count();
            assert!((850..1150).contains(&count), "{letter}: {count}");
        }
    }
}
