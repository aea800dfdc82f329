//! Reading Python's syntax tree where facts are not enough: walks that no depth of nesting can break.

use std::collections::BTreeMap;

use tree_sitter::Node;

use crate::facts::Language;

pub(crate) use crate::extract::python::parse_kept as parse_python;
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

/// Children that carry names in the grammar, without comments.
pub(crate) fn children<'tree>(node: Node<'tree>) -> Vec<Node<'tree>> {
    node.named_children(&mut node.walk()).filter(|child| child.kind() != "comment").collect()
}

/// The definition behind its decorators, and the decorators.
pub(crate) fn undecorated<'tree>(node: Node<'tree>) -> (Node<'tree>, Vec<Node<'tree>>) {
    if node.kind() != "decorated_definition" {
        return (node, Vec::new());
    }
    let decorators = children(node).into_iter().filter(|child| child.kind() == "decorator").collect();
    (node.child_by_field_name("definition").unwrap_or(node), decorators)
}

/// `left = right` as a statement.
pub(crate) fn assignment<'tree>(statement: Node<'tree>) -> Option<(Node<'tree>, Node<'tree>)> {
    let inner = if statement.kind() == "expression_statement" { statement.named_child(0)? } else { statement };
    (inner.kind() == "assignment").then_some(())?;
    Some((inner.child_by_field_name("left")?, inner.child_by_field_name("right")?))
}

/// Names that imports anywhere in a file bind, to what they stand for; `import a.b` binds a name that stands for itself.
pub(crate) fn imports(root: Node<'_>, text: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    each_node(root, &mut |node| {
        let (module, imported) = match node.kind() {
            "import_statement" => (String::new(), children(node)),
            "import_from_statement" => {
                let module = node.child_by_field_name("module_name");
                let imported = children(node).into_iter().filter(|child| Some(*child) != module).collect();
                (module.map_or(String::new(), |module| format!("{}.", text_of(module, text))), imported)
            }
            _ => return true,
        };
        for name in imported {
            match name.kind() {
                "aliased_import" => {
                    let field = |field: &str| name.child_by_field_name(field).map_or("", |node| text_of(node, text));
                    names.insert(field("alias").to_owned(), format!("{module}{}", field("name")));
                }
                "dotted_name" if !module.is_empty() => {
                    let own = text_of(name, text);
                    names.insert(own.to_owned(), format!("{module}{own}"));
                }
                _ => {}
            }
        }
        false
    });
    names
}

/// The text of a node.
pub(crate) fn text_of<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    text.get(node.byte_range()).unwrap_or_default()
}

/// The line (1-based) where a node begins.
pub(crate) fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row).unwrap_or(u32::MAX - 1) + 1
}

/// How often a name stands in a text as a whole word.
pub(crate) fn words(text: &str, name: &str) -> usize {
    let is_part = |character: char| character == '_' || character.is_alphanumeric();
    text.match_indices(name)
        .filter(|(at, _)| {
            !text[..*at].chars().next_back().is_some_and(is_part)
                && !text[at + name.len()..].chars().next().is_some_and(is_part)
        })
        .count()
}

/// A language may read a text otherwise than its grammar does, by what ends a line, and with it a comment, or by how its bytes
/// are read: equal tokens prove nothing then.
pub(crate) fn reads_otherwise(language: Language, text: &str) -> bool {
    let bytes = text.as_bytes();
    // A carriage return alone ends a line for Python, and with it a comment.
    if bytes.iter().enumerate().any(|(at, byte)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
        return true;
    }
    match language {
        Language::Python => text.lines().take(2).any(names_foreign_encoding),
        // These end a line, and with it a comment, for JavaScript alone; and scripts know comments of HTML.
        Language::TypeScript | Language::Tsx | Language::JavaScript => {
            text.contains(['\u{2028}', '\u{2029}']) || text.contains("<!--") || text.contains("-->")
        }
        _ => false,
    }
}

/// A comment that names an encoding in which other bytes than these may be code.
fn names_foreign_encoding(line: &str) -> bool {
    const PLAIN: [&str; 8] = ["utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1"];
    let Some(comment) = line.trim_start().strip_prefix('#') else { return false };
    comment.match_indices("coding").any(|(at, word)| {
        let Some(rest) = comment[at + word.len()..].strip_prefix([':', '=']) else { return false };
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
            .collect();
        !name.is_empty() && !PLAIN.contains(&name.to_ascii_lowercase().replace('_', "-").as_str())
    })
}

/// Definitions nested deeper are passed over.
const MAX_DEPTH: usize = 200;

/// Visits every function and class with its name inside the file and its decorators, in source order.
pub(crate) fn each_definition<'tree>(
    root: Node<'tree>,
    text: &str,
    visit: &mut dyn FnMut(&str, Node<'tree>, &[Node<'tree>]),
) {
    // Scopes that are open, with the byte where each ends.
    let mut scopes: Vec<(String, usize)> = Vec::new();
    let mut pending: Option<(usize, Vec<Node<'tree>>)> = None;
    each_node(root, &mut |node| {
        if node.kind() == "decorated_definition" {
            let (definition, decorators) = undecorated(node);
            pending = Some((definition.id(), decorators));
            return true;
        }
        if !matches!(node.kind(), "function_definition" | "class_definition") {
            return true;
        }
        while scopes.last().is_some_and(|(_, end)| *end <= node.start_byte()) {
            scopes.pop();
        }
        if scopes.len() > MAX_DEPTH {
            return false;
        }
        let own = node.child_by_field_name("name").map_or("", |name| text_of(name, text));
        let name = match scopes.last() {
            Some((outer, _)) => format!("{outer}.{own}"),
            None => own.to_owned(),
        };
        let decorators = match pending.take() {
            Some((id, decorators)) if id == node.id() => decorators,
            _ => Vec::new(),
        };
        visit(&name, node, &decorators);
        scopes.push((name, node.end_byte()));
        true
    });
}
