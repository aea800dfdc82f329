//! The ledger on the screen: the answer first, then what is signed, anchored and under way, then what cannot be shown.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::numbers::{bytes, count, thousands};
use super::page::{Page, Style, Text, printable};

/// Digits of a digest that people compare.
const SHORT: usize = 12;
/// Faults drawn one by one.
const MOST_FAULTS: usize = 10;
/// Columns of a place that leave room beside it.
const SHORT_PLACE: usize = 24;
/// Kinds of records whose sizes are shown.
const MOST_KINDS: usize = 4;
/// Anchors named one by one.
const MOST_ANCHORS: usize = 3;

/// What the ledger is: after it was made, or anchored.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LedgerReport {
    /// Name of this format.
    pub schema: &'static str,
    /// Its version.
    pub version: u32,
    /// The name of the ledger.
    pub origin: String,
    /// How many records it has.
    pub records: u64,
    /// SHA-256 of its tree, hexadecimal.
    pub root: String,
    /// The public key, as `--key` takes it.
    pub key: String,
    /// Its directory, or where the checkpoint was put.
    pub place: String,
    /// Whether the ledger, or the place of its checkpoint, was made now.
    pub made: bool,
    /// The file of the secret key, if it was made now.
    pub made_key: Option<String>,
}

/// Records.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecordsReport {
    /// Name of this format.
    pub schema: &'static str,
    /// Its version.
    pub version: u32,
    /// The name of the ledger.
    pub origin: String,
    /// How many records it has.
    pub records: u64,
    /// Those that were asked for.
    pub shown: Vec<RecordReport>,
}

/// One record.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RecordReport {
    /// Its number.
    pub seq: u64,
    /// What happened.
    pub kind: String,
    /// When, by the writer's clock.
    pub ts: String,
    /// Who acted, in the words of the writer.
    pub actor: String,
    /// The program that wrote it.
    pub engine: String,
    /// The repository.
    pub repo: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The rules that were in force.
    pub policy: Option<PolicyReport>,
    /// SHA-256 of its bytes: the `prev` of the next.
    pub digest: String,
    /// The digest of the record before.
    pub prev: String,
    /// Of one record that was asked for: what it says.
    pub body: Option<Value>,
    /// Private fields: whether their text is still there.
    pub private: Vec<(String, bool)>,
}

/// The rules that were in force.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyReport {
    /// Digest of their text.
    pub digest: String,
    /// Their version.
    pub version: u64,
}

/// What verifying came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// Name of this format.
    pub schema: &'static str,
    /// Its version.
    pub version: u32,
    /// `proven`, `tampered`, `unknown`.
    pub answer: &'static str,
    /// The name of the ledger, if its checkpoint is signed.
    pub origin: Option<String>,
    /// The key that is trusted, by its fingerprint.
    pub key: String,
    /// Records that are signed, if it is proven: from 0 to before this one.
    pub signed: u64,
    /// Records that a checkpoint kept outside vouches for: from 0 to before this one.
    pub anchored: u64,
    /// The checkpoints that agree, with how many records each vouches for.
    pub anchors: Vec<(String, u64)>,
    /// An append that has not ended.
    pub pending: Option<PendingReport>,
    /// What is wrong.
    pub faults: Vec<FaultReport>,
    /// Whether more is wrong than is told.
    pub more_faults: bool,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// What the ledger cannot show, however sound it is.
    pub cannot_show: Vec<String>,
    /// The version of the last record's policy.
    pub policy_version: Option<u64>,
    /// What takes how much; by `audit fsck` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<SizesReport>,
}

/// What the records of a ledger take on disk, in bytes.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct SizesReport {
    /// The records themselves.
    pub records: u64,
    /// Long bodies, which stand in files of their own: one file for equal ones.
    pub bodies: u64,
    /// How many such files.
    pub files: u64,
    /// Records and bodies by kind, the largest first.
    pub kinds: Vec<(String, u64)>,
}

/// Texts that were deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RedactReport {
    /// Name of this format.
    pub schema: &'static str,
    /// Its version.
    pub version: u32,
    /// The records whose texts are no more.
    pub records: Vec<u64>,
}

/// That texts were deleted.
pub fn redacted(page: &mut Page, report: &RedactReport) {
    page.line(0, format!("deleted the texts of {}", count(report.records.len() as u64, "record")));
    let numbers: Vec<String> = report.records.iter().map(u64::to_string).collect();
    page.hanging(2, &Text::from("records  "), numbers.join(", "));
}

/// An append that has not ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum PendingReport {
    /// It is whole and signed: the next append finishes it.
    Whole {
        /// The first record.
        from: u64,
        /// After the last record.
        to: u64,
    },
    /// It was cut off: the next append puts it aside and tells of it.
    Torn {
        /// Its length.
        bytes: u64,
        /// How it shows.
        why: &'static str,
    },
}

