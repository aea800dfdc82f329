//! Rule books as queries: items of a file, names of a book, and each item compiled on its own.
//!
//! An item is found by kind, name and occurrence, never by its place, so editing one rule changes one item.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobBuilder;
use grace_dsl::ast::{
    Cond, CondKind, Item, ItemKind, MatchOn, Name, NodeId, Quantity, RequirementKind, Rule, SetExpr, SetKind,
};
use grace_dsl::{Parsed, Role};
use memchr::memmem;

use crate::db::{Db, RuleBook, RuleFile};
use crate::mistakes::mistakes_in;

/// The kinds of items that share a name space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Module,
    Team,
    Tiers,
    Define,
    Family,
    Tag,
    Principle,
    /// Rules, policies, forbids and layers: what can fire.
    Rule,
    Waiver,
    Window,
    Bundle,
    Binding,
    Validation,
    Band,
    Intent,
    Test,
    Operational,
    /// `use` and `adopt`.
    Import,
}

/// Names an item in its file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemId {
    pub(crate) kind: Kind,
    pub(crate) name: Arc<str>,
    /// 0 for the first item of this kind and name in its file.
    pub(crate) occurrence: u32,
}

/// Where an item stands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct At {
    pub(crate) file: RuleFile,
    pub(crate) id: ItemId,
}

/// The name space of an item.
pub(crate) fn kind_of(item: &ItemKind) -> Kind {
    match item {
        ItemKind::Module => Kind::Module,
        ItemKind::Use(_) | ItemKind::Adopt(_) => Kind::Import,
        ItemKind::Team { .. } => Kind::Team,
        ItemKind::Tiers(_) => Kind::Tiers,
        ItemKind::Define { .. } => Kind::Define,
        ItemKind::Family { .. } => Kind::Family,
        ItemKind::Tag { .. } => Kind::Tag,
        ItemKind::Principle { .. } => Kind::Principle,
        ItemKind::Policy(_) | ItemKind::Rule(_) | ItemKind::Forbid(_) | ItemKind::Layers(_) => Kind::Rule,
        ItemKind::Waiver(_) => Kind::Waiver,
        ItemKind::Window { .. } => Kind::Window,
        ItemKind::Bundle(_) => Kind::Bundle,
        ItemKind::Binding { .. } => Kind::Binding,
        ItemKind::Validation { .. } => Kind::Validation,
        ItemKind::Band { .. } => Kind::Band,
        ItemKind::Intent { .. } => Kind::Intent,
        ItemKind::Test(_) => Kind::Test,
        ItemKind::Operational(_) => Kind::Operational,
    }
}

/// The parsed file, with its places; runs again with every edit of it.
#[salsa::tracked(returns(clone), no_eq)]
pub(crate) fn parsed(db: &dyn Db, file: RuleFile) -> Arc<Parsed> {
    match file.text(db) {
        Ok(text) => grace_dsl::parse_once(&text),
        Err(_) => grace_dsl::parse_once(""),
    }
}

/// The items of a file by id, with their ordinals; the ordinals move, so only rendering reads them.
#[salsa::tracked(returns(clone))]
pub(crate) fn ordinals(db: &dyn Db, file: RuleFile) -> Arc<BTreeMap<ItemId, usize>> {
    let parsed = parsed(db, file);
    let mut ordinals = BTreeMap::new();
    let mut seen: BTreeMap<(Kind, Arc<str>), u32> = BTreeMap::new();
    for (ordinal, item) in parsed.items.iter().enumerate() {
        let name: Arc<str> = Arc::from(item.name.as_str());
        let kind = kind_of(&item.kind);
        let count = seen.entry((kind, name.clone())).or_default();
        ordinals.insert(ItemId { kind, name, occurrence: *count }, ordinal);
        *count += 1;
    }
    Arc::new(ordinals)
}

