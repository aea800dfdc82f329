//! Whether what is said of taking commits back is what git does: sampled commits of a checkout, each taken back as soon as it was
//! made and ten commits later, first as a trial, then by `git revert` in a scratch clone.
//!
//! `cargo run -p grace-system --example reverts -- CHECKOUT [COMMITS]`
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that starts git itself"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use grace_system::git::{CommitInfo, CommitRange, Repository, Reverted};

/// How many commits later a change is taken back, too.
const LATER: usize = 10;

fn git(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("git")
        .args(["-c", "user.name=trial", "-c", "user.email=trial@localhost", "-c", "core.hooksPath=/dev/null"])
        .args(["-c", "commit.gpgSign=false", "-c", "advice.mergeConflict=false"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let checkout = Path::new(arguments.first().expect("a checkout"));
    let wanted: usize = arguments.get(1).map_or(100, |count| count.parse().expect("a number"));
    let repository = Repository::discover(checkout).unwrap();
    let until = repository.head().unwrap().unwrap();
    let range = CommitRange { after: None, until, first_parent: true, limit: 1_000_000 };
    let commits = repository.commits(range).unwrap();
    let stride = (commits.len().saturating_sub(LATER) / wanted.max(1)).max(1);
    let scratch = tempfile::tempdir().unwrap();
    let tree = scratch.path().join("tree");
    // A clone of its own, which writes only files that a revert touches: a checkout may lack large objects of others.
    let named = tree.display().to_string();
    let from = std::path::absolute(checkout).unwrap().display().to_string();
    let made = git(scratch.path(), &["clone", "--quiet", "--shared", "--no-checkout", &from, &named]);
    assert!(made.0, "no clone");
    // So that objects which the checkout lacks are none that git asks for.
    for (name, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
    ] {
        git(&tree, &["config", name, value]);
    }
    assert!(git(&tree, &["sparse-checkout", "set", "--no-cone", "/nothing-of-this-name"]).0, "no sparse checkout");
    let (mut clean, mut conflicting, mut untried, mut wrong) = (0, 0, 0, Vec::new());
    for at in (LATER..commits.len()).step_by(stride).take(wanted) {
        for onto in [at, at - LATER] {
            match compare(&repository, &tree, &commits[onto], &commits[at]) {
                Ok(true) => clean += 1,
                Ok(false) => conflicting += 1,
                Err(None) => untried += 1,
                Err(Some(why)) => wrong.push(why),
            }
        }
    }
    println!(
        "{clean} apply cleanly, {conflicting} conflict in the files that are named, {untried} could not be tried, {} differ from git",
        wrong.len()
    );
    wrong.iter().for_each(|why| println!("  {why}"));
    assert!(wrong.is_empty());
}

/// Whether it applies, if both say the same; `Err(None)` where it could not be tried.
fn compare(
    repository: &Repository,
    tree: &Path,
    onto: &CommitInfo,
    commit: &CommitInfo,
) -> Result<bool, Option<String>> {
    let said = repository.try_reverts(onto.id, std::slice::from_ref(commit)).unwrap().remove(0);
    let named = match said {
        Reverted::Cleanly => BTreeSet::new(),
        Reverted::Conflicts(files) => files.into_iter().collect(),
        Reverted::NotTried(_) => return Err(None),
    };
    git(tree, &["revert", "--abort"]);
    git(tree, &["checkout", "--quiet", "--force", "--detach", &onto.id.to_string()]);
    git(tree, &["clean", "-fdxq"]);
    let id = commit.id.to_string();
    let mut arguments = vec!["revert", "--no-commit"];
    if commit.parents.len() > 1 {
        arguments.extend(["-m", "1"]);
    }
    arguments.push(&id);
    let (reverts, _) = git(tree, &arguments);
    let (_, unmerged) = git(tree, &["-c", "core.quotePath=false", "diff", "--name-only", "--diff-filter=U"]);
    let unmerged: BTreeSet<String> = unmerged.lines().map(str::to_owned).collect();
    match (reverts, named.is_empty()) {
        (true, true) => Ok(true),
        // Of many files the first hundred are named.
        (false, false) if unmerged == named || named.len() == 100 && named.is_subset(&unmerged) => Ok(false),
        (false, false) => {
            Err(Some(format!("{id} on {}: {} files are named, git has {}", onto.id, named.len(), unmerged.len())))
        }
        _ => Err(Some(format!("{id} on {}: we say clean: {}, git says {reverts}", onto.id, named.is_empty()))),
    }
}
