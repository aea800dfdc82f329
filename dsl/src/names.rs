//! Which names there are, and where.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{ItemKind, OperationalKind};
use crate::parse::Parsed;

/// Spaces of names. Rules, policies, forbids and layers share one, because waivers and tests name any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// `module`
    Module,
    /// `team`
    Team,
    /// `define`
    Set,
    /// `family`
    Family,
    /// `FAMILY(VALUE)`, as its family declares it; the name is written so.
    FamilyValue,
    /// `tag` without a value
    Tag,
    /// `principle`
    Principle,
    /// `rule`, `policy`, `forbid`, `layers`
    Rule,
    /// `waiver`
    Waiver,
    /// `window`
    Window,
    /// `bundle`
    Bundle,
    /// `validation`
    Validation,
    /// `band`
    Band,
    /// `intent`
    Intent,
    /// a line of `tiers`
    Tier,
    /// `kpi`
    Kpi,
    /// `drift`
    Drift,
    /// `audit`
    Audit,
    /// `practice`
    Practice,
    /// `test`, by its title
    Test,
}

impl NameKind {
    /// How messages call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Team => "team",
            Self::Set => "set",
            Self::Family => "family",
            Self::FamilyValue => "value",
            Self::Tag => "tag",
            Self::Principle => "principle",
            Self::Rule => "rule",
            Self::Waiver => "waiver",
            Self::Window => "window",
            Self::Bundle => "bundle",
            Self::Validation => "validation",
            Self::Band => "band",
            Self::Intent => "intent",
            Self::Tier => "tier",
            Self::Kpi => "KPI",
            Self::Drift => "drift rule",
            Self::Audit => "audit",
            Self::Practice => "practice",
            Self::Test => "test",
        }
    }

    fn of_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "module" => Self::Module,
            "team" => Self::Team,
            "define" => Self::Set,
            "family" => Self::Family,
            "tag" => Self::Tag,
            "principle" => Self::Principle,
            "rule" | "policy" | "forbid" | "layers" => Self::Rule,
            "waiver" => Self::Waiver,
            "window" => Self::Window,
            "bundle" => Self::Bundle,
            "validation" => Self::Validation,
            "band" => Self::Band,
            "intent" => Self::Intent,
            "kpi" => Self::Kpi,
            "drift" => Self::Drift,
            "audit" => Self::Audit,
            "practice" => Self::Practice,
            "test" => Self::Test,
            _ => return None,
        })
    }
}

/// Where a name is declared: the file's index among those given, the item's index in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the file.
    pub file: usize,
    /// Index of the item among the file's sound items.
    pub item: usize,
}

/// All names of a rule book. Where a name is declared several times, the first place counts for [`Names::get`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    declared: BTreeMap<NameKind, BTreeMap<String, Vec<Place>>>,
    broken: BTreeSet<(NameKind, String)>,
}

impl Names {
    /// The names of files, in the order in which they are given.
    pub fn of<'p>(files: impl IntoIterator<Item = &'p Parsed>) -> Self {
        let mut names = Self::default();
        for (file, parsed) in files.into_iter().enumerate() {
            for (item, content) in parsed.items.iter().enumerate() {
                names.declare_item(&content.name, &content.kind, Place { file, item });
            }
            for broken in &parsed.broken {
                if let (Some(kind), Some(name)) = (broken.kind.and_then(NameKind::of_keyword), &broken.name) {
                    names.broken.insert((kind, name.clone()));
                }
            }
        }
        names
    }

    fn declare_item(&mut self, name: &str, kind: &ItemKind, place: Place) {
        let space = match kind {
            ItemKind::Module => NameKind::Module,
            ItemKind::Team { .. } => NameKind::Team,
            ItemKind::Define { .. } => NameKind::Set,
            ItemKind::Family { values, .. } => {
                for value in values {
                    self.declare(NameKind::FamilyValue, format!("{name}({})", value.text), place);
                }
                NameKind::Family
            }
            ItemKind::Tag { value: None, .. } => NameKind::Tag,
            ItemKind::Principle { .. } => NameKind::Principle,
            ItemKind::Policy(_) | ItemKind::Rule(_) | ItemKind::Forbid(_) | ItemKind::Layers(_) => NameKind::Rule,
            ItemKind::Waiver(_) => NameKind::Waiver,
            ItemKind::Window { .. } => NameKind::Window,
            ItemKind::Bundle(_) => NameKind::Bundle,
            ItemKind::Validation { .. } => NameKind::Validation,
            ItemKind::Band { .. } => NameKind::Band,
            ItemKind::Intent { .. } => NameKind::Intent,
            ItemKind::Test(_) => NameKind::Test,
            ItemKind::Tiers(lines) => {
                for line in lines {
                    self.declare(NameKind::Tier, line.name.text.clone(), place);
                }
                return;
            }
            ItemKind::Operational(operational) => match operational.kind {
                OperationalKind::Kpi => NameKind::Kpi,
                OperationalKind::Drift => NameKind::Drift,
                OperationalKind::Audit => NameKind::Audit,
                OperationalKind::Practice => NameKind::Practice,
                OperationalKind::TrustScore => return,
            },
            ItemKind::Use(_) | ItemKind::Adopt(_) | ItemKind::Tag { value: Some(_), .. } | ItemKind::Binding { .. } => {
                return;
            }
        };
        self.declare(space, name.to_owned(), place);
    }

    fn declare(&mut self, kind: NameKind, name: String, place: Place) {
        self.declared.entry(kind).or_default().entry(name).or_default().push(place);
    }

    /// The first place where a name is declared.
    pub fn get(&self, kind: NameKind, name: &str) -> Option<Place> {
        self.all(kind, name).first().copied()
    }

    /// All places where a name is declared: several for a tag.
    pub fn all(&self, kind: NameKind, name: &str) -> &[Place] {
        self.declared.get(&kind).and_then(|names| names.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// All names of a kind with their places, sorted by name.
    pub fn of_kind(&self, kind: NameKind) -> impl Iterator<Item = (&str, &[Place])> {
        self.declared.get(&kind).into_iter().flatten().map(|(name, places)| (name.as_str(), places.as_slice()))
    }

    /// Whether an item of this name is there but broken: its name is not unknown, its meaning is.
    pub fn is_broken(&self, kind: NameKind, name: &str) -> bool {
        self.broken.contains(&(kind, name.to_owned()))
    }
}