/// The ids of a file's items in source order.
#[salsa::tracked(returns(clone))]
pub(crate) fn item_ids(db: &dyn Db, file: RuleFile) -> Arc<Vec<ItemId>> {
    let mut ids: Vec<(usize, ItemId)> = ordinals(db, file).iter().map(|(id, &ordinal)| (ordinal, id.clone())).collect();
    ids.sort();
    Arc::new(ids.into_iter().map(|(_, id)| id).collect())
}

/// One item: the firewall between a file's text and what is compiled from it.
#[salsa::tracked(returns(clone))]
pub(crate) fn item(db: &dyn Db, file: RuleFile, id: ItemId) -> Option<Arc<Item>> {
    let ordinal = *ordinals(db, file).get(&id)?;
    parsed(db, file).items.get(ordinal).cloned().map(Arc::new)
}

/// The names of a book: kind and name to every item of it, in book order.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Names {
    items: BTreeMap<(Kind, Arc<str>), Vec<At>>,
}

impl Names {
    /// All items of a kind and name.
    pub(crate) fn get(&self, kind: Kind, name: &str) -> &[At] {
        self.items.get(&(kind, Arc::from(name))).map_or(&[], Vec::as_slice)
    }

    /// The first item of a kind and name.
    pub(crate) fn first(&self, kind: Kind, name: &str) -> Option<&At> {
        self.get(kind, name).first()
    }

    /// Every item of a kind, by name, then in book order.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Arc<str>, &At)> {
        self.items
            .range((kind, Arc::from(""))..)
            .take_while(move |((k, _), _)| *k == kind)
            .flat_map(|((_, name), items)| items.iter().map(move |at| (name, at)))
    }
}

/// The names of a book. Tags of a family (`layer(layer1)`) stand under the family's name as well.
#[salsa::tracked(returns(clone))]
pub(crate) fn names(db: &dyn Db, book: RuleBook) -> Arc<Names> {
    let mut names = Names::default();
    for &file in book.files(db) {
        for id in item_ids(db, file).iter() {
            names.items.entry((id.kind, id.name.clone())).or_default().push(At { file, id: id.clone() });
        }
    }
    Arc::new(names)
}

/// Whether rules of a file apply: those that are only `use`d do not.
pub(crate) fn applies(db: &dyn Db, file: RuleFile) -> bool {
    !matches!(file.role(db), Role::Used)
}

/// An item with its patterns compiled and its names looked up.
#[derive(Clone)]
pub(crate) struct Compiled {
    pub(crate) item: Arc<Item>,
    /// Where its book has it; `None` for one that no book has.
    pub(crate) at: Option<At>,
    globs: BTreeMap<(String, bool), Glob>,
    regexes: BTreeMap<String, regex::Regex>,
    /// Names that stand for nothing, patterns that do not compile, and what else `check` finds wrong in the item: each
    /// makes it unknown.
    pub(crate) problems: Vec<String>,
}

impl PartialEq for Compiled {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item && self.at == other.at && self.problems == other.problems
    }
}

impl Eq for Compiled {}

impl Compiled {
    /// Whether a glob of this item matches. False for a glob that does not compile; such an item is unknown anyway.
    pub(crate) fn glob(&self, pattern: &str, ignore_case: bool, text: &str) -> bool {
        self.globs.get(&(pattern.to_owned(), ignore_case)).is_some_and(|glob| glob.is_match(text))
    }

    /// The compiled regex.
    pub(crate) fn regex(&self, pattern: &str) -> Option<&regex::Regex> {
        self.regexes.get(pattern)
    }

    /// The set at a place of the item.
    pub(crate) fn set_at(&self, node: NodeId) -> Option<SetExpr> {
        let mut found = None;
        self.each_set(&mut |set| {
            if set.node == node && found.is_none() {
                found = Some(set.clone());
            }
        });
        found
    }

    /// True for a set that the item has at the set's place; another may have been put there to see what would be.
    pub(crate) fn writes(&self, set: &SetExpr) -> bool {
        let mut is_written = false;
        self.each_set(&mut |own| is_written |= own.node == set.node && own == set);
        is_written
    }

