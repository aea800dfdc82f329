//! The database says what the ledger says, whatever happens to it.
#![expect(clippy::disallowed_methods, reason = "tests set the outside world up")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grace_store::{
    BundleRow, BundleStatus, Content, DecisionRow, Entry, Notice, PlanRow, RunRow, SelectionRow, Selections, Source,
    Store, StoreError, StoryRow, TestRow,
};

const LONG: Duration = Duration::from_secs(20);

/// A ledger in memory.
#[derive(Debug, Clone, Default)]
struct Book {
    origin: String,
    entries: Vec<Entry>,
}

impl Source for Book {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    fn leaf(&self, seq: u64) -> Result<String, StoreError> {
        Ok(self.entries[usize::try_from(seq).unwrap()].leaf.clone())
    }

    fn entry(&self, seq: u64, _only: Option<&str>) -> Result<Entry, StoreError> {
        let entry = self.entries[usize::try_from(seq).unwrap()].clone();
        if entry.kind == "damaged" { Err(StoreError::Ledger("record is damaged".to_owned())) } else { Ok(entry) }
    }
}

impl Book {
    fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), entries: Vec::new() }
    }

    fn add(&mut self, kind: &str, content: Content) {
        let seq = self.size();
        self.entries.push(Entry {
            seq,
            leaf: format!("{}-{seq}-{content:?}", self.origin),
            kind: kind.to_owned(),
            ts: format!("2026-01-02T03:04:05.{seq:06}Z"),
            actor: "ann".to_owned(),
            engine: "test".to_owned(),
            content,
        });
    }

    fn run(&mut self, name: &str) {
        self.add(
            "run",
            Content::Run(RunRow {
                run: name.to_owned(),
                started: "2026-01-02T03:04:05.678Z".to_owned(),
                finished: "2026-01-02T03:05:05Z".to_owned(),
                base: Some("b".repeat(40)),
                head: None,
                plan: "p1".to_owned(),
                tree: "t1".to_owned(),
                tier: 2,
                ended: "passed".to_owned(),
            }),
        );
    }

    fn bundle(&mut self, run: &str, minute: u32, status: &str, tests: &[(&str, u64)]) {
        let test = |(test, duration_ms): &(&str, u64)| TestRow {
            test: format!("t.py::{test}"),
            status: "passed".to_owned(),
            duration_ms: *duration_ms,
            attempt: 1,
        };
        self.add(
            "bundle",
            Content::Bundle(BundleRow {
                run: run.to_owned(),
                bundle: "chaos_smoke".to_owned(),
                form: "chaos_smoke".to_owned(),
                status: status.to_owned(),
                attempts: 1,
                duration_ms: u64::from(minute) * 100,
                passed: 9,
                executed: 10,
                command: "c0ffee".to_owned(),
                finished: format!("2026-01-02T03:{minute:02}:00Z"),
                tests: tests.iter().map(test).collect(),
            }),
        );
    }

    fn selection(&mut self, run: &str, failed: u32, missed: u32) {
        let row = SelectionRow {
            run: run.to_owned(),
            bundle: "chaos_smoke".to_owned(),
            tests: 50,
            selected: 10,
            failed,
            missed,
        };
        self.add("selection", Content::Selection(row));
    }

    /// Runs of these names.
    fn of(runs: impl IntoIterator<Item = String>) -> Self {
        let mut book = Self::new("here");
        runs.into_iter().for_each(|run| book.run(&run));
        book
    }

    fn cut(&self, size: usize) -> Self {
        Self { origin: self.origin.clone(), entries: self.entries[..size].to_vec() }
    }
}

fn take_in(store: &mut Store, book: &Book) {
    store.take_in(|| Ok(book.clone())).unwrap();
}

fn names(store: &Store) -> Vec<String> {
    rows(store, "SELECT run FROM runs ORDER BY run").iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

fn rows(store: &Store, sql: &str) -> Vec<Vec<serde_json::Value>> {
    store.query(sql, 3000, LONG).unwrap().rows
}

/// The bytes of every exported table.
fn exported(store: &Store) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let written = store.export(dir.path()).unwrap();
    assert_eq!(written.len(), std::fs::read_dir(dir.path()).unwrap().count());
    written.into_iter().map(|(name, _)| (name.clone(), std::fs::read(dir.path().join(name)).unwrap())).collect()
}

