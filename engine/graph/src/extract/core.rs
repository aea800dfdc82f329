//! The walk that the readers of all languages but Python share: parts open and close, tokens become digests, and what a
//! reader finds on its way is collected for `seal`.
//!
//! One walk gives facts and, where somebody asks, digests: so both have the same parts in the same order. It is iterative
//! (trees can be tens of thousands deep) and each node is looked at once.
//!
//! The canonical form of a part is that of Python's digests: 1 opens a node, 3 a token with its text, 4 closes, 5 is text
//! that no token covers, 6 a nested part, 7 a comment that is code, with the lines that lie before and after it.

use std::cell::RefCell;
use std::ops::ControlFlow;

use tree_sitter::{Language as Grammar, Node, ParseOptions, Parser, Tree};

use super::hashes::{digest, without_nested};
use super::names::Names;
use super::raw::{Raw, RawBinding, RawImport, RawPart, RawReference, RawString};
use super::{seal, shapes};
use crate::change::syntax;
use crate::code::PartKind;
use crate::facts::{
    BindingForm, ContentId, FileFacts, ImportForm, Language, NameId, PartDigests, PartFlags, PartPlace, Problem,
    ProblemKind, StringShape, StringUse,
};

/// Longest chain of names that is kept, in bytes.
pub(super) const MAX_CHAIN: usize = 256;
/// Deeper definitions belong to the part around them.
const MAX_PART_DEPTH: usize = 100;
/// Longest local name of a part, in bytes.
const MAX_LOCAL_NAME: usize = 512;
/// Syntax errors that are listed.
const MAX_SYNTAX_ERRORS: usize = 20;
/// How often the parser may report progress before it is stopped, as for Python.
const BASE_STEPS: usize = 8_000;
const STEPS_PER_KIB: usize = 100;

thread_local! {
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// Parses within a budget of steps; `None` when it is spent.
pub(super) fn parse(grammar: &Grammar, text: &str) -> Option<Tree> {
    let mut steps = BASE_STEPS + text.len() / 1024 * STEPS_PER_KIB;
    let mut progress = |_: &tree_sitter::ParseState| {
        steps = steps.saturating_sub(1);
        if steps == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    PARSER.with_borrow_mut(|slot| {
        let parser = slot.get_or_insert_with(Parser::new);
        parser.set_language(grammar).ok()?;
        let bytes = text.as_bytes();
        let options = ParseOptions::new().progress_callback(&mut progress);
        let tree = parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options));
        if tree.is_none() {
            parser.reset();
        }
        tree
    })
}

/// What a node is to the walk itself, whatever it is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lexical {
    Plain,
    /// In no digest, unless the reader calls it code.
    Comment,
    /// White space between its tokens counts.
    Verbatim,
    /// Code inside a verbatim node.
    Inserted,
    /// A decorator or an attribute: of the part that opens around it or next to it.
    Decorator,
}

/// The grammar's kinds, resolved once to what a reader does with them.
pub(super) struct Table<K> {
    kinds: Box<[(K, Lexical)]>,
    error: K,
}

impl<K: Copy> Table<K> {
    pub(super) fn new(grammar: &Grammar, error: K, classify: impl Fn(&str, bool) -> (K, Lexical)) -> Self {
        let kinds = (0..grammar.node_kind_count())
            .map(|id| {
                let id = id as u16;
                classify(grammar.node_kind_for_id(id).unwrap_or(""), grammar.node_kind_is_named(id))
            })
            .collect();
        Self { kinds, error }
    }

    fn get(&self, kind: u16) -> (K, Lexical) {
        // The error kind lies outside the table.
        self.kinds.get(kind as usize).copied().unwrap_or((self.error, Lexical::Plain))
    }

    pub(super) fn kind(&self, node: Node<'_>) -> K {
        self.get(node.kind_id()).0
    }
}

/// What a language makes of the nodes that the walk comes by.
pub(super) trait Reader {
    /// What a node is to it.
    type Kind: Copy + 'static;

