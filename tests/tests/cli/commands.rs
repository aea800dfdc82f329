//! What each command says when all is well, or when the answer is no.

use insta::assert_snapshot;
use regex::Regex;

use crate::support::Repo;

#[test]
fn help_shows_every_command() {
    assert_snapshot!(Repo::directory().grace("--help"));
}

#[test]
fn help_of_plan_shows_examples() {
    assert_snapshot!(Repo::directory().grace("plan --help"));
}

#[test]
fn a_plan_says_tier_reason_and_place() {
    assert_snapshot!(Repo::edited().grace("plan"));
}

#[test]
fn a_plan_of_nothing_is_short() {
    assert_snapshot!(Repo::project().grace("plan"));
}

#[test]
fn a_denial_comes_first_and_ends_with_one() {
    let repo = Repo::project();
    repo.write("app/notes.py", "def note():\n    print('x')\n    return 'x'\n");
    assert_snapshot!(repo.grace("plan"));
}

#[test]
fn a_plan_as_json_has_the_keys_that_are_promised() {
    let plan = Repo::edited().json("plan");
    assert_eq!(plan["schema"], "grace-rules/plan");
    assert_eq!(plan["version"], 1);
    assert_eq!(plan["tier"], 3);
    assert_eq!(plan["id"].as_str().unwrap().len(), 64);
    for key in ["approvals", "principles", "bundles", "validations", "denials", "unknowns", "rules"] {
        for element in plan[key].as_array().unwrap() {
            assert!(element["name"].is_string(), "{key}: {element}");
            for reason in element["derivation"].as_array().unwrap() {
                for part in ["rule", "file", "line", "because", "evidence"] {
                    assert!(!reason[part].is_null(), "{key}.{part}: {reason}");
                }
            }
        }
    }
    assert_eq!(plan["bundles"][0]["name"], "unit");
    assert!(plan["approvals"].as_array().unwrap().iter().any(|approval| approval["name"] == "1 of team(owners)"));
}

#[test]
fn every_way_to_name_a_change_gives_the_same_tier() {
    let repo = Repo::edited();
    let diff = repo.git(&["diff"]) + "\n";
    repo.write("../change.diff", &diff);
    let tier = |line: &str| repo.json(line)["tier"].clone();
    assert_eq!(tier("plan --worktree"), 3);
    assert_eq!(tier("plan --base HEAD"), 3);
    assert_eq!(tier("plan --diff ../change.diff"), 3);
    assert_eq!(tier("plan --files app/core/kernel.py"), 3);
    repo.git(&["add", "--all"]);
    assert_eq!(tier("plan --staged"), 3);
    repo.commit("second");
    assert_eq!(tier("plan --base HEAD~1 --head HEAD"), 3);
    assert_eq!(tier("plan --head HEAD"), 3);
}

#[test]
fn a_diff_on_standard_input_is_planned() {
    let repo = Repo::edited();
    let diff = repo.git(&["diff"]) + "\n";
    repo.git(&["checkout", "--quiet", "."]);
    assert_snapshot!(repo.grace_with_input("plan --diff -", &diff));
}

#[test]
fn a_branch_is_compared_with_where_it_left_main() {
    let repo = Repo::project();
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo.edit_kernel();
    repo.commit("second");
    let plan = repo.json("plan");
    assert_eq!(plan["tier"], 3);
    assert!(plan["compared"].as_str().unwrap().starts_with("work tree against main ("), "{}", plan["compared"]);
}

#[test]
fn a_directory_without_a_repository_is_planned_by_files() {
    let repo = Repo::project();
    repo.remove(".git");
    assert_snapshot!(repo.grace("plan --files app/core/kernel.py"));
}

#[test]
fn a_repository_without_rules_is_judged_by_the_floor() {
    let repo = Repo::project();
    repo.remove("grace");
    repo.commit("no rules");
    repo.edit_kernel();
    assert_snapshot!(repo.grace("plan"));
}

#[test]
fn rules_can_be_tried_out() {
    let repo = Repo::edited();
    repo.write("../other/a.grace", "module other\nrule any : tier 2\n  when any edit in all\n  because \"Try.\"\n");
    assert_snapshot!(repo.grace("plan --rules ../other"));
}

