//! The first label of a host name: what a route is known by under every base domain.

use proto::{EdgeProtocol, Hostname};

use super::Broken;
use super::guid::{Chance, NoChance, letters};
use super::organization::ShortId;
use super::reserved::Reserved;
use super::text::text;

/// Fewest and most characters of a static route's name.
const STATIC_LENGTH: std::ops::RangeInclusive<usize> = 4..=63;

/// Letters in the two parts of a random route. 26^30 is 141 bits: hardly one is ever drawn twice; and
/// should it be, the tombstone of a released one is in its way.
const RANDOM_PARTS: (usize, usize) = (24, 6);
const RANDOM_PREFIX: &str = "inst-";

text! {
    /// A label that routes: 1 to 63 lowercase letters, digits and hyphens, neither first nor last a hyphen.
    Label, |text| {
        let sound = (1..=63).contains(&text.len()) && is_name(text);
        if sound { Ok(()) } else { Err(Broken::new("label", format!("{text:?} is not the label of a route"))) }
    }
}

text! {
    /// The name of a static route. Stored ones are taken as they are, even if a word has been reserved since.
    StaticRouteLabel, check_shape
}

text! {
    /// The label of a random route: `inst-`, 24 lowercase letters, a hyphen, 6 lowercase letters.
    RandomLabel, |text| {
        let parts = text.strip_prefix(RANDOM_PREFIX).and_then(|rest| rest.split_once('-'));
        let lower = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_lowercase());
        match parts {
            Some((a, b)) if lower(a, RANDOM_PARTS.0) && lower(b, RANDOM_PARTS.1) => Ok(()),
            _ => Err(Broken::new("random_label", format!("{text:?} is not the label of a random route"))),
        }
    }
}

impl StaticRouteLabel {
    /// Reads a name someone wants to claim.
    pub fn claim(text: &str, reserved: &Reserved) -> Result<Self, Broken> {
        let label = Self::parse(text)?;
        match reserved.reason(text) {
            Some(reason) => {
                Err(Broken::new("static_route_reserved", format!("{reason}; choose another name")))
            }
            None => Ok(label),
        }
    }

    /// Reads a name, or a whole host name under one of `domains`.
    pub fn find(text: &str, domains: &[Hostname]) -> Result<Self, Broken> {
        if !text.contains('.') {
            return Self::parse(text);
        }
        let host =
            Hostname::parse(text).map_err(|error| Broken::new("static_route_name", error.to_string()))?;
        match host.split_first_label() {
            Some((label, rest)) if domains.iter().any(|domain| domain.as_str() == rest) => Self::parse(label),
            _ => {
                let domains: Vec<_> = domains.iter().map(Hostname::as_str).collect();
                let message = format!("{text:?} is not under a domain served here: {}", domains.join(", "));
                Err(Broken::new("static_route_domain", message))
            }
        }
    }

    /// The same, as the label of a route.
    pub fn as_label(&self) -> Label {
        Label(self.0.clone())
    }

    /// Whether it ends with an organization's short id.
    pub fn has_suffix(&self, suffix: &ShortId) -> bool {
        self.without_suffix(suffix).is_some()
    }

    /// It with the organization's short id at its end; what both make must not be too long.
    pub fn with_suffix(&self, suffix: &ShortId) -> Result<Self, Broken> {
        Self::parse(&format!("{self}-{suffix}")).map_err(|_| {
            let most = STATIC_LENGTH.end() - suffix.as_str().len() - 1;
            let length = self.as_str().len();
            let message = format!(
                "{self} has {length} characters; here a static route's name has at most {most}, for -{suffix} \
                 is added to it"
            );
            Broken::new("static_route_length", message)
        })
    }

    /// It without the organization's short id at its end; none when it has no such end.
    pub fn without_suffix(&self, suffix: &ShortId) -> Option<Self> {
        let name = self.as_str().strip_suffix(suffix.as_str())?.strip_suffix('-')?;
        Self::parse(name).ok()
    }
}

