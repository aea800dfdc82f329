//! `audit`: the ledger of a repository: made, shown, verified, proven, anchored, exported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use grace_govern::journal::{self, Journal};
use grace_govern::private;
use grace_ledger::merkle::{self, hex};
use grace_ledger::record::MAX_BODY;
use grace_ledger::{
    Anchor, Checkpoint, FaultKind, MAX_CHECKPOINT, MAX_PROOF, Pending, PublicKey, Record, Report, Snapshot, Subject,
    Unproven, check_proof, claimed_checkpoint,
};
use grace_store::parquet::{self, RecordRow};
use grace_system::files;

use super::{Answer, Context, Show};
use crate::args::{AnchorCommand, AuditCommand, Format, LedgerArgs};
use crate::failure::{Failure, Result, quoted};
use crate::load::ledger::{self, ANCHORS, CHECKPOINT, Kept};
use crate::screen;
use crate::screen::audit::{
    FaultReport, LedgerReport, PendingReport, PolicyReport, ProofReport, RecordReport, RecordsReport, RedactReport,
    SizesReport, VerifyReport,
};

/// Bytes of records that are shown at once.
const CHUNK: usize = 1 << 20;

pub(super) fn audit(context: &Context, command: &AuditCommand, show: Show<'_>) -> Result<Answer> {
    match command {
        AuditCommand::Init => init(context),
        AuditCommand::Show { seq, last, source } => records(context, *seq, *last, source),
        AuditCommand::Verify { against, require_anchor, source } => {
            let against: Vec<&Path> = against.iter().map(|path| path.as_path()).collect();
            verify(context, &against, *require_anchor, source)
        }
        AuditCommand::Prove { seq, output, source } => prove(context, *seq, output.as_deref(), source),
        AuditCommand::CheckProof { file, body, key } => check(context, file, body.as_deref(), key.as_deref()),
        AuditCommand::Anchor(command) => anchor(context, command),
        AuditCommand::Export { what, output, bodies, source } => {
            let to = To { output: output.as_deref(), bodies: bodies.as_deref() };
            export(context, what.as_deref(), &to, source, show)
        }
        AuditCommand::Redact { seq, because, actor } => redact(context, *seq, because, actor.as_deref()),
        AuditCommand::Fsck => fsck(context),
        AuditCommand::Cycle(args) => super::auditing::cycle(context, args),
        AuditCommand::Review(args) => super::auditing::review(context, args),
        AuditCommand::Halt(args) => super::halting::halt(context, args),
        AuditCommand::Resume(args) => super::halting::resume(context, args),
        AuditCommand::Replay { seq, rules, source, .. } => {
            super::replay::replay(context, *seq, rules.as_deref(), source)
        }
    }
}

fn init(context: &Context) -> Result<Answer> {
    let open = ledger::open(&context.place)?;
    let snapshot = open.ledger.snapshot(&open.key.public())?;
    let report = LedgerReport {
        place: open.ledger.dir().display().to_string(),
        made: open.made_ledger,
        made_key: open.made_key.then(|| open.key_file.display().to_string()),
        ..ledger_report(&snapshot, &open.key.public())
    };
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::audit::made(&mut page, &report);
    Ok(Answer::yes(page.finish()))
}

fn ledger_report(snapshot: &Snapshot, key: &PublicKey) -> LedgerReport {
    let head = snapshot.head();
    LedgerReport {
        schema: "grace-rules/audit-ledger",
        version: 1,
        origin: head.origin.clone(),
        records: head.size,
        root: hex(&head.root),
        key: key.text(&head.origin),
        place: String::new(),
        made: false,
        made_key: None,
    }
}

fn records(context: &Context, seq: Option<u64>, last: u64, args: &LedgerArgs) -> Result<Answer> {
    let (ledger, key) = ledger::source(&context.place, args)?;
    let snapshot = ledger.snapshot(&key)?;
    let size = snapshot.len();
    let shown = match seq {
        Some(seq) => {
            let record = snapshot.get(seq)?;
            let body = Some(private::body(&snapshot, &record)?);
            vec![RecordReport { body, ..record_report(&record, Some(&snapshot))? }]
        }
        None => snapshot
            .records(size.saturating_sub(last)..size)
            .map(|record| record_report(&record?, Some(&snapshot)))
            .collect::<Result<_>>()?,
    };
    let origin = snapshot.head().origin.clone();
    let report = RecordsReport { schema: "grace-rules/audit-records", version: 1, origin, records: size, shown };
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    match (seq, report.shown.first()) {
        (Some(_), Some(record)) => screen::audit::record(&mut page, record),
        _ => screen::audit::records(&mut page, &report),
    }
    Ok(Answer::yes(page.finish()))
}

