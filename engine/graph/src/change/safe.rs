//! What is proved harmless about a changed part, from both sides: formatting, comments, documentation, added tests (law 10).
//!
//! Every doubt leaves a part unproved. Nothing here raises; it only allows others to lower.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;
use tree_sitter::Node;

use super::syntax::{self, children, text_of, undecorated};
use super::{Change, Content, FileChange, Kinds, PartChange, SafeKinds};
use crate::code::{PartKey, PartKind};
use crate::facts::Language;
use crate::memo::Memo;
use crate::test_names::{TestName, python_test_name};

/// Whether everything in a change is of the allowed kinds, with the first part that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// It is proved.
    pub holds: bool,
    /// The first part that is not proved to be of the kinds asked for, and how it changed.
    pub witness: Option<(PartKey, Kinds)>,
}

/// Proves that every changed part changed in the allowed ways only. A change without parts has nothing to disprove it.
#[must_use]
pub fn only(parts: &[PartChange], allowed: SafeKinds) -> Proof {
    let other = parts.iter().find(|part| part.safe.is_empty() || !allowed.contains(part.safe));
    Proof { holds: other.is_none(), witness: other.and_then(|part| Some((part.part()?.clone(), part.kinds))) }
}

/// Fills in [`PartChange::safe`].
pub(super) fn mark(change: &Change, parts: &mut [PartChange]) {
    let after: BTreeMap<&str, &FileChange> =
        change.files.iter().filter_map(|file| Some((&*file.after.as_ref()?.path, file))).collect();
    let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let paths: Vec<_> = parts.iter().map(|part| part.after.as_ref().map(|after| after.path.clone())).collect();
    for (index, path) in paths.iter().enumerate() {
        if let Some(path) = path {
            by_file.entry(path).or_default().push(index);
        }
    }
    for (path, indices) in by_file {
        let Some(file) = after.get(path).filter(|file| !file.asserted) else { continue };
        let safe = match Language::of_path(path) {
            Some(Language::Python) => {
                python_file(file, &indices.iter().map(|index| &parts[*index]).collect::<Vec<_>>())
            }
            // Nothing is proved of other languages: which of their comments some tool reads is an open list.
            Some(_) => continue,
            None => indices.iter().map(|index| document(file, &parts[*index])).collect(),
        };
        for (index, safe) in indices.into_iter().zip(safe) {
            parts[index].safe = safe;
        }
    }
}

fn text(side: Option<&super::FileSide>) -> Option<&str> {
    match &side?.content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

// Documents.

fn document(file: &FileChange, part: &PartChange) -> SafeKinds {
    let sides = [file.before.as_ref(), file.after.as_ref()];
    let known = || {
        sides.into_iter().flatten().all(|side| {
            is_documentation(&side.path) && !side.executable && text(Some(side)).is_some_and(|text| !is_run(text))
        })
    };
    let harmless = part.kinds == Kinds::BYTES || part.kinds == Kinds::ADDED;
    let shows = || text(file.after.as_ref()).is_some_and(|after| is_plain_to_see(part, &hidden_lines(after)));
    if harmless && known() && shows() { SafeKinds::DOCUMENTATION } else { SafeKinds::empty() }
}

/// A text that tools run, fill in, or put together from other files.
fn is_run(text: &str) -> bool {
    // Doctests, and what builders of documentation execute or import.
    const RUN: [&str; 30] = [
        ">>>",
        "testcode::",
        "doctest::",
        "testsetup::",
        "testcleanup::",
        "{doctest}",
        "{testcode}",
        "code-cell",
        "jupyter-execute",
        "jupyter-kernel",
        "execute_code",
        "program-output::",
        "command-output::",
        "runpython::",
        "ipython::",
        "plot::",
        "exec::",
        "exec=",
        "```rust",
        "```{python",
        "```{r",
        "{%",
        "{{",
        "[[[cog",
        "automodule::",
        "autoclass::",
        "autofunction::",
        "{eval-rst}",
        "\n::: ",
        "raw::",
    ];
    // What brings in other files, by the directives of Markdown, reStructuredText, AsciiDoc and their builders.
    const INCLUDES: [&str; 16] = [
        "include::",
        "{include}",
        "{literalinclude}",
        "csv-table::",
        "{csv-table}",
        "--8<--",
        "{!",
        "[[include",
        "!include",
        "@include",
        "@import",
        "#+include",
        ":include:",
        "':include",
        "embedme",
        "codeinclude",
    ];
    // What a reader's browser would run.
    const ACTIVE: [&str; 6] = ["<script", "<iframe", "<object", "<embed", "javascript:", "srcdoc="];
    static MARKS: LazyLock<Option<Regex>> =
        LazyLock::new(|| any_of(RUN.iter().chain(&INCLUDES).chain(&ACTIVE).copied()));
    let lower = text.to_ascii_lowercase();
    MARKS.as_ref().is_none_or(|marks| marks.is_match(&lower)) || has_handler(&lower)
}

/// Finds any of some texts in one pass.
fn any_of<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Regex> {
    Regex::new(&texts.map(regex::escape).collect::<Vec<_>>().join("|")).ok()
}

/// An attribute of HTML that runs something: `onload=`.
fn has_handler(lower: &str) -> bool {
    lower.match_indices(" on").any(|(at, begin)| {
        let rest = &lower[at + begin.len()..];
        let name = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        name > 2 && rest[name..].trim_start().starts_with('=')
    })
}

/// Characters that a reader does not see, or that change the order in which the others are shown.
fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{c}');
    }
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
        || character.is_control()
}

