//! What is wrong with a text, as data; and its look, by an adapter to miette.

use std::fmt;
use std::ops::Range;

pub use crate::codes::Code;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// The item cannot be used, or says nothing.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One thing to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// How bad it is; the same code is an error in own files and a note in adopted ones where law 5 says so.
    pub severity: Severity,
    /// What is wrong: lowercase, no final period, user input in backticks.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The file, as it was given to [`crate::check`]; empty from [`crate::parse`], which knows none.
    pub path: String,
    /// Bytes in that file.
    pub span: Range<usize>,
    /// Text under the span, and further places in the same file.
    pub labels: Vec<(Range<usize>, String)>,
    /// Places in other files.
    pub related: Vec<Related>,
}

/// A place in another file that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is there.
    pub message: String,
}

impl Diagnostic {
    /// An error at a span, without help and with nothing written under the span.
    pub fn error(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            help: None,
            path: String::new(),
            span,
            labels: Vec::new(),
            related: Vec::new(),
        }
    }

    /// With another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With a second sentence that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With text under its own span.
    #[must_use]
    pub fn under(mut self, text: impl Into<String>) -> Self {
        self.labels.push((self.span.clone(), text.into()));
        self
    }

    /// With another place in the same file.
    #[must_use]
    pub fn label(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// In this file.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }
}

/// What miette needs to print one [`Diagnostic`]. The code stands in the first line, as in `error[E021]: …`, not in a
/// line of its own, so `code()` gives none.
#[derive(Debug)]
struct Printed {
    diagnostic: Diagnostic,
    help: Option<String>,
    source: miette::NamedSource<String>,
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { code, severity, message, .. } = &self.diagnostic;
        write!(f, "{severity}[{code}]: {message}")
    }
}

impl std::error::Error for Printed {}

impl miette::Diagnostic for Printed {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let own = &self.diagnostic.span;
        let length = |span: &Range<usize>| span.end.saturating_sub(span.start);
        let at_own = self.diagnostic.labels.iter().find(|(span, _)| span == own).map(|(_, text)| text.clone());
        let primary = miette::LabeledSpan::new_primary_with_span(at_own, (own.start, length(own)));
        let others = self.diagnostic.labels.iter().filter(move |(span, _)| span != own);
        let others =
            others.map(move |(span, text)| miette::LabeledSpan::new(Some(text.clone()), span.start, length(span)));
        Some(Box::new(std::iter::once(primary).chain(others)))
    }
}

/// A report for miette's handlers. `path` is shown, `text` must be what the diagnostic's spans count in; a span beyond
/// its end is drawn at its end.
pub fn render(diagnostic: &Diagnostic, path: &str, text: &str) -> miette::Report {
    let mut diagnostic = diagnostic.clone();
    let clamp = |span: &mut Range<usize>| {
        span.end = span.end.min(text.len());
        span.start = span.start.min(span.end);
    };
    clamp(&mut diagnostic.span);
    diagnostic.labels.iter_mut().for_each(|(span, _)| clamp(span));
    let related = diagnostic.related.iter().map(|other| format!("{}:{}: {}", other.path, other.line, other.message));
    let lines: Vec<String> = diagnostic.help.iter().cloned().chain(related).collect();
    let help = (!lines.is_empty()).then(|| lines.join("\n"));
    let source = miette::NamedSource::new(path, text.to_owned());
    miette::Report::new(Printed { diagnostic, help, source })
}
