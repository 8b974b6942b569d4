use std::fmt::{Display, Write};

/// A page in the Prometheus text format 0.0.4.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Samples of a counter follow.
    pub fn counter(&mut self, name: &str, help: &str) {
        self.family(name, "counter", help);
    }

    /// Samples of a gauge follow.
    pub fn gauge(&mut self, name: &str, help: &str) {
        self.family(name, "gauge", help);
    }

    /// Samples of a histogram follow.
    pub fn histogram(&mut self, name: &str, help: &str) {
        self.family(name, "histogram", help);
    }

    /// One number.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            self.0.push(open);
            self.0.push_str(label);
            self.0.push_str("=\"");
            self.push_escaped(text);
            self.0.push('"');
        }
        let close = if labels.is_empty() { "" } else { "}" };
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{close} {value}");
    }

    /// Lines that are in the format already. An end mark among them is left out: more may follow.
    pub fn append(&mut self, lines: &str) {
        for line in lines.lines().filter(|line| *line != "# EOF") {
            self.0.push_str(line);
            self.0.push('\n');
        }
    }

    /// The page.
    pub fn finish(self) -> String {
        self.0
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn push_escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                other => self.0.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_prometheus_reads() {
        let mut out = Exposition::default();
        out.gauge("a", "An a.");
        out.sample("a", &[("x", "quote\" slash\\ line\n"), ("y", "")], 1);
        out.append("b 2\n# EOF\nc 3");
        out.sample("d", &[], 0.5);
        let page = out.finish();
        let expected = "# HELP a An a.\n# TYPE a gauge\na{x=\"quote\\\" slash\\\\ line\\n\",y=\"\"} 1\nb 2\nc 3\nd 0.5\n";
        assert_eq!(page, expected);
    }
}