/// Runs one ignored test of this binary in a process of its own.
fn inner(test: &str, dir: &Path, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("STORE_DIR", dir).env("STORE_NAME", name);
    command
}

/// A process that has the database open, until its standard input is closed.
fn holder(dir: &Path) -> Child {
    let child = inner("inner_holds", dir, "").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.join("held").exists() {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn release(mut holder: Child) {
    drop(holder.stdin.take());
    holder.wait().unwrap();
}

#[test]
#[ignore = "runs in a process of its own"]
fn inner_holds() {
    let dir = std::env::var("STORE_DIR").unwrap();
    let _connection = duckdb::Connection::open(Path::new(&dir).join("store.duckdb")).unwrap();
    std::fs::write(Path::new(&dir).join("held"), "").unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn each_kind_of_record_is_found_again_in_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::new("here");
    book.add("ledger", Content::Other);
    let (run, plan, tree) = ("r1".to_owned(), "p1".to_owned(), "t1".to_owned());
    let json = "{\"tier\": 2}".to_owned();
    book.add("plan", Content::Plan(PlanRow { run: run.clone(), plan: plan.clone(), tree: tree.clone(), json }));
    book.bundle("r1", 7, "flaky", &[("a", 12), ("b", 3)]);
    book.selection("r1", 4, 1);
    book.run("r1");
    let decision = DecisionRow {
        plan,
        tree,
        answer: "hold".to_owned(),
        tier: 2,
        run: Some(run),
        reasons: "[]".to_owned(),
        approvals: "[1]".to_owned(),
        agreed: Vec::new(),
        as_of: "not a time".to_owned(),
    };
    let agreed = |person: &str| ("e1".to_owned(), person.to_owned(), "team(a)".to_owned());
    let go = DecisionRow {
        answer: "go".to_owned(),
        agreed: vec![agreed("ann"), agreed("bob")],
        as_of: "2026-01-02T05:05:05Z".to_owned(),
        ..decision.clone()
    };
    book.add("decision", Content::Decision(decision));
    book.add("bundle", Content::Unreadable);
    book.add("decision", Content::Decision(go));
    let story = StoryRow {
        run: "r1".to_owned(),
        plan: "p1".to_owned(),
        tree: "t1".to_owned(),
        head: None,
        title: "Say y".to_owned(),
        layer: "layer1".to_owned(),
        component: String::new(),
        outcome: "success".to_owned(),
        playbooks: "slowly".to_owned(),
        trust: Some(875),
        missing: 2,
    };
    book.add("story", Content::Story(story));
    let mut store = Store::at(dir.path());
    take_in(&mut store, &book);
    assert_eq!(store.take_notices(), [Notice::Unreadable { seq: 6, kind: "bundle".to_owned() }]);
    let told = |sql: &str| serde_json::to_value(rows(&store, sql)).unwrap();
    assert_eq!(
        told("SELECT origin, seq, kind, ts, actor, engine FROM records WHERE seq IN (0, 6) ORDER BY seq"),
        serde_json::json!([
            ["here", 0, "ledger", "2026-01-02T03:04:05Z", "ann", "test"],
            ["here", 6, "bundle", "2026-01-02T03:04:05.000006Z", "ann", "test"]
        ])
    );
    assert_eq!(
        told("SELECT * FROM runs"),
        serde_json::json!([[
            "here",
            4,
            "r1",
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:05:05Z",
            "b".repeat(40),
            null,
            "p1",
            "t1",
            2,
            "passed",
            true,
            "ann"
        ]])
    );
    assert_eq!(told("SELECT * FROM plans"), serde_json::json!([["here", 1, "r1", "p1", "t1", "{\"tier\": 2}"]]));
    assert_eq!(
        told("SELECT * FROM bundle_outcomes"),
        serde_json::json!([[
            "here",
            2,
            "r1",
            "chaos_smoke",
            "chaos_smoke",
            "flaky",
            1,
            700,
            9,
            10,
            0.9,
            "c0ffee",
            "2026-01-02T03:07:00Z"
        ]])
    );
    let test = |n: u32, name: &str, took: u32| {
        serde_json::json!(["here", 2, n, "r1", "chaos_smoke", name, "passed", took, 1, "2026-01-02T03:07:00Z"])
    };
    assert_eq!(
        told("SELECT * FROM test_outcomes ORDER BY n"),
        serde_json::json!([test(0, "t.py::a", 12), test(1, "t.py::b", 3)])
    );
    assert_eq!(told("SELECT * FROM selections"), serde_json::json!([["here", 3, "r1", "chaos_smoke", 50, 10, 4, 1]]));
    assert_eq!(
        told("SELECT * FROM approvals ORDER BY n"),
        serde_json::json!([
            ["here", 7, 0, "p1", "t1", "r1", "go", "e1", "ann", "team(a)", "2026-01-02T05:05:05Z"],
            ["here", 7, 1, "p1", "t1", "r1", "go", "e1", "bob", "team(a)", "2026-01-02T05:05:05Z"]
        ])
    );
    // How long a change waited for people, as docs/store.md asks for it.
    let waited = "SELECT run, epoch(min(as_of)) - epoch(min(finished)) AS waited_s FROM runs JOIN approvals USING (origin, run) GROUP BY run";
    assert_eq!(told(waited), serde_json::json!([["r1", 7200.0]]));
    assert_eq!(
        told("SELECT * FROM stories"),
        serde_json::json!([["here", 8, "r1", "p1", "t1", null, "Say y", "layer1", "", "success", "slowly", 0.875, 2]])
    );
    assert_eq!(
        told("SELECT * FROM decisions WHERE answer = 'hold'"),
        serde_json::json!([["here", 5, "p1", "t1", "hold", 2, "r1", "[]", "[1]", null]])
    );
    let summary = store.summary().unwrap();
    assert_eq!(summary.origins, [("here".to_owned(), 9)]);
    assert_eq!(summary.tables[0], ("records".to_owned(), 9));
}

#[test]
fn each_record_is_taken_in_once_however_often_it_is_offered() {
    let dir = tempfile::tempdir().unwrap();
    let book = Book::of((10..40).map(|n| format!("r{n}")));
    for size in [0, 3, 3, 17, 29, 30, 30] {
        take_in(&mut Store::at(dir.path()), &book.cut(size));
        assert_eq!(names(&Store::at(dir.path())).len(), size);
    }
    let store = Store::at(dir.path());
    assert_eq!(rows(&store, "SELECT count(*) FROM (SELECT DISTINCT origin, seq FROM records)")[0][0], 30);
}

#[test]
fn a_ledger_that_cannot_be_read_to_its_end_leaves_the_database_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::at(dir.path());
    let mut book = Book::of(["r1".to_owned()]);
    take_in(&mut store, &book);
    book.run("r2");
    book.add("damaged", Content::Other);
    assert_eq!(store.take_in(|| Ok(book.clone())), Err(StoreError::Ledger("record is damaged".to_owned())));
    assert_eq!(names(&store), ["r1"]);
    let all = store.rebuild(None, || Ok(vec![Box::new(book.clone())]));
    assert_eq!(all, Err(StoreError::Ledger("record is damaged".to_owned())));
    assert_eq!(names(&store), ["r1"]);
    assert!(!dir.path().join("store.duckdb.new").exists());
}

#[test]
fn a_ledger_that_does_not_continue_what_was_taken_in_makes_the_database_anew() {
    let dir = tempfile::tempdir().unwrap();
    let book = Book::of((1..5).map(|n| format!("r{n}")));
    let mut other = book.cut(2);
    other.run("another");
    other.run("more");
    other.run("most");
    for (case, known) in [("an older copy", book.cut(2)), ("another history", other)] {
        let mut store = Store::at(dir.path());
        take_in(&mut store, &book);
        store.take_notices();
        take_in(&mut store, &known);
        assert_eq!(store.take_notices(), [Notice::Foreign], "{case}");
        assert_eq!(names(&store).len(), known.entries.len(), "{case}");
    }
}

#[test]
fn timings_are_those_of_the_last_finished_runs_and_asking_waits_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |last| Store::timings(dir.path(), &["chaos_smoke", "x' OR 1=1 --"], last, LONG);
    assert_eq!(ask(5).unwrap().len(), 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "asking leaves nothing behind");
    let mut book = Book::new("here");
    let ended = [(1, "passed"), (4, "cancelled"), (2, "failed"), (3, "passed"), (5, "nothing_selected")];
    for (minute, status) in ended {
        let tests: &[_] = if minute == 3 { &[("b", 30), ("a", 20)] } else { &[] };
        book.bundle(&format!("r{minute}"), minute, status, tests);
    }
    take_in(&mut Store::at(dir.path()), &book);
    let timings = ask(2).unwrap();
    let found: Vec<_> = timings["chaos_smoke"].iter().map(|run| (run.duration_ms, run.tests.clone())).collect();
    let tests = vec![("t.py::a".to_owned(), 20), ("t.py::b".to_owned(), 30)];
    assert_eq!((timings.len(), found), (1, vec![(300, tests), (200, Vec::new())]));
    let holder = holder(dir.path());
    assert!(matches!(ask(2), Err(StoreError::Locked { .. })));
    release(holder);
}

