//! Attacks on ledgers, all of them: `attack files [STEP]`, `kill [ROUNDS]`, `crowd [PROCESSES RECORDS]`, `trees [SIZE STEP]`.
//!
//! `files` changes the files of a ledger of 100 records in every way of the lists that the tests try some of. `kill` ends
//! processes that append, by force, at random moments. `crowd` lets many processes append to one ledger at once. `trees` holds
//! the proofs of all records of ledgers of every size against the crate ct-merkle and the verifier in Python. Each prints
//! what it counted and fails where something was lost, went undetected, or differs.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an attacker, outside the product: it starts and ends processes, prints, and fails by panicking"
)]

#[path = "../tests/it/attacks.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod attacks;
#[path = "../tests/it/memory.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod memory;
#[path = "../tests/it/support.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use attacks::{Verdict, Victim};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{InclusionProof, RootHash};
use grace_ledger::merkle::{self, hex};
use grace_ledger::{Ledger, check_proof};
use memory::{Files, Memory};
use sha2::Sha256;
use support::{draft, key, parts};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(default, |text| text.parse().unwrap());
    let sound = match arguments.first().map(String::as_str) {
        Some("files") => files(number(1, 1) as usize),
        Some("kill") => kill(number(1, 500)),
        Some("crowd") => crowd(number(1, 8), number(2, 10_000)),
        Some("trees") => trees(number(1, 5_000), number(2, 1)),
        Some("append") => return append(Path::new(&arguments[1]), number(2, u64::MAX), &arguments[3] == "durable"),
        _ => panic!("expected `files`, `kill`, `crowd` or `trees`"),
    };
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every list, on all cores.
fn files(step: usize) -> bool {
    let victim = Victim::new(100);
    let with_journal = victim.with_journal();
    let bytes: usize = victim.files.values().map(Vec::len).sum();
    println!("a ledger of {} records in {} files of {bytes} bytes", victim.entries.len(), victim.files.len());
    println!(
        "{:<52} {:>9} {:>9} {:>7} {:>9} {:>10}",
        "attack", "cases", "detected", "mended", "unchanged", "undetected"
    );
    let mut sound = true;
    let mut all = [0; 5];
    for list in attacks::lists(&victim, &with_journal) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let counts = Mutex::new(([0_u64; 5], None));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(step, Ordering::Relaxed);
                        if number >= list.1 {
                            break;
                        }
                        let (words, files) = (list.2)(number);
                        let verdict = attacks::judge(&victim, &files, &[]);
                        let mut counts = counts.lock().unwrap();
                        counts.0[0] += 1;
                        counts.0[1 + verdict as usize] += 1;
                        if verdict == Verdict::Undetected && counts.1.is_none() {
                            counts.1 = Some(words);
                        }
                    }
                });
            }
        });
        let (counts, first) = counts.into_inner().unwrap();
        let [cases, detected, mended, unchanged, undetected] = counts;
        println!("{:<52} {cases:>9} {detected:>9} {mended:>7} {unchanged:>9} {undetected:>10}", list.0);
        all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        if let Some(first) = first {
            println!("  undetected: {first}");
            sound = false;
        }
    }
    let [cases, detected, mended, unchanged, undetected] = all;
    println!("{:<52} {cases:>9} {detected:>9} {mended:>7} {unchanged:>9} {undetected:>10}", "all");
    let (cases, wrong) = attacks::with_the_key(&victim);
    println!("with the key, or an older copy: {cases} cases, held against checkpoints kept outside and without one");
    if let Some(wrong) = wrong {
        println!("  wrong: {wrong}");
        sound = false;
    }
    sound
}

/// A process of ours that appends until it is ended, and says what it was told to be recorded.
fn append(dir: &Path, count: u64, durable: bool) -> ExitCode {
    let ledger = Ledger::at(dir).durable(durable);
    let _ = ledger.create(&key(7), "mini").unwrap();
    let mut number = 0;
    while number < count {
        let drafts: Vec<_> = (number..count.min(number + 1 + number % 5)).map(draft).collect();
        number += drafts.len() as u64;
        let receipts = ledger.append(&key(7), &drafts).unwrap();
        let mut lines = String::new();
        for receipt in receipts {
            lines.push_str(&format!("{} {}\n", receipt.seq, hex(&receipt.digest)));
        }
        let mut out = std::io::stdout();
        out.write_all(lines.as_bytes()).and_then(|()| out.flush()).unwrap();
    }
    ExitCode::SUCCESS
}

fn start(dir: &Path, count: u64, durable: bool) -> Child {
    let durable = if durable { "durable" } else { "quick" };
    Command::new(std::env::current_exe().unwrap())
        .args(["append", dir.to_str().unwrap(), &count.to_string(), durable])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Adds what a process said was recorded.
fn told(child: &mut Child, acknowledged: &mut BTreeMap<u64, String>) {
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The last line may be cut off.
        if let Some((seq, digest)) = line.split_once(' ').filter(|(_, digest)| digest.len() == 64) {
            let before = acknowledged.insert(seq.parse().unwrap(), digest.to_owned());
            assert_eq!(before, None, "record {seq} was acknowledged twice");
        }
    }
}

/// How many acknowledged records are not there as they were acknowledged, and whether the ledger verifies.
fn check(ledger: &Ledger, acknowledged: &BTreeMap<u64, String>) -> (usize, bool) {
    let report = ledger.verify(&key(7).public(), &[]);
    if !report.is_proven() {
        println!("{report:#?}");
        return (0, false);
    }
    let snapshot = ledger.snapshot(&key(7).public()).unwrap();
    let is_there =
        |(seq, digest): &(&u64, &String)| snapshot.get(**seq).is_ok_and(|record| hex(&record.digest()) == **digest);
    (acknowledged.iter().filter(|pair| !is_there(pair)).count(), true)
}