    /// Calls `see` for every set of the item, those inside others too.
    fn each_set(&self, see: &mut dyn FnMut(&SetExpr)) {
        grace_dsl::walk::sets_of_item(&self.item.kind, &mut |set| grace_dsl::walk::sets(set, see));
    }

    /// Compiles an item of a book.
    pub(crate) fn new(db: &dyn Db, book: RuleBook, item: Arc<Item>) -> Self {
        Self::compile(db, book, item, true)
    }

    /// Compiles an item. What its regular expressions match is unknown where it has a mistake: it may be that they are
    /// too many.
    fn compile(db: &dyn Db, book: RuleBook, item: Arc<Item>, with_regexes: bool) -> Self {
        let mut compiled = Self {
            item: item.clone(),
            at: None,
            globs: BTreeMap::new(),
            regexes: BTreeMap::new(),
            problems: Vec::new(),
        };
        let mut visit = Visit { db, book, compiled: &mut compiled, with_regexes };
        visit.item(&item);
        compiled
    }
}

/// Bytes that a compiled regex may take; a bound for hostile rules.
const REGEX_SIZE: usize = 1 << 18;

/// Compiles a regular expression of the language, within bounds.
pub(crate) fn regex_of(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build()
}

/// A compiled glob of the language.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    regex: regex::bytes::Regex,
    /// What every text that matches begins and ends with.
    ends: Option<[Box<str>; 2]>,
    /// What every text that matches holds: most texts lack it, which is seen sooner than by the expression.
    needle: Option<memmem::Finder<'static>>,
}

impl Glob {
    /// Whether all of a text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let text = text.as_bytes();
        if let Some([head, tail]) = &self.ends {
            let (head, tail) = (head.as_bytes(), tail.as_bytes());
            // Most texts differ in the byte at an end, which takes no call.
            let is_odd = |at: Option<&u8>, wanted: Option<&u8>| wanted.is_some() && at != wanted;
            if is_odd(text.last(), tail.last())
                || is_odd(text.first(), head.first())
                || !text.ends_with(tail)
                || !text.starts_with(head)
            {
                return false;
            }
        }
        self.needle.as_ref().is_none_or(|needle| needle.find(text).is_some()) && self.regex.is_match(text)
    }

    /// Compiles a glob: `**` crosses directories, `*` does not. `None` for what is no glob, or grows too large: the
    /// bound is ours, since a glob's own matcher panics beyond its.
    pub(crate) fn new(pattern: &str, ignore_case: bool) -> Option<Self> {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .case_insensitive(ignore_case)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()
            .ok()?;
        regex::bytes::RegexBuilder::new(glob.regex())
            .dot_matches_new_line(true)
            .size_limit(REGEX_SIZE)
            .build()
            .ok()
            .map(|regex| Self {
                regex,
                ends: ends(pattern).filter(|_| !ignore_case).map(|ends| ends.map(Box::from)),
                needle: needle(pattern).filter(|_| !ignore_case).map(|needle| memmem::Finder::new(needle).into_owned()),
            })
    }
}

/// What stands before and after everything in a glob that stands for something else.
fn ends(pattern: &str) -> Option<[&str; 2]> {
    const SPECIAL: [char; 6] = ['*', '?', '[', ']', '{', '}'];
    // `**/` may stand for nothing, and then no `/` is there.
    let (head, tail) = (pattern.split(SPECIAL).next()?, pattern.rsplit(SPECIAL).next()?);
    (!pattern.contains('\\')).then_some([head.trim_end_matches('/'), tail.trim_start_matches('/')])
}

/// The longest text that stands in whatever a glob matches.
fn needle(pattern: &str) -> Option<&str> {
    if pattern.contains('\\') {
        return None;
    }
    // What stands between braces or brackets is one of several.
    let outside = [pattern.split(['{', '[']).next(), pattern.rsplit(['}', ']']).next()];
    // `**/` may stand for nothing, and then no `/` is there.
    let texts =
        outside.into_iter().flatten().flat_map(|text| text.split(['*', '?'])).map(|text| text.trim_matches('/'));
    texts.filter(|text| !text.is_empty()).max_by_key(|text| text.len())
}