#[test]
fn runs_of_the_past_are_read_from_the_database_and_beyond_it_from_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::new("here");
    let runs = [(1, "flaky"), (2, "passed"), (3, "passed"), (3, "failed"), (4, "cancelled"), (5, "nothing_selected")];
    let more = [(6, "timed_out"), (7, "error"), (8, "a word of tomorrow"), (9, "passed")];
    for (run, status) in runs.into_iter().chain(more) {
        book.bundle(&run.to_string(), 9 - run, status, &[]);
        book.selection(&run.to_string(), run, 1);
    }
    let mut elsewhere = Book::new("elsewhere");
    elsewhere.bundle("x", 59, "failed", &[]);
    elsewhere.selection("x", 1000, 1000);
    use BundleStatus::{Error, Failed, Flaky, Passed, TimedOut};
    let all = [Flaky, Passed, Failed, TimedOut, Error, Failed, Passed];
    let failed = runs.iter().chain(&more).map(|(run, _)| u64::from(*run)).sum();
    let seen = Selections { tests: 500, selected: 100, failed, missed: 10 };
    let agree = |case: &str| {
        let store = Store::at(dir.path()).patience(Duration::from_millis(50));
        let before = std::fs::read_dir(dir.path()).unwrap().count();
        let found = store.bundle_runs(|| Ok(book.clone()), 200, LONG).unwrap();
        assert_eq!((found.len(), &found["chaos_smoke"][..]), (1, &all[..]), "{case}");
        let found = store.bundle_runs(|| Ok(book.clone()), 3, LONG).unwrap();
        assert_eq!(found["chaos_smoke"], all[4..], "{case}");
        assert_eq!(store.selections(|| Ok(book.clone()), 200, LONG).unwrap(), seen, "{case}");
        let last = store.selections(|| Ok(book.clone()), 1, LONG).unwrap();
        assert_eq!((last.failed, last.missed), (9, 1), "{case}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), before, "{case}");
    };
    agree("no database");
    let open = |size: usize| -> Vec<Box<dyn Source>> { vec![Box::new(elsewhere.clone()), Box::new(book.cut(size))] };
    for size in [1, 7, 12, 20] {
        Store::at(dir.path()).rebuild(None, || Ok(open(size))).unwrap();
        agree(&format!("{size} records in the database"));
    }
    let holder = holder(dir.path());
    agree("another program has the database");
    release(holder);
    let path = Store::at(dir.path()).database_path();
    let mut another = book.cut(4);
    another.bundle("foreign", 1, "failed", &[]);
    Store::at(dir.path()).rebuild(None, || Ok(vec![Box::new(another)])).unwrap();
    agree("a database of another history");
    std::fs::write(&path, b"no database").unwrap();
    agree("no database but a file");
    assert_eq!(std::fs::read(&path).unwrap(), b"no database");
    let late = Store::at(dir.path()).bundle_runs(|| Ok(book.clone()), 200, Duration::ZERO);
    assert!(matches!(late, Err(StoreError::Bounds(_))), "{late:?}");
}

