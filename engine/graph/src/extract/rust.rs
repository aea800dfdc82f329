//! Rust.
//!
//! Functions are parts, and so are structs, enums, unions, traits and every `impl` block under its type's name. Inline
//! modules give names and no parts. Paths of `use` are written from the file's own module: `self.…`, `super.…`, `crate.…`,
//! or from outside. What a `mod x;` brings in is an import of form `Module`; with `#[path]` the literal stands in its name.

mod kinds;
mod paths;

use rustc_hash::FxHashSet;
use tree_sitter::Node;

use self::kinds::{FIELDS, GRAMMAR, K, KINDS};
use super::core::{self, Core, PartNodes, Reader, Table};
use super::{Extractor, shapes};
use crate::code::PartKind;
use crate::facts::{
    BindingForm, ContentId, FileFacts, ImportForm, Language, PartFlags, ProblemKind, StringShape, StringUse,
};

/// Inline modules inside one another that are followed, and the bytes of their names.
const MAX_MODULES: usize = 64;
const MAX_PATH: usize = 512;

/// The extractor for Rust.
pub(super) struct Rust;

impl Extractor for Rust {
    fn extract(&self, content: ContentId, text: &str) -> FileFacts {
        match core::parse(&GRAMMAR, text) {
            Some(tree) => core::read(Source::default(), content, text, &tree, None),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }

    fn extract_with_digests(&self, content: ContentId, text: &str, raw: &str) -> FileFacts {
        match core::parse(&GRAMMAR, text) {
            Some(tree) => core::read(Source::default(), content, text, &tree, Some((Language::Rust, raw))),
            None => FileFacts::unreadable(content, ProblemKind::OverBudget),
        }
    }
}

/// What is known on the way through one file.
#[derive(Default)]
struct Source {
    skipped: FxHashSet<usize>,
    /// Inline modules that are open, outermost first.
    modules: Vec<String>,
    /// How many more are open, which are too deep to have a path.
    deeper: usize,
    prefixes: Vec<usize>,
    /// `#[path = "x"]` of the item that comes next.
    path: Option<String>,
    /// Macro calls that are open: what their tokens say is read by shape.
    in_macro: u32,
    usage: Vec<StringUse>,
    next_usage: StringUse,
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
            K::Mod => self.module(core, node),
            K::Use => {
                self.use_declaration(core, node);
                false
            }
            K::ExternCrate => {
                if let Some(name) = node.child_by_field_id(FIELDS.name) {
                    let alias = node.child_by_field_id(FIELDS.alias).map_or("", |alias| core.slice(alias));
                    core.import(node, ImportForm::Module, core.slice(name), "", alias);
                }
                false
            }
            K::Function => {
                self.function(core, node);
                true
            }
            K::Type | K::Trait => {
                self.definition(core, node);
                true
            }
            K::FieldDeclaration => {
                if core.part_kind() == PartKind::Class
                    && let Some(name) = node.child_by_field_id(FIELDS.name)
                    && let Some(class) =
                        node.child_by_field_id(FIELDS.type_).and_then(|node| self.type_name(core, node))
                {
                    core.bind(core.slice(name), false, BindingForm::Annotation, &class);
                }
                true
            }
            K::Impl => {
                self.implementation(core, node);
                true
            }
            K::Const => {
                if let Some(name) = node.child_by_field_id(FIELDS.name) {
                    let text = core.slice(name);
                    if core.part() == 0 {
                        self.offer(core, node, text);
                    }
                    core.local(text);
                    self.skipped.insert(name.id());
                }
                true
            }
            K::MacroDefinition => {
                if let Some(name) = node.child_by_field_id(FIELDS.name) {
                    core.local(core.slice(name));
                }
                false
            }
            K::Let => {
                self.let_declaration(core, node);
                true
            }
            K::Parameter => true,
            K::Attribute => {
                self.attribute(core, node);
                false
            }
            K::Identifier | K::TypeIdentifier | K::Scoped => {
                let chain = paths::chain(core, node);
                if !chain.starts_with('?') {
                    core.reference(node, &self.seen_from_file(&chain), false);
                }
                // Type arguments inside a path are few, and read where they stand.
                kind == K::Scoped && !paths::is_pure(node)
            }
            K::Field => {
                let chain = paths::chain(core, node);
                if chain.starts_with("self.") {
                    core.reference(node, &chain, false);
                }
                true
            }
            K::Call => {
                self.call(core, node);
                true
            }
            K::StructValue => {
                if let Some(name) = node.child_by_field_id(FIELDS.name) {
                    let chain = paths::chain(core, name);
                    core.reference(name, &self.seen_from_file(&chain), true);
                    self.skipped.insert(name.id());
                }
                true
            }
            K::Macro => self.macro_call(core, node),
            K::TokenTree => {
                self.tokens(core, node);
                true
            }
            K::Arguments => {
                self.usage.push(std::mem::take(&mut self.next_usage));
                true
            }
            K::String => {
                let text = paths::string(core.slice(node));
                core.string(node, text, self.usage.last().copied().unwrap_or_default());
                false
            }
            _ => true,
        }
    }

    fn leave<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>, kind: K) {
        match kind {
            K::Mod if node.child_by_field_id(FIELDS.body).is_some() => {
                if let Some(before) = self.prefixes.pop() {
                    core.end_prefix(before);
                }
                match self.deeper.checked_sub(1) {
                    Some(fewer) => self.deeper = fewer,
                    None => {
                        self.modules.pop();
                    }
                }
            }
            K::Macro => self.in_macro -= 1,
            K::Arguments => {
                self.usage.pop();
            }
            _ => {}
        }
    }

    fn is_code_comment(&self, comment: &str, first: bool) -> bool {
        // Doc comments are attributes: examples in them are run, and derives print them.
        let doc = ["///", "//!", "/**", "/*!"].iter().any(|start| comment.starts_with(start))
            && !comment.starts_with("////")
            && !comment.starts_with("/***")
            && comment != "/**/";
        let lower = comment.to_ascii_lowercase();
        let said = lower.trim_start_matches(['/', '*', ' ', '\t']);
        doc || first && comment.starts_with("#!")
            || comment.starts_with("//~")
            || comment.contains('@')
            || ["safety", "rustfmt", "clippy", "miri", "tidy", "cov:", "grcov", "lcov", "tarpaulin", "kani", "panics"]
                .iter()
                .any(|word| lower.contains(word))
            || shapes::is_code_comment(&format!("# {said}"), 9)
    }
}

