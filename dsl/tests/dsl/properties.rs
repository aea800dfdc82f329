//! What holds for every text: no panic, no hang, and the formatter keeps what it is given.
#![expect(clippy::disallowed_methods, reason = "a test measures time")]

use std::time::{Duration, Instant};

use grace_dsl::{FormatError, Parsed, format, parse};
use proptest::prelude::*;

const TEXTS: [&str; 3] = [
    include_str!("../examples/language.grace"),
    include_str!("../examples/policies.grace"),
    include_str!("../examples/operational.grace"),
];

/// The texts cut into words, marks, strings, comments and white space.
fn pieces(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-')).unwrap_or(rest.len())
            }
            '<' | '>' if rest[1..].starts_with('=') => 2,
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        found.push(piece);
        rest = after;
    }
    found
}

/// Up to the quote that no backslash stands before.
fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == '"' && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

fn sound(parsed: &Parsed, text: &str) {
    for diagnostic in &parsed.diagnostics {
        assert!(text.get(diagnostic.span.clone()).is_some(), "{diagnostic:?} is no place of the text");
    }
    for broken in &parsed.broken {
        assert!(text.get(broken.span.clone()).is_some(), "{broken:?} is no place of the text");
    }
    for item in 0..parsed.items.len() {
        assert!(parsed.map.item(item).is_some_and(|span| text.get(span).is_some()));
    }
    assert_eq!(parsed.broken.is_empty(), parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
}

fn formats_soundly(text: &str) {
    match format(text) {
        Ok(once) => {
            assert_eq!(format(&once).as_deref(), Ok(once.as_str()));
            assert_eq!(parse(&once).items, parse(text).items);
            let comments = |text: &str| -> Vec<String> {
                parse(text).comments.iter().map(|span| text[span.clone()].to_owned()).collect()
            };
            assert_eq!(comments(&once), comments(text));
        }
        Err(FormatError::Invalid(_)) => {}
        Err(FormatError::Unsound) => panic!("unsound for {text:?}"),
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{2,6}x".prop_map(|name| format!("n_{name}"))
}

fn set() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("all".to_owned()),
        Just("tests".to_owned()),
        Just("generated".to_owned()),
        name(),
        name().prop_map(|name| format!("tag({name})")),
        (name(), name()).prop_map(|(family, value)| format!("{family}({value})")),
        "[a-z*/#]{1,8}".prop_map(|glob| format!("path(\"{glob}\") ignoring case")),
        "[a-z.]{1,8}".prop_map(|name| format!("package(\"{name}\" \"{name}\")")),
        Just("matches(name, \"^a\\\\d+\\\"$\")".to_owned()),
        Just("bound to model(\"m:*\")".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (prop_oneof![Just("plus"), Just("within"), Just("except")], prop::collection::vec(inner.clone(), 2..4))
                .prop_map(|(operator, parts)| format!("({})", parts.join(&format!(" {operator} ")))),
            (prop_oneof![Just("files"), Just("modules"), Just("members"), Just("header")], inner.clone())
                .prop_map(|(prefix, set)| format!("{prefix} of {set}")),
            (
                prop_oneof![Just("callers"), Just("certain importers"), Just("tests of"), Just("imported by")],
                inner,
                1u8..9
            )
                .prop_map(|(walk, set, far)| format!("{walk}({set}, within {far})")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        set().prop_map(|set| format!("change touches {set}")),
        set().prop_map(|set| format!("any edit in {set}")),
        set().prop_map(|set| format!("{set} is empty")),
        (set(), set()).prop_map(|(from, to)| format!("new edges imports or calls from {from} to {to}")),
        (set(), 0u32..999).prop_map(|(set, count)| format!("count({set}) >= {count}")),
        Just("tests removed".to_owned()),
        Just("actor is verified bot(\"b\")".to_owned()),
        Just("kpi(k) p95 over 24 h at most 0.125 s".to_owned()),
        Just("any of models where requires_bias_check and trust_score < 0.8 has licence is \"MIT\"".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (prop_oneof![Just("and"), Just("or")], prop::collection::vec(inner.clone(), 2..4))
                .prop_map(|(joint, parts)| format!("({})", parts.join(&format!(" {joint} ")))),
            inner.prop_map(|cond| format!("not {cond}")),
        ]
    })
}

fn item() -> impl Strategy<Value = String> {
    let requirement = prop_oneof![
        name().prop_map(|name| format!("bundle({name}) narrowed to impacted tests")),
        (name(), set()).prop_map(|(team, set)| format!(
            "approval 2 of an owner of each file in {set}, 1 of them of team({team}), else anyone"
        )),
        Just("ticket \"A-*\"".to_owned()),
        Just("extra approval 1 of anyone".to_owned()),
    ];
    let rule = (name(), 1u8..4, condition(), prop::collection::vec(requirement, 1..6), "[a-z \\\\\"#]{0,30}").prop_map(
        |(name, tier, condition, require, because)| {
            let because = because.replace('\\', "\\\\").replace('"', "\\\"");
            format!("rule {name} : tier {tier} when {condition} require {} because \"{because}\"", require.join(", "))
        },
    );
    let define = (name(), set()).prop_map(|(name, set)| format!("define {name} = {set} may be empty"));
    let tag = (name(), name(), set()).prop_map(|(tag, value, set)| format!("tag {tag}({value}) on {set}"));
    let waiver = (name(), name(), set(), condition()).prop_map(|(name, of, set, condition)| {
        format!("waiver {name} of {of} for {set} waives tier, approval of team(t) when {condition} granted by team(t) ticket \"T\" until 2026-12-31 because \"x\"")
    });
    prop_oneof![rule, define, tag, waiver]
}

/// The same tokens with other white space and comments between them. Where a line break would make an item's keyword
/// the first word of a line, or a new line of an operational item, none is put.
fn respaced(text: &str, gaps: &[u8]) -> String {
    let mut made = String::new();
    for (at, word) in pieces(text).into_iter().filter(|piece| !piece.trim().is_empty()).enumerate() {
        let keyword = grace_dsl::vocabulary::begins_item(word);
        let item = keyword && matches!(word, "rule" | "define" | "tag" | "waiver");
        match gaps.get(at % gaps.len()).copied().unwrap_or_default() % 6 {
            _ if keyword && !item => made.push(' '),
            0 => made.push_str("\n  "),
            1 => made.push_str(" # a comment\n\t"),
            2 => made.push_str("\n# at the edge \"\n\n"),
            3 => made.push_str("\r\n"),
            _ => made.push(' '),
        }
        made.push_str(word);
    }
    made
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_any_text_never_panics(text in "\\PC{0,200}|[a-z\"()#,\\n :=%0-9.-]{0,300}") {
        sound(&parse(&text), &text);
        formats_soundly(&text);
    }

    #[test]
    fn parsing_a_damaged_file_never_panics(which in 0usize..3, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..5), 1..6)) {
        let mut words = pieces(TEXTS[which]);
        for (at, other, how) in damage {
            if words.is_empty() { break; }
            let (at, other) = (at.index(words.len()), other.index(words.len()));
            match how {
                0 => { words.remove(at); }
                1 => words.swap(at, other),
                2 => { let copy = words[other]; words.insert(at, copy); }
                3 => { words.insert(at, "\""); }
                _ => words.truncate(at),
            }
        }
        let text = words.concat();
        sound(&parse(&text), &text);
        formats_soundly(&text);
    }

    #[test]
    fn generated_items_parse_and_white_space_is_free(items in prop::collection::vec(item(), 1..4), gaps in prop::collection::vec(any::<u8>(), 1..40)) {
        let text = items.join("\n");
        let parsed = parse(&text);
        prop_assert_eq!(&parsed.diagnostics, &[], "{}", text);
        prop_assert_eq!(parsed.items.len(), items.len());
        let free = respaced(&text, &gaps);
        prop_assert_eq!(&parse(&free).items, &parsed.items, "{}", free);
        formats_soundly(&free);
        prop_assert!(format(&free).is_ok());
    }
}