/// Lines (1-based) of a text that hold a character that nobody sees.
fn hidden_lines(text: &str) -> BTreeSet<u32> {
    if !text.contains(is_hidden) {
        return BTreeSet::new();
    }
    (1..).zip(text.split('\n')).filter(|(_, line)| line.contains(is_hidden)).map(|(number, _)| number).collect()
}

/// What the change adds to a part shows all that it holds.
fn is_plain_to_see(part: &PartChange, hidden: &BTreeSet<u32>) -> bool {
    hidden.is_empty() || part.added.iter().all(|line| !hidden.contains(line))
}

/// Names of folders for documents.
pub(super) const DOCUMENT_FOLDERS: [&str; 8] =
    ["doc", "docs", "documentation", "adr", "adrs", "rfcs", "wiki", "manual"];

/// True for paths of documents that only people read: `.md`, `.rst`, `.adoc`, and `.txt` by well-known names, at the top of
/// the repository, in a folder for documents, or under a name such as `README`.
///
/// Not documents that instruct agents or tools (`AGENTS.md` and kin, prompts, anything below a folder with a leading dot),
/// nor text that is data or code (`requirements.txt`, `CMakeLists.txt`, `robots.txt`), nor a licence.
#[must_use]
pub fn is_documentation(path: &str) -> bool {
    let lower = path.to_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    if !matches!(extension, "md" | "rst" | "adoc" | "txt") {
        return false;
    }
    const KNOWN: [&str; 19] = [
        "readme",
        "changelog",
        "changes",
        "history",
        "news",
        "contributing",
        "contributors",
        "authors",
        "code_of_conduct",
        "code-of-conduct",
        "security",
        "support",
        "maintainers",
        "todo",
        "roadmap",
        "install",
        "upgrading",
        "faq",
        "architecture",
    ];
    // Parts of names of what instructs, is filled in, or is read by programs.
    const INSTRUCTING: [&str; 22] = [
        "agent",
        "claude",
        "gemini",
        "qwen",
        "copilot",
        "cursor",
        "windsurf",
        "codex",
        "aider",
        "skill",
        "prompt",
        "instruct",
        "persona",
        "guideline",
        "conventions",
        "codeowners",
        "licen",
        "copying",
        "notice",
        "template",
        "fixture",
        "snapshot",
    ];
    const READ_BY_PROGRAMS: [&str; 11] =
        ["test", "tests", "testdata", "data", "golden", "goldens", "examples", "rules", "commands", "memory", "corpus"];
    // No name holds a `/`.
    static INSTRUCTS: LazyLock<Option<Regex>> = LazyLock::new(|| any_of(INSTRUCTING.into_iter()));
    if lower.split('/').any(|segment| segment.starts_with('.'))
        || INSTRUCTS.as_ref().is_none_or(|instructs| instructs.is_match(&lower))
    {
        return false;
    }
    let folders: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    if folders.iter().any(|segment| READ_BY_PROGRAMS.contains(segment)) || stem.contains('.') {
        return false;
    }
    // What agents and their tools read by these very names.
    const INSTRUCTING_NAMES: [&str; 24] = [
        "memory",
        "soul",
        "identity",
        "rules",
        "context",
        "warp",
        "jules",
        "crush",
        "amp",
        "grok",
        "replit",
        "opencode",
        "openhands",
        "devin",
        "goose",
        "junie",
        "kiro",
        "cline",
        "roo",
        "cody",
        "llms",
        "llms-full",
        "knowledge",
        "heartbeat",
    ];
    if INSTRUCTING_NAMES.contains(&stem) {
        return false;
    }
    let known = KNOWN.contains(&stem);
    match extension {
        "md" | "rst" | "adoc" => {
            known || folders.is_empty() || folders.iter().any(|segment| DOCUMENT_FOLDERS.contains(segment))
        }
        "txt" => known,
        _ => false,
    }
}

