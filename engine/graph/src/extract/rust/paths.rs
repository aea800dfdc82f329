//! Paths and chains: `a::b::c` and `x.y().z` become dotted, `use` trees become imports.

use tree_sitter::Node;

use super::Source;
use super::kinds::{FIELDS, K, KINDS};
use crate::extract::core::{Core, MAX_CHAIN};
use crate::facts::ImportForm;

/// Nodes that one chain is read from.
const MAX_STEPS: usize = 32;
/// Imports of one `use`.
const MAX_USES: usize = 10_000;

/// The dotted chain of a path or an expression; `?` stands for what is no name.
pub(super) fn chain(core: &Core<'_>, node: Node<'_>) -> String {
    let mut segments: Vec<String> = Vec::new();
    let mut calls = String::new();
    let mut at = Some(node);
    let mut length = 0;
    for _ in 0..MAX_STEPS {
        let Some(node) = at else { break };
        let (segment, next) = match KINDS.kind(node) {
            K::Identifier | K::TypeIdentifier | K::SelfWord | K::SuperWord | K::CrateWord => (core.slice(node), None),
            K::String => ("''", None),
            K::Scoped => match (node.child_by_field_id(FIELDS.name), node.child_by_field_id(FIELDS.path)) {
                (Some(name), Some(path)) => (core.slice(name), Some(path)),
                // `::a`
                (Some(name), None) => (core.slice(name), None),
                _ => break,
            },
            K::Field => match (node.child_by_field_id(FIELDS.field), node.child_by_field_id(FIELDS.value)) {
                (Some(name), Some(value)) => (core.slice(name), Some(value)),
                _ => break,
            },
            K::Call => {
                at = node.child_by_field_id(FIELDS.function);
                calls.push_str("()");
                continue;
            }
            K::GenericFunction => {
                at = node.child_by_field_id(FIELDS.function);
                continue;
            }
            K::Generic => {
                at = node.child_by_field_id(FIELDS.type_);
                continue;
            }
            K::Wrapper => {
                at = named(node);
                continue;
            }
            K::Reference => {
                at = node.child_by_field_id(FIELDS.value);
                continue;
            }
            _ => break,
        };
        length += segment.len() + calls.len() + 1;
        let text: String = segment.chars().filter(|char| !char.is_whitespace()).collect();
        // A raw identifier is the same name.
        let text = text.strip_prefix("r#").unwrap_or(&text);
        segments.push(format!("{text}{}", std::mem::take(&mut calls)));
        at = next;
        if at.is_none() {
            segments.reverse();
            return segments.join(".");
        }
        if length > MAX_CHAIN {
            break;
        }
    }
    segments.push("?".to_owned());
    segments.reverse();
    segments.join(".")
}

/// True for a path of nothing but names.
pub(super) fn is_pure(node: Node<'_>) -> bool {
    let mut at = Some(node);
    for _ in 0..MAX_STEPS {
        let Some(node) = at else { return true };
        match KINDS.kind(node) {
            K::Identifier | K::TypeIdentifier | K::SelfWord | K::SuperWord | K::CrateWord => return true,
            K::Scoped => at = node.child_by_field_id(FIELDS.path),
            _ => return false,
        }
    }
    false
}

/// The text of a string literal without quotes and prefixes.
pub(super) fn string(literal: &str) -> &str {
    let text = literal.trim_start_matches(['b', 'c', 'r']).trim_matches('#');
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or("")
}

