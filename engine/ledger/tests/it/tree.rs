//! The tree and its proofs beside those of others: the crate ct-merkle, and a verifier in Python.

use std::process::Command;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{InclusionProof, RootHash};
use grace_ledger::{Checkpoint, Ledger, PublicKey, Unproven, check_proof, merkle};
use proptest::prelude::*;
use sha2::Sha256;

use crate::support::{key, parts, scratch};

/// Holds the root and the proof of every `step`th record against those of the other crate.
fn compare(ledger: &Ledger, tree: &mut MemoryBackedTree<Sha256, Vec<u8>>, step: usize) {
    let snapshot = ledger.snapshot(&key(7).public()).unwrap();
    for seq in tree.len()..snapshot.len() {
        tree.push(snapshot.entry(seq).unwrap());
    }
    assert_eq!(tree.root().as_bytes()[..], snapshot.head().root);
    let root = RootHash::<Sha256>::new(snapshot.head().root.into(), snapshot.len());
    for seq in (0..snapshot.len()).step_by(step).chain([snapshot.len() - 1]) {
        let proof = snapshot.prove(seq).unwrap();
        let (index, entry, path) = parts(&proof);
        assert_eq!((index, path.as_slice()), (seq, tree.prove_inclusion(seq as usize).as_bytes()));
        assert!(root.verify_inclusion(&entry, index, &InclusionProof::from_bytes(path)).is_ok());
        assert_eq!(check_proof(&proof, &key(7).public()).unwrap().record.seq, seq);
    }
}

#[test]
fn roots_and_proofs_are_those_of_another_crate() {
    let scratch = scratch();
    let mut tree = MemoryBackedTree::new();
    compare(&scratch.ledger, &mut tree, 1);
    for count in [1, 1, 1, 3, 9, 240, 1, 2, 250, 300, 700] {
        scratch.fill(count);
        compare(&scratch.ledger, &mut tree, 17);
    }
}

#[test]
fn a_verifier_in_python_agrees_on_sound_and_on_broken_proofs() {
    let scratch = scratch();
    let origin = scratch.ledger.snapshot(&scratch.public).unwrap().head().origin.clone();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_proof.py");
    let mut arguments = vec![script.to_owned(), scratch.public.text(&origin)];
    let mut expected = Vec::new();
    for round in 0..6 {
        scratch.fill(1 + round * 53);
        let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
        for seq in [0, snapshot.len() / 2, snapshot.len() - 1] {
            let proof = snapshot.prove(seq).unwrap();
            let length = proof.len();
            // Broken in the record, the path, the root, the signature; and sound.
            let broken = [60, length / 2, length - 190, length - 130, length - 60, length - 20].map(|at| {
                let mut bytes = proof.clone().into_bytes();
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                bytes
            });
            for text in broken.into_iter().chain([proof.clone().into_bytes()]) {
                let path = scratch.dir.path().join(format!("{}.tlog-proof", expected.len()));
                let ours = std::str::from_utf8(&text).is_ok_and(|text| check_proof(text, &scratch.public).is_ok());
                grace_system::files::write_new(&path, &text, false).unwrap();
                arguments.push(path.to_str().unwrap().to_owned());
                expected.push(if ours { "proven" } else { "not proven" });
            }
        }
    }
    let python = if cfg!(windows) { "python" } else { "python3" };
    #[expect(clippy::disallowed_methods, reason = "another program is asked whether it agrees")]
    let output = Command::new(python).args(&arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(expected.iter().filter(|said| **said == "proven").count(), 18);
}

#[test]
fn a_proof_is_of_its_record_and_its_ledger_alone() {
    let scratch = scratch();
    scratch.fill(9);
    let snapshot = scratch.ledger.snapshot(&scratch.public).unwrap();
    let proof = snapshot.prove(4).unwrap();
    let with = |from: &str, to: &str| check_proof(&proof.replacen(from, to, 1), &scratch.public);
    assert_eq!(with("index 4", "index 5"), Err(Unproven::NotIncluded));
    assert_eq!(with("index 4", "index 04"), Err(Unproven::Malformed("it does not say which record it is about")));
    assert_eq!(with("tlog-proof@v1", "tlog-proof@v2"), Err(Unproven::Malformed("it does not begin like one")));
    assert_eq!(with("\n10\n", "\n11\n"), Err(Unproven::NotSigned));
    let other = crate::support::scratch();
    other.fill(9);
    let (head, _) = proof.split_once("\n\n").unwrap();
    let swapped = format!("{head}\n\n{}", other.ledger.snapshot(&other.public).unwrap().head().note);
    assert_eq!(check_proof(&swapped, &scratch.public), Err(Unproven::NotIncluded));
}

#[test]
fn a_key_is_read_back_from_its_text_and_bound_to_its_name() {
    let key = key(3).public();
    let text = key.text("grace-rules/mini/1");
    assert_eq!(PublicKey::parse(&text), Some(("grace-rules/mini/1".to_owned(), key)));
    assert_eq!(PublicKey::parse(&text.replace("mini", "main")), None);
    // The neutral point would let anybody sign anything.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(PublicKey::from_bytes(&neutral), None);
}

proptest! {
    #[test]
    fn a_path_leads_to_the_root_from_its_leaf_alone(size in 1_u64..5000, at in any::<u64>(), bit in 0_usize..256) {
        let leaves: Vec<_> = (0..size).map(|number| merkle::leaf(&number.to_be_bytes())).collect();
        let mut tree = MemoryBackedTree::<Sha256, [u8; 8]>::new();
        (0..size).for_each(|number| tree.push(number.to_be_bytes()));
        let root = merkle::root(&leaves);
        prop_assert_eq!(tree.root().as_bytes()[..].to_vec(), root.to_vec());
        let index = at % size;
        let path: Vec<merkle::Hash> = tree.prove_inclusion(index as usize).as_bytes().as_chunks().0.to_vec();
        let leaf = leaves[index as usize];
        prop_assert_eq!(merkle::root_of_proof(index, size, leaf, &path), Some(root));
        let mut other = leaf;
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(merkle::root_of_proof(index, size, other, &path), Some(root));
        prop_assert_eq!(merkle::root_of_proof(size, size, leaf, &path), None);
        for shorter in 0..path.len() {
            prop_assert_ne!(merkle::root_of_proof(index, size, leaf, &path[..shorter]), Some(root));
        }
    }

    #[test]
    fn a_proof_with_another_byte_proves_nothing_else(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let scratch = scratch();
        scratch.fill(5);
        let proof = scratch.ledger.snapshot(&scratch.public).unwrap().prove(3).unwrap();
        let proven = check_proof(&proof, &scratch.public).unwrap();
        let mut bytes = proof.into_bytes();
        let at = at.index(bytes.len());
        let same = bytes[at] == byte;
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            let other = check_proof(&text, &scratch.public);
            prop_assert!(if same { other == Ok(proven) } else { other.is_err() }, "byte {}: {:?}", at, other);
        }
    }

    #[test]
    fn texts_and_bytes_of_any_kind_are_refused_without_a_panic(text in "\\PC{0,200}", bytes in any::<Vec<u8>>()) {
        let _ = Checkpoint::parse(&text);
        let _ = check_proof(&text, &key(7).public());
        let _ = PublicKey::parse(&text);
        let _ = grace_ledger::canonical::scan(&bytes, |_, _| ());
        let _ = grace_ledger::canonical::scan(text.as_bytes(), |_, _| ());
    }
}
