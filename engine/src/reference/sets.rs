//! Sets, by recursion over the expression: nothing is kept from one question to the next.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{Distance, FieldTest, ItemKind, MatchOn, SetExpr, SetKind, Walk};
use grace_graph::code::{EdgeKind, PartKey, PartKind};

use super::fields;
use super::rules::Rules;
use super::text::{dotted_glob, glob, path_glob};
use super::world::{FileFacts, PartFacts, SideFacts, World};
use crate::plan::Truth;

/// The parts that are surely in a set, and those that may be; the first are among the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) certain: BTreeSet<PartKey>,
    pub(super) possible: BTreeSet<PartKey>,
}

impl Members {
    fn exactly(parts: BTreeSet<PartKey>) -> Self {
        Self { possible: parts.clone(), certain: parts }
    }

    /// Whether a part is in the set.
    pub(super) fn holds(&self, key: &PartKey) -> Truth {
        if self.certain.contains(key) {
            Truth::Yes
        } else if self.possible.contains(key) {
            Truth::Unknown
        } else {
            Truth::No
        }
    }
}

/// Members that are not parts, models, bundles, people, by name.
pub(super) type Names = BTreeMap<String, Truth>;

/// What the members of a set are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Code,
    Models,
    Bundles,
    People,
}

/// Evaluates sets on one side of the change, with the names of one rule book.
pub(super) struct Sets<'a> {
    pub(super) world: &'a World,
    pub(super) rules: &'a Rules,
    pub(super) side: usize,
}

