//! The walk for facts: opens and closes parts, keeps the stack of open nodes, collects raw facts and hands them to `seal`.
//!
//! Most of what it costs is going from node to node, so a node that tells nothing is left at once, and what is known by
//! its text alone (plain chains of names, strings, annotations) is not descended into.

use rustc_hash::FxHashSet;
use tree_sitter::{Node, Tree, TreeCursor};

use super::computed::Computed;
use super::digest::docstring;
use super::kinds::{KINDS, Kinds, Role};
use super::stack::{self, Stack};
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
    /// Index of the child that is visited.
    pub(super) child: u32,
    /// Where its text ends.
    end: usize,
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

/// Where the cursor is after a node was left.
enum Next {
    /// At a later child of the innermost open node, of this index.
    Child(u32),
    /// At the innermost open node itself: no other child follows.
    Above,
    /// Where it was, for the same reason.
    None,
}

/// Reads the facts out of a tree.
pub(super) fn read<'t>(content: ContentId, text: &'t str, tree: &'t Tree) -> FileFacts {
    let mut walk = Walk::new(content, text, tree);
    walk.run(tree);
    seal::seal(walk.raw)
}

/// The same by visiting every node.
#[cfg(test)]
pub(super) fn read_by_every_node<'t>(content: ContentId, text: &'t str, tree: &'t Tree) -> FileFacts {
    let mut walk = Walk::new(content, text, tree);
    walk.skips = false;
    walk.run(tree);
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
    pub(super) kinds: &'static Kinds,
    pub(super) raw: Raw,
    frames: Vec<Frame>,
    pub(super) stack: Stack<Open>,
    /// The tree holds errors: nodes may be missing.
    has_errors: bool,
    /// Nodes of which the text says where they end, and that tell nothing, are not visited: not where nodes may be missing.
    skips: bool,
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
            kinds: &KINDS,
            raw,
            frames: Vec::new(),
            stack: Stack::new(),
            has_errors: tree.root_node().has_error(),
            skips: !tree.root_node().has_error(),
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
            parameter: None,
        }
    }

    fn run(&mut self, tree: &'t Tree) {
        let breaks = self.text.bytes().filter(|byte| *byte == b'\n').count();
        let lines = (breaks + usize::from(!self.text.ends_with('\n'))).max(1) as u32;
        self.open_part(
            PartKind::Module,
            self.empty,
            PartPlace { start: 1, def: 1, end: lines, name_column: 0, name_len: 0 },
        );
        let mut cursor = tree.walk();
        'nodes: loop {
            let node = cursor.node();
            let role = self.kinds.role(node.kind_id());
            let mut end = node.end_byte();
            let mut open = Open { role, child: 0, end, usage: StringUse::Plain, opened_part: false, type_only: false };
            if self.enter(node, &cursor, &mut open) {
                if let Some(child) = self.first_child(&mut cursor, node.start_byte(), open.role) {
                    self.stack.push(Open { child, ..open });
                    continue;
                }
                self.leave(&open);
            }
            loop {
                match self.go_on(&mut cursor, end) {
                    Next::Child(child) => {
                        if let Some(top) = self.stack.last_mut() {
                            top.child = child;
                        }
                        break;
                    }
                    Next::Above => {}
                    Next::None if cursor.goto_parent() => {}
                    Next::None => break 'nodes,
                }
                if let Some(open) = self.stack.pop() {
                    end = open.end;
                    self.leave(&open);
                }
            }
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
        if self.has_errors && self.raw.problems.iter().all(|problem| problem.kind != ProblemKind::SyntaxError) {
            self.problem(tree.root_node());
        }
    }

    /// Whether nothing of interest follows a child of the innermost open node that ends there. To look for a sibling costs more
    /// than most nodes do.
    fn is_last(&self, end: usize) -> bool {
        let Some(around) = self.stack.last().filter(|_| self.skips) else { return false };
        // Behind the object of an attribute are a dot and a name, which the attribute told.
        around.end == end
            || around.role == Role::Attribute
            || (around.end == end + 1 && matches!(self.text.as_bytes().get(end), Some(b')' | b']' | b'}')))
    }

    /// Goes to the first child that may tell something, and gives its index. Tokens that a node begins with tell nothing, nor
    /// does the name of a function or of an argument here; the text says where they end.
    fn first_child(&self, cursor: &mut TreeCursor<'_>, start: usize, role: Role) -> Option<u32> {
        let rest = self.text.as_bytes().get(start..).filter(|_| self.skips).unwrap_or_default();
        // Anything else that begins so is longer: a bracket with what it encloses, a name that begins like a word.
        let length = match (rest, role) {
            (_, Role::KeywordArgument) => rest.iter().position(|byte| *byte == b'=').map(|at| at + 1),
            ([b'd', b'e', b'f', ..], Role::Function) => rest.iter().position(|byte| matches!(byte, b'(' | b'[')),
            ([b'(' | b'[' | b'{' | b'@', ..], _) => Some(1),
            ([b'i', b'f', b' ', ..], _) => Some(2),
            ([b'f', b'r', b'o', b'm', ..], _) => Some(4),
            // A block may begin with a `return` of nothing, which is a statement and no token.
            ([b'r', b'e', b't', b'u', b'r', b'n', ..], role) if !matches!(role, Role::Module | Role::Block) => Some(6),
            _ => None,
        };
        match length {
            Some(length) => cursor.goto_first_child_for_byte(start + length).map(|index| index as u32),
            None => cursor.goto_first_child().then_some(0),
        }
    }

    /// Goes from a node that ends there to the next sibling that may tell something. Of a token between the two that the text
    /// tells, the tree is not asked: to begin anew behind it costs less than two steps from sibling to sibling.
    fn go_on(&self, cursor: &mut TreeCursor<'_>, end: usize) -> Next {
        let Some(around) = self.stack.last().filter(|_| !self.is_last(end)) else { return Next::None };
        if let Some(behind) = self.behind_token(end, around.role)
            && cursor.goto_parent()
        {
            let next = cursor.goto_first_child_for_byte(behind);
            return next.map_or(Next::Above, |index| Next::Child(index as u32));
        }
        if cursor.goto_next_sibling() { Next::Child(around.child + 1) } else { Next::None }
    }

    /// Where a token ends that follows there and tells nothing.
    fn behind_token(&self, end: usize, around: Role) -> Option<usize> {
        if !self.skips || matches!(around, Role::Module | Role::Block) {
            return None;
        }
        let rest = self.text.as_bytes().get(end..)?;
        let space = rest.iter().take_while(|byte| **byte == b' ').count();
        let length = match rest[space..] {
            [b'=', b'=', ..] | [b':', b'=', ..] => return None,
            [b',' | b'=' | b':', ..] => 1,
            [b'[', ..] if around == Role::Subscript => 1,
            [b'-', b'>', ..] if around == Role::Function => 2,
            [b'i', b'm', b'p', b'o', b'r', b't', ..] if around == Role::ImportFrom => 6,
            _ => return None,
        };
        Some(end + space + length)
    }

    pub(super) fn slice(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.start_byte()..node.end_byte()).unwrap_or_default()
    }

    pub(super) fn part(&self) -> u32 {
        self.frames.last().map_or(0, |frame| frame.part)
    }

    pub(super) fn is_for_subclasses(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_for_subclasses)
    }

    /// Handles a node on the way down; true to descend.
    fn enter(&mut self, node: Node<'t>, cursor: &TreeCursor<'_>, open: &mut Open) -> bool {
        match open.role {
            Role::Comment | Role::Continuation => return false,
            Role::ExpressionStatement => return !self.is_docstring(node),
            _ => self.begin_statement(),
        }
        match open.role {
            Role::Token | Role::Leaf => {
                self.missing(node);
                return false;
            }
            Role::Identifier => {
                self.missing(node);
                self.identifier(node, cursor);
                return false;
            }
            Role::Async => {
                self.missing(node);
                if self.stack.parent_role() == Role::Function {
                    let part = self.part() as usize;
                    self.raw.parts[part].flags |= PartFlags::ASYNC;
                }
                return false;
            }
            Role::String => {
                let text = self.slice(node);
                self.string(node, text);
                return shapes::is_formatted(text);
            }
            Role::Error => self.problem(node),
            Role::Decorated => {
                if let Some(definition) = node.child_by_field_id(self.kinds.fields.definition) {
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
            Role::Attribute => return !self.attribute(node, cursor),
            Role::DottedName => {
                self.dotted_name(node, cursor);
                return false;
            }
            Role::Type => return !self.plain_type(node),
            Role::AliasedImport => self.aliased_import(node),
            Role::ImportFrom | Role::Import | Role::ImportFuture => {
                self.from = (self.empty, 0);
                self.silent_until = node.end_byte();
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
        !std::mem::replace(&mut frame.body_begun, true) && docstring(self.kinds, self.text, statement).is_some()
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
        let Some(name_node) = definition.child_by_field_id(self.kinds.fields.name) else { return false };
        let name = self.slice(name_node);
        let parent = self.part() as usize;
        let parent_name = self.raw.names.get(self.raw.parts[parent].local_name);
        if !opens_part(self.frames.len(), parent_name.len(), name.len()) {
            let line = line(definition);
            if !self.raw.problems.iter().any(|problem| problem.kind == ProblemKind::TooDeep) {
                self.raw.problems.push(Problem { kind: ProblemKind::TooDeep, line });
            }
            return false;
        }
        let local = (!parent_name.is_empty()).then(|| format!("{parent_name}.{name}"));
        let kind = self.kinds.definition(definition.kind_id(), self.raw.parts[parent].kind);
        let name_at = name_node.start_position();
        let place = PartPlace {
            start: line(outer),
            def: line(definition),
            end: last_line(outer),
            name_column: name_at.column as u32,
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
            let Some(arguments) = node.child_by_field_id(self.kinds.fields.superclasses) else { return };
            let mut cursor = arguments.walk();
            let mut more = cursor.goto_first_child();
            while more {
                let child = cursor.node();
                let role = self.kinds.role(child.kind_id());
                if role == Role::KeywordArgument && self.is_kind_of_classes(child) {
                    self.raw.parts[part].flags |= PartFlags::KEEPS_CLASS;
                }
                if child.is_named() && !matches!(role, Role::KeywordArgument | Role::Comment | Role::Continuation) {
                    // `Generic[T]` and `Base[int]` name their head.
                    let head = if role == Role::Subscript { child.child(0).unwrap_or(child) } else { child };
                    let base = self.chain(head).unwrap_or(self.unknown);
                    if self.is_made_by_a_call(base) {
                        self.raw.parts[part].flags |= PartFlags::KEEPS_CLASS;
                    }
                    self.raw.parts[part].bases.push(base);
                }
                more = cursor.goto_next_sibling();
            }
        } else if let Some(returns) = node.child_by_field_id(self.kinds.fields.return_type)
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
        let text = |field| argument.child_by_field_id(field).map(|node| self.slice(node)).unwrap_or_default();
        let last = text(self.kinds.fields.value).rsplit('.').next().unwrap_or_default();
        let is_own = matches!(last, "type" | "ABCMeta" | "EnumMeta" | "EnumType");
        text(self.kinds.fields.name) == "metaclass" && !is_own
    }

    fn decorator(&mut self, node: Node<'_>) {
        let part = self.part() as usize;
        // `@` comes first; a comment cannot stand between.
        let Some(expression) = node.child(1) else { return };
        let is_call = self.kinds.role(expression.kind_id()) == Role::Call;
        let head = if is_call { expression.child_by_field_id(self.kinds.fields.function) } else { Some(expression) };
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
        let fields = self.kinds.fields;
        let Some(arguments) = call.child_by_field_id(fields.arguments) else { return };
        let mut cursor = arguments.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            if let (Some(name), Some(value)) =
                (child.child_by_field_id(fields.name), child.child_by_field_id(fields.value))
            {
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
            more = cursor.goto_next_sibling();
        }
    }

    // Problems.

    /// What the parser put in where the text has nothing is a syntax error.
    fn missing(&mut self, node: Node<'_>) {
        if self.has_errors && node.is_missing() {
            self.problem(node);
        }
    }

    fn problem(&mut self, node: Node<'_>) {
        if self.raw.problems.len() < MAX_SYNTAX_ERRORS {
            self.raw.problems.push(Problem { kind: ProblemKind::SyntaxError, line: line(node) });
        }
    }
}

pub(super) fn line(node: Node<'_>) -> u32 {
    node.start_position().row as u32 + 1
}

/// The last line that holds text of the node: one that ends at the start of a line does not reach into it.
fn last_line(node: Node<'_>) -> u32 {
    let end = node.end_position();
    let row = if end.column == 0 { end.row.saturating_sub(1) } else { end.row };
    (row.max(node.start_position().row)) as u32 + 1
}
