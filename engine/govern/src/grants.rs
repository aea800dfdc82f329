//! Grants of waivers: a waiver of the base's rules is in force once a member of the team that it names has signed for it.
//!
//! A grant is for one text: who edits a waiver needs a new one.

use std::collections::{BTreeMap, BTreeSet};

use grace_dsl::ast::ItemKind;
use grace_system::files;
use jiff::Timestamp;

use crate::agreement::WITHOUT_PROOF;
use crate::authors::Authorship;
use crate::envelope::{Says, Signed};
use crate::shelf::Found;
use crate::signers::{AllowedSigners, Person};
use crate::signing::NAMESPACE;

/// A waiver that somebody may grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its name.
    pub name: String,
    /// SHA-256 (hex) of its text; line endings aside.
    pub text: String,
    /// The team that grants it.
    pub team: String,
    /// That team's members.
    pub members: BTreeSet<String>,
}

/// The waivers in the files of a rule book. Two of one name are none: it would not be clear which was granted.
#[must_use]
pub fn waivers<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<Waiver> {
    let mut found: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
    let mut teams: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
    for text in texts {
        let parsed = grace_dsl::parse_once(text);
        for (index, item) in parsed.items.iter().enumerate() {
            match &item.kind {
                ItemKind::Team { members, .. } => {
                    let members = members.iter().map(|member| member.value.clone()).collect();
                    teams.entry(item.name.clone()).and_modify(|team| *team = None).or_insert(Some(members));
                }
                ItemKind::Waiver(waiver) => {
                    let Some(team) = &waiver.granted_by else { continue };
                    let written = parsed.map.item(index).and_then(|range| text.get(range)).unwrap_or_default();
                    let written = written.replace("\r\n", "\n");
                    let one = (files::sha256(written.as_bytes()), team.text.clone());
                    found.entry(item.name.clone()).and_modify(|known| *known = None).or_insert(Some(one));
                }
                _ => {}
            }
        }
    }
    let one = |(name, waiver): (String, Option<(String, String)>)| {
        let (text, team) = waiver?;
        let members = teams.get(&team)?.clone()?;
        Some(Waiver { name, text, team, members })
    };
    found.into_iter().filter_map(one).collect()
}