/// Something that is wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FaultReport {
    /// `tampered`, `unreadable`, `newer`, `anchor`.
    pub kind: &'static str,
    /// A file of the ledger, a record, or an anchor.
    pub at: String,
    /// What is wrong, in words.
    pub what: String,
}

/// What a proof proves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProofReport {
    /// Name of this format.
    pub schema: &'static str,
    /// Its version.
    pub version: u32,
    /// Whether it proves its record.
    pub proven: bool,
    /// Why it proves nothing.
    pub why: Option<String>,
    /// The name of the ledger, as the proof has it.
    pub origin: Option<String>,
    /// How many records the ledger had.
    pub records: Option<u64>,
    /// The record that is proven.
    pub record: Option<RecordReport>,
    /// The proof itself, where it was asked for and not written to a file.
    pub proof: Option<String>,
}

fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

/// The ledger was made, or is there.
pub fn made(page: &mut Page, report: &LedgerReport) {
    let state = if report.made { "ledger made" } else { "ledger is there" };
    page.row(
        0,
        Text::new().then(Style::Strong, state).plain("  ").plain(&report.origin),
        count(report.records, "record"),
    );
    page.gap();
    // Paths and keys are copied as a whole, so they are not wrapped.
    page.block(&format!("in     {}", printable(&report.place)));
    if let Some(file) = &report.made_key {
        page.block(&format!("key    {}", printable(file)));
        page.line(7, "made now: keep a copy, and let nobody read it");
    }
    page.block(&format!("public {}", printable(&report.key)));
    page.gap();
    page.line(
        0,
        Text::new().then(Style::Dim, "whoever has the public key can check proofs: grace-rules audit prove SEQ"),
    );
}

/// The checkpoint was put somewhere.
pub fn anchored(page: &mut Page, report: &LedgerReport, is_git: bool) {
    let state = if report.made { "anchored" } else { "anchored already" };
    page.row(
        0,
        Text::new().then(Style::Good, state).plain(format!(
            "  {} of {}",
            count(report.records, "record"),
            report.origin
        )),
        Text::new().then(Style::Dim, short(&report.root)),
    );
    page.hanging(0, &Text::from("in  "), report.place.as_str());
    page.gap();
    let next = if is_git {
        format!("it vouches once it is elsewhere: git push REMOTE {}", report.place)
    } else {
        "it vouches where who writes the ledger cannot change it: hand it on".to_owned()
    };
    page.line(0, Text::new().then(Style::Dim, next));
}

/// The last records.
pub fn records(page: &mut Page, report: &RecordsReport) {
    page.row(0, Text::new().then(Style::Strong, count(report.records, "record")), report.origin.as_str());
    page.gap();
    let rows: Vec<Vec<Text>> = report
        .shown
        .iter()
        .map(|record| {
            vec![
                Text::from(record.seq.to_string()),
                Text::new().then(Style::Strong, &record.kind),
                Text::new().then(Style::Dim, moment(&record.ts)),
                Text::from(record.actor.as_str()),
            ]
        })
        .collect();
    page.table(0, &rows, &[0]);
}

/// A time to the second, as the record has it.
fn moment(ts: &str) -> String {
    ts.split('.').next().unwrap_or(ts).replace('T', " ")
}

/// One record.
pub fn record(page: &mut Page, record: &RecordReport) {
    let title = Text::new().then(Style::Strong, format!("record {}", record.seq)).plain(format!("  {}", record.kind));
    page.row(0, title, Text::new().then(Style::Dim, short(&record.digest)));
    page.gap();
    let mut field = |name: &str, text: &str| {
        page.hanging(0, &Text::from(format!("{name:<8}")), text);
    };
    field("when", &record.ts);
    field("actor", &record.actor);
    if let Some(repo) = &record.repo {
        field("repo", repo);
    }
    if let Some(commit) = &record.commit {
        field("commit", commit);
    }
    if let Some(policy) = &record.policy {
        field("policy", &format!("version {}, {}", policy.version, policy.digest));
    }
    field("engine", &record.engine);
    field("prev", &record.prev);
    for (name, is_there) in &record.private {
        field("private", &format!("{name}{}", if *is_there { "" } else { ", whose text is not here" }));
    }
    if let Some(body) = &record.body {
        page.gap();
        // Laid out by JSON itself; nothing in it can drive the terminal.
        for line in format!("{body:#}").lines() {
            page.block(&printable(line));
        }
    }
}

