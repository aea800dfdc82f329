//! Git's answers, and the distinct ways in which there is none.

use grace_system::git::{Blob, CommitRange, EntryKind, GitError, Oid, Repository, Status, TreeChange, WorkState};
use grace_system::{ProblemKind, files};

use crate::support::{Sandbox, git_command, in_own_process};

fn show(changes: &[TreeChange]) -> Vec<String> {
    changes
        .iter()
        .map(|change| {
            let side = |entry: &Option<grace_system::git::TreeEntry>| {
                entry.as_ref().map_or("-".to_owned(), |entry| entry.path.clone())
            };
            format!("{:?} {} {}", change.status, side(&change.before), side(&change.after))
        })
        .collect()
}

fn read(repository: &Repository, oid: Oid) -> Blob {
    repository.blobs().read(oid, 1 << 20).unwrap()
}

#[test]
fn a_subdirectory_finds_the_root() {
    let sandbox = Sandbox::new();
    let repository = Repository::discover(&sandbox.path("dir")).unwrap();
    assert_eq!(repository.root(), sandbox.root().canonicalize().unwrap());
    assert_eq!(repository.git_dir(), repository.common_dir());
    assert_eq!(repository.relative(&sandbox.path("dir")).as_deref(), Some("dir"));
    assert_eq!(repository.branch().unwrap().as_deref(), Some("main"));
}

#[test]
fn a_linked_work_tree_shares_the_common_directory() {
    let sandbox = Sandbox::new();
    sandbox.git(&["worktree", "add", "-q", "../linked", "-b", "side"]);
    let linked = Repository::discover(&sandbox.outside().join("linked")).unwrap();
    assert_eq!(linked.common_dir().canonicalize().unwrap(), sandbox.path(".git").canonicalize().unwrap());
    assert_ne!(linked.git_dir(), linked.common_dir());
    assert_eq!(linked.branch().unwrap().as_deref(), Some("side"));
    assert_eq!(linked.tree(linked.head().unwrap().unwrap()).unwrap().len(), 3);
    assert_eq!(linked.changed_worktree(linked.head().unwrap()).unwrap().changes, []);
}

#[test]
fn no_repository_and_a_bare_one_are_told_apart() {
    let sandbox = Sandbox::new();
    assert!(matches!(Repository::discover(sandbox.outside()), Err(GitError::NotARepository { .. })));
    assert!(matches!(Repository::discover(&sandbox.outside().join("absent")), Err(GitError::NotARepository { .. })));
    sandbox.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    assert!(matches!(Repository::discover(&sandbox.outside().join("bare.git")), Err(GitError::NoWorkTree { .. })));
    assert!(matches!(Repository::discover(&sandbox.path(".git")), Err(GitError::NoWorkTree { .. })));
}

#[cfg(unix)]
#[test]
fn a_repository_of_another_user_is_not_trusted() {
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let given = std::process::Command::new("chown")
        .args(["-R", "12345"])
        .arg(&root)
        .stderr(std::process::Stdio::null())
        .status();
    if !given.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: this user may not give files away");
        return;
    }
    let (ok, text) = in_own_process(
        "git::inner_untrusted",
        &[("HOME", sandbox.outside().to_str().unwrap()), ("REPO", root.to_str().unwrap())],
    );
    assert!(ok, "{text}");
}

#[test]
#[ignore = "runs inside a_repository_of_another_user_is_not_trusted"]
fn inner_untrusted() {
    let error = Repository::discover(std::env::var("REPO").unwrap().as_ref()).unwrap_err();
    assert!(matches!(error, GitError::Untrusted { .. }), "{error:?}");
    assert!(error.help().unwrap().contains("safe.directory"));
}

#[test]
fn without_git_the_error_says_so() {
    let sandbox = Sandbox::new();
    let empty = sandbox.outside().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let (ok, text) = in_own_process(
        "git::inner_no_git",
        &[("PATH", empty.to_str().unwrap()), ("REPO", sandbox.root().to_str().unwrap())],
    );
    assert!(ok, "{text}");
}

#[test]
#[ignore = "runs inside without_git_the_error_says_so"]
fn inner_no_git() {
    let error = Repository::discover(std::env::var("REPO").unwrap().as_ref()).unwrap_err();
    assert_eq!(error, GitError::NoGit);
    assert_eq!(error.to_string(), "git is not installed");
}

