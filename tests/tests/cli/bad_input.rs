//! Bad input: a clear sentence, exit code 2, and never a panic.

use insta::assert_snapshot;

use crate::support::Repo;

#[test]
fn without_git_the_answer_says_so() {
    let repo = Repo::edited();
    let said = repo.run(&["plan"], None, |command| {
        command.env("PATH", "");
    });
    assert_snapshot!(said.snapshot(&repo.path));
}

#[test]
fn run_outside_of_a_repository_advises_nothing_that_it_refuses() {
    let said = Repo::directory().run(&["run"], None, |_| {});
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("help: run inside a repository; git init makes one"), "{}", said.stderr);
    assert!(!said.stderr.contains("--diff"), "{}", said.stderr);
}

#[test]
fn outside_of_a_repository_the_answer_says_so() {
    assert_snapshot!(Repo::directory().grace("plan"));
}

#[test]
fn init_outside_of_a_repository_names_the_first_step() {
    assert_snapshot!(Repo::directory().grace("init"));
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    assert_snapshot!(Repo::directory().grace("-C nowhere plan"));
}

#[test]
fn a_revision_before_the_first_commit_is_unborn() {
    assert_snapshot!(Repo::unborn().grace("plan --base main"));
}

#[test]
fn a_work_tree_before_the_first_commit_is_planned_against_nothing() {
    let repo = Repo::unborn();
    repo.write("a.py", "x = 1\n");
    let plan = repo.json("plan");
    assert_eq!(plan["change"]["files"], 1);
}

#[test]
fn a_misspelt_revision_names_its_neighbour() {
    assert_snapshot!(Repo::project().grace("plan --base mian"));
}

#[test]
fn a_revision_that_looks_like_an_option_is_refused() {
    assert_snapshot!(Repo::project().grace("plan --base=--help"));
}

#[test]
fn a_revision_beyond_a_shallow_clone_says_how_to_fetch_it() {
    let repo = Repo::project();
    repo.edit_kernel();
    repo.commit("second");
    let clone = Repo::directory();
    let source = format!("file://{}", repo.path.display());
    clone.git(&["clone", "--quiet", "--depth", "1", &source, "clone"]);
    let said = clone.run(&["-C", "clone", "plan", "--base", "HEAD~1"], None, |_| {});
    assert_snapshot!(said.snapshot(&clone.path));
}

#[test]
fn a_diff_that_does_not_apply_names_the_place() {
    let diff = "--- a/app/api.py\n+++ b/app/api.py\n@@ -1,2 +1,2 @@\n-something else\n+new\n \n";
    assert_snapshot!("diff_mismatch", Repo::project().grace_with_input("plan --diff -", diff));
    assert_snapshot!("diff_nonsense", Repo::project().grace_with_input("plan --diff -", "hello\n"));
    assert_snapshot!("diff_missing", Repo::project().grace("plan --diff nothing.diff"));
    let outside = "--- a/../x\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n";
    assert_snapshot!("diff_outside", Repo::project().grace_with_input("plan --diff -", outside));
}

#[test]
fn files_that_are_not_there_are_named() {
    assert_snapshot!("files_missing", Repo::project().grace("plan --files nothing.py"));
    assert_snapshot!("files_outside", Repo::project().grace("plan --files ../x.py"));
}

