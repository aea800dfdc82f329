//! Every example of the language page and of the ten policies parses as it is written there.

use grace_dsl::parse;

const EXAMPLES: [(&str, &str, usize); 3] = [
    ("language", include_str!("../examples/language.grace"), 26),
    ("operational", include_str!("../examples/operational.grace"), 4),
    ("policies", include_str!("../examples/policies.grace"), 14),
];

#[test]
fn every_example_parses_whole() {
    for (name, text, count) in EXAMPLES {
        let parsed = parse(text);
        assert_eq!(parsed.diagnostics, [], "{name}");
        assert_eq!(parsed.broken, [], "{name}");
        assert_eq!(parsed.items.len(), count, "{name}");
    }
}