// Python.

fn python_file(file: &FileChange, parts: &[&PartChange]) -> Vec<SafeKinds> {
    let nothing = vec![SafeKinds::empty(); parts.len()];
    let Some(after) = text(file.after.as_ref()) else { return nothing };
    let before = match &file.before {
        None => "",
        Some(side) => match text(Some(side)) {
            Some(text) => text,
            None => return nothing,
        },
    };
    let moved = matches!((&file.before, &file.after), (Some(before), Some(after)) if before.path != after.path);
    // Where Python may read a side otherwise than the grammar does, every part is unknown already.
    if moved {
        return nothing;
    }
    let hidden = LazyCell::new(|| hidden_lines(after));
    let mut inert = None;
    let mut tests = None;
    let path = file.after.as_ref().map_or("", |side| &*side.path);
    let executable = file.after.as_ref().is_some_and(|side| side.executable);
    parts
        .iter()
        .map(|part| {
            let quiet = Kinds::COMMENT | Kinds::FORMAT | Kinds::DOCSTRING;
            if !part.kinds.is_empty() && quiet.contains(part.kinds) {
                if !is_plain_to_see(part, &hidden) {
                    return SafeKinds::empty();
                }
                let mut safe = SafeKinds::empty();
                safe.set(SafeKinds::COMMENTS, part.kinds.contains(Kinds::COMMENT));
                safe.set(SafeKinds::FORMATTING, part.kinds.contains(Kinds::FORMAT));
                if part.kinds.contains(Kinds::DOCSTRING) {
                    let inert = inert.get_or_insert_with(|| Docstrings::read(before, after));
                    if !inert.iter().all(|side| side.is_inert(part)) {
                        return SafeKinds::empty();
                    }
                    safe |= SafeKinds::DOCUMENTATION;
                }
                return safe;
            }
            let is_new = part.kinds == Kinds::ADDED && part.before.is_none() && !executable;
            // Strictly: what only may be collected could be code that others call.
            if is_new && python_test_name(path) == Some(TestName::Default) {
                let tests = tests.get_or_insert_with(|| AddedTests::read(file.before.is_none(), before, after));
                if part.after.as_ref().is_some_and(|key| tests.holds(key)) {
                    return SafeKinds::ADDED_TESTS;
                }
            }
            SafeKinds::empty()
        })
        .collect()
}