#[test]
fn git_inside_the_repository_is_not_run() {
    let sandbox = Sandbox::new();
    sandbox.write("bin/git", "#!/bin/sh\necho > \"$MARKER\"\n");
    sandbox.make_executable("bin/git");
    let path = std::env::join_paths(
        [sandbox.path("bin")].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let marker = sandbox.outside().join("marker");
    let (ok, text) = in_own_process(
        "git::inner_git_inside",
        &[
            ("PATH", path.to_str().unwrap()),
            ("REPO", sandbox.root().to_str().unwrap()),
            ("MARKER", marker.to_str().unwrap()),
        ],
    );
    assert!(ok, "{text}");
    assert!(!marker.exists());
}

#[test]
#[ignore = "runs inside git_inside_the_repository_is_not_run"]
fn inner_git_inside() {
    let repository = Repository::discover(std::env::var("REPO").unwrap().as_ref()).unwrap();
    assert!(repository.head().unwrap().is_some());
}

#[test]
fn an_unborn_repository_has_no_head_but_an_index() {
    let sandbox = Sandbox::unborn();
    let repository = sandbox.open();
    assert_eq!(repository.resolve("HEAD"), Err(GitError::Unborn));
    assert_eq!(repository.resolve("main"), Err(GitError::Unborn));
    assert_eq!(repository.head().unwrap(), None);
    sandbox.write("new.py", "x = 1\n");
    sandbox.git(&["add", "new.py"]);
    assert_eq!(show(&repository.changed_staged(None).unwrap()), ["Added - new.py"]);
    assert_eq!(show(&repository.changed_worktree(None).unwrap().changes), ["Added - new.py"]);
}

#[test]
fn each_bad_revision_has_its_own_error() {
    let sandbox = Sandbox::new();
    sandbox.git(&["branch", "feature/login"]);
    sandbox.git(&["tag", "v1.0"]);
    let repository = sandbox.open();
    let candidates = |rev: &str| match repository.resolve(rev) {
        Err(GitError::BadRevision { candidates, .. }) => candidates,
        other => panic!("{rev}: {other:?}"),
    };
    assert_eq!(candidates("mian"), ["main"]);
    assert_eq!(candidates("feature/logn"), ["feature/login"]);
    assert_eq!(candidates("v1.1"), ["v1.0"]);
    let beyond = |rev: &str| Err(GitError::NoAncestor { rev: rev.to_owned(), from: "HEAD".to_owned() });
    assert_eq!(repository.resolve("HEAD~7"), beyond("HEAD~7"));
    assert_eq!(repository.resolve("HEAD^2"), beyond("HEAD^2"));
    assert_eq!(candidates("nothing-like-it"), Vec::<String>::new());
    assert_eq!(candidates("main..HEAD"), Vec::<String>::new());
    for rev in ["-main", "--output=x", "", "a\nb", "a\0b", &"x".repeat(5000)] {
        assert!(matches!(repository.resolve(rev), Err(GitError::UnsafeRevision { .. })), "{rev:?}");
    }
    let absent = "1234567890123456789012345678901234567890";
    assert_eq!(repository.resolve(absent), Err(GitError::MissingObject { name: absent.to_owned() }));
    assert!(matches!(repository.resolve("HEAD:a.txt"), Err(GitError::NotACommit { .. })));
    assert!(matches!(repository.resolve("HEAD^{tree}"), Err(GitError::NotACommit { .. })));
    assert!(!sandbox.path("x").exists());
}

#[test]
fn an_ambiguous_prefix_is_called_so() {
    let sandbox = Sandbox::new();
    let mut seen = std::collections::BTreeMap::new();
    // Among a few hundred commits, two share their first four digits.
    let tree = sandbox.git(&["rev-parse", "HEAD^{tree}"]);
    let prefix = (0..2000)
        .find_map(|n| {
            let id = sandbox.git(&["commit-tree", &tree, "-m", &n.to_string()]);
            seen.insert(id[..4].to_owned(), id.clone()).is_some().then(|| id[..4].to_owned())
        })
        .unwrap();
    assert_eq!(sandbox.open().resolve(&prefix), Err(GitError::Ambiguous { rev: prefix }));
}

#[test]
fn beyond_a_shallow_clone_is_not_a_typing_error() {
    let sandbox = Sandbox::new();
    let first = sandbox.git(&["rev-parse", "HEAD"]);
    sandbox.write("a.txt", "changed\n");
    sandbox.commit("second");
    let url = format!("file://{}", sandbox.root().display());
    let clone = sandbox.outside().join("clone");
    sandbox.git(&["clone", "-q", "--depth=1", &url, clone.to_str().unwrap()]);
    let repository = Repository::discover(&clone).unwrap();
    assert!(repository.is_shallow());
    assert_eq!(repository.resolve("HEAD~1"), Err(GitError::BeyondShallow { rev: "HEAD~1".to_owned() }));
    assert_eq!(repository.resolve(&first), Err(GitError::BeyondShallow { rev: first }));
    assert!(matches!(repository.resolve("mian"), Err(GitError::BadRevision { .. })));
    let head = repository.head().unwrap().unwrap();
    let commits = repository.commits(CommitRange { after: None, until: head, first_parent: true, limit: 10 }).unwrap();
    assert_eq!(commits.len(), 1);
}

#[test]
fn a_tree_lists_every_kind_of_entry() {
    let sandbox = Sandbox::new();
    #[cfg(unix)]
    std::os::unix::fs::symlink("a.txt", sandbox.path("link")).unwrap();
    let head = sandbox.commit("link");
    sandbox.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},sub")]);
    sandbox.git(&["commit", "-q", "-m", "submodule"]);
    let repository = sandbox.open();
    let entries = repository.tree(repository.resolve("HEAD").unwrap()).unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("a.txt", EntryKind::File),
            ("dir/b.py", EntryKind::File),
            ("link", EntryKind::Symlink),
            ("run.sh", EntryKind::Executable),
            ("sub", EntryKind::Submodule)
        ]
    );
    assert_eq!(read(&repository, entries[1].oid), Blob::Data(b"def b():\n    return 1\n".to_vec()));
    assert_eq!(read(&repository, entries[4].oid), Blob::Missing, "a commit is no blob");
    assert_eq!(repository.changed_worktree(repository.head().unwrap()).unwrap().changes, []);
}

