//! What a record of a bundle's tests makes of a change, read directly from docs/record.md.

use std::collections::BTreeSet;

use grace_dsl::ast::Bundle;
use grace_graph::change::{Kinds, PartChange};
use grace_graph::code::{EdgeKind, FolderUse, PartKey, PartKind};
use grace_graph::test_names::{governs_changes, governs_tests};

use super::world::World;
use crate::reach::{PastReach, Reach, Seen};

/// What a record says of a change, by the ids of tests.
pub(super) struct Told {
    /// Tests whose record tells what the change of a body reaches.
    pub(super) usable: BTreeSet<String>,
    /// Tests that it chooses.
    pub(super) chosen: BTreeSet<String>,
    /// Parts that the rest of the change reaches, by reading.
    pub(super) read: BTreeSet<PartKey>,
    /// Tests that it has, of files that it has whole, as they are now.
    pub(super) there: BTreeSet<String>,
}

/// A part by the index that a record gives it; of a file likewise.
fn entered(seen: &Seen, reach: &Reach, key: &PartKey) -> bool {
    seen.entered.iter().any(|&index| reach.parts[index as usize] == *key)
}

fn opened(seen: &Seen, reach: &Reach, path: &str) -> bool {
    seen.opened.iter().any(|&index| reach.opened[index as usize] == path)
}

fn file_of(id: &str) -> &str {
    id.split("::").next().unwrap_or(id)
}

impl World {
    /// What the record of a bundle says; `None` where there is none that counts. `id` names a test as runners do.
    pub(super) fn told(&self, name: &str, forms: &[&Bundle], id: impl Fn(&PartKey) -> String) -> Option<Told> {
        let words = |texts: &[grace_dsl::ast::Text]| texts.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
        let past = self.input.past.reach.iter().find(|past| {
            past.bundle == name
                && forms.iter().all(|form| words(&form.run) == past.run && words(&form.setup) == past.setup)
        })?;
        let reach = &*past.reach;
        if past.unlike.is_some() || reach.outside.unseen {
            return None;
        }
        let old = self.out_of_date(past)?;
        let blind: BTreeSet<&String> =
            reach.imports.iter().filter(|(_, seen)| seen.unseen).map(|(path, _)| path).collect();
        // A module that is no recorded test file started something.
        if !blind.iter().all(|path| reach.tests.keys().any(|id| file_of(id) == path.as_str())) {
            return None;
        }
        let mut hidden = BTreeSet::new();
        if !blind.is_empty() {
            for side in 0..2 {
                hidden.extend(self.affected_by(side, self.bodies(side, |path| blind.iter().any(|one| *one == path))));
            }
        }
        let parts = &self.sides[1].parts;
        let tests: Vec<(&PartKey, String)> =
            parts.values().filter(|part| part.is_test).map(|part| (&part.key, id(&part.key))).collect();
        let is_told = |pc: &&PartChange| self.is_told(reach, pc);
        let meant: Vec<&PartChange> = self.noticed.iter().collect();
        let keys: BTreeSet<&PartKey> = meant.iter().flat_map(|pc| pc.before.iter().chain(&pc.after)).collect();
        let mut told =
            Told { usable: BTreeSet::new(), chosen: BTreeSet::new(), read: BTreeSet::new(), there: BTreeSet::new() };
        for (id, test) in &reach.tests {
            if test.failed {
                told.chosen.insert(id.clone());
            }
            let known: Vec<&PartKey> = tests.iter().filter(|(_, own)| own == id).map(|(key, _)| *key).collect();
            let reached = |by: &BTreeSet<PartKey>| known.is_empty() || known.iter().any(|key| by.contains(*key));
            let is_old = !past.differs.is_empty()
                && (reached(&old)
                    || past.differs.iter().any(|path| {
                        file_of(id) == path
                            || opened(&test.seen, reach, path)
                            || test.seen.entered.iter().any(|&index| *reach.parts[index as usize].path == **path)
                    }));
            let is_blind =
                !blind.is_empty() && (reached(&hidden) || blind.iter().any(|path| path.as_str() == file_of(id)));
            if !test.failed && !test.seen.unseen && !is_old && !is_blind {
                told.usable.insert(id.clone());
            }
        }
        for pc in meant.iter().copied().filter(is_told) {
            let Some(key) = pc.before.as_ref().filter(|key| reach.parts.contains(key)) else { continue };
            let who = |key: &PartKey| {
                let of = told.usable.iter().filter(|id| entered(&reach.tests[*id].seen, reach, key));
                of.cloned().collect::<BTreeSet<String>>()
            };
            let first = who(key);
            let imports = reach.imports.values().filter(|seen| entered(seen, reach, key));
            let ran: Vec<&Seen> = first.iter().map(|id| &reach.tests[id].seen).chain(imports).collect();
            let keepers = self.keepers(reach, key, &|other| ran.iter().any(|seen| entered(seen, reach, other)));
            let more: Vec<String> = keepers.iter().flat_map(who).collect();
            told.chosen.extend(first.into_iter().chain(more));
        }
        let ran_outside = |key: &&PartKey| {
            entered(&reach.outside, reach, key)
                || key.kind == PartKind::File && opened(&reach.outside, reach, &key.path)
        };
        let is_outside = keys.iter().any(ran_outside);
        for id in &told.usable {
            if is_outside || keys.iter().any(|key| opened(&reach.tests[id].seen, reach, &key.path)) {
                told.chosen.insert(id.clone());
            }
        }
        let importing = |path: &str| {
            let seen = reach.imports.get(path);
            seen.is_some_and(|seen| keys.iter().any(|key| entered(seen, reach, key) || opened(seen, reach, &key.path)))
        };
        for side in 0..2 {
            let rest = meant.iter().copied().filter(|pc| !is_told(pc));
            let mut open = self.seeds(side, rest);
            open.extend(self.bodies(side, importing));
            told.read.extend(self.affected_by(side, open));
        }
        let is_whole = |path: &str| {
            let in_file = |set: &BTreeSet<PartKey>| set.iter().any(|key| *key.path == *path);
            let is_old = past.differs.iter().any(|one| one == path) || !past.differs.is_empty() && in_file(&old);
            let is_blind = blind.iter().any(|one| *one == path) || in_file(&hidden);
            let is_known = reach.whole.iter().any(|one| one == path) && !is_outside;
            is_known && !is_old && !is_blind && !in_file(&told.read)
        };
        told.there = reach.tests.keys().filter(|id| is_whole(file_of(id))).cloned().collect();
        Some(told)
    }

