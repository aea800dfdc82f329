//! What can be done to the files of a ledger, as long lists of cases, and what verifying makes of each.
//!
//! Every case is the whole set of files after the attack. The tests try some of each list, `cargo xtask attack` all.

use std::collections::BTreeMap;

use grace_ledger::merkle::{self, hex, sha256};
use grace_ledger::{Anchor, Checkpoint, Draft, Pending, Report, SecretKey, canonical};
use serde_json::{Value, json};

use crate::memory::{Files, Memory, Trouble};
use crate::support::{draft, key};

/// A ledger that is attacked.
pub(crate) struct Victim {
    pub(crate) files: Files,
    pub(crate) key: SecretKey,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) head: Checkpoint,
    /// All files as they were at each earlier checkpoint.
    pub(crate) older: Vec<(Checkpoint, Files)>,
    /// Another ledger of the same key and as many records.
    pub(crate) other: Files,
    pub(crate) other_entries: Vec<Vec<u8>>,
}

/// What came of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Verifying says that something is wrong.
    Detected,
    /// It is taken for an append that was cut off, and all that was acknowledged is there afterwards.
    Mended,
    /// The attack changed nothing.
    Unchanged,
    /// Verifying says that all is well.
    Undetected,
}

/// What came of a list.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) name: &'static str,
    pub(crate) cases: u64,
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    /// The first that was not detected.
    pub(crate) first: Option<String>,
}

impl Victim {
    /// A ledger of `size` records, among them one with a blob, private fields, one of them deleted, and a file put aside.
    pub(crate) fn new(size: u64) -> Self {
        let key = key(7);
        let mut older = Vec::new();
        let disk = Memory::holding(&Files::new());
        let ledger = disk.ledger();
        ledger.create(&key, "mini").unwrap();
        let mut next = |draft: Draft| {
            let head = ledger.snapshot(&key.public()).unwrap().head().clone();
            older.push((head, disk.files()));
            ledger.append(&key, &[draft]).unwrap();
        };
        next(Draft::new("run", "ada", json!({"number": 1, "text": "z".repeat(50_000)})));
        next(Draft::new("story", "ada", json!({"number": 2})).private("who", "Ada").private("why", "because"));
        next(Draft::new("story", "ada", json!({"number": 3})).private("who", "Eve"));
        ledger.redact(&key, "ada", 3, "asked for").unwrap();
        // The first operation takes an older journal away, the second writes the new one.
        disk.trouble(1, Trouble::DiesHalfway, false);
        assert!(ledger.append(&key, &[draft(4)]).is_err());
        disk.restart(None);
        ledger.settle(&key).unwrap();
        let mut at = ledger.snapshot(&key.public()).unwrap().len();
        assert!(disk.files().keys().any(|path| path.starts_with("quarantine/")));
        let mut next = |drafts: &[Draft]| {
            let head = ledger.snapshot(&key.public()).unwrap().head().clone();
            older.push((head, disk.files()));
            ledger.append(&key, drafts).unwrap();
        };
        while at < size {
            let count = (size - at).min(1 + at % 7);
            let drafts: Vec<Draft> = (at..at + count).map(draft).collect();
            next(&drafts);
            at += count;
        }
        let other = Memory::holding(&Files::new());
        other.ledger().create(&key, "mini").unwrap();
        other.ledger().append(&key, &(1..size).map(draft).collect::<Vec<_>>()).unwrap();
        let entries = |disk: &std::sync::Arc<Memory>| -> Vec<Vec<u8>> {
            let snapshot = disk.ledger().snapshot(&key.public()).unwrap();
            (0..snapshot.len()).map(|seq| snapshot.entry(seq).unwrap()).collect()
        };
        let head = ledger.snapshot(&key.public()).unwrap().head().clone();
        let victim = Self {
            files: disk.files(),
            entries: entries(&disk),
            head,
            older,
            other: other.files(),
            other_entries: entries(&other),
            key,
        };
        assert_eq!(judge(&victim, &victim.files, &[]), Verdict::Unchanged);
        victim
    }

