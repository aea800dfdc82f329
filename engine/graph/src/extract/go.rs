//! Go.
//!
//! Functions, types and methods are parts; a method carries the name of its receiver's type, wherever that is declared.
//! The name of the package is a binding of the keyword `package`, which no other name can be.

mod kinds;

use rustc_hash::FxHashSet;
use tree_sitter::Node;

use self::kinds::{FIELDS, GRAMMAR, K, KINDS};
use super::core::{self, Core, PartNodes, Reader, Table};
use super::{Extractor, shapes};
use crate::code::PartKind;
use crate::facts::{BindingForm, ContentId, FileFacts, ImportForm, Language, ProblemKind, StringShape, StringUse};

/// The extractor for Go.
pub(super) struct Go;

impl Extractor for Go {
    fn extract(&self, content: ContentId, text: &str) -> FileFacts {
        match core::parse(&GRAMMAR, text) {
            Some(tree) => core::read(Source::new(text), content, text, &tree, None),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }

    fn extract_with_digests(&self, content: ContentId, text: &str, raw: &str) -> FileFacts {
        match core::parse(&GRAMMAR, text) {
            Some(tree) => core::read(Source::new(text), content, text, &tree, Some((Language::Go, raw))),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }
}

/// Nodes that one chain is read from.
const MAX_STEPS: usize = 32;

/// What is known on the way through one file.
struct Source {
    skipped: FxHashSet<usize>,
    /// Comments are C, or what examples must print.
    comments_are_code: bool,
    usage: Vec<StringUse>,
    next_usage: StringUse,
}

impl Source {
    fn new(text: &str) -> Self {
        Self {
            skipped: FxHashSet::default(),
            comments_are_code: text.contains("\"C\"") || text.contains("utput:"),
            usage: Vec::new(),
            next_usage: StringUse::Plain,
        }
    }
}

impl Reader for Source {
    type Kind = K;

    fn table(&self) -> &'static Table<K> {
        &KINDS
    }

    fn enter<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>, kind: K) -> bool {
        if kind == K::Token {
            return false;
        }
        if self.skipped.remove(&node.id()) {
            return false;
        }
        match kind {
            K::Package => {
                if let Some(name) = find(node, |child| KINDS.kind(child) == K::PackageName) {
                    core.bind("package", false, BindingForm::Alias, core.slice(name));
                }
                core.raw.all.get_or_insert_with(Vec::new);
                false
            }
            K::Import => {
                self.import(core, node);
                false
            }
            K::Function => {
                self.function(core, node);
                true
            }
            K::Method => {
                self.method(core, node);
                true
            }
            K::InterfaceMethod => {
                if let Some(name) = node.child_by_field_id(FIELDS.name) {
                    let nodes = PartNodes { outer: node, name: Some(name), body: None, header: None };
                    if core.part_kind() == PartKind::Class {
                        core.open_part(PartKind::Method, core.slice(name), nodes);
                    }
                }
                true
            }
            K::Type => {
                self.definition(core, node);
                true
            }
            K::Variable => {
                self.variable(core, node);
                true
            }
            K::ShortVariable => {
                let sides = [FIELDS.left, FIELDS.right].map(|field| node.child_by_field_id(field));
                self.assigned(core, sides[0], sides[1]);
                true
            }
            K::Range => {
                self.assigned(core, node.child_by_field_id(FIELDS.left), None);
                true
            }
            K::FunctionValue => {
                if let Some(parameters) = node.child_by_field_id(FIELDS.parameters).filter(|_| core.part() > 0) {
                    self.parameters(core, parameters, false);
                }
                true
            }
            K::Identifier | K::TypeIdentifier => {
                core.reference(node, core.slice(node), false);
                false
            }
            K::Selector | K::QualifiedType => {
                let chain = chain(core, node);
                if !chain.starts_with('?') {
                    core.reference(node, &chain, false);
                }
                !is_pure(node)
            }
            K::Call => {
                self.call(core, node);
                true
            }
            K::Composite => {
                if let Some(type_) = node.child_by_field_id(FIELDS.type_) {
                    let chain = chain(core, type_);
                    if !chain.starts_with('?') {
                        core.reference(type_, &chain, true);
                    }
                }
                true
            }
            K::Arguments => {
                self.usage.push(std::mem::take(&mut self.next_usage));
                true
            }
            K::String => {
                let text = core.slice(node);
                let text = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
                core.string(node, text, self.usage.last().copied().unwrap_or_default());
                false
            }
            _ => true,
        }
    }

