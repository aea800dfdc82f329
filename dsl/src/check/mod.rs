//! Everything that can be told wrong from the texts alone: names, types, units, form.
//!
//! What needs a repository (a set that matches nothing, a rule that cannot fire) is the engine's, with codes that stand
//! here too.

mod chance;
mod circles;
mod conditions;
mod items;
mod operational;
mod sets;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Item, ItemKind, Name, NodeId, Quantity, Unit};
use crate::diagnostic::{Code, Diagnostic, Related, Severity};
use crate::names::{NameKind, Names, Place};
use crate::parse::Parsed;
use crate::similar;
use crate::source_map::LineIndex;
use crate::walk;
use sets::SetType;

/// Why a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The project's own.
    Own,
    /// Its rules apply.
    Adopted,
    /// Only its names are visible; nothing in it is checked beyond what parsing found.
    Used,
}

/// A file of a rule book.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'f> {
    /// As it is to be shown.
    pub path: &'f str,
    /// What was parsed.
    pub text: &'f str,
    /// What was read.
    pub parsed: &'f Parsed,
    /// Why it is there.
    pub role: Role,
}

/// Most names for which a similar one is looked for: a bound on work, not on reports.
const MOST_SUGGESTIONS: u32 = 200;

/// All diagnostics of a rule book, those of parsing included, each with its path; by file in the given order, then by
/// place.
pub fn check(files: &[SourceFile<'_>]) -> Vec<Diagnostic> {
    let names = Names::of(files.iter().map(|file| file.parsed));
    let types = sets::types_of_defines(files, &names);
    let upheld = upheld_principles(files);
    let book = Book {
        files,
        names,
        types,
        upheld,
        lines: vec![OnceCell::new(); files.len()],
        suggestions: Cell::new(0),
        globs: RefCell::default(),
        regexes: RefCell::default(),
    };
    let mut found: Vec<(usize, Diagnostic)> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        found.extend(file.parsed.diagnostics.iter().map(|diagnostic| (index, diagnostic.clone().at(file.path))));
        if file.role == Role::Used {
            continue;
        }
        for (item, content) in file.parsed.items.iter().enumerate() {
            let mut checker =
                Checker { book: &book, place: Place { file: index, item }, item: content, found: Vec::new() };
            checker.item();
            found.extend(checker.found.into_iter().map(|diagnostic| (index, diagnostic)));
        }
    }
    found.extend(book.across());
    found.extend(circles::find(&book));
    found.sort_by(|(a_file, a), (b_file, b)| {
        (a_file, a.span.start, a.code, &a.message).cmp(&(b_file, b.span.start, b.code, &b.message))
    });
    found.dedup();
    found.into_iter().map(|(_, diagnostic)| diagnostic).collect()
}

/// All files, and what is known of them as a whole.
struct Book<'f> {
    files: &'f [SourceFile<'f>],
    names: Names,
    types: BTreeMap<String, Option<SetType>>,
    upheld: BTreeSet<String>,
    lines: Vec<OnceCell<LineIndex>>,
    suggestions: Cell<u32>,
    /// Why each glob and each regular expression is none, as far as they were looked at.
    globs: RefCell<BTreeMap<String, Option<String>>>,
    regexes: RefCell<BTreeMap<String, Option<String>>>,
}