#[test]
fn blobs_arrive_in_order_whatever_their_state() {
    let sandbox = Sandbox::new();
    sandbox.write("big", vec![b'x'; 200_000]);
    sandbox.commit("big");
    let repository = sandbox.open();
    let oids: Vec<Oid> =
        repository.tree(repository.resolve("HEAD").unwrap()).unwrap().iter().map(|entry| entry.oid).collect();
    let absent = Oid::parse("1234567890123456789012345678901234567890").unwrap();
    let asked: Vec<Oid> = (0..3000).map(|n| if n % 7 == 0 { absent } else { oids[n % oids.len()] }).collect();
    let mut seen = Vec::new();
    repository.blobs().read_many(&asked, 1000, |index, blob| seen.push((index, blob))).unwrap();
    assert_eq!(seen.len(), 3000);
    for (n, (index, blob)) in seen.iter().enumerate() {
        assert_eq!(n, *index);
        match blob {
            Blob::Data(bytes) => assert_eq!(repository.blob_id(bytes), asked[n]),
            Blob::TooLarge(size) => assert_eq!((*size, asked[n]), (200_000, oids[1])),
            Blob::Missing => assert_eq!(asked[n], absent),
        }
    }
    assert_eq!(repository.blobs().sizes(&[oids[1], absent]).unwrap(), [Some(200_000), None]);
}

#[test]
fn a_damaged_object_does_not_take_the_others_with_it() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    let oids: Vec<Oid> =
        repository.tree(repository.resolve("HEAD").unwrap()).unwrap().iter().map(|entry| entry.oid).collect();
    let name = oids[1].to_string();
    let loose = sandbox.path(&format!(".git/objects/{}/{}", &name[..2], &name[2..]));
    files::remove_file(&loose).unwrap();
    std::fs::write(&loose, b"not zlib").unwrap();
    let mut seen = Vec::new();
    repository.blobs().read_many(&oids, 1000, |_, blob| seen.push(matches!(blob, Blob::Data(_)))).unwrap();
    assert_eq!(seen, [true, false, true]);
}

