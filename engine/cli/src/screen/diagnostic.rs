//! A mistake in a rule, as `language.md` shows it: code and sentence first, then the place, then the help.

use grace_dsl::{Diagnostic, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::page::{Page, Style, Text, printable};

/// Adds one mistake. `text` is the file that its spans count in; without it the place is only named.
pub fn diagnostic(page: &mut Page, diagnostic: &Diagnostic, text: Option<&str>) {
    let style = match diagnostic.severity {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Warn,
        Severity::Note => Style::Dim,
    };
    let label = Text::new().then(style, format!("{}[{}]", diagnostic.severity, diagnostic.code)).plain(": ");
    page.hanging(0, &label, diagnostic.message.as_str());
    match text {
        Some(text) => page.block(&snippet(page.width(), diagnostic, text)),
        None => {
            if !diagnostic.path.is_empty() {
                page.line(2, Text::new().then(Style::Dim, format!("in {}", diagnostic.path)));
            }
            if let Some(help) = &diagnostic.help {
                page.hanging(2, &Text::from("help: "), help.as_str());
            }
        }
    }
}

/// The place and the help, drawn by miette.
fn snippet(width: usize, diagnostic: &Diagnostic, text: &str) -> String {
    let report = grace_dsl::render(diagnostic, &diagnostic.path, &shown(text));
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_width(width).with_links(false);
    let mut drawn = String::new();
    if handler.render_report(&mut drawn, report.as_ref()).is_err() {
        return String::new();
    }
    // What stands above the place is code and sentence again, in miette's own order.
    let from = drawn.lines().position(|line| line.contains("╭─") || line.contains("help:")).unwrap_or(usize::MAX);
    drawn.lines().skip(from).map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A rule's text with what would drive the terminal replaced, byte for byte, so that spans still fit.
fn shown(text: &str) -> String {
    if text.chars().all(|c| matches!(c, '\n' | '\t') || printable(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8()) {
        return text.to_owned();
    }
    let keep = |c: char| matches!(c, '\n' | '\t') || printable(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8();
    text.chars().map(|c| if keep(c) { c.to_string() } else { "?".repeat(c.len_utf8()) }).collect()
}
