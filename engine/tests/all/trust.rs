//! Trust: what the rules count, what cannot be told, and what follows a score below the minimum.

use std::collections::BTreeMap;

use grace_engine::decide::{Agreed, Answer, BundleOutcome, decide};
use grace_engine::input::{BundleRun, PastFacts};
use grace_engine::trust::{Reading, count};

use crate::support::{Bench, Files, book, files, with};

const RULES: &str = r#"
bundle unit  critical
  tests   path("tests/**")
  run     "pytest", "{tests}"
  timeout 60 s in all
bundle lint
  tests   none
  run     "lint"
  timeout 60 s in all
  may be empty
tiers
  1 safe       approve automatically  for change only in comments
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of anyone    for operations change_security
rule all_tests
  when    change touches all
  require bundle(unit), bundle(lint)
  trust   at least 0.75
  because "Tests run."
forbid core_alone
  imports  from path("app/core.py") to path("app/ui.py")
  existing listed, may only shrink
  because  "The core knows no screens."
"#;

const SCORE: &str = "trust_score
  start 1.0
  lose  0.5 when any critical bundle failed
  lose  0.3 when bundle(lint) failed
  lose  0.2 per contract violation
  below reject
";

fn repository(imports: bool) -> Files {
    let import = if imports { "from app.ui import show\n\n\n" } else { "" };
    files(&[
        ("app/__init__.py", ""),
        ("app/ui.py", "def show():\n    return 1\n"),
        ("app/core.py", &format!("{import}def work():\n    return 1\n")),
        ("tests/test_core.py", "from app.core import work\n\n\ndef test_work():\n    assert work()\n"),
    ])
}

/// The reading and the answer for a score, with outcomes; `imports` = the change brings a forbidden import.
fn read(
    score: &str,
    imports: bool,
    outcomes: &[(&str, BundleOutcome)],
    past: &PastFacts,
) -> (Option<Reading>, Answer, String) {
    let (before, after) = (repository(false), repository(imports));
    let after = with(&after, "app/core.py", &after["app/core.py"].replace("return 1", "return 2"));
    let rules = book(&format!("{RULES}{score}"));
    let mut bench = Bench::new();
    bench.set(&before, &after, &rules);
    let plan = bench.engine.plan();
    let outcomes: BTreeMap<String, BundleOutcome> =
        outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect();
    let reading = count([&rules], &plan, &outcomes, past);
    let trust = reading.as_ref().map(Reading::trust).unwrap_or_default();
    let decision = decide(&plan, &outcomes, past, &Agreed::default(), trust);
    let why: Vec<String> = decision.reasons.into_iter().map(|reason| reason.what).collect();
    (reading, decision.answer, why.join("; "))
}

#[test]
fn trust_is_lost_by_what_failed_and_by_what_is_forbidden() {
    use BundleOutcome::{Cancelled, Failed, Flaky, Passed};
    let past = PastFacts::default();
    let score = |imports, outcomes: &[(&str, BundleOutcome)]| read(SCORE, imports, outcomes, &past).0.unwrap().score;
    assert_eq!(score(false, &[("unit", Passed), ("lint", Flaky)]), Some(1000));
    assert_eq!(score(false, &[("unit", Failed), ("lint", Passed)]), Some(500));
    assert_eq!(score(false, &[("unit", Failed), ("lint", Failed)]), Some(200));
    assert_eq!(score(true, &[("unit", Passed), ("lint", Passed)]), Some(800));
    assert_eq!(score(true, &[("unit", Failed), ("lint", Failed)]), Some(0));
    // What has not come to an end makes it unknown, not high.
    assert_eq!(score(false, &[("unit", Cancelled), ("lint", Passed)]), None);
    assert_eq!(score(false, &[("unit", Passed)]), None);
    let (_, answer, why) = read(SCORE, false, &[("unit", Passed), ("lint", Failed)], &past);
    assert!(answer == Answer::No && why.contains("trust 0.7 is below 0.75"), "{why}");
    let (_, answer, why) = read(SCORE, false, &[("unit", Passed)], &past);
    assert!(answer == Answer::Hold && why.contains("trust at least 0.75: no score was measured"), "{why}");
    let (_, answer, why) = read(SCORE, false, &[("unit", Passed), ("lint", Passed)], &past);
    assert_eq!((answer, why.as_str()), (Answer::Go, ""));
    // No score at all is none, whatever is asked for.
    assert_eq!(read("", false, &[("unit", Passed), ("lint", Passed)], &past).1, Answer::Hold);
}

#[test]
fn history_counts_where_the_rules_say_so_and_the_lowest_score_is_the_score() {
    use BundleOutcome::Passed;
    let outcomes = [("unit", Passed), ("lint", Passed)];
    let wavering = "trust_score\n  start 0.9\n  lose 0.2 when pass rate of bundle(unit) over last 4 runs below 80 %\n  lose 0.3 when flaky rate of bundle(unit) over last 4 runs above 20 %\n  below hold\n";
    let with_runs = |runs: &[BundleRun]| PastFacts {
        runs: BTreeMap::from([("unit".to_owned(), runs.to_vec())]),
        ..PastFacts::default()
    };
    let score = |rules: &str, past: &PastFacts| read(rules, false, &outcomes, past).0.unwrap().score;
    use BundleRun::{Failed, Flaky};
    let runs = |all: &[BundleRun]| with_runs(all);
    assert_eq!(score(wavering, &runs(&[BundleRun::Passed; 4])), Some(900));
    assert_eq!(score(wavering, &runs(&[BundleRun::Passed, Failed, BundleRun::Passed, BundleRun::Passed])), Some(700));
    assert_eq!(score(wavering, &runs(&[Flaky; 4])), Some(600), "a run that passed on retry is a pass, and flaky");
    assert_eq!(score(wavering, &PastFacts::default()), None);
    let (_, answer, _) = read(wavering, false, &outcomes, &runs(&[Failed; 4]));
    assert_eq!(answer, Answer::Hold);
    let both = format!("{SCORE}{wavering}");
    assert_eq!(score(&both, &runs(&[BundleRun::Passed; 4])), Some(900));
    assert_eq!(score(&both, &PastFacts::default()), None, "one that cannot be told is below all others");
}