/// The compiled form of one item.
#[salsa::tracked(returns(clone))]
pub(crate) fn compiled(db: &dyn Db, book: RuleBook, file: RuleFile, id: ItemId) -> Option<Arc<Compiled>> {
    let item = item(db, file, id.clone())?;
    let mistakes = mistakes_in(db, book, file, id.clone());
    let mut compiled = Compiled::compile(db, book, item, mistakes.is_empty());
    compiled.at = Some(At { file, id });
    if !mistakes.is_empty() {
        compiled.problems.clone_from(&mistakes);
    }
    Some(Arc::new(compiled))
}

/// Whether a name stands for something: a projection, so that a rule hangs on the names it uses and on no others.
#[salsa::tracked(returns(copy))]
pub(crate) fn is_defined(db: &dyn Db, book: RuleBook, kind: Kind, name: Arc<str>) -> bool {
    !names(db, book).get(kind, &name).is_empty()
}

/// Walks an item and compiles what it finds.
struct Visit<'a> {
    db: &'a dyn Db,
    book: RuleBook,
    compiled: &'a mut Compiled,
    with_regexes: bool,
}

impl Visit<'_> {
    fn name(&mut self, kind: Kind, what: &str, name: &str) {
        if !is_defined(self.db, self.book, kind, Arc::from(name)) {
            self.compiled.problems.push(format!("{what} `{name}` is not defined"));
        }
    }

    fn glob(&mut self, pattern: &str, ignore_case: bool) {
        match Glob::new(pattern, ignore_case) {
            Some(glob) => {
                self.compiled.globs.insert((pattern.to_owned(), ignore_case), glob);
            }
            None => self.compiled.problems.push(format!("`{pattern}` is not a glob, or too large a one")),
        }
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Define { set, .. } | ItemKind::Tag { set, .. } => self.set(set),
            ItemKind::Policy(policy) => {
                self.set(&policy.covers);
                self.rule(&policy.rule);
            }
            ItemKind::Rule(rule) => self.rule(rule),
            ItemKind::Forbid(forbid) => {
                self.set(&forbid.from);
                self.set(&forbid.to);
                self.owner(forbid.owner.as_ref());
            }
            ItemKind::Layers(layers) => {
                for floor in &layers.floors {
                    self.set(floor);
                }
                self.owner(layers.owner.as_ref());
            }
            ItemKind::Waiver(waiver) => {
                self.set(&waiver.set);
                if let Some(cond) = &waiver.when {
                    self.cond(cond);
                }
            }
            ItemKind::Bundle(bundle) => self.set(&bundle.tests),
            ItemKind::Binding { model, set, .. } => {
                self.glob(&model.value, false);
                self.set(set);
            }
            ItemKind::Validation { of, .. } => self.set(of),
            ItemKind::Tiers(lines) => {
                for line in lines {
                    if let grace_dsl::ast::TierApproval::Approval(approval) = &line.approve {
                        self.approval(approval);
                    }
                }
            }
            ItemKind::Test(test) => {
                for given in &test.givens {
                    use grace_dsl::ast::GivenKind::{CommentEditOf, EditOf, RemovalOf};
                    if let EditOf(set) | CommentEditOf(set) | RemovalOf(set) = &given.kind {
                        self.set(set);
                    }
                }
            }
            ItemKind::Module
            | ItemKind::Use(_)
            | ItemKind::Adopt(_)
            | ItemKind::Team { .. }
            | ItemKind::Family { .. }
            | ItemKind::Principle { .. }
            | ItemKind::Window { .. }
            | ItemKind::Band { .. }
            | ItemKind::Intent { .. }
            | ItemKind::Operational(_) => {}
        }
    }

    fn owner(&mut self, owner: Option<&Name>) {
        if let Some(owner) = owner {
            self.name(Kind::Team, "team", &owner.text);
        }
    }

    fn rule(&mut self, rule: &Rule) {
        use grace_dsl::ast::When::{AfterRun, Always, Change};
        let (Change(cond) | Always(cond) | AfterRun(cond)) = &rule.when;
        self.cond(cond);
        for requirement in &rule.require {
            match &requirement.kind {
                RequirementKind::Approval(approval) => self.approval(approval),
                RequirementKind::Bundle { name, .. } => self.name(Kind::Bundle, "bundle", &name.text),
                RequirementKind::Validation(name) => self.name(Kind::Validation, "validation", &name.text),
                RequirementKind::Ticket(text) => self.glob(&text.value, false),
                RequirementKind::Rationale | RequirementKind::Story(_) => {}
            }
        }
        if let Some(approval) = rule.deny.as_ref().and_then(|deny| deny.if_unknown.as_ref()) {
            self.approval(approval);
        }
        for principle in &rule.upholds {
            self.name(Kind::Principle, "principle", &principle.text);
        }
        self.owner(rule.owner.as_ref());
    }

    fn approval(&mut self, approval: &grace_dsl::ast::Approval) {
        let groups = std::iter::once(&approval.by)
            .chain(approval.among.iter().map(|(_, by)| by))
            .chain(approval.otherwise.as_ref());
        for group in groups {
            match group {
                grace_dsl::ast::Approver::Anyone => {}
                grace_dsl::ast::Approver::Team(team) => self.name(Kind::Team, "team", &team.text),
                grace_dsl::ast::Approver::OwnerOfEachFile(set) => self.set(set),
            }
        }
    }

    fn cond(&mut self, cond: &Cond) {
        match &cond.kind {
            CondKind::And(conds) | CondKind::Or(conds) => conds.iter().for_each(|cond| self.cond(cond)),
            CondKind::Not(cond) => self.cond(cond),
            CondKind::Touches(set)
            | CondKind::OnlyTouches(set)
            | CondKind::Adds(set)
            | CondKind::Removes(set)
            | CondKind::Renames(set)
            | CondKind::SignaturesChange(set)
            | CondKind::AddedLinesContain { set, .. }
            | CondKind::DocumentationRemoved(set)
            | CondKind::FlagsRemoved(set)
            | CondKind::ContractsChange(set)
            | CondKind::AnyEdit(set)
            | CondKind::LinesChanged(set, ..)
            | CondKind::FilesChanged(set, ..)
            | CondKind::AnyOf(set, _)
            | CondKind::Count(set, ..)
            | CondKind::IsEmpty(set) => self.set(set),
            CondKind::NewEdges { from, to, .. } => {
                self.set(from);
                self.set(to);
            }
            CondKind::Ticket(text) | CondKind::Branch(text) => self.glob(&text.value, false),
            CondKind::During(window) => self.name(Kind::Window, "window", &window.text),
            CondKind::BundleRate { bundle: Some(bundle), .. } => self.name(Kind::Bundle, "bundle", &bundle.text),
            CondKind::BundleFailed(grace_dsl::ast::FailedBundle::Named(bundle)) => {
                self.name(Kind::Bundle, "bundle", &bundle.text);
            }
            CondKind::OnlyIn(_)
            | CondKind::TestsRemoved
            | CondKind::TestsWeakened
            | CondKind::PackageChange(_)
            | CondKind::Operation(_)
            | CondKind::VerifiedBot(_)
            | CondKind::RationaleMissing
            | CondKind::StoryLacks(_)
            | CondKind::BundleRate { bundle: None, .. }
            | CondKind::BundleFailed(_)
            | CondKind::Kpi(_)
            | CondKind::TrustBelowMinimum
            | CondKind::NoTestReaches => {}
        }
    }

    fn set(&mut self, set: &SetExpr) {
        match &set.kind {
            SetKind::Path { glob, ignore_case } | SetKind::Named { glob, ignore_case } => {
                self.glob(&glob.value, *ignore_case);
            }
            // Dotted names are matched segment by segment, like paths.
            SetKind::Class(text) | SetKind::Function(text) | SetKind::Decorated(text) => {
                self.glob(&text.value.replace('.', "/"), false);
            }
            SetKind::BoundTo(text) | SetKind::Model(text) => self.glob(&text.value, false),
            SetKind::Matches { regex, on: MatchOn::Name | MatchOn::Path } if self.with_regexes => {
                match regex_of(&regex.value) {
                    Ok(built) => {
                        self.compiled.regexes.insert(regex.value.clone(), built);
                    }
                    Err(_) => self.compiled.problems.push(format!("`{}` is not a regex", regex.value)),
                }
            }
            SetKind::Tag(name) => self.name(Kind::Tag, "tag", &name.text),
            SetKind::Family { family, .. } => self.name(Kind::Family, "family", &family.text),
            SetKind::Defined(name) => self.name(Kind::Define, "set", &name.text),
            SetKind::HeaderOf(set)
            | SetKind::Public(set)
            | SetKind::FilesOf(set)
            | SetKind::ModulesOf(set)
            | SetKind::MembersOf(set)
            | SetKind::Walk { set, .. }
            | SetKind::ModelsUsedBy(set)
            | SetKind::OwnersOf(set) => self.set(set),
            SetKind::Plus(a, b) | SetKind::Within(a, b) | SetKind::Except(a, b) => {
                self.set(a);
                self.set(b);
            }
            SetKind::Bundle(name) => self.name(Kind::Bundle, "bundle", &name.text),
            SetKind::Team(name) => self.name(Kind::Team, "team", &name.text),
            SetKind::All
            | SetKind::None
            | SetKind::Package(_)
            | SetKind::Module(_)
            | SetKind::Generated
            | SetKind::Language(_)
            | SetKind::Matches { .. }
            | SetKind::Tests
            | SetKind::Models(_)
            | SetKind::Bundles => {}
        }
    }
}

