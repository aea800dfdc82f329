//! Whatever fails, and wherever the process or the power ends: what was acknowledged is there once, what was not is there
//! whole or not at all, and the ledger verifies and goes on.

use std::sync::Arc;

use grace_ledger::merkle::hex;
use grace_ledger::{Draft, Pending, Report};
use serde_json::json;

use crate::memory::{Files, Memory, Trouble};
use crate::support::{draft, key};

/// A ledger of `size` records on a disk in memory.
fn base(size: u64) -> Files {
    let disk = Memory::holding(&Files::new());
    disk.ledger().create(&key(7), "mini").unwrap();
    if size > 1 {
        let drafts: Vec<Draft> = (1..size).map(draft).collect();
        disk.ledger().append(&key(7), &drafts).unwrap();
    }
    disk.files()
}

/// What is appended in each try: short, with a blob, with a private field.
fn drafts() -> [Draft; 3] {
    [
        draft(1000),
        Draft::new("run", "ada", json!({"number": 1001, "text": "y".repeat(60_000)})),
        Draft::new("story", "ada", json!({"number": 1002})).private("who", "Ada"),
    ]
}

/// The digests of all records, after verifying. What had been left must be mended by the next append.
fn digests(disk: &Arc<Memory>, case: &str) -> Vec<String> {
    let ledger = disk.ledger();
    ledger.append(&key(7), &[draft(2000)]).unwrap_or_else(|error| panic!("{case}: {error}"));
    let report = ledger.verify(&key(7).public(), &[]);
    assert!(report.is_proven() && report.pending.is_none(), "{case}: {report:#?}");
    let snapshot = ledger.snapshot(&key(7).public()).unwrap();
    snapshot.records(0..u64::MAX).map(|record| hex(&record.unwrap().digest())).collect()
}

/// One append with trouble, and what is there afterwards.
fn try_with(files: &Files, trouble: (u64, Trouble), power_cut: Option<u64>) -> bool {
    let case = format!("{trouble:?}, power cut {power_cut:?}");
    let disk = Memory::holding(files);
    let ledger = disk.ledger();
    let before: Vec<String> = match ledger.snapshot(&key(7).public()) {
        Ok(snapshot) => snapshot.records(0..u64::MAX).map(|record| hex(&record.unwrap().digest())).collect(),
        Err(_) => Vec::new(),
    };
    if trouble.0 < u64::MAX {
        disk.trouble(trouble.0, trouble.1, false);
    }
    let receipts = match before.is_empty() {
        true => ledger.create(&key(7), "mini").map(|_| Vec::new()),
        false => ledger.append(&key(7), &drafts()),
    };
    let came = trouble.0 < u64::MAX && disk.came();
    disk.restart(power_cut);
    // Before anything is mended, a reader sees the old ledger or the new one.
    if !before.is_empty() {
        let report = disk.ledger().verify(&key(7).public(), &[]);
        assert!(report.is_proven(), "{case}: {report:#?}");
    } else if receipts.is_err() {
        disk.ledger().create(&key(7), "mini").unwrap_or_else(|error| panic!("{case}: {error}"));
    }
    let after = digests(&disk, &case);
    assert_eq!(after[..before.len()], before, "{case}");
    let snapshot = disk.ledger().snapshot(&key(7).public()).unwrap();
    let numbers: Vec<i64> = snapshot
        .records(before.len() as u64..u64::MAX)
        .filter_map(|record| snapshot.body(&record.unwrap()).unwrap()["number"].as_i64())
        .collect();
    match &receipts {
        Ok(receipts) if !before.is_empty() => {
            assert_eq!(numbers, [1000, 1001, 1002, 2000], "{case}");
            for receipt in receipts {
                assert_eq!(after[receipt.seq as usize], hex(&receipt.digest), "{case}");
            }
        }
        _ => assert!(numbers == [2000] || numbers == [1000, 1001, 1002, 2000], "{case}: {numbers:?}"),
    }
    came
}

#[test]
fn an_append_may_fail_or_end_at_every_operation() {
    // The first append, one inside a bundle, one that ends a bundle and begins another.
    for size in [0, 5, 254] {
        let files = if size == 0 { Files::new() } else { base(size) };
        for what in [Trouble::Fails, Trouble::Full, Trouble::Dies, Trouble::DiesHalfway] {
            let mut operations = 0;
            while try_with(&files, (operations, what), None) {
                operations += 1;
            }
            assert!(operations > 15, "only {operations} operations were tried");
        }
    }
}

#[test]
fn the_power_may_be_cut_at_every_operation() {
    for size in [0, 5, 255] {
        let files = if size == 0 { Files::new() } else { base(size) };
        for what in [Trouble::Dies, Trouble::DiesHalfway] {
            for choice in 1..=3 {
                let mut operations = 0;
                while try_with(&files, (operations, what), Some(choice * 0x9E37_79B9)) {
                    operations += 1;
                }
                assert!(operations > 15);
            }
        }
        // After the append returned, too.
        for choice in 1..=40 {
            assert!(!try_with(&files, (u64::MAX, Trouble::Dies), Some(choice * 0x9E37_79B9)));
        }
    }
}

