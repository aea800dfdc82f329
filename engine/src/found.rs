//! Files that are found by their paths and module names, as they are kept between trees.
//!
//! A tree mostly has the files of the tree before it, and whether a file is found hangs on its own names alone. So what was
//! found is remembered with the files it was found among, and only files that came are looked at. Below salsa: what is
//! remembered is what would be found.

use std::cell::LazyCell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fixedbitset::FixedBitSet;
use grace_graph::graph::{FileNode, Nodes};

use crate::scan::Scan;

/// Scans that are remembered: with more, rules were edited many times over, and all are asked anew.
const MOST_SCANS: usize = 4_096;
/// Trees whose files are remembered: both sides of a change, and those of the change before.
const MOST_TREES: usize = 4;

/// The names of the files of a tree: their paths, and the modules of those that are code.
type Names = Vec<(Arc<str>, Option<Arc<str>>)>;

/// By file of a tree: its place among the files of another.
type Places = Arc<Vec<Option<u32>>>;

fn names(file: &FileNode) -> (Arc<str>, Option<Arc<str>>) {
    (Arc::clone(&file.path), file.language.map(|_| Arc::clone(&file.module)))
}

/// What each scan found when it was last asked for.
#[derive(Default)]
pub(crate) struct FoundFiles(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The trees that were asked about last, the last one in front.
    trees: VecDeque<Tree>,
    found: HashMap<Scan, Found>,
}

struct Tree {
    nodes: Weak<Nodes>,
    names: Arc<Names>,
    /// The last names that were compared with these, and where these are among those.
    places: Option<(Arc<Names>, Places)>,
}

struct Found {
    among: Arc<Names>,
    files: Arc<FixedBitSet>,
}

/// Whether a file is found, by its path and the module that it is.
pub(crate) type Test<'t> = Box<dyn Fn(&str, Option<&str>) -> bool + 't>;

impl FoundFiles {
    /// The files of a tree that a scan finds. `test` makes what tells it of a file; `None` where nothing can.
    pub(crate) fn files<'t>(
        &self,
        scan: &Scan,
        nodes: &Arc<Nodes>,
        test: impl FnOnce() -> Option<Test<'t>>,
    ) -> Option<Arc<FixedBitSet>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.go_to(nodes);
        let Known { trees, found: all } = &mut *known;
        let tree = trees.front_mut()?;
        let test = LazyCell::new(test);
        let files = match all.get(scan) {
            Some(known) if Arc::ptr_eq(&known.among, &tree.names) => return Some(Arc::clone(&known.files)),
            Some(known) => {
                let places = tree.places_in(&known.among);
                let known = |at: usize| Some(known.files.contains((*places.get(at)?)? as usize));
                found(&tree.names, known, |path, module| test.as_ref().is_some_and(|test| test(path, module)))
            }
            None => found(&tree.names, |_| None, (*test).as_ref()?),
        };
        let files = Arc::new(files);
        if all.len() >= MOST_SCANS {
            all.clear();
        }
        all.insert(scan.clone(), Found { among: Arc::clone(&tree.names), files: Arc::clone(&files) });
        Some(files)
    }
}

impl Known {
    /// Makes a tree the first one.
    fn go_to(&mut self, nodes: &Arc<Nodes>) {
        let there = self.trees.iter().position(|tree| std::ptr::eq(tree.nodes.as_ptr(), &**nodes));
        if let Some(tree) = there.and_then(|at| self.trees.remove(at)) {
            self.trees.push_front(tree);
            return;
        }
        let is_like = |tree: &&Tree| {
            let files = nodes.files();
            files.len() == tree.names.len() && files.iter().zip(&*tree.names).all(|(file, known)| names(file) == *known)
        };
        let names = match self.trees.iter().find(is_like) {
            Some(tree) => Arc::clone(&tree.names),
            None => Arc::new(nodes.files().iter().map(names).collect()),
        };
        self.trees.push_front(Tree { nodes: Arc::downgrade(nodes), names, places: None });
        if self.trees.len() > MOST_TREES {
            self.trees.truncate(MOST_TREES);
            // What nobody asked for since is of rules that are no more.
            let trees = &self.trees;
            self.found.retain(|_, found| trees.iter().any(|tree| Arc::ptr_eq(&tree.names, &found.among)));
        }
    }
}

