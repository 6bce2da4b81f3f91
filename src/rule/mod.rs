//! What a rule is: its file, its matcher, the facts it may ask.

pub mod aftermath;
pub mod altered;
pub mod budget;
pub mod edit;
pub mod elsewhere;
pub mod example;
pub mod facts;
pub mod file;
pub mod fix;
pub mod guard;
pub mod linter;
mod literals;
pub mod matcher;
pub mod moment;
pub mod naming;
pub mod node;
pub mod outline;
pub mod part;
pub mod recipe;
pub mod repetition;
pub mod schema;
pub mod set;
pub mod shape;
pub mod story;
pub mod template;
pub mod toml;
pub mod turnover;
pub mod vocabulary;

use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know; hygiene and style.
    Advice,
    /// Look at it.
    Warning,
    /// An outage, lost data or a failed deploy if it is run as written.
    Error,
}

/// What a change asks of those who deploy it, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Any time: running code keeps working, nothing waits longer than a catalog change, nothing is lost.
    Additive,
    /// It breaks running code or destroys something, and there is an online way: expand, migrate, contract.
    ThreePhase,
    /// It blocks reads or writes while it scans, rewrites or builds; or nothing can be known about it.
    MaintenanceWindow,
}

/// The severities by their words.
pub(crate) const SEVERITIES: &[(&str, Severity)] =
    &[("error", Severity::Error), ("warning", Severity::Warning), ("advice", Severity::Advice)];

/// Rules that are off by default and are turned on together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// How things are named and which types are chosen: what teams agree on, and no server objects to.
    Style,
}

/// The presets by their words.
pub(crate) const PRESETS: &[(&str, Preset)] = &[("style", Preset::Style)];

/// The classes by their words.
pub(crate) const CLASSES: &[(&str, Class)] =
    &[("additive", Class::Additive), ("three-phase", Class::ThreePhase), ("maintenance-window", Class::MaintenanceWindow)];

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Class {
    /// The word for it: `three-phase`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Additive => "additive",
            Self::ThreePhase => "three-phase",
            Self::MaintenanceWindow => "maintenance-window",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
