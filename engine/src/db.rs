//! The salsa database: few inputs, set only when they differ, and the queries that stand nearest to them.
//!
//! The graph of a side is an input, kept up to date below salsa ([`crate::side`]): a comment edit leaves it as it is, an
//! edited body repairs it. Sets that ask for no edges hang on the nodes alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use grace_graph::change::{Change, Content, Kinds, PartChange, SafeKinds};
use grace_graph::code::PartKey;
use grace_graph::facts::{FileFacts, Language};
use grace_graph::graph::{Anew, CodeGraph, ModelLiterals, Nodes};
use grace_graph::store::FactStore;
use salsa::Setter;

use crate::found::FoundFiles;
use crate::input::{Book, Declared, Input, PastFacts, TreeContent, TreeFile};
use crate::plan::Side;
use crate::side::{AFTER, BEFORE, Contents, GraphWork, SideState};
use crate::walks::Walks;

/// What queries need beyond salsa's own.
#[salsa::db]
pub(crate) trait Db: salsa::Database {
    /// Facts by content: immutable, hence pure.
    fn store(&self) -> &FactStore;
    /// What walks reached.
    fn walks(&self) -> &Walks;
    /// Which files scans found.
    fn found(&self) -> &FoundFiles;
}

/// The database.
#[salsa::db]
#[derive(Clone)]
pub(crate) struct Database {
    storage: salsa::Storage<Self>,
    store: Arc<FactStore>,
    walks: Arc<Walks>,
    found: Arc<FoundFiles>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn store(&self) -> &FactStore {
        &self.store
    }

    fn walks(&self) -> &Walks {
        &self.walks
    }

    fn found(&self) -> &FoundFiles {
        &self.found
    }
}

/// Names of the queries that ran, for tests of incrementality.
pub(crate) type EventLog = Arc<Mutex<Vec<String>>>;

impl Database {
    /// An empty database; with a log, each executed query is written to it.
    pub(crate) fn new(store: Arc<FactStore>, log: Option<EventLog>) -> Self {
        let callback: Option<Box<dyn Fn(salsa::Event) + Send + Sync>> = log.map(|log| {
            Box::new(move |event: salsa::Event| {
                if let salsa::EventKind::WillExecute { database_key } = event.kind
                    && let Ok(mut log) = log.lock()
                {
                    log.push(format!("{database_key:?}"));
                }
            }) as Box<dyn Fn(salsa::Event) + Send + Sync>
        });
        Self { storage: salsa::Storage::new(callback), store, walks: Arc::default(), found: Arc::default() }
    }
}

/// One side of the change. Each field changes more seldom than the next: nodes only where other files could see the edit,
/// edges only where code says something else. The graph is repaired below salsa, see [`crate::side`].
#[salsa::input]
pub(crate) struct Snapshot {
    /// Who is there.
    #[returns(ref)]
    pub(crate) nodes: Arc<Nodes>,
    /// Who uses whom.
    #[returns(ref)]
    pub(crate) graph: Arc<CodeGraph>,
    /// Which models its literals name.
    #[returns(ref)]
    pub(crate) models: Arc<ModelLiterals>,
    /// Which text each file has: for lines that are shown.
    #[returns(ref)]
    pub(crate) contents: Contents,
}

/// One file of rules.
#[salsa::input]
pub(crate) struct RuleFile {
    #[returns(clone)]
    pub(crate) path: Arc<str>,
    #[returns(clone)]
    pub(crate) text: Result<Arc<str>, Arc<str>>,
    #[returns(copy)]
    pub(crate) role: grace_dsl::Role,
}

/// A rule book.
#[salsa::input]
pub(crate) struct RuleBook {
    #[returns(ref)]
    pub(crate) files: Vec<RuleFile>,
}

/// Everything else; one of it. Each field is a dependency of its own.
#[salsa::input(singleton)]
pub(crate) struct World {
    #[returns(copy)]
    pub(crate) before: Snapshot,
    #[returns(copy)]
    pub(crate) after: Snapshot,
    #[returns(clone)]
    pub(crate) change: Arc<Change>,
    #[returns(copy)]
    pub(crate) book_before: Option<RuleBook>,
    #[returns(copy)]
    pub(crate) book_after: Option<RuleBook>,
    #[returns(clone)]
    pub(crate) declared: Arc<Declared>,
    #[returns(clone)]
    pub(crate) past: Arc<PastFacts>,
    #[returns(copy)]
    pub(crate) as_of: i64,
    /// Parts that are supposed to have changed too, and how: empty but while `explain` tries out what would bring a thing.
    #[returns(clone)]
    pub(crate) supposed: Arc<Vec<(PartKey, Kinds)>>,
}

