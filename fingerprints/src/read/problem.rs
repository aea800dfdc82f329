//! What is wrong with a fingerprint's text, as data that miette renders.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};

/// Every code with what it is about, and why it is a mistake.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "F001",
        "not YAML",
        "A fingerprint is one YAML map. What cannot be read declares nothing, so its model is unknown.",
    ),
    ("F002", "unknown key", "A key that nothing reads is probably a slip, and what it should say would be lost."),
    ("F003", "missing key", "A fingerprint declares all of a model. What is left out would have to be guessed."),
    ("F004", "wrong kind of value", "Numbers, lists and names in quotes are told apart, and none is read as another."),
    ("F005", "value that is not allowed", "The message says which values there are, or between which bounds they lie."),
    ("F006", "stated twice", "Of two statements one would win silently."),
    ("F007", "contradiction", "Two statements of the file cannot both be true."),
    ("F008", "more mistakes than are listed", "Those that are listed come first; mend them and look again."),
];

/// One mistake of one file.
#[derive(Debug, Clone)]
pub struct Problem {
    /// One of [`CODES`].
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where, in bytes of the text. Empty where something is missing.
    pub span: Range<usize>,
    source: NamedSource<Arc<str>>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline(self.span.clone()))))
    }
}

impl Problem {
    /// The file, as it was named to [`parse`](super::parse).
    #[must_use]
    pub fn path(&self) -> &str {
        self.source.name()
    }

    /// The text of that file.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.inner()
    }

    /// The line it stands on, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        let before = self.source.inner().get(..self.span.start).unwrap_or_default();
        // `\r\n` is one line's end, and so is either alone.
        before.matches('\n').count() + before.matches('\r').count() - before.matches("\r\n").count() + 1
    }
}

/// What is wrong with a file in one sentence: the first mistake with its line and what to do, and how many follow.
#[must_use]
pub fn summary(problems: &[Problem]) -> String {
    let Some(first) = problems.first() else { return "is no fingerprint".to_owned() };
    let help = first.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
    let more = match problems.len() - 1 {
        0 => String::new(),
        1 => ", and 1 more mistake".to_owned(),
        // The last one only says that there are more than are listed.
        MOST_PROBLEMS.. => ", and many more mistakes".to_owned(),
        more => format!(", and {more} more mistakes"),
    };
    format!("line {}: {}{help}{more}", first.line(), first.message)
}

/// Mistakes of one file that are listed; nobody reads more, and a hostile file can hold thousands.
const MOST_PROBLEMS: usize = 50;

/// The problems of one file as they are found.
pub(super) struct Report {
    source: NamedSource<Arc<str>>,
    problems: Vec<Problem>,
}

impl Report {
    pub(super) fn new(path: &str, text: &str) -> Report {
        Report { source: NamedSource::new(path, Arc::from(text)), problems: Vec::new() }
    }

    pub(super) fn add(&mut self, code: &'static str, span: Range<usize>, message: String, help: Option<String>) {
        self.problems.push(Problem { code, message, help, span, source: self.source.clone() });
    }

    /// What was read, if nothing was wrong; else the problems in the order of the text.
    pub(super) fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<Problem>> {
        match read {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => {
                self.problems.sort_by_key(|problem| (problem.span.start, problem.code));
                self.cut();
                Err(self.problems)
            }
        }
    }

    /// Leaves the first mistakes, and says how many are not listed.
    fn cut(&mut self) {
        let Some(first) = self.problems.get(MOST_PROBLEMS) else { return };
        let span = first.span.clone();
        let left_out = self.problems.len() - MOST_PROBLEMS;
        self.problems.truncate(MOST_PROBLEMS);
        let help = "mend the first ones and read the file again".to_owned();
        self.add("F008", span, format!("{left_out} more mistakes from here on"), Some(help));
    }
}

/// Words for a sentence: `` `a`, `b` and `c` ``.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Whether a character is not seen, or changes how its neighbours are: controls, line separators, and those that reorder,
/// join or vanish.
pub(super) fn hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text of the user, short and harmless enough for a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let clean: String = text.chars().take(MOST).map(|letter| if hidden(letter) { ' ' } else { letter }).collect();
    if text.chars().count() > MOST { format!("{clean}…") } else { clean }
}

/// The known word that `word` was probably meant to be: at most a third of its letters differ.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > 60 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(&word.to_lowercase().replace(['-', ' '], "_"), candidate), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(a != b)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or(0)
}
