//! Imports and exports.

use tree_sitter::Node;

use super::Script;
use super::kinds::K;
use crate::code::PartKind;
use crate::extract::core::Core;
use crate::facts::{BindingForm, ImportForm};

impl Script {
    pub(super) fn import_statement(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let source = self.field(node, self.dialect.fields.source);
        let is_type = has_word(node, "type") || has_word(node, "typeof");
        let before = std::mem::replace(&mut core.type_only, is_type);
        let mut named_any = false;
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            match self.kind(child) {
                K::ImportClause => {
                    if let Some(module) = source.and_then(|source| self.plain_literal(core, source)) {
                        named_any |= self.import_clause(core, child, module);
                    }
                }
                K::ImportRequire => {
                    let module = self.field(child, self.dialect.fields.source);
                    if let (Some(module), Some(name)) =
                        (module.and_then(|module| self.plain_literal(core, module)), self.first_identifier(child))
                    {
                        core.import(node, ImportForm::Module, module, "", core.slice(name));
                        named_any = true;
                    }
                }
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
        if !named_any && let Some(module) = source.and_then(|source| self.plain_literal(core, source)) {
            core.import(node, ImportForm::Module, module, "", "");
        }
        core.type_only = before;
    }

    fn import_clause(&mut self, core: &mut Core<'_>, clause: Node<'_>, module: &str) -> bool {
        let mut any = false;
        let mut cursor = clause.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            match self.kind(child) {
                K::Identifier => {
                    core.import(child, ImportForm::From, module, "default", core.slice(child));
                    any = true;
                }
                K::NamespaceImport => {
                    if let Some(name) = self.first_identifier(child) {
                        core.import(child, ImportForm::Module, module, "", core.slice(name));
                        any = true;
                    }
                }
                K::NamedImports => any |= self.specifiers(core, child, Some(module), false),
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
        any
    }

    /// `{ a, b as c }` of an import, of an export with a source, or of one without.
    fn specifiers(&mut self, core: &mut Core<'_>, list: Node<'_>, module: Option<&str>, exports: bool) -> bool {
        let fields = &self.dialect.fields;
        let mut any = false;
        let mut cursor = list.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            if self.kind(child) == K::Specifier
                && let Some(name) = self.field(child, fields.name)
            {
                any = true;
                let unquoted = |node: Node<'_>| core.slice(node).trim_matches(['"', '\'']);
                let name = unquoted(name);
                let alias = self.field(child, fields.alias).map_or("", unquoted);
                let before = core.type_only;
                core.type_only |= has_word(child, "type");
                match module {
                    Some(module) => core.import(child, ImportForm::From, module, name, alias),
                    None => {
                        core.reference(child, name, false);
                        if !alias.is_empty() && alias != name {
                            core.bind_in(0, alias, false, BindingForm::Alias, name);
                        }
                    }
                }
                core.type_only = before;
                if exports {
                    core.export(if alias.is_empty() { name } else { alias });
                }
            }
            more = cursor.goto_next_sibling();
        }
        any
    }

    /// `import A = B.C`.
    pub(super) fn import_alias(&mut self, core: &mut Core<'_>, node: Node<'_>) {
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        let mut name = None;
        while more {
            let child = cursor.node();
            match self.kind(child) {
                K::Identifier if name.is_none() => name = Some(core.slice(child)),
                K::Identifier | K::Member => {
                    let chain = self.chain(core, child).text;
                    core.reference(child, &chain, false);
                    core.bind(name.unwrap_or_default(), false, BindingForm::Alias, &chain);
                    return;
                }
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
    }

    /// True to hear of what is inside.
    pub(super) fn export_statement<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>) -> bool {
        let fields = &self.dialect.fields;
        if let Some(module) = self.field(node, fields.source).and_then(|source| self.plain_literal(core, source)) {
            let before = std::mem::replace(&mut core.type_only, has_word(node, "type"));
            self.exported_from(core, node, module);
            core.type_only = before;
            return false;
        }
        let is_default = has_word(node, "default");
        if let Some(declaration) = self.field(node, fields.declaration) {
            self.exported_declaration(core, declaration, is_default);
            return true;
        }
        if let Some(value) = self.field(node, fields.value) {
            core.export("default");
            return self.exported_value(core, node, value);
        }
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            match self.kind(child) {
                K::ExportClause => {
                    core.raw.all.get_or_insert_with(Vec::new);
                    self.specifiers(core, child, None, true);
                    return false;
                }
                // `export = value`
                K::Identifier | K::Member => self.bind_value(core, "default", false, child),
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
        true
    }

    fn exported_from(&mut self, core: &mut Core<'_>, node: Node<'_>, module: &str) {
        core.raw.all.get_or_insert_with(Vec::new);
        let mut cursor = node.walk();
        let mut more = cursor.goto_first_child();
        while more {
            let child = cursor.node();
            match self.kind(child) {
                K::ExportClause if self.specifiers(core, child, Some(module), true) => {}
                K::ExportClause => core.import(node, ImportForm::Module, module, "", ""),
                K::NamespaceExport => {
                    if let Some(name) = super::chains::named(child) {
                        let name = core.slice(name).trim_matches(['"', '\'']);
                        core.import(child, ImportForm::Module, module, "", name);
                        core.export(name);
                    }
                }
                _ if child.kind() == "*" => core.import(node, ImportForm::Star, module, "", ""),
                _ => {}
            }
            more = cursor.goto_next_sibling();
        }
    }

    fn exported_declaration(&mut self, core: &mut Core<'_>, declaration: Node<'_>, is_default: bool) {
        let fields = &self.dialect.fields;
        let declared = match self.kind(declaration) {
            K::Ambient => super::chains::named(declaration).unwrap_or(declaration),
            _ => declaration,
        };
        if self.kind(declared) == K::Declaration {
            let mut cursor = declared.walk();
            let mut more = cursor.goto_first_child();
            while more {
                let child = cursor.node();
                if self.kind(child) == K::Variable
                    && let Some(name) = self.field(child, fields.name)
                {
                    self.exported_pattern(core, name);
                }
                more = cursor.goto_next_sibling();
            }
            return;
        }
        if let Some(name) = self.field(declared, fields.name) {
            let name = core.slice(name);
            let first = name.split('.').next().unwrap_or(name);
            if is_default {
                core.export("default");
                core.bind_in(0, "default", false, BindingForm::Alias, first);
            } else {
                core.export(first);
            }
        }
    }

    /// The names of `export const { a, b } = …`.
    fn exported_pattern(&mut self, core: &mut Core<'_>, pattern: Node<'_>) {
        if self.kind(pattern) == K::Identifier {
            core.export(core.slice(pattern));
            return;
        }
        let part = core.part() as usize;
        let before = core.raw.parts[part].locals.len();
        self.pattern_locals(core, pattern);
        let names = core.raw.parts[part].locals.split_off(before);
        core.raw.all.get_or_insert_with(Vec::new).extend(names);
    }

    fn exported_value<'t>(&mut self, core: &mut Core<'t>, node: Node<'t>, value: Node<'t>) -> bool {
        if matches!(self.kind(value), K::FunctionValue | K::ClassValue) {
            let own = self.field(value, self.dialect.fields.name);
            let name = own.map_or("default", |own| core.slice(own));
            if self.named_value(core, PartKind::Function, (name, own), node, value) && own.is_some() {
                core.bind_in(0, "default", false, BindingForm::Alias, name);
            }
            return true;
        }
        self.bind_value(core, "default", false, value);
        true
    }

    fn first_identifier<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        super::chains::named(node).filter(|name| self.kind(*name) == K::Identifier)
    }
}

/// True where a keyword stands among the first children of a statement.
fn has_word(node: Node<'_>, word: &str) -> bool {
    let mut cursor = node.walk();
    let mut more = cursor.goto_first_child();
    let mut steps = 0;
    while more && steps < 8 {
        if cursor.node().kind() == word {
            return true;
        }
        more = cursor.goto_next_sibling();
        steps += 1;
    }
    false
}