#[test]
fn time_grows_with_length_and_not_with_nesting() {
    let nested = |open: &str, depth: usize, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let conditions = nested("(", 63, "tests is empty", ")");
    let broken = nested("(not (", 31, "tests is", "))");
    let sets = nested("callers(", 60, "tests", ", within 1)");
    let long: Vec<String> = (0..20_000).map(|number| format!("PRINCIPLE_{number}")).collect();
    let many: String =
        (0..1_500).map(|number| format!("define d{number} = path(\"a/{number}/**\") plus tests\n")).collect();
    let bad: String = (0..1_000).map(|number| format!("rule r{number} : tier 2\n  whn tests removed\n")).collect();
    let texts = [
        format!("rule a : tier 2 when {conditions} because \"x\""),
        format!("rule a : tier 2 when {broken} because \"x\""),
        format!("define a = {sets}"),
        format!("rule a : tier 2 when tests removed upholds {} because \"x\"", long.join(", ")),
        "not ".repeat(100_000),
        format!("rule a : tier 2 when {} tests removed because \"x\"", "not ".repeat(100_000)),
        format!("define a = {}tests", "files of ".repeat(50_000)),
        format!("define a = tests{}", " plus tests".repeat(50_000)),
        "(".repeat(1 << 20),
        "\"".repeat(1 << 16),
        "a\n".repeat(10_000),
        "rule \n".repeat(5_000),
        many,
        bad,
    ];
    for text in texts {
        let start = Instant::now();
        let parsed = parse(&text);
        let _ = format(&text);
        let took = start.elapsed();
        let head: String = text.chars().take(60).collect();
        assert!(
            took < Duration::from_secs(60),
            "{took:?} for {} bytes of {head:?}, {} errors",
            text.len(),
            parsed.diagnostics.len()
        );
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_by_name() {
    let codes = |text: &str| -> Vec<&str> { parse(text).diagnostics.iter().map(|found| found.code.as_str()).collect() };
    assert_eq!(codes(&" ".repeat(grace_dsl::LARGEST + 1)), ["E015"]);
    assert_eq!(codes(&format!("define a = {}tests{}", "(".repeat(65), ")".repeat(65))), ["E016"]);
    assert_eq!(codes(&format!("define a = tests{}", " plus tests".repeat(400))), ["E016"]);
    assert_eq!(codes(&format!("define a = {}tests", "files of ".repeat(400))), ["E016"]);
    assert_eq!(codes(&format!("define a = {}tests{}", "(".repeat(63), ")".repeat(63))), [""; 0]);
}