#[test]
fn renames_edits_and_modes_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.git(&["mv", "a.txt", "moved.txt"]);
    sandbox.write("moved.txt", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n");
    sandbox.write("added.py", "y = 2\n");
    sandbox.git(&["rm", "-q", "--cached", "run.sh"]);
    std::fs::remove_file(sandbox.path("run.sh")).unwrap();
    let repository = sandbox.open();
    let base = repository.resolve("HEAD").unwrap();
    sandbox.git(&["add", "-A"]);
    let staged = repository.changed_staged(Some(base)).unwrap();
    sandbox.commit("second");
    let head = repository.resolve("HEAD").unwrap();
    let changed = repository.changed(Some(base), head).unwrap();
    assert_eq!(staged, changed);
    let shown = show(&changed);
    assert_eq!((shown[0].as_str(), shown[2].as_str()), ("Added - added.py", "Deleted run.sh -"));
    assert!(matches!(changed[1].status, Status::Renamed { similarity: 50..100 }), "{shown:?}");
    assert_eq!(show(&repository.changed(None, base).unwrap()), ["Added - a.txt", "Added - dir/b.py", "Added - run.sh"]);
    assert_eq!(repository.merge_base(base, head).unwrap(), base);
}

#[test]
fn what_a_line_of_commits_changes_is_what_each_of_them_does() {
    let sandbox = Sandbox::new();
    let repository = sandbox.open();
    let mut line = vec![repository.resolve("HEAD").unwrap()];
    let mut next = |message: &str| {
        sandbox.git(&["add", "-A"]);
        sandbox.git(&["commit", "-q", "--allow-empty", "-m", message]);
        line.push(repository.resolve("HEAD").unwrap());
    };
    sandbox.git(&["mv", "a.txt", "moved.txt"]);
    sandbox.write("added.py", "y = 2\n");
    next("moved");
    next("nothing");
    // Names that look like records and answers.
    sandbox.write(":100644 100644 a b M", "1\n");
    sandbox.write("0123456789012345678901234567890123456789", "1\n");
    next("odd names");
    std::fs::remove_file(sandbox.path("added.py")).unwrap();
    sandbox.git(&["mv", ":100644 100644 a b M", ":R100"]);
    next("gone");
    // Also to where it began.
    line.push(line[0]);
    let along = repository.changed_along(&line).unwrap();
    let each: Vec<_> = line.windows(2).map(|pair| repository.changed(Some(pair[0]), pair[1]).unwrap()).collect();
    assert_eq!(along, each);
    assert_eq!(along.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 2, 2, 3]);
    assert!(
        repository.changed_along(&line[..1]).unwrap().is_empty() && repository.changed_along(&[]).unwrap().is_empty()
    );
}

#[test]
fn unrelated_histories_have_no_merge_base() {
    let sandbox = Sandbox::new();
    sandbox.git(&["checkout", "-q", "--orphan", "other"]);
    sandbox.commit("other root");
    let repository = sandbox.open();
    let (a, b) = (repository.resolve("main").unwrap(), repository.resolve("other").unwrap());
    assert_eq!(repository.merge_base(a, b), Err(GitError::NoMergeBase { a, b }));
}

#[test]
fn the_work_tree_is_compared_by_content() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "*.log\n");
    sandbox.commit("ignore");
    let repository = sandbox.open();
    let base = repository.head().unwrap();
    // CRLF checkouts, LFS checkouts and touched files are unchanged.
    sandbox.write("dir/b.py", "def b():\r\n    return 1\r\n");
    assert_eq!(show(&repository.changed_worktree(base).unwrap().changes), Vec::<String>::new());
    sandbox.write("dir/b.py", "def b():\r\n    return 2\r\n");
    sandbox.write("ignored.log", "");
    sandbox.write("fresh.py", "z = 3\n");
    std::fs::rename(sandbox.path("a.txt"), sandbox.path("moved.txt")).unwrap();
    std::fs::remove_file(sandbox.path("run.sh")).unwrap();
    std::fs::create_dir(sandbox.path("run.sh")).unwrap();
    let found = repository.changed_worktree(base).unwrap();
    assert_eq!(
        show(&found.changes),
        [
            "Modified dir/b.py dir/b.py",
            "Added - fresh.py",
            "Renamed { similarity: 100 } a.txt moved.txt",
            "Deleted run.sh -"
        ]
    );
    assert_eq!(found.problems, []);
}

