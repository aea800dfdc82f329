//! What a ledger costs: `ledger_bench make DIR RECORDS`, `verify DIR`, `append DIR ROUNDS`.
//!
//! `make` fills a ledger, `verify` verifies it and prints the seconds, `append` prints what one append of one record costs
//! without waiting for the disk, beside its file operations alone and one signature.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring tool, outside the product: it takes times, copies directories, prints, and fails by panicking"
)]

#[path = "../tests/it/support.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grace_ledger::{Disk, Guard, Ledger, Local};
use grace_system::files::{DirEntry, FileError};
use support::{draft, key};

/// Records of one append when many are made.
const BATCH: u64 = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", dir, count] => make(Path::new(dir), count.parse().unwrap()),
        ["verify", dir] => verify(Path::new(dir)),
        ["append", dir, rounds] => append(Path::new(dir), rounds.parse().unwrap()),
        _ => panic!("expected `make DIR RECORDS`, `verify DIR` or `append DIR ROUNDS`"),
    }
}

fn make(dir: &Path, count: u64) {
    let ledger = Ledger::at(dir).durable(false);
    ledger.create(&key(7), "bench").unwrap();
    let mut number = 1;
    while number < count {
        let drafts: Vec<_> = (number..count.min(number + BATCH)).map(draft).collect();
        number += drafts.len() as u64;
        ledger.append(&key(7), &drafts).unwrap();
    }
}

fn verify(dir: &Path) {
    let started = Instant::now();
    let report = Ledger::at(dir).verify(&key(7).public(), &[]);
    let seconds = started.elapsed().as_secs_f64();
    assert!(report.is_proven(), "{:#?}", report.faults);
    println!("{seconds} {}", report.read);
}

/// One file operation of an append.
#[derive(Debug, Clone)]
enum Operation {
    Read(String, u64),
    List(String, usize),
    MakeDir(String),
    Write(String, Vec<u8>),
    Rename(String, String),
    Remove(String),
    RemoveDir(String),
    Lock,
}

/// A directory whose operations are written down.
#[derive(Debug)]
struct Recorder {
    local: Local,
    operations: Mutex<Vec<Operation>>,
}

impl Recorder {
    fn note(&self, operation: Operation) {
        self.operations.lock().unwrap().push(operation);
    }
}

impl Disk for Recorder {
    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FileError> {
        self.note(Operation::Read(path.to_owned(), max));
        self.local.read(path, max)
    }
    fn list(&self, path: &str, max: usize) -> Result<Vec<DirEntry>, FileError> {
        self.note(Operation::List(path.to_owned(), max));
        self.local.list(path, max)
    }
    fn make_dir(&self, path: &str, durable: bool) -> Result<(), FileError> {
        self.note(Operation::MakeDir(path.to_owned()));
        self.local.make_dir(path, durable)
    }
    fn write(&self, path: &str, bytes: &[u8], durable: bool) -> Result<(), FileError> {
        self.note(Operation::Write(path.to_owned(), bytes.to_vec()));
        self.local.write(path, bytes, durable)
    }
    fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        self.note(Operation::Rename(from.to_owned(), to.to_owned()));
        self.local.rename(from, to)
    }
    fn sync_dir(&self, path: &str) -> Result<(), FileError> {
        self.local.sync_dir(path)
    }
    fn remove(&self, path: &str) -> Result<(), FileError> {
        self.note(Operation::Remove(path.to_owned()));
        self.local.remove(path)
    }
    fn remove_empty_dir(&self, path: &str) -> Result<(), FileError> {
        self.note(Operation::RemoveDir(path.to_owned()));
        self.local.remove_empty_dir(path)
    }
    fn lock(&self, patience: Duration) -> Result<Option<Guard>, FileError> {
        self.note(Operation::Lock);
        self.local.lock(patience)
    }
}

/// The same operations once more, elsewhere.
fn replay(local: &Local, operations: &[Operation]) {
    let mut guard = None;
    for operation in operations {
        match operation {
            Operation::Read(path, max) => drop(local.read(path, *max)),
            Operation::List(path, max) => drop(local.list(path, *max)),
            Operation::MakeDir(path) => local.make_dir(path, false).unwrap(),
            Operation::Write(path, bytes) => local.write(path, bytes, false).unwrap(),
            Operation::Rename(from, to) => local.rename(from, to).unwrap(),
            Operation::Remove(path) => local.remove(path).unwrap(),
            Operation::RemoveDir(path) => local.remove_empty_dir(path).unwrap(),
            Operation::Lock => guard = local.lock(Duration::from_secs(1)).unwrap(),
        }
    }
    drop(guard);
}

fn append(dir: &Path, rounds: u64) {
    let [ours, recorded, replayed] = ["ours", "recorded", "replayed"].map(|name| dir.join(name));
    make(&ours, 700);
    copy(&ours, &recorded);
    copy(&ours, &replayed);
    let ledger = Ledger::at(&ours).durable(false);
    let recorder = Arc::new(Recorder { local: Local::at(&recorded), operations: Mutex::new(Vec::new()) });
    let witness = Ledger::on(Arc::<Recorder>::clone(&recorder), &recorded).durable(false);
    let elsewhere = Local::at(&replayed);
    let (mut appends, mut files, mut signatures) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..rounds {
        let drafts = [draft(number)];
        let started = Instant::now();
        ledger.append(&key(7), &drafts).unwrap();
        appends.push(started.elapsed());
        witness.append(&key(7), &drafts).unwrap();
        let operations = std::mem::take(&mut *recorder.operations.lock().unwrap());
        let started = Instant::now();
        replay(&elsewhere, &operations);
        files.push(started.elapsed());
        let started = Instant::now();
        std::hint::black_box(key(7).sign(&number.to_be_bytes()));
        signatures.push(started.elapsed());
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e6
    };
    let (append, files, signature) = (median(&mut appends), median(&mut files), median(&mut signatures));
    println!("{append} {files} {signature}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
