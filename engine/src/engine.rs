//! The engine as callers see it: set inputs, ask for a plan, question it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_dsl::ast::SetExpr;
use grace_graph::change::{Change, Kinds};
use grace_graph::code::{PartId, PartKey};
use grace_graph::graph::{Anew, CodeGraph};
use grace_graph::store::FactStore;
use schemars::JsonSchema;
use serde::Serialize;

use crate::book::Compiled;
use crate::db::{Database, EventLog, Inputs, facts, graph_of, snapshot};
use crate::explain::{self, What};
use crate::impact;
use crate::input::{Input, TreeFile};
use crate::join;
use crate::order;
use crate::plan::{BundlePlan, Explanation, Plan, Side};
use crate::sets::{Sets, tags};
use crate::side::{Ahead, GraphWork};

/// Owns the salsa database. Not `Sync`: one question at a time.
pub struct Engine {
    db: Database,
    inputs: Inputs,
    log: Option<EventLog>,
}

/// One part as `graph query` lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Row {
    /// Repository-relative path.
    pub path: String,
    /// Line of its definition, 1-based; 1 for modules and files.
    pub line: u32,
    /// `file`, `module`, `class`, `function`, `method`.
    pub kind: &'static str,
    /// Its own name: the file stem for a module.
    pub name: String,
    /// Dotted name over the repository; the path for files.
    pub qualified_name: String,
    /// Declared `async`.
    pub is_async: bool,
    /// Tags given directly to it.
    pub tags: Vec<String>,
}

impl Engine {
    /// An engine with empty inputs. The store gives facts by content.
    #[must_use]
    pub fn new(store: Arc<FactStore>) -> Self {
        Self::with_log(store, None)
    }

    /// An engine that remembers which queries ran, for tests and profiles: see [`Engine::take_events`].
    #[must_use]
    pub fn recording(store: Arc<FactStore>) -> Self {
        Self::with_log(store, Some(EventLog::default()))
    }

    fn with_log(store: Arc<FactStore>, log: Option<EventLog>) -> Self {
        let mut db = Database::new(store, log.clone());
        let inputs = Inputs::new(&mut db);
        Self { db, inputs, log }
    }

    /// Sets the inputs that differ from those that are set.
    pub fn update(&mut self, input: Input) {
        self.inputs.update(&mut self.db, input, None);
    }

    /// [`Engine::update`] where the graph after the change was made ahead.
    pub fn update_ahead(&mut self, input: Input, ahead: &Ahead) {
        self.inputs.update(&mut self.db, input, Some(ahead.side()));
    }

    /// Gives some files of the after side other contents, whose facts the store holds, and sets the change that there is
    /// then. What it costs hangs on the edit, not on the size of the tree. False where the after side lacks one of the
    /// files: nothing is done then, and [`Engine::update`] is the way.
    pub fn edit(&mut self, files: &[TreeFile], change: Change) -> bool {
        self.inputs.edit(&mut self.db, files, change)
    }

    /// How often the graphs of the two sides were built, and repaired, so far.
    #[must_use]
    pub fn graph_work(&self) -> GraphWork {
        self.inputs.work()
    }

    /// Why the graph after the change was built from all files at the last update, where it was.
    #[must_use]
    pub fn built_because(&self) -> Option<Anew> {
        self.inputs.anew()
    }

    /// The names of the queries that ran since the last call, in order; empty unless [`Engine::recording`].
    #[must_use]
    pub fn take_events(&self) -> Vec<String> {
        self.log.as_ref().and_then(|log| log.lock().ok().map(|mut log| std::mem::take(&mut *log))).unwrap_or_default()
    }

    /// The plan for the inputs.
    #[must_use]
    pub fn plan(&self) -> Plan {
        order::prepare(&self.db);
        join::plan(&self.db)
    }

    /// Every bundle of both rule books that holds tests, whole.
    #[must_use]
    pub fn every_bundle(&self) -> Vec<BundlePlan> {
        order::prepare(&self.db);
        impact::every_bundle(&self.db)
    }

    /// By bundle: the recorded tests whose record holds for the after side, too; the change does not reach them.
    #[must_use]
    pub fn still_recorded(&self) -> BTreeMap<String, BTreeSet<String>> {
        impact::still_recorded(&self.db)
    }