/// The line (1-based) of a node of an item; 0 where it has none.
pub(crate) fn line(db: &dyn Db, at: &At, node: NodeId) -> u32 {
    let Ok(text) = at.file.text(db) else { return 0 };
    let parsed = parsed(db, at.file);
    let ordinals = ordinals(db, at.file);
    let Some(&ordinal) = ordinals.get(&at.id) else { return 0 };
    let Some(range) = parsed.map.node(ordinal, node).or_else(|| parsed.map.item(ordinal)) else { return 0 };
    let end = range.start.min(text.len());
    let lines = text.as_bytes()[..end].iter().filter(|&&byte| byte == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)
}

/// A duration in milliseconds; `None` for a unit that is no duration.
pub(crate) fn milliseconds(quantity: &Quantity) -> Option<u64> {
    use grace_dsl::ast::Unit::{Days, Hours, Milliseconds, Minutes, One, Percent, Points, Seconds};
    let factor = match quantity.unit {
        Milliseconds => 1,
        Seconds => 1_000,
        Minutes => 60_000,
        Hours => 3_600_000,
        Days => 86_400_000,
        One | Percent | Points => return None,
    };
    u64::try_from(quantity.thousandths.checked_mul(factor)? / 1000).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_needle_of_a_glob_is_outside_its_choices() {
        let needles = ["**/auth/**", "a/{bb,cc}/ddd/*", "{a,b}*x", "[ab]c", "*", "a\\*b", "src/**/*.py"].map(needle);
        assert_eq!(needles, [Some("auth"), Some("ddd"), Some("x"), Some("c"), None, None, Some(".py")]);
    }

    proptest! {
        #[test]
        fn a_needle_hides_no_match(pattern in "[a-c/*?{},\\[\\]!]{0,10}", texts in proptest::collection::vec("[a-c/]{0,8}", 8)) {
            if let Some(glob) = Glob::new(&pattern, false) {
                for text in &texts {
                    prop_assert_eq!(glob.is_match(text), glob.regex.is_match(text.as_bytes()), "{} {}", pattern, text);
                }
            }
        }
    }
}
