//! What extraction reads out of one file: a pure value, the same for equal bytes wherever the file lies.
//!
//! Three projections with three lifetimes: [`Outline`] holds what resolution needs and nothing that moves with white
//! space, comments or bodies; [`Places`] turns ordinals into lines; [`PartDigests`] tell how a part changed. No text and
//! no syntax tree is kept.

use std::sync::{Arc, OnceLock};

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

use crate::code::PartKind;
use crate::stdlib;
use crate::words::Words;

/// Files larger than this (in bytes) are not parsed.
pub const MAX_PARSED_BYTES: usize = 2 * 1024 * 1024;

/// The first 128 bits of a BLAKE3 hash.
pub type Digest = [u8; 16];

/// Identifies a file's bytes: their BLAKE3 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentId(pub [u8; 32]);

impl ContentId {
    /// The id of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// A language with an extractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Python 3, sources and stubs.
    Python,
    /// TypeScript, sources and declarations.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// JavaScript, with or without JSX.
    JavaScript,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// `package.json`: no language for rules, only read to find modules. So are the next ones.
    PackageJson,
    /// `tsconfig.json` and `jsconfig.json`, with what stands between the words.
    TsConfig,
    /// `Cargo.toml`.
    CargoToml,
    /// `go.mod`.
    GoMod,
    /// `pyproject.toml` and `pytest.toml`.
    PythonToml,
    /// `pytest.ini`, `tox.ini` and `setup.cfg`.
    PythonIni,
}

impl Language {
    /// The language of a path by its extension, `None` where no extractor exists.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let (stem, extension) = path.rsplit_once('.')?;
        let language = match extension {
            "py" | "pyi" | "pyw" => Self::Python,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "js" | "jsx" | "mjs" | "cjs" => Self::JavaScript,
            "rs" => Self::Rust,
            "go" => Self::Go,
            _ => return None,
        };
        (!stem.is_empty() && !stem.ends_with('/')).then_some(language)
    }

    /// What reads a path: its language, or that of a manifest, which is a plain file to every rule.
    #[must_use]
    pub fn reader_of(path: &str) -> Option<Self> {
        Self::of_path(path).or_else(|| Self::of_manifest(path.rsplit('/').next().unwrap_or(path)))
    }

    fn of_manifest(name: &str) -> Option<Self> {
        match name {
            "package.json" => Some(Self::PackageJson),
            "Cargo.toml" => Some(Self::CargoToml),
            "go.mod" => Some(Self::GoMod),
            "pyproject.toml" | "pytest.toml" | ".pytest.toml" => Some(Self::PythonToml),
            "pytest.ini" | ".pytest.ini" | "tox.ini" | "setup.cfg" => Some(Self::PythonIni),
            _ => {
                let stem = name.strip_suffix(".json")?;
                let is_config = ["tsconfig", "jsconfig"].iter().any(|begin| {
                    stem.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
                });
                is_config.then_some(Self::TsConfig)
            }
        }
    }

    /// Only read to find modules: no language for rules.
    #[must_use]
    pub fn is_manifest(self) -> bool {
        matches!(
            self,
            Self::PackageJson | Self::TsConfig | Self::CargoToml | Self::GoMod | Self::PythonToml | Self::PythonIni
        )
    }

    /// Its name in rules: `language(python)`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::TypeScript | Self::Tsx => "typescript",
            Self::JavaScript => "javascript",
            Self::Rust => "rust",
            Self::Go => "go",
            _ => "manifest",
        }
    }
}

/// What kept a file from being read in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Larger than [`MAX_PARSED_BYTES`].
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// Holds a NUL byte.
    HasNul,
    /// The parser gave up: its budget of steps for a text of this length was spent.
    OverBudget,
    /// The bytes could not be read.
    Unreadable,
    /// The grammar does not accept the text here; parts around it are read.
    SyntaxError,
    /// Definitions nested too deeply, or with names too long, belong to the part around them.
    TooDeep,
    /// Tags of a markup language end the file; the code before them is read whole.
    StrayTags,
}

impl ProblemKind {
    /// True where nothing of the file could be read: it may hold anything.
    #[must_use]
    pub fn is_opaque(self) -> bool {
        !matches!(self, Self::SyntaxError | Self::TooDeep | Self::StrayTags)
    }

