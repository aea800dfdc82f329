//! Names that are used: identifiers, chains of attributes, annotations.

use super::kinds::{Field, Role};
use super::tree::Node;
use super::walk::{MAX_CHAIN, Walk};
use crate::extract::raw::RawReference;
use crate::extract::shapes::{self, Loading};
use crate::facts::{BindingForm, ImportForm, NameId, PartFlags, StringUse};

/// Arguments of one call that are looked through.
const MAX_ARGUMENTS: usize = 8;
/// Names and calls of one chain that are followed.
pub(super) const MAX_CHAIN_NODES: usize = 32;
/// Classes that `__init_subclass__` gives to others, of which each costs a search of the tree.
const MOST_LOOKS: usize = 16;

/// True for a chain that is written without anything between its names.
pub(super) fn is_plain_chain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// The chain of an attribute or call, built from its nodes; the flag says that it is names only.
fn long_chain(text: &str, node: Node<'_>) -> Option<(String, bool)> {
    if !matches!(node.role(), Role::Attribute | Role::Identifier | Role::Call) {
        return None;
    }
    let slice = |node: Node<'_>| text.get(node.start()..node.end()).unwrap_or_default();
    let mut segments: Vec<(&str, bool)> = Vec::new();
    let mut pure = false;
    let mut at = node;
    let mut called = false;
    let mut calls = 0;
    for _ in 0..MAX_CHAIN_NODES {
        match at.role() {
            Role::Attribute => {
                segments.push((slice(at.child_of(Field::Attribute)?), called));
                called = false;
                at = at.child_of(Field::Object)?;
                continue;
            }
            Role::Call => {
                calls += 1;
                called = true;
                at = at.child_of(Field::Function)?;
                continue;
            }
            Role::Identifier => {
                pure = calls == 0;
                segments.push((slice(at), called));
            }
            Role::String => segments.push(("''", false)),
            _ => segments.push(("?", false)),
        }
        break;
    }
    let (last, last_called) = segments.first()?;
    let length: usize = segments.iter().map(|(name, called)| name.len() + usize::from(*called) * 2 + 1).sum();
    if length - 1 > MAX_CHAIN {
        // Its last name is what a guess can use.
        let last = if *last_called { format!("?.{last}()") } else { format!("?.{last}") };
        return (last.len() - 2 < MAX_CHAIN).then_some((last, false));
    }
    let mut chain = String::with_capacity(length);
    for (index, (name, called)) in segments.iter().rev().enumerate() {
        if index > 0 {
            chain.push('.');
        }
        chain.push_str(name);
        if *called {
            chain.push_str("()");
        }
    }
    Some((chain, pure))
}

impl<'t> Walk<'t> {
    pub(super) fn identifier(&mut self, node: Node<'_>) {
        let text = self.slice(node);
        let Some(&parent) = self.stack.last() else { return };
        match parent.role {
            // The name of the definition.
            Role::Function | Role::Class => {}
            Role::Attribute if parent.child > 0 => {}
            Role::KeywordArgument | Role::KeywordPattern if parent.child == 0 => {}
            Role::AliasedImport => {}
            Role::Parameters => self.parameter(text),
            Role::TypedParameter | Role::DefaultParameter if parent.child == 0 => {
                if self.stack.outwards().nth(1).is_some_and(|open| open.role == Role::Parameters) {
                    self.parameter(text);
                    self.annotated_parameter(text);
                } else {
                    self.bind_local(text);
                }
            }
            Role::Splat => {
                let outer = self.stack.outwards().skip(1).find(|open| open.role != Role::TypedParameter);
                if outer.is_some_and(|open| open.role == Role::Parameters) {
                    self.parameter(text);
                } else {
                    self.bind_local(text);
                }
            }
            Role::LambdaParameters | Role::Pattern | Role::AsTarget | Role::SplatPattern => self.bind_local(text),
            Role::Assignment | Role::AugmentedAssignment | Role::NamedExpression if parent.child == 0 => {
                self.bind_local(text);
            }
            Role::For if node.field() == Field::Left => self.bind_local(text),
            Role::Except if node.field() == Field::Alias => self.bind_local(text),
            Role::AsPattern if parent.child > 0 => self.bind_local(text),
            Role::Scope => {
                let name = self.raw.names.intern(text);
                let part = self.part() as usize;
                self.raw.parts[part].outer_names.push(name);
            }
            _ => self.reference(node, text, parent.role == Role::Call && parent.child == 0),
        }
        let is_package = matches!(text, "__name__" | "__package__" | "__spec__");
        if is_package && parent.role == Role::Arguments && parent.usage == StringUse::Path {
            let part = self.part() as usize;
            self.raw.parts[part].flags |= PartFlags::LISTS_FOLDER;
        }
    }

