//! Weights, endpoint and evidence: read, or refused where they stand.

use grace_fingerprints::interval::{wilson, wilson_of_share};
use grace_fingerprints::{Evidence, Origin, Thousandths, parse, shipped};

const HEAD: &str = "model_name: \"m:1b\"\nmodel_type: m\nlicence: MIT\ncommercial_use: allowed\n";

/// Every problem as `line CODE message | help`.
fn said(rest: &str) -> Vec<String> {
    let problems = parse("m.yaml", &format!("{HEAD}{rest}")).unwrap_err();
    let help = |problem: &grace_fingerprints::Problem| problem.help.clone().unwrap_or_default();
    problems.iter().map(|one| format!("{} {} {} | {}", one.line(), one.code, one.message, help(one))).collect()
}

fn row(changed: &[(&str, Option<&str>)]) -> String {
    let row = [
        ("metric", "fabrication"),
        ("value", "0.5"),
        ("low", "0.402"),
        ("high", "0.598"),
        ("n", "96"),
        ("set", "\"own items, seed 7\""),
        ("run", "\"20261126T080000Z-1\""),
        ("date", "\"2026-11-26\""),
        ("source", ""),
    ];
    let mut text = String::new();
    for (key, value) in row {
        let value = changed.iter().find(|(name, _)| *name == key).map_or(Some(value), |(_, value)| *value);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.push_str(&format!("    {key}: {value}\n"));
        }
    }
    format!("evidence:\n  -{}", &text[3..])
}

#[test]
fn the_three_layers_are_read() {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let text = format!(
        "{HEAD}context_window: 8192\nmodel:\n  weights: M-1B\n  digest: \"{digest}\"\n  parameters_millions: 1100\n\
         endpoint:\n  host: ollama on a workstation\n  served_context: 4096\n  latency_ms: 900\n  quantisation: q4_0\n{}",
        row(&[])
    );
    let model = parse("m.yaml", &text).unwrap();
    assert_eq!(model.weights.digest.as_deref(), Some(digest.as_str()));
    assert_eq!((model.weights.weights.as_deref(), model.weights.parameters_millions), (Some("M-1B"), Some(1100)));
    assert_eq!((model.endpoint.served_context, model.endpoint.latency_ms), (Some(4096), Some(900)));
    assert_eq!(model.endpoint.quantisation.as_deref(), Some("q4_0"));
    let row = Evidence {
        metric: "fabrication".to_owned(),
        value: Thousandths(500),
        low: Thousandths(402),
        high: Thousandths(598),
        n: 96,
        set: "own items, seed 7".to_owned(),
        date: "2026-11-26".to_owned(),
        origin: Origin::Run("20261126T080000Z-1".to_owned()),
    };
    assert_eq!(model.evidence, [row]);
}

#[test]
fn an_interval_that_its_sample_does_not_bear_out_is_refused() {
    assert_eq!(
        said(&row(&[("value", Some("0.0")), ("low", Some("0.0")), ("high", Some("0.05")), ("n", Some("20"))])),
        [
            "6 F007 the interval 0 to 0.05 is narrower than n = 20 allows | write `low: 0` and `high: 0.161` (Wilson, 95 %)"
        ]
    );
    // A wider one claims less, and is no lie.
    assert!(parse("m.yaml", &format!("{HEAD}{}", row(&[("low", Some("0.2")), ("high", Some("0.9"))]))).is_ok());
}

#[test]
fn a_value_outside_its_interval_is_refused() {
    let wrong = said(&row(&[("value", Some("0.7"))]));
    let help = "write `low`, `value` and `high` in growing order";
    assert_eq!(wrong, [format!("6 F007 the interval 0.402 to 0.598 does not hold the value 0.7 | {help}")]);
}

#[test]
fn each_key_of_a_row_is_needed() {
    for key in ["metric", "value", "low", "high", "n", "set", "date"] {
        let wrong = said(&row(&[(key, None)]));
        assert!(wrong.iter().any(|one| one.contains(&format!("F003 `{key}` of this row"))), "{key}: {wrong:?}");
    }
    assert_eq!(
        said(&row(&[("run", None)])),
        [
            "6 F003 nothing says where this row comes from | add `source: \"https://…\"`, or `run: \"…\"` for one of your own"
        ]
    );
    let both = said(&row(&[("source", Some("\"https://example.org/r\""))]));
    assert_eq!(both, ["6 F007 this row has a `source` and a `run` | keep the one that it comes from"]);
}

