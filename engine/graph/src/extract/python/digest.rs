//! What each part says, as digests of its canonical form: kinds, structure and token texts, without white space.
//!
//! A walk of its own, run only for files that a change touches: reading a whole tree needs none of it. It opens the same
//! parts in the same order as the walk for facts, so that digests and parts go together by position.
//!
//! The form: 1 opens a node, 2 is a token, 3 a text, 4 closes, 5 is text that no token covers, 6 a nested part, 7 a comment,
//! with 8 after the line that one speaks of that is code.

use tree_sitter::{Node, Tree};

use super::chains::{MAX_CHAIN_NODES, is_plain_chain};
use super::kinds::{KINDS, Kinds, Role, defined};
use super::stack::{self, Stack};
use super::walk::{MAX_CHAIN, opens_part};
use crate::code::PartKind;
use crate::extract::hashes::{digest, without_nested};
use crate::extract::shapes;
use crate::facts::PartDigests;

/// The digests of every part, in the order of the parts.
pub(super) fn read(text: &str, tree: &Tree) -> Box<[PartDigests]> {
    let mut walk = Walk {
        text,
        kinds: &KINDS,
        digests: Vec::new(),
        frames: Vec::new(),
        stack: Stack::new(),
        last_end: 0,
        silent_until: 0,
        written_until: 0,
    };
    walk.run(tree);
    walk.digests.into()
}

/// Which buffer of a frame tokens go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Signature,
    Decorators,
    Body,
    Docstring,
}

/// A part whose end was not reached, with its canonical text as far as read.
struct Frame {
    /// Index in the digests.
    part: usize,
    kind: PartKind,
    /// Length of its local name.
    name_length: usize,
    section: Section,
    signature: Vec<u8>,
    decorators: Vec<u8>,
    body: Vec<u8>,
    docstring: Vec<u8>,
    comments: Vec<u8>,
    /// Where in `body` nested parts are marked.
    nested: Vec<(usize, usize)>,
    /// A statement of the body was seen: no docstring can follow.
    body_begun: bool,
    has_doctest: bool,
}

/// A node whose end was not reached.
#[derive(Clone, Copy)]
struct Open {
    role: Role,
    /// Its structure was written to a buffer.
    marked: bool,
    /// A part began with this node.
    opened_part: bool,
    /// The docstring statement of a part.
    docstring: bool,
}

impl stack::Open for Open {
    fn role(&self) -> Role {
        self.role
    }

    fn opened_part(&self) -> bool {
        self.opened_part
    }
}

struct Walk<'t> {
    text: &'t str,
    kinds: &'static Kinds,
    digests: Vec<PartDigests>,
    frames: Vec<Frame>,
    stack: Stack<Open>,
    /// End of the last token, to see text that no token covers.
    last_end: usize,
    /// Chains before this offset are part of one that was written.
    silent_until: usize,
    /// Tokens before this offset were written already.
    written_until: usize,
}