    fn parameter(&mut self, text: &str) {
        let name = self.raw.names.intern(text);
        let part = self.part() as usize;
        self.raw.parts[part].parameters.push(name);
    }

    fn annotated_parameter(&mut self, text: &str) {
        let annotation = self.parameter.and_then(|node| node.child_of(Field::Type));
        let Some(annotation) = annotation else { return };
        if let Some(class) = shapes::annotated_name(self.slice(annotation)) {
            let target = self.raw.names.intern(text);
            self.push_binding(target, false, BindingForm::Annotation, class);
        }
    }

    /// Records an annotation that is one name; true when there is nothing else in it.
    pub(super) fn plain_type(&mut self, node: Node<'_>) -> bool {
        let text = self.slice(node);
        let is_plain = is_plain_chain(text);
        if is_plain && !matches!(text, "None" | "True" | "False") {
            self.reference(node, text, false);
        }
        is_plain
    }

    /// Notes whether an `__init_subclass__` hands on its class: it names it, or what is of it, otherwise than to look at it or to set
    /// an attribute, or calls what is above it.
    fn keeps_class(&mut self, chain: &str, is_call: bool) {
        const LOOKS: [&str; 7] = ["callable", "dir", "hasattr", "id", "isinstance", "issubclass", "repr"];
        const TOLD: [&str; 6] = ["__base__", "__bases__", "__doc__", "__module__", "__name__", "__qualname__"];
        let part = self.part() as usize;
        if self.raw.parts[part].flags.contains(PartFlags::KEEPS_CLASS) {
            return;
        }
        let class = self.raw.parts[part].parameters.first().map_or("", |name| self.raw.names.get(*name));
        let mut steps = chain.split('.');
        let (head, first) = (steps.next().unwrap_or(chain), steps.next());
        let is_of_class = head == class;
        // A few are looked up in the tree; of who names it more often too little is known.
        let is_looked_at = || {
            let call = self.stack.outwards().nth(1).map(|open| self.tree.node(open.at));
            call.and_then(|call| call.child(0)).is_some_and(|callee| LOOKS.contains(&self.slice(callee)))
        };
        let is_set = || self.stack.last().is_some_and(|parent| parent.role == Role::Assignment && parent.child == 0);
        let hands_on = match head {
            "__class__" | "locals" | "vars" | "getattr" | "eval" | "exec" => true,
            "super()" => is_call && chain != "super().__init_subclass__",
            _ if is_of_class => {
                let is_harmless = || first.is_some() && is_set() || self.looks < MOST_LOOKS && is_looked_at();
                is_call || !first.is_some_and(|first| TOLD.contains(&first)) && !is_harmless()
            }
            _ => false,
        };
        self.looks += usize::from(is_of_class);
        if hands_on || class.is_empty() {
            self.raw.parts[part].flags |= PartFlags::KEEPS_CLASS;
        }
    }

    pub(super) fn reference(&mut self, node: Node<'_>, chain: &str, is_call: bool) {
        if self.is_for_subclasses() {
            self.keeps_class(chain, is_call);
        }
        if chain == "sys.executable" {
            let part = self.part() as usize;
            self.raw.parts[part].flags |= PartFlags::NAMES_INTERPRETER;
        }
        let is_own = matches!(chain, "__file__" | "__path__") || chain.starts_with("__file__.");
        if is_own || chain.ends_with(".__file__") {
            let part = self.part();
            self.raw.parts[part as usize].flags |= PartFlags::LISTS_FOLDER;
            self.anchored.parts.push(part);
            // That of another module lies anywhere.
            self.anchored.leaves |= !is_own;
        }
        if self.anchored.asks {
            self.goes_up(node, chain, is_call);
        }
        if is_call {
            let callee = shapes::Callee::of(chain);
            let is_imported = || self.processes.contains(chain.split('.').next().unwrap_or(chain));
            let flags = shapes::call_flags(callee, !self.processes.is_empty() && is_imported());
            let part = self.part() as usize;
            self.raw.parts[part].flags |= flags;
            if shapes::reads_file(callee) {
                self.reads.insert(part as u32);
            }
            match shapes::loading(callee) {
                Some(Loading::Text) => drop(self.executes.insert(part as u32)),
                Some(how) if !self.is_loaded_by_literal(how) => {
                    self.raw.parts[part].flags |= PartFlags::COMPUTED_IMPORT;
                }
                _ => {}
            }
            let usage = shapes::call_usage(callee);
            if usage == StringUse::Module {
                self.module_call(node);
            }
            if let Some(call) = self.stack.last_mut() {
                call.usage = usage;
            }
        }
        if node.start() < self.silent_until || chain.is_empty() || chain.len() > MAX_CHAIN {
            return;
        }
        let reference = RawReference {
            part: self.part(),
            line: node.line(),
            chain: self.raw.names.intern(chain),
            is_call,
            in_decorator: self.in_decorator > 0,
        };
        self.raw.references.push(reference);
    }

