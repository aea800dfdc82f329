//! A mistake in a rule, as `language.md` shows it: code and sentence first, then the place, then the help.

use std::fmt;
use std::ops::Range;

use grace_dsl::{Diagnostic, Severity, Source};
use grace_fingerprints::Problem as Mistake;
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
            page.block(&snippet(page.width(), grace_dsl::render(diagnostic, source).as_ref()));
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

/// Adds one mistake of a fingerprint, in the same look. What is missing has no place but the file.
pub fn fingerprint(page: &mut Page, mistake: &Mistake, source: &Source) {
    let label = Text::new().then(Style::Bad, format!("error[{}]", mistake.code)).plain(": ");
    page.hanging(0, &label, mistake.message.as_str());
    if !mistake.span.is_empty() && source.drawn(&mistake.span).len() <= MOST_DRAWN {
        let (span, help) = (mistake.span.clone(), mistake.help.clone());
        page.block(&snippet(page.width(), &Place { span, help, source: source.clone() }));
        return;
    }
    let place = if mistake.span.is_empty() { String::new() } else { format!(":{}", mistake.line()) };
    page.line(2, Text::new().then(Style::Dim, format!("in {}{place}", mistake.path())));
    if let Some(help) = &mistake.help {
        page.hanging(2, &Text::from("help: "), help.as_str());
    }
}

/// A place in a file and what to do there, for miette.
#[derive(Debug)]
struct Place {
    span: Range<usize>,
    help: Option<String>,
    source: Source,
}

impl fmt::Display for Place {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Place {}

impl miette::Diagnostic for Place {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(miette::LabeledSpan::underline(self.span.clone()))))
    }
}

/// The place and the help, drawn by miette.
fn snippet(width: usize, report: &dyn miette::Diagnostic) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_width(width).with_links(false);
    let mut drawn = String::new();
    if handler.render_report(&mut drawn, report).is_err() {
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
