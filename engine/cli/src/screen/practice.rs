//! Practices on the screen.

use grace_govern::practices::{Practice, Suggestion};

use super::numbers::{count, decimal};
use super::page::{Page, Style, Text};

/// How often it was used, and how that ended.
fn counts(practice: &Practice) -> String {
    if practice.used == 0 {
        return "never used here".to_owned();
    }
    let trust = practice.trust.map(|trust| format!(", trust {}", decimal(trust))).unwrap_or_default();
    format!("{} of {} went well{trust}", practice.succeeded, count(practice.used, "use"))
}

/// Each in a line.
pub(crate) fn list(page: &mut Page, practices: &[Practice]) {
    for practice in practices {
        page.row(0, practice.name.as_str(), Text::new().then(Style::Dim, counts(practice)));
        page.line(2, practice.says.as_str());
    }
}

/// Each whole.
pub(crate) fn whole(page: &mut Page, practices: &[Practice]) {
    for practice in practices {
        page.row(
            0,
            Text::new().then(Style::Strong, &practice.name).plain(format!("  {}", practice.kind)),
            Text::new().then(Style::Dim, &practice.place),
        );
        page.line(2, practice.says.as_str());
        for (at, step) in practice.steps.iter().enumerate() {
            page.hanging(2, &Text::from(format!("{}  ", at + 1)), step.as_str());
        }
        page.quote(2, &practice.because);
        page.gap();
        let from: Vec<String> = practice.from.iter().map(u64::to_string).collect();
        let rows = [
            ("fits", practice.applies_to.join(", ")),
            ("not for", practice.not_for.join(", ")),
            ("stories", from.join(", ")),
            ("counted", counts(practice)),
        ];
        let rows: Vec<Vec<Text>> = rows
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| vec![Text::new().then(Style::Dim, name), Text::from(value)])
            .collect();
        page.table(0, &rows, &[]);
    }
}

/// The best first, each with why.
pub(crate) fn suggested(page: &mut Page, suggestions: &[Suggestion]) {
    if suggestions.is_empty() {
        return page.line(0, "no practice fits this change");
    }
    for one in suggestions {
        page.row(0, one.practice.name.as_str(), Text::new().then(Style::Dim, format!("score {}", decimal(one.score))));
        page.line(2, one.practice.says.as_str());
        let fits = if one.fits.is_empty() { "its steps alone".to_owned() } else { one.fits.join(", ") };
        let similar = one.similar.map(|similar| format!(", steps alike {}", decimal(similar))).unwrap_or_default();
        let why = format!("fits {fits} ({}{similar}), {}", decimal(one.fit), counts(&one.practice));
        page.line(2, Text::new().then(Style::Dim, why));
    }
    page.gap();
    page.line(0, Text::new().then(Style::Dim, "its steps: grace-rules practice show NAME"));
}