/// The first child that is no token and no comment.
pub(super) fn named(node: Node<'_>) -> Option<Node<'_>> {
    find(node, |child| child.is_named() && KINDS.kind(child) != K::Comment)
}

/// The first child of a kind.
pub(super) fn child(node: Node<'_>, kind: K) -> Option<Node<'_>> {
    find(node, |child| KINDS.kind(child) == kind)
}

/// The first child that is a type.
pub(super) fn type_inside(node: Node<'_>) -> Option<Node<'_>> {
    find(node, |child| matches!(KINDS.kind(child), K::TypeIdentifier | K::Scoped | K::Generic | K::TypeWrapper))
}

pub(super) fn has_visibility(node: Node<'_>) -> bool {
    child(node, K::Visibility).is_some()
}

fn find<'t>(node: Node<'t>, is_wanted: impl Fn(Node<'t>) -> bool) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    let mut steps = 0;
    while more && steps < 64 {
        if is_wanted(cursor.node()) {
            return Some(cursor.node());
        }
        more = cursor.goto_next_sibling();
        steps += 1;
    }
    None
}

impl Source {
    /// Every name of a `use`, with its path from the file's module.
    pub(super) fn use_declaration(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(argument) = node.child_by_field_id(FIELDS.argument) else { return };
        let is_public = has_visibility(node) && core.part() == 0 && self.modules.is_empty() && self.deeper == 0;
        let mut pending: Vec<(String, Node<'_>)> = vec![(String::new(), argument)];
        let mut budget = MAX_USES;
        while let Some((prefix, node)) = pending.pop() {
            budget -= 1;
            if budget == 0 {
                return;
            }
            let join = |path: &str| if prefix.is_empty() { path.to_owned() } else { format!("{prefix}.{path}") };
            match KINDS.kind(node) {
                K::UseList | K::ScopedUseList => {
                    let inner = match node.child_by_field_id(FIELDS.path) {
                        Some(path) => join(&chain(core, path)),
                        None => prefix.clone(),
                    };
                    if inner.len() > 2 * MAX_CHAIN {
                        continue;
                    }
                    let list = node.child_by_field_id(FIELDS.list).unwrap_or(node);
                    let mut cursor = list.walk();
                    let mut more = cursor.goto_first_child();
                    let begin = pending.len();
                    while more {
                        let child = cursor.node();
                        let is_path = KINDS.kind(node) == K::ScopedUseList && list.id() == node.id();
                        if child.is_named() && KINDS.kind(child) != K::Comment && !is_path {
                            pending.push((inner.clone(), child));
                        }
                        more = cursor.goto_next_sibling();
                    }
                    // In the order of the text.
                    pending[begin..].reverse();
                }
                K::UseWildcard => {
                    let module = named(node).map_or_else(|| prefix.clone(), |path| join(&chain(core, path)));
                    self.used(core, node, &module, "*", "", is_public);
                }
                K::UseAs => {
                    let path = node.child_by_field_id(FIELDS.path).map(|path| chain(core, path)).unwrap_or_default();
                    let alias = node.child_by_field_id(FIELDS.alias).map_or("", |alias| core.slice(alias));
                    self.used_path(core, node, &join(&path), alias, is_public);
                }
                _ => {
                    let path = join(&chain(core, node));
                    self.used_path(core, node, &path, "", is_public);
                }
            }
        }
    }

    fn used_path(&mut self, core: &mut Core<'_>, node: Node<'_>, path: &str, alias: &str, is_public: bool) {
        // `use a::{self}` names `a`.
        let path = path.strip_suffix(".self").unwrap_or(path);
        match path.rsplit_once('.') {
            Some((module, name)) => self.used(core, node, module, name, alias, is_public),
            None => self.used(core, node, path, "", if alias.is_empty() { path } else { alias }, is_public),
        }
    }

    fn used(&mut self, core: &mut Core<'_>, node: Node<'_>, module: &str, name: &str, alias: &str, is_public: bool) {
        let module = self.seen_as_use(module);
        if is_public && name != "*" {
            core.export(if !alias.is_empty() { alias } else { name });
        }
        match name {
            "*" => {
                core.import(node, ImportForm::Star, &module, "", "");
                if is_public {
                    // Whatever it brings in is public.
                    core.export("*");
                }
            }
            "" => core.import(node, ImportForm::Module, &module, "", alias),
            // `use x as _` binds nothing.
            _ => core.import(node, ImportForm::From, &module, name, alias),
        }
    }

    /// As [`Source::seen_from_file`], for paths of `use`, in which `self` is a module too.
    fn seen_as_use(&self, path: &str) -> String {
        if self.modules.is_empty() || self.deeper > 0 {
            return path.to_owned();
        }
        match path.strip_prefix("self") {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => format!("self.{}{rest}", self.modules.join(".")),
            _ => self.seen_from_file(path),
        }
    }
}
