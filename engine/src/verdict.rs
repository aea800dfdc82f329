//! What a rule comes to, as data without lines: lines are looked up when a plan is written out.

use std::sync::Arc;

use grace_dsl::ast::{NodeId, SetExpr};
use grace_graph::change::Kinds;
use grace_graph::code::{EdgeKind, Evidence as EdgeEvidence, PartKey};

use crate::plan::{Pending, Side, Truth};

/// One thing seen that bears on a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hit {
    /// A changed part in a set.
    Changed {
        before: Option<PartKey>,
        after: Option<PartKey>,
        kinds: Kinds,
        side: Side,
        set: Arc<SetExpr>,
        certain: bool,
    },
    /// A part of a set.
    Member { part: PartKey, side: Side, set: Arc<SetExpr>, certain: bool },
    /// A new edge; `why` is `new`, `moved` or `retagged`.
    NewEdge { edge: EdgeHit, why: &'static str, from_set: Arc<SetExpr>, to_set: Arc<SetExpr>, certain: bool },
    /// A way from module to module that a `forbid` or a `layers` denies.
    Way { edges: Vec<EdgeHit>, side: Side, from_set: Arc<SetExpr>, to_set: Arc<SetExpr>, certain: bool },
    /// A line of the after text.
    Line { path: Arc<str>, line: u32, text: Arc<str>, part: Option<PartKey> },
    /// A test removed or weakened.
    Test { part: PartKey, side: Side, how: Arc<str>, line: u32 },
    /// A number.
    Number { what: String, low: i64, high: i64, test: String },
    /// A model's field. `users` are bound to the model, and parts of the set `used_by` lead to them.
    Model {
        model: String,
        field: String,
        value: String,
        users: Vec<PartKey>,
        used_by: Option<Arc<SetExpr>>,
        side: Side,
        certain: bool,
    },
    /// A package.
    Package { name: String, before: Option<String>, after: Option<String>, path: Arc<str>, line: u32 },
    /// What the change says of itself.
    Declared { what: String, value: String },
    /// A window that holds the date.
    Window { name: String, from: String, to: String },
    /// A missing fact.
    Missing { fact: String },
    /// Something of the code that could not be read: of a part, or of anything in a file. Where its `edges` could not be
    /// read, what they lead to is not known either.
    Unread { path: Arc<str>, part: Option<PartKey>, edges: bool, fact: String },
}

/// An edge by the keys of its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EdgeHit {
    pub(crate) from: PartKey,
    pub(crate) to: PartKey,
    pub(crate) kind: EdgeKind,
    pub(crate) evidence: EdgeEvidence,
    /// Ordinal of the site in the file of `from`.
    pub(crate) site: u32,
}

/// A condition with what was seen, and its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) node: NodeId,
    /// It is a `not`: what its part saw speaks against it.
    pub(crate) negates: bool,
    /// It is an `or`: each of its parts alone is enough.
    pub(crate) any: bool,
    pub(crate) truth: Truth,
    pub(crate) hits: Vec<Hit>,
    pub(crate) children: Vec<Trace>,
}

impl Trace {
    pub(crate) fn leaf(node: NodeId, truth: Truth, hits: Vec<Hit>) -> Self {
        Self { node, negates: false, any: false, truth, hits, children: Vec::new() }
    }

    /// The hits that carry the truth: of every branch that holds or may hold.
    pub(crate) fn evidence(&self) -> Vec<&Hit> {
        let mut found = Vec::new();
        self.collect(true, &mut found);
        found
    }

    /// The hits that a waiver must cover: those of the evidence that no `not` stands above.
    pub(crate) fn waivable(&self) -> Vec<&Hit> {
        let mut found = Vec::new();
        self.collect(false, &mut found);
        found
    }

    fn collect<'a>(&'a self, under_not: bool, found: &mut Vec<&'a Hit>) {
        found.extend(&self.hits);
        if self.negates && !under_not {
            return;
        }
        for child in self.children.iter().filter(|child| child.truth != Truth::No) {
            child.collect(under_not, found);
        }
    }
}

/// What an `always`, a `forbid` or a `layers` found, split by whether the change brings it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Violations {
    /// Certain after, and not before.
    pub(crate) new: Vec<Hit>,
    /// Possible after, and not certain before.
    pub(crate) maybe_new: Vec<Hit>,
    /// There before and after.
    pub(crate) old: Vec<Hit>,
    /// How many there were before.
    pub(crate) before: usize,
}

/// What one rule of one book came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Its condition; for `after the run` what is known before it.
    pub(crate) truth: Truth,
    pub(crate) trace: Trace,
    /// For rules that deny a state.
    pub(crate) violations: Option<Violations>,
    /// For `after the run`.
    pub(crate) pending: Option<Pending>,
    /// For `after the run`: what is unknown in the part that the run does not tell.
    pub(crate) missing: Vec<Hit>,
    /// Names that stand for nothing and patterns that do not compile; the rule is then unknown.
    pub(crate) problems: Vec<String>,
}
