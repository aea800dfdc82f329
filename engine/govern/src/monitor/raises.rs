//! Raised tiers: for a while, changes of a region need a higher tier, because something got worse there.
//!
//! Whoever signs a raise, it counts: raising is free. It ends by itself, after a month at the latest, or when people lift it: those who
//! lift halts, but for who made what was deployed or what is planned. It is kept below `refs/grace/raises/`, in the ledger, and beside
//! it in a directory that a plan reads without either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use grace_engine::input::{Book, BookFile, RAISED};
use grace_ledger::Snapshot;
use grace_system::files::{self, FileErrorKind};
use grace_system::git::{GitError, Repository};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::said::RaiseSaid;
use crate::authors::Authorship;
use crate::envelope::{self, MAX_BYTES, Makers, Says, Signed, Statement};
use crate::halts::Lifters;
use crate::shelf::{self, Found, Place};
use crate::signers::{AllowedSigners, Person};
use crate::signing::NAMESPACE;

/// The longest time that a raise counts for.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Digits that name a raise for people.
const DIGITS: usize = 12;
/// How the rule of one begins that was lifted.
pub const LIFTED: &str = "lifted";
/// Raises that are kept beside the ledger and read; with more, the oldest names are left to the ledger.
const MOST: usize = 1000;

/// What is raised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raise {
    /// At least this tier.
    pub tier: u8,
    /// For changes of this: `domain(self_healing)`, `tag(kernel)`.
    pub region: String,
    /// The drift rule.
    pub rule: String,
    /// Why, in the rule's words.
    pub because: String,
    /// From this second on.
    pub from: i64,
    /// To this one.
    pub until: i64,
    /// Who made what was deployed; absent where nobody looked, which proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makers: Option<Makers>,
    /// Who lifted it and why, for the change that is planned; empty = it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifted: Vec<String>,
}

impl Raise {
    /// Whether it counts at a time.
    #[must_use]
    pub fn is_in_force(&self, at: i64) -> bool {
        self.from <= at && at <= self.until.min(self.from.saturating_add(LONGEST.as_secs()))
    }

    /// Its name: the digest of what it says.
    #[must_use]
    pub fn name(&self) -> String {
        let said = Self { lifted: Vec::new(), ..self.clone() };
        files::sha256(&serde_json::to_vec(&said).unwrap_or_default())
    }

    /// What people call it: the beginning of its name.
    #[must_use]
    pub fn short(&self) -> String {
        self.name().chars().take(DIGITS).collect()
    }

    /// Whether somebody who writes this means it.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        name.len() >= DIGITS && self.name().starts_with(name)
    }

    /// Who made what was deployed, and whether that is proved.
    #[must_use]
    pub fn makers(&self) -> Makers {
        self.makers.clone().unwrap_or(Makers { by: BTreeSet::new(), unproved: true })
    }

    /// As a statement that somebody signs.
    #[must_use]
    pub fn statement(&self, by: &str) -> Statement {
        let time = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let says = Says::Raise {
            tier: self.tier,
            region: self.region.clone(),
            rule: self.rule.clone(),
            makers: self.makers.clone(),
        };
        Statement::new(by, time(self.from), time(self.until), Some(self.because.clone()), says)
    }

    fn of(statement: &Statement) -> Option<Self> {
        let Says::Raise { tier, region, rule, makers } = &statement.says else { return None };
        let time = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
        Some(Self {
            tier: *tier,
            region: region.clone(),
            rule: rule.clone(),
            because: statement.because.clone().unwrap_or_default(),
            from: time(&statement.at)?,
            until: time(&statement.until)?,
            makers: makers.clone(),
            lifted: Vec::new(),
        })
    }

    /// As a rule of a book. A region that its vocabulary does not have is a rule that cannot be read, which is tier 3.
    fn text(&self, number: usize) -> String {
        let name: String =
            self.rule.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '(' | ')');
        let region: String = self.region.chars().filter(|c| is_plain(*c)).take(200).collect();
        let quoted = |text: &str| -> String {
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
            text.replace('\\', "/").replace('"', "'")
        };
        let (because, lifted) = (quoted(&self.because), quoted(&self.lifted.join(", ")));
        let until = Timestamp::from_second(self.until).map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let (until, tier) = (until.unwrap_or_default(), self.tier.clamp(2, 3));
        let (what, tier, says) = match self.lifted.is_empty() {
            true => ("raised", tier, format!("drift, raised until {until}: {}", self.short())),
            // It raises nothing, and says so where it would have.
            false => (LIFTED, 1, format!("drift, raised to tier {tier} until {until}; lifted by {lifted}")),
        };
        format!(
            "rule {what}_{number}_by_{name} : tier {tier}\n  when     change touches {region}\n  because  \"{because} ({says})\"\n  may be empty\n"
        )
    }
}