#[test]
fn a_file_that_moved_and_changed_is_one_rename_as_in_a_commit() {
    let sandbox = Sandbox::new();
    sandbox.write("other.txt", "nothing\nof\nthe\nkind\n");
    std::fs::remove_file(sandbox.path("a.txt")).unwrap();
    sandbox.write("sub/moved.txt", "one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\nSEVEN\r\n");
    let repository = sandbox.open();
    let base = repository.head().unwrap();
    let found = repository.changed_worktree(base).unwrap().changes;
    let shown = show(&found);
    assert_eq!((shown.len(), shown[0].as_str()), (2, "Added - other.txt"), "{shown:?}");
    assert!(matches!(found[1].status, Status::Renamed { similarity: 50..100 }), "{shown:?}");
    assert!(shown[1].ends_with("a.txt sub/moved.txt"));
    sandbox.write("sub/moved.txt", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n");
    sandbox.commit("moved");
    let paths = |changes: &[TreeChange]| changes.iter().map(|change| change.path().to_owned()).collect::<Vec<_>>();
    assert_eq!(paths(&repository.changed(base, repository.head().unwrap().unwrap()).unwrap()), paths(&found));
}

#[test]
fn a_git_lfs_checkout_is_unchanged() {
    let sandbox = Sandbox::new();
    let content = b"a large picture";
    let sha256 = std::process::Command::new("sha256sum")
        .arg("/dev/stdin")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut sha256) = sha256 else {
        eprintln!("SKIPPED: no sha256sum");
        return;
    };
    std::io::Write::write_all(&mut sha256.stdin.take().unwrap(), content).unwrap();
    let sha256 = String::from_utf8(sha256.wait_with_output().unwrap().stdout).unwrap();
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        sha256.split(' ').next().unwrap(),
        content.len()
    );
    sandbox.write("picture.png", pointer);
    sandbox.commit("pointer");
    sandbox.write("picture.png", content);
    let repository = sandbox.open();
    assert_eq!(repository.changed_worktree(repository.head().unwrap()).unwrap().changes, []);
}

#[test]
fn sparse_checkouts_and_lost_mode_bits_are_no_changes() {
    let sandbox = Sandbox::new();
    sandbox.git(&["update-index", "--skip-worktree", "dir/b.py"]);
    std::fs::remove_file(sandbox.path("dir/b.py")).unwrap();
    sandbox.git(&["config", "core.fileMode", "false"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(sandbox.path("run.sh"), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let repository = sandbox.open();
    assert_eq!(repository.changed_worktree(repository.head().unwrap()).unwrap().changes, []);
    let listed = repository.work_tree().unwrap();
    assert_eq!(listed.files[1].state, WorkState::InIndex);
}

#[cfg(unix)]
#[test]
fn a_tracked_file_below_a_link_is_gone_not_read() {
    let sandbox = Sandbox::new();
    std::fs::remove_dir_all(sandbox.path("dir")).unwrap();
    std::fs::create_dir(sandbox.outside().join("elsewhere")).unwrap();
    std::fs::write(sandbox.outside().join("elsewhere/b.py"), "secret\n").unwrap();
    std::os::unix::fs::symlink("../elsewhere", sandbox.path("dir")).unwrap();
    let repository = sandbox.open();
    let found = repository.changed_worktree(repository.head().unwrap()).unwrap();
    assert_eq!(show(&found.changes), ["Added - dir", "Deleted dir/b.py -"]);
}

#[cfg(target_os = "linux")]
#[test]
fn odd_names_pipes_and_nested_repositories_are_named_problems() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.root().join(std::ffi::OsStr::from_bytes(b"caf\xe9.py")), "x").unwrap();
    sandbox.write("with\nbreak and space.py", "x = 1\n");
    sandbox.write("nested/file", "x");
    git_command(&sandbox.path("nested"), sandbox.outside()).args(["init", "-q"]).status().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path("run.sh.pipe")).status().unwrap().success());
    let repository = sandbox.open();
    let found = repository.changed_worktree(repository.head().unwrap()).unwrap();
    assert_eq!(show(&found.changes), ["Added - with\nbreak and space.py"]);
    let problems: Vec<_> = found.problems.iter().map(|problem| (problem.path.as_str(), problem.kind)).collect();
    // Git itself does not list a FIFO.
    assert_eq!(problems, [("caf\\xE9.py", ProblemKind::OddName), ("nested", ProblemKind::NestedRepository)]);

    sandbox.git(&["add", "-A", ":!nested"]);
    sandbox.git(&["commit", "-q", "-m", "odd"]);
    let tree = repository.tree(repository.resolve("HEAD").unwrap()).unwrap();
    let odd: Vec<_> = tree.iter().filter(|entry| entry.odd_name).map(|entry| entry.path.as_str()).collect();
    assert_eq!(odd, ["caf\\xE9.py"]);
    assert!(tree.iter().any(|entry| entry.path == "with\nbreak and space.py"));
    // Tracked, then exchanged for a FIFO: reading must not wait for a writer.
    std::fs::remove_file(sandbox.path("a.txt")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path("a.txt")).status().unwrap().success());
    let found = repository.changed_worktree(repository.head().unwrap()).unwrap();
    assert!(
        found.problems.iter().any(|problem| problem.path == "a.txt" && problem.kind == ProblemKind::Special),
        "{:?}",
        found.problems
    );
    assert_eq!(show(&found.changes), Vec::<String>::new());
}