    /// The kinds of its grammar.
    fn table(&self) -> &'static Table<Self::Kind>;

    /// Handles a node on the way down; true to hear of what is inside.
    fn enter<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>, kind: Self::Kind) -> bool;

    /// The same node on the way up.
    fn leave<'t>(&mut self, _core: &mut Core<'t>, _node: Node<'t>, _kind: Self::Kind) {}

    /// True for a comment that tools or the compiler read; `first` says that nothing stands before it.
    fn is_code_comment(&self, comment: &str, first: bool) -> bool;

    /// Handles a comment, which has no other way to be heard of.
    fn comment(&mut self, _core: &mut Core<'_>, _node: Node<'_>) {}
}

/// The nodes that make up a part.
#[derive(Clone, Copy)]
pub(super) struct PartNodes<'t> {
    pub(super) outer: Node<'t>,
    pub(super) name: Option<Node<'t>>,
    pub(super) body: Option<Node<'t>>,
    /// Base classes and what else counts with the decorators.
    pub(super) header: Option<Node<'t>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Signature,
    Decorators,
    Body,
}

/// A part whose end was not reached.
struct Frame {
    part: u32,
    /// Name segments of inline modules and namespaces that are open inside the part.
    prefix: String,
    name: Option<usize>,
    body: Option<usize>,
    header: Option<usize>,
    section: Section,
    signature: Vec<u8>,
    decorators: Vec<u8>,
    body_bytes: Vec<u8>,
    comments: Vec<u8>,
    /// Where in `body_bytes` nested parts are marked.
    nested: Vec<(usize, usize)>,
}

impl Frame {
    fn buffer(&mut self) -> &mut Vec<u8> {
        match self.section {
            Section::Signature => &mut self.signature,
            Section::Decorators => &mut self.decorators,
            Section::Body => &mut self.body_bytes,
        }
    }
}

/// A node whose end was not reached.
struct Open<'t, K> {
    node: Node<'t>,
    kind: K,
    lexical: Lexical,
    /// The reader heard of it.
    told: bool,
    /// The reader hears of nothing inside.
    quiet: bool,
    opened_part: bool,
    marked: bool,
    section_before: Option<Section>,
    verbatim_before: bool,
}

/// Decorators that stand before a part that is yet to open.
struct Pending {
    depth: usize,
    line: u32,
    names: Vec<NameId>,
    bytes: Vec<u8>,
    first_reference: usize,
    first_string: usize,
}

/// What the walk knows and collects.
pub(super) struct Core<'t> {
    pub(super) text: &'t str,
    pub(super) raw: Raw,
    frames: Vec<Frame>,
    with_digests: bool,
    digests: Vec<PartDigests>,
    pending: Option<Pending>,
    /// Open decorators.
    in_decorator: u32,
    /// The open decorator stands beside what it decorates.
    beside: bool,
    verbatim: bool,
    last_end: usize,
    last_row: usize,
    /// Takes what is written when no part is open any more.
    spare: Vec<u8>,
    pub(super) type_only: bool,
    pub(super) guarded: u32,
}

/// Reads a tree: facts, and digests of the parts where they are asked for, by a language and the text as its file has it.
pub(super) fn read<R: Reader>(
    mut reader: R,
    content: ContentId,
    text: &str,
    tree: &Tree,
    with_digests: Option<(Language, &str)>,
) -> FileFacts {
    let mut core = Core::new(content, text, with_digests.is_some());
    core.run(&mut reader, tree);
    let digests = std::mem::take(&mut core.digests).into();
    let reads_otherwise = with_digests.is_some_and(|(language, raw)| syntax::reads_otherwise(language, raw));
    FileFacts { digests, reads_otherwise, ..seal::seal(core.raw) }
}

