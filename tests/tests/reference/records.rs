//! Records of what tests entered, drawn by a number: nobody ran anything, so that every state of a record comes up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grace_engine::reach::{PastReach, Reach, Seen, TestReach};
use grace_graph::code::{PartKey, PartKind};
use grace_graph::graph::CodeGraph;

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn one_in(&mut self, sides: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(sides)
    }

    /// Some of so many, one in `sides`.
    fn some(&mut self, all: usize, sides: u64) -> Vec<u32> {
        (0..u32::try_from(all).unwrap()).filter(|_| self.one_in(sides)).collect()
    }
}

/// What was recorded of the bundles of a case on its tree before the change; nothing for 0.
pub(crate) fn drawn(seed: u64, graph: &CodeGraph) -> Vec<PastReach> {
    if seed == 0 {
        return Vec::new();
    }
    let mut dice = Dice(seed);
    let mut drawn = Vec::new();
    for bundle in ["b1", "b2"] {
        if !dice.one_in(4) {
            drawn.push(record(bundle, &mut dice, graph));
        }
    }
    drawn
}

/// Tests that did not pass when they ran last, of some bundles.
pub(crate) fn failed(seed: u64, graph: &CodeGraph) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut dice = Dice(seed.wrapping_mul(31));
    let mut failed = BTreeMap::new();
    for bundle in ["b1", "b2"].into_iter().filter(|_| seed > 0) {
        let ids = ids(graph).into_iter().filter(|_| dice.one_in(8));
        let ids: BTreeMap<String, String> = ids.map(|id| (id, "r".to_owned())).collect();
        failed.insert(bundle.to_owned(), ids);
    }
    failed
}

/// The tests of Python, as they are named where they run.
fn ids(graph: &CodeGraph) -> BTreeSet<String> {
    let keys = graph.tests().iter().map(|&test| graph.key(test)).filter(|key| key.path.ends_with(".py"));
    keys.map(|key| format!("{}::{}", key.path, key.name.replace('.', "::"))).collect()
}

fn record(bundle: &str, dice: &mut Dice, graph: &CodeGraph) -> PastReach {
    let is_code =
        |key: &PartKey| key.path.ends_with(".py") && matches!(key.kind, PartKind::Function | PartKind::Method);
    let mut parts: Vec<PartKey> = graph.part_ids().map(|part| graph.key(part)).filter(is_code).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.retain(|_| !dice.one_in(8));
    let mut paths: Vec<String> = graph.file_ids().map(|file| graph.file(file).path.to_string()).collect();
    paths.sort_unstable();
    let opened: Vec<String> = paths.iter().filter(|_| dice.one_in(3)).cloned().collect();
    let seen = |dice: &mut Dice, sides: u64| Seen {
        entered: dice.some(parts.len(), sides),
        opened: dice.some(opened.len(), sides * 4),
        unseen: dice.one_in(24),
    };
    let keeps: Vec<u32> = dice.some(parts.len(), 6);
    let hands = keeps.iter().copied().filter(|_| dice.one_in(2)).collect();
    let ids = ids(graph);
    let is_quiet = |seen: Seen| Seen { unseen: false, ..seen };
    let mut reach = Reach {
        runs: vec!["r".to_owned()],
        keeps,
        hands,
        unseen: paths.iter().filter(|_| dice.one_in(12)).cloned().collect(),
        whole: paths.iter().filter(|path| path.ends_with(".py") && dice.one_in(2)).cloned().collect(),
        ..Reach::default()
    };
    for path in paths.iter().filter(|path| path.ends_with(".py")) {
        if dice.one_in(3) {
            // One that started a process puts the whole record aside.
            let seen = seen(dice, 8);
            reach.imports.insert(path.clone(), if dice.one_in(3) { seen } else { is_quiet(seen) });
        }
    }
    if dice.one_in(8) {
        reach.outside = seen(dice, 12);
    }
    for id in ids {
        if !dice.one_in(5) {
            reach.tests.insert(id, TestReach { run: 0, failed: dice.one_in(12), seen: seen(dice, 4) });
        }
    }
    let differs = match dice.one_in(3) {
        true => paths.iter().filter(|_| dice.one_in(10)).cloned().collect(),
        false => Vec::new(),
    };
    (reach.parts, reach.opened) = (parts, opened);
    assert!(reach.is_sound());
    PastReach {
        bundle: bundle.to_owned(),
        run: ["pytest", if dice.one_in(16) { "-x" } else { "{tests}" }].map(str::to_owned).to_vec(),
        setup: Vec::new(),
        ran_in: [0; 32],
        unlike: dice.one_in(16).then(|| "another interpreter".to_owned()),
        reach: Arc::new(reach),
        differs,
    }
}
