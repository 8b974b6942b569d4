//! What is wrong with an input: every fault at once, each with the path of its field.

use std::fmt;

/// One field that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field, like `plans[0].components[1].endpoints[0].port`.
    pub field: String,
    /// The rule broken: stable, fit for programs.
    pub rule: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

/// A rule that a value breaks, before it is known which field the value stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Broken {
    /// See [`Fault::rule`].
    pub rule: &'static str,
    /// See [`Fault::message`].
    pub message: String,
}

impl Broken {
    /// `rule` is broken, as `message` tells.
    pub fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }
}

/// The faults found so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// None found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One fault, for what can be wrong in one way only.
    pub fn one(field: impl fmt::Display, rule: &'static str, message: impl Into<String>) -> Self {
        let mut faults = Self::new();
        faults.add(field, rule, message);
        faults
    }

    /// Notes that `field` breaks `rule`.
    pub fn add(&mut self, field: impl fmt::Display, rule: &'static str, message: impl Into<String>) {
        self.0.push(Fault { field: field.to_string(), rule, message: message.into() });
    }

    /// Notes what is broken at `field`, or hands on the value.
    pub fn take<T>(&mut self, field: impl fmt::Display, result: Result<T, Broken>) -> Option<T> {
        result.map_err(|broken| self.add(field, broken.rule, broken.message)).ok()
    }

    /// Adds those of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The faults, in the order they were found.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// Hands on `value` when nothing is wrong.
    pub fn none_or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            if fault.field.is_empty() {
                write!(f, "{separator}{}", fault.message)?;
            } else {
                write!(f, "{separator}{}: {}", fault.field, fault.message)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Where in an input one is: a path that costs nothing until a fault is written down.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The input itself.
    pub const ROOT: At<'static> = At { parent: None, step: Step::Root };

    /// The field `name` of the input.
    pub const fn named(name: &'a str) -> At<'a> {
        At { parent: None, step: Step::Field(name) }
    }

    /// The field `name` of this.
    pub fn field(&'a self, name: &'a str) -> At<'a> {
        At { parent: Some(self), step: Step::Field(name) }
    }

    /// The item `index` of this list.
    pub fn index(&'a self, index: usize) -> At<'a> {
        At { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if matches!((parent.step, self.step), (Step::Field(_) | Step::Index(_), Step::Field(_))) {
                f.write_str(".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_one_would_write_it() {
        let plans = At::ROOT.field("plans");
        let plan = plans.index(0);
        let components = plan.field("components");
        assert_eq!(components.index(12).field("name").to_string(), "plans[0].components[12].name");
        assert_eq!(At::ROOT.to_string(), "");
    }

    #[test]
    fn all_faults_are_told_in_one_line() {
        let mut faults = Faults::one("name", "name_length", "must not be empty");
        assert_eq!(faults.take("port", Err::<(), _>(Broken::new("port", "must not be 0"))), None);
        assert_eq!(faults.take("x", Ok(1)), Some(1));
        assert_eq!(faults.to_string(), "name: must not be empty; port: must not be 0");
        assert_eq!(faults.clone().none_or(Some(1)), Err(faults));
    }
}
