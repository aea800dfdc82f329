use grace_fingerprints::parse;
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
            `not_recommended_for`, `seed` and `sources`
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
      help: write a number from 0 to 1 with at most three decimals
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
      help: write a whole number from 1 to 100000000
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
      help: write a number from 0 to 1 with at most three decimals
    "#);
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