    /// True where the file may hold code that was not read.
    #[must_use]
    pub fn hides_code(self) -> bool {
        self != Self::StrayTags
    }
}

/// A problem and the line (1-based) where it begins; line 1 for problems of the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// 1-based.
    pub line: u32,
}

/// Everything extraction says about one content in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The bytes that were read.
    pub content: ContentId,
    /// What resolution reads.
    pub outline: Arc<Outline>,
    /// Lines of parts and sites.
    pub places: Places,
    /// One per part of the outline, in the same order; empty where nobody asked for them, or nothing could be read.
    pub digests: Box<[PartDigests]>,
    /// Its language may read it otherwise than the grammar does, or refuse it: equal digests then prove nothing. Told with
    /// the digests.
    pub reads_otherwise: bool,
    /// The bytes that comments and the insides of strings take, for Python; `None` where they cannot be told from code. Told
    /// with the digests.
    pub quiet: Option<Box<[(u32, u32)]>>,
    /// Sorted by line.
    pub problems: Box<[Problem]>,
}

impl FileFacts {
    /// Why nothing of the file could be read, if so.
    #[must_use]
    pub fn opaque(&self) -> Option<ProblemKind> {
        self.problems.iter().map(|problem| problem.kind).find(|kind| kind.is_opaque())
    }

    /// Whether it may hold code that was not read.
    #[must_use]
    pub fn hides_code(&self) -> bool {
        self.problems.iter().any(|problem| problem.kind.hides_code())
    }

    /// Facts of a file that cannot be read: one part of kind [`PartKind::File`].
    #[must_use]
    pub fn unreadable(content: ContentId, kind: ProblemKind) -> Self {
        Self { problems: Box::new([Problem { kind, line: 1 }]), ..Self::nothing(content) }
    }

    /// Facts of a plain file: one part of kind [`PartKind::File`].
    pub(crate) fn nothing(content: ContentId) -> Self {
        let mut names = NameTable::default();
        let empty = names.push("");
        let part = PartFact::new(PartKind::File, empty, empty);
        let outline = Outline::seal(OutlineParts { names, parts: vec![part], ..OutlineParts::default() });
        Self {
            content,
            outline: Arc::new(outline),
            places: Places {
                parts: Box::new([PartPlace { start: 1, def: 1, end: 1, name_column: 0, name_len: 0 }]),
                sites: Box::new([]),
            },
            digests: Box::default(),
            reads_otherwise: false,
            quiet: None,
            problems: Box::default(),
        }
    }
}

/// Index into the [`NameTable`] of one outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NameId(pub u32);

impl NameId {
    /// No name.
    pub const NONE: Self = Self(u32::MAX);

    /// `None` for [`NameId::NONE`].
    #[must_use]
    pub fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// Flags as their bits; bits that mean nothing are an error.
mod bits {
    use bitflags::Flags;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<F: Flags, S: Serializer>(flags: &F, serializer: S) -> Result<S::Ok, S::Error>
    where
        F::Bits: Serialize,
    {
        flags.bits().serialize(serializer)
    }

    pub(super) fn deserialize<'de, F: Flags, D: Deserializer<'de>>(deserializer: D) -> Result<F, D::Error>
    where
        F::Bits: Deserialize<'de>,
    {
        F::from_bits(F::Bits::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("unknown flags"))
    }
}

/// The strings of one outline, each once, in order of first use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NameTable {
    text: String,
    ends: Vec<u32>,
}

impl NameTable {
    /// The string of an id; empty for [`NameId::NONE`] and ids of other tables.
    #[must_use]
    pub fn get(&self, id: NameId) -> &str {
        let index = id.0 as usize;
        let Some(&end) = self.ends.get(index) else { return "" };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..end as usize]
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every string in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.get(NameId(index as u32)))
    }

    /// Whether every string lies within the text, on borders of characters, and all of the text is theirs.
    pub(crate) fn is_sound(&self) -> bool {
        let mut start = 0;
        let in_order = self.ends.iter().all(|&end| {
            let fits = end >= start && self.text.is_char_boundary(end as usize);
            start = end;
            fits
        });
        in_order && start as usize == self.text.len()
    }

    pub(crate) fn push(&mut self, name: &str) -> NameId {
        self.text.push_str(name);
        self.ends.push(self.text.len() as u32);
        NameId(self.ends.len() as u32 - 1)
    }
}