/// Whether something may read the docstrings of these parts, as far as the texts of their own files show.
#[must_use]
pub fn read_docstrings(change: &Change, parts: &[&PartChange]) -> Vec<bool> {
    let mut known: BTreeMap<&str, Option<[Arc<Docstrings>; 2]>> = BTreeMap::new();
    let mut found = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(key) = part.part() else {
            found.push(false);
            continue;
        };
        let read = known.entry(&key.path).or_insert_with(|| {
            let is_own = |side: &Option<super::FileSide>| side.as_ref().is_some_and(|side| *side.path == *key.path);
            let file =
                change.files.iter().find(|file| is_own(&file.after) || file.after.is_none() && is_own(&file.before))?;
            let [before, after] =
                [file.before.as_ref(), file.after.as_ref()].map(|side| side.map_or(Some(""), |side| text(Some(side))));
            Some(Docstrings::read(before?, after?))
        });
        found.push(!read.as_ref().is_some_and(|read| read.iter().all(|side| side.is_inert(part))));
    }
    found
}

/// Whose docstrings nothing reads, as far as both texts show.
struct Docstrings {
    /// Local names of functions and classes with decorators or bases that may read a docstring (command-line parsers, tools of
    /// language models, declarative models).
    read_by_others: BTreeSet<String>,
    /// `__doc__` is used somewhere in the file.
    used: bool,
}

impl Docstrings {
    fn read(before: &str, after: &str) -> [Arc<Self>; 2] {
        static KNOWN: Memo<Docstrings> = Memo::new();
        [before, after].map(|text| KNOWN.of(text, true, || Self::of(text)))
    }

    fn of(text: &str) -> Self {
        let mut read_by_others = BTreeSet::new();
        let used = ["__doc__", "getdoc", "docopt", "cleandoc"].iter().any(|word| text.contains(word));
        let Some(tree) = syntax::parse_python(text) else { return Self { read_by_others, used: true } };
        let root = tree.root_node();
        let imports = syntax::imports(root, text);
        let mut defined = BTreeSet::new();
        let mut named = Vec::new();
        if is_run_docstring(root, text) {
            read_by_others.insert(String::new());
        }
        syntax::each_definition(root, text, &mut |name, definition, decorators| {
            defined.insert(name.to_owned());
            if definition.child_by_field_name("body").is_some_and(|body| is_run_docstring(body, text)) {
                read_by_others.insert(name.to_owned());
            }
            let bases = definition.child_by_field_name("superclasses").map(children).unwrap_or_default();
            for used in
                decorators.iter().map(|decorator| (true, *decorator)).chain(bases.iter().map(|base| (false, *base)))
            {
                named.push((name.to_owned(), used));
            }
        });
        for (name, (is_decorator, node)) in named {
            let known = if is_decorator {
                children(node)
                    .first()
                    .is_some_and(|expression| is_known_decorator(*expression, text, &imports, &defined))
            } else {
                is_known_base(node, text, &imports, &defined)
            };
            if !known {
                read_by_others.insert(name);
            }
        }
        Self { read_by_others, used }
    }

    fn is_inert(&self, part: &PartChange) -> bool {
        !self.used && part.before.iter().chain(&part.after).all(|key| !self.read_by_others.contains(&*key.name))
    }
}

/// The docstring of a body holds what builders of documentation run or bring in.
fn is_run_docstring(body: Node<'_>, text: &str) -> bool {
    const MARKS: [&str; 12] = [
        "testcode::",
        "doctest::",
        "testsetup::",
        "plot::",
        "ipython::",
        "jupyter-execute",
        "exec::",
        "exec=",
        "program-output::",
        "include::",
        "raw::",
        "[[[cog",
    ];
    let first = children(body).into_iter().next().filter(|first| first.kind() == "expression_statement");
    let string = first.and_then(|first| first.named_child(0)).filter(|string| string.kind() == "string");
    string.is_some_and(|string| MARKS.iter().any(|mark| text_of(string, text).contains(mark)))
}

