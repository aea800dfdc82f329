//! From raw facts to sealed ones: local variables of unknown value go, each reference stays once, names are renumbered.

use rustc_hash::{FxHashMap, FxHashSet};

use super::raw::{Raw, RawBinding, RawPart};
use crate::code::PartKind;
use crate::extract::names::{Names, Renumber};
use crate::facts::{
    BindingFact, FileFacts, ImportFact, ImportForm, NameId, NameList, Outline, OutlineParts, PartFact, Places,
    ReferenceFact, StringFact, without_call,
};

/// What a name at the head of a chain means where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// Worth following: a receiver, an import, a part, a binding, or nothing local.
    Known,
    /// A variable of unknown value.
    Variable,
}

struct Scopes<'a> {
    parts: &'a [RawPart],
    /// Names of a part's scope that can be followed, of those that are local somewhere.
    known: FxHashSet<u64>,
    locals: FxHashSet<u64>,
    outer: FxHashSet<u64>,
    /// By name: some part has a local of it. Only those can be variables.
    is_local: Vec<bool>,
}

/// A name in a part, as one number.
fn within(part: u32, name: NameId) -> u64 {
    u64::from(part) << 32 | u64::from(name.0)
}

impl<'a> Scopes<'a> {
    fn new(raw: &'a Raw, heads: &Heads) -> Self {
        let count = raw.parts.iter().map(|part| part.locals.len() + part.parameters.len()).sum();
        let mut locals = FxHashSet::with_capacity_and_hasher(count, Default::default());
        let mut is_local = vec![false; raw.names.len()];
        let mut outer = FxHashSet::default();
        for (index, part) in raw.parts.iter().enumerate() {
            let index = index as u32;
            if part.kind == PartKind::Module {
                continue;
            }
            for name in part.locals.iter().chain(&part.parameters) {
                locals.insert(within(index, *name));
                is_local[name.0 as usize] = true;
            }
            outer.extend(part.outer_names.iter().map(|name| within(index, *name)));
        }
        let mut known = FxHashSet::default();
        let mut know = |part: u32, name: NameId| {
            if is_local.get(name.0 as usize).is_some_and(|is_local| *is_local) {
                known.insert(within(part, name));
            }
        };
        for (index, part) in raw.parts.iter().enumerate().filter(|(_, part)| part.kind != PartKind::Module) {
            know(part.parent, part.name);
            if let Some(receiver) = part.parameters.first().filter(|_| part.kind == PartKind::Method) {
                know(index as u32, *receiver);
            }
        }
        for import in &raw.imports {
            if import.form == ImportForm::Literal {
                continue;
            }
            let bound = import.alias.some().or(import.name.some()).unwrap_or_else(|| heads.of(import.module));
            know(import.part, bound);
        }
        for binding in raw.bindings.iter().filter(|binding| !binding.on_self) {
            know(binding.part, binding.target);
        }
        Self { parts: &raw.parts, known, locals, outer, is_local }
    }

    fn head(&self, part: u32, name: NameId) -> Head {
        if !self.is_local.get(name.0 as usize).copied().unwrap_or(false) {
            return Head::Known;
        }
        let mut at = part;
        while let Some(scope) = self.parts.get(at as usize) {
            if scope.kind == PartKind::Module || (scope.kind == PartKind::Class && at != part) {
                at = scope.parent;
                continue;
            }
            let name = within(at, name);
            if self.outer.contains(&name) || self.known.contains(&name) {
                return Head::Known;
            }
            if self.locals.contains(&name) {
                return Head::Variable;
            }
            at = scope.parent;
        }
        Head::Known
    }
}

/// The first segments of chains, by chain; those without a dot are not listed.
struct Heads(Vec<NameId>);

impl Heads {
    /// The first segment of every chain in use.
    fn new(raw: &mut Raw) -> Self {
        let mut heads = vec![NameId::NONE; raw.names.len()];
        let chains = raw
            .references
            .iter()
            .map(|reference| reference.chain)
            .chain(raw.bindings.iter().map(|binding| binding.source))
            .chain(raw.imports.iter().map(|import| import.module));
        for chain in chains {
            let Some(slot) = heads.get_mut(chain.0 as usize).filter(|slot| **slot == NameId::NONE) else { continue };
            *slot = match raw.names.get(chain).split_once('.') {
                Some((first, _)) => {
                    let first = without_call(first).to_owned();
                    raw.names.intern(&first)
                }
                None => chain,
            };
        }
        Self(heads)
    }

    fn of(&self, chain: NameId) -> NameId {
        self.0.get(chain.0 as usize).copied().and_then(NameId::some).unwrap_or(chain)
    }
}