    /// The victim while an append is under way: its journal is on disk.
    pub(crate) fn with_journal(&self) -> Files {
        let mut operations = 0;
        loop {
            let disk = Memory::holding(&self.files);
            disk.trouble(operations, Trouble::Dies, false);
            assert!(disk.ledger().append(&self.key, &[draft(1), draft(2)]).is_err());
            if disk.files().contains_key("pending") {
                return disk.files();
            }
            operations += 1;
        }
    }

    /// A later checkpoint than that of the victim's files, and the earlier ones.
    pub(crate) fn later(&self) -> Anchor {
        let disk = Memory::holding(&self.files);
        disk.ledger().append(&self.key, &[draft(1)]).unwrap();
        anchor(&disk.ledger().snapshot(&self.key.public()).unwrap().head().note)
    }

    /// The files, with these entries in place of the tiles that are there, and this checkpoint.
    pub(crate) fn rebuilt(&self, entries: &[Vec<u8>], checkpoint: &str) -> Files {
        let mut files: Files = self
            .files
            .iter()
            .filter(|(path, _)| !path.starts_with("tile/"))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        files.extend(tiles(entries));
        files.insert("checkpoint".to_owned(), checkpoint.as_bytes().to_vec());
        files
    }

    /// The files, with these entries, the tiles that go with them, and a checkpoint that `key` signs.
    pub(crate) fn signed(&self, entries: &[Vec<u8>], key: &SecretKey) -> Files {
        let leaves: Vec<_> = entries.iter().map(|entry| merkle::leaf(entry)).collect();
        let head = Checkpoint::sign(key, &self.head.origin, entries.len() as u64, merkle::root(&leaves));
        self.rebuilt(entries, &head.note)
    }

    /// The files, with other bundles and everything else as it was.
    fn with_bundles(&self, entries: &[Vec<u8>]) -> Files {
        let mut files = self.files.clone();
        files.retain(|path, _| !path.starts_with("tile/entries/"));
        files.extend(tiles(entries).into_iter().filter(|(path, _)| path.starts_with("tile/entries/")));
        files
    }
}

pub(crate) fn anchor(note: &str) -> Anchor {
    Anchor { source: "a copy".to_owned(), note: note.to_owned() }
}

/// The tiles and bundles of a ledger, by another way than the ledger's own: the whole tree at once, row by row.
pub(crate) fn tiles(entries: &[Vec<u8>]) -> Files {
    let mut files = Files::new();
    let name = |row: &str, index: usize, width: usize| {
        assert!(index < 1_000_000, "names of three groups are not made here");
        let number = match index {
            0..1000 => format!("{index:03}"),
            _ => format!("x{:03}/{:03}", index / 1000, index % 1000),
        };
        let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
        format!("tile/{row}/{number}{partial}")
    };
    for (index, bundle) in entries.chunks(256).enumerate() {
        let bytes = bundle.iter().flat_map(|entry| [&(entry.len() as u16).to_be_bytes()[..], entry].concat()).collect();
        files.insert(name("entries", index, bundle.len()), bytes);
    }
    let mut row: Vec<merkle::Hash> = entries.iter().map(|entry| merkle::leaf(entry)).collect();
    for level in 0.. {
        if row.is_empty() {
            break;
        }
        for (index, tile) in row.chunks(256).enumerate() {
            files.insert(name(&level.to_string(), index, tile.len()), tile.concat());
        }
        row = row.chunks_exact(256).map(merkle::root).collect();
    }
    files
}

/// The same record with another actor.
pub(crate) fn edited(entry: &[u8]) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(entry).unwrap();
    value["actor"] = json!("eve@example.org");
    canonical::write(&value).unwrap().into_bytes()
}

/// The records from `from` on with numbers and `prev` as they must be after those before.
pub(crate) fn linked(mut entries: Vec<Vec<u8>>, from: usize) -> Vec<Vec<u8>> {
    for at in from..entries.len() {
        let mut value: Value = serde_json::from_slice(&entries[at]).unwrap();
        value["seq"] = json!(at);
        value["prev"] = json!(if at == 0 { "0".repeat(64) } else { hex(&sha256(&entries[at - 1])) });
        entries[at] = canonical::write(&value).unwrap().into_bytes();
    }
    entries
}

