//! Every example of the language page and of the ten policies parses as it is written there.

use grace_dsl::parse;

use crate::support::{check_texts, rendered};

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

#[test]
fn an_unknown_tag_looks_as_the_language_page_draws_it() {
    let rule = "\n\n\nrule a : tier 2\n  when change touches tag(kernal)\n  because \"x\"\n";
    let tags = "tag kernel on path(\"kernels/**\")\n";
    let found = check_texts(&[rule, tags]);
    assert_eq!(found.len(), 1, "{found:?}");
    insta::assert_snapshot!(rendered(&found[0], "grace/layer1.grace", rule), @r#"
      × error[E021]: unknown tag `kernal`
       ╭─[grace/layer1.grace:5:27]
     4 │ rule a : tier 2
     5 │   when change touches tag(kernal)
       ·                           ───┬──
       ·                              ╰── no tag of this name is defined
     6 │   because "x"
       ╰────
      help: did you mean `kernel`, defined at b.grace:1?
    "#);
}
