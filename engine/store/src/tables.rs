//! The tables, and what a record becomes in them. Each row names its ledger and the number of its record there.

use duckdb::types::{TimeUnit, Value};
use grace_system::clock;

use crate::record::{Content, Entry, ProbeRow, ShareRow};

/// Version of the tables; a database of another one is made again from the ledger.
pub(crate) const VERSION: i64 = 7;

/// How far each ledger was taken in, and the digest of its last record then.
pub(crate) const OWN_TABLES: &str = "
    CREATE TABLE meta (version BIGINT NOT NULL);
    CREATE TABLE origins (origin VARCHAR NOT NULL, upto BIGINT NOT NULL, leaf VARCHAR NOT NULL);
";

/// A table of records.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Whether it may be left out of what is old: most bytes are here.
    pub(crate) is_bulk: bool,
    /// Its columns after those of every table, with their types.
    columns: &'static str,
}

/// The tables of records.
pub(crate) const TABLES: [Table; 12] = [
    // Every record, of whatever kind.
    Table {
        name: "records",
        is_bulk: false,
        columns: "leaf VARCHAR NOT NULL, kind VARCHAR, ts TIMESTAMP, actor VARCHAR, engine VARCHAR",
    },
    Table {
        name: "runs",
        is_bulk: false,
        columns:
            "run VARCHAR, started TIMESTAMP, finished TIMESTAMP, base VARCHAR, head VARCHAR, plan VARCHAR, tree VARCHAR,
            tier INTEGER, ended VARCHAR, passed BOOLEAN, actor VARCHAR",
    },
    Table { name: "plans", is_bulk: true, columns: "run VARCHAR, plan VARCHAR, tree VARCHAR, json VARCHAR" },
    Table {
        name: "bundle_outcomes",
        is_bulk: false,
        columns: "run VARCHAR, bundle VARCHAR, form VARCHAR, status VARCHAR, attempts INTEGER, duration_ms BIGINT,
            passed INTEGER, executed INTEGER, pass_rate DOUBLE, command VARCHAR, finished TIMESTAMP",
    },
    // `n` counts the tests of a record.
    Table {
        name: "test_outcomes",
        is_bulk: true,
        columns: "n INTEGER NOT NULL, run VARCHAR, bundle VARCHAR, test VARCHAR, status VARCHAR, duration_ms BIGINT,
            attempt INTEGER, finished TIMESTAMP",
    },
    Table {
        name: "selections",
        is_bulk: false,
        columns: "run VARCHAR, bundle VARCHAR, tests INTEGER, selected INTEGER, failed INTEGER, missed INTEGER",
    },
    Table {
        name: "decisions",
        is_bulk: false,
        columns:
            "plan VARCHAR, tree VARCHAR, answer VARCHAR, tier INTEGER, run VARCHAR, reasons VARCHAR, approvals VARCHAR,
            as_of TIMESTAMP",
    },
    // One row for each approval that counted in an answer.
    Table {
        name: "approvals",
        is_bulk: false,
        columns: "n INTEGER NOT NULL, plan VARCHAR, tree VARCHAR, run VARCHAR, answer VARCHAR, envelope VARCHAR, person VARCHAR,
            in_name_of VARCHAR, as_of TIMESTAMP",
    },
    // As they were told first: what was added later is in the ledger.
    Table {
        name: "stories",
        is_bulk: false,
        columns: "run VARCHAR, plan VARCHAR, tree VARCHAR, head VARCHAR, title VARCHAR, layer VARCHAR, component VARCHAR,
            outcome VARCHAR, playbooks VARCHAR, trust DOUBLE, missing INTEGER",
    },
    // One row for each share of a probe, and one for a probe that counted none. Bounds are shares of 1.
    Table {
        name: "probes",
        is_bulk: false,
        columns: "n INTEGER NOT NULL, model VARCHAR, host VARCHAR, probe VARCHAR, run VARCHAR, set_name VARCHAR, asked INTEGER,
            unanswered INTEGER, p50_ms BIGINT, p95_ms BIGINT, served_context BIGINT, verdict VARCHAR,
            finished TIMESTAMP, metric VARCHAR, counted INTEGER, samples INTEGER, low DOUBLE, high DOUBLE",
    },
    Table {
        name: "deployments",
        is_bulk: false,
        columns: "title VARCHAR, deployed TIMESTAMP, plan VARCHAR, tree VARCHAR, head VARCHAR, run VARCHAR, story BIGINT, layer VARCHAR,
            watches INTEGER",
    },
    // `deployment` is the number of its record, in the same ledger.
    Table {
        name: "checks",
        is_bulk: false,
        columns: "deployment BIGINT, rule VARCHAR, hour INTEGER, started TIMESTAMP, ended TIMESTAMP, value DOUBLE, numerator DOUBLE,
            denominator DOUBLE, state VARCHAR, expected DOUBLE, worse_from DOUBLE, times DOUBLE, threshold DOUBLE, method VARCHAR,
            gap VARCHAR, judged TIMESTAMP",
    },
];