impl Source {
    /// Lists an item for others where it is public.
    fn offer(&self, core: &mut Core<'_>, node: Node<'_>, name: &str) {
        if !self.modules.is_empty() || self.deeper > 0 {
            return;
        }
        core.raw.all.get_or_insert_with(Vec::new);
        if paths::has_visibility(node) {
            core.export(name);
        }
    }

    fn module<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) -> bool {
        let path = self.path.take();
        let Some(name) = node.child_by_field_id(FIELDS.name).map(|name| core.slice(name)) else { return true };
        if core.part() == 0 {
            self.offer(core, node, name);
        }
        if node.child_by_field_id(FIELDS.body).is_some() {
            self.prefixes.push(core.begin_prefix(name));
            let length: usize = self.modules.iter().map(String::len).sum();
            if self.deeper > 0 || self.modules.len() >= MAX_MODULES || length + name.len() > MAX_PATH {
                self.deeper += 1;
                core.too_deep(node);
            } else {
                self.modules.push(name.to_owned());
            }
            if let Some(name) = node.child_by_field_id(FIELDS.name) {
                self.skipped.insert(name.id());
            }
            return true;
        }
        if self.deeper > 0 {
            core.flag(PartFlags::COMPUTED_IMPORT);
            return false;
        }
        let mut module = String::from("self");
        for outer in &self.modules {
            module.push('.');
            module.push_str(outer);
        }
        module.push('.');
        module.push_str(name);
        // Level 1 tells a `mod` from a `use`.
        core.import_from(node, ImportForm::Module, 1, &module, path.as_deref().unwrap_or(""), name);
        false
    }

    fn function<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let Some(name) = node.child_by_field_id(FIELDS.name) else { return };
        let text = core.slice(name);
        let in_class = core.part_kind() == PartKind::Class;
        let kind = if in_class { PartKind::Method } else { PartKind::Function };
        if core.part() == 0 {
            self.offer(core, node, text);
        }
        let nodes =
            PartNodes { outer: node, name: Some(name), body: node.child_by_field_id(FIELDS.body), header: None };
        if !core.open_part(kind, text, nodes) {
            return;
        }
        self.skipped.insert(name.id());
        let part = core.part() as usize;
        if let Some(modifiers) = paths::child(node, K::Modifiers)
            && core.slice(modifiers).split_whitespace().any(|word| word == "async")
        {
            core.flag(PartFlags::ASYNC);
        }
        if let Some(class) = node.child_by_field_id(FIELDS.return_type).and_then(|node| self.type_name(core, node)) {
            let class = core.intern(&class);
            core.raw.parts[part].returns = class;
        }
        let mut receiver = false;
        if let Some(parameters) = node.child_by_field_id(FIELDS.parameters) {
            let mut cursor = parameters.walk();
            let mut more = cursor.goto_first_child();
            while more {
                let child = cursor.node();
                match KINDS.kind(child) {
                    K::SelfParameter => {
                        receiver = true;
                        let name = core.intern("self");
                        core.raw.parts[part].parameters.push(name);
                    }
                    K::Parameter => {
                        let pattern = child.child_by_field_id(FIELDS.pattern);
                        let Some(pattern) = pattern.filter(|pattern| KINDS.kind(*pattern) == K::Identifier) else {
                            more = cursor.goto_next_sibling();
                            continue;
                        };
                        let name = core.slice(pattern);
                        self.skipped.insert(pattern.id());
                        let id = core.intern(name);
                        core.raw.parts[part].parameters.push(id);
                        if let Some(class) =
                            child.child_by_field_id(FIELDS.type_).and_then(|node| self.type_name(core, node))
                        {
                            core.bind(name, false, BindingForm::Annotation, &class);
                        }
                    }
                    _ => {}
                }
                more = cursor.goto_next_sibling();
            }
        }
        if in_class && !receiver {
            core.flag(PartFlags::STATIC);
        }
    }

    fn definition<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let Some(name) = node.child_by_field_id(FIELDS.name) else { return };
        let text = core.slice(name);
        if core.part() == 0 {
            self.offer(core, node, text);
        }
        let bounds = node.child_by_field_id(FIELDS.bounds);
        let body = node.child_by_field_id(FIELDS.body);
        let nodes = PartNodes { outer: node, name: Some(name), body, header: bounds };
        if !core.open_part(PartKind::Class, text, nodes) {
            return;
        }
        self.skipped.insert(name.id());
        let Some(bounds) = bounds else { return };
        // `trait A: B + C`
        let mut cursor = bounds.walk();
        let mut more = cursor.goto_first_child();
        while more {
            if matches!(KINDS.kind(cursor.node()), K::TypeIdentifier | K::Scoped | K::Generic) {
                self.base(core, cursor.node());
            }
            more = cursor.goto_next_sibling();
        }
    }

    fn base(&self, core: &mut Core<'_>, node: Node<'_>) {
        let chain = self.seen_from_file(&paths::chain(core, node));
        let chain = if chain.starts_with('?') || chain.len() > core::MAX_CHAIN { "?" } else { &chain };
        let base = core.intern(chain);
        let part = core.part() as usize;
        core.raw.parts[part].bases.push(base);
    }

    /// `impl Type` and `impl Trait for Type`: a class of the type's name, with the trait as its base.
    fn implementation<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) {
        let Some(type_) = node.child_by_field_id(FIELDS.type_) else { return };
        let chain = self.type_name(core, type_).unwrap_or_default();
        let name = match chain.rsplit('.').next() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => core.slice(type_).chars().filter(|char| char.is_alphanumeric()).take(40).collect(),
        };
        let name = if name.is_empty() { "impl".to_owned() } else { name };
        let nodes = PartNodes {
            outer: node,
            name: None,
            body: node.child_by_field_id(FIELDS.body),
            header: node.child_by_field_id(FIELDS.trait_),
        };
        if !core.open_part(PartKind::Class, &name, nodes) {
            return;
        }
        if let Some(of) = node.child_by_field_id(FIELDS.trait_) {
            self.base(core, of);
        }
        // What `Self` means here.
        if !chain.is_empty() {
            core.bind("Self", false, BindingForm::Alias, &chain);
        }
    }

    fn let_declaration(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(pattern) = node.child_by_field_id(FIELDS.pattern) else { return };
        if KINDS.kind(pattern) != K::Identifier {
            return;
        }
        let name = core.slice(pattern);
        core.local(name);
        self.skipped.insert(pattern.id());
        if let Some(class) = node.child_by_field_id(FIELDS.type_).and_then(|node| self.type_name(core, node)) {
            core.bind(name, false, BindingForm::Annotation, &class);
            return;
        }
        let mut value = node.child_by_field_id(FIELDS.value);
        for _ in 0..4 {
            let Some(node) = value else { return };
            let (form, source) = match KINDS.kind(node) {
                K::Call => (BindingForm::Result, node.child_by_field_id(FIELDS.function)),
                K::StructValue => (BindingForm::Annotation, node.child_by_field_id(FIELDS.name)),
                K::Scoped | K::Identifier => (BindingForm::Alias, Some(node)),
                K::Wrapper => {
                    value = paths::named(node);
                    continue;
                }
                K::Reference => {
                    value = node.child_by_field_id(FIELDS.value);
                    continue;
                }
                _ => return,
            };
            let Some(source) = source else { return };
            let chain = self.seen_from_file(&paths::chain(core, source));
            if !chain.starts_with('?') && chain != name {
                core.bind(name, false, form, &chain);
            }
            return;
        }
    }

    fn attribute(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(attribute) = paths::child(node, K::AttributeBody) else { return };
        let Some(name) = paths::named(attribute) else { return };
        let chain = paths::chain(core, name);
        if chain == "path"
            && let Some(value) = attribute.child_by_field_id(FIELDS.value)
        {
            self.path = Some(paths::string(core.slice(value)).to_owned());
        }
        core.decorated_by(&chain);
        core.reference(name, &self.seen_from_file(&chain), false);
        // `#[cfg(test)]` and `#[cfg_attr(…)]` say more than their name.
        if let Some(arguments) = attribute.child_by_field_id(FIELDS.arguments) {
            if matches!(&*chain, "derive") {
                self.tokens(core, arguments);
            }
            if chain == "cfg" && core.slice(arguments).chars().filter(|char| !char.is_whitespace()).eq("(test)".chars())
            {
                core.decorated_by("cfg.test");
            }
        }
    }

    fn call(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(function) = node.child_by_field_id(FIELDS.function) else { return };
        let chain = paths::chain(core, function);
        core.reference(function, &self.seen_from_file(&chain), true);
        if matches!(KINDS.kind(function), K::Identifier | K::Scoped) && paths::is_pure(function) {
            self.skipped.insert(function.id());
        }
        let last = chain.rsplit('.').next().unwrap_or(&chain);
        self.next_usage = match last {
            "read_to_string" | "read" | "open" | "join" | "from_file" | "read_dir" | "glob" => StringUse::Path,
            _ => StringUse::Plain,
        };
    }

    /// True to hear of the tokens inside.
    fn macro_call(&mut self, core: &mut Core<'_>, node: Node<'_>) -> bool {
        self.in_macro += 1;
        let Some(name) = node.child_by_field_id(FIELDS.macro_) else { return true };
        let chain = paths::chain(core, name);
        core.reference(name, &self.seen_from_file(&chain), true);
        self.skipped.insert(name.id());
        let last = chain.rsplit('.').next().unwrap_or(&chain);
        if matches!(last, "include_str" | "include_bytes" | "include") {
            let tokens = paths::child(node, K::TokenTree);
            let literal = tokens.and_then(|tokens| paths::child(tokens, K::String));
            match literal.map(|literal| paths::string(core.slice(literal))) {
                Some(path) if !path.is_empty() && path.len() <= 200 => {
                    core.push_string(node, path, StringShape::PATH, StringUse::Path);
                }
                _ => core.flag(PartFlags::COMPUTED_IMPORT),
            }
            return last == "include";
        }
        true
    }

    /// Tokens of a macro call, as far as they look like paths and calls: `a::b(…)`, `.method(…)`.
    fn tokens(&mut self, core: &mut Core<'_>, tree: Node<'_>) {
        let mut cursor = tree.walk();
        let mut more = cursor.goto_first_child();
        let mut chain = String::new();
        let mut first: Option<Node<'_>> = None;
        let mut joined = false;
        while more {
            let node = cursor.node();
            match (KINDS.kind(node), node.kind()) {
                (K::Identifier | K::TypeIdentifier, _) | (_, "self" | "super" | "crate") => {
                    let text = core.slice(node);
                    self.skipped.insert(node.id());
                    if joined && chain.len() + text.len() < core::MAX_CHAIN {
                        chain.push('.');
                    } else {
                        self.token_chain(core, &mut chain, first, false);
                    }
                    if chain.is_empty() || chain.ends_with('.') {
                        chain.push_str(text);
                        first.get_or_insert(node);
                    }
                    joined = false;
                }
                (_, "::" | ".") => {
                    if chain.is_empty() {
                        chain.push('?');
                        first = Some(node);
                    }
                    joined = true;
                }
                (K::TokenTree, _) => {
                    let is_call = core.text.as_bytes().get(node.start_byte()) == Some(&b'(');
                    self.token_chain(core, &mut chain, first, is_call);
                    first = None;
                    joined = false;
                }
                _ => {
                    self.token_chain(core, &mut chain, first, false);
                    first = None;
                    joined = false;
                }
            }
            if chain.is_empty() && !joined {
                first = None;
            }
            more = cursor.goto_next_sibling();
        }
        self.token_chain(core, &mut chain, first, false);
    }

    fn token_chain(&self, core: &mut Core<'_>, chain: &mut String, first: Option<Node<'_>>, is_call: bool) {
        let text = std::mem::take(chain);
        if let Some(node) = first
            && !text.is_empty()
            && text != "?"
            && (is_call || !text.starts_with('?'))
        {
            core.reference(node, &self.seen_from_file(&text), is_call);
        }
    }

    /// The class that a type names: `X`, `&X`, `Option<X>`, `Box<dyn X>`, `Arc<X>`.
    fn type_name(&self, core: &Core<'_>, node: Node<'_>) -> Option<String> {
        let mut node = node;
        for _ in 0..8 {
            match KINDS.kind(node) {
                K::TypeIdentifier | K::Scoped => {
                    let chain = paths::chain(core, node);
                    return (!chain.starts_with('?')).then(|| self.seen_from_file(&chain));
                }
                K::Reference | K::TypeWrapper => {
                    node = node
                        .child_by_field_id(FIELDS.type_)
                        .or_else(|| node.child_by_field_id(FIELDS.trait_))
                        .or_else(|| paths::type_inside(node))?;
                }
                K::Generic => {
                    let name = node.child_by_field_id(FIELDS.type_)?;
                    let text = core.slice(name);
                    node = match text.rsplit(':').next().unwrap_or(text) {
                        "Option" | "Result" | "Box" | "Arc" | "Rc" | "Cow" | "Mutex" | "RwLock" | "RefCell" => {
                            paths::type_inside(node.child_by_field_id(FIELDS.type_arguments)?)?
                        }
                        _ => name,
                    };
                }
                _ => return None,
            }
        }
        None
    }

    /// A path as seen from the file's own module: `self` and `super` of an inline module are resolved away.
    fn seen_from_file(&self, chain: &str) -> String {
        if self.modules.is_empty() || self.deeper > 0 {
            return chain.to_owned();
        }
        let mut depth = self.modules.len();
        let mut rest = chain;
        let mut moved = false;
        loop {
            let (head, tail) = rest.split_once('.').map_or((rest, ""), |(head, tail)| (head, tail));
            match head {
                // `self.field` of a method is no path; a receiver is never followed by a module's name.
                "super" if depth > 0 => {
                    depth -= 1;
                    moved = true;
                    rest = tail;
                }
                _ => break,
            }
        }
        if !moved {
            return chain.to_owned();
        }
        if rest.starts_with("super") {
            return rest.to_owned();
        }
        let mut path = String::from("self");
        for piece in self.modules[..depth].iter().map(String::as_str).chain([rest]).filter(|piece| !piece.is_empty()) {
            path.push('.');
            path.push_str(piece);
        }
        path
    }
}

#[cfg(test)]
mod tests;