    fn leave<'t>(&mut self, _core: &mut Core<'t>, _node: Node<'t>, kind: K) {
        if kind == K::Arguments {
            self.usage.pop();
        }
    }

    /// `//go:embed a.txt dir/*.sql`
    fn comment(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(patterns) = core.slice(node).strip_prefix("//go:embed") else { return };
        for pattern in patterns.split_whitespace().take(100) {
            let pattern = pattern.trim_matches(['"', '`']);
            let pattern = pattern.strip_prefix("all:").unwrap_or(pattern);
            if !pattern.is_empty() && pattern.len() <= 200 {
                core.push_string(node, pattern, StringShape::PATH, StringUse::Path);
            }
        }
    }

    fn is_code_comment(&self, comment: &str, _first: bool) -> bool {
        let directive = comment.strip_prefix("//").is_some_and(|rest| {
            let word = rest.bytes().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).count();
            word > 0 && matches!(rest.as_bytes().get(word), Some(b':' | b' ') | None)
        });
        let lower = comment.to_ascii_lowercase();
        let said = lower.trim_start_matches(['/', '*', ' ', '\t']);
        self.comments_are_code
            || directive
            || comment.starts_with("/*line ")
            || comment.contains('@')
            || said.starts_with('+')
            || ["deprecated", "nolint", "lint:", "revive", "gosec", "#nosec", "swagger", "exhaustive", "build"]
                .iter()
                .any(|word| lower.contains(word))
            || shapes::is_code_comment(&format!("# {said}"), 9)
    }
}

impl Source {
    fn import(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(path) = node.child_by_field_id(FIELDS.path) else { return };
        let path = core.slice(path).trim_matches(['"', '`']);
        if path.is_empty() {
            return;
        }
        match node.child_by_field_id(FIELDS.name).map(|name| core.slice(name)) {
            Some(".") => core.import(node, ImportForm::Star, path, "", ""),
            Some(name) => core.import(node, ImportForm::Module, path, "", name),
            None => core.import(node, ImportForm::Module, path, "", ""),
        }
    }

    /// Capital letters make a name public.
    fn offer(&self, core: &mut Core<'_>, name: &str) {
        if core.part() == 0 && name.chars().next().is_some_and(char::is_uppercase) {
            core.export(name);
        }
    }