fn record_report(record: &Record, snapshot: Option<&Snapshot>) -> Result<RecordReport> {
    let mut private = Vec::new();
    for (name, commitment) in &record.private {
        let is_there = match snapshot {
            Some(snapshot) => snapshot.private(commitment)?.is_some(),
            None => false,
        };
        private.push((name.clone(), is_there));
    }
    let policy = record.policy.as_ref();
    Ok(RecordReport {
        seq: record.seq,
        kind: record.kind.clone(),
        ts: record.ts.clone(),
        actor: record.actor.clone(),
        engine: record.engine.clone(),
        repo: record.repo.clone(),
        commit: record.commit.clone(),
        policy: policy.map(|policy| PolicyReport { digest: policy.digest.clone(), version: policy.version }),
        digest: hex(&record.digest()),
        prev: hex(&record.prev),
        body: None,
        private,
    })
}

fn verify(context: &Context, against: &[&Path], require_anchor: bool, args: &LedgerArgs) -> Result<Answer> {
    let (ledger, key) = ledger::source(&context.place, args)?;
    let mut anchors = Vec::new();
    for path in against {
        let note = files::read_text(&context.place.absolute(path), MAX_CHECKPOINT as u64)?;
        anchors.push(Anchor { source: path.display().to_string(), note });
    }
    // What git of this repository keeps says nothing of a ledger that lies elsewhere.
    let kept = match (&args.ledger, &context.place.repository) {
        (None, Ok(repository)) => {
            let origin = ledger.claimed_checkpoint().ok().flatten().map(|checkpoint| checkpoint.origin);
            ledger::kept(repository, &key, origin.as_deref())?
        }
        _ => Kept::default(),
    };
    anchors.extend(kept.anchors);
    let working = context.progress.spinner("verifying");
    let report = ledger.verify(&key, &anchors);
    drop(working);
    answer(context, &report, &kept.elsewhere, &key, require_anchor, None)
}

