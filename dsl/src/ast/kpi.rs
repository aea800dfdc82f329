//! `kpi`: what is measured and where, read from the item's lines.

use super::drift::seconds;
use super::{Operational, OperationalKind, Unit, Word};

/// A `kpi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kpi {
    /// Whether more is better.
    pub higher_is_better: bool,
    /// Its unit as written: `percent`, `ms`, …; `one` where none is said.
    pub unit: String,
    /// What no data means.
    pub missing: NoData,
    /// Where it is measured.
    pub source: Source,
    /// How long after an hour has ended its measure may still change, in seconds.
    pub settle_s: u32,
}

/// What no data means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoData {
    /// Nothing is known.
    Unknown,
    /// Nothing happened.
    Zero,
    /// It is as bad as drift.
    Bad,
}

/// Where a value is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `prometheus "NAME", …`
    Prometheus {
        /// The endpoint's name in the operator's configuration.
        endpoint: String,
        /// Expressions of PromQL.
        ask: Ask,
    },
    /// `csv "GLOB", time "COLUMN", …`, and `jsonl`, `parquet`.
    Table {
        /// Which form the files have.
        form: TableForm,
        /// The files, below the repository's root.
        glob: String,
        /// The column of the time.
        time: String,
        /// Columns.
        ask: Ask,
        /// `where "COLUMN" is "TEXT"`: rows that count.
        rows: Option<(String, String)>,
    },
    /// `otlp "GLOB", …`: OTLP in JSON, one export a line.
    Otlp {
        /// The files, below the repository's root.
        glob: String,
        /// Names of metrics.
        ask: Ask,
        /// `where "ATTRIBUTE" is "TEXT"`: points that count.
        rows: Option<(String, String)>,
    },
    /// `store, query "SELECT …"`: the time, then the value, or numerator and denominator.
    Store {
        /// The question to the outcome store.
        query: String,
    },
    /// `push`: what `drift push` is given.
    Push,
    /// `selection recall`, `selection share`: measured by `run`.
    Selection {
        /// `recall`; otherwise `share`.
        is_recall: bool,
    },
}

/// The forms of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableForm {
    /// Comma-separated, with a line of names.
    Csv,
    /// A JSON object on each line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// One value.
    Value(String),
    /// So many of so many.
    Ratio {
        /// What is counted.
        numerator: String,
        /// Of how many.
        denominator: String,
    },
}

impl Kpi {
    /// What an item describes; `None` where it is no `kpi`, or a line of it says nothing that can be measured, which `check`
    /// reports.
    #[must_use]
    pub fn of(item: &Operational) -> Option<Self> {
        if item.kind != OperationalKind::Kpi {
            return None;
        }
        let (mut better, mut unit, mut missing, mut from) = (None, "one".to_owned(), NoData::Unknown, None);
        let mut settles = None;
        for clause in &item.clauses {
            match (clause.name.text.as_str(), clause.words.as_slice()) {
                ("better", [Word::Word(word)]) => better = Some(word.text == "higher"),
                ("unit", [Word::Word(word)]) => unit.clone_from(&word.text),
                ("missing", words) => missing = no_data(words)?,
                // Two sources are no measure.
                ("from", words) if from.is_none() => from = Some(source(words)?),
                ("settle", words) => settles = Some(settle(words)?),
                ("says", _) => {}
                _ => return None,
            }
        }
        let source = from?;
        let settle_s = settles.unwrap_or(if matches!(source, Source::Prometheus { .. }) { ASKED } else { WRITTEN });
        Some(Self { higher_is_better: better?, unit, missing, source, settle_s })
    }
}

/// How long a source that is asked is given to take in an hour's last samples, in seconds.
const ASKED: u32 = 2 * 60;
/// How long one that others write is given.
const WRITTEN: u32 = 10 * 60;
/// The longest that may be said.
const LONGEST: i64 = 86_400;