/// Names of the waivers that are granted at a time.
#[must_use]
pub fn granted(
    found: &Found,
    waivers: &[Waiver],
    signers: &AllowedSigners,
    authorship: &Authorship,
    at: Timestamp,
) -> BTreeSet<String> {
    if found.more {
        return BTreeSet::new();
    }
    let person = |signed: &Signed| {
        let person = match &signed.statement.says {
            // What takes back outlives the line of its key.
            Says::Revoke { .. } => signers.holder(&signed.key)?,
            _ => signers.person(&signed.key, NAMESPACE, at).ok()?,
        };
        (person.names.contains(&signed.statement.by) && !person.is_bot()).then_some(person)
    };
    let known: Vec<(&Signed, Person)> =
        found.signed.iter().filter_map(|signed| Some((signed, person(signed)?))).collect();
    let is_revoked = |signed: &Signed, person: &Person| {
        known.iter().any(|(other, by)| {
            by == person && matches!(&other.statement.says, Says::Revoke { envelope } if *envelope == signed.digest)
        })
    };
    let grants = |signed: &Signed, person: &Person, waiver: &Waiver| match &signed.statement.says {
        Says::Grant { waiver: name, text, r#as } => {
            *name == waiver.name
                && *text == waiver.text
                && *r#as == waiver.team
                && !waiver.members.is_disjoint(&person.names)
        }
        _ => false,
    };
    let took_part = |person: &Person| authorship.people.iter().any(|one| !one.names.is_disjoint(&person.names));
    // As with approvals: nobody lowers the bar for their own change, and where it is not proved whose it is, two must say so.
    let least = if authorship.unproved.is_empty() { 1 } else { WITHOUT_PROOF as usize };
    let is_granted = |waiver: &&Waiver| {
        let people: BTreeSet<&Person> = known
            .iter()
            .filter(|(signed, person)| {
                grants(signed, person, waiver)
                    && signed.statement.is_in_force(at)
                    && !is_revoked(signed, person)
                    && !took_part(person)
            })
            .map(|(_, person)| person)
            .collect();
        people.len() >= least
    };
    waivers.iter().filter(is_granted).map(|waiver| waiver.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{self, Statement};
    use crate::signing::tests::{openssh, written};

    const RULES: &str = "team governance  members \"alice@example.org\"\n\nwaiver sync of big for path(\"a/**\")\n  waives tier\n  granted by team(governance) until 2026-12-31\n  because \"reviewed upstream\"\n";

    fn signed(by: &str, key: u8, says: Says) -> Signed {
        let directory = files::temporary_dir().unwrap();
        let (at, until) = ("2026-06-01T00:00:00Z".parse().unwrap(), "2026-07-01T00:00:00Z".parse().unwrap());
        let statement = Statement::new(by, at, until, None, says);
        let (bytes, _) = envelope::seal(&statement, &written(directory.path(), key), directory.path()).unwrap();
        envelope::open(&bytes).unwrap()
    }

    #[test]
    fn a_waiver_is_granted_by_its_team_for_its_text_until_it_is_taken_back() {
        let signers =
            AllowedSigners::parse(&format!("alice@example.org {}\nbob@example.org {}\n", openssh(1), openssh(2)));
        let known = waivers([RULES]);
        assert_eq!(known.len(), 1);
        let grant = |by: &str, key, text: &str, team: &str| {
            signed(by, key, Says::Grant { waiver: "sync".to_owned(), text: text.to_owned(), r#as: team.to_owned() })
        };
        let given = |signed: Vec<Signed>, at: &str| {
            let found = Found { signed, ..Found::default() };
            !granted(&found, &known, &signers, &Authorship::default(), at.parse().unwrap()).is_empty()
        };
        let (day, text) = ("2026-06-02T00:00:00Z", known[0].text.as_str());
        let good = grant("alice@example.org", 1, text, "governance");
        assert!(given(vec![good.clone()], day));
        assert!(!given(vec![good.clone()], "2026-07-02T00:00:00Z"));
        assert!(!given(vec![grant("bob@example.org", 2, text, "governance")], day));
        assert!(!given(vec![grant("alice@example.org", 2, text, "governance")], day));
        assert!(!given(vec![grant("alice@example.org", 3, text, "governance")], day));
        assert!(!given(vec![grant("alice@example.org", 1, "00", "governance")], day));
        assert!(!given(vec![grant("alice@example.org", 1, text, "legal")], day));
        let revoke = |by: &str, key| signed(by, key, Says::Revoke { envelope: good.digest.clone() });
        assert!(!given(vec![good.clone(), revoke("alice@example.org", 1)], day));
        assert!(given(vec![good.clone(), revoke("bob@example.org", 2)], day));
        // Whatever became of the line of the key that takes it back.
        let ended = AllowedSigners::parse(&format!(
            "alice@example.org {}\nalice@example.org valid-before=\"20200101\" {}\n",
            openssh(1),
            openssh(4)
        ));
        let found = Found { signed: vec![good.clone(), revoke("alice@example.org", 4)], ..Found::default() };
        assert!(granted(&found, &known, &ended, &Authorship::default(), day.parse().unwrap()).is_empty());
        // Nobody grants it for a change of their own, and for one of nobody's two must.
        let found = Found { signed: vec![good.clone()], ..Found::default() };
        let by = |authorship: &Authorship| granted(&found, &known, &signers, authorship, day.parse().unwrap()).len();
        let alice = signers.named("alice@example.org").unwrap();
        assert_eq!(by(&Authorship { people: [alice].into(), ..Authorship::default() }), 0);
        assert_eq!(by(&Authorship { unproved: vec!["?".to_owned()], ..Authorship::default() }), 0);
        assert!(
            granted(&Found { more: true, ..found }, &known, &signers, &Authorship::default(), day.parse().unwrap())
                .is_empty()
        );
        // Another text is another waiver, but for its line endings; two of one name are none.
        assert_eq!(waivers([&*RULES.replace('\n', "\r\n")]), known);
        assert_ne!(waivers([&*RULES.replace("a/**", "b/**")])[0].text, known[0].text);
        assert!(waivers([RULES, RULES]).is_empty());
    }
}
