//! The ledger as the store is given it: each record as the row that it becomes there.

use std::path::Path;

use grace_drift::{Point, decimal};
use grace_ledger::{Error, Ledger, PublicKey, Record, Snapshot, merkle};
use grace_store::{
    BundleRow, CheckRow, Content, DecisionRow, DeploymentRow, Entry, PlanRow, ProbeRow, RunRow, SelectionRow, ShareRow,
    Source, StoreError, StoryRow, TestRow,
};
use grace_system::git::Repository;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::journal::{self, About, BundleSaid, SelectionSaid};
use crate::monitor::said::{CheckSaid, DeploymentSaid};
use crate::monitor::{acting, points};
use crate::probes::ProbeSaid;
use crate::story::Story;

/// A ledger, for the store to take in. Every record that it gives was held against what was signed.
#[derive(Debug)]
pub struct Projected(Snapshot);

impl From<Snapshot> for Projected {
    fn from(snapshot: Snapshot) -> Self {
        Self(snapshot)
    }
}

/// The ledger of a repository; none of its records where there is no ledger.
#[derive(Debug)]
pub struct Recorded(Option<Projected>);

/// What is recorded of a repository, as rows, if this user's key signed it.
///
/// # Errors
/// When it cannot be read, or is not what was signed.
pub fn recorded(repository: &Repository) -> Result<Recorded, StoreError> {
    Ok(Recorded(journal::recorded(repository).map_err(of_ledger)?.map(Projected)))
}

impl Recorded {
    /// Whether there is a ledger.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// What was signed of it last: its name, how many records it has, and the root of their tree. Equal ones hold the same.
    #[must_use]
    pub fn signed(&self) -> Option<(&str, u64, [u8; 32])> {
        let head = self.0.as_ref()?.0.head();
        Some((&head.origin, head.size, head.root))
    }
}

/// The ledger in a directory, which may be of another machine, if one of these keys signed it.
///
/// # Errors
/// When it is not there, signed by none of them, or cannot be read.
pub fn of_another(dir: &Path, keys: &[PublicKey]) -> Result<Projected, Error> {
    let ledger = Ledger::at(dir);
    let mut refused = Error::Absent { dir: dir.to_path_buf() };
    for key in keys {
        match ledger.snapshot(key) {
            Err(error @ Error::Untrusted { .. }) => refused = error,
            found => return Ok(Projected(found?)),
        }
    }
    Err(refused)
}

fn of_ledger(error: Error) -> StoreError {
    StoreError::Ledger(format!("the ledger cannot be read: {error}"))
}

impl Source for Projected {
    fn origin(&self) -> &str {
        &self.0.head().origin
    }

    fn size(&self) -> u64 {
        self.0.len()
    }

    fn leaf(&self, seq: u64) -> Result<String, StoreError> {
        Ok(merkle::hex(&merkle::leaf(&self.0.entry(seq).map_err(of_ledger)?)))
    }

    fn entry(&self, seq: u64, only: Option<&str>) -> Result<Entry, StoreError> {
        let record = self.0.get(seq).map_err(of_ledger)?;
        let content = match only {
            Some(only) if only != record.kind => Content::Other,
            _ => content(&self.0, &record)?,
        };
        Ok(Entry {
            seq,
            leaf: merkle::hex(&merkle::leaf(&record.bytes)),
            kind: record.kind,
            ts: record.ts,
            actor: record.actor,
            engine: record.engine,
            content,
        })
    }
}

impl Source for Recorded {
    fn origin(&self) -> &str {
        self.0.as_ref().map_or("", |ledger| ledger.origin())
    }

    fn size(&self) -> u64 {
        self.0.as_ref().map_or(0, |ledger| ledger.size())
    }

    fn leaf(&self, seq: u64) -> Result<String, StoreError> {
        self.there()?.leaf(seq)
    }

    fn entry(&self, seq: u64, only: Option<&str>) -> Result<Entry, StoreError> {
        self.there()?.entry(seq, only)
    }
}

impl Recorded {
    fn there(&self) -> Result<&Projected, StoreError> {
        self.0.as_ref().ok_or_else(|| StoreError::Ledger("there is no ledger".to_owned()))
    }
}

fn content(snapshot: &Snapshot, record: &Record) -> Result<Content, StoreError> {
    let to_row: fn(Value) -> Option<Content> = match record.kind.as_str() {
        "plan" => |body| said(body, plan),
        "bundle" => |body| said(body, bundle),
        "selection" => |body| said(body, selection),
        "run" => |body| said(body, run),
        "decision" => |body| said(body, decision),
        "story" => |body| said(body, story),
        "probe" => |body| said(body, probe),
        "deployment" => |body| said(body, deployment),
        "check" => |body| said(body, check),
        _ => return Ok(Content::Other),
    };
    Ok(to_row(snapshot.body(record).map_err(of_ledger)?).unwrap_or(Content::Unreadable))
}

