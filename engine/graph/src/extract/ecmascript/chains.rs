//! Chains of names: `a.b.c`, `make().run`, what is called and what is only named.

use tree_sitter::Node;

use super::Script;
use super::kinds::K;
use crate::extract::core::{Core, MAX_CHAIN};
use crate::facts::{ImportForm, PartFlags, StringUse};

/// Nodes that one chain is read from.
const MAX_STEPS: usize = 32;

/// A chain, and whether nothing but names is in it.
pub(super) struct Chain {
    pub(super) text: String,
    pub(super) pure: bool,
}

impl Script {
    /// The chain of an expression; `?` stands for what is no name.
    pub(super) fn chain(&self, core: &Core<'_>, node: Node<'_>) -> Chain {
        let fields = &self.dialect.fields;
        let mut segments: Vec<String> = Vec::new();
        let mut pure = true;
        let mut calls = String::new();
        let mut at = Some(node);
        let mut length = 0;
        for _ in 0..MAX_STEPS {
            let Some(node) = at else { break };
            let segment = match self.kind(node) {
                K::Identifier | K::TypeIdentifier | K::Shorthand => core.slice(node),
                K::This => "this",
                K::Super => "super()",
                K::String | K::Template => "''",
                _ if core.slice(node) == "import.meta" => "import.meta",
                K::Member | K::NestedType => {
                    let (object, name) = match self.kind(node) {
                        K::Member => (fields.object, fields.property),
                        _ => (fields.module, fields.name),
                    };
                    let name = self.field(node, name).map_or("?", |name| core.slice(name));
                    length += name.len() + calls.len() + 1;
                    segments.push(format!("{name}{}", std::mem::take(&mut calls)));
                    at = self.field(node, object);
                    if length > MAX_CHAIN {
                        break;
                    }
                    continue;
                }
                K::Call | K::New => {
                    let field = if self.kind(node) == K::Call { fields.function } else { fields.constructor };
                    at = self.field(node, field);
                    pure = false;
                    calls.push_str("()");
                    continue;
                }
                K::Wrapper => {
                    pure = false;
                    at = named(node);
                    continue;
                }
                K::Generic => {
                    pure = false;
                    at = self.field(node, fields.name);
                    continue;
                }
                _ => break,
            };
            segments.push(format!("{segment}{calls}"));
            if segments.len() == 1 {
                return Chain { text: segments.remove(0), pure };
            }
            segments.reverse();
            return Chain { text: segments.join("."), pure };
        }
        // What remains is no name, or longer than anybody follows.
        segments.push("?".to_owned());
        segments.reverse();
        Chain { text: segments.join("."), pure: false }
    }

    /// A chain where it stands; true to hear of what is inside.
    pub(super) fn member(&mut self, core: &mut Core<'_>, node: Node<'_>) -> bool {
        if self.recorded.remove(&node.id()) {
            return true;
        }
        let chain = self.chain(core, node);
        if chain.text.starts_with('?') {
            return true;
        }
        core.reference(node, &chain.text, false);
        !chain.pure
    }

    /// Records what is called; its node tells nothing more, unless arguments are inside.
    fn callee(&mut self, core: &mut Core<'_>, node: Node<'_>) -> String {
        let chain = self.chain(core, node);
        core.reference(node, &chain.text, true);
        if chain.pure {
            self.skipped.insert(node.id());
        } else {
            self.recorded.insert(node.id());
        }
        chain.text
    }

    pub(super) fn call(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let fields = &self.dialect.fields;
        let (Some(function), arguments) = (self.field(node, fields.function), self.field(node, fields.arguments))
        else {
            return;
        };
        let is_recorded = self.recorded.remove(&node.id());
        match self.kind(function) {
            K::ImportWord if is_recorded => return,
            K::ImportWord => return self.loads(core, node, arguments),
            K::Super => return core.reference(function, "super().constructor", true),
            _ => {}
        }
        let chain = self.callee(core, function);
        match &*chain {
            "require" | "require.resolve" | "module.require" | "import.meta.resolve" => {
                if !is_recorded {
                    self.loads(core, node, arguments);
                }
                return;
            }
            "jest.mock"
            | "jest.doMock"
            | "jest.unmock"
            | "jest.dontMock"
            | "jest.setMock"
            | "jest.requireActual"
            | "jest.requireMock"
            | "jest.createMockFromModule"
            | "jest.unstable_mockModule"
            | "vi.mock"
            | "vi.doMock"
            | "vi.unmock"
            | "vi.doUnmock"
            | "vi.importActual"
            | "vi.importMock"
            | "mock.module" => {
                self.loads(core, node, arguments);
                return;
            }
            "require.context" | "import.meta.glob" | "import.meta.globEager" => {
                core.flag(PartFlags::COMPUTED_IMPORT);
                return;
            }
            _ => {}
        }
        if let Some(arguments) = arguments
            && names_path(&chain)
        {
            self.usages.insert(arguments.id(), StringUse::Path);
        }
    }

