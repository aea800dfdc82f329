//! Reading a Python test file: its functions, whether they are collected, and what each of them asks.

mod asks;
mod exceptions;
mod helpers;
mod marks;
mod truth;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use crate::change::syntax::{self, assignment, children, line_of, undecorated};
use crate::code::PartKind;
pub(super) use exceptions::is_ancestor;
use helpers::Helpers;

/// Definitions and statements nested deeper are not read; the test that holds them is damaged.
const MAX_DEPTH: usize = 300;
/// Bytes of a file that are searched at most for the uses of functions inside tests.
const MAX_SEARCHED: usize = 4 << 20;
/// A test with more marks, tolerances or expected exceptions than this is damaged: what is beyond is not compared.
const MAX_COMPARED: usize = 1_000;
/// The same for what makes a test doubtful: every test inside holds what is said around it.
const MAX_DOUBTS: usize = 64;

/// The key of an unconditional skip in [`Measure::skips`].
pub(super) const ALWAYS_SKIPPED: &str = "skip";

/// What a file defines.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// In source order.
    pub(super) functions: Vec<Function>,
    /// The text does not parse as a whole.
    pub(super) damaged: bool,
    /// The first line that does not parse; 1 where none is known.
    pub(super) damaged_line: u32,
}

/// A function or method.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) kind: PartKind,
    pub(super) occurrence: u32,
    pub(super) line: u32,
    pub(super) collected: bool,
    /// Whether it is a test is asked only of the others: what tests rely on while they run.
    pub(super) supports: bool,
    /// Digest of parameters and body without comments: equal for a function that only moved or was renamed.
    pub(super) body: [u8; 32],
    pub(super) damaged: bool,
    pub(super) measure: Measure,
}

/// What a test asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure {
    pub(super) assertions: u32,
    /// Those that no `if` stands around.
    pub(super) unconditional: u32,
    pub(super) cases: Vec<Cases>,
    /// Whether hypothesis draws examples, and how many at most where it is said.
    pub(super) given: bool,
    pub(super) max_examples: Option<u64>,
    /// Examples that are written out for hypothesis.
    pub(super) explicit_examples: u32,
    /// Skip marks and calls with their conditions, to the lines where they stand.
    pub(super) skips: BTreeMap<String, Vec<u32>>,
    pub(super) expected_failures: BTreeMap<String, Vec<u32>>,
    pub(super) tolerances: Vec<Tolerance>,
    pub(super) exceptions: Vec<Exceptions>,
    /// What it asks through other functions of the file, by their own names.
    pub(super) through: BTreeMap<String, u32>,
    /// Names that it calls and the file does not define.
    pub(super) called: BTreeSet<String>,
    /// What may make the test ask less, by the sentence that says so and a digest of what it is about, to the lines where it
    /// stands.
    pub(super) doubts: BTreeMap<(&'static str, [u8; 32]), Vec<u32>>,
}

impl Measure {
    fn doubt(&mut self, why: &'static str, what: &str, line: u32) {
        self.doubts.entry((why, *blake3::hash(what.as_bytes()).as_bytes())).or_default().push(line);
    }

    /// Cuts what is too much to compare or to inherit; true when something was cut.
    fn limit(&mut self) -> bool {
        let mut cut = false;
        for marks in [&mut self.skips, &mut self.expected_failures] {
            while marks.len() > MAX_COMPARED {
                marks.pop_last();
                cut = true;
            }
            for lines in marks.values_mut() {
                cut |= lines.len() > MAX_COMPARED;
                lines.truncate(MAX_COMPARED);
            }
        }
        while self.doubts.len() > MAX_DOUBTS {
            self.doubts.pop_last();
            cut = true;
        }
        for lines in self.doubts.values_mut() {
            cut |= lines.len() > MAX_COMPARED;
            lines.truncate(MAX_COMPARED);
        }
        cut |= self.cases.len().max(self.tolerances.len()).max(self.exceptions.len()) > MAX_COMPARED;
        self.cases.truncate(MAX_COMPARED);
        self.tolerances.truncate(MAX_COMPARED);
        self.exceptions.truncate(MAX_COMPARED);
        cut
    }
}

/// One list of parametrised cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cases {
    Counted(u64),
    /// Its text.
    Unknown(String),
}

/// A comparison with a tolerance.
#[derive(Debug, Clone)]
pub(super) struct Tolerance {
    /// What is compared, as text.
    pub(super) subject: String,
    pub(super) relative: f64,
    pub(super) absolute: f64,
    /// The text of a tolerance that is no number.
    pub(super) unknown: Option<String>,
    pub(super) line: u32,
}

