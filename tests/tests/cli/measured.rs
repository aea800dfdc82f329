//! What was measured after a deployment is asked of by rules, stands in decisions, and is the same when they are derived again.

use grace_system::clock;
use serde_json::Value;

use crate::drift::{Bench, RULES};

fn rules() -> String {
    RULES.replace(
        "drift heal_regression on heal",
        "rule heals_badly : tier 2\n  when     kpi(heal) < 80 %\n  because  \"x\"\n\n\
         rule healed_badly : tier 2\n  when     kpi(heal) mean over 4 h < 80 %\n  because  \"x\"\n\n\
         rule never_known : tier 2\n  when     kpi(heal) mean over 30 d < 80 %\n  because  \"x\"\n\ndrift heal_regression on heal",
    )
}

fn outcomes(plan: &Value) -> Vec<(String, String)> {
    let rules = plan["rules"].as_array().unwrap().iter();
    let of = |rule: &Value| (rule["name"].as_str().unwrap().to_owned(), rule["outcome"].as_str().unwrap().to_owned());
    rules.map(of).filter(|(name, _)| name.contains("heal") && !name.contains("raised")).collect()
}

#[test]
fn rules_ask_for_what_was_judged_last_and_not_for_what_is_old() {
    // Without the long span, whose value is never known, the bare name answers.
    let rules = rules().replace("kpi(heal) mean over 30 d", "kpi(heal) min over 4 h");
    let bench = Bench::deployed(&rules);
    bench.push(0..1, 190);
    bench.push(1..6, 140);
    let plan = |at: &str| -> Vec<String> {
        let said = bench.run(&format!("plan --base HEAD~1 --head HEAD --as-of {at} --format json"), "");
        outcomes(&serde_json::from_str(&said.stdout).unwrap()).into_iter().map(|(_, outcome)| outcome).collect()
    };
    assert_eq!(plan("2026-06-10T01:00:00Z"), ["unknown"; 2], "nothing is judged yet");
    bench.collect(1, 0);
    assert_eq!(plan("2026-06-10T01:00:00Z"), ["unknown"; 2], "one hour of four, so that the bare name is silent too");
    bench.collect(6, 0);
    assert_eq!(plan("2026-06-10T06:00:00Z"), ["fires"; 2]);
    // As of then, the hours after it are not known.
    assert_eq!(plan("2026-06-10T01:30:00Z"), ["unknown"; 2]);
    assert_eq!(plan("2026-06-11T07:00:00Z"), ["unknown"; 2], "a day later it is old");
    // A change that defines the measure anew does not choose what is read.
    bench.repo.write("grace/rules.grace", &rules.replace("unit    percent", "unit    one"));
    let said = bench.run("plan --as-of 2026-06-10T06:00:00Z --format json", "");
    let anew = outcomes(&serde_json::from_str(&said.stdout).unwrap());
    assert!(anew.iter().all(|(_, outcome)| outcome == "unknown"), "{anew:?}");
}

#[test]
fn a_decision_by_measured_values_and_raises_is_derived_again_as_it_was() {
    let deployed = clock::now().as_second() / 3600 * 3600 - 6 * 3600;
    let bench = Bench::changed(&rules());
    let points: String = (-48..6)
        .map(|hour| format!("{} {}/200\n", deployed + hour * 3600 + 60, if hour < 1 { 190 } else { 140 }))
        .collect();
    assert_eq!(bench.run("drift push heal", &points).code, Some(0));
    let at = clock::from_microsecond(deployed * 1_000_000).unwrap();
    let said = bench.run(&format!("drift deploy --base HEAD~1 --head HEAD --at {at}"), "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(bench.run("drift collect", "").code, Some(0));
    bench.repo.edit_kernel();
    bench.repo.commit("kernel");
    let said = bench.run("gate --base HEAD~1 --head HEAD --format json", "");
    assert!(said.code.is_some_and(|code| code <= 2), "{}", said.stderr);
    let decisions = bench.repo.recorded_as("decision");
    let inputs = &decisions.last().unwrap()["inputs"];
    assert_eq!(inputs["raises"].as_array().map(Vec::len), Some(1), "{inputs:#?}");
    assert_eq!(inputs["kpis"]["heal mean over 4 h"], 70_000, "{inputs:#?}");
    // What is measured and raised now is another thing.
    std::fs::remove_dir_all(bench.repo.path.join(".git/grace/raises")).unwrap();
    let said = bench.run("audit replay --all --format json", "");
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.code, &report["differ"]), (Some(0), &0.into()), "{report:#?}");
    assert!(report["equal"].as_u64().unwrap() >= 2, "{report:#?}");
}

#[test]
fn a_follow_up_names_the_story_of_the_change_that_was_deployed() {
    let bench = Bench::changed(RULES);
    bench.push(-48..0, 190);
    let said = bench.run("run --base HEAD~1 --head HEAD", "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let list = |line: &str| -> Value { serde_json::from_str(&bench.run(line, "").stdout).unwrap() };
    let original = list("story list --format json")["stories"][0]["id"].as_u64().unwrap();
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(bench.repo.recorded_as("deployment")[0]["story"], original);
    bench.push(0..1, 190);
    bench.push(1..4, 140);
    bench.collect(4, 0);
    let stories = bench.repo.recorded_as("story");
    let [first, follow_up] = stories.as_slice() else { panic!("{stories:#?}") };
    let field = |story: &Value, name: &str| story["fields"][name]["value"].clone();
    for name in ["summary", "telemetry_incident"] {
        let text = field(follow_up, name).to_string();
        assert!(text.contains(&format!("story {original}")), "{text}");
    }
    assert_eq!((field(follow_up, "files"), &follow_up["about"]), (field(first, "files"), &first["about"]));
    let incident = &bench.repo.recorded_as("incident")[0];
    assert_eq!(incident["story"], original);
}
