//! `drift test`: what a drift rule would have done on a past.

use std::time::Duration;

use grace_drift::{Point, Series, backtest};
use grace_govern::monitor::history::Watched;
use grace_store::{Columns, Form, Measure, measured};
use grace_system::files;

use super::drift::watches;
use super::{Answer, Context};
use crate::args::drift::TestArgs;
use crate::failure::{Failure, Result};
use crate::load;
use crate::screen;
use crate::screen::backtest::Report;
use crate::screen::page::printable;

/// How long the file is read at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// The end of the year 9999: no history ends later.
const LAST: i64 = 253_402_300_800;

pub(super) fn test(context: &Context, args: &TestArgs) -> Result<Answer> {
    let book = load::rules_here(&context.place, args.rules.as_deref())?;
    let said = watches(book.as_ref())?.into_iter().find(|watch| watch.rule == args.rule).ok_or_else(|| {
        Failure::new("rules", format!("no drift rule in force is named {}", printable(&args.rule)))
            .help("see: grace-rules check")
    })?;
    let watched = Watched::of(said, 0);
    let file = files::canonical(&context.place.absolute(&args.history))?;
    let form = match file.extension().and_then(|end| end.to_str()) {
        Some("csv") => Form::Csv,
        Some("jsonl" | "json") => Form::JsonLines,
        Some("parquet") => Form::Parquet,
        _ => {
            return Err(Failure::new("input", "a history is a file named .csv, .jsonl or .parquet")
                .help("write one line for each hour: its time, and the value"));
        }
    };
    let counted = args.numerator.clone().zip(args.denominator.clone());
    let is_counted = counted.is_some();
    let rule = watched.rule(is_counted).ok_or_else(|| {
        Failure::new("rules", format!("the drift rule {} says nothing that can be watched", args.rule))
    })?;
    let step = u32::try_from(watched.step()).unwrap_or(u32::MAX);
    let columns = counted.map_or_else(|| Columns::Value(args.value.clone()), |(of, all)| Columns::Ratio(of, all));
    let measure =
        Measure { files: vec![file], form, time: args.time.clone(), columns, rows: None, step, from: 0, to: LAST };
    let found = measured(&measure, PATIENCE)?;
    let series = Series::of_samples(
        step,
        found.iter().map(|hour| {
            let point = if is_counted {
                Point::Ratio { numerator: hour.value, denominator: hour.count }
            } else {
                // How many rows there were: a whole number, and few enough to be exact.
                Point::Value { value: hour.value, samples: hour.count as u64 }
            };
            (hour.at, point)
        }),
    );
    let report = Report::of(&args.rule, &series, rule.budget, &backtest(&rule, &series, &[]));
    if report.watches == 0 {
        return Err(Failure::new("history", "no made-up deployment in this history could be judged").help(format!(
            "it has {} with data; a deployment needs five days before it, and its whole watch after it",
            screen::numbers::count(report.known, "step")
        )));
    }
    if context.is_json() {
        return Ok(Answer { code: report.code(), ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    screen::backtest::tested(&mut page, &report);
    Ok(Answer { text: page.finish(), code: report.code() })
}