    /// Why a thing is in the plan, or is not. What is said to bring it was tried: the plan was derived again with it.
    #[must_use]
    pub fn explain(&mut self, what: &What) -> Explanation {
        order::prepare(&self.db);
        let (mut explanation, ideas) = explain::explain(&self.db, what);
        let mut bring = Vec::new();
        let mut rules = BTreeSet::new();
        for idea in ideas {
            if bring.len() >= explain::MOST_IDEAS {
                break;
            }
            if !rules.contains(&idea.rule) {
                self.inputs.suppose(&mut self.db, vec![(idea.part, idea.kinds)]);
                order::prepare(&self.db);
                if explain::is_brought(&self.db, what, &explanation.subject) {
                    rules.insert(idea.rule);
                    bring.push(idea.text);
                }
            }
        }
        self.inputs.suppose(&mut self.db, Vec::new());
        bring.append(&mut explanation.would_bring);
        explanation.would_bring = bring;
        explanation
    }

    pub(crate) fn db(&self) -> &Database {
        &self.db
    }

    /// Supposes that these parts have changed beside the change, in this way; an empty list ends it.
    pub(crate) fn set_supposed(&mut self, parts: Vec<(PartKey, Kinds)>) {
        self.inputs.suppose(&mut self.db, parts);
    }

    /// The source graph of a side.
    #[must_use]
    pub fn graph(&self, side: Side) -> Arc<CodeGraph> {
        Arc::clone(graph_of(&self.db, side))
    }

    /// The certain members of a set on a side, by path and line.
    ///
    /// # Errors
    /// The names that the set uses and that no rule book defines, and patterns that do not compile.
    pub fn members(&self, set: &SetExpr, side: Side) -> Result<Vec<Row>, Vec<String>> {
        order::prepare(&self.db);
        let Some((_, book)) = join::books(&self.db).into_iter().last() else {
            return Err(vec!["no rules were given".to_owned()]);
        };
        let item = grace_dsl::ast::Item {
            name: String::new(),
            kind: grace_dsl::ast::ItemKind::Define { set: set.clone(), may_be_empty: true },
        };
        let compiled = Compiled::new(&self.db, book, Arc::new(item));
        if !compiled.problems.is_empty() {
            return Err(compiled.problems);
        }
        let graph = graph_of(&self.db, side);
        let sets = Sets { db: &self.db, book, side: snapshot(&self.db, side), compiled: &compiled };
        let members = sets.eval(set);
        let tags = tags(&self.db, book, snapshot(&self.db, side));
        Ok(self.rows(graph, side, members.certain.ones(), &tags))
    }

    fn rows(
        &self,
        graph: &CodeGraph,
        side: Side,
        parts: impl Iterator<Item = usize>,
        tags: &[BTreeSet<Arc<str>>],
    ) -> Vec<Row> {
        let mut rows: Vec<Row> = parts
            .map(|index| {
                let id = PartId(u32::try_from(index).unwrap_or(u32::MAX));
                let part = graph.part(id);
                let path = &graph.file(part.file).path;
                let line = facts(&self.db, side, path)
                    .and_then(|facts| facts.places.parts.get(part.ordinal as usize).map(|place| place.def))
                    .unwrap_or(1);
                Row {
                    path: path.to_string(),
                    line: line.max(1),
                    kind: part.kind.word(),
                    name: crate::sets::own_name(graph, id).to_owned(),
                    qualified_name: graph.qualified_name(id).into_owned(),
                    is_async: part.is_async,
                    tags: tags
                        .get(index)
                        .map(|tags| tags.iter().map(ToString::to_string).collect())
                        .unwrap_or_default(),
                }
            })
            .collect();
        rows.sort();
        rows
    }

    /// How much each exception of the rules permits on the after tree, in parts of the code or models, by its item and what
    /// it says: what `except` takes out of a set, and what a waiver is for, in force or not.
    #[must_use]
    pub fn exceptions(&self) -> BTreeMap<String, u64> {
        order::prepare(&self.db);
        crate::exceptions::exceptions(&self.db)
    }

    /// What is vacuous in the project's rules against the after tree: sets that hold nothing, rules that cannot fire,
    /// waivers that cover nothing, bundles whose tests do not exist.
    #[must_use]
    pub fn check(&self) -> Vec<grace_dsl::Diagnostic> {
        order::prepare(&self.db);
        crate::vacuity::check(&self.db)
    }
}
