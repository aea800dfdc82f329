//! Names and types inside sets.

use std::collections::BTreeMap;

use crate::ast::{FieldTest, ItemKind, MatchOn, Name, NodeId, SetExpr, SetKind, Text, Value, ValueTest};
use crate::check::{Checker, SourceFile, UnitKind};
use crate::diagnostic::Code;
use crate::names::{NameKind, Names};
use crate::similar;
use crate::vocabulary::{self, FieldEntry, FieldKind};

/// What a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetType {
    Code,
    Models,
    Bundles,
    People,
}

impl SetType {
    fn noun(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Models => "models",
            Self::Bundles => "bundles",
            Self::People => "people",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Code => "write a set of code such as `path(\"…\")` or `tag(NAME)`",
            Self::Models => "write a set of models such as `models where …`, `model(\"…\")` or `models used by SET`",
            Self::Bundles => "write `bundles` or `bundle(NAME)`",
            Self::People => "write `team(NAME)` or `owners of SET`",
        }
    }
}

/// Longest chain of `define`s through which a type is followed.
const MOST_ROUNDS: usize = 64;
/// Longest glob and regular expression, in bytes, and the largest automaton of either.
const LONGEST_PATTERN: usize = 2048;
const LARGEST_AUTOMATON: usize = 1 << 18;
/// Most regular expressions of a rule book: to compile one may cost milliseconds.
const MOST_REGEXES: usize = 256;