#[test]
fn wrong_values_of_a_row_are_named() {
    for (key, value, shown) in [
        ("date", "\"2026-02-30\"", "`date` cannot be `2026-02-30`"),
        ("date", "\"yesterday\"", "`date` cannot be `yesterday`"),
        ("value", "1.5", "`value` cannot be `1.5`"),
        ("n", "0", "`n` cannot be `0`"),
        ("n", "many", "`n` takes a whole number"),
        ("metric", "Made Up", "`Made Up` is no name"),
        ("source", "\"http://example.org\"", "`source` cannot be `http://example.org`"),
    ] {
        let wrong = said(&row(&[(key, Some(value))]));
        assert!(wrong.iter().any(|one| one.contains(shown)), "{key}: {value}: {wrong:?}");
    }
    assert_eq!(
        said("evidence: none\n"),
        ["5 F004 `evidence` is a list, this is a text | write `- metric: …` with its other keys under it"]
    );
    assert!(said("evidence: [3]\n")[0].contains("F004 a row of `evidence` is a group of keys"));
}

#[test]
fn a_digest_and_a_served_context_are_checked() {
    assert!(said("model:\n  digest: \"sha256:abc\"\n")[0].contains("6 F005 `digest` cannot be `sha256:abc`"));
    assert!(said("model:\n  licence: MIT\n")[0].contains("6 F002 unknown key `licence`"));
    let help = "a server cannot offer more than the weights have";
    assert_eq!(
        said("context_window: 4096\nendpoint:\n  served_context: 8192\n"),
        [format!("6 F007 `served_context` is 8192, and the weights' `context_window` is 4096 | {help}")]
    );
}

#[test]
fn more_rows_than_anybody_reads_are_refused() {
    let row = row(&[]);
    let row = row.strip_prefix("evidence:\n").unwrap();
    let text = format!("evidence:\n{}", row.repeat(180));
    // Either bound says no; neither is a hang.
    assert!(!said(&text).is_empty());
}

#[test]
fn intervals_are_those_of_the_tables() {
    assert_eq!(wilson(0, 20), (0, 1612));
    assert_eq!(wilson(0, 40), (0, 877));
    assert_eq!(wilson(0, 100), (0, 370));
    assert_eq!(wilson(4, 100).1, 984);
    assert_eq!(wilson(39, 100).0, 3001);
    assert_eq!(wilson(19, 20), (7638, 9912));
    assert_eq!(wilson(20, 20), (8388, 10000));
    assert_eq!(wilson(0, 0), (0, 10000));
    // More than there were is no more than all.
    assert_eq!(wilson(9, 3), wilson(3, 3));
    assert_eq!(wilson_of_share(Thousandths(95), 831), (Thousandths(77), Thousandths(117)));
}

#[test]
fn what_ships_as_evidence_has_a_page_and_an_honest_interval() {
    let mut rows = 0;
    for (path, text) in shipped() {
        let model = parse(path, text).unwrap();
        assert!(model.weights.weights.is_some(), "{path}");
        for row in &model.evidence {
            rows += 1;
            assert!(matches!(&row.origin, Origin::Source(url) if url.contains("/blob/")), "{path}");
            assert_eq!((row.low, row.high), wilson_of_share(row.value, row.n), "{path}");
        }
    }
    assert_eq!(rows, 12);
}

#[test]
fn other_weights_another_endpoint_and_lost_evidence_are_another_contract() {
    let read = |rest: &str| parse("m.yaml", &format!("{HEAD}{rest}")).unwrap();
    let (bare, full) = (read(""), read(&format!("model:\n  weights: A\nendpoint:\n  host: b\n{}", row(&[]))));
    assert_eq!(full.differences(&full), Vec::<&str>::new());
    assert_eq!(full.differences(&bare), ["weights", "endpoint", "evidence"]);
    assert_eq!(bare.differences(&read(&row(&[]))), Vec::<&str>::new());
    assert_eq!(bare.differences(&read("trust_score: 0.9\n")), ["trust_score"]);
}