impl Table {
    pub(crate) fn create(&self) -> String {
        format!("CREATE TABLE {} (origin VARCHAR NOT NULL, seq BIGINT NOT NULL, {});", self.name, self.columns)
    }

    /// All its rows, in the order of their records.
    pub(crate) fn select(&self) -> String {
        let within = if matches!(self.name, "test_outcomes" | "probes" | "approvals") { ", n" } else { "" };
        format!("SELECT * FROM {} ORDER BY origin, seq{within}", self.name)
    }

    /// The rows that a record becomes here, each in the order of the columns.
    pub(crate) fn rows(&self, origin: &str, entry: &Entry) -> Vec<Vec<Value>> {
        let rest = match (self.name, &entry.content) {
            ("records", _) => vec![vec![
                text(&entry.leaf),
                text(&entry.kind),
                moment(&entry.ts),
                text(&entry.actor),
                text(&entry.engine),
            ]],
            ("runs", Content::Run(run)) => vec![vec![
                text(&run.run),
                moment(&run.started),
                moment(&run.finished),
                optional(run.base.as_ref()),
                optional(run.head.as_ref()),
                text(&run.plan),
                text(&run.tree),
                count(run.tier),
                text(&run.ended),
                Value::Boolean(run.ended == "passed"),
                text(&entry.actor),
            ]],
            ("plans", Content::Plan(plan)) => {
                vec![vec![text(&plan.run), text(&plan.plan), text(&plan.tree), text(&plan.json)]]
            }
            ("bundle_outcomes", Content::Bundle(bundle)) => vec![vec![
                text(&bundle.run),
                text(&bundle.bundle),
                text(&bundle.form),
                text(&bundle.status),
                count(bundle.attempts),
                millis(bundle.duration_ms),
                count(bundle.passed),
                count(bundle.executed),
                match bundle.executed {
                    0 => Value::Null,
                    executed => Value::Double(f64::from(bundle.passed) / f64::from(executed)),
                },
                text(&bundle.command),
                moment(&bundle.finished),
            ]],
            ("test_outcomes", Content::Bundle(bundle)) => (0..)
                .zip(&bundle.tests)
                .map(|(n, test)| {
                    vec![
                        count(n),
                        text(&bundle.run),
                        text(&bundle.bundle),
                        text(&test.test),
                        text(&test.status),
                        millis(test.duration_ms),
                        count(test.attempt),
                        moment(&bundle.finished),
                    ]
                })
                .collect(),
            ("selections", Content::Selection(selection)) => vec![vec![
                text(&selection.run),
                text(&selection.bundle),
                count(selection.tests),
                count(selection.selected),
                count(selection.failed),
                count(selection.missed),
            ]],
            ("decisions", Content::Decision(decision)) => vec![vec![
                text(&decision.plan),
                text(&decision.tree),
                text(&decision.answer),
                count(decision.tier),
                optional(decision.run.as_ref()),
                text(&decision.reasons),
                text(&decision.approvals),
                moment(&decision.as_of),
            ]],
            ("approvals", Content::Decision(decision)) => (0..)
                .zip(&decision.agreed)
                .map(|(n, (envelope, person, name))| {
                    vec![
                        count(n),
                        text(&decision.plan),
                        text(&decision.tree),
                        optional(decision.run.as_ref()),
                        text(&decision.answer),
                        text(envelope),
                        text(person),
                        text(name),
                        moment(&decision.as_of),
                    ]
                })
                .collect(),
            ("stories", Content::Story(story)) => vec![vec![
                text(&story.run),
                text(&story.plan),
                text(&story.tree),
                optional(story.head.as_ref()),
                text(&story.title),
                text(&story.layer),
                text(&story.component),
                text(&story.outcome),
                text(&story.playbooks),
                story.trust.map_or(Value::Null, |trust| Value::Double(f64::from(trust) / 1000.0)),
                count(story.missing),
            ]],
            ("probes", Content::Probe(probe)) => {
                let shares = probe.shares.iter().map(Some);
                let none = probe.shares.is_empty().then_some(None);
                (0..).zip(shares.chain(none)).map(|(n, share)| probe_row(n, probe, share)).collect()
            }
            ("deployments", Content::Deployment(deployment)) => vec![vec![
                text(&deployment.title),
                second(deployment.at),
                text(&deployment.plan),
                text(&deployment.tree),
                optional(deployment.head.as_ref()),
                optional(deployment.run.as_ref()),
                deployment.story.map_or(Value::Null, millis),
                text(&deployment.layer),
                count(deployment.watches),
            ]],
            ("checks", Content::Check(check)) => vec![vec![
                millis(check.deployment),
                text(&check.rule),
                count(check.hour),
                second(check.from),
                second(check.to),
                decimal(check.value.as_ref()),
                decimal(check.counted.as_ref().map(|(numerator, _)| numerator)),
                decimal(check.counted.as_ref().map(|(_, denominator)| denominator)),
                text(&check.state),
                decimal(check.expected.as_ref()),
                decimal(check.limit.as_ref()),
                decimal(check.times.as_ref()),
                decimal(check.threshold.as_ref()),
                optional(check.method.as_ref()),
                optional(check.gap.as_ref()),
                second(check.judged),
            ]],
            _ => Vec::new(),
        };
        let named = |values| [vec![text(origin), millis(entry.seq)], values].concat();
        rest.into_iter().map(named).collect()
    }
}

