//! Reading Python's syntax tree where facts are not enough: walks that no depth of nesting can break.

use tree_sitter::Node;

pub(crate) use crate::extract::python::parse as parse_python;
pub(crate) use crate::facts::MAX_PARSED_BYTES as MAX_BYTES;

/// Visits a node and everything in it in source order; `visit` says whether to go inside.
pub(crate) fn each_node<'tree>(root: Node<'tree>, visit: &mut dyn FnMut(Node<'tree>) -> bool) {
    let mut cursor = root.walk();
    let mut enter = visit(root);
    loop {
        if enter && cursor.goto_first_child() || cursor.goto_next_sibling() {
            enter = visit(cursor.node());
            continue;
        }
        loop {
            if !cursor.goto_parent() {
                return;
            }
            if cursor.goto_next_sibling() {
                enter = visit(cursor.node());
                break;
            }
        }
    }
}

/// The tokens of a node without comments, joined by blanks; strings whole.
pub(crate) fn tokens(root: Node<'_>, text: &str) -> String {
    let mut joined = String::new();
    each_node(root, &mut |node| {
        if node.kind() == "comment" {
            return false;
        }
        // Indentation has no token; which statements a block holds is part of what is said.
        if node.kind() == "block" {
            let statements = node.named_children(&mut node.walk()).filter(|child| child.kind() != "comment").count();
            joined.push_str(&format!("\u{1}{statements}"));
        }
        if node.child_count() > 0 && node.kind() != "string" {
            return true;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(text.get(node.byte_range()).unwrap_or_default());
        false
    });
    joined
}

/// The first node that does not parse.
pub(crate) fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    let mut found = None;
    each_node(root, &mut |node| {
        if found.is_none() && (node.is_error() || node.is_missing()) {
            found = Some(node);
        }
        found.is_none() && node.has_error()
    });
    found
}
