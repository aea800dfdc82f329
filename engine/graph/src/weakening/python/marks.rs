//! Marks and decorators of tests, and the lists of cases that they hold.

use tree_sitter::Node;

use super::asks::Reach;
use super::{ALWAYS_SKIPPED, Cases, Context, Measure, Reader, is_setup};
use crate::change::syntax::{self, assignment, children, line_of, undecorated};

impl<'tree> Reader<'_, 'tree> {
    /// The dotted name of a decorator or mark, and its call if it is one.
    pub(super) fn mark_name(&self, node: Node<'tree>) -> Option<(String, Option<Node<'tree>>)> {
        let node = if node.kind() == "decorator" { *children(node).first()? } else { node };
        let node = self.resolved(node);
        if node.kind() == "call" {
            return Some((self.dotted(node.child_by_field_name("function")?)?, Some(node)));
        }
        Some((self.dotted(node)?, None))
    }

    /// Reads one decorator or element of `pytestmark`.
    pub(super) fn mark(&self, node: Node<'tree>, measure: &mut Measure) {
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
            // One that passes does not fail the run.
            let strict = call.and_then(|call| self.argument(call, usize::MAX, "strict"));
            if strict.is_none_or(|strict| self.text_of(strict) != "True") {
                measure.expected_failures.entry(format!("lenient {}", condition())).or_default().push(line);
            }
        } else if name == "given" {
            measure.given = true;
        } else if name == "settings" {
            if let Some(most) = call.and_then(|call| self.argument(call, usize::MAX, "max_examples")) {
                match self.text_of(self.resolved(most)).replace('_', "").parse() {
                    Ok(most) => measure.max_examples = Some(most),
                    Err(_) => measure.doubt("a number of examples is computed", &syntax::tokens(most, self.text), line),
                }
            }
        } else if name == "example" {
            measure.explicit_examples = measure.explicit_examples.saturating_add(1);
        } else if let ("parametrize" | "expand" | "parameterized" | "parameterized_class" | "data", Some(call)) =
            (name, call)
        {
            let cases = match (name, self.argument(call, usize::from(name == "parametrize"), "argvalues")) {
                ("data", Some(_)) => {
                    let arguments = call.child_by_field_name("arguments").map(children).unwrap_or_default();
                    Cases::Counted(arguments.len() as u64)
                }
                (_, Some(values)) => self.cases(values, 0),
                (_, None) => Cases::Unknown(syntax::tokens(call, self.text)),
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
        } else if let Some(mark) = dotted.strip_prefix("pytest.mark.") {
            if !HARMLESS_MARKS.contains(&mark) {
                measure.doubt("it got a mark by which settings may leave it out", mark, line);
            }
        } else if !is_harmless_decorator(&dotted) {
            measure.doubt("it got a decorator that may do anything with it", &dotted, line);
        }
    }

    /// What the form of a function makes doubtful: whether it runs at all.
    pub(super) fn doubts_of_form(
        &self,
        function: Node<'tree>,
        decorators: &[Node<'tree>],
        body: Node<'tree>,
        context: &Context,
        measure: &mut Measure,
    ) {
        let line = line_of(function);
        let is_async = function.child(0).is_some_and(|first| first.kind() == "async");
        let awaited = || {
            context.awaits
                || decorators.iter().any(|decorator| {
                    let text = self.text_of(*decorator);
                    ["asyncio", "anyio", "trio", "gen_test", "async"].iter().any(|word| text.contains(word))
                })
        };
        if is_async && !awaited() {
            measure.doubt("it became asynchronous, and nothing says what awaits it", "", line);
        }
        let mut yields = false;
        syntax::each_node(body, &mut |node| {
            yields |= node.kind() == "yield";
            !yields && !matches!(node.kind(), "function_definition" | "class_definition" | "lambda")
        });
        if yields && !is_async {
            measure.doubt("it became a generator, which pytest does not run", "", line);
        }
    }

    /// What a module or class body says about all tests in it: `pytestmark`, skips at import, skips while setting up.
    pub(super) fn marks_of_scope(&self, block: Node<'tree>, measure: &mut Measure) {
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
                    if matches!(name, "load_tests" | "pytest_generate_tests") {
                        let text = syntax::tokens(definition, self.text);
                        measure.doubt("the file itself chooses what is collected", &text, line_of(definition));
                    }
                    if (autouse || is_setup(name))
                        && let Some(body) = definition.child_by_field_name("body")
                    {
                        self.measure(body, &mut setup, 0, Reach::SURE);
                    }
                }
                "class_definition" => {}
                _ => {
                    self.measure(statement, &mut setup, 0, Reach::SURE);
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
    pub(super) fn argument(&self, call: Node<'tree>, position: usize, name: &str) -> Option<Node<'tree>> {
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
}

/// Marks that leave a test as it is, unless settings say otherwise in an unusual way.
const HARMLESS_MARKS: [&str; 22] = [
    "usefixtures",
    "filterwarnings",
    "asyncio",
    "anyio",
    "trio",
    "tornado",
    "twisted",
    "django_db",
    "urls",
    "timeout",
    "flaky",
    "xdist_group",
    "order",
    "dependency",
    "freeze_time",
    "vcr",
    "respx",
    "httpx_mock",
    "parametrize",
    "repeat",
    "enable_socket",
    "block_network",
];

/// Decorators that prepare what a test runs in, by their last name or their library.
fn is_harmless_decorator(dotted: &str) -> bool {
    const LAST: [&str; 24] = [
        "fixture",
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "cache",
        "lru_cache",
        "contextmanager",
        "asynccontextmanager",
        "dataclass",
        "wraps",
        "override_settings",
        "modify_settings",
        "override_config",
        "freeze_time",
        "travel",
        "activate",
        "use_cassette",
        "unpack",
        "seed",
        "reproduce_failure",
        "mock_aws",
        "setter",
        "abstractmethod",
    ];
    let last = dotted.rsplit('.').next().unwrap_or(dotted);
    LAST.contains(&last)
        || dotted.split('.').any(|segment| matches!(segment, "patch" | "mock" | "hypothesis" | "typing" | "functools"))
        || last.starts_with("mock_")
}
