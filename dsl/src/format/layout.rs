//! Which tokens begin a line, and which stand in a column.

use std::collections::BTreeMap;

use crate::lexer::{self, Token};
use crate::parse;
use crate::parser::{Node, Rule};
use crate::vocabulary;

/// Where the value of a clause stands, from the left edge of the clause: the longest common keyword and two spaces.
const VALUE: usize = 9;
const INDENT: usize = 2;
/// Width that lists are wrapped at; a single long word or text may go beyond.
const WIDTH: usize = 100;
/// The same for the table of tiers, whose columns take their share.
const TABLE_WIDTH: usize = 120;

/// How a token that begins a line is placed.
pub(super) struct Start {
    /// For an item's keyword, whether the item is of a long kind: set off by blank lines.
    pub(super) item: Option<bool>,
    /// Column of the first token.
    pub(super) indent: usize,
    /// Column of wrapped lines.
    pub(super) continued: usize,
    /// Width that it is wrapped at.
    pub(super) width: usize,
    /// Whether it belongs to an operational item.
    pub(super) operational: bool,
}

/// Space before a token inside a line.
pub(super) enum Gap {
    /// So many spaces.
    Spaces(usize),
    /// Up to a column, but so many spaces at least.
    Column {
        /// The column.
        column: usize,
        /// Spaces at least.
        least: usize,
    },
}

/// Keyed by the byte where a token begins.
pub(super) struct Layout {
    pub(super) starts: BTreeMap<usize, Start>,
    pub(super) gaps: BTreeMap<usize, Gap>,
}

impl Layout {
    pub(super) fn of(text: &str, tokens: &[Token]) -> Self {
        let mut layout = Self { starts: BTreeMap::new(), gaps: BTreeMap::new() };
        let items = parse::trees(text);
        let items: Vec<&Node> = items.iter().filter_map(|item| item.kids.first()).collect();
        for item in &items {
            layout.item(text, item);
        }
        layout.runs(text, tokens, &items);
        layout
    }

    pub(super) fn is_clause(&self, token: &Token) -> bool {
        self.starts.get(&token.span.start).is_some_and(|start| start.item.is_none())
    }

    fn item(&mut self, text: &str, item: &Node) {
        let operational = matches!(
            item.rule,
            Rule::kpi_item | Rule::drift_item | Rule::trust_score_item | Rule::audit_item | Rule::practice_item
        );
        let short = matches!(
            item.rule,
            Rule::module_item
                | Rule::use_item
                | Rule::adopt_item
                | Rule::team_item
                | Rule::define_item
                | Rule::family_item
                | Rule::tag_item
                | Rule::window_item
                | Rule::binding_item
                | Rule::intent_item
        );
        let start = Start { item: Some(!short), indent: 0, continued: INDENT, operational, width: WIDTH };
        self.starts.insert(item.span.start, start);
        match item.rule {
            Rule::tiers_item => self.tiers(text, item),
            _ if operational => self.operational(text, item),
            _ => self.clauses(item),
        }
        if matches!(item.rule, Rule::module_item | Rule::use_item | Rule::adopt_item)
            && let Some(name) = item.kids.get(1)
        {
            self.gaps.insert(name.span.start, Gap::Column { column: "module ".len(), least: 1 });
        }
    }

    fn clause(&mut self, at: usize, width: usize) {
        let continued = INDENT + width;
        self.starts.insert(at, Start { item: None, indent: INDENT, continued, operational: false, width: WIDTH });
    }

    fn value(&mut self, at: usize, width: usize) {
        self.gaps.insert(at, Gap::Column { column: INDENT + width, least: 1 });
    }

