//! Canonical JSON: one text for each value, and no other is taken for it.

use grace_ledger::canonical::{self, MAX_INTEGER, Member};
use proptest::prelude::*;
use serde_json::{Value, json};

fn is_canonical(text: &str) -> bool {
    canonical::scan(text.as_bytes(), |_, _| ()).is_ok()
}

#[test]
fn keys_stand_in_the_order_of_their_utf_16_units() {
    // Those of RFC 8785, section 3.2.3.
    let value = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
    let text = canonical::write(&value).unwrap();
    let mut keys = Vec::new();
    canonical::scan(text.as_bytes(), |key, _| keys.push(key.to_owned())).unwrap();
    assert_eq!(keys, ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"]);
}

#[test]
fn texts_have_the_shortest_escapes() {
    let value = json!({"a": "\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{8}\u{c}\t\r\u{1f}\u{7f}"});
    let text = canonical::write(&value).unwrap();
    assert_eq!(text, "{\"a\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\\b\\f\\t\\r\\u001f\u{7f}\"}");
    assert!(is_canonical(&text));
}

#[test]
fn other_spellings_are_refused() {
    for text in [
        "",
        "{",
        "{}x",
        " {}",
        "{} ",
        "[]",
        "1",
        "{\"a\":1,}",
        "{\"a\" :1}",
        "{\"a\": 1}",
        "{\"b\":1,\"a\":2}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":01}",
        "{\"a\":-0}",
        "{\"a\":+1}",
        "{\"a\":1.0}",
        "{\"a\":1e2}",
        "{\"a\":1E2}",
        "{\"a\":--1}",
        "{\"a\":-}",
        "{\"a\":9007199254740992}",
        "{\"a\":-9007199254740992}",
        "{\"a\":99999999999999999999999999}",
        "{\"a\":nul}",
        "{\"a\":\"\\u0041\"}",
        "{\"a\":\"\\u000a\"}",
        "{\"a\":\"\\u001F\"}",
        "{\"a\":\"\\/\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\ud83d\\ude00\"}",
        "{\"a\":\"x}",
        "{\"a\":[1,]}",
        "{\"a\":[1 ,2]}",
        "{\"\\u0061\":1}",
        "{\"\u{fb33}\":1,\"\u{1f600}\":2}",
    ] {
        assert!(!is_canonical(text), "{text}");
    }
    for text in ["{}", "{\"a\":[]}", "{\"a\":{\"b\":-1},\"b\":[0,true,false,null,\"\"]}", "{\"a\":9007199254740991}"] {
        assert!(is_canonical(text), "{text}");
    }
}

#[test]
fn what_nests_too_deeply_is_refused_and_ends_no_stack() {
    let deep = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(is_canonical(&deep(60)));
    assert!(!is_canonical(&deep(100)));
    assert!(!is_canonical(&format!("{{\"a\":{}", "[".repeat(1_000_000))));
    assert!(!is_canonical(&"{\"a\":".repeat(1_000_000)));
}

#[test]
fn members_are_told_as_they_stand() {
    let mut seen = Vec::new();
    canonical::scan(br#"{"a":-5,"b":"x\ty","c":{"d":1},"e":[{"f":2}]}"#, |key, member| {
        seen.push((key.to_owned(), format!("{member:?}")));
    })
    .unwrap();
    let object = format!("{:?}", Member::Object(br#"{"d":1}"#));
    let expected = [("a", "Integer(-5)"), ("b", "String(\"x\\\\ty\")"), ("c", &object), ("e", "Other")];
    assert_eq!(seen, expected.map(|(key, member)| (key.to_owned(), member.to_owned())));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_canonical_and_means_the_same(value in value()) {
        let value = json!({"a": value});
        let text = canonical::write(&value).unwrap();
        prop_assert!(is_canonical(&text), "{}", text);
        let back: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical::write(&back).unwrap(), text);
        prop_assert_eq!(back, value);
    }

    #[test]
    fn what_is_taken_for_canonical_is_what_would_be_written(
        value in value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = canonical::write(&json!({"a": value})).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if canonical::scan(&bytes, |_, _| ()).is_ok() {
            let back: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(canonical::write(&back).unwrap().into_bytes(), bytes);
        }
    }
}
