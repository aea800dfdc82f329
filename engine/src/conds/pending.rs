//! Conditions that wait for the run.

use grace_dsl::ast::{Cond, CondKind, FailedBundle};

use super::{Conds, not};
use crate::plan::{FailedOf, Pending, Truth};
use crate::sets::plain;
use crate::show;
use crate::verdict::Hit;

impl Conds<'_> {
    /// An `after the run` condition with everything folded in that is known before the run, and what is unknown in the
    /// rest though the run does not tell it.
    pub(crate) fn pending(&self, cond: &Cond) -> (Pending, Vec<Hit>) {
        self.pending_under(cond, false)
    }

    fn pending_under(&self, cond: &Cond, negated: bool) -> (Pending, Vec<Hit>) {
        let waits = |pending| (pending, Vec::new());
        match &cond.kind {
            CondKind::And(conds) => {
                fold(conds.iter().map(|cond| self.pending_under(cond, negated)), Truth::No, Truth::Yes, Pending::And)
            }
            CondKind::Or(conds) => {
                fold(conds.iter().map(|cond| self.pending_under(cond, negated)), Truth::Yes, Truth::No, Pending::Or)
            }
            CondKind::Not(cond) => match self.pending_under(cond, !negated) {
                (Pending::Known(truth), missing) => (Pending::Known(not(truth)), missing),
                (pending, missing) => (Pending::Not(Box::new(pending)), missing),
            },
            CondKind::BundleRate { rate, bundle, runs, compare, value } => waits(Pending::Rate {
                rate: show::rate(*rate).to_owned(),
                bundle: bundle.as_ref().map(|bundle| bundle.text.clone()),
                runs: u32::try_from(runs.thousandths / 1000).unwrap_or(u32::MAX),
                compare: show::compare(*compare).to_owned(),
                value: plain(value),
            }),
            CondKind::BundleFailed(failed) => waits(Pending::Failed(match failed {
                FailedBundle::Required => FailedOf::AnyRequired,
                FailedBundle::Critical => FailedOf::AnyCritical,
                FailedBundle::Named(name) => FailedOf::Bundle(name.text.clone()),
            })),
            CondKind::TrustBelowMinimum => waits(Pending::TrustBelowMinimum),
            _ => {
                let trace = self.eval_under(cond, negated);
                let missing = if trace.truth == Truth::Unknown { trace.hits } else { Vec::new() };
                (Pending::Known(trace.truth), missing)
            }
        }
    }
}

/// Folds known parts of an `and` (absorbing `no`) or an `or` (absorbing `yes`).
fn fold(
    parts: impl Iterator<Item = (Pending, Vec<Hit>)>,
    absorbing: Truth,
    neutral: Truth,
    join: fn(Vec<Pending>) -> Pending,
) -> (Pending, Vec<Hit>) {
    let mut open = Vec::new();
    let mut missing = Vec::new();
    for (part, of_part) in parts {
        if part == Pending::Known(absorbing) {
            return (part, Vec::new());
        }
        if part != Pending::Known(neutral) {
            open.push(part);
            missing.extend(of_part);
        }
    }
    let pending = match open.len() {
        0 => Pending::Known(neutral),
        1 => open.remove(0),
        _ => join(open),
    };
    (pending, missing)
}