fn kill(rounds: u64) -> bool {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let (mut acknowledged_in_all, mut lost, mut unproven, mut records, mut left) = (0, 0, 0, 0, 0);
    let mut directory = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for round in 0..rounds {
        if round % 25 == 0 {
            directory = tempfile::tempdir().unwrap();
            acknowledged.clear();
        }
        let dir = directory.path().join("ledger");
        // To be ended by force loses nothing that was only given to the system: half of them do not wait for the disk, so that
        // more of their time is spent between two operations.
        let mut child = start(&dir, u64::MAX, round % 2 == 0);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(2_000 + random % 300_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let before = acknowledged.len();
        told(&mut child, &mut acknowledged);
        acknowledged_in_all += acknowledged.len() - before;
        let ledger = Ledger::at(&dir);
        left += u64::from(dir.join("pending").exists());
        if ledger.claimed_checkpoint().is_ok_and(|head| head.is_none()) {
            // It was ended before its first append was done.
            assert!(acknowledged.is_empty());
            ledger.create(&key(7), "mini").unwrap();
        }
        ledger.settle(&key(7)).unwrap();
        let (missing, is_proven) = check(&ledger, &acknowledged);
        lost += missing;
        unproven += u64::from(!is_proven);
        if round % 25 == 24 || round + 1 == rounds {
            records += ledger.snapshot(&key(7).public()).unwrap().len();
        }
    }
    println!(
        "{rounds} kills: {acknowledged_in_all} records acknowledged, {lost} of them lost, {records} in the ledgers; \
         {left} journals left, {unproven} ledgers that do not verify"
    );
    lost == 0 && unproven == 0 && acknowledged_in_all > 0
}

fn crowd(processes: u64, records: u64) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().join("ledger");
    let started = Instant::now();
    let children: Vec<Child> = (0..processes).map(|_| start(&dir, records / processes, false)).collect();
    let tellers: Vec<_> = children
        .into_iter()
        .map(|mut child| {
            std::thread::spawn(move || {
                let mut acknowledged = BTreeMap::new();
                told(&mut child, &mut acknowledged);
                assert!(child.wait().unwrap().success());
                acknowledged
            })
        })
        .collect();
    let mut acknowledged = BTreeMap::new();
    let mut twice = 0;
    for teller in tellers {
        for (seq, digest) in teller.join().unwrap() {
            twice += u64::from(acknowledged.insert(seq, digest).is_some());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let ledger = Ledger::at(&dir);
    let (lost, is_proven) = check(&ledger, &acknowledged);
    let size = ledger.snapshot(&key(7).public()).unwrap().len();
    println!(
        "{processes} processes: {} records acknowledged in {seconds:.1} s, {lost} lost, {twice} numbers given twice, \
         {size} in the ledger, which {}",
        acknowledged.len(),
        if is_proven { "verifies" } else { "does not verify" }
    );
    lost == 0 && twice == 0 && is_proven && size == acknowledged.len() as u64 + 1
}

/// Proofs of ledgers of 1 to `size` records: ours beside those of ct-merkle, and each checked by Python.
fn trees(size: u64, step: u64) -> bool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_proof.py");
    let python = if cfg!(windows) { "python" } else { "python3" };
    let mut child =
        Command::new(python).args([script, "--paths"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = std::io::BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    let disk = Memory::holding(&Files::new());
    let ledger = disk.ledger();
    let _ = ledger.create(&key(7), "mini").unwrap();
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let (mut proofs, mut differ) = (0_u64, 0_u64);
    // Of no leaves there is a root and no proof.
    differ += u64::from(tree.root().as_bytes()[..] != merkle::root(&[]));
    for now in 1..=size {
        if now > 1 {
            ledger.append(&key(7), &[draft(now)]).unwrap();
        }
        let snapshot = ledger.snapshot(&key(7).public()).unwrap();
        tree.push(snapshot.entry(now - 1).unwrap());
        let head = snapshot.head();
        differ += u64::from(tree.root().as_bytes()[..] != head.root);
        let root = RootHash::<Sha256>::new(head.root.into(), now);
        for seq in ((now % step)..now).step_by(step as usize) {
            let proof = snapshot.prove(seq).unwrap();
            let (index, entry, path) = parts(&proof);
            let leaf = merkle::leaf(&entry);
            let hashes: &[merkle::Hash] = path.as_chunks().0;
            let agree = index == seq
                && path == tree.prove_inclusion(seq as usize).as_bytes()
                && merkle::root_of_proof(index, now, leaf, hashes) == Some(head.root);
            // One signature of each size: it is the same note in each proof.
            let agree = agree && (seq > step || check_proof(&proof, &key(7).public()).is_ok());
            writeln!(input, "{index} {now} {} {} {}", hex(&leaf), hex(&head.root), hex(&path)).unwrap();
            let agree = agree && root.verify_inclusion(&entry, index, &InclusionProof::from_bytes(path)).is_ok();
            proofs += 1;
            differ += u64::from(!agree);
        }
    }
    drop(input);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    assert!(child.wait().unwrap().success());
    let in_python: u64 = said.trim().parse().unwrap();
    println!(
        "trees of 0 to {size} records: {proofs} proofs, {differ} differ from ct-merkle's, {in_python} proven in Python"
    );
    differ == 0 && in_python == proofs
}
