//! What each part says, as digests of its canonical form: structure and token texts, without white space.
//!
//! A walk of its own, run only for files that a change touches: reading a whole tree needs none of it. It opens the same
//! parts in the same order as the walk for facts, so that digests and parts go together by position.
//!
//! The form: 1 opens a node, 2 is a token, 3 a text, 4 closes, 5 is a nested part, 6 a comment, with the line that it speaks of
//! where it is code. Nodes and texts say their roles, and whatever has a length says it.

use super::between::Piece;
use super::kinds::{Field, Role, defined};
use super::stack::{self, Stack};
use super::tree::{Node, Tree};
use super::walk::opens_part;
use crate::code::PartKind;
use crate::extract::hashes::{digest, without_nested};
use crate::extract::shapes;
use crate::facts::PartDigests;

/// The digests of every part, in the order of the parts.
pub(super) fn read(text: &str, tree: &Tree) -> Box<[PartDigests]> {
    let mut walk = Walk { text, tree, digests: Vec::new(), frames: Vec::new(), stack: Stack::new(), written: 0 };
    walk.run();
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
    /// Where its text ends.
    end: usize,
    /// The row behind it and all below it.
    behind: usize,
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
    tree: &'t Tree,
    digests: Vec<PartDigests>,
    frames: Vec<Frame>,
    stack: Stack<Open>,
    /// How far the text was written.
    written: usize,
}

impl<'t> Walk<'t> {
    fn run(&mut self) {
        self.open_part(PartKind::Module, 0);
        let mut at = 0;
        while at < self.tree.rows.len() {
            while self.stack.last().is_some_and(|open| open.behind <= at) {
                self.leave();
            }
            let node = self.tree.node(at);
            self.write_up_to(node.start());
            let mut open = Open {
                role: node.role(),
                end: node.end(),
                behind: node.behind(),
                marked: false,
                opened_part: false,
                docstring: false,
            };
            if self.enter(node, &mut open) {
                self.stack.push(open);
                at += 1;
            } else {
                self.written = self.written.max(node.end());
                at = node.behind();
            }
        }
        while self.stack.last().is_some() {
            self.leave();
        }
        while !self.frames.is_empty() {
            self.close_part();
        }
    }

    fn slice(&self, node: Node<'_>) -> &'t str {
        node.slice(self.text)
    }

    /// Handles a node on the way down; true to descend, false when its text is written.
    fn enter(&mut self, node: Node<'_>, open: &mut Open) -> bool {
        self.begin_section(open.role);
        match open.role {
            // The name of a part is in no digest; one that was nested too deeply is a text like others.
            Role::Identifier if self.stack.in_definition() => return false,
            // White space counts also in the code of a formatted literal: `f"{a = }"`.
            Role::Identifier | Role::Leaf | Role::String => {
                self.write_text(open.role, self.slice(node));
                return false;
            }
            Role::Module => return true,
            Role::Decorated => {
                if let Some(definition) = node.child_of(Field::Definition) {
                    open.opened_part = self.open_definition(definition);
                }
            }
            Role::Function | Role::Class if !self.stack.parent_is_decorated_part() => {
                open.opened_part = self.open_definition(node);
            }
            Role::ExpressionStatement => open.docstring = self.docstring(node),
            _ => {}
        }
        // The definition of a part is the part itself: its frame holds its pieces.
        let is_part = open.opened_part
            || (matches!(open.role, Role::Function | Role::Class) && self.stack.parent_is_decorated_part());
        if !is_part {
            self.buffer().extend_from_slice(&[1, open.role as u8]);
            open.marked = true;
        }
        true
    }

    fn leave(&mut self) {
        let Some(Open { end, .. }) = self.stack.last().copied() else { return };
        self.write_up_to(end);
        let Some(open) = self.stack.pop() else { return };
        if open.marked {
            self.buffer().push(4);
        }
        if open.docstring {
            self.frame().section = Section::Body;
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
                if self.stack.in_body() {
                    self.frame().body_begun = true;
                }
                return;
            }
            _ => return,
        };
        self.frame().section = section;
    }