/// What verifying came to.
pub fn verified(page: &mut Page, report: &VerifyReport) {
    let of = report.origin.as_deref().unwrap_or("the ledger");
    let title = match report.answer {
        "proven" => {
            Text::new().then(Style::Good, "proven").plain(format!("  {} of {of}", count(report.signed, "record")))
        }
        "tampered" => Text::new().then(Style::Bad, "tampered").plain(format!("  {of} is not what was signed")),
        _ => Text::new().then(Style::Warn, "not shown").plain(format!("  {of}")),
    };
    page.line(0, title);
    if !report.faults.is_empty() {
        page.gap();
        for fault in report.faults.iter().take(MOST_FAULTS) {
            let at = Text::new().then(Style::Strong, &fault.at);
            if at.width() <= SHORT_PLACE {
                page.hanging(2, &at.plain("  "), fault.what.as_str());
            } else {
                page.line(2, at);
                page.line(4, fault.what.as_str());
            }
        }
        let more = report.faults.len().saturating_sub(MOST_FAULTS);
        if more > 0 || report.more_faults {
            let words =
                if report.more_faults { "and more".to_owned() } else { format!("and {} more", thousands(more as u64)) };
            page.line(2, Text::new().then(Style::Dim, words));
        }
    }
    let mut rows = Vec::new();
    let mut row = |name: &str, records: String, what: String| {
        rows.push(vec![Text::from(name), Text::from(records), Text::from(what)]);
    };
    if report.signed > 0 {
        row("signed", range(0, report.signed), format!("by the key {}", report.key));
    }
    let mut anchors: Vec<&(String, u64)> = report.anchors.iter().collect();
    anchors.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (source, size) in anchors.iter().take(MOST_ANCHORS) {
        row("anchored", range(0, *size), source.clone());
    }
    if anchors.len() > MOST_ANCHORS {
        row("", String::new(), format!("and {} of fewer records", thousands((anchors.len() - MOST_ANCHORS) as u64)));
    }
    match report.pending {
        Some(PendingReport::Whole { from, to }) => {
            row("pending", range(from, to), "cut off after they were signed: the next append adds them".to_owned());
        }
        Some(PendingReport::Torn { bytes, why }) => {
            let what = format!(
                "{} that nobody was told are recorded ({why}): put aside by the next append",
                count(bytes, "byte")
            );
            row("torn", String::new(), what);
        }
        None => {}
    }
    if let Some(sizes) = &report.sizes {
        let largest = sizes.kinds.iter().take(MOST_KINDS).map(|(kind, size)| format!("{kind} {}", bytes(*size)));
        row("records", bytes(sizes.records), largest.collect::<Vec<_>>().join(", "));
        row("bodies", bytes(sizes.bodies), format!("in {}", count(sizes.files, "file")));
    }
    if !rows.is_empty() {
        page.gap();
        page.table(0, &rows, &[]);
    }
    if !report.notes.is_empty() {
        page.gap();
        for note in &report.notes {
            page.line(0, note.as_str());
        }
    }
    if report.signed > 0 {
        page.gap();
        page.line(0, "cannot show");
        for cannot in &report.cannot_show {
            page.hanging(2, &Text::new(), cannot.as_str());
        }
    }
}

/// Records from one to before another.
fn range(from: u64, to: u64) -> String {
    match to.saturating_sub(from) {
        0 | 1 => from.to_string(),
        _ => format!("{from}..{}", to - 1),
    }
}

/// A proof was written.
pub fn written(page: &mut Page, seq: u64, file: &Path, key: &str) {
    page.line(0, Text::from("wrote ").then(Style::Strong, file.display().to_string()));
    page.gap();
    page.line(0, format!("It proves record {seq} to whoever trusts this key:"));
    page.block(&printable(key));
    page.gap();
    page.line(0, Text::new().then(Style::Dim, format!("grace-rules audit check-proof {} --key KEY", file.display())));
}

/// What a proof proves.
pub fn checked(page: &mut Page, report: &ProofReport, key: &str) {
    let origin = report.origin.as_deref().unwrap_or("no ledger");
    match (&report.record, &report.why) {
        (Some(shown), _) => {
            let title = format!("  record {} of {origin}", shown.seq);
            page.line(0, Text::new().then(Style::Good, "proven").plain(title));
            page.gap();
            page.hanging(
                0,
                &Text::from("signed  "),
                format!("by the key {key}, among {}", count(report.records.unwrap_or(0), "record")),
            );
            page.gap();
            record(page, shown);
        }
        (None, why) => {
            page.line(0, Text::new().then(Style::Bad, "not proven").plain(format!("  by the key {key}")));
            page.gap();
            page.hanging(0, &Text::from("why     "), why.as_deref().unwrap_or_default());
            page.hanging(0, &Text::from("claims  "), origin);
        }
    }
}
