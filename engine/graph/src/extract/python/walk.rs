//! The walk itself: keeps a frame per open part and a stack of open nodes, collects raw facts, and hands them to `seal`.

use std::cell::RefCell;

use tree_sitter::{Node, Tree, TreeCursor};

use super::kinds::{KINDS, Kinds, Role};
use super::seal;
use crate::code::PartKind;
use crate::extract::names::Names;
use crate::extract::shapes;
use crate::facts::{
    BindingForm, ContentId, Digest, FileFacts, ImportForm, NameId, PartDigests, PartFlags, PartPlace, Problem,
    ProblemKind, StringUse,
};

/// Deeper definitions belong to the part around them; Python itself stops at 100 levels of indentation.
const MAX_PART_DEPTH: usize = 100;
/// Longest local name of a part, in bytes.
const MAX_LOCAL_NAME: usize = 512;
/// Longest chain of names that is kept, in bytes.
const MAX_CHAIN: usize = 256;
/// Largest buffer that is kept for the next part, in bytes.
const MAX_SPARE: usize = 1024 * 1024;
/// Syntax errors that are listed.
const MAX_SYNTAX_ERRORS: usize = 20;

/// A part while its facts are raw: names are those of [`Names`].
#[derive(Debug)]
pub(super) struct RawPart {
    pub(super) kind: PartKind,
    pub(super) flags: PartFlags,
    pub(super) name: NameId,
    pub(super) local_name: NameId,
    pub(super) parent: u32,
    pub(super) decorators: Vec<NameId>,
    pub(super) bases: Vec<NameId>,
    pub(super) parameters: Vec<NameId>,
    pub(super) returns: NameId,
    pub(super) fixture_name: NameId,
    /// Names bound in the part's own scope by anything but imports and nested parts.
    pub(super) locals: Vec<NameId>,
    /// Names declared `global` or `nonlocal`.
    pub(super) outer_names: Vec<NameId>,
}

pub(super) struct RawImport {
    pub(super) part: u32,
    pub(super) line: u32,
    pub(super) form: ImportForm,
    pub(super) level: u16,
    pub(super) module: NameId,
    pub(super) name: NameId,
    pub(super) alias: NameId,
    pub(super) type_only: bool,
    pub(super) guarded: bool,
}

pub(super) struct RawReference {
    pub(super) part: u32,
    pub(super) line: u32,
    pub(super) chain: NameId,
    pub(super) is_call: bool,
    pub(super) in_decorator: bool,
}

#[derive(Clone, Copy)]
pub(super) struct RawBinding {
    pub(super) part: u32,
    pub(super) target: NameId,
    pub(super) on_self: bool,
    pub(super) form: BindingForm,
    pub(super) source: NameId,
}

pub(super) struct RawString {
    pub(super) part: u32,
    pub(super) line: u32,
    pub(super) text: NameId,
    pub(super) usage: StringUse,
}

/// Everything the walk collected.
pub(super) struct Raw {
    pub(super) content: ContentId,
    pub(super) names: Names,
    pub(super) parts: Vec<RawPart>,
    pub(super) places: Vec<PartPlace>,
    pub(super) digests: Vec<PartDigests>,
    pub(super) imports: Vec<RawImport>,
    pub(super) references: Vec<RawReference>,
    pub(super) bindings: Vec<RawBinding>,
    pub(super) strings: Vec<RawString>,
    pub(super) all: Option<Vec<NameId>>,
    pub(super) problems: Vec<Problem>,
    pub(super) generated: bool,
}

/// Which buffer of a frame tokens go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Signature,
    Decorators,
    Body,
    Docstring,
}

/// The canonical text of one part, as far as read.
#[derive(Default)]
struct Buffers {
    signature: Vec<u8>,
    decorators: Vec<u8>,
    body: Vec<u8>,
    docstring: Vec<u8>,
    comments: Vec<u8>,
    /// Where in `body` nested parts are marked.
    nested: Vec<(usize, usize)>,
}

impl Buffers {
    fn clear(&mut self) {
        self.signature.clear();
        self.decorators.clear();
        self.body.clear();
        self.docstring.clear();
        self.comments.clear();
        self.nested.clear();
    }
}

/// A part whose end was not reached.
struct Frame {
    part: u32,
    section: Section,
    buffers: Buffers,
    /// A statement of the body was seen: no docstring can follow.
    body_begun: bool,
    has_doctest: bool,
}

/// A node whose end was not reached.
#[derive(Clone, Copy)]
struct Open {
    role: Role,
    /// Index of the child that is visited.
    child: u32,
    /// What string arguments say, for calls; kept through argument lists.
    usage: StringUse,
    /// Its structure was written to a buffer.
    marked: bool,
    /// A part began with this node.
    opened_part: bool,
    /// Its imports are for type checkers, until it ends.
    type_only: bool,
    /// The docstring statement of a part.
    docstring: bool,
}

/// Reads the facts out of a tree.
pub(super) fn read(content: ContentId, text: &str, tree: &Tree) -> FileFacts {
    let mut walk = Walk::new(content, text);
    walk.spare = SPARE.take();
    walk.run(tree);
    SPARE.set(walk.spare);
    seal::seal(walk.raw)
}

thread_local! {
    /// Buffers of files read before, to be filled again.
    static SPARE: RefCell<Vec<Buffers>> = const { RefCell::new(Vec::new()) };
}

