//! Sets and conditions as the language writes them, for evidence and explanations.

use grace_dsl::ast::{
    Approval, Approver, Compare, Cond, CondKind, Distance, EdgeWord, FailedBundle, FieldTest, KpiTest, MatchOn,
    PackageMove, Quantity, Rate, SafeKind, SetExpr, SetKind, Unit, Value, ValueTest, Walk,
};

/// A set expression.
pub(crate) fn set(set: &SetExpr) -> String {
    show_set(set, false)
}

fn show_set(expr: &SetExpr, inner: bool) -> String {
    let call = |name: &str, text: &str| format!("{name}(\"{text}\")");
    let case = |ignore: bool| if ignore { " ignoring case" } else { "" };
    let infix = |a: &SetExpr, word: &str, b: &SetExpr| {
        let text = format!("{} {word} {}", show_set(a, true), show_set(b, true));
        if inner { format!("({text})") } else { text }
    };
    match &expr.kind {
        SetKind::All => "all".to_owned(),
        SetKind::None => "none".to_owned(),
        SetKind::Path { glob, ignore_case } => format!("{}{}", call("path", &glob.value), case(*ignore_case)),
        SetKind::Package(name) => call("package", &name.value),
        SetKind::Module(name) => call("module", &name.value),
        SetKind::Generated => "generated".to_owned(),
        SetKind::Class(name) => call("class", &name.value),
        SetKind::HeaderOf(inner) => format!("header of {}", show_set(inner, true)),
        SetKind::Function(name) => call("function", &name.value),
        SetKind::Decorated(name) => call("decorated", &name.value),
        SetKind::Language(name) => format!("language({})", name.text),
        SetKind::Tests => "tests".to_owned(),
        SetKind::Public(inner) => format!("public({})", show_set(inner, false)),
        SetKind::Named { glob, ignore_case } => format!("named \"{}\"{}", glob.value, case(*ignore_case)),
        SetKind::Matches { on, regex } => {
            let on = match on {
                MatchOn::Name => "name",
                MatchOn::Path => "path",
            };
            format!("matches({on}, \"{}\")", regex.value)
        }
        SetKind::Tag(name) => format!("tag({})", name.text),
        SetKind::Family { family, value } => format!("{}({})", family.text, value.text),
        SetKind::BoundTo(model) => format!("bound to model(\"{}\")", model.value),
        SetKind::Defined(name) => name.text.clone(),
        SetKind::FilesOf(inner) => format!("files of {}", show_set(inner, true)),
        SetKind::ModulesOf(inner) => format!("modules of {}", show_set(inner, true)),
        SetKind::MembersOf(inner) => format!("members of {}", show_set(inner, true)),
        SetKind::Walk { walk: word, set, distance, certain } => {
            let certain = if *certain { "certain " } else { "" };
            let distance = match distance {
                Distance::Within(steps) => format!("within {steps}"),
                Distance::Any => "any distance".to_owned(),
            };
            format!("{certain}{}({}, {distance})", walk(*word), show_set(set, false))
        }
        SetKind::Plus(a, b) => infix(a, "plus", b),
        SetKind::Within(a, b) => infix(a, "within", b),
        SetKind::Except(a, b) => infix(a, "except", b),
        SetKind::Models(tests) if tests.is_empty() => "models".to_owned(),
        SetKind::Models(tests) => {
            let tests: Vec<String> = tests.iter().map(field_test).collect();
            format!("models where {}", tests.join(" and "))
        }
        SetKind::Model(name) => call("model", &name.value),
        SetKind::ModelsUsedBy(inner) => format!("models used by {}", show_set(inner, true)),
        SetKind::Bundles => "bundles".to_owned(),
        SetKind::Bundle(name) => format!("bundle({})", name.text),
        SetKind::OwnersOf(inner) => format!("owners of {}", show_set(inner, true)),
        SetKind::Team(name) => format!("team({})", name.text),
    }
}

/// A walk's word.
pub(crate) fn walk(walk: Walk) -> &'static str {
    match walk {
        Walk::Importers => "importers",
        Walk::ImportedBy => "imported by",
        Walk::Callers => "callers",
        Walk::Callees => "callees",
        Walk::Subtypes => "subtypes",
        Walk::Supertypes => "supertypes",
        Walk::Dependents => "dependents",
        Walk::Dependencies => "dependencies",
        Walk::TestsOf => "tests of",
    }
}