/// A run of [`Outline::lists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NameList {
    /// Index of the first.
    pub start: u32,
    /// How many.
    pub len: u32,
}

bitflags! {
    /// What a definition says of itself.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct PartFlags: u16 {
        /// Declared `async`.
        const ASYNC = 1;
        /// A pytest fixture by its decorator.
        const FIXTURE = 1 << 1;
        /// A fixture with `autouse=True`.
        const AUTOUSE = 1 << 2;
        /// Read like an attribute: `property` and its kin.
        const PROPERTY = 1 << 3;
        /// `staticmethod`: its first parameter is no receiver.
        const STATIC = 1 << 4;
        /// `classmethod`: its first parameter is the class.
        const CLASS_METHOD = 1 << 5;
        /// Imports a module whose name is computed.
        const COMPUTED_IMPORT = 1 << 6;
        /// Starts a process.
        const STARTS_PROCESS = 1 << 7;
        /// Names the interpreter that runs it.
        const NAMES_INTERPRETER = 1 << 8;
        /// Asks for a fixture whose name is computed.
        const COMPUTED_FIXTURE = 1 << 9;
        /// Lists what is in a folder, or names its own.
        const LISTS_FOLDER = 1 << 10;
        /// Names the folders around its own.
        const LEAVES_FOLDER = 1 << 11;
        /// A class of Python, or what is named like a test, that a condition, a loop or the like decides about: it may not be there.
        const CONDITIONAL = 1 << 12;
        /// Python that gives names to others when it runs, and which is only known then: `setattr` of a computed name, `globals()`,
        /// a class of classes.
        const GIVES_NAMES = 1 << 13;
        /// An `__init_subclass__` that hands on the class it runs for, or a class of another than the usual kind of classes: somebody may
        /// keep what is below.
        const KEEPS_CLASS = 1 << 14;
    }
}

/// One part as written. Parts are in source order, an enclosing part before what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFact {
    /// What it is.
    pub kind: PartKind,
    /// Flags.
    #[serde(with = "bits")]
    pub flags: PartFlags,
    /// Its own name; empty for a module body and a file.
    pub name: NameId,
    /// Name inside the file: `Class.method`; empty for a module body and a file.
    pub local_name: NameId,
    /// 0 for the first part of this local name and kind, 1 for the next.
    pub occurrence: u32,
    /// Ordinal of the enclosing part; [`PartFact::NO_PARENT`] for a module body and a file.
    pub parent: u32,
    /// Dotted names of the decorators, outermost first; `?` where one is no name.
    pub decorators: NameList,
    /// Dotted names of the base classes as written; `?` where one is no name.
    pub bases: NameList,
    /// Names of the parameters in order, without stars.
    pub parameters: NameList,
    /// Dotted name that the return annotation names.
    pub returns: NameId,
    /// `name=` of a fixture decorator.
    pub fixture_name: NameId,
}

impl PartFact {
    /// [`PartFact::parent`] of a part that has none.
    pub const NO_PARENT: u32 = u32::MAX;

    pub(crate) fn new(kind: PartKind, name: NameId, local_name: NameId) -> Self {
        Self {
            kind,
            flags: PartFlags::empty(),
            name,
            local_name,
            occurrence: 0,
            parent: Self::NO_PARENT,
            decorators: NameList::default(),
            bases: NameList::default(),
            parameters: NameList::default(),
            returns: NameId::NONE,
            fixture_name: NameId::NONE,
        }
    }
}

/// The form of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ImportForm {
    /// `import a.b` or `import a.b as c`.
    Module,
    /// `from a import b`.
    From,
    /// `from a import *`.
    Star,
    /// `import_module("a.b")` or `__import__("a.b")`.
    Literal,
}

