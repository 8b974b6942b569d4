//! What a component says of ROS. It is stored and told to runtimes; nothing here runs a ROS master.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::Broken;
use crate::domain::text::text;

/// What a component says of ROS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ros {
    /// Whether it takes part in ROS.
    pub enabled: bool,
    /// Which; always known when it takes part.
    pub version: Option<RosVersion>,
    /// What it offers.
    pub endpoints: Vec<RosEndpoint>,
}

/// A distribution of ROS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RosVersion {
    /// ROS 1, 2016.
    Kinetic,
    /// ROS 1, 2018.
    Melodic,
    /// ROS 1, 2020.
    Noetic,
    /// ROS 2, 2020.
    Foxy,
}

/// Something a component offers to others that speak ROS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosEndpoint {
    /// How it is spoken with.
    pub kind: RosEndpointKind,
    /// Unique in the component among endpoints of its kind.
    pub name: RosName,
    /// Whether what is sent is compressed.
    pub compression: bool,
    /// Whether its name gets its owner's before it.
    pub scoped: bool,
    /// Whether it is sent to one receiver. Never with `scoped`.
    pub targeted: bool,
    /// Which messages go first; topics only.
    pub qos: Option<RosQos>,
    /// How long a caller waits; services and actions only.
    pub timeout: Option<Seconds>,
}

/// How a ROS endpoint is spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RosEndpointKind {
    /// Messages to whoever listens.
    Topic,
    /// A question and its answer.
    Service,
    /// A task, with news of it until it is done.
    Action,
}

/// Which messages of a topic go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RosQos {
    /// After all others.
    #[default]
    Low,
    /// Before low ones.
    Medium,
    /// Before medium ones.
    High,
    /// Before all others.
    Max,
}

/// A time in seconds: more than none, and finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Seconds(f64);

// It is never NaN.
impl Eq for Seconds {}

text! {
    /// The name of a ROS endpoint: parts between slashes, of letters, digits and underscores, none
    /// beginning with a digit; a slash or a tilde may come first (ROS names, graph resource names).
    RosName, |name| {
        let relative = name.strip_prefix("~/").or_else(|| name.strip_prefix(['/', '~'])).unwrap_or(name);
        let sound = name.len() <= LONGEST_NAME && relative.split('/').all(is_part);
        if sound {
            return Ok(());
        }
        let message = format!(
            "{name:?} is no name of a ROS endpoint; parts of letters, digits and underscores between slashes, \
             none beginning with a digit, like /camera/image"
        );
        Err(Broken::new("ros_name", message))
    }
}

const LONGEST_NAME: usize = 255;

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !part.starts_with(|c: char| c.is_ascii_digit())
}

impl RosVersion {
    /// Reads its name in small letters.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        match text {
            "kinetic" => Ok(Self::Kinetic),
            "melodic" => Ok(Self::Melodic),
            "noetic" => Ok(Self::Noetic),
            "foxy" => Ok(Self::Foxy),
            _ => {
                let message = format!("{text:?} is not known; kinetic, melodic, noetic or foxy");
                Err(Broken::new("ros_version", message))
            }
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kinetic => "kinetic",
            Self::Melodic => "melodic",
            Self::Noetic => "noetic",
            Self::Foxy => "foxy",
        }
    }
}

impl Seconds {
    /// So many seconds.
    pub fn parse(seconds: f64) -> Result<Self, Broken> {
        if seconds > 0.0 && seconds.is_finite() {
            return Ok(Self(seconds));
        }
        let message = format!("{seconds} is no time to wait; more than 0 seconds, like 2.5");
        Err(Broken::new("ros_timeout", message))
    }

    /// How many.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Seconds {
    type Error = Broken;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        Self::parse(seconds)
    }
}

impl From<Seconds> for f64 {
    fn from(Seconds(seconds): Seconds) -> Self {
        seconds
    }
}

impl fmt::Display for RosEndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "topic",
            Self::Service => "service",
            Self::Action => "action",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_parts_between_slashes() {
        for good in ["/telemetry", "chatter", "/a/b_2/C", "~private", "~/private", "_x"] {
            assert!(RosName::parse(good).is_ok(), "{good}");
        }
        let long = "x".repeat(256);
        for bad in ["", "/", "~", "~/", "//a", "a/", "a//b", "/1st", "a b", "a-b", "é", "a~", long.as_str()]
        {
            assert_eq!(RosName::parse(bad).unwrap_err().rule, "ros_name", "{bad:?}");
        }
    }

    #[test]
    fn times_are_more_than_none() {
        assert_eq!(Seconds::parse(0.1).unwrap().get(), 0.1);
        for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Seconds::parse(bad).unwrap_err().rule, "ros_timeout", "{bad}");
            assert!(serde_json::from_value::<Seconds>(serde_json::json!(bad)).is_err(), "{bad}");
        }
    }

    proptest! {
        /// A name that is taken stays the same, and has no empty part.
        #[test]
        fn any_text_is_a_name_or_none(text in "[~/a-c_0-1 é-]{0,12}") {
            if let Ok(name) = RosName::parse(&text) {
                prop_assert_eq!(name.as_str(), text.as_str());
                prop_assert!(!text.contains("//") && !text.ends_with('/'));
            }
        }
    }
}
