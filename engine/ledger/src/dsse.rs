//! Signed statements: a record as an in-toto statement in a DSSE envelope, for tools that read those.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::canonical;
use crate::error::Result;
use crate::key::{PublicKey, SecretKey};
use crate::merkle::hex;
use crate::record::Record;
use crate::snapshot::Snapshot;

/// What is signed, as DSSE names it.
const PAYLOAD: &str = "application/vnd.in-toto+json";
/// What the statement states.
const PREDICATE: &str = "urn:grace-rules:record:1";

impl Snapshot {
    /// A record as an in-toto statement about its commit (about itself, where it names none), signed as a DSSE envelope.
    /// The statement brings the record, its body, and the proof that the record is in the ledger.
    pub fn statement(&self, record: &Record, key: &SecretKey) -> Result<Value> {
        let subject = match &record.commit {
            Some(commit) => json!({"name": record.repo, "digest": {"gitCommit": commit}}),
            None => json!({"name": format!("record {}", record.seq), "digest": {"sha256": hex(&record.digest())}}),
        };
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [subject],
            "predicateType": PREDICATE,
            "predicate": {
                "record": String::from_utf8_lossy(&record.bytes),
                "body": self.body(record)?,
                "proof": self.prove(record.seq)?,
            },
        });
        let payload = canonical::write(&statement).unwrap_or_else(|_| statement.to_string());
        let signature = key.sign(&encoding(PAYLOAD, payload.as_bytes()));
        Ok(json!({
            "payloadType": PAYLOAD,
            "payload": BASE64.encode(payload),
            "signatures": [{"keyid": key.public().text(&self.head().origin), "sig": BASE64.encode(signature)}],
        }))
    }
}

/// The statement of an envelope that `key` signed; `None` if it did not.
#[must_use]
pub fn open_envelope(envelope: &Value, key: &PublicKey) -> Option<Map<String, Value>> {
    let payload = BASE64.decode(envelope["payload"].as_str()?).ok()?;
    let message = encoding(envelope["payloadType"].as_str()?, &payload);
    let is_signed = envelope["signatures"].as_array()?.iter().any(|signature| {
        let bytes = signature["sig"].as_str().and_then(|text| BASE64.decode(text).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).is_some_and(|signature| key.has_signed(&message, &signature))
    });
    is_signed.then(|| serde_json::from_slice(&payload).ok())?
}

/// What is signed of a payload: DSSE's encoding before authentication.
fn encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend(payload);
    message
}
