//! Records: what is written of one action, as one line of canonical JSON.
//!
//! `{v, kind, seq, prev, ts, actor, engine, body}`, and where they are known `policy`, `repo`, `commit`, `private`; the first
//! record has `origin`. `prev` is the SHA-256 of the bytes of the record before, so the records are a chain also without
//! the tree. A body that is long stands in a file of its own, and the record has its digest as `blob` in place of `body`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::canonical::{self, Member};
use crate::error::{Error, Result};
use crate::merkle::{self, Hash, hex};
use crate::tiles::MAX_ENTRY;

/// The major version of the format of records.
pub const VERSION: i64 = 1;
/// Longest body that stands in the record itself, in bytes of canonical JSON.
pub const MAX_INLINE: usize = 48 * 1024;
/// Longest body.
pub const MAX_BODY: usize = 64 * 1024 * 1024;
/// Most private fields of a record.
const MAX_PRIVATE_FIELDS: usize = 64;
/// Longest private field.
pub const MAX_PRIVATE: usize = 1024 * 1024;
/// Salt before a private field.
pub(crate) const SALT: usize = 32;
/// Kinds that only the ledger itself writes.
const OWN_KINDS: [&str; 3] = [LEDGER, RECOVERY, REDACT];
/// The first record of a ledger: its name and the key that signs it.
pub const LEDGER: &str = "ledger";
/// What was found torn, and where it was put.
pub const RECOVERY: &str = "recovery";
/// Private fields whose text was deleted.
pub const REDACT: &str = "redact";

/// The rules that were in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Digest of their text.
    pub digest: String,
    /// Their version: one more than that before whenever the text is another, so it never falls from record to record.
    pub version: u64,
}

/// What is to be recorded. The ledger adds number, predecessor and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What happened: lowercase letters, digits, `_` and `-`. The ledger knows none but its own kinds.
    pub kind: String,
    /// Who acted.
    pub actor: String,
    /// The rules in force; those of the record before where `None`.
    pub policy: Option<String>,
    /// The repository, if the action is about one.
    pub repo: Option<String>,
    /// The commit, likewise.
    pub commit: Option<String>,
    /// What there is to say, of any form, without fractions.
    pub body: Value,
    /// Texts by name that are kept beside the record and can be deleted: the record only commits to them.
    pub private: BTreeMap<String, Vec<u8>>,
}

impl Draft {
    /// A draft of these, with the rest unsaid.
    #[must_use]
    pub fn new(kind: impl Into<String>, actor: impl Into<String>, body: Value) -> Self {
        Self {
            kind: kind.into(),
            actor: actor.into(),
            policy: None,
            repo: None,
            commit: None,
            body,
            private: BTreeMap::new(),
        }
    }

    /// Under these rules. The ledger gives them their version.
    #[must_use]
    pub fn policy(mut self, digest: impl Into<String>) -> Self {
        self.policy = Some(digest.into());
        self
    }

    /// About this commit of this repository.
    #[must_use]
    pub fn about(mut self, repo: impl Into<String>, commit: impl Into<String>) -> Self {
        self.repo = Some(repo.into());
        self.commit = Some(commit.into());
        self
    }

    /// With a text that can be deleted later.
    #[must_use]
    pub fn private(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        self.private.insert(name.into(), text.into());
        self
    }
}

/// Files that go with a record: path and content.
pub(crate) type Beside = Vec<(String, Vec<u8>)>;

/// What the ledger adds to a draft.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) ts: &'a str,
    pub(crate) engine: &'a str,
    pub(crate) origin: Option<&'a str>,
    pub(crate) policy: Option<&'a Policy>,
}

/// Why a draft cannot be a record, before anything is written.
pub(crate) fn objection(draft: &Draft) -> Option<String> {
    let is_kind = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    if !is_kind(&draft.kind) {
        return Some("its kind is not made of 1 to 64 lowercase letters, digits, `_` and `-`".to_owned());
    }
    let fields = [
        ("actor", Some(&draft.actor), 512),
        ("repo", draft.repo.as_ref(), 1024),
        ("commit", draft.commit.as_ref(), 128),
        ("policy's digest", draft.policy.as_ref(), 128),
    ];
    for (name, value, max) in fields {
        let Some(value) = value else { continue };
        if value.len() > max || value.chars().any(char::is_control) {
            return Some(format!("its {name} is longer than {max} bytes or holds control characters"));
        }
    }
    if draft.private.len() > MAX_PRIVATE_FIELDS {
        return Some(format!("it has more than {MAX_PRIVATE_FIELDS} private fields"));
    }
    draft.private.iter().find_map(|(name, text)| {
        (!is_kind(name) || text.len() > MAX_PRIVATE)
            .then(|| "the name of a private field is no plain word, or its text is longer than 1 MiB".to_owned())
    })
}

/// Whether only the ledger itself writes records of this kind.
pub(crate) fn is_own_kind(kind: &str) -> bool {
    OWN_KINDS.contains(&kind)
}

