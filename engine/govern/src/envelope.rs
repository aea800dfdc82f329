//! Statements that people sign, in DSSE envelopes: approvals, denials, revocations, grants of waivers, halts, raised tiers.
//!
//! The payload is JSON of ours, the signature an SSH signature over DSSE's pre-authentication encoding, so both
//! `ssh-keygen -Y verify` and any DSSE reader can check it. An envelope says what its signer said and no more; whether it
//! counts is judged elsewhere.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grace_system::files;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ssh_key::public::KeyData;

use crate::signers::fingerprint;
use crate::signing::{self, BadSignature, NAMESPACE, SigningError};

/// The DSSE payload type.
pub const PAYLOAD_TYPE: &str = "application/vnd.grace-rules.statement+json";
/// Largest envelope, in bytes.
pub const MAX_BYTES: u64 = 128 << 10;
/// The version of statements that is written and read.
const VERSION: u32 = 1;

/// What somebody says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The format's version.
    pub version: u32,
    /// Who says it: a principal of `allowed_signers`.
    pub by: String,
    /// When, as the signer's clock said; RFC 3339, UTC.
    pub at: String,
    /// The last moment at which it counts; RFC 3339, UTC.
    pub until: String,
    /// Why, in the signer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What is said.
    pub says: Says,
}

/// Who made what a halt or a raised tier is about: they do not lift it. Of a cycle of the audit loop, whoever lifts its halt is asked
/// for as its reviewers would be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Makers {
    /// Principals who took part.
    pub by: BTreeSet<String>,
    /// It is not proved who made all of it.
    pub unproved: bool,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Says {
    /// This change may go, as far as the signer is asked.
    Approve {
        /// What is approved.
        subject: Subject,
        /// In whose name: the team, or `owner`, or `anyone`.
        r#as: String,
    },
    /// This change may not go.
    Deny {
        /// What is denied.
        subject: Subject,
        /// In whose name.
        r#as: String,
    },
    /// What the signer said in another envelope counts no more.
    Revoke {
        /// The name of that statement: SHA-256 (hex) of what it signs and of its key.
        envelope: String,
    },
    /// A waiver of the rules is in force.
    Grant {
        /// Its name.
        waiver: String,
        /// SHA-256 of the waiver as the rules write it, hexadecimal: another text is another waiver.
        text: String,
        /// The team that grants it.
        r#as: String,
    },
    /// A cycle of the audit loop was looked at, and may stand.
    Review {
        /// SHA-256 of its record in the ledger, hexadecimal.
        cycle: String,
        /// In whose name.
        r#as: String,
    },
    /// Nothing goes through the gate, whoever makes it.
    Halt {
        /// It is of a cycle of the audit loop that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cycle: Option<Makers>,
    },
    /// Changes of a region need a higher tier for a while: something got worse there.
    Raise {
        /// At least this tier.
        tier: u8,
        /// `domain(self_healing)`, `tag(kernel)`.
        region: String,
        /// The drift rule.
        rule: String,
        /// Who made what was deployed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        makers: Option<Makers>,
    },
    /// These raised tiers are lifted before they end.
    Lift {
        /// Their names: SHA-256 (hex) of what each of them says.
        raises: Vec<String>,
        /// In whose name.
        r#as: String,
    },
    /// These halts are lifted.
    Resume {
        /// SHA-256 of their envelopes' bytes, hexadecimal.
        halts: Vec<String>,
        /// In whose name.
        r#as: String,
    },
}

/// What an approval is about: enough to tell, on any machine, whether the plan derived anew asks for more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The plan's name, for people.
    pub plan: String,
    /// Digest of what changes.
    pub diff: String,
    /// Digest of both rule books.
    pub rules: String,
    /// The tier.
    pub tier: u8,
    /// Approvals that are asked for, by name, sorted.
    pub approvals: Vec<String>,
    /// What fills the duties: name and value.
    pub duties: Vec<(String, String)>,
}

impl Subject {
    /// Whether an approval is asked for here as well, of as many or more.
    #[must_use]
    pub fn asks(&self, approval: &str) -> bool {
        let Some((count, group)) = counted(approval) else { return self.approvals.iter().any(|one| one == approval) };
        self.approvals.iter().filter_map(|one| counted(one)).any(|(most, known)| known == group && count <= most)
    }

