//! How far a deployment has come, and how it does.

use serde::{Deserialize, Serialize};

use crate::domain::Broken;

/// How far a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Accepted; no runtime has taken it up.
    InProgress,
    /// A runtime prepares it.
    Provisioning,
    /// It has been set up.
    Succeeded,
    /// An update failed; what ran before may run still.
    FailedToUpdate,
    /// It has never run.
    FailedToStart,
    /// It is no more. Terminal.
    Stopped,
}

/// How a deployment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All of it runs.
    Running,
    /// Some of it is still to come.
    Pending,
    /// Some of it does not run.
    Error,
    /// Nobody knows.
    Unknown,
    /// It is no more.
    Stopped,
}

/// What a runtime says went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// An image could not be pulled.
    #[serde(rename = "DEP_E153")]
    ImagePull,
    /// An executable exited too early.
    #[serde(rename = "DEP_E154")]
    ExitedEarly,
    /// An executable failed.
    #[serde(rename = "DEP_E155")]
    Failed,
    /// A parent is in error.
    #[serde(rename = "DEP_E156")]
    ParentInError,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ImagePull, Self::ExitedEarly, Self::Failed, Self::ParentInError];

    /// The code that is written so.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|code| code.as_str()).collect();
            let message = format!("{text:?} is no error code; there are {}", known.join(", "));
            Broken::new("error_code", message)
        })
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImagePull => "DEP_E153",
            Self::ExitedEarly => "DEP_E154",
            Self::Failed => "DEP_E155",
            Self::ParentInError => "DEP_E156",
        }
    }
}

impl Phase {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Provisioning => "Provisioning",
            Self::Succeeded => "Succeeded",
            Self::FailedToUpdate => "FailedToUpdate",
            Self::FailedToStart => "FailedToStart",
            Self::Stopped => "Stopped",
        }
    }
}
