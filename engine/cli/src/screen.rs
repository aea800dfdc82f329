//! Screens: what people see, as lines of styled text. Pure: values in, text out.
//!
//! The rule behind every screen: the answer first, then the reason in the rule's own words, then where to look.
//! Layout is 80 columns, narrower or somewhat wider where the terminal is. Nothing here prints, and nothing here knows
//! where the values come from.

pub mod approvals;
pub mod audit;
pub mod backtest;
pub mod chart;
pub mod cost;
pub mod cycle;
pub mod diagnostic;
pub mod drift;
pub mod explain;
pub mod export;
pub mod gate;
pub mod model;
pub mod notes;
pub mod numbers;
pub mod page;
pub mod plan;
pub mod practice;
pub mod proof;
pub mod replay;
pub mod run;
pub mod stats;
pub mod store;
pub mod story;
pub mod task;
pub mod test;
pub mod trends;
pub mod way;

pub use page::{Page, Style};
