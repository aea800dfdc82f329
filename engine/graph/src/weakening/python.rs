//! Reading a Python test file: its functions, whether they are collected, and what each of them asks.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use crate::change::syntax::{self, assignment, children, line_of, undecorated};
use crate::code::PartKind;

/// Definitions and statements nested deeper are not read; the test that holds them is damaged.
const MAX_DEPTH: usize = 300;
/// A test with more marks, tolerances or expected exceptions than this is damaged: what is beyond is not compared.
const MAX_COMPARED: usize = 1_000;

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
    /// Digest of parameters and body without comments: equal for a function that only moved or was renamed.
    pub(super) body: [u8; 32],
    pub(super) damaged: bool,
    pub(super) measure: Measure,
}

/// What a test asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Measure {
    pub(super) assertions: u32,
    pub(super) cases: Vec<Cases>,
    /// Skip marks and calls with their conditions, to the lines where they stand.
    pub(super) skips: BTreeMap<String, Vec<u32>>,
    pub(super) expected_failures: BTreeMap<String, Vec<u32>>,
    pub(super) tolerances: Vec<Tolerance>,
    pub(super) exceptions: Vec<Exceptions>,
}

impl Measure {
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
        module: Module { damaged: root.has_error(), damaged_line: 1, ..Module::default() },
    };
    if root.has_error() {
        reader.module.damaged_line = syntax::first_error(root).map_or(1, line_of);
    }
    reader.names(root);
    let mut context = Context { collected: is_test_file, ..Context::default() };
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
    module: Module,
}