#[test]
fn processes_and_threads_at_once_take_in_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    let children: Vec<_> =
        ["a", "b"].map(|name| inner("inner_takes_in", dir.path(), name).stdout(Stdio::piped()).spawn().unwrap()).into();
    std::thread::scope(|scope| {
        for name in ["c", "d"] {
            let dir = dir.path();
            scope.spawn(move || takes_in(dir, name));
        }
    });
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let store = Store::at(dir.path());
    assert_eq!(names(&store), (10..20).map(|n| format!("r{n}")).collect::<Vec<_>>());
}

/// Takes in a ledger that grows, as far as it has grown whenever its turn comes.
fn takes_in(dir: &Path, name: &str) {
    let book = Book::of((10..20).map(|n| format!("r{n}")));
    let grown = dir.join("grown");
    for _ in 0..10 {
        let mut store = Store::at(dir).patience(LONG);
        store
            .take_in(|| {
                // Under the lock: nobody sees it shrink.
                let size = std::fs::read_to_string(&grown).map_or(0, |text| text.parse::<usize>().unwrap());
                let size = (size + 1).min(10);
                std::fs::write(&grown, size.to_string()).unwrap();
                Ok(book.cut(size))
            })
            .unwrap();
        assert_eq!(store.take_notices(), [], "{name}");
    }
}

