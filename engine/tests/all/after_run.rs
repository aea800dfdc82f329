//! Rules that are judged after the run: nothing that they ask for is lost, and owners are asked wherever they are named.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_engine::decide::{Agreed, Agreement, Answer, BundleOutcome, Decision, Trust, decide};
use grace_engine::input::{BundleRun, CodeOwners, Input, PastFacts};
use grace_engine::plan::{Approver, Outcome, Plan, Truth};

use crate::support::{Bench, Files, book, files, raw_book, with};

const VOCABULARY: &str = r#"
team governance members "alice@example.org"
team reviewers  members "bob@example.org"
bundle unit  critical
  tests   path("tests/**")
  run     "pytest", "{tests}"
  timeout 60 s in all
bundle chaos
  tests   path("tests/chaos/**")
  run     "pytest", "{tests}"
  timeout 60 s in all
principle SAFE says "Stay safe."
intent system.boot says "Boot."
kpi boot
  better lower
  unit   ms
  from   prometheus "main", query "boot_ms"
validation behaves
  of      models
  run     probe hallucination, samples 10
  because "It may invent."
binding model("mistral:7b") to path("app/model.py")
tiers
  1 safe       approve automatically          for change only in comments
  2 internal   approve by rules               for any other change
  3 sensitive  approve 1 of team(governance)
rule all_tests
  when    change touches all
  require bundle(unit)
  upholds SAFE
  because "Tests run."
"#;

fn repository() -> Files {
    files(&[
        ("app/model.py", "def ask():\n    return 1\n"),
        ("app/core.py", "def work():\n    return 1\n"),
        ("tests/test_core.py", "from app.core import work\n\n\ndef test_work():\n    assert work()\n"),
        ("tests/chaos/test_chaos.py", "def test_chaos():\n    assert True\n"),
    ])
}

fn edit(paths: &[&str]) -> Files {
    paths.iter().fold(repository(), |files, path| {
        let text = files[*path].replace("return 1", "return 2").replace("assert True", "assert 1");
        with(&files, path, &text)
    })
}

fn planned(rules: &str, after: &Files, past: PastFacts) -> Plan {
    let mut bench = Bench::new();
    let rules = book(&format!("{VOCABULARY}\n{rules}"));
    let input = Input { past, ..bench.input(&repository(), after, &rules) };
    bench.engine.update(input);
    let plan = bench.engine.plan();
    assert!(plan.unknowns.is_empty(), "{:#?}", plan.unknowns);
    plan
}

/// Judges with these outcomes and approvals by these people, and no trust score.
fn decided(plan: &Plan, outcomes: &[(&str, BundleOutcome)], people: &[&str]) -> Decision {
    let outcomes: BTreeMap<String, BundleOutcome> =
        outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect();
    let people = people.iter().map(|person| Agreement::of(person)).collect();
    decide(plan, &outcomes, &PastFacts::default(), &Agreed { people, ..Agreed::default() }, Trust::default())
}

fn wanting(decision: &Decision) -> Vec<&str> {
    decision.reasons.iter().map(|reason| reason.what.as_str()).collect()
}

const UNIT_FAILED: &[(&str, BundleOutcome)] = &[("unit", BundleOutcome::Failed)];
const UNIT_PASSED: &[(&str, BundleOutcome)] = &[("unit", BundleOutcome::Passed)];

#[test]
fn everything_that_a_rule_asks_for_after_the_run_is_asked_for_once_it_fires() {
    let rules = "
rule failing : tier 3
  after    the run
  when     any critical bundle failed
  require  approval 1 of team(reviewers), bundle(chaos), validation(behaves), ticket \"HOT-*\", rationale, story rollback_plan
  trust    at least 0.90
  limit    kpi(boot) at most 5 s
  upholds  SAFE
  intents  system.boot
  owner    team(governance)
  because  \"A failure is looked into.\"
";
    let plan = planned(rules, &edit(&["app/model.py"]), PastFacts::default());
    assert_eq!((plan.tier, plan.after_run.len()), (2, 1), "{plan:#?}");
    let calm = decided(&plan, UNIT_PASSED, &[]);
    assert_eq!((calm.answer, calm.tier), (Answer::Go, 2), "{calm:#?}");
    assert_eq!(calm.principles, ["SAFE"]);
    assert!(calm.intents.is_empty());
    let fired = decided(&plan, UNIT_FAILED, &[]);
    assert_eq!((fired.answer, fired.tier), (Answer::No, 3));
    // Its limit holds for the owner: of what nothing was measured is said beside it, and only if it fires.
    assert_eq!(plan.after_run[0].unknowns, ["kpi(boot)"]);
    assert!(calm.unknowns.is_empty() && calm.missing.is_empty(), "{calm:#?}");
    assert_eq!(fired.unknowns, ["kpi(boot)"]);
    assert_eq!(fired.missing["failing"], ["kpi(boot)"]);
    assert_eq!(fired.still_to_run, ["chaos"]);
    assert_eq!(fired.intents, ["system.boot"]);
    assert_eq!(
        wanting(&fired),
        [
            "bundle unit failed",
            "bundle chaos has not run",
            "rationale",
            "story rollback_plan",
            "ticket \"HOT-*\"",
            "trust at least 0.9: no score was measured",
            "validation behaves of model(\"mistral:7b\") has not run",
            "approval 1 of team(governance)",
            "approval 1 of team(reviewers)",
        ],
    );
}