#[test]
fn a_disk_that_cannot_be_read_stops_an_append_and_is_no_tampering() {
    let files = base(100);
    let mut operations = 0;
    loop {
        let disk = Memory::holding(&files);
        disk.trouble(operations, Trouble::Fails, true);
        let appended = disk.ledger().append(&key(7), &[draft(1)]);
        if !disk.came() {
            break;
        }
        operations += 1;
        // Only cleaning up may fail without failing the append.
        if let Err(error) = &appended {
            assert!(!error.is_tampering(), "{error}");
        }
        disk.restart(None);
        let numbers = disk.ledger().snapshot(&key(7).public()).unwrap().len();
        assert!(numbers == 101 || appended.is_err());
        digests(&disk, "after a disk that could not be read");
    }
    assert!(operations > 20, "{operations}");
    // Nor does a reader take it for tampering.
    let mut operations = 0;
    loop {
        let disk = Memory::holding(&files);
        disk.trouble(operations, Trouble::Fails, true);
        let report = disk.ledger().verify(&key(7).public(), &[]);
        if !disk.came() {
            break;
        }
        operations += 1;
        assert!(!report.is_tampered(), "{operations}: {report:#?}");
        assert!(!report.is_proven(), "{operations}: {report:#?}");
    }
}

/// A ledger whose last append was cut off after its journal.
fn with_journal() -> (Files, Vec<u8>) {
    let files = base(100);
    let mut operations = 0;
    loop {
        let disk = Memory::holding(&files);
        disk.trouble(operations, Trouble::Dies, false);
        assert!(disk.ledger().append(&key(7), &[draft(500), draft(501)]).is_err());
        let cut = disk.files();
        if let Some(journal) = cut.get("pending") {
            return (cut.clone(), journal.clone());
        }
        operations += 1;
    }
}

fn report(files: &Files) -> Report {
    Memory::holding(files).ledger().verify(&key(7).public(), &[])
}

#[test]
fn a_whole_journal_is_shown_and_finished() {
    let (files, _) = with_journal();
    assert_eq!(report(&files).pending, Some(Pending::Whole { from: 100, to: 102 }));
    let disk = Memory::holding(&files);
    assert_eq!(disk.ledger().settle(&key(7)).unwrap(), 2);
    assert_eq!(disk.ledger().snapshot(&key(7).public()).unwrap().len(), 102);
    assert!(report(&disk.files()).is_proven());
}

#[test]
fn a_journal_that_is_cut_off_anywhere_is_put_aside_and_told() {
    let (files, journal) = with_journal();
    for length in (0..journal.len()).step_by(37).chain([journal.len() - 1]) {
        let mut files = files.clone();
        files.insert("pending".to_owned(), journal[..length].to_vec());
        let seen = report(&files);
        assert!(seen.is_proven(), "{seen:#?}");
        assert!(matches!(seen.pending, Some(Pending::Torn { bytes, .. }) if bytes == length as u64));
        let disk = Memory::holding(&files);
        disk.ledger().append(&key(7), &[draft(1)]).unwrap();
        let snapshot = disk.ledger().snapshot(&key(7).public()).unwrap();
        assert_eq!(snapshot.len(), 102);
        let told = snapshot.get(100).unwrap();
        assert_eq!((told.kind.as_str(), &told.body.unwrap()["size"]), ("recovery", &json!(length)));
        let after = disk.files();
        assert_eq!(after.iter().filter(|(path, _)| path.starts_with("quarantine/")).count(), 1);
        assert!(report(&after).is_proven() && report(&after).notes.is_empty(), "{:#?}", report(&after));
    }
}

#[test]
fn nobody_without_the_key_can_add_by_a_journal() {
    let (files, journal) = with_journal();
    let other = Memory::holding(&Files::new());
    other.ledger().create(&key(8), "mini").unwrap();
    // One bit anywhere, and what another key wrote.
    for at in (0..journal.len()).step_by(11) {
        let mut forged = journal.clone();
        forged[at] ^= 1 << (at % 8);
        let mut files = files.clone();
        files.insert("pending".to_owned(), forged);
        let disk = Memory::holding(&files);
        disk.ledger().append(&key(7), &[draft(1)]).unwrap();
        let snapshot = disk.ledger().snapshot(&key(7).public()).unwrap();
        assert_eq!(snapshot.get(100).unwrap().kind, "recovery", "byte {at}");
        assert_eq!(snapshot.len(), 102);
    }
}

#[test]
fn a_journal_shows_that_records_before_it_were_removed() {
    let (with, _) = with_journal();
    let mut files = base(50);
    // Another ledger of this key: put aside, not believed.
    files.insert("pending".to_owned(), with["pending"].clone());
    assert!(matches!(report(&files).pending, Some(Pending::Torn { .. })));
    // An older copy of the same ledger beside its journal.
    let disk = Memory::holding(&Files::new());
    disk.ledger().create(&key(7), "mini").unwrap();
    let older = disk.files();
    disk.ledger().append(&key(7), &[draft(1)]).unwrap();
    disk.trouble(3, Trouble::Dies, false);
    assert!(disk.ledger().append(&key(7), &[draft(2)]).is_err());
    let mut files = older;
    files.insert("pending".to_owned(), disk.files()["pending"].clone());
    assert!(report(&files).is_tampered());
    assert!(Memory::holding(&files).ledger().append(&key(7), &[draft(3)]).unwrap_err().is_tampering());
}
