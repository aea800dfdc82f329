//! Repositories that try to run something when they are read: one test a vector.
//!
//! Each program leaves a marker. Where ordinary git commands would run it, the test first shows that
//! they do, so that the trap is known to be live. Then everything that this crate reads is read, the
//! answers must be right, and no marker may exist.
#![cfg(unix)]

use std::path::PathBuf;

use grace_system::files;
use grace_system::git::{Blob, CommitRange, GitError, Oid, Repository};

use crate::support::{Sandbox, executable, in_own_process};

struct Trap {
    sandbox: Sandbox,
    marker: PathBuf,
    program: String,
}

impl Trap {
    /// Two commits, then a staged, an unstaged and an untracked change; and a program outside that leaves the marker.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("dir/b.py", "def b():\n    return 2\n");
        sandbox.commit("second");
        sandbox.write("staged.py", "s = 1\n");
        sandbox.git(&["add", "staged.py"]);
        sandbox.write("a.txt", "changed\n");
        sandbox.write("untracked.py", "u = 1\n");
        let marker = sandbox.outside().join("MARKER");
        let program = sandbox.outside().join("trap.sh");
        std::fs::write(&program, format!("#!/bin/sh\necho ran \"$@\" >> '{}'\nexit 1\n", marker.display())).unwrap();
        executable(&program);
        let program = program.to_str().unwrap().to_owned();
        Self { sandbox, marker, program }
    }

    fn config(&self, key: &str, value: &str) {
        self.sandbox.git(&["config", key, value]);
    }

    fn attributes(&self, text: &str) {
        std::fs::create_dir_all(self.sandbox.path(".git/info")).unwrap();
        std::fs::write(self.sandbox.path(".git/info/attributes"), text).unwrap();
    }

    /// The trap works: an ordinary command sets it off. The marker is removed again.
    fn is_live_for(&self, command: &[&str]) {
        let (_, _, said) = self.sandbox.try_git(command);
        assert!(self.marker.exists(), "git {command:?} should have run the trap: {said}");
        std::fs::remove_file(&self.marker).unwrap();
    }

    fn springs_nothing(&self) {
        read_everything(&Repository::discover(&self.sandbox.path("dir")).unwrap());
        assert!(!self.marker.exists(), "{}", std::fs::read_to_string(&self.marker).unwrap());
    }
}

