//! Text to items and diagnostics. Parsing never fails: what cannot be read is named, and the rest still counts.

mod hints;
mod split;

use std::ops::Range;

use crate::ast::Item;
use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::{self, Token, TokenKind};
use crate::lower;
use crate::parser::{self, Failure, Rule};
use crate::source_map::SourceMap;
use crate::vocabulary;

/// Largest text that is parsed, in bytes.
pub const LARGEST: usize = 4 << 20;
/// Deepest nesting of parentheses.
pub const DEEPEST: usize = 64;
/// Errors reported for one item.
const ERRORS_PER_ITEM: usize = 16;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The sound items, in order.
    pub items: Vec<Item>,
    /// All comments, in order: byte ranges from `#` to the end of the text on that line.
    pub comments: Vec<Range<usize>>,
    /// Where the sound items and their nodes stand.
    pub map: SourceMap,
    /// What is wrong; their path is empty.
    pub diagnostics: Vec<Diagnostic>,
    /// Items that could not be used. Each is tier 3 and a named unknown.
    pub broken: Vec<Broken>,
}

/// An item that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its keyword, where it has one: `rule`.
    pub kind: Option<&'static str>,
    /// Its name, as far as it can be told.
    pub name: Option<String>,
    /// Its bytes.
    pub span: Range<usize>,
}

/// Parses a file. Never panics, never fails; time is bounded by the length of the text.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > LARGEST {
        let message = format!("the file has {} MiB", text.len() >> 20);
        let error = Diagnostic::error(Code::TooLarge, 0..0, message);
        parsed.diagnostics.push(error.help("a file of rules has at most 4 MiB; split it"));
        parsed.broken.push(Broken { kind: None, name: None, span: 0..text.len() });
        return parsed;
    }
    let tokens = lexer::tokens(text);
    parsed.comments =
        tokens.iter().filter(|token| token.kind == TokenKind::Comment).map(|token| token.span.clone()).collect();
    let code: Vec<Token> = tokens.into_iter().filter(|token| token.kind != TokenKind::Comment).collect();
    let mut reader = Reader { text, parsed };
    for piece in split::pieces(text, &code) {
        reader.piece(piece);
    }
    let mut parsed = reader.parsed;
    parsed.diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.code));
    parsed
}

struct Reader<'t> {
    text: &'t str,
    parsed: Parsed,
}

impl Reader<'_> {
    /// A piece begins with an item's keyword, as far as lines tell; it may hold several items on one line.
    fn piece(&mut self, tokens: &[Token]) {
        let word = tokens.first().map(|token| token.text(self.text)).unwrap_or_default();
        let mut errors = self.lexical(tokens);
        let failure = if let Some(first) = errors.first() {
            // What is nested too deeply is given to no grammar.
            if first.code == Code::OpenString {
                let at = first.span.start;
                self.go_on(tokens, at, &mut errors);
            }
            return self.broken(tokens, errors);
        } else if vocabulary::begins_item(word) {
            match parser::parse(Rule::chunk, self.text, span_of(tokens)) {
                Ok(items) => return items.iter().for_each(|item| self.item(item)),
                Err(failure) => failure,
            }
        } else {
            Failure { at: span_of(tokens).start, expected: Vec::new() }
        };
        // A misspelt keyword at the left edge hides in the item before it.
        let parts = split::at_left_edge(self.text, tokens);
        if parts.len() > 1 {
            return parts.into_iter().for_each(|part| self.piece(part));
        }
        errors.push(hints::explain(self.text, tokens, &failure));
        self.go_on(tokens, failure.at, &mut errors);
        self.broken(tokens, errors);
    }

    /// What no grammar is asked about: strings without an end, nesting that would be too deep to parse.
    fn lexical(&self, tokens: &[Token]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut depth = 0usize;
        for token in tokens {
            match token.text(self.text) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                let error = Diagnostic::error(
                    Code::TooDeep,
                    token.span.clone(),
                    format!("more than {DEEPEST} parentheses inside each other"),
                );
                found.push(error.help("name a part of it by `define`"));
                break;
            }
            if token.kind == TokenKind::OpenString && found.len() < ERRORS_PER_ITEM {
                let error =
                    Diagnostic::error(Code::OpenString, token.span.clone(), "string without an end on its line");
                found.push(error.help("end it with `\"`; a long text is several strings one after the other"));
            }
        }
        found
    }

    /// Reads what stands before a mistake, and on from the next line that begins with a clause, so that one mistake does
    /// not hide the others. What is read gives diagnostics only.
    fn go_on(&self, tokens: &[Token], failed_at: usize, errors: &mut Vec<Diagnostic>) {
        let word = tokens.first().map(|token| token.text(self.text)).unwrap_or_default();
        let Some((rest, whole)) = rest_rule(word) else { return };
        let clauses = vocabulary::clause_words(word);
        let is_clause = |token: &&Token| token.first_on_line && starts_clause(word, token, self.text, &clauses);
        let starts: Vec<usize> = tokens.iter().skip(1).filter(is_clause).map(|token| token.span.start).collect();
        let end = span_of(tokens).end;
        // The mistake is in the last clause that begins at or before it.
        let broken_clause = |failed_at: usize| starts.iter().rev().find(|&&start| start <= failed_at).copied();
        let sound = |range: Range<usize>, errors: &mut Vec<Diagnostic>| match parser::parse(rest, self.text, range) {
            Ok(clauses) => add(errors, lower::scraps(self.text, whole, clauses)),
            Err(failure) => add(errors, vec![hints::explain(self.text, tokens, &failure)]),
        };
        let first_line = span_of(tokens).start..starts.first().copied().unwrap_or(end);
        if let Ok(items) = parser::parse(Rule::chunk, self.text, first_line) {
            items.iter().for_each(|item| add(errors, lower::first_line(self.text, item)));
        }
        let mut from = starts.first().copied().unwrap_or(end);
        let mut failed_at = failed_at;
        while errors.len() < ERRORS_PER_ITEM {
            if let Some(broken) = broken_clause(failed_at).filter(|&broken| broken > from) {
                sound(from..broken, errors);
            }
            let Some(next) = starts.iter().find(|&&start| start > failed_at).copied() else { return };
            match parser::parse(rest, self.text, next..end) {
                Ok(clauses) => return add(errors, lower::scraps(self.text, whole, clauses)),
                Err(failure) => {
                    add(errors, vec![hints::explain(self.text, tokens, &failure)]);
                    from = next;
                    failed_at = failure.at.max(next);
                }
            }
        }
    }

    fn item(&mut self, node: &parser::Node) {
        let lowered = lower::item(self.text, node);
        match lowered.item {
            Some(item) => {
                self.parsed.items.push(item);
                self.parsed.map.push(lowered.ranges);
            }
            None => {
                let kind = vocabulary::item(&lowered.word).map(|item| item.word);
                let name = (!lowered.name.is_empty()).then_some(lowered.name);
                self.parsed.broken.push(Broken { kind, name, span: lowered.ranges.whole });
            }
        }
        self.parsed.diagnostics.extend(lowered.diagnostics);
    }

    fn broken(&mut self, tokens: &[Token], errors: Vec<Diagnostic>) {
        let word = tokens.first().map(|token| token.text(self.text)).unwrap_or_default();
        let kind = vocabulary::item(word).map(|item| item.word);
        let name = tokens.get(1).filter(|name| matches!(name.kind, TokenKind::Word | TokenKind::String));
        let name = name.map(|name| name.text(self.text).trim_matches('"').to_owned());
        self.parsed.broken.push(Broken { kind, name, span: span_of(tokens) });
        self.parsed.diagnostics.extend(errors);
    }
}

