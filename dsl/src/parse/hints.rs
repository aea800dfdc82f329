//! From the place where a parse stopped to a message with the fix.

use crate::diagnostic::{Code, Diagnostic};
use crate::lexer::{Token, TokenKind};
use crate::parser::{self, Failure, Rule};
use crate::similar;
use crate::vocabulary;

/// Most words that are worth listing as expected.
const LONGEST_LIST: usize = 8;

/// What stands around the place.
struct Place<'t> {
    text: &'t str,
    item: &'t str,
    found: Option<&'t Token>,
    before: Option<&'t Token>,
    before_that: Option<&'t Token>,
    after: Option<&'t Token>,
    expected: Vec<String>,
}

impl<'t> Place<'t> {
    fn word(&self, token: Option<&'t Token>) -> &'t str {
        token.map(|token| token.text(self.text)).unwrap_or_default()
    }
}

/// The diagnostic for a failure inside an item's tokens.
pub(super) fn explain(text: &str, tokens: &[Token], failure: &Failure) -> Diagnostic {
    let at = tokens.iter().position(|token| token.span.end > failure.at);
    let found = at.and_then(|at| tokens.get(at));
    let before = match at {
        Some(at) => at.checked_sub(1).and_then(|at| tokens.get(at)),
        None => tokens.last(),
    };
    let before_that = at.and_then(|at| tokens.get(at.checked_sub(2)?));
    let after = at.and_then(|at| tokens.get(at + 1));
    let item = tokens.first().map(|token| token.text(text)).unwrap_or_default();
    let place = Place { text, item, found, before, before_that, after, expected: expected(&failure.expected) };
    if !vocabulary::begins_item(item) {
        return no_item(&place, tokens);
    }
    foreign_text(&place).or_else(|| misspelt(&place)).or_else(|| habit(&place)).unwrap_or_else(|| plain(&place))
}

/// The keywords and kinds of things that would have gone on.
fn expected(rules: &[Rule]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for rule in rules {
        let word = match rule {
            Rule::dotted | Rule::word | Rule::plain_word | Rule::story_field | Rule::field => "a name".to_owned(),
            Rule::text | Rule::string | Rule::texts => "a text in `\"`".to_owned(),
            Rule::number | Rule::quantity | Rule::tier_number => "a number".to_owned(),
            Rule::date => "a date".to_owned(),
            Rule::set | Rule::set_operand => "a set".to_owned(),
            Rule::cond | Rule::cond_operand => "a condition".to_owned(),
            Rule::compare => "a comparison".to_owned(),
            Rule::requirement => "a requirement".to_owned(),
            Rule::approver => "`anyone`, `team(NAME)` or `an owner of each file in SET`".to_owned(),
            Rule::given => "something given".to_owned(),
            Rule::expected => "something expected".to_owned(),
            Rule::set_op => "`plus`, `within` or `except`".to_owned(),
            Rule::cond_op => "`and` or `or`".to_owned(),
            Rule::safe_kind => "`comments`, `formatting`, `documentation` or `added tests`".to_owned(),
            Rule::comma => "`,`".to_owned(),
            Rule::close => "`)`".to_owned(),
            Rule::distance => "`within N` or `any distance`".to_owned(),
            rule => match parser::keyword(*rule) {
                Some(keyword) => format!("`{keyword}`"),
                None => continue,
            },
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn no_item(place: &Place<'_>, tokens: &[Token]) -> Diagnostic {
    let span = tokens.first().map_or(0..0, |token| token.span.clone());
    let word = place.item;
    if let Some(error) = foreign_text(place).filter(|error| error.span == span) {
        return error;
    }
    let error = if tokens.first().is_some_and(|token| token.kind == TokenKind::Word) {
        Diagnostic::error(Code::UnknownItem, span, format!("`{word}` begins no item"))
    } else {
        Diagnostic::error(Code::UnknownItem, span, "this begins no item")
    };
    let known = vocabulary::ITEMS.iter().map(|item| item.word);
    let near = similar::nearest(word, known).or(match word {
        "import" | "include" => Some("use"),
        "policies" => Some("policy"),
        "exception" | "exempt" | "allow" => Some("waiver"),
        "let" | "set" | "def" | "var" => Some("define"),
        "group" | "people" => Some("team"),
        "suite" => Some("bundle"),
        "metric" => Some("kpi"),
        _ => None,
    });
    let clause_of = vocabulary::ITEMS.iter().find(|item| item.clauses.iter().any(|clause| clause.word == word));
    match (near, clause_of) {
        (_, Some(item)) => error.help(format!("`{word}` is a clause of `{}`; an item must come first", item.word)),
        (Some(near), None) => error.help(format!("did you mean `{near}`?")),
        (None, None) => {
            error.help("an item begins with a keyword such as `rule`, `policy`, `define`, `tag`, `bundle` or `test`")
        }
    }
}

/// Characters that other languages have here.
fn foreign_text(place: &Place<'_>) -> Option<Diagnostic> {
    let found = place.found?;
    let word = place.word(place.found);
    let glued = place.before.is_some_and(|before| before.span.end == found.span.start);
    if matches!(word, "/" | "*" | "." | "@" | "-" | ":") && place.word(place.before_that) == "(" {
        let start = place.before.map_or(found.span.start, |before| before.span.start);
        let error = Diagnostic::error(Code::Syntax, start..found.span.end, format!("unexpected `{word}`"));
        return Some(error.help("put it in quotes: `(\"…\")`"));
    }
    let help = match word {
        "'" | "`" | "‘" | "’" | "“" | "”" | "«" => {
            let error = Diagnostic::error(Code::BadEscape, found.span.clone(), format!("`{word}` is no quote"));
            return Some(error.help("texts stand in `\"`"));
        }
        "{" | "}" => "there are no braces; an item ends where the next one begins",
        ";" => "nothing ends a clause; begin the next one",
        "/" | "*"
            if place.word(place.before) == "/" || place.word(place.after) == "/" || place.word(place.after) == "*" =>
        {
            "comments begin with `#`"
        }
        "-" if glued => "names have letters, digits and `_`; write `_` for `-`",
        "[" | "]" => "lists have no brackets; separate by commas",
        "&&" => "write `and`",
        "||" => "write `or`",
        "!" => "write `not`",
        "==" => "write `=`",
        "=" if place.item != "define" => "only `define` and `fact` use `=`; a clause is its word and its value",
        ":" => "only `rule NAME : tier N` has a colon; a clause is its word and its value",
        "%" => "a number stands before `%`",
        _ => return None,
    };
    let code = if matches!(word, "&&" | "||" | "!" | "==") { Code::ForeignOperator } else { Code::Syntax };
    Some(Diagnostic::error(code, found.span.clone(), format!("unexpected `{word}`")).help(help))
}

/// A word that looks like one that is expected here.
fn misspelt(place: &Place<'_>) -> Option<Diagnostic> {
    let found = place.found.filter(|found| found.kind == TokenKind::Word)?;
    let word = place.word(Some(found));
    let keywords = || place.expected.iter().filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'));
    let clauses = vocabulary::clause_words(place.item);
    let error = || Diagnostic::error(Code::Syntax, found.span.clone(), format!("unexpected `{word}`"));
    if found.first_on_line && !vocabulary::is_known(word) {
        let error = Diagnostic::error(
            Code::UnknownClause,
            found.span.clone(),
            format!("`{word}` is no clause of `{}`", place.item),
        );
        return Some(match meant_clause(word, &clauses) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(list_of_clauses(place.item, &clauses)),
        });
    }
    let forms = place.expected.iter().flat_map(|kind| match kind.as_str() {
        "a requirement" => vocabulary::REQUIREMENTS,
        "a condition" => vocabulary::CONDITIONS,
        "something given" => vocabulary::GIVENS,
        "something expected" => vocabulary::EXPECTATIONS,
        "a set" => vocabulary::SETS,
        _ => &[],
    });
    let forms = forms.map(|entry| entry.word.split(' ').next().unwrap_or(entry.word));
    if let Some(near) = similar::nearest(word, keywords().chain(forms)) {
        return Some(error().help(format!("did you mean `{near}`?")));
    }
    // The word before was taken for a name, but is a misspelt word of the language.
    let before = place.before.filter(|before| before.kind == TokenKind::Word && !before.first_on_line)?;
    let earlier = place.word(Some(before));
    let known_here = vocabulary::is_known(word) || parser::is_reserved(word);
    if known_here && !vocabulary::is_known(earlier) {
        let near = similar::nearest(earlier, vocabulary::all_words())?;
        let error = Diagnostic::error(Code::Syntax, before.span.clone(), format!("unexpected `{earlier}`"));
        return Some(error.help(format!("did you mean `{near}`?")));
    }
    None
}

/// The clause that an unknown word at the start of a line most likely stands for.
pub(super) fn meant_clause(word: &str, clauses: &[&'static str]) -> Option<&'static str> {
    similar::nearest(word, clauses.iter().copied()).or_else(|| synonym(word, clauses))
}

/// Words of other languages for clauses of this one, where the item has the clause.
fn synonym(word: &str, clauses: &[&'static str]) -> Option<&'static str> {
    let meant = match word {
        "if" | "condition" | "on" | "unless" => "when",
        "requires" | "needs" | "must" => "require",
        "why" | "reason" | "since" | "rationale" => "because",
        "fix" | "hint" | "instead" => "remedy",
        "description" | "text" | "describe" => "says",
        "command" | "cmd" | "exec" => "run",
        "files" | "suite" => "tests",
        "expires" | "expiry" | "ends" => "until",
        "scope" | "where" | "applies" => {
            if clauses.contains(&"covers") {
                "covers"
            } else {
                "for"
            }
        }
        "principles" | "applies_to" => "upholds",
        "reject" | "block" | "forbid" => "deny",
        "assert" | "then" => "expect",
        "with" => "given",
        "retry" => "retries",
        "user" | "users" | "people" => "members",
        _ => return None,
    };
    clauses.iter().copied().find(|clause| *clause == meant)
}

fn list_of_clauses(item: &str, clauses: &[&str]) -> String {
    let mut names: Vec<String> = Vec::new();
    for clause in clauses {
        let name = format!("`{clause}`");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { format!("`{item}` has no clauses") } else { format!("`{item}` has {}", names.join(", ")) }
}

/// What people write out of habit.
fn habit(place: &Place<'_>) -> Option<Diagnostic> {
    let found = place.found?;
    let word = place.word(Some(found));
    let before = place.word(place.before);
    let expects = |wanted: &str| place.expected.iter().any(|word| word == wanted);
    let help = if word == "," && vocabulary::clause_words(place.item).contains(&place.word(place.after)) {
        "no comma stands before a clause"
    } else if before == ","
        && (vocabulary::clause_words(place.item).contains(&word) || place.expected.len() > LONGEST_LIST)
    {
        "something is missing behind the comma, or the comma is too many"
    } else if before == "approval" && (word == "of" || word == "by" || word == "from" || word == "team") {
        "say how many: `approval 1 of team(NAME)`"
    } else if expects("`anyone`, `team(NAME)` or `an owner of each file in SET`") {
        "approvals come from `anyone`, `team(NAME)` or `an owner of each file in SET`"
    } else if before == "(" && expects("a text in `\"`") {
        "put it in quotes: `(\"…\")`"
    } else if matches!(word, "or" | "and") && (expects("`plus`, `within` or `except`") || expects("`plus`")) {
        "sets join by `plus`, `within` and `except`; `and` and `or` join conditions"
    } else if word == "within" && expects("`,`") || found.kind == TokenKind::Number && before == "within" {
        "a distance stands behind a comma: `callers(SET, within 2)`"
    } else if before == "owner" && expects("`team`") || before == "by" && expects("`team`") {
        "name a team: `team(NAME)`"
    } else if expects("a text in `\"`") && found.kind == TokenKind::Word {
        "texts stand in `\"`"
    } else if expects("a date") {
        "dates are written year-month-day: `2026-12-31`"
    } else if word == "("
        && found.kind == TokenKind::Mark
        && place.before.is_some_and(|before| before.kind == TokenKind::Word)
    {
        return unknown_call(place);
    } else {
        return None;
    };
    Some(Diagnostic::error(Code::Syntax, found.span.clone(), format!("unexpected `{word}`")).help(help))
}

fn unknown_call(place: &Place<'_>) -> Option<Diagnostic> {
    let before = place.before?;
    let word = place.word(Some(before));
    if vocabulary::SETS.iter().any(|entry| entry.word == word) {
        return None;
    }
    let error = Diagnostic::error(Code::UnknownFunction, before.span.clone(), format!("unknown kind of set `{word}`"));
    let near = similar::nearest(
        word,
        vocabulary::SETS.iter().filter(|entry| entry.form.contains('(')).map(|entry| entry.word),
    );
    Some(match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("write sets as `path(\"…\")`, `tag(NAME)`, `callers(SET, within N)` and so on"),
    })
}

fn plain(place: &Place<'_>) -> Diagnostic {
    let (message, span) = match (place.found, place.before) {
        (Some(found), _) => (format!("unexpected `{}`", shorten(found.text(place.text))), found.span.clone()),
        (None, Some(last)) => (format!("`{}` ends too early", place.item), last.span.clone()),
        (None, None) => ("nothing is here".to_owned(), 0..0),
    };
    let error = Diagnostic::error(Code::Syntax, span, message);
    match place.expected.as_slice() {
        [] => error.help(format!("see the form: `{}`", vocabulary::item(place.item).map_or("", |item| item.form))),
        [one] => error.help(format!("{one} is expected here")),
        [first @ .., last] if first.len() < LONGEST_LIST => {
            error.help(format!("expected here: {} or {last}", first.join(", ")))
        }
        _ => {
            let clauses = vocabulary::clause_words(place.item);
            error.help(list_of_clauses(place.item, &clauses))
        }
    }
}

fn shorten(word: &str) -> String {
    const LONGEST: usize = 40;
    if word.chars().count() <= LONGEST {
        return word.to_owned();
    }
    let kept: String = word.chars().take(LONGEST).collect();
    format!("{kept}…")
}
