//! TypeScript and JavaScript, with JSX.
//!
//! Functions and classes are parts, also where a variable, a class field or an exported property holds them. What a module
//! offers to others is its `all`: names of `export` declarations, or `None` for CommonJS, where everything counts.

mod ampersands;
mod bindings;
mod chains;
mod comments;
mod kinds;
mod modules;
mod parts;

use rustc_hash::{FxHashMap, FxHashSet};
use tree_sitter::Node;

use self::kinds::{Dialect, K};
use super::Extractor;
use super::core::{self, Core, Reader, Table};
use crate::facts::{ContentId, FileFacts, ImportForm, Language, ProblemKind, StringUse};

/// The extractor for one dialect.
pub(super) struct EcmaScript(pub(super) Language);

impl Extractor for EcmaScript {
    fn extract(&self, content: ContentId, text: &str) -> FileFacts {
        let dialect = Dialect::of(self.0);
        match ampersands::parse(dialect, text) {
            Some(tree) => core::read(Script::new(dialect), content, text, &tree, None),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }

    fn extract_with_digests(&self, content: ContentId, text: &str, raw: &str) -> FileFacts {
        let dialect = Dialect::of(self.0);
        match ampersands::parse(dialect, text) {
            Some(tree) => core::read(Script::new(dialect), content, text, &tree, Some((self.0, raw))),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }
}

/// What is known on the way through one file.
struct Script {
    dialect: &'static Dialect,
    /// Nodes of which everything is recorded already.
    skipped: FxHashSet<usize>,
    /// Nodes that are recorded already, but not what is inside them.
    recorded: FxHashSet<usize>,
    /// What string arguments of a call say, by the node of the arguments.
    usages: FxHashMap<usize, StringUse>,
    /// The same for the arguments that are open.
    usage: Vec<StringUse>,
    /// Object literals and types that are open inside the innermost class body, and around it.
    objects: Vec<u32>,
    prefixes: Vec<usize>,
}

impl Script {
    fn new(dialect: &'static Dialect) -> Self {
        Self {
            dialect,
            skipped: FxHashSet::default(),
            recorded: FxHashSet::default(),
            usages: FxHashMap::default(),
            usage: Vec::new(),
            objects: vec![0],
            prefixes: Vec::new(),
        }
    }

    fn kind(&self, node: Node<'_>) -> K {
        self.dialect.table.kind(node)
    }

    fn field<'t>(&self, node: Node<'t>, field: u16) -> Option<Node<'t>> {
        node.child_by_field_id(field)
    }
}

impl Reader for Script {
    type Kind = K;

    fn table(&self) -> &'static Table<K> {
        &self.dialect.table
    }

    fn enter<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>, kind: K) -> bool {
        if kind == K::Token {
            return false;
        }
        if self.skipped.remove(&node.id()) {
            return false;
        }
        match kind {
            K::Identifier | K::TypeIdentifier | K::Shorthand => {
                if !self.recorded.remove(&node.id()) {
                    core.reference(node, core.slice(node), false);
                }
                false
            }
            K::Member | K::NestedType => self.member(core, node),
            K::Call => {
                self.call(core, node);
                true
            }
            K::New => {
                self.new_expression(core, node);
                true
            }
            K::JsxOpening => {
                self.element(core, node);
                true
            }
            K::JsxClosing => false,
            K::Arguments => {
                self.usage.push(self.usages.remove(&node.id()).unwrap_or_default());
                true
            }
            K::String | K::Template => self.literal(core, node, kind),
            K::Import => {
                self.import_statement(core, node);
                false
            }
            K::ImportAlias => {
                self.import_alias(core, node);
                false
            }
            K::Export => self.export_statement(core, node),
            K::Function => {
                self.function(core, node);
                true
            }
            K::Class | K::Interface | K::Enum => {
                self.class(core, node, node, None);
                true
            }
            K::Method => {
                self.method(core, node);
                true
            }
            K::ClassField => {
                self.class_field(core, node);
                true
            }
            K::Variable => {
                self.variable(core, node);
                true
            }
            K::Assignment => {
                self.assignment(core, node);
                true
            }
            K::Catch | K::ForIn => {
                let field = if kind == K::Catch { self.dialect.fields.parameter } else { self.dialect.fields.left };
                if let Some(pattern) = self.field(node, field) {
                    self.pattern_locals(core, pattern);
                }
                true
            }
            K::FunctionValue => {
                // A function without a name of its own: its parameters are variables of the part around it.
                self.anonymous_parameters(core, node);
                true
            }
            K::ClassBody => {
                self.objects.push(0);
                true
            }
            K::Object => {
                if let Some(open) = self.objects.last_mut() {
                    *open += 1;
                }
                true
            }
            K::Namespace => {
                let name = self.field(node, self.dialect.fields.name).map_or("", |name| core.slice(name));
                // `declare module "x"` and `declare global` are no namespaces of the file.
                let name = if name.starts_with(['"', '\'']) { "" } else { name };
                self.prefixes.push(core.begin_prefix(name));
                if let Some(name) = self.field(node, self.dialect.fields.name) {
                    self.skipped.insert(name.id());
                }
                true
            }
            K::Try => {
                core.guarded += 1;
                true
            }
            K::Decorator => {
                self.decorator(core, node);
                true
            }
            _ => true,
        }
    }

    fn leave<'t>(&mut self, core: &mut Core<'t>, _node: Node<'t>, kind: K) {
        match kind {
            K::Arguments => {
                self.usage.pop();
            }
            K::ClassBody => {
                self.objects.pop();
            }
            K::Object => {
                if let Some(open) = self.objects.last_mut() {
                    *open = open.saturating_sub(1);
                }
            }
            K::Namespace => {
                if let Some(before) = self.prefixes.pop() {
                    core.end_prefix(before);
                }
            }
            K::Try => core.guarded -= 1,
            _ => {}
        }
    }

    /// `/// <reference path="x" />` names another file of the program.
    fn comment(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(directive) = core.slice(node).strip_prefix("///").map(str::trim_start) else { return };
        let Some(rest) = directive.strip_prefix("<reference").map(str::trim_start) else { return };
        let Some(quoted) = rest.strip_prefix("path").map(|rest| rest.trim_start_matches([' ', '='])) else { return };
        if let Some(path) = quoted.split(['"', '\'']).nth(1).filter(|path| !path.is_empty()) {
            let path = if path.starts_with('.') { path.to_owned() } else { format!("./{path}") };
            let before = std::mem::replace(&mut core.type_only, true);
            core.import(node, ImportForm::Literal, &path, "", "");
            core.type_only = before;
        }
    }

    fn is_code_comment(&self, comment: &str, first: bool) -> bool {
        comments::is_code(comment, first)
    }
}

#[cfg(test)]
mod tests;
