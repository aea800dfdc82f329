//! The database as a projection of the ledger: rules that read the past, what is rebuilt, and what is exported.

use std::fs;
use std::path::Path;

use grace_ledger::SecretKey;
use serde_json::{Value, json};

use crate::support::Repo;

/// The rows of each table.
fn rows(report: &Value) -> Vec<(String, u64)> {
    let tables = report["tables"].as_array().unwrap().iter();
    tables.map(|row| (row["table"].as_str().unwrap().to_owned(), row["rows"].as_u64().unwrap())).collect()
}

/// The bytes of every exported table.
fn exported(repo: &Repo) -> Vec<(String, Vec<u8>)> {
    let to = repo.path.with_file_name("tables");
    assert_eq!(repo.json(&format!("store export --to {}", to.display()))["exported"], to.display().to_string());
    let mut files: Vec<_> = fs::read_dir(&to).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file: &Path| (file.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(file).unwrap());
    files.iter().map(|file| read(file)).collect()
}

#[test]
fn the_database_is_made_again_to_the_byte_by_the_ledger_alone() {
    let repo = Repo::edited();
    repo.run(&["run"], None, |_| {});
    repo.run(&["gate", "--worktree"], None, |_| {});
    repo.write("app/core/kernel.py", "class Kernel:\n    def start(self):\n        return 2\n");
    repo.run(&["run"], None, |_| {});
    let grown = exported(&repo);
    assert_eq!(grown.len(), 12);
    let report = repo.json("store rebuild");
    let expected = [
        ("records", 12),
        ("runs", 2),
        ("plans", 2),
        ("bundle_outcomes", 2),
        ("test_outcomes", 2),
        ("selections", 0),
        ("decisions", 1),
        ("approvals", 0),
        ("stories", 2),
        ("probes", 0),
        ("deployments", 0),
        ("checks", 0),
    ];
    assert_eq!(rows(&report), expected.map(|(table, rows)| (table.to_owned(), rows)));
    assert!(exported(&repo) == grown, "rebuilt");
    // A run takes in what others left out, however little is there.
    fs::remove_file(repo.path.join(".git/grace/store.duckdb")).unwrap();
    repo.run(&["run"], None, |_| {});
    assert_eq!(rows(&repo.json("store rebuild"))[1], ("runs".to_owned(), 3));
    insta::assert_snapshot!("store_rebuild", repo.grace("store rebuild"));
}

#[test]
fn ledgers_of_several_machines_are_read_together_with_their_keys_alone() {
    let (repo, other) = (Repo::edited(), Repo::edited());
    repo.run(&["run"], None, |_| {});
    other.run(&["run"], None, |_| {});
    let theirs = other.path.join(".git/grace/ledger");
    let also = format!("store rebuild --also {}", theirs.display());
    let said = repo.run(&also.split(' ').collect::<Vec<_>>(), None, |_| {});
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{}", said.stderr);
    assert!(said.stderr.contains("error[ledger]: the checkpoint of `grace-rules/repo/"), "{}", said.stderr);
    assert!(said.stderr.contains("name the key that you trust"), "{}", said.stderr);
    let key = SecretKey::load(&other.path.with_file_name("ledger.key")).unwrap().public();
    let file = repo.path.with_file_name("theirs.pub");
    fs::write(&file, key.text("theirs")).unwrap();
    let report = repo.json(&format!("{also} --key {}", file.display()));
    assert_eq!(rows(&report)[1], ("runs".to_owned(), 2));
    let records: Vec<_> = report["ledgers"].as_array().unwrap().iter().map(|of| of["records"].clone()).collect();
    assert_eq!(records, [json!(6), json!(6)]);
    // What comes later is taken in beside them.
    repo.run(&["run"], None, |_| {});
    assert_eq!(rows(&repo.json("store export"))[1], ("runs".to_owned(), 3));
    assert_eq!(rows(&repo.json("store rebuild"))[1], ("runs".to_owned(), 2));
    let own = format!("store rebuild --also {}", repo.path.join(".git/grace/ledger").display());
    let said = repo.run(&own.split(' ').collect::<Vec<_>>(), None, |_| {});
    assert!(said.stderr.contains("is given twice"), "{}", said.stderr);
    assert_eq!(said.code, Some(2));
    let none = Repo::project();
    for verb in ["rebuild", "export"] {
        let said = none.run(&["store", verb], None, |_| {});
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains("there is no ledger here"), "{}", said.stderr);
    }
    // Who has no ledger may read those of others.
    let report = none.json(&format!("{also} --key {} --since 2100-01-01", file.display()));
    assert_eq!(rows(&report)[..4].iter().map(|(_, rows)| *rows).collect::<Vec<_>>(), [6, 1, 0, 1]);
}

#[test]
fn rules_read_the_runs_of_the_ledger_whatever_became_of_the_database() {
    let repo = Repo::project();
    let rules = crate::support::RULES.to_owned()
        + "\nrule fails_often : tier 3\n  when     pass rate of bundle(unit) over last 3 runs < 60 %\n  because  \"It fails too often.\"\n";
    repo.write("grace/rules.grace", &rules);
    repo.commit("rates");
    let outcome = |case: &str| {
        let plan = repo.json("plan");
        let rule = plan["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "fails_often").cloned();
        rule.unwrap_or_else(|| panic!("{case}: {plan}"))["outcome"].as_str().unwrap().to_owned()
    };
    // Each result is longer than the one before: Python tells a file from its compiled form by its size and
    // the second of its last change, and several runs fit into a second.
    let run = |result: u32| {
        let kernel = format!("class Kernel:\n    def start(self):\n        return {result}\n");
        repo.write("app/core/kernel.py", &kernel);
        repo.run(&["run"], None, |_| {});
    };
    let database = repo.path.join(".git/grace/store.duckdb");
    for result in [1, 1, 1] {
        run(result);
    }
    let passes = outcome("three passed");
    assert_ne!(passes, "fires");
    let old = fs::read(&database).unwrap();
    for result in [22, 333] {
        run(result);
    }
    assert_eq!(outcome("two failed"), "fires");
    // The database as it was before: the ledger goes on.
    fs::write(&database, &old).unwrap();
    assert_eq!(outcome("an old database"), "fires");
    fs::write(&database, "this is no database").unwrap();
    assert_eq!(outcome("no database"), "fires");
    fs::remove_file(&database).unwrap();
    assert_eq!(outcome("none at all"), "fires");
    assert!(!database.exists(), "a plan writes nothing");
}