/// The bytes of the record that a draft becomes, and what goes beside it. An error says why it cannot be one.
pub(crate) fn encode(draft: &Draft, place: &Place<'_>, salts: &[[u8; SALT]]) -> Result<(Vec<u8>, Beside), String> {
    let mut beside = Vec::new();
    let mut map = Map::new();
    map.insert("v".to_owned(), json!(VERSION));
    map.insert("kind".to_owned(), json!(draft.kind));
    map.insert("seq".to_owned(), json!(place.seq));
    map.insert("prev".to_owned(), json!(hex(&place.prev)));
    map.insert("ts".to_owned(), json!(place.ts));
    map.insert("actor".to_owned(), json!(draft.actor));
    map.insert("engine".to_owned(), json!(place.engine));
    let texts = [("origin", place.origin), ("repo", draft.repo.as_deref()), ("commit", draft.commit.as_deref())];
    for (name, text) in texts {
        if let Some(text) = text {
            map.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(policy) = place.policy {
        map.insert("policy".to_owned(), json!({"digest": policy.digest, "version": policy.version}));
    }
    if !draft.private.is_empty() {
        let mut commitments = Map::new();
        for ((name, text), salt) in draft.private.iter().zip(salts) {
            let mut content = salt.to_vec();
            content.extend(text);
            let commitment = merkle::sha256(&content);
            commitments.insert(name.clone(), json!(hex(&commitment)));
            beside.push((private_path(&commitment), content));
        }
        map.insert("private".to_owned(), Value::Object(commitments));
    }
    let body = canonical::write(&draft.body).map_err(|why| format!("its body has no canonical form: {why}"))?;
    if body.len() > MAX_BODY {
        return Err(format!("its body is longer than {MAX_BODY} bytes"));
    }
    if body.len() > MAX_INLINE {
        let digest = merkle::sha256(body.as_bytes());
        map.insert("blob".to_owned(), json!({"sha256": hex(&digest), "size": body.len()}));
        beside.push((blob_path(&digest), body.into_bytes()));
    } else {
        map.insert("body".to_owned(), draft.body.clone());
    }
    let text = canonical::write(&Value::Object(map)).map_err(str::to_owned)?;
    if text.len() > MAX_ENTRY {
        return Err(format!("it is longer than {MAX_ENTRY} bytes"));
    }
    Ok((text.into_bytes(), beside))
}

/// Where a long body is kept.
pub(crate) fn blob_path(digest: &Hash) -> String {
    let name = hex(digest);
    format!("blobs/sha256/{}/{name}", &name[..2])
}

/// Where a private field is kept, after its salt.
pub(crate) fn private_path(commitment: &Hash) -> String {
    let name = hex(commitment);
    format!("private/{}/{name}", &name[..2])
}

/// A body that stands in a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of the file.
    pub digest: Hash,
    /// Its length in bytes.
    pub size: u64,
}

/// What a reader must know of a record to hold it against its neighbours. Told from its bytes without building its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    pub(crate) seq: u64,
    pub(crate) prev: Hash,
    pub(crate) kind: &'a str,
    pub(crate) ts: &'a str,
    pub(crate) origin: Option<&'a str>,
    /// Digest and version.
    pub(crate) policy: Option<(&'a str, u64)>,
    pub(crate) blob: Option<Blob>,
    pub(crate) private: Vec<Hash>,
}

/// What is wrong with the bytes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is of another major version of the format.
    Version(i64),
    /// It is no record of this format.
    Form(String),
}

impl Wrong {
    pub(crate) fn error(self, seq: u64) -> Error {
        match self {
            Self::Version(version) => Error::Newer { seq, version },
            Self::Form(what) => Error::damaged(format!("record {seq}"), what),
        }
    }
}