/// An expected exception.
#[derive(Debug, Clone)]
pub(super) struct Exceptions {
    pub(super) names: BTreeSet<String>,
    /// The pattern without quotes.
    pub(super) matches: Option<String>,
    pub(super) line: u32,
}

/// `None` when the parser gives up.
pub(super) fn read(text: &str, is_test_file: bool) -> Option<Module> {
    let tree = syntax::parse_python(text)?;
    let root = tree.root_node();
    let mut reader = Reader {
        text,
        aliases: BTreeMap::new(),
        constants: BTreeMap::new(),
        classes: BTreeMap::new(),
        seen: BTreeMap::new(),
        replaced: BTreeSet::new(),
        helpers: Helpers::default(),
        class: String::new(),
        budget: Cell::new(MAX_SEARCHED),
        module: Module { damaged: root.has_error(), damaged_line: 1, ..Module::default() },
    };
    if root.has_error() {
        reader.module.damaged_line = syntax::first_error(root).map_or(1, line_of);
    }
    reader.names(root);
    reader.read_helpers(root);
    let mut context = Context { collected: true, named: is_test_file, ..Context::default() };
    reader.marks_of_scope(root, &mut context.inherited);
    reader.module.damaged |= context.inherited.limit();
    context.collected &= !reader.opts_out(root);
    reader.scope(root, &context, 0);
    Some(reader.module)
}

struct Reader<'a, 'tree> {
    text: &'a str,
    /// Imported names to what they stand for.
    aliases: BTreeMap<String, String>,
    /// Names assigned once or more at module level, to the last value.
    constants: BTreeMap<&'a str, Node<'tree>>,
    /// Classes of this module that are unittest's by a base.
    classes: BTreeMap<&'a str, bool>,
    /// How many functions of a name and kind were read.
    seen: BTreeMap<(String, PartKind), u32>,
    /// Names inside the file that module-level code gives another value.
    replaced: BTreeSet<String>,
    /// Functions that are no tests, with how much they ask.
    helpers: Helpers,
    /// The class around the function that is read; empty where there is none.
    class: String,
    /// Bytes that may still be searched for the use of a nested function.
    budget: Cell<usize>,
    module: Module,
}

/// What the surroundings say about a function.
#[derive(Clone, Default)]
struct Context {
    prefix: String,
    in_class: bool,
    /// The file is named as one of tests, or a class around is a `TestCase`.
    named: bool,
    collected: bool,
    /// A `TestCase` that awaits its tests.
    awaits: bool,
    inherited: Measure,
}