/// What a file of a side says, lines and all; `None` where no parser reads it. For what is shown, never for what decides.
pub(crate) fn facts(db: &dyn Db, side: Side, path: &str) -> Option<Arc<FileFacts>> {
    let snapshot = snapshot(db, side);
    let file = snapshot.nodes(db).file_by_path(path)?;
    match snapshot.contents(db).get(file)? {
        TreeContent::Code(id) => db.store().get(*id, Language::of_path(path)?),
        TreeContent::Other | TreeContent::Opaque(_) => None,
    }
}

/// The snapshot of a side.
pub(crate) fn snapshot(db: &dyn Db, side: Side) -> Snapshot {
    let world = World::get(db);
    match side {
        Side::Before => world.before(db),
        Side::After => world.after(db),
    }
}

/// The graph of a side.
pub(crate) fn graph_of(db: &dyn Db, side: Side) -> &Arc<CodeGraph> {
    snapshot(db, side).graph(db)
}

/// The files and parts of a side, without edges.
pub(crate) fn nodes_of(db: &dyn Db, side: Side) -> &Arc<Nodes> {
    snapshot(db, side).nodes(db)
}

/// What is read of one side of a changed file.
pub(crate) fn digested(db: &dyn Db, path: &str, content: &Content) -> Option<Arc<FileFacts>> {
    match content {
        Content::Text(text) => Some(db.store().facts_with_digests(Language::of_path(path)?, text.as_bytes())),
        _ => None,
    }
}

/// Every changed part, with how and on which lines: text, so it runs again with every edit.
#[salsa::tracked(returns(clone))]
pub(crate) fn part_changes(db: &dyn Db) -> Arc<Vec<PartChange>> {
    let change = World::get(db).change(db);
    let mut parts = grace_graph::change::parts(&change, &mut |path, content| digested(db, path, content));
    parts.extend(World::get(db).supposed(db).iter().map(|(key, kinds)| PartChange {
        before: Some(key.clone()),
        after: Some(key.clone()),
        kinds: *kinds,
        added: Vec::new(),
        removed: Vec::new(),
        safe: SafeKinds::empty(),
    }));
    Arc::new(parts)
}

/// One part that changed in its meaning. Holds no lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meant {
    pub(crate) before: Option<PartKey>,
    pub(crate) after: Option<PartKey>,
    pub(crate) kinds: Kinds,
}

/// The firewall above the text of the change: the parts that changed in meaning.
#[salsa::tracked(returns(clone))]
pub(crate) fn meant(db: &dyn Db) -> Arc<Vec<Meant>> {
    Arc::new(
        part_changes(db)
            .iter()
            .filter(|change| change.kinds.intersects(Kinds::MEANING))
            .map(|change| Meant {
                before: change.before.clone(),
                after: change.after.clone(),
                kinds: change.kinds & Kinds::MEANING,
            })
            .collect(),
    )
}

/// Paths of renamed files, before to after.
#[salsa::tracked(returns(clone))]
pub(crate) fn renamed_paths(db: &dyn Db) -> Arc<BTreeMap<Arc<str>, Arc<str>>> {
    let change = World::get(db).change(db);
    Arc::new(
        change
            .files
            .iter()
            .filter_map(|file| Some((file.before.as_ref()?.path.clone(), file.after.as_ref()?.path.clone())))
            .filter(|(before, after)| before != after)
            .collect(),
    )
}

/// Paths of renamed files, after to before.
#[salsa::tracked(returns(clone))]
pub(crate) fn paths_before(db: &dyn Db) -> Arc<BTreeMap<Arc<str>, Arc<str>>> {
    Arc::new(renamed_paths(db).iter().rev().map(|(before, after)| (after.clone(), before.clone())).collect())
}

/// Sets the inputs; remembers what it set.
pub(crate) struct Inputs {
    world: World,
    before: SideState,
    after: SideState,
    books: BTreeMap<bool, (RuleBook, BTreeMap<Arc<str>, RuleFile>)>,
    /// They were set before: the first question of a process is mostly its last.
    goes_on: bool,
}

impl Inputs {
    pub(crate) fn new(db: &mut Database) -> Self {
        let empty = SideState::default();
        let new = |db: &Database| {
            let graph = empty.graph();
            Snapshot::new(db, graph.nodes().clone(), graph.clone(), graph.models().clone(), empty.contents().clone())
        };
        let (before, after) = (new(db), new(db));
        let world = World::new(
            db,
            before,
            after,
            Arc::new(Change::default()),
            None,
            None,
            Arc::new(Declared::default()),
            Arc::new(PastFacts::default()),
            0,
            Arc::new(Vec::new()),
        );
        Self { world, before: empty.clone(), after: empty, books: BTreeMap::new(), goes_on: false }
    }