impl<'a> Header<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Wrong> {
        let form = |what: &str| Wrong::Form(what.to_owned());
        let (mut version, mut seq, mut prev, mut kind, mut ts) = (None, None, None, None, None);
        let (mut actor, mut engine, mut body, mut blob, mut policy) = (false, false, false, None, None);
        let mut origin = None;
        let mut private = None;
        canonical::scan(bytes, |key, member| match (key, member) {
            ("v", Member::Integer(number)) => version = Some(number),
            ("seq", Member::Integer(number)) => seq = u64::try_from(number).ok(),
            ("prev", Member::String(text)) => prev = merkle::from_hex(text),
            ("kind", Member::String(text)) => kind = Some(text),
            ("ts", Member::String(text)) => ts = Some(text),
            ("origin", Member::String(text)) => origin = Some(text),
            ("actor", Member::String(_)) => actor = true,
            ("engine", Member::String(_)) => engine = true,
            ("body", _) => body = true,
            ("blob", member) => blob = Some(member),
            ("policy", member) => policy = Some(member),
            ("private", member) => private = Some(member),
            _ => {}
        })
        .map_err(|fault| Wrong::Form(format!("it is not canonical JSON at byte {}: {}", fault.at, fault.what)))?;
        // First, since nothing else of another version can be known.
        match version {
            Some(VERSION) => {}
            Some(other) => return Err(Wrong::Version(other)),
            None => return Err(form("it does not say which format it has")),
        }
        let blob = blob.map(|member| parse_blob(member).ok_or_else(|| form("its blob is none"))).transpose()?;
        let policy = policy.map(|member| parse_policy(member).ok_or_else(|| form("its policy is none"))).transpose()?;
        let private = private
            .map(|member| parse_private(member).ok_or_else(|| form("its private fields are none")))
            .transpose()?;
        if !actor || !engine || body == blob.is_some() {
            return Err(form("it lacks `actor`, `engine`, or just one of `body` and `blob`"));
        }
        let lacks = || form("it lacks a sound `seq`, `prev`, `kind` or `ts`");
        Ok(Self {
            seq: seq.ok_or_else(lacks)?,
            prev: prev.ok_or_else(lacks)?,
            kind: kind.ok_or_else(lacks)?,
            ts: ts.ok_or_else(lacks)?,
            origin,
            policy,
            blob,
            private: private.unwrap_or_default(),
        })
    }
}

fn members<'a>(member: Member<'a>, each: impl FnMut(&'a str, Member<'a>)) -> Option<()> {
    let Member::Object(bytes) = member else { return None };
    canonical::scan(bytes, each).ok()
}

fn parse_blob(member: Member<'_>) -> Option<Blob> {
    let (mut digest, mut size) = (None, None);
    members(member, |key, member| match (key, member) {
        ("sha256", Member::String(text)) => digest = merkle::from_hex(text),
        ("size", Member::Integer(number)) => size = u64::try_from(number).ok(),
        _ => {}
    })?;
    Some(Blob { digest: digest?, size: size? })
}

fn parse_policy(member: Member<'_>) -> Option<(&str, u64)> {
    let (mut digest, mut version) = (None, None);
    members(member, |key, member| match (key, member) {
        ("digest", Member::String(text)) => digest = Some(text),
        ("version", Member::Integer(number)) => version = u64::try_from(number).ok(),
        _ => {}
    })?;
    digest.zip(version)
}

fn parse_private(member: Member<'_>) -> Option<Vec<Hash>> {
    let mut commitments = Vec::new();
    let mut all = true;
    members(member, |_, member| match member {
        Member::String(text) => match merkle::from_hex(text) {
            Some(hash) => commitments.push(hash),
            None => all = false,
        },
        _ => all = false,
    })?;
    all.then_some(commitments)
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number, from 0 on.
    pub seq: u64,
    /// Its bytes, as they were signed.
    pub bytes: Vec<u8>,
    /// What happened.
    pub kind: String,
    /// SHA-256 of the bytes of the record before; zeros in the first.
    pub prev: Hash,
    /// When, by the clock of the machine that wrote it: nothing proves it.
    pub ts: String,
    /// Who acted, in the words of the writer.
    pub actor: String,
    /// The rules in force.
    pub policy: Option<Policy>,
    /// The program that wrote it.
    pub engine: String,
    /// The repository.
    pub repo: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// What there is to say; `None` where it is a blob.
    pub body: Option<Value>,
    /// Where the body is kept, if it is long.
    pub blob: Option<Blob>,
    /// Commitments to private fields, by name.
    pub private: BTreeMap<String, Hash>,
}

impl Record {
    /// The record of these bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        let header = Header::parse(bytes)?;
        let wrong = || Wrong::Form("it is no record of this format".to_owned());
        let Ok(Value::Object(mut map)) = serde_json::from_slice(bytes) else { return Err(wrong()) };
        let mut text = |name: &str| match map.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (actor, engine) = (text("actor").ok_or_else(wrong)?, text("engine").ok_or_else(wrong)?);
        let (kind, ts) = (text("kind").ok_or_else(wrong)?, text("ts").ok_or_else(wrong)?);
        let (repo, commit) = (text("repo"), text("commit"));
        let policy = header.policy.map(|(digest, version)| Policy { digest: digest.to_owned(), version });
        let private = match map.get("private") {
            Some(Value::Object(fields)) => fields
                .iter()
                .filter_map(|(name, hash)| Some((name.clone(), merkle::from_hex(hash.as_str()?)?)))
                .collect(),
            _ => BTreeMap::new(),
        };
        Ok(Self {
            seq: header.seq,
            prev: header.prev,
            blob: header.blob,
            bytes: bytes.to_vec(),
            body: map.remove("body"),
            kind,
            ts,
            actor,
            policy,
            engine,
            repo,
            commit,
            private,
        })
    }

    /// SHA-256 of its bytes: the `prev` of the record after it.
    #[must_use]
    pub fn digest(&self) -> Hash {
        merkle::sha256(&self.bytes)
    }
}
