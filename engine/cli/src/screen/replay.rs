//! Replayed records on the screen: the answer first, then each that is not equal.

use super::numbers::count;
use super::page::{Page, Style, Text};
use crate::commands::replay::{Came, Replayed};

/// Records that are shown one by one.
const MOST: usize = 30;

/// What replaying came to.
pub fn replayed(page: &mut Page, records: &[Replayed]) {
    let of = |came: Came| records.iter().filter(move |one| one.came == came).count();
    let (equal, differ, untold) = (of(Came::Equal), of(Came::Differs), of(Came::Untold));
    let mut line = Text::new().then(if equal > 0 { Style::Good } else { Style::Plain }, format!("{equal} equal"));
    if differ > 0 {
        line = line.plain(", ").then(Style::Bad, format!("{differ} differ"));
    }
    if untold > 0 {
        line = line.plain(", ").then(Style::Warn, format!("{untold} cannot be told"));
    }
    page.row(0, line, Text::new().then(Style::Dim, format!("of {}", count(records.len() as u64, "record"))));
    let told: Vec<&Replayed> = records.iter().filter(|one| one.came != Came::Equal).collect();
    for one in told.iter().take(MOST) {
        let style = if one.came == Came::Differs { Style::Bad } else { Style::Warn };
        page.line(0, Text::new().then(style, format!("{} {}", one.kind, one.seq)));
        for what in &one.what {
            page.hanging(2, &Text::new(), what.as_str());
        }
        if let Some(engine) = &one.engine {
            page.line(2, Text::new().then(Style::Dim, format!("recorded by {engine}")));
        }
    }
    if told.len() > MOST {
        page.line(0, Text::new().then(Style::Dim, format!("and {} more", told.len() - MOST)));
    }
}
