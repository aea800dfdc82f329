//! Names that are computed: what `getattr` and `getfixturevalue` ask for by a value.

use rustc_hash::{FxHashMap, FxHashSet};

use super::kinds::{Field, Role};
use super::tree::{Detail, Node};
use super::walk::{MAX_CHAIN, Walk};
use crate::code::PartKind;
use crate::extract::raw::RawReference;
use crate::extract::shapes;
use crate::facts::{NameId, PartFlags};

/// Beginnings of names that are followed for one `getattr`.
const MAX_STARTS: usize = 8;
/// Operators and calls around one literal.
const MAX_STEPS: usize = 32;

/// What a name begins with, and whether that is all of it.
type Beginning<'t> = (&'t str, bool);

/// What is known on the way through a file.
#[derive(Default)]
pub(super) struct Computed<'t> {
    sets: FxHashMap<(u32, &'t str), Set<'t>>,
    calls: Vec<Asked<'t>>,
}

/// What a variable of a part is set to.
#[derive(Default)]
struct Set<'t> {
    /// Assignments of which everything is known.
    times: usize,
    beginnings: Vec<Beginning<'t>>,
}

/// `getattr(object, name)` by a variable.
struct Asked<'t> {
    part: u32,
    line: u32,
    object: NameId,
    name: &'t str,
}

impl<'t> Walk<'t> {
    /// `getattr(object, name)` refers to an attribute, or to all that begin as the name does; `getfixturevalue(name)` of a
    /// name that is computed to any fixture.
    pub(super) fn dispatch(&mut self, call: Node<'_>) {
        let Some(callee) = call.child(0) else { return };
        let callee = self.slice(callee);
        let asks = callee.rsplit('.').next() == Some("getfixturevalue");
        let at_import = matches!(self.raw.parts[self.part() as usize].kind, PartKind::Module | PartKind::Class);
        if matches!(callee, "globals" | "vars") || callee == "locals" && at_import {
            return self.gives_names();
        }
        if !asks && !matches!(callee, "getattr" | "setattr" | "exec") {
            return;
        }
        let Some(arguments) = call.child_of(Field::Arguments) else { return };
        let mut given = arguments.children();
        let given = [given.next(), given.next()];
        if callee == "exec" {
            if given[1].is_none() {
                self.gives_names();
            }
            return;
        }
        if callee == "setattr" {
            let name = given[1].map(|name| self.slice(name)).unwrap_or_default();
            let is_other =
                shapes::literal_content(name).is_some_and(|name| !name.to_ascii_lowercase().starts_with("test"));
            // An object's own attributes are no tests.
            if !is_other && given[0].is_none_or(|object| self.slice(object) != "self") {
                self.gives_names();
            }
            return;
        }
        if asks {
            let is_literal = given[0].is_some_and(|name| shapes::literal_content(self.slice(name)).is_some());
            if !is_literal {
                let part = self.part() as usize;
                self.raw.parts[part].flags |= PartFlags::COMPUTED_FIXTURE;
            }
            return;
        }
        let [Some(object), Some(name)] = given else { return };
        let object = self.chain(object).unwrap_or(self.unknown);
        let (part, line, text) = (self.part(), call.line(), self.slice(name));
        if text.len() <= MAX_CHAIN && shapes::is_dotted(text) {
            self.computed.calls.push(Asked { part, line, object, name: text });
            return;
        }
        for beginning in self.beginnings(name) {
            self.asked(part, line, object, beginning.unwrap_or(("", false)));
        }
    }

    fn gives_names(&mut self) {
        let part = self.part() as usize;
        self.raw.parts[part].flags |= PartFlags::GIVES_NAMES;
    }

    /// A reference to an attribute that is named, or to those that begin as a name does.
    fn asked(&mut self, part: u32, line: u32, object: NameId, (start, is_whole): (&str, bool)) {
        let end = if is_whole { "" } else { "*" };
        let chain = format!("{}.{start}{end}", self.raw.names.get(object));
        if chain.len() <= MAX_CHAIN {
            let chain = self.raw.names.intern(&chain);
            self.raw.references.push(RawReference { part, line, chain, is_call: true, in_decorator: false });
        }
    }