fn said<T: DeserializeOwned>(body: Value, row: impl FnOnce(T) -> Content) -> Option<Content> {
    serde_json::from_value(body).ok().map(row)
}

/// What a row has of [`PlanSaid`](journal::PlanSaid), so that it is read whatever else that says.
#[derive(Debug, Deserialize)]
struct Plan {
    run: String,
    about: About,
    json: String,
}

/// Likewise of [`RunSaid`](journal::RunSaid).
#[derive(Debug, Deserialize)]
struct Run {
    run: String,
    about: About,
    started: String,
    finished: String,
    end: String,
    tier: u8,
}

/// Likewise of [`DecisionSaid`](journal::DecisionSaid).
#[derive(Debug, Deserialize)]
struct Decision {
    about: About,
    answer: String,
    tier: u8,
    run: Option<String>,
    reasons: Value,
    approvals: Value,
    as_of: String,
}

fn plan(said: Plan) -> Content {
    Content::Plan(PlanRow { run: said.run, plan: said.about.plan, tree: said.about.tree, json: said.json })
}

fn bundle(said: BundleSaid) -> Content {
    let tests = said.tests.into_iter().map(|test| TestRow {
        test: test.test,
        status: test.status,
        duration_ms: test.duration_ms,
        attempt: test.attempt,
    });
    Content::Bundle(BundleRow {
        run: said.run,
        bundle: said.bundle,
        form: said.form,
        status: said.status,
        attempts: said.attempts,
        duration_ms: said.duration_ms,
        passed: said.passed,
        executed: said.executed,
        command: said.command,
        finished: said.finished,
        tests: tests.collect(),
    })
}

fn selection(said: SelectionSaid) -> Content {
    Content::Selection(SelectionRow {
        run: said.run,
        bundle: said.bundle,
        tests: said.tests,
        selected: said.selected,
        failed: said.failed,
        missed: said.missed_count,
    })
}

fn run(said: Run) -> Content {
    Content::Run(RunRow {
        run: said.run,
        started: said.started,
        finished: said.finished,
        base: said.about.base,
        head: said.about.head,
        plan: said.about.plan,
        tree: said.about.tree,
        tier: said.tier.into(),
        ended: said.end,
    })
}

fn probe(said: ProbeSaid) -> Content {
    let shares = said.shares.into_iter().map(|(metric, share)| ShareRow {
        metric,
        of: share.of,
        n: share.n,
        low: share.low,
        high: share.high,
    });
    Content::Probe(ProbeRow {
        model: said.model,
        host: said.endpoint.host,
        probe: said.probe,
        run: said.run,
        set: said.set,
        asked: said.asked,
        unanswered: said.faults.values().sum(),
        p50_ms: said.times.p50_ms,
        p95_ms: said.times.p95_ms,
        served_context: said.window.filter(|window| window.unit == "tokens").map(|window| window.served),
        verdict: said.verdict,
        finished: said.finished,
        shares: shares.collect(),
    })
}

fn deployment(said: DeploymentSaid) -> Content {
    Content::Deployment(DeploymentRow {
        title: said.title,
        at: said.at,
        plan: said.about.plan,
        tree: said.about.tree,
        head: said.about.head,
        run: said.run,
        story: said.story,
        layer: said.layer,
        watches: u32::try_from(said.watches.len()).unwrap_or(u32::MAX),
    })
}

fn check(said: CheckSaid) -> Content {
    let point = points::read(&said.point).unwrap_or(Point::Missing);
    let evidence = |name: &str| Some(said.verdict.get("evidence")?.get(name)?.as_str()?.to_owned());
    let hour = |name: &str| acting::of_hour(&said, name).map(decimal);
    Content::Check(CheckRow {
        deployment: said.deployment,
        hour: said.hour,
        from: said.from,
        to: said.to,
        value: point.value().map(decimal),
        counted: match point {
            Point::Ratio { numerator, denominator } => Some((decimal(numerator), decimal(denominator))),
            _ => None,
        },
        expected: hour("expected"),
        limit: hour("limit"),
        times: evidence("times"),
        threshold: evidence("threshold"),
        method: evidence("method"),
        rule: said.rule,
        state: said.state,
        gap: said.gap,
        judged: said.judged,
    })
}

fn story(said: Story) -> Content {
    let text = |name: &str| said.fields.get(name).map(|field| field.value.text()).unwrap_or_default();
    Content::Story(StoryRow {
        title: text("title"),
        layer: text("layer"),
        component: text("component"),
        outcome: text("outcome"),
        playbooks: text("playbooks_used"),
        trust: said.trust.as_ref().and_then(|trust| trust.score).and_then(|score| i32::try_from(score).ok()),
        missing: u32::try_from(said.missing.len()).unwrap_or(u32::MAX),
        run: said.run,
        plan: said.about.plan,
        tree: said.about.tree,
        head: said.about.head,
    })
}

