//! A page: lines with a left part, and for some a right part that says where to look.

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widest layout; beyond it, lines are hard to follow.
const WIDEST: usize = 100;
/// The narrowest layout.
const NARROWEST: usize = 40;
/// Columns between the left part and the right part.
const GAP: usize = 2;

/// The few styles that screens use, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Ordinary text.
    Plain,
    /// The answer, and names that `explain` takes.
    Strong,
    /// Where to look, and what can be skipped.
    Dim,
    /// Failed, denied.
    Bad,
    /// To be noticed: tier 3, unknown, critical.
    Warn,
    /// Passed.
    Good,
}

impl Style {
    fn ansi(self) -> Ansi {
        match self {
            Self::Plain => Ansi::new(),
            Self::Strong => Ansi::new().bold(),
            Self::Dim => Ansi::new().dimmed(),
            Self::Bad => Ansi::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Self::Warn => Ansi::new().fg_color(Some(AnsiColor::Yellow.into())),
            Self::Good => Ansi::new().fg_color(Some(AnsiColor::Green.into())),
        }
    }

    /// `text` in this style, as ANSI sequences.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = self.ansi();
        format!("{style}{text}{style:#}")
    }
}

/// A run of text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    text: String,
    style: Style,
}

/// Styled text without a line break.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    spans: Vec<Span>,
}

impl Text {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With more text.
    #[must_use]
    pub fn then(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.push(style, text.as_ref());
        self
    }

    /// With more plain text.
    #[must_use]
    pub fn plain(self, text: impl AsRef<str>) -> Self {
        self.then(Style::Plain, text)
    }

    /// Adds text; what a terminal would obey rather than show is made visible.
    pub fn push(&mut self, style: Style, text: &str) {
        if !text.is_empty() {
            self.spans.push(Span { text: printable(text), style });
        }
    }