/// One imported name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFact {
    /// Ordinal of the part whose code imports.
    pub part: u32,
    /// The form.
    pub form: ImportForm,
    /// Leading dots.
    pub level: u16,
    /// Dotted module without the leading dots; may be empty.
    pub module: NameId,
    /// What `from` names; [`NameId::NONE`] for the other forms.
    pub name: NameId,
    /// The name after `as`.
    pub alias: NameId,
    /// Under `if TYPE_CHECKING`.
    pub type_only: bool,
    /// Inside a `try` statement: absence is provided for.
    pub guarded: bool,
}

/// A name that is called or used. Once per part, chain and way of use.
///
/// Segments of the chain as written: `self.x.y`, `super().m`, `make().run`. `?` stands for a receiver that is no chain of
/// names (or a local variable of unknown value), `''` for a literal. A chain that ends in `*` is `getattr` of a name that is
/// computed: any that begins so (`self.visit_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceFact {
    /// Ordinal of the part that refers.
    pub part: u32,
    /// Dotted chain.
    pub chain: NameId,
    /// Called, not only named.
    pub is_call: bool,
    /// Stands in a decorator of the part.
    pub in_decorator: bool,
}

impl Outline {
    /// See [`Part::keeps_classes`](crate::code::Part::keeps_classes).
    pub(crate) fn keeps_classes(&self, part: &PartFact) -> bool {
        let is_plain = |name: &NameId| self.name(*name) == "classmethod";
        let is_decorated = || !self.list(part.decorators).iter().all(is_plain);
        part.flags.contains(PartFlags::KEEPS_CLASS) || self.name(part.name) == "__init_subclass__" && is_decorated()
    }

    /// Whether a part is a class whose objects are classes, as far as its bases' names tell.
    pub(crate) fn makes_classes(&self, part: &PartFact) -> bool {
        self.list(part.bases).iter().any(|base| {
            let last = self.name(*base).rsplit('.').next().unwrap_or_default();
            matches!(last, "type" | "EnumType")
                || ["Meta", "Metaclass", "MetaClass"].iter().any(|end| last.ends_with(end))
        })
    }

    /// Whether a chain such as `t.NamedTuple` is of the standard library: its first name is bound by imports of it alone. Of
    /// what tests are made with there (`unittest`, `doctest`, `test`) it is not.
    #[must_use]
    pub fn is_of_standard_library(&self, chain: &str) -> bool {
        let first = chain.split('.').next().unwrap_or(chain);
        let binds = |import: &&ImportFact| {
            let name = import.alias.some().or(import.name.some()).unwrap_or(import.module);
            import.form != ImportForm::Literal && self.name(name).split('.').next() == Some(first)
        };
        let is_standard = |import: &ImportFact| {
            let module = self.name(import.module).split('.').next().unwrap_or_default();
            let makes_tests = matches!(module, "unittest" | "doctest" | "test");
            import.level == 0 && import.form != ImportForm::Star && !makes_tests && stdlib::is_standard(module)
        };
        let mut found = self.imports.iter().filter(binds).peekable();
        let is_bound_otherwise = || self.module_names.iter().any(|name| self.name(*name) == first);
        found.peek().is_some() && found.all(is_standard) && !is_bound_otherwise()
    }
}

/// A segment of a chain without the parentheses of a call.
pub(crate) fn without_call(segment: &str) -> &str {
    let mut name = segment;
    while let Some(rest) = name.strip_suffix("()") {
        name = rest;
    }
    name
}

/// How a name gets its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BindingForm {
    /// `x = f(…)`: what the call gives.
    Result,
    /// `x = y`.
    Alias,
    /// `x: Y`.
    Annotation,
}

/// A name bound to something that resolution can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingFact {
    /// Ordinal of the part in whose scope the source is read.
    pub part: u32,
    /// The name that is bound.
    pub target: NameId,
    /// `self.target`: bound on the instance, not in the scope.
    pub on_self: bool,
    /// How.
    pub form: BindingForm,
    /// Dotted chain of the source.
    pub source: NameId,
}

bitflags! {
    /// What a string literal looks like.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
    pub struct StringShape: u8 {
        /// A path: has a `/`, or an extension.
        const PATH = 1;
        /// Identifiers joined by dots.
        const DOTTED = 1 << 1;
        /// `name:tag`.
        const MODEL = 1 << 2;
    }
}