/// What the surroundings say about a function.
#[derive(Clone, Default)]
struct Context {
    prefix: String,
    in_class: bool,
    collected: bool,
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
        syntax::each_node(root, &mut |node| {
            let (module, names) = match node.kind() {
                "import_statement" => (String::new(), children(node)),
                "import_from_statement" => {
                    let module = node.child_by_field_name("module_name");
                    let names = children(node).into_iter().filter(|child| Some(*child) != module).collect();
                    (module.map_or(String::new(), |module| format!("{}.", self.text_of(module))), names)
                }
                _ => return true,
            };
            for name in names {
                match name.kind() {
                    "aliased_import" => {
                        let path = format!("{module}{}", self.field(name, "name"));
                        self.aliases.insert(self.field(name, "alias").to_owned(), path);
                    }
                    "dotted_name" if !module.is_empty() => {
                        let text = self.text_of(name);
                        self.aliases.insert(text.to_owned(), format!("{module}{text}"));
                    }
                    _ => {}
                }
            }
            false
        });
        for statement in children(root) {
            if let Some((left, right)) = assignment(statement)
                && left.kind() == "identifier"
            {
                self.constants.insert(self.text_of(left), right);
            }
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
                "if_statement"
                | "elif_clause"
                | "else_clause"
                | "try_statement"
                | "except_clause"
                | "except_group_clause"
                | "finally_clause"
                | "with_statement"
                | "for_statement"
                | "while_statement"
                | "match_statement"
                | "case_clause"
                | "block" => self.scope(definition, context, depth + 1),
                _ => {}
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
            _ => assignment(statement).map_or_else(Vec::new, |(left, right)| {
                let left = self.text_of(left);
                match left.strip_suffix(".__test__") {
                    Some(name) if self.text_of(right) == "False" => vec![name],
                    _ => vec![left],
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
        if let Some(body) = body {
            damaged |= !self.measure(body, &mut measure, 0, true);
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
            collected: context.collected && own.starts_with("test") && !is_fixture,
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

    /// The dotted name of a decorator or mark, and its call if it is one.
    fn mark_name(&self, node: Node<'tree>) -> Option<(String, Option<Node<'tree>>)> {
        let node = if node.kind() == "decorator" { *children(node).first()? } else { node };
        let node = self.resolved(node);
        if node.kind() == "call" {
            return Some((self.dotted(node.child_by_field_name("function")?)?, Some(node)));
        }
        Some((self.dotted(node)?, None))
    }

    /// Reads one decorator or element of `pytestmark`.
    fn mark(&self, node: Node<'tree>, measure: &mut Measure) {
        let Some((dotted, call)) = self.mark_name(node) else { return };
        let name = dotted.rsplit('.').next().unwrap_or(&dotted);
        let line = line_of(node);
        let condition = || {
            let first = call.and_then(|call| self.argument(call, 0, "condition"));
            first.map_or(String::new(), |first| syntax::tokens(first, self.text))
        };
        let lower = name.to_ascii_lowercase();
        if lower == "skip" {
            measure.skips.entry(ALWAYS_SKIPPED.to_owned()).or_default().push(line);
        } else if lower.starts_with("skip") {
            measure.skips.entry(format!("{name} {}", condition())).or_default().push(line);
        } else if lower == "xfail" || lower == "expectedfailure" {
            measure.expected_failures.entry(condition()).or_default().push(line);
        } else if name == "parametrize"
            && let Some(call) = call
        {
            let cases = match self.argument(call, 1, "argvalues") {
                Some(values) => self.cases(values, 0),
                None => Cases::Unknown(syntax::tokens(call, self.text)),
            };
            measure.cases.push(cases);
            // Marks of single cases.
            syntax::each_node(call, &mut |node| {
                if node.kind() == "attribute" {
                    let dotted = self.dotted(node).unwrap_or_default();
                    if dotted.ends_with("mark.skip") || dotted.ends_with("mark.skipif") {
                        measure.skips.entry("case".to_owned()).or_default().push(line_of(node));
                    } else if dotted.ends_with("mark.xfail") {
                        measure.expected_failures.entry("case".to_owned()).or_default().push(line_of(node));
                    }
                }
                true
            });
        }
    }

    /// What a module or class body says about all tests in it: `pytestmark`, skips at import, skips while setting up.
    fn marks_of_scope(&self, block: Node<'tree>, measure: &mut Measure) {
        let mut setup = Measure::default();
        for statement in children(block) {
            if let Some((left, right)) = assignment(statement)
                && self.text_of(left) == "pytestmark"
            {
                match right.kind() {
                    "list" | "tuple" => children(right).into_iter().for_each(|mark| self.mark(mark, measure)),
                    _ => self.mark(right, measure),
                }
                continue;
            }
            let (definition, decorators) = undecorated(statement);
            match definition.kind() {
                "function_definition" => {
                    let name = self.field(definition, "name");
                    let autouse = decorators.iter().any(|decorator| {
                        let text = syntax::tokens(*decorator, self.text);
                        text.contains("fixture") && text.contains("autouse")
                    });
                    if (autouse || is_setup(name))
                        && let Some(body) = definition.child_by_field_name("body")
                    {
                        self.measure(body, &mut setup, 0, true);
                    }
                }
                "class_definition" => {}
                _ => {
                    self.measure(statement, &mut setup, 0, true);
                }
            }
        }
        for (mark, lines) in setup.skips {
            measure.skips.entry(mark).or_default().extend(lines);
        }
        for (mark, lines) in setup.expected_failures {
            measure.expected_failures.entry(mark).or_default().extend(lines);
        }
    }

    /// An argument of a call by position or name.
    fn argument(&self, call: Node<'tree>, position: usize, name: &str) -> Option<Node<'tree>> {
        let arguments = children(call.child_by_field_name("arguments")?);
        let named = arguments
            .iter()
            .find(|argument| argument.kind() == "keyword_argument" && self.field(**argument, "name") == name);
        match named {
            Some(argument) => argument.child_by_field_name("value"),
            None => arguments
                .into_iter()
                .filter(|argument| !matches!(argument.kind(), "keyword_argument" | "dictionary_splat"))
                .nth(position),
        }
    }

    fn cases(&self, node: Node<'tree>, depth: usize) -> Cases {
        let unknown = || Cases::Unknown(syntax::tokens(node, self.text));
        if depth > 8 {
            return unknown();
        }
        match node.kind() {
            "list" | "tuple" | "set" => {
                let mut total = 0_u64;
                for element in children(node) {
                    let count = match element.kind() {
                        "list_splat" => match children(element).first() {
                            Some(inner) => self.cases(*inner, depth + 1),
                            None => unknown(),
                        },
                        _ => Cases::Counted(1),
                    };
                    match count {
                        Cases::Counted(count) => total = total.saturating_add(count),
                        Cases::Unknown(_) => return unknown(),
                    }
                }
                Cases::Counted(total)
            }
            "parenthesized_expression" => match children(node).first() {
                Some(inner) => self.cases(*inner, depth + 1),
                None => unknown(),
            },
            "binary_operator" if self.field(node, "operator") == "+" => {
                let side = |name: &str| node.child_by_field_name(name).map(|side| self.cases(side, depth + 1));
                match (side("left"), side("right")) {
                    (Some(Cases::Counted(left)), Some(Cases::Counted(right))) => {
                        Cases::Counted(left.saturating_add(right))
                    }
                    _ => unknown(),
                }
            }
            "identifier" => match self.constants.get(self.text_of(node)) {
                Some(value) => match self.cases(*value, depth + 1) {
                    // A name that stays and a value that changes are different texts.
                    Cases::Unknown(text) => Cases::Unknown(format!("{} = {text}", self.text_of(node))),
                    counted => counted,
                },
                None => unknown(),
            },
            "call" => {
                let arguments = node.child_by_field_name("arguments").map(children).unwrap_or_default();
                match (self.field(node, "function"), arguments.as_slice()) {
                    ("range", [end]) => self.text_of(*end).parse().map_or_else(|_| unknown(), Cases::Counted),
                    ("list" | "tuple" | "sorted", [inner]) => self.cases(*inner, depth + 1),
                    _ => unknown(),
                }
            }
            _ => unknown(),
        }
    }

    /// Adds what a statement or expression asks. `counts` is false where a failing assertion would not fail the test.
    /// False when something is nested too deeply to be read.
    fn measure(&self, node: Node<'tree>, measure: &mut Measure, depth: usize, counts: bool) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let mut whole = true;
        match node.kind() {
            "block" | "module" => {
                let mut reached = counts;
                for statement in children(node) {
                    whole &= self.measure(statement, measure, depth + 1, reached);
                    reached &= !self.leaves(statement);
                }
                return whole;
            }
            "assert_statement" => {
                if counts && let Some(condition) = children(node).first() {
                    measure.assertions += self.conjuncts(*condition, 0);
                }
            }
            "if_statement" | "while_statement" => {
                let condition = node.child_by_field_name("condition");
                let never = condition.is_some_and(|condition| self.is_false(condition, 0));
                let consequence = node.child_by_field_name("consequence").or_else(|| node.child_by_field_name("body"));
                for child in children(node) {
                    let reached = counts && !(never && Some(child) == consequence);
                    whole &= self.measure(child, measure, depth + 1, reached);
                }
                return whole;
            }
            "try_statement" => {
                let body = node.child_by_field_name("body");
                let swallows = children(node).into_iter().any(|child| self.swallows(child));
                for child in children(node) {
                    whole &= self.measure(child, measure, depth + 1, counts && !(swallows && Some(child) == body));
                }
                return whole;
            }
            "with_statement" => {
                let body = node.child_by_field_name("body");
                let mut suppresses = false;
                for child in children(node).into_iter().filter(|child| Some(*child) != body) {
                    syntax::each_node(child, &mut |inner| {
                        if inner.kind() == "call" {
                            let name = inner.child_by_field_name("function").and_then(|function| self.dotted(function));
                            suppresses |= name.is_some_and(|name| name.ends_with("suppress"))
                                && self.names_assertion_error(inner);
                        }
                        true
                    });
                    whole &= self.measure(child, measure, depth + 1, counts);
                }
                if let Some(body) = body {
                    whole &= self.measure(body, measure, depth + 1, counts && !suppresses);
                }
                return whole;
            }
            "raise_statement" => {
                let name = children(node).first().and_then(|raised| {
                    let raised =
                        if raised.kind() == "call" { raised.child_by_field_name("function")? } else { *raised };
                    self.dotted(raised)
                });
                if name.is_some_and(|name| name.ends_with("SkipTest")) {
                    measure.skips.entry("call".to_owned()).or_default().push(line_of(node));
                }
            }
            "call" => self.call(node, measure, counts),
            _ => {}
        }
        for child in children(node) {
            whole &= self.measure(child, measure, depth + 1, counts);
        }
        whole
    }

    fn call(&self, call: Node<'tree>, measure: &mut Measure, counts: bool) {
        let Some(dotted) = call.child_by_field_name("function").and_then(|function| self.dotted(function)) else {
            return;
        };
        let (owner, name) = dotted.rsplit_once('.').unwrap_or(("", &dotted));
        let line = line_of(call);
        let text = |position: usize, name: &str| {
            self.argument(call, position, name).map(|node| syntax::tokens(node, self.text))
        };
        match name {
            "skip" | "importorskip" if matches!(owner, "pytest" | "") => {
                let key = if name == "skip" {
                    "call".to_owned()
                } else {
                    format!("import {}", text(0, "modname").unwrap_or_default())
                };
                measure.skips.entry(key).or_default().push(line);
            }
            "skipTest" => measure.skips.entry("call".to_owned()).or_default().push(line),
            "xfail" if owner == "pytest" => measure.expected_failures.entry("call".to_owned()).or_default().push(line),
            _ => {}
        }
        let asserts = name.strip_prefix("assert").is_some_and(|rest| {
            rest.starts_with('_') || rest.starts_with(|character: char| character.is_ascii_uppercase())
        });
        let expects = matches!(name, "raises" | "warns" | "deprecated_call") && owner == "pytest";
        let fails = name == "fail" && matches!(owner, "pytest" | "self");
        if counts && (asserts && !self.is_vacuous(call, name) || expects || fails) {
            measure.assertions += 1;
        }
        if expects && name != "deprecated_call" || name.starts_with("assertRaises") || name.starts_with("assertWarns") {
            let regex = name.ends_with("Regex") || name.ends_with("Regexp");
            if let Some(exceptions) = self.argument(call, 0, "expected_exception") {
                let members = if exceptions.kind() == "tuple" { children(exceptions) } else { vec![exceptions] };
                let names = members.into_iter().map(|member| {
                    let dotted = self.dotted(member).unwrap_or_else(|| syntax::tokens(member, self.text));
                    dotted.strip_prefix("builtins.").map(str::to_owned).unwrap_or(dotted)
                });
                let pattern = if regex { self.argument(call, 1, "expected_regex") } else { self.named(call, "match") };
                measure.exceptions.push(Exceptions {
                    names: names.collect(),
                    matches: pattern.map(|pattern| {
                        let text = self.text_of(pattern);
                        text.trim_start_matches(['r', 'R']).trim_matches(['"', '\'']).to_owned()
                    }),
                    line,
                });
            }
        }
        if let Some(tolerance) = self.tolerance(call, name) {
            measure.tolerances.push(tolerance);
        }
    }

    fn named(&self, call: Node<'tree>, name: &str) -> Option<Node<'tree>> {
        self.argument(call, usize::MAX, name)
    }

    /// The tolerance of a comparing call, with the library's own where it names none.
    fn tolerance(&self, call: Node<'tree>, name: &str) -> Option<Tolerance> {
        let mut unknown: Option<String> = None;
        let mut number = |argument: Option<Node<'tree>>| -> Option<f64> {
            let argument = self.resolved(argument?);
            let text = self.text_of(argument);
            match text.replace('_', "").parse::<f64>() {
                Ok(value) if value.is_finite() => Some(value),
                _ if text == "None" => None,
                _ => {
                    unknown = Some(syntax::tokens(argument, self.text));
                    None
                }
            }
        };
        let places = |places: Option<f64>| 10_f64.powf(-places.unwrap_or(7.0)) / 2.0;
        let (relative, absolute) = match name {
            "approx" => {
                let (relative, absolute) =
                    (number(self.argument(call, 1, "rel")), number(self.argument(call, 2, "abs")));
                // pytest looks at `abs` alone where only that is given.
                let default = if absolute.is_some() { 0.0 } else { 1e-6 };
                (relative.unwrap_or(default), absolute.unwrap_or(1e-12))
            }
            "assertAlmostEqual" | "assertAlmostEquals" => {
                let (digits, delta) =
                    (number(self.argument(call, 2, "places")), number(self.argument(call, 4, "delta")));
                (0.0, delta.unwrap_or_else(|| places(digits)))
            }
            "isclose" | "allclose" | "assert_allclose" => {
                let python = self.named(call, "rel_tol").is_some() || self.named(call, "abs_tol").is_some();
                let relative = number(self.named(call, "rel_tol").or_else(|| self.argument(call, 2, "rtol")));
                let absolute = number(self.named(call, "abs_tol").or_else(|| self.argument(call, 3, "atol")));
                let dotted = call.child_by_field_name("function").and_then(|function| self.dotted(function));
                let (default_relative, default_absolute) = match name {
                    "assert_allclose" => (1e-7, 0.0),
                    "isclose" if python || dotted.as_deref() == Some("math.isclose") => (1e-9, 0.0),
                    _ => (1e-5, 1e-8),
                };
                (relative.unwrap_or(default_relative), absolute.unwrap_or(default_absolute))
            }
            "assert_almost_equal" | "assert_array_almost_equal" => {
                let default = if name == "assert_almost_equal" { 7.0 } else { 6.0 };
                (0.0, places(Some(number(self.argument(call, 2, "decimal")).unwrap_or(default))))
            }
            _ => return None,
        };
        let first = self.argument(call, 0, "expected").map_or(String::new(), |first| syntax::tokens(first, self.text));
        Some(Tolerance { subject: format!("{name} {first}"), relative, absolute, unknown, line: line_of(call) })
    }

    /// How many conditions an assertion joins that are not true by themselves.
    fn conjuncts(&self, node: Node<'_>, depth: usize) -> u32 {
        if depth < MAX_DEPTH && node.kind() == "boolean_operator" && self.field(node, "operator") == "and" {
            let side = |name: &str| node.child_by_field_name(name).map_or(0, |side| self.conjuncts(side, depth + 1));
            return side("left").saturating_add(side("right"));
        }
        if depth < MAX_DEPTH
            && node.kind() == "parenthesized_expression"
            && let Some(inner) = children(node).first()
        {
            return self.conjuncts(*inner, depth + 1);
        }
        u32::from(!self.is_true(node, 0))
    }

    /// True by itself, whatever the program does.
    fn is_true(&self, node: Node<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let side = |name: &str| node.child_by_field_name(name).is_some_and(|side| self.is_true(side, depth + 1));
        match node.kind() {
            "true" | "lambda" | "ellipsis" => true,
            "integer" | "float" => self.text_of(node).bytes().any(|byte| (b'1'..=b'9').contains(&byte)),
            "string" => {
                let quoted = self.text_of(node).trim_start_matches(|first: char| first.is_ascii_alphabetic());
                !quoted.trim_matches(['"', '\'']).is_empty()
            }
            "concatenated_string" => children(node).into_iter().any(|part| self.is_true(part, depth + 1)),
            "tuple" | "list" | "set" | "dictionary" => {
                children(node).iter().any(|element| !matches!(element.kind(), "list_splat" | "dictionary_splat"))
            }
            "parenthesized_expression" => children(node).first().is_some_and(|inner| self.is_true(*inner, depth + 1)),
            "not_operator" => {
                node.child_by_field_name("argument").is_some_and(|argument| self.is_false(argument, depth + 1))
            }
            "boolean_operator" => match self.field(node, "operator") {
                "or" => side("left") || side("right"),
                _ => side("left") && side("right"),
            },
            "comparison_operator" => {
                let operands = children(node);
                let [left, right] = operands.as_slice() else { return false };
                let operator = self.text.get(left.end_byte()..right.start_byte()).unwrap_or_default().trim();
                matches!(operator, "==" | "is" | "<=" | ">=")
                    && syntax::tokens(*left, self.text) == syntax::tokens(*right, self.text)
            }
            _ => false,
        }
    }

    /// False by itself.
    fn is_false(&self, node: Node<'_>, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        match node.kind() {
            "false" | "none" => true,
            "integer" | "float" => self.text_of(node).bytes().all(|byte| matches!(byte, b'0' | b'.' | b'_')),
            "string" | "tuple" | "list" | "dictionary" => {
                matches!(self.text_of(node), "\"\"" | "''" | "()" | "[]" | "{}")
            }
            "parenthesized_expression" => children(node).first().is_some_and(|inner| self.is_false(*inner, depth + 1)),
            "not_operator" => {
                node.child_by_field_name("argument").is_some_and(|argument| self.is_true(argument, depth + 1))
            }
            "boolean_operator" if self.field(node, "operator") == "and" => ["left", "right"]
                .iter()
                .any(|name| node.child_by_field_name(name).is_some_and(|side| self.is_false(side, depth + 1))),
            _ => false,
        }
    }

    /// An assertion method that cannot fail.
    fn is_vacuous(&self, call: Node<'tree>, name: &str) -> bool {
        let (first, second) = (self.argument(call, 0, "first"), self.argument(call, 1, "second"));
        match (name, first, second) {
            ("assertTrue" | "assert_" | "assertIsNotNone", Some(value), _) => self.is_true(value, 0),
            ("assertFalse", Some(value), _) => self.is_false(value, 0),
            ("assertIsNone", Some(value), _) => value.kind() == "none",
            (
                "assertEqual" | "assertEquals" | "assertIs" | "assertAlmostEqual" | "assert_equal",
                Some(left),
                Some(right),
            ) => syntax::tokens(left, self.text) == syntax::tokens(right, self.text),
            _ => false,
        }
    }

    /// Nothing after this statement in its block runs.
    fn leaves(&self, statement: Node<'_>) -> bool {
        match statement.kind() {
            "return_statement" | "raise_statement" | "continue_statement" | "break_statement" => true,
            "expression_statement" => children(statement).first().is_some_and(|call| {
                call.kind() == "call"
                    && call.child_by_field_name("function").and_then(|function| self.dotted(function)).is_some_and(
                        |dotted| {
                            matches!(
                                dotted.as_str(),
                                "pytest.skip" | "pytest.xfail" | "pytest.exit" | "sys.exit" | "exit" | "quit"
                            ) || dotted.ends_with(".skipTest")
                        },
                    )
            }),
            _ => false,
        }
    }

    /// An `except` clause that takes a failed assertion and lets the test go on.
    fn swallows(&self, clause: Node<'tree>) -> bool {
        if !matches!(clause.kind(), "except_clause" | "except_group_clause") {
            return false;
        }
        let parts = children(clause);
        let Some((body, caught)) = parts.split_last() else { return false };
        if !caught.is_empty() && !caught.iter().any(|caught| self.names_assertion_error(*caught)) {
            return false;
        }
        let mut fails = false;
        syntax::each_node(*body, &mut |node| {
            fails |= match node.kind() {
                "raise_statement" | "assert_statement" => true,
                "call" => node.child_by_field_name("function").and_then(|function| self.dotted(function)).is_some_and(
                    |name| {
                        let name = name.rsplit('.').next().unwrap_or_default();
                        name == "fail" || name.starts_with("assert")
                    },
                ),
                _ => false,
            };
            !fails
        });
        !fails
    }

    fn names_assertion_error(&self, node: Node<'tree>) -> bool {
        let mut found = false;
        syntax::each_node(node, &mut |inner| {
            found |= inner.kind() == "identifier"
                && matches!(self.text_of(inner), "AssertionError" | "Exception" | "BaseException");
            !found
        });
        found
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

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// Python's own exceptions, each with its parent.
const PARENTS: [(&str, &str); 58] = [
    ("Exception", "BaseException"),
    ("KeyboardInterrupt", "BaseException"),
    ("SystemExit", "BaseException"),
    ("GeneratorExit", "BaseException"),
    ("ArithmeticError", "Exception"),
    ("FloatingPointError", "ArithmeticError"),
    ("OverflowError", "ArithmeticError"),
    ("ZeroDivisionError", "ArithmeticError"),
    ("AssertionError", "Exception"),
    ("AttributeError", "Exception"),
    ("BufferError", "Exception"),
    ("EOFError", "Exception"),
    ("ImportError", "Exception"),
    ("ModuleNotFoundError", "ImportError"),
    ("LookupError", "Exception"),
    ("IndexError", "LookupError"),
    ("KeyError", "LookupError"),
    ("MemoryError", "Exception"),
    ("NameError", "Exception"),
    ("UnboundLocalError", "NameError"),
    ("OSError", "Exception"),
    ("IOError", "Exception"),
    ("BlockingIOError", "OSError"),
    ("ChildProcessError", "OSError"),
    ("ConnectionError", "OSError"),
    ("BrokenPipeError", "ConnectionError"),
    ("ConnectionAbortedError", "ConnectionError"),
    ("ConnectionRefusedError", "ConnectionError"),
    ("ConnectionResetError", "ConnectionError"),
    ("FileExistsError", "OSError"),
    ("FileNotFoundError", "OSError"),
    ("InterruptedError", "OSError"),
    ("IsADirectoryError", "OSError"),
    ("NotADirectoryError", "OSError"),
    ("PermissionError", "OSError"),
    ("ProcessLookupError", "OSError"),
    ("TimeoutError", "OSError"),
    ("ReferenceError", "Exception"),
    ("RuntimeError", "Exception"),
    ("NotImplementedError", "RuntimeError"),
    ("RecursionError", "RuntimeError"),
    ("StopAsyncIteration", "Exception"),
    ("StopIteration", "Exception"),
    ("SyntaxError", "Exception"),
    ("IndentationError", "SyntaxError"),
    ("TabError", "IndentationError"),
    ("SystemError", "Exception"),
    ("TypeError", "Exception"),
    ("ValueError", "Exception"),
    ("UnicodeError", "ValueError"),
    ("UnicodeDecodeError", "UnicodeError"),
    ("UnicodeEncodeError", "UnicodeError"),
    ("UnicodeTranslateError", "UnicodeError"),
    ("Warning", "Exception"),
    ("DeprecationWarning", "Warning"),
    ("FutureWarning", "Warning"),
    ("RuntimeWarning", "Warning"),
    ("UserWarning", "Warning"),
];

/// True when catching `wide` also catches `narrow` and more. Of classes that are not Python's own only this is known:
/// `Exception` and `BaseException` are above them.
pub(super) fn is_ancestor(wide: &str, narrow: &str) -> bool {
    let parent = |name: &str| PARENTS.iter().find(|(child, _)| *child == name).map(|(_, parent)| *parent);
    let mut at = narrow;
    while let Some(above) = parent(at) {
        if above == wide {
            return true;
        }
        at = above;
    }
    match wide {
        "Exception" => parent(narrow).is_none() && narrow != "BaseException" && narrow != "Exception",
        "BaseException" => narrow != "BaseException",
        _ => false,
    }
}
