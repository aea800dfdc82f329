//! Directories that somebody else prepared, and many writers at once: nothing hangs, nothing is read without bound, nothing
//! is followed out of the directory, and nothing is lost.
#![expect(clippy::disallowed_methods, reason = "tests prepare files that the product would never write")]

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use grace_ledger::{Checkpoint, Draft, Error, FaultKind, Ledger, canonical, merkle};
use serde_json::{Value, json};

use crate::attacks::tiles;
use crate::memory::{Files, Memory};
use crate::support::{draft, key, scratch};

/// A file that says it holds a terabyte and holds nothing.
fn huge(path: &Path) {
    File::create(path).unwrap().set_len(1 << 40).unwrap();
}

#[test]
fn files_that_are_far_too_long_are_not_read() {
    let scratch = scratch();
    scratch.fill(300);
    let dir = scratch.ledger.dir();
    for name in ["checkpoint", "tile/entries/000", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/45"] {
        let kept = fs::read(dir.join(name)).unwrap();
        huge(&dir.join(name));
        let report = scratch.ledger.verify(&scratch.public, &[]);
        assert!(report.is_tampered(), "{name}: {report:#?}");
        fs::write(dir.join(name), kept).unwrap();
    }
    huge(&dir.join("lock"));
    assert!(scratch.ledger.verify(&scratch.public, &[]).is_tampered());
    fs::write(dir.join("lock"), "").unwrap();
    huge(&dir.join("pending"));
    assert!(!scratch.ledger.verify(&scratch.public, &[]).is_proven());
    assert!(scratch.ledger.append(&scratch.key, &[draft(1)]).is_err());
    fs::remove_file(dir.join("pending")).unwrap();
    assert!(scratch.ledger.verify(&scratch.public, &[]).is_proven());
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_neither_followed_nor_waited_for() {
    use std::os::unix::fs::symlink;
    let scratch = scratch();
    scratch.fill(3);
    let dir = scratch.ledger.dir();
    let aside = scratch.dir.path().join("aside");
    for name in ["checkpoint", "tile/entries/000.p/4", "tile/0/000.p/4", "tile/0", "tile"] {
        // The same content, reached through a link.
        fs::rename(dir.join(name), &aside).unwrap();
        symlink(&aside, dir.join(name)).unwrap();
        assert!(!scratch.ledger.verify(&scratch.public, &[]).is_proven(), "{name}");
        assert!(scratch.ledger.append(&scratch.key, &[draft(1)]).is_err(), "{name}");
        fs::remove_file(dir.join(name)).unwrap();
        fs::rename(&aside, dir.join(name)).unwrap();
    }
    for name in ["checkpoint", "pending", "tile/entries/000.p/4"] {
        let kept = fs::read(dir.join(name)).ok();
        let _absent = fs::remove_file(dir.join(name));
        assert!(std::process::Command::new("mkfifo").arg(dir.join(name)).status().unwrap().success());
        assert!(!scratch.ledger.verify(&scratch.public, &[]).is_proven(), "{name}");
        assert!(scratch.ledger.append(&scratch.key, &[draft(1)]).is_err(), "{name}");
        fs::remove_file(dir.join(name)).unwrap();
        if let Some(kept) = kept {
            fs::write(dir.join(name), kept).unwrap();
        }
    }
    // A link where a file is to be written is replaced, not written through.
    symlink(&aside, dir.join("tmp")).unwrap();
    scratch.ledger.append(&scratch.key, &[draft(1)]).unwrap();
    assert!(!aside.exists());
    assert!(scratch.ledger.verify(&scratch.public, &[]).is_proven());
}

#[test]
fn directories_in_the_place_of_files_are_no_files() {
    let scratch = scratch();
    scratch.fill(3);
    let path = scratch.ledger.dir().join("tile/entries/000.p/4");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(scratch.ledger.verify(&scratch.public, &[]).is_tampered());
    fs::remove_dir(&path).unwrap();
    fs::create_dir(scratch.ledger.dir().join("pending")).unwrap();
    assert!(!scratch.ledger.verify(&scratch.public, &[]).is_proven());
    assert!(scratch.ledger.append(&scratch.key, &[draft(1)]).is_err());
}

/// A ledger of these entries that the key signed, whatever they are.
fn signed(entries: &[Vec<u8>]) -> Ledger {
    let leaves: Vec<_> = entries.iter().map(|entry| merkle::leaf(entry)).collect();
    let head = Checkpoint::sign(&key(7), "odd", entries.len() as u64, merkle::root(&leaves));
    let mut files: Files = tiles(entries);
    files.insert("checkpoint".to_owned(), head.note.into_bytes());
    Memory::holding(&files).ledger()
}

#[test]
fn entries_that_are_no_records_are_refused_though_they_are_signed() {
    let deep = format!("{{\"a\":{}", "[".repeat(60_000)).into_bytes();
    let wide = vec![b'9'; 65_535];
    for entry in [Vec::new(), b"{}".to_vec(), b"\xff\xfe".to_vec(), deep, wide, b"{\"v\":1}".to_vec()] {
        let ledger = signed(std::slice::from_ref(&entry));
        let report = ledger.verify(&key(7).public(), &[]);
        assert!(report.is_tampered(), "{report:#?}");
        let snapshot = ledger.snapshot(&key(7).public()).unwrap();
        assert!(snapshot.get(0).is_err());
        assert!(ledger.append(&key(7), &[draft(1)]).is_err());
        assert!(grace_ledger::check_proof(&snapshot.prove(0).unwrap(), &key(7).public()).is_err());
    }
}

#[test]
fn a_newer_format_is_named_and_not_guessed_at() {
    let entry = canonical::write(&json!({"v": 2, "what": "ever"})).unwrap().into_bytes();
    let ledger = signed(&[entry]);
    let report = ledger.verify(&key(7).public(), &[]);
    assert!(report.faults.iter().any(|fault| fault.kind == FaultKind::Newer), "{report:#?}");
    let error = ledger.snapshot(&key(7).public()).unwrap().get(0).unwrap_err();
    assert_eq!(error, Error::Newer { seq: 0, version: 2 });
    assert!(error.to_string().contains("of format 2"));
}

#[test]
fn a_checkpoint_of_more_records_than_there_can_be_ends_soon() {
    for size in [1 << 20, 1 << 40, u64::MAX] {
        let head = Checkpoint::sign(&key(7), "odd", size, [0; 32]);
        let files = Files::from([("checkpoint".to_owned(), head.note.into_bytes())]);
        let ledger = Memory::holding(&files).ledger();
        let report = ledger.verify(&key(7).public(), &[]);
        assert!(report.is_tampered() && report.stopped, "{size}");
        assert!(ledger.snapshot(&key(7).public()).is_err());
    }
}

#[test]
fn many_that_append_at_once_get_numbers_of_their_own() {
    let scratch = scratch();
    let dir = scratch.ledger.dir();
    let mut seqs: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                scope.spawn(move || {
                    // Each opens files of its own, as processes do.
                    let ledger = Ledger::at(dir).durable(false);
                    let mut seqs = Vec::new();
                    for number in 0..12 {
                        let drafts: Vec<Draft> = (0..1 + number % 3).map(|_| draft(writer * 100 + number)).collect();
                        seqs.extend(ledger.append(&key(7), &drafts).unwrap().into_iter().map(|receipt| receipt.seq));
                        // A reader beside them sees a sound ledger at any moment.
                        let report = ledger.verify(&key(7).public(), &[]);
                        assert!(report.is_proven(), "{report:#?}");
                    }
                    seqs
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    seqs.sort_unstable();
    assert!(seqs.iter().copied().eq(1..=8 * 24));
    assert_eq!(scratch.ledger.snapshot(&scratch.public).unwrap().len(), 1 + 8 * 24);
}

#[test]
fn whoever_waits_too_long_is_told_and_nothing_is_written() {
    let scratch = scratch();
    let held = grace_system::files::lock(&scratch.ledger.dir().join("lock"), Duration::ZERO).unwrap().unwrap();
    let hurried = scratch.ledger.clone().patience(Duration::from_millis(20));
    assert!(matches!(hurried.append(&scratch.key, &[draft(1)]), Err(Error::Busy { .. })));
    drop(held);
    hurried.append(&scratch.key, &[Draft::new("run", "ada", Value::Null)]).unwrap();
    assert_eq!(scratch.ledger.snapshot(&scratch.public).unwrap().len(), 2);
}