    fn clauses(&mut self, item: &Node) {
        // Whether nothing but the item's first line came before.
        let mut at_first_line = true;
        let mut before = Rule::item;
        for kid in &item.kids {
            if kid.rule == Rule::empty_clause {
                self.gaps.insert(kid.span.start, Gap::Spaces(2));
                continue;
            }
            let Some(clause) = kid.kids.first().filter(|_| is_clause(kid.rule)) else { continue };
            let stays = match clause.rule {
                Rule::k_critical | Rule::k_unwaivable => at_first_line,
                Rule::of_rule_clause | Rule::for_clause | Rule::to_tier_clause => at_first_line,
                Rule::members_clause | Rule::values_clause | Rule::first_match => true,
                Rule::empty_clause => item.rule == Rule::team_item,
                Rule::says_clause => item.rule == Rule::intent_item,
                Rule::review_clause => before == Rule::owner_clause,
                Rule::ticket_clause => before == Rule::granted_clause,
                Rule::until_clause => matches!(before, Rule::granted_clause | Rule::ticket_clause),
                _ => false,
            };
            before = clause.rule;
            if stays {
                let wide = !matches!(
                    clause.rule,
                    Rule::of_rule_clause
                        | Rule::for_clause
                        | Rule::to_tier_clause
                        | Rule::ticket_clause
                        | Rule::until_clause
                );
                self.gaps.insert(clause.span.start, Gap::Spaces(if wide { 2 } else { 1 }));
                continue;
            }
            at_first_line = false;
            let width = if item.rule == Rule::principle_item { "says ".len() } else { VALUE };
            self.clause(clause.span.start, width);
            if let Some(value) = value_of(clause) {
                self.value(value, width);
            }
        }
    }

    fn operational(&mut self, text: &str, item: &Node) {
        let header = match item.rule {
            Rule::trust_score_item => 1,
            Rule::drift_item => 4,
            _ => 2,
        };
        let word = item.kids.first().and_then(|keyword| text.get(keyword.span.clone())).unwrap_or_default();
        let source = |node: &Node| text.get(lexer::trimmed(text, node.span.clone())).unwrap_or_default().to_owned();
        let tokens: Vec<&Node> = item.kids.iter().skip(header).collect();
        // Each line: where it begins, its name's length, where its value begins.
        let mut lines: Vec<(usize, usize, Option<usize>)> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let after_comma = at > 0 && tokens[at - 1].rule == Rule::op_comma;
            let begins =
                at == 0 || (token.rule == Rule::dotted && lexer::first_on_line(text, token.span.start) && !after_comma);
            if !begins {
                continue;
            }
            let both = tokens.get(at + 1).map(|second| format!("{} {}", source(token), source(second)));
            let two = both.filter(|both| vocabulary::lines(word).iter().any(|line| line.word == both));
            let (length, value) = match &two {
                Some(both) => (both.len(), tokens.get(at + 2)),
                None => (source(token).len(), tokens.get(at + 1)),
            };
            lines.push((token.span.start, length, value.map(|value| value.span.start)));
        }
        let width = lines.iter().map(|(_, length, _)| length + 2).max().unwrap_or_default();
        for (at, _, value) in lines {
            self.starts.insert(
                at,
                Start { item: None, indent: INDENT, continued: INDENT + width, operational: true, width: WIDTH },
            );
            if let Some(value) = value {
                self.value(value, width);
            }
        }
    }

    /// The lines of `tiers` are a table: number and name, who approves, and the rest.
    fn tiers(&mut self, text: &str, item: &Node) {
        let lines: Vec<Vec<(usize, usize)>> = item.all(Rule::tier_line).map(|line| cells(text, line)).collect();
        let widest = |cell: usize| {
            lines.iter().filter_map(|line| line.get(cell)).map(|(_, length)| *length).max().unwrap_or_default()
        };
        let approve = INDENT + widest(0) + 2;
        let reach = approve + widest(1) + 2;
        for line in &lines {
            for (index, (at, _)) in line.iter().enumerate() {
                match index {
                    0 => {
                        let start = Start {
                            item: None,
                            indent: INDENT,
                            continued: approve,
                            operational: false,
                            width: TABLE_WIDTH,
                        };
                        self.starts.insert(*at, start);
                    }
                    1 => drop(self.gaps.insert(*at, Gap::Column { column: approve, least: 2 })),
                    2 => drop(self.gaps.insert(*at, Gap::Column { column: reach, least: 2 })),
                    _ => drop(self.gaps.insert(*at, Gap::Spaces(2))),
                }
            }
        }
    }

    /// Short items of one kind on neighbouring lines stand in columns.
    fn runs(&mut self, text: &str, tokens: &[Token], items: &[&Node]) {
        let mut run: Vec<(usize, usize)> = Vec::new();
        let mut before: Option<&Node> = None;
        for item in items {
            let neighbours =
                before.is_some_and(|before| before.rule == item.rule && adjoin(text, tokens, before, item));
            if !neighbours {
                self.column(&mut run, before);
            }
            run.extend(anchor(text, tokens, item));
            before = Some(*item);
        }
        self.column(&mut run, before);
    }

    fn column(&mut self, run: &mut Vec<(usize, usize)>, item: Option<&Node>) {
        let least = match item.map(|item| item.rule) {
            Some(Rule::define_item | Rule::tag_item) => 1,
            _ => 2,
        };
        let widest = run.iter().map(|(_, width)| *width).max().unwrap_or_default();
        for (at, _) in run.drain(..) {
            self.gaps.insert(at, Gap::Column { column: widest + least, least });
        }
    }
}