    fn function<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let Some(name) = node.child_by_field_id(FIELDS.name) else { return };
        let text = core.slice(name);
        self.offer(core, text);
        let nodes =
            PartNodes { outer: node, name: Some(name), body: node.child_by_field_id(FIELDS.body), header: None };
        if core.open_part(PartKind::Function, text, nodes) {
            self.skipped.insert(name.id());
            self.signature(core, node);
        }
    }

    fn method<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let Some(name) = node.child_by_field_id(FIELDS.name) else { return };
        let receiver = node.child_by_field_id(FIELDS.receiver);
        let declared = receiver.and_then(|list| find(list, |child| KINDS.kind(child) == K::Parameter));
        let owner = declared
            .and_then(|declared| declared.child_by_field_id(FIELDS.type_))
            .and_then(|type_| type_name(core, type_))
            .unwrap_or_default();
        let nodes =
            PartNodes { outer: node, name: Some(name), body: node.child_by_field_id(FIELDS.body), header: None };
        if core.open_part_of(&owner, PartKind::Method, core.slice(name), nodes) {
            if let Some(receiver) = receiver {
                self.parameters(core, receiver, true);
            }
            self.signature(core, node);
        }
    }

    fn definition<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let Some(name) = node.child_by_field_id(FIELDS.name) else { return };
        let text = core.slice(name);
        self.offer(core, text);
        let type_ = node.child_by_field_id(FIELDS.type_);
        let nodes = PartNodes { outer: node, name: Some(name), body: type_, header: None };
        if !core.open_part(PartKind::Class, text, nodes) {
            return;
        }
        self.skipped.insert(name.id());
        let Some(type_) = type_ else { return };
        let list = match KINDS.kind(type_) {
            K::Struct => find(type_, |child| KINDS.kind(child) == K::FieldList),
            K::Interface => Some(type_),
            _ => None,
        };
        let Some(list) = list else { return };
        let mut cursor = list.walk();
        let mut more = cursor.goto_first_child();
        while more {
            self.member(core, cursor.node());
            more = cursor.goto_next_sibling();
        }
    }

    /// An embedded type is a base; a field of a named type is an attribute.
    fn member(&self, core: &mut Core<'_>, member: Node<'_>) {
        let part = core.part() as usize;
        match KINDS.kind(member) {
            K::FieldDeclaration => {
                let Some(type_) = member.child_by_field_id(FIELDS.type_) else { return };
                let class = type_name(core, type_);
                let Some(class) = class else { return };
                match member.child_by_field_id(FIELDS.name) {
                    Some(name) => core.bind(core.slice(name), false, BindingForm::Annotation, &class),
                    None => {
                        let base = core.intern(&class);
                        core.raw.parts[part].bases.push(base);
                        // It is a field of its own name, too.
                        let name = class.rsplit('.').next().unwrap_or(&class).to_owned();
                        core.bind(&name, false, BindingForm::Annotation, &class);
                    }
                }
            }
            K::TypeElement => {
                if let Some(class) = find(member, |child| child.is_named()).and_then(|type_| type_name(core, type_)) {
                    let base = core.intern(&class);
                    core.raw.parts[part].bases.push(base);
                }
            }
            _ => {}
        }
    }

    fn signature(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let part = core.part() as usize;
        if let Some(result) = node.child_by_field_id(FIELDS.result) {
            // Of several results the first is the value, the last an error.
            let first = match KINDS.kind(result) {
                K::Parameters => find(result, |child| KINDS.kind(child) == K::Parameter)
                    .and_then(|first| first.child_by_field_id(FIELDS.type_)),
                _ => Some(result),
            };
            if let Some(class) = first.and_then(|type_| type_name(core, type_)) {
                let class = core.intern(&class);
                core.raw.parts[part].returns = class;
            }
        }
        if let Some(parameters) = node.child_by_field_id(FIELDS.parameters) {
            self.parameters(core, parameters, true);
        }
    }

    fn parameters(&mut self, core: &mut Core<'_>, list: Node<'_>, own: bool) {
        let part = core.part() as usize;
        let mut cursor = list.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let declared = cursor.node();
            if KINDS.kind(declared) == K::Parameter {
                let class = declared.child_by_field_id(FIELDS.type_).and_then(|type_| type_name(core, type_));
                let mut names = declared.walk();
                let mut another = names.goto_first_child();
                while another {
                    let is_name = names.field_id().is_some_and(|field| field.get() == FIELDS.name);
                    if is_name && KINDS.kind(names.node()) == K::Identifier {
                        let name = core.slice(names.node());
                        self.skipped.insert(names.node().id());
                        if own {
                            let id = core.intern(name);
                            core.raw.parts[part].parameters.push(id);
                        } else {
                            core.local(name);
                        }
                        if let Some(class) = &class {
                            core.bind(name, false, BindingForm::Annotation, class);
                        }
                    }
                    another = names.goto_next_sibling();
                }
            }
            more = cursor.goto_next_sibling();
        }
    }

    /// `var a, b T = x, y` and `const`.
    fn variable(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let class = node.child_by_field_id(FIELDS.type_).and_then(|type_| type_name(core, type_));
        let mut names = Vec::new();
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let is_name = cursor.field_id().is_some_and(|field| field.get() == FIELDS.name);
            if is_name && KINDS.kind(cursor.node()) == K::Identifier {
                names.push(cursor.node());
            }
            more = cursor.goto_next_sibling();
        }
        for name in &names {
            let text = core.slice(*name);
            self.skipped.insert(name.id());
            self.offer(core, text);
            core.local(text);
            if let Some(class) = &class {
                core.bind(text, false, BindingForm::Annotation, class);
            }
        }
        if class.is_none()
            && let Some(values) = node.child_by_field_id(FIELDS.value)
        {
            self.bind_all(core, &names, values);
        }
    }

    /// `a, b := x, y`.
    fn assigned(&mut self, core: &mut Core<'_>, left: Option<Node<'_>>, right: Option<Node<'_>>) {
        let Some(left) = left else { return };
        let mut names = Vec::new();
        let mut cursor = left.walk();
        let mut more = cursor.goto_first_child();
        while more {
            if KINDS.kind(cursor.node()) == K::Identifier {
                names.push(cursor.node());
                core.local(core.slice(cursor.node()));
                self.skipped.insert(cursor.node().id());
            }
            more = cursor.goto_next_sibling();
        }
        if let Some(right) = right {
            self.bind_all(core, &names, right);
        }
    }

    fn bind_all(&self, core: &mut Core<'_>, names: &[Node<'_>], values: Node<'_>) {
        let mut cursor = values.walk();
        let mut more = cursor.goto_first_child();
        let mut index = 0;
        while more && index < names.len() {
            let value = cursor.node();
            if value.is_named() && KINDS.kind(value) != K::Comment {
                self.bind_value(core, core.slice(names[index]), value);
                index += 1;
            }
            more = cursor.goto_next_sibling();
        }
    }

    fn bind_value(&self, core: &mut Core<'_>, name: &str, value: Node<'_>) {
        let (form, node) = match KINDS.kind(value) {
            K::Call => (BindingForm::Result, value.child_by_field_id(FIELDS.function)),
            K::Composite => (BindingForm::Annotation, value.child_by_field_id(FIELDS.type_)),
            K::Identifier | K::Selector => (BindingForm::Alias, Some(value)),
            K::Unary => {
                let inside =
                    value.child_by_field_id(FIELDS.operand).filter(|inside| KINDS.kind(*inside) == K::Composite);
                (BindingForm::Annotation, inside.and_then(|inside| inside.child_by_field_id(FIELDS.type_)))
            }
            _ => return,
        };
        if let Some(node) = node {
            let chain = chain(core, node);
            if !chain.starts_with('?') && chain != name {
                core.bind(name, false, form, &chain);
            }
        }
    }

    fn call(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(function) = node.child_by_field_id(FIELDS.function) else { return };
        let chain = chain(core, function);
        core.reference(function, &chain, true);
        if is_pure(function) {
            self.skipped.insert(function.id());
        }
        let last = chain.rsplit('.').next().unwrap_or(&chain);
        self.next_usage = match last {
            "ReadFile" | "Open" | "Join" | "ReadDir" | "ParseFiles" | "ParseGlob" | "Glob" | "DirFS" => StringUse::Path,
            _ => StringUse::Plain,
        };
    }
}

