//! A tier that drift raised is lifted by people who made neither what was deployed nor what is planned.

use std::fs;
use std::time::Duration;

use grace_system::clock;
use serde_json::Value;

use crate::people::{Bench, flat};
use crate::support::Said;

const RULES: &str = r#"module team.rules

team peers       members "bob@example.org", "carol@example.org"
team governance  members "dan@example.org"

tag core  on path("app/**")

kpi heal
  better  higher
  unit    percent
  from    push
  settle  0 s

drift heal_regression on heal
  watch         every 1 h for 6 h after deployment
  alert         worse by more than 20 % of baseline
  method        seed
  samples       at least 1
  on drift      tier at least 3 for tag(core) during 72 h
  because       "A system that heals less is degrading."

audit cycle
  every       1000 actions
  rerun       bundles of touched
  compare     models with baseline, latency 50 %, error_rate 10 points
  check       repetition, contradictions
  review      1 of team(peers)
  on failure  halt

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
  3 sensitive  approve by rules       for operations change_security
"#;

struct Raised {
    bench: Bench,
}

impl Raised {
    /// Alice's change was deployed five hours ago, and drifted; `next` is a change after it, by this author.
    fn new(author: &str, key: u8) -> Self {
        Self::signed(Some(1), author, key)
    }

    /// The same of a change that is signed by this key, or by none.
    fn signed(by: Option<u8>, author: &str, key: u8) -> Self {
        let bench = Bench::with(RULES, "");
        bench.change("work", by);
        let raised = Self { bench };
        let hour = clock::now().as_second() / 3600 * 3600;
        let deployed =
            clock::now() - Duration::from_secs(u64::try_from(clock::now().as_second() - hour).unwrap() + 5 * 3600);
        let said = raised.run(&format!("drift deploy --base main --head feature --at {deployed}"), "");
        assert_eq!(said.code, Some(0), "{}", flat(&said));
        let line = |at: i64| format!("{} {}/200\n", hour + at * 3600 + 60, if at < -4 { 190 } else { 100 });
        let lines: String = (-48..0).map(line).collect();
        assert_eq!(raised.run("drift push heal", &lines).code, Some(0));
        let said = raised.run("drift collect", "");
        assert_eq!(said.code, Some(0), "{}", flat(&said));
        assert_eq!(raised.bench.repo.recorded_as("raise").len(), 1, "{}", flat(&said));
        raised.bench.repo.git(&["checkout", "--quiet", "-b", "next"]);
        raised.bench.repo.write("app/core.py", "def f():\n    return 3\n");
        raised.bench.commit(author, Some(key), "next");
        raised
    }

    fn run(&self, line: &str, input: &str) -> Said {
        let config = self.bench.repo.path.with_file_name("config.toml");
        fs::write(&config, "").unwrap();
        let key = self.bench.key(9);
        self.bench.repo.run(&line.split(' ').collect::<Vec<_>>(), Some(input), |command| {
            command.env("GRACE_RULES_CONFIG", &config).env("GRACE_RULES_SIGNING_KEY", key);
        })
    }

    /// The tier of what is planned next, and all that the plan says.
    fn plan(&self) -> (u64, String) {
        let said = self.run("plan --base feature --head next --format json", "");
        let plan: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", flat(&said)));
        (plan["tier"].as_u64().unwrap(), flat(&self.run("plan --base feature --head next", "")))
    }

    /// What the plan calls the raised tier.
    fn name(&self) -> String {
        let (_, said) = self.plan();
        let name = said.split("raised until ").nth(1).and_then(|rest| rest.split(": ").nth(1));
        name.unwrap_or_else(|| panic!("{said}")).chars().take(12).collect()
    }

    fn lift(&self, number: u8, name: &str) -> Said {
        let key = self.bench.key(number);
        let line = format!("drift lift {name} --because mended --base feature --head next --key {}", key.display());
        self.run(&line, "")
    }
}

#[test]
fn a_raised_tier_is_lifted_by_a_signed_person_who_made_nothing_of_it() {
    let raised = Raised::new("dan@example.org", 4);
    assert_eq!(raised.plan().0, 3, "{}", raised.plan().1);
    let name = raised.name();
    for (number, name, why) in [
        (1, name.as_str(), "is not in team peers"),
        (4, &name, "took part in the change"),
        (9, &name, "is not in the base's grace/allowed_signers"),
        (2, "0123456789ab", "no raised tier `0123456789ab` stands"),
        (2, &name[..6], "no raised tier"),
    ] {
        let said = raised.lift(number, name);
        assert!(said.code == Some(2) && flat(&said).contains(why), "{number}: {}", flat(&said));
        assert_eq!(raised.plan().0, 3);
    }
    assert!(raised.bench.repo.recorded_as("lift").is_empty());
    let said = raised.lift(2, &name);
    assert_eq!(said.code, Some(0), "{}", flat(&said));
    let (tier, said) = raised.plan();
    assert_eq!(tier, 2, "{said}");
    assert!(said.contains("lifted by bob@example.org (mended)"), "{said}");
    let recorded = &raised.bench.repo.recorded_as("lift")[0];
    assert_eq!((&recorded["by"], &recorded["because"]), (&"bob@example.org".into(), &"mended".into()));
    assert!(flat(&raised.lift(3, &name)).contains("no tier is raised"));
    // What decides says the same, and what was decided is derived again.
    let run = raised.run("run --base feature --head next", "");
    assert_eq!(run.code, Some(0), "{}", flat(&run));
    let again = raised.run("audit replay --all", "");
    assert_eq!(again.code, Some(0), "{}", flat(&again));
    // It is a statement like any other: without it the tier is raised again.
    let references = raised.bench.repo.git(&["for-each-ref", "--format=%(refname)", "refs/grace/raises"]);
    assert_eq!(references.lines().count(), 2);
    references.lines().for_each(|name| drop(raised.bench.repo.git(&["update-ref", "-d", name])));
    assert_eq!(raised.plan().0, 3);
}

#[test]
fn nobody_lifts_it_for_a_change_of_their_own_or_where_it_is_not_proved_who_made_the_deployed_one() {
    // Bob lifts it for others: for his own change it stands.
    let raised = Raised::new("dan@example.org", 4);
    let name = raised.name();
    assert_eq!(raised.lift(2, &name).code, Some(0));
    assert_eq!(raised.plan().0, 2);
    raised.bench.repo.write("app/core.py", "def f():\n    return 4\n");
    raised.bench.commit("bob@example.org", Some(2), "more");
    assert_eq!(raised.plan().0, 3, "{}", raised.plan().1);
    assert_eq!(raised.lift(3, &name).code, Some(0));
    assert_eq!(raised.plan().0, 2, "carol did, too");
    // Nobody signed what was deployed: it may be bob's own, and of two people one is another.
    let raised = Raised::signed(None, "dan@example.org", 4);
    let name = raised.name();
    for (number, tier) in [(2, 3), (2, 3), (3, 2)] {
        assert_eq!(raised.lift(number, &name).code, Some(0));
        assert_eq!(raised.plan().0, tier, "{number}");
    }
}