#[test]
fn explain_answers_every_kind_of_question() {
    let repo = Repo::edited();
    for (name, line) in [
        ("tier", "explain tier"),
        ("bundle", "explain bundle unit"),
        ("test", "explain test tests/test_api.py::test_boot"),
        ("approval", "explain approval owners"),
        ("principle", "explain principle CORE_STAYS_SAFE"),
        ("rule", "explain rule no_print"),
        ("file", "explain file app/core/kernel.py"),
        ("symbol", "explain symbol Kernel.start"),
        ("code", "explain E021"),
        ("a_name_without_its_noun", "explain unit"),
        ("an_unheard_name", "explain bundle unti"),
    ] {
        assert_snapshot!(format!("explain_{name}"), repo.grace(line));
    }
}

#[test]
fn explain_says_what_an_absent_thing_lacks() {
    let repo = Repo::project();
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    assert_snapshot!(repo.grace("explain bundle unit"));
}

#[test]
fn sound_rules_pass_check() {
    assert_snapshot!(Repo::project().grace("check"));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let repo = Repo::project();
    let rules = crate::support::RULES
        .replace("change touches tag(kernel)", "change touches tag(kernal)")
        .replace("bundle(unit) narrowed", "bundle(unti) narrowed");
    repo.write("grace/rules.grace", &rules);
    assert_snapshot!(repo.grace("check"));
    let list = repo.json("check");
    for mistake in list.as_array().unwrap() {
        for key in ["code", "severity", "message", "help", "file", "line", "column"] {
            assert!(mistake.get(key).is_some(), "{key}: {mistake}");
        }
    }
    let errors = list.as_array().unwrap().iter().filter(|mistake| mistake["severity"] == "error").count();
    assert!(errors >= 2, "{list}");
}

#[test]
fn of_many_mistakes_the_screen_draws_fifty_and_the_json_has_all() {
    let repo = Repo::project();
    let many: String =
        (0..1_200).map(|n| format!("\ntag t{n}  on path(\"app/**\") and tag(unheard_of{n})\n")).collect();
    repo.write("grace/extra.grace", &format!("module project.extra\n{many}"));
    let list = repo.json("check");
    let mistakes = list.as_array().unwrap().iter().filter(|mistake| mistake["severity"] != "note").count();
    assert!(mistakes >= 1_200, "{mistakes}");
    let said = repo.run(&["check"], None, |_| {});
    assert_eq!(said.stdout.matches("╭─[").count(), 50, "{}", said.stdout);
    // The lines are those of the file, not of the piece that is drawn.
    let drawn = Regex::new(r"╭─\[grace/extra\.grace:(\d+):(\d+)\]").unwrap();
    for (captured, mistake) in drawn.captures_iter(&said.stdout).zip(list.as_array().unwrap()) {
        assert_eq!((&captured[1], &captured[2]), (&*mistake["line"].to_string(), &*mistake["column"].to_string()));
    }
    let more =
        format!("\nand {},{:03} more (--format json has all)\n", (mistakes - 50) / 1_000, (mistakes - 50) % 1_000);
    assert!(said.stdout.contains(&more), "{more}{}", said.stdout);
}

#[test]
fn a_mistake_on_an_endless_line_is_named_and_not_drawn() {
    let repo = Repo::project();
    let long = format!("tag a  on {} or tag(unheard_of)\n", vec!["path(\"app/**\")"; 2_000].join(" or "));
    repo.write("grace/extra.grace", &format!("module project.extra\n\n{long}"));
    let said = repo.run(&["check"], None, |_| {});
    assert!(said.stdout.contains("in grace/extra.grace:3\n"), "{}", said.stdout);
    assert!(!said.stdout.contains("╭─[grace/extra"), "{}", said.stdout);
}

#[test]
fn broken_rules_fail_check_and_make_a_plan_tier_3() {
    let repo = Repo::project();
    repo.write(
        "grace/rules.grace",
        &format!("{}\nrule broken : tier 2\n  when change touches\n", crate::support::RULES),
    );
    assert_snapshot!("broken_rules_check", repo.grace("check"));
    assert_snapshot!("broken_rules_plan", repo.grace("plan"));
}