#[test]
#[ignore = "runs inside processes_and_threads_at_once_take_in_everything_once"]
fn inner_takes_in() {
    takes_in(std::env::var("STORE_DIR").unwrap().as_ref(), &std::env::var("STORE_NAME").unwrap());
}

#[test]
fn a_database_that_another_program_has_open_only_delays_and_its_holder_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::at(dir.path()).patience(Duration::from_millis(200));
    let mut book = Book::of(["r1".to_owned()]);
    take_in(&mut store, &book);
    let by_duckdb = holder(dir.path());
    book.run("r2");
    let error = store.take_in(|| Ok(book.clone())).unwrap_err();
    let named = cfg!(unix).then(|| by_duckdb.id());
    assert_eq!(error, StoreError::Locked { path: store.database_path(), holder: named });
    assert!(matches!(store.query("SELECT 1", 1, LONG), Err(StoreError::Locked { .. })));
    let rebuilt = store.rebuild(None, || Ok(vec![Box::new(book.clone())]));
    assert!(matches!(rebuilt, Err(StoreError::Locked { .. })), "{rebuilt:?}");
    release(by_duckdb);
    take_in(&mut store, &book);
    assert_eq!(names(&store), ["r1", "r2"]);
    // One of ours is named by the lock.
    std::fs::remove_file(dir.path().join("held")).unwrap();
    let ours = inner("inner_is_slow", dir.path(), "").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.path().join("held").exists() {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(20));
    }
    let error = store.take_in(|| Ok(book.clone())).unwrap_err();
    let named = cfg!(unix).then(|| ours.id());
    assert_eq!(error, StoreError::Locked { path: store.database_path(), holder: named });
    release(ours);
    take_in(&mut store, &book);
}

#[test]
#[ignore = "runs inside a_database_that_another_program_has_open_only_delays_and_its_holder_is_named"]
fn inner_is_slow() {
    let dir = std::env::var("STORE_DIR").unwrap();
    let dir = Path::new(&dir);
    let slow = || {
        std::fs::write(dir.join("held"), "").unwrap();
        std::io::stdin().read_line(&mut String::new()).unwrap();
        Ok(Book::new("elsewhere"))
    };
    Store::at(dir).take_in(slow).unwrap();
}

#[test]
fn a_damaged_database_is_put_aside_and_made_again() {
    for damage in ["garbage", "zeros inside", "cut off", "empty"] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::at(dir.path());
        let mut book = Book::of((100..400).map(|n| format!("r{n}")));
        take_in(&mut store, &book);
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
        take_in(&mut store, &book);
        assert_eq!(names(&store).len(), 300, "{damage}");
        let notices = store.take_notices();
        match (damage, &notices[..]) {
            // An empty file is a new database to DuckDB.
            ("empty", []) => {}
            (_, [Notice::Rebuilt { aside, .. }]) => assert_eq!(std::fs::read(aside).unwrap(), bytes),
            _ => panic!("{damage}: {notices:?}"),
        }
        book.run("r9");
        take_in(&mut store, &book);
        assert_eq!(names(&store).len(), 301);
    }
}

