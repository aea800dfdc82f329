//! Sets that are told by looking at every file or part: paths, names, kinds.
//!
//! Each is a query that hangs on the nodes alone, shared by all rules that ask the same: an edited body runs none of them.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use grace_dsl::ast::MatchOn;
use grace_graph::code::{PartId, PartKind};
use grace_graph::graph::{FileNode, Nodes};
use grace_graph::test_names::is_test_name;

use crate::book::{Glob, regex_of};
use crate::db::{Db, Snapshot, snapshot};
use crate::found::Test;
use crate::plan::{Side, Truth};
use crate::sets::{Members, dotted_match, opaque_parts, own_name, stood_before};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Scan {
    /// Files by a glob over paths; whether case is ignored.
    Path(String, bool),
    /// A package with all below it.
    Package(String),
    /// A module by its dotted name.
    Module(String),
    /// Files that a tool wrote.
    Generated,
    /// Files of a language, by its name.
    Language(String),
    /// Test files.
    Tests,
    /// Class headers by a glob over dotted names.
    Class(String),
    /// Functions and methods by a glob over dotted names.
    Function(String),
    /// Parts by a glob over their decorators.
    Decorated(String),
    /// Parts by a glob over their own name; whether case is ignored.
    Named(String, bool),
    /// A regular expression on own names or paths.
    Matches(MatchOn, String),
    /// Public parts.
    Public,
    /// Class headers.
    Headers,
}

impl Scan {
    /// False where it is compared with the other side: what a change says of itself can only raise.
    pub(crate) fn hangs_on_nodes_alone(&self) -> bool {
        !matches!(self, Self::Generated | Self::Tests)
    }
}

/// The members of a scan on one side.
#[salsa::tracked(returns(clone))]
pub(crate) fn scan(db: &dyn Db, side: Snapshot, what: Scan) -> Arc<Kept> {
    let nodes = side.nodes(db);
    let found = match &what {
        Scan::Path(..) | Scan::Package(_) | Scan::Module(_) | Scan::Matches(MatchOn::Path, _) => {
            files(db, nodes, &what).map(|files| all_parts(nodes, &files))
        }
        Scan::Generated => Some(claimed(db, side, |file| file.is_generated, |_| false)),
        // Told by the name of a file, so of one that cannot be read, too.
        Scan::Language(name) => {
            let is_in = |file: &FileNode| file.language.is_some_and(|language| language.name() == name);
            Some(all_parts(
                nodes,
                &nodes.files().iter().map(is_in).enumerate().filter(|(_, is)| *is).map(|(at, _)| at).collect(),
            ))
        }
        Scan::Tests => Some(claimed(db, side, |file| file.is_test, is_test_name)),
        Scan::Class(pattern) => by_dotted(nodes, pattern, |kind| kind == PartKind::Class),
        Scan::Function(pattern) => {
            by_dotted(nodes, pattern, |kind| matches!(kind, PartKind::Function | PartKind::Method))
        }
        Scan::Decorated(pattern) => Glob::new(&pattern.replace('.', "/"), false)
            .map(|glob| by_meaning(nodes, |part| nodes.decorators(part).any(|name| dotted_match(&glob, name)))),
        Scan::Named(pattern, ignore_case) => {
            Glob::new(pattern, *ignore_case).map(|glob| by_meaning(nodes, |part| glob.is_match(own_name(nodes, part))))
        }
        Scan::Matches(MatchOn::Name, pattern) => {
            regex_of(pattern).ok().map(|regex| by_meaning(nodes, |part| regex.is_match(own_name(nodes, part))))
        }
        Scan::Public => Some(by_meaning(nodes, |part| nodes.part(part).is_public)),
        Scan::Headers => Some(by_meaning(nodes, |part| nodes.part(part).kind == PartKind::Class)),
    };
    // A pattern that does not compile could match anything.
    Arc::new(Kept::of(&found.unwrap_or_else(|| Members::unknown(nodes.len()))))
}

/// The files that a scan by paths and module names finds; `None` for a pattern that does not compile.
fn files(db: &dyn Db, nodes: &Arc<Nodes>, what: &Scan) -> Option<Arc<FixedBitSet>> {
    db.found().files(what, nodes, || -> Option<Test<'_>> {
        Some(match what {
            Scan::Path(pattern, ignore_case) => {
                let glob = Glob::new(pattern, *ignore_case)?;
                Box::new(move |path, _| glob.is_match(path))
            }
            Scan::Package(name) => {
                let dotted = format!("{name}.");
                let directory = format!("{}/", name.replace('.', "/"));
                let below_src = format!("src/{directory}");
                Box::new(move |path, module| match module {
                    Some(module) => module == name || module.starts_with(&dotted),
                    None => path.starts_with(&directory) || path.starts_with(&below_src),
                })
            }
            Scan::Module(name) => Box::new(move |_, module| module == Some(name)),
            Scan::Matches(MatchOn::Path, pattern) => {
                let regex = regex_of(pattern).ok()?;
                Box::new(move |path, _| regex.is_match(path))
            }
            // Not by file.
            _ => return None,
        })
    })
}

/// Every part of some files; certain for unreadable files too.
fn all_parts(nodes: &Nodes, files: &FixedBitSet) -> Members {
    let mut members = Members::none(nodes.len());
    for file in files.ones().filter_map(|at| nodes.files().get(at)) {
        let range = file.parts.start as usize..file.parts.end as usize;
        members.certain.insert_range(range.clone());
        members.possible.insert_range(range);
    }
    members
}

