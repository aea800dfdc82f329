//! What the tests share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use grace_ledger::{Draft, Ledger, PublicKey, SecretKey};
use serde_json::json;
use tempfile::TempDir;

/// A key, the same for each number.
pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

/// A ledger of its own in a directory for temporary files, whose first record is there.
pub(crate) struct Scratch {
    pub(crate) dir: TempDir,
    pub(crate) ledger: Ledger,
    pub(crate) key: SecretKey,
    pub(crate) public: PublicKey,
}

pub(crate) fn scratch() -> Scratch {
    let dir = tempfile::tempdir().unwrap();
    let key = key(7);
    let ledger = Ledger::at(&dir.path().join("ledger")).durable(false);
    assert!(ledger.create(&key, "mini").unwrap());
    Scratch { dir, ledger, public: key.public(), key }
}

impl Scratch {
    pub(crate) fn fill(&self, count: u64) {
        let drafts: Vec<Draft> = (0..count).map(draft).collect();
        self.ledger.append(&self.key, &drafts).unwrap();
    }
}

/// A record as they are, of a few hundred bytes.
pub(crate) fn draft(number: u64) -> Draft {
    Draft::new(
        "run",
        "ada@example.org",
        json!({"number": number, "bundles": ["lint", "unit"], "note": "añ\u{1F600}\n"}),
    )
    .policy("sha256:00")
    .about("mini", "0123456789012345678901234567890123456789")
}

/// Number, entry and path of a proof, as anybody could read them.
pub(crate) fn parts(proof: &str) -> (u64, Vec<u8>, Vec<u8>) {
    let decode = |text: &str| BASE64.decode(text).unwrap();
    let mut lines = proof.split("\n\n").next().unwrap().lines().skip(1);
    let entry = decode(lines.next().unwrap().strip_prefix("extra ").unwrap());
    let index = lines.next().unwrap().strip_prefix("index ").unwrap().parse().unwrap();
    (index, entry, lines.flat_map(decode).collect())
}
