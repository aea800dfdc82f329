//! The README shows what the binary prints.

use std::fs;

use regex::Regex;

use crate::support::{Repo, Said};

/// The block of the README that begins with a command ending so, without the command.
fn shown(readme: &str, command: &str) -> String {
    let blocks = readme.split("```\n").skip(1).step_by(2);
    let mut found = blocks.filter_map(|block| {
        let (first, rest) = block.split_once('\n')?;
        (first.starts_with("$ ") && first.ends_with(command)).then(|| rest.to_owned())
    });
    found.next().unwrap_or_else(|| panic!("no block of the README shows `{command}`"))
}

/// Commits and plans have other names elsewhere.
fn without_names(said: &Said, repo: &Repo) -> String {
    Regex::new(r"\([0-9a-f]{7}\)").unwrap().replace_all(&said.snapshot(&repo.path), "(ID)").into_owned()
}

#[test]
fn the_screens_of_the_readme_are_what_is_printed() {
    let readme = fs::read_to_string(grace_tests::root().join("README.md")).unwrap().replace("\r\n", "\n");
    let repo = Repo::unborn();
    for (path, text) in grace_tests::files_below("examples/mini_grace") {
        repo.write(&path, &text);
    }
    repo.commit("mini grace");
    repo.git(&["apply", "changes/boot_kernel.patch"]);
    for command in ["plan --worktree", "explain tier --worktree"] {
        let stdout = shown(&readme, &format!("grace-rules {command}"));
        let promised = Said { code: Some(0), stdout, stderr: String::new() };
        let printed = repo.run(&command.split(' ').collect::<Vec<_>>(), None, |_| {});
        assert_eq!(without_names(&promised, &repo), without_names(&printed, &repo), "{command}");
    }
}
