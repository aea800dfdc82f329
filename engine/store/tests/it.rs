//! Nothing recorded is lost, whatever happens to the database.
#![expect(clippy::disallowed_methods, reason = "tests set the outside world up")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use grace_store::{
    BundleRecord, BundleStatus, Notice, PlanRecord, Record, Recorded, RunRecord, Store, StoreError, TestRecord,
    TestStatus,
};

fn run(name: &str) -> Record {
    Record::Run(RunRecord {
        run: name.to_owned(),
        started: "2026-01-02T03:04:05.678Z".to_owned(),
        finished: "2026-01-02T03:05:05Z".to_owned(),
        base: Some("b".repeat(40)),
        head: None,
        plan: Some("p1".to_owned()),
        tier: Some(2),
        passed: true,
        actor: None,
    })
}

fn bundle(run: &str, minute: u32, status: BundleStatus) -> Record {
    Record::Bundle(BundleRecord {
        run: run.to_owned(),
        bundle: "chaos_smoke".to_owned(),
        status,
        attempts: 1,
        duration_ms: u64::from(minute) * 100,
        passed: 9,
        executed: 10,
        pass_rate: Some(0.9),
        command: "c0ffee".to_owned(),
        finished: format!("2026-01-02T03:{minute:02}:00Z"),
    })
}

fn names(store: &mut Store) -> Vec<String> {
    let rows = rows(store, "SELECT run FROM runs ORDER BY run");
    rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

fn rows(store: &mut Store, sql: &str) -> Vec<Vec<serde_json::Value>> {
    store.query(sql, 3000, Duration::from_secs(10)).unwrap().rows
}

/// Runs one ignored test of this binary in a process of its own.
fn inner(test: &str, dir: &Path, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("STORE_DIR", dir).env("STORE_NAME", name);
    command
}

#[test]
fn what_was_recorded_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let test = Record::Test(TestRecord {
        run: "r1".to_owned(),
        bundle: "chaos_smoke".to_owned(),
        test: "tests/test_a.py::test_x".to_owned(),
        status: TestStatus::Flaky,
        duration_ms: 12,
        attempt: 2,
        finished: "not a time".to_owned(),
    });
    let plan =
        Record::Plan(PlanRecord { run: "r1".to_owned(), plan: "p1".to_owned(), json: "{\"tier\": 2}".to_owned() });
    assert_eq!(store.record_all(&[run("r1"), plan, test]).unwrap(), Recorded::Stored);
    let mut told = |sql: &str| serde_json::to_value(rows(&mut store, sql)).unwrap();
    assert_eq!(
        told("SELECT run, started, finished, base, head, plan, tier, passed, actor FROM runs"),
        serde_json::json!([[
            "r1",
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:05:05Z",
            "b".repeat(40),
            null,
            "p1",
            2,
            true,
            null
        ]])
    );
    assert_eq!(told("SELECT run, plan, json FROM plans"), serde_json::json!([["r1", "p1", "{\"tier\": 2}"]]));
    assert_eq!(
        told("SELECT run, bundle, test, status, duration_ms, attempt, finished FROM test_outcomes"),
        serde_json::json!([["r1", "chaos_smoke", "tests/test_a.py::test_x", "flaky", 12, 2, null]])
    );
    assert_eq!(store.take_notices(), []);
}

#[test]
fn timings_are_those_of_the_last_finished_runs_and_asking_waits_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |last| Store::timings(dir.path(), &["chaos_smoke", "x' OR 1=1 --"], last, Duration::from_secs(10));
    assert_eq!(ask(5).unwrap().len(), 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "asking leaves nothing behind");
    let mut store = Store::open(dir.path()).unwrap();
    use BundleStatus::{Cancelled, Failed, NothingSelected, Passed};
    for (minute, status) in [(1, Passed), (4, Cancelled), (2, Failed), (3, Passed), (5, NothingSelected)] {
        let name = format!("r{minute}");
        let test = |test: &str, duration_ms| {
            Record::Test(TestRecord {
                run: name.clone(),
                bundle: "chaos_smoke".to_owned(),
                test: format!("t.py::{test}"),
                status: TestStatus::Passed,
                duration_ms,
                attempt: 1,
                finished: "2026-01-02T03:00:00Z".to_owned(),
            })
        };
        let tests = if minute == 3 { vec![test("b", 30), test("a", 20)] } else { Vec::new() };
        store.record_all(&[vec![bundle(&name, minute, status)], tests].concat()).unwrap();
    }
    let timings = ask(2).unwrap();
    let found: Vec<_> = timings["chaos_smoke"].iter().map(|run| (run.duration_ms, run.tests.clone())).collect();
    let tests = vec![("t.py::a".to_owned(), 20), ("t.py::b".to_owned(), 30)];
    assert_eq!((timings.len(), found), (1, vec![(300, tests), (200, Vec::new())]));
    let mut holder = inner("inner_holds", dir.path(), "").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.path().join("held").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(ask(2), Err(StoreError::Locked { .. })));
    drop(holder.stdin.take());
    holder.wait().unwrap();
}