/// Where a string literal stands, as far as it says what the string names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum StringUse {
    /// Anywhere.
    #[default]
    Plain,
    /// An argument of a call that opens or names a path.
    Path,
    /// The target of `patch`.
    Patch,
    /// `import_module` and kin.
    Module,
    /// `usefixtures` or `getfixturevalue`.
    Fixture,
    /// In the value of `pytest_plugins`.
    Plugin,
}

/// A string literal that may name something. Once per part and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StringFact {
    /// Ordinal of the part that holds it.
    pub part: u32,
    /// The text between the quotes.
    pub text: NameId,
    /// What it looks like.
    #[serde(with = "bits")]
    pub shape: StringShape,
    /// Where it stands.
    pub usage: StringUse,
}

/// Builder of an [`Outline`], and its form on disk: the same fields in the same order.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct OutlineParts {
    pub(crate) names: NameTable,
    pub(crate) parts: Vec<PartFact>,
    pub(crate) imports: Vec<ImportFact>,
    pub(crate) references: Vec<ReferenceFact>,
    pub(crate) bindings: Vec<BindingFact>,
    pub(crate) strings: Vec<StringFact>,
    pub(crate) lists: Vec<NameId>,
    pub(crate) module_names: Vec<NameId>,
    pub(crate) all: Option<Vec<NameId>>,
    pub(crate) generated: bool,
}

/// What resolution reads of a file. Equal outlines give equal edges; equality compares the digest.
#[derive(Debug, Clone, Serialize)]
pub struct Outline {
    /// Computed when somebody asks for it, so never read from anywhere.
    #[serde(skip)]
    digest: OnceLock<[u8; 32]>,
    /// Made when somebody asks for it.
    #[serde(skip)]
    words: OnceLock<Words>,
    /// The strings that everything else points into.
    pub names: NameTable,
    /// In source order; the first is the module body (or the file).
    pub parts: Box<[PartFact]>,
    /// In source order.
    pub imports: Box<[ImportFact]>,
    /// In source order.
    pub references: Box<[ReferenceFact]>,
    /// In source order.
    pub bindings: Box<[BindingFact]>,
    /// In source order.
    pub strings: Box<[StringFact]>,
    /// Storage of every [`NameList`].
    pub lists: Box<[NameId]>,
    /// Variables bound at module level, sorted by text.
    pub module_names: Box<[NameId]>,
    /// `__all__`, where it is a literal.
    pub all: Option<Box<[NameId]>>,
    /// The first lines say that a tool wrote the file.
    pub generated: bool,
}

impl PartialEq for Outline {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Outline {}

impl Outline {
    /// BLAKE3 over everything in the outline.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| self.digested())
    }

    /// Which names it holds.
    pub(crate) fn words(&self) -> &Words {
        self.words.get_or_init(|| Words::of(self))
    }

    /// Whether somebody asked for them already.
    pub(crate) fn are_words_told(&self) -> bool {
        self.words.get().is_some()
    }

    /// The parts inside a part, however deep: they stand behind it, side by side.
    pub(crate) fn within(&self, ordinal: u32) -> impl Iterator<Item = &PartFact> {
        self.parts.iter().skip(ordinal as usize + 1).take_while(move |part| part.parent >= ordinal)
    }

    /// The string of an id.
    #[must_use]
    pub fn name(&self, id: NameId) -> &str {
        self.names.get(id)
    }

    /// The ids of a list.
    #[must_use]
    pub fn list(&self, list: NameList) -> &[NameId] {
        self.lists.get(list.start as usize..(list.start + list.len) as usize).unwrap_or_default()
    }

    /// True where an edit from one outline to the other is one that no other file can see: everything that look-ups from
    /// outside read is equal (definitions, what the module and its classes bind, attributes of objects, plugins that are
    /// asked for). What only the bodies of functions say (calls, strings, local names) may differ.
    #[must_use]
    pub fn same_interface(&self, other: &Self) -> bool {
        self == other || self.interface() == other.interface()
    }

    /// Whether both import the same in the same parts, bodies of functions among them.
    pub(crate) fn same_imports(&self, other: &Self) -> bool {
        self.imports.iter().map(|one| self.import(one)).eq(other.imports.iter().map(|one| other.import(one)))
    }