    /// Sets what differs from before. The side after the change may be made already.
    pub(crate) fn update(&mut self, db: &mut Database, input: Input, ahead: Option<&SideState>) {
        let world = self.world;
        // In a history each tree is first the one after and then the one before: what was told of it stays true.
        if !self.before.is(&input.before) && self.after.is(&input.before) {
            let (before, after) = (world.before(db), world.after(db));
            std::mem::swap(&mut self.before, &mut self.after);
            world.set_before(db).to(after);
            world.set_after(db).to(before);
        }
        let (before, after) = (world.before(db), world.after(db));
        let store = Arc::clone(&db.store);
        let goes_on = std::mem::replace(&mut self.goes_on, true);
        self.before.set(&store, &input.before, None, BEFORE, goes_on);
        set_side(db, before, &self.before);
        match ahead.filter(|ahead| ahead.is(&input.after)) {
            Some(ahead) => self.after = ahead.instead_of(&self.after),
            None => self.after.set(&store, &input.after, Some(&self.before), AFTER, goes_on),
        }
        set_side(db, after, &self.after);
        self.set_change(db, input.change);
        // Two equal books are one book: every rule is then judged once.
        let same = input.rules_before == input.rules_after;
        let after = input.rules_after.map(|book| self.set_book(db, true, &book));
        let before = if same { after } else { input.rules_before.map(|book| self.set_book(db, false, &book)) };
        if world.book_before(db) != before {
            world.set_book_before(db).to(before);
        }
        if world.book_after(db) != after {
            world.set_book_after(db).to(after);
        }
        if *world.declared(db) != input.declared {
            world.set_declared(db).to(Arc::new(input.declared));
        }
        if *world.past(db) != input.past {
            world.set_past(db).to(Arc::new(input.past));
        }
        if world.as_of(db) != input.as_of {
            world.set_as_of(db).to(input.as_of);
        }
    }

    /// Sets other contents of some files of the after side, and the change that there is then. False where the after side
    /// lacks one of the files: nothing is set.
    pub(crate) fn edit(&mut self, db: &mut Database, files: &[TreeFile], change: Change) -> bool {
        let store = Arc::clone(&db.store);
        if !self.after.edit(&store, files) {
            return false;
        }
        let after = self.world.after(db);
        set_side(db, after, &self.after);
        self.set_change(db, change);
        true
    }

    /// How often graphs were built and repaired so far.
    pub(crate) fn work(&self) -> GraphWork {
        self.before.work() + self.after.work()
    }

    /// Why the graph after the change was built from all files, where it was.
    pub(crate) fn anew(&self) -> Option<Anew> {
        self.after.anew()
    }

    fn set_change(&self, db: &mut Database, change: Change) {
        let change = Arc::new(change);
        if *self.world.change(db) != *change {
            self.world.set_change(db).to(change);
        }
    }

    /// Supposes that these parts have changed beside the change, in this way.
    pub(crate) fn suppose(&self, db: &mut Database, parts: Vec<(PartKey, Kinds)>) {
        if *self.world.supposed(db) != parts {
            self.world.set_supposed(db).to(Arc::new(parts));
        }
    }

    fn set_book(&mut self, db: &mut Database, after: bool, book: &Book) -> RuleBook {
        let (input, known) =
            self.books.entry(after).or_insert_with(|| (RuleBook::new(db, Vec::new()), BTreeMap::new()));
        let mut files = Vec::with_capacity(book.files.len());
        for file in &book.files {
            let rule_file = match known.get(&file.path) {
                Some(&rule_file) => {
                    if rule_file.text(db) != file.text {
                        let _ = rule_file.set_text(db).to(file.text.clone());
                    }
                    if rule_file.role(db) != file.role {
                        rule_file.set_role(db).to(file.role);
                    }
                    rule_file
                }
                None => {
                    let rule_file = RuleFile::new(db, file.path.clone(), file.text.clone(), file.role);
                    known.insert(file.path.clone(), rule_file);
                    rule_file
                }
            };
            files.push(rule_file);
        }
        let input = *input;
        if *input.files(db) != files {
            input.set_files(db).to(files);
        }
        input
    }
}

/// Sets what differs: a setter does not compare.
fn set_side(db: &mut Database, snapshot: Snapshot, side: &SideState) {
    let graph = side.graph();
    if !Arc::ptr_eq(snapshot.nodes(db), graph.nodes()) {
        snapshot.set_nodes(db).to(graph.nodes().clone());
    }
    if !Arc::ptr_eq(snapshot.graph(db), graph) {
        snapshot.set_graph(db).to(graph.clone());
    }
    if !Arc::ptr_eq(snapshot.models(db), graph.models()) {
        snapshot.set_models(db).to(graph.models().clone());
    }
    snapshot.set_contents(db).to(side.contents().clone());
}