/// The type of each `define`; `None` where it can be told from no part (`none`, unknown names, circles).
pub(super) fn types_of_defines(files: &[SourceFile<'_>], names: &Names) -> BTreeMap<String, Option<SetType>> {
    let mut sets: BTreeMap<&str, &SetExpr> = BTreeMap::new();
    for (name, _) in names.of_kind(NameKind::Set) {
        let place = names.get(NameKind::Set, name);
        let item = place.and_then(|place| files.get(place.file)?.parsed.items.get(place.item));
        if let Some(ItemKind::Define { set, .. }) = item.map(|item| &item.kind) {
            sets.insert(name, set);
        }
    }
    // Each round settles what leans on the round before. A longer chain than rounds stays untyped: nothing is then said.
    let mut types: BTreeMap<String, Option<SetType>> = sets.keys().map(|&name| (name.to_owned(), None)).collect();
    let mut open: Vec<&str> = sets.keys().copied().collect();
    for _ in 0..MOST_ROUNDS {
        let before = open.len();
        open.retain(|name| match sets.get(name).and_then(|set| set_type(set, &types)) {
            Some(known) => {
                types.insert((*name).to_owned(), Some(known));
                false
            }
            None => true,
        });
        if open.len() == before {
            break;
        }
    }
    types
}

fn set_type(set: &SetExpr, types: &BTreeMap<String, Option<SetType>>) -> Option<SetType> {
    match &set.kind {
        SetKind::None => None,
        SetKind::Defined(name) => types.get(&name.text).copied().flatten(),
        SetKind::Plus(left, right) | SetKind::Within(left, right) | SetKind::Except(left, right) => {
            set_type(left, types).or_else(|| set_type(right, types))
        }
        SetKind::Models(_) | SetKind::Model(_) | SetKind::ModelsUsedBy(_) => Some(SetType::Models),
        SetKind::Bundles | SetKind::Bundle(_) => Some(SetType::Bundles),
        SetKind::OwnersOf(_) | SetKind::Team(_) => Some(SetType::People),
        _ => Some(SetType::Code),
    }
}

impl Checker<'_, '_> {
    pub(super) fn code(&mut self, set: &SetExpr) {
        self.set(set, Some(SetType::Code));
    }

    pub(super) fn models(&mut self, set: &SetExpr) {
        self.set(set, Some(SetType::Models));
    }

    /// Checks a set; `wanted` is the type that its place takes, `None` where any will do.
    pub(super) fn set(&mut self, set: &SetExpr, wanted: Option<SetType>) {
        if let SetKind::Plus(left, right) | SetKind::Within(left, right) | SetKind::Except(left, right) = &set.kind {
            let wanted = wanted.or_else(|| set_type(set, &self.book.types));
            self.set(left, wanted);
            self.set(right, wanted);
            return;
        }
        if let (Some(wanted), Some(given)) = (wanted, set_type(set, &self.book.types))
            && wanted != given
        {
            let message = format!("a set of {} stands where a set of {} is needed", given.noun(), wanted.noun());
            self.report(Code::WrongSetType, set.node, message, wanted.help());
        }
        match &set.kind {
            SetKind::Path { glob, .. } => {
                self.glob(glob);
                self.path_glob(glob);
            }
            SetKind::Class(glob) | SetKind::Function(glob) | SetKind::Decorated(glob) | SetKind::Named { glob, .. } => {
                self.glob(glob)
            }
            SetKind::BoundTo(glob) | SetKind::Model(glob) => self.glob(glob),
            SetKind::Matches { on, regex } => self.regex(*on, regex),
            SetKind::HeaderOf(inner) | SetKind::Public(inner) | SetKind::FilesOf(inner) => self.code(inner),
            SetKind::ModulesOf(inner) | SetKind::MembersOf(inner) => self.code(inner),
            SetKind::ModelsUsedBy(inner) | SetKind::OwnersOf(inner) => self.code(inner),
            SetKind::Walk { set, .. } => self.code(set),
            SetKind::Tag(name) => self.tag(name),
            SetKind::Family { family, value } => self.family_value(family, value),
            SetKind::Defined(name) => self.defined(name),
            SetKind::Models(tests) => tests.iter().for_each(|test| self.model_field(test)),
            SetKind::Bundle(name) => {
                self.known(NameKind::Bundle, Code::UnknownBundle, name);
            }
            SetKind::Team(name) => {
                self.known(NameKind::Team, Code::UnknownTeam, name);
            }
            _ => {}
        }
    }

    fn tag(&mut self, name: &Name) {
        let names = &self.book.names;
        if names.get(NameKind::Tag, &name.text).is_some() || names.is_broken(NameKind::Tag, &name.text) {
            return;
        }
        let help = if names.get(NameKind::Family, &name.text).is_some() {
            Some(format!("`{0}` is a family; write `{0}(VALUE)`", name.text))
        } else if names.get(NameKind::Set, &name.text).is_some() {
            Some(format!("`{0}` is a set; write `{0}` without `tag`", name.text))
        } else {
            None
        };
        self.unknown(NameKind::Tag, Code::UnknownTag, name, help);
    }

    pub(super) fn family_value(&mut self, family: &Name, value: &Name) {
        let names = &self.book.names;
        let Some(place) = names.get(NameKind::Family, &family.text) else {
            if !names.is_broken(NameKind::Family, &family.text) {
                let call = vocabulary::SETS.iter().filter(|entry| entry.form.contains('(')).map(|entry| entry.word);
                let help = match self.book.suggestion(NameKind::Family, &family.text) {
                    Some(help) => Some(help),
                    None => similar::nearest(&family.text, call).map(|near| format!("did you mean `{near}`?")),
                };
                self.unknown(NameKind::Family, Code::UnknownFamily, family, help);
            }
            return;
        };
        let Some(ItemKind::Family { values, .. }) = self.book.item(place).map(|item| &item.kind) else { return };
        if values.iter().any(|known| known.text == value.text) {
            return;
        }
        let near = similar::nearest(&value.text, values.iter().map(|value| value.text.as_str()));
        let listed: Vec<String> = values.iter().map(|value| format!("`{}`", value.text)).collect();
        let help = match (near, self.book.location(place)) {
            (Some(near), Some(place)) => format!("did you mean `{near}`, defined at {place}?"),
            _ => format!("its values are {}", listed.join(", ")),
        };
        self.report(Code::UnknownFamily, value.node, format!("`{}` has no value `{}`", family.text, value.text), help);
    }

    fn defined(&mut self, name: &Name) {
        let names = &self.book.names;
        if names.get(NameKind::Set, &name.text).is_some() || names.is_broken(NameKind::Set, &name.text) {
            return;
        }
        let help = [(NameKind::Tag, "tag"), (NameKind::Bundle, "bundle"), (NameKind::Team, "team")]
            .into_iter()
            .find(|(kind, _)| names.get(*kind, &name.text).is_some())
            .map(|(_, word)| format!("`{0}` is a {word}; write `{word}({0})`", name.text));
        let value =
            names.of_kind(NameKind::FamilyValue).find(|(whole, _)| whole.ends_with(&format!("({})", name.text)));
        let help = help.or_else(|| value.map(|(whole, _)| format!("write `{whole}`")));
        self.unknown(NameKind::Set, Code::UnknownSet, name, help);
    }

    /// A glob that is compiled by some engine later must be small and sound.
    pub(super) fn glob(&mut self, glob: &Text) {
        let reason = {
            let mut known = self.book.globs.borrow_mut();
            known.entry(glob.value.clone()).or_insert_with(|| compile_glob(&glob.value).err()).clone()
        };
        if let Some(reason) = reason {
            self.report(
                Code::BadGlob,
                glob.node,
                format!("the glob does not compile: {reason}"),
                "`*` is within a name, `**` crosses folders, `?` is one character, `[ab]` and `{a,b}` are choices",
            );
        }
    }

    fn path_glob(&mut self, glob: &Text) {
        let value = &glob.value;
        if value.ends_with('/') {
            self.warn(
                Code::FolderGlob,
                glob.node,
                format!("`{value}` names a folder, and paths are files"),
                format!("write `{value}**`"),
            );
        } else if value.starts_with('/') || value.starts_with("./") {
            let path = value.trim_start_matches(['.', '/']);
            self.warn(
                Code::FolderGlob,
                glob.node,
                "paths begin at the repository's root, without `/`",
                format!("write `{path}`"),
            );
        }
    }

    fn regex(&mut self, on: MatchOn, regex: &Text) {
        let mut known = self.book.regexes.borrow_mut();
        if known.len() >= MOST_REGEXES && !known.contains_key(&regex.value) {
            drop(known);
            let message = format!("there are more than {MOST_REGEXES} regular expressions in these rules");
            return self.report(
                Code::BadRegex,
                regex.node,
                message,
                "globs cost less, and one expression can join several",
            );
        }
        let known = known.entry(regex.value.clone()).or_insert_with(|| regex_error(&regex.value));
        let Some(reason) = known.clone() else { return };
        let plain = if on == MatchOn::Path { "`path(\"…\")`" } else { "`named \"…\"`" };
        let help = format!(
            "expressions run in linear time, without look-around and back-references; often a glob will do: {plain}"
        );
        self.report(Code::BadRegex, regex.node, format!("the regular expression does not compile: {reason}"), help);
    }

    pub(super) fn model_field(&mut self, test: &FieldTest) {
        if let Some(entry) = self.field(&test.field, vocabulary::MODEL_FIELDS, "model") {
            self.field_test(entry, test);
        }
    }

    /// A field by name; an unknown one is reported.
    pub(super) fn field(
        &mut self,
        name: &Name,
        fields: &'static [FieldEntry],
        of: &str,
    ) -> Option<&'static FieldEntry> {
        let entry = fields.iter().find(|field| field.word == name.text);
        if entry.is_none() {
            let near = match name.text.as_str() {
                "license" => Some("licence"),
                other => similar::nearest(other, fields.iter().map(|field| field.word)),
            };
            let help = near.map_or_else(
                || format!("the reference lists the fields of a {of}"),
                |near| format!("did you mean `{near}`?"),
            );
            self.report(Code::UnknownField, name.node, format!("a {of} has no field `{}`", name.text), help);
        }
        entry
    }

    fn field_test(&mut self, entry: &FieldEntry, test: &FieldTest) {
        match (&test.test, entry.kind) {
            (ValueTest::True, FieldKind::YesNo) => {}
            (
                ValueTest::Is(value) | ValueTest::IsNot(value),
                FieldKind::YesNo | FieldKind::Words(_) | FieldKind::Text | FieldKind::Number,
            ) => {
                self.field_value(entry, value);
            }
            (ValueTest::Contains(Value::Word(_) | Value::Text(_)), FieldKind::List) => {}
            (ValueTest::Compare(_, number), FieldKind::Number) => drop(self.unit(number, UnitKind::Bare, entry.word)),
            (ValueTest::Compare(_, number), FieldKind::Duration) => drop(self.unit(number, UnitKind::Time, entry.word)),
            _ => self.misfit(entry, test.node),
        }
    }

    /// A value that a field is compared with or set to.
    pub(super) fn field_value(&mut self, entry: &FieldEntry, value: &Value) {
        match (entry.kind, value) {
            (_, Value::Word(word)) if word.text == "unknown" => {}
            (FieldKind::YesNo, Value::Word(word)) if matches!(word.text.as_str(), "yes" | "no") => {}
            (FieldKind::Words(allowed), Value::Word(word)) if allowed.contains(&word.text.as_str()) => {}
            (FieldKind::Words(allowed), Value::Word(word)) => {
                let near = similar::nearest(&word.text, allowed.iter().copied());
                let listed: Vec<String> = allowed.iter().map(|word| format!("`{word}`")).collect();
                let help = near.map_or_else(
                    || format!("it is one of {}", listed.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.report(Code::BadFieldValue, word.node, format!("`{}` is never `{}`", entry.word, word.text), help);
            }
            (FieldKind::Text | FieldKind::List, Value::Text(_) | Value::Word(_)) => {}
            (FieldKind::Number, Value::Quantity(number)) => drop(self.unit(number, UnitKind::Bare, entry.word)),
            (_, Value::Word(Name { node, .. }) | Value::Text(Text { node, .. })) => self.misfit(entry, *node),
            (_, Value::Quantity(number)) => self.misfit(entry, number.node),
            (_, Value::Date(_)) => self.misfit(entry, NodeId(0)),
        }
    }

    fn misfit(&mut self, entry: &FieldEntry, node: NodeId) {
        let (what, help) = match entry.kind {
            FieldKind::YesNo => ("yes or no", format!("write `{0}` or `{0} is no`", entry.word)),
            FieldKind::Words(words) => {
                ("one of a few words", format!("write `{} is {}`", entry.word, words.first().unwrap_or(&"")))
            }
            FieldKind::Text => ("a text", format!("write `{} is \"…\"`", entry.word)),
            FieldKind::List => ("a list", format!("write `{} contains \"…\"`", entry.word)),
            FieldKind::Number => ("a number", format!("write `{} >= N`", entry.word)),
            FieldKind::Duration => ("a duration", format!("write `{} <= N ms`", entry.word)),
        };
        self.report(Code::BadFieldValue, node, format!("`{}` is {what}", entry.word), help);
    }
}

/// Why a regular expression is none.
fn regex_error(regex: &str) -> Option<String> {
    if regex.len() > LONGEST_PATTERN {
        return Some(format!("it is longer than {LONGEST_PATTERN} bytes"));
    }
    let built = regex::RegexBuilder::new(regex).size_limit(LARGEST_AUTOMATON).build();
    built.err().map(|error| last_line(&error.to_string()))
}

pub(super) fn compile_glob(glob: &str) -> Result<regex::bytes::Regex, String> {
    if glob.len() > LONGEST_PATTERN {
        return Err(format!("it is longer than {LONGEST_PATTERN} bytes"));
    }
    let glob =
        globset::GlobBuilder::new(glob).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
    let automaton =
        regex::bytes::RegexBuilder::new(glob.regex()).dot_matches_new_line(true).size_limit(LARGEST_AUTOMATON).build();
    automaton.map_err(|error| last_line(&error.to_string()))
}

/// What regex says last is the reason; before it stands a drawing.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default().trim();
    line.trim_start_matches("error: ").to_owned()
}
