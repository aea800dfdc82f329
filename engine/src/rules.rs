//! What each rule of a book comes to: one query a rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_dsl::ast::{Cond, CondKind, ItemKind, When};

use crate::book::{ItemId, compiled};
use crate::conds::{Conds, Mode};
use crate::db::{Db, RuleBook, RuleFile};
use crate::plan::{Pending, Side, Truth};
use crate::verdict::{Hit, Trace, Verdict, Violations};
use crate::ways;

/// What a rule, policy, forbid or layers comes to.
#[salsa::tracked(returns(clone))]
pub(crate) fn verdict(db: &dyn Db, book: RuleBook, file: RuleFile, id: ItemId) -> Option<Arc<Verdict>> {
    let compiled = compiled(db, book, file, id)?;
    let conds = |mode| Conds { db, book, compiled: &compiled, mode };
    let mut verdict = match &compiled.item.kind {
        ItemKind::Rule(rule) => match &rule.when {
            When::Change(cond) => plain_verdict(conds(Mode::Raise).eval(cond)),
            When::Always(cond) => {
                let after = conds(Mode::State(Side::After)).eval(cond);
                let before = conds(Mode::State(Side::Before)).eval(cond);
                let violations = rule.deny.is_some().then(|| state_violations(cond, &before, &after));
                Verdict {
                    truth: after.truth,
                    trace: after,
                    violations,
                    pending: None,
                    missing: Vec::new(),
                    problems: Vec::new(),
                }
            }
            When::AfterRun(cond) => {
                let (pending, missing) = conds(Mode::Raise).pending(cond);
                let trace = conds(Mode::Raise).eval(cond);
                let truth = match &pending {
                    Pending::Known(truth) => *truth,
                    _ => Truth::Unknown,
                };
                Verdict { truth, trace, violations: None, pending: Some(pending), missing, problems: Vec::new() }
            }
        },
        ItemKind::Policy(policy) => {
            let touches =
                grace_dsl::ast::Cond { node: policy.covers.node, kind: CondKind::Touches(policy.covers.clone()) };
            plain_verdict(conds(Mode::Raise).eval(&touches))
        }
        ItemKind::Forbid(forbid) => ways::forbid(&conds(Mode::Raise), forbid),
        ItemKind::Layers(layers) => ways::layers(&conds(Mode::Raise), layers),
        _ => return None,
    };
    if !compiled.problems.is_empty() {
        verdict.problems.clone_from(&compiled.problems);
        // What stands for nothing could have been anything.
        verdict.truth = verdict.truth.max(Truth::Unknown);
        verdict.pending = verdict.pending.map(|pending| match pending {
            Pending::Known(truth) => Pending::Known(truth.max(Truth::Unknown)),
            waits => Pending::Or(vec![waits, Pending::Known(Truth::Unknown)]),
        });
    }
    Some(Arc::new(verdict))
}

fn plain_verdict(trace: Trace) -> Verdict {
    Verdict { truth: trace.truth, trace, violations: None, pending: None, missing: Vec::new(), problems: Vec::new() }
}

/// Violations of a state: each model of an `any of`, else the condition as one.
fn state_violations(cond: &Cond, before: &Trace, after: &Trace) -> Violations {
    let mut violations = Violations::default();
    if names_models(cond) {
        let stood = offenders(before);
        violations.before = stood.values().filter(|(certain, _)| *certain).count();
        for (model, (certain, hit)) in offenders(after) {
            match (certain, stood.get(&model).map(|(certain, _)| *certain)) {
                (true, Some(true)) => violations.old.push(hit),
                (true, None) => violations.new.push(hit),
                _ => violations.maybe_new.push(hit),
            }
        }
        return violations;
    }
    let hits: Vec<Hit> = after.evidence().into_iter().cloned().collect();
    violations.before = usize::from(before.truth == Truth::Yes);
    match (before.truth, after.truth) {
        (_, Truth::No) => {}
        (Truth::Yes, Truth::Yes) => violations.old = or_word(hits),
        (Truth::No, Truth::Yes) => violations.new = or_word(hits),
        _ => violations.maybe_new = or_word(hits),
    }
    violations
}

/// Whether each way in which a condition can hold names the models that it holds of: an `any of` that no `not` stands above.
/// Where `or` joins one with something else, the state is one violation.
fn names_models(cond: &Cond) -> bool {
    match &cond.kind {
        CondKind::AnyOf(..) => true,
        CondKind::And(conds) => conds.iter().any(names_models),
        CondKind::Or(conds) => conds.iter().all(names_models),
        _ => false,
    }
}

/// The models that a state speaks against, certain or not.
fn offenders(trace: &Trace) -> BTreeMap<String, (bool, Hit)> {
    let mut found = BTreeMap::new();
    if trace.truth == Truth::No {
        return found;
    }
    for hit in trace.waivable() {
        if let Hit::Model { model, certain, .. } = hit {
            let certain = *certain && trace.truth == Truth::Yes;
            let entry = found.entry(model.clone()).or_insert_with(|| (certain, hit.clone()));
            entry.0 |= certain;
        }
    }
    found
}

/// A violation needs at least one thing to show.
fn or_word(hits: Vec<Hit>) -> Vec<Hit> {
    if hits.is_empty() {
        vec![Hit::Declared { what: "the condition holds after the change".to_owned(), value: String::new() }]
    } else {
        hits
    }
}