#[test]
fn rebuilding_gives_the_same_tables_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::new("here");
    let mut store = Store::at(dir.path());
    // As it grows in reality: some records at a time.
    for n in 0..12 {
        let name = format!("r{n}");
        let json = format!("{{\"tier\": {n}}}").repeat(500);
        let plan = PlanRow { run: name.clone(), plan: "p".to_owned(), tree: "t".to_owned(), json };
        book.add("plan", Content::Plan(plan));
        book.bundle(&name, n, "passed", &[("a", 1), ("b", 2)]);
        book.selection(&name, n, 0);
        book.run(&name);
        take_in(&mut store, &book);
    }
    let grown = exported(&store);
    assert!(grown.iter().all(|(name, bytes)| name.ends_with(".parquet") && bytes.starts_with(b"PAR1")));
    store.rebuild(None, || Ok(vec![Box::new(book.clone())])).unwrap();
    assert!(exported(&store) == grown, "rebuilt");
    std::fs::remove_file(store.database_path()).unwrap();
    take_in(&mut store, &book);
    assert!(exported(&store) == grown, "removed");
    // One letter of one record shows.
    let Content::Plan(plan) = &mut book.entries[20].content else { panic!("a plan") };
    plan.json = plan.json.replacen("tier", "tear", 1);
    store.rebuild(None, || Ok(vec![Box::new(book.clone())])).unwrap();
    let other = exported(&store);
    let differ = other.iter().zip(&grown).filter(|(left, right)| left != right);
    assert_eq!(differ.map(|(left, _)| left.0.as_str()).collect::<Vec<_>>(), ["plans.parquet"]);
}

#[test]
fn ledgers_of_several_machines_stand_side_by_side_until_they_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::at(dir.path());
    let mut book = Book::of(["r1".to_owned(), "r2".to_owned()]);
    let elsewhere = Book { origin: "elsewhere".to_owned(), ..Book::of(["r1".to_owned(), "r7".to_owned()]) };
    let both: Vec<Box<dyn Source>> = vec![Box::new(book.clone()), Box::new(elsewhere)];
    store.rebuild(None, || Ok(both)).unwrap();
    let by_origin = |store: &Store| rows(store, "SELECT origin, run FROM runs ORDER BY ALL");
    let expected = serde_json::json!([["elsewhere", "r1"], ["elsewhere", "r7"], ["here", "r1"], ["here", "r2"]]);
    assert_eq!(serde_json::to_value(by_origin(&store)).unwrap(), expected);
    book.run("r3");
    take_in(&mut store, &book);
    assert_eq!(by_origin(&store).len(), 5);
    store.rebuild(None, || Ok(vec![Box::new(book.clone())])).unwrap();
    assert_eq!(names(&store), ["r1", "r2", "r3"]);
}

#[test]
fn what_is_old_may_be_left_out_where_it_takes_much_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::new("here");
    for run in ["old", "new", "of no time"] {
        let row = PlanRow { run: run.to_owned(), plan: "p".to_owned(), tree: "t".to_owned(), json: "{}".to_owned() };
        book.add("plan", Content::Plan(row));
        book.bundle(run, 1, "passed", &[("a", 1)]);
        book.selection(run, 1, 0);
    }
    for entry in &mut book.entries[3..6] {
        entry.ts = "2026-02-01T00:00:00Z".to_owned();
    }
    for entry in &mut book.entries[6..] {
        entry.ts = "nobody knows".to_owned();
    }
    let mut store = Store::at(dir.path());
    let second = 1_769_904_000;
    store.rebuild(Some(second), || Ok(vec![Box::new(book.clone())])).unwrap();
    let of = |table: &str| rows(&store, &format!("SELECT run FROM {table} ORDER BY seq")).concat();
    for table in ["bundle_outcomes", "selections"] {
        assert_eq!(of(table), ["old", "new", "of no time"]);
    }
    for table in ["plans", "test_outcomes"] {
        assert_eq!(of(table), ["new", "of no time"]);
    }
    assert_eq!(store.summary().unwrap().origins, [("here".to_owned(), 9)]);
}