impl<'f> Book<'f> {
    fn item(&self, place: Place) -> Option<&'f Item> {
        self.files.get(place.file)?.parsed.items.get(place.item)
    }

    /// `grace/tags.grace:3`
    fn location(&self, place: Place) -> Option<String> {
        let (path, line) = self.path_and_line(place)?;
        Some(format!("{path}:{line}"))
    }

    fn path_and_line(&self, place: Place) -> Option<(String, usize)> {
        let file = self.files.get(place.file)?;
        let span = file.parsed.map.node(place.item, NodeId(0))?;
        let lines = self.lines.get(place.file)?.get_or_init(|| LineIndex::new(file.text));
        Some((file.path.to_owned(), lines.line(span.start)))
    }

    fn diagnostic(&self, code: Code, place: Place, node: NodeId, message: impl Into<String>) -> Diagnostic {
        let file = self.files.get(place.file);
        let span = file.and_then(|file| file.parsed.map.node(place.item, node)).unwrap_or_default();
        Diagnostic::error(code, span, message).at(file.map_or("", |file| file.path))
    }

    /// The nearest known name of a kind, if one is near: `did you mean …, defined at …?`
    fn suggestion(&self, kind: NameKind, word: &str) -> Option<String> {
        if self.suggestions.get() >= MOST_SUGGESTIONS {
            return None;
        }
        self.suggestions.set(self.suggestions.get() + 1);
        let near = similar::nearest(word, self.names.of_kind(kind).map(|(name, _)| name))?;
        let place = self.names.get(kind, near).and_then(|place| self.location(place));
        Some(match place {
            Some(place) => format!("did you mean `{near}`, defined at {place}?"),
            None => format!("did you mean `{near}`?"),
        })
    }

    /// What only all files together show.
    fn across(&self) -> Vec<(usize, Diagnostic)> {
        let mut found = Vec::new();
        self.duplicates(&mut found);
        self.vacuous(&mut found);
        let tiers = self.files.iter().enumerate().flat_map(|(file, content)| {
            let items = content.parsed.items.iter().enumerate();
            let own = content.role == Role::Own;
            items
                .filter(move |(_, item)| own && matches!(item.kind, ItemKind::Tiers(_)))
                .map(move |(item, _)| Place { file, item })
        });
        for second in tiers.skip(1) {
            let error = self.diagnostic(Code::RepeatedTiers, second, NodeId(0), "`tiers` stands here a second time");
            found.push((second.file, error.help("keep one, in the project's own files")));
        }
        found
    }

    fn duplicates(&self, found: &mut Vec<(usize, Diagnostic)>) {
        use NameKind::{
            Audit, Band, Bundle, Drift, Family, Intent, Kpi, Module, Practice, Principle, Rule, Set, Team, Test,
            Validation, Waiver, Window,
        };
        let kinds = [
            Module, Team, Set, Family, Principle, Rule, Waiver, Window, Bundle, Validation, Band, Intent, Kpi, Drift,
            Audit, Practice, Test,
        ];
        for kind in kinds {
            for (name, places) in self.names.of_kind(kind) {
                let Some((first, others)) = places.split_first() else { continue };
                for other in others {
                    let code = if kind == Module { Code::BadModule } else { Code::DuplicateName };
                    let error = self.diagnostic(
                        code,
                        *other,
                        NodeId(0),
                        format!("there are two {}s named `{name}`", kind.noun()),
                    );
                    found.push((other.file, self.also_at(error, *first, *other)));
                }
            }
        }
        for (name, places) in self.names.of_kind(NameKind::Family) {
            if let (Some(first), Some(tag)) = (places.first(), self.names.get(NameKind::Tag, name)) {
                let error = self.diagnostic(
                    Code::UnknownFamily,
                    tag,
                    NodeId(0),
                    format!("`{name}` is a family, so it is given with a value"),
                );
                let error = error.help(format!("write `tag {name}(VALUE) on …`"));
                found.push((tag.file, self.also_at(error, *first, tag)));
            }
        }
        // A name declared by one item of a file, twice as `module`.
        for (index, file) in self.files.iter().enumerate() {
            let modules =
                file.parsed.items.iter().enumerate().filter(|(_, item)| matches!(item.kind, ItemKind::Module));
            for (item, _) in modules.skip(1) {
                let place = Place { file: index, item };
                let error =
                    self.diagnostic(Code::BadModule, place, NodeId(0), "the file declares its module a second time");
                found.push((index, error.help("a file is one module; keep one of the lines")));
            }
        }
    }

    fn also_at(&self, error: Diagnostic, first: Place, here: Place) -> Diagnostic {
        let Some((path, line)) = self.path_and_line(first) else { return error };
        if first.file == here.file {
            let span = self.files.get(first.file).and_then(|file| file.parsed.map.node(first.item, NodeId(0)));
            return error.label(span.unwrap_or_default(), "the first is here");
        }
        let mut error = error;
        error.related.push(Related { path, line, message: "the first is here".to_owned() });
        error
    }

    /// Law 5, as far as texts show it.
    fn vacuous(&self, found: &mut Vec<(usize, Diagnostic)>) {
        let assigned = self.assigned_values();
        let used = self.used_sets();
        for (index, file) in self.files.iter().enumerate().filter(|(_, file)| file.role != Role::Used) {
            let severity = if file.role == Role::Own { Severity::Error } else { Severity::Note };
            for (item, content) in file.parsed.items.iter().enumerate() {
                let place = Place { file: index, item };
                match &content.kind {
                    ItemKind::Principle { .. } if !self.upheld.contains(&content.name) => {
                        let message = format!("no rule upholds `{}`", content.name);
                        let note =
                            self.diagnostic(Code::UnupheldPrinciple, place, NodeId(0), message).severity(severity);
                        found.push((
                            index,
                            note.help(format!("add `upholds {}` to the rules that enforce it", content.name)),
                        ));
                    }
                    ItemKind::Family { values, .. } => {
                        let lacking = values
                            .iter()
                            .filter(|value| !assigned.contains(&(content.name.as_str(), value.text.as_str())));
                        for value in lacking {
                            let whole = format!("{}({})", content.name, value.text);
                            let note = self.diagnostic(
                                Code::UnassignedValue,
                                place,
                                value.node,
                                format!("no tag gives `{whole}`"),
                            );
                            let note = note.severity(severity);
                            found
                                .push((index, note.help(format!("add `tag {whole} on …`, or `on none may be empty`"))));
                        }
                    }
                    ItemKind::Define { .. } if file.role == Role::Own && !used.contains(content.name.as_str()) => {
                        let note = self.diagnostic(
                            Code::UnusedDefine,
                            place,
                            NodeId(0),
                            format!("nothing uses `{}`", content.name),
                        );
                        found.push((index, note.severity(Severity::Note)));
                    }
                    _ => {}
                }
            }
        }
    }

    fn assigned_values(&self) -> BTreeSet<(&'f str, &'f str)> {
        let items = self.files.iter().flat_map(|file| &file.parsed.items);
        items
            .filter_map(|item| match &item.kind {
                ItemKind::Tag { tag, value: Some(value), .. } => Some((tag.text.as_str(), value.text.as_str())),
                _ => None,
            })
            .collect()
    }

    fn used_sets(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for item in self.files.iter().flat_map(|file| &file.parsed.items) {
            walk::sets_of_item(&item.kind, &mut |outer| {
                walk::sets(outer, &mut |set| {
                    if let crate::ast::SetKind::Defined(name) = &set.kind {
                        used.insert(name.text.clone());
                    }
                });
            });
        }
        used
    }
}

