//! What the ledger says of deployments: the bodies of its records, all of it text and whole numbers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::points::SeriesSaid;
use crate::envelope::Makers;
use crate::journal::About;

/// Something that monitoring records.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A change was deployed (`deployment`).
    Deployment(Box<DeploymentSaid>),
    /// What a rule is held against (`baseline`).
    Baseline(Box<BaselineSaid>),
    /// An hour was judged (`check`).
    Check(Box<CheckSaid>),
    /// Something went wrong (`incident`).
    Incident(IncidentSaid),
    /// The way back (`rollback`): proposed, and never gone by itself.
    Rollback(RollbackSaid),
    /// A tier is raised for a while (`raise`).
    Raise(RaiseSaid),
    /// Raised tiers end before their time (`lift`).
    Lift(LiftSaid),
    /// Somebody is to be told (`message`).
    Message(MessageSaid),
    /// They were told, or could not be (`delivery`).
    Delivery(DeliverySaid),
}

impl Said {
    /// The kind of its record.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deployment(_) => "deployment",
            Self::Baseline(_) => "baseline",
            Self::Check(_) => "check",
            Self::Incident(_) => "incident",
            Self::Rollback(_) => "rollback",
            Self::Raise(_) => "raise",
            Self::Lift(_) => "lift",
            Self::Message(_) => "message",
            Self::Delivery(_) => "delivery",
        }
    }

    /// Which change it is about, where it says so itself.
    #[must_use]
    pub fn about(&self) -> Option<&About> {
        match self {
            Self::Deployment(said) => Some(&said.about),
            _ => None,
        }
    }

    /// The body of its record.
    ///
    /// # Errors
    /// Never: it holds nothing that JSON cannot.
    pub fn body(&self) -> serde_json::Result<Value> {
        match self {
            Self::Deployment(said) => serde_json::to_value(said),
            Self::Baseline(said) => serde_json::to_value(said),
            Self::Check(said) => serde_json::to_value(said),
            Self::Incident(said) => serde_json::to_value(said),
            Self::Rollback(said) => serde_json::to_value(said),
            Self::Raise(said) => serde_json::to_value(said),
            Self::Lift(said) => serde_json::to_value(said),
            Self::Message(said) => serde_json::to_value(said),
            Self::Delivery(said) => serde_json::to_value(said),
        }
    }
}

/// A change that was deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentSaid {
    /// Which change.
    pub about: About,
    /// The run that the gate let it through by.
    pub run: Option<String>,
    /// The story of that run: its number in the ledger.
    pub story: Option<u64>,
    /// Its title.
    pub title: String,
    /// When, in seconds since 1970, UTC.
    pub at: i64,
    /// Files of the change, the first few hundred.
    pub files: Vec<String>,
    /// Models.
    pub models: Vec<String>,
    /// Its layers.
    pub layer: String,
    /// Its commits along first parents, newest first.
    pub commits: Vec<String>,
    /// There are more.
    pub more_commits: bool,
    /// Who made it, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makers: Option<Makers>,
    /// What is watched.
    pub watches: Vec<WatchSaid>,
}

/// A drift rule in force at a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchSaid {
    /// Its name.
    pub rule: String,
    /// Its text.
    pub text: String,
    /// The text of its KPI.
    pub kpi: String,
    /// That of its control.
    pub control: Option<String>,
}

/// What a rule is held against at a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineSaid {
    /// The deployment's number in the ledger.
    pub deployment: u64,
    /// The rule.
    pub rule: String,
    /// The measure before the first watched hour.
    pub series: SeriesSaid,
    /// The control's.
    pub control: Option<SeriesSaid>,
    /// Spans of it that are no example of how it usually is.
    pub left_out: Vec<(i64, i64)>,
}

/// One judged hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSaid {
    /// The deployment's number in the ledger.
    pub deployment: u64,
    /// The rule.
    pub rule: String,
    /// Which hour of the watch, from 1; "hour" is a step of the rule.
    pub hour: u32,
    /// When it began, in seconds since 1970.
    pub from: i64,
    /// When it ended.
    pub to: i64,
    /// What was measured in it.
    pub point: String,
    /// The control's.
    pub control: Option<String>,
    /// Why there is no point, where something failed.
    pub gap: Option<String>,
    /// `unknown`, `ok`, `suspect`, `drift`, `confirmed`.
    pub state: String,
    /// No data counted as bad, by the rule.
    pub missing_is_bad: bool,
    /// The verdict with its evidence.
    pub verdict: Value,
    /// When it was judged, in seconds since 1970.
    pub judged: i64,
}

/// Something that went wrong after a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSaid {
    /// The deployment's number in the ledger.
    pub deployment: u64,
    /// The story of the original change.
    pub story: Option<u64>,
    /// The rule.
    pub rule: String,
    /// The hour that it was seen in.
    pub hour: u32,
    /// `drift`, `confirmed`, …
    pub state: String,
    /// In words.
    pub what: String,
}

/// The way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackSaid {
    /// The deployment's number in the ledger.
    pub deployment: u64,
    /// The rule that asks for it.
    pub rule: String,
    /// `proposed`, `prepared` with a follow-up, or `accepted` when it is in a change that the gate said go of.
    pub word: String,
    /// The commit that it was tried on.
    pub onto: Option<String>,
    /// Commands, in order.
    pub commands: Vec<String>,
    /// Whether all of them apply.
    pub applies: bool,
    /// Files that conflict.
    pub conflicts: Vec<String>,
    /// In words.
    pub says: String,
}

/// A raised tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaiseSaid {
    /// The deployment's number in the ledger.
    pub deployment: u64,
    /// The rule.
    pub rule: String,
    /// What is raised.
    pub raise: super::raises::Raise,
    /// The signed envelope, as it stands below `refs/grace/raises/` too; absent where this user has no key.
    pub envelope: Option<String>,
    /// Why it is absent.
    pub unsigned: Option<String>,
}

/// Raised tiers that end before their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftSaid {
    /// Their names.
    pub raises: Vec<String>,
    /// Who lifts them.
    pub by: String,
    /// Why.
    pub because: String,
    /// The signed envelope, as it stands below `refs/grace/raises/` too.
    pub envelope: String,
}

/// Somebody is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSaid {
    /// The deployment's number in the ledger.
    pub deployment: u64,
    /// The rule.
    pub rule: String,
    /// Its name: sent along, so that who hears it twice knows.
    pub id: String,
    /// `webhook NAME` or `issue`.
    pub to: String,
    /// The text: JSON for a webhook, Markdown for an issue.
    pub text: String,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySaid {
    /// The message.
    pub id: String,
    /// `delivered`, or `given up`.
    pub word: String,
    /// The status, the file, or why not.
    pub how: String,
}