impl Tree {
    fn places_in(&mut self, others: &Arc<Names>) -> Places {
        if let Some((_, places)) = self.places.as_ref().filter(|(among, _)| Arc::ptr_eq(among, others)) {
            return Arc::clone(places);
        }
        // Both are sorted by path.
        let mut rest = (0..).zip(&**others).peekable();
        let place = |names: &(Arc<str>, Option<Arc<str>>)| {
            while rest.next_if(|(_, other)| other.0 < names.0).is_some() {}
            rest.next_if(|(_, other)| other.0 == names.0).filter(|(_, other)| other.1 == names.1).map(|(at, _)| at)
        };
        let places: Places = Arc::new(self.names.iter().map(place).collect());
        self.places = Some((Arc::clone(others), Arc::clone(&places)));
        places
    }
}

/// The files that are found: what is known of one by its place, else what the test says.
fn found(
    names: &Names,
    known: impl Fn(usize) -> Option<bool>,
    test: impl Fn(&str, Option<&str>) -> bool,
) -> FixedBitSet {
    let mut found = FixedBitSet::with_capacity(names.len());
    for (at, (path, module)) in names.iter().enumerate() {
        found.set(at, known(at).unwrap_or_else(|| test(path, module.as_deref())));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use grace_graph::extract::extract;
    use grace_graph::facts::Language;
    use grace_graph::graph::{CodeGraph, GraphFile};

    use super::*;

    fn tree(paths: &[&str]) -> Arc<Nodes> {
        let facts = extract(Language::Python, b"x = 1\n");
        let file = |path: &&str| GraphFile::new((*path).into(), path.ends_with(".py").then_some(&facts));
        Arc::clone(CodeGraph::build(paths.iter().map(file).collect()).nodes())
    }

    #[test]
    fn only_files_that_came_are_looked_at() {
        let known = FoundFiles::default();
        let looked = Cell::new(0);
        let scan = Scan::Path("a*".to_owned(), false);
        let ask = |nodes: &Arc<Nodes>| {
            looked.set(0);
            let test = |path: &str, module: Option<&str>| {
                looked.set(looked.get() + 1);
                path.starts_with('a') && module.is_none_or(|module| module != "a.c")
            };
            let found = known.files(&scan, nodes, || Some(Box::new(test))).unwrap();
            let found: Vec<String> = found.ones().map(|at| nodes.files()[at].path.to_string()).collect();
            (found.join(" "), looked.get())
        };
        let first = tree(&["a.py", "a/b.txt", "c.py", "d.py"]);
        assert_eq!(ask(&first), ("a.py a/b.txt".to_owned(), 4));
        assert_eq!(ask(&first), ("a.py a/b.txt".to_owned(), 0));
        // As it was, under other nodes.
        assert_eq!(ask(&tree(&["a.py", "a/b.txt", "c.py", "d.py"])), ("a.py a/b.txt".to_owned(), 0));
        let second = tree(&["a/a.py", "a/b.txt", "a/c.py", "d.py"]);
        assert_eq!(ask(&second), ("a/a.py a/b.txt".to_owned(), 2));
        assert_eq!(ask(&first), ("a.py a/b.txt".to_owned(), 2));
        for number in 0..8 {
            let name = format!("a{number}.py");
            assert_eq!(ask(&tree(&["a.py", &name])).0, format!("a.py {name}"));
        }
        assert!(known.files(&Scan::Module(String::new()), &first, || None).is_none());
        for number in 0..=MOST_SCANS {
            known.files(&Scan::Path(number.to_string(), false), &first, || Some(Box::new(|_, _| true)));
        }
        assert!(known.0.lock().unwrap().found.len() <= MOST_SCANS);
    }
}
