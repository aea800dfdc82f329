//! One side of the change as the engine keeps it between questions: the graph of its tree, repaired as files are edited.
//!
//! Below salsa, like the store of facts: a graph is a pure function of the tree's contents, however it came about
//! (`tests/all/incremental.rs` compares).

use std::ops::Add;
use std::sync::Arc;

use grace_graph::code::FileId;
use grace_graph::facts::Language;
use grace_graph::graph::{Anew, Chunks, CodeGraph, GraphFile, Label, Repair};
use grace_graph::store::FactStore;

use crate::input::{Tree, TreeContent, TreeFile};

/// Above so many files that differ, and where one of so many does, building anew is as quick as repairing.
const MOST_REPAIRS: usize = 64;
const FILES_A_REPAIRED_ONE: usize = 4;
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
    /// Why it was built from all files, where it was.
    anew: Option<Anew>,
}

impl Default for SideState {
    fn default() -> Self {
        Self {
            graph: Arc::new(CodeGraph::build(Vec::new())),
            contents: Contents::default(),
            work: GraphWork::default(),
            anew: None,
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

    /// Why the graph was built from all files, where it was.
    pub(crate) fn anew(&self) -> Option<Anew> {
        self.anew
    }

    /// As it is, with the work that was done for another one.
    pub(crate) fn instead_of(&self, other: &Self) -> Self {
        Self { work: other.work, ..self.clone() }
    }

    /// Whether it is this very tree.
    pub(crate) fn is(&self, tree: &Tree) -> bool {
        self.differing(tree).is_some_and(|differing| differing.len() == 0)
    }

    /// Becomes this tree: by repair where little differs from the tree as it was, from another side, or from a graph that
    /// an earlier run remembered; by edits that no other file sees first, and of what differs least. `number` is its place
    /// among those that are remembered. Where it `goes_on`, more trees are to come: what serves the repairs of these is made.
    pub(crate) fn set(
        &mut self,
        store: &Arc<FactStore>,
        tree: &Tree,
        other: Option<&Self>,
        number: usize,
        goes_on: bool,
    ) {
        let mut starts: Vec<(Self, Difference<'_>)> = Vec::new();
        starts.extend(self.differing(tree).map(|differing| (self.clone(), differing)));
        let is_known = !starts.is_empty();
        if let Some(other) = other
            && let Some(differing) = other.differing(tree)
        {
            starts.push((Self { work: self.work, ..other.clone() }, differing));
        }
        starts.sort_by_key(|(_, differing)| differing.len());
        let is_near = is_known || starts.first().is_some_and(|(_, differing)| differing.len() <= 1);
        self.anew = None;
        if is_near && self.start_from(&starts, store, tree, Repair::Bodies).is_ok() {
            return;
        }
        let labels: Vec<Label> = tree.files.iter().map(|file| label(&file.content)).collect();
        let files: Vec<(&str, Label)> = tree.files.iter().map(|file| &*file.path).zip(labels.iter().copied()).collect();
        if let Some(recall) = CodeGraph::recall(store, &files, MOST_REPAIRS, number)
            && let Some(graph) = recall.graph()
        {
            let work = GraphWork { recalled: self.work.recalled + 1, ..self.work };
            let edited = recall.differing().iter().filter_map(|file| tree.files.get(file.0 as usize)).collect();
            let start = Self { graph: Arc::new(graph), contents: Contents::of(tree), work, anew: None };
            starts.push((start, Difference { edited, gone: Vec::new() }));
            starts.sort_by_key(|(_, differing)| differing.len());
        }
        match self.start_from(&starts, store, tree, Repair::Bodies) {
            Ok(edited) if edited <= MOST_REPEATED => return,
            Ok(_) => {}
            // What names do not tell of the nearest they do not tell of the others.
            Err(_) => {
                starts.truncate(1);
                if goes_on {
                    starts.iter_mut().for_each(|(start, _)| start.graph = Arc::new(start.graph.traced()));
                }
                if let Err(anew) = self.start_from(&starts, store, tree, Repair::Any) {
                    let files = tree.files.iter().map(|file| graph_file(store, file)).collect();
                    self.graph = Arc::new(CodeGraph::build(files));
                    self.work.built += 1;
                    self.anew = Some(anew);
                    self.contents = Contents::of(tree);
                }
            }
        }
        store.learn_graph(number, &self.graph, labels);
    }

    /// Becomes what the first of these states that can be repaired is with its files edited: how many those are. Why that
    /// takes building anew, where it does: nothing is done then.
    fn start_from(
        &mut self,
        starts: &[(Self, Difference<'_>)],
        store: &FactStore,
        tree: &Tree,
        how: Repair,
    ) -> Result<usize, Anew> {
        let mut anew = Anew::Far;
        for (start, differing) in starts {
            let mut side = Self { anew: None, ..start.clone() };
            match side.repair(store, &differing.edited, &differing.gone, how) {
                Ok(()) => {
                    if side.graph.files().len() != start.graph.files().len() || !differing.gone.is_empty() {
                        side.contents = Contents::of(tree);
                    }
                    *self = side;
                    return Ok(differing.len());
                }
                Err(why) => anew = why,
            }
        }
        Err(anew)
    }

    /// Gives some files other contents. False where one of them is not there: nothing is done then.
    pub(crate) fn edit(&mut self, store: &FactStore, files: &[TreeFile]) -> bool {
        if files.iter().any(|file| self.graph.file_by_path(&file.path).is_none()) {
            return false;
        }
        let files: Vec<&TreeFile> = files.iter().collect();
        if self.repair(store, &files, &[], Repair::Bodies).is_ok() {
            return true;
        }
        // Another edit is to come.
        self.graph = Arc::new(self.graph.traced());
        if self.repair(store, &files, &[], Repair::Any).is_err() {
            self.rebuild(store, &files);
        }
        true
    }

    /// What of a tree is otherwise here; `None` where it is very much, and before there is anything.
    fn differing<'t>(&self, tree: &'t Tree) -> Option<Difference<'t>> {
        if self.graph.files().is_empty() {
            return tree.files.is_empty().then(Difference::default);
        }
        let most = MOST_REPAIRS.max(tree.files.len() / FILES_A_REPAIRED_ONE);
        let mut differing = Difference::default();
        let mut here = self.graph.file_ids().zip(self.graph.files()).peekable();
        for file in &tree.files {
            while let Some((_, gone)) = here.next_if(|(_, known)| *known.path < *file.path) {
                differing.gone.push(Arc::clone(&gone.path));
            }
            let known = here.next_if(|(_, known)| known.path == file.path);
            if !known.is_some_and(|(id, _)| self.contents.get(id) == Some(&file.content)) {
                differing.edited.push(file);
            }
            if differing.len() > most {
                return None;
            }
        }
        differing.gone.extend(here.map(|(_, gone)| Arc::clone(&gone.path)));
        (differing.len() <= most).then_some(differing)
    }

    /// Repairs the graph. Where it has to be built anew, nothing is done. Contents are set of the files that are there
    /// already.
    fn repair(&mut self, store: &FactStore, files: &[&TreeFile], gone: &[Arc<str>], how: Repair) -> Result<(), Anew> {
        let files: Vec<(&TreeFile, GraphFile)> = files.iter().map(|file| (*file, graph_file(store, file))).collect();
        let is_there = |file: &GraphFile| {
            let id = self.graph.file_by_path(&file.path);
            id.is_some_and(|id| file.is_as_in(&self.graph, id))
        };
        // An equal outline leaves the graph as it is, to the pointer.
        let differing: Vec<GraphFile> =
            files.iter().map(|(_, file)| file).filter(|file| !is_there(file)).cloned().collect();
        let repaired = differing.len() + gone.len();
        if repaired > 0 {
            self.graph = Arc::new(self.graph.repaired(&differing, gone, how)?);
        }
        for (file, _) in files {
            if let Some(id) = self.graph.file_by_path(&file.path) {
                self.contents.set(id, file.content.clone());
            }
        }
        self.work.repaired += repaired;
        Ok(())
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

/// The graphs of a line of trees, each made from the one before: for who knows what is asked next, while an
/// [`Engine`](crate::Engine) answers.
#[derive(Clone, Default)]
pub struct Ahead(SideState);

impl Ahead {
    /// Goes on to a tree.
    pub fn follow(&mut self, store: &Arc<FactStore>, tree: &Tree) {
        self.0.set(store, tree, None, AFTER, true);
    }

    /// How often graphs were made on the way.
    #[must_use]
    pub fn work(&self) -> GraphWork {
        self.0.work
    }

    /// Why the last graph was built from all files, where it was.
    #[must_use]
    pub fn built_because(&self) -> Option<Anew> {
        self.0.anew
    }

    pub(crate) fn side(&self) -> &SideState {
        &self.0
    }
}

/// What a tree has otherwise than a side.
#[derive(Default)]
struct Difference<'t> {
    /// Files of other content, and files that come.
    edited: Vec<&'t TreeFile>,
    /// Paths that are not there.
    gone: Vec<Arc<str>>,
}

impl Difference<'_> {
    fn len(&self) -> usize {
        self.edited.len() + self.gone.len()
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