/// What a name stands for by the imports of its file; `None` where the file itself defines it.
fn resolved(
    node: Node<'_>,
    text: &str,
    imports: &BTreeMap<String, String>,
    defined: &BTreeSet<String>,
) -> Option<String> {
    let spelled = text_of(node, text);
    let (head, rest) = spelled.split_once('.').map_or((spelled, None), |(head, rest)| (head, Some(rest)));
    if defined.contains(head) {
        return None;
    }
    let head = imports.get(head).map_or(head, String::as_str);
    Some(rest.map_or_else(|| head.to_owned(), |rest| format!("{head}.{rest}")))
}

/// A decorator of Python's own, or of pytest, that does nothing with a docstring.
fn is_known_decorator(
    expression: Node<'_>,
    text: &str,
    imports: &BTreeMap<String, String>,
    defined: &BTreeSet<String>,
) -> bool {
    const KNOWN: [&str; 19] = [
        "staticmethod",
        "classmethod",
        "property",
        "functools.cached_property",
        "functools.cache",
        "functools.lru_cache",
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
        "typing.overload",
        "typing.final",
        "typing.runtime_checkable",
        "typing.no_type_check",
        "contextlib.contextmanager",
        "contextlib.asynccontextmanager",
        "enum.unique",
        "unittest.skip",
        "unittest.mock.patch",
        "pytest.fixture",
    ];
    let name = match expression.kind() {
        "call" => expression.child_by_field_name("function"),
        _ => Some(expression),
    };
    let Some(name) = name.filter(|name| matches!(name.kind(), "identifier" | "attribute")) else { return false };
    // `@value.setter` belongs to a property of the class.
    let spelled = text_of(name, text);
    if spelled.split_once('.').is_some_and(|(_, last)| matches!(last, "setter" | "getter" | "deleter")) {
        return true;
    }
    resolved(name, text, imports, defined)
        .is_some_and(|name| KNOWN.contains(&name.as_str()) || name.starts_with("pytest.mark."))
}

/// A base class of Python's own that does nothing with a docstring.
fn is_known_base(node: Node<'_>, text: &str, imports: &BTreeMap<String, String>, defined: &BTreeSet<String>) -> bool {
    const KNOWN: [&str; 27] = [
        "object",
        "abc.ABC",
        "abc.ABCMeta",
        "typing.Protocol",
        "typing.NamedTuple",
        "typing.Generic",
        "enum.Enum",
        "enum.IntEnum",
        "enum.StrEnum",
        "enum.Flag",
        "enum.IntFlag",
        "BaseException",
        "Exception",
        "ValueError",
        "TypeError",
        "RuntimeError",
        "KeyError",
        "IndexError",
        "LookupError",
        "AttributeError",
        "ImportError",
        "NotImplementedError",
        "OSError",
        "PermissionError",
        "TimeoutError",
        "unittest.TestCase",
        "unittest.IsolatedAsyncioTestCase",
    ];
    let node = match node.kind() {
        "keyword_argument" => node
            .child_by_field_name("value")
            .filter(|_| node.child_by_field_name("name").is_some_and(|name| text_of(name, text) == "metaclass")),
        "subscript" => node.child_by_field_name("value"),
        _ => Some(node),
    };
    node.and_then(|node| resolved(node, text, imports, defined)).is_some_and(|name| KNOWN.contains(&name.as_str()))
}

/// Definitions of the after text that are tests and nothing else.
struct AddedTests {
    /// Local names of functions, methods and classes.
    names: BTreeSet<String>,
    /// The file is new and holds nothing but imports and tests.
    whole_file: bool,
}

