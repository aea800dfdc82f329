//! References as their files say them: as git says, or nothing.

use grace_system::git::{Oid, Repository};

use crate::support::Sandbox;

const BRANCHES: [&str; 2] = ["refs/remotes/origin/HEAD", "refs/heads/main"];

fn told(sandbox: &Sandbox, commit: &str) -> bool {
    let repository = Repository::discover(&sandbox.root()).unwrap();
    let commit = Oid::parse(commit).unwrap();
    let told = repository.head_if_plainly(commit, &BRANCHES);
    // Whatever is told is what git says.
    if let Some(told) = told {
        assert_eq!(Some(told), repository.head().unwrap());
        let tips = repository.commits_of(&BRANCHES).unwrap();
        assert!(tips.iter().flatten().next().is_none_or(|tip| *tip == told), "{tips:?}");
    }
    told.is_some()
}

#[test]
fn a_head_that_files_tell_is_the_one_that_git_tells() {
    let sandbox = Sandbox::new();
    let first = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    assert!(told(&sandbox, &first));
    // Packed, and named by another reference.
    sandbox.git(&["pack-refs", "--all"]);
    assert!(told(&sandbox, &first));
    sandbox.git(&["update-ref", "refs/remotes/origin/main", &first]);
    sandbox.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    assert!(told(&sandbox, &first));
    // Another commit is checked out.
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    let second = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    assert!(!told(&sandbox, &first));
    // The default branch stands elsewhere, then at it again.
    assert!(!told(&sandbox, &second));
    sandbox.git(&["update-ref", "refs/remotes/origin/main", &second]);
    assert!(told(&sandbox, &second));
    // No branch is checked out.
    sandbox.git(&["checkout", "-q", "--detach"]);
    assert!(told(&sandbox, &second));
}

#[test]
fn where_git_may_say_something_else_nothing_is_told() {
    let sandbox = Sandbox::new();
    let commit = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let head = std::fs::read_to_string(sandbox.path(".git/HEAD")).unwrap();
    for odd in [
        "ref: refs/heads/../heads/main\n",
        "ref: refs/heads/main",
        "ref: HEAD\n",
        "ref:  refs/heads/main\n",
        "ref: refs/heads//main\n",
        "",
    ] {
        std::fs::write(sandbox.path(".git/HEAD"), odd).unwrap();
        let repository = Repository::discover(&sandbox.root());
        let told =
            repository.ok().and_then(|repository| repository.head_if_plainly(Oid::parse(&commit).unwrap(), &BRANCHES));
        assert_eq!(told, None, "{odd:?}");
    }
    std::fs::write(sandbox.path(".git/HEAD"), head).unwrap();
    assert!(told(&sandbox, &commit));
    // A name that git finds below another one, too.
    sandbox.git(&["update-ref", "refs/heads/refs/remotes/origin/HEAD", &commit]);
    assert!(!told(&sandbox, &commit));
    sandbox.git(&["pack-refs", "--all"]);
    assert!(!told(&sandbox, &commit));
}

#[test]
fn references_of_other_work_trees_tables_and_linked_heads_are_asked_of_git() {
    let sandbox = Sandbox::new();
    let first = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    // The default branch stands elsewhere, and only among the packed ones.
    sandbox.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    let second = sandbox.git(&["rev-parse", "HEAD"]).trim().to_owned();
    sandbox.git(&["update-ref", "refs/remotes/origin/HEAD", &first]);
    sandbox.git(&["pack-refs", "--all"]);
    assert!(!told(&sandbox, &second));
    // Branches are kept beside the first work tree, not beside this one's head.
    let linked = tempfile::tempdir().unwrap();
    let tree = linked.path().join("tree");
    sandbox.git(&["worktree", "add", "-q", "--detach", tree.to_str().unwrap()]);
    let repository = Repository::discover(&tree).unwrap();
    assert_eq!(repository.head_if_plainly(Oid::parse(&second).unwrap(), &BRANCHES), None);
    sandbox.git(&["update-ref", "-d", "refs/remotes/origin/HEAD"]);
    assert!(told(&sandbox, &second));
    std::fs::create_dir(sandbox.path(".git/reftable")).unwrap();
    assert!(!told(&sandbox, &second));
    std::fs::remove_dir(sandbox.path(".git/reftable")).unwrap();
    #[cfg(unix)]
    {
        std::fs::rename(sandbox.path(".git/HEAD"), sandbox.path(".git/head-too")).unwrap();
        std::os::unix::fs::symlink("head-too", sandbox.path(".git/HEAD")).unwrap();
        let repository = Repository::discover(&sandbox.root()).ok();
        let told = repository.and_then(|found| found.head_if_plainly(Oid::parse(&second).unwrap(), &BRANCHES));
        assert_eq!(told, None);
    }
}