#[test]
fn two_processes_at_once_both_record_everything() {
    let dir = tempfile::tempdir().unwrap();
    let children: Vec<_> =
        ["a", "b"].map(|name| inner("inner_records", dir.path(), name).stdout(Stdio::piped()).spawn().unwrap()).into();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let mut store = Store::open(dir.path()).unwrap();
    let expected: Vec<String> =
        ["a", "b"].iter().flat_map(|name| (10..20).map(move |n| format!("{name}{n}"))).collect();
    assert_eq!(names(&mut store), expected);
    assert_eq!(store.take_notices(), []);
}

#[test]
#[ignore = "runs inside two_processes_at_once_both_record_everything"]
fn inner_records() {
    let mut store = Store::open(std::env::var("STORE_DIR").unwrap().as_ref()).unwrap();
    for n in 10..20 {
        store.record(&run(&format!("{}{n}", std::env::var("STORE_NAME").unwrap()))).unwrap();
    }
}

#[test]
fn threads_with_stores_of_their_own_do_not_harm_the_database() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let dir = dir.path();
            scope.spawn(move || {
                let mut store = Store::open(dir).unwrap();
                (0..5).for_each(|n| assert_eq!(store.record(&run(&format!("{name}{n}"))).unwrap(), Recorded::Stored));
            });
        }
    });
    assert_eq!(names(&mut Store::open(dir.path()).unwrap()).len(), 15);
}

#[test]
fn a_database_that_another_program_has_open_only_delays() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    store.record(&run("r1")).unwrap();
    let mut holder = inner("inner_holds", dir.path(), "").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.path().join("held").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(matches!(store.record(&run("r2")).unwrap(), Recorded::Spooled(_)));
    assert!(matches!(store.query("SELECT 1", 1, Duration::from_secs(10)), Err(StoreError::Locked { .. })));
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(names(&mut store), ["r1", "r2"]);
}

#[test]
#[ignore = "runs inside a_database_that_another_program_has_open_only_delays"]
fn inner_holds() {
    let dir = std::env::var("STORE_DIR").unwrap();
    let _connection = duckdb::Connection::open(Path::new(&dir).join("store.duckdb")).unwrap();
    std::fs::write(Path::new(&dir).join("held"), "").unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_line_cut_off_by_a_crash_is_named_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    store.record(&run("r1")).unwrap();
    let file = std::fs::read_dir(dir.path().join("spool")).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read_to_string(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::write(&file, format!("{whole}this is no record\n{}", &whole[..50])).unwrap();
    let mut next = Store::open(dir.path()).unwrap();
    next.record(&run("r2")).unwrap();
    assert_eq!(names(&mut next), ["r1", "r2"]);
    let offset = whole.len() as u64;
    let notices = next.take_notices();
    assert!(notices.contains(&Notice::Truncated { file: name.clone(), bytes: 50 }), "{notices:?}");
    assert!(notices.contains(&Notice::Unreadable { file: name, offset }), "{notices:?}");
    assert_eq!(std::fs::read(&file).unwrap().len(), whole.len() + 18 + 50, "what cannot be read is kept");
    // The writer was only slow: its line is taken up once it is complete.
    let late = whole.replace("r1", "r3").replacen("\"id\":\"", "\"id\":\"late-", 1);
    std::fs::write(&file, format!("{whole}this is no record\n{late}")).unwrap();
    assert_eq!(names(&mut next), ["r1", "r2", "r3"]);
}

#[test]
fn a_damaged_database_is_put_aside_and_made_again() {
    for damage in ["garbage", "zeros inside", "cut off", "empty"] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let many: Vec<Record> = (100..400).map(|n| run(&format!("r{n}"))).collect();
        store.record_all(&many).unwrap();
        let path = store.database_path();
        let mut bytes = std::fs::read(&path).unwrap();
        let length = bytes.len();
        match damage {
            "garbage" => bytes = b"this is not a database".repeat(1000),
            "zeros inside" => bytes[4096..length - 100].fill(0),
            "cut off" => bytes.truncate(length / 3),
            _ => bytes.clear(),
        }
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(names(&mut store).len(), 300, "{damage}");
        let notices = store.take_notices();
        match (damage, &notices[..]) {
            // An empty file is a new database to DuckDB.
            ("empty", []) => {}
            (_, [Notice::Rebuilt { aside, .. }]) => assert_eq!(std::fs::read(aside).unwrap(), bytes),
            _ => panic!("{damage}: {notices:?}"),
        }
        assert_eq!(store.record(&run("r9")).unwrap(), Recorded::Stored);
    }
}