/// Whether nothing but one line break stands between two items.
fn adjoin(text: &str, tokens: &[Token], before: &Node, item: &Node) -> bool {
    let at = tokens.partition_point(|token| token.span.start < item.span.start);
    let Some(last) = at.checked_sub(1).and_then(|last| tokens.get(last)) else { return false };
    let own_line_comment = last.kind == lexer::TokenKind::Comment && last.first_on_line;
    let between = text.get(last.span.end..item.span.start).unwrap_or_default();
    !own_line_comment && last.span.start >= before.span.start && between.matches('\n').count() < 2
}

/// The token that a short item's column begins with, and the width of what stands before it.
fn anchor(text: &str, tokens: &[Token], item: &Node) -> Option<(usize, usize)> {
    let word = match item.rule {
        Rule::define_item => "=",
        Rule::tag_item => "on",
        Rule::team_item => "members",
        Rule::family_item => "values",
        Rule::intent_item => "says",
        _ => return None,
    };
    let from = tokens.partition_point(|token| token.span.start < item.span.start);
    let inside = tokens.iter().enumerate().skip(from + 2);
    let (at, token) = inside.take(6).find(|(_, token)| token.text(text) == word)?;
    (token.span.end <= item.span.end)
        .then(|| (token.span.start, lexer::spaced(text, tokens.get(from..at).unwrap_or_default()).chars().count()))
}

/// Cells of a line of `tiers`: where each begins and how wide it is.
fn cells(text: &str, line: &Node) -> Vec<(usize, usize)> {
    let mut starts = vec![line.span.start];
    starts.extend(line.all(Rule::tier_line_clause).map(|clause| clause.span.start));
    let ends = starts.iter().skip(1).copied().chain(std::iter::once(line.span.end));
    let width = |from: usize, to: usize| {
        let piece = text.get(from..to).unwrap_or_default();
        lexer::spaced(piece, &lexer::tokens(piece)).chars().count()
    };
    starts.iter().zip(ends).map(|(&from, to)| (from, width(from, to))).collect()
}

fn is_clause(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::team_clause
            | Rule::family_clause
            | Rule::principle_clause
            | Rule::rule_clause
            | Rule::forbid_clause
            | Rule::layers_clause
            | Rule::waiver_clause
            | Rule::bundle_clause
            | Rule::validation_clause
            | Rule::band_clause
            | Rule::intent_clause
            | Rule::test_clause
    )
}

/// Where the value of a clause begins: behind its keyword, or behind both where two words are one.
fn value_of(clause: &Node) -> Option<usize> {
    let two =
        matches!(clause.rule, Rule::rate_clause | Rule::granted_clause | Rule::always_clause | Rule::review_clause);
    if clause.rule == Rule::empty_clause {
        return None;
    }
    clause.kids.get(if two { 2 } else { 1 }).map(|value| value.span.start)
}