fn upheld_principles(files: &[SourceFile<'_>]) -> BTreeSet<String> {
    let applying = files.iter().filter(|file| file.role != Role::Used).flat_map(|file| &file.parsed.items);
    applying.flat_map(|item| upheld_by(&item.kind)).map(|name| name.text.clone()).collect()
}

/// The principles that an item upholds.
fn upheld_by(kind: &ItemKind) -> &[Name] {
    match kind {
        ItemKind::Policy(policy) => &policy.rule.upholds,
        ItemKind::Rule(rule) => &rule.upholds,
        ItemKind::Forbid(forbid) => &forbid.upholds,
        ItemKind::Layers(layers) => &layers.upholds,
        _ => &[],
    }
}

/// Checks one item.
struct Checker<'b, 'f> {
    book: &'b Book<'f>,
    place: Place,
    item: &'f Item,
    found: Vec<Diagnostic>,
}

impl Checker<'_, '_> {
    fn report(&mut self, code: Code, node: NodeId, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = self.book.diagnostic(code, self.place, node, message).help(help);
        self.found.push(diagnostic);
    }

    fn warn(&mut self, code: Code, node: NodeId, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = self.book.diagnostic(code, self.place, node, message).help(help).severity(Severity::Warning);
        self.found.push(diagnostic);
    }

    /// Reports a name that is not declared; what is declared but broken was reported.
    fn known(&mut self, kind: NameKind, code: Code, name: &Name) -> Option<Place> {
        let place = self.book.names.get(kind, &name.text);
        if place.is_none() && !self.book.names.is_broken(kind, &name.text) {
            self.unknown(kind, code, name, None);
        }
        place
    }

    fn unknown(&mut self, kind: NameKind, code: Code, name: &Name, help: Option<String>) {
        let noun = kind.noun();
        let help =
            help.or_else(|| self.book.suggestion(kind, &name.text)).unwrap_or_else(|| declare_it(kind, &name.text));
        let diagnostic = self
            .book
            .diagnostic(code, self.place, name.node, format!("unknown {noun} `{}`", name.text))
            .under(format!("no {noun} of this name is defined"))
            .help(help);
        self.found.push(diagnostic);
    }

    /// Warns of a name that stands twice in a list.
    fn no_repeats(&mut self, names: &[Name]) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.text.as_str()) {
                self.warn(
                    Code::RepeatedEntry,
                    name.node,
                    format!("`{}` is already in the list", name.text),
                    "leave one of them out",
                );
            }
        }
    }

    /// Whether the unit is of the kind that is wanted; if not, that was reported.
    fn unit(&mut self, quantity: &Quantity, wanted: UnitKind, what: &str) -> bool {
        let given = UnitKind::of(quantity.unit);
        if given != wanted {
            let message = format!("{what} is {}, not {}", wanted.noun(), given.noun());
            self.report(Code::WrongUnit, quantity.node, message, wanted.example());
        }
        given == wanted
    }

    /// A whole number of something, `least` or more.
    fn count(&mut self, quantity: &Quantity, least: i64, what: &str) {
        let fits = self.unit(quantity, UnitKind::Bare, what);
        if fits && (quantity.thousandths % 1000 != 0 || quantity.thousandths < least * 1000) {
            let message = format!("{what} is a whole number, {least} or more");
            self.report(Code::BadNumber, quantity.node, message, "write a whole number");
        }
    }

    fn duration(&mut self, quantity: &Quantity, what: &str) {
        if self.unit(quantity, UnitKind::Time, what) && quantity.thousandths <= 0 {
            self.report(
                Code::BadNumber,
                quantity.node,
                format!("{what} is longer than nothing"),
                "write a number above 0",
            );
        }
    }

    fn percent(&mut self, quantity: &Quantity, what: &str) {
        if self.unit(quantity, UnitKind::Percent, what) && !(0..=100_000).contains(&quantity.thousandths) {
            self.report(Code::BadNumber, quantity.node, format!("{what} lies between 0 % and 100 %"), "write a share");
        }
    }
}

