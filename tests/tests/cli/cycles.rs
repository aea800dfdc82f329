//! The audit loop: actions are counted, a cycle that is due holds the gate, one that fails halts, one that passed is reviewed.

use serde_json::Value;

use crate::people::{Bench, flat};
use crate::support::Said;

const RULES: &str = r#"module team.rules

team peers       members "bob@example.org", "carol@example.org"
team governance  members "dan@example.org"

rule core_change : tier 2
  when     change touches path("app/**")
  require  bundle(core)
  because  "The core is tested."

bundle core
  tests    path("tests/**")
  run      "python3", "-m", "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  60 s in all

audit cycle
  every       2 actions
  rerun       bundles of touched
  compare     models with baseline, latency 50 %, error_rate 10 points
  check       repetition, contradictions
  review      1 of team(peers)
  on failure  halt

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of team(governance)  for operations change_security
"#;

struct Loop {
    bench: Bench,
}

impl Loop {
    /// Alice's signed work on `feature`, with a test that passes.
    fn new() -> Self {
        let bench = Bench::with(RULES, "");
        bench.repo.git(&["checkout", "--quiet", "main"]);
        bench.repo.write("tests/test_core.py", "def test_it():\n    assert True\n");
        bench.commit("alice@example.org", Some(1), "a test");
        bench.repo.git(&["checkout", "--quiet", "-B", "feature"]);
        Self { bench }
    }

    /// A change of its own, committed, signed, and run: one action.
    fn act(&self, number: u32) -> Said {
        self.act_with(&format!("def f():\n    return {number}\n"))
    }

    fn act_with(&self, text: &str) -> Said {
        self.bench.repo.write("app/core.py", text);
        self.bench.commit("alice@example.org", Some(1), "work");
        self.bench.say("run")
    }

    fn cycle(&self, rest: &str) -> Said {
        self.cycle_by("main", rest)
    }

    fn cycle_by(&self, base: &str, rest: &str) -> Said {
        let line = format!("audit cycle --base {base}{rest}");
        self.bench.repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {})
    }

    fn review(&self, number: u8, rest: &str) -> Said {
        let (key, newest) = (self.bench.key(number), self.bench.repo.newest_digest("cycle"));
        let newest = &newest[..12];
        self.bench.say(&format!("audit review {newest} --because read --key {}{rest}", key.display()))
    }

    /// Lifts what the gate names first.
    fn resume(&self, number: u8) -> Said {
        let (_, said) = self.gate();
        let halt = said.split("audit resume ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("none");
        let key = self.bench.key(number);
        self.bench.say(&format!("audit resume {halt} --as peers --because seen --key {}", key.display()))
    }

    fn gate(&self) -> (Option<i32>, String) {
        let said = self.bench.say("gate");
        (said.code, flat(&said))
    }
}