fn answer(
    context: &Context,
    report: &Report,
    elsewhere: &[(String, String)],
    key: &PublicKey,
    require_anchor: bool,
    sizes: Option<SizesReport>,
) -> Result<Answer> {
    let kind = |kind: FaultKind| match kind {
        FaultKind::Tampered => "tampered",
        FaultKind::Unreadable => "unreadable",
        FaultKind::Newer => "newer",
        FaultKind::Anchor => "anchor",
    };
    let mut faults: Vec<FaultReport> = report
        .faults
        .iter()
        .map(|fault| FaultReport { kind: kind(fault.kind), at: fault.at.clone(), what: fault.what.clone() })
        .collect();
    // An erased ledger in whose place another was begun shows only so.
    faults.extend(elsewhere.iter().map(|(reference, origin)| FaultReport {
        kind: kind(FaultKind::Anchor),
        at: reference.clone(),
        what: format!("it vouches for the ledger `{origin}` of this clone, which is not here"),
    }));
    let size = report.head.as_ref().map_or(0, |head| head.size);
    if require_anchor && report.is_proven() && report.anchored_to() < size {
        faults.push(FaultReport {
            kind: kind(FaultKind::Anchor),
            at: format!("records {}..{}", report.anchored_to(), size - 1),
            what: "no checkpoint kept outside vouches for them".to_owned(),
        });
    }
    let (word, code) = match () {
        () if report.is_tampered() => ("tampered", 1),
        () if report.is_proven() && faults.is_empty() => ("proven", 0),
        () => ("unknown", 2),
    };
    let mut cannot_show = report.not_proven();
    let is_elsewhere = |anchored: &grace_ledger::Anchored| !anchored.source.starts_with(ANCHORS);
    let elsewhere_to = report.anchored.iter().filter(|it| is_elsewhere(it)).map(|it| it.size).max().unwrap_or(0);
    if elsewhere_to < report.anchored_to() {
        cannot_show
            .insert(0, "that nobody changed this clone's own references as well: push them, or keep a file".to_owned());
    }
    let report = VerifyReport {
        schema: "grace-rules/audit-verify",
        version: 1,
        answer: word,
        origin: report.head.as_ref().map(|head| head.origin.clone()),
        key: key.fingerprint(),
        signed: if report.is_proven() { size } else { 0 },
        anchored: report.anchored_to(),
        anchors: report.anchored.iter().map(|anchored| (anchored.source.clone(), anchored.size)).collect(),
        pending: report.pending.as_ref().map(|pending| match *pending {
            Pending::Whole { from, to } => PendingReport::Whole { from, to },
            Pending::Torn { bytes, why } => PendingReport::Torn { bytes, why },
        }),
        faults,
        more_faults: report.stopped,
        notes: report.notes.clone(),
        cannot_show,
        policy_version: report.policy,
        sizes,
    };
    if context.is_json() {
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    screen::audit::verified(&mut page, &report);
    Ok(Answer { text: page.finish(), code })
}

fn prove(context: &Context, seq: u64, output: Option<&Path>, args: &LedgerArgs) -> Result<Answer> {
    let (ledger, key) = ledger::source(&context.place, args)?;
    let proof = ledger.snapshot(&key)?.prove(seq)?;
    let proven = check_proof(&proof, &key).map_err(|why| Failure::new("ledger", format!("record {seq}: {why}")))?;
    if let Some(output) = output {
        files::create_new(&context.place.absolute(output), proof.as_bytes())?;
    }
    if context.is_json() {
        let report = proof_report(Ok(&proven), None)?;
        return Answer::json(&ProofReport { proof: output.is_none().then_some(proof), ..report }, true);
    }
    let Some(output) = output else { return Ok(Answer::yes(proof)) };
    let mut page = context.page();
    screen::audit::written(&mut page, seq, output, &key.text(&proven.checkpoint.origin));
    Ok(Answer::yes(page.finish()))
}

fn check(context: &Context, file: &Path, body: Option<&Path>, key: Option<&str>) -> Result<Answer> {
    let key = ledger::trusted(&context.place, key)?;
    let text = files::read_text(&context.place.absolute(file), MAX_PROOF as u64)?;
    let mut proven = check_proof(&text, &key);
    if let (Ok(of), Some(body)) = (&proven, body) {
        let Some(blob) = of.record.blob else {
            return Err(Failure::new("usage", "this record holds its body itself").help("leave out --body"));
        };
        let bytes = files::read(&context.place.absolute(body), MAX_BODY as u64)?;
        if merkle::sha256(&bytes) != blob.digest {
            proven = Err(Unproven::Body);
        }
    }
    if let Err(Unproven::Newer(_)) = &proven {
        return Err(Failure::new(
            "ledger",
            format!("{} cannot be checked: its record is of a newer format", quoted(file)),
        )
        .help("check it with a newer version of grace-rules"));
    }
    let report = proof_report(proven.as_ref(), claimed_checkpoint(&text).as_ref())?;
    if context.is_json() {
        return Answer::json(&report, report.proven);
    }
    let mut page = context.page();
    screen::audit::checked(&mut page, &report, &key.fingerprint());
    Ok(Answer { text: page.finish(), code: u8::from(!report.proven) })
}

fn proof_report(
    proven: std::result::Result<&grace_ledger::Proven, &Unproven>,
    claimed: Option<&Checkpoint>,
) -> Result<ProofReport> {
    let report = |proven, why, checkpoint: Option<&Checkpoint>, record| ProofReport {
        schema: "grace-rules/audit-proof",
        version: 1,
        proven,
        why,
        origin: checkpoint.map(|checkpoint| checkpoint.origin.clone()),
        records: checkpoint.map(|checkpoint| checkpoint.size),
        record,
        proof: None,
    };
    match proven {
        Ok(proven) => {
            let record = record_report(&proven.record, None)?;
            let record = RecordReport { body: proven.record.body.clone(), ..record };
            Ok(report(true, None, Some(&proven.checkpoint), Some(record)))
        }
        Err(why) => Ok(report(false, Some(why.to_string()), claimed, None)),
    }
}

fn anchor(context: &Context, command: &AnchorCommand) -> Result<Answer> {
    let repository = context.place.repository()?;
    let (ledger, key) = ledger::source(&context.place, &LedgerArgs::default())?;
    let snapshot = ledger.snapshot(&key)?;
    let head = snapshot.head();
    let mut report = ledger_report(&snapshot, &key);
    match command {
        AnchorCommand::File { path } => {
            files::create_new(&context.place.absolute(path), head.note.as_bytes())?;
            report.place = path.display().to_string();
            report.made = true;
        }
        AnchorCommand::Git => {
            report.place = format!("{ANCHORS}/{}", head.origin);
            let kept = ledger::kept(repository, &key, Some(&head.origin))?;
            // What contradicts an earlier checkpoint must not be put on top of it.
            if let Some(fault) = ledger.verify(&key, &kept.anchors).faults.first() {
                return Err(Failure::new("ledger", format!("`{}`: {}", fault.at, fault.what))
                    .help("nothing was anchored; see: grace-rules audit verify"));
            }
            let is_there = kept.anchors.iter().any(|anchor| anchor.note == head.note);
            if !is_there {
                let message = format!("{} records of {}\n", head.size, head.origin);
                repository.commit_file(&report.place, CHECKPOINT, head.note.as_bytes(), &message)?;
            }
            report.made = !is_there;
        }
    }
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::audit::anchored(&mut page, &report, matches!(command, AnchorCommand::Git));
    Ok(Answer::yes(page.finish()))
}

/// Where an export goes beside standard output.
struct To<'a> {
    output: Option<&'a Path>,
    bodies: Option<&'a Path>,
}

