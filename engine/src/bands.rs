//! Bands of models: what a rule's `hallucination_rate is low` comes to. Where the fingerprint carries evidence of the band's metric,
//! the level follows from its interval; else the declared one stands, and is marked so.

use std::collections::BTreeMap;
use std::sync::Arc;

use grace_dsl::ast::{BandLevel, BandTest, Compare, ItemKind};
use grace_fingerprints::{Evidence, Fingerprint};

use crate::book::{Kind, item, names};
use crate::db::{Db, RuleBook};
use crate::sets::plain;

/// Levels, the lowest first.
const LEVELS: [&str; 3] = ["low", "medium", "high"];
/// There is evidence, and its interval lies in no level.
const INCONCLUSIVE: &str = "inconclusive";
/// There is no evidence.
const UNMEASURED: &str = "unmeasured";

/// Fields whose level may follow from evidence.
pub(crate) const BANDED: [&str; 2] = ["hallucination_rate", "bias_risk"];

/// A band of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Band {
    metric: String,
    levels: Vec<BandLevel>,
}

/// The bands of a rule book, by the field that they are of.
#[salsa::tracked(returns(clone))]
pub(crate) fn bands(db: &dyn Db, book: RuleBook) -> Arc<BTreeMap<String, Band>> {
    let names = names(db, book);
    let found = names.of_kind(Kind::Band).filter_map(|(name, at)| {
        let item = item(db, at.file, at.id.clone())?;
        let ItemKind::Band { evidence, levels } = &item.kind else { return None };
        Some((name.to_string(), Band { metric: evidence.text.clone(), levels: levels.clone() }))
    });
    Arc::new(found.collect())
}

/// How a band of a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// By evidence.
    Measured(&'static str),
    /// Evidence says too little.
    Inconclusive,
    /// Nobody measured it.
    Declared,
}

impl Standing {
    /// Whether it is what a rule names, where the name is one of a standing and not of a level.
    pub(crate) fn is(self, word: &str) -> Option<bool> {
        match word {
            INCONCLUSIVE => Some(self == Self::Inconclusive),
            UNMEASURED => Some(self == Self::Declared),
            _ => None,
        }
    }
}

impl Band {
    /// By the newest evidence of its metric; of one day the last.
    pub(crate) fn standing(&self, model: &Fingerprint) -> Standing {
        let rows = model.evidence.iter().filter(|row| row.metric == self.metric);
        let Some(newest) = rows.max_by(|a, b| a.date.cmp(&b.date)) else { return Standing::Declared };
        let holding = self.levels.iter().filter(|level| holds(level.test, newest));
        let level = holding.filter_map(|level| LEVELS.iter().position(|known| *known == level.level.text)).max();
        level.map_or(Standing::Inconclusive, |level| Standing::Measured(LEVELS[level]))
    }
}

fn holds(test: BandTest, row: &Evidence) -> bool {
    // A share in thousandths of 1, as percent in thousandths.
    let percent = |share: u64| i64::try_from(share.saturating_mul(100)).unwrap_or(i64::MAX);
    let (low, high) = (percent(row.low.0), percent(row.high.0));
    match test {
        BandTest::Upper(Compare::AtMost, bound) => high <= plain(&bound),
        BandTest::Upper(Compare::Less, bound) => high < plain(&bound),
        BandTest::Lower(Compare::AtLeast, bound) => low >= plain(&bound),
        BandTest::Lower(Compare::More, bound) => low > plain(&bound),
        BandTest::Within(from, to) => plain(&from) <= low && high <= plain(&to),
        BandTest::Upper(..) | BandTest::Lower(..) => false,
    }
}
