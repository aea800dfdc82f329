//! Definitions: functions, classes, methods, and what variables, fields and properties hold of them.

use tree_sitter::Node;

use super::Script;
use super::kinds::K;
use crate::code::PartKind;
use crate::extract::core::{Core, PartNodes};
use crate::facts::{BindingForm, PartFlags};

/// Children of a definition that stand before its name.
const MAX_MODIFIERS: usize = 16;
/// Nodes of one pattern of variables.
const MAX_PATTERN: usize = 10_000;

impl Script {
    pub(super) fn function<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let fields = &self.dialect.fields;
        let Some(name) = self.field(node, fields.name) else { return };
        let nodes = PartNodes { outer: node, name: Some(name), body: self.field(node, fields.body), header: None };
        if core.open_part(PartKind::Function, core.slice(name), nodes) {
            self.recorded.insert(name.id());
            self.modifiers(core, node);
            self.signature(core, node);
        }
    }

    /// A function value under a name that something else gives it.
    pub(super) fn named_value<'t>(
        &mut self,
        core: &mut Core<'t>,
        kind: PartKind,
        name: (&str, Option<Node<'t>>),
        outer: Node<'t>,
        value: Node<'t>,
    ) -> bool {
        if self.kind(value) == K::ClassValue {
            return self.class(core, value, outer, Some(name));
        }
        let nodes = PartNodes { outer, name: name.1, body: self.field(value, self.dialect.fields.body), header: None };
        if !core.open_part(kind, name.0, nodes) {
            return false;
        }
        if let Some(name) = name.1 {
            self.recorded.insert(name.id());
        }
        self.modifiers(core, value);
        if kind == PartKind::Method {
            self.receiver(core);
        }
        self.signature(core, value);
        // Its parameters are known now.
        self.recorded.insert(value.id());
        true
    }

    /// `Kind.prototype.method = function …`
    pub(super) fn prototype_method<'t>(
        &mut self,
        core: &mut Core<'t>,
        class: &str,
        name: (&str, Option<Node<'t>>),
        outer: Node<'t>,
        value: Node<'t>,
    ) {
        let body = self.field(value, self.dialect.fields.body);
        let nodes = PartNodes { outer, name: name.1, body, header: None };
        if core.open_part_of(class, PartKind::Function, name.0, nodes) {
            self.modifiers(core, value);
            self.signature(core, value);
            self.recorded.insert(value.id());
        }
    }

    pub(super) fn class<'t>(
        &mut self,
        core: &mut Core<'t>,
        node: Node<'t>,
        outer: Node<'t>,
        name: Option<(&str, Option<Node<'t>>)>,
    ) -> bool {
        let fields = &self.dialect.fields;
        let own = self.field(node, fields.name);
        let (name, name_node) = match (name, own) {
            (Some(name), _) => name,
            (None, Some(own)) => (core.slice(own), Some(own)),
            (None, None) => return false,
        };
        let mut header = None;
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            if matches!(self.kind(cursor.node()), K::Heritage | K::HeritageClause) {
                header = Some(cursor.node());
                break;
            }
            more = cursor.goto_next_sibling();
        }
        let nodes = PartNodes { outer, name: name_node, body: self.field(node, fields.body), header };
        if !core.open_part(PartKind::Class, name, nodes) {
            return false;
        }
        for name in own.iter().chain(&name_node) {
            self.recorded.insert(name.id());
        }
        if let Some(header) = header {
            self.bases(core, header);
        }
        true
    }

    /// `extends` and `implements`, in order.
    fn bases(&mut self, core: &mut Core<'_>, heritage: Node<'_>) {
        let part = core.part() as usize;
        let mut cursor = heritage.walk();
        let mut more = cursor.goto_first_child();
        let mut inside = false;
        while more {
            let child = cursor.node();
            let kind = self.kind(child);
            if kind == K::HeritageClause && !inside {
                inside = cursor.goto_first_child();
                more = inside;
                continue;
            }
            let is_arguments = cursor.field_id().is_some_and(|field| field.get() == self.dialect.fields.type_arguments);
            if child.is_named() && kind != K::Comment && !is_arguments {
                let chain = self.chain(core, child).text;
                let chain = if chain.starts_with('?') || chain.len() > 256 { "?" } else { &chain };
                let base = core.intern(chain);
                core.raw.parts[part].bases.push(base);
            }
            more = cursor.goto_next_sibling();
            if !more && inside {
                inside = false;
                more = cursor.goto_parent() && cursor.goto_next_sibling();
            }
        }
    }

    pub(super) fn method<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let fields = &self.dialect.fields;
        let in_class = core.part_kind() == PartKind::Class && self.objects.last() == Some(&0);
        let Some(name) = self.field(node, fields.name).filter(|_| in_class) else {
            self.anonymous_parameters(core, node);
            return;
        };
        let text = self.member_name(core, name);
        let nodes = PartNodes { outer: node, name: Some(name), body: self.field(node, fields.body), header: None };
        if core.open_part(PartKind::Method, &text, nodes) {
            self.modifiers(core, node);
            self.receiver(core);
            self.signature(core, node);
        }
    }

    pub(super) fn class_field<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let fields = &self.dialect.fields;
        let Some(name) = self.field(node, fields.name).or_else(|| self.field(node, fields.property)) else { return };
        let text = self.member_name(core, name);
        let value = self.field(node, fields.value);
        if core.part_kind() != PartKind::Class {
            return;
        }
        if let Some(value) = value.filter(|value| self.kind(*value) == K::FunctionValue) {
            self.named_value(core, PartKind::Method, (&text, Some(name)), node, value);
            return;
        }
        if let Some(class) = self.field(node, fields.type_).and_then(|annotation| self.type_name(core, annotation)) {
            core.bind(&text, false, BindingForm::Annotation, &class);
        }
        if let Some(value) = value {
            self.bind_value(core, &text, false, value);
        }
    }

    /// The name of a member: without quotes and white space.
    fn member_name(&self, core: &Core<'_>, name: Node<'_>) -> String {
        let text = core.slice(name);
        let text = match self.kind(name) {
            K::String => text.trim_matches(['"', '\'']),
            _ => text,
        };
        text.chars().filter(|char| !char.is_whitespace()).take(300).collect()
    }

    /// The first parameter of a method is the object; of a static one the class.
    fn receiver(&self, core: &mut Core<'_>) {
        let this = core.intern("this");
        let part = core.part() as usize;
        core.raw.parts[part].parameters.push(this);
    }

    /// `async`, `static` and `get` before the name.
    fn modifiers(&self, core: &mut Core<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        let mut steps = 0;
        while more && steps < MAX_MODIFIERS {
            let child = cursor.node();
            match child.kind() {
                "async" => core.flag(PartFlags::ASYNC),
                "static" => core.flag(PartFlags::CLASS_METHOD),
                "get" => core.flag(PartFlags::PROPERTY),
                "formal_parameters" | "=>" | "statement_block" => break,
                _ => {}
            }
            more = cursor.goto_next_sibling();
            steps += 1;
        }
    }

    /// Parameters and return type of a function that opened as a part.
    fn signature(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let fields = &self.dialect.fields;
        if let Some(class) =
            self.field(node, fields.return_type).and_then(|annotation| self.type_name(core, annotation))
        {
            let part = core.part() as usize;
            let class = core.intern(&class);
            core.raw.parts[part].returns = class;
        }
        self.parameters(core, node, true);
    }

    pub(super) fn anonymous_parameters(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        if !self.recorded.remove(&node.id()) && core.part() > 0 {
            self.parameters(core, node, false);
        }
    }

    fn parameters(&mut self, core: &mut Core<'_>, node: Node<'_>, own: bool) {
        let fields = &self.dialect.fields;
        if let Some(single) = self.field(node, fields.parameter) {
            self.parameter(core, single, own);
        }
        let Some(list) = self.field(node, fields.parameters) else { return };
        let mut cursor = list.walk();
        let mut more = cursor.goto_first_child();
        while more {
            if cursor.node().is_named() {
                self.parameter(core, cursor.node(), own);
            }
            more = cursor.goto_next_sibling();
        }
    }

    fn parameter(&mut self, core: &mut Core<'_>, node: Node<'_>, own: bool) {
        let fields = &self.dialect.fields;
        let is_typed = self.kind(node) == K::Parameter;
        let pattern = match is_typed {
            true => self.field(node, fields.pattern).or_else(|| self.field(node, fields.name)),
            false => Some(node),
        };
        let Some(pattern) = pattern else { return };
        if self.kind(pattern) != K::Identifier {
            self.pattern_locals(core, pattern);
            return;
        }
        let name = core.slice(pattern);
        self.recorded.insert(pattern.id());
        if own {
            let part = core.part() as usize;
            let id = core.intern(name);
            core.raw.parts[part].parameters.push(id);
        } else {
            core.local(name);
        }
        if !is_typed {
            return;
        }
        let class = self.field(node, fields.type_).and_then(|annotation| self.type_name(core, annotation));
        let Some(class) = class else { return };
        core.bind(name, false, BindingForm::Annotation, &class);
        // `constructor(private service: Service)` makes an attribute.
        let first = node.child(0).map(|child| child.kind());
        let is_property = matches!(first, Some("accessibility_modifier" | "override_modifier" | "readonly"));
        if is_property && core.part_kind() == PartKind::Method {
            core.bind(name, true, BindingForm::Annotation, &class);
        }
    }

    /// Every name that a pattern binds is a variable of the part.
    pub(super) fn pattern_locals(&mut self, core: &mut Core<'_>, pattern: Node<'_>) {
        if self.kind(pattern) == K::Identifier {
            core.local(core.slice(pattern));
            return;
        }
        let mut cursor = pattern.walk();
        let mut steps = 0;
        let mut depth = 0;
        loop {
            steps += 1;
            let node = cursor.node();
            let kind = node.kind();
            let name = matches!(kind, "identifier" | "shorthand_property_identifier_pattern");
            if name {
                core.local(core.slice(node));
            }
            // Defaults and computed keys are expressions.
            let inside = kind.ends_with("pattern") && !name;
            if steps < MAX_PATTERN && inside && cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            while !cursor.goto_next_sibling() {
                if depth == 0 || !cursor.goto_parent() {
                    return;
                }
                depth -= 1;
            }
            if depth == 0 || steps >= MAX_PATTERN {
                return;
            }
        }
    }
}
