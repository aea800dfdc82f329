//! What the walk collects, before names are renumbered and local variables are left out.

use crate::code::PartKind;
use crate::extract::names::Names;
use crate::facts::{BindingForm, ContentId, ImportForm, NameId, PartFlags, PartPlace, Problem, StringShape, StringUse};

/// A part while its facts are raw: names are those of [`Names`].
#[derive(Debug)]
pub(super) struct RawPart {
    pub(super) kind: PartKind,
    pub(super) flags: PartFlags,
    pub(super) name: NameId,
    pub(super) local_name: NameId,
    pub(super) parent: u32,
    pub(super) decorators: Vec<NameId>,
    pub(super) bases: Vec<NameId>,
    pub(super) parameters: Vec<NameId>,
    pub(super) returns: NameId,
    pub(super) fixture_name: NameId,
    /// Names bound in the part's own scope by anything but imports and nested parts.
    pub(super) locals: Vec<NameId>,
    /// Names declared `global` or `nonlocal`.
    pub(super) outer_names: Vec<NameId>,
}

pub(super) struct RawImport {
    pub(super) part: u32,
    pub(super) line: u32,
    pub(super) form: ImportForm,
    pub(super) level: u16,
    pub(super) module: NameId,
    pub(super) name: NameId,
    pub(super) alias: NameId,
    pub(super) type_only: bool,
    pub(super) guarded: bool,
}

pub(super) struct RawReference {
    pub(super) part: u32,
    pub(super) line: u32,
    pub(super) chain: NameId,
    pub(super) is_call: bool,
    pub(super) in_decorator: bool,
}

#[derive(Clone, Copy)]
pub(super) struct RawBinding {
    pub(super) part: u32,
    pub(super) target: NameId,
    pub(super) on_self: bool,
    pub(super) form: BindingForm,
    pub(super) source: NameId,
}

pub(super) struct RawString {
    pub(super) part: u32,
    pub(super) line: u32,
    pub(super) text: NameId,
    pub(super) shape: StringShape,
    pub(super) usage: StringUse,
}

/// Everything the walk collected.
pub(super) struct Raw {
    pub(super) content: ContentId,
    pub(super) names: Names,
    pub(super) parts: Vec<RawPart>,
    pub(super) places: Vec<PartPlace>,
    pub(super) imports: Vec<RawImport>,
    pub(super) references: Vec<RawReference>,
    pub(super) bindings: Vec<RawBinding>,
    pub(super) strings: Vec<RawString>,
    pub(super) all: Option<Vec<NameId>>,
    pub(super) problems: Vec<Problem>,
    pub(super) generated: bool,
}
