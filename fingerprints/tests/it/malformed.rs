use grace_fingerprints::{parse, summary};
use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

/// Everything that is said of a text, as a terminal without colours shows it.
fn said(text: &str) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    for problem in parse("grace/m.yaml", text).unwrap_err() {
        handler.render_report(&mut out, &problem).unwrap();
    }
    out
}

const HEAD: &str = "model_name: \"m:1b\"\nmodel_type: m\nlicence: MIT\ncommercial_use: allowed\n";

fn with(rest: &str) -> String {
    said(&format!("{HEAD}{rest}"))
}

#[test]
fn an_unknown_key_gets_the_key_that_was_meant() {
    insta::assert_snapshot!(with("context_windw: 4096\n"), @r#"
    F002

      × unknown key `context_windw`
       ╭─[grace/m.yaml:5:1]
     4 │ commercial_use: allowed
     5 │ context_windw: 4096
       · ─────────────
       ╰────
      help: did you mean `context_window`?
    "#);
}

#[test]
fn a_key_like_no_other_gets_the_list() {
    insta::assert_snapshot!(with("colour: red\n"), @r#"
    F002

      × unknown key `colour`
       ╭─[grace/m.yaml:5:1]
     4 │ commercial_use: allowed
     5 │ colour: red
       · ──────
       ╰────
      help: known are `model_name`, `model_type`, `licence`, `commercial_use`, `strengths`,
            `weaknesses`, `typical_latency_ms`, `context_window`, `output_quality`, `trust_score`,
            `compliance_flags`, `hallucination_rate`, `bias_risk`, `requires_hallucination_test`,
            `requires_bias_check`, `requires_accuracy_validation`, `recommended_for`,
            `not_recommended_for`, `model`, `endpoint`, `evidence`, `seed` and `sources`
    "#);
}

#[test]
fn every_mistake_is_reported_at_once() {
    insta::assert_snapshot!(with("trust_score: 1.5\nrequires_bias_check: yes\nstrengths: speed\n"), @r#"
    F005

      × `trust_score` cannot be `1.5`
       ╭─[grace/m.yaml:5:14]
     4 │ commercial_use: allowed
     5 │ trust_score: 1.5
       ·              ───
     6 │ requires_bias_check: yes
       ╰────
      help: write a number from 0 to 1 with at most three decimals, in plain digits
    F004

      × `requires_bias_check` takes `true` or `false`, this is a text
       ╭─[grace/m.yaml:6:22]
     5 │ trust_score: 1.5
     6 │ requires_bias_check: yes
       ·                      ───
     7 │ strengths: speed
       ╰────
      help: write `true`
    F004

      × `strengths` takes a list of names, this is a text
       ╭─[grace/m.yaml:7:12]
     6 │ requires_bias_check: yes
     7 │ strengths: speed
       ·            ─────
       ╰────
      help: write `[speed]`
    "#);
}

#[test]
fn a_key_that_stands_twice_is_an_error() {
    insta::assert_snapshot!(with("trust_score: 0.9\ntrust_score: 0.1\n"), @r#"
    F006

      × `trust_score` stands twice
       ╭─[grace/m.yaml:6:1]
     5 │ trust_score: 0.9
     6 │ trust_score: 0.1
       · ───────────
       ╰────
      help: keep one of the two
    "#);
}

#[test]
fn a_missing_key_says_what_to_add() {
    insta::assert_snapshot!(said("model_name: \"m:1b\"\nmodel_type: m\ncommercial_use: allowed\n"), @r#"
    F003

      × `licence` is missing
       ╭─[grace/m.yaml:1:1]
     1 │ model_name: "m:1b"
       · ▲
     2 │ model_type: m
       ╰────
      help: add `licence: …`, a text
    "#);
}

#[test]
fn a_word_that_is_none_of_the_choices_gets_the_nearest() {
    insta::assert_snapshot!(with("bias_risk: medum\n"), @r#"
    F005

      × `bias_risk` cannot be `medum`
       ╭─[grace/m.yaml:5:12]
     4 │ commercial_use: allowed
     5 │ bias_risk: medum
       ·            ─────
       ╰────
      help: did you mean `medium`?
    "#);
}

#[test]
fn a_number_in_quotes_is_no_number() {
    insta::assert_snapshot!(with("typical_latency_ms: \"2000 ms\"\n"), @r#"
    F004

      × `typical_latency_ms` takes a whole number from 1 to 600000, this is a text
       ╭─[grace/m.yaml:5:21]
     4 │ commercial_use: allowed
     5 │ typical_latency_ms: "2000 ms"
       ·                     ─────────
       ╰────
      help: write the number without quotes and units
    "#);
}

#[test]
fn a_number_out_of_range_says_the_range() {
    insta::assert_snapshot!(with("context_window: 0\n"), @r#"
    F005

      × `context_window` cannot be `0`
       ╭─[grace/m.yaml:5:17]
     4 │ commercial_use: allowed
     5 │ context_window: 0
       ·                 ─
       ╰────
      help: write a whole number from 1 to 100000000, in plain digits
    "#);
}

#[test]
fn a_share_with_more_decimals_than_are_kept_is_refused() {
    insta::assert_snapshot!(with("trust_score: 0.12345\n"), @r#"
    F005

      × `trust_score` cannot be `0.12345`
       ╭─[grace/m.yaml:5:14]
     4 │ commercial_use: allowed
     5 │ trust_score: 0.12345
       ·              ───────
       ╰────
      help: write a number from 0 to 1 with at most three decimals, in plain digits
    "#);
}

#[test]
fn a_number_in_any_other_notation_than_plain_digits_is_refused() {
    for written in ["0x10", "0o17", "1_000", "1e3", "+5", "08", "-1", "8192.0", ".inf", ".nan", "1e400", "!!int \"5\""]
    {
        assert!(with(&format!("context_window: {written}\n")).contains("F005"), "context_window: {written}");
    }
    for written in [".5", "5.", "-0.0", "1e-1", "00.5", "1.0000000001", "0.30000000000000004"] {
        assert!(with(&format!("trust_score: {written}\n")).contains("F00"), "trust_score: {written}");
    }
    for (written, thousandths) in [("0", 0), ("1", 1000), ("1.000", 1000), ("0.5", 500), ("0.85", 850), ("0.001", 1)] {
        let model = parse("m.yaml", &format!("{HEAD}trust_score: {written}\n")).unwrap();
        assert_eq!(model.trust_score.0, thousandths, "{written}");
    }
}

#[test]
fn a_number_is_shown_as_it_is_written_however_large() {
    insta::assert_snapshot!(with("context_window: 99999999999999999999\n"), @r#"
    F005

      × `context_window` cannot be `99999999999999999999`
       ╭─[grace/m.yaml:5:17]
     4 │ commercial_use: allowed
     5 │ context_window: 99999999999999999999
       ·                 ────────────────────
       ╰────
      help: write a whole number from 1 to 100000000, in plain digits
    "#);
}

#[test]
fn a_text_with_characters_that_are_not_seen_is_refused_and_not_shown() {
    for hidden in ['\u{200b}', '\u{202e}', '\u{2028}', '\u{2066}', '\u{ad}', '\u{e0041}'] {
        let said = said(&format!("model_name: m\nmodel_type: m\nlicence: \"MIT{hidden}\"\ncommercial_use: allowed\n"));
        assert!(said.contains("a character that is not seen"), "{hidden:?}: {said}");
        let problems = parse("m.yaml", &format!("{HEAD}lic{hidden}ence: x\n")).unwrap_err();
        assert!(!problems[0].message.contains(hidden), "{hidden:?}: {}", problems[0].message);
    }
}

#[test]
fn a_model_for_business_cannot_be_flagged_as_not_for_business() {
    insta::assert_snapshot!(with("compliance_flags: [non_commercial]\n"), @r#"
    F007

      × `commercial_use` is `allowed`, and `compliance_flags` has `non_commercial`
       ╭─[grace/m.yaml:4:1]
     3 │ licence: MIT
     4 │ commercial_use: allowed
       · ──────────────
     5 │ compliance_flags: [non_commercial]
       ╰────
      help: keep the one that the licence says
    "#);
}

#[test]
fn a_key_that_is_no_word_is_told_so_without_names_of_the_parser() {
    insta::assert_snapshot!(with("? [a]\n: x\n"), @r#"
    F001

      × not YAML: a key is a word
       ╭─[grace/m.yaml:5:3]
     4 │ commercial_use: allowed
     5 │ ? [a]
       ·   ─
     6 │ : x
       ╰────
      help: check quotes, colons and indentation
    "#);
    insta::assert_snapshot!(with("~: x\n"), @r#"
    F001

      × not YAML: a key without a name
       ╭─[grace/m.yaml:5:1]
     4 │ commercial_use: allowed
     5 │ ~: x
       · ─
       ╰────
      help: check quotes, colons and indentation
    "#);
    assert!(with("5: x\n").contains("unknown key `5`"));
    assert!(with("true: x\n").contains("unknown key `true`"));
}

#[test]
fn a_tag_changes_no_value() {
    assert!(with("context_window: !mine 8192\n").contains("unsupported tag `!mine`"));
    assert!(with("context_window: !!str 8192\n").contains("this is a text"));
    let text = "model_name: m\nmodel_type: m\nlicence: !!binary TUlU\ncommercial_use: allowed\n";
    assert_eq!(parse("m.yaml", text).unwrap().licence, "TUlU");
}

#[test]
fn line_ends_and_a_byte_order_mark_change_neither_values_nor_places() {
    let sound = format!("{HEAD}# é\nseed:\n  licence: \"a b\"\nstrengths:\n  - a\n  - b\n");
    let wrong = format!("{HEAD}# é\nstrengths:\n  - a\n  - 3\ncontext_window: many\n");
    for end in ["\n", "\r\n", "\r"] {
        for mark in ["", "\u{feff}"] {
            let model = parse("m.yaml", &format!("{mark}{}", sound.replace('\n', end)));
            assert_eq!(model.unwrap(), parse("m.yaml", &sound).unwrap(), "{mark:?} {end:?}");
            let text = format!("{mark}{}", wrong.replace('\n', end));
            let problems = parse("m.yaml", &text).unwrap_err();
            let places: Vec<&str> = problems.iter().map(|problem| &text[problem.span.clone()]).collect();
            assert_eq!(places, ["3", "many"], "{mark:?} {end:?}");
        }
    }
}

#[test]
fn one_sentence_names_the_first_mistake_its_line_what_to_do_and_how_many_follow() {
    let one = format!("{HEAD}context_window: many\n");
    let sentence = "line 5: `context_window` takes a whole number from 1 to 100000000, this is a text \
                    (write the number without quotes and units)";
    for end in ["\n", "\r\n", "\r"] {
        let three = format!("{one}colour: red\ntrust_score: 7\n").replace('\n', end);
        assert_eq!(summary(&parse("m.yaml", &one.replace('\n', end)).unwrap_err()), sentence, "{end:?}");
        assert_eq!(
            summary(&parse("m.yaml", &three).unwrap_err()),
            format!("{sentence}, and 2 more mistakes"),
            "{end:?}"
        );
    }
}

#[test]
fn no_more_mistakes_are_listed_than_somebody_reads() {
    let keys: String = (0..300).map(|at| format!("k{at}: 1\n")).collect();
    let problems = parse("m.yaml", &format!("{HEAD}{keys}")).unwrap_err();
    assert_eq!(problems.len(), 51);
    let last = problems.last().unwrap();
    assert_eq!((last.code, last.message.as_str()), ("F008", "250 more mistakes from here on"));
    assert!(problems.is_sorted_by_key(|problem| problem.span.start));
    assert!(summary(&problems).ends_with(", and many more mistakes"));
}

#[test]
fn a_name_in_a_list_and_in_its_opposite_is_a_contradiction() {
    insta::assert_snapshot!(with("strengths: [speed]\nweaknesses: [speed]\n"), @r#"
    F007

      × `speed` is in `strengths` and in `weaknesses`
       ╭─[grace/m.yaml:6:1]
     5 │ strengths: [speed]
     6 │ weaknesses: [speed]
       · ──────────
       ╰────
      help: take it out of one of the two
    "#);
}

#[test]
fn a_wrong_value_under_seed_is_an_error_too() {
    insta::assert_snapshot!(with("seed:\n  trust_score: high\n"), @r#"
    F004

      × `trust_score` takes a number from 0 to 1 with at most three decimals, this is a text
       ╭─[grace/m.yaml:6:16]
     5 │ seed:
     6 │   trust_score: high
       ·                ────
       ╰────
      help: write the number without quotes and units
    "#);
}

#[test]
fn a_source_without_an_address_is_an_error() {
    insta::assert_snapshot!(with("sources:\n  - name: card\n    says: MIT\n"), @r#"
    F003

      × `url` of this source is missing
       ╭─[grace/m.yaml:6:5]
     5 │ sources:
     6 │   - name: card
       ·     ▲
     7 │     says: MIT
       ╰────
      help: a source has a `name`, a `url`, and what it `says`
    "#);
}

#[test]
fn a_text_that_is_no_yaml_says_where() {
    insta::assert_snapshot!(said("model_name: [a\nmodel_type: m\n"), @r#"
    F001

      × not YAML: illegal placement of ':' indicator
       ╭─[grace/m.yaml:2:11]
     1 │ model_name: [a
     2 │ model_type: m
       ·           ─
       ╰────
      help: check quotes, colons and indentation
    "#);
}

#[test]
fn an_empty_file_says_how_to_begin() {
    insta::assert_snapshot!(said(""), @r#"
    F004

      × a fingerprint is a group of keys, this is nothing
       ╭─[grace/m.yaml:1:1]
       ╰────
      help: write `model_name: …`
    "#);
}

#[test]
fn a_list_is_no_fingerprint() {
    insta::assert_snapshot!(said("- a\n- b\n"), @r#"
    F004

      × a fingerprint is a group of keys, this is a list
       ╭─[grace/m.yaml:1:1]
     1 │ - a
       · ▲
     2 │ - b
       ╰────
      help: write `model_name: …`
    "#);
}

#[test]
fn two_documents_are_one_too_many() {
    insta::assert_snapshot!(said(&format!("{HEAD}---\n{HEAD}")), @r#"
    F001

      × more than one document
       ╭─[grace/m.yaml:6:1]
     5 │ ---
     6 │ model_name: "m:1b"
       · ▲
     7 │ model_type: m
       ╰────
      help: keep one model a file, without `---`
    "#);
}

#[test]
fn an_alias_bomb_stops_at_its_first_anchor() {
    let mut bomb = String::from("a: &a [x, x]\n");
    for level in 1..30 {
        bomb.push_str(&format!("a{level}: &a{level} [*a, *a]\n"));
    }
    insta::assert_snapshot!(with(&bomb), @r#"
    F001

      × more structure than a fingerprint has, or an anchor
       ╭─[grace/m.yaml:5:7]
     4 │ commercial_use: allowed
     5 │ a: &a [x, x]
       ·       ─
     6 │ a1: &a1 [*a, *a]
       ╰────
      help: write each value out; anchors, aliases and merge keys are not read
    "#);
}

#[test]
fn a_deep_nest_stops_at_its_limit() {
    let problems = parse("m.yaml", &format!("{HEAD}seed: {}1{}\n", "[".repeat(5000), "]".repeat(5000))).unwrap_err();
    assert_eq!(problems[0].code, "F001");
}

#[test]
fn a_huge_file_is_not_read() {
    let problems = parse("m.yaml", &format!("{HEAD}# {}\n", "x".repeat(70_000))).unwrap_err();
    assert_eq!(problems[0].message, "the file has 70073 bytes, more than 65536");
}

#[test]
fn the_underlined_text_is_the_mistake_also_after_other_letters() {
    let text = format!("# Größe: 模型\n{HEAD}context_windw: 1\n");
    let problems = parse("m.yaml", &text).unwrap_err();
    assert_eq!(&text[problems[0].span.clone()], "context_windw");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse("m.yaml", &text);
    }

    #[test]
    fn a_sound_file_cut_or_changed_anywhere_is_read_or_reported(at in 0usize..900, with in "\\PC{0,3}") {
        let (path, text) = grace_fingerprints::shipped()[0];
        let at = text.char_indices().map(|(byte, _)| byte).take_while(|byte| *byte <= at).last().unwrap_or(0);
        let changed = format!("{}{with}{}", &text[..at], &text[at..]);
        if let Err(problems) = parse(path, &changed) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(changed.get(problem.span.clone()).is_some());
            }
        }
    }
}
