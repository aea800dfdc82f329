//! The syntax tree that the walk for facts reads: the named nodes of tree-sitter's tree of Python, as rows in source order.
//!
//! A node's children lie behind it, so that a walk is a loop over an array. What tells nothing has no row: comments, tokens
//! (but for those that an error put in), the pieces of strings, the names inside dotted names. [`Tree::convert`] takes
//! tree-sitter's tree; the parser beside this file gives the same rows without one.

use tree_sitter::TreeCursor;

use super::between::{Piece, pieces};
use super::kinds::{Field, KINDS, Role};

/// One node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) role: Role,
    /// What it is to the node around it.
    pub(super) field: Field,
    pub(super) detail: Detail,
    /// Its text, in bytes.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The line in which it begins, from 0.
    pub(super) line: u32,
    /// Rows of it and of all below it.
    pub(super) size: u32,
}

/// What a token would tell, said by the node around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    None,
    /// An `async` function.
    Async,
    /// An operator: `/`.
    Divides,
    /// `+` or `%`.
    Appends,
    /// Not in the text: the parser put it in.
    Missing,
}

/// The rows of a file; the module comes first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) rows: Vec<Row>,
    /// Nodes may be missing.
    pub(super) has_errors: bool,
    /// Where comments begin, of a text with errors. Elsewhere each `#` between the rows begins one.
    pub(super) comments: Vec<u32>,
}

impl Tree {
    /// What stands between rows, from a byte of the text up to another one.
    pub(super) fn between<'t>(&self, text: &'t str, begin: usize, end: usize) -> impl Iterator<Item = Piece<'t>> {
        pieces(text, begin, end, |at| !self.has_errors || self.comments.binary_search(&(at as u32)).is_ok())
    }

    pub(super) fn root(&self) -> Node<'_> {
        Node { rows: &self.rows, at: 0 }
    }

    pub(super) fn node(&self, at: usize) -> Node<'_> {
        Node { rows: &self.rows, at }
    }

    /// The rows of tree-sitter's tree.
    pub(super) fn convert(tree: &tree_sitter::Tree, text: &str) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        // Open rows, and for nodes without a row none.
        let mut open: Vec<Option<usize>> = Vec::new();
        let has_errors = tree.root_node().has_error();
        let mut comments = Vec::new();
        let mut cursor = tree.walk();
        'nodes: loop {
            let row = row(&cursor, rows.is_empty(), text);
            let around = open.iter().rev().find_map(|open| *open);
            if let (Some(around), "async") = (around, cursor.node().kind())
                && rows[around].role == Role::Function
            {
                rows[around].detail = Detail::Async;
            }
            if has_errors && KINDS.role(cursor.node().kind_id()) == Role::Comment {
                comments.push(cursor.node().start_byte() as u32);
            }
            let descends = row.is_none_or(|row| !row.role.is_told_by_text());
            let at = row.map(|row| {
                rows.push(row);
                rows.len() - 1
            });
            if descends && cursor.goto_first_child() {
                open.push(at);
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    break 'nodes;
                }
                if let Some(Some(at)) = open.pop() {
                    rows[at].size = (rows.len() - at) as u32;
                }
            }
        }
        Self { rows, has_errors, comments }
    }
}

/// The row of the node at a cursor; `None` where it has none.
fn row(cursor: &TreeCursor<'_>, is_root: bool, text: &str) -> Option<Row> {
    let node = cursor.node();
    let role = KINDS.role(node.kind_id());
    if matches!(role, Role::Comment | Role::Continuation | Role::Piece | Role::Token) && !node.is_missing() {
        return None;
    }
    let detail = match role {
        _ if node.is_missing() => Detail::Missing,
        Role::Binary => {
            node.child_by_field_id(KINDS.operator).map_or(Detail::None, |operator| Detail::of_operator(operator.kind()))
        }
        _ => Detail::None,
    };
    Some(Row {
        role,
        field: cursor.field_id().map_or(Field::None, |field| KINDS.field(field.get())),
        detail,
        start: if is_root { 0 } else { node.start_byte() as u32 },
        end: if is_root { text.len() } else { node.end_byte() } as u32,
        line: if is_root { 0 } else { node.start_position().row as u32 },
        size: 1,
    })
}

impl Detail {
    fn of_operator(operator: &str) -> Self {
        match operator {
            "/" => Self::Divides,
            "+" | "%" => Self::Appends,
            _ => Self::None,
        }
    }
}

/// A place in a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'t> {
    rows: &'t [Row],
    at: usize,
}

impl<'t> Node<'t> {
    fn row(self) -> &'t Row {
        &self.rows[self.at]
    }

    pub(super) fn role(self) -> Role {
        self.row().role
    }

    pub(super) fn field(self) -> Field {
        self.row().field
    }

    pub(super) fn detail(self) -> Detail {
        self.row().detail
    }

    pub(super) fn start(self) -> usize {
        self.row().start as usize
    }

    pub(super) fn end(self) -> usize {
        self.row().end as usize
    }

    /// The line in which it begins, from 1.
    pub(super) fn line(self) -> u32 {
        self.row().line + 1
    }

    /// Where the row behind it and all below it is.
    pub(super) fn behind(self) -> usize {
        self.at + self.row().size as usize
    }

    pub(super) fn at(self) -> usize {
        self.at
    }

    pub(super) fn slice(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }

    /// What stands in it, but for tokens that are not in the text.
    pub(super) fn children(self) -> impl Iterator<Item = Node<'t>> {
        let end = self.behind();
        let mut at = self.at + 1;
        let next = move || {
            let child = Node { rows: self.rows, at };
            (at < end).then(|| {
                at = child.behind();
                child
            })
        };
        std::iter::from_fn(next).filter(|child| child.role() != Role::Token)
    }

    pub(super) fn child(self, index: usize) -> Option<Node<'t>> {
        self.children().nth(index)
    }

    pub(super) fn child_of(self, field: Field) -> Option<Node<'t>> {
        self.children().find(|child| child.field() == field)
    }
}