#[test]
fn a_bundle_that_a_rule_wants_whole_after_the_run_is_not_done_by_a_narrowed_one() {
    let rules = "
rule some_chaos
  when    change touches path(\"app/**\")
  require bundle(chaos) narrowed to impacted tests
  because \"Some.\"
rule failing
  after   the run
  when    bundle(unit) failed
  require bundle(chaos)
  because \"All.\"
";
    let plan = planned(rules, &edit(&["app/core.py"]), PastFacts::default());
    let chaos = plan.after_run_bundles.iter().find(|bundle| bundle.name == "chaos");
    assert!(chaos.is_some_and(|bundle| !bundle.narrowed && bundle.selected.len() == 1), "{plan:#?}");
    let decision = decided(&plan, &[UNIT_FAILED[0], ("chaos", BundleOutcome::Passed)], &[]);
    assert!(wanting(&decision).contains(&"bundle chaos has run in part, and all of it is required"), "{decision:#?}");
    let calm = decided(&plan, &[UNIT_PASSED[0], ("chaos", BundleOutcome::Passed)], &[]);
    assert_eq!(calm.answer, Answer::Go, "{calm:#?}");
}

#[test]
fn what_one_rule_asks_for_makes_another_fire_whatever_their_order() {
    for (first, second) in [("a", "b"), ("b", "a")] {
        let rules = format!(
            "
rule {first}
  after   the run
  when    bundle(unit) failed
  require bundle(chaos)
  because \"More.\"
rule {second} : tier 3
  after   the run
  when    bundle(chaos) failed
  because \"Worse.\"
"
        );
        let plan = planned(&rules, &edit(&["app/core.py"]), PastFacts::default());
        let decision = decided(&plan, UNIT_FAILED, &[]);
        // It is to run, and nobody knows how it ends.
        assert_eq!(decision.tier, 3, "{decision:#?}");
        assert_eq!(decided(&plan, UNIT_PASSED, &[]).tier, 2);
    }
}

#[test]
fn a_denial_that_cannot_be_told_after_the_run_waits_for_those_it_names() {
    let rules = "
rule failing
  after   the run
  when    bundle(unit) failed
  deny    if unknown hold for approval 1 of team(reviewers)
  because \"Nothing fails.\"
";
    let plan = planned(rules, &edit(&["app/core.py"]), PastFacts::default());
    let failed = decided(&plan, UNIT_FAILED, &["bob@example.org"]);
    assert!(failed.answer == Answer::No && wanting(&failed).contains(&"denied by failing"), "{failed:#?}");
    let stopped: &[(&str, BundleOutcome)] = &[("unit", BundleOutcome::Cancelled)];
    assert_eq!(wanting(&decided(&plan, stopped, &[])), ["bundle unit was stopped", "approval 1 of team(reviewers)"]);
    assert_eq!(wanting(&decided(&plan, stopped, &["bob@example.org"])), ["bundle unit was stopped"]);
}

#[test]
fn an_undefined_name_in_a_rule_after_the_run_is_a_named_unknown_and_counts() {
    let mut bench = Bench::new();
    let rules = raw_book(&format!(
        "{VOCABULARY}
rule lost : tier 3
  after   the run
  when    operation is lint and any critical bundle failed
  require bundle(kaos)
  because \"x\"
"
    ));
    bench.set(&repository(), &edit(&["app/core.py"]), &rules);
    let plan = bench.engine.plan();
    assert_eq!(plan.rules.iter().find(|rule| rule.name == "lost").map(|rule| rule.outcome), Some(Outcome::AfterRun));
    assert!(plan.unknowns.iter().any(|unknown| unknown.name.contains("`kaos`")), "{:#?}", plan.unknowns);
    let decision = decided(&plan, UNIT_PASSED, &[]);
    assert_eq!((decision.tier, &decision.after_run[..]), (3, &[("lost".to_owned(), Truth::Unknown)][..]));
}

fn owners() -> PastFacts {
    let text: Arc<str> = Arc::from("/app/core.py @core\n/app/model.py @models\n");
    PastFacts { codeowners: Some(CodeOwners { path: Arc::from("CODEOWNERS"), text }), ..PastFacts::default() }
}

/// The names of the approvals, and of those among them.
fn asked(plan: &Plan) -> Vec<&str> {
    plan.approvals.iter().map(|approval| approval.name.as_str()).collect()
}

#[test]
fn owners_are_asked_by_a_line_of_tiers_for_each_changed_file_of_its_set() {
    let tiers = |set: &str| {
        VOCABULARY.replace(
            "2 internal   approve by rules ",
            &format!("2 internal   approve 1 of an owner of each file in {set}, else team(reviewers) "),
        )
    };
    let plan = |set: &str, after: &Files| {
        let mut bench = Bench::new();
        let input = Input { past: owners(), ..bench.input(&repository(), after, &book(&tiers(set))) };
        bench.engine.update(input);
        bench.engine.plan()
    };
    let both = edit(&["app/core.py", "app/model.py"]);
    assert_eq!(
        asked(&plan("path(\"app/**\")", &both)),
        ["1 of an owner of app/core.py", "1 of an owner of app/model.py"]
    );
    assert_eq!(asked(&plan("path(\"app/core.py\")", &both)), ["1 of an owner of app/core.py"]);
    // A file that nobody owns, and a set that nothing changed in, still ask somebody.
    assert_eq!(asked(&plan("tests", &edit(&["tests/chaos/test_chaos.py"]))), ["1 of team(reviewers)"]);
    assert_eq!(asked(&plan("path(\"web/**\")", &both)), ["1 of team(reviewers)"]);
}

#[test]
fn owners_are_asked_among_others_and_after_the_run() {
    let rules = "
rule pair
  when    change touches path(\"app/**\")
  require approval 2 of anyone, 1 of them of an owner of each file in path(\"app/**\")
  because \"Two, and each owner.\"
rule failing
  after   the run
  when    change touches path(\"app/**\") and any critical bundle failed
  require approval 1 of an owner of each file in path(\"app/**\"), else team(governance)
  because \"Owners look.\"
";
    let plan = planned(rules, &edit(&["app/core.py", "app/model.py"]), owners());
    assert_eq!(
        asked(&plan),
        ["2 of anyone, 1 of them of an owner of app/core.py, 1 of them of an owner of app/model.py"]
    );
    let all = |people: &[&str]| decided(&plan, UNIT_PASSED, people).answer;
    assert_eq!(all(&["@core", "alice@example.org"]), Answer::Hold);
    assert_eq!(all(&["@core", "@models"]), Answer::Go);
    let after: Vec<&str> = plan.after_run[0].approvals.iter().map(|approval| approval.name.as_str()).collect();
    // The outcome that is waited for hides no file.
    assert_eq!(after, ["1 of an owner of app/core.py", "1 of an owner of app/model.py"]);
    assert!(plan.after_run[0].approvals.iter().all(|approval| approval.by != Approver::Anyone));
}

#[test]
fn rates_count_runs_of_the_bundle_and_are_compared_without_rounding() {
    use BundleRun::{Failed, Flaky, Passed};
    let third = [Passed, Flaky, Passed].as_slice();
    let cases = [
        ("flaky rate over last 20 runs > 33.333 %", third, true),
        ("flaky rate over last 20 runs > 33.334 %", third, false),
        ("flaky rate over last 20 runs <= 33.333 %", third, false),
        ("flaky rate over last 4 runs = 25 %", &[Flaky, Passed, Failed, Passed, Flaky], true),
        ("pass rate over last 4 runs = 75 %", &[Failed, Passed, Passed, Flaky, Failed], true),
        ("pass rate over last 3 runs > 66.666 %", &[Passed, Flaky, Failed], true),
    ];
    for (test, runs, holds) in cases {
        let past = PastFacts { runs: BTreeMap::from([("unit".to_owned(), runs.to_vec())]), ..PastFacts::default() };
        let (rate, over) = test.split_once(" rate ").unwrap_or_default();
        let rules = format!(
            "rule afterwards : tier 3\n  after   the run\n  when    any required bundle has {test}\n  upholds SAFE\n  because \"It is watched.\"\n\
             rule before : tier 3\n  when    {rate} rate of bundle(unit) {over}\n  upholds SAFE\n  because \"It is watched.\"\n"
        );
        let plan = planned(&rules, &edit(&["app/core.py"]), past.clone());
        let outcomes = BTreeMap::from([("unit".to_owned(), BundleOutcome::Passed)]);
        let decision = decide(&plan, &outcomes, &past, &Agreed::default(), Trust::default());
        let truth = if holds { Truth::Yes } else { Truth::No };
        assert!(decision.after_run.contains(&("afterwards".to_owned(), truth)), "{test}: {:?}", decision.after_run);
        assert_eq!(plan.tier == 3, holds, "{test}");
    }
}

#[test]
fn a_bundle_may_be_called_as_a_keyword_is() {
    let rules = "
bundle critical
  tests   path(\"tests/chaos/**\")
  run     \"pytest\", \"{tests}\"
  timeout 60 s in all
rule more
  when    change touches all
  require bundle(critical)
  because \"More.\"
rule failing : tier 3
  after   the run
  when    bundle(critical) failed
  because \"That one failed.\"
";
    let plan = planned(rules, &edit(&["app/core.py"]), PastFacts::default());
    let ends = |unit, critical| decided(&plan, &[("unit", unit), ("critical", critical)], &[]).tier;
    // `unit` is critical, and the rule does not ask for it.
    assert_eq!(ends(BundleOutcome::Failed, BundleOutcome::Passed), 2);
    assert_eq!(ends(BundleOutcome::Passed, BundleOutcome::Failed), 3);
}

#[test]
fn what_is_missing_for_a_rule_after_the_run_is_named() {
    let rules = book(&format!(
        "{VOCABULARY}
rule slow : tier 3
  after   the run
  when    bundle(unit) failed or kpi(boot) > 5 s
  because \"x\"
rule not_asked : tier 3
  after   the run
  when    bundle(unit) failed or (change touches none and branch \"release/*\")
  because \"x\"
rule wavers : tier 3
  after   the run
  when    bundle(chaos) failed or any required bundle has flaky rate over last 20 runs > 5 % or trust below minimum
  trust   at least 0.9
  because \"x\"
"
    ));
    let mut bench = Bench::new();
    bench.set(&repository(), &edit(&["app/core.py"]), &rules);
    let plan = bench.engine.plan();
    let unknowns: Vec<(&str, &str)> = plan
        .unknowns
        .iter()
        .flat_map(|unknown| unknown.derivation.iter().map(|reason| (unknown.name.as_str(), reason.rule.as_str())))
        .collect();
    assert_eq!(unknowns, [("kpi(boot)", "slow")], "{:#?}", plan.unknowns);
    let decision = decided(&plan, UNIT_PASSED, &[]);
    assert_eq!(
        decision.unknowns,
        ["flaky rate of bundle(unit) over last 20 runs", "kpi(boot)", "the trust score"],
        "{decision:#?}"
    );
    let stopped = decided(&plan, &[("unit", BundleOutcome::Cancelled)], &[]);
    assert!(stopped.unknowns.contains(&"how bundle unit ends".to_owned()), "{:?}", stopped.unknowns);
}

#[test]
fn trust_that_is_too_low_is_escalated_where_the_score_holds_and_a_rule_asks_people() {
    let rules = "
rule trusted
  when     change touches path(\"app/**\")
  trust    at least 0.90
  because  \"Trust.\"
rule doubted : tier 3
  after    the run
  when     trust below minimum
  require  approval 1 of team(reviewers)
  because  \"Somebody looks at it.\"
";
    let plan = planned(rules, &edit(&["app/model.py"]), PastFacts::default());
    let judged = |score, below_holds, people: &[&str]| {
        let people = people.iter().map(|person| Agreement::of(person)).collect();
        let agreed = Agreed { people, ..Agreed::default() };
        let outcomes = UNIT_PASSED.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect();
        decide(&plan, &outcomes, &PastFacts::default(), &agreed, Trust { score, below_holds })
    };
    assert_eq!(judged(Some(900), true, &[]).answer, Answer::Go);
    let low = judged(Some(800), true, &[]);
    assert_eq!((low.answer, low.tier), (Answer::Hold, 3));
    assert!(low.missing_approvals.contains(&"1 of team(reviewers)".to_owned()), "{low:#?}");
    let everybody = ["gwen", "rita", "rob", "goran"];
    let agreed = judged(Some(800), true, &everybody);
    assert!(!wanting(&agreed).iter().any(|reason| reason.contains("trust")), "{agreed:#?}");
    // A score that rejects is lifted by nobody, and one that is not known is none.
    assert_eq!(judged(Some(800), false, &everybody).answer, Answer::No);
    assert!(wanting(&judged(None, true, &everybody)).iter().any(|reason| reason.contains("no score was measured")));
}
