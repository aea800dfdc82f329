//! The walk for facts: opens and closes parts, keeps the stack of open nodes, collects raw facts and hands them to `seal`.
//!
//! What is known by its text alone (plain chains of names, strings, annotations) is not descended into.

use rustc_hash::FxHashSet;

use super::computed::Computed;
use super::kinds::{Field, Role, defined};
use super::stack::{self, Stack};
use super::tree::{Detail, Node, Tree};
use crate::code::PartKind;
use crate::extract::names::Names;
use crate::extract::raw::{Raw, RawPart};
use crate::extract::seal;
use crate::extract::shapes;
use crate::facts::{ContentId, FileFacts, ImportForm, NameId, PartFlags, PartPlace, Problem, ProblemKind, StringUse};

/// Deeper definitions belong to the part around them; Python itself stops at 100 levels of indentation.
const MAX_PART_DEPTH: usize = 100;
/// Longest local name of a part, in bytes.
const MAX_LOCAL_NAME: usize = 512;
/// Longest chain of names that is kept, in bytes.
pub(super) const MAX_CHAIN: usize = 256;
/// Syntax errors that are listed.
const MAX_SYNTAX_ERRORS: usize = 20;

/// True when a definition becomes a part of its own, by how many parts are open around it and how long names are.
pub(super) fn opens_part(open_parts: usize, parent_name_length: usize, name_length: usize) -> bool {
    open_parts <= MAX_PART_DEPTH && parent_name_length + name_length < MAX_LOCAL_NAME
}

/// A part whose end was not reached.
struct Frame {
    part: u32,
    /// A statement of the body was seen: no docstring can follow.
    body_begun: bool,
    /// An `__init_subclass__`, or what is in one.
    is_for_subclasses: bool,
}

/// A node whose end was not reached.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) role: Role,
    /// Its row, and the one behind it and all below it.
    pub(super) at: usize,
    behind: usize,
    /// Index of the child that is visited.
    pub(super) child: u32,
    /// What string arguments say, for calls; kept through argument lists.
    pub(super) usage: StringUse,
    /// A part began with this node.
    pub(super) opened_part: bool,
    /// Its imports are for type checkers, until it ends.
    type_only: bool,
}

impl stack::Open for Open {
    fn role(&self) -> Role {
        self.role
    }

    fn opened_part(&self) -> bool {
        self.opened_part
    }
}

/// Reads the facts out of a tree.
pub(super) fn read<'t>(content: ContentId, text: &'t str, tree: &'t Tree) -> FileFacts {
    let mut walk = Walk::new(content, text, tree);
    walk.run();
    seal::seal(walk.raw)
}

/// How a file finds what lies around it.
#[derive(Default)]
pub(super) struct Anchored<'t> {
    /// It has a `__file__`.
    pub(super) asks: bool,
    /// Parts that have one.
    pub(super) parts: Vec<u32>,
    /// It goes up more than once: by one chain, from several heads, by calls.
    pub(super) leaves: bool,
    pub(super) heads: FxHashSet<&'t str>,
    pub(super) calls: usize,
}

pub(super) struct Walk<'t> {
    pub(super) text: &'t str,
    pub(super) tree: &'t Tree,
    pub(super) raw: Raw,
    frames: Vec<Frame>,
    pub(super) stack: Stack<Open>,
    /// References before this offset are part of one that was recorded.
    pub(super) silent_until: usize,
    pub(super) type_only: u32,
    pub(super) guarded: u32,
    pub(super) in_decorator: u32,
    /// Variables that parts set to a name, and calls of `getattr` by a variable.
    pub(super) computed: Computed<'t>,
    /// Names that imports bind whose calls start processes.
    pub(super) processes: FxHashSet<&'t str>,
    /// Parts that run text, and parts that read files.
    pub(super) executes: FxHashSet<u32>,
    pub(super) reads: FxHashSet<u32>,
    /// Where the file says where it lies, and how often it goes up from somewhere.
    pub(super) anchored: Anchored<'t>,
    /// Some call may ask for something by a name that is a value.
    pub(super) dispatches: bool,
    /// Classes that `__init_subclass__` gave to others and that were looked up.
    pub(super) looks: usize,
    /// Module and level of the `from` that is being read.
    pub(super) from: (NameId, u16),
    empty: NameId,
    pub(super) unknown: NameId,
    /// The last place of which the column was asked, and where its line begins.
    passed: usize,
    line_start: usize,
    /// The parameter with a type or a default that is being read.
    pub(super) parameter: Option<Node<'t>>,
}

