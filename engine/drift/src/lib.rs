//! Did a measure get worse after a deployment? Verdicts on series of equal steps, calibrated on the series' own past.
//!
//! [`judge`] is a pure function: equal inputs give equal verdicts, on every machine. It reads no clock and no file, draws
//! no random numbers, and a verdict carries what it came from, so that it can be made again from a record.
//! docs/drift.md describes the method and what it was measured to do.
//!
//! What is missing, too short or too thin is [`State::Unknown`], never [`State::Ok`].

mod backtest;
mod counts;
mod judge;
mod kayenta;
mod learned;
mod order;
mod past;
mod rule;
mod runs;
mod scale;
mod series;
mod verdict;

pub use backtest::{Backtest, ENOUGH_WATCHES, Found, backtest};
pub use judge::{Judge, guarded, judge};
pub use kayenta::Kayenta;
pub use rule::{Better, Method, Missing, Rule};
pub use runs::{Moved, Steadiness, moved, steadiness};
pub use series::{MAX_POINTS, Point, Series};
pub use verdict::{Evidence, Hour, State, Unknown, Verdict, decimal};

/// What a judgement looks at.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    /// The measure, with as much of its past as there is: 5 days at least, 28 at most are used.
    pub series: &'a Series,
    /// The same measure where the change was not deployed, of the same step, if there is one.
    pub control: Option<&'a Series>,
    /// When the change was deployed, in seconds since 1970. The first step that begins then or later is watched first;
    /// the step in which it fell belongs to neither side.
    pub deployed_at: i64,
    /// Steps that end later than this are not looked at, in seconds since 1970.
    pub now: i64,
    /// Spans of the past that are no example of how it usually is: incidents, and what followed an earlier deployment
    /// that is still watched; and spans since the deployment of which the source said nothing, whatever a step without data
    /// stands for. From the first second to before the second.
    pub left_out: &'a [(i64, i64)],
}