fn decision(said: Decision) -> Content {
    Content::Decision(DecisionRow {
        plan: said.about.plan,
        tree: said.about.tree,
        answer: said.answer,
        tier: said.tier.into(),
        run: said.run,
        reasons: said.reasons.to_string(),
        agreed: serde_json::from_value(said.approvals.clone()).unwrap_or_default(),
        approvals: said.approvals.to_string(),
        as_of: said.as_of,
    })
}

#[cfg(test)]
mod tests {
    use grace_ledger::{Draft, SecretKey};
    use grace_store::Store;
    use grace_system::files;
    use serde_json::json;

    use super::*;

    fn about() -> Value {
        json!({"plan": "p1", "diff": "d", "rules": "r", "tree": "t1", "base": "b1", "head": null})
    }

    #[test]
    fn each_record_becomes_the_row_of_its_kind_and_what_is_of_no_known_form_is_told() {
        let dir = files::temporary_dir().unwrap();
        let key = SecretKey::from_seed([7; 32]);
        let ledger = Ledger::at(&dir.path().join("ledger"));
        ledger.create(&key, "project").unwrap();
        // So long that it stands in a file of its own.
        let long = "x".repeat(100_000);
        let bodies = [
            ("plan", json!({"run": "r1", "about": about(), "json": long})),
            (
                "bundle",
                json!({
                    "run": "r1", "about": about(), "bundle": "unit", "form": "unit (as before)", "status": "flaky",
                    "attempts": 2, "duration_ms": 30, "passed": 1, "executed": 2, "command": "c",
                    "finished": "2026-01-02T03:04:05Z",
                    "tests": [{"test": "t.py::a", "status": "failed", "duration_ms": 3, "attempt": 1}],
                }),
            ),
            (
                "selection",
                json!({
                    "run": "r1", "about": about(), "bundle": "unit", "tests": 9, "selected": 3, "failed": 2,
                    "missed": ["t.py::b"], "missed_count": 1,
                }),
            ),
            (
                "run",
                json!({
                    "run": "r1", "about": about(), "started": "s", "finished": "f", "end": "stopped", "tier": 3,
                    "bundles": {},
                }),
            ),
            (
                "decision",
                json!({
                    "about": about(), "answer": "hold", "tier": 2, "reasons": [], "run": "r1",
                    "approvals": [["e", "ann", "team(a)"]], "as_of": "2026-01-02T03:04:05Z",
                }),
            ),
            ("bundle", json!({"run": "of tomorrow"})),
            (
                "story",
                json!({
                    "run": "r1", "about": about(), "missing": ["rationale"], "principles": [], "trust": null,
                    "fields": {"title": {"value": "Say y", "from": "given"}, "playbooks_used": {"value": ["a", "b"], "from": "given"}},
                }),
            ),
            (
                "probe",
                json!({
                    "run": null, "about": null, "validation": null, "model": "m:1b", "declared": null,
                    "endpoint": {"host": "localhost:1", "dialect": "openai", "served_as": "m", "said_digest": null},
                    "probe": "bias", "samples": 40, "seed": 1, "set": "s", "set_digest": "d", "templates": 32,
                    "asked": 96, "faults": {"cut": 2, "status": 1}, "most_in_a_row": 1,
                    "shares": {
                        "group_driven": {"of": 0, "n": 40, "low": 0, "high": 877},
                        "position_driven": {"of": 40, "n": 40, "low": 9123, "high": 10000},
                    },
                    "times": {"n": 93, "p50_ms": 12, "p95_ms": 30, "first_text_ms": null, "tokens_per_second_thousandths": null},
                    "window": {"served": 2048, "effective": 100, "edge": "cut", "unit": "tokens"},
                    "other_names": [], "stopped": null, "verdict": "passed", "reasons": [],
                    "started": "2026-01-02T03:04:05Z", "finished": "2026-01-02T03:05:05Z",
                }),
            ),
        ];
        let drafts: Vec<Draft> = bodies.iter().map(|(kind, body)| Draft::new(*kind, "ann", body.clone())).collect();
        ledger.append(&key, &drafts).unwrap();
        let projected = Projected::from(ledger.snapshot(&key.public()).unwrap());
        let content = |seq| projected.entry(seq, None).unwrap().content;
        assert_eq!(content(0), Content::Other);
        let Content::Plan(plan) = content(1) else { panic!("a plan") };
        assert_eq!((plan.run.as_str(), plan.plan.as_str(), plan.tree.as_str()), ("r1", "p1", "t1"));
        assert_eq!(plan.json, long);
        let Content::Bundle(bundle) = content(2) else { panic!("a bundle") };
        assert_eq!((bundle.form.as_str(), bundle.status.as_str(), bundle.executed), ("unit (as before)", "flaky", 2));
        assert_eq!((bundle.tests[0].test.as_str(), bundle.tests[0].status.as_str()), ("t.py::a", "failed"));
        let Content::Selection(selection) = content(3) else { panic!("a selection") };
        assert_eq!((selection.tests, selection.selected, selection.failed, selection.missed), (9, 3, 2, 1));
        let Content::Run(run) = content(4) else { panic!("a run") };
        assert_eq!((run.ended.as_str(), run.tier, run.base.as_deref(), run.head), ("stopped", 3, Some("b1"), None));
        let Content::Decision(decision) = content(5) else { panic!("a decision") };
        assert_eq!((decision.answer.as_str(), decision.run.as_deref()), ("hold", Some("r1")));
        assert_eq!(decision.approvals, r#"[["e","ann","team(a)"]]"#);
        assert_eq!(decision.agreed, [("e".to_owned(), "ann".to_owned(), "team(a)".to_owned())]);
        assert_eq!(content(6), Content::Unreadable);
        let Content::Story(story) = content(7) else { panic!("a story") };
        assert_eq!((story.title.as_str(), story.missing, story.trust), ("Say y", 1, None));
        assert!(story.playbooks.contains('a') && story.playbooks.contains('b'), "{}", story.playbooks);
        let Content::Probe(probe) = content(8) else { panic!("a probe") };
        assert_eq!((probe.model.as_str(), probe.unanswered, probe.served_context), ("m:1b", 3, Some(2048)));
        assert_eq!((probe.shares[1].metric.as_str(), probe.shares[1].low), ("position_driven", 9123));
        // What is not asked for is not read.
        assert_eq!(projected.entry(1, Some("bundle")).unwrap().content, Content::Other);
        assert_eq!(projected.entry(7, None).unwrap().kind, "story");
        assert_eq!(projected.leaf(7).unwrap(), projected.entry(7, None).unwrap().leaf);
        // All of it is taken in.
        let mut store = Store::at(dir.path());
        store.take_in(|| Ok(projected)).unwrap();
        let notices: Vec<String> = store.take_notices().iter().map(ToString::to_string).collect();
        assert_eq!(notices, ["record 6 of the ledger is no `bundle` as this version knows it, and is in no table"]);
        let rows: Vec<u64> = store.summary().unwrap().tables.into_iter().map(|(_, rows)| rows).collect();
        assert_eq!(rows, [9, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0, 0]);
    }

    #[test]
    fn a_judged_hour_is_a_row_with_what_its_verdict_came_from() {
        let hour = json!({"at": 0, "value": "0.7", "expected": "0.95", "limit": "0.79"});
        let evidence = json!({"method": "calibrated/1", "threshold": "1.2", "times": "1.36", "hours": [hour]});
        let mut body = json!({
            "deployment": 2, "rule": "heals", "hour": 4, "from": 0, "to": 3600, "point": "140/200", "control": null,
            "gap": null, "state": "drift", "missing_is_bad": false, "verdict": {"evidence": evidence}, "judged": 3700,
        });
        let row = |body: &Value| match said(body.clone(), check) {
            Some(Content::Check(row)) => row,
            other => panic!("{other:?}"),
        };
        let full = row(&body);
        assert_eq!((full.deployment, full.hour, full.value.as_deref()), (2, 4, Some("0.7")));
        assert_eq!(full.counted, Some(("140".to_owned(), "200".to_owned())));
        assert_eq!((full.expected.as_deref(), full.limit.as_deref()), (Some("0.95"), Some("0.79")));
        assert_eq!((full.times.as_deref(), full.method.as_deref()), (Some("1.36"), Some("calibrated/1")));
        body["point"] = json!("");
        body["verdict"] = Value::Null;
        let gap = row(&body);
        assert_eq!((gap.value, gap.counted, gap.expected, gap.method), (None, None, None, None));
    }

    #[test]
    fn a_ledger_of_another_is_read_with_its_key_alone() {
        let dir = files::temporary_dir().unwrap();
        let (key, other) = (SecretKey::from_seed([7; 32]), SecretKey::from_seed([8; 32]));
        let ledger = Ledger::at(dir.path());
        ledger.create(&key, "project").unwrap();
        let of = |keys: &[PublicKey]| of_another(dir.path(), keys).map(|ledger| ledger.size());
        assert_eq!(of(&[other.public(), key.public()]), Ok(1));
        assert!(matches!(of(&[other.public()]), Err(Error::Untrusted { .. })));
        assert!(matches!(of(&[]), Err(Error::Absent { .. })));
        let nowhere = of_another(&dir.path().join("nowhere"), &[key.public()]);
        assert!(matches!(nowhere, Err(Error::Absent { .. })));
    }
}
