//! Facts in one line each, for tests.

use crate::facts::{BindingFact, BindingForm, FileFacts, ImportFact, ImportForm, ReferenceFact};

pub(super) fn parts(facts: &FileFacts) -> Vec<String> {
    let outline = &facts.outline;
    outline.parts.iter().skip(1).map(|part| format!("{} {}", part.kind.word(), outline.name(part.local_name))).collect()
}

pub(super) fn imports(facts: &FileFacts) -> Vec<String> {
    let outline = &facts.outline;
    let form = |form| match form {
        ImportForm::Module => "module",
        ImportForm::From => "from",
        ImportForm::Star => "star",
        ImportForm::Literal => "literal",
    };
    let import = |import: &ImportFact| {
        let mut text = format!("{} {}", form(import.form), outline.name(import.module));
        for (sign, name) in [(":", import.name), (" as ", import.alias)] {
            if let Some(name) = name.some() {
                text += sign;
                text += outline.name(name);
            }
        }
        if import.type_only { text + " (type)" } else { text }
    };
    outline.imports.iter().map(import).collect()
}

pub(super) fn references(facts: &FileFacts) -> Vec<String> {
    let outline = &facts.outline;
    let reference = |reference: &ReferenceFact| {
        let part = outline.name(outline.parts[reference.part as usize].local_name);
        let sign = match (reference.in_decorator, reference.is_call) {
            (true, _) => "@",
            (false, true) => "()",
            (false, false) => "",
        };
        format!("{part}: {}{sign}", outline.name(reference.chain))
    };
    outline.references.iter().map(reference).collect()
}

pub(super) fn bindings(facts: &FileFacts) -> Vec<String> {
    let outline = &facts.outline;
    let binding = |binding: &BindingFact| {
        let part = outline.name(outline.parts[binding.part as usize].local_name);
        let this = if binding.on_self { "this." } else { "" };
        let form = match binding.form {
            BindingForm::Result => "()",
            BindingForm::Alias => "",
            BindingForm::Annotation => " type",
        };
        format!("{part}: {this}{} = {}{form}", outline.name(binding.target), outline.name(binding.source))
    };
    outline.bindings.iter().map(binding).collect()
}