    /// Counts steps to the folders around: `parent`, `parents`, `dirname`, `pardir`.
    fn goes_up(&mut self, node: Node<'_>, chain: &str, is_call: bool) {
        let mut segments = chain.split('.').skip(1);
        let ups = segments.clone().filter(|segment| *segment == "parent").count();
        self.anchored.leaves |= ups > 1 || segments.any(|segment| matches!(segment, "parents" | "pardir"));
        if ups > 0 {
            let text = self.slice(node);
            self.anchored.heads.insert(text.split(['.', '(']).next().unwrap_or(text));
        }
        self.anchored.calls += usize::from(is_call && chain.rsplit('.').next() == Some("dirname"));
    }

    /// The arguments of the call of which the callee is visited.
    fn arguments(&self) -> Option<Node<'t>> {
        self.tree.node(self.stack.last()?.at).child_of(Field::Arguments)
    }

    /// Whether a literal among the arguments says what a call loads.
    fn is_loaded_by_literal(&self, how: Loading) -> bool {
        let Some(arguments) = self.arguments() else { return false };
        for child in arguments.children().take(MAX_ARGUMENTS) {
            let value = child.child_of(Field::Value).unwrap_or(child);
            let literal = Some(value).filter(|value| value.role() == Role::String);
            if let Some(text) = literal.and_then(|value| shapes::literal_content(self.slice(value))) {
                match how {
                    Loading::Dotted => return true,
                    Loading::File if text.contains('/') || text.ends_with(".py") => return true,
                    _ => {}
                }
            }
        }
        false
    }

    /// `import_module(…)`: a literal is an import, anything else is a name that is computed.
    fn module_call(&mut self, callee: Node<'_>) {
        let literal = self
            .arguments()
            .and_then(|arguments| arguments.child(0))
            .filter(|first| first.role() == Role::String)
            .and_then(|first| shapes::literal_content(self.slice(first)));
        match literal {
            Some(text) if shapes::is_dotted(text.trim_start_matches('.')) => {
                let level = text.chars().take_while(|char| *char == '.').count();
                let module = self.raw.names.intern(&text[level..]);
                self.import(callee, ImportForm::Literal, level as u16, module, NameId::NONE, NameId::NONE);
            }
            _ => {
                let part = self.part() as usize;
                self.raw.parts[part].flags |= PartFlags::COMPUTED_IMPORT;
            }
        }
    }

    /// Records an attribute chain; true when it needs no descent.
    pub(super) fn attribute(&mut self, node: Node<'_>) -> bool {
        let text = self.slice(node);
        let parent = self.stack.last().copied();
        let is_call = parent.is_some_and(|parent| parent.role == Role::Call && parent.child == 0);
        let is_target = match parent.map(|parent| parent.role) {
            Some(Role::Assignment) => parent.is_some_and(|parent| parent.child == 0),
            Some(Role::For) => node.field() == Field::Left,
            Some(Role::Pattern) => true,
            _ => false,
        };
        if is_plain_chain(text) {
            if is_target {
                self.target_attribute(node, text);
            } else {
                self.reference(node, text, is_call);
            }
            return true;
        }
        // Inside a chain that was recorded, or behind one: nothing new.
        if node.start() < self.silent_until {
            return false;
        }
        let Some((chain, pure)) = long_chain(self.text, node) else { return false };
        if pure && is_target {
            self.target_attribute(node, &chain);
        } else if !is_target {
            self.reference(node, &chain, is_call);
        }
        if pure {
            // White space or comments between the names: the same chain, recorded once.
            self.silent_until = self.silent_until.max(node.end());
        }
        false
    }

    /// A write to `a.b.c` uses `a.b`.
    fn target_attribute(&mut self, node: Node<'_>, chain: &str) {
        if let Some((receiver, _)) = chain.rsplit_once('.')
            && receiver.contains('.')
        {
            self.reference(node, receiver, false);
        }
    }

    /// The dotted chain of an expression that is nothing else.
    pub(super) fn chain(&mut self, node: Node<'_>) -> Option<NameId> {
        let text = self.slice(node);
        if text.len() > MAX_CHAIN {
            return None;
        }
        if shapes::is_dotted(text) {
            return Some(self.raw.names.intern(text));
        }
        let (chain, _) = long_chain(self.text, node)?;
        Some(self.raw.names.intern(&chain))
    }
}
