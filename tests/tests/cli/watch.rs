//! `watch`: after each save it says what `plan` would say.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::support::{RULES, Repo};

/// How long a plan may take to come, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);

/// The time is given, so that plans of different moments are equal.
const AS_OF: [&str; 2] = ["--as-of", "2026-01-02"];

pub(crate) struct Watching {
    child: Child,
    plans: Receiver<Value>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

pub(crate) fn watching(repo: &Repo) -> Watching {
    let mut command = repo.command();
    command.args(["watch", "--format", "json"]).args(AS_OF).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (send, plans) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if send.send(serde_json::from_str(&line).unwrap()).is_err() {
                break;
            }
        }
    });
    Watching { child, plans }
}

/// Waits for the plan that a first load gives now. Others may come before it, of files that were half written.
#[track_caller]
pub(crate) fn expect_the_plan(repo: &Repo, watching: &Watching) -> Value {
    let said = repo.run(&[&["plan", "--format", "json"], &AS_OF[..]].concat(), None, |_| {});
    let mut wanted: Value = serde_json::from_str(&said.stdout).unwrap();
    // How long a run would take is asked of the runs of the past, whom `watch` does not ask.
    wanted.as_object_mut().unwrap().remove("estimate");
    loop {
        let plan = watching.plans.recv_timeout(PATIENCE).expect("a plan comes");
        if plan == wanted {
            return plan;
        }
    }
}

#[test]
fn each_save_gives_the_plan_that_a_first_load_gives() {
    let repo = Repo::project();
    let watching = watching(&repo);
    assert_eq!(expect_the_plan(&repo, &watching)["change"]["files"], 0);
    // A body, a call in it, a comment: one file's content.
    repo.edit_kernel();
    assert_eq!(expect_the_plan(&repo, &watching)["tier"], 3);
    repo.write("app/notes.py", "from app.api import boot\n\n\ndef note():\n    return boot()\n");
    expect_the_plan(&repo, &watching);
    repo.write("app/notes.py", "from app.api import boot\n\n\ndef note():\n    print('x')\n    return boot()\n");
    assert!(!expect_the_plan(&repo, &watching)["denials"].as_array().unwrap().is_empty());
    // A file that comes, one that moves, one that goes.
    repo.write("app/new.py", "def fresh():\n    return 1\n");
    expect_the_plan(&repo, &watching);
    std::fs::rename(repo.path.join("app/notes.py"), repo.path.join("app/moved.py")).unwrap();
    expect_the_plan(&repo, &watching);
    // What a file that moved loses is still lost when it is saved again.
    repo.write("app/moved.py", "from app.api import boot\n\n\ndef noted():\n    return boot()\n");
    expect_the_plan(&repo, &watching);
    std::fs::remove_file(repo.path.join("app/new.py")).unwrap();
    expect_the_plan(&repo, &watching);
    // A directory that moves is told by its own name alone.
    std::fs::rename(repo.path.join("tests"), repo.path.join("checks")).unwrap();
    expect_the_plan(&repo, &watching);
    std::fs::rename(repo.path.join("checks"), repo.path.join("tests")).unwrap();
    expect_the_plan(&repo, &watching);
    // Something that is written all the time, and is no part of the project, keeps nobody waiting.
    let log = repo.path.join("noise.log");
    repo.write(".gitignore", "*.log\n");
    expect_the_plan(&repo, &watching);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let noise = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(10)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            std::fs::write(&log, "more").unwrap();
        }
    });
    repo.write("app/new.py", "def fresh():\n    return 2\n");
    expect_the_plan(&repo, &watching);
    drop(stop);
    noise.join().unwrap();
    // Rules, and what is compared with.
    repo.write("grace/rules.grace", &RULES.replace("tier 2", "tier 3"));
    expect_the_plan(&repo, &watching);
    repo.commit("second");
    assert_eq!(expect_the_plan(&repo, &watching)["change"]["files"], 0);
    // Back and forth: nothing of an edit stays.
    let text = repo.read("app/api.py");
    repo.write("app/api.py", &text.replace("Kernel().start()", "Kernel().stop()"));
    assert_eq!(expect_the_plan(&repo, &watching)["change"]["files"], 1);
    repo.write("app/api.py", &text);
    assert_eq!(expect_the_plan(&repo, &watching)["change"]["files"], 0);
}

#[test]
fn a_file_in_conflict_stays_unknown_until_git_knows_it() {
    let repo = Repo::project();
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.write("app/notes.py", "def note():\n    return 'other'\n");
    repo.commit("other");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("app/notes.py", "def note():\n    return 'main'\n");
    repo.commit("main");
    let git = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "merge", "--quiet", "other"];
    let merge = std::process::Command::new("git").args(git).current_dir(&repo.path).output().unwrap();
    assert!(!merge.status.success(), "both sides changed the line");
    let watching = watching(&repo);
    let unknowns = |plan: &Value| plan["unknowns"].as_array().unwrap().len();
    assert!(unknowns(&expect_the_plan(&repo, &watching)) > 0);
    repo.write("app/notes.py", "def note():\n    return 'both'\n");
    repo.write("app/api.py", "from app.core.kernel import Kernel\n\n\ndef boot():\n    return Kernel().stop()\n");
    assert!(unknowns(&expect_the_plan(&repo, &watching)) > 0);
}

#[test]
fn watch_follows_the_work_tree_and_its_own_rules_alone() {
    let repo = Repo::project();
    for (arguments, sentence) in [
        (["watch", "--staged"].as_slice(), "`watch` follows the work tree"),
        (&["watch", "--rules", "grace"], "`watch` judges by the project's own rules"),
    ] {
        let said = repo.run(arguments, None, |_| {});
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains(sentence), "{}", said.stderr);
    }
}