/// Everything that is read of a repository, with the answers that [`Trap::new`] leads to.
fn read_everything(repository: &Repository) {
    let head = repository.resolve("HEAD").unwrap();
    let base = repository.resolve("main~1").unwrap();
    assert!(repository.resolve("mian").is_err());
    assert_eq!(repository.branch().unwrap().as_deref(), Some("main"));
    assert_eq!(repository.merge_base(base, head).unwrap(), base);
    let tree = repository.tree(head).unwrap();
    let paths = |changes: Vec<grace_system::git::TreeChange>| {
        changes.iter().map(|change| change.path().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(repository.changed(Some(base), head).unwrap()), ["dir/b.py"]);
    assert_eq!(paths(repository.changed_staged(Some(head)).unwrap()), ["staged.py"]);
    let work = repository.changed_worktree(Some(head)).unwrap();
    let seen: Vec<_> =
        paths(work.changes).into_iter().filter(|path| !path.starts_with('.') && !path.starts_with("evil")).collect();
    assert_eq!(seen, ["a.txt", "staged.py", "untracked.py"]);
    let range = CommitRange { after: None, until: head, first_parent: true, limit: 10 };
    assert_eq!(
        repository.commits(range).unwrap().iter().map(|commit| commit.summary()).collect::<Vec<_>>(),
        ["second", "first"]
    );
    let mut blobs = repository.blobs();
    let python = tree.iter().find(|entry| entry.path == "dir/b.py").unwrap();
    assert_eq!(blobs.read(python.oid, 1000).unwrap(), Blob::Data(b"def b():\n    return 2\n".to_vec()));
    let out = files::temporary_dir().unwrap();
    assert_eq!(repository.export(&tree, out.path(), 1000).unwrap().written, 3);
    assert_eq!(files::read(&out.path().join("dir/b.py"), 1000).unwrap(), b"def b():\n    return 2\n");
}

#[test]
fn a_file_system_monitor_is_not_run() {
    let trap = Trap::new();
    trap.config("core.fsmonitor", &trap.program);
    trap.is_live_for(&["status"]);
    trap.springs_nothing();
}

#[test]
fn hooks_are_not_run() {
    let trap = Trap::new();
    for hook in [
        "post-index-change",
        "pre-commit",
        "reference-transaction",
        "post-checkout",
        "fsmonitor-watchman",
        "pre-auto-gc",
    ] {
        std::fs::create_dir_all(trap.sandbox.path(".git/hooks")).unwrap();
        std::os::unix::fs::symlink(&trap.program, trap.sandbox.path(&format!(".git/hooks/{hook}"))).unwrap();
    }
    trap.is_live_for(&["update-index", "--refresh", "--force-write-index"]);
    trap.springs_nothing();
}

#[test]
fn a_hooks_path_is_not_followed() {
    let trap = Trap::new();
    trap.sandbox.write("evil/post-index-change", format!("#!/bin/sh\n{}\n", trap.program));
    trap.sandbox.make_executable("evil/post-index-change");
    trap.config("core.hooksPath", trap.sandbox.path("evil").to_str().unwrap());
    trap.is_live_for(&["update-index", "--refresh", "--force-write-index"]);
    trap.springs_nothing();
}

#[test]
fn clean_and_smudge_filters_are_not_run() {
    let trap = Trap::new();
    trap.config("filter.evil.clean", &trap.program);
    trap.config("filter.evil.smudge", &trap.program);
    trap.sandbox.write(".gitattributes", "* filter=evil\n");
    trap.is_live_for(&["diff", "--stat"]);
    trap.is_live_for(&["checkout-index", "--prefix=../out/", "run.sh"]);
    trap.springs_nothing();
}

#[test]
fn a_filter_process_is_not_run() {
    let trap = Trap::new();
    trap.config("filter.evil.process", &trap.program);
    trap.config("filter.evil.required", "true");
    trap.attributes("* filter=evil\n");
    trap.is_live_for(&["diff", "--stat"]);
    trap.springs_nothing();
}

#[test]
fn an_external_diff_is_not_run() {
    let trap = Trap::new();
    trap.config("diff.external", &trap.program);
    trap.is_live_for(&["diff", "HEAD~1"]);
    trap.springs_nothing();
}

#[test]
fn a_diff_driver_with_textconv_or_command_is_not_run() {
    let trap = Trap::new();
    trap.attributes("* diff=evil\n");
    trap.config("diff.evil.textconv", &trap.program);
    trap.is_live_for(&["diff", "HEAD~1", "HEAD"]);
    trap.config("diff.evil.command", &trap.program);
    trap.is_live_for(&["diff", "HEAD~1", "HEAD"]);
    trap.springs_nothing();
}

#[test]
fn a_merge_driver_is_not_run() {
    let trap = Trap::new();
    trap.attributes("* merge=evil\n");
    trap.config("merge.evil.driver", &format!("{} %A", trap.program));
    trap.springs_nothing();
}

#[test]
fn a_promisor_remote_is_not_asked_for_missing_objects() {
    let trap = Trap::new();
    trap.config("core.repositoryFormatVersion", "1");
    trap.config("extensions.partialClone", "origin");
    trap.config("remote.origin.promisor", "true");
    trap.config("core.sshCommand", &trap.program);
    trap.config("protocol.ext.allow", "always");
    trap.config("protocol.ssh.allow", "always");
    let absent = "1234567890123456789012345678901234567890";
    for url in ["ssh://example.invalid/x".to_owned(), format!("ext::{}", trap.program)] {
        trap.config("remote.origin.url", &url);
        trap.is_live_for(&["cat-file", "-e", absent]);
        let repository = trap.sandbox.open();
        assert!(matches!(repository.resolve(absent), Err(GitError::MissingObject { .. })));
        assert_eq!(repository.blobs().read(Oid::parse(absent).unwrap(), 1000).unwrap(), Blob::Missing);
        trap.springs_nothing();
    }
    // A blob that HEAD needs is gone: still nothing is fetched, and the answer names it.
    let repository = trap.sandbox.open();
    let head = repository.head().unwrap().unwrap();
    let entry = repository.tree(head).unwrap().into_iter().find(|entry| entry.path == "dir/b.py").unwrap();
    let name = entry.oid.to_string();
    std::fs::remove_file(trap.sandbox.path(&format!(".git/objects/{}/{}", &name[..2], &name[2..]))).unwrap();
    let base = repository.resolve("HEAD~1").unwrap();
    assert_eq!(repository.changed(Some(base), head).unwrap().len(), 1);
    assert_eq!(repository.blobs().read(entry.oid, 1000).unwrap(), Blob::Missing);
    assert!(!trap.marker.exists());
}

#[test]
fn aliases_do_not_replace_plumbing() {
    let trap = Trap::new();
    for name in [
        "rev-parse",
        "ls-tree",
        "ls-files",
        "cat-file",
        "diff-tree",
        "diff-index",
        "rev-list",
        "for-each-ref",
        "symbolic-ref",
        "merge-base",
        "config",
    ] {
        trap.config(&format!("alias.{name}"), &format!("!{}", trap.program));
    }
    trap.config("alias.evil", &format!("!{}", trap.program));
    trap.is_live_for(&["evil"]);
    trap.springs_nothing();
}

#[test]
fn pagers_are_not_run() {
    let trap = Trap::new();
    trap.config("core.pager", &trap.program);
    for name in ["rev-parse", "ls-tree", "ls-files", "cat-file", "diff-tree", "diff-index", "rev-list", "for-each-ref"]
    {
        trap.config(&format!("pager.{name}"), &trap.program);
    }
    trap.springs_nothing();
}

#[test]
fn an_included_configuration_runs_nothing() {
    let trap = Trap::new();
    let included = trap.sandbox.path("evil.config");
    std::fs::write(
        &included,
        format!(
            "[core]\n\tfsmonitor = {0}\n[diff]\n\texternal = {0}\n[filter \"evil\"]\n\tclean = {0}\n",
            trap.program
        ),
    )
    .unwrap();
    trap.config("include.path", included.to_str().unwrap());
    trap.config("includeIf.gitdir:/.path", included.to_str().unwrap());
    trap.is_live_for(&["status"]);
    trap.springs_nothing();
}

#[test]
fn an_attributes_file_elsewhere_runs_nothing() {
    let trap = Trap::new();
    let attributes = trap.sandbox.outside().join("attributes");
    std::fs::write(&attributes, "* filter=evil diff=evil\n").unwrap();
    trap.config("core.attributesFile", attributes.to_str().unwrap());
    trap.config("filter.evil.clean", &trap.program);
    trap.config("diff.evil.textconv", &trap.program);
    trap.is_live_for(&["diff", "--stat"]);
    trap.springs_nothing();
}

#[test]
fn inherited_git_variables_have_no_effect() {
    let trap = Trap::new();
    let other = Sandbox::new();
    let root = trap.sandbox.root();
    let (ok, said) = in_own_process(
        "hostile::inner_inherited",
        &[
            ("REPO", root.to_str().unwrap()),
            ("GIT_DIR", other.path(".git").to_str().unwrap()),
            ("GIT_WORK_TREE", other.root().to_str().unwrap()),
            ("GIT_INDEX_FILE", other.path(".git/index").to_str().unwrap()),
            ("GIT_OBJECT_DIRECTORY", other.path(".git/objects").to_str().unwrap()),
            ("GIT_CEILING_DIRECTORIES", root.to_str().unwrap()),
            ("GIT_NAMESPACE", "evil"),
            ("GIT_EXTERNAL_DIFF", &trap.program),
            ("GIT_SSH_COMMAND", &trap.program),
            ("GIT_PAGER", &trap.program),
            ("GIT_ASKPASS", &trap.program),
            ("GIT_EXEC_PATH", trap.sandbox.outside().to_str().unwrap()),
            ("GIT_TRACE", trap.marker.to_str().unwrap()),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
            ("GIT_CONFIG_VALUE_0", &trap.program),
            ("GIT_CONFIG_PARAMETERS", "'core.bare=true'"),
        ],
    );
    assert!(ok, "{said}");
    assert!(!trap.marker.exists());
}

#[test]
#[ignore = "runs inside inherited_git_variables_have_no_effect"]
fn inner_inherited() {
    let root = PathBuf::from(std::env::var("REPO").unwrap());
    let repository = Repository::discover(&root).unwrap();
    assert_eq!(repository.root(), root.canonicalize().unwrap());
    read_everything(&repository);
}

#[test]
fn a_git_file_that_points_elsewhere_runs_nothing() {
    let trap = Trap::new();
    let elsewhere = trap.sandbox.outside().join("elsewhere.git");
    std::fs::rename(trap.sandbox.path(".git"), &elsewhere).unwrap();
    std::fs::write(trap.sandbox.path(".git"), format!("gitdir: {}\n", elsewhere.display())).unwrap();
    trap.config("core.fsmonitor", &trap.program);
    trap.is_live_for(&["status"]);
    trap.springs_nothing();
}

#[test]
fn a_work_tree_configured_elsewhere_is_refused() {
    let trap = Trap::new();
    let elsewhere = trap.sandbox.outside().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    trap.config("core.worktree", elsewhere.to_str().unwrap());
    assert!(matches!(Repository::discover(&trap.sandbox.root()), Err(GitError::NoWorkTree { .. })));
}

#[test]
fn credential_helpers_editors_and_signature_programs_are_not_run() {
    let trap = Trap::new();
    trap.config("credential.helper", &format!("!{}", trap.program));
    trap.config("core.askPass", &trap.program);
    trap.config("core.editor", &trap.program);
    trap.config("sequence.editor", &trap.program);
    trap.config("gpg.program", &trap.program);
    trap.config("gpg.ssh.program", &trap.program);
    trap.config("log.showSignature", "true");
    trap.config("uploadpack.packObjectsHook", &trap.program);
    trap.is_live_for(&["commit", "--amend"]);
    trap.is_live_for(&["commit", "-S", "--amend", "--no-edit"]);
    trap.springs_nothing();
}

#[test]
fn replaced_and_grafted_objects_are_not_believed() {
    let trap = Trap::new();
    let old = trap.sandbox.git(&["rev-parse", "HEAD:dir/b.py"]);
    trap.sandbox.write("evil.txt", "evil\n");
    let new = trap.sandbox.git(&["hash-object", "-w", "evil.txt"]);
    trap.sandbox.git(&["replace", &old, &new]);
    assert_eq!(trap.sandbox.git(&["show", "HEAD:dir/b.py"]), "evil");
    let head = trap.sandbox.git(&["rev-parse", "HEAD"]);
    std::fs::create_dir_all(trap.sandbox.path(".git/info")).unwrap();
    std::fs::write(trap.sandbox.path(".git/info/grafts"), format!("{head}\n")).unwrap();
    assert_eq!(trap.sandbox.git(&["rev-list", "--count", "HEAD"]), "1");
    trap.springs_nothing();
}

#[test]
fn an_object_that_is_a_pipe_does_not_hang() {
    let trap = Trap::new();
    let repository = trap.sandbox.open();
    let head = repository.head().unwrap().unwrap();
    let oid = repository.tree(head).unwrap()[0].oid;
    let name = oid.to_string();
    let loose = trap.sandbox.path(&format!(".git/objects/{}/{}", &name[..2], &name[2..]));
    std::fs::remove_file(&loose).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&loose).status().unwrap().success());
    let limits = grace_system::git::Limits { deadline: std::time::Duration::from_millis(500), output: 1 << 20 };
    let answer = repository.with_limits(limits).blobs().read(oid, 1000);
    assert!(matches!(answer, Err(GitError::TimedOut { .. }) | Ok(Blob::Missing)), "{answer:?}");
}