struct Walk<'t> {
    text: &'t str,
    kinds: &'static Kinds,
    raw: Raw,
    frames: Vec<Frame>,
    spare: Vec<Buffers>,
    stack: Vec<Open>,
    /// End of the last token, to see text that no token covers.
    last_end: usize,
    /// References before this offset are part of one that was recorded.
    silent_until: usize,
    /// Tokens before this offset were written already.
    written_until: usize,
    type_only: u32,
    guarded: u32,
    in_decorator: u32,
    /// Module and level of the `from` that is being read.
    from: (NameId, u16),
    empty: NameId,
    unknown: NameId,
}

impl<'t> Walk<'t> {
    fn new(content: ContentId, text: &'t str) -> Self {
        let mut names = Names::default();
        let empty = names.intern("");
        let unknown = names.intern("?");
        let raw = Raw {
            content,
            names,
            parts: Vec::new(),
            places: Vec::new(),
            digests: Vec::new(),
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
            spare: Vec::new(),
            stack: Vec::with_capacity(64),
            last_end: 0,
            silent_until: 0,
            written_until: 0,
            type_only: 0,
            guarded: 0,
            in_decorator: 0,
            from: (empty, 0),
            empty,
            unknown,
        }
    }

    fn run(&mut self, tree: &Tree) {
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
            let mut open = Open {
                role,
                child: 0,
                usage: StringUse::Plain,
                marked: false,
                opened_part: false,
                type_only: false,
                docstring: false,
            };
            if self.enter(node, &cursor, &mut open) {
                if cursor.goto_first_child() {
                    self.stack.push(open);
                    continue;
                }
                // Named, but without children: its text is all it says.
                self.write_leaf(node, self.slice(node));
                self.leave(&open);
            }
            loop {
                if cursor.goto_next_sibling() {
                    if let Some(top) = self.stack.last_mut() {
                        top.child += 1;
                    }
                    break;
                }
                if !cursor.goto_parent() {
                    break 'nodes;
                }
                if let Some(open) = self.stack.pop() {
                    self.leave(&open);
                }
            }
        }
        if tree.root_node().has_error()
            && self.raw.problems.iter().all(|problem| problem.kind != ProblemKind::SyntaxError)
        {
            self.problem(tree.root_node());
        }
        let tail = self.text.len();
        self.write_gap(tail);
        while !self.frames.is_empty() {
            self.close_part();
        }
    }

    fn slice(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.start_byte()..node.end_byte()).unwrap_or_default()
    }

    fn parent_role(&self) -> Role {
        self.stack.last().map_or(Role::Module, |open| open.role)
    }

    fn grandparent_role(&self) -> Role {
        self.stack.iter().rev().nth(1).map_or(Role::Module, |open| open.role)
    }

    fn part(&self) -> u32 {
        self.frames.last().map_or(0, |frame| frame.part)
    }

    /// Handles a node on the way down; true to descend.
    fn enter(&mut self, node: Node<'_>, cursor: &TreeCursor<'_>, open: &mut Open) -> bool {
        match open.role {
            Role::Token => {
                self.write_token(node);
                return false;
            }
            Role::Identifier => {
                self.identifier(node, cursor);
                return false;
            }
            Role::Leaf => {
                if node.is_missing() {
                    self.problem(node);
                }
                self.begin_section(open.role);
                self.write_leaf(node, self.slice(node));
                return false;
            }
            Role::Comment => {
                self.comment(node);
                return false;
            }
            Role::Continuation => {
                self.write_gap(node.start_byte());
                self.last_end = node.end_byte();
                return false;
            }
            Role::Async => {
                if self.parent_role() == Role::Function {
                    let part = self.part() as usize;
                    self.raw.parts[part].flags |= PartFlags::ASYNC;
                }
                self.write_token(node);
                return false;
            }
            _ => {}
        }
        self.begin_section(open.role);
        match open.role {
            Role::Module => return true,
            Role::String => {
                let text = self.slice(node);
                self.string(node, text);
                let prefix = text.bytes().take_while(u8::is_ascii_alphabetic);
                if !prefix.into_iter().any(|byte| matches!(byte, b'f' | b'F' | b't' | b'T')) {
                    self.write_leaf(node, text);
                    return false;
                }
            }
            Role::Verbatim => {
                let text = self.slice(node);
                self.write_text(node.kind_id(), text);
            }
            Role::Error => self.problem(node),
            Role::Decorated => {
                if let Some(definition) = node.child_by_field_id(self.kinds.fields.definition) {
                    open.opened_part = self.open_definition(definition, node);
                }
            }
            Role::Function | Role::Class => {
                if self.parent_role() != Role::Decorated || !self.stack.last().is_some_and(|parent| parent.opened_part)
                {
                    open.opened_part = self.open_definition(node, node);
                }
                if self.defines_part(open) {
                    self.definition_header(node, open.role);
                }
            }
            Role::Decorator => {
                self.in_decorator += 1;
                self.decorator(node);
            }
            Role::Call => {}
            Role::Arguments => {
                if let Some(parent) = self.stack.last() {
                    open.usage = parent.usage;
                }
            }
            Role::Attribute if self.attribute(node, cursor) => return false,
            Role::DottedName => {
                self.dotted_name(node, cursor);
                return false;
            }
            Role::Type => {
                let text = self.slice(node);
                if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.') {
                    if !matches!(text, "None" | "True" | "False") {
                        self.reference(node, text, false);
                    }
                    self.write_leaf(node, text);
                    return false;
                }
            }
            Role::AliasedImport => self.aliased_import(node),
            Role::ImportFrom | Role::Import | Role::ImportFuture => {
                self.from = (self.empty, 0);
                self.silent_until = node.end_byte();
            }
            Role::RelativeImport => {
                let text: String =
                    self.slice(node).chars().filter(|char| !char.is_whitespace() && *char != '\\').collect();
                let level = text.chars().take_while(|char| *char == '.').count();
                let module = self.raw.names.intern(text.get(level..).unwrap_or_default());
                self.from = (module, level.min(usize::from(u16::MAX)) as u16);
            }
            Role::WildcardImport => {
                let (module, level) = self.from;
                self.import(node, ImportForm::Star, level, module, NameId::NONE, NameId::NONE);
            }
            Role::Assignment => self.assignment(node),
            Role::AugmentedAssignment => self.augmented(node),
            Role::NamedExpression => {
                let fields = self.kinds.fields;
                if let (Some(name), Some(value)) =
                    (node.child_by_field_id(fields.name), node.child_by_field_id(fields.value))
                {
                    self.bind_value(name, value);
                }
            }
            Role::AsPattern => {
                if let (Some(value), Some(alias)) = (node.child(0), node.child_by_field_id(self.kinds.fields.alias))
                    && let Some(target) = alias.child(0)
                {
                    self.bind_value(target, value);
                }
            }
            Role::If => {
                let condition = self.slice(node).strip_prefix("if").unwrap_or_default().trim_start();
                let end = condition.find(|char: char| !(char.is_alphanumeric() || char == '_' || char == '.'));
                let (name, rest) = condition.split_at(end.unwrap_or(condition.len()));
                open.type_only =
                    (name == "TYPE_CHECKING" || name.ends_with(".TYPE_CHECKING")) && rest.trim_start().starts_with(':');
            }
            Role::Block => {
                if let Some(parent) = self.stack.last()
                    && parent.role == Role::If
                    && parent.type_only
                {
                    open.type_only = true;
                    self.type_only += 1;
                }
            }
            Role::Try => self.guarded += 1,
            Role::TypeAlias => {
                if let Some(left) = node.child_by_field_id(self.kinds.fields.left) {
                    let text = self.slice(left);
                    if shapes::is_identifier(text) {
                        self.bind_local(text);
                    }
                }
            }
            Role::ExpressionStatement => open.docstring = self.docstring(node),
            _ => {}
        }
        self.write_open(node, open);
        true
    }

    /// True where the node is the definition of the innermost part.
    fn defines_part(&self, open: &Open) -> bool {
        open.opened_part || self.stack.last().is_some_and(|parent| parent.role == Role::Decorated && parent.opened_part)
    }

    /// Children of a definition say which piece of the part they are; statements of a body end the chance of a docstring.
    fn begin_section(&mut self, role: Role) {
        let Some(parent) = self.stack.last() else { return };
        let section = match (parent.role, role) {
            (Role::Function | Role::Class, _) if !self.stack_defines(self.stack.len() - 1) => return,
            (Role::Function | Role::Class, Role::Block) => Section::Body,
            (Role::Class, Role::Arguments) => Section::Decorators,
            (Role::Function | Role::Class, _) => Section::Signature,
            (Role::Module | Role::Block, Role::ExpressionStatement) => return,
            (Role::Module | Role::Block, _) => {
                if self.in_body()
                    && let Some(frame) = self.frames.last_mut()
                {
                    frame.body_begun = true;
                }
                return;
            }
            _ => return,
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.section = section;
        }
    }

    /// True when the innermost open node is the body of a part.
    fn in_body(&self) -> bool {
        match self.parent_role() {
            Role::Module => true,
            Role::Block => {
                matches!(self.grandparent_role(), Role::Function | Role::Class)
                    && self.stack_defines(self.stack.len() - 2)
            }
            _ => false,
        }
    }

    /// True when the open node at `index` is the definition of a part (and not one that was nested too deeply).
    fn stack_defines(&self, index: usize) -> bool {
        self.stack.get(index).is_some_and(|open| open.opened_part)
            || index
                .checked_sub(1)
                .and_then(|above| self.stack.get(above))
                .is_some_and(|above| above.role == Role::Decorated && above.opened_part)
    }

    fn leave(&mut self, open: &Open) {
        if open.type_only && open.role == Role::Block {
            self.type_only -= 1;
        }
        match open.role {
            Role::Try => self.guarded -= 1,
            Role::Decorator => self.in_decorator -= 1,
            _ => {}
        }
        if open.marked {
            self.buffer().push(4);
        }
        if open.docstring
            && let Some(frame) = self.frames.last_mut()
        {
            frame.section = Section::Body;
        }
        if open.opened_part {
            self.close_part();
        }
    }

    // Parts.

    /// Opens the part of a definition; `outer` is the decorated definition where there is one. False when nested too deeply.
    fn open_definition(&mut self, definition: Node<'_>, outer: Node<'_>) -> bool {
        let Some(name_node) = definition.child_by_field_id(self.kinds.fields.name) else { return false };
        let name = self.slice(name_node);
        let parent = self.part() as usize;
        let parent_name = self.raw.names.get(self.raw.parts[parent].local_name);
        if self.frames.len() > MAX_PART_DEPTH || parent_name.len() + name.len() >= MAX_LOCAL_NAME {
            let line = definition.start_position().row as u32 + 1;
            if !self.raw.problems.iter().any(|problem| problem.kind == ProblemKind::TooDeep) {
                self.raw.problems.push(Problem { kind: ProblemKind::TooDeep, line });
            }
            return false;
        }
        let local = if parent_name.is_empty() { name.to_owned() } else { format!("{parent_name}.{name}") };
        let kind = if self.kinds.role(definition.kind_id()) == Role::Class {
            PartKind::Class
        } else if self.raw.parts[parent].kind == PartKind::Class {
            PartKind::Method
        } else {
            PartKind::Function
        };
        // The parent's body marks the place of the part by kind and name.
        self.write_gap(outer.start_byte());
        let frame_body = self.buffer_is_body();
        let buffer = self.buffer();
        let begin = buffer.len();
        buffer.push(6);
        buffer.push(kind as u8);
        buffer.extend_from_slice(&(name.len() as u32).to_le_bytes());
        buffer.extend_from_slice(name.as_bytes());
        let end = buffer.len();
        if frame_body && let Some(frame) = self.frames.last_mut() {
            frame.buffers.nested.push((begin, end));
        }
        let name_at = name_node.start_position();
        let place = PartPlace {
            start: outer.start_position().row as u32 + 1,
            def: definition.start_position().row as u32 + 1,
            end: last_line(outer),
            name_column: name_at.column as u32,
            name_len: name.len() as u32,
        };
        let name = self.raw.names.intern(name);
        self.open_part(kind, name, place);
        let local = self.raw.names.intern(&local);
        let part = self.part() as usize;
        self.raw.parts[part].local_name = local;
        self.raw.parts[part].parent = parent as u32;
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
        self.raw.digests.push(PartDigests::default());
        let mut buffers = self.spare.pop().unwrap_or_default();
        buffers.clear();
        let section = if kind == PartKind::Module { Section::Body } else { Section::Decorators };
        self.frames.push(Frame { part, section, buffers, body_begun: false, has_doctest: false });
    }

    fn close_part(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let Frame { part, buffers, has_doctest, .. } = frame;
        let body = digest(&buffers.body);
        let body_alone = if buffers.nested.is_empty() {
            body
        } else {
            let mut hasher = blake3::Hasher::new();
            let mut from = 0;
            for &(begin, end) in &buffers.nested {
                hasher.update(&buffers.body[from..begin]);
                from = end;
            }
            hasher.update(&buffers.body[from..]);
            shorten(hasher.finalize())
        };
        self.raw.digests[part as usize] = PartDigests {
            signature: digest(&buffers.signature),
            decorators: digest(&buffers.decorators),
            body,
            body_alone,
            docstring: (!buffers.docstring.is_empty()).then(|| digest(&buffers.docstring)),
            has_doctest,
            comments: digest(&buffers.comments),
        };
        // A part of unusual size does not hold its memory for the rest of the run.
        if buffers.body.capacity() <= MAX_SPARE {
            self.spare.push(buffers);
        }
    }

    /// Bases and return type, read at the definition.
    fn definition_header(&mut self, node: Node<'_>, role: Role) {
        let part = self.part() as usize;
        if role == Role::Class {
            let Some(arguments) = node.child_by_field_name("superclasses") else { return };
            let mut cursor = arguments.walk();
            let mut more = cursor.goto_first_child();
            while more {
                let child = cursor.node();
                if child.is_named()
                    && !matches!(
                        self.kinds.role(child.kind_id()),
                        Role::KeywordArgument | Role::Comment | Role::Continuation
                    )
                {
                    // `Generic[T]` and `Base[int]` name their head.
                    let head = if child.kind() == "subscript" { child.child(0).unwrap_or(child) } else { child };
                    let base = self.chain(head).unwrap_or(self.unknown);
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

    fn decorator(&mut self, node: Node<'_>) {
        let part = self.part() as usize;
        // `@` comes first; a comment cannot stand between.
        let Some(expression) = node.child(1) else { return };
        let is_call = self.kinds.role(expression.kind_id()) == Role::Call;
        let head = if is_call { expression.child_by_field_id(self.kinds.fields.function) } else { Some(expression) };
        let chain = head.and_then(|head| self.chain(head)).unwrap_or(self.unknown);
        let name = self.raw.names.get(chain);
        let flag = match name.rsplit('.').next().unwrap_or(name) {
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
                    "autouse" if self.slice(value) == "True" => self.raw.parts[part].flags |= PartFlags::AUTOUSE,
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

    fn docstring(&mut self, node: Node<'_>) -> bool {
        let in_body = self.in_body();
        let Some(frame) = self.frames.last_mut() else { return false };
        if !in_body || frame.body_begun {
            return false;
        }
        frame.body_begun = true;
        let Some(string) = node.child(0).filter(|_| node.child_count() == 1) else { return false };
        let text = self.text.get(string.start_byte()..string.end_byte()).unwrap_or_default();
        if self.kinds.role(string.kind_id()) != Role::String
            || !text.trim_start_matches(['r', 'R', 'u', 'U']).starts_with(['"', '\''])
        {
            return false;
        }
        frame.section = Section::Docstring;
        frame.has_doctest = text.contains(">>>");
        true
    }

    // Names.

    fn identifier(&mut self, node: Node<'_>, cursor: &TreeCursor<'_>) {
        if node.is_missing() {
            self.problem(node);
        }
        self.begin_section(Role::Identifier);
        let text = self.slice(node);
        let Some(&parent) = self.stack.last() else { return };
        match parent.role {
            Role::Function | Role::Class => {
                // The name of a part is in no digest; one that was nested too deeply is a token like others.
                if self.stack_defines(self.stack.len() - 1) {
                    self.write_gap(node.start_byte());
                    self.last_end = node.end_byte();
                    return;
                }
            }
            Role::Attribute if parent.child > 0 => {}
            Role::KeywordArgument | Role::KeywordPattern if parent.child == 0 => {}
            Role::AliasedImport => {}
            Role::Parameters => self.parameter(text),
            Role::TypedParameter | Role::DefaultParameter if parent.child == 0 => {
                if self.grandparent_role() == Role::Parameters {
                    self.parameter(text);
                    self.annotated_parameter(text, node);
                } else {
                    self.bind_local(text);
                }
            }
            Role::Splat => {
                let outer = self.stack.iter().rev().skip(1).find(|open| open.role != Role::TypedParameter);
                if outer.is_some_and(|open| open.role == Role::Parameters) {
                    self.parameter(text);
                } else {
                    self.bind_local(text);
                }
            }
            Role::LambdaParameters | Role::Pattern | Role::AsTarget | Role::SplatPattern => self.bind_local(text),
            Role::Assignment | Role::AugmentedAssignment | Role::NamedExpression if parent.child == 0 => {
                self.bind_local(text);
            }
            Role::For if cursor.field_id().is_some_and(|field| field.get() == self.kinds.fields.left) => {
                self.bind_local(text);
            }
            Role::Except if cursor.field_id().is_some_and(|field| field.get() == self.kinds.fields.alias) => {
                self.bind_local(text);
            }
            Role::AsPattern if parent.child > 0 => self.bind_local(text),
            Role::Scope => {
                let name = self.raw.names.intern(text);
                let part = self.part() as usize;
                self.raw.parts[part].outer_names.push(name);
            }
            _ => self.reference(node, text, parent.role == Role::Call && parent.child == 0),
        }
        self.write_leaf(node, text);
    }

    fn parameter(&mut self, text: &str) {
        let name = self.raw.names.intern(text);
        let part = self.part() as usize;
        self.raw.parts[part].parameters.push(name);
    }

    fn annotated_parameter(&mut self, text: &str, node: Node<'_>) {
        // Parameters are shallow, and few of them are annotated by one class.
        let Some(annotation) = node.parent().and_then(|parent| parent.child_by_field_id(self.kinds.fields.type_))
        else {
            return;
        };
        if let Some(class) = shapes::annotated_name(self.slice(annotation)) {
            let target = self.raw.names.intern(text);
            self.push_binding(target, false, BindingForm::Annotation, class);
        }
    }

    fn bind_local(&mut self, text: &str) {
        let name = self.raw.names.intern(text);
        let part = self.part() as usize;
        self.raw.parts[part].locals.push(name);
    }

    fn reference(&mut self, node: Node<'_>, chain: &str, is_call: bool) {
        if is_call {
            let usage = shapes::call_usage(chain);
            if usage == StringUse::Module {
                self.module_call(node);
            }
            if let Some(call) = self.stack.last_mut() {
                call.usage = usage;
            }
        }
        if node.start_byte() < self.silent_until || chain.is_empty() || chain.len() > MAX_CHAIN {
            return;
        }
        let reference = RawReference {
            part: self.part(),
            line: line(node),
            chain: self.raw.names.intern(chain),
            is_call,
            in_decorator: self.in_decorator > 0,
        };
        self.raw.references.push(reference);
    }

    /// `import_module(…)`: a literal is an import, anything else is a name that is computed.
    fn module_call(&mut self, callee: Node<'_>) {
        let literal = callee
            .parent()
            .and_then(|call| call.child_by_field_id(self.kinds.fields.arguments))
            .and_then(|arguments| arguments.child(1))
            .filter(|first| self.kinds.role(first.kind_id()) == Role::String)
            .and_then(|first| shapes::literal_content(self.slice(first)));
        match literal {
            Some(text) if shapes::is_dotted(text.trim_start_matches('.')) => {
                let level = text.chars().take_while(|char| *char == '.').count();
                let module = self.raw.names.intern(&text[level..]);
                self.import(callee, ImportForm::Literal, level as u16, module, NameId::NONE, NameId::NONE);
            }
            _ => {
                let part = self.part() as usize;
                self.raw.parts[part].flags |= PartFlags::COMPUTED_IMPORT;
            }
        }
    }

    /// Records an attribute chain; true when it was written as one token and needs no descent.
    fn attribute(&mut self, node: Node<'_>, cursor: &TreeCursor<'_>) -> bool {
        let text = self.slice(node);
        let parent = self.stack.last().copied();
        let is_call = parent.is_some_and(|parent| parent.role == Role::Call && parent.child == 0);
        let is_target = match parent.map(|parent| parent.role) {
            Some(Role::Assignment) => parent.is_some_and(|parent| parent.child == 0),
            Some(Role::For) => cursor.field_id().is_some_and(|field| field.get() == self.kinds.fields.left),
            Some(Role::Pattern) => true,
            _ => false,
        };
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
        if plain {
            if is_target {
                self.target_attribute(node, text);
            } else {
                self.reference(node, text, is_call);
            }
            self.write_chain(node, text);
            return true;
        }
        // Inside a chain that was recorded, or behind one: nothing new.
        if node.start_byte() < self.silent_until {
            return false;
        }
        let Some((chain, pure)) = self.long_chain(node) else { return false };
        if pure {
            // White space or comments between the names: the same chain, written once.
            if is_target {
                self.target_attribute(node, &chain);
            } else {
                self.reference(node, &chain, is_call);
            }
            self.write_chain(node, &chain);
            self.silent_until = self.silent_until.max(node.end_byte());
            self.written_until = self.written_until.max(node.end_byte());
            self.last_end = node.start_byte();
        } else if !is_target {
            self.reference(node, &chain, is_call);
        }
        false
    }

    /// A write to `a.b.c` uses `a.b`.
    fn target_attribute(&mut self, node: Node<'_>, chain: &str) {
        if let Some((receiver, _)) = chain.rsplit_once('.')
            && receiver.contains('.')
        {
            self.reference(node, receiver, false);
        }
    }

    /// The dotted chain of an expression that is nothing else.
    fn chain(&mut self, node: Node<'_>) -> Option<NameId> {
        let text = self.slice(node);
        if text.len() > MAX_CHAIN {
            return None;
        }
        if shapes::is_dotted(text) {
            return Some(self.raw.names.intern(text));
        }
        let (chain, _) = self.long_chain(node)?;
        Some(self.raw.names.intern(&chain))
    }

    /// Builds the chain of an attribute or call from its nodes; the flag says that it is names only.
    fn long_chain(&self, node: Node<'_>) -> Option<(String, bool)> {
        let fields = self.kinds.fields;
        let mut segments: Vec<String> = Vec::new();
        let mut pure = true;
        let mut at = node;
        let mut calls = 0;
        for _ in 0..32 {
            match self.kinds.role(at.kind_id()) {
                Role::Attribute => {
                    let name = at.child_by_field_id(fields.attribute)?;
                    segments.push(format!("{}{}", self.slice(name), "()".repeat(calls)));
                    calls = 0;
                    at = at.child_by_field_id(fields.object)?;
                }
                Role::Call => {
                    pure = false;
                    calls = 1;
                    at = at.child_by_field_id(fields.function)?;
                }
                Role::Identifier => {
                    segments.push(format!("{}{}", self.slice(at), "()".repeat(calls)));
                    break;
                }
                Role::String => {
                    pure = false;
                    segments.push("''".to_owned());
                    break;
                }
                _ => {
                    pure = false;
                    segments.push("?".to_owned());
                    break;
                }
            }
        }
        if segments.is_empty()
            || !matches!(self.kinds.role(node.kind_id()), Role::Attribute | Role::Identifier | Role::Call)
        {
            return None;
        }
        segments.reverse();
        let chain = segments.join(".");
        if chain.len() > MAX_CHAIN {
            // Its last name is what a guess can use.
            let last = segments.last().filter(|last| last.len() < MAX_CHAIN)?;
            return Some((format!("?.{last}"), false));
        }
        Some((chain, pure))
    }

    // Imports.

    fn dotted_name(&mut self, node: Node<'_>, cursor: &TreeCursor<'_>) {
        let text: String =
            self.slice(node).chars().filter(|char| char.is_alphanumeric() || *char == '_' || *char == '.').collect();
        match self.parent_role() {
            Role::Import => {
                let module = self.raw.names.intern(&text);
                self.import(node, ImportForm::Module, 0, module, NameId::NONE, NameId::NONE);
            }
            Role::ImportFrom => {
                if cursor.field_id().is_some_and(|field| field.get() == self.kinds.fields.module_name) {
                    self.from = (self.raw.names.intern(&text), 0);
                } else {
                    let name = self.raw.names.intern(&text);
                    let (module, level) = self.from;
                    self.import(node, ImportForm::From, level, module, name, NameId::NONE);
                }
            }
            Role::CasePattern if shapes::is_identifier(&text) => self.bind_local(&text),
            Role::AliasedImport | Role::RelativeImport | Role::ImportFuture => {}
            _ => self.reference(node, &text, false),
        }
        self.write_leaf(node, &text);
    }

    fn aliased_import(&mut self, node: Node<'_>) {
        let fields = self.kinds.fields;
        let (Some(name), Some(alias)) = (node.child_by_field_id(fields.name), node.child_by_field_id(fields.alias))
        else {
            return;
        };
        let name: String = self.slice(name).chars().filter(|char| !char.is_whitespace() && *char != '\\').collect();
        let name = self.raw.names.intern(&name);
        let alias = self.raw.names.intern(self.slice(alias));
        match self.parent_role() {
            Role::Import => self.import(node, ImportForm::Module, 0, name, NameId::NONE, alias),
            Role::ImportFrom => {
                let (module, level) = self.from;
                self.import(node, ImportForm::From, level, module, name, alias);
            }
            _ => {}
        }
    }

    fn import(&mut self, node: Node<'_>, form: ImportForm, level: u16, module: NameId, name: NameId, alias: NameId) {
        self.raw.imports.push(RawImport {
            part: self.part(),
            line: line(node),
            form,
            level,
            module,
            name,
            alias,
            type_only: self.type_only > 0,
            guarded: self.guarded > 0,
        });
    }

    // Bindings.

    fn assignment(&mut self, node: Node<'_>) {
        let fields = self.kinds.fields;
        let Some(left) = node.child_by_field_id(fields.left) else { return };
        let right = node.child_by_field_id(fields.right);
        let name = self.slice(left);
        if self.part() == 0 && name == "__all__" {
            let listed = right.and_then(|right| self.string_list(right));
            self.raw.all = listed;
        }
        if name == "pytest_plugins"
            && let Some(right) = right
        {
            self.plugins(right);
        }
        if let Some(annotation) = node.child_by_field_id(fields.type_)
            && let (Some((target, on_self)), Some(class)) =
                (self.target(left), shapes::annotated_name(self.slice(annotation)))
        {
            self.push_binding(target, on_self, BindingForm::Annotation, class);
            return;
        }
        if let Some(right) = right {
            self.bind_value(left, right);
        }
    }

    fn augmented(&mut self, node: Node<'_>) {
        let fields = self.kinds.fields;
        if self.part() != 0 {
            return;
        }
        let (Some(left), Some(right)) = (node.child_by_field_id(fields.left), node.child_by_field_id(fields.right))
        else {
            return;
        };
        if self.slice(left) == "__all__" {
            let more = self.string_list(right);
            self.raw.all = match (self.raw.all.take(), more) {
                (Some(mut all), Some(more)) => {
                    all.extend(more);
                    Some(all)
                }
                _ => None,
            };
        }
    }

    /// The strings of a literal list or tuple; `None` when anything else is in it.
    fn string_list(&mut self, node: Node<'_>) -> Option<Vec<NameId>> {
        if !matches!(node.kind(), "list" | "tuple") {
            return None;
        }
        let mut found = Vec::new();
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            if child.is_named() {
                match self.kinds.role(child.kind_id()) {
                    Role::String => found.push(self.raw.names.intern(shapes::literal_content(self.slice(child))?)),
                    Role::Comment | Role::Continuation => {}
                    _ => return None,
                }
            }
            more = cursor.goto_next_sibling();
        }
        Some(found)
    }

    fn plugins(&mut self, right: Node<'_>) {
        let part = self.part();
        let line = line(right);
        let texts = match self.string_list(right) {
            Some(texts) => texts,
            None => match shapes::literal_content(self.slice(right)) {
                Some(text) => vec![self.raw.names.intern(text)],
                None => return,
            },
        };
        for text in texts {
            self.raw.strings.push(RawString { part, line, text, usage: StringUse::Plugin });
        }
    }

    /// What an assignment binds: a name of the scope, or an attribute of the receiver of the method around it.
    fn target(&mut self, left: Node<'_>) -> Option<(NameId, bool)> {
        let text = self.slice(left);
        if shapes::is_identifier(text) {
            return Some((self.raw.names.intern(text), false));
        }
        let (receiver, attribute) = text.split_once('.')?;
        if !shapes::is_identifier(attribute) {
            return None;
        }
        let part = &self.raw.parts[self.part() as usize];
        let first = *part.parameters.first()?;
        (part.kind == PartKind::Method && self.raw.names.get(first) == receiver)
            .then(|| (self.raw.names.intern(attribute), true))
    }

    /// Binds a target to what a value gives, as far as it is a call, a name, or a choice of them.
    fn bind_value(&mut self, left: Node<'_>, value: Node<'_>) {
        let Some((target, on_self)) = self.target(left) else { return };
        let fields = self.kinds.fields;
        let mut pending = vec![value];
        let mut budget = 8;
        while let Some(value) = pending.pop() {
            budget -= 1;
            if budget == 0 {
                return;
            }
            match value.kind() {
                "call" => {
                    if let Some(callee) = value.child_by_field_id(fields.function)
                        && let Some(chain) = self.chain(callee)
                    {
                        self.push_binding_id(target, on_self, BindingForm::Result, chain);
                    }
                }
                "identifier" | "attribute" => {
                    if let Some(chain) = self.chain(value) {
                        self.push_binding_id(target, on_self, BindingForm::Alias, chain);
                    }
                }
                "await" | "parenthesized_expression" => pending.extend(value.named_child(0)),
                "boolean_operator" => pending.extend([value.child(0), value.child(2)].into_iter().flatten()),
                "conditional_expression" => pending.extend([value.child(0), value.child(4)].into_iter().flatten()),
                _ => {}
            }
        }
    }

    fn push_binding(&mut self, target: NameId, on_self: bool, form: BindingForm, source: &str) {
        if source.len() <= MAX_CHAIN {
            let source = self.raw.names.intern(source);
            self.push_binding_id(target, on_self, form, source);
        }
    }

    fn push_binding_id(&mut self, target: NameId, on_self: bool, form: BindingForm, source: NameId) {
        self.raw.bindings.push(RawBinding { part: self.part(), target, on_self, form, source });
    }

    // Strings and comments.

    fn string(&mut self, node: Node<'_>, literal: &str) {
        if self.frames.last().is_some_and(|frame| frame.section == Section::Docstring) {
            return;
        }
        let Some(text) = shapes::literal_content(literal) else { return };
        let usage = match self.stack.last() {
            Some(parent) if parent.role == Role::Arguments => parent.usage,
            _ => StringUse::Plain,
        };
        let known = matches!(usage, StringUse::Fixture | StringUse::Path | StringUse::Patch);
        if usage == StringUse::Module || (!known && shapes::string_shape(text).is_empty()) {
            return;
        }
        let string = RawString { part: self.part(), line: line(node), text: self.raw.names.intern(text), usage };
        self.raw.strings.push(string);
    }

    fn comment(&mut self, node: Node<'_>) {
        let text = self.slice(node).trim_end();
        self.write_gap(node.start_byte());
        self.last_end = node.end_byte();
        let code = shapes::is_code_comment(text, node.start_position().row);
        let Some(frame) = self.frames.last_mut() else { return };
        let buffer = if code { frame.section_buffer() } else { &mut frame.buffers.comments };
        buffer.push(7);
        buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
        buffer.extend_from_slice(text.as_bytes());
        if code {
            // It speaks of the line that it ends, or of the block that it stands in.
            let line = self.text.get(..node.start_byte()).unwrap_or_default();
            let line = line.rsplit_once('\n').map_or(line, |(_, line)| line);
            let is_alone = line.trim().is_empty();
            let said = line.bytes().filter(|byte| is_alone || !byte.is_ascii_whitespace());
            buffer.extend(said);
            buffer.push(8);
        }
    }

    fn problem(&mut self, node: Node<'_>) {
        if self.raw.problems.len() < MAX_SYNTAX_ERRORS {
            self.raw.problems.push(Problem { kind: ProblemKind::SyntaxError, line: line(node) });
        }
    }

    // The canonical form: 1 opens a node, 2 is a token, 3 a text, 4 closes, 5 is text that no token covers, 6 a nested part,
    // 7 a comment, with 8 after the line that one speaks of that is code.

    fn buffer(&mut self) -> &mut Vec<u8> {
        if self.frames.is_empty() {
            // Cannot happen while walking: the module's frame is the last to close.
            self.open_part(
                PartKind::Module,
                self.empty,
                PartPlace { start: 1, def: 1, end: 1, name_column: 0, name_len: 0 },
            );
        }
        let last = self.frames.len() - 1;
        self.frames[last].section_buffer()
    }

    fn buffer_is_body(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.section == Section::Body)
    }

    fn write_open(&mut self, node: Node<'_>, open: &mut Open) {
        // The definition of a part is the part itself: its frame holds its pieces.
        let is_part =
            open.opened_part || (matches!(open.role, Role::Function | Role::Class) && self.defines_part(open));
        if is_part || node.start_byte() < self.written_until {
            return;
        }
        let kind = node.kind_id().to_le_bytes();
        self.buffer().extend_from_slice(&[1, kind[0], kind[1]]);
        open.marked = true;
    }

    fn write_token(&mut self, node: Node<'_>) {
        let (start, end) = (node.start_byte(), node.end_byte());
        if start == end && node.is_missing() {
            self.problem(node);
        }
        self.begin_section(Role::Token);
        self.write_gap(start);
        self.last_end = end;
        if start >= self.written_until {
            let kind = node.kind_id().to_le_bytes();
            self.buffer().extend_from_slice(&[2, kind[0], kind[1]]);
        }
    }

    fn write_leaf(&mut self, node: Node<'_>, text: &str) {
        let start = node.start_byte();
        self.write_gap(start);
        self.last_end = node.end_byte();
        if start >= self.written_until {
            self.write_text(node.kind_id(), text);
        }
    }

    fn write_chain(&mut self, node: Node<'_>, chain: &str) {
        self.write_gap(node.start_byte());
        self.last_end = node.end_byte();
        self.write_text(node.kind_id(), chain);
    }

    fn write_text(&mut self, kind: u16, text: &str) {
        let kind = kind.to_le_bytes();
        let length = (text.len() as u32).to_le_bytes();
        let buffer = self.buffer();
        buffer.extend_from_slice(&[3, kind[0], kind[1], length[0], length[1], length[2], length[3]]);
        buffer.extend_from_slice(text.as_bytes());
    }

    /// Text between tokens that is not white space was skipped by the parser: it counts all the same.
    fn write_gap(&mut self, start: usize) {
        if start <= self.last_end {
            return;
        }
        let gap = self.text.get(self.last_end..start).unwrap_or_default();
        let from = self.last_end;
        if from >= self.written_until && gap.bytes().any(|byte| !byte.is_ascii_whitespace()) {
            let gap = gap.trim();
            let length = (gap.len() as u32).to_le_bytes();
            let buffer = self.buffer();
            buffer.push(5);
            buffer.extend_from_slice(&length);
            buffer.extend_from_slice(gap.as_bytes());
        }
        self.last_end = start;
    }
}

impl Frame {
    fn section_buffer(&mut self) -> &mut Vec<u8> {
        match self.section {
            Section::Signature => &mut self.buffers.signature,
            Section::Decorators => &mut self.buffers.decorators,
            Section::Body => &mut self.buffers.body,
            Section::Docstring => &mut self.buffers.docstring,
        }
    }
}

fn line(node: Node<'_>) -> u32 {
    node.start_position().row as u32 + 1
}

/// The last line that holds text of the node: one that ends at the start of a line does not reach into it.
fn last_line(node: Node<'_>) -> u32 {
    let end = node.end_position();
    let row = if end.column == 0 { end.row.saturating_sub(1) } else { end.row };
    (row.max(node.start_position().row)) as u32 + 1
}

/// The digest of a buffer; zeros for an empty one, as most buffers of comments and decorators are.
fn digest(bytes: &[u8]) -> Digest {
    if bytes.is_empty() {
        return Digest::default();
    }
    shorten(blake3::hash(bytes))
}

fn shorten(hash: blake3::Hash) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
}
