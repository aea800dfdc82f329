//! The operational items, which share one form.

use super::{Name, Quantity, Text};

/// An operational item: lines of `name value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operational {
    /// Which kind.
    pub kind: OperationalKind,
    /// `drift NAME on KPI`.
    pub on: Option<Name>,
    /// Its lines.
    pub clauses: Vec<OperationalClause>,
    /// `because "…"`; mandatory for `drift`.
    pub because: Option<Text>,
}

/// The operational kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationalKind {
    /// `kpi`
    Kpi,
    /// `drift`
    Drift,
    /// `trust_score`
    TrustScore,
    /// `audit`
    Audit,
    /// `practice`
    Practice,
}

/// One line: `alert worse by more than 20 % of baseline`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationalClause {
    /// The line's name: `better`, `from`, `on drift`.
    pub name: Name,
    /// The rest, word by word.
    pub words: Vec<Word>,
}

/// A word of an operational line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A bare word.
    Word(Name),
    /// A string.
    Text(Text),
    /// A number.
    Quantity(Quantity),
    /// `name(argument)`: `bundle(lint)`, `domain(self_healing)`, `team(peers)`.
    Call(Name, Name),
    /// A comma.
    Comma,
}