#[test]
fn commits_carry_people_times_and_trailers() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "x\n");
    sandbox.git(&["add", "-A"]);
    let message =
        "second\n\nbody: text\n\nco-authored-by: Cy <cy@example.com>\nCo-Authored-By: Dee Z <dee@example.com>\n";
    sandbox.git(&[
        "-c",
        "i18n.commitEncoding=UTF-8",
        "commit",
        "-q",
        "-m",
        message,
        "--date",
        "2024-05-06T07:08:09+02:00",
    ]);
    let repository = sandbox.open();
    let head = repository.head().unwrap().unwrap();
    let first = repository.resolve("HEAD~1").unwrap();
    let range = CommitRange { after: None, until: head, first_parent: false, limit: 10 };
    let commits = repository.commits(range).unwrap();
    assert_eq!(commits.iter().map(|commit| commit.summary()).collect::<Vec<_>>(), ["second", "first"]);
    let commit = &commits[0];
    assert_eq!((commit.id, commit.parents.as_slice()), (head, &[first][..]));
    assert_eq!((commit.author.name.as_str(), commit.author.email.as_str()), ("Ada", "ada@example.com"));
    assert_eq!(commit.committer.name, "Bob");
    assert_eq!(commit.author_time.to_string(), "2024-05-06T05:08:09Z");
    let names: Vec<_> = commit.co_authors.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["Cy", "Dee Z"]);
    assert_eq!(repository.commits(CommitRange { after: Some(first), ..range }).unwrap().len(), 1);
    assert_eq!(repository.commits(CommitRange { limit: 1, ..range }).unwrap().len(), 1);
}

#[test]
fn sha256_repositories_are_read() {
    let sandbox = Sandbox::sha256();
    let repository = sandbox.open();
    let head = repository.head().unwrap();
    assert_eq!(repository.tree(head.unwrap()).unwrap().len(), 1);
    assert_eq!(repository.changed(None, head.unwrap()).unwrap().len(), 1);
    assert_eq!(repository.changed_worktree(head).unwrap().changes, []);
}