#[test]
fn a_cycle_that_is_due_holds_the_gate_until_it_is_made_and_reviewed() {
    let work = Loop::new();
    let first = work.act(2);
    assert_eq!(first.code, Some(0), "{}", flat(&first));
    assert!(!flat(&first).contains("audit cycle"), "{}", flat(&first));
    assert_eq!(work.gate().0, Some(0));
    let said = work.cycle("");
    assert_eq!(flat(&said).trim(), "no cycle is due: 1 of 2 actions since the last");
    // The same change of the same tree is no other action, whoever runs it.
    work.bench.say("run --actor somebody-else");
    assert!(flat(&work.cycle("")).contains("1 of 2 actions"));

    let second = work.act(3);
    assert!(
        flat(&second).contains("2 actions since the last audit cycle: grace-rules audit cycle --base"),
        "{}",
        flat(&second)
    );
    let (code, said) = work.gate();
    assert_eq!(code, Some(1));
    assert!(said.contains("2 actions since the last audit cycle"), "{said}");

    let made = work.cycle("");
    assert_eq!(made.code, Some(0), "{}", flat(&made));
    assert!(flat(&made).contains("core passed"), "{}", flat(&made));
    let cycle = &work.bench.repo.recorded_as("cycle")[0];
    assert_eq!(cycle["number"], 1);
    assert_eq!(cycle["bundles"]["core"], "passed");
    assert_eq!(cycle["files"], serde_json::json!(["app/core.py"]));
    assert_eq!(cycle["retrospective"]["tests"], 2);
    assert_eq!(cycle["by"], serde_json::json!(["alice@example.org"]));
    assert_eq!(cycle["unproved"], false);

    let (code, said) = work.gate();
    assert_eq!(code, Some(1));
    assert!(said.contains("audit cycle 1 waits for review 1 of team(peers)"), "{said}");
    for (number, why) in [
        (1, "alice@example.org took part in the change"),
        (4, "dan@example.org is not in team peers"),
        (9, "is not in the base's grace/allowed_signers"),
    ] {
        let said = work.review(number, "");
        assert_eq!(said.code, Some(2), "{number}: {}", flat(&said));
        assert!(flat(&said).contains(why), "{number}: {}", flat(&said));
    }
    assert_eq!(work.gate().0, Some(1));
    // Another cycle does not take the place of one that nobody has looked at.
    let said = work.cycle(" --now");
    assert_eq!(flat(&said).trim(), "no cycle is due: 0 of 2 actions since the last");
    work.act(30);
    let said = work.cycle(" --now");
    assert_eq!(said.code, Some(2), "{}", flat(&said));
    assert!(flat(&said).contains("cycle 1 waits for its review, and comes first"), "{}", flat(&said));
    let said = work.review(2, "");
    assert_eq!(said.code, Some(0), "{}", flat(&said));
    assert_eq!(work.gate().0, Some(0), "{}", work.gate().1);
    // The next two actions are another cycle.
    work.act(5);
    assert_eq!(work.gate().0, Some(1));
    assert_eq!(work.cycle("").code, Some(0));
    let (_, said) = work.gate();
    assert!(said.contains("audit cycle 2 waits for review"), "a review is of one cycle: {said}");
}

#[test]
fn a_cycle_that_fails_halts_everybody_until_a_person_lifts_it() {
    let work = Loop::new();
    work.act(2);
    work.act_with("def f(x):\n    if x > 5 and x < 3:\n        return 1\n    return 2\n");
    let made = work.cycle("");
    assert_eq!(made.code, Some(1), "{}", flat(&made));
    assert!(flat(&made).contains("contradictions: app/core.py:2"), "{}", flat(&made));
    assert!(flat(&made).contains("nothing goes any more"), "{}", flat(&made));
    let (code, said) = work.gate();
    assert_eq!(code, Some(1));
    assert!(said.contains("audit cycle 1 says no"), "{said}");
    // On the shelf it travels; without the reference the ledger still says so.
    let names = work.bench.repo.git(&["for-each-ref", "--format=%(refname)", "refs/grace/halts"]);
    assert_eq!(names.lines().count(), 1);
    work.bench.repo.git(&["update-ref", "-d", &names]);
    assert_eq!(work.gate().0, Some(1));
    // Whoever recorded it was ended before it was shelved, or it was taken away: it is put there again.
    assert_eq!(work.bench.repo.git(&["for-each-ref", "--format=%(refname)", "refs/grace/halts"]), names);
    let said = work.review(2, "");
    assert!(flat(&said).contains("people lift it"), "{}", flat(&said));
    let said = work.resume(1);
    assert!(flat(&said).contains("alice@example.org took part"), "{}", flat(&said));
    let lifted = work.resume(2);
    assert_eq!(lifted.code, Some(0), "{}", flat(&lifted));
    assert_eq!(work.gate().0, Some(0), "{}", work.gate().1);
}

