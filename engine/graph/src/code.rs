//! The source graph of one tree: files, parts and the edges between them.
//!
//! Holds no ranges that move with white space: an edge names its site by an ordinal, and
//! [`crate::facts::Places`] of the file turns ordinals into lines when something is shown.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::facts::Language;

/// Index of a file in one [`CodeGraph`]; files are sorted by path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// Index of a part in one [`CodeGraph`]; the parts of a file are contiguous, in source order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartId(pub u32);

/// What a part is: the smallest pieces that can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// A file without parts of its own: no parser reads it, or none could.
    File,
    /// The import-time code of a module, outside every function and class.
    Module,
    /// A class header with the class body's own statements, without its methods.
    Class,
    /// A function, async or not, nested or not.
    Function,
    /// A function whose parent is a class.
    Method,
}

impl PartKind {
    /// As people and programs read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Module => "module",
            Self::Class => "class",
            Self::Function => "function",
            Self::Method => "method",
        }
    }
}

/// Names a part on every machine and in every snapshot: no ordinals, no offsets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartKey {
    /// Repository-relative path with `/`.
    pub path: Arc<str>,
    /// Name inside the file: empty for a module body or a file, else `Class.method`, `outer.inner`.
    pub name: Arc<str>,
    /// The kind.
    pub kind: PartKind,
    /// 0 for the first part of this name and kind in the file, 1 for the next.
    pub occurrence: u32,
}

/// A name of a part: where it stands in the [names of its tree](crate::graph::Nodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Word(pub(crate) u32);

/// Names that stand side by side in the list of a tree's decorators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Words {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// One part as the graph knows it. Its names are asked of the graph: [`Nodes::name`](crate::graph::Nodes::name),
/// [`Nodes::local_name`](crate::graph::Nodes::local_name), [`Nodes::decorators`](crate::graph::Nodes::decorators).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The file that holds it.
    pub file: FileId,
    /// Ordinal among the parts of its file, 0 for the module body.
    pub ordinal: u32,
    /// Enclosing part; `None` for a module body and a file.
    pub parent: Option<PartId>,
    pub(crate) name: Word,
    pub(crate) local_name: Word,
    pub(crate) decorators: Words,
    /// As in [`PartKey::occurrence`].
    pub occurrence: u32,
    /// Declared `async`.
    pub is_async: bool,
    /// A test function or method, by pytest's and unittest's conventions (`test_*` in a test file, methods of `Test*` and `TestCase`).
    pub is_test: bool,
    /// A class of Python, or what is named like a test, that stands under a condition, in a loop or the like: when the file is
    /// loaded it may not be there.
    pub is_conditional: bool,
    /// An `__init_subclass__` that hands on the class it runs for, or a class of another than the usual kind of classes: whoever is
    /// below may be kept by somebody.
    pub keeps_classes: bool,
    /// Public by name: no segment of the local name begins with `_` (dunders are public), and `__all__` allows it where one is declared.
    pub is_public: bool,
}

/// What an edge says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// From the importing body (module or function) to the imported body, and to each named symbol.
    Imports,
    /// From part to part.
    Calls,
    /// From class header to class header.
    Inherits,
    /// Other uses: a decorator, a reference without a call, a string that names a module, a path or a model.
    References,
}

impl EdgeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Imports, Self::Calls, Self::Inherits, Self::References];
}

/// How an edge is known; the order is from surest to least sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Seen at run time.
    Recorded,
    /// An import statement.
    Import,
    /// A call or use whose target is resolved by names and imports.
    Call,
    /// A pytest fixture by parameter name.
    Fixture,
    /// A string literal that names it.
    String,
    /// Declared by a rule (`binding`).
    Declared,
    /// By name only: an attribute call on an unknown receiver.
    Guess,
}

impl Evidence {
    /// Every evidence.
    pub const ALL: [Self; 7] =
        [Self::Recorded, Self::Import, Self::Call, Self::Fixture, Self::String, Self::Declared, Self::Guess];

    /// False for guesses: what `certain` leaves out.
    #[must_use]
    pub fn is_certain(self) -> bool {
        self != Self::Guess
    }
}

/// One directed edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Where it starts.
    pub from: PartId,
    /// Where it ends.
    pub to: PartId,
    /// What it says.
    pub kind: EdgeKind,
    /// How it is known.
    pub evidence: Evidence,
    /// Ordinal of the site in the file of `from`; see [`crate::facts::Places::site_line`].
    pub site: u32,
    /// For type checkers only (`if TYPE_CHECKING`): nothing runs along it.
    pub type_only: bool,
}

/// Languages whose code uses each other by name, those of files included that no parser reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LanguageFamily {
    /// Python, notebooks, and what is compiled to its modules.
    Python,
    /// JavaScript, TypeScript, and what is compiled to them or loads them: components, styles.
    Script,
    /// Rust.
    Rust,
    /// Go.
    Go,
}

impl LanguageFamily {
    /// The family of a path by its ending.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Language::of_path(path).and_then(Self::of).or_else(|| Self::of_unread(path))
    }

    /// The family of a language that is read; `None` for manifests and settings.
    pub(crate) fn of(language: Language) -> Option<Self> {
        match language {
            Language::Python => Some(Self::Python),
            Language::TypeScript | Language::Tsx | Language::JavaScript => Some(Self::Script),
            Language::Rust => Some(Self::Rust),
            Language::Go => Some(Self::Go),
            _ => None,
        }
    }

    /// That of a file of a language that no parser reads.
    pub(crate) fn of_unread(path: &str) -> Option<Self> {
        match path.rsplit_once('.')?.1 {
            "pyx" | "pxd" | "pxi" | "ipynb" => Some(Self::Python),
            "vue" | "svelte" | "astro" | "mdx" | "marko" | "riot" | "coffee" | "litcoffee" | "elm" | "res" | "re"
            | "css" | "scss" | "sass" | "less" | "styl" | "pcss" => Some(Self::Script),
            _ => None,
        }
    }

    /// Whether code of a family may load code of another by a name that is computed. Python and scripts load what Rust and Go
    /// are compiled to; of who is of no family nothing is known.
    #[must_use]
    pub fn may_load(user: Option<Self>, loaded: Option<Self>) -> bool {
        match (user, loaded) {
            (None, _) | (_, None) => true,
            (Some(Self::Python | Self::Script), Some(Self::Rust | Self::Go)) => true,
            (Some(user), Some(loaded)) => user == loaded,
        }
    }
}

/// What a part does with a folder without naming the files in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderUse {
    /// Imports modules of it by names that are computed: those that [`LanguageFamily::may_load`] names.
    Loads,
    /// Starts a process that may run what is in it.
    Runs,
    /// Reads files of it.
    Reads,
    /// Uses attributes by computed names, of more things than are listed: whatever is in it that it may load, once that is
    /// loaded.
    Attributes,
}

/// A part that hangs on whatever is in a folder, at any depth.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependent {
    /// The folder; empty for the whole tree.
    pub folder: Arc<str>,
    /// How.
    pub usage: FolderUse,
    /// The part.
    pub part: PartId,
    /// The site in that part's file.
    pub site: u32,
}
