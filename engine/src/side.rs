//! One side of the change as the engine keeps it between questions: the graph of its tree, repaired as files are edited.
//!
//! Below salsa, like the store of facts: a graph is a pure function of the tree's contents, however it came about
//! (`tests/all/incremental.rs` compares).

use std::ops::Add;
use std::sync::Arc;

use grace_graph::code::FileId;
use grace_graph::facts::Language;
use grace_graph::graph::{Chunks, CodeGraph, GraphFile, Label, Repair};
use grace_graph::store::FactStore;

use crate::input::{Tree, TreeContent, TreeFile};

/// Edits above so many are not tried one by one: building anew is as quick.
const MOST_REPAIRS: usize = 64;
/// A graph that was repaired in more files than this after it was recalled is remembered anew, so that the next run need
/// not do it again.
const MOST_REPEATED: usize = 8;

/// The places of the two sides among the graphs that are remembered.
pub(crate) const BEFORE: usize = 0;
pub(crate) const AFTER: usize = 1;

/// The content of each file of a side.
#[derive(Clone, Default)]
pub(crate) struct Contents(Arc<Chunks<TreeContent>>);

impl Contents {
    fn of(tree: &Tree) -> Self {
        Self(Arc::new(tree.files.iter().map(|file| file.content.clone()).collect()))
    }

    /// The content of a file of the same side's graph.
    pub(crate) fn get(&self, file: FileId) -> Option<&TreeContent> {
        self.0.get(file.0 as usize)
    }

    fn set(&mut self, file: FileId, content: TreeContent) {
        let mut contents = Chunks::clone(&self.0);
        contents.set(file.0 as usize, content);
        self.0 = Arc::new(contents);
    }
}

/// How often graphs were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GraphWork {
    /// Built from all files.
    pub built: usize,
    /// Files that were linked again, each alone.
    pub repaired: usize,
    /// Taken from what an earlier run remembered.
    pub recalled: usize,
}

impl Add for GraphWork {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            built: self.built + other.built,
            repaired: self.repaired + other.repaired,
            recalled: self.recalled + other.recalled,
        }
    }
}

/// The tree of a side, with its graph.
#[derive(Clone)]
pub(crate) struct SideState {
    graph: Arc<CodeGraph>,
    contents: Contents,
    work: GraphWork,
}

impl Default for SideState {
    fn default() -> Self {
        Self {
            graph: Arc::new(CodeGraph::build(Vec::new())),
            contents: Contents::default(),
            work: GraphWork::default(),
        }
    }
}

impl SideState {
    pub(crate) fn graph(&self) -> &Arc<CodeGraph> {
        &self.graph
    }

    pub(crate) fn contents(&self) -> &Contents {
        &self.contents
    }

    pub(crate) fn work(&self) -> GraphWork {
        self.work
    }

    /// Whether it is this very tree.
    pub(crate) fn is(&self, tree: &Tree) -> bool {
        self.differing(tree).is_some_and(|differing| differing.is_empty())
    }

    /// Becomes this tree: by repair where little differs from the tree as it was, from another side, or from a graph that
    /// an earlier run remembered; by edits that no other file sees first, and of what differs least. `number` is its place
    /// among those that are remembered.
    pub(crate) fn set(&mut self, store: &Arc<FactStore>, tree: &Tree, other: Option<&Self>, number: usize) {
        let mut starts: Vec<(Self, Vec<&TreeFile>)> = Vec::new();
        let mine = self.differing(tree).map(|differing| (self.clone(), differing));
        let others = usize::from(mine.is_some());
        starts.extend(mine);
        if let Some(other) = other
            && let Some(differing) = other.differing(tree)
        {
            starts.push((Self { work: self.work, ..other.clone() }, differing));
        }
        let is_near = others > 0 || starts.first().is_some_and(|(_, differing)| differing.len() <= 1);
        if is_near && self.start_from(&starts, store, Repair::Bodies).is_some() {
            return;
        }
        let labels: Vec<Label> = tree.files.iter().map(|file| label(&file.content)).collect();
        let files: Vec<(&str, Label)> = tree.files.iter().map(|file| &*file.path).zip(labels.iter().copied()).collect();
        if let Some(recall) = CodeGraph::recall(store, &files, MOST_REPAIRS, number)
            && let Some(graph) = recall.graph()
        {
            let work = GraphWork { recalled: self.work.recalled + 1, ..self.work };
            let differing = recall.differing().iter().filter_map(|file| tree.files.get(file.0 as usize)).collect();
            starts.push((Self { graph: Arc::new(graph), contents: Contents::of(tree), work }, differing));
            starts[others..].sort_by_key(|(_, differing)| differing.len());
        }
        match self.start_from(&starts, store, Repair::Bodies) {
            Some(edited) if edited <= MOST_REPEATED => return,
            Some(_) => {}
            None if self.start_from(&starts, store, Repair::Any).is_some() => {}
            None => {
                let files = tree.files.iter().map(|file| graph_file(store, file)).collect();
                self.graph = Arc::new(CodeGraph::build(files));
                self.work.built += 1;
                self.contents = Contents::of(tree);
            }
        }
        store.learn_graph(number, &self.graph, labels);
    }