#[test]
fn a_tree_is_written_out_without_what_could_leave_it() {
    let sandbox = Sandbox::new();
    let blob = sandbox.git(&["hash-object", "-w", "a.txt"]);
    let link = sandbox.git(&["hash-object", "-w", "run.sh"]);
    // Written with plumbing, as nobody's `git add` would do it.
    let list = |entries: &[(&str, &str, &str)]| {
        use std::io::Write as _;
        let text: String = entries
            .iter()
            .map(|(mode, oid, path)| {
                format!("{mode} {} {oid}\t{path}\0", if *mode == "040000" { "tree" } else { "blob" })
            })
            .collect();
        let mut child = git_command(&sandbox.root(), sandbox.outside())
            .args(["mktree", "-z", "--missing"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let evil = list(&[("100644", &blob, "config")]);
    let dots = list(&[("100644", &blob, "escaped.txt")]);
    let tree = list(&[
        ("100644", &blob, "good.txt"),
        ("100755", &blob, "tool"),
        ("040000", &evil, ".git"),
        ("040000", &evil, ".GIT"),
        ("040000", &evil, "git~1"),
        ("040000", &dots, ".."),
        ("100644", &blob, "aux.py"),
        ("100644", &blob, "back\\slash"),
        ("100644", &blob, "stream:x"),
        ("100644", &blob, "dot."),
        ("120000", &link, "link"),
        ("100644", "1234567890123456789012345678901234567890", "lacking"),
    ]);
    let commit = sandbox.git(&["commit-tree", &tree, "-m", "evil"]);
    let repository = sandbox.open();
    let entries = repository.tree(repository.resolve(&commit).unwrap()).unwrap();
    let target = sandbox.outside().join("out/deep");
    std::fs::create_dir_all(&target).unwrap();
    let report = repository.export(&entries, &target, 1000).unwrap();
    assert_eq!(report.written, 2, "{report:?}");
    assert_eq!(report.left_out.len(), 10, "{report:?}");
    let names: Vec<_> = files::list(&target).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["good.txt", "tool"]);
    assert!(!sandbox.outside().join("out/escaped.txt").exists());
    assert!(cfg!(windows) || files::stat(&target.join("tool")).unwrap().executable);
    assert_eq!(repository.export(&entries, &target, 1000).unwrap().written, 0, "nothing is overwritten");
}

#[test]
fn a_tree_the_partial_clone_lacks_is_a_missing_object() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "changed\n");
    sandbox.commit("second");
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", sandbox.root().display());
    let clone = sandbox.outside().join("treeless");
    sandbox.git(&["clone", "-q", "--filter=tree:0", "--no-checkout", &url, clone.to_str().unwrap()]);
    let repository = Repository::discover(&clone).unwrap();
    let head = repository.head().unwrap().unwrap();
    assert!(matches!(repository.tree(head), Err(GitError::MissingObject { .. })), "{:?}", repository.tree(head));
    let base = repository.resolve("HEAD~1").unwrap();
    assert!(matches!(repository.changed(Some(base), head), Err(GitError::MissingObject { .. })));
}

#[test]
fn renames_fall_back_where_blobs_are_lacking() {
    let sandbox = Sandbox::new();
    sandbox.git(&["mv", "a.txt", "moved.txt"]);
    sandbox.write("moved.txt", "one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\n");
    sandbox.commit("second");
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", sandbox.root().display());
    let clone = sandbox.outside().join("blobless");
    sandbox.git(&["clone", "-q", "--filter=blob:none", "--no-checkout", &url, clone.to_str().unwrap()]);
    let repository = Repository::discover(&clone).unwrap();
    let (base, head) = (repository.resolve("HEAD~1").unwrap(), repository.head().unwrap().unwrap());
    assert_eq!(show(&repository.changed(Some(base), head).unwrap()), ["Deleted a.txt -", "Added - moved.txt"]);
    let entries = repository.tree(head).unwrap();
    assert_eq!(read(&repository, entries[0].oid), Blob::Missing);
    assert!(repository.blobs().sizes(&[entries[0].oid]).unwrap() == [None]);
}

