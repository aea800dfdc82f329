//! Makes a case smaller while something about it stays true: by items, edits, files and facts, not by bytes.

use std::collections::BTreeSet;

use grace_dsl::{Role, SourceFile};

use crate::case::Case;
use crate::rules;
use crate::trees::{Function, Module, Source};

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
    let after = case.rule_edit.as_ref().map(|edit| rules::edited(&case.book, edit));
    let mut unresolved = BTreeSet::new();
    for text in [Some(case.book.join("\n")), after.map(|book| book.join("\n"))].into_iter().flatten() {
        let parsed = grace_dsl::parse(&text);
        let file = SourceFile { path: "", text: &text, parsed: &parsed, role: Role::Own };
        let found = grace_dsl::check(&[file]);
        let names = found.iter().filter(|diagnostic| format!("{:?}", diagnostic.code).starts_with("Unknown"));
        unresolved.extend(names.map(|diagnostic| diagnostic.message.clone()));
    }
    unresolved
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
    for (path, source) in &case.repo.files {
        if let Source::Python(module) = source {
            for smaller in smaller_modules(module) {
                add(&|case| {
                    case.repo.files.insert(path.clone(), Source::Python(smaller.clone()));
                });
            }
        }
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

/// The module with one thing less.
fn smaller_modules(module: &Module) -> Vec<Module> {
    let mut found = Vec::new();
    let mut add = |change: &dyn Fn(&mut Module)| {
        let mut smaller = module.clone();
        change(&mut smaller);
        if smaller != *module {
            found.push(smaller);
        }
    };
    add(&|module| {
        module.docstring = None;
        module.model = None;
    });
    for at in 0..module.imports.len() {
        add(&|module| module.imports = without(&module.imports, at, 1));
    }
    for at in 0..module.classes.len() {
        add(&|module| module.classes = without(&module.classes, at, 1));
        for method in 0..module.classes[at].methods.len() {
            add(&|module| module.classes[at].methods = without(&module.classes[at].methods, method, 1));
            add(&|module| bare(&mut module.classes[at].methods[method]));
        }
    }
    for at in 0..module.functions.len() {
        add(&|module| module.functions = without(&module.functions, at, 1));
        add(&|module| bare(&mut module.functions[at]));
        for call in 0..module.functions[at].calls.len() {
            add(&|module| module.functions[at].calls = without(&module.functions[at].calls, call, 1));
        }
    }
    found
}

/// A function without what rarely matters.
fn bare(function: &mut Function) {
    function.docstring = None;
    function.comment = None;
    function.decorator = None;
    function.asserts = 0;
}
