//! What a plan was derived from beside the two trees: frozen in the record, so that it can be derived again a year later.

use std::collections::{BTreeMap, BTreeSet};

use grace_engine::input::{BundleRun, Declared, Input, VerifiedBot};
use grace_engine::plan::Plan;
use grace_system::files;
use serde::{Deserialize, Serialize};

use crate::monitor::raises::{self, Raise};

/// Everything that decides a plan and lies in no tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The moment that it was judged for, seconds since 1970, UTC.
    pub as_of: i64,
    /// What the change said of itself.
    pub operation: Option<String>,
    /// Who said to make it.
    pub actor: Option<String>,
    /// The bot whose key signed every commit; empty = it is none; absent = nobody looked.
    pub bot: Option<String>,
    /// Its ticket.
    pub ticket: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Its reason.
    pub rationale: Option<String>,
    /// Fields of its story.
    pub story: BTreeMap<String, String>,
    /// Runs of each bundle, oldest first: `P` passed, `F` failed, `~` passed on retry.
    pub runs: BTreeMap<String, String>,
    /// Values of KPIs.
    pub kpis: BTreeMap<String, i64>,
    /// Waivers that were granted.
    pub grants: BTreeSet<String>,
    /// Names of the records of what tests enter that were believed.
    pub reach: Vec<String>,
    /// Tests that had not passed when they ran last: bundle, id, run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, BTreeMap<String, String>>,
    /// Raised tiers that counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<Raise>,
}

impl Inputs {
    /// Those of an input.
    #[must_use]
    pub fn of(input: &Input) -> Self {
        let letter = |run: &BundleRun| match run {
            BundleRun::Passed => 'P',
            BundleRun::Failed => 'F',
            BundleRun::Flaky => '~',
        };
        let runs = input.past.runs.iter().map(|(name, runs)| (name.clone(), runs.iter().map(letter).collect()));
        let reach = input.past.reach.iter().map(|record| {
            // What it says decides, and not where it lies.
            let text = format!("{} {:?} {:?} {:?}", record.bundle, record.ran_in, record.differs, record.unlike);
            let reach = serde_json::to_vec(&*record.reach).unwrap_or_default();
            files::sha256(&[text.as_bytes(), &reach].concat())
        });
        let declared = input.declared.clone();
        Self {
            as_of: input.as_of,
            operation: declared.operation,
            actor: declared.actor,
            bot: match declared.verified_bot {
                VerifiedBot::NotLookedAt => None,
                VerifiedBot::Nobody => Some(String::new()),
                VerifiedBot::Bot(name) => Some(name),
            },
            ticket: declared.ticket,
            branch: declared.branch,
            rationale: declared.rationale,
            story: declared.story,
            runs: runs.collect(),
            kpis: input.past.kpis.clone(),
            grants: input.past.grants.clone(),
            reach: reach.collect(),
            failed: input.past.failed.clone(),
            // A book holds them as rules; who loads it knows them.
            raises: Vec::new(),
        }
    }

    /// Puts them in place of those that were read now. What is recorded of tests stays what was read: it lies in no record of the
    /// ledger, and is only held against its name.
    pub fn put(&self, input: &mut Input) {
        input.as_of = self.as_of;
        input.declared = Declared {
            operation: self.operation.clone(),
            actor: self.actor.clone(),
            verified_bot: match self.bot.as_deref() {
                None => VerifiedBot::NotLookedAt,
                Some("") => VerifiedBot::Nobody,
                Some(name) => VerifiedBot::Bot(name.to_owned()),
            },
            ticket: self.ticket.clone(),
            branch: self.branch.clone(),
            rationale: self.rationale.clone(),
            story: self.story.clone(),
        };
        let run = |letter: char| match letter {
            'P' => BundleRun::Passed,
            '~' => BundleRun::Flaky,
            _ => BundleRun::Failed,
        };
        let runs = self.runs.iter().map(|(name, runs)| (name.clone(), runs.chars().map(run).collect()));
        input.past.runs = runs.collect();
        input.past.kpis.clone_from(&self.kpis);
        input.past.failed.clone_from(&self.failed);
        input.past.grants.clone_from(&self.grants);
        for book in [&mut input.rules_before, &mut input.rules_after].into_iter().flatten() {
            raises::put(book, &self.raises);
        }
    }
}

/// What a plan asks for, in short: enough to say where two differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gist {
    /// SHA-256 (hex) of the whole plan as JSON.
    pub digest: String,
    /// The tier.
    pub tier: u8,
    /// What it asks for, by kind: `approvals`, `bundles`, `denials`, `duties`, `principles`, `unknowns`, `validations`.
    pub asks: BTreeMap<String, Vec<String>>,
}

impl Gist {
    /// That of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let json = serde_json::to_vec(plan).unwrap_or_default();
        let bundles = plan.bundles.iter().map(|bundle| match bundle.narrowed {
            true => format!("{} ({} of {} tests)", bundle.name, bundle.selected.len(), bundle.tests.len()),
            false => bundle.name.clone(),
        });
        let asks = [
            ("approvals", plan.approvals.iter().map(|one| one.name.clone()).collect::<Vec<_>>()),
            ("bundles", bundles.collect()),
            ("denials", plan.denials.iter().map(|one| one.name.clone()).collect()),
            ("duties", plan.duties.iter().map(|one| one.name.clone()).collect()),
            ("principles", plan.principles.iter().map(|one| one.name.clone()).collect()),
            ("unknowns", plan.unknowns.iter().map(|one| one.name.clone()).collect()),
            ("validations", plan.validations.iter().map(|one| one.name.clone()).collect()),
        ];
        let asks = asks.into_iter().filter(|(_, names)| !names.is_empty());
        let asks = asks.map(|(kind, names)| (kind.to_owned(), names)).collect();
        Self { digest: files::sha256(&json), tier: plan.tier, asks }
    }

    /// Where another differs, in words; empty = it is the same, byte for byte.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.tier != now.tier {
            found.push(format!("tier {}, now {}", self.tier, now.tier));
        }
        let kinds: BTreeSet<&String> = self.asks.keys().chain(now.asks.keys()).collect();
        for kind in kinds {
            let (was, is) = (self.asks.get(kind), now.asks.get(kind));
            if was != is {
                let names = |names: Option<&Vec<String>>| match names {
                    Some(names) => names.join(", "),
                    None => "none".to_owned(),
                };
                found.push(format!("{kind}: {}, now {}", names(was), names(is)));
            }
        }
        if found.is_empty() && self.digest != now.digest {
            found.push("its reasons".to_owned());
        }
        found
    }
}