/// Takes those back that enough people lifted: of each team that is asked, none of whom made what was deployed or what is planned.
/// What cannot be told stands.
pub fn lift(
    raises: &mut [Raise],
    lifts: &[Signed],
    signers: &AllowedSigners,
    lifters: &Lifters,
    authorship: &Authorship,
    at: Timestamp,
) {
    let mut lifted: BTreeMap<&str, Vec<(&str, Person)>> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for signed in lifts {
        let statement = &signed.statement;
        let Says::Lift { raises, r#as } = &statement.says else { continue };
        let said = statement.at.parse::<Timestamp>().is_ok_and(|said| said.as_second() <= at.as_second());
        let Ok(person) = signers.person(&signed.key, NAMESPACE, at) else { continue };
        if !said || !person.names.contains(&statement.by) || lifters.refuses(&person, r#as, authorship).is_some() {
            continue;
        }
        for name in raises {
            let because = statement.because.as_deref().unwrap_or("no reason is given");
            reasons.entry(name).or_default().push(format!("{} ({because})", person.name));
            lifted.entry(name).or_default().push((r#as, person.clone()));
        }
    }
    for raise in raises {
        let name = raise.name();
        let people = lifted.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        if lifters.missing(Some(&raise.makers()), people).is_empty() {
            raise.lifted = reasons.remove(name.as_str()).unwrap_or_default();
        }
    }
}

fn directory(repository: &Repository) -> PathBuf {
    repository.common_dir().join("grace").join("raises")
}

/// Keeps a raise where plans read it, by the name of its digest.
///
/// # Errors
/// When it cannot be written.
pub fn keep(repository: &Repository, raise: &Raise) -> Result<(), files::FileError> {
    let dir = directory(repository);
    files::create_dirs(&dir)?;
    let bytes = serde_json::to_vec(raise).unwrap_or_default();
    let name: String = raise.name().chars().take(32).collect();
    let path = dir.join(format!("{name}.json"));
    if files::exists(&path) { Ok(()) } else { files::write_atomic(&path, &bytes) }
}

/// Whether something may stand below `refs/grace/raises/`: told without git, which takes longer to start than to look.
fn may_be_shelved(repository: &Repository) -> bool {
    let dir = repository.common_dir();
    if files::exists(&dir.join("reftable")) || files::is_dir(&dir.join("refs/grace/raises")) {
        return true;
    }
    match files::read(&dir.join("packed-refs"), 64 << 20) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).contains("refs/grace/raises/"),
        Err(error) => error.kind != files::FileErrorKind::NotFound,
    }
}

/// The raises that a ledger holds.
///
/// # Errors
/// When it is not what was signed.
pub fn recorded(snapshot: &Snapshot) -> Result<Vec<Raise>, grace_ledger::Error> {
    let mut found = Vec::new();
    for record in snapshot.records(0..snapshot.len()) {
        let record = record?;
        if record.kind == "raise" {
            let said = serde_json::from_value::<RaiseSaid>(snapshot.body(&record)?);
            found.extend(said.map(|said| said.raise));
        }
    }
    Ok(found)
}

/// The raises that are in force at a time, and what people signed to lift some. `recorded` are those of the ledger, where it was read. What cannot be read may be one,
/// and is one of everything.
///
/// # Errors
/// When git cannot answer.
pub fn in_force(repository: &Repository, recorded: &[Raise], at: i64) -> Result<(Vec<Raise>, Vec<Signed>), GitError> {
    let mut lifts = Vec::new();
    let mut found: Vec<Raise> = recorded.to_vec();
    let unreadable = |what: &str| Raise {
        tier: 3,
        region: "all".to_owned(),
        rule: "unreadable".to_owned(),
        because: format!("{what} cannot be read, and may be a raised tier"),
        from: at,
        until: at,
        makers: None,
        lifted: Vec::new(),
    };
    match files::list_at_most(&directory(repository), MOST + 1) {
        Ok(entries) => {
            if entries.len() > MOST {
                found.push(unreadable("more of grace/raises than is read"));
            }
            for entry in entries.iter().filter(|entry| entry.name.ends_with(".json")) {
                let bytes = files::read(&directory(repository).join(&entry.name), MAX_BYTES);
                let raise = bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                found.push(raise.unwrap_or_else(|| unreadable(&format!("grace/raises/{}", entry.name))));
            }
        }
        Err(error) if error.kind == FileErrorKind::NotFound => {}
        Err(_) => found.push(unreadable("grace/raises")),
    }
    if may_be_shelved(repository) {
        let Found { signed, bad, more } = shelf::read(repository, &Place::Raises)?;
        found.extend(signed.iter().filter_map(|signed| Raise::of(&signed.statement)));
        found.extend(bad.iter().map(|(name, _)| unreadable(&format!("refs/grace/{name}"))));
        if more {
            found.push(unreadable("what stands below refs/grace/raises"));
        }
        lifts.extend(signed.into_iter().filter(|signed| matches!(signed.statement.says, Says::Lift { .. })));
    }
    found.retain(|raise| raise.is_in_force(at));
    // Only what people sign lifts; what a file says of itself does not.
    found.iter_mut().for_each(|raise| raise.lifted.clear());
    found.sort();
    found.dedup();
    Ok((found, lifts))
}

/// Puts raises into a rule book, as rules, in place of those that it has. They belong to no file, and do not count as the book's text.
pub fn put(book: &mut Book, raises: &[Raise]) {
    book.files.retain(|file| !file.path.starts_with(RAISED));
    let mut by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (number, raise) in raises.iter().enumerate() {
        by_rule.entry(raise.rule.clone()).or_default().push(raise.text(number + 1));
    }
    for (rule, texts) in by_rule {
        let text = texts.join("\n");
        let safe: String = rule.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '.').collect();
        let path = format!("{RAISED}{safe}");
        book.files.push(BookFile {
            path: Arc::from(path.as_str()),
            text: Ok(Arc::from(text.as_str())),
            role: grace_dsl::Role::Adopted,
        });
    }
    book.files.sort_by(|a, b| a.path.cmp(&b.path));
}

