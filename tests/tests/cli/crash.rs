//! Nothing that was told is lost: runs that are killed, runs at the same time, and records that cannot be written.
//!
//! `cargo xtask crash` runs these with larger numbers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use grace_ledger::{Ledger, SecretKey};
use serde_json::Value;

use crate::support::Repo;

/// Bundles that each take about as long as an interpreter takes to start.
const BUNDLES: usize = 5;
/// A report of one test.
const QUICK: &str = "import sys\n\nopen(sys.argv[1], 'w').write('<testsuite><testcase classname=\"t\" name=\"x\" time=\"0.01\"/></testsuite>')\n";

/// A number that `cargo xtask crash` sets.
fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// A bundle by its command.
fn bundle(name: &str, run: &str) -> String {
    format!("bundle {name}\n  tests    path(\"t/**\")\n  run      {run}\n  timeout  60 s each, 120 s in all\n\n")
}

/// A project whose change asks for these bundles.
fn project(bundles: &[(String, String)]) -> Repo {
    let repo = Repo::unborn();
    let named: Vec<String> = bundles.iter().map(|(name, _)| format!("bundle({name})")).collect();
    let rules: String = bundles.iter().map(|(name, run)| bundle(name, run)).collect();
    repo.write(
        "grace/rules.grace",
        &format!(
            "module project.rules\n\n{rules}rule all : tier 1\n  when     change touches path(\"app/**\")\n  require  {}\n  because  \"All of it.\"\n",
            named.join(", ")
        ),
    );
    repo.write("t/quick.py", QUICK);
    repo.write("app/a.py", "def a():\n    return 1\n");
    repo.commit("first");
    repo.write("app/a.py", "def a():\n    return 2\n");
    repo
}

fn quick_project() -> Repo {
    let run = "\"python\", \"-S\", \"t/quick.py\", \"{junit}\"".to_owned();
    project(&(0..BUNDLES).map(|at| (format!("quick_{at}"), run.clone())).collect::<Vec<_>>())
}

/// Starts a run whose standard error goes to a file.
fn start(repo: &Repo, log: &Path) -> Child {
    let mut command = repo.command();
    command.arg("run").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(log).unwrap());
    command.spawn().unwrap()
}

/// The bundles that a run had told to have passed.
fn told(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap();
    // A line that was cut off told nothing.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().filter_map(|line| Some(line.split_once(": passed")?.0.to_owned())).collect()
}

fn ledger(repo: &Repo) -> (Ledger, SecretKey) {
    let key = SecretKey::load(&repo.path.with_file_name("ledger.key")).unwrap();
    (Ledger::at(&repo.path.join(".git/grace/ledger")), key)
}

/// How many records there are, once every byte of them was verified.
fn verified(repo: &Repo) -> u64 {
    let (ledger, key) = ledger(repo);
    let report = ledger.verify(&key.public(), &[]);
    assert!(report.is_proven(), "{:?}", report.faults);
    report.head.unwrap().size
}

/// The records from a number on: of each kind, the bundles that they name.
fn recorded(repo: &Repo, from: u64) -> BTreeMap<String, Vec<String>> {
    let (ledger, key) = ledger(repo);
    let snapshot = ledger.snapshot(&key.public()).unwrap();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in snapshot.records(from..u64::MAX) {
        let record = record.unwrap();
        let bundle = snapshot.body(&record).unwrap()["bundle"].as_str().unwrap_or_default().to_owned();
        found.entry(record.kind).or_default().push(bundle);
    }
    found
}

/// The rows of the store's tables, which are all of the ledger's records. Nothing had to be mended for it.
fn rows(repo: &Repo, size: u64) -> BTreeMap<String, u64> {
    let report = repo.json("store export");
    assert_eq!(report["notices"], Value::Array(Vec::new()));
    let rows = report["tables"].as_array().unwrap().iter();
    let rows: BTreeMap<_, _> =
        rows.map(|row| (row["table"].as_str().unwrap().to_owned(), row["rows"].as_u64().unwrap())).collect();
    assert_eq!(rows["records"], size);
    rows
}