#[test]
fn a_cycle_that_failed_is_lifted_by_those_who_could_have_reviewed_it() {
    let work = Loop::new();
    let bad = "def f(x):\n    if x > 5 and x < 3:\n        return 1\n    return 2\n";
    for text in ["def f():\n    return 2\n", bad] {
        work.bench.repo.write("app/core.py", text);
        work.bench.commit("alice@example.org", None, "work");
        work.bench.say("run --actor bob@example.org");
    }
    assert_eq!(work.cycle("").code, Some(1));
    // Another change, in which bob took no part: of what failed he was one, and it is not proved who else was.
    work.bench.repo.git(&["checkout", "--quiet", "-B", "feature", "main"]);
    work.bench.repo.write("notes.txt", "x\n");
    work.bench.commit("dan@example.org", Some(4), "notes");
    work.bench.say("run");
    let (code, said) = work.gate();
    assert_eq!(code, Some(1));
    assert!(said.contains("2 people of peers lift it"), "{said}");
    let said = work.resume(2);
    assert!(flat(&said).contains("bob@example.org took part in what halt"), "{}", flat(&said));
    assert_eq!(work.resume(3).code, Some(0));
    let (code, said) = work.gate();
    assert!(code == Some(1) && said.contains("a person of peers lifts it"), "{said}");
}

#[test]
fn who_weakens_the_loop_in_their_own_change_makes_no_cycle() {
    let work = Loop::new();
    work.act(2);
    let weak = RULES.replace("  check       repetition, contradictions\n", "").replace("halt\n", "note\n");
    work.bench.repo.write("grace/rules.grace", &weak);
    work.act_with("def f(x):\n    if x > 5 and x < 3:\n        return 1\n    return 2\n");
    let made = work.cycle_by("feature", "");
    assert_eq!(made.code, Some(0), "by its own rules it passes: {}", flat(&made));
    let (code, said) = work.gate();
    assert_eq!(code, Some(1));
    assert!(said.contains("2 actions since the last audit cycle"), "{said}");
    assert!(!said.contains("waits for review"), "{said}");
    assert_eq!(work.cycle("").code, Some(1), "by those of the base it fails");
    assert!(work.gate().1.contains("audit cycle 1 says no"), "{}", work.gate().1);
}

#[test]
fn the_bundles_of_what_was_touched_really_run_again() {
    let work = Loop::new();
    work.act(2);
    work.act(3);
    // The tree has changed since, and its test fails now.
    work.bench.repo.write("tests/test_core.py", "def test_it():\n    assert False\n");
    let made = work.cycle("");
    assert_eq!(made.code, Some(1), "{}", flat(&made));
    assert!(flat(&made).contains("bundle core failed when it ran again"), "{}", flat(&made));
    let bundles: Vec<Value> = work.bench.repo.recorded_as("bundle");
    let last = bundles.last().unwrap();
    assert!(last["run"].as_str().unwrap().starts_with("cycle-"), "{last}");
    assert_eq!((&last["status"], &last["executed"]), (&"failed".into(), &1.into()));
}

#[test]
fn unsigned_work_is_reviewed_by_two_and_a_reviewer_may_halt() {
    let work = Loop::new();
    for number in [2, 3] {
        work.bench.repo.write("app/core.py", &format!("def f():\n    return {number}\n"));
        work.bench.commit("alice@example.org", None, "work");
        work.bench.say("run");
    }
    assert_eq!(work.cycle("").code, Some(0));
    assert!(work.gate().1.contains("waits for review 2 of team(peers)"), "{}", work.gate().1);
    assert_eq!(work.review(2, "").code, Some(0));
    assert_eq!(work.review(2, "").code, Some(0));
    assert!(work.gate().1.contains("waits for review 1 of team(peers)"), "one person counts once: {}", work.gate().1);
    assert_eq!(work.review(3, "").code, Some(0));
    assert!(!work.gate().1.contains("waits for review"), "{}", work.gate().1);
    let said = work.review(3, " --reject");
    assert_eq!(said.code, Some(0), "{}", flat(&said));
    assert!(work.gate().1.contains("cycle 1 is not approved: read"), "{}", work.gate().1);
}
