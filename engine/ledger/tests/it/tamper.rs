//! Whatever is done to the files of a ledger is found: some of each list of attacks, `cargo xtask attack` tries all.

use grace_ledger::{Draft, Pending, canonical, check_proof};
use serde_json::{Value, json};

use crate::attacks::{self, Verdict, Victim, anchor, edited, linked, report, tiles};
use crate::memory::{Files, Memory};
use crate::support::key;

#[test]
fn the_files_are_those_that_the_layout_asks_for() {
    for size in [7, 30, 256, 257, 600] {
        let victim = Victim::new(size);
        let made: Files = victim.files.clone().into_iter().filter(|(path, _)| path.starts_with("tile/")).collect();
        assert!(made == tiles(&victim.entries), "{size}: {:?}", made.keys());
        assert!(made.keys().eq(tiles(&victim.entries).keys()));
    }
}

#[test]
fn no_attack_without_the_key_goes_undetected() {
    let victim = Victim::new(24);
    let with_journal = victim.with_journal();
    for list in attacks::lists(&victim, &with_journal) {
        let tally = attacks::attempt(&victim, &list, (list.1 / 350).max(1) | 1);
        assert_eq!(tally.verdicts.get(&Verdict::Undetected), None, "{}: {:?}", tally.name, tally.first);
        assert!(tally.cases > 5, "{tally:?}");
        // What changes nothing proves nothing: files exchanged with themselves, an added record that is a last one.
        assert!(tally.verdicts.get(&Verdict::Unchanged).is_none_or(|same| same * 2 < tally.cases), "{tally:?}");
    }
}

#[test]
fn whoever_has_the_key_is_caught_by_a_checkpoint_kept_outside_and_named_without_one() {
    let (cases, wrong) = attacks::with_the_key(&Victim::new(24));
    assert_eq!(wrong, None);
    assert!(cases > 300, "{cases}");
}

#[test]
fn what_the_key_holder_signs_must_still_be_a_chain_of_sound_records() {
    let victim = Victim::new(24);
    let change = |at: usize, what: &dyn Fn(&mut Value)| {
        let mut entries = victim.entries.clone();
        let mut value: Value = serde_json::from_slice(&entries[at]).unwrap();
        what(&mut value);
        entries[at] = canonical::write(&value).unwrap().into_bytes();
        report(&victim, &victim.signed(&linked(entries, at + 1), &victim.key), &[])
    };
    assert!(change(12, &|value| value["actor"] = json!("eve")).is_proven());
    let found = |words: &str, what: &dyn Fn(&mut Value)| {
        let report = change(12, what);
        assert!(report.faults.iter().any(|fault| fault.what.contains(words)), "{words}: {:#?}", report.faults);
    };
    found("the policy falls from 1 to 0", &|value| value["policy"]["version"] = json!(0));
    found("falls from 9 to 1", &|value| value["policy"]["version"] = json!(9));
    found("other rules than the record before", &|value| value["policy"]["digest"] = json!("sha256:01"));
    found("it says that it is record 13", &|value| value["seq"] = json!(13));
    found("digest of the record before", &|value| value["prev"] = json!("0".repeat(64)));
    found("of format 2", &|value| value["v"] = json!(2));
    found("just one of `body` and `blob`", &|value| value["blob"] = json!({"sha256": "0".repeat(64), "size": 1}));
    found("it lacks a sound", &|value| value["kind"] = Value::Null);
    // Time is not proven: a clock that goes backwards is told, and no fault.
    let back = change(12, &|value| value["ts"] = json!("2020-01-01T00:00:00.000000Z"));
    assert!(back.is_proven());
    assert!(back.notes.iter().any(|note| note.contains("backwards at record 12")), "{:?}", back.notes);
    // White space is another spelling of the same record.
    let mut entries = victim.entries.clone();
    entries[12] = [&entries[12][..1], b" ", &entries[12][1..]].concat();
    assert!(report(&victim, &victim.signed(&linked(entries, 13), &victim.key), &[]).is_tampered());
}

#[test]
fn two_checkpoints_of_one_size_are_told_apart() {
    let victim = Victim::new(24);
    let mut entries = victim.entries.clone();
    entries[20] = edited(&entries[20]);
    let second = victim.signed(&linked(entries, 21), &victim.key);
    let note = String::from_utf8(second["checkpoint"].clone()).unwrap();
    assert!(report(&victim, &second, &[]).is_proven());
    let held = report(&victim, &victim.files, &[anchor(&note), anchor(&victim.head.note)]);
    assert!(held.is_tampered());
    assert_eq!(held.anchored.len(), 1);
}

#[test]
fn anchors_say_up_to_where_they_vouch() {
    let victim = Victim::new(24);
    let (older, _) = &victim.older[5];
    let report = report(&victim, &victim.files, &[anchor(&older.note), anchor("nothing")]);
    assert_eq!(report.anchored_to(), older.size);
    assert!(!report.is_proven() && !report.is_tampered(), "an anchor that is none is neither");
    assert_eq!(report.faults.len(), 1);
}

#[test]
fn a_report_says_what_it_does_not_show() {
    let victim = Victim::new(24);
    let alone = report(&victim, &victim.files, &[]);
    assert_eq!(alone.redacted, 1);
    assert_eq!(
        alone.not_proven(),
        [
            "that whoever has the key rewrote nothing: no checkpoint outside vouches for it",
            "that no records were cut off after record 23: no later checkpoint is known",
            "that everything that happened was recorded",
            "that the times are right: they are those of the writer's clock",
            "what 1 deleted private fields said",
        ]
    );
    let journal = report(&victim, &victim.with_journal(), &[]);
    assert_eq!(journal.pending, Some(Pending::Whole { from: 24, to: 26 }));
}

#[test]
fn tiles_of_every_level_are_held_against_the_records() {
    let disk = Memory::holding(&Files::new());
    let ledger = disk.ledger();
    ledger.create(&key(7), "mini").unwrap();
    // One tile of the second level is whole, and the third has begun.
    let drafts: Vec<Draft> = (1..65_600).map(|number| Draft::new("run", "ada", json!(number))).collect();
    ledger.append(&key(7), &drafts).unwrap();
    let verify = |files: &Files| Memory::holding(files).ledger().verify(&key(7).public(), &[]);
    let files = disk.files();
    assert!(verify(&files).is_proven());
    for path in ["tile/0/100", "tile/1/000", "tile/2/000.p/1", "tile/0/256.p/64"] {
        let mut files = files.clone();
        let bytes = files.get_mut(path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let report = verify(&files);
        assert!(report.is_tampered(), "{path}");
        // Nor does a reader of one record believe what it needs of such a tile.
        let proof =
            Memory::holding(&files).ledger().snapshot(&key(7).public()).and_then(|snapshot| snapshot.prove(25_601));
        assert!(proof.is_err(), "{path}");
    }
    let snapshot = ledger.snapshot(&key(7).public()).unwrap();
    for seq in [0, 255, 256, 65_535, 65_536, 65_599] {
        assert!(check_proof(&snapshot.prove(seq).unwrap(), &key(7).public()).is_ok(), "{seq}");
    }
}
