//! Text to items and diagnostics. Parsing never fails: what cannot be read is named, and the rest still counts.

mod hints;
mod split;

use std::ops::Range;

use crate::ast::Item;
use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::{self, Token, TokenKind};
use crate::lower;
use crate::parser::{self, Rule};
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
        let mut errors = self.lexical(tokens);
        if errors.is_empty() {
            let failure = match parser::parse(Rule::chunk, self.text, span_of(tokens)) {
                Ok(items) => return items.iter().for_each(|item| self.item(item)),
                Err(failure) => failure,
            };
            // A misspelt keyword at the left edge hides in the item before it.
            let parts = split::at_left_edge(self.text, tokens);
            if parts.len() > 1 {
                return parts.into_iter().for_each(|part| self.piece(part));
            }
            errors.push(hints::explain(self.text, tokens, &failure));
            self.go_on(tokens, failure.at, &mut errors);
        }
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

    /// Reads on from the next line that begins with a clause, so that one mistake does not hide the next.
    fn go_on(&self, tokens: &[Token], failed_at: usize, errors: &mut Vec<Diagnostic>) {
        let word = tokens.first().map(|token| token.text(self.text)).unwrap_or_default();
        let Some(rule) = rest_rule(word) else { return };
        let clauses = vocabulary::clause_words(word);
        let end = span_of(tokens).end;
        let mut from = failed_at;
        while errors.len() < ERRORS_PER_ITEM {
            let next = tokens.iter().find(|token| {
                token.span.start > from && token.first_on_line && starts_clause(word, token.text(self.text), &clauses)
            });
            let Some(next) = next else { return };
            let Err(failure) = parser::parse(rule, self.text, next.span.start..end) else { return };
            errors.push(hints::explain(self.text, tokens, &failure));
            from = failure.at.max(next.span.start);
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

fn starts_clause(item: &str, word: &str, clauses: &[&str]) -> bool {
    clauses.contains(&word) || (item == "tiers" && word.parse::<u8>().is_ok())
}

fn span_of(tokens: &[Token]) -> Range<usize> {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.start..last.span.end,
        _ => 0..0,
    }
}

fn rest_rule(word: &str) -> Option<Rule> {
    Some(match word {
        "team" => Rule::rest_team,
        "tiers" => Rule::rest_tiers,
        "family" => Rule::rest_family,
        "principle" => Rule::rest_principle,
        "policy" | "rule" => Rule::rest_rule,
        "forbid" => Rule::rest_forbid,
        "layers" => Rule::rest_layers,
        "waiver" => Rule::rest_waiver,
        "bundle" => Rule::rest_bundle,
        "validation" => Rule::rest_validation,
        "band" => Rule::rest_band,
        "intent" => Rule::rest_intent,
        "test" => Rule::rest_test,
        "kpi" | "drift" | "trust_score" | "audit" | "practice" => Rule::rest_operational,
        _ => return None,
    })
}
