//! What variables, attributes and types stand for.

use tree_sitter::Node;

use super::Script;
use super::chains::named;
use super::kinds::K;
use crate::code::PartKind;
use crate::extract::core::Core;
use crate::facts::{BindingForm, ImportForm};

impl Script {
    pub(super) fn variable<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let fields = &self.dialect.fields;
        let Some(name) = self.field(node, fields.name) else { return };
        let value = self.field(node, fields.value);
        if self.kind(name) != K::Identifier {
            if let Some(value) = value
                && let Some((module, call)) = self.loaded(core, value)
            {
                self.destructured(core, node, name, module);
                self.recorded.insert(call.id());
            } else {
                self.pattern_locals(core, name);
            }
            return;
        }
        let text = core.slice(name);
        if let Some(value) = value.filter(|value| matches!(self.kind(*value), K::FunctionValue | K::ClassValue))
            && self.named_value(core, PartKind::Function, (text, Some(name)), node, value)
        {
            return;
        }
        self.recorded.insert(name.id());
        core.local(text);
        if let Some(class) = self.field(node, fields.type_).and_then(|annotation| self.type_name(core, annotation)) {
            core.bind(text, false, BindingForm::Annotation, &class);
        }
        let Some(value) = value else { return };
        match self.loaded(core, value) {
            Some((module, call)) => {
                core.import(node, ImportForm::Module, module, "", text);
                self.recorded.insert(call.id());
            }
            None => self.bind_value(core, text, false, value),
        }
    }

    /// `const { a, b: c } = require("x")`.
    fn destructured(&mut self, core: &mut Core<'_>, node: Node<'_>, pattern: Node<'_>, module: &str) {
        let fields = &self.dialect.fields;
        core.import(node, ImportForm::Literal, module, "", "");
        let mut cursor = pattern.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            match child.kind() {
                "shorthand_property_identifier_pattern" => {
                    core.import(node, ImportForm::From, module, core.slice(child), "");
                }
                "object_assignment_pattern" => {
                    if let Some(left) = self.field(child, fields.left) {
                        core.import(node, ImportForm::From, module, core.slice(left), "");
                    }
                }
                "pair_pattern" => {
                    let (key, value) = (self.field(child, fields.key), self.field(child, fields.value));
                    if let (Some(key), Some(value)) = (key, value) {
                        if self.kind(value) == K::Identifier {
                            core.import(node, ImportForm::From, module, core.slice(key), core.slice(value));
                        } else {
                            self.pattern_locals(core, value);
                        }
                    }
                }
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
    }

    pub(super) fn assignment<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let fields = &self.dialect.fields;
        let (Some(left), Some(right)) = (self.field(node, fields.left), self.field(node, fields.right)) else { return };
        if self.kind(left) != K::Member {
            if self.kind(left) == K::Identifier {
                self.bind_value(core, core.slice(left), false, right);
            }
            return;
        }
        let chain = self.chain(core, left).text;
        let property = self.field(left, fields.property);
        let is_value = matches!(self.kind(right), K::FunctionValue | K::ClassValue);
        if let Some(attribute) = chain.strip_prefix("this.").filter(|attribute| !attribute.contains('.')) {
            self.bind_value(core, attribute, true, right);
            return;
        }
        let exported = match &*chain {
            "module.exports" => Some("default"),
            _ => chain.strip_prefix("module.exports.").or_else(|| chain.strip_prefix("exports.")),
        };
        match exported.filter(|name| !name.contains('.')) {
            Some("default") if self.kind(right) == K::Object => self.exported_object(core, right),
            Some(name) if is_value => {
                let name_node = property.filter(|_| name != "default");
                self.named_value(core, PartKind::Function, (name, name_node), node, right);
            }
            Some(name) => match self.loaded(core, right) {
                // `module.exports = require("./x")` hands on all of it.
                Some((module, call)) if name == "default" => {
                    core.import(node, ImportForm::Star, module, "", "");
                    core.import(node, ImportForm::Module, module, "", "default");
                    self.recorded.insert(call.id());
                }
                Some((module, call)) => {
                    core.import(node, ImportForm::Module, module, "", name);
                    self.recorded.insert(call.id());
                }
                None => {
                    if core.part() == 0 {
                        core.local(name);
                    }
                    self.bind_value(core, name, false, right);
                }
            },
            None => {
                // `Kind.prototype.method = function …`
                if let Some((class, method)) = chain.split_once(".prototype.")
                    && is_value
                    && !method.contains('.')
                {
                    self.prototype_method(core, class, (method, property), node, right);
                }
            }
        }
    }

    /// `module.exports = { a, b: c }`.
    fn exported_object(&mut self, core: &mut Core<'_>, object: Node<'_>) {
        let fields = &self.dialect.fields;
        let mut cursor = object.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            if self.kind(child) == K::Pair
                && let (Some(key), Some(value)) = (self.field(child, fields.key), self.field(child, fields.value))
            {
                let name = core.slice(key).trim_matches(['"', '\'']);
                match self.loaded(core, value) {
                    Some((module, call)) => {
                        core.import(child, ImportForm::Module, module, "", name);
                        self.recorded.insert(call.id());
                    }
                    None => self.bind_value(core, name, false, value),
                }
            }
            more = cursor.goto_next_sibling();
        }
    }

    /// Binds a name to what a value gives, as far as it is a call, a name, or a choice of them.
    pub(super) fn bind_value(&mut self, core: &mut Core<'_>, target: &str, on_self: bool, value: Node<'_>) {
        let fields = &self.dialect.fields;
        let mut pending = vec![value];
        let mut budget = 8;
        while let Some(value) = pending.pop() {
            budget -= 1;
            if budget == 0 {
                return;
            }
            let (form, node) = match self.kind(value) {
                K::Call => (BindingForm::Result, self.field(value, fields.function)),
                K::New => (BindingForm::Result, self.field(value, fields.constructor)),
                K::Identifier | K::Member => (BindingForm::Alias, Some(value)),
                K::Wrapper => {
                    pending.extend(named(value));
                    continue;
                }
                K::Binary => {
                    pending.extend(
                        [self.field(value, fields.left), self.field(value, fields.right)].into_iter().flatten(),
                    );
                    continue;
                }
                K::Ternary => {
                    let sides = [self.field(value, fields.consequence), self.field(value, fields.alternative)];
                    pending.extend(sides.into_iter().flatten());
                    continue;
                }
                _ => continue,
            };
            if let Some(node) = node {
                let chain = self.chain(core, node).text;
                if !chain.starts_with(['?', '\'']) && chain != target {
                    core.bind(target, on_self, form, &chain);
                }
            }
        }
    }

    /// The class that a type names: `X`, `m.X`, `X<T>`, `X | null`, `Promise<X>`.
    pub(super) fn type_name(&self, core: &Core<'_>, annotation: Node<'_>) -> Option<String> {
        let mut node = annotation;
        for _ in 0..8 {
            match self.kind(node) {
                K::TypeWrapper => node = named(node)?,
                K::TypeIdentifier | K::NestedType => {
                    let chain = self.chain(core, node).text;
                    return (!chain.starts_with('?')).then_some(chain);
                }
                K::Generic => {
                    let name = self.field(node, self.dialect.fields.name)?;
                    node = match core.slice(name) {
                        "Promise" | "Readonly" | "Partial" | "Required" | "NonNullable" | "Awaited" => {
                            named(self.field(node, self.dialect.fields.type_arguments)?)?
                        }
                        _ => name,
                    };
                }
                K::Union => node = self.one_of_union(core, node)?,
                _ => return None,
            }
        }
        None
    }

    /// The only type of a union that is not `null` or `undefined`.
    fn one_of_union<'t>(&self, core: &Core<'_>, union: Node<'t>) -> Option<Node<'t>> {
        let mut found = None;
        let mut cursor = union.walk();
        let mut more = cursor.goto_first_child();
        let mut steps = 0;
        while more {
            let child = cursor.node();
            let nothing = matches!(core.slice(child), "null" | "undefined");
            if child.is_named() && !child.is_extra() && !nothing {
                if found.is_some() {
                    return None;
                }
                found = Some(child);
            }
            steps += 1;
            if steps > 16 {
                return None;
            }
            more = cursor.goto_next_sibling();
        }
        found
    }
}
