//! `drift trends`: what moved over all that is recorded of runs.

use grace_govern::{journal, trends};

use super::{Answer, Context};
use crate::args::drift::TrendsArgs;
use crate::failure::Result;
use crate::screen;
use crate::screen::trends::Report;

pub(super) fn trends(context: &Context, args: &TrendsArgs) -> Result<Answer> {
    let last = usize::try_from(args.last).unwrap_or(usize::MAX);
    let recorded = journal::recorded(context.place.repository()?)?;
    let found = recorded.map(|ledger| trends::trends(&ledger, last)).transpose()?.unwrap_or_default();
    let code = match () {
        () if found.is_worse() => 1,
        () if found.is_unknown() => 2,
        () => 0,
    };
    let report = Report::new(found);
    if context.is_json() {
        return Ok(Answer { code, ..Answer::json(&report, true)? });
    }
    let mut page = context.page();
    screen::trends::trends(&mut page, &report);
    Ok(Answer { text: page.finish(), code })
}