/// Puts the envelope of a raise on the shelf; what stands there already stays.
///
/// # Errors
/// When git cannot write.
pub fn shelve(repository: &Repository, envelope: &[u8]) -> Result<(), GitError> {
    let Ok(signed) = envelope::open(envelope) else { return Ok(()) };
    shelf::put(repository, &Place::Raises, &signed.digest, envelope).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raise() -> Raise {
        Raise {
            tier: 3,
            region: "domain(self_healing)".to_owned(),
            rule: "heal_regression".to_owned(),
            because: "Less healing is degrading.".to_owned(),
            from: 1000,
            until: 2000,
            makers: None,
            lifted: Vec::new(),
        }
    }

    #[test]
    fn a_raise_counts_from_its_first_to_its_last_second_and_a_month_at_most() {
        let raise = raise();
        assert_eq!(Raise::of(&raise.statement("x")), Some(raise.clone()));
        assert_eq!([999, 1000, 2000, 2001].map(|at| raise.is_in_force(at)), [false, true, true, false]);
        let long = Raise { until: i64::MAX, ..raise };
        assert!(long.is_in_force(1000 + 31 * 86_400) && !long.is_in_force(1001 + 31 * 86_400));
    }

    #[test]
    fn whatever_it_says_it_is_one_rule_of_a_book() {
        for odd in ["\" rule evil : tier 1", "a\nb", "\\", "", "€ \u{202e}"] {
            let raise = Raise { rule: odd.to_owned(), region: odd.to_owned(), because: odd.to_owned(), ..raise() };
            let mut book = Book { files: Vec::new() };
            put(&mut book, &[raise]);
            let text = book.files[0].text.clone().unwrap();
            let parsed = grace_dsl::parse(&text);
            // One item of tier 3, or none that can be read, which is tier 3 as well.
            let tier = |item: &grace_dsl::ast::Item| match &item.kind {
                grace_dsl::ast::ItemKind::Rule(rule) => rule.tier.map(|(_, tier)| tier),
                _ => None,
            };
            let tiers: Vec<_> = parsed.items.iter().map(tier).collect();
            assert!(tiers == [Some(3)] || !parsed.diagnostics.is_empty(), "{text}");
        }
        let parsed = grace_dsl::parse(&raise().text(1));
        assert_eq!(parsed.diagnostics, []);
    }
}
