//! What is appended is read back: chained, numbered, proven.

use grace_ledger::merkle::{hex, sha256};
use grace_ledger::{Draft, Error, Ledger, check_proof};
use grace_system::files;
use serde_json::{Value, json};

use crate::support::{draft, key, scratch};

#[test]
fn records_come_back_in_order_and_each_names_the_one_before() {
    let scratch = scratch();
    // Across the ends of bundles, one by one and many at once.
    for count in [1, 2, 250, 1, 1, 1, 1, 300, 0, 210, 257] {
        scratch.fill(count);
    }
    let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
    assert_eq!(snapshot.len(), 1 + 1 + 2 + 250 + 4 + 300 + 210 + 257);
    let mut prev = [0; 32];
    for (seq, record) in (0..).zip(snapshot.records(0..u64::MAX)) {
        let record = record.unwrap();
        assert_eq!((record.seq, hex(&record.prev)), (seq, hex(&prev)));
        assert_eq!(record.kind, if seq == 0 { "ledger" } else { "run" });
        prev = sha256(&record.bytes);
    }
    assert_eq!(snapshot.records(5..9).count(), 4);
}

#[test]
fn a_receipt_is_that_of_the_record() {
    let scratch = scratch();
    let receipts = scratch.ledger.append(&scratch.key, &[draft(1), draft(2)]).unwrap();
    let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
    for receipt in receipts {
        let record = snapshot.get(receipt.seq).unwrap();
        assert_eq!(receipt.digest, record.digest());
        assert_eq!(receipt.leaf, grace_ledger::merkle::leaf(&record.bytes));
    }
}

#[test]
fn every_record_of_many_sizes_is_proven_by_its_proof_and_no_other() {
    let scratch = scratch();
    for _ in 0..6 {
        scratch.fill(51);
        let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
        for seq in (0..snapshot.len()).step_by(7) {
            let proof = snapshot.prove(seq).unwrap();
            let proven = check_proof(&proof, &scratch.public).unwrap();
            assert_eq!(proven.record, snapshot.get(seq).unwrap());
            let other = proof.replace(&format!("\nindex {seq}\n"), &format!("\nindex {}\n", seq ^ 1));
            assert!(check_proof(&other, &scratch.public).is_err());
            assert!(check_proof(&proof, &key(9).public()).is_err());
        }
    }
}

#[test]
fn a_ledger_is_made_once_and_named_apart_from_every_other() {
    let one = scratch();
    let two = scratch();
    let origin =
        |scratch: &crate::support::Scratch| scratch.ledger.snapshot(&scratch.public).unwrap().head().origin.clone();
    assert!(!one.ledger.create(&one.key, "other").unwrap());
    assert!(origin(&one).starts_with("grace-rules/mini/"));
    assert_ne!(origin(&one), origin(&two));
    let elsewhere = Ledger::at(&one.dir.path().join("nowhere"));
    assert!(matches!(elsewhere.append(&one.key, &[draft(1)]), Err(Error::Absent { .. })));
    assert!(matches!(elsewhere.snapshot(&one.public), Err(Error::Absent { .. })));
}

#[test]
fn long_bodies_and_private_fields_stand_beside_the_record() {
    let scratch = scratch();
    let long = json!({"text": "x".repeat(100_000)});
    let drafts = [
        Draft::new("run", "ada", long.clone()),
        Draft::new("story", "ada", json!({"who": "someone"})).private("who", "Ada Lovelace"),
    ];
    scratch.ledger.append(&scratch.key, &drafts).unwrap();
    let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
    let record = snapshot.get(1).unwrap();
    assert!(record.bytes.len() < 1000);
    assert_eq!(snapshot.body(&record).unwrap(), long);
    let record = snapshot.get(2).unwrap();
    let commitment = record.private["who"];
    assert!(!String::from_utf8_lossy(&record.bytes).contains("Lovelace"));
    assert_eq!(snapshot.private(&commitment).unwrap().unwrap(), b"Ada Lovelace");
    scratch.ledger.redact(&scratch.key, "ada", 2, "asked for").unwrap();
    assert_eq!(snapshot.private(&commitment).unwrap(), None);
    let told = scratch.ledger.snapshot(&scratch.public).unwrap().get(3).unwrap();
    assert_eq!((told.kind.as_str(), &told.body.unwrap()["seq"]), ("redact", &json!(2)));
}