    /// The body of a Python function changed and nothing else of it, and the plugin sees whoever enters it.
    fn is_told(&self, reach: &Reach, pc: &PartChange) -> bool {
        let (Some(before), Some(after)) = (&pc.before, &pc.after) else { return false };
        before == after
            && pc.kinds == Kinds::BODY
            && matches!(after.kind, PartKind::Function | PartKind::Method)
            && after.path.ends_with(".py")
            && after.name.rsplit('.').next() != Some("__del__")
            && !reach.unseen.iter().any(|path| **path == *after.path)
            && self.sides[0].parts.contains_key(before)
    }

    /// The bodies of some files.
    fn bodies(&self, side: usize, wanted: impl Fn(&str) -> bool) -> Vec<PartKey> {
        let is_body = |key: &&PartKey| matches!(key.kind, PartKind::Module | PartKind::File) && wanted(&key.path);
        self.sides[side].parts.keys().filter(is_body).cloned().collect()
    }

    /// Parts that may be reached by what is otherwise than where the record was made; `None` where that may be anything.
    fn out_of_date(&self, past: &PastReach) -> Option<BTreeSet<PartKey>> {
        let reach = &*past.reach;
        let facts = &self.sides[0];
        let mut open = Vec::new();
        for path in &past.differs {
            if self.is_documentation(path) && !reach.opened.contains(path) {
                continue;
            }
            let ran_outside = reach.outside.entered.iter().any(|&index| *reach.parts[index as usize].path == **path);
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let is_unnamed = facts.parts.keys().any(|key| *key.path == **path && key.kind == PartKind::File)
                && !governs_changes(path)
                && !self.is_documentation(path)
                && !facts.edges.iter().any(|edge| edge.to.kind == PartKind::File && *edge.to.path == **path)
                && !facts.dependents.iter().any(|(of, usage, _)| *usage == FolderUse::Reads && of == folder);
            if governs_tests(path)
                || opened(&reach.outside, reach, path)
                || ran_outside
                || is_unnamed
                || !facts.files.contains_key(path)
            {
                return None;
            }
            open.extend(facts.parts.keys().filter(|key| *key.path == **path).cloned());
            for importer in reach.imports.iter().filter(|(_, seen)| opened(seen, reach, path)).map(|(file, _)| file) {
                open.extend(self.bodies(0, |file| file == importer));
            }
        }
        Some(self.affected_by(0, open))
    }

    /// Who may keep what a part computed: itself, and those who call it through what keeps, or ran with it; those who ask
    /// what a decorator keeps, too.
    fn keepers(&self, reach: &Reach, key: &PartKey, ran: &dyn Fn(&PartKey) -> bool) -> BTreeSet<PartKey> {
        let of = |indices: &[u32], key: &PartKey| indices.iter().any(|&index| reach.parts[index as usize] == *key);
        let callers = |key: &PartKey| -> Vec<PartKey> {
            let names_only = |from: &PartKey, kind: EdgeKind, to: &PartKey| {
                kind == EdgeKind::Imports
                    && from.kind == PartKind::Module
                    && ![PartKind::Module, PartKind::File].contains(&to.kind)
            };
            let edges = self.sides[0].edges.iter().filter(|edge| edge.to == *key);
            let calls = edges.filter(|edge| !names_only(&edge.from, edge.kind, &edge.to));
            calls.map(|edge| edge.from.clone()).filter(|from| reach.parts.contains(from)).collect()
        };
        let mut seen = BTreeSet::from([key.clone()]);
        let mut open = vec![key.clone()];
        while let Some(part) = open.pop() {
            for caller in callers(&part) {
                if (of(&reach.keeps, &caller) || ran(&caller)) && seen.insert(caller.clone()) {
                    open.push(caller);
                }
            }
        }
        let mut found: BTreeSet<PartKey> = seen.iter().filter(|key| of(&reach.keeps, key)).cloned().collect();
        let handed: Vec<PartKey> = found.iter().filter(|key| of(&reach.hands, key)).cloned().collect();
        found.extend(handed.iter().flat_map(callers));
        found
    }
}