/// Every part that meets a test; what cannot be read possibly does.
fn by_meaning(nodes: &Nodes, test: impl Fn(PartId) -> bool) -> Members {
    let mut members = Members::none(nodes.len());
    nodes.part_ids().filter(|part| test(*part)).for_each(|part| members.insert(part));
    for part in opaque_parts(nodes) {
        members.possible.insert(part.0 as usize);
    }
    members
}

/// Every part of the files of which something holds that the files say of themselves. What a change says of itself can
/// only raise: after it, such a file is certainly meant only if it was so before, or where its `name` alone decides.
fn claimed(db: &dyn Db, side: Snapshot, holds: impl Fn(&FileNode) -> bool, name: impl Fn(&str) -> bool) -> Members {
    let nodes = side.nodes(db);
    let mut members = by_meaning(nodes, |part| holds(nodes.file(nodes.part(part).file)));
    if side != snapshot(db, Side::After) {
        return members;
    }
    for id in nodes.file_ids() {
        let file = nodes.file(id);
        if holds(file) && !name(&file.path) && !stood_before(db, &file.path, &holds) {
            nodes.parts_of(id).for_each(|part| members.certain.set(part.0 as usize, false));
        }
    }
    members
}

fn by_dotted(nodes: &Nodes, pattern: &str, kind: impl Fn(PartKind) -> bool) -> Option<Members> {
    let glob = Glob::new(&pattern.replace('.', "/"), false)?;
    Some(by_meaning(nodes, |part| kind(nodes.part(part).kind) && dotted_match(&glob, &nodes.qualified_name(part))))
}

/// Members as they are kept between questions: small where they are few, or stand side by side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    certain: Packed,
    /// Possible and not certain.
    perhaps: Packed,
}

impl Kept {
    pub(crate) fn of(members: &Members) -> Self {
        let mut perhaps = members.possible.clone();
        perhaps.difference_with(&members.certain);
        Self { certain: Packed::of(&members.certain), perhaps: Packed::of(&perhaps) }
    }

    /// Yes, no, or unknown for one part.
    pub(crate) fn holds(&self, part: PartId) -> Truth {
        if self.certain.contains(part.0) {
            Truth::Yes
        } else if self.perhaps.contains(part.0) {
            Truth::Unknown
        } else {
            Truth::No
        }
    }

    /// True where not even a possible member is there.
    pub(crate) fn is_clear(&self) -> bool {
        self.certain.is_clear() && self.perhaps.is_clear()
    }

    /// As bits, for a graph of so many parts.
    pub(crate) fn members(&self, len: usize) -> Members {
        let mut members = Members::none(len);
        self.certain.add_to(&mut members.certain);
        members.possible.clone_from(&members.certain);
        self.perhaps.add_to(&mut members.possible);
        members
    }
}

/// A set of numbers, in whichever form takes less room.
#[derive(Debug, PartialEq, Eq)]
enum Packed {
    /// First and one past the last of each run.
    Runs(Box<[(u32, u32)]>),
    Bits(FixedBitSet),
}

impl Packed {
    fn of(bits: &FixedBitSet) -> Self {
        let most = bits.len() / 64;
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let mut end = 0;
        loop {
            let start = next(bits, end, true);
            if start == bits.len() {
                break;
            }
            if runs.len() >= most {
                return Self::Bits(bits.clone());
            }
            end = next(bits, start, false);
            runs.push((start as u32, end as u32));
        }
        Self::Runs(runs.into())
    }

    fn contains(&self, index: u32) -> bool {
        match self {
            Self::Runs(runs) => {
                let after = runs.partition_point(|(start, _)| *start <= index);
                after.checked_sub(1).is_some_and(|at| index < runs[at].1)
            }
            Self::Bits(bits) => bits.contains(index as usize),
        }
    }

    fn is_clear(&self) -> bool {
        match self {
            Self::Runs(runs) => runs.is_empty(),
            Self::Bits(bits) => bits.is_clear(),
        }
    }

    fn add_to(&self, to: &mut FixedBitSet) {
        match self {
            Self::Runs(runs) => runs.iter().for_each(|(start, end)| to.insert_range(*start as usize..*end as usize)),
            Self::Bits(bits) => to.union_with(bits),
        }
    }
}

/// The first place from one on where a bit is set, or is not; the length where there is none.
fn next(bits: &FixedBitSet, from: usize, set: bool) -> usize {
    const WIDTH: usize = usize::BITS as usize;
    let blocks = bits.as_slice();
    let sought = |block: &usize| if set { *block } else { !*block };
    let mut at = from / WIDTH;
    let mut block = blocks.get(at).map_or(0, |block| sought(block) & usize::MAX << (from % WIDTH));
    while block == 0 {
        at += 1;
        match blocks.get(at) {
            Some(next) => block = sought(next),
            None => return bits.len(),
        }
    }
    (at * WIDTH + block.trailing_zeros() as usize).min(bits.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_what_was_given(
            len in 1usize..400,
            runs in proptest::collection::vec((0usize..400, 0usize..40, any::<bool>()), 0..12),
        ) {
            let mut members = Members::none(len);
            for (start, long, certain) in runs {
                for index in start.min(len)..(start + long).min(len) {
                    members.possible.insert(index);
                    members.certain.set(index, certain);
                }
            }
            let kept = Kept::of(&members);
            prop_assert_eq!(&kept.members(len), &members);
            prop_assert_eq!(kept.is_clear(), members.possible.is_clear());
            for index in 0..len as u32 {
                prop_assert_eq!(kept.holds(PartId(index)), members.holds(PartId(index)));
            }
        }
    }
}
