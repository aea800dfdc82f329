//! `drift test`: a rule is tried on a past before it is trusted.

use serde_json::Value;

use crate::support::{Repo, Said};

const RULES: &str = r#"module project.rules

kpi latency
  better  lower
  unit    ms
  from    push

drift slow on latency
  watch    every 1 h for 24 h after deployment
  alert    worse by more than 20 % of baseline
  because  "Slow is broken."

drift bare on latency
  watch    every 1 h for 24 h after deployment
  alert    worse by more than 20 % of baseline
  method   seed
  because  "To compare."

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
"#;

fn history(hours: i64) -> Repo {
    let repo = Repo::project();
    repo.write("grace/rules.grace", RULES);
    let mut lines = String::from("ts,value\n");
    for hour in 0..hours {
        // A quarter up or down, the same in every run.
        let noise = (hour * 7919 % 101) as f64 / 100.0 - 0.5;
        lines.push_str(&format!("{},{:.3}\n", 1_781_049_600 + hour * 3600, 100.0 * (1.0 + noise / 2.0)));
    }
    repo.write("history.csv", &lines);
    repo
}

fn test(repo: &Repo, line: &str) -> Said {
    repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {})
}

#[test]
fn a_rule_that_cries_wolf_is_told_from_one_that_does_not() {
    let repo = history(14 * 24);
    let said = test(&repo, "drift test slow --history history.csv");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.starts_with("slow would have cried wolf in 0 of "), "{}", said.stdout);
    assert!(said.stdout.contains("smallest change that is found 4 times in 5: ×1.3"), "{}", said.stdout);
    let bare = test(&repo, "drift test bare --history history.csv --format json");
    assert_eq!(bare.code, Some(1), "{}{}", bare.stdout, bare.stderr);
    let bare: Value = serde_json::from_str(&bare.stdout).unwrap();
    assert!(bare["false_alarms"].as_f64().unwrap() > 0.4 && bare["within_budget"] == false, "{bare}");
}

#[test]
fn a_rule_does_not_pass_on_a_few_watches() {
    let repo = history(8 * 24);
    let said = test(&repo, "drift test slow --history history.csv --format json");
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let watches = report["watches"].as_u64().unwrap();
    assert!((1..20).contains(&watches) && report["enough"] == false, "{report}");
    assert_eq!(said.code, Some(2), "{report}");
    assert!(report["at_most"].as_f64().unwrap() > 0.15, "{report}");
    assert!(test(&repo, "drift test slow --history history.csv").stdout.contains("fewer than 20 watches"));
}

#[test]
fn what_cannot_be_tried_is_said_with_what_to_do() {
    let repo = history(4 * 24);
    for (line, says) in [
        ("drift test slow --history history.csv", "could be judged"),
        ("drift test other --history history.csv", "no drift rule in force is named"),
        ("drift test slow --history history.txt", "history.txt"),
        ("drift test slow --history history.csv --value other", "other"),
    ] {
        let said = test(&repo, line);
        assert_eq!(said.code, Some(2), "{line}: {}{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(says), "{line}: {}", said.stderr);
    }
}
