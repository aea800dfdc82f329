//! The shipped rule packs and bundles, embedded, and the texts that a new project starts from.
//!
//! Text only: nothing here parses, checks or reads a file. A pack is found by the name that its `module` line gives it.

pub mod starter;

/// One shipped file of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pack {
    /// Its module: `grace.policies`, `grace.bundles.lint`.
    pub module: &'static str,
    /// Where it stands in this repository: `rules/policies.grace`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! packs {
    ($($module:literal in $path:literal),* $(,)?) => {
        &[$(Pack { module: $module, path: $path, text: include_str!(concat!("../../", $path)) }),*]
    };
}

/// Sorted by module, so that a name is found by halving and lists need no sorting.
static PACKS: &[Pack] = packs![
    "grace.bundles.chaos_smoke" in "bundles/chaos_smoke.grace",
    "grace.bundles.cognition_loops" in "bundles/cognition_loops.grace",
    "grace.bundles.governance_decisions" in "bundles/governance_decisions.grace",
    "grace.bundles.integration" in "bundles/integration.grace",
    "grace.bundles.layer1_boot" in "bundles/layer1_boot.grace",
    "grace.bundles.lint" in "bundles/lint.grace",
    "grace.bundles.model_failover" in "bundles/model_failover.grace",
    "grace.bundles.multi_model_routing" in "bundles/multi_model_routing.grace",
    "grace.bundles.policy_enforcement" in "bundles/policy_enforcement.grace",
    "grace.bundles.self_healing_flows" in "bundles/self_healing_flows.grace",
    "grace.bundles.trigger_system" in "bundles/trigger_system.grace",
    "grace.floor" in "rules/floor.grace",
    "grace.intents" in "rules/intents.grace",
    "grace.limits" in "rules/limits.grace",
    "grace.policies" in "rules/policies.grace",
    "grace.practices" in "rules/practices.grace",
    "grace.principles" in "rules/principles.grace",
    "grace.seed_tags" in "rules/seed_tags.grace",
    "grace.selection" in "rules/selection.grace",
    "grace.tags" in "rules/tags.grace",
    "grace.telemetry" in "rules/telemetry.grace",
    "grace.tiers" in "rules/tiers.grace",
    "grace.trust" in "rules/trust.grace",
    "grace.validation" in "rules/validation.grace",
    "grace.vocabulary" in "rules/vocabulary.grace",
];

/// The module of the pack that judges a repository without rules of its own.
pub const FLOOR: &str = "grace.floor";

/// All shipped packs, sorted by module.
#[must_use]
pub fn packs() -> &'static [Pack] {
    PACKS
}

/// The pack of this module, if one is shipped.
#[must_use]
pub fn pack(module: &str) -> Option<&'static Pack> {
    PACKS.binary_search_by(|pack| pack.module.cmp(module)).ok().and_then(|at| PACKS.get(at))
}

/// The pack that judges a repository without rules of its own.
#[must_use]
pub fn floor() -> &'static Pack {
    static FLOOR_PACK: Pack = Pack { module: FLOOR, path: "rules/floor.grace", text: include_str!("../floor.grace") };
    &FLOOR_PACK
}
