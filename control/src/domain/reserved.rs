//! Names nobody may claim as a static route.

use std::collections::BTreeSet;

/// Words that would mislead (a page to log in at), that mail, name and certificate services look for,
/// or that the platform may want for itself. Names of one to three letters are kept back by their length.
const WORDS: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "broadcasthost",
    "cdn",
    "console",
    "control",
    "dashboard",
    "dns",
    "docs",
    "download",
    "downloads",
    "edge",
    "example",
    "ftp",
    "gateway",
    "health",
    "healthz",
    "help",
    "home",
    "host",
    "hostmaster",
    "imap",
    "info",
    "internal",
    "invalid",
    "isatap",
    "live",
    "local",
    "localdomain",
    "localhost",
    "login",
    "logout",
    "mail",
    "metrics",
    "monitor",
    "monitoring",
    "noreply",
    "oauth",
    "oauth2",
    "openid",
    "password",
    "ping",
    "pop3",
    "portal",
    "postmaster",
    "private",
    "proxy",
    "public",
    "rapyuta",
    "rapyutaio",
    "ready",
    "register",
    "root",
    "route",
    "router",
    "routes",
    "security",
    "server",
    "signin",
    "signup",
    "smtp",
    "sso",
    "static",
    "status",
    "subdomain",
    "support",
    "system",
    "test",
    "usenet",
    "webmail",
    "webmaster",
    "wpad",
    "www1",
    "www2",
    "www3",
];

/// Beginnings kept back: random routes have the first, international names the second.
const PREFIXES: &[&str] = &["inst-", "xn--"];

/// The words and beginnings that are kept back here.
#[derive(Debug, Clone, Default)]
pub struct Reserved {
    more: BTreeSet<String>,
}

impl Reserved {
    /// Keeps back `more` words beside the built-in ones.
    pub fn with(more: impl IntoIterator<Item = String>) -> Self {
        Self { more: more.into_iter().map(|word| word.to_ascii_lowercase()).collect() }
    }

    /// Why `label` is kept back; none when it may be claimed.
    pub fn reason(&self, label: &str) -> Option<String> {
        if let Some(prefix) = PREFIXES.iter().find(|prefix| label.starts_with(**prefix)) {
            return Some(format!("names that begin with {prefix:?} are reserved"));
        }
        let numbered_name_server =
            label.strip_prefix("ns").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        (WORDS.contains(&label) || numbered_name_server || self.more.contains(label))
            .then(|| format!("{label:?} is a reserved word"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_prefixes_and_more() {
        let reserved = Reserved::with(["Acme".to_owned()]);
        for kept in ["localhost", "admin", "inst-abc", "xn--bcher-kva", "ns1", "ns2024", "acme"] {
            assert!(reserved.reason(kept).is_some(), "{kept}");
        }
        for free in ["shop", "administrators", "nsx1", "instance", "my-admin"] {
            assert!(reserved.reason(free).is_none(), "{free}");
        }
    }

    #[test]
    fn words_are_ordered_so_that_none_is_added_twice() {
        assert!(WORDS.is_sorted_by(|a, b| a < b));
    }
}
