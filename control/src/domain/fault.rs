//! What is wrong with an input: every fault at once, each with the path of its field.

use std::fmt;

use super::text::shortened;

/// Most faults of one input; then it is said that there are more. A request has room for very many parts,
/// each of which may break several rules.
const MOST_FAULTS: usize = 100;
/// Most bytes of a field's path, and of a message: both may quote what was sent.
const LONGEST_FIELD: usize = 320;
const LONGEST_MESSAGE: usize = 1 << 10;

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

impl Fault {
    /// Stands for those that are not told.
    pub fn more() -> Self {
        let message = "more is wrong than is told here".to_owned();
        Self { field: String::new(), rule: "more_faults", message }
    }
}

impl Broken {
    /// `rule` is broken, as `message` tells.
    pub fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }
}

/// The faults found so far, as many as are told.
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
        if self.has_room() {
            let field = shortened(field.to_string(), LONGEST_FIELD);
            self.0.push(Fault { field, rule, message: shortened(message.into(), LONGEST_MESSAGE) });
        }
    }

    /// Whether another may be noted. Where it may not for the first time, it is noted that there are more.
    fn has_room(&mut self) -> bool {
        if self.0.len() == MOST_FAULTS {
            self.0.push(Fault::more());
        }
        self.0.len() < MOST_FAULTS
    }

    /// Notes what is broken at `field`, or hands on the value.
    pub fn take<T>(&mut self, field: impl fmt::Display, result: Result<T, Broken>) -> Option<T> {
        result.map_err(|broken| self.add(field, broken.rule, broken.message)).ok()
    }

    /// Adds those of `other`.
    pub fn extend(&mut self, other: Self) {
        for fault in other.0 {
            if self.has_room() {
                self.0.push(fault);
            }
        }
    }

    /// As many of them, from the first on, as `room` bytes hold when each takes what `taken` says.
    #[must_use]
    pub fn within(&self, room: usize, taken: impl Fn(&Fault) -> usize) -> Self {
        let mut left = room;
        let fits = |fault: &&Fault| {
            let after = left.checked_sub(taken(fault));
            left = after.unwrap_or_default();
            after.is_some()
        };
        let mut told: Vec<Fault> = self.0.iter().take_while(fits).cloned().collect();
        if told.len() < self.0.len() {
            told.push(Fault::more());
        }
        Self(told)
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
    fn of_very_many_faults_the_first_are_told() {
        let mut faults = Faults::new();
        for i in 0..200 {
            faults.add(i, "rule", "x".repeat(2_000));
        }
        let told = faults.as_slice();
        assert_eq!((told.len(), told[99].field.as_str(), &told[100]), (101, "99", &Fault::more()));
        assert!(told[0].message.len() < 1_100);
        let mut others = Faults::one("a", "rule", "b");
        others.extend(faults.clone());
        assert_eq!((others.as_slice().len(), others.as_slice().last()), (101, Some(&Fault::more())));
        let some = faults.within(30, |_| 10);
        assert_eq!((some.as_slice().len(), some.as_slice().last()), (4, Some(&Fault::more())));
        assert_eq!(some.within(40, |_| 10), some);
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
