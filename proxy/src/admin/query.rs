use http::Uri;

/// The fields of a query (application/x-www-form-urlencoded).
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// What is no field is passed over.
    pub(super) fn parse(uri: &Uri) -> Self {
        let fields = uri.query().unwrap_or_default().split('&').filter_map(|field| field.split_once('='));
        Self(fields.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// The first field of this name that is not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, value)| found == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// Undoes percent-encoding. What is no valid escape stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = text.as_bytes().iter();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(&byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = bytes.as_slice().get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(escaped) => {
                        decoded.push(escaped);
                        bytes.nth(1);
                    }
                    None => decoded.push(b'%'),
                }
            }
            other => decoded.push(other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_what_clients_do_to_a_query() {
        let query =
            Query::parse(&"/x?url=https%3A%2F%2Fa.x%2Fp%3Fq%3D1&e=&n=a+b&bad=%zz%4&flag".parse().unwrap());
        assert_eq!(query.get("url"), Some("https://a.x/p?q=1"));
        assert_eq!((query.get("e"), query.get("n"), query.get("bad")), (None, Some("a b"), Some("%zz%4")));
        assert_eq!((query.get("flag"), query.get("none")), (None, None));
    }
}
