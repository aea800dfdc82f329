//! What is wrong with a text, as data; and its look, by an adapter to miette.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

pub use crate::codes::Code;
use crate::source_map::LineIndex;

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
    source: Source,
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

/// A file's text for [`render`], with its lines counted once; clones share it.
#[derive(Debug, Clone)]
pub struct Source(Arc<Lines>);

#[derive(Debug)]
struct Lines {
    path: String,
    text: String,
    index: LineIndex,
}

impl Source {
    /// A text under the path that is shown.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self(Arc::new(Lines { path: path.into(), index: LineIndex::new(&text), text }))
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.0.index.line(offset)
    }

    /// The bytes of the lines that are drawn for a span: its own and one on each side.
    pub fn drawn(&self, span: &Range<usize>) -> Range<usize> {
        self.around(span, 1, 1).1
    }

    /// The first of these lines, from 0, and the bytes of all of them.
    fn around(&self, span: &Range<usize>, before: usize, after: usize) -> (usize, Range<usize>) {
        let Lines { text, index, .. } = &*self.0;
        let first = index.line(span.start).saturating_sub(before.saturating_add(1));
        let last = index.line(span.end.max(span.start)).saturating_add(after);
        (first, index.start(first).unwrap_or(text.len())..index.start(last).unwrap_or(text.len()))
    }
}

/// miette counts lines from the beginning of what it is given; it is given the lines around a span alone, so that many
/// diagnostics of a long text do not cost its length each.
impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset().saturating_add(span.len());
        let (first, bytes) = self.around(&(span.offset()..end), before, after);
        let lines = self.0.text.get(bytes.clone()).ok_or(MietteError::OutOfBounds)?;
        let offset = span.offset().checked_sub(bytes.start).ok_or(MietteError::OutOfBounds)?;
        let read = lines.read_span(&(offset, span.len()).into(), before, after)?;
        let within = read.span();
        let data = lines.as_bytes().get(within.offset()..within.offset() + within.len());
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.path.clone(),
            data.ok_or(MietteError::OutOfBounds)?,
            (bytes.start + within.offset(), within.len()).into(),
            first + read.line(),
            read.column(),
            read.line_count(),
        )))
    }
}

/// A report for miette's handlers. `source` must be what the diagnostic's spans count in; a span beyond its end is drawn
/// at its end.
pub fn render(diagnostic: &Diagnostic, source: &Source) -> miette::Report {
    let mut diagnostic = diagnostic.clone();
    let clamp = |span: &mut Range<usize>| {
        span.end = span.end.min(source.0.text.len());
        span.start = span.start.min(span.end);
    };
    clamp(&mut diagnostic.span);
    diagnostic.labels.iter_mut().for_each(|(span, _)| clamp(span));
    let related = diagnostic.related.iter().map(|other| format!("{}:{}: {}", other.path, other.line, other.message));
    let lines: Vec<String> = diagnostic.help.iter().cloned().chain(related).collect();
    let help = (!lines.is_empty()).then(|| lines.join("\n"));
    miette::Report::new(Printed { diagnostic, help, source: source.clone() })
}
