//! A mistake in a rule, as `language.md` shows it: code and sentence first, then the place, then the help.

use grace_dsl::{Diagnostic, Severity, Source};
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::page::{Page, Style, Text, printable};

/// Bytes of lines that are drawn for one place; a place on longer ones is only named.
const MOST_DRAWN: usize = 16 << 10;

/// Adds one mistake. `source` is the file that its spans count in, made by [`source`]; without it the place is only named.
pub fn diagnostic(page: &mut Page, diagnostic: &Diagnostic, source: Option<&Source>) {
    let style = match diagnostic.severity {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Warn,
        Severity::Note => Style::Dim,
    };
    let label = Text::new().then(style, format!("{}[{}]", diagnostic.severity, diagnostic.code)).plain(": ");
    page.hanging(0, &label, diagnostic.message.as_str());
    let places = || diagnostic.labels.iter().map(|(span, _)| span).chain([&diagnostic.span]);
    match source {
        Some(source) if places().all(|span| source.drawn(span).len() <= MOST_DRAWN) => {
            page.block(&snippet(page.width(), diagnostic, source));
        }
        _ => {
            if !diagnostic.path.is_empty() {
                let line = source.map(|source| format!(":{}", source.line(diagnostic.span.start)));
                let place = format!("in {}{}", diagnostic.path, line.unwrap_or_default());
                page.line(2, Text::new().then(Style::Dim, place));
            }
            if let Some(help) = &diagnostic.help {
                page.hanging(2, &Text::from("help: "), help.as_str());
            }
        }
    }
}

/// The place and the help, drawn by miette.
fn snippet(width: usize, diagnostic: &Diagnostic, source: &Source) -> String {
    let report = grace_dsl::render(diagnostic, source);
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_width(width).with_links(false);
    let mut drawn = String::new();
    if handler.render_report(&mut drawn, report.as_ref()).is_err() {
        return String::new();
    }
    // What stands above the place is code and sentence again, in miette's own order.
    let from = drawn.lines().position(|line| line.contains("╭─") || line.contains("help:")).unwrap_or(usize::MAX);
    drawn.lines().skip(from).map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A rule file with what would drive the terminal replaced, byte for byte, so that spans still fit.
#[must_use]
pub fn source(path: &str, text: &str) -> Source {
    let keep = |c: char| matches!(c, '\n' | '\t') || printable(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8();
    let shown: String = text.chars().map(|c| if keep(c) { c.to_string() } else { "?".repeat(c.len_utf8()) }).collect();
    Source::new(path, shown)
}