/// `DURATION`: in seconds, a day at most; `0 s` is no time at all.
pub(crate) fn settle(words: &[Word]) -> Option<u32> {
    let [Word::Quantity(time)] = words else { return None };
    if time.thousandths == 0 {
        return (time.unit == Unit::Seconds).then_some(0);
    }
    seconds(time).filter(|seconds| *seconds <= LONGEST).and_then(|seconds| u32::try_from(seconds).ok())
}

/// What a line `missing` says.
pub(super) fn no_data(words: &[Word]) -> Option<NoData> {
    let [Word::Word(word)] = words else { return None };
    match word.text.as_str() {
        "unknown" => Some(NoData::Unknown),
        "zero" => Some(NoData::Zero),
        "bad" => Some(NoData::Bad),
        _ => None,
    }
}

/// What a line `from` says.
pub(crate) fn source(words: &[Word]) -> Option<Source> {
    let (Word::Word(kind), rest) = words.split_first()? else { return None };
    let plain: Option<&str> = match rest {
        [Word::Word(word)] => Some(word.text.as_str()),
        _ => None,
    };
    match (kind.text.as_str(), rest) {
        ("push", []) => Some(Source::Push),
        ("selection", _) => match plain? {
            "recall" => Some(Source::Selection { is_recall: true }),
            "share" => Some(Source::Selection { is_recall: false }),
            _ => None,
        },
        ("store", rest) => {
            let mut parts = Parts::of(rest)?;
            let query = parts.take("query")?;
            parts.end()?;
            Some(Source::Store { query })
        }
        (kind, [Word::Text(named), rest @ ..]) if !named.value.is_empty() => {
            let named = named.value.clone();
            let mut parts = Parts::of(rest)?;
            let found = match kind {
                "prometheus" => Source::Prometheus { endpoint: named, ask: parts.ask("query")? },
                "otlp" => Source::Otlp { glob: named, ask: parts.ask("metric")?, rows: parts.rows() },
                "csv" | "jsonl" | "parquet" => {
                    let form = match kind {
                        "csv" => TableForm::Csv,
                        "jsonl" => TableForm::JsonLines,
                        _ => TableForm::Parquet,
                    };
                    let time = parts.take("time")?;
                    Source::Table { form, glob: named, time, ask: parts.ask("value")?, rows: parts.rows() }
                }
                _ => return None,
            };
            parts.end()?;
            Some(found)
        }
        _ => None,
    }
}

/// `, NAME "TEXT"` and `, where "COLUMN" is "TEXT"`, each at most once.
struct Parts {
    named: Vec<(String, String)>,
    rows: Option<(String, String)>,
}

impl Parts {
    fn of(words: &[Word]) -> Option<Self> {
        let mut parts = Self { named: Vec::new(), rows: None };
        if words.is_empty() {
            return Some(parts);
        }
        let [Word::Comma, words @ ..] = words else { return None };
        for part in words.split(|word| *word == Word::Comma) {
            match part {
                [Word::Word(name), Word::Text(text)] if !text.value.is_empty() => {
                    if parts.named.iter().any(|(known, _)| *known == name.text) {
                        return None;
                    }
                    parts.named.push((name.text.clone(), text.value.clone()));
                }
                [Word::Word(where_), Word::Text(column), Word::Word(is), Word::Text(text)]
                    if where_.text == "where" && is.text == "is" && parts.rows.is_none() =>
                {
                    parts.rows = Some((column.value.clone(), text.value.clone()));
                }
                _ => return None,
            }
        }
        Some(parts)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.named.iter().position(|(known, _)| known == name)?;
        Some(self.named.remove(at).1)
    }

    fn ask(&mut self, value: &str) -> Option<Ask> {
        if let Some(value) = self.take(value) {
            return Some(Ask::Value(value));
        }
        Some(Ask::Ratio { numerator: self.take("numerator")?, denominator: self.take("denominator")? })
    }

    fn rows(&mut self) -> Option<(String, String)> {
        self.rows.take()
    }

    /// Nothing else is said.
    fn end(&self) -> Option<()> {
        (self.named.is_empty() && self.rows.is_none()).then_some(())
    }
}