#[test]
fn what_a_killed_run_had_told_is_in_the_ledger() {
    let kills = number("GRACE_TEST_KILLS", 10);
    let repo = quick_project();
    let log = repo.path.with_file_name("log");
    let begun = Instant::now();
    assert!(start(&repo, &log).wait().unwrap().success());
    let whole = begun.elapsed();
    assert_eq!(told(&log).len(), BUNDLES);
    // Any other sequence of moments is as good.
    let mut chance = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let mut below = |most: Duration| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        most.mul_f64(((chance >> 33) & 0xffff) as f64 / 65_536.0)
    };
    let (mut outcomes, mut early, mut midway, mut late) = (0, 0, 0, 0);
    for kill in 0..kills {
        let before = verified(&repo);
        let mut run = start(&repo, &log);
        // Every other one while bundles run and are recorded.
        if kill % 2 == 1 {
            while run.try_wait().unwrap().is_none() && !fs::read_to_string(&log).unwrap().contains(": started") {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(below(whole / 2));
        } else {
            std::thread::sleep(below(whole));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        let size = verified(&repo);
        let recorded = recorded(&repo, before);
        let kept = recorded.get("bundle").cloned().unwrap_or_default();
        for bundle in told(&log) {
            assert!(kept.contains(&bundle), "{bundle} was told, and is not among {recorded:?}");
            outcomes += 1;
        }
        match (recorded.get("plan"), recorded.get("run")) {
            (None, _) => early += 1,
            (Some(_), None) => midway += 1,
            (Some(_), Some(_)) => late += 1,
        }
        rows(&repo, size);
    }
    println!(
        "{kills} killed: {early} before anything was recorded, {midway} between plan and end, {late} after the end was; \
         {outcomes} outcomes had been told, 0 lost; the ledger verified and the database opened after each"
    );
    // What was cut off harms no later run.
    assert!(start(&repo, &log).wait().unwrap().success());
    rows(&repo, verified(&repo));
}

#[test]
fn runs_at_the_same_time_lose_no_outcome() {
    let together = number("GRACE_TEST_TOGETHER", 8);
    let repo = quick_project();
    let logs: Vec<PathBuf> = (0..together).map(|at| repo.path.with_file_name(format!("log.{at}"))).collect();
    // Key and ledger are made by whoever is first.
    let runs: Vec<Child> = logs.iter().map(|log| start(&repo, log)).collect();
    for (mut run, log) in runs.into_iter().zip(&logs) {
        let status = run.wait().unwrap();
        assert!(status.success(), "{status}: {}", fs::read_to_string(log).unwrap());
        assert_eq!(told(log).len(), BUNDLES);
    }
    let size = verified(&repo);
    let recorded = recorded(&repo, 0);
    let counts: BTreeMap<&str, u64> = recorded.iter().map(|(kind, all)| (kind.as_str(), all.len() as u64)).collect();
    let bundles = together * BUNDLES as u64;
    assert_eq!(
        counts,
        BTreeMap::from([
            ("ledger", 1),
            ("plan", together),
            ("action", together),
            ("bundle", bundles),
            ("run", together),
            ("story", together)
        ])
    );
    for at in 0..BUNDLES {
        let of_it = recorded["bundle"].iter().filter(|bundle| **bundle == format!("quick_{at}"));
        assert_eq!(of_it.count() as u64, together);
    }
    let rows = rows(&repo, size);
    assert_eq!((rows["runs"], rows["bundle_outcomes"], rows["test_outcomes"]), (together, bundles, bundles));
    println!("{together} at the same time: {bundles} outcomes told, 0 lost; {size} records, 0 broken chains");
}

#[test]
fn where_nothing_can_be_recorded_nothing_is_started() {
    let run = "\"python\", \"-S\", \"t/marks.py\", \"{junit}\"".to_owned();
    let repo = project(&[("marks".to_owned(), run)]);
    repo.write("t/marks.py", &format!("open('started', 'w').close()\n{QUICK}"));
    repo.write(".git/grace", "a file where the ledger should be");
    let said = repo.run(&["run"], None, |_| {});
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{}", said.stderr);
    assert!(said.stderr.starts_with("error[ledger]: `"), "{}", said.stderr);
    assert!(!said.stderr.contains("marks: started"), "{}", said.stderr);
    assert!(!repo.path.join("started").exists());
    fs::remove_file(repo.path.join(".git/grace")).unwrap();
    assert_eq!(repo.run(&["run"], None, |_| {}).code, Some(0));
    assert!(repo.path.join("started").exists());
    // No file may grow any more, as on a full disk.
    if cfg!(unix) {
        fs::remove_file(repo.path.join("started")).unwrap();
        let program = repo.command().get_program().to_owned();
        let limited = "trap '' XFSZ; ulimit -f 0; exec \"$0\" run";
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(limited).arg(program).current_dir(&repo.path);
        command.envs(repo.command().get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
        let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("error[ledger]: `"), "{said}");
        assert!(!repo.path.join("started").exists());
        verified(&repo);
    }
}

#[test]
fn an_outcome_that_cannot_be_recorded_is_not_told_and_ends_the_run() {
    let script = |name: &str| format!("\"python\", \"-S\", \"t/{name}.py\", \"{{junit}}\"");
    let repo = project(&[("breaks".to_owned(), script("breaks")), ("lasts".to_owned(), script("lasts"))]);
    // A directory stands where the ledger writes what it is about to add.
    repo.write("t/breaks.py", &format!("import os\nos.makedirs('.git/grace/ledger/pending/x')\n{QUICK}"));
    repo.write("t/lasts.py", &format!("import time\ntime.sleep(100)\nopen('lasted', 'w').close()\n{QUICK}"));
    let said = repo.run(&["run"], None, |_| {});
    assert_eq!(said.code, Some(2), "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("error[ledger]: `"), "{}", said.stderr);
    assert!(!said.stderr.contains("breaks: passed"), "{}", said.stderr);
    assert!(!repo.path.join("lasted").exists());
}