    /// What an expression's value may begin with, by its arms; `None` for an arm that may be anything.
    fn beginnings(&self, expression: Node<'_>) -> Vec<Option<Beginning<'t>>> {
        let mut found = Vec::new();
        let mut pending = vec![expression];
        while let Some(node) = pending.pop() {
            if found.len() + pending.len() >= MAX_STARTS {
                return vec![None];
            }
            match node.role() {
                Role::Choice => pending.extend([node.child(0), node.child(1)].into_iter().flatten()),
                Role::Conditional => pending.extend([node.child(0), node.child(2)].into_iter().flatten()),
                _ => found.push(self.beginning(node)),
            }
        }
        found
    }

    /// A literal, also with something behind it: `"visit_" + name`, `f"visit_{name}"`, `"visit_%s" % name`,
    /// `"visit_{}".format(name)`. What other calls and operators make of a literal need not begin as it does.
    fn beginning(&self, expression: Node<'_>) -> Option<Beginning<'t>> {
        let mut node = expression;
        let mut is_whole = true;
        for _ in 0..MAX_STEPS {
            node = match node.role() {
                Role::String => {
                    let (start, all) = shapes::leading_name(self.slice(node))?;
                    return Some((start, all && is_whole));
                }
                Role::Parenthesized => node.child(0)?,
                Role::Concatenated => {
                    is_whole = false;
                    node.child(0)?
                }
                Role::Binary if node.detail() == Detail::Appends => {
                    is_whole = false;
                    node.child(0)?
                }
                Role::Call => {
                    let callee = node.child_of(Field::Function)?;
                    if self.slice(callee.child_of(Field::Attribute)?) != "format" {
                        return None;
                    }
                    is_whole = false;
                    callee.child_of(Field::Object)?
                }
                _ => return None,
            };
        }
        None
    }

    /// Remembers what a variable is set to, where every arm of it begins with something known.
    pub(super) fn computed_name(&mut self, target: &'t str, value: Node<'_>) {
        if !self.dispatches {
            return;
        }
        let beginnings: Option<Vec<Beginning<'t>>> = self.beginnings(value).into_iter().collect();
        if let Some(beginnings) = beginnings {
            let set = self.computed.sets.entry((self.part(), target)).or_default();
            set.times += 1;
            if set.beginnings.len() <= MAX_STARTS {
                set.beginnings.extend(beginnings);
            }
        }
    }

    /// Refers to what `getattr` by a variable asks for, now that everything that sets variables was seen.
    pub(super) fn computed_names(&mut self) {
        let Computed { sets, calls } = std::mem::take(&mut self.computed);
        if calls.is_empty() {
            return;
        }
        let mut bound: FxHashMap<(u32, NameId), usize> = FxHashMap::default();
        let mut shared: FxHashSet<NameId> = FxHashSet::default();
        for (part, raw) in (0..).zip(&self.raw.parts) {
            for name in raw.locals.iter().chain(&raw.parameters) {
                *bound.entry((part, *name)).or_default() += 1;
            }
            shared.extend(&raw.outer_names);
        }
        for Asked { part, line, object, name } in calls {
            let set = sets.get(&(part, name));
            let beginnings = set.map_or(&[][..], |set| &set.beginnings);
            for beginning in beginnings.iter().take(MAX_STARTS) {
                self.asked(part, line, object, *beginning);
            }
            let id = self.raw.names.intern(name);
            // Each time that the name gets a value, that value was seen.
            let is_known = set.is_some_and(|set| bound.get(&(part, id)) == Some(&set.times))
                && beginnings.len() <= MAX_STARTS
                && !shared.contains(&id);
            if !is_known {
                self.asked(part, line, object, ("", false));
            }
        }
    }
}