    fn import(&self, import: &ImportFact) -> ImportInterface<'_> {
        let words = [import.module, import.name, import.alias].map(|id| self.name(id));
        let has_alias = import.alias != NameId::NONE;
        (import.part, import.form, import.level, words, has_alias, import.type_only, import.guarded)
    }

    fn interface(&self) -> Interface<'_> {
        let names = |ids: &[NameId]| ids.iter().map(|id| self.name(*id)).collect::<Vec<_>>();
        let mut is_seen = vec![false; self.parts.len()];
        let mut see = |part: u32| {
            let mut at = part as usize;
            while let Some(seen) = is_seen.get_mut(at).filter(|seen| !**seen) {
                *seen = true;
                at = self.parts[at].parent as usize;
            }
        };
        see(0);
        // A class in a function, a decorated function in one, an attribute set in one: look-ups go through its local names.
        for (ordinal, part) in self.parts.iter().enumerate() {
            if part.kind == PartKind::Class || part.decorators.len > 0 {
                see(ordinal as u32);
            }
        }
        self.bindings.iter().filter(|binding| binding.on_self).for_each(|binding| see(binding.part));
        let is_seen = |part: u32| is_seen.get(part as usize).copied().unwrap_or(true);
        let part = |part: &PartFact| {
            let words = [part.name, part.local_name, part.returns, part.fixture_name].map(|id| self.name(id));
            let lists = [part.decorators, part.bases, part.parameters].map(|list| names(self.list(list)));
            (part.kind, part.flags, part.occurrence, part.parent, words, lists)
        };
        let binding = |binding: &BindingFact| {
            let words = [binding.target, binding.source].map(|id| self.name(id));
            (binding.part, binding.on_self, binding.form, words)
        };
        Interface {
            parts: self.parts.iter().map(part).collect(),
            // A star gives its names to the module, wherever it stands.
            imports: self
                .imports
                .iter()
                .filter(|import| is_seen(import.part) || import.form == ImportForm::Star)
                .map(|import| self.import(import))
                .collect(),
            bindings: self.bindings.iter().filter(|binding| is_seen(binding.part)).map(binding).collect(),
            plugins: self
                .strings
                .iter()
                .filter(|string| string.usage == StringUse::Plugin)
                .map(|string| self.name(string.text))
                .collect(),
            module_names: names(&self.module_names),
            all: self.all.as_ref().map(|all| names(all)),
            generated: self.generated,
        }
    }

    /// Site of a part's definition.
    #[must_use]
    pub fn part_site(&self, part: usize) -> u32 {
        part as u32
    }

    /// Site of `imports[index]`.
    #[must_use]
    pub fn import_site(&self, index: usize) -> u32 {
        (self.parts.len() + index) as u32
    }

    /// Site of `references[index]`.
    #[must_use]
    pub fn reference_site(&self, index: usize) -> u32 {
        (self.parts.len() + self.imports.len() + index) as u32
    }

    /// Site of `strings[index]`.
    #[must_use]
    pub fn string_site(&self, index: usize) -> u32 {
        (self.parts.len() + self.imports.len() + self.references.len() + index) as u32
    }

    pub(crate) fn seal(from: OutlineParts) -> Self {
        let mut names = from.names;
        names.text.shrink_to_fit();
        names.ends.shrink_to_fit();
        Self {
            digest: OnceLock::new(),
            words: OnceLock::new(),
            names,
            parts: from.parts.into(),
            imports: from.imports.into(),
            references: from.references.into(),
            bindings: from.bindings.into(),
            strings: from.strings.into(),
            lists: from.lists.into(),
            module_names: from.module_names.into(),
            all: from.all.map(Into::into),
            generated: from.generated,
        }
    }

    fn digested(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(self.names.text.len() + self.references.len() * 12 + 256);
        let mut number = |value: u32| bytes.extend_from_slice(&value.to_le_bytes());
        number(self.names.ends.len() as u32);
        self.names.ends.iter().for_each(|end| number(*end));
        number(self.parts.len() as u32);
        for part in &self.parts {
            number(part.kind as u32 | u32::from(part.flags.bits()) << 8);
            for id in [part.name, part.local_name, part.returns, part.fixture_name] {
                number(id.0);
            }
            number(part.occurrence);
            number(part.parent);
            for list in [part.decorators, part.bases, part.parameters] {
                number(list.start);
                number(list.len);
            }
        }
        number(self.imports.len() as u32);
        for import in &self.imports {
            number(import.part);
            number(
                import.form as u32
                    | u32::from(import.type_only) << 8
                    | u32::from(import.guarded) << 9
                    | u32::from(import.level) << 16,
            );
            for id in [import.module, import.name, import.alias] {
                number(id.0);
            }
        }
        number(self.references.len() as u32);
        for reference in &self.references {
            number(reference.part);
            number(reference.chain.0);
            number(u32::from(reference.is_call) | u32::from(reference.in_decorator) << 1);
        }
        number(self.bindings.len() as u32);
        for binding in &self.bindings {
            number(binding.part);
            number(binding.target.0);
            number(binding.form as u32 | u32::from(binding.on_self) << 8);
            number(binding.source.0);
        }
        number(self.strings.len() as u32);
        for string in &self.strings {
            number(string.part);
            number(string.text.0);
            number(u32::from(string.shape.bits()) | (string.usage as u32) << 8);
        }
        number(self.lists.len() as u32);
        self.lists.iter().for_each(|id| number(id.0));
        number(self.module_names.len() as u32);
        self.module_names.iter().for_each(|id| number(id.0));
        match &self.all {
            None => number(u32::MAX),
            Some(all) => {
                number(all.len() as u32);
                all.iter().for_each(|id| number(id.0));
            }
        }
        number(u32::from(self.generated));
        bytes.extend_from_slice(self.names.text.as_bytes());
        *blake3::hash(&bytes).as_bytes()
    }
}

