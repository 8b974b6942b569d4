//! Names nobody may claim as a static route.

use std::collections::BTreeSet;

use super::Faults;

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

/// Most characters of a label.
const LONGEST: usize = 63;

/// Beginnings kept back: random routes have the first, international names the second.
const PREFIXES: &[&str] = &["inst-", "xn--"];

/// The words and beginnings that are kept back here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reserved {
    words: BTreeSet<String>,
    prefixes: BTreeSet<String>,
}

impl Reserved {
    /// Keeps back `more` words beside the built-in ones.
    pub fn with(more: impl IntoIterator<Item = String>) -> Self {
        let words = more.into_iter().map(|word| word.to_ascii_lowercase()).collect();
        Self { words, prefixes: BTreeSet::new() }
    }

    /// Reads a list: a word a line, or the beginning of words with a `*` after it; what follows `#` is a
    /// remark. They are kept back beside the built-in ones. Every faulty line is told.
    pub fn read(text: &str) -> Result<Self, Faults> {
        let (mut reserved, mut faults) = (Self::default(), Faults::new());
        for (i, line) in text.lines().enumerate() {
            let said = line.split('#').next().unwrap_or_default().trim().to_ascii_lowercase();
            let word = said.strip_suffix('*').unwrap_or(&said);
            let is_sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if said.is_empty() {
                continue;
            }
            if word.is_empty() || word.len() > LONGEST || !word.bytes().all(is_sound) {
                let message = format!(
                    "{said:?} can be no name: letters, digits and hyphens are, at most {LONGEST}; for all names \
                     that begin so, write a * after the beginning"
                );
                faults.add(format_args!("line {}", i + 1), "reserved_word", message);
            } else if word.len() < said.len() {
                reserved.prefixes.insert(word.to_owned());
            } else {
                reserved.words.insert(said);
            }
        }
        faults.none_or(Some(reserved))
    }

    /// Why `label` is kept back; none when it may be claimed.
    pub fn reason(&self, label: &str) -> Option<String> {
        let prefixes = PREFIXES.iter().copied().chain(self.prefixes.iter().map(String::as_str));
        if let Some(prefix) = prefixes.into_iter().find(|prefix| label.starts_with(prefix)) {
            return Some(format!("names that begin with {prefix:?} are reserved"));
        }
        let numbered_name_server =
            label.strip_prefix("ns").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        (WORDS.contains(&label) || numbered_name_server || self.words.contains(label))
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
    fn a_list_of_words_is_read() {
        let reserved = Reserved::read("# ours\nAcme\n\n  acme-*  # and what is like it\r\nshop\n").unwrap();
        for kept in ["acme", "acme-shop", "shop", "admin"] {
            assert!(reserved.reason(kept).is_some(), "{kept}");
        }
        assert!(reserved.reason("acmeshop").is_none() && reserved.reason("shops").is_none());
        assert_eq!(Reserved::read("").unwrap(), Reserved::default());
        let faults = Reserved::read("ok\nno dots.please\n*\nfine").unwrap_err();
        let told: Vec<_> = faults.as_slice().iter().map(|f| (f.field.as_str(), f.rule)).collect();
        assert_eq!(told, [("line 2", "reserved_word"), ("line 3", "reserved_word")]);
    }

    #[test]
    fn words_are_ordered_so_that_none_is_added_twice() {
        assert!(WORDS.is_sorted_by(|a, b| a < b));
    }
}