impl AddedTests {
    fn read(is_new: bool, before: &str, after: &str) -> Self {
        let mut tests = Self { names: BTreeSet::new(), whole_file: false };
        let (Some(tree), Some(old)) = (syntax::parse_python(after), syntax::parse_python(before)) else { return tests };
        let root = tree.root_node();
        // A star may have brought any name that a new test would replace.
        if root.has_error() || old.root_node().has_error() || before.contains("import *") {
            return tests;
        }
        // How often each name is defined as a method before: every other mention of it would change its meaning.
        let mut methods: BTreeMap<String, usize> = BTreeMap::new();
        syntax::each_definition(old.root_node(), before, &mut |name, definition, _| {
            if definition.kind() == "function_definition"
                && let Some((_, own)) = name.rsplit_once('.')
            {
                *methods.entry(own.to_owned()).or_default() += 1;
            }
        });
        // Marks are pytest's own only where this name is.
        let imports = syntax::imports(root, after);
        let rebound = children(root).into_iter().any(|statement| {
            let (definition, _) = undecorated(statement);
            let name = match definition.kind() {
                "function_definition" | "class_definition" => definition.child_by_field_name("name"),
                _ => syntax::assignment(statement).map(|(left, _)| left),
            };
            name.is_some_and(|name| matches!(text_of(name, after), "pytest" | "unittest"))
        });
        if rebound || imports.contains_key("pytest") || imports.contains_key("unittest") {
            return tests;
        }
        let unheard = |name: &str| syntax::words(before, name) == methods.get(name).copied().unwrap_or(0);
        let mut whole = is_new;
        let mut seen = BTreeSet::new();
        for statement in children(root) {
            let (definition, decorators) = undecorated(statement);
            let name = definition.child_by_field_name("name").map_or("", |name| text_of(name, after));
            let only_marks = decorators.iter().all(|decorator| is_mark(*decorator, after));
            match definition.kind() {
                "function_definition" => {
                    if is_test(definition, after) && only_marks && unheard(name) && seen.insert(name) {
                        tests.names.insert(name.to_owned());
                    } else {
                        whole = false;
                    }
                }
                "class_definition" => {
                    let new = unheard(name) && syntax::words(before, name) == 0 && seen.insert(name);
                    // What decorates a class may do anything with its methods.
                    whole &= only_marks && tests.class(definition, name, new, after, &imports, &unheard);
                }
                "import_statement" | "future_import_statement" => {}
                "import_from_statement" => {
                    whole &= !children(statement).iter().any(|child| child.kind() == "wildcard_import");
                }
                "expression_statement" => whole &= is_plain_string(statement),
                _ => whole = false,
            }
        }
        tests.whole_file = whole;
        tests
    }

    /// True when the class is a test class and nothing else.
    fn class(
        &mut self,
        class: Node<'_>,
        name: &str,
        is_new: bool,
        text: &str,
        imports: &BTreeMap<String, String>,
        unheard: &dyn Fn(&str) -> bool,
    ) -> bool {
        const BASES: [&str; 6] = [
            "object",
            "unittest.TestCase",
            "unittest.IsolatedAsyncioTestCase",
            "django.test.TestCase",
            "django.test.SimpleTestCase",
            "django.test.TransactionTestCase",
        ];
        let bases = class.child_by_field_name("superclasses").map(children).unwrap_or_default();
        let none = BTreeSet::new();
        let plain = bases
            .iter()
            .all(|base| resolved(*base, text, imports, &none).is_some_and(|name| BASES.contains(&name.as_str())));
        // A base that is not known may have a method of any name, which a new one would replace.
        if !plain || bases.is_empty() && !name.starts_with("Test") {
            return false;
        }
        let mut whole = true;
        let mut seen = BTreeSet::new();
        for statement in class.child_by_field_name("body").map(children).unwrap_or_default() {
            let (definition, decorators) = undecorated(statement);
            match definition.kind() {
                "function_definition" => {
                    let own = definition.child_by_field_name("name").map_or("", |name| text_of(name, text));
                    let marks = decorators.iter().all(|decorator| is_mark(*decorator, text));
                    if is_test(definition, text) && marks && (is_new || unheard(own)) && seen.insert(own) {
                        self.names.insert(format!("{name}.{own}"));
                    } else {
                        whole = false;
                    }
                }
                "pass_statement" => {}
                "expression_statement" => whole &= is_plain_string(statement),
                _ => whole = false,
            }
        }
        if whole && is_new {
            self.names.insert(name.to_owned());
        }
        whole && is_new
    }