fn field_test(test: &FieldTest) -> String {
    let field = &test.field.text;
    match &test.test {
        ValueTest::True => field.clone(),
        ValueTest::Is(value) => format!("{field} is {}", show_value(value)),
        ValueTest::IsNot(value) => format!("{field} not {}", show_value(value)),
        ValueTest::Contains(value) => format!("{field} contains {}", show_value(value)),
        ValueTest::Compare(compare, quantity) => format!("{field} {}", comparison(*compare, quantity)),
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Word(name) => name.text.clone(),
        Value::Text(text) => format!("\"{}\"", text.value),
        Value::Quantity(number) => quantity(number),
        Value::Date(date) => date.to_string(),
    }
}

/// `> 400`, `< 95 %`.
pub(crate) fn comparison(word: Compare, limit: &Quantity) -> String {
    format!("{} {}", compare(word), quantity(limit))
}

/// `<`, `<=`, `>`, `>=`, `=`.
pub(crate) fn compare(compare: Compare) -> &'static str {
    match compare {
        Compare::Less => "<",
        Compare::AtMost => "<=",
        Compare::More => ">",
        Compare::AtLeast => ">=",
        Compare::Equal => "=",
    }
}

/// A number with its unit.
pub(crate) fn quantity(quantity: &Quantity) -> String {
    let number = thousandths(quantity.thousandths);
    let unit = match quantity.unit {
        Unit::One => return number,
        Unit::Percent => "%",
        Unit::Points => "points",
        Unit::Milliseconds => "ms",
        Unit::Seconds => "s",
        Unit::Minutes => "min",
        Unit::Hours => "h",
        Unit::Days => "d",
    };
    format!("{number} {unit}")
}

/// A number in thousandths, without trailing zeros.
pub(crate) fn thousandths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    let fraction = format!("{:03}", value % 1000);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{}", value / 1000) } else { format!("{sign}{}.{fraction}", value / 1000) }
}

/// `pass rate`, `flaky rate`.
pub(crate) fn rate(rate: Rate) -> &'static str {
    match rate {
        Rate::Pass => "pass rate",
        Rate::Flaky => "flaky rate",
    }
}

/// `kpi(boot_latency) p95 over 24 h`: the left side of a test.
pub(crate) fn kpi(test: &KpiTest) -> String {
    let mut text = format!("kpi({})", test.kpi.text);
    if let Some(statistic) = &test.statistic {
        text.push(' ');
        text.push_str(&statistic.text);
    }
    if let Some(over) = &test.over {
        text.push_str(" over ");
        text.push_str(&quantity(over));
    }
    text
}

/// The key of a KPI's value among the facts of the past: `boot_latency p95 over 24 h`.
pub(crate) fn kpi_key(test: &KpiTest) -> String {
    kpi(test).replacen(&format!("kpi({})", test.kpi.text), &test.kpi.text, 1)
}

/// `comments`, `formatting`, `documentation`, `added tests`.
pub(crate) fn safe_kind(kind: SafeKind) -> &'static str {
    match kind {
        SafeKind::Comments => "comments",
        SafeKind::Formatting => "formatting",
        SafeKind::Documentation => "documentation",
        SafeKind::AddedTests => "added tests",
    }
}

/// A condition on one line.
pub(crate) fn cond(cond: &Cond) -> String {
    show_cond(cond, false)
}