    /// Whether who agreed to this has agreed to `asked` as well: the same change under the same rules, no higher tier, no
    /// other approvals, nothing given otherwise.
    #[must_use]
    pub fn covers(&self, asked: &Self) -> bool {
        self.diff == asked.diff
            && self.rules == asked.rules
            && asked.tier <= self.tier
            && asked.approvals.iter().all(|approval| self.asks(approval))
            && asked.duties.iter().all(|duty| self.duties.contains(duty))
    }
}

/// `2 of team(governance)` as a number and whom it is of.
fn counted(approval: &str) -> Option<(u32, &str)> {
    let (count, group) = approval.split_once(" of ")?;
    Some((count.parse().ok()?, group))
}

/// A DSSE envelope as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// A statement whose signature holds. Whose key it is was not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// The key that signed it.
    pub key: KeyData,
    /// SHA-256 (hex) of what is signed and of the key: the statement's name, however its envelope is written.
    pub digest: String,
}

/// Why an envelope says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEnvelope {
    /// It is none that can be read.
    Unreadable,
    /// Its version is newer than this program.
    Newer,
    /// Its signature proves nothing.
    Signature(BadSignature),
}

impl BadEnvelope {
    /// In words.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Unreadable => "it cannot be read",
            Self::Newer => "a newer version of this program wrote it",
            Self::Signature(BadSignature::Unreadable) => "its signature cannot be read",
            Self::Signature(BadSignature::Namespace) => "it was signed for something else",
            Self::Signature(BadSignature::Wrong) => "its signature does not belong to it",
        }
    }
}

/// DSSE's pre-authentication encoding: what is signed.
fn signed_bytes(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The name of a statement: an envelope can be written in many ways, what it says and who says it cannot.
fn name(payload: &[u8], key: &KeyData) -> String {
    let mut bytes = signed_bytes(payload);
    bytes.extend_from_slice(fingerprint(key).as_bytes());
    files::sha256(&bytes)
}

/// Signs a statement with the key in `file`; the bytes of its envelope, and the statement's name.
///
/// # Errors
/// When the key cannot sign.
pub fn seal(statement: &Statement, file: &Path, root: &Path) -> Result<(Vec<u8>, String), SigningError> {
    let payload = payload(statement);
    let armored = signing::sign(file, &signed_bytes(&payload), root)?;
    Ok(sealed(&payload, &signing::public_key(file)?, &armored))
}

/// Signs a statement that counts whoever signs it, with a key that is made for it and thrown away.
///
/// # Errors
/// When the system gives no random bytes.
pub fn seal_as_nobody(statement: &Statement) -> Result<(Vec<u8>, String), SigningError> {
    let payload = payload(statement);
    let (key, armored) = signing::sign_once(&signed_bytes(&payload))?;
    Ok(sealed(&payload, &key, &armored))
}

fn payload(statement: &Statement) -> Vec<u8> {
    // A statement holds nothing that JSON cannot.
    serde_json::to_vec(statement).unwrap_or_default()
}

/// The bytes of an envelope, and the statement's name.
fn sealed(payload: &[u8], key: &KeyData, armored: &str) -> (Vec<u8>, String) {
    let keyid = fingerprint(key);
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(payload),
        signatures: vec![Signature { keyid, sig: STANDARD.encode(armored) }],
    };
    let mut bytes = serde_json::to_vec(&envelope).unwrap_or_default();
    bytes.push(b'\n');
    (bytes, name(payload, key))
}

