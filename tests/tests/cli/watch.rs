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

struct Watching {
    child: Child,
    plans: Receiver<Value>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn watching(repo: &Repo) -> Watching {
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
fn expect_the_plan(repo: &Repo, watching: &Watching) -> Value {
    let said = repo.run(&[&["plan", "--format", "json"], &AS_OF[..]].concat(), None, |_| {});
    let wanted: Value = serde_json::from_str(&said.stdout).unwrap();
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
    std::fs::remove_file(repo.path.join("app/new.py")).unwrap();
    expect_the_plan(&repo, &watching);
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
fn watch_follows_the_work_tree_alone() {
    let repo = Repo::project();
    let said = repo.run(&["watch", "--staged"], None, |_| {});
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("`watch` follows the work tree"), "{}", said.stderr);
}