#[test]
fn one_mistake_is_one_unknown_and_many_are_counted() {
    let repo = Repo::project();
    let rule = |number: usize| {
        format!("\nrule r{number} : tier 2\n  when any edit in tag(gone{number})\n  because \"Somebody said so.\"\n")
    };
    for number in 0..30 {
        repo.write(&format!("app/new_{number}.py"), "x = 1\n");
    }
    repo.write("grace/rules.grace", &format!("{}{}", crate::support::RULES, rule(0)));
    assert_eq!(repo.json("plan")["unknowns"].as_array().unwrap().len(), 1);
    let many: String = (0..40).map(rule).collect();
    repo.write("grace/rules.grace", &format!("{}{many}", crate::support::RULES));
    let said = repo.grace("plan");
    assert!(said.contains("\n  and 32 more (--format json has all)\n"), "{said}");
}

#[test]
fn fmt_lists_then_writes_and_then_has_nothing_to_do() {
    let repo = Repo::project();
    repo.write("grace/extra.grace", "module extra\nteam   b members \"x@example.org\"\n");
    assert_snapshot!("fmt_check", repo.grace("fmt --check grace/extra.grace"));
    assert_snapshot!("fmt_writes", repo.grace("fmt grace/extra.grace"));
    assert_snapshot!("fmt_again", repo.grace("fmt --check grace/extra.grace"));
    repo.write("grace/extra.grace", "module extra\nteam b members\n");
    assert_snapshot!("fmt_leaves_a_mistake", repo.grace("fmt grace/extra.grace"));
    assert_eq!(repo.read("grace/extra.grace"), "module extra\nteam b members\n");
}

#[test]
fn tests_of_rules_run_and_say_what_they_reached() {
    let repo = Repo::project();
    assert_snapshot!("test_passes", repo.grace("test"));
    repo.write("grace/rules.grace", &crate::support::RULES.replace("expect   tier 3", "expect   tier 2"));
    assert_snapshot!("test_fails", repo.grace("test"));
    assert_snapshot!("test_of_no_title", repo.grace("test nonsense"));
}

#[test]
fn graph_stats_counts_what_is_known() {
    let repo = Repo::project();
    repo.write("app/broken.py", "def f(:\n    pass\n");
    assert_snapshot!(repo.grace("graph stats"));
    assert_eq!(repo.json("graph stats")["schema"], "grace-rules/graph-stats");
}

#[test]
fn graph_path_shows_how_one_thing_uses_another() {
    let repo = Repo::project();
    assert_snapshot!("path", repo.grace("graph path tests/test_api.py app.core.kernel.Kernel.start"));
    assert_snapshot!("path_from_a_test", repo.grace("graph path tests/test_api.py::test_boot app/core/kernel.py"));
    assert_snapshot!("no_path", repo.grace("graph path app/core/kernel.py app/api.py"));
    assert_snapshot!("path_to_nothing", repo.grace("graph path app/api.py app.nowhere"));
    let steps = repo.json("graph path app.api.boot Kernel.start");
    assert_eq!((steps[0]["kind"].as_str(), steps[0]["line"].as_u64()), (Some("calls"), Some(5)));
}

#[test]
fn graph_export_writes_the_graph_for_other_programs() {
    let repo = Repo::project();
    repo.write("app/odd & \"name\".py", "import app.api\n");
    assert_snapshot!("export_dot", repo.grace("graph export --format dot"));
    assert_snapshot!("export_graphml", repo.grace("graph export --format graphml"));
    assert_snapshot!("export_of_a_plan", repo.grace("plan --format dot"));
    let parts = repo.json("graph export --level parts");
    let nodes = parts["nodes"].as_array().unwrap();
    let at = |name: &str| nodes.iter().position(|node| node["name"] == name).unwrap();
    let (boot, start) = (at("app.api.boot"), at("app.core.kernel.Kernel.start"));
    let calls = |edge: &&serde_json::Value| edge["from"] == boot && edge["to"] == start && edge["kind"] == "calls";
    assert_eq!(parts["edges"].as_array().unwrap().iter().filter(calls).count(), 1);
}

