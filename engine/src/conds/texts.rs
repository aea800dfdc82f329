//! What is read from the texts of both sides: tests, added lines, documentation; and whether tests reach the change.

use std::collections::BTreeSet;
use std::sync::Arc;

use grace_dsl::ast::{NodeId, SetExpr, SetKind};
use grace_graph::code::{PartId, PartKey, PartKind};
use grace_graph::graph::FileNode;
use grace_graph::test_names::is_test_name;

use super::{BothSides, Conds, SIDES};
use crate::db::{Db, Meant, graph_of, meant};
use crate::plan::{Side, Truth};
use crate::sets::{is_opaque, stood_before};
use crate::verdict::Hit;
use crate::{affects, text};

impl Conds<'_> {
    pub(super) fn losses(losses: &[text::TestLoss], unreadable: &[Arc<str>]) -> (Truth, Vec<Hit>) {
        let mut hits: Vec<Hit> = losses
            .iter()
            .map(|loss| Hit::Test {
                part: loss.part.clone(),
                side: if loss.after { Side::After } else { Side::Before },
                how: loss.how.clone(),
                line: loss.line,
            })
            .collect();
        if !losses.is_empty() {
            return (Truth::Yes, hits);
        }
        if unreadable.is_empty() {
            return (Truth::No, hits);
        }
        hits.extend(unreadable.iter().map(|path| Hit::Unread {
            path: path.clone(),
            part: None,
            edges: false,
            fact: format!("the tests of {path}"),
        }));
        (Truth::Unknown, hits)
    }

    pub(super) fn added_lines(&self, set: &SetExpr, literals: &[grace_dsl::ast::Text]) -> (Truth, Vec<Hit>) {
        let lines = text::added_lines(self.db);
        let both = self.both(set);
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for line in &lines.lines {
            let Some(literal) = literals.iter().find(|literal| line.text.contains(literal.value.as_str())) else {
                continue;
            };
            let mut holds = both.holds(Side::After, &line.part);
            if !line.certain {
                holds = holds.min(Truth::Unknown);
            }
            if holds != Truth::No {
                truth = truth.max(holds);
                hits.push(Hit::Line {
                    path: line.path.clone(),
                    line: line.line,
                    text: Arc::from(literal.value.as_str()),
                    part: Some(line.part.clone()),
                });
            }
        }
        self.or_unreadable(truth, hits, &lines.unreadable, &both, "the added lines")
    }

    /// Where nothing was found, a part that cannot be compared may hide it.
    fn or_unreadable(
        &self,
        mut truth: Truth,
        mut hits: Vec<Hit>,
        unreadable: &[PartKey],
        both: &BothSides,
        what: &str,
    ) -> (Truth, Vec<Hit>) {
        if truth == Truth::No {
            for part in unreadable {
                // A side that does not have the part says nothing of it, unless the other has it neither.
                let nowhere = !SIDES.iter().any(|&side| both.knows(side, part));
                let may = |side| (nowhere || both.knows(side, part)) && both.holds(side, part) != Truth::No;
                if SIDES.into_iter().any(may) {
                    truth = Truth::Unknown;
                    hits.push(Hit::Unread {
                        path: part.path.clone(),
                        part: Some(part.clone()),
                        edges: false,
                        fact: format!("{what} of {}", part.path),
                    });
                }
            }
        }
        (truth, hits)
    }

    pub(super) fn documentation_removed(&self, set: &SetExpr) -> (Truth, Vec<Hit>) {
        let both = self.both(set);
        let removed = text::documentation_removed(self.db);
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for gone in &removed.0 {
            let (side, holds) = SIDES
                .into_iter()
                .map(|side| (side, if both.knows(side, &gone.part) { both.holds(side, &gone.part) } else { Truth::No }))
                .max_by_key(|(_, holds)| *holds)
                .unwrap_or((Side::After, Truth::No));
            if holds != Truth::No {
                truth = truth.max(holds);
                hits.push(Hit::Test {
                    part: gone.part.clone(),
                    side,
                    how: Arc::from(text::documentation_word(gone.what)),
                    line: gone.line,
                });
            }
        }
        self.or_unreadable(truth, hits, &removed.1, &both, "the documentation")
    }

    /// Each changed part of the product is looked at by itself where it stands: after the change, or before where it was
    /// removed. That a test imports its module does not excuse a function that nobody calls.
    pub(super) fn no_test_reaches(&self) -> (Truth, Vec<Hit>) {
        let mut truth = Truth::No;
        let mut hits = Vec::new();
        for side in SIDES {
            let graph = graph_of(self.db, side);
            let key_here = |change: &Meant| match (side, &change.before, &change.after) {
                (Side::After, _, Some(key)) | (Side::Before, Some(key), None) => Some(key.clone()),
                _ => None,
            };
            let changed: BTreeSet<PartId> =
                meant(self.db).iter().filter_map(key_here).filter_map(|key| graph.find(&key)).collect();
            if changed.is_empty() {
                continue;
            }
            let all = Arc::new(SetExpr { node: NodeId(0), kind: SetKind::All });
            let (certain, possible) =
                (affects::reaching_tests(graph, &changed, true), affects::reaching_tests(graph, &changed, false));
            for part in changed {
                let node = graph.part(part);
                let file = graph.file(node.file);
                // Code that only now holds a test is still code.
                if is_settled_test(self.db, side, file) || file.language.is_none() {
                    continue;
                }
                // A class header runs with its module.
                let runs = if node.kind == PartKind::Class { graph.module_of(part) } else { part };
                let within =
                    |set: &fixedbitset::FixedBitSet| [part, runs].iter().any(|part| set.contains(part.0 as usize));
                let unreached = match () {
                    // What cannot be read may hold what no test reaches.
                    () if is_opaque(graph, part) => Truth::Unknown,
                    () if within(&certain) => Truth::No,
                    () if within(&possible) => Truth::Unknown,
                    () => Truth::Yes,
                };
                if unreached == Truth::No {
                    continue;
                }
                truth = truth.max(unreached);
                hits.push(Hit::Member {
                    part: graph.key(part),
                    side,
                    set: all.clone(),
                    certain: unreached == Truth::Yes,
                });
            }
        }
        (truth, hits)
    }
}

/// A test file by its name, or one that held tests before the change.
fn is_settled_test(db: &dyn Db, side: Side, file: &FileNode) -> bool {
    is_test_name(&file.path)
        || file.is_test && (side == Side::Before || stood_before(db, &file.path, |old| old.is_test))
}