    pub(super) fn new_expression(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let fields = &self.dialect.fields;
        let Some(constructor) = self.field(node, fields.constructor) else { return };
        let chain = self.callee(core, constructor);
        if let Some(arguments) = self.field(node, fields.arguments)
            && matches!(&*chain, "URL" | "Worker" | "SharedWorker")
        {
            self.usages.insert(arguments.id(), StringUse::Path);
        }
    }

    /// `<Name …>`: calls what is no element of HTML.
    pub(super) fn element(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(name) = self.field(node, self.dialect.fields.name) else { return };
        let chain = self.chain(core, name);
        if chain.text.contains('.') || chain.text.starts_with(|first: char| !first.is_ascii_lowercase()) {
            core.reference(name, &chain.text, true);
        }
        self.skipped.insert(name.id());
    }

    pub(super) fn decorator(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let Some(expression) = named(node) else { return };
        let expression = match self.kind(expression) {
            K::Call => self.field(expression, self.dialect.fields.function).unwrap_or(expression),
            _ => expression,
        };
        let chain = self.chain(core, expression);
        core.decorated_by(if chain.text.starts_with('?') { "?" } else { &chain.text });
    }

    /// A call that loads a module: its name is a literal, or computed.
    fn loads(&mut self, core: &mut Core<'_>, node: Node<'_>, arguments: Option<Node<'_>>) {
        let Some(first) = arguments.and_then(|arguments| named(arguments)) else { return };
        match self.plain_literal(core, first) {
            Some(text) => {
                core.import(node, ImportForm::Literal, text, "", "");
                self.skipped.insert(first.id());
            }
            // `vi.mock(import("./x"))` imports by itself.
            None if self.kind(first) == K::Call => {}
            None => core.flag(PartFlags::COMPUTED_IMPORT),
        }
    }

    /// The module that a `require("x")` or an `import("x")`, awaited or not, names.
    pub(super) fn loaded<'t>(&self, core: &Core<'t>, mut value: Node<'t>) -> Option<(&'t str, Node<'t>)> {
        let fields = &self.dialect.fields;
        for _ in 0..4 {
            match self.kind(value) {
                K::Wrapper => value = named(value)?,
                K::Call => {
                    let function = self.field(value, fields.function)?;
                    let loads = self.kind(function) == K::ImportWord || core.slice(function) == "require";
                    let first = self.field(value, fields.arguments).and_then(named).filter(|_| loads)?;
                    return Some((self.plain_literal(core, first)?, value));
                }
                _ => return None,
            }
        }
        None
    }

    /// The text of a literal without escapes and insertions.
    pub(super) fn plain_literal<'t>(&self, core: &Core<'t>, node: Node<'_>) -> Option<&'t str> {
        let text = match self.kind(node) {
            K::String => core.slice(node),
            K::Template if !core.slice(node).contains("${") => core.slice(node),
            _ => return None,
        };
        let inner = text.get(1..text.len().checked_sub(1)?)?;
        (!inner.is_empty() && !inner.contains(['\\', '\n'])).then_some(inner)
    }

    pub(super) fn literal(&mut self, core: &mut Core<'_>, node: Node<'_>, kind: K) -> bool {
        if let Some(text) = self.plain_literal(core, node) {
            core.string(node, text, self.usage.last().copied().unwrap_or_default());
        }
        kind == K::Template
    }
}

/// The first child that is no token and no comment.
pub(super) fn named(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    let mut steps = 0;
    while more && steps < 64 {
        let child = cursor.node();
        if child.is_named() && !child.is_extra() {
            return Some(child);
        }
        more = cursor.goto_next_sibling();
        steps += 1;
    }
    None
}

/// True for calls whose string arguments are paths.
fn names_path(chain: &str) -> bool {
    let last = chain.rsplit('.').next().unwrap_or(chain);
    matches!(
        last,
        "readFileSync"
            | "readFile"
            | "readdirSync"
            | "readdir"
            | "createReadStream"
            | "existsSync"
            | "statSync"
            | "openSync"
            | "readJson"
            | "readJsonSync"
            | "execFile"
            | "execFileSync"
            | "fork"
            | "sendFile"
            | "pathToFileURL"
    ) || matches!(chain, "path.join" | "path.resolve" | "join" | "resolve")
}