    /// Becomes what the first of these states that can be repaired is with its files edited: how many those are. `None`
    /// where that takes building anew: nothing is done then.
    fn start_from(&mut self, starts: &[(Self, Vec<&TreeFile>)], store: &FactStore, how: Repair) -> Option<usize> {
        starts.iter().find_map(|(start, differing)| {
            let mut side = start.clone();
            side.edit_all(store, differing, how).then(|| {
                *self = side;
                differing.len()
            })
        })
    }

    /// Gives some files other contents. False where one of them is not there: nothing is done then.
    pub(crate) fn edit(&mut self, store: &FactStore, files: &[TreeFile]) -> bool {
        if files.iter().any(|file| self.graph.file_by_path(&file.path).is_none()) {
            return false;
        }
        let files: Vec<&TreeFile> = files.iter().collect();
        if !self.edit_all(store, &files, Repair::Any) {
            self.rebuild(store, &files);
        }
        true
    }

    /// The files of a tree whose content is another one here; `None` where the trees have not the same files.
    fn differing<'t>(&self, tree: &'t Tree) -> Option<Vec<&'t TreeFile>> {
        let files = self.graph.files();
        if files.len() != tree.files.len() {
            return None;
        }
        let mut differing = Vec::new();
        for (id, (known, file)) in self.graph.file_ids().zip(files.iter().zip(&tree.files)) {
            if known.path != file.path {
                return None;
            }
            if self.contents.get(id) != Some(&file.content) {
                differing.push(file);
            }
        }
        Some(differing)
    }

    /// Repairs the graph file by file. False where it has to be built anew: nothing is done then.
    fn edit_all(&mut self, store: &FactStore, files: &[&TreeFile], how: Repair) -> bool {
        if files.len() > MOST_REPAIRS {
            return false;
        }
        let (mut graph, mut contents, mut repaired) = (Arc::clone(&self.graph), self.contents.clone(), 0);
        for file in files {
            let Some(id) = graph.file_by_path(&file.path) else { return false };
            let file_now = graph_file(store, file);
            // An equal outline leaves the graph as it is, to the pointer.
            if file_now.is_as_in(&graph, id) {
                contents.set(id, file.content.clone());
                continue;
            }
            let Some(next) = graph.repaired(&file_now, how) else { return false };
            graph = Arc::new(next);
            contents.set(id, file.content.clone());
            repaired += 1;
        }
        self.graph = graph;
        self.contents = contents;
        self.work.repaired += repaired;
        true
    }

    /// Builds the graph from what it holds, with some files as they are now.
    fn rebuild(&mut self, store: &FactStore, files: &[&TreeFile]) {
        let mut contents = self.contents.clone();
        for file in files {
            if let Some(id) = self.graph.file_by_path(&file.path) {
                contents.set(id, file.content.clone());
            }
        }
        let mut all = self.graph.as_files();
        for file in files {
            if let Some(id) = self.graph.file_by_path(&file.path) {
                all[id.0 as usize] = graph_file(store, file);
            }
        }
        self.graph = Arc::new(CodeGraph::build(all));
        self.contents = contents;
        self.work.built += 1;
    }
}

/// What tells contents apart; of code it is the content's own id.
fn label(content: &TreeContent) -> Label {
    match content {
        TreeContent::Code(id) => id.0,
        TreeContent::Other => Label::default(),
        TreeContent::Opaque(why) => *blake3::hash(why.as_bytes()).as_bytes(),
    }
}

/// A file as a graph is built from it. Content that the store does not hold could not be read.
fn graph_file(store: &FactStore, file: &TreeFile) -> GraphFile {
    let language = Language::of_path(&file.path);
    let facts = match (&file.content, Language::reader_of(&file.path)) {
        (TreeContent::Code(id), Some(language)) => store.get(*id, language),
        _ => None,
    };
    match (&file.content, facts) {
        // A manifest that cannot be read is a plain file all the same.
        (_, None) if language.is_none() => GraphFile::new(Arc::clone(&file.path), None),
        (TreeContent::Other, _) => GraphFile::new(Arc::clone(&file.path), None),
        (_, Some(facts)) => GraphFile::new(Arc::clone(&file.path), Some(&facts)),
        (_, None) => GraphFile {
            path: Arc::clone(&file.path),
            language,
            outline: None,
            opaque: Some(grace_graph::facts::ProblemKind::Unreadable),
            has_problems: true,
        },
    }
}