type PartInterface<'a> = (PartKind, PartFlags, u32, u32, [&'a str; 4], [Vec<&'a str>; 3]);
type ImportInterface<'a> = (u32, ImportForm, u16, [&'a str; 3], bool, bool, bool);
type BindingInterface<'a> = (u32, bool, BindingForm, [&'a str; 2]);

/// What other files can see of one.
#[derive(PartialEq)]
struct Interface<'a> {
    parts: Vec<PartInterface<'a>>,
    imports: Vec<ImportInterface<'a>>,
    bindings: Vec<BindingInterface<'a>>,
    plugins: Vec<&'a str>,
    module_names: Vec<&'a str>,
    all: Option<Vec<&'a str>>,
    generated: bool,
}

/// Lines of a file's parts and sites; the only part of the facts that moves with white space.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Places {
    /// One per part.
    pub parts: Box<[PartPlace]>,
    /// One per site, 1-based.
    pub sites: Box<[u32]>,
}

impl Places {
    /// The line (1-based) of a site ordinal, as edges carry it. Parts come first: site `n` of part `n` is its definition.
    #[must_use]
    pub fn site_line(&self, site: u32) -> Option<u32> {
        let site = site as usize;
        match self.parts.get(site) {
            Some(place) => Some(place.def),
            None => self.sites.get(site - self.parts.len()).copied(),
        }
    }
}

/// Where a part stands; lines are 1-based, the end is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartPlace {
    /// First line, of the first decorator where there is one.
    pub start: u32,
    /// The line of `def` or `class` (of `async` where it is written); the first line of a module.
    pub def: u32,
    /// Last line.
    pub end: u32,
    /// Column of the name on its line in bytes, 0-based.
    pub name_column: u32,
    /// Length of the name in bytes; 0 where it has none.
    pub name_len: u32,
}

/// What a part says, in pieces that change separately. Names of parts are in none of them, except where `body` marks the
/// place of a nested part. White space, ordinary comments and line ends are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartDigests {
    /// Parameters, defaults, annotations, return type, type parameters, `async`.
    pub signature: Digest,
    /// Decorators, base classes and class keywords.
    pub decorators: Digest,
    /// Tokens and structure of the body, with comments that are code; a nested part is its kind and name.
    pub body: Digest,
    /// The same without the nested parts: equal when only parts came or went.
    pub body_alone: Digest,
    /// The docstring; `None` where there is none.
    pub docstring: Option<Digest>,
    /// The docstring holds a doctest.
    pub has_doctest: bool,
    /// Ordinary comments, in order.
    pub comments: Digest,
}
