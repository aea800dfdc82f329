//! Which of the statements on the shelf count for a change: who agrees, who objects, and what does not count and why.
//!
//! An approval counts while the change derived anew asks for no more than was signed, its signer is a person of the base's
//! `allowed_signers` who took no part in the change and is no bot, and it was neither revoked nor has ended.

use std::collections::{BTreeMap, BTreeSet};

use grace_engine::decide::{self, Agreed, Agreement, Decision, Objection};
use grace_engine::plan::{Approver, Plan};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::authors::Authorship;
use crate::envelope::{Says, Signed, Subject};
use crate::shelf::Found;
use crate::signers::{AllowedSigners, Person, Refused};
use crate::signing::NAMESPACE;

/// People that a change needs where it is not proved who made it.
pub(crate) const WITHOUT_PROOF: u32 = 2;

/// What an approval of this plan is about, as it stands after the run.
#[must_use]
pub fn subject(plan: &Plan, decision: &Decision) -> Subject {
    let mut approvals: Vec<String> = decision.asked.iter().map(|approval| approval.name.clone()).collect();
    approvals.sort();
    let given = |duty: &grace_engine::plan::Duty| Some((duty.name.clone(), duty.given.clone()?));
    Subject {
        plan: plan.id.clone(),
        diff: plan.subject.diff.clone(),
        rules: plan.subject.rules.clone(),
        tier: decision.tier,
        approvals,
        duties: plan.duties.iter().filter_map(given).collect(),
    }
}

/// A statement that does not count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Uncounted {
    /// Its name: the beginning of the envelope's digest, or the reference where it cannot be read.
    pub envelope: String,
    /// Who says that they said it.
    pub by: String,
    /// Why it does not count.
    pub why: String,
}

/// A statement that counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Counted {
    /// The envelope's digest.
    pub envelope: String,
    /// The person.
    pub by: String,
    /// In whose name.
    pub r#as: String,
    /// When, as the signer's clock said.
    pub at: String,
    /// Until when.
    pub until: String,
    /// Why, in the signer's words.
    pub because: Option<String>,
}

/// What people said of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// For [`grace_engine::decide::decide`].
    pub agreed: Agreed,
    /// Approvals that count.
    pub approvals: Vec<Counted>,
    /// Statements that do not.
    pub uncounted: Vec<Uncounted>,
}