impl<'t> Walk<'t> {
    fn new(content: ContentId, text: &'t str, tree: &'t Tree) -> Self {
        let mut names = Names::default();
        let empty = names.intern("");
        let unknown = names.intern("?");
        let raw = Raw {
            content,
            names,
            parts: Vec::new(),
            places: Vec::new(),
            imports: Vec::new(),
            references: Vec::new(),
            bindings: Vec::new(),
            strings: Vec::new(),
            all: None,
            problems: Vec::new(),
            generated: shapes::says_generated(text),
        };
        Self {
            text,
            tree,
            raw,
            frames: Vec::new(),
            stack: Stack::new(),
            silent_until: 0,
            type_only: 0,
            guarded: 0,
            in_decorator: 0,
            computed: Computed::default(),
            processes: FxHashSet::default(),
            executes: FxHashSet::default(),
            reads: FxHashSet::default(),
            anchored: Anchored { asks: text.contains("__file__"), ..Anchored::default() },
            dispatches: ["getattr", "setattr", "getfixturevalue", "globals(", "locals(", "vars(", "exec("]
                .iter()
                .any(|name| text.contains(name)),
            looks: 0,
            from: (empty, 0),
            empty,
            unknown,
            passed: 0,
            line_start: 0,
            parameter: None,
        }
    }

    fn run(&mut self) {
        let breaks = self.text.bytes().filter(|byte| *byte == b'\n').count();
        let lines = (breaks + usize::from(!self.text.ends_with('\n'))).max(1) as u32;
        self.open_part(
            PartKind::Module,
            self.empty,
            PartPlace { start: 1, def: 1, end: lines, name_column: 0, name_len: 0 },
        );
        let rows = self.tree.rows.len();
        let mut at = 0;
        while at < rows {
            while let Some(open) = self.stack.last().copied().filter(|open| open.behind <= at) {
                self.stack.pop();
                self.leave(&open);
            }
            if let Some(around) = self.stack.last_mut() {
                around.child = around.child.wrapping_add(1);
            }
            let node = self.tree.node(at);
            let mut open = Open {
                role: node.role(),
                at,
                behind: node.behind(),
                child: u32::MAX,
                usage: StringUse::Plain,
                opened_part: false,
                type_only: false,
            };
            if self.enter(node, &mut open) {
                self.stack.push(open);
                at += 1;
            } else {
                at = open.behind;
            }
        }
        while let Some(open) = self.stack.pop() {
            self.leave(&open);
        }
        self.computed_names();
        // Whoever asks a class for those below keeps nothing and finds all the same.
        if self.text.contains("__subclasses__") {
            for part in self.raw.parts.iter_mut().filter(|part| part.kind == PartKind::Class) {
                part.flags |= PartFlags::KEEPS_CLASS;
            }
        }
        for part in self.executes.intersection(&self.reads) {
            self.raw.parts[*part as usize].flags |= PartFlags::COMPUTED_IMPORT;
        }
        let anchored = std::mem::take(&mut self.anchored);
        if anchored.leaves || anchored.heads.len() > 1 || anchored.calls > 1 {
            for part in anchored.parts {
                self.raw.parts[part as usize].flags |= PartFlags::LEAVES_FOLDER;
            }
        }
        if self.tree.has_errors && self.raw.problems.iter().all(|problem| problem.kind != ProblemKind::SyntaxError) {
            self.problem(self.tree.root());
        }
    }

    pub(super) fn slice(&self, node: Node<'_>) -> &'t str {
        node.slice(self.text)
    }

    pub(super) fn part(&self) -> u32 {
        self.frames.last().map_or(0, |frame| frame.part)
    }

    pub(super) fn is_for_subclasses(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_for_subclasses)
    }

