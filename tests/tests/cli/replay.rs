//! `audit replay`: what was decided is derived again, and says which input or answer differs.

use std::fs;

use serde_json::Value;

use crate::support::{Repo, Said, copy};

/// Decisions and a run over a short history of the small project.
fn recorded() -> Repo {
    let repo = Repo::project();
    for (name, text) in [("one", "return 'one'"), ("two", "return 'two'"), ("three", "print('three')")] {
        repo.write("app/notes.py", &format!("def note():\n    {text}\n"));
        repo.commit(name);
        let said = run(&repo, "gate --base HEAD~1 --head HEAD");
        assert!(matches!(said.code, Some(0 | 1)), "{}", said.stderr);
    }
    repo.edit_kernel();
    repo.commit("kernel");
    assert_eq!(run(&repo, "run --base HEAD~1 --head HEAD").code, Some(0));
    assert_eq!(run(&repo, "gate --base HEAD~1 --head HEAD").code, Some(1));
    repo
}

fn run(repo: &Repo, line: &str) -> Said {
    repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {})
}

fn replayed(repo: &Repo, rest: &str) -> (Option<i32>, Value) {
    let said = run(repo, &format!("audit replay {rest} --format json"));
    let report = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}", said.stderr));
    (said.code, report)
}

fn what(report: &Value) -> String {
    report["records"].as_array().unwrap().iter().map(|one| format!("{} {}; ", one["kind"], one["what"])).collect()
}

#[test]
fn what_was_decided_is_derived_again_and_is_the_same() {
    let repo = recorded();
    let (code, report) = replayed(&repo, "--all");
    assert_eq!((code, &report["equal"], &report["differ"]), (Some(0), &5.into(), &0.into()), "{}", what(&report));
    // It hangs on nothing that is there now: another branch, rules of the work tree, a database.
    repo.git(&["checkout", "--quiet", "-b", "elsewhere", "HEAD~3"]);
    repo.write("grace/rules.grace", "module broken\nrule\n");
    fs::remove_file(repo.path.join(".git/grace/store.duckdb")).unwrap();
    let (code, report) = replayed(&repo, "--all");
    assert_eq!((code, &report["equal"]), (Some(0), &5.into()), "{}", what(&report));
    // One by its number; the ledger's first record was derived from nothing.
    let story = repo.json("story list")["stories"][0]["id"].as_u64().unwrap();
    assert_eq!(replayed(&repo, &story.to_string()).0, Some(0));
    let said = run(&repo, "audit replay 0");
    assert!(said.code == Some(2) && said.stderr.contains("nothing was derived for it"), "{}", said.stderr);
    assert_eq!(run(&repo, "audit replay 999").code, Some(2));
}

#[test]
fn other_rules_a_lost_commit_and_a_changed_record_are_named() {
    let repo = recorded();
    // What other rules would have said.
    let rules = repo.path.with_file_name("candidate");
    fs::create_dir(&rules).unwrap();
    fs::write(
        rules.join("rules.grace"),
        crate::support::RULES.replace("rule reaches_core : tier 2", "rule reaches_core : tier 3"),
    )
    .unwrap();
    let (code, report) = replayed(&repo, &format!("--all --rules {}", rules.display()));
    let said = what(&report);
    assert_eq!((code, &report["differ"]), (Some(1), &5.into()), "{said}");
    assert!(said.contains("the rules: those that were named"), "{said}");
    // A fact that the record holds: another one is another plan, and the ledger tells that it was touched.
    let entries = repo.path.join(".git/grace/ledger/tile/entries/000.p");
    let entry = fs::read_dir(entries).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&entry).unwrap();
    let text = String::from_utf8_lossy(&good).into_owned();
    let at = text.find("\"as_of\":").unwrap() + 12;
    let mut bad = good.clone();
    bad[at] ^= 1;
    fs::write(&entry, &bad).unwrap();
    let said = run(&repo, "audit replay --all");
    assert_eq!(said.code, Some(2), "{}{}", said.stdout, said.stderr);
    let flat = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("entries do not lead to the root that was signed"), "{flat}");
    fs::write(&entry, &good).unwrap();
    // A clone that lacks the commits cannot tell.
    let other = Repo::unborn();
    other.write("a.txt", "x\n");
    other.commit("other");
    let from = repo.path.join(".git/grace");
    let to = other.path.join(".git/grace");
    copy(&from, &to);
    fs::copy(repo.path.with_file_name("ledger.key"), other.path.with_file_name("ledger.key")).unwrap();
    let (code, report) = replayed(&other, "--all");
    assert_eq!((code, &report["untold"]), (Some(2), &5.into()), "{}", what(&report));
    assert!(what(&report).contains("is not in this clone"));
}

#[test]
fn what_was_never_committed_cannot_be_told() {
    let repo = Repo::edited();
    assert_eq!(run(&repo, "gate --worktree").code, Some(1));
    let (code, report) = replayed(&repo, "--all");
    assert_eq!((code, &report["untold"]), (Some(2), &1.into()));
    assert!(what(&report).contains("was not a commit"));
    // Nothing recorded at all.
    assert_eq!(run(&Repo::project(), "audit replay --all").code, Some(2));
}