pub(crate) fn report(victim: &Victim, files: &Files, anchors: &[Anchor]) -> Report {
    Memory::holding(files).ledger().verify(&victim.key.public(), anchors)
}

/// What verifying makes of files after an attack.
pub(crate) fn judge(victim: &Victim, files: &Files, anchors: &[Anchor]) -> Verdict {
    let report = report(victim, files, anchors);
    match report.pending {
        _ if !report.is_proven() => Verdict::Detected,
        _ if *files == victim.files => Verdict::Unchanged,
        Some(Pending::Torn { .. } | Pending::Whole { .. }) => {
            // Only what lies in the journal may differ, and the next append mends it.
            let disk = Memory::holding(files);
            disk.ledger().append(&victim.key, &[draft(9)]).unwrap();
            let snapshot = disk.ledger().snapshot(&victim.key.public()).unwrap();
            let kept = (0..).zip(&victim.entries).all(|(seq, entry)| snapshot.entry(seq).unwrap() == *entry);
            let sound = disk.ledger().verify(&victim.key.public(), anchors);
            if kept && sound.is_proven() && sound.pending.is_none() { Verdict::Mended } else { Verdict::Undetected }
        }
        None => Verdict::Undetected,
    }
}

/// A list of cases: its name, how many there are, and each with the words for it.
type List<'a> = (&'static str, usize, Box<dyn Fn(usize) -> (String, Files) + Sync + 'a>);

