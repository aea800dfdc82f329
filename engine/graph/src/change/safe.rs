//! What is proved harmless about a changed part, from both sides: formatting, comments, documentation, added tests (law 10).
//!
//! Every doubt leaves a part unproved. Nothing here raises; it only allows others to lower.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use super::syntax::{self, children, text_of, undecorated};
use super::{Change, Content, FileChange, Kinds, PartChange, SafeKinds};
use crate::code::{PartKey, PartKind};
use crate::facts::Language;

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
        let safe = if Language::of_path(path).is_some() {
            python_file(file, &indices.iter().map(|index| &parts[*index]).collect::<Vec<_>>())
        } else {
            indices.iter().map(|index| document(file, &parts[*index])).collect()
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
    let known = sides.into_iter().flatten().all(|side| {
        is_documentation(&side.path) && !side.executable && text(Some(side)).is_some_and(|text| !is_run(text))
    });
    let harmless = part.kinds == Kinds::BYTES || part.kinds == Kinds::ADDED;
    if known && harmless { SafeKinds::DOCUMENTATION } else { SafeKinds::empty() }
}

/// A text that tools run or fill in: doctests, and what documentation builders execute.
fn is_run(text: &str) -> bool {
    const MARKS: [&str; 20] = [
        ">>>",
        "testcode::",
        "doctest::",
        "testsetup::",
        "{doctest}",
        "{testcode}",
        "code-cell",
        "jupyter-execute",
        "execute_code",
        "program-output::",
        "command-output::",
        "runpython::",
        "ipython::",
        "plot::",
        "exec::",
        "exec=",
        "```rust",
        "{%",
        "{{",
        "<script",
    ];
    MARKS.iter().any(|mark| text.contains(mark))
}

/// True for paths of documents that only people read: `.md`, `.rst`, `.adoc`, and `.txt` by well-known names, at the top of
/// the repository, in a folder for documents, or under a name such as `README`.
///
/// Not documents that instruct agents or tools (`AGENTS.md` and kin, prompts, anything below a folder with a leading dot),
/// nor text that is data or code (`requirements.txt`, `CMakeLists.txt`, `robots.txt`), nor a licence.
#[must_use]
pub fn is_documentation(path: &str) -> bool {
    let lower = path.to_lowercase();
    let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let Some((stem, extension)) = name.split_once('.').and_then(|_| name.rsplit_once('.')) else { return false };
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
    const FOLDERS: [&str; 8] = ["doc", "docs", "documentation", "adr", "adrs", "rfcs", "wiki", "manual"];
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
    if lower.split('/').any(|segment| segment.starts_with('.') || INSTRUCTING.iter().any(|part| segment.contains(part)))
    {
        return false;
    }
    let folders: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    if folders.iter().any(|segment| READ_BY_PROGRAMS.contains(segment)) || stem.contains('.') {
        return false;
    }
    let known = KNOWN.contains(&stem);
    match extension {
        "md" | "rst" | "adoc" => known || folders.is_empty() || folders.iter().any(|segment| FOLDERS.contains(segment)),
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
    let mut inert = None;
    let mut tests = None;
    let path = file.after.as_ref().map_or("", |side| &*side.path);
    let executable = file.after.as_ref().is_some_and(|side| side.executable);
    parts
        .iter()
        .map(|part| {
            let quiet = Kinds::COMMENT | Kinds::FORMAT | Kinds::DOCSTRING;
            if !part.kinds.is_empty() && quiet.contains(part.kinds) {
                let mut safe = SafeKinds::empty();
                safe.set(SafeKinds::COMMENTS, part.kinds.contains(Kinds::COMMENT));
                safe.set(SafeKinds::FORMATTING, part.kinds.contains(Kinds::FORMAT));
                if part.kinds.contains(Kinds::DOCSTRING) {
                    let inert = inert.get_or_insert_with(|| Docstrings::read(before, after));
                    if !inert.is_inert(part) {
                        return SafeKinds::empty();
                    }
                    safe |= SafeKinds::DOCUMENTATION;
                }
                return safe;
            }
            let is_new = part.kinds == Kinds::ADDED && part.before.is_none() && !executable;
            if is_new && collected_by_name(path) {
                let tests = tests.get_or_insert_with(|| AddedTests::read(file.before.is_none(), before, after));
                if part.after.as_ref().is_some_and(|key| tests.holds(key)) {
                    return SafeKinds::ADDED_TESTS;
                }
            }
            SafeKinds::empty()
        })
        .collect()
}

/// The names that pytest collects unless it is told otherwise.
fn collected_by_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".py").is_some_and(|stem| stem.starts_with("test_") || stem.ends_with("_test"))
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
    fn read(before: &str, after: &str) -> Self {
        let mut read_by_others = BTreeSet::new();
        let mut used = false;
        for text in [before, after] {
            used |= text.contains("__doc__")
                || text.contains("getdoc")
                || text.contains("docopt")
                || text.contains("cleandoc");
            let Some(tree) = syntax::parse_python(text) else {
                used = true;
                continue;
            };
            syntax::each_definition(tree.root_node(), text, &mut |name, definition, decorators| {
                let known = decorators.iter().all(|decorator| {
                    children(*decorator)
                        .first()
                        .is_some_and(|expression| KNOWN_DECORATORS.contains(&text_of(*expression, text)))
                });
                let bases = definition.child_by_field_name("superclasses").map(children).unwrap_or_default();
                let plain = bases.iter().all(|base| KNOWN_BASES.contains(&text_of(*base, text)));
                if !known || !plain {
                    read_by_others.insert(name.to_owned());
                }
            });
        }
        Self { read_by_others, used }
    }

    fn is_inert(&self, part: &PartChange) -> bool {
        !self.used && part.before.iter().chain(&part.after).all(|key| !self.read_by_others.contains(&*key.name))
    }
}

const KNOWN_DECORATORS: [&str; 14] = [
    "staticmethod",
    "classmethod",
    "property",
    "cached_property",
    "functools.cached_property",
    "functools.cache",
    "functools.lru_cache",
    "cache",
    "lru_cache",
    "abstractmethod",
    "abc.abstractmethod",
    "override",
    "contextmanager",
    "dataclass",
];

const KNOWN_BASES: [&str; 16] = [
    "object",
    "ABC",
    "abc.ABC",
    "metaclass=ABCMeta",
    "metaclass=abc.ABCMeta",
    "Protocol",
    "Exception",
    "ValueError",
    "TypeError",
    "RuntimeError",
    "KeyError",
    "LookupError",
    "OSError",
    "NamedTuple",
    "TestCase",
    "unittest.TestCase",
];

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
                    whole &= tests.class(definition, name, only_marks && new, after, &unheard);
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
    fn class(&mut self, class: Node<'_>, name: &str, is_new: bool, text: &str, unheard: &dyn Fn(&str) -> bool) -> bool {
        let bases = class.child_by_field_name("superclasses").map(children).unwrap_or_default();
        let plain =
            bases.iter().all(|base| matches!(text_of(*base, text), "object" | "unittest.TestCase" | "TestCase"));
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
    name.starts_with("test_")
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
