//! Processes end when they should, with all that they started.
#![cfg(unix)]

use std::path::Path;
use std::time::{Duration, Instant};

use grace_system::process::{Cancel, Command, End, Finished, Keep, run};

/// `script` in a shell, with the variables that a shell needs.
fn shell(script: &str, deadline: Duration) -> Command {
    let mut command = Command::new("/bin/sh", Path::new("/"));
    command.args = vec!["-c".into(), script.into()];
    command.env.insert("PATH".into(), std::env::var_os("PATH").unwrap());
    command.deadline = deadline;
    command
}

fn go(script: &str) -> Finished {
    run(&shell(script, Duration::from_secs(20)), &Cancel::new())
}

/// Whether a process with exactly this argument lives, found in the process table.
fn lives(argument: &str) -> bool {
    let listing = std::process::Command::new("ps").args(["-eo", "stat=,args="]).output().unwrap();
    String::from_utf8_lossy(&listing.stdout)
        .lines()
        .any(|line| !line.starts_with('Z') && line.ends_with(&format!("sleep {argument}")))
}

/// An argument for `sleep` that no other test uses.
fn unique() -> String {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    format!("3{}.{:03}", std::process::id(), COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
}

#[test]
fn exit_code_and_output_come_back() {
    let finished = go("echo out; echo err >&2; exit 3");
    assert_eq!(finished.end, End::Exited(3));
    assert_eq!((finished.stdout.text().as_str(), finished.stderr.text().as_str()), ("out\n", "err\n"));
    assert_eq!(go("kill -TERM $$").end, End::Signalled(15));
    assert!(matches!(run(&Command::new("/no/such/program", Path::new("/")), &Cancel::new()).end, End::NotStarted(_)));
}

#[test]
fn the_environment_holds_what_was_given_and_input_is_closed() {
    let finished = go("env | sed 's/=.*//' | sort | tr '\\n' ' '; cat");
    assert_eq!(
        finished.stdout.text(),
        "GRACE_PROCESS_TREE PATH PWD "
            .replace("PATH PWD", if finished.stdout.text().contains(" _ ") { "PATH PWD _" } else { "PATH PWD" })
    );
}

#[test]
fn output_is_bounded() {
    let mut command = shell("yes | head -c 3000000; echo end", Duration::from_secs(20));
    command.stdout = Keep::Tail(100);
    let finished = run(&command, &Cancel::new());
    assert_eq!((finished.end, finished.stdout.bytes.len(), finished.stdout.total), (End::Exited(0), 100, 3_000_004));
    assert!(finished.stdout.text().ends_with("y\nend\n"));
    command.stdout = Keep::All(1000);
    let finished = run(&command, &Cancel::new());
    assert_eq!((finished.end, finished.stdout.bytes.len()), (End::TooMuchOutput, 1000));
    // Endless output is cut off long before the deadline.
    let mut endless = shell("yes", Duration::from_secs(20));
    endless.stdout = Keep::All(1000);
    assert_eq!(run(&endless, &Cancel::new()).end, End::TooMuchOutput);
}

#[test]
fn a_deadline_ends_the_whole_tree() {
    let (near, far, own_group) = (unique(), unique(), unique());
    let script = format!("sleep {near} & (sleep {far} &) ; setsid sleep {own_group} & sleep 0.2; wait");
    let begun = Instant::now();
    let finished = run(&shell(&script, Duration::from_millis(700)), &Cancel::new());
    assert_eq!(finished.end, End::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(!lives(&near) && !lives(&far));
    assert!(!cfg!(target_os = "linux") || !lives(&own_group));
}

#[test]
fn the_check_for_survivors_can_see_one() {
    let argument = unique();
    let mut child = std::process::Command::new("sleep").arg(&argument).spawn().unwrap();
    assert!(lives(&argument));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!lives(&argument));
}

#[test]
fn nothing_outlives_a_normal_exit() {
    let (background, daemon) = (unique(), unique());
    let begun = Instant::now();
    // Both hold the pipes open; the daemon has also left the group, and its parent is dead.
    let finished = go(&format!("sleep {background} & (setsid sleep {daemon} &) ; sleep 0.2; echo done"));
    assert_eq!((finished.end, finished.stdout.text().as_str()), (End::Exited(0), "done\n"));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(!lives(&background));
    assert!(!cfg!(target_os = "linux") || !lives(&daemon));
}

#[test]
fn cancelling_ends_the_tree_and_starts_nothing_more() {
    let argument = unique();
    let cancel = Cancel::new();
    let finished = std::thread::scope(|scope| {
        let running =
            scope.spawn(|| run(&shell(&format!("sleep {argument} & wait"), Duration::from_secs(20)), &cancel));
        std::thread::sleep(Duration::from_millis(300));
        cancel.cancel();
        running.join().unwrap()
    });
    assert_eq!(finished.end, End::Cancelled);
    assert!(finished.duration < Duration::from_secs(5));
    assert!(!lives(&argument));
    assert_eq!(run(&shell("echo x", Duration::from_secs(20)), &cancel).stdout.total, 0);
}

#[test]
fn an_interrupt_sets_the_flag_and_ends_the_child() {
    let argument = unique();
    let test = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "process::inner_interrupt", "--nocapture"])
        .env("ARGUMENT", &argument)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !lives(&argument) {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(std::process::Command::new("kill").args(["-INT", &test.id().to_string()]).status().unwrap().success());
    let output = test.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!lives(&argument));
}

#[test]
#[ignore = "runs inside an_interrupt_sets_the_flag_and_ends_the_child"]
fn inner_interrupt() {
    let cancel = Cancel::on_interrupt(|| panic!("what is held is not cut off")).unwrap();
    let _held = cancel.hold();
    let argument = std::env::var("ARGUMENT").unwrap();
    let finished = run(&shell(&format!("sleep {argument} & wait"), Duration::from_secs(20)), &cancel);
    assert_eq!(finished.end, End::Cancelled);
}

#[test]
fn short_runs_are_quick() {
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(go("exit 0").end, End::Exited(0));
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