fn export(context: &Context, what: Option<&str>, to: &To<'_>, args: &LedgerArgs, show: Show<'_>) -> Result<Answer> {
    let To { output, bodies } = *to;
    if (context.format == Format::Parquet) != output.is_some() {
        return Err(Failure::new("usage", "a Parquet file is written to a file, and nothing else is")
            .help("grace-rules audit export --format parquet -o FILE"));
    }
    if context.is_json() {
        return Err(Failure::new("usage", "records are exported one a line, as a statement, or as a table")
            .help("jsonl, intoto, or parquet"));
    }
    if context.format == Format::InToto {
        let what = what.ok_or_else(|| {
            Failure::new("usage", "a statement is about one record, or one run")
                .help("grace-rules audit export --format intoto SEQ, or the name of a run")
        })?;
        if bodies.is_some() {
            return Err(Failure::new("usage", "a statement holds its bodies").help("leave out --bodies"));
        }
        if args.ledger.is_some() || args.key.is_some() {
            return Err(Failure::new("usage", "a statement is signed by whoever keeps the ledger")
                .help("leave out --ledger and --key"));
        }
        let open = ledger::open(&context.place)?;
        let snapshot = open.ledger.snapshot(&open.key.public())?;
        let records = stated(&snapshot, what)?;
        let subject = match records.first() {
            Some(record) => subject(record, &snapshot.body(record)?),
            None => return Err(Failure::new("bug", "a statement has records")),
        };
        let statement = snapshot.statement(&records, &subject, &open.key)?;
        return Ok(Answer::yes(format!("{statement}\n")));
    }
    let seq = match what.map(str::parse::<u64>) {
        None => None,
        Some(Ok(seq)) => Some(seq),
        Some(Err(_)) => {
            return Err(Failure::new("usage", "only a statement is of a whole run")
                .help("name a record by its number, or --format intoto"));
        }
    };
    let (ledger, key) = ledger::source(&context.place, args)?;
    let snapshot = ledger.snapshot(&key)?;
    if let Some(bodies) = bodies {
        export_bodies(context, &snapshot, seq, bodies)?;
    }
    if let Some(output) = output {
        return export_table(context, &snapshot, seq, output);
    }
    let mut text = String::new();
    for seq in seq.map_or(0..snapshot.len(), |seq| seq..seq + 1) {
        // Canonical JSON holds no line break.
        text.push_str(&String::from_utf8_lossy(&snapshot.entry(seq)?));
        text.push('\n');
        if text.len() > CHUNK {
            show(&text)?;
            text.clear();
        }
    }
    Ok(Answer::yes(text))
}

/// The records of a statement: one, or a run's plan, its end, and the newest decision by it.
fn stated(snapshot: &Snapshot, what: &str) -> Result<Vec<Record>> {
    if let Ok(seq) = what.parse() {
        return Ok(vec![snapshot.get(seq)?]);
    }
    let mut records = Vec::new();
    for kind in ["plan", "run", "decision"] {
        records.extend(journal::of_run(snapshot, what, kind)?.map(|(record, _)| record));
    }
    if records.is_empty() {
        return Err(Failure::new("input", format!("there is no run `{}`", what.escape_debug()))
            .help("grace-rules gate names the run that it is by; story show, too"));
    }
    Ok(records)
}