impl<'t> Walk<'t> {
    fn run(&mut self, tree: &Tree) {
        self.open_part(PartKind::Module, 0);
        let mut cursor = tree.walk();
        'nodes: loop {
            let node = cursor.node();
            let role = self.kinds.role(node.kind_id());
            let mut open = Open { role, marked: false, opened_part: false, docstring: false };
            if self.enter(node, &mut open) {
                if cursor.goto_first_child() {
                    self.stack.push(open);
                    continue;
                }
                // Named, but without children: its text is all it says.
                self.write_leaf(node, self.slice(node));
                self.leave(&open);
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    break 'nodes;
                }
                if let Some(open) = self.stack.pop() {
                    self.leave(&open);
                }
            }
        }
        self.write_gap(self.text.len());
        while !self.frames.is_empty() {
            self.close_part();
        }
    }

    fn slice(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.start_byte()..node.end_byte()).unwrap_or_default()
    }

    /// Handles a node on the way down; true to descend.
    fn enter(&mut self, node: Node<'_>, open: &mut Open) -> bool {
        match open.role {
            Role::Comment => {
                self.comment(node);
                return false;
            }
            Role::Continuation => {
                self.write_gap(node.start_byte());
                self.last_end = node.end_byte();
                return false;
            }
            role => self.begin_section(role),
        }
        match open.role {
            Role::Token => {
                self.write_token(node);
                return false;
            }
            Role::Identifier => {
                self.identifier(node);
                return false;
            }
            Role::Leaf | Role::Piece => {
                self.write_leaf(node, self.slice(node));
                return false;
            }
            Role::Module => return true,
            Role::String => {
                let text = self.slice(node);
                if !shapes::is_formatted(text) {
                    self.write_leaf(node, text);
                    return false;
                }
            }
            Role::Verbatim => {
                let text = self.slice(node);
                self.write_text(node.kind_id(), text);
            }
            Role::Decorated => {
                if let Some(definition) = node.child_by_field_id(self.kinds.definition) {
                    open.opened_part = self.open_definition(definition, node);
                }
            }
            Role::Function | Role::Class if !self.stack.parent_is_decorated_part() => {
                open.opened_part = self.open_definition(node, node);
            }
            Role::Attribute if self.attribute(node) => return false,
            Role::DottedName => {
                self.write_leaf(node, &shapes::name_characters(self.slice(node)));
                return false;
            }
            Role::Type => {
                let text = self.slice(node);
                if is_plain_chain(text) {
                    self.write_leaf(node, text);
                    return false;
                }
            }
            Role::ImportFrom | Role::Import | Role::ImportFuture => self.silent_until = node.end_byte(),
            Role::ExpressionStatement => open.docstring = self.docstring(node),
            _ => {}
        }
        self.write_open(node, open);
        true
    }

    fn leave(&mut self, open: &Open) {
        if open.marked {
            self.buffer(|buffer| buffer.push(4));
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

    // Parts and their sections.

    /// Children of a definition say which piece of the part they are; statements of a body end the chance of a docstring.
    fn begin_section(&mut self, role: Role) {
        let Some(parent) = self.stack.last() else { return };
        let section = match (parent.role, role) {
            (Role::Function | Role::Class, _) if !self.stack.in_definition() => return,
            (Role::Function | Role::Class, Role::Block) => Section::Body,
            (Role::Class, Role::Arguments) => Section::Decorators,
            (Role::Function | Role::Class, _) => Section::Signature,
            (Role::Module | Role::Block, Role::ExpressionStatement) => return,
            (Role::Module | Role::Block, _) => {
                if self.stack.in_body()
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

    /// Opens the part of a definition; `outer` is the decorated definition where there is one. False when nested too deeply.
    fn open_definition(&mut self, definition: Node<'_>, outer: Node<'_>) -> bool {
        let Some(name) = definition.child_by_field_id(self.kinds.name) else { return false };
        let name = self.slice(name);
        let Some(parent) = self.frames.last() else { return false };
        if !opens_part(self.frames.len(), parent.name_length, name.len()) {
            return false;
        }
        let name_length = if parent.name_length == 0 { name.len() } else { parent.name_length + 1 + name.len() };
        let kind = defined(self.kinds.role(definition.kind_id()), parent.kind);
        // The parent's body marks the place of the part by kind and name.
        self.write_gap(outer.start_byte());
        if let Some(frame) = self.frames.last_mut() {
            let in_body = frame.section == Section::Body;
            let buffer = frame.section_buffer();
            let begin = buffer.len();
            buffer.extend_from_slice(&[6, kind as u8]);
            buffer.extend_from_slice(&(name.len() as u32).to_le_bytes());
            buffer.extend_from_slice(name.as_bytes());
            let end = buffer.len();
            if in_body {
                frame.nested.push((begin, end));
            }
        }
        self.open_part(kind, name_length);
        true
    }

    fn open_part(&mut self, kind: PartKind, name_length: usize) {
        let part = self.digests.len();
        self.digests.push(PartDigests::default());
        self.frames.push(Frame {
            part,
            kind,
            name_length,
            section: if kind == PartKind::Module { Section::Body } else { Section::Decorators },
            signature: Vec::new(),
            decorators: Vec::new(),
            body: Vec::new(),
            docstring: Vec::new(),
            comments: Vec::new(),
            nested: Vec::new(),
            body_begun: false,
            has_doctest: false,
        });
    }

    fn close_part(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let body = digest(&frame.body);
        let body_alone = without_nested(&frame.body, &frame.nested, body);
        self.digests[frame.part] = PartDigests {
            signature: digest(&frame.signature),
            decorators: digest(&frame.decorators),
            body,
            body_alone,
            docstring: (!frame.docstring.is_empty()).then(|| digest(&frame.docstring)),
            has_doctest: frame.has_doctest,
            comments: digest(&frame.comments),
        };
    }

    fn docstring(&mut self, node: Node<'_>) -> bool {
        let in_body = self.stack.in_body();
        let Some(frame) = self.frames.last_mut() else { return false };
        if !in_body || frame.body_begun {
            return false;
        }
        frame.body_begun = true;
        let Some(text) = docstring(self.kinds, self.text, node) else { return false };
        frame.section = Section::Docstring;
        frame.has_doctest = text.contains(">>>");
        true
    }

    // Tokens.

    fn identifier(&mut self, node: Node<'_>) {
        if self.stack.in_definition() {
            // The name of a part is in no digest; one that was nested too deeply is a token like others.
            self.write_gap(node.start_byte());
            self.last_end = node.end_byte();
            return;
        }
        self.write_leaf(node, self.slice(node));
    }

    /// Writes a chain of names as one token; true when it needs no descent.
    fn attribute(&mut self, node: Node<'_>) -> bool {
        let text = self.slice(node);
        if is_plain_chain(text) {
            self.write_chain(node, text);
            return true;
        }
        // Inside a chain that was written, or behind one: nothing new.
        if node.start_byte() < self.silent_until {
            return false;
        }
        if let Some(chain) = self.spaced_chain(node) {
            // White space or comments between the names: the same chain, written once.
            self.write_chain(node, &chain);
            self.silent_until = self.silent_until.max(node.end_byte());
            self.written_until = self.written_until.max(node.end_byte());
            self.last_end = node.start_byte();
        }
        false
    }

    /// The names of a chain that is nothing but names.
    fn spaced_chain(&self, node: Node<'_>) -> Option<String> {
        let mut names = Vec::new();
        let mut at = node;
        while self.kinds.role(at.kind_id()) == Role::Attribute && names.len() < MAX_CHAIN_NODES {
            names.push(self.slice(at.child_by_field_id(self.kinds.attribute)?));
            at = at.child_by_field_id(self.kinds.object)?;
        }
        (self.kinds.role(at.kind_id()) == Role::Identifier).then(|| names.push(self.slice(at)))?;
        names.reverse();
        Some(names.join(".")).filter(|chain| chain.len() <= MAX_CHAIN)
    }

    fn comment(&mut self, node: Node<'_>) {
        let text = self.slice(node).trim_end();
        self.write_gap(node.start_byte());
        self.last_end = node.end_byte();
        let code = shapes::is_code_comment(text, node.start_position().row);
        let Some(frame) = self.frames.last_mut() else { return };
        let buffer = if code { frame.section_buffer() } else { &mut frame.comments };
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

    /// Writes to the open part's buffer. There always is one: the module's frame is the last to close.
    fn buffer(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(frame) = self.frames.last_mut() {
            write(frame.section_buffer());
        }
    }

    fn write_open(&mut self, node: Node<'_>, open: &mut Open) {
        // The definition of a part is the part itself: its frame holds its pieces.
        let is_part = open.opened_part
            || (matches!(open.role, Role::Function | Role::Class) && self.stack.parent_is_decorated_part());
        if is_part || node.start_byte() < self.written_until {
            return;
        }
        let kind = node.kind_id().to_le_bytes();
        self.buffer(|buffer| buffer.extend_from_slice(&[1, kind[0], kind[1]]));
        open.marked = true;
    }

    fn write_token(&mut self, node: Node<'_>) {
        let start = node.start_byte();
        self.write_gap(start);
        self.last_end = node.end_byte();
        if start >= self.written_until {
            let kind = node.kind_id().to_le_bytes();
            self.buffer(|buffer| buffer.extend_from_slice(&[2, kind[0], kind[1]]));
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
        self.buffer(|buffer| {
            buffer.extend_from_slice(&[3, kind[0], kind[1], length[0], length[1], length[2], length[3]]);
            buffer.extend_from_slice(text.as_bytes());
        });
    }

    /// Text between tokens that is not white space was skipped by the parser: it counts all the same.
    fn write_gap(&mut self, start: usize) {
        if start <= self.last_end {
            return;
        }
        let gap = self.text.get(self.last_end..start).unwrap_or_default();
        if self.last_end >= self.written_until && gap.bytes().any(|byte| !byte.is_ascii_whitespace()) {
            let gap = gap.trim();
            let length = (gap.len() as u32).to_le_bytes();
            self.buffer(|buffer| {
                buffer.push(5);
                buffer.extend_from_slice(&length);
                buffer.extend_from_slice(gap.as_bytes());
            });
        }
        self.last_end = start;
    }
}

impl Frame {
    fn section_buffer(&mut self) -> &mut Vec<u8> {
        match self.section {
            Section::Signature => &mut self.signature,
            Section::Decorators => &mut self.decorators,
            Section::Body => &mut self.body,
            Section::Docstring => &mut self.docstring,
        }
    }
}

/// The literal of a statement that is a plain string and nothing else, as docstrings are.
fn docstring<'t>(kinds: &Kinds, text: &'t str, statement: Node<'_>) -> Option<&'t str> {
    let string = statement.child(0).filter(|_| statement.child_count() == 1)?;
    let text = text.get(string.start_byte()..string.end_byte()).unwrap_or_default();
    let is_plain = text.trim_start_matches(['r', 'R', 'u', 'U']).starts_with(['"', '\'']);
    (kinds.role(string.kind_id()) == Role::String && is_plain).then_some(text)
}