    /// Handles a node on the way down; true to descend.
    fn enter(&mut self, node: Node<'t>, open: &mut Open) -> bool {
        match open.role {
            Role::ExpressionStatement => return !self.is_docstring(node),
            _ => self.begin_statement(),
        }
        match open.role {
            Role::Token | Role::Leaf | Role::Piece => {
                self.missing(node);
                return false;
            }
            Role::Identifier => {
                self.missing(node);
                self.identifier(node);
                return false;
            }
            Role::String => {
                let text = self.slice(node);
                self.string(node, text);
                return shapes::is_formatted(text);
            }
            Role::Error => self.problem(node),
            Role::Decorated => {
                if let Some(definition) = node.child_of(Field::Definition) {
                    open.opened_part = self.open_definition(definition, node);
                }
            }
            Role::Function | Role::Class => {
                let decorated = self.stack.parent_is_decorated_part();
                if !decorated {
                    open.opened_part = self.open_definition(node, node);
                }
                if decorated || open.opened_part {
                    self.definition_header(node, open.role);
                }
                if node.detail() == Detail::Async {
                    let part = self.part() as usize;
                    self.raw.parts[part].flags |= PartFlags::ASYNC;
                }
            }
            Role::Decorator => {
                self.in_decorator += 1;
                self.decorator(node);
            }
            Role::Arguments => {
                if let Some(parent) = self.stack.last() {
                    open.usage = parent.usage;
                }
            }
            Role::Attribute => return !self.attribute(node),
            Role::DottedName => {
                self.dotted_name(node);
                return false;
            }
            Role::Type => return !self.plain_type(node),
            Role::AliasedImport => self.aliased_import(node),
            Role::ImportFrom | Role::Import | Role::ImportFuture => {
                self.from = (self.empty, 0);
                self.silent_until = node.end();
            }
            Role::RelativeImport => self.relative_import(node),
            Role::WildcardImport => {
                let (module, level) = self.from;
                self.import(node, ImportForm::Star, level, module, NameId::NONE, NameId::NONE);
            }
            Role::Call if self.dispatches => self.dispatch(node),
            Role::Assignment => self.assignment(node),
            Role::AugmentedAssignment => self.augmented(node),
            Role::NamedExpression => self.named_expression(node),
            Role::AsPattern => self.as_pattern(node),
            Role::If => open.type_only = self.asks_for_type_checking(node),
            Role::Block if self.stack.last().is_some_and(|parent| parent.role == Role::If && parent.type_only) => {
                open.type_only = true;
                self.type_only += 1;
            }
            Role::Try => self.guarded += 1,
            Role::TypedParameter | Role::DefaultParameter => self.parameter = Some(node),
            Role::TypeAlias => self.type_alias(node),
            _ => {}
        }
        true
    }

    fn leave(&mut self, open: &Open) {
        match open.role {
            Role::Block if open.type_only => self.type_only -= 1,
            Role::Try => self.guarded -= 1,
            Role::Decorator => self.in_decorator -= 1,
            _ => {}
        }
        if open.opened_part {
            self.frames.pop();
        }
    }

    /// Statements of a body end the chance of a docstring.
    fn begin_statement(&mut self) {
        let Some(parent) = self.stack.last() else { return };
        if matches!(parent.role, Role::Module | Role::Block)
            && self.stack.in_body()
            && let Some(frame) = self.frames.last_mut()
        {
            frame.body_begun = true;
        }
    }

    /// True for the statement that is the docstring of a part.
    fn is_docstring(&mut self, statement: Node<'_>) -> bool {
        if !self.stack.in_body() {
            return false;
        }
        let Some(frame) = self.frames.last_mut() else { return false };
        !std::mem::replace(&mut frame.body_begun, true) && is_docstring(self.text, statement)
    }

    /// `if TYPE_CHECKING:`, by whatever name the module has.
    fn asks_for_type_checking(&self, node: Node<'_>) -> bool {
        let condition = self.slice(node).strip_prefix("if").unwrap_or_default().trim_start();
        let end = condition.find(|char: char| !(char.is_alphanumeric() || char == '_' || char == '.'));
        let (name, rest) = condition.split_at(end.unwrap_or(condition.len()));
        (name == "TYPE_CHECKING" || name.ends_with(".TYPE_CHECKING")) && rest.trim_start().starts_with(':')
    }