#[test]
fn a_document_is_kept_under_a_reference_of_its_own() {
    for sandbox in [Sandbox::new(), Sandbox::sha256()] {
        let repository = sandbox.open();
        assert_eq!(repository.shelved("approvals", 100, 100).unwrap(), []);
        assert!(repository.shelve("approvals/b", b"two").unwrap());
        assert!(repository.shelve("approvals/a.1", b"one").unwrap());
        assert!(repository.shelve("approvalsish", b"other").unwrap());
        // The same again is no news; another content under its name is refused.
        assert!(!repository.shelve("approvals/b", b"two").unwrap());
        assert!(repository.shelve("approvals/b", b"three").is_err());
        let seen: Vec<(String, Option<Vec<u8>>)> =
            repository.shelved("approvals", 100, 100).unwrap().into_iter().map(|one| (one.name, one.bytes)).collect();
        let one = |name: &str, text: &[u8]| (name.to_owned(), Some(text.to_vec()));
        assert_eq!(seen, [one("approvals/a.1", b"one"), one("approvals/b", b"two")]);
        let short = repository.shelved("approvals/b", 2, 100).unwrap();
        assert_eq!((short.len(), &short[0].bytes), (1, &None));
        // What others put there: a symbolic reference, a commit.
        sandbox.git(&["symbolic-ref", "refs/grace/approvals/link", "refs/grace/approvals/b"]);
        sandbox.git(&["update-ref", "refs/grace/approvals/commit", "HEAD"]);
        // They are counted, and say nothing.
        let all = repository.shelved("approvals", 100, 100).unwrap();
        let said: Vec<(&str, bool)> = all.iter().map(|one| (one.name.as_str(), one.bytes.is_some())).collect();
        let names = ["approvals/a.1", "approvals/b", "approvals/commit", "approvals/link"];
        assert_eq!(said, names.into_iter().zip([true, true, false, false]).collect::<Vec<_>>());
        assert_eq!(repository.shelved("approvals", 100, 3).unwrap().len(), 3);
        repository.unshelve("approvals/b", short[0].oid).unwrap();
        assert!(repository.unshelve("approvals/a.1", short[0].oid).is_err());
        assert_eq!(repository.shelved("approvals", 100, 1).unwrap().len(), 1);
        for name in ["", "/", "a//b", "../heads/main", "a/..", "-a", "a b", "a.lock", "a/.b", "ä", "a\n"] {
            assert!(matches!(repository.shelve(name, b""), Err(GitError::UnsafeRevision { .. })), "{name}");
            assert!(repository.shelved(name, 1, 1).is_err(), "{name}");
        }
    }
}

#[test]
fn a_commit_signature_and_what_it_signs_are_told_apart() {
    let sandbox = Sandbox::new();
    let head = sandbox.git(&["cat-file", "commit", "HEAD"]);
    let write = |text: &str| {
        sandbox.write("commit", text);
        let oid = sandbox.git(&["hash-object", "-t", "commit", "-w", "--literally", "commit"]);
        let repository = sandbox.open();
        repository.commit(repository.resolve(&oid).unwrap()).unwrap()
    };
    let (fields, message) = head.split_once("\n\n").unwrap();
    let signed = format!("{fields}\n\n{message}\n\ngpgsig in the message\n");
    assert_eq!(write(&signed).signature, None);
    let with = |header: &str| format!("{fields}\n{header}\n\n{message}\n\ngpgsig in the message\n");
    let commit = write(&with("gpgsig -----BEGIN\n one\n \n -----END\nencoding UTF-8"));
    let signature = commit.signature.unwrap();
    assert_eq!(signature.armored, "-----BEGIN\none\n\n-----END\n");
    assert_eq!(String::from_utf8(signature.signed).unwrap(), with("encoding UTF-8"));
    assert_eq!(write(&with("gpgsig a\ngpgsig b")).signature, None);
}

#[test]
fn a_file_is_put_on_top_of_a_reference_of_ours_and_nothing_else_changes() {
    let sandbox = Sandbox::new();
    let repository = Repository::discover(&sandbox.root()).unwrap();
    let head = repository.head().unwrap();
    let name = "refs/grace/anchors/grace-rules/mini/1";
    assert_eq!(repository.references_below(&["refs/grace"]).unwrap(), []);
    let first = repository.commit_file(name, "checkpoint", b"one\n", "1 record").unwrap();
    let second = repository.commit_file(name, "checkpoint", b"two\n", "2 records").unwrap();
    assert_eq!(
        repository.references_below(&["refs/grace", "refs/nowhere"]).unwrap(),
        [(name.to_owned(), second.oid())]
    );
    assert_eq!(repository.commit(second).unwrap().parents, [first]);
    let versions = repository.versions_below(name, "checkpoint", 10).unwrap();
    let texts: Vec<Blob> = versions.into_iter().map(|oid| read(&repository, oid)).collect();
    assert_eq!(texts, [Blob::Data(b"two\n".to_vec()), Blob::Data(b"one\n".to_vec())]);
    assert_eq!(repository.versions_below(name, "absent", 10).unwrap(), []);
    assert_eq!(repository.head().unwrap(), head);
    assert_eq!(repository.changed_worktree(head).unwrap().changes, []);
}
