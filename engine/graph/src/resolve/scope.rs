//! The names that each scope of a file binds, ready for look-up.

use crate::code::PartKind;
use crate::facts::{ImportForm, Outline};

/// What binds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binder {
    /// A class or function, by ordinal.
    Part(u32),
    /// An import, by index.
    Import(u32),
    /// A binding, by index.
    Binding(u32),
    /// A variable of the module.
    Variable,
}

/// The scopes of one file: sorted tables over its outline.
#[derive(Debug, Default)]
pub(super) struct Scopes<'a> {
    /// (part, name, binder).
    names: Vec<(u32, &'a str, Binder)>,
    /// (class ordinal, attribute, index of the binding).
    attributes: Vec<(u32, &'a str, u32)>,
    /// Imports with a star in the module body.
    pub(super) stars: Vec<u32>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(outline: &'a Outline) -> Self {
        let mut scopes = Self::default();
        for (ordinal, part) in outline.parts.iter().enumerate() {
            if part.kind != PartKind::Module && part.kind != PartKind::File {
                scopes.names.push((part.parent, outline.name(part.name), Binder::Part(ordinal as u32)));
            }
        }
        for (index, import) in outline.imports.iter().enumerate() {
            let index = index as u32;
            let name = match import.form {
                ImportForm::Literal => continue,
                ImportForm::Star => {
                    scopes.stars.push(index);
                    continue;
                }
                ImportForm::From => outline.name(import.alias.some().unwrap_or(import.name)),
                ImportForm::Module => match import.alias.some() {
                    Some(alias) => outline.name(alias),
                    None => {
                        let module = outline.name(import.module);
                        module.split('.').next().unwrap_or(module)
                    }
                },
            };
            scopes.names.push((import.part, name, Binder::Import(index)));
        }
        for (index, binding) in outline.bindings.iter().enumerate() {
            let index = index as u32;
            let target = outline.name(binding.target);
            let part = &outline.parts[binding.part as usize];
            if binding.on_self {
                scopes.attributes.push((part.parent, target, index));
            } else {
                scopes.names.push((binding.part, target, Binder::Binding(index)));
                if part.kind == PartKind::Class {
                    scopes.attributes.push((binding.part, target, index));
                }
            }
        }
        for name in &outline.module_names {
            scopes.names.push((0, outline.name(*name), Binder::Variable));
        }
        scopes.names.sort_unstable();
        scopes.attributes.sort_unstable();
        scopes
    }

    /// What binds a name in a part's own scope.
    pub(super) fn binders(&self, part: u32, name: &str) -> impl Iterator<Item = Binder> + use<'_, 'a> {
        let start = self.names.partition_point(|(at, known, _)| (*at, *known) < (part, name));
        let end = start + self.names[start..].partition_point(|(at, known, _)| *at == part && *known == name);
        self.names[start..end].iter().map(|(_, _, binder)| *binder)
    }

    /// Bindings of an attribute of a class or its instances.
    pub(super) fn attributes(&self, class: u32, name: &str) -> impl Iterator<Item = u32> + use<'_, 'a> {
        let start = self.attributes.partition_point(|(at, known, _)| (*at, *known) < (class, name));
        let end = start + self.attributes[start..].partition_point(|(at, known, _)| *at == class && *known == name);
        self.attributes[start..end].iter().map(|(_, _, binding)| *binding)
    }
}
