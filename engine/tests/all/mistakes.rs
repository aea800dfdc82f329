//! What `check` calls an error makes every plan tier 3 and names an unknown, wherever in the book it stands (law 4).
#![expect(clippy::disallowed_methods, reason = "the corpus is a folder of texts beside the tests of the language")]

use std::path::Path;
use std::sync::Arc;

use grace_dsl::{Role, Severity, SourceFile};
use grace_engine::input::{Book, BookFile, Input, VerifiedBot};
use grace_engine::plan::Plan;

use crate::support::{Bench, files, raw_book, with};

/// Rules that are right and ask little of the change below.
const SOUND: &str = r#"
module here
tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules       for any other change
  3 sensitive  approve 1 of team(leads)

team leads members "a@x"
"#;

fn plan_with(files_of_book: &[(&str, Role)]) -> Plan {
    let files_of_book = files_of_book.iter().enumerate().map(|(at, (text, role))| BookFile {
        path: Arc::from(format!("grace/{at}.grace")),
        text: Ok(Arc::from(*text)),
        role: *role,
    });
    plan_of(Book { files: files_of_book.collect() })
}

fn plan_of(rules: Book) -> Plan {
    let mut bench = Bench::new();
    let before = files(&[("app/a.py", "def f():\n    return 1\n")]);
    let after = with(&before, "app/a.py", "def f():\n    return 2\n");
    bench.set(&before, &after, &rules);
    bench.engine.plan()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.unknowns.iter().map(|unknown| unknown.name.as_str()).collect()
}

#[test]
fn the_rules_of_these_tests_are_right() {
    let plan = plan_with(&[(SOUND, Role::Own)]);
    assert_eq!((plan.tier, names(&plan)), (2, Vec::new()));
}

#[test]
fn each_malformed_text_makes_the_plan_tier_3_and_is_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dsl/tests/malformed");
    let entries = std::fs::read_dir(folder).expect("the corpus is there");
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "grace"));
    paths.sort();
    assert!(paths.len() >= 50, "{}", paths.len());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("the text can be read");
        let parsed = grace_dsl::parse(&text);
        let sources = [SourceFile { path: "grace/0.grace", text: &text, parsed: &parsed, role: Role::Own }];
        let errors = grace_dsl::check(&sources).iter().filter(|found| found.severity == Severity::Error).count();
        let plan = plan_with(&[(&text, Role::Own)]);
        assert!(errors > 0, "{} is not wrong", path.display());
        assert_eq!(plan.tier, 3, "{}", path.display());
        let told = plan.unknowns.iter().flat_map(|unknown| &unknown.derivation).filter(|reason| {
            reason.rule == "built-in broken_rule" && reason.file == "grace/0.grace" && reason.line > 0
        });
        assert!(told.count() > 0, "{}: {:#?}", path.display(), plan.unknowns);
    }
}