    // Parts.

    /// Opens the part of a definition; `outer` is the decorated definition where there is one. False when nested too deeply.
    fn open_definition(&mut self, definition: Node<'_>, outer: Node<'_>) -> bool {
        let Some(name_node) = definition.child_of(Field::Name) else { return false };
        let name = self.slice(name_node);
        let parent = self.part() as usize;
        let parent_name = self.raw.names.get(self.raw.parts[parent].local_name);
        if !opens_part(self.frames.len(), parent_name.len(), name.len()) {
            let line = definition.line();
            if !self.raw.problems.iter().any(|problem| problem.kind == ProblemKind::TooDeep) {
                self.raw.problems.push(Problem { kind: ProblemKind::TooDeep, line });
            }
            return false;
        }
        let local = (!parent_name.is_empty()).then(|| format!("{parent_name}.{name}"));
        let kind = defined(definition.role(), self.raw.parts[parent].kind);
        let place = PartPlace {
            start: outer.line(),
            def: definition.line(),
            end: self.last_line(outer),
            name_column: self.column(name_node.start()),
            name_len: name.len() as u32,
        };
        let name = self.raw.names.intern(name);
        self.open_part(kind, name, place);
        let part = self.part() as usize;
        self.raw.parts[part].local_name = local.map_or(name, |local| self.raw.names.intern(&local));
        self.raw.parts[part].parent = parent as u32;
        let is_named = ["test", "Test"].iter().any(|start| self.raw.names.get(name).starts_with(start));
        if (is_named || kind == PartKind::Class) && !self.stack.in_body() {
            self.raw.parts[part].flags |= PartFlags::CONDITIONAL;
        }
        true
    }

    fn open_part(&mut self, kind: PartKind, name: NameId, place: PartPlace) {
        let part = self.raw.parts.len() as u32;
        self.raw.parts.push(RawPart {
            kind,
            flags: PartFlags::empty(),
            name,
            local_name: name,
            parent: u32::MAX,
            decorators: Vec::new(),
            bases: Vec::new(),
            parameters: Vec::new(),
            returns: NameId::NONE,
            fixture_name: NameId::NONE,
            locals: Vec::new(),
            outer_names: Vec::new(),
        });
        self.raw.places.push(place);
        // What stands in such a function may hand the class on later.
        for frame in self.frames.iter().filter(|frame| frame.is_for_subclasses) {
            self.raw.parts[frame.part as usize].flags |= PartFlags::KEEPS_CLASS;
        }
        let is_for_subclasses = self.is_for_subclasses() || self.raw.names.get(name) == "__init_subclass__";
        self.frames.push(Frame { part, body_begun: false, is_for_subclasses });
    }

    /// Bases and return type, read at the definition.
    fn definition_header(&mut self, node: Node<'_>, role: Role) {
        let part = self.part() as usize;
        if role == Role::Class {
            let Some(arguments) = node.child_of(Field::Superclasses) else { return };
            for child in arguments.children() {
                if child.role() == Role::KeywordArgument {
                    if self.is_kind_of_classes(child) {
                        self.raw.parts[part].flags |= PartFlags::KEEPS_CLASS;
                    }
                    continue;
                }
                // `Generic[T]` and `Base[int]` name their head.
                let head = if child.role() == Role::Subscript { child.child(0).unwrap_or(child) } else { child };
                let base = self.chain(head).unwrap_or(self.unknown);
                if self.is_made_by_a_call(base) {
                    self.raw.parts[part].flags |= PartFlags::KEEPS_CLASS;
                }
                self.raw.parts[part].bases.push(base);
            }
        } else if let Some(returns) = node.child_of(Field::ReturnType)
            && let Some(name) = shapes::annotated_name(self.slice(returns))
            && name.len() <= MAX_CHAIN
        {
            self.raw.parts[part].returns = self.raw.names.intern(name);
        }
    }

