//! A task on the screen: its end, then its steps.

use grace_govern::steps::{Came, STEPS, StepSaid};

use super::page::{Page, Style, Text, printable};

/// What is told.
#[derive(Debug)]
pub struct Told<'a> {
    /// The task's name.
    pub task: &'a str,
    /// What it asks for.
    pub description: &'a str,
    /// Which attempt.
    pub attempt: u32,
    /// `go`, `hold`, `refused`, `failed`, `dry_run`.
    pub ended: &'a str,
    /// What each step came to.
    pub steps: &'a [StepSaid],
    /// What stands in the way.
    pub reasons: &'a [String],
    /// Where the patch is kept.
    pub reference: Option<&'a str>,
    /// Files that were written to the work tree.
    pub applied: &'a [String],
}

/// A task, as far as it came.
pub fn task(page: &mut Page, told: &Told<'_>) {
    let (word, style) = match told.ended {
        "go" => ("go", Style::Good),
        "hold" => ("hold", Style::Warn),
        "dry_run" => ("stopped before the model was asked", Style::Dim),
        "refused" => ("refused", Style::Bad),
        _ => ("failed", Style::Bad),
    };
    let title = Text::new().then(Style::Strong, printable(told.task)).plain("  ").then(style, word);
    page.row(0, title, Text::new().then(Style::Dim, format!("attempt {}", told.attempt)));
    page.hanging(2, &Text::new(), printable(told.description.trim()));
    for reason in told.reasons {
        page.hanging(2, &Text::new().then(style, "- "), printable(reason));
    }
    page.gap();
    let rows: Vec<Vec<Text>> = told
        .steps
        .iter()
        .map(|step| {
            let name = STEPS.get(step.step.saturating_sub(1) as usize).copied().unwrap_or_default();
            let (word, style) = match step.came {
                Came::Done => ("done", Style::Good),
                Came::Skipped => ("skipped", Style::Dim),
                Came::Refused => ("refused", Style::Bad),
                Came::Failed => ("failed", Style::Bad),
            };
            vec![
                Text::from(step.step.to_string()),
                Text::from(name),
                Text::new().then(style, word),
                Text::new().then(Style::Dim, printable(&step.what)),
            ]
        })
        .collect();
    page.table(0, &rows, &[0]);
    page.gap();
    if !told.applied.is_empty() {
        page.line(0, format!("written to the work tree: {}", printable(&told.applied.join(", "))));
    } else if let Some(reference) = told.reference {
        page.line(0, Text::new().then(Style::Dim, format!("the patch: git show {reference}")));
    }
}