/// All lists of attacks that verifying must find without help from outside.
pub(crate) fn lists<'a>(victim: &'a Victim, with_journal: &'a Files) -> Vec<List<'a>> {
    let mut lists: Vec<List<'a>> = Vec::new();
    let bits = |files: &'a Files, name| -> List<'a> {
        let places = places(files, |bytes| bytes.len() * 8);
        let count = places.iter().map(|(_, count)| count).sum();
        let case = move |number| {
            let (path, bit) = place(&places, number);
            let mut files = files.clone();
            if let Some(bytes) = files.get_mut(&path) {
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            (format!("bit {bit} of {path}"), files)
        };
        (name, count, Box::new(case))
    };
    lists.push(bits(&victim.files, "flip a bit"));
    lists.push(bits(with_journal, "flip a bit while an append is under way"));
    let cuts = |files: &'a Files, name| -> List<'a> {
        let places = places(files, Vec::len);
        let count = places.iter().map(|(_, count)| count).sum();
        let case = move |number| {
            let (path, length) = place(&places, number);
            let mut files = files.clone();
            if let Some(bytes) = files.get_mut(&path) {
                bytes.truncate(length);
            }
            (format!("{path} cut to {length} bytes"), files)
        };
        (name, count, Box::new(case))
    };
    lists.push(cuts(&victim.files, "cut a file"));
    lists.push(cuts(with_journal, "cut a file while an append is under way"));
    let paths: Vec<&'a String> = victim.files.keys().filter(|path| *path != "lock").collect();
    let all = paths.clone();
    lists.push((
        "delete a file",
        paths.len(),
        Box::new(move |number| {
            let mut files = victim.files.clone();
            files.remove(all[number]);
            (format!("{} deleted", all[number]), files)
        }),
    ));
    let all = paths.clone();
    lists.push((
        "lengthen a file, or copy it beside",
        4 * paths.len(),
        Box::new(move |number| {
            let mut files = victim.files.clone();
            let path = all[number / 4];
            let bytes = files.get_mut(path).unwrap();
            match number % 4 {
                0 => bytes.push(0),
                // By what is well-formed there: an entry, a hash.
                1 => bytes.extend(b"\0\x02{}"),
                2 => bytes.extend([0; 32]),
                _ => drop(files.insert(format!("{path}.copy"), victim.files[path].clone())),
            }
            (format!("{path} lengthened or copied"), files)
        }),
    ));
    let all = paths.clone();
    lists.push((
        "exchange two files",
        paths.len() * paths.len(),
        Box::new(move |number| {
            let mut files = victim.files.clone();
            let (a, b) = (all[number / all.len()], all[number % all.len()]);
            files.insert(a.clone(), victim.files[b].clone());
            files.insert(b.clone(), victim.files[a].clone());
            (format!("{a} and {b} exchanged"), files)
        }),
    ));
    let others: Vec<&'a String> = victim.other.keys().filter(|path| victim.files.contains_key(*path)).collect();
    // Bits of a number choose which files are those of another ledger of this key.
    lists.push((
        "take files of another ledger of the same key",
        (1 << others.len().min(10)) - 1,
        Box::new(move |number| {
            let mut files = victim.files.clone();
            for (_, path) in others.iter().enumerate().filter(|(at, _)| (number + 1) >> at & 1 == 1) {
                files.insert((*path).clone(), victim.other[*path].clone());
            }
            (format!("files {:b} of another ledger", number + 1), files)
        }),
    ));
    let count = victim.entries.len();
    let edits =
        move |name, variants: usize, cases: usize, edit: Box<dyn Fn(usize) -> Vec<Vec<u8>> + Sync + 'a>| -> List<'a> {
            let case = move |number: usize| {
                let entries = edit(number / variants);
                let files = match number % variants {
                    0 => victim.with_bundles(&entries),
                    1 => victim.rebuilt(&entries, &victim.head.note),
                    2 => victim.signed(&entries, &key(8)),
                    3 => {
                        // A new text over the old signature.
                        let signed = victim.signed(&entries, &key(8));
                        let new = String::from_utf8(signed["checkpoint"].clone()).unwrap();
                        let (text, _) = new.split_once("\n\n").unwrap();
                        let (_, signature) = victim.head.note.split_once("\n\n").unwrap();
                        victim.rebuilt(&entries, &format!("{text}\n\n{signature}"))
                    }
                    4 => victim.signed(&linked(entries, 0), &key(8)),
                    // With the key, but without writing the numbers and `prev` anew.
                    _ => victim.signed(&entries, &victim.key),
                };
                (format!("{name} {} in way {}", number / variants, number % variants), files)
            };
            (name, cases * variants, Box::new(case))
        };
    lists.push(edits(
        "edit a record",
        5,
        count,
        Box::new(move |at| {
            let mut entries = victim.entries.clone();
            entries[at] = edited(&entries[at]);
            entries
        }),
    ));
    lists.push(edits(
        "drop a record",
        5,
        count,
        Box::new(move |at| {
            let mut entries = victim.entries.clone();
            entries.remove(at);
            entries
        }),
    ));
    lists.push(edits(
        "drop a record that is not the last",
        6,
        count - 1,
        Box::new(move |at| {
            let mut entries = victim.entries.clone();
            entries.remove(at);
            entries
        }),
    ));
    lists.push(edits(
        "repeat a record",
        6,
        count,
        Box::new(move |at| {
            let mut entries = victim.entries.clone();
            entries.insert(at, victim.entries[at].clone());
            entries
        }),
    ));
    lists.push(edits(
        "exchange two records",
        6,
        count * (count - 1) / 2,
        Box::new(move |number| {
            let (a, b) = pair(number);
            let mut entries = victim.entries.clone();
            entries.swap(a, b);
            entries
        }),
    ));
    lists.push(edits(
        "take a record of another ledger",
        6,
        count - 1,
        Box::new(move |at| {
            let mut entries = victim.entries.clone();
            entries[at + 1].clone_from(&victim.other_entries[at + 1]);
            entries
        }),
    ));
    lists.push(edits(
        "add a record",
        5,
        count,
        Box::new(move |at| {
            let mut entries = victim.entries.clone();
            entries.push(victim.other_entries[at].clone());
            linked(entries, count)
        }),
    ));
    lists.push((
        "put an older checkpoint beside the newer tiles",
        victim.older.len(),
        Box::new(move |at| {
            let mut files = victim.files.clone();
            files.insert("checkpoint".to_owned(), victim.older[at].0.note.clone().into_bytes());
            (format!("the checkpoint of {} records", victim.older[at].0.size), files)
        }),
    ));
    // The attacks that the log of the project that this one grew from takes for valid.
    lists.push((
        "delete the tail, the head or all of it",
        2 * count + 1,
        Box::new(move |number| {
            let (kept, from): (&[Vec<u8>], usize) = match number {
                _ if number < count => (&victim.entries[..number], 0),
                _ if number < 2 * count => (&victim.entries[number - count + 1..], number - count + 1),
                _ => return ("all deleted".to_owned(), Files::new()),
            };
            (format!("{} records kept from {from} on", kept.len()), victim.rebuilt(kept, &victim.head.note))
        }),
    ));
    lists
}

/// Files and how many places each has.
fn places(files: &Files, count: impl Fn(&Vec<u8>) -> usize) -> Vec<(String, usize)> {
    files.iter().map(|(path, bytes)| (path.clone(), count(bytes))).collect()
}

fn place(places: &[(String, usize)], mut number: usize) -> (String, usize) {
    for (path, count) in places {
        if number < *count {
            return (path.clone(), number);
        }
        number -= count;
    }
    panic!("no such place")
}

/// The pair of different numbers with this number, the larger second.
fn pair(number: usize) -> (usize, usize) {
    let mut larger = 1;
    let mut before = 0;
    while number >= before + larger {
        before += larger;
        larger += 1;
    }
    (number - before, larger)
}

/// Tries the cases of a list whose number is a multiple of `step`.
pub(crate) fn attempt(victim: &Victim, list: &List<'_>, step: usize) -> Tally {
    let (name, count, case) = list;
    let mut tally = Tally { name, ..Tally::default() };
    for number in (0..*count).step_by(step) {
        let (words, files) = case(number);
        let verdict = judge(victim, &files, &[]);
        tally.cases += 1;
        *tally.verdicts.entry(verdict).or_default() += 1;
        if verdict == Verdict::Undetected && tally.first.is_none() {
            tally.first = Some(words);
        }
    }
    tally
}

/// What only a checkpoint outside can show, tried with and without one: the number of cases, and the first that went wrong.
pub(crate) fn with_the_key(victim: &Victim) -> (u64, Option<String>) {
    let mut cases = 0;
    let mut wrong = None;
    let mut expect = |holds: bool, words: String| {
        cases += 1;
        if !holds && wrong.is_none() {
            wrong = Some(words);
        }
    };
    let says = |report: &Report, words: &str| report.not_proven().iter().any(|line| line.contains(words));
    let head = anchor(&victim.head.note);
    for at in 1..victim.entries.len() {
        let mut entries = victim.entries.clone();
        entries[at] = edited(&entries[at]);
        let files = victim.signed(&linked(entries, at + 1), &victim.key);
        let alone = report(victim, &files, &[]);
        expect(
            alone.is_proven() && says(&alone, "rewrote nothing"),
            format!("record {at} edited with the key: {alone:#?}"),
        );
        let held = report(victim, &files, std::slice::from_ref(&head));
        expect(held.is_tampered(), format!("record {at} edited with the key is not caught by the checkpoint"));
        for (older, _) in &victim.older {
            let held = report(victim, &files, &[anchor(&older.note)]);
            let covers = older.size > at as u64;
            expect(held.is_tampered() == covers, format!("record {at} edited, checkpoint of {}", older.size));
            let rest = format!("after record {}", older.size - 1);
            expect(covers || says(&held, &rest), format!("what is not vouched for by {} is not told", older.size));
        }
    }
    let later = victim.later();
    for (older, files) in &victim.older {
        let alone = report(victim, files, &[]);
        expect(alone.is_proven() && says(&alone, "cut off"), format!("an older copy of {}: {alone:#?}", older.size));
        for newer in victim.older.iter().map(|(head, _)| anchor(&head.note)).chain([head.clone(), later.clone()]) {
            let is_later = Checkpoint::parse(&newer.note).is_some_and(|newer| newer.size > older.size);
            let held = report(victim, files, &[newer]);
            expect(held.is_tampered() == is_later, format!("an older copy of {} and a later checkpoint", older.size));
        }
    }
    let nothing = report(victim, &Files::new(), std::slice::from_ref(&head));
    expect(nothing.is_tampered(), "an erased ledger that a checkpoint vouches for".to_owned());
    let other = report(victim, &victim.other, &[head]);
    expect(other.is_tampered(), "another ledger of the same key in its place".to_owned());
    (cases, wrong)
}