#[test]
fn tables_of_another_version_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::at(dir.path());
    let book = Book::of(["r1".to_owned()]);
    take_in(&mut store, &book);
    let connection = duckdb::Connection::open(store.database_path()).unwrap();
    connection.execute_batch("UPDATE meta SET version = 99; DROP TABLE runs").unwrap();
    connection.close().unwrap();
    take_in(&mut store, &book);
    assert_eq!(names(&store), ["r1"]);
}

#[test]
fn the_spool_of_an_earlier_version_is_told_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    std::fs::write(spool.join("1.jsonl"), "this is no record").unwrap();
    let mut store = Store::at(dir.path());
    take_in(&mut store, &Book::of(["r1".to_owned()]));
    assert_eq!(store.take_notices(), [Notice::Spool { path: spool.clone() }]);
    assert!(spool.join("1.jsonl").exists());
}

#[test]
fn questions_reach_nothing_outside_and_end_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret.csv");
    std::fs::write(&secret, "a,b\n1,2\n").unwrap();
    let out = dir.path().join("out.csv");
    let home = dir.path().join("store");
    std::fs::create_dir(&home).unwrap();
    let mut store = Store::at(&home);
    take_in(&mut store, &Book::of(["r1".to_owned()]));
    for sql in [
        &format!("SELECT * FROM read_csv('{}')", secret.display()),
        &format!("SELECT * FROM '{}'", secret.display()),
        &format!("COPY runs TO '{}'", out.display()),
        &format!("COPY runs TO '{}' (FORMAT parquet)", out.display()),
        &format!("ATTACH '{}' AS other", dir.path().join("other.duckdb").display()),
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM glob('/etc/*')",
        "SELECT content FROM read_text('/etc/passwd')",
        "DELETE FROM runs",
        "DROP TABLE runs",
        "SELECT nonsense",
    ] {
        assert!(matches!(store.query(sql, 10, LONG), Err(StoreError::Query(_))), "{sql}");
    }
    assert!(!out.exists() && !dir.path().join("other.duckdb").exists());
    let begun = Instant::now();
    let endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";
    assert!(matches!(store.query(endless, 10, Duration::from_millis(300)), Err(StoreError::Bounds(_))));
    assert!(begun.elapsed() < LONG);
    let table = store.query("SELECT range AS n FROM range(100)", 7, LONG).unwrap();
    assert_eq!((table.rows.len(), table.more, table.columns), (7, true, vec!["n".to_owned()]));
    assert_eq!(names(&store), ["r1"]);
}

#[test]
fn a_directory_with_any_name_is_exported_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::at(dir.path());
    take_in(&mut store, &Book::of(["r1".to_owned()]));
    let out = dir.path().join("it's; DROP TABLE runs --");
    for _ in 0..2 {
        let written = store.export(&out).unwrap();
        assert_eq!(written[1], ("runs.parquet".to_owned(), 1));
    }
    assert_eq!(names(&store), ["r1"]);
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(store.export(&file).is_err());
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
    let error = Store::at(mount.0.path()).take_in(|| Ok(Book::new("here"))).unwrap_err();
    assert!(error.to_string().ends_with("the file system is read-only"), "{error}");
    assert!(error.help().unwrap().contains("writable"));
}

#[test]
fn a_full_disk_leaves_a_database_that_holds_what_was_taken_in() {
    let Some(mount) = Mount::new("size=24m") else { return };
    let mut store = Store::at(mount.0.path());
    let mut book = Book::new("here");
    let mut refused = None;
    for n in 1000..1200_u64 {
        // Nothing that compresses well.
        let noise: String =
            (0..20_000).map(|at| format!("{:x}", (n * 20_000 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        book.run(&format!("{n}{noise}"));
        match store.take_in(|| Ok(book.clone())) {
            Ok(()) => {}
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    assert!(book.size() > 3);
    assert!(refused.unwrap().to_string().contains("disk is full"));
    // With room again, here in another place, all of it is taken in.
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(store.database_path(), elsewhere.path().join("store.duckdb")).unwrap();
    let mut store = Store::at(elsewhere.path());
    take_in(&mut store, &book);
    assert_eq!(names(&store).len() as u64, book.size());
}