#[test]
fn a_text_whose_deletion_was_cut_off_is_told_of_and_deleted() {
    let scratch = scratch();
    scratch.ledger.append(&scratch.key, &[Draft::new("story", "ada", json!({})).private("who", "Ada")]).unwrap();
    let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
    let commitment = snapshot.get(1).unwrap().private["who"];
    let name = hex(&commitment);
    let file = scratch.dir.path().join("ledger").join("private").join(&name[..2]).join(&name);
    let text = files::read(&file, 1 << 20).unwrap();
    let is_there = || files::read(&file, 1 << 20).is_ok();
    scratch.ledger.redact(&scratch.key, "ada", 1, "asked for").unwrap();
    assert!(scratch.ledger.verify(&scratch.public, &[]).undeleted.is_empty() && !is_there());
    // As if it had ended between telling and deleting.
    files::write_atomic(&file, &text).unwrap();
    let report = scratch.ledger.verify(&scratch.public, &[]);
    assert!(report.is_proven() && report.notes[0].contains("still there"), "{report:?}");
    assert_eq!(report.undeleted, [commitment]);
    scratch.ledger.delete_redacted(&report.undeleted).unwrap();
    assert!(!is_there() && scratch.ledger.verify(&scratch.public, &[]).undeleted.is_empty());
}

#[test]
fn the_version_of_the_policy_rises_with_each_other_text_and_stays_where_none_is_named() {
    let scratch = scratch();
    let under = |text: &str| Draft::new("run", "ada", Value::Null).policy(text);
    scratch.ledger.append(&scratch.key, &[under("a"), Draft::new("run", "ada", Value::Null), under("b")]).unwrap();
    assert_eq!(scratch.ledger.verify(&scratch.public, &[]).notes, [""; 0]);
    scratch.ledger.append(&scratch.key, &[under("b"), under("a")]).unwrap();
    let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
    let version = |seq| snapshot.get(seq).unwrap().policy.map(|policy| policy.version);
    assert_eq!((0..6).map(version).collect::<Vec<_>>(), [None, Some(1), Some(1), Some(2), Some(2), Some(3)]);
    let report = scratch.ledger.verify(&scratch.public, &[]);
    assert!(report.is_proven() && report.policy == Some(3));
    assert_eq!(report.notes, ["version 3 of the policy, from record 5 on, is the text of version 1 again"]);
}

#[test]
fn what_cannot_be_recorded_is_refused_before_anything_is_written() {
    let scratch = scratch();
    let before = scratch.ledger.snapshot(&scratch.public).unwrap().head().clone();
    let wrong = [
        Draft::new("ledger", "ada", Value::Null),
        Draft::new("", "ada", Value::Null),
        Draft::new("Run", "ada", Value::Null),
        Draft::new("run", "a\nb", Value::Null),
        Draft::new("run", "a".repeat(513), Value::Null),
        Draft::new("run", "ada", json!(0.5)),
        Draft::new("run", "ada", json!(1_u64 << 53)),
        Draft::new("run", "ada", (0..100).fold(json!(1), |inner, _| json!([inner]))),
        Draft::new("run", "ada", Value::Null).private("Who", "x"),
    ];
    for (index, draft) in wrong.into_iter().enumerate() {
        let refused = scratch.ledger.append(&scratch.key, &[crate::support::draft(0), draft]);
        assert!(matches!(refused, Err(Error::Draft { index: 1, .. })), "{index}: {refused:?}");
    }
    assert_eq!(*scratch.ledger.snapshot(&scratch.public).unwrap().head(), before);
}

#[test]
fn another_key_is_neither_believed_nor_let_to_write() {
    let scratch = scratch();
    let other = key(8);
    assert!(matches!(scratch.ledger.snapshot(&other.public()), Err(Error::Untrusted { .. })));
    assert!(matches!(scratch.ledger.append(&other, &[draft(1)]), Err(Error::Untrusted { .. })));
}

#[test]
fn an_older_snapshot_stays_readable_while_the_ledger_grows() {
    let scratch = scratch();
    scratch.fill(5);
    let old = scratch.ledger.snapshot(&scratch.public).unwrap();
    for _ in 0..3 {
        scratch.fill(200);
        assert_eq!(old.records(0..u64::MAX).filter(Result::is_ok).count(), 6);
    }
    let new = scratch.ledger.snapshot(&scratch.public).unwrap();
    assert_eq!(new.root_at(6).unwrap(), old.head().root);
    assert!(check_proof(&old.prove(3).unwrap(), &scratch.public).is_ok());
}
