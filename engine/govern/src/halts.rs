//! Halts: nothing goes through the gate until a person lifts them.
//!
//! Whoever signs a halt, it counts: raising is free. It has no end, and stands for everybody, whatever they call themselves.
//! Only people of the base's `allowed_signers` lift it, in the name of each team that looks at the agents' work there; that of a
//! cycle that failed, only who could have reviewed it, and as many.
//! A halt is kept below `refs/grace/` and in the ledger, so that deleting the one does not lift it.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{Approver, Audit, ItemKind, OperationalKind, TierApproval, Word};
use grace_engine::decide::Objection;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::agreement::{Uncounted, WITHOUT_PROOF};
use crate::authors::Authorship;
use crate::envelope::{Makers, Says, Signed};
use crate::shelf::Found;
use crate::signers::{AllowedSigners, Person};
use crate::signing::NAMESPACE;

/// Fewest digits that name a halt: what is signed has all of them, and what begins alike is refused.
const DIGITS: usize = 12;
/// The name of what cannot be told apart: there is more than is read.
const MORE: &str = "more";
/// In whose name somebody lifts where no team is asked.
pub const ANYONE: &str = "anyone";

/// Who lifts halts: each of these teams, by its members. None = any person who may sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifters {
    /// The teams by name.
    pub teams: BTreeMap<String, Team>,
}

/// A team that lifts halts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Team {
    /// Its people; one that the rules do not define, or define twice, has none.
    pub members: BTreeSet<String>,
    /// How many of them look at a cycle of the audit loop.
    pub reviewers: u32,
}

impl Lifters {
    /// Those of the rules before the change: the teams that review in an `audit` item; else those that approve at tier 3.
    #[must_use]
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let (mut reviewing, mut approving) = (BTreeMap::new(), BTreeMap::new());
        let mut members: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
        for text in texts {
            for item in grace_dsl::parse(text).items {
                match item.kind {
                    ItemKind::Team { members: named, .. } => {
                        let named = named.into_iter().map(|member| member.value).collect();
                        members.entry(item.name).and_modify(|team| *team = None).or_insert(Some(named));
                    }
                    ItemKind::Operational(audit) if audit.kind == OperationalKind::Audit => {
                        if let Some((count, team)) = Audit::of(&audit).and_then(|audit| audit.review) {
                            let most = reviewing.entry(team).or_default();
                            *most = count.max(*most);
                        }
                        let lines = audit.clauses.into_iter().filter(|clause| clause.name.text == "review");
                        for word in lines.flat_map(|line| line.words) {
                            if let Word::Call(call, team) = word
                                && call.text == "team"
                            {
                                reviewing.entry(team.text).or_insert(1);
                            }
                        }
                    }
                    ItemKind::Tiers(lines) => {
                        approving.extend(lines.into_iter().filter(|line| line.tier == 3).filter_map(|line| {
                            match line.approve {
                                TierApproval::Approval(approval) => match approval.by {
                                    Approver::Team(team) => Some((team.text, 1)),
                                    _ => None,
                                },
                                _ => None,
                            }
                        }));
                    }
                    _ => {}
                }
            }
        }
        let asked = if reviewing.is_empty() { approving } else { reviewing };
        let team = |(name, reviewers): (String, u32)| {
            let members = members.get(&name).cloned().flatten().unwrap_or_default();
            (name, Team { members, reviewers })
        };
        Self { teams: asked.into_iter().map(team).collect() }
    }

    /// How many of which team are still asked to lift a halt, where these did in the name of these teams.
    pub(crate) fn missing(&self, cycle: Option<&Makers>, lifted: &[(&str, Person)]) -> BTreeMap<String, u32> {
        let missing = |team: Option<&str>, reviewers: u32| {
            let least = match cycle {
                None => 1,
                // Whoever made it may be the one who lifts it: of two people one is another.
                Some(Makers { unproved: true, .. }) => WITHOUT_PROOF.max(reviewers),
                Some(_) => reviewers.max(1),
            };
            let people = lifted.iter().filter(|(r#as, person)| {
                team.is_none_or(|team| team == *r#as) && cycle.is_none_or(|cycle| cycle.by.is_disjoint(&person.names))
            });
            let people: BTreeSet<&str> = people.map(|(_, person)| person.name.as_str()).collect();
            least.saturating_sub(u32::try_from(people.len()).unwrap_or(u32::MAX))
        };
        let mut all: BTreeMap<String, u32> =
            self.teams.iter().map(|(name, team)| (name.clone(), missing(Some(name), team.reviewers))).collect();
        if all.is_empty() {
            all.insert(ANYONE.to_owned(), missing(None, 1));
        }
        all.retain(|_, missing| *missing > 0);
        all
    }

    /// Why this person does not lift a halt in the name of `team`; `None` where they do.
    #[must_use]
    pub fn refuses(&self, person: &Person, team: &str, authorship: &Authorship) -> Option<String> {
        if person.is_bot() {
            return Some("a bot lifts no halt".to_owned());
        }
        if authorship.people.iter().any(|author| !author.names.is_disjoint(&person.names)) {
            return Some(format!("{} took part in the change", person.name));
        }
        match self.teams.get(team) {
            None if self.teams.is_empty() => None,
            None => Some(format!("team {team} is not asked")),
            Some(Team { members, .. }) => {
                members.is_disjoint(&person.names).then(|| format!("{} is not in team {team}", person.name))
            }
        }
    }
}