#[test]
fn an_object_that_is_lacking_is_a_named_unknown() {
    let repo = Repo::project();
    repo.edit_kernel();
    repo.commit("second");
    let blob = repo.git(&["rev-parse", "HEAD~1:app/core/kernel.py"]);
    std::fs::remove_file(repo.path.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let said = repo.run(&["plan", "--base", "HEAD~1", "--head", "HEAD"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("tier 3"), "{}", said.stdout);
}

#[test]
fn rules_that_are_no_text_are_a_named_unknown() {
    let repo = Repo::project();
    std::fs::write(repo.path.join("grace/more.grace"), [0xff, 0xfe, 0x00]).unwrap();
    assert_snapshot!("rules_no_text_check", repo.grace("check"));
    let plan = repo.json("plan");
    assert_eq!(plan["tier"], 3);
    assert!(!plan["unknowns"].as_array().unwrap().is_empty());
}

#[test]
fn a_fingerprint_that_does_not_read_is_named_with_its_line_and_is_an_unknown() {
    let repo = Repo::project();
    repo.write("grace/fingerprints/own.yaml", "model_name: \"own:1b\"\ncontext_window: 0x10\ntrust_score: high\n");
    assert_snapshot!("fingerprint_check", repo.grace("check"));
    repo.commit("a fingerprint");
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    let plan = repo.json("plan");
    assert_eq!(plan["tier"], 3);
    let unknown = plan["unknowns"][0]["name"].as_str().unwrap();
    assert!(unknown.starts_with("the fingerprint grace/fingerprints/own.yaml (line 1: "), "{unknown}");
    std::fs::remove_file(repo.path.join("grace/rules.grace")).unwrap();
    assert_snapshot!("fingerprint_check_without_rules", repo.grace("check"));
    let places: Vec<String> = repo.json("check").as_array().unwrap().iter().map(place_of).collect();
    assert_eq!(places, ["F003 1:1", "F003 1:1", "F003 1:1", "F005 2:17", "F004 3:14"]);
    assert_snapshot!("explain_fingerprint_code", repo.grace("explain F005"));
}

fn place_of(mistake: &serde_json::Value) -> String {
    format!("{} {}:{}", mistake["code"].as_str().unwrap(), mistake["line"], mistake["column"])
}

#[test]
fn two_fingerprints_of_one_model_are_a_mistake_and_an_unknown() {
    let repo = Repo::project();
    let (_, text) = grace_fingerprints::shipped()[0];
    repo.write("grace/fingerprints/a.yaml", text);
    repo.write("grace/fingerprints/b.yaml", text);
    let check = repo.grace("check");
    assert!(
        check.contains("`grace/fingerprints/b.yaml`: it is of model") && check.trim_end().ends_with("exit 1"),
        "{check}"
    );
    repo.commit("fingerprints");
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    let plan = repo.json("plan");
    assert_eq!(plan["tier"], 3);
    let unknown = plan["unknowns"][0]["name"].as_str().unwrap();
    assert!(unknown.starts_with("the fingerprint grace/fingerprints/b.yaml (it is of model "), "{unknown}");
}

#[test]
fn init_where_a_file_is_in_the_way_says_so() {
    let repo = Repo::project();
    repo.remove("grace");
    repo.write("grace", "a file\n");
    assert_snapshot!(repo.grace("init"));
}

#[test]
fn dates_and_questions_that_mean_nothing_are_refused() {
    let repo = Repo::project();
    assert_snapshot!("as_of", repo.grace("plan --as-of tomorrow"));
    assert_snapshot!("explain_nothing", repo.grace("explain"));
    assert_snapshot!("explain_nonsense", repo.grace("explain nonsense"));
    assert_snapshot!("explain_bundle_without_name", repo.grace("explain bundle"));
    assert_snapshot!("unknown_command", repo.grace("plam"));
    assert_snapshot!("two_changes", repo.grace("plan --staged --worktree"));
    assert_snapshot!("no_rules_in_directory", repo.grace("plan --rules app"));
}

#[test]
fn an_error_for_a_program_is_json_too() {
    assert_snapshot!(Repo::project().grace("plan --base nope --format json"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_no_answer() {
    let repo = Repo::edited();
    let said = repo.run(&["plan"], None, |command| {
        command.stdout(std::fs::File::create("/dev/full").unwrap());
    });
    assert_snapshot!(said.snapshot(&repo.path));
    let version = repo.run(&["--version"], None, |command| {
        command.stdout(std::fs::File::create("/dev/full").unwrap());
    });
    assert_eq!(version.code, Some(2));
}

#[test]
fn a_name_that_is_not_there_has_neighbours_of_its_own_kind() {
    let repo = Repo::edited();
    let meant = |what: &str| repo.json(&format!("explain {what}"))["did_you_mean"].clone();
    // Every file ends in `py`: that makes none of them alike.
    assert_eq!(meant("file elsewhere.py"), serde_json::json!([]));
    assert_eq!(meant("rule core"), serde_json::json!(["core_change", "reaches_core"]));
    assert_eq!(
        meant("test tests/test_api.py::test_nothing_like_it"),
        serde_json::json!(["tests/test_api.py::test_boot"])
    );
}

#[test]
fn what_is_not_there_is_no_answer() {
    let repo = Repo::project();
    assert_snapshot!("fmt_missing", repo.grace("fmt nothing.grace"));
    assert_snapshot!("rules_missing", repo.grace("plan --rules nothing"));
    assert_snapshot!("query_cut", repo.grace("graph query tag("));
}

#[test]
fn names_of_files_cannot_drive_the_terminal() {
    let repo = Repo::project();
    repo.write("app/core/\u{1b}[31mred.py", "x = 1\n");
    let said = repo.run(&["plan"], None, |_| {});
    assert!(!said.stdout.contains('\u{1b}'), "{}", said.stdout);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

#[test]
fn the_first_codeowners_decides_and_where_it_cannot_be_read_it_is_a_named_unknown() {
    let repo = Repo::project();
    let plan = |repo: &Repo| repo.json("plan");
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    assert_eq!(plan(&repo)["tier"], 2);
    let file = repo.path.join("CODEOWNERS");
    std::fs::write(&file, b"* @a\xff\n").unwrap();
    repo.write("docs/CODEOWNERS", "* @everyone\n");
    repo.commit("owners");
    repo.write("app/notes.py", "def note():\n    return 'z'\n");
    let said = plan(&repo);
    assert_eq!(said["tier"], 3);
    assert!(said["unknowns"].to_string().contains("the owners in CODEOWNERS (it is not UTF-8 text)"), "{said}");
}