    fn holds(&self, key: &PartKey) -> bool {
        if key.occurrence != 0 {
            return false;
        }
        match key.kind {
            PartKind::Module => self.whole_file,
            PartKind::File => false,
            // What is defined inside a test function belongs to it.
            _ => key
                .name
                .match_indices('.')
                .map(|(at, _)| &key.name[..at])
                .chain([&*key.name])
                .any(|name| self.names.contains(name) && (name == &*key.name || !self.is_class(name))),
        }
    }

    /// A class is no test function: what is in it counts for itself.
    fn is_class(&self, name: &str) -> bool {
        !name.rsplit('.').next().unwrap_or(name).starts_with("test")
    }
}

/// A string and nothing else.
fn is_plain_string(statement: Node<'_>) -> bool {
    let inner = children(statement);
    matches!(inner.as_slice(), [only] if only.kind() == "string"
        && children(*only).iter().all(|part| part.kind() != "interpolation"))
}

/// A test function whose definition runs nothing: no defaults, annotations that are names.
fn is_test(function: Node<'_>, text: &str) -> bool {
    let name = function.child_by_field_name("name").map_or("", |name| text_of(name, text));
    let is_name = |node: Node<'_>| {
        let text = text_of(node, text);
        text.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|character| character == '_' || character.is_alphanumeric())
        })
    };
    let parameters = function.child_by_field_name("parameters").map(children).unwrap_or_default();
    let mut reaches_out = false;
    syntax::each_node(function, &mut |node| {
        reaches_out |= node.kind() == "global_statement";
        !reaches_out
    });
    // What it sets for the whole module, tests that follow would see.
    name.starts_with("test_")
        && !reaches_out
        && function.child_by_field_name("type_parameters").is_none()
        && function.child_by_field_name("return_type").is_none_or(is_name)
        && parameters.into_iter().all(|parameter| match parameter.kind() {
            "identifier" => true,
            "typed_parameter" => {
                parameter.named_child(0).is_some_and(|name| name.kind() == "identifier")
                    && parameter.child_by_field_name("type").is_some_and(is_name)
            }
            _ => false,
        })
}

/// `@pytest.mark.name` or the same called with literals.
fn is_mark(decorator: Node<'_>, text: &str) -> bool {
    let parts = children(decorator);
    let [expression] = parts.as_slice() else { return false };
    let is_name = |node: Node<'_>| {
        text_of(node, text)
            .strip_prefix("pytest.mark.")
            .is_some_and(|name| name.chars().all(|character| character == '_' || character.is_alphanumeric()))
    };
    match expression.kind() {
        "attribute" => is_name(*expression),
        "call" => {
            expression.child_by_field_name("function").is_some_and(is_name)
                && expression.child_by_field_name("arguments").is_some_and(|arguments| is_literal(arguments, text))
        }
        _ => false,
    }
}

/// Longest list of literals (in bytes) that is looked at.
const MAX_LITERAL: usize = 64 * 1024;

/// Made of literals alone: evaluating it runs nothing.
fn is_literal(root: Node<'_>, text: &str) -> bool {
    let mut literal = root.byte_range().len() <= MAX_LITERAL;
    syntax::each_node(root, &mut |node| {
        if !node.is_named() {
            return false;
        }
        literal &= match node.kind() {
            "argument_list"
            | "list"
            | "tuple"
            | "set"
            | "dictionary"
            | "pair"
            | "keyword_argument"
            | "string"
            | "concatenated_string"
            | "string_start"
            | "string_content"
            | "string_end"
            | "escape_sequence"
            | "integer"
            | "float"
            | "true"
            | "false"
            | "none"
            | "unary_operator"
            | "comment"
            | "parenthesized_expression" => true,
            "identifier" => node.parent().is_some_and(|parent| {
                parent.kind() == "keyword_argument" && parent.child_by_field_name("name") == Some(node)
            }),
            "call" => {
                node.child_by_field_name("function").is_some_and(|function| text_of(function, text) == "pytest.param")
            }
            "attribute" => text_of(node, text) == "pytest.param" || text_of(node, text).starts_with("pytest.mark."),
            _ => false,
        };
        literal && node.kind() != "attribute"
    });
    literal
}
