//! Which packages a change brings, drops or moves to another version, read from lock files.
//!
//! Knows a closed list of files, see [`reader_of`]. It reads what a file pins, never what a registry offers, and claims a kind
//! only where both versions say it: everything else is [`PackageChangeKind::Unknown`].

mod readers;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::change::{Change, Content, FileSide};
use readers::Reader;

/// Larger lock files are not read; their packages are unknown.
const MAX_BYTES: usize = 32 << 20;

/// Whose packages they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ecosystem {
    /// Python.
    Pypi,
    /// Rust.
    Cargo,
    /// JavaScript.
    Npm,
    /// Go.
    Go,
}

/// How far a package moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageChangeKind {
    /// The leftmost number that is not zero on both sides grew: `1.9` → `2.0`, and `0.4` → `0.5`, since a version `0.x` promises nothing.
    Major,
    /// The number after that grew.
    Minor,
    /// A later number grew, or a pre-release became the release.
    Patch,
    /// Not there before.
    New,
    /// Not there after.
    Removed,
    /// An older version.
    Downgrade,
    /// The versions do not compare, the version stayed but its source or digest did not, or the file cannot be read.
    Unknown,
}

/// One package that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageChange {
    /// The lock file, on the after side where it has one.
    pub path: Arc<str>,
    /// The package's name, normalised as its ecosystem compares names; empty when the file as a whole cannot be read.
    pub name: Arc<str>,
    /// Whose it is.
    pub ecosystem: Ecosystem,
    /// The version before.
    pub before: Option<Arc<str>>,
    /// The version after.
    pub after: Option<Arc<str>>,
    /// How far it moved.
    pub kind: PackageChangeKind,
    /// Line (1-based) in the after text, in the before text for [`PackageChangeKind::Removed`]; 1 where none is known.
    pub line: u32,
}

/// One pinned version of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Pin {
    line: u32,
    /// Where it comes from; empty for the ecosystem's own registry where the file does not say.
    source: String,
    /// Digests by what they are of (a file's name, or nothing where there is one for all).
    digests: BTreeMap<String, String>,
}

/// What a lock file pins: by name, by version, in the file's order.
#[derive(Debug, Default)]
struct Pins(BTreeMap<String, BTreeMap<String, Vec<Pin>>>);

impl Pins {
    fn add(&mut self, name: String, version: String, pin: Pin) {
        self.0.entry(name).or_default().entry(version).or_default().push(pin);
    }
}

/// The package changes in the lock files of a change; sorted by file and name.
///
/// A lock file with an unreadable side, and one that is only asserted to have changed, gives one change of kind
/// [`PackageChangeKind::Unknown`] without a name.
#[must_use]
pub fn package_changes(change: &Change) -> Vec<PackageChange> {
    let mut found = Vec::new();
    for file in &change.files {
        let reader = |side: &Option<FileSide>| side.as_ref().and_then(|side| readers::reader_of(&side.path));
        let (before, after) = (reader(&file.before), reader(&file.after));
        let Some(either) = after.or(before) else { continue };
        let Some(path) =
            file.after.as_ref().filter(|_| after.is_some()).or(file.before.as_ref()).map(|side| side.path.clone())
        else {
            continue;
        };
        let unknown = |found: &mut Vec<PackageChange>| {
            found.push(PackageChange {
                path: path.clone(),
                name: "".into(),
                ecosystem: either.ecosystem(),
                before: None,
                after: None,
                kind: PackageChangeKind::Unknown,
                line: 1,
            });
        };
        if before.is_some_and(|before| before.ecosystem() != either.ecosystem()) || file.asserted {
            unknown(&mut found);
            continue;
        }
        match (pins(before, file.before.as_ref()), pins(after, file.after.as_ref())) {
            (Some(before), Some(after)) => compare(&path, either.ecosystem(), &before, &after, &mut found),
            _ => unknown(&mut found),
        }
    }
    found.sort();
    found.dedup();
    found
}