/// What a record is about: the commit, or the tree where it was none; the record itself where it names neither.
fn subject(record: &Record, body: &serde_json::Value) -> Subject {
    let name = record.repo.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| "project".to_owned());
    let about = |what: &str| body["about"][what].as_str().map(str::to_owned);
    match (about("head"), about("tree")) {
        (Some(digest), _) => Subject { name, algorithm: "gitCommit", digest },
        // The tree's files by path, kind and content: what was not committed has no other name.
        (None, Some(digest)) => Subject { name: format!("{name}, a tree"), algorithm: "sha256", digest },
        (None, None) => match &record.commit {
            Some(commit) => Subject { name, algorithm: "gitCommit", digest: commit.clone() },
            None => Subject::record(record),
        },
    }
}

/// The bodies that records name by their digest, each once.
fn export_bodies(context: &Context, snapshot: &Snapshot, seq: Option<u64>, to: &Path) -> Result<()> {
    let to = context.place.absolute(to);
    files::create_dirs(&to)?;
    for seq in seq.map_or(0..snapshot.len(), |seq| seq..seq + 1) {
        let record = snapshot.get(seq)?;
        let Some(blob) = record.blob else { continue };
        let path = to.join(hex(&blob.digest));
        let is_there = files::read(&path, MAX_BODY as u64).is_ok_and(|bytes| merkle::sha256(&bytes) == blob.digest);
        if !is_there {
            files::create_new(&path, &snapshot.blob(&blob)?)?;
        }
    }
    Ok(())
}

/// The records as a Parquet file.
fn export_table(context: &Context, snapshot: &Snapshot, seq: Option<u64>, output: &Path) -> Result<Answer> {
    let rows = seq.map_or(0..snapshot.len(), |seq| seq..seq + 1).map(|seq| -> Result<RecordRow> {
        let record = snapshot.get(seq)?;
        Ok(RecordRow {
            seq,
            leaf: hex(&merkle::leaf(&record.bytes)),
            record: String::from_utf8_lossy(&record.bytes).into_owned(),
            kind: record.kind,
            ts: record.ts,
            actor: record.actor,
            engine: record.engine,
        })
    });
    let written = parquet::write(&context.place.absolute(output), rows)?;
    let mut page = context.page();
    page.line(0, format!("wrote {} to {}", screen::numbers::count(written, "record"), quoted(output)));
    Ok(Answer::yes(page.finish()))
}

fn redact(context: &Context, seq: u64, because: &str, actor: Option<&str>) -> Result<Answer> {
    if because.trim().is_empty() {
        return Err(Failure::new("usage", "what is deleted is deleted for a reason").help("add --because \"…\""));
    }
    let repository = context.place.repository()?;
    // Nothing is made where nothing is.
    if journal::recorded(repository)?.is_none() {
        return Err(Failure::new("ledger", "nothing is recorded here"));
    }
    let records = Journal::open(repository, actor)?.redact(seq, because)?;
    if records.is_empty() {
        return Err(Failure::new(
            "input",
            format!("no text of the change of record {seq} stands apart: none was given, it is deleted, or an older version recorded it"),
        )
        .help("name a plan, a decision or a story: grace-rules audit show"));
    }
    let report = RedactReport { schema: "grace-rules/audit-redact", version: 1, records };
    if context.is_json() {
        return Answer::json(&report, true);
    }
    let mut page = context.page();
    screen::audit::redacted(&mut page, &report);
    Ok(Answer::yes(page.finish()))
}

fn fsck(context: &Context) -> Result<Answer> {
    let (ledger, key) = ledger::source(&context.place, &LedgerArgs::default())?;
    let before = ledger.verify(&key, &[]);
    // What was tampered with is left as it is, as evidence.
    if !before.is_tampered() && before.head.is_some() {
        let open = ledger::open(&context.place)?;
        open.ledger.settle(&open.key)?;
        open.ledger.delete_redacted(&before.undeleted)?;
    }
    let report = ledger.verify(&key, &[]);
    let sizes = report.is_proven().then(|| sizes(&ledger.snapshot(&key)?)).transpose()?;
    answer(context, &report, &[], &key, false, sizes)
}

/// What the records take on disk.
fn sizes(snapshot: &Snapshot) -> Result<SizesReport> {
    let mut report = SizesReport::default();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for record in snapshot.records(0..snapshot.len()) {
        let record = record?;
        let bytes = record.bytes.len() as u64;
        report.records += bytes;
        let mut whole = bytes;
        if let Some(blob) = record.blob.filter(|blob| seen.insert(blob.digest)) {
            report.files += 1;
            report.bodies += blob.size;
            whole += blob.size;
        }
        *kinds.entry(record.kind).or_default() += whole;
    }
    report.kinds = kinds.into_iter().collect();
    report.kinds.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    Ok(report)
}
