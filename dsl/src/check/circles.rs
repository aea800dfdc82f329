//! Definitions that lead back to themselves. The language has no recursion.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{ItemKind, NodeId, SetExpr, SetKind};
use crate::check::Book;
use crate::check::sets::compile_glob;
use crate::diagnostic::{Code, Diagnostic};
use crate::names::Place;
use crate::walk;

/// What is defined: a set, a tag, a family's value or the parts bound to models, as references write it.
type Definition = String;

struct Graph {
    names: Vec<Definition>,
    places: Vec<Place>,
    next: Vec<Vec<usize>>,
}

/// One diagnostic for each circle that a walk in order of names closes, with its file's index.
pub(super) fn find(book: &Book<'_>) -> Vec<(usize, Diagnostic)> {
    let graph = graph(book);
    let mut found = Vec::new();
    let mut state = vec![State::New; graph.names.len()];
    for start in 0..graph.names.len() {
        if state.get(start) != Some(&State::New) {
            continue;
        }
        // The way from the start, each with the number of successors already tried; no recursion, for chains are long.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        state[start] = State::Open;
        while let Some((at, tried)) = way.last_mut() {
            let Some(&next) = graph.next[*at].get(*tried) else {
                state[*at] = State::Done;
                way.pop();
                continue;
            };
            *tried += 1;
            match state[next] {
                State::New => {
                    state[next] = State::Open;
                    way.push((next, 0));
                }
                State::Open => {
                    let circle: Vec<usize> = way.iter().map(|(at, _)| *at).skip_while(|&at| at != next).collect();
                    found.push(report(book, &graph, &circle));
                }
                State::Done => {}
            }
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

fn graph(book: &Book<'_>) -> Graph {
    let mut sets: BTreeMap<Definition, (Place, Vec<&SetExpr>)> = BTreeMap::new();
    let mut bindings = Bindings::default();
    for (file, content) in book.files.iter().enumerate() {
        for (item, content) in content.parsed.items.iter().enumerate() {
            let (name, set) = match &content.kind {
                ItemKind::Define { set, .. } => (content.name.clone(), set),
                ItemKind::Tag { value: Some(_), set, .. } => (content.name.clone(), set),
                ItemKind::Tag { set, .. } => (format!("tag({})", content.name), set),
                ItemKind::Binding { model, set, .. } => {
                    bindings.add(&model.value);
                    (bound(&model.value), set)
                }
                _ => continue,
            };
            sets.entry(name).or_insert((Place { file, item }, Vec::new())).1.push(set);
        }
    }
    let names: Vec<Definition> = sets.keys().cloned().collect();
    let index: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let next = sets
        .values()
        .map(|(_, sets)| {
            let mut next = Vec::new();
            for set in sets {
                walk::sets(set, &mut |set| {
                    let name = match &set.kind {
                        SetKind::BoundTo(models) => {
                            let bound = bindings.of(&models.value).into_iter();
                            return next.extend(bound.filter_map(|name| index.get(name.as_str()).copied()));
                        }
                        SetKind::Defined(name) => name.text.clone(),
                        SetKind::Tag(name) => format!("tag({})", name.text),
                        SetKind::Family { family, value } => format!("{}({})", family.text, value.text),
                        _ => return,
                    };
                    next.extend(index.get(name.as_str()).copied());
                });
            }
            next.sort_unstable();
            next.dedup();
            next
        })
        .collect();
    let places = sets.values().map(|(place, _)| *place).collect();
    Graph { names, places, next }
}

fn bound(pattern: &str) -> Definition {
    format!("model(\"{pattern}\")")
}

/// The patterns of models that the bindings of a book name.
#[derive(Default)]
struct Bindings {
    models: BTreeSet<String>,
    globs: BTreeMap<String, Option<regex::bytes::Regex>>,
    /// What was asked before: a text may ask the same many times.
    known: RefCell<BTreeMap<String, Vec<Definition>>>,
}

impl Bindings {
    fn add(&mut self, pattern: &str) {
        if is_glob(pattern) {
            self.globs.entry(pattern.to_owned()).or_insert_with(|| compile_glob(pattern).ok());
        } else {
            self.models.insert(pattern.to_owned());
        }
    }

    /// The bindings that bind a model that `bound to model(…)` means, of the models that bindings name outright.
    fn of(&self, wanted: &str) -> Vec<Definition> {
        if let Some(known) = self.known.borrow().get(wanted) {
            return known.clone();
        }
        let meant: Vec<&str> = if is_glob(wanted) {
            let glob = compile_glob(wanted).ok();
            let is_meant = |model: &str| glob.as_ref().is_some_and(|glob| glob.is_match(model.as_bytes()));
            self.models.iter().map(String::as_str).filter(|model| is_meant(model)).collect()
        } else {
            vec![wanted]
        };
        let literal = meant.iter().filter(|model| self.models.contains(**model)).map(|model| bound(model));
        let is_bound = |glob: &Option<regex::bytes::Regex>| {
            glob.as_ref().is_some_and(|glob| meant.iter().any(|model| glob.is_match(model.as_bytes())))
        };
        let globs = self.globs.iter().filter(|(_, glob)| is_bound(glob)).map(|(pattern, _)| bound(pattern));
        let found: Vec<Definition> = literal.chain(globs).collect();
        self.known.borrow_mut().insert(wanted.to_owned(), found.clone());
        found
    }
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{'])
}

/// The longest circle that is written out whole.
const LONGEST_SHOWN: usize = 8;

fn report(book: &Book<'_>, graph: &Graph, circle: &[usize]) -> (usize, Diagnostic) {
    let first = circle.first().copied().unwrap_or_default();
    let place = graph.places[first];
    let mut steps: Vec<String> =
        circle.iter().take(LONGEST_SHOWN).map(|&at| format!("`{}`", graph.names[at])).collect();
    if circle.len() > LONGEST_SHOWN {
        steps.push("…".to_owned());
    }
    steps.push(format!("`{}`", graph.names[first]));
    let message = format!("`{}` is defined by itself: {}", graph.names[first], steps.join(" → "));
    let error = book.diagnostic(Code::Cycle, place, NodeId(0), message);
    (place.file, error.help("write one of them without the others"))
}