/// A halt that stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Halt {
    /// When, as its signer's clock said.
    pub since: String,
    /// Its name: the envelope's digest, or the reference of one that cannot be read.
    pub name: String,
    /// Who says that they said it.
    pub by: String,
    /// Why.
    pub because: String,
    /// How many people of which team are still asked to lift it.
    pub missing: BTreeMap<String, u32>,
    /// The cycle of the audit loop that failed.
    pub cycle: Option<Makers>,
}

impl Halt {
    /// As the gate hears it.
    #[must_use]
    pub fn objection(&self) -> Objection {
        let day = self.since.get(..10).unwrap_or(&self.since);
        let by = format!("halt {} since {day} by {}", self.short(), self.by);
        Objection { by, because: Some(format!("{} ({})", self.because, self.how())) }
    }

    /// What people call it: the beginning of a digest, or all of a reference.
    #[must_use]
    pub fn short(&self) -> &str {
        let is_digest = self.name.len() == 64 && self.name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest { &self.name[..DIGITS] } else { &self.name }
    }

    /// Whether somebody who writes this means it.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name != MORE && (self.name == name || name.len() >= DIGITS && self.name.starts_with(name))
    }

    /// Who lifts it, and how.
    #[must_use]
    pub fn how(&self) -> String {
        if self.name == MORE {
            return "who keeps the repository clears refs/grace/halts".to_owned();
        }
        let team = self.missing.keys().next().map_or(ANYONE, String::as_str);
        let who: Vec<String> = self
            .missing
            .iter()
            .map(|(team, count)| match (team.as_str(), count) {
                (ANYONE, 1) => "a person".to_owned(),
                (ANYONE, _) => format!("{count} people"),
                (team, 1) => format!("a person of {team}"),
                (team, _) => format!("{count} people of {team}"),
            })
            .collect();
        let verb = if self.missing.values().sum::<u32>() == 1 { "lifts" } else { "lift" };
        let who = who.join(" and ");
        format!("{who} {verb} it: grace-rules audit resume {} --as {team} --because \"…\"", self.short())
    }
}

