//! `run --reruns` and `drift trends`: flaky told from broken, and what moved.

use crate::support::Repo;

#[test]
fn what_failed_is_run_again_and_flaky_is_told_from_broken() {
    let repo = Repo::project();
    let count = repo.path.with_file_name("count");
    repo.write(
        "tests/test_more.py",
        &format!(
            "import pathlib\n\n\ndef test_broken():\n    assert False\n\n\ndef test_wavers():\n    \
             count = pathlib.Path(r'{}')\n    seen = len(count.read_text()) if count.exists() else 0\n    \
             count.write_text('x' * (seen + 1))\n    assert seen % 2\n",
            count.display()
        ),
    );
    assert_eq!(repo.run(&["drift", "trends"], None, |_| {}).code, Some(2), "nothing is recorded");
    let said = repo.run(&["run", "--all", "--reruns", "2", "--format", "json"], None, |_| {});
    assert_eq!(said.code, Some(1), "a rerun changes no outcome: {}", said.stderr);
    let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let of = |name: &str| {
        let all = report["reruns"].as_array().unwrap();
        let one = all.iter().find(|one| one["test"].as_str().unwrap().ends_with(name)).unwrap();
        (one["state"].as_str().unwrap().to_owned(), one["runs"].as_u64().unwrap(), one["passed"].as_u64().unwrap())
    };
    assert_eq!(of("::test_broken"), ("broken".to_owned(), 3, 0));
    assert_eq!(of("::test_wavers"), ("flaky".to_owned(), 3, 1));
    // Only what had failed is run again, and it is recorded apart.
    let reruns = repo.recorded_as("rerun");
    assert_eq!(reruns.len(), 2);
    assert!(reruns.iter().all(|rerun| rerun["tests"].as_array().unwrap().len() == 2), "{reruns:#?}");
    assert_eq!(repo.recorded_as("bundle").len(), report["bundles"].as_array().unwrap().len());
    let said = repo.run(&["drift", "trends"], None, |_| {});
    assert_eq!(said.code, Some(1));
    let date = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d").unwrap();
    insta::assert_snapshot!("trends", date.replace_all(&said.snapshot(&repo.path), "DATE"));
    let report = repo.json("drift trends");
    assert_eq!(report["bundles"][0]["failing"]["unknown"], "1 of 16 runs");
    assert_eq!(report["bundles"][0]["failing"]["level"], serde_json::Value::Null);
    // Screens of a run say it as well.
    let said = repo.run(&["run", "--all", "--reruns", "1"], None, |_| {});
    assert!(said.stdout.contains("run again in the same tree"), "{}", said.stdout);
    assert!(repo.run(&["run", "--reruns", "21"], None, |_| {}).code == Some(2));
}