impl<'t> Core<'t> {
    fn new(content: ContentId, text: &'t str, with_digests: bool) -> Self {
        let raw = Raw {
            content,
            names: Names::default(),
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
            raw,
            frames: Vec::new(),
            with_digests,
            digests: Vec::new(),
            pending: None,
            in_decorator: 0,
            beside: false,
            verbatim: false,
            last_end: 0,
            last_row: 0,
            spare: Vec::new(),
            type_only: false,
            guarded: 0,
        }
    }

    fn run<R: Reader>(&mut self, reader: &mut R, tree: &'t Tree) {
        let breaks = self.text.bytes().filter(|byte| *byte == b'\n').count();
        let lines = (breaks + usize::from(!self.text.ends_with('\n'))).max(1) as u32;
        let empty = self.raw.names.intern("");
        let place = PartPlace { start: 1, def: 1, end: lines, name_column: 0, name_len: 0 };
        self.push_part(PartKind::Module, empty, empty, u32::MAX, place, Section::Body);
        let table = reader.table();
        let mut stack: Vec<Open<'t, R::Kind>> = Vec::with_capacity(64);
        let mut quiet = 0_u32;
        let mut cursor = tree.walk();
        'nodes: loop {
            let node = cursor.node();
            let (kind, lexical) = table.get(node.kind_id());
            let mut open = Open {
                node,
                kind,
                lexical,
                told: false,
                quiet: false,
                opened_part: false,
                marked: false,
                section_before: None,
                verbatim_before: self.verbatim,
            };
            let inside = stack.last().is_some_and(|parent| parent.opened_part);
            if self.enter(reader, &mut open, stack.len(), inside, quiet > 0) && cursor.goto_first_child() {
                quiet += u32::from(open.quiet);
                stack.push(open);
                continue;
            }
            self.leave(reader, &open);
            while !cursor.goto_next_sibling() {
                self.flush_pending(stack.len());
                if !cursor.goto_parent() {
                    break 'nodes;
                }
                if let Some(open) = stack.pop() {
                    quiet -= u32::from(open.quiet);
                    self.leave(reader, &open);
                }
            }
        }
        if tree.root_node().has_error()
            && self.raw.problems.iter().all(|problem| problem.kind != ProblemKind::SyntaxError)
        {
            self.problem(tree.root_node());
        }
        self.write_gap(self.text.len());
        while !self.frames.is_empty() {
            self.close_part();
        }
    }

    fn enter<R: Reader>(
        &mut self,
        reader: &mut R,
        open: &mut Open<'t, R::Kind>,
        depth: usize,
        inside: bool,
        quiet: bool,
    ) -> bool {
        let node = open.node;
        if open.lexical == Lexical::Comment {
            if !quiet {
                reader.comment(self, node);
            }
            self.comment(reader, node);
            return false;
        }
        if node.is_missing() || node.is_error() {
            self.problem(node);
        }
        let mut settles = false;
        if open.lexical == Lexical::Decorator {
            if self.in_decorator == 0 {
                self.begin_decorator(open, depth, inside);
            }
            self.in_decorator += 1;
        } else {
            settles = node.is_named()
                && self.in_decorator == 0
                && self.pending.as_ref().is_some_and(|pending| pending.depth == depth);
        }
        self.begin_section(open);
        let parts = self.frames.len();
        let mut descend = true;
        if !quiet {
            open.told = true;
            descend = reader.enter(self, node, open.kind);
        }
        open.opened_part = self.frames.len() > parts;
        if settles && !open.opened_part {
            self.flush_pending(depth);
        }
        if !self.with_digests {
            return descend;
        }
        if node.child_count() == 0 {
            self.write_leaf(node);
            return false;
        }
        self.write_gap(node.start_byte());
        match open.lexical {
            Lexical::Verbatim => self.verbatim = true,
            Lexical::Inserted => self.verbatim = false,
            _ => {}
        }
        if !open.opened_part {
            let kind = node.kind_id().to_le_bytes();
            self.buffer().extend_from_slice(&[1, kind[0], kind[1]]);
            open.marked = true;
        }
        open.quiet = !descend && !quiet;
        true
    }

    fn leave<R: Reader>(&mut self, reader: &mut R, open: &Open<'t, R::Kind>) {
        if open.lexical == Lexical::Comment {
            return;
        }
        if open.told {
            reader.leave(self, open.node, open.kind);
        }
        if self.with_digests && matches!(open.lexical, Lexical::Verbatim | Lexical::Inserted) {
            if open.marked {
                self.write_gap(open.node.end_byte());
            }
            self.verbatim = open.verbatim_before;
        }
        if open.marked {
            self.buffer().push(4);
        }
        if open.lexical == Lexical::Decorator {
            self.in_decorator -= 1;
            if self.in_decorator == 0 {
                self.beside = false;
            }
        }
        if open.opened_part {
            self.write_gap(open.node.end_byte());
            self.close_part();
        }
        if let Some(before) = open.section_before
            && let Some(frame) = self.frames.last_mut()
        {
            frame.section = before;
        }
    }

    pub(super) fn slice(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.start_byte()..node.end_byte()).unwrap_or_default()
    }

    /// Ordinal of the innermost open part.
    pub(super) fn part(&self) -> u32 {
        self.frames.last().map_or(0, |frame| frame.part)
    }

    /// The kind of the innermost open part.
    pub(super) fn part_kind(&self) -> PartKind {
        self.raw.parts.get(self.part() as usize).map_or(PartKind::Module, |part| part.kind)
    }

    pub(super) fn intern(&mut self, name: &str) -> NameId {
        self.raw.names.intern(name)
    }

    pub(super) fn problem(&mut self, node: Node<'_>) {
        if self.raw.problems.len() < MAX_SYNTAX_ERRORS {
            self.raw.problems.push(Problem { kind: ProblemKind::SyntaxError, line: line(node) });
        }
    }

    // Parts.

    /// Opens a part; false where it is nested too deeply, and then it belongs to the part around it.
    pub(super) fn open_part(&mut self, kind: PartKind, name: &str, nodes: PartNodes<'t>) -> bool {
        self.open_part_of("", kind, name, nodes)
    }

    /// [`Core::open_part`] for a member that stands outside the type whose name it carries.
    pub(super) fn open_part_of(&mut self, owner: &str, kind: PartKind, name: &str, nodes: PartNodes<'t>) -> bool {
        let Some(frame) = self.frames.last().filter(|_| self.in_decorator == 0) else { return false };
        let parent = frame.part;
        let inside_class = self.raw.parts[parent as usize].kind == PartKind::Class;
        let kind = if inside_class && kind == PartKind::Function { PartKind::Method } else { kind };
        let mut local = self.raw.names.get(self.raw.parts[parent as usize].local_name).to_owned();
        for piece in [&*frame.prefix, owner, name] {
            if !local.is_empty() && !piece.is_empty() {
                local.push('.');
            }
            local.push_str(piece);
        }
        if self.frames.len() > MAX_PART_DEPTH || local.len() >= MAX_LOCAL_NAME {
            self.too_deep(nodes.outer);
            return false;
        }
        let pending = self.pending.take();
        let name_at =
            nodes.name.map(|node| (node.start_position().column as u32, (node.end_byte() - node.start_byte()) as u32));
        let place = PartPlace {
            start: pending.as_ref().map_or_else(|| line(nodes.outer), |pending| pending.line),
            def: nodes.name.map_or_else(|| line(nodes.outer), line),
            end: last_line(nodes.outer),
            name_column: name_at.map_or(0, |(column, _)| column),
            name_len: name_at.map_or(0, |(_, length)| length),
        };
        if self.with_digests {
            self.write_gap(nodes.outer.start_byte());
            if let Some(frame) = self.frames.last_mut() {
                let in_body = frame.section == Section::Body;
                let buffer = frame.buffer();
                let begin = buffer.len();
                buffer.extend_from_slice(&[6, kind as u8]);
                buffer.extend_from_slice(&(name.len() as u32).to_le_bytes());
                buffer.extend_from_slice(name.as_bytes());
                let end = buffer.len();
                if in_body {
                    frame.nested.push((begin, end));
                }
            }
        }
        let (name_id, local_name) = (self.raw.names.intern(name), self.raw.names.intern(&local));
        self.push_part(kind, name_id, local_name, parent, place, Section::Signature);
        if let Some(frame) = self.frames.last_mut() {
            frame.name = nodes.name.map(|node| node.id());
            frame.body = nodes.body.map(|node| node.id());
            frame.header = nodes.header.map(|node| node.id());
        }
        if let Some(pending) = pending {
            let part = self.part();
            self.raw.parts[part as usize].decorators = pending.names;
            for reference in &mut self.raw.references[pending.first_reference..] {
                reference.part = part;
                reference.in_decorator = true;
            }
            self.raw.strings[pending.first_string..].iter_mut().for_each(|string| string.part = part);
            if let Some(frame) = self.frames.last_mut() {
                frame.decorators = pending.bytes;
            }
        }
        true
    }

    fn push_part(
        &mut self,
        kind: PartKind,
        name: NameId,
        local_name: NameId,
        parent: u32,
        place: PartPlace,
        section: Section,
    ) {
        let part = self.raw.parts.len() as u32;
        self.raw.parts.push(RawPart {
            kind,
            flags: PartFlags::empty(),
            name,
            local_name,
            parent,
            decorators: Vec::new(),
            bases: Vec::new(),
            parameters: Vec::new(),
            returns: NameId::NONE,
            fixture_name: NameId::NONE,
            locals: Vec::new(),
            outer_names: Vec::new(),
        });
        self.raw.places.push(place);
        if self.with_digests {
            self.digests.push(PartDigests::default());
        }
        self.frames.push(Frame {
            part,
            prefix: String::new(),
            name: None,
            body: None,
            header: None,
            section,
            signature: Vec::new(),
            decorators: Vec::new(),
            body_bytes: Vec::new(),
            comments: Vec::new(),
            nested: Vec::new(),
        });
    }

    fn close_part(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let Some(slot) = self.digests.get_mut(frame.part as usize) else { return };
        let body = digest(&frame.body_bytes);
        let body_alone = without_nested(&frame.body_bytes, &frame.nested, body);
        *slot = PartDigests {
            signature: digest(&frame.signature),
            decorators: digest(&frame.decorators),
            body,
            body_alone,
            docstring: None,
            has_doctest: false,
            comments: digest(&frame.comments),
        };
    }

    /// Says once that something is nested too deeply to be followed.
    pub(super) fn too_deep(&mut self, node: Node<'_>) {
        if !self.raw.problems.iter().any(|problem| problem.kind == ProblemKind::TooDeep) {
            self.raw.problems.push(Problem { kind: ProblemKind::TooDeep, line: line(node) });
        }
    }

    /// Begins an inline module or namespace: what opens inside carries its name. Gives what [`Core::end_prefix`] takes.
    pub(super) fn begin_prefix(&mut self, name: &str) -> usize {
        let Some(frame) = self.frames.last_mut() else { return 0 };
        let before = frame.prefix.len();
        // A longer one opens no parts; it need not be exact.
        if before + name.len() < MAX_LOCAL_NAME * 2 {
            if before > 0 {
                frame.prefix.push('.');
            }
            frame.prefix.push_str(name);
        }
        before
    }

    pub(super) fn end_prefix(&mut self, before: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.prefix.truncate(before);
        }
    }

    // Decorators.

    fn begin_decorator(&mut self, open: &mut Open<'t, impl Copy>, depth: usize, inside: bool) {
        // Directly inside the node of a part, it decorates that part.
        if inside {
            open.section_before = self.frames.last().map(|frame| frame.section);
            if let Some(frame) = self.frames.last_mut() {
                frame.section = Section::Decorators;
            }
            return;
        }
        self.beside = true;
        if self.pending.as_ref().is_none_or(|pending| pending.depth != depth) {
            self.pending = Some(Pending {
                depth,
                line: line(open.node),
                names: Vec::new(),
                bytes: Vec::new(),
                first_reference: self.raw.references.len(),
                first_string: self.raw.strings.len(),
            });
        }
    }

    /// Names the decorator that is open.
    pub(super) fn decorated_by(&mut self, chain: &str) {
        let chain = if chain.is_empty() || chain.len() > MAX_CHAIN { "?" } else { chain };
        let name = self.raw.names.intern(chain);
        if self.beside {
            if let Some(pending) = &mut self.pending {
                pending.names.push(name);
            }
        } else {
            let part = self.part() as usize;
            if part > 0 {
                self.raw.parts[part].decorators.push(name);
            }
        }
    }

    /// What was taken for decorators of a part at this depth stands before something else.
    fn flush_pending(&mut self, depth: usize) {
        if self.pending.as_ref().is_some_and(|pending| pending.depth >= depth)
            && self.in_decorator == 0
            && let Some(pending) = self.pending.take()
        {
            self.buffer().extend_from_slice(&pending.bytes);
        }
    }

    // Facts.

    pub(super) fn reference(&mut self, node: Node<'_>, chain: &str, is_call: bool) {
        if chain.is_empty() || chain.len() > MAX_CHAIN {
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

    pub(super) fn import(&mut self, node: Node<'_>, form: ImportForm, module: &str, name: &str, alias: &str) {
        self.import_from(node, form, 0, module, name, alias);
    }

    pub(super) fn import_from(
        &mut self,
        node: Node<'_>,
        form: ImportForm,
        level: u16,
        module: &str,
        name: &str,
        alias: &str,
    ) {
        if module.len() > 2 * MAX_LOCAL_NAME {
            self.flag(PartFlags::COMPUTED_IMPORT);
            return;
        }
        let mut some = |text: &str| if text.is_empty() { NameId::NONE } else { self.raw.names.intern(text) };
        let (name, alias) = (some(name), some(alias));
        let import = RawImport {
            part: self.part(),
            line: line(node),
            form,
            level,
            module: self.raw.names.intern(module),
            name,
            alias,
            type_only: self.type_only,
            guarded: self.guarded > 0,
        };
        self.raw.imports.push(import);
    }

    pub(super) fn bind(&mut self, target: &str, on_self: bool, form: BindingForm, source: &str) {
        self.bind_in(self.part(), target, on_self, form, source);
    }

    pub(super) fn bind_in(&mut self, part: u32, target: &str, on_self: bool, form: BindingForm, source: &str) {
        if target.is_empty() || source.is_empty() || target.len() > MAX_CHAIN || source.len() > MAX_CHAIN {
            return;
        }
        let (target, source) = (self.raw.names.intern(target), self.raw.names.intern(source));
        self.raw.bindings.push(RawBinding { part, target, on_self, form, source });
    }

    pub(super) fn local(&mut self, name: &str) {
        if !name.is_empty() && name.len() <= MAX_CHAIN {
            let name = self.raw.names.intern(name);
            let part = self.part() as usize;
            self.raw.parts[part].locals.push(name);
        }
    }

    pub(super) fn flag(&mut self, flag: PartFlags) {
        let part = self.part() as usize;
        self.raw.parts[part].flags |= flag;
    }

    /// A string literal without its quotes.
    pub(super) fn string(&mut self, node: Node<'_>, text: &str, usage: StringUse) {
        if text.is_empty() || text.len() > 200 || text.contains(['\n', '\\']) {
            return;
        }
        let shape = shapes::string_shape(text);
        if shape.is_empty() && usage != StringUse::Path {
            return;
        }
        self.push_string(node, text, shape, usage);
    }

    pub(super) fn push_string(&mut self, node: Node<'_>, text: &str, shape: StringShape, usage: StringUse) {
        let text = self.raw.names.intern(text);
        self.raw.strings.push(RawString { part: self.part(), line: line(node), text, shape, usage });
    }

    /// Lists a name that the file offers to others.
    pub(super) fn export(&mut self, name: &str) {
        if name.len() <= MAX_CHAIN {
            let name = self.raw.names.intern(name);
            self.raw.all.get_or_insert_with(Vec::new).push(name);
        }
    }

    // Digests.

    fn begin_section(&mut self, open: &mut Open<'t, impl Copy>) {
        let Some(frame) = self.frames.last_mut() else { return };
        let id = Some(open.node.id());
        let section = if frame.body == id {
            Section::Body
        } else if frame.header == id {
            Section::Decorators
        } else {
            return;
        };
        if open.section_before.is_none() {
            open.section_before = Some(frame.section);
        }
        frame.section = section;
    }

    /// Where tokens go to. There always is a frame while the walk goes on: the module's is the last to close.
    fn buffer(&mut self) -> &mut Vec<u8> {
        if self.in_decorator > 0
            && self.beside
            && let Some(pending) = &mut self.pending
        {
            return &mut pending.bytes;
        }
        match self.frames.last_mut() {
            Some(frame) => frame.buffer(),
            None => &mut self.spare,
        }
    }

    fn comment<R: Reader>(&mut self, reader: &R, node: Node<'_>) {
        if !self.with_digests {
            return;
        }
        let text = self.slice(node).trim_end();
        let first = self.last_end == 0;
        self.write_gap(node.start_byte());
        self.last_end = node.end_byte();
        let (begin, end) = (node.start_position().row, node.end_position().row);
        let code = reader.is_code_comment(text, first);
        let distance = begin.saturating_sub(self.last_row).min(2) as u8;
        self.last_row = end;
        if code {
            let rest = self.text.get(node.end_byte()..).unwrap_or_default().bytes();
            let breaks = rest.take_while(u8::is_ascii_whitespace).filter(|byte| *byte == b'\n').take(2).count() as u8;
            let buffer = self.buffer();
            buffer.extend_from_slice(&[7, distance, breaks]);
            buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
            buffer.extend_from_slice(text.as_bytes());
        } else if let Some(frame) = self.frames.last_mut() {
            frame.comments.push(7);
            frame.comments.extend_from_slice(&(text.len() as u32).to_le_bytes());
            frame.comments.extend_from_slice(text.as_bytes());
        }
    }

    fn write_leaf(&mut self, node: Node<'_>) {
        self.write_gap(node.start_byte());
        self.last_end = self.last_end.max(node.end_byte());
        self.last_row = node.end_position().row;
        // The name of a part is in no digest.
        if self.frames.last().is_some_and(|frame| frame.name == Some(node.id())) {
            return;
        }
        let text = self.slice(node);
        let text = if node.is_named() { text } else { text.trim() };
        let kind = node.kind_id().to_le_bytes();
        let length = (text.len() as u32).to_le_bytes();
        let buffer = self.buffer();
        buffer.extend_from_slice(&[3, kind[0], kind[1], length[0], length[1], length[2], length[3]]);
        buffer.extend_from_slice(text.as_bytes());
    }

    /// Text between tokens that is not white space was skipped by the parser: it counts all the same.
    fn write_gap(&mut self, start: usize) {
        if start <= self.last_end || !self.with_digests {
            return;
        }
        let gap = self.text.get(self.last_end..start).unwrap_or_default();
        self.last_end = start;
        let gap = if self.verbatim { gap } else { gap.trim_ascii() };
        if !gap.is_empty() {
            let length = (gap.len() as u32).to_le_bytes();
            let buffer = self.buffer();
            buffer.push(5);
            buffer.extend_from_slice(&length);
            buffer.extend_from_slice(gap.as_bytes());
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