/// Halts that stand, and attempts to lift one that do not count.
#[must_use]
pub fn standing(
    found: &Found,
    signers: &AllowedSigners,
    lifters: &Lifters,
    authorship: &Authorship,
    at: Timestamp,
) -> (Vec<Halt>, Vec<Uncounted>) {
    let mut uncounted = Vec::new();
    let mut lifted: BTreeMap<&str, Vec<(&str, Person)>> = BTreeMap::new();
    for signed in &found.signed {
        let Says::Resume { halts, r#as } = &signed.statement.says else { continue };
        let person = match signers.person(&signed.key, NAMESPACE, at) {
            Err(_) => Err("its key is none of the base's grace/allowed_signers that is in force".to_owned()),
            Ok(person) if !person.names.contains(&signed.statement.by) => {
                Err(format!("it is signed by {}", person.name))
            }
            Ok(person) => lifters.refuses(&person, r#as, authorship).map_or(Ok(person), Err),
        };
        match person {
            Ok(person) => halts.iter().for_each(|halt| lifted.entry(halt).or_default().push((r#as, person.clone()))),
            Err(why) => {
                let envelope = signed.digest.chars().take(12).collect();
                uncounted.push(Uncounted { envelope, by: signed.statement.by.clone(), why });
            }
        }
    }
    let said = found.signed.iter().filter_map(halt);
    let unknown = |name: &str, because: &str| Halt {
        since: "not said".to_owned(),
        name: name.to_owned(),
        by: "nobody known".to_owned(),
        because: because.to_owned(),
        missing: BTreeMap::new(),
        cycle: None,
    };
    // What cannot be read may be a halt.
    let unread = found.bad.iter().map(|(name, bad)| unknown(name, bad.why()));
    let more = found.more.then(|| unknown(MORE, "there are more statements than are read"));
    let asked = |halt: Halt| {
        let people = lifted.get(halt.name.as_str()).filter(|_| halt.name != MORE);
        let missing = lifters.missing(halt.cycle.as_ref(), people.map_or(&[], Vec::as_slice));
        (!missing.is_empty()).then_some(Halt { missing, ..halt })
    };
    let mut standing: Vec<Halt> = said.chain(unread).chain(more).filter_map(asked).collect();
    standing.sort();
    standing.dedup();
    (standing, uncounted)
}

fn halt(signed: &Signed) -> Option<Halt> {
    let statement = &signed.statement;
    let Says::Halt { cycle } = &statement.says else { return None };
    Some(Halt {
        since: statement.at.clone(),
        name: signed.digest.clone(),
        by: statement.by.clone(),
        because: statement.because.clone().unwrap_or_else(|| "no reason is given".to_owned()),
        missing: BTreeMap::new(),
        cycle: cycle.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{self, BadEnvelope, Statement};
    use crate::signing::tests::{openssh, written};
    use grace_system::files;

    const RULES: &str = "team peers  members \"bob@example.org\", \"ci[bot]@example.org\"\n\nteam governance  members \"carol@example.org\"\n\naudit cycle\n  every       15 actions\n  review      1 of team(peers)\n  on failure  halt\n\ntiers\n  3 sensitive  approve 1 of team(governance)  for operations change_security\n";

    fn signed(by: &str, key: u8, says: Says) -> Signed {
        let directory = files::temporary_dir().unwrap();
        let (at, until) = ("2026-06-01T00:00:00Z".parse().unwrap(), "2026-06-02T00:00:00Z".parse().unwrap());
        let statement = Statement::new(by, at, until, Some("why".to_owned()), says);
        let bytes = envelope::seal(&statement, &written(directory.path(), key), directory.path()).unwrap();
        envelope::open(&bytes.0).unwrap()
    }

    fn signers() -> AllowedSigners {
        let people = ["bob@example.org", "carol@example.org", "ci[bot]@example.org"];
        let lines = people.iter().zip(1..).map(|(name, key)| format!("{name} {}\n", openssh(key)));
        AllowedSigners::parse(&lines.collect::<String>())
    }

    #[test]
    fn only_a_signed_person_of_the_team_lifts_a_halt() {
        let (signers, lifters) = (signers(), Lifters::of([RULES]));
        assert_eq!(lifters.teams.keys().collect::<Vec<_>>(), ["peers"]);
        let at = "2026-07-01T00:00:00Z".parse().unwrap();
        // Nobody knows key 9, and the halt counts; long after its day, too.
        let halt = signed("agent-7", 9, Says::Halt { cycle: None });
        let stands = |more: Vec<Signed>, authorship: &Authorship| {
            let found = Found { signed: more.into_iter().chain([halt.clone()]).collect(), ..Found::default() };
            !standing(&found, &signers, &lifters, authorship, at).0.is_empty()
        };
        let resume = |by: &str, key, team: &str| {
            let says = Says::Resume { halts: vec![halt.digest.clone()], r#as: team.to_owned() };
            signed(by, key, says)
        };
        let nobody = Authorship::default();
        assert!(stands(vec![], &nobody));
        for bad in [
            resume("bob@example.org", 9, "peers"),
            resume("agent-7", 9, "peers"),
            resume("carol@example.org", 1, "peers"),
            resume("carol@example.org", 2, "peers"),
            resume("carol@example.org", 2, "governance"),
            resume("ci[bot]@example.org", 3, "peers"),
            signed("bob@example.org", 1, Says::Resume { halts: vec!["00".to_owned()], r#as: "peers".to_owned() }),
            signed("agent-7", 9, Says::Revoke { envelope: halt.digest.clone() }),
        ] {
            assert!(stands(vec![bad.clone()], &nobody), "{:?}", bad.statement);
        }
        let good = resume("bob@example.org", 1, "peers");
        assert!(!stands(vec![good.clone()], &nobody));
        let bob = signers.named("bob@example.org").unwrap();
        let author = Authorship { people: BTreeSet::from([bob]), ..Authorship::default() };
        assert!(stands(vec![good], &author));
    }

    #[test]
    fn what_cannot_be_read_or_counted_halts() {
        let (nobody, at) = (Authorship::default(), "2026-07-01T00:00:00Z".parse().unwrap());
        let halted = |found: &Found| !standing(found, &signers(), &Lifters::of([RULES]), &nobody, at).0.is_empty();
        assert!(!halted(&Found::default()));
        assert!(halted(&Found { bad: vec![("a".to_owned(), BadEnvelope::Newer)], ..Found::default() }));
        assert!(halted(&Found { more: true, ..Found::default() }));
        // Without an `audit` item those of tier 3 lift; a team that is defined twice is nobody's.
        let without = RULES.replace("review ", "because").replace("1 of team(peers)", "\"x\"");
        assert_eq!(Lifters::of([&*without]).teams.keys().collect::<Vec<_>>(), ["governance"]);
        let twice = Lifters::of([RULES, "team peers  members \"x@example.org\"\n"]);
        assert_eq!(twice.teams["peers"].members, BTreeSet::new());
    }
}
