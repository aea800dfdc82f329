//! Names that get a meaning: imports, bindings, and strings that may name something.

use super::kinds::{Field, Role};
use super::tree::{Detail, Node};
use super::walk::{MAX_CHAIN, Walk};
use crate::code::PartKind;
use crate::extract::raw::{RawBinding, RawImport, RawString};
use crate::extract::shapes;
use crate::facts::{BindingForm, ImportForm, NameId, PartFlags, StringUse};

/// Literals that are joined to one path.
const MAX_JOINED: usize = 32;

impl Walk<'_> {
    // Imports.

    pub(super) fn dotted_name(&mut self, node: Node<'_>) {
        let text = shapes::without_spaces(self.slice(node));
        let text = &*text;
        match self.stack.parent_role() {
            Role::Import => {
                let module = self.raw.names.intern(text);
                self.import(node, ImportForm::Module, 0, module, NameId::NONE, NameId::NONE);
            }
            Role::ImportFrom => {
                if node.field() == Field::ModuleName {
                    self.from = (self.raw.names.intern(text), 0);
                } else {
                    let name = self.raw.names.intern(text);
                    let (module, level) = self.from;
                    self.import(node, ImportForm::From, level, module, name, NameId::NONE);
                }
            }
            Role::CasePattern if shapes::is_identifier(text) => self.bind_local(text),
            Role::AliasedImport | Role::RelativeImport | Role::ImportFuture => {}
            _ => self.reference(node, text, false),
        }
    }

    pub(super) fn aliased_import(&mut self, node: Node<'_>) {
        let (Some(name), Some(alias)) = (node.child_of(Field::Name), node.child_of(Field::Alias)) else {
            return;
        };
        let name = shapes::without_spaces(self.slice(name));
        let name = self.raw.names.intern(&name);
        let alias = self.raw.names.intern(self.slice(alias));
        match self.stack.parent_role() {
            Role::Import => self.import(node, ImportForm::Module, 0, name, NameId::NONE, alias),
            Role::ImportFrom => {
                let (module, level) = self.from;
                self.import(node, ImportForm::From, level, module, name, alias);
            }
            _ => {}
        }
    }

    pub(super) fn import(
        &mut self,
        node: Node<'_>,
        form: ImportForm,
        level: u16,
        module: NameId,
        name: NameId,
        alias: NameId,
    ) {
        let named = name.some().map(|name| self.raw.names.get(name));
        if form != ImportForm::Star && shapes::imports_processes(self.raw.names.get(module), named) {
            // What is bound stands last: the alias, the name, the module.
            let text = self.slice(node);
            let bound = text.rsplit(|char: char| !(char.is_alphanumeric() || char == '_')).next().unwrap_or(text);
            self.processes.insert(bound);
        }
        self.raw.imports.push(RawImport {
            part: self.part(),
            line: node.line(),
            form,
            level,
            module,
            name,
            alias,
            type_only: self.type_only > 0,
            guarded: self.guarded > 0,
        });
    }

    pub(super) fn relative_import(&mut self, node: Node<'_>) {
        let text = shapes::without_spaces(self.slice(node));
        let level = text.chars().take_while(|char| *char == '.').count();
        let module = self.raw.names.intern(text.get(level..).unwrap_or_default());
        self.from = (module, level.min(usize::from(u16::MAX)) as u16);
    }

    // Bindings.

    pub(super) fn assignment(&mut self, node: Node<'_>) {
        let Some(left) = node.child_of(Field::Left) else { return };
        let right = node.child_of(Field::Right);
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
        // Between a name and its value stands a colon where there is an annotation.
        let is_annotated = right.is_none_or(|right| {
            let between = self.text.as_bytes().get(left.end()..right.start());
            between.is_none_or(|between| between.contains(&b':'))
        });
        if is_annotated
            && let Some(annotation) = node.child_of(Field::Type)
            && let (Some((target, on_self)), Some(class)) =
                (self.target(left), shapes::annotated_name(self.slice(annotation)))
        {
            self.push_binding(target, on_self, BindingForm::Annotation, class);
            return;
        }
        if let Some(right) = right {
            self.computed_name(name, right);
            self.bind_value(left, right);
        }
    }

    pub(super) fn augmented(&mut self, node: Node<'_>) {
        if self.part() != 0 {
            return;
        }
        let (Some(left), Some(right)) = (node.child_of(Field::Left), node.child_of(Field::Right)) else {
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
        if node.role() != Role::Sequence {
            return None;
        }
        let mut found = Vec::new();
        for child in node.children() {
            match child.role() {
                Role::String => found.push(self.raw.names.intern(shapes::literal_content(self.slice(child))?)),
                _ => return None,
            }
        }
        Some(found)
    }

    fn plugins(&mut self, right: Node<'_>) {
        let part = self.part();
        let line = right.line();
        let texts = match self.string_list(right) {
            Some(texts) => texts,
            None => match shapes::literal_content(self.slice(right)) {
                Some(text) => vec![self.raw.names.intern(text)],
                None => {
                    self.raw.parts[part as usize].flags |= PartFlags::COMPUTED_IMPORT;
                    return;
                }
            },
        };
        for text in texts {
            let shape = shapes::string_shape(self.raw.names.get(text));
            self.raw.strings.push(RawString { part, line, text, shape, usage: StringUse::Plugin });
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
    pub(super) fn bind_value(&mut self, left: Node<'_>, value: Node<'_>) {
        let Some((target, on_self)) = self.target(left) else { return };
        let mut pending = vec![value];
        let mut budget = 8;
        while let Some(value) = pending.pop() {
            budget -= 1;
            if budget == 0 {
                return;
            }
            match value.role() {
                Role::Call => {
                    if let Some(callee) = value.child_of(Field::Function)
                        && let Some(chain) = self.chain(callee)
                    {
                        self.push_binding_id(target, on_self, BindingForm::Result, chain);
                    }
                }
                Role::Identifier | Role::Attribute => {
                    if let Some(chain) = self.chain(value) {
                        self.push_binding_id(target, on_self, BindingForm::Alias, chain);
                    }
                }
                Role::Await | Role::Parenthesized => pending.extend(value.child(0)),
                Role::Choice => pending.extend([value.child(0), value.child(1)].into_iter().flatten()),
                Role::Conditional => pending.extend([value.child(0), value.child(2)].into_iter().flatten()),
                _ => {}
            }
        }
    }

    pub(super) fn push_binding(&mut self, target: NameId, on_self: bool, form: BindingForm, source: &str) {
        if source.len() <= MAX_CHAIN {
            let source = self.raw.names.intern(source);
            self.push_binding_id(target, on_self, form, source);
        }
    }

    fn push_binding_id(&mut self, target: NameId, on_self: bool, form: BindingForm, source: NameId) {
        self.raw.bindings.push(RawBinding { part: self.part(), target, on_self, form, source });
    }

    pub(super) fn bind_local(&mut self, text: &str) {
        let name = self.raw.names.intern(text);
        let part = self.part() as usize;
        self.raw.parts[part].locals.push(name);
    }

    pub(super) fn named_expression(&mut self, node: Node<'_>) {
        if let (Some(name), Some(value)) = (node.child_of(Field::Name), node.child_of(Field::Value)) {
            self.bind_value(name, value);
        }
    }

    pub(super) fn as_pattern(&mut self, node: Node<'_>) {
        if let (Some(value), Some(alias)) = (node.child(0), node.child_of(Field::Alias))
            && let Some(target) = alias.child(0)
        {
            self.bind_value(target, value);
        }
    }

    pub(super) fn type_alias(&mut self, node: Node<'_>) {
        if let Some(left) = node.child_of(Field::Left) {
            let text = self.slice(left);
            if shapes::is_identifier(text) {
                self.bind_local(text);
            }
        }
    }

    // Strings.

    pub(super) fn string(&mut self, node: Node<'_>, literal: &str) {
        if self.anchored.asks && literal.contains("..") {
            self.anchored.leaves = true;
        }
        let formatted = literal.trim_start_matches(['r', 'R', 'f', 'F', 't', 'T']);
        let is_formatted = shapes::is_formatted(literal);
        let content = shapes::literal_content(if is_formatted { formatted } else { literal });
        let Some(text) =
            content.and_then(|text| if is_formatted { shapes::folder_before_value(text) } else { Some(text) })
        else {
            return;
        };
        let text = shapes::folder_before_value(text).unwrap_or(text);
        let is_after_slash =
            self.text.get(..node.start()).is_some_and(|before| before.trim_end_matches(' ').ends_with('/'));
        let joined;
        let (usage, text) = match self.stack.last() {
            Some(parent) if parent.role == Role::Arguments => (parent.usage, text),
            _ if is_after_slash => match self.joined(text) {
                Some(whole) => {
                    joined = whole;
                    (StringUse::Path, joined.as_str())
                }
                // The literal behind it says all of it.
                None => return,
            },
            _ => (StringUse::Plain, text),
        };
        let shape = shapes::string_shape(text);
        let known = matches!(usage, StringUse::Fixture | StringUse::Path | StringUse::Patch);
        if usage == StringUse::Module || (!known && shape.is_empty()) {
            return;
        }
        let text = self.raw.names.intern(text);
        self.raw.strings.push(RawString { part: self.part(), line: node.line(), text, shape, usage });
    }

    /// The path of a literal that is joined to a path (`base / "docs" / "guide.md"`), with the literals before it; `None`
    /// where another literal follows.
    fn joined(&self, text: &str) -> Option<String> {
        let join = |node: &Node<'_>| node.detail() == Detail::Divides;
        let literal = |node: Option<Node<'_>>| {
            node.filter(|node| node.role() == Role::String).and_then(|node| shapes::literal_content(self.slice(node)))
        };
        let mut around = self.stack.outwards().map(|open| self.tree.node(open.at));
        let Some(parent) = around.next().filter(join) else { return Some(text.to_owned()) };
        let is_first = |above: &Node<'_>| join(above) && above.child(0).is_some_and(|left| left.at() == parent.at());
        if around.next().filter(is_first).is_some_and(|above| literal(above.child(1)).is_some()) {
            return None;
        }
        let mut segments = vec![text];
        let mut left = parent.child(0);
        while let Some(before) = left.filter(|left| join(left) && segments.len() < MAX_JOINED)
            && let Some(segment) = literal(before.child(1))
        {
            segments.push(segment);
            left = before.child(0);
        }
        segments.reverse();
        Some(segments.join("/"))
    }
}