    /// Opens the part of a definition. False when nested too deeply.
    fn open_definition(&mut self, definition: Node<'_>) -> bool {
        let Some(name) = definition.child_of(Field::Name) else { return false };
        let name = self.slice(name);
        let open_parts = self.frames.len();
        let parent = self.frame();
        if !opens_part(open_parts, parent.name_length, name.len()) {
            return false;
        }
        let name_length = if parent.name_length == 0 { name.len() } else { parent.name_length + 1 + name.len() };
        let kind = defined(definition.role(), parent.kind);
        // The parent's body marks the place of the part by kind and name.
        let in_body = parent.section == Section::Body;
        let buffer = parent.section_buffer();
        let begin = buffer.len();
        buffer.extend_from_slice(&[5, kind as u8]);
        put(buffer, name);
        let end = buffer.len();
        if in_body {
            parent.nested.push((begin, end));
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
        if !self.stack.in_body() || self.frame().body_begun {
            return false;
        }
        let text = docstring(self.text, node);
        let frame = self.frame();
        frame.body_begun = true;
        let Some(text) = text else { return false };
        frame.section = Section::Docstring;
        frame.has_doctest = text.contains(">>>");
        true
    }

    // Texts.

    /// The innermost open part.
    fn frame(&mut self) -> &mut Frame {
        let innermost = self.frames.len() - 1;
        &mut self.frames[innermost]
    }

    /// Where tokens go.
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.frame().section_buffer()
    }

    fn write_text(&mut self, role: Role, text: &str) {
        let buffer = self.buffer();
        buffer.extend_from_slice(&[3, role as u8]);
        put(buffer, text);
    }

    /// Writes what stands between the nodes: tokens that have none of their own, and comments.
    fn write_up_to(&mut self, end: usize) {
        let begin = self.written;
        if begin >= end {
            return;
        }
        self.written = end;
        let (text, tree) = (self.text, self.tree);
        for piece in tree.between(text, begin, end) {
            match piece {
                Piece::Token(token) => self.write_token(token),
                Piece::Comment(start, end) => self.comment(start, &text[start..end]),
            }
        }
    }

    fn write_token(&mut self, token: &str) {
        if self.stack.in_definition() {
            self.frame().section = Section::Signature;
        }
        let buffer = self.buffer();
        buffer.push(2);
        put(buffer, token);
    }

    fn comment(&mut self, start: usize, comment: &str) {
        let comment = comment.trim_end();
        let before = &self.text[..start];
        // Of the first two lines more is asked.
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).take(2).count();
        let code = shapes::is_code_comment(comment, line);
        let frame = self.frame();
        let buffer = if code { frame.section_buffer() } else { &mut frame.comments };
        buffer.push(6);
        put(buffer, comment);
        if code {
            // It speaks of the line that it ends, or of the block that it stands in.
            let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
            let is_alone = line.trim().is_empty();
            let said: String = line.chars().filter(|char| is_alone || !char.is_ascii_whitespace()).collect();
            put(buffer, &said);
        }
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

/// Writes a text behind its length.
fn put(buffer: &mut Vec<u8>, text: &str) {
    buffer.extend_from_slice(&(text.len() as u32).to_le_bytes());
    buffer.extend_from_slice(text.as_bytes());
}

/// The literal of a statement that is a plain string and nothing else, as docstrings are.
fn docstring<'t>(text: &'t str, statement: Node<'_>) -> Option<&'t str> {
    let string = statement.child(0).filter(|string| string.behind() == statement.behind())?;
    let is_all = (string.start(), string.end()) == (statement.start(), statement.end());
    let text = string.slice(text);
    let is_plain = text.trim_start_matches(['r', 'R', 'u', 'U']).starts_with(['"', '\'']);
    (string.role() == Role::String && is_all && is_plain).then_some(text)
}