#[test]
fn a_mistake_that_parses_is_named_with_its_place() {
    let told = |text: &str| {
        let plan = plan_with(&[(SOUND, Role::Own), (text, Role::Own)]);
        assert_eq!(plan.tier, 3, "{text}");
        names(&plan).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for (text, fact) in [
        (
            "family layer values low\ntag layer(low) on all\ntag layer(lwo) on all",
            "`layer` has no value `lwo` at grace/1.grace:3",
        ),
        ("define a = all\ndefine a = none", "there are two sets named `a` at grace/1.grace:2"),
        ("define a = models\ntag t on a", "a set of models stands where a set of code is needed at grace/1.grace:2"),
        ("adopt nowhere", "unknown module `nowhere` at grace/1.grace:1"),
        ("use nowhere", "unknown module `nowhere` at grace/1.grace:1"),
        ("define a = models where bias_risk > 3", "`bias_risk` is one of a few words at grace/1.grace:1"),
        ("define a = b\ndefine b = a", "`a` is defined by itself: `a` → `b` → `a` at grace/1.grace:1"),
        (
            "bundle b\n  tests all\n  run \"x\"\n  timeout 5 %",
            "a timeout is a duration, not a share in `%` at grace/1.grace:4",
        ),
        ("kpi k\n  better sideways\n  from spans", "`better` does not take this value at grace/1.grace:2"),
        ("principle P says \"x\"", "no rule upholds `P` at grace/1.grace:1"),
    ] {
        let names = told(text);
        assert!(names.iter().any(|name| name == fact), "{names:#?}");
    }
}

#[test]
fn a_mistake_in_an_adopted_pack_counts_and_its_notes_do_not() {
    let pack = "module pack\ndefine a = tag(nothing)\n";
    let plan = plan_with(&[(SOUND, Role::Own), (pack, Role::Adopted)]);
    assert_eq!((plan.tier, names(&plan)), (3, vec!["unknown tag `nothing` at grace/1.grace:2"]));
    let idle = "module pack\nprinciple P says \"x\"\n";
    let plan = plan_with(&[(SOUND, Role::Own), (idle, Role::Adopted)]);
    assert_eq!((plan.tier, names(&plan)), (2, Vec::new()));
}

#[test]
fn a_rule_with_a_mistake_asks_for_what_it_asks_though_its_condition_does_not_hold() {
    let rule = "rule r : tier 2\n  when change touches path(\"else/**\") and lines changed in all > 5 ms\n  require approval 2 of anyone\n  because \"x\"";
    let plan = plan_with(&[(SOUND, Role::Own), (rule, Role::Own)]);
    let approvals: Vec<&str> = plan.approvals.iter().map(|approval| approval.name.as_str()).collect();
    assert_eq!(approvals, ["2 of anyone", "1 of team(leads)"]);
}

#[test]
fn a_fingerprint_that_cannot_be_read_is_tier_3_and_a_named_unknown_and_many_are_counted() {
    for (unread, unknowns, last) in [
        (1, 1, "the fingerprint grace/fingerprints/000.yaml (line 1: no YAML)"),
        (500, 21, "the fingerprint grace/fingerprints/019.yaml (line 1: no YAML)"),
    ] {
        let mut bench = Bench::new();
        let before = files(&[("app/a.py", "def f():\n    return 1\n")]);
        let after = with(&before, "app/a.py", "def f():\n    return 2\n");
        let mut input = bench.input(&before, &after, &raw_book(SOUND));
        for at in 0..unread {
            input.past.unread_models.insert(format!("grace/fingerprints/{at:03}.yaml"), "line 1: no YAML".to_owned());
        }
        bench.engine.update(input);
        let plan = bench.engine.plan();
        assert_eq!((plan.tier, plan.unknowns.len()), (3, unknowns));
        assert!(plan.unknowns.iter().all(|unknown| unknown.decides_tier));
        assert!(names(&plan).contains(&last), "{:?}", names(&plan));
        assert_eq!(names(&plan).contains(&"480 more fingerprints, from grace/fingerprints/020.yaml on"), unread > 20);
    }
}

#[test]
fn many_mistakes_are_counted_and_the_first_are_named() {
    let many: String = (0..500).map(|at| format!("define d{at} = tag(nothing)\n")).collect();
    let plan = plan_with(&[(SOUND, Role::Own), (&many, Role::Own)]);
    assert_eq!((plan.tier, plan.unknowns.len()), (3, 101));
    assert!(names(&plan).contains(&"400 more mistakes in the rules, from grace/1.grace:101 on"));
}

#[test]
fn no_waiver_is_in_force_in_a_book_with_a_mistake() {
    let rule = r#"
rule r : tier 2
  when     change touches all
  require  approval 2 of anyone
  because  "x"
waiver w of r for all
  waives   approval
  granted by team(leads) until 2099-01-01
  because  "x"
"#;
    let approvals = |more: &str| {
        let mut bench = Bench::new();
        let before = files(&[("app/a.py", "def f():\n    return 1\n")]);
        let after = with(&before, "app/a.py", "def f():\n    return 2\n");
        let mut input: Input = bench.input(&before, &after, &raw_book(&format!("{SOUND}{rule}{more}")));
        input.past.grants.insert("w".to_owned());
        bench.engine.update(input);
        bench.engine.plan().approvals.iter().map(|approval| approval.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(approvals(""), [""; 0]);
    assert_eq!(approvals("define a = tag(nothing)\n"), ["2 of anyone", "1 of team(leads)"]);
}

/// The plan of an edit of `app/a.py` that adds `secrets/a`, under sound rules and these.
fn planned(more: &str, declare: impl FnOnce(&mut Input)) -> grace_engine::plan::Plan {
    let mut bench = Bench::new();
    let before = files(&[("app/a.py", "def f():\n    return 1\n")]);
    let after = with(&with(&before, "app/a.py", "def f():\n    return 2\n"), "secrets/a", "x\n");
    let mut input: Input = bench.input(&before, &after, &raw_book(&format!("{SOUND}{more}")));
    declare(&mut input);
    bench.engine.update(input);
    bench.engine.plan()
}

#[test]
fn a_state_that_or_joins_to_a_model_denies_by_either() {
    let rule = r#"
rule state : tier 3
  always when any of models used by all has commercial_use not allowed or count(path("secrets/**")) > 0
  deny
  because  "x"
"#;
    let denied: Vec<_> = planned(rule, |_| ()).denials.into_iter().map(|denial| denial.name).collect();
    assert_eq!(denied, ["state"]);
}

#[test]
fn a_forbid_with_a_mistake_waits_for_its_owner() {
    let rule = r#"
forbid edges
  imports  from path("app/**") to tag(nope)
  owner    team(leads)
  because  "x"
"#;
    let approvals: Vec<_> = planned(rule, |_| ()).approvals.into_iter().map(|approval| approval.name).collect();
    assert_eq!(approvals, ["1 of team(leads)"]);
}

#[test]
fn a_waiver_is_not_in_force_by_what_a_change_leaves_unsaid() {
    let rule = r#"
rule r : tier 2
  when     change touches all
  require  approval 2 of anyone
  because  "x"
waiver w of r for all
  waives   approval
  when     not branch "release/*" and not operation is update_model and not ticket "HOT-*"
  granted by team(leads) until 2099-01-01
  because  "x"
"#;
    let plan = planned(rule, |input| {
        input.past.grants.insert("w".to_owned());
        input.declared.branch = Some("main".to_owned());
    });
    assert!(plan.approvals.iter().any(|approval| approval.name == "2 of anyone"), "{:?}", plan.approvals);
}

#[test]
fn where_nobody_looked_for_a_bot_nothing_is_taken_from_that() {
    let rules = r#"
rule people : tier 3
  when     not actor is verified bot("renovate")
  because  "x"
rule two
  when     change touches all
  require  approval 2 of anyone
  because  "x"
waiver w of two for all
  waives   approval
  when     not actor is verified bot("renovate")
  granted by team(leads) until 2099-01-01
  because  "x"
"#;
    let by = |bot: VerifiedBot| {
        let plan = planned(rules, |input| {
            input.past.grants.insert("w".to_owned());
            input.declared.verified_bot = bot;
        });
        let waived = !plan.approvals.iter().any(|approval| approval.name == "2 of anyone");
        (plan.tier, waived, names(&plan).into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let unknown = vec!["whether actor is verified bot(\"renovate\")".to_owned()];
    assert_eq!(by(VerifiedBot::NotLookedAt), (3, false, unknown));
    assert_eq!(by(VerifiedBot::Nobody), (3, true, Vec::new()));
    assert_eq!(by(VerifiedBot::Bot("renovate".to_owned())), (2, false, Vec::new()));
}
