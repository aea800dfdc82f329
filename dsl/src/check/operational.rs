//! The operational items: their lines against the table.

use crate::ast::{self, NodeId, Operational, OperationalClause, OperationalKind, Word};
use crate::check::{Checker, UnitKind};
use crate::diagnostic::Code;
use crate::names::NameKind;
use crate::similar;
use crate::vocabulary::{self, LineEntry, LineValue};

/// Lines that may stand several times.
const REPEATED: [&str; 2] = ["lose", "step"];

impl Checker<'_, '_> {
    pub(super) fn operational(&mut self, item: &Operational) {
        let word = keyword(item.kind);
        let lines = vocabulary::lines(word);
        if let Some(on) = &item.on {
            self.known(NameKind::Kpi, Code::UnknownKpi, on);
        }
        let mut seen: Vec<&str> = Vec::new();
        for clause in &item.clauses {
            let name = clause.name.text.as_str();
            let Some(line) = lines.iter().find(|line| line.word == name) else {
                self.unknown_line(word, lines, clause);
                continue;
            };
            if seen.contains(&name) && !REPEATED.contains(&name) {
                self.report(
                    Code::DuplicateClause,
                    clause.name.node,
                    format!("`{name}` is given twice"),
                    "keep one of them",
                );
            }
            seen.push(name);
            self.line_value(line, clause);
            self.calls(clause);
        }
        for line in lines.iter().filter(|line| line.required && line.word != "because" && !seen.contains(&line.word)) {
            let message = format!("this `{word}` has no `{}`", line.word);
            self.report(Code::MissingLine, NodeId(0), message, format!("add `{}`", line.form));
        }
        self.by_chance(item);
    }

    fn unknown_line(&mut self, word: &str, lines: &[LineEntry], clause: &OperationalClause) {
        let name = clause.name.text.as_str();
        let written = match clause.words.first() {
            // Half of a name of two words is looked up whole.
            Some(Word::Word(second)) if lines.iter().any(|line| line.word.split(' ').next() == Some(name)) => {
                format!("{name} {}", second.text)
            }
            _ => name.to_owned(),
        };
        let near = similar::nearest(&written, lines.iter().map(|line| line.word));
        let listed: Vec<String> = lines.iter().map(|line| format!("`{}`", line.word)).collect();
        let help = near.map_or_else(
            || format!("the lines of `{word}` are {}", listed.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.report(Code::UnknownLine, clause.name.node, format!("`{written}` is no line of `{word}`"), help);
    }

    fn line_value(&mut self, line: &LineEntry, clause: &OperationalClause) {
        let bare = |word: Option<&Word>| matches!(word, Some(Word::Quantity(number)) if UnitKind::of(number.unit) == UnitKind::Bare);
        let fits = match line.value {
            LineValue::Free => !clause.words.is_empty(),
            LineValue::OneOf(words) => {
                matches!(clause.words.as_slice(), [Word::Word(word)] if words.contains(&word.text.as_str()))
            }
            LineValue::Number => clause.words.len() == 1 && bare(clause.words.first()),
            LineValue::Audit => ast::audit_line(line.word, &clause.words),
            LineValue::Loss => ast::loss(&clause.words).is_some(),
            LineValue::Text => matches!(clause.words.as_slice(), [Word::Text(_)]),
            LineValue::Source => ast::source(&clause.words).is_some(),
            LineValue::Settle => ast::settle(&clause.words).is_some(),
            LineValue::Watch => ast::watch(&clause.words).is_some(),
            LineValue::Alert => ast::alert(&clause.words).is_some(),
            LineValue::Control => ast::control(&clause.words).is_some(),
            LineValue::Samples => ast::samples(&clause.words).is_some(),
            LineValue::Actions => ast::actions(&clause.words).is_some(),
        };
        if fits {
            return;
        }
        let near = match (line.value, clause.words.as_slice()) {
            (LineValue::OneOf(words), [Word::Word(word)]) => similar::nearest(&word.text, words.iter().copied()),
            _ => None,
        };
        let more = if line.value == LineValue::Watch { WATCHES } else { "" };
        let help =
            near.map_or_else(|| format!("write `{}`{more}", line.form), |near| format!("did you mean `{near}`?"));
        let node = clause.words.first().and_then(place_of).unwrap_or(clause.name.node);
        self.report(Code::BadLineValue, node, format!("`{}` does not take this value", line.word), help);
    }

    /// Names that lines refer to.
    fn calls(&mut self, clause: &OperationalClause) {
        for word in &clause.words {
            let Word::Call(call, argument) = word else { continue };
            let (kind, code) = match call.text.as_str() {
                "bundle" => (NameKind::Bundle, Code::UnknownBundle),
                "team" => (NameKind::Team, Code::UnknownTeam),
                "tag" => (NameKind::Tag, Code::UnknownTag),
                "kpi" => (NameKind::Kpi, Code::UnknownKpi),
                "validation" => (NameKind::Validation, Code::UnknownValidation),
                _ => {
                    self.family_value(call, argument);
                    continue;
                }
            };
            self.known(kind, code, argument);
        }
    }
}

/// What a watch must be to be judged.
const WATCHES: &str =
    ": steps of 1 min to 1 d, 1000 at most, and no more than four weeks of past can be held against (of days 11)";

fn place_of(word: &Word) -> Option<NodeId> {
    match word {
        Word::Word(name) | Word::Call(name, _) => Some(name.node),
        Word::Text(text) => Some(text.node),
        Word::Quantity(quantity) => Some(quantity.node),
        Word::Comma => None,
    }
}

fn keyword(kind: OperationalKind) -> &'static str {
    match kind {
        OperationalKind::Kpi => "kpi",
        OperationalKind::Drift => "drift",
        OperationalKind::TrustScore => "trust_score",
        OperationalKind::Audit => "audit",
        OperationalKind::Practice => "practice",
    }
}