impl RandomLabel {
    /// Draws a new one.
    pub fn draw(chance: &dyn Chance) -> Result<Self, NoChance> {
        let drawn = letters(chance, RANDOM_PARTS.0 + RANDOM_PARTS.1)?;
        let (a, b) = drawn.split_at(RANDOM_PARTS.0);
        Ok(Self(format!("{RANDOM_PREFIX}{a}-{b}").into()))
    }

    /// The same, as the label of a route.
    pub fn as_label(&self) -> Label {
        Label(self.0.clone())
    }
}

impl Label {
    /// Its host name under `domain`; none when the whole would be too long.
    pub fn under(&self, domain: &Hostname) -> Option<Hostname> {
        Hostname::parse_ascii(format!("{self}.{domain}").as_bytes()).ok()
    }
}

/// The URL people type: without the port where the scheme implies it.
pub fn url(protocol: EdgeProtocol, host: &Hostname, ports: super::PublicPorts) -> String {
    let scheme = protocol.scheme();
    match (protocol, ports.of(protocol)) {
        (EdgeProtocol::Http, 80) | (EdgeProtocol::Https, 443) => format!("{scheme}://{host}"),
        (_, port) => format!("{scheme}://{host}:{port}"),
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn check_shape(text: &str) -> Result<(), Broken> {
    if !STATIC_LENGTH.contains(&text.len()) {
        let message = format!("{text:?}: a static route's name has 4 to 63 characters, not {}", text.len());
        return Err(Broken::new("static_route_length", message));
    }
    if !is_name(text) {
        let message = format!(
            "{text:?} is no name of a static route: lowercase letters, digits and hyphens, beginning and \
             ending with a letter or digit"
        );
        return Err(Broken::new("static_route_name", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::guid::tests::Counting;
    use super::*;

    #[test]
    fn names_of_static_routes() {
        let long = "a".repeat(64);
        for (text, rule) in [
            ("abc", "static_route_length"),
            ("", "static_route_length"),
            (long.as_str(), "static_route_length"),
            ("Shop", "static_route_name"),
            ("my_shop", "static_route_name"),
            ("-shop", "static_route_name"),
            ("shop-", "static_route_name"),
            ("shöp", "static_route_name"),
            ("admin", "static_route_reserved"),
            ("inst-mine", "static_route_reserved"),
            ("xn--bcher-kva", "static_route_reserved"),
        ] {
            assert_eq!(
                StaticRouteLabel::claim(text, &Reserved::default()).unwrap_err().rule,
                rule,
                "{text:?}"
            );
        }
        for text in ["shop", "4ever", "a--b", &"a".repeat(63)] {
            assert!(StaticRouteLabel::claim(text, &Reserved::default()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_route_is_found_by_its_host_name_under_any_domain() {
        let domains = [Hostname::parse("ep-r.io").unwrap(), Hostname::parse("ep-r.localhost").unwrap()];
        for text in ["shop", "shop.ep-r.io", "SHOP.ep-r.localhost."] {
            assert_eq!(StaticRouteLabel::find(text, &domains).unwrap().as_str(), "shop", "{text:?}");
        }
        assert_eq!(
            StaticRouteLabel::find("shop.example.com", &domains).unwrap_err().rule,
            "static_route_domain"
        );
    }

    #[test]
    fn random_labels_have_their_form_and_cannot_be_claimed() {
        let label = RandomLabel::draw(&Counting::default()).unwrap();
        assert_eq!(RandomLabel::parse(label.as_str()), Ok(label.clone()));
        assert!(StaticRouteLabel::claim(label.as_str(), &Reserved::default()).is_err());
        assert!(RandomLabel::parse("inst-abc-def").is_err());
    }

    proptest! {
        #[test]
        fn labels_agree_with_a_naive_reading(text in "[a-c0-1A_-]{0,66}") {
            let chars: Vec<char> = text.chars().collect();
            let sound = chars.len() >= 4 && chars.len() < 64
                && chars.iter().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
                && chars[0].is_alphanumeric() && chars[chars.len() - 1].is_alphanumeric();
            prop_assert_eq!(StaticRouteLabel::parse(&text).is_ok(), sound);
        }
    }
}
