//! What is built in: no rule book can take it away.

use std::collections::BTreeSet;

use grace_graph::change::Content;

use super::reasons::Reasons;
use super::{Joiner, SHOWN, books};
use crate::db::World;
use crate::mistakes::mistakes;
use crate::plan::{BookSide, Derivation, Evidence, Outcome, PartRef, Side};

/// Fingerprints that cannot be read and are named one by one; the rest is counted.
const MOST_FINGERPRINTS: usize = 20;

pub(super) fn built_in(rule: &str, because: &str, evidence: Vec<Evidence>) -> Derivation {
    Derivation {
        rule: format!("built-in {rule}"),
        file: "built-in".to_owned(),
        line: 0,
        because: because.to_owned(),
        book: BookSide::BuiltIn,
        evidence,
        more_evidence: 0,
        by_unknown: false,
    }
}

/// Paths that hold rules, signers or owners: changing one is tier 3.
pub(crate) fn is_rule_path(path: &str) -> bool {
    path.starts_with("grace/") || grace_graph::owners::PLACES.contains(&path)
}

impl Joiner<'_> {
    /// Rules that no rule book can take away.
    pub(super) fn built_in(&mut self) {
        let db = self.db;
        let world = World::get(db);
        let change = world.change(db);
        let mut touched = Vec::new();
        for file in &change.files {
            for (side, at) in [(Side::Before, &file.before), (Side::After, &file.after)] {
                let Some(at) = at else { continue };
                if is_rule_path(&at.path) {
                    touched.push((at.path.clone(), side));
                }
                if let Content::Unknown(reason) = &at.content {
                    self.unknowns.entry(format!("the content of {} ({reason})", at.path)).or_default();
                }
            }
        }
        let supposed = world.supposed(db);
        let supposed = supposed.iter().filter(|(key, _)| is_rule_path(&key.path));
        touched.extend(supposed.map(|(key, _)| (key.path.clone(), Side::After)));
        touched.dedup_by(|a, b| a.0 == b.0);
        let one_sided = world.book_before(db).is_some() != world.book_after(db).is_some();
        if !touched.is_empty() || one_sided {
            let shown: Vec<Evidence> = touched
                .iter()
                .take(SHOWN)
                .map(|(path, side)| Evidence::Changed {
                    part: PartRef { name: path.to_string(), path: path.to_string(), line: 0, side: *side },
                    how: vec!["bytes".to_owned()],
                    set: "rules, signers, owners".to_owned(),
                    proof: Vec::new(),
                })
                .collect();
            let because = match (world.book_before(db).is_some(), world.book_after(db).is_some()) {
                (false, true) => "The change that adds the first rules is agreed by people.",
                (true, false) => "The change that takes the rules away is agreed by people.",
                _ => "A change to rules, signers or owners is agreed by people.",
            };
            let mut derivation = built_in("rules_changed", because, shown);
            derivation.more_evidence = u32::try_from(touched.len().saturating_sub(SHOWN)).unwrap_or(u32::MAX);
            self.tiers.push((3, derivation.clone(), false));
            self.rules
                .insert(derivation.rule.clone(), (Outcome::Fires, BTreeSet::new(), Reasons::from_iter([derivation])));
        }
        for (book_side, book) in books(db) {
            for mistake in &mistakes(db, book).told {
                let mut derivation = built_in(
                    "broken_rule",
                    "A rule that cannot be read could have asked for anything.",
                    vec![Evidence::Missing { fact: mistake.fact.clone() }],
                );
                derivation.file = mistake.path.to_string();
                derivation.line = mistake.line;
                derivation.by_unknown = true;
                derivation.book = book_side;
                self.tiers.push((3, derivation.clone(), true));
                self.unknowns.entry(mistake.fact.clone()).or_default().push(derivation);
            }
        }
        self.broken_fingerprints();
        if let Some((path, why)) = &World::get(db).past(db).unread_codeowners {
            let because = "Owners that cannot be read could have been asked.";
            self.broken_file("broken_owners", because, path, format!("the owners in {path} ({why})"));
        }
    }

    /// A file without which it is not known what is asked for.
    fn broken_file(&mut self, rule: &str, because: &str, path: &str, fact: String) {
        let mut derivation = built_in(rule, because, vec![Evidence::Missing { fact: fact.clone() }]);
        path.clone_into(&mut derivation.file);
        derivation.by_unknown = true;
        self.tiers.push((3, derivation.clone(), true));
        self.unknowns.entry(fact).or_default().push(derivation);
    }

    /// What a fingerprint asks for is lost when it cannot be read, and the shipped one of its name may ask for less.
    fn broken_fingerprints(&mut self) {
        let unread = &World::get(self.db).past(self.db).unread_models;
        let mut facts: Vec<(&str, String)> = unread
            .iter()
            .take(MOST_FINGERPRINTS)
            .map(|(path, why)| (path.as_str(), format!("the fingerprint {path} ({why})")))
            .collect();
        if let Some((path, _)) = unread.iter().nth(MOST_FINGERPRINTS) {
            let more = unread.len() - MOST_FINGERPRINTS;
            facts.push((path, format!("{more} more fingerprints, from {path} on")));
        }
        for (path, fact) in facts {
            let because = "A fingerprint that cannot be read could have asked for anything.";
            self.broken_file("broken_fingerprint", because, path, fact);
        }
    }
}