/// Judges what stands on the shelf for a change, `asked` being what it asks for (a decision without any approval).
#[must_use]
pub fn hear(
    found: &Found,
    signers: &AllowedSigners,
    authorship: &Authorship,
    plan: &Plan,
    asked: &Decision,
    at: Timestamp,
) -> Heard {
    let subject = subject(plan, asked);
    let mut heard = Heard::default();
    if found.more {
        let why =
            "there are more statements than are read, so none counts; remove what does not belong there".to_owned();
        heard.uncounted.push(Uncounted { envelope: "refs/grace".to_owned(), by: "nobody".to_owned(), why });
        return heard;
    }
    let known = known(found, signers, at, &mut heard.uncounted);
    // A signer takes back what they said, and nobody else's.
    let revoked: BTreeSet<(&Person, &str)> = known
        .iter()
        .filter_map(|(signed, person)| match &signed.statement.says {
            Says::Revoke { envelope } => Some((person, envelope.as_str())),
            _ => None,
        })
        .collect();
    let mut people: BTreeMap<&Person, BTreeSet<String>> = BTreeMap::new();
    for (signed, person) in &known {
        let statement = &signed.statement;
        let (about, team, approves) = match &statement.says {
            Says::Approve { subject, r#as } => (subject, r#as, true),
            Says::Deny { subject, r#as } => (subject, r#as, false),
            _ => continue,
        };
        let why = if revoked.contains(&(person, signed.digest.as_str())) {
            Some("it was revoked".to_owned())
        } else if !statement.is_in_force(at) {
            Some(format!("it ended on {}", statement.until.get(..10).unwrap_or("a day that cannot be read")))
        } else if about.diff != subject.diff {
            Some("it is about another change".to_owned())
        } else if !approves {
            let may = asked.asked.is_empty() || serves(asked, person, team);
            (!may).then(|| "nobody asks its signer".to_owned())
        } else if person.is_bot() {
            Some("a bot approves nothing".to_owned())
        } else if authorship.people.iter().any(|author| !author.names.is_disjoint(&person.names)) {
            Some("its signer took part in the change".to_owned())
        } else if !about.covers(&subject) {
            Some(more(about, &subject))
        } else {
            wrong_team(asked, person, team)
        };
        match why {
            Some(why) => heard.uncounted.push(uncounted(signed, why)),
            None if approves => {
                people.entry(person).or_default().insert(team.clone());
                heard.approvals.push(Counted {
                    envelope: signed.digest.clone(),
                    by: person.name.clone(),
                    r#as: team.clone(),
                    at: statement.at.clone(),
                    until: statement.until.clone(),
                    because: statement.because.clone(),
                });
            }
            None => {
                let because = statement.because.clone();
                heard.agreed.objections.push(Objection { by: person.name.clone(), because });
            }
        }
    }
    let agreement =
        |(person, teams): (&Person, BTreeSet<String>)| Agreement { names: person.names.clone(), teams: Some(teams) };
    heard.agreed.people = people.into_iter().map(agreement).collect();
    heard.agreed.objections.sort();
    heard.agreed.objections.dedup();
    heard.agreed.least =
        authorship.unproved.first().map(|why| (WITHOUT_PROOF, format!("it is not proved who made the change, {why}")));
    heard.approvals.sort();
    heard.uncounted.sort();
    heard
}

/// Statements whose key stands for the person who says that they said it.
fn known<'f>(
    found: &'f Found,
    signers: &AllowedSigners,
    at: Timestamp,
    refused: &mut Vec<Uncounted>,
) -> Vec<(&'f Signed, Person)> {
    let unreadable = found.bad.iter().map(|(name, bad)| Uncounted {
        envelope: name.clone(),
        by: "nobody".to_owned(),
        why: bad.why().to_owned(),
    });
    refused.extend(unreadable);
    let mut known = Vec::new();
    for signed in &found.signed {
        // What takes back, or says no, outlives the line of its key.
        let takes_back = matches!(signed.statement.says, Says::Revoke { .. } | Says::Deny { .. });
        let person = match signers.person(&signed.key, NAMESPACE, at) {
            Err(Refused::Time | Refused::Namespace) if takes_back => {
                signers.holder(&signed.key).ok_or(Refused::UnknownKey)
            }
            found => found,
        };
        let why = match person {
            Ok(person) if person.names.contains(&signed.statement.by) => {
                known.push((signed, person));
                continue;
            }
            Ok(person) => format!("it is signed by {}", person.name),
            Err(Refused::UnknownKey) => "its key is not in the base's grace/allowed_signers".to_owned(),
            Err(Refused::Namespace) => format!("its key is not for {NAMESPACE}"),
            Err(Refused::Time) => "its key is not in force".to_owned(),
        };
        refused.push(uncounted(signed, why));
    }
    known
}

fn uncounted(signed: &Signed, why: String) -> Uncounted {
    let envelope = signed.digest.chars().take(12).collect();
    Uncounted { envelope, by: signed.statement.by.clone(), why }
}

/// Why an approval does not cover what is asked for now.
fn more(signed: &Subject, asked: &Subject) -> String {
    if signed.rules != asked.rules {
        "it was given under other rules".to_owned()
    } else if asked.tier > signed.tier {
        format!("it was given at tier {}, and this is tier {}", signed.tier, asked.tier)
    } else if let Some(approval) = asked.approvals.iter().find(|approval| !signed.asks(approval)) {
        format!("it did not know of approval {approval}")
    } else {
        "a duty was filled otherwise".to_owned()
    }
}

/// Why an approval in the name of `team` serves nothing that is asked for by that name.
#[must_use]
pub fn wrong_team(asked: &Decision, person: &Person, team: &str) -> Option<String> {
    let groups = asked.asked.iter().map(|approval| &approval.by);
    let named: Vec<&Approver> =
        groups.filter(|group| matches!(group, Approver::Team { name, .. } if name == team)).collect();
    let is_member = named.iter().any(|group| belongs(group, person, team));
    (!named.is_empty() && !is_member).then(|| format!("its signer is not in team {team}"))
}

/// Whether an approval of this person in the name of `team` could serve anything that is asked for.
#[must_use]
pub fn serves(asked: &Decision, person: &Person, team: &str) -> bool {
    asked.asked.iter().any(|approval| belongs(&approval.by, person, team))
}

fn belongs(group: &Approver, person: &Person, team: &str) -> bool {
    let teams = Some(BTreeSet::from([team.to_owned()]));
    decide::belongs(group, &Agreement { names: person.names.clone(), teams })
}