    /// A base that is made by a call, such as `with_metaclass(Registry)`: but for tuples with names, what it keeps is not known.
    fn is_made_by_a_call(&self, base: NameId) -> bool {
        let base = self.raw.names.get(base);
        let callee = base.strip_suffix("()").unwrap_or_default();
        !callee.is_empty() && !matches!(callee.rsplit('.').next(), Some("namedtuple" | "NamedTuple" | "TypedDict"))
    }

    /// `metaclass=` of another than Python's own.
    fn is_kind_of_classes(&self, argument: Node<'_>) -> bool {
        let text = |field| argument.child_of(field).map(|node| self.slice(node)).unwrap_or_default();
        let last = text(Field::Value).rsplit('.').next().unwrap_or_default();
        let is_own = matches!(last, "type" | "ABCMeta" | "EnumMeta" | "EnumType");
        text(Field::Name) == "metaclass" && !is_own
    }

    fn decorator(&mut self, node: Node<'_>) {
        let part = self.part() as usize;
        let Some(expression) = node.child(0) else { return };
        let is_call = expression.role() == Role::Call;
        let head = if is_call { expression.child_of(Field::Function) } else { Some(expression) };
        let chain = head.and_then(|head| self.chain(head)).unwrap_or(self.unknown);
        let name = self.raw.names.get(chain);
        let flag = match shapes::split_last(name).map_or(name, |(_, last)| last) {
            "fixture" => PartFlags::FIXTURE,
            "property" | "cached_property" | "setter" | "getter" | "deleter" | "hybrid_property" => PartFlags::PROPERTY,
            "staticmethod" => PartFlags::STATIC,
            "classmethod" => PartFlags::CLASS_METHOD,
            _ => PartFlags::empty(),
        };
        self.raw.parts[part].flags |= flag;
        self.raw.parts[part].decorators.push(chain);
        if flag == PartFlags::FIXTURE && is_call {
            self.fixture_arguments(expression, part);
        }
    }

    fn fixture_arguments(&mut self, call: Node<'_>, part: usize) {
        let Some(arguments) = call.child_of(Field::Arguments) else { return };
        for child in arguments.children() {
            let (Some(name), Some(value)) = (child.child_of(Field::Name), child.child_of(Field::Value)) else {
                continue;
            };
            match self.slice(name) {
                // What is computed may be true.
                "autouse" if self.slice(value) != "False" => self.raw.parts[part].flags |= PartFlags::AUTOUSE,
                "name" => {
                    if let Some(text) = shapes::literal_content(self.slice(value)) {
                        self.raw.parts[part].fixture_name = self.raw.names.intern(text);
                    }
                }
                _ => {}
            }
        }
    }

    // Problems.

    /// What the parser put in where the text has nothing is a syntax error.
    fn missing(&mut self, node: Node<'_>) {
        if node.detail() == Detail::Missing {
            self.problem(node);
        }
    }

    fn problem(&mut self, node: Node<'_>) {
        if self.raw.problems.len() < MAX_SYNTAX_ERRORS {
            self.raw.problems.push(Problem { kind: ProblemKind::SyntaxError, line: node.line() });
        }
    }

    // Places.

    /// Bytes between the start of its line and a place. Places are asked for in the order of the text.
    fn column(&mut self, at: usize) -> u32 {
        let passed = self.text.as_bytes().get(self.passed..at).unwrap_or_default();
        if let Some(newline) = memchr::memrchr(b'\n', passed) {
            self.line_start = self.passed + newline + 1;
        }
        self.passed = at;
        (at - self.line_start) as u32
    }

    /// The last line that holds text of the node: one that ends at the start of a line does not reach into it.
    fn last_line(&self, node: Node<'_>) -> u32 {
        let text = self.text.as_bytes().get(node.start()..node.end()).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        node.line() + memchr::memchr_iter(b'\n', text).count() as u32
    }
}

/// Whether a statement is a plain string and nothing else, as docstrings are.
fn is_docstring(text: &str, statement: Node<'_>) -> bool {
    let string = statement.child(0).filter(|string| string.role() == Role::String && string.end() == statement.end());
    let text = string.map_or("", |string| string.slice(text));
    text.trim_start_matches(['r', 'R', 'u', 'U']).starts_with(['"', '\''])
}