/// Whether a token at the start of a line begins a clause of the item, rightly spelt or not.
fn starts_clause(item: &str, token: &Token, text: &str, clauses: &[&'static str]) -> bool {
    let word = token.text(text);
    let misspelt =
        || token.kind == TokenKind::Word && !vocabulary::is_known(word) && hints::meant_clause(word, clauses).is_some();
    clauses.contains(&word) || (item == "tiers" && word.parse::<u8>().is_ok()) || misspelt()
}

fn span_of(tokens: &[Token]) -> Range<usize> {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.start..last.span.end,
        _ => 0..0,
    }
}

/// Adds errors, but none that overlaps a known one: it would follow from the first.
fn add(errors: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for error in more {
        if !errors.iter().any(|known| known.span.start <= error.span.end && error.span.start <= known.span.end) {
            errors.push(error);
        }
    }
}

/// The rules for a broken item's clauses and for the whole item.
fn rest_rule(word: &str) -> Option<(Rule, Rule)> {
    Some(match word {
        "team" => (Rule::rest_team, Rule::team_item),
        "tiers" => (Rule::rest_tiers, Rule::tiers_item),
        "family" => (Rule::rest_family, Rule::family_item),
        "principle" => (Rule::rest_principle, Rule::principle_item),
        "policy" => (Rule::rest_rule, Rule::policy_item),
        "rule" => (Rule::rest_rule, Rule::rule_item),
        "forbid" => (Rule::rest_forbid, Rule::forbid_item),
        "layers" => (Rule::rest_layers, Rule::layers_item),
        "waiver" => (Rule::rest_waiver, Rule::waiver_item),
        "bundle" => (Rule::rest_bundle, Rule::bundle_item),
        "validation" => (Rule::rest_validation, Rule::validation_item),
        "band" => (Rule::rest_band, Rule::band_item),
        "intent" => (Rule::rest_intent, Rule::intent_item),
        "test" => (Rule::rest_test, Rule::test_item),
        _ => return None,
    })
}

/// The neutral trees of all items of a text that has no errors; each is a node of `Rule::item`.
pub(crate) fn trees(text: &str) -> Vec<parser::Node> {
    let code: Vec<Token> = lexer::tokens(text).into_iter().filter(|token| token.kind != TokenKind::Comment).collect();
    split::pieces(text, &code)
        .into_iter()
        .flat_map(|piece| parser::parse(Rule::chunk, text, span_of(piece)).unwrap_or_default())
        .collect()
}

/// Whether canonical text may have a line that begins with this token: not with what would begin an item there.
pub(crate) fn may_begin_line(text: &str, token: &Token, next: Option<&Token>) -> bool {
    let called = next.is_some_and(|next| next.text(text) == "(");
    called || !vocabulary::begins_item(token.text(text))
}