/// The dotted chain of an expression; `?` stands for what is no name.
fn chain(core: &Core<'_>, node: Node<'_>) -> String {
    let mut segments: Vec<String> = Vec::new();
    let mut calls = String::new();
    let mut at = Some(node);
    let mut length = 0;
    for _ in 0..MAX_STEPS {
        let Some(node) = at else { break };
        let (segment, next) = match KINDS.kind(node) {
            K::Identifier | K::TypeIdentifier | K::PackageName => (core.slice(node), None),
            K::String => ("''", None),
            K::Selector => match (node.child_by_field_id(FIELDS.field), node.child_by_field_id(FIELDS.operand)) {
                (Some(name), Some(operand)) => (core.slice(name), Some(operand)),
                _ => break,
            },
            K::QualifiedType => match (node.child_by_field_id(FIELDS.name), node.child_by_field_id(FIELDS.package)) {
                (Some(name), Some(package)) => (core.slice(name), Some(package)),
                _ => break,
            },
            K::Call => {
                at = node.child_by_field_id(FIELDS.function);
                calls.push_str("()");
                continue;
            }
            K::Generic => {
                at = node.child_by_field_id(FIELDS.type_);
                continue;
            }
            K::Composite => {
                at = node.child_by_field_id(FIELDS.type_);
                calls.push_str("()");
                continue;
            }
            K::Wrapper | K::Pointer => {
                at = find(node, |child| child.is_named() && KINDS.kind(child) != K::Comment);
                continue;
            }
            K::Unary => {
                at = node.child_by_field_id(FIELDS.operand);
                continue;
            }
            _ => break,
        };
        length += segment.len() + calls.len() + 1;
        segments.push(format!("{segment}{}", std::mem::take(&mut calls)));
        at = next;
        if at.is_none() {
            segments.reverse();
            return segments.join(".");
        }
        if length > core::MAX_CHAIN {
            break;
        }
    }
    segments.push("?".to_owned());
    segments.reverse();
    segments.join(".")
}

/// True for a chain of nothing but names.
fn is_pure(node: Node<'_>) -> bool {
    let mut at = Some(node);
    for _ in 0..MAX_STEPS {
        let Some(node) = at else { return true };
        match KINDS.kind(node) {
            K::Identifier | K::TypeIdentifier | K::PackageName | K::QualifiedType => return true,
            K::Selector => at = node.child_by_field_id(FIELDS.operand),
            _ => return false,
        }
    }
    false
}

/// The type that a type names: `T`, `*T`, `pkg.T`, `T[X]`.
fn type_name(core: &Core<'_>, node: Node<'_>) -> Option<String> {
    let mut node = node;
    for _ in 0..8 {
        match KINDS.kind(node) {
            K::TypeIdentifier if is_predeclared(core.slice(node)) => return None,
            K::TypeIdentifier | K::QualifiedType => return Some(chain(core, node)),
            K::Generic => node = node.child_by_field_id(FIELDS.type_)?,
            K::Pointer | K::Wrapper | K::TypeElement => {
                node = find(node, |child| child.is_named() && KINDS.kind(child) != K::Comment)?;
            }
            _ => return None,
        }
    }
    None
}

fn is_predeclared(name: &str) -> bool {
    matches!(
        name,
        "string"
            | "bool"
            | "error"
            | "any"
            | "byte"
            | "rune"
            | "comparable"
            | "uintptr"
            | "float32"
            | "float64"
            | "complex64"
            | "complex128"
    ) || name
        .trim_start_matches('u')
        .strip_prefix("int")
        .is_some_and(|bits| bits.bytes().all(|byte| byte.is_ascii_digit()))
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

#[cfg(test)]
mod tests;