#[test]
fn rebuilding_gives_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    for n in 0..5 {
        store.record_all(&[run(&format!("r{n}")), bundle("r", n, BundleStatus::Passed)]).unwrap();
    }
    let all = |store: &mut Store| {
        store
            .query("SELECT r.*, b.* FROM runs r, bundle_outcomes b ORDER BY ALL", 1000, Duration::from_secs(10))
            .unwrap()
    };
    let before = all(&mut store);
    assert_eq!(before.rows.len(), 25);
    std::fs::remove_file(store.database_path()).unwrap();
    assert_eq!(all(&mut store), before);
}

#[test]
fn tables_of_another_version_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    store.record(&run("r1")).unwrap();
    let connection = duckdb::Connection::open(store.database_path()).unwrap();
    connection.execute_batch("UPDATE meta SET version = 99; DROP TABLE runs").unwrap();
    connection.close().unwrap();
    assert_eq!(names(&mut store), ["r1"]);
}

#[test]
fn questions_reach_nothing_outside_and_end_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret.csv");
    std::fs::write(&secret, "a,b\n1,2\n").unwrap();
    let out = dir.path().join("out.csv");
    let mut store = Store::open(&dir.path().join("store")).unwrap();
    store.record(&run("r1")).unwrap();
    let second = Duration::from_secs(10);
    for sql in [
        &format!("SELECT * FROM read_csv('{}')", secret.display()),
        &format!("SELECT * FROM '{}'", secret.display()),
        &format!("COPY runs TO '{}'", out.display()),
        &format!("ATTACH '{}' AS other", dir.path().join("other.duckdb").display()),
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM glob('/etc/*')",
        "SELECT content FROM read_text('/etc/passwd')",
        "INSERT INTO runs (id) VALUES ('x')",
        "DROP TABLE runs",
        "SELECT nonsense",
    ] {
        assert!(matches!(store.query(sql, 10, second), Err(StoreError::Query(_))), "{sql}");
    }
    assert!(!out.exists() && !dir.path().join("other.duckdb").exists());
    let begun = Instant::now();
    let endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";
    assert!(matches!(store.query(endless, 10, Duration::from_millis(300)), Err(StoreError::Bounds(_))));
    assert!(begun.elapsed() < Duration::from_secs(10));
    let table = store.query("SELECT range AS n FROM range(100)", 7, second).unwrap();
    assert_eq!((table.rows.len(), table.more, table.columns), (7, true, vec!["n".to_owned()]));
    assert_eq!(names(&mut store), ["r1"]);
}

/// A file system of its own, where this user may mount one.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(dir.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            Some(Self(dir))
        } else {
            eprintln!("SKIPPED: this user may not mount a file system");
            None
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_read_only_directory_is_a_clear_error() {
    let Some(mount) = Mount::new("ro,size=64k") else { return };
    let error = Store::open(&mount.0.path().join("grace")).unwrap_err();
    assert!(error.to_string().ends_with("the file system is read-only"), "{error}");
    assert!(error.help().unwrap().contains("writable"));
}

#[test]
fn a_full_disk_loses_nothing_that_was_confirmed() {
    let Some(mount) = Mount::new("size=3m") else { return };
    let mut store = Store::open(mount.0.path()).unwrap();
    let mut confirmed = Vec::new();
    let mut refused = None;
    for n in 1000..3000 {
        let padded = format!("{n}{}", "x".repeat(20_000));
        match store.record(&run(&padded)) {
            Ok(_) => confirmed.push(padded),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(confirmed.len() > 10);
    assert!(refused.unwrap().to_string().contains("disk is full"));
    // With room again, here in another place, all that was confirmed is there.
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::create_dir(elsewhere.path().join("spool")).unwrap();
    for entry in std::fs::read_dir(mount.0.path().join("spool")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), elsewhere.path().join("spool").join(entry.file_name())).unwrap();
    }
    assert_eq!(names(&mut Store::open(elsewhere.path()).unwrap()), confirmed);
}

#[test]
fn a_directory_that_is_a_file_is_a_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("grace"), "").unwrap();
    assert!(matches!(Store::open(&dir.path().join("grace")), Err(StoreError::File(_))));
}
