//! What is run and measured: bundles and bands.

use super::{Compare, Name, Quantity, SetExpr, Text};

/// `bundle`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Must pass before a deployment.
    pub critical: bool,
    /// `says "…"`: what it covers.
    pub says: Option<Text>,
    /// `tests S`
    pub tests: SetExpr,
    /// `setup "…", "…"`
    pub setup: Vec<Text>,
    /// `run "…", "…"`: arguments, no shell.
    pub run: Vec<Text>,
    /// `timeout 60 s each`
    pub timeout_each: Option<Quantity>,
    /// `timeout 120 s in all`
    pub timeout_all: Option<Quantity>,
    /// `retries N`
    pub retries: u32,
    /// `pass rate at least N %`
    pub pass_rate: Option<Quantity>,
    /// `may be empty`.
    pub may_be_empty: bool,
}

/// `low when upper bound <= 10 %`, `medium when interval within 10 % to 30 %`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandLevel {
    /// `low`, `medium`, `high`.
    pub level: Name,
    /// Its test.
    pub test: BandTest,
}

/// A test on a confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandTest {
    /// `upper bound <= Q`
    Upper(Compare, Quantity),
    /// `lower bound > Q`
    Lower(Compare, Quantity),
    /// `interval within Q to Q`
    Within(Quantity, Quantity),
}