impl<'a, 'tree> Reader<'a, 'tree> {
    fn text_of(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn field(&self, node: Node<'_>, name: &str) -> &'a str {
        node.child_by_field_name(name).map_or("", |node| self.text_of(node))
    }

    /// Imports anywhere, and module-level constants.
    fn names(&mut self, root: Node<'tree>) {
        self.aliases = syntax::imports(root, self.text);
        for statement in children(root) {
            if let Some((left, right)) = assignment(statement)
                && left.kind() == "identifier"
            {
                self.constants.insert(self.text_of(left), right);
            }
            let replaced = self.replacements(statement);
            self.replaced.extend(replaced);
        }
    }

    /// Names of functions inside a class, or of marks on them, to which a module-level statement gives another value.
    fn replacements(&self, statement: Node<'_>) -> Vec<String> {
        let attribute = |node: Node<'_>| (node.kind() == "attribute").then(|| syntax::tokens(node, self.text));
        let plain = |name: String| name.split_whitespace().collect::<String>();
        if statement.kind() == "delete_statement" {
            return children(statement).into_iter().filter_map(attribute).map(plain).collect();
        }
        if let Some((left, right)) = assignment(statement) {
            let name = attribute(left).map(plain);
            return match name.as_deref().map(|name| (name, name.strip_suffix(".__test__"))) {
                Some((_, Some(tested))) if self.text_of(right) == "False" => vec![tested.to_owned()],
                Some((_, Some(_))) | None => Vec::new(),
                Some((name, None)) => vec![name.to_owned()],
            };
        }
        // `setattr(TestA, "test_x", …)`
        let call = statement.named_child(0).filter(|call| call.kind() == "call");
        let Some(call) = call.filter(|call| matches!(self.field(*call, "function"), "setattr" | "delattr")) else {
            return Vec::new();
        };
        match children(call.child_by_field_name("arguments").unwrap_or(call)).as_slice() {
            [class, name, ..] => {
                vec![format!("{}.{}", self.text_of(*class), self.text_of(*name).trim_matches(['"', '\'']))]
            }
            _ => Vec::new(),
        }
    }

    /// A chain of names with its first name resolved through the imports: `mark.skip` → `pytest.mark.skip`.
    fn dotted(&self, node: Node<'_>) -> Option<String> {
        let mut names = Vec::new();
        let mut node = node;
        while node.kind() == "attribute" {
            names.push(self.field(node, "attribute"));
            node = node.child_by_field_name("object")?;
        }
        let first = match node.kind() {
            "identifier" => self.text_of(node),
            // `np.abs(x).assert_called()`: the receiver is no name, the method still is.
            _ if !names.is_empty() => "?",
            _ => return None,
        };
        let first = self.aliases.get(first).map_or(first, String::as_str);
        let mut dotted = first.to_owned();
        for name in names.iter().rev() {
            dotted.push('.');
            dotted.push_str(name);
        }
        Some(dotted)
    }

    /// What a mark says, through a call and one module-level name.
    fn resolved(&self, node: Node<'tree>) -> Node<'tree> {
        match node.kind() {
            "identifier" => self.constants.get(self.text_of(node)).copied().unwrap_or(node),
            _ => node,
        }
    }

    /// Reads the statements of a module, class body or nested block.
    fn scope(&mut self, block: Node<'tree>, context: &Context, depth: usize) {
        if depth > MAX_DEPTH {
            self.module.damaged = true;
            return;
        }
        let statements = children(block);
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, statement) in statements.iter().enumerate() {
            for name in self.rebinds(*statement) {
                last.insert(name, index);
            }
        }
        for (index, statement) in statements.iter().enumerate() {
            let (definition, decorators) = undecorated(*statement);
            match definition.kind() {
                "function_definition" | "class_definition" => {
                    let name = self.field(definition, "name");
                    let shadowed = last.get(name).is_some_and(|last| *last > index);
                    let mut context = context.clone();
                    context.collected &= !shadowed;
                    if definition.kind() == "class_definition" {
                        self.class(definition, &decorators, &context, depth);
                    } else {
                        self.function(definition, &decorators, &context, depth);
                    }
                }
                "if_statement" | "while_statement" | "elif_clause" => self.branches(definition, context, depth),
                "else_clause"
                | "try_statement"
                | "except_clause"
                | "except_group_clause"
                | "finally_clause"
                | "with_statement"
                | "for_statement"
                | "match_statement"
                | "case_clause"
                | "block" => self.scope(definition, context, depth + 1),
                _ => {}
            }
        }
    }

    /// Definitions under a condition: never there where it is false by itself, in doubt where it is not true by itself.
    fn branches(&mut self, statement: Node<'tree>, context: &Context, depth: usize) {
        let condition = statement.child_by_field_name("condition");
        let text = condition.map_or("", |condition| self.text_of(condition));
        let never = condition.is_some_and(|condition| self.is_false(condition, 0))
            || matches!(text, "TYPE_CHECKING" | "typing.TYPE_CHECKING");
        let always = condition.is_some_and(|condition| self.is_true(condition, 0));
        let body = statement.child_by_field_name("consequence").or_else(|| statement.child_by_field_name("body"));
        for child in children(statement).into_iter().filter(|child| Some(*child) != condition) {
            let mut context = context.clone();
            if Some(child) == body {
                context.collected &= !never;
            }
            if !always && !never {
                let why = "it is defined only under a condition";
                let what = syntax::tokens(condition.unwrap_or(child), self.text);
                context.inherited.doubt(why, &what, line_of(statement));
            }
            match child.kind() {
                "elif_clause" => self.branches(child, &context, depth + 1),
                _ => self.scope(child, &context, depth + 1),
            }
        }
    }

    /// The names that a statement gives another value, or takes out of collection.
    fn rebinds(&self, statement: Node<'_>) -> Vec<&'a str> {
        let (definition, _) = undecorated(statement);
        match definition.kind() {
            "function_definition" | "class_definition" => vec![self.field(definition, "name")],
            "delete_statement" => {
                let targets = children(definition);
                let inner = targets.iter().flat_map(|target| children(*target));
                targets.iter().copied().chain(inner).map(|target| self.text_of(target)).collect()
            }
            "import_statement" | "import_from_statement" => {
                let module = definition.child_by_field_name("module_name");
                let bound = |name: Node<'_>| match name.kind() {
                    "aliased_import" => self.field(name, "alias"),
                    _ => self.text_of(name),
                };
                children(definition).into_iter().filter(|child| Some(*child) != module).map(bound).collect()
            }
            _ => assignment(statement).map_or_else(Vec::new, |(left, right)| {
                if matches!(left.kind(), "pattern_list" | "tuple_pattern" | "list_pattern") {
                    return children(left).into_iter().map(|name| self.text_of(name)).collect();
                }
                let left = self.text_of(left);
                match left.strip_suffix(".__test__") {
                    Some(name) if self.text_of(right) == "False" => vec![name],
                    Some(_) => Vec::new(),
                    None => vec![left],
                }
            }),
        }
    }

    /// `__test__ = False` in this scope.
    fn opts_out(&self, block: Node<'_>) -> bool {
        children(block).into_iter().any(|statement| {
            assignment(statement)
                .is_some_and(|(left, right)| self.text_of(left) == "__test__" && self.text_of(right) == "False")
        })
    }

    fn class(&mut self, class: Node<'tree>, decorators: &[Node<'tree>], context: &Context, depth: usize) {
        let name = self.field(class, "name");
        let Some(body) = class.child_by_field_name("body") else { return };
        let bases = class.child_by_field_name("superclasses").map(children).unwrap_or_default();
        let is_unittest = bases.iter().any(|base| {
            self.dotted(*base).is_some_and(|dotted| {
                dotted.ends_with("TestCase") || self.classes.get(dotted.as_str()).copied().unwrap_or(false)
            })
        });
        self.classes.insert(name, is_unittest);
        let has_init = children(body).into_iter().any(|statement| {
            let (definition, _) = undecorated(statement);
            definition.kind() == "function_definition" && self.field(definition, "name") == "__init__"
        });
        let mut inner = context.clone();
        inner.prefix = join(&context.prefix, name);
        inner.in_class = true;
        inner.named |= is_unittest;
        inner.awaits = bases.iter().any(|base| self.text_of(*base).contains("Async"));
        inner.collected &= (is_unittest || name.starts_with("Test") && !has_init) && !self.opts_out(body);
        for decorator in decorators {
            self.mark(*decorator, &mut inner.inherited);
        }
        self.marks_of_scope(body, &mut inner.inherited);
        self.module.damaged |= inner.inherited.limit();
        self.scope(body, &inner, depth + 1);
    }

    fn function(&mut self, function: Node<'tree>, decorators: &[Node<'tree>], context: &Context, depth: usize) {
        let own = self.field(function, "name");
        let name = join(&context.prefix, own);
        let kind = if context.in_class { PartKind::Method } else { PartKind::Function };
        let count = self.seen.entry((name.clone(), kind)).or_insert(0);
        let occurrence = *count;
        *count += 1;
        let is_fixture = decorators.iter().any(|decorator| {
            self.mark_name(*decorator).is_some_and(|(name, _)| name.rsplit('.').next() == Some("fixture"))
        });
        let mut damaged = function.has_error();
        let mut measure = context.inherited.clone();
        for decorator in decorators {
            self.mark(*decorator, &mut measure);
        }
        let body = function.child_by_field_name("body");
        self.class = if context.in_class { context.prefix.clone() } else { String::new() };
        if let Some(body) = body {
            damaged |= !self.measure(body, &mut measure, 0, asks::Reach::SURE);
            self.doubts_of_form(function, decorators, body, context, &mut measure);
        }
        damaged |= measure.limit();
        let mut hasher = blake3::Hasher::new();
        for field in ["parameters", "body"] {
            let text =
                function.child_by_field_name(field).map(|node| syntax::tokens(node, self.text)).unwrap_or_default();
            hasher.update(text.as_bytes());
            hasher.update(b"\0");
        }
        self.module.functions.push(Function {
            line: line_of(function),
            collected: context.collected
                && context.named
                && own.starts_with("test")
                && !is_fixture
                && !self.replaced.contains(&name),
            supports: is_fixture || is_setup(own) || is_teardown(own),
            body: *hasher.finalize().as_bytes(),
            name: name.clone(),
            kind,
            occurrence,
            damaged,
            measure,
        });
        if let Some(body) = body {
            let inner = Context { prefix: name, ..Context::default() };
            self.scope(body, &inner, depth + 1);
        }
    }
}

fn is_setup(name: &str) -> bool {
    matches!(
        name,
        "setUp"
            | "asyncSetUp"
            | "setUpClass"
            | "setUpModule"
            | "setup"
            | "setup_method"
            | "setup_class"
            | "setup_module"
            | "setup_function"
    )
}

fn is_teardown(name: &str) -> bool {
    matches!(
        name,
        "tearDown"
            | "asyncTearDown"
            | "tearDownClass"
            | "tearDownModule"
            | "teardown"
            | "teardown_method"
            | "teardown_class"
            | "teardown_module"
            | "teardown_function"
    )
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}