/// The statement in an envelope whose one signature holds.
///
/// # Errors
/// When it says nothing.
pub fn open(bytes: &[u8]) -> Result<Signed, BadEnvelope> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(BadEnvelope::Unreadable);
    }
    let unreadable = |_| BadEnvelope::Unreadable;
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(unreadable)?;
    let [signature] = envelope.signatures.as_slice() else { return Err(BadEnvelope::Unreadable) };
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(BadEnvelope::Unreadable);
    }
    let payload = STANDARD.decode(&envelope.payload).map_err(|_| BadEnvelope::Unreadable)?;
    let armored = STANDARD.decode(&signature.sig).map_err(|_| BadEnvelope::Unreadable)?;
    let armored = String::from_utf8(armored).map_err(|_| BadEnvelope::Unreadable)?;
    let key = signing::verify(&armored, NAMESPACE, &signed_bytes(&payload)).map_err(BadEnvelope::Signature)?;
    let version: Version = serde_json::from_slice(&payload).map_err(unreadable)?;
    if version.version > VERSION {
        return Err(BadEnvelope::Newer);
    }
    let statement = serde_json::from_slice(&payload).map_err(unreadable)?;
    let digest = name(&payload, &key);
    Ok(Signed { statement, key, digest })
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Statement {
    /// A statement of this version.
    #[must_use]
    pub fn new(by: &str, at: jiff::Timestamp, until: jiff::Timestamp, because: Option<String>, says: Says) -> Self {
        Self { version: VERSION, by: by.to_owned(), at: at.to_string(), until: until.to_string(), because, says }
    }

    /// Whether it counts at a time; one whose end cannot be read never does.
    #[must_use]
    pub fn is_in_force(&self, at: jiff::Timestamp) -> bool {
        self.until.parse::<jiff::Timestamp>().is_ok_and(|until| at <= until)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::signing::tests::{key, written};

    pub(crate) fn subject() -> Subject {
        Subject {
            plan: "7f3a".to_owned(),
            diff: "d1".to_owned(),
            rules: "r1".to_owned(),
            tier: 3,
            approvals: vec!["1 of team(governance)".to_owned()],
            duties: vec![("rationale".to_owned(), "why not".to_owned())],
        }
    }

    pub(crate) fn statement(says: Says) -> Statement {
        let at = "2026-06-01T00:00:00Z".parse().unwrap();
        Statement::new("alice@example.org", at, "2026-06-08T00:00:00Z".parse().unwrap(), None, says)
    }

    #[test]
    fn an_envelope_says_what_its_signer_said() {
        let directory = files::temporary_dir().unwrap();
        let said = statement(Says::Approve { subject: subject(), r#as: "governance".to_owned() });
        let (bytes, name) = seal(&said, &written(directory.path(), 1), directory.path()).unwrap();
        let opened = open(&bytes).unwrap();
        assert_eq!((&opened.statement, &opened.key), (&said, key(1).public_key().key_data()));
        // However the envelope is written, it is one statement.
        let other = String::from_utf8(bytes.clone()).unwrap().replace("\"keyid\":\"SHA256", " \"keyid\" : \"sha256");
        assert_eq!((opened.digest, open(other.as_bytes()).unwrap().digest), (name.clone(), name));
        // No changed byte makes it say anything else.
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(opened) = open(&changed) {
                    assert_eq!((&opened.statement, &opened.key), (&said, key(1).public_key().key_data()), "{at}");
                }
            }
            assert!(open(&bytes[..at]).is_err() || at == bytes.len() - 1);
        }
        assert_eq!(open(&vec![b' '; 1 << 20]), Err(BadEnvelope::Unreadable));
        assert_eq!(open(b"{}"), Err(BadEnvelope::Unreadable));
        let newer = Statement { version: 2, ..said };
        let (bytes, _) = seal(&newer, &written(directory.path(), 1), directory.path()).unwrap();
        assert_eq!(open(&bytes), Err(BadEnvelope::Newer));
    }

    #[test]
    fn who_agreed_to_more_agreed_to_less_and_not_the_other_way() {
        let asked = subject();
        assert!(asked.covers(&asked));
        let less = Subject { tier: 2, approvals: Vec::new(), duties: Vec::new(), ..subject() };
        assert!(asked.covers(&less) && !less.covers(&asked));
        for other in [
            Subject { tier: 4, ..subject() },
            Subject { diff: "d2".to_owned(), ..subject() },
            Subject { rules: "r2".to_owned(), ..subject() },
            Subject { approvals: vec!["2 of team(governance)".to_owned()], ..subject() },
            Subject { approvals: vec!["1 of team(legal)".to_owned()], ..subject() },
            Subject { duties: vec![("rationale".to_owned(), "other".to_owned())], ..subject() },
        ] {
            assert!(!asked.covers(&other), "{other:?}");
        }
        let two = Subject { approvals: vec!["2 of team(governance)".to_owned()], ..subject() };
        assert!(two.covers(&asked), "who agreed to two agreed to one");
        // The name of the plan is for people.
        assert!(asked.covers(&Subject { plan: "other".to_owned(), ..subject() }));
    }

    #[test]
    fn a_statement_ends_with_its_last_moment() {
        let said = statement(Says::Revoke { envelope: "00".to_owned() });
        assert!(said.is_in_force("2026-06-08T00:00:00Z".parse().unwrap()));
        assert!(!said.is_in_force("2026-06-08T00:00:01Z".parse().unwrap()));
        assert!(!Statement { until: "never".to_owned(), ..said }.is_in_force("2026-06-02T00:00:00Z".parse().unwrap()));
    }
}
