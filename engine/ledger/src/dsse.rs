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
/// What a statement of one record states.
const RECORD: &str = "urn:grace-rules:record:1";
/// What a statement of several states.
const RECORDS: &str = "urn:grace-rules:records:1";

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// By what it is named, as in-toto has it: `gitCommit`, `sha256`.
    pub algorithm: &'static str,
    /// The digest.
    pub digest: String,
}

impl Subject {
    /// A record itself.
    #[must_use]
    pub fn record(record: &Record) -> Self {
        Self { name: format!("record {}", record.seq), algorithm: "sha256", digest: hex(&record.digest()) }
    }
}

impl Snapshot {
    /// Records as an in-toto statement, signed as a DSSE envelope. It brings each record, its body, and the proof that the record
    /// is in the ledger; of several, in this order.
    pub fn statement(&self, records: &[Record], subject: &Subject, key: &SecretKey) -> Result<Value> {
        let one = |record: &Record| -> Result<Value> {
            Ok(json!({
                "record": String::from_utf8_lossy(&record.bytes),
                "body": self.body(record)?,
                "proof": self.prove(record.seq)?,
            }))
        };
        let (kind, predicate) = match records {
            [record] => (RECORD, one(record)?),
            records => (RECORDS, json!({"records": records.iter().map(one).collect::<Result<Vec<_>>>()?})),
        };
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": subject.name, "digest": {subject.algorithm: subject.digest}}],
            "predicateType": kind,
            "predicate": predicate,
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
