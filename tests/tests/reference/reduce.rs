//! Makes a case smaller while something about it stays true: by items, edits, files and facts, not by bytes.

use std::collections::BTreeSet;

use grace_dsl::{Role, SourceFile};

use crate::case::Case;

/// The smallest case found that still fails.
pub(crate) fn reduced(mut case: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    let unresolved = unresolved_names(&case);
    loop {
        let mut smaller = false;
        for candidate in candidates(&case) {
            if unresolved_names(&candidate).is_subset(&unresolved) && fails(&candidate) {
                case = candidate;
                smaller = true;
                break;
            }
        }
        if !smaller {
            return case;
        }
    }
}

/// The names that lead nowhere: a smaller case must not fail for another reason.
fn unresolved_names(case: &Case) -> BTreeSet<String> {
    let text = case.book.join("\n");
    let parsed = grace_dsl::parse(&text);
    let file = SourceFile { path: "", text: &text, parsed: &parsed, role: Role::Own };
    let found = grace_dsl::check(&[file]);
    let unresolved = found.iter().filter(|diagnostic| format!("{:?}", diagnostic.code).starts_with("Unknown"));
    unresolved.map(|diagnostic| diagnostic.message.clone()).collect()
}

fn without<T: Clone>(all: &[T], from: usize, count: usize) -> Vec<T> {
    all.iter().enumerate().filter(|(at, _)| !(from..from + count).contains(at)).map(|(_, one)| one.clone()).collect()
}

fn candidates(case: &Case) -> Vec<Case> {
    let mut found = Vec::new();
    let mut add = |change: &dyn Fn(&mut Case)| {
        let mut candidate = case.clone();
        change(&mut candidate);
        found.push(candidate);
    };
    if case.rule_edit.is_some() {
        add(&|case| case.rule_edit = None);
    }
    let items = case.book.len();
    for chunk in [items / 2, items / 4, 1] {
        if chunk > 0 {
            for from in (0..items).step_by(chunk) {
                add(&|case| case.book = without(&case.book, from, chunk));
            }
        }
    }
    for (step, edits) in case.steps.iter().enumerate() {
        for at in 0..edits.len() {
            add(&|case| case.steps[step] = without(&case.steps[step], at, 1));
        }
    }
    for path in case.repo.files.keys() {
        add(&|case| {
            case.repo.files.remove(path);
        });
    }
    if case.adopted != 0 {
        add(&|case| case.adopted = 0);
    }
    if case.declared != Default::default() {
        add(&|case| case.declared = Default::default());
    }
    if !case.past.runs.is_empty() || !case.past.kpis.is_empty() {
        add(&|case| {
            case.past.runs.clear();
            case.past.kpis.clear();
        });
    }
    if !case.past.grants.is_empty() {
        add(&|case| case.past.grants.clear());
    }
    if case.past.codeowners.is_some() {
        add(&|case| case.past.codeowners = None);
    }
    if !case.past.models_before.is_empty() || !case.past.models_after.is_empty() {
        add(&|case| {
            case.past.models_before.clear();
            case.past.models_after.clear();
        });
    }
    found
}