impl Sets<'_> {
    fn facts(&self) -> &SideFacts {
        &self.world.sides[self.side]
    }

    /// What the members of a set are.
    pub(super) fn sort(&self, set: &SetExpr) -> Sort {
        self.sort_in(set, &mut Vec::new())
    }

    fn sort_in(&self, set: &SetExpr, trail: &mut Vec<String>) -> Sort {
        match &set.kind {
            SetKind::Models(_) | SetKind::Model(_) | SetKind::ModelsUsedBy(_) => Sort::Models,
            SetKind::Bundles | SetKind::Bundle(_) => Sort::Bundles,
            SetKind::OwnersOf(_) | SetKind::Team(_) => Sort::People,
            SetKind::Plus(left, right) | SetKind::Within(left, right) | SetKind::Except(left, right) => {
                match self.sort_in(left, trail) {
                    Sort::Code => self.sort_in(right, trail),
                    other => other,
                }
            }
            SetKind::Defined(name) if !trail.contains(&name.text) => {
                trail.push(name.text.clone());
                let sort = self.rules.define(&name.text).map_or(Sort::Code, |set| self.sort_in(set, trail));
                trail.pop();
                sort
            }
            _ => Sort::Code,
        }
    }

    /// The parts of a set of code.
    pub(super) fn code(&self, set: &SetExpr) -> Members {
        self.code_in(set, &mut Vec::new())
    }

    fn code_in(&self, set: &SetExpr, trail: &mut Vec<String>) -> Members {
        match &set.kind {
            SetKind::All => self.by_place(|_, _| true),
            SetKind::None => Members::default(),
            SetKind::Path { glob, ignore_case } => {
                let matches = path_glob(&glob.value, *ignore_case);
                self.by_place(|file, _| matches(&file.path))
            }
            SetKind::Package(name) => self.by_place(|file, _| in_package(file, &name.value)),
            SetKind::Module(name) => self.by_place(|file, _| file.module.as_deref() == Some(&*name.value)),
            SetKind::Generated => self.claimed(|file| file.generated, |file| file.surely_generated),
            SetKind::Language(language) => self.by_place(|file, _| file.language.as_deref() == Some(&*language.text)),
            SetKind::Tests => self.claimed(|file| file.is_test, |file| file.surely_test),
            SetKind::Class(glob) => {
                let matches = dotted_glob(&glob.value);
                let headers = self.by_name(|_, part| part.key.kind == PartKind::Class && matches(&part.qualified_name));
                self.with_everything_inside(&headers)
            }
            SetKind::Function(glob) => {
                let matches = dotted_glob(&glob.value);
                self.by_name(|_, part| {
                    matches!(part.key.kind, PartKind::Function | PartKind::Method) && matches(&part.qualified_name)
                })
            }
            SetKind::Decorated(glob) => {
                let matches = dotted_glob(&glob.value);
                self.by_name(|_, part| part.decorators.iter().any(|name| matches(name)))
            }
            SetKind::Named { glob: pattern, ignore_case } => {
                let matches = glob(&pattern.value, *ignore_case);
                self.by_name(|_, part| matches(&part.name))
            }
            SetKind::Matches { on, regex } => {
                let Ok(regex) = regex::Regex::new(&regex.value) else { return self.anything() };
                match on {
                    MatchOn::Path => self.by_place(|file, _| regex.is_match(&file.path)),
                    MatchOn::Name => self.by_name(|_, part| regex.is_match(&part.name)),
                }
            }
            SetKind::HeaderOf(inner) => {
                let inner = self.code_in(inner, trail);
                self.only(&inner, |part| part.key.kind == PartKind::Class)
            }
            SetKind::Public(inner) => {
                let inner = self.code_in(inner, trail);
                self.only(&inner, |part| part.is_public)
            }
            SetKind::FilesOf(inner) | SetKind::ModulesOf(inner) => {
                let inner = self.code_in(inner, trail);
                Members { certain: self.same_files(&inner.certain), possible: self.same_files(&inner.possible) }
            }
            SetKind::MembersOf(inner) => {
                let inner = self.code_in(inner, trail);
                let headers = self.only(&inner, |part| part.key.kind == PartKind::Class);
                self.with_everything_inside(&headers)
            }
            SetKind::Tag(name) => self.tag(&name.text, trail),
            SetKind::Family { family, value } => self.family(&family.text, &value.text, trail),
            SetKind::BoundTo(pattern) => {
                let matches = glob(&pattern.value, false);
                let models = self.models().into_iter().filter(|model| matches(model));
                models.fold(self.bound(&pattern.value), |joined, model| plus(&joined, &self.bound(&model)))
            }
            SetKind::Defined(name) => {
                if trail.contains(&name.text) {
                    return self.anything();
                }
                let Some(defined) = self.rules.define(&name.text) else { return self.anything() };
                trail.push(name.text.clone());
                let members = self.code_in(defined, trail);
                trail.pop();
                members
            }
            SetKind::Walk { walk, set, distance, certain } => {
                let start = self.code_in(set, trail);
                self.walk(*walk, &start, *distance, *certain)
            }
            SetKind::Plus(left, right) => plus(&self.code_in(left, trail), &self.code_in(right, trail)),
            SetKind::Within(left, right) => {
                let (left, right) = (self.code_in(left, trail), self.code_in(right, trail));
                Members {
                    certain: left.certain.intersection(&right.certain).cloned().collect(),
                    possible: left.possible.intersection(&right.possible).cloned().collect(),
                }
            }
            SetKind::Except(left, right) => {
                let (left, right) = (self.code_in(left, trail), self.code_in(right, trail));
                Members {
                    certain: left.certain.difference(&right.possible).cloned().collect(),
                    possible: left.possible.difference(&right.certain).cloned().collect(),
                }
            }
            SetKind::Models(_)
            | SetKind::Model(_)
            | SetKind::ModelsUsedBy(_)
            | SetKind::Bundles
            | SetKind::Bundle(_)
            | SetKind::OwnersOf(_)
            | SetKind::Team(_) => self.anything(),
        }
    }

    /// What a name that nothing defines stands for: it may be anything.
    fn anything(&self) -> Members {
        Members { certain: BTreeSet::new(), possible: self.facts().parts.keys().cloned().collect() }
    }

    /// Members that the place alone decides: certain for opaque files too.
    fn by_place(&self, holds: impl Fn(&FileFacts, &PartFacts) -> bool) -> Members {
        let facts = self.facts();
        Members::exactly(
            facts
                .parts
                .values()
                .filter(|part| facts.files.get(&*part.key.path).is_some_and(|file| holds(file, part)))
                .map(|part| part.key.clone())
                .collect(),
        )
    }

    /// Members by name, kind or meaning: an opaque file may hold any.
    fn by_name(&self, holds: impl Fn(&FileFacts, &PartFacts) -> bool) -> Members {
        let mut members = self.by_place(holds);
        members.possible.extend(self.opaque());
        members
    }

    /// What holds of files, possibly and surely.
    fn claimed(&self, possibly: impl Fn(&FileFacts) -> bool, surely: impl Fn(&FileFacts) -> bool) -> Members {
        let mut members = self.by_name(|file, _| possibly(file));
        members.certain = self.by_name(|file, _| possibly(file) && surely(file)).certain;
        members
    }

    /// The file parts of the opaque files.
    fn opaque(&self) -> BTreeSet<PartKey> {
        let facts = self.facts();
        facts.parts.keys().filter(|key| facts.is_opaque(key)).cloned().collect()
    }

    /// The members of a set that are of some kind; an opaque file may hold one.
    fn only(&self, of: &Members, holds: impl Fn(&PartFacts) -> bool) -> Members {
        let facts = self.facts();
        let is = |key: &PartKey| facts.parts.get(key).is_some_and(&holds);
        Members {
            certain: of.certain.iter().filter(|key| is(key)).cloned().collect(),
            possible: of.possible.iter().filter(|key| is(key) || facts.is_opaque(key)).cloned().collect(),
        }
    }

    fn same_files(&self, parts: &BTreeSet<PartKey>) -> BTreeSet<PartKey> {
        let paths: BTreeSet<&str> = parts.iter().map(|key| &*key.path).collect();
        self.facts().parts.keys().filter(|key| paths.contains(&*key.path)).cloned().collect()
    }

    fn with_everything_inside(&self, headers: &Members) -> Members {
        Members { certain: self.inside(&headers.certain), possible: self.inside(&headers.possible) }
    }

    /// The parts themselves and whatever stands inside them, at any depth.
    fn inside(&self, of: &BTreeSet<PartKey>) -> BTreeSet<PartKey> {
        let facts = self.facts();
        let mut found = of.clone();
        for part in facts.parts.values() {
            let mut at = Some(part);
            while let Some(here) = at {
                if here.key.kind == PartKind::Class && of.contains(&here.key) {
                    found.insert(part.key.clone());
                    break;
                }
                at = here.parent.as_ref().and_then(|parent| facts.parts.get(parent));
            }
        }
        found
    }

    fn tag(&self, tag: &str, trail: &mut Vec<String>) -> Members {
        let marker = format!("tag {tag}");
        if trail.contains(&marker) {
            return self.anything();
        }
        trail.push(marker);
        let mut found: Option<Members> = None;
        for item in self.rules.items() {
            if let ItemKind::Tag { tag: name, value: None, set, .. } = &item.kind
                && name.text == tag
            {
                let members = self.code_in(set, trail);
                found = Some(found.map_or_else(|| members.clone(), |before| plus(&before, &members)));
            }
        }
        trail.pop();
        found.unwrap_or_else(|| self.anything())
    }

    fn family(&self, family: &str, value: &str, trail: &mut Vec<String>) -> Members {
        let marker = format!("family {family}");
        if trail.contains(&marker) {
            return self.anything();
        }
        let (declared, first_match) = self.rules.family(family);
        let assigned: Vec<(&str, &SetExpr)> = self
            .rules
            .items()
            .filter_map(|item| match &item.kind {
                ItemKind::Tag { tag, value: Some(value), set, .. } if tag.text == family => {
                    Some((value.text.as_str(), set))
                }
                _ => None,
            })
            .collect();
        if !declared.iter().any(|known| known == value) && !assigned.iter().any(|(given, _)| *given == value) {
            return self.anything();
        }
        trail.push(marker);
        let mut found = Members::default();
        let mut earlier = Members::default();
        for (given, set) in assigned {
            let members = self.code_in(set, trail);
            if given == value {
                let free = |taken: &BTreeSet<PartKey>, parts: &BTreeSet<PartKey>| -> BTreeSet<PartKey> {
                    parts.iter().filter(|key| !first_match || !taken.contains(key)).cloned().collect()
                };
                found.certain.extend(free(&earlier.possible, &members.certain));
                found.possible.extend(free(&earlier.certain, &members.possible));
            } else {
                earlier = plus(&earlier, &members);
            }
        }
        trail.pop();
        found
    }

    /// Every part that is reached from `start`, with the start.
    pub(super) fn walk(&self, walk: Walk, start: &Members, distance: Distance, certain: bool) -> Members {
        let mut reached = Members {
            certain: self.reach(walk, &start.certain, distance, true),
            possible: self.reach(walk, &start.possible, distance, certain),
        };
        if !start.possible.is_empty() {
            reached.possible.extend(self.opaque());
        }
        if walk == Walk::TestsOf {
            return self.only(&reached, |part| part.is_test);
        }
        reached
    }

    fn reach(&self, walk: Walk, start: &BTreeSet<PartKey>, distance: Distance, certain: bool) -> BTreeSet<PartKey> {
        let (kind, backwards) = match walk {
            Walk::Importers => (Some(EdgeKind::Imports), true),
            Walk::ImportedBy => (Some(EdgeKind::Imports), false),
            Walk::Callers => (Some(EdgeKind::Calls), true),
            Walk::Callees => (Some(EdgeKind::Calls), false),
            Walk::Subtypes => (Some(EdgeKind::Inherits), true),
            Walk::Supertypes => (Some(EdgeKind::Inherits), false),
            Walk::Dependents | Walk::TestsOf => (None, true),
            Walk::Dependencies => (None, false),
        };
        let steps = match distance {
            Distance::Within(steps) => usize::try_from(steps).unwrap_or(usize::MAX),
            Distance::Any => usize::MAX,
        };
        let mut reached = start.clone();
        let mut border = start.clone();
        for _ in 0..steps {
            let mut next = BTreeSet::new();
            for edge in &self.facts().edges {
                if kind.is_some_and(|kind| kind != edge.kind) || (certain && !edge.certain) {
                    continue;
                }
                let (from, to) = if backwards { (&edge.to, &edge.from) } else { (&edge.from, &edge.to) };
                if border.contains(from) && !reached.contains(to) {
                    next.insert(to.clone());
                }
            }
            if next.is_empty() {
                break;
            }
            reached.extend(next.iter().cloned());
            border = next;
        }
        reached
    }

    /// The models that a rule can speak of: those with a fingerprint on this side, and those that a binding names.
    pub(super) fn models(&self) -> BTreeSet<String> {
        let mut models: BTreeSet<String> = self.facts().models.keys().cloned().collect();
        for item in self.rules.items() {
            if let ItemKind::Binding { model, .. } = &item.kind
                && !is_glob(&model.value)
            {
                models.insert(model.value.clone());
            }
        }
        models
    }

    /// The parts that are bound to a model.
    pub(super) fn bound(&self, model: &str) -> Members {
        let mut joined = Members::exactly(
            self.facts()
                .strings
                .iter()
                .filter(|(_, text)| *text == model.to_lowercase())
                .map(|(key, _)| key.clone())
                .collect(),
        );
        for item in self.rules.items() {
            if let ItemKind::Binding { model: pattern, set, .. } = &item.kind
                && (pattern.value == model || glob(&pattern.value, false)(model))
            {
                joined = plus(&joined, &self.code(set));
            }
        }
        joined
    }

    /// The parts through which code uses models: what it depends on, as far as that can be read.
    pub(super) fn used_by(&self, code: &SetExpr) -> Members {
        let start = self.code(code);
        Members {
            certain: self.reach(Walk::Dependencies, &start.certain, Distance::Any, true),
            possible: self.reach(Walk::Dependencies, &start.possible, Distance::Any, false),
        }
    }

    /// The members of a set of models, of bundles or of people.
    pub(super) fn names(&self, set: &SetExpr) -> Names {
        self.names_in(set, &mut Vec::new())
    }

    fn names_in(&self, set: &SetExpr, trail: &mut Vec<String>) -> Names {
        match &set.kind {
            SetKind::Models(tests) => self
                .models()
                .into_iter()
                .map(|model| (model.clone(), self.model_meets(&model, tests)))
                .filter(|(_, truth)| *truth != Truth::No)
                .collect(),
            SetKind::Model(pattern) => {
                let matches = glob(&pattern.value, false);
                let known = self.models().into_iter().filter(|model| matches(model));
                let mut names: Names = known.map(|model| (model, Truth::Yes)).collect();
                if !is_glob(&pattern.value) {
                    names.insert(pattern.value.clone(), Truth::Yes);
                }
                names
            }
            SetKind::ModelsUsedBy(inner) => {
                let used = self.used_by(inner);
                let mut names = Names::new();
                for model in self.models() {
                    let bound = self.bound(&model);
                    if !bound.certain.is_disjoint(&used.certain) {
                        names.insert(model, Truth::Yes);
                    } else if !bound.possible.is_disjoint(&used.possible) {
                        names.insert(model, Truth::Unknown);
                    }
                }
                names
            }
            SetKind::Bundles => self.rules.bundles().map(|(name, _)| (name.to_owned(), Truth::Yes)).collect(),
            SetKind::Bundle(name) => Names::from([(name.text.clone(), Truth::Yes)]),
            SetKind::OwnersOf(inner) => {
                let inner = self.code(inner);
                let mut names = Names::new();
                for key in &inner.possible {
                    for owner in self.world.owners.owners_of(&key.path) {
                        let truth = names.entry(owner.to_string()).or_insert(Truth::Unknown);
                        *truth = (*truth).max(inner.holds(key));
                    }
                }
                names
            }
            SetKind::Team(team) => match self.rules.team(&team.text) {
                Some(members) => members.iter().map(|member| (member.value.clone(), Truth::Yes)).collect(),
                None => Names::from([(format!("team {}", team.text), Truth::Unknown)]),
            },
            SetKind::Plus(left, right) => {
                let mut names = self.names_in(left, trail);
                for (name, truth) in self.names_in(right, trail) {
                    let slot = names.entry(name).or_insert(Truth::No);
                    *slot = (*slot).max(truth);
                }
                names
            }
            SetKind::Within(left, right) => {
                let right = self.names_in(right, trail);
                self.names_in(left, trail)
                    .into_iter()
                    .filter_map(|(name, truth)| right.get(&name).map(|other| (name, truth.min(*other))))
                    .collect()
            }
            SetKind::Except(left, right) => {
                let right = self.names_in(right, trail);
                self.names_in(left, trail)
                    .into_iter()
                    .map(|(name, truth)| {
                        let out = right.get(&name).copied().unwrap_or(Truth::No);
                        (name, truth.min(not(out)))
                    })
                    .filter(|(_, truth)| *truth != Truth::No)
                    .collect()
            }
            SetKind::Defined(name) if !trail.contains(&name.text) => match self.rules.define(&name.text) {
                Some(defined) => {
                    trail.push(name.text.clone());
                    let names = self.names_in(defined, trail);
                    trail.pop();
                    names
                }
                None => Names::new(),
            },
            _ => Names::new(),
        }
    }

    fn model_meets(&self, model: &str, tests: &[FieldTest]) -> Truth {
        tests.iter().map(|test| self.model_test(model, test)).min().unwrap_or(Truth::Yes)
    }

    /// Whether a field of a model meets a test on this side.
    pub(super) fn model_test(&self, model: &str, test: &FieldTest) -> Truth {
        let band = self.rules.items().find_map(|item| match &item.kind {
            ItemKind::Band { evidence, levels } if item.name == test.field.text => Some((&*evidence.text, &levels[..])),
            _ => None,
        });
        fields::test(self.world, self.side, model, band, test)
    }
}

/// Members of either set.
pub(super) fn plus(left: &Members, right: &Members) -> Members {
    Members {
        certain: left.certain.union(&right.certain).cloned().collect(),
        possible: left.possible.union(&right.possible).cloned().collect(),
    }
}

/// Whether what holds now is new: no more than by what it holds better than before.
pub(super) fn newly(before: Truth, now: Truth) -> Truth {
    match (before, now) {
        (Truth::No, now) => now,
        (Truth::Unknown, Truth::Yes) => Truth::Unknown,
        _ => Truth::No,
    }
}

/// Kleene `not`.
pub(super) fn not(truth: Truth) -> Truth {
    match truth {
        Truth::No => Truth::Yes,
        Truth::Unknown => Truth::Unknown,
        Truth::Yes => Truth::No,
    }
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn in_package(file: &FileFacts, package: &str) -> bool {
    match &file.module {
        Some(module) => module == package || module.strip_prefix(package).is_some_and(|rest| rest.starts_with('.')),
        None => {
            let directory = format!("{}/", package.replace('.', "/"));
            file.path.starts_with(&directory)
                || file.path.strip_prefix("src/").is_some_and(|rest| rest.starts_with(&directory))
        }
    }
}