#[test]
fn graph_query_lists_members_with_their_tags() {
    let repo = Repo::project();
    assert_snapshot!("query", repo.grace_args(&["graph", "query", "tag(kernel)"]));
    assert_snapshot!("query_of_an_unknown_tag", repo.grace_args(&["graph", "query", "tag(kernal)"]));
    assert_snapshot!("query_of_two_items", repo.grace_args(&["graph", "query", "tests\ndefine b = all"]));
    let rows = repo.json("graph query all");
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == "start").unwrap();
    assert_eq!(row["kind"], "method");
    assert_eq!(row["qualified_name"], "app.core.kernel.Kernel.start");
    assert_eq!(row["path"], "app/core/kernel.py");
    assert_eq!(row["line"], 2);
    assert_eq!(row["tags"], serde_json::json!(["kernel"]));
}

#[test]
fn init_makes_rules_that_pass_check_and_overwrites_nothing() {
    let repo = Repo::project();
    repo.remove("grace");
    repo.commit("no rules");
    assert_snapshot!("init", repo.grace("init"));
    let said = repo.run(&["check"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}", said.stdout);
    let said = repo.run(&["fmt", "--check"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}", said.stdout);
    repo.write("grace/rules.grace", "# mine\n");
    assert_snapshot!("init_again", repo.grace("init"));
    assert_eq!(repo.read("grace/rules.grace"), "# mine\n");
}

#[test]
fn run_stores_what_passed_and_what_failed() {
    let repo = Repo::edited();
    assert_snapshot!("run_passes", repo.grace("run"));
    repo.write("app/core/kernel.py", "class Kernel:\n    def start(self):\n        return 2\n");
    assert_snapshot!("run_fails", repo.grace("run"));
    let ended: Vec<_> = repo.recorded_as("run").iter().map(|run| run["end"].clone()).collect();
    assert_eq!(ended, ["passed", "failed"]);
    assert!(!repo.git(&["status", "--porcelain"]).contains("grace"));
}

#[test]
fn check_has_nothing_to_say_right_after_init_however_small_the_repository_is() {
    for (path, text) in [
        ("README.md", "# x\n"),
        ("a.py", "def f():\n    return 1\n"),
        ("tests/test_a.py", "def test_a():\n    assert True\n"),
    ] {
        let repo = Repo::directory();
        repo.git(&["init", "--quiet"]);
        repo.write(path, text);
        repo.grace("init");
        let said = repo.run(&["check"], None, |_| {});
        assert_eq!(said.stdout.lines().count(), 1, "{path}: {}", said.stdout);
        assert!(said.stdout.starts_with("the rules are right"), "{path}: {}", said.stdout);
    }
}

#[test]
fn a_run_says_what_became_of_the_records_of_earlier_runs() {
    let repo = Repo::edited();
    let store = repo.path.join(".git/grace");
    std::fs::create_dir_all(store.join("spool")).unwrap();
    std::fs::write(store.join("store.duckdb"), "this is no database".repeat(1000)).unwrap();
    let told = ["the database was damaged", "it was rebuilt", "spool` is of an earlier version and is read no more"];
    let said = repo.run(&["run"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.iter().all(|words| text.contains(words)), "{}", said.stdout);
    std::fs::remove_dir_all(store.join("spool")).unwrap();
    assert_eq!(repo.json("run")["notices"], serde_json::json!([]));
    std::fs::write(store.join("store.duckdb"), "this is no database".repeat(1000)).unwrap();
    let notices = repo.json("run")["notices"].to_string();
    assert!(told[..2].iter().all(|words| notices.contains(words)), "{notices}");
}

#[test]
fn run_takes_no_other_rules() {
    assert_snapshot!(Repo::edited().grace("run --rules grace"));
}

#[test]
fn run_takes_no_other_date() {
    assert_snapshot!(Repo::edited().grace("run --as-of 2026-01-01"));
}

#[test]
fn a_bundle_narrowed_to_nothing_has_not_failed_and_is_recorded_as_such() {
    let repo = Repo::project();
    repo.write("app/core/idle.py", "def idle():\n    return 1\n");
    let rules = crate::support::RULES.replace("approval 1 of team(owners), bundle(unit)", "approval 1 of team(owners)");
    repo.write("grace/rules.grace", &rules);
    repo.commit("idle");
    repo.write("app/core/idle.py", "def idle():\n    return 2\n");
    assert_snapshot!("narrowed_to_nothing_plan", repo.grace("plan"));
    assert_snapshot!("narrowed_to_nothing_run", repo.grace("run"));
    assert_eq!(repo.recorded_as("bundle")[0]["status"], "nothing_selected");
    let report = repo.json("run");
    assert_eq!((&report["passed"], &report["bundles"][0]["status"]), (&true.into(), &"nothing_selected".into()));
    // A file that cannot be read may hold a test that the change reaches.
    repo.write("tests/test_broken.py", "def test_x(:\n");
    let said = repo.run(&["run"], None, |_| {});
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    assert!(said.stdout.contains("tests/test_broken.py"), "{}", said.stdout);
}

#[test]
fn what_a_rule_asks_for_after_the_run_is_run_and_told() {
    let repo = Repo::project();
    let rules = format!(
        "{}
bundle wide
  tests   path(\"wide/**\")
  run     \"pytest\", \"{{tests}}\", \"-q\", \"--junitxml={{junit}}\"
  timeout 60 s each, 120 s in all

rule failing : tier 3
  after   the run
  when    bundle(unit) failed
  require bundle(wide), rationale
  because \"A failure may go wider.\"

rule broken_kernel
  after   the run
  when    bundle(unit) failed and change touches path(\"app/core/**\")
  deny
  remedy  \"Mend it first.\"
  because \"A kernel never fails.\"
",
        crate::support::RULES
    );
    repo.write("grace/rules.grace", &rules);
    repo.write("wide/test_wide.py", "def test_wide():\n    assert True\n");
    repo.commit("wide");
    repo.write("app/core/kernel.py", "class Kernel:\n    def start(self):\n        return 2\n");
    assert_snapshot!("after_run_plan", repo.grace("plan"));
    assert_snapshot!("after_run_run", repo.grace("run"));
    let report = repo.json("run");
    assert_eq!((&report["passed"], &report["decision"]["answer"]), (&false.into(), &"no".into()));
    assert_eq!(report["bundles"][1]["bundle"], "wide");
}

#[test]
fn what_is_stored_of_a_run_its_json_and_its_exit_code_say_the_same() {
    let denies = |when: &str| {
        format!(
            "{}
rule denies_afterwards
  after   the run
  when    {when}
  deny
  remedy  \"Mend it first.\"
  because \"It is watched.\"
",
            crate::support::RULES
        )
    };
    let repo = Repo::project();
    repo.write("grace/rules.grace", &denies("change touches path(\"app/**\") and not bundle(unit) failed"));
    repo.commit("rules");
    repo.edit_kernel();
    assert_eq!(repo.run(&["run"], None, |_| {}).code, Some(1));
    assert_eq!(repo.recorded_as("run")[0]["end"], "failed");
    assert_eq!(repo.json("run")["passed"], false);
    // Nothing is there to run, and the rule denies all the same.
    repo.git(&["checkout", "--", "app"]);
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    let said = repo.run(&["run"], None, |_| {});
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    assert!(said.stdout.contains("denies_afterwards"), "{}", said.stdout);
    assert_eq!(repo.json("run")["passed"], false);
}

#[test]
fn run_without_bundles_runs_nothing() {
    assert_snapshot!(Repo::project().grace("run"));
}

#[test]
fn a_commit_is_run_outside_of_the_work_tree() {
    let repo = Repo::edited();
    repo.commit("second");
    repo.write("app/core/kernel.py", "class Kernel:\n    pass\n");
    let said = repo.run(&["run", "--base", "HEAD~1", "--head", "HEAD"], None, |_| {});
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
}

#[test]
fn a_bundle_that_the_change_edits_runs_in_both_forms() {
    let repo = Repo::edited();
    repo.write("grace/rules.grace", &crate::support::RULES.replace("60 s each", "30 s each"));
    assert_snapshot!("two_forms_plan", repo.grace("plan"));
    // Both forms run at the same time, so the lines of progress have no fixed order.
    let said = repo.run(&["run"], None, |_| {});
    assert_eq!(said.stderr.lines().count(), 4, "{}", said.stderr);
    assert_snapshot!("two_forms_run", crate::support::Said { stderr: String::new(), ..said }.snapshot(&repo.path));
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_keeps_what_was_done() {
    let repo = Repo::edited();
    let slow = "def test_slow():\n    import time\n    time.sleep(60)\n";
    repo.write("slow/test_slow.py", slow);
    let rules = crate::support::RULES.replace("path(\"tests/**\")", "path(\"slow/**\")");
    repo.write("grace/rules.grace", &rules);
    repo.commit("slow tests");
    repo.write("app/core/kernel.py", "class Kernel:\n    pass\n");
    let (code, said) = repo.interrupted(&["run"], "unit: started");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("what was done is kept"), "{said}");
    let statuses = repo.recorded_as("bundle").iter().map(|bundle| bundle["status"].clone()).collect::<Vec<_>>();
    assert_eq!((statuses, &repo.recorded_as("run")[0]["end"]), (vec!["cancelled".into()], &"stopped".into()));
}

#[test]
#[cfg(unix)]
fn a_killed_run_leaves_no_child_and_no_temporary_file_behind() {
    let repo = Repo::edited();
    // One child in the group, and one that left it.
    let slow = "import os, pathlib, subprocess, sys, time\n\n\ndef test_slow():\n    \
                left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'], start_new_session=True)\n    \
                pathlib.Path('pids.new').write_text(f'{os.getpid()} {left.pid}')\n    os.rename('pids.new', 'pids')\n    \
                time.sleep(300)\n";
    repo.write("slow/test_slow.py", slow);
    let rules = crate::support::RULES.replace("path(\"tests/**\")", "path(\"slow/**\")");
    repo.write("grace/rules.grace", &rules);
    repo.commit("slow tests");
    repo.write("app/core/kernel.py", "class Kernel:\n    pass\n");
    let until = |what: &str, holds: &mut dyn FnMut() -> bool| {
        assert!(
            (0..3_000).any(|_| holds() || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                false
            }),
            "{what}"
        );
    };
    let temporary = repo.path.with_file_name("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let left = || std::fs::read_dir(&temporary).unwrap().count();
    let mut run = repo.start(&["run"], &temporary);
    let mut pids = String::new();
    until("the test begins", &mut || std::fs::read_to_string(repo.path.join("pids")).map(|text| pids = text).is_ok());
    assert_eq!(left(), 1);
    run.kill().unwrap();
    run.wait().unwrap();
    for pid in pids.split(' ') {
        // A zombie that waits for its new parent has ended.
        let state = || std::process::Command::new("ps").args(["-o", "state=", "-p", pid]).output().unwrap().stdout;
        until("it ends", &mut || !matches!(state().first(), Some(state) if *state != b'Z'));
    }
    until("its temporary files are removed", &mut || left() == 0);
}

#[test]
#[cfg(unix)]
fn a_signal_ends_what_only_computes() {
    let repo = Repo::edited();
    for signal in ["TERM", "INT", "HUP"] {
        // Standard input stays open and says nothing: the command waits for the rest of the diff.
        let (code, said) = repo.signalled(&["plan", "--diff", "-"], signal);
        assert_eq!((code, said.as_str()), (Some(2), "error[interrupted]: interrupted\n"), "{signal}");
    }
    let (code, said) = repo.signalled(&["plan", "--diff", "-", "--format", "json"], "TERM");
    assert_eq!(code, Some(2));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap()["code"], "interrupted", "{said}");
}

#[test]
fn completions_are_written_for_each_shell() {
    let repo = Repo::directory();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = repo.run(&["completions", shell], None, |_| {});
        assert!(said.stdout.contains("grace-rules"), "{shell}");
        assert_eq!(said.code, Some(0));
    }
}