fn declare_it(kind: NameKind, name: &str) -> String {
    let form = match kind {
        NameKind::Module => return "name a module of this project or a shipped pack".to_owned(),
        NameKind::Team => format!("team {name} members \"…\""),
        NameKind::Set => format!("define {name} = SET"),
        NameKind::Family | NameKind::FamilyValue => "family NAME values …".to_owned(),
        NameKind::Tag => format!("tag {name} on SET"),
        NameKind::Principle => format!("principle {name} says \"…\""),
        NameKind::Window => format!("window {name} DATE to DATE, zone \"…\""),
        NameKind::Intent => format!("intent {name} says \"…\""),
        NameKind::Tier => "tiers".to_owned(),
        NameKind::Kpi => format!("kpi {name}"),
        _ => format!("{} {name}", kind.noun()),
    };
    format!("declare it by `{form}`, or `use` the module that does")
}

/// Units that can be compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitKind {
    Bare,
    Percent,
    Points,
    Time,
}

impl UnitKind {
    fn of(unit: Unit) -> Self {
        match unit {
            Unit::One => Self::Bare,
            Unit::Percent => Self::Percent,
            Unit::Points => Self::Points,
            Unit::Milliseconds | Unit::Seconds | Unit::Minutes | Unit::Hours | Unit::Days => Self::Time,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Bare => "a bare number",
            Self::Percent => "a share in `%`",
            Self::Points => "a difference in `points`",
            Self::Time => "a duration",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Bare => "leave the unit out",
            Self::Percent => "write a share such as `5 %`",
            Self::Points => "write a difference such as `10 points`",
            Self::Time => "write a duration such as `500 ms`, `60 s`, `5 min`, `24 h` or `7 d`",
        }
    }
}
