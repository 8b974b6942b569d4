//! What stands behind the question mark: repeated keys are several values, empty values none.

use super::failure::Failure;

/// The parameters of a request, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `application/x-www-form-urlencoded` text.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(key)?, decoded(value)?))
        });
        pairs.collect::<Result<_, Failure>>().map(Self)
    }

    /// Every value of `key` that is not empty.
    pub(super) fn all<'q>(&'q self, key: &str) -> impl Iterator<Item = &'q str> {
        let pairs = self.0.iter().filter(move |(known, value)| known == key && !value.is_empty());
        pairs.map(|(_, value)| value.as_str())
    }

    /// The only value of `key`; none when there is none or it is empty. Several that differ are refused.
    pub(super) fn one(&self, key: &str) -> Result<Option<&str>, Failure> {
        let mut values = self.all(key);
        let first = values.next();
        if values.any(|other| Some(other) != first) {
            return Err(Failure::malformed(format_args!("{key} is given more than once")));
        }
        Ok(first)
    }

    /// All of it but `left_out`, as a text that tells one query from another.
    pub(super) fn but(&self, left_out: &[&str]) -> String {
        let mut pairs: Vec<_> = self
            .0
            .iter()
            .filter(|(key, value)| !left_out.contains(&key.as_str()) && !value.is_empty())
            .collect();
        pairs.sort_unstable();
        format!("{pairs:?}")
    }

    /// A number.
    pub(super) fn number(&self, key: &str) -> Result<Option<usize>, Failure> {
        let Some(text) = self.one(key)? else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number
            .map(Some)
            .ok_or_else(|| Failure::malformed(format_args!("{key}: {text:?} is no number from 0")))
    }
}

/// `text` with `+` and `%XX` undone. A `%` that no two hexadecimal digits follow stands for itself.
fn decoded(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match behind {
                [high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    bytes.push(hex(*high) << 4 | hex(*low));
                    rest = behind;
                }
                _ => bytes.push(first),
            },
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| Failure::malformed("the query is not UTF-8"))
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeated_keys_are_several_values_and_empty_ones_none() {
        let query =
            Query::parse("phases=InProgress&phases=Stopped&guids=&names&labelSelector=a%3Db+c").unwrap();
        assert_eq!(query.all("phases").collect::<Vec<_>>(), ["InProgress", "Stopped"]);
        assert_eq!(query.all("guids").chain(query.all("names")).count(), 0);
        assert_eq!(query.one("labelSelector").unwrap(), Some("a=b c"));
        assert_eq!(query.one("phases").unwrap_err().to_string(), "phases is given more than once");
    }

    #[test]
    fn numbers_are_numbers() {
        let query = Query::parse("continue=50&limit=%31&a=-1&b=1e3&c=99999999999999999999&d=").unwrap();
        assert_eq!((query.number("continue").unwrap(), query.number("limit").unwrap()), (Some(50), Some(1)));
        assert_eq!(query.number("d").unwrap(), None);
        for key in ["a", "b", "c"] {
            assert!(query.number(key).unwrap_err().to_string().ends_with("is no number from 0"), "{key}");
        }
    }

    #[test]
    fn what_is_not_text_is_refused_and_a_lone_percent_stands_for_itself() {
        assert!(Query::parse("a=%ff").is_err());
        assert_eq!(Query::parse("a=100%&b=%zz&c=%C3%A9").unwrap().one("a").unwrap(), Some("100%"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = Query::parse(&text);
        }

        #[test]
        fn what_is_encoded_comes_back(value in "\\PC{1,40}") {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let query = Query::parse(&format!("x={encoded}")).unwrap();
            prop_assert_eq!(query.one("x").unwrap(), Some(value.as_str()));
        }
    }
}
