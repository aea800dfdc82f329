//! Taking commits back, tried: what git would say, and nothing touched or run.

use grace_system::git::{CommitRange, Repository, Reverted};

use crate::support::Sandbox;

fn tried(sandbox: &Sandbox, after: Option<&str>) -> Vec<Reverted> {
    let repository = Repository::discover(&sandbox.root()).unwrap();
    let until = repository.head().unwrap().unwrap();
    let after = after.map(|rev| repository.resolve(rev).unwrap());
    let commits = repository.commits(CommitRange { after, until, first_parent: true, limit: 100 }).unwrap();
    repository.try_reverts(until, &commits).unwrap()
}

#[test]
fn a_chain_of_commits_is_taken_back_or_the_files_that_conflict_are_named() {
    for sandbox in [Sandbox::new(), Sandbox::sha256()] {
        let base = sandbox.git(&["rev-parse", "HEAD"]);
        sandbox.write("new.txt", "1\n");
        let second = sandbox.commit("second");
        sandbox.write("new.txt", "1\n2\n");
        sandbox.commit("third");
        assert_eq!(tried(&sandbox, Some(&base)), [Reverted::Cleanly, Reverted::Cleanly]);
        // The first commit of all as well.
        assert_eq!(tried(&sandbox, None).last(), Some(&Reverted::Cleanly));
        // The second alone, under the third, which wrote the same file.
        let repository = Repository::discover(&sandbox.root()).unwrap();
        let second = repository.commit(repository.resolve(&second).unwrap()).unwrap();
        let head = repository.head().unwrap().unwrap();
        let found = repository.try_reverts(head, &[second.clone(), second]).unwrap();
        assert_eq!(found[0], Reverted::Conflicts(vec!["new.txt".to_owned()]));
        assert!(matches!(found[1], Reverted::NotTried(_)));
        let (reverts, _, _) = sandbox.try_git(&["revert", "--no-commit", "HEAD~1"]);
        assert!(!reverts, "git says the same");
    }
}

#[test]
fn a_merge_is_taken_back_to_its_first_parent() {
    let sandbox = Sandbox::new();
    let base = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.write("side.txt", "side\n");
    sandbox.commit("side");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.write("main.txt", "main\n");
    sandbox.commit("main");
    sandbox.git(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
    assert_eq!(tried(&sandbox, Some(&base)), [Reverted::Cleanly, Reverted::Cleanly]);
}

#[test]
fn nothing_is_run_and_nothing_is_touched() {
    let sandbox = Sandbox::new();
    let witness = sandbox.outside().join("witness");
    let driver = format!("touch '{}'", witness.display());
    sandbox.write(".gitattributes", "* merge=evil\n");
    sandbox.write(".git/info/attributes", "* merge=evil\n");
    let base = sandbox.commit("attributes");
    sandbox.write("a.txt", "other\n");
    sandbox.commit("one");
    sandbox.write("a.txt", "again\n");
    sandbox.commit("two");
    sandbox.git(&["config", "merge.evil.driver", &driver]);
    sandbox.git(&["config", "core.fsmonitor", &driver]);
    let before = (sandbox.git(&["for-each-ref"]), sandbox.git(&["count-objects", "-v"]));
    let repository = Repository::discover(&sandbox.root()).unwrap();
    let one = repository.commit(repository.resolve("HEAD~1").unwrap()).unwrap();
    let head = repository.head().unwrap().unwrap();
    assert_eq!(repository.try_reverts(head, &[one]).unwrap(), [Reverted::Conflicts(vec!["a.txt".to_owned()])]);
    assert_eq!(tried(&sandbox, Some(&base)), [Reverted::Cleanly, Reverted::Cleanly]);
    assert!(!witness.exists(), "a program of the repository was run");
    assert_eq!(before, (sandbox.git(&["for-each-ref"]), sandbox.git(&["count-objects", "-v"])));
}
