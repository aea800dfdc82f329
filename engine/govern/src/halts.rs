//! Halts: nothing goes through the gate until a person lifts them.
//!
//! Whoever signs a halt, it counts: raising is free. It has no end, and stands for everybody, whatever they call themselves.
//! Only a person of the base's `allowed_signers` lifts it, in the name of each team that looks at the agents' work there.
//! A halt is kept below `refs/grace/` and in the ledger, so that deleting the one does not lift it.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::{Approver, ItemKind, OperationalKind, TierApproval, Word};
use grace_engine::decide::Objection;
use jiff::Timestamp;

use crate::agreement::Uncounted;
use crate::authors::Authorship;
use crate::envelope::{Says, Signed};
use crate::shelf::Found;
use crate::signers::{AllowedSigners, Person};
use crate::signing::NAMESPACE;

/// What lifts a halt, for people.
const HELP: &str = "a person lifts it: grace-rules audit resume --as TEAM --because \"…\"";

/// Who lifts halts: each of these teams, by its members. None = any person who may sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifters {
    /// The teams; one that the rules do not define, or define twice, has no members.
    pub teams: BTreeMap<String, BTreeSet<String>>,
}

impl Lifters {
    /// Those of the rules before the change: the teams that review in an `audit` item; else those that approve at tier 3.
    #[must_use]
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let (mut reviewing, mut approving) = (BTreeSet::new(), BTreeSet::new());
        let mut members: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
        for text in texts {
            for item in grace_dsl::parse(text).items {
                match item.kind {
                    ItemKind::Team { members: named, .. } => {
                        let named = named.into_iter().map(|member| member.value).collect();
                        members.entry(item.name).and_modify(|team| *team = None).or_insert(Some(named));
                    }
                    ItemKind::Operational(audit) if audit.kind == OperationalKind::Audit => {
                        let lines = audit.clauses.into_iter().filter(|clause| clause.name.text == "review");
                        reviewing.extend(lines.flat_map(|line| line.words).filter_map(|word| match word {
                            Word::Call(call, team) if call.text == "team" => Some(team.text),
                            _ => None,
                        }));
                    }
                    ItemKind::Tiers(lines) => {
                        approving.extend(lines.into_iter().filter(|line| line.tier == 3).filter_map(|line| {
                            match line.approve {
                                TierApproval::Approval(approval) => match approval.by {
                                    Approver::Team(team) => Some(team.text),
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
        let names = if reviewing.is_empty() { approving } else { reviewing };
        let team = |name: String| {
            let members = members.get(&name).cloned().flatten().unwrap_or_default();
            (name, members)
        };
        Self { teams: names.into_iter().map(team).collect() }
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
            Some(members) => {
                members.is_disjoint(&person.names).then(|| format!("{} is not in team {team}", person.name))
            }
        }
    }
}

/// A halt that stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Halt {
    /// When, as its signer's clock said.
    pub since: String,
    /// Its name: the envelope's digest, or the reference of one that cannot be read.
    pub name: String,
    /// Who says that they said it.
    pub by: String,
    /// Why.
    pub because: String,
}

impl Halt {
    /// As the gate hears it.
    #[must_use]
    pub fn objection(&self) -> Objection {
        let short: String = self.name.chars().take(12).collect();
        let day = self.since.get(..10).unwrap_or(&self.since);
        let by = format!("halt {short} since {day} by {}", self.by);
        Objection { by, because: Some(format!("{} ({HELP})", self.because)) }
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
    let mut lifted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for signed in &found.signed {
        let Says::Resume { halts, r#as } = &signed.statement.says else { continue };
        let why = match signers.person(&signed.key, NAMESPACE, at) {
            Err(_) => Some("its key is none of the base's grace/allowed_signers that is in force".to_owned()),
            Ok(person) if !person.names.contains(&signed.statement.by) => {
                Some(format!("it is signed by {}", person.name))
            }
            Ok(person) => lifters.refuses(&person, r#as, authorship),
        };
        match why {
            None => halts.iter().for_each(|halt| {
                lifted.entry(halt).or_default().insert(r#as);
            }),
            Some(why) => {
                let envelope = signed.digest.chars().take(12).collect();
                uncounted.push(Uncounted { envelope, by: signed.statement.by.clone(), why });
            }
        }
    }
    let is_lifted = |name: &str| {
        lifted.get(name).is_some_and(|teams| lifters.teams.keys().all(|team| teams.contains(team.as_str())))
    };
    let said = found.signed.iter().filter(|signed| matches!(signed.statement.says, Says::Halt {})).map(halt);
    // What cannot be read may be a halt.
    let unread = found.bad.iter().map(|(name, bad)| Halt {
        since: "not said".to_owned(),
        name: name.clone(),
        by: "nobody known".to_owned(),
        because: bad.why().to_owned(),
    });
    let more = found.more.then(|| Halt {
        since: "not said".to_owned(),
        name: "more".to_owned(),
        by: "nobody known".to_owned(),
        because: "there are more statements than are read".to_owned(),
    });
    let mut standing: Vec<Halt> = said.chain(unread).filter(|halt| !is_lifted(&halt.name)).chain(more).collect();
    standing.sort();
    standing.dedup();
    (standing, uncounted)
}

fn halt(signed: &Signed) -> Halt {
    let statement = &signed.statement;
    Halt {
        since: statement.at.clone(),
        name: signed.digest.clone(),
        by: statement.by.clone(),
        because: statement.because.clone().unwrap_or_else(|| "no reason is given".to_owned()),
    }
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
        let halt = signed("agent-7", 9, Says::Halt {});
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
        let author = Authorship { people: BTreeSet::from([bob]), unproved: Vec::new() };
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
        assert_eq!(twice.teams["peers"], BTreeSet::new());
    }
}