fn probe_row(n: u32, probe: &ProbeRow, share: Option<&ShareRow>) -> Vec<Value> {
    let bound = |ten_thousandths: u32| Value::Double(f64::from(ten_thousandths) / 10_000.0);
    let of = |value: fn(&ShareRow) -> u32| share.map_or(Value::Null, |share| count(value(share)));
    vec![
        count(n),
        text(&probe.model),
        text(&probe.host),
        text(&probe.probe),
        optional(probe.run.as_ref()),
        text(&probe.set),
        count(probe.asked),
        count(probe.unanswered),
        millis(probe.p50_ms),
        millis(probe.p95_ms),
        probe.served_context.map_or(Value::Null, millis),
        text(&probe.verdict),
        moment(&probe.finished),
        share.map_or(Value::Null, |share| text(&share.metric)),
        of(|share| share.of),
        of(|share| share.n),
        share.map_or(Value::Null, |share| bound(share.low)),
        share.map_or(Value::Null, |share| bound(share.high)),
    ]
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn optional(value: Option<&String>) -> Value {
    value.map_or(Value::Null, |value| text(value))
}

fn count(value: u32) -> Value {
    Value::Int(i32::try_from(value).unwrap_or(i32::MAX))
}

fn millis(value: u64) -> Value {
    Value::BigInt(i64::try_from(value).unwrap_or(i64::MAX))
}

/// What is no number is null.
fn decimal(value: Option<&String>) -> Value {
    let number = value.and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    number.map_or(Value::Null, Value::Double)
}

fn second(at: i64) -> Value {
    at.checked_mul(1_000_000).map_or(Value::Null, |micro| Value::Timestamp(TimeUnit::Microsecond, micro))
}

/// A time that cannot be read is null: the record counts all the same.
fn moment(text: &str) -> Value {
    clock::parse(text).map_or(Value::Null, |time| Value::Timestamp(TimeUnit::Microsecond, time.as_microsecond()))
}