/// `None` when the side cannot be read.
fn pins(reader: Option<Reader>, side: Option<&FileSide>) -> Option<Pins> {
    match (reader, side) {
        (None, _) | (_, None) => Some(Pins::default()),
        (Some(reader), Some(side)) => match &side.content {
            Content::Text(text) if text.len() <= MAX_BYTES => reader.read(text),
            _ => None,
        },
    }
}

fn compare(path: &Arc<str>, ecosystem: Ecosystem, before: &Pins, after: &Pins, found: &mut Vec<PackageChange>) {
    let empty = BTreeMap::new();
    let names: BTreeSet<&String> = before.0.keys().chain(after.0.keys()).collect();
    for name in names {
        let (old, new) = (before.0.get(name).unwrap_or(&empty), after.0.get(name).unwrap_or(&empty));
        let mut push = |before: Option<&str>, after: Option<&str>, kind: PackageChangeKind| {
            let pins = match after {
                Some(after) => new.get(after),
                None => before.and_then(|before| old.get(before)),
            };
            found.push(PackageChange {
                path: path.clone(),
                name: name.as_str().into(),
                ecosystem,
                before: before.map(Arc::from),
                after: after.map(Arc::from),
                kind,
                line: pins.and_then(|pins| pins.first()).map_or(1, |pin| pin.line.max(1)),
            });
        };
        for (version, pins) in old {
            if new.get(version).is_some_and(|others| !same_content(pins, others)) {
                push(Some(version), Some(version), PackageChangeKind::Unknown);
            }
        }
        let gone = sorted(old.keys().filter(|version| !new.contains_key(*version)));
        let come = sorted(new.keys().filter(|version| !old.contains_key(*version)));
        let stayed = sorted(old.keys().filter(|version| new.contains_key(*version)));
        let moved = |from: &str, to: &str| {
            let sources = |pins: Option<&Vec<Pin>>| -> BTreeSet<String> {
                pins.into_iter().flatten().map(|pin| pin.source.clone()).collect()
            };
            if sources(old.get(from)) == sources(new.get(to)) {
                version::kind(from, to)
            } else {
                PackageChangeKind::Unknown
            }
        };
        // The highest of both sides belong together; what is left over joined or left a version that stayed.
        let pairs = gone.len().min(come.len());
        for (from, to) in gone[gone.len() - pairs..].iter().zip(&come[come.len() - pairs..]) {
            push(Some(from), Some(to), moved(from, to));
        }
        for to in &come[..come.len() - pairs] {
            match stayed.last().or(gone.last()) {
                Some(from) => push(Some(from), Some(to), moved(from, to)),
                None => push(None, Some(to), PackageChangeKind::New),
            }
        }
        for from in &gone[..gone.len() - pairs] {
            match stayed.last().or(come.last()) {
                // Whoever used the version that is gone now uses one that stayed.
                Some(to) => push(Some(from), Some(to), moved(from, to)),
                None => push(Some(from), None, PackageChangeKind::Removed),
            }
        }
    }
}

fn sorted<'a>(versions: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut versions: Vec<&str> = versions.map(String::as_str).collect();
    versions.sort_by(|left, right| version::order(left, right));
    versions
}

/// The same version still stands for the same content: one source, and no digest that both sides give differs.
fn same_content(before: &[Pin], after: &[Pin]) -> bool {
    let sources = |pins: &[Pin]| -> BTreeSet<String> { pins.iter().map(|pin| pin.source.clone()).collect() };
    let digests = |pins: &[Pin]| -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (of, digest) in pins.iter().flat_map(|pin| &pin.digests) {
            all.entry(of.clone()).or_default().insert(digest.clone());
        }
        all
    };
    let (old, new) = (digests(before), digests(after));
    sources(before) == sources(after)
        && (old.is_empty() || !new.is_empty())
        && old.iter().all(|(of, digest)| new.get(of).is_none_or(|other| other == digest))
}

#[cfg(test)]
mod tests;
