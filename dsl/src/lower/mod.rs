//! From the neutral tree to the syntax tree, one item at a time. No name is resolved here.
//!
//! Lowering goes on after a mistake and reports the next one too; an item with an error is not handed out.

mod clauses;
mod conditions;
mod items;
mod sets;

use std::ops::Range;

use crate::ast::{Date, Item, Name, NodeId, Quantity, Text, Unit};
use crate::diagnostic::{Code, Diagnostic};
use crate::lexer;
use crate::parser::{Node, Rule};
use crate::source_map::ItemRanges;

/// Longest way from the root of an expression to a leaf. Trees are walked and dropped by recursion.
const DEEPEST: usize = 256;

/// What became of one item.
pub(crate) struct Lowered {
    /// Its keyword.
    pub(crate) word: String,
    /// Its name, as far as it has one.
    pub(crate) name: String,
    /// The item, unless something is wrong with it.
    pub(crate) item: Option<Item>,
    /// Where its nodes stand.
    pub(crate) ranges: ItemRanges,
    /// What is wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Lowers one node of `Rule::item`.
pub(crate) fn item(text: &str, node: &Node) -> Lowered {
    let mut lower = Lower { text, nodes: Vec::new(), diagnostics: Vec::new() };
    let inner = node.kids.first();
    let word = inner.and_then(|inner| inner.kids.first()).map(|kid| lower.source(kid).to_owned()).unwrap_or_default();
    let (name, kind) = match inner {
        Some(inner) => lower.item(inner),
        None => (String::new(), None),
    };
    let item = if lower.diagnostics.is_empty() { kind.map(|kind| Item { name: name.clone(), kind }) } else { None };
    let whole = lexer::trimmed(text, node.span.clone());
    Lowered { word, name, item, ranges: ItemRanges { whole, nodes: lower.nodes }, diagnostics: lower.diagnostics }
}

/// What is wrong inside single clauses of an item that did not parse as a whole. That something lacks is not said: it
/// may stand in the part that could not be read.
pub(crate) fn scraps(text: &str, whole: Rule, clauses: Vec<Node>) -> Vec<Diagnostic> {
    let span = clauses.first().map_or(0..0, |first| first.span.clone());
    let mut lower = Lower { text, nodes: Vec::new(), diagnostics: Vec::new() };
    lower.item(&Node { rule: whole, span, kids: clauses });
    without_gaps(lower.diagnostics)
}

/// What is wrong in the first line of an item whose clauses could not all be read.
pub(crate) fn first_line(text: &str, node: &Node) -> Vec<Diagnostic> {
    without_gaps(item(text, node).diagnostics)
}

fn without_gaps(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.retain(|found| !matches!(found.code, Code::MissingClause | Code::MissingBecause | Code::DuplicateClause));
    found
}

struct Lower<'t> {
    text: &'t str,
    nodes: Vec<Range<usize>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Lower<'t> {
    fn source(&self, node: &Node) -> &'t str {
        self.text.get(lexer::trimmed(self.text, node.span.clone())).unwrap_or_default()
    }

    fn place(&mut self, span: Range<usize>) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(lexer::trimmed(self.text, span));
        id
    }

    fn error(&mut self, code: Code, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let at = self.diagnostics.len();
        self.diagnostics.push(Diagnostic::error(code, lexer::trimmed(self.text, span), message));
        &mut self.diagnostics[at]
    }

    fn name(&mut self, node: &Node) -> Name {
        Name { node: self.place(node.span.clone()), text: self.source(node).to_owned() }
    }

    /// The name inside `bundle(x)` and its like.
    fn inner_name(&mut self, node: &Node) -> Name {
        let inner = node.kids.iter().find(|kid| matches!(kid.rule, Rule::dotted | Rule::word | Rule::plain_word));
        self.name(inner.unwrap_or(node))
    }

    fn names(&mut self, node: &Node) -> Vec<Name> {
        node.kids
            .iter()
            .filter(|kid| matches!(kid.rule, Rule::dotted | Rule::plain_word))
            .map(|kid| self.name(kid))
            .collect()
    }

    /// The first text inside a node.
    fn text_in(&mut self, node: &Node) -> Text {
        self.text_node(node.kid(Rule::text).unwrap_or(node))
    }

    fn text_node(&mut self, node: &Node) -> Text {
        let mut value = String::new();
        for part in node.all(Rule::string) {
            let source = self.source(part);
            let inner = source.get(1..source.len().saturating_sub(1)).unwrap_or_default();
            unescape(inner, &mut value);
        }
        Text { node: self.place(node.span.clone()), value }
    }

    fn texts(&mut self, node: &Node) -> Vec<Text> {
        node.all(Rule::text).map(|text| self.text_node(text)).collect()
    }

    fn quantity(&mut self, node: &Node) -> Quantity {
        let unit = match node.kid(Rule::unit).and_then(|unit| unit.kids.first()) {
            None => Unit::One,
            Some(unit) => match unit.rule {
                Rule::percent => Unit::Percent,
                Rule::k_points => Unit::Points,
                Rule::k_ms => Unit::Milliseconds,
                Rule::k_s => Unit::Seconds,
                Rule::k_min => Unit::Minutes,
                Rule::k_h => Unit::Hours,
                Rule::k_d => Unit::Days,
                _ => self.foreign_unit(unit),
            },
        };
        let thousandths = node.kid(Rule::number).map_or(0, |number| self.thousandths(number));
        Quantity { node: self.place(node.span.clone()), thousandths, unit }
    }

    fn quantity_in(&mut self, node: &Node) -> Quantity {
        self.quantity(node.kid(Rule::quantity).unwrap_or(node))
    }

    fn foreign_unit(&mut self, unit: &Node) -> Unit {
        let written = self.source(unit);
        let (meant, kind) = match written {
            "percent" => ("%", Unit::Percent),
            "millis" | "milliseconds" => ("ms", Unit::Milliseconds),
            "sec" | "secs" | "second" | "seconds" => ("s", Unit::Seconds),
            "minute" | "mins" | "minutes" => ("min", Unit::Minutes),
            "hour" | "hours" | "hrs" => ("h", Unit::Hours),
            _ => ("d", Unit::Days),
        };
        let help = if written.starts_with("week") {
            "write weeks as days: `7 d`".to_owned()
        } else {
            format!("write `{meant}`")
        };
        self.error(Code::UnknownUnit, unit.span.clone(), format!("unknown unit `{written}`")).help = Some(help);
        kind
    }

    fn thousandths(&mut self, node: &Node) -> i64 {
        let written = self.source(node);
        let (negative, digits) = written.strip_prefix('-').map_or((false, written), |rest| (true, rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        if decimals.len() > 3 || whole.len() > 12 {
            let message = format!("`{written}` is too {} a number", if decimals.len() > 3 { "exact" } else { "large" });
            self.error(Code::BadNumber, node.span.clone(), message).help =
                Some("numbers have at most three decimals and twelve digits before the point".to_owned());
            return 0;
        }
        let value = format!("{whole}{decimals:0<3}").parse::<i64>().unwrap_or(0);
        if negative { -value } else { value }
    }

    /// A whole number from `least` on, without a unit.
    fn whole(&mut self, node: &Node, least: u32, what: &str) -> u32 {
        let written = self.source(node);
        match written.parse::<u32>() {
            Ok(value) if value >= least => value,
            _ => {
                let message = format!("`{written}` is no {what}");
                self.error(Code::BadNumber, node.span.clone(), message).help =
                    Some(format!("write a whole number, {least} or more"));
                least
            }
        }
    }

    fn date(&mut self, node: &Node) -> Date {
        let written = self.source(node);
        let fallback = Date { year: 1, month: 1, day: 1 };
        if node.rule == Rule::compat_date {
            self.error(Code::BadDate, node.span.clone(), format!("`{written}` is not how a date is written")).help =
                Some("write year-month-day: `2026-12-31`".to_owned());
            return fallback;
        }
        let mut parts = written.split('-');
        let mut next = || parts.next().and_then(|part| part.parse::<i16>().ok()).unwrap_or(0);
        let (year, month, day) = (next(), next(), next());
        let (month, day) = (i8::try_from(month).unwrap_or(0), i8::try_from(day).unwrap_or(0));
        let padded = written.len() == "2026-01-01".len();
        if year > 0 && padded && jiff::civil::Date::new(year, month, day).is_ok() {
            return Date { year, month, day };
        }
        let help =
            if padded { "that day is not in the calendar" } else { "write two digits for month and day: `2026-01-09`" };
        self.error(Code::BadDate, node.span.clone(), format!("there is no date `{written}`")).help =
            Some(help.to_owned());
        fallback
    }

    /// The first date inside a node, with its place.
    fn date_in(&mut self, node: &Node) -> (NodeId, Date) {
        let date = node.kids.iter().find(|kid| matches!(kid.rule, Rule::date | Rule::compat_date)).unwrap_or(node);
        (self.place(date.span.clone()), self.date(date))
    }

    fn tier_number(&mut self, node: &Node) -> (NodeId, u8) {
        let number = node.kid(Rule::tier_number).unwrap_or(node);
        let written = self.source(number);
        let tier = match written {
            "1" => 1,
            "2" => 2,
            "3" => 3,
            _ => {
                self.error(Code::BadTier, number.span.clone(), format!("there is no tier `{written}`")).help =
                    Some("tiers are 1 (safe), 2 (internal) and 3 (sensitive)".to_owned());
                3
            }
        };
        (self.place(number.span.clone()), tier)
    }

    /// Refuses expressions that would be walked too deeply.
    fn too_deep(&mut self, depth: usize, span: &Range<usize>) -> bool {
        if depth <= DEEPEST {
            return false;
        }
        self.error(Code::TooDeep, span.clone(), "the expression is nested too deeply").help =
            Some("name a part of it by `define`".to_owned());
        true
    }
}

/// Appends what a string literal stands for. A backslash that escapes nothing stands for itself, so that a regular
/// expression can be written as it is.
fn unescape(inner: &str, value: &mut String) {
    let mut letters = inner.chars();
    while let Some(c) = letters.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        match letters.next() {
            Some('"') => value.push('"'),
            Some('\\') => value.push('\\'),
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
}