    /// Columns that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.spans.iter().map(|span| span.text.width()).sum()
    }

    fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    fn paint(&self) -> String {
        self.spans.iter().map(|span| span.style.paint(&span.text)).collect()
    }

    /// Lines of at most `width` columns, broken at spaces; a word that is wider is broken behind a `/`, else where it must.
    fn wrap(&self, width: usize) -> Vec<Text> {
        let width = width.max(8);
        let mut lines = Vec::new();
        let mut line = Text::new();
        let mut used = 0;
        for (word, style, spaces) in self.words() {
            let mut word = word.as_str();
            let columns = word.width();
            if used > 0 && used + spaces + columns > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if used > 0 && spaces > 0 {
                line.push(Style::Plain, &" ".repeat(spaces));
                used += spaces;
            }
            while word.width() > width {
                let cut = cut(word, width);
                line.push(style, &word[..cut]);
                lines.push(std::mem::take(&mut line));
                word = &word[cut..];
                used = 0;
            }
            line.push(style, word);
            used += word.width();
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Words with their style and the number of spaces before them (0 where two styles meet inside a word).
    fn words(&self) -> Vec<(String, Style, usize)> {
        let mut words = Vec::new();
        let mut spaces = 0;
        for span in &self.spans {
            for (index, word) in span.text.split(' ').enumerate() {
                if index > 0 {
                    spaces += 1;
                }
                if !word.is_empty() {
                    words.push((word.to_owned(), span.style, spaces));
                    spaces = 0;
                }
            }
        }
        words
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new().plain(text)
    }
}

/// Where a word that is wider than `width` columns is broken: behind the last `/` of a path that fits.
fn cut(word: &str, width: usize) -> usize {
    let fits = fitting(word, width);
    word[..fits].rfind('/').map_or(fits, |slash| slash + 1)
}

/// Length in bytes of the longest beginning of `word` that takes at most `width` columns; at least one character.
fn fitting(word: &str, width: usize) -> usize {
    let mut used = 0;
    for (at, character) in word.char_indices() {
        used += character.width().unwrap_or(0);
        if used > width && at > 0 {
            return at;
        }
    }
    word.len()
}

/// Control characters and those that reorder text, as escapes: a file name or a rule must not drive the terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hostile) {
        return text.to_owned();
    }
    text.chars().map(|c| if hostile(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Text being laid out for a terminal of a certain width.
#[derive(Debug, Clone)]
pub struct Page {
    width: usize,
    text: String,
}

impl Page {
    /// An empty page for a terminal of `width` columns.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width: width.clamp(NARROWEST, WIDEST), text: String::new() }
    }

    /// Columns of the layout.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The text, with ANSI sequences; whoever prints it strips them where colour is off.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    /// An empty line, unless the page is empty or ends with one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// One line, wrapped with its continuation under the text.
    pub fn line(&mut self, indent: usize, text: impl Into<Text>) {
        self.hanging(indent, &Text::new(), text);
    }

    /// A label and text beside it; continuation lines stand under the text.
    pub fn hanging(&mut self, indent: usize, label: &Text, text: impl Into<Text>) {
        let hang = indent + label.width();
        for (index, line) in text.into().wrap(self.width.saturating_sub(hang)).iter().enumerate() {
            if index == 0 {
                self.put(indent, &format!("{}{}", label.paint(), line.paint()));
            } else {
                self.put(hang, &line.paint());
            }
        }
    }

    /// A line whose right part stands at the right edge; where both do not fit, the right part takes the next line.
    pub fn row(&mut self, indent: usize, left: impl Into<Text>, right: impl Into<Text>) {
        let (left, right) = (left.into(), right.into());
        if right.is_empty() {
            return self.line(indent, left);
        }
        // Continuation lines stand two columns further in.
        let mut lines = left.wrap(self.width.saturating_sub(indent + 2));
        let last = lines.pop().unwrap_or_default();
        for (index, line) in lines.iter().enumerate() {
            self.put(indent + if index == 0 { 0 } else { 2 }, &line.paint());
        }
        let indent = if lines.is_empty() { indent } else { indent + 2 };
        let (used, needed) = (indent + last.width(), right.width());
        if used + GAP + needed <= self.width {
            let space = " ".repeat(self.width - used - needed);
            self.put(indent, &format!("{}{space}{}", last.paint(), right.paint()));
        } else {
            self.put(indent, &last.paint());
            let inner = self.width.saturating_sub(indent + 2);
            if needed <= inner {
                self.put(self.width - needed, &right.paint());
            } else {
                for line in right.wrap(inner) {
                    self.put(indent + 2, &line.paint());
                }
            }
        }
    }

    /// A rule's own words, in quotes.
    pub fn quote(&mut self, indent: usize, words: &str) {
        if !words.is_empty() {
            self.hanging(indent, &Text::from("\""), format!("{words}\""));
        }
    }

    /// Lines that are laid out already.
    pub fn block(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.is_empty() && !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Columns side by side, each as wide as its widest cell; the last one wraps. `right` names columns flush right.
    pub fn table(&mut self, indent: usize, rows: &[Vec<Text>], right: &[usize]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(Text::width).max().unwrap_or(0))
            .collect();
        // A name as long as the screen must not push everything else off it.
        let leading = columns.saturating_sub(1);
        if widths.iter().take(leading).map(|width| width + GAP).sum::<usize>() + indent > self.width * 3 / 4 {
            for width in widths.iter_mut().take(leading) {
                *width = (*width).min(self.width / 2);
            }
        }
        for row in rows {
            let mut label = Text::new();
            for (column, cell) in row.iter().enumerate() {
                if column + 1 == columns {
                    break;
                }
                let pad = widths[column].saturating_sub(cell.width());
                let (before, after) = if right.contains(&column) { (pad, 0) } else { (0, pad) };
                label.push(Style::Plain, &" ".repeat(before));
                label.spans.extend(cell.spans.iter().cloned());
                if widths[column] > 0 {
                    label.push(Style::Plain, &" ".repeat(after + GAP));
                }
            }
            let last = if row.len() == columns { row[columns - 1].clone() } else { Text::new() };
            let column = widths
                .iter()
                .take(columns.saturating_sub(1))
                .filter(|width| **width > 0)
                .map(|width| width + GAP)
                .sum();
            if label.width() > column {
                // A name wider than its column takes a line of its own; cutting it would make it useless.
                self.line(indent, label);
                self.line(indent + column, last);
            } else {
                self.hanging(indent, &label, last);
            }
        }
    }

    fn put(&mut self, indent: usize, painted: &str) {
        let start = self.text.len();
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(painted);
        let end = start + self.text[start..].trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize, fill: impl FnOnce(&mut Page)) -> String {
        let mut page = Page::new(width);
        fill(&mut page);
        page.finish()
    }

    #[test]
    fn a_place_stands_at_the_right_edge_or_below() {
        let text = page(40, |page| {
            page.row(0, "layer1", "grace/policies.grace:12");
            page.row(0, "a_rule_with_a_long_name", "grace/policies.grace:12");
        });
        insta::assert_snapshot!(text, @r"
        layer1           grace/policies.grace:12
        a_rule_with_a_long_name
                         grace/policies.grace:12
        ");
    }

    #[test]
    fn words_wrap_under_their_label() {
        let text = page(40, |page| {
            page.quote(2, "Everything boots through layer 1; a fault here is not contained.");
            page.hanging(0, &Text::from("principles  "), "PRESERVE_LAYER1_STABILITY MAINTAIN_AUDIT_TRAIL");
        });
        insta::assert_snapshot!(text, @r#"
          "Everything boots through layer 1; a
           fault here is not contained."
        principles  PRESERVE_LAYER1_STABILITY
                    MAINTAIN_AUDIT_TRAIL
        "#);
    }

    #[test]
    fn a_path_wider_than_the_page_is_broken_behind_a_slash() {
        let text = page(40, |page| {
            page.row(0, "part", "backend/agents/orchestration/workers/recovery_supervisor.py:12");
            page.line(2, "backend/agents/orchestration/workers/recovery_supervisor.py");
            page.line(0, "a".repeat(50));
        });
        insta::assert_snapshot!(text, @r"
        part
          backend/agents/orchestration/workers/
          recovery_supervisor.py:12
          backend/agents/orchestration/workers/
          recovery_supervisor.py
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        aaaaaaaaaa
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_page() {
        let long = "x".repeat(200);
        for width in [1, 40, 63, 80, 500] {
            let mut page = Page::new(width);
            page.row(4, long.as_str(), long.as_str());
            page.table(
                2,
                &[vec![Text::from(long.as_str()), Text::from("a b c d e f g h i j k l m n o p q r s t u v w x y z")]],
                &[],
            );
            page.quote(2, &long);
            let limit = page.width();
            for line in page.finish().lines() {
                assert!(line.width() <= limit, "{line}");
            }
        }
    }

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c\n"), "a\\u{1b}[31mb\\u{202e}c\\n");
        assert_eq!(printable("naïve/文件.py"), "naïve/文件.py");
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let mut page = Page::new(80);
        page.row(0, Text::new().then(Style::Warn, "tier 3"), Text::new().then(Style::Dim, "a:1"));
        let painted = page.finish();
        assert!(painted.contains("\u{1b}["));
        let plain = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(plain.trim_end().width(), 80);
    }
}
