//! What git listed is believed while all that it hangs on is as it was.

use std::path::PathBuf;
use std::time::Duration;

use grace_system::clock;
use grace_system::git::Listing;

use crate::support::{Sandbox, in_own_process};

#[test]
fn git_is_asked_again_once_it_may_answer_otherwise() {
    let home = tempfile::tempdir().unwrap();
    let variables = [("HOME", home.path().to_str().unwrap()), ("XDG_CONFIG_HOME", "")];
    let (ok, output) = in_own_process("listing::everything_that_a_listing_hangs_on", &variables);
    assert!(ok, "{output}");
}

#[test]
#[ignore = "run by git_is_asked_again_once_it_may_answer_otherwise, with a home of its own"]
fn everything_that_a_listing_hangs_on() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "ignored/\n*.log\n");
    sandbox.write("ignored/x.py", "");
    sandbox.write("logs/only.log", "");
    std::fs::create_dir_all(sandbox.path("empty/inner")).unwrap();
    sandbox.commit("more");
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    std::fs::create_dir_all(home.join(".config/git")).unwrap();
    let repository = sandbox.open();
    // By then all that is there will have rested.
    let later = clock::nanoseconds() + 3_600_000_000_000;
    // Longer than a tick of the file system's clock.
    let pause = || std::thread::sleep(Duration::from_millis(25));
    let known = || -> Listing {
        pause();
        let asked = repository.work_tree().unwrap().asked.unwrap();
        let known = repository.listing(&asked, later).unwrap();
        pause();
        known
    };

    let asked = repository.work_tree().unwrap().asked.unwrap();
    assert_eq!(repository.listing(&asked, clock::nanoseconds()), None, "what was written just now is not believed");

    let quiet: [&dyn Fn(); 3] =
        [&|| (), &|| sandbox.write("a.txt", "of another length\n"), &|| sandbox.write("ignored/deep/new.py", "")];
    for (number, edit) in quiet.iter().enumerate() {
        let known = known();
        edit();
        let found = repository.work_tree_as(Some(known)).unwrap();
        assert_eq!(found.asked, None, "{number}");
        assert_eq!(found.files, repository.work_tree().unwrap().files, "{number}");
    }

    let loud: [&dyn Fn(); 14] = [
        &|| sandbox.write("new.py", ""),
        &|| sandbox.write("dir/new.py", ""),
        &|| sandbox.write("empty/inner/new.py", ""),
        &|| sandbox.write("logs/new.py", ""),
        &|| std::fs::create_dir(sandbox.path("dir/folder")).unwrap(),
        &|| sandbox.write("dir/folder/new.py", ""),
        &|| std::fs::remove_file(sandbox.path("dir/b.py")).unwrap(),
        &|| sandbox.write(".gitignore", "*.txt\n"),
        &|| sandbox.write("dir/.gitignore", "*.py\n"),
        &|| sandbox.write(".git/info/exclude", "*.sh\n"),
        &|| drop(sandbox.git(&["rm", "-q", "--cached", "a.txt"])),
        &|| std::fs::write(home.join(".config/git/ignore"), "new.*\n").unwrap(),
        &|| std::fs::write(home.join(".gitconfig"), "[core]\n\texcludesFile = ~/excluded\n").unwrap(),
        &|| std::fs::write(home.join("excluded"), "*.log\n").unwrap(),
    ];
    for (number, edit) in loud.iter().enumerate() {
        let known = known();
        edit();
        let found = repository.work_tree_as(Some(known)).unwrap();
        assert!(found.asked.is_some(), "{number}");
        assert_eq!(found.files, repository.work_tree().unwrap().files, "{number}");
    }

    sandbox.git(&["init", "-q", "nested"]);
    pause();
    let asked = repository.work_tree().unwrap().asked.unwrap();
    assert_eq!(repository.listing(&asked, later), None, "another repository has an index of its own");
    std::fs::remove_dir_all(sandbox.path("nested")).unwrap();
    std::fs::write(home.join(".gitconfig"), "[include]\n\tpath = other\n").unwrap();
    let asked = repository.work_tree().unwrap().asked.unwrap();
    assert_eq!(repository.listing(&asked, later), None, "settings that are included are not followed");
}

#[test]
fn an_answer_that_git_would_not_give_is_no_answer() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    let found = repository.work_tree().unwrap();
    let asked = found.asked.clone().unwrap();
    let mut known = Listing { answers: asked, inside: Vec::new(), outside: Vec::new(), surroundings: String::new() };
    known.answers.tracked = b"nonsense\0".to_vec();
    assert_eq!(repository.work_tree_as(Some(known)).unwrap().files, found.files);
}