fn show_cond(cond: &Cond, inner: bool) -> String {
    let join = |conds: &[Cond], word: &str| {
        let text = conds.iter().map(|cond| show_cond(cond, true)).collect::<Vec<_>>().join(word);
        if inner { format!("({text})") } else { text }
    };
    match &cond.kind {
        CondKind::And(conds) => join(conds, " and "),
        CondKind::Or(conds) => join(conds, " or "),
        CondKind::Not(inner) => format!("not {}", show_cond(inner, true)),
        CondKind::Touches(s) => format!("change touches {}", set(s)),
        CondKind::OnlyTouches(s) => format!("change only touches {}", set(s)),
        CondKind::OnlyIn(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(|kind| safe_kind(*kind)).collect();
            format!("change only in {}", kinds.join(", "))
        }
        CondKind::Adds(s) => format!("change adds {}", set(s)),
        CondKind::Removes(s) => format!("change removes {}", set(s)),
        CondKind::Renames(s) => format!("change renames {}", set(s)),
        CondKind::SignaturesChange(s) => format!("signatures change in {}", set(s)),
        CondKind::NewEdges { kinds, from, to } => {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("{} ", edge(*kind))).collect();
            format!("new edges {}from {} to {}", kinds.join("or "), show_set(from, true), show_set(to, true))
        }
        CondKind::TestsRemoved => "tests removed".to_owned(),
        CondKind::TestsWeakened => "tests weakened".to_owned(),
        CondKind::AddedLinesContain { set: s, literals } => {
            let literals: Vec<String> = literals.iter().map(|text| format!("\"{}\"", text.value)).collect();
            format!("added code lines in {} contain {}", set(s), literals.join(", "))
        }
        CondKind::DocumentationRemoved(s) => format!("documentation removed in {}", set(s)),
        CondKind::FlagsRemoved(s) => format!("flags removed of {}", set(s)),
        CondKind::ContractsChange(s) => format!("contracts change of {}", set(s)),
        CondKind::AnyEdit(s) => format!("any edit in {}", set(s)),
        CondKind::LinesChanged(s, compare, limit) => {
            format!("lines changed in {} {}", set(s), comparison(*compare, limit))
        }
        CondKind::FilesChanged(s, compare, limit) => {
            format!("files changed in {} {}", set(s), comparison(*compare, limit))
        }
        CondKind::AnyOf(s, test) => format!("any of {} has {}", set(s), field_test(test)),
        CondKind::PackageChange(kind) => {
            let kind = match kind {
                PackageMove::Major => "major",
                PackageMove::New => "new",
                PackageMove::Downgrade => "downgrade",
            };
            format!("package change is {kind}")
        }
        CondKind::Operation(names) => {
            let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            format!("operation is {}", names.join(", "))
        }
        CondKind::VerifiedBot(bot) => format!("actor is verified bot(\"{}\")", bot.value),
        CondKind::Ticket(glob) => format!("ticket \"{}\"", glob.value),
        CondKind::Branch(glob) => format!("branch \"{}\"", glob.value),
        CondKind::RationaleMissing => "rationale missing".to_owned(),
        CondKind::StoryLacks(field) => format!("story lacks {}", field.text),
        CondKind::Count(s, compare, limit) => format!("count({}) {}", set(s), comparison(*compare, limit)),
        CondKind::IsEmpty(s) => format!("{} is empty", show_set(s, true)),
        CondKind::During(window) => format!("during {}", window.text),
        CondKind::BundleRate { rate: word, bundle, runs, compare, value } => {
            let over = format!("over last {} runs {}", thousandths(runs.thousandths), comparison(*compare, value));
            match bundle {
                Some(bundle) => format!("{} of bundle({}) {over}", rate(*word), bundle.text),
                None => format!("any required bundle has {} {over}", rate(*word)),
            }
        }
        CondKind::BundleFailed(FailedBundle::Required) => "any required bundle failed".to_owned(),
        CondKind::BundleFailed(FailedBundle::Critical) => "any critical bundle failed".to_owned(),
        CondKind::BundleFailed(FailedBundle::Named(name)) => format!("bundle({}) failed", name.text),
        CondKind::Kpi(test) => format!("{} {}", kpi(test), comparison(test.compare, &test.value)),
        CondKind::TrustBelowMinimum => "trust below minimum".to_owned(),
        CondKind::NoTestReaches => "no test reaches the change".to_owned(),
    }
}

/// A kind of edge.
pub(crate) fn edge(kind: EdgeWord) -> &'static str {
    match kind {
        EdgeWord::Imports => "imports",
        EdgeWord::Calls => "calls",
        EdgeWord::Inherits => "inherits",
        EdgeWord::References => "references",
    }
}

/// An approval as written, without its `else`.
pub(crate) fn approval(approval: &Approval) -> String {
    let mut text = format!("{} of {}", approval.count, approver(&approval.by));
    let mut among: Vec<(String, u32)> = approval.among.iter().map(|(count, by)| (approver(by), *count)).collect();
    among.sort();
    for (by, count) in among {
        text.push_str(&format!(", {count} of them of {by}"));
    }
    if approval.extra { format!("extra {text}") } else { text }
}

fn approver(by: &Approver) -> String {
    match by {
        Approver::Anyone => "anyone".to_owned(),
        Approver::Team(team) => format!("team({})", team.text),
        Approver::OwnerOfEachFile(files) => format!("an owner of each file in {}", set(files)),
    }
}