pub(super) fn seal(mut raw: Raw) -> FileFacts {
    let heads = Heads::new(&mut raw);
    let scopes = Scopes::new(&raw, &heads);
    let verdicts =
        raw.references.iter().map(|reference| scopes.head(reference.part, heads.of(reference.chain))).collect();
    let bindings = bindings(&raw, &scopes, &heads);
    let (references, lines) = references(&mut raw, verdicts, &heads);
    let names = std::mem::take(&mut raw.names);
    let mut renumber = Renumber::new(&names);
    let mut out = OutlineParts { generated: raw.generated, ..OutlineParts::default() };
    let mut occurrences: FxHashMap<(NameId, PartKind), u32> = FxHashMap::default();
    for part in &raw.parts {
        let occurrence = occurrences.entry((part.local_name, part.kind)).or_default();
        let mut fact = PartFact::new(part.kind, renumber.id(part.name), renumber.id(part.local_name));
        fact.flags = part.flags;
        fact.occurrence = *occurrence;
        *occurrence += 1;
        fact.parent = part.parent;
        fact.decorators = list(&mut renumber, &mut out.lists, &part.decorators);
        fact.bases = list(&mut renumber, &mut out.lists, &part.bases);
        fact.parameters = list(&mut renumber, &mut out.lists, &part.parameters);
        fact.returns = renumber.id(part.returns);
        fact.fixture_name = renumber.id(part.fixture_name);
        out.parts.push(fact);
    }
    let mut sites = Vec::with_capacity(raw.imports.len() + references.len() + raw.strings.len());
    for import in &raw.imports {
        sites.push(import.line);
        out.imports.push(ImportFact {
            part: import.part,
            form: import.form,
            level: import.level,
            module: renumber.id(import.module),
            name: renumber.id(import.name),
            alias: renumber.id(import.alias),
            type_only: import.type_only,
            guarded: import.guarded,
        });
    }
    sites.extend(lines);
    out.references = references
        .into_iter()
        .map(|reference| ReferenceFact { chain: renumber.id(reference.chain), ..reference })
        .collect();
    out.bindings = bindings
        .iter()
        .map(|binding| BindingFact {
            part: binding.part,
            target: renumber.id(binding.target),
            on_self: binding.on_self,
            form: binding.form,
            source: renumber.id(binding.source),
        })
        .collect();
    let mut seen = FxHashSet::default();
    for string in &raw.strings {
        if seen.insert((string.part, string.text, string.usage)) {
            sites.push(string.line);
            out.strings.push(StringFact {
                part: string.part,
                text: renumber.id(string.text),
                shape: string.shape,
                usage: string.usage,
            });
        }
    }
    out.module_names = module_names(&raw.parts, &names).into_iter().map(|name| renumber.id(name)).collect();
    out.all = raw.all.map(|all| all.into_iter().map(|name| renumber.id(name)).collect());
    out.names = renumber.table;
    let mut problems = raw.problems;
    problems.sort_unstable_by_key(|problem| (problem.line, problem.kind));
    problems.dedup();
    FileFacts {
        content: raw.content,
        outline: std::sync::Arc::new(Outline::seal(out)),
        places: Places { parts: raw.places.into(), sites: sites.into() },
        digests: Box::default(),
        reads_otherwise: false,
        quiet: None,
        problems: problems.into(),
    }
}

fn list(renumber: &mut Renumber<'_>, lists: &mut Vec<NameId>, names: &[NameId]) -> NameList {
    let start = lists.len() as u32;
    lists.extend(names.iter().map(|name| renumber.id(*name)));
    NameList { start, len: names.len() as u32 }
}

/// References that say something, once each, with the line of the first.
fn references(raw: &mut Raw, verdicts: Vec<Head>, heads: &Heads) -> (Vec<ReferenceFact>, Vec<u32>) {
    let raw_references = std::mem::take(&mut raw.references);
    let mut seen = FxHashSet::with_capacity_and_hasher(raw_references.len(), Default::default());
    let mut references = Vec::with_capacity(raw_references.len());
    let mut lines = Vec::with_capacity(raw_references.len());
    for (reference, verdict) in raw_references.into_iter().zip(verdicts) {
        let chain = match verdict {
            Head::Known => reference.chain,
            Head::Variable if heads.of(reference.chain) == reference.chain || !reference.is_call => continue,
            Head::Variable => {
                let text = raw.names.get(reference.chain);
                let last = text.rsplit('.').next().unwrap_or(text);
                let guess = format!("?.{last}");
                raw.names.intern(&guess)
            }
        };
        let unknown = raw.names.get(chain).starts_with('?');
        if unknown && !reference.is_call {
            continue;
        }
        let how = u64::from(reference.is_call) | u64::from(reference.in_decorator) << 1;
        // Of fewer parts than 2^30, which no text of two megabytes has, each has numbers of its own.
        if seen.insert(u64::from(reference.part) << 34 | u64::from(chain.0) << 2 | how) {
            lines.push(reference.line);
            references.push(ReferenceFact {
                part: reference.part,
                chain,
                is_call: reference.is_call,
                in_decorator: reference.in_decorator,
            });
        }
    }
    (references, lines)
}

/// Bindings whose source can be followed, once each.
fn bindings(raw: &Raw, scopes: &Scopes<'_>, heads: &Heads) -> Vec<RawBinding> {
    let mut seen = FxHashSet::default();
    raw.bindings
        .iter()
        .filter(|binding| {
            scopes.head(binding.part, heads.of(binding.source)) == Head::Known
                && !raw.names.get(binding.source).starts_with(['?', '\''])
                && seen.insert((binding.part, binding.target, binding.on_self, binding.form, binding.source))
        })
        .copied()
        .collect()
}

/// Variables of the module, by text, each once.
fn module_names(parts: &[RawPart], names: &Names) -> Vec<NameId> {
    let Some(module) = parts.first() else { return Vec::new() };
    let globals = parts.iter().skip(1).flat_map(|part| part.outer_names.iter());
    let mut found: Vec<NameId> = module.locals.iter().chain(globals).copied().collect();
    found.sort_unstable_by(|a, b| names.get(*a).cmp(names.get(*b)));
    found.dedup();
    found
}
