//! What rules say of bands: by evidence where the fingerprint carries it, else as declared.

use grace_engine::What;
use grace_engine::plan::{Outcome, Plan};

use crate::support::{Bench, Files, book, files, with};

const BAND: &str = "
band hallucination_rate
  from     evidence fabrication
  low      when upper bound <= 10 %
  high     when lower bound > 30 %
  medium   when interval within 10 % to 30 %
";

/// A fingerprint that declares low, with rows of evidence: metric, value, bounds, sample, day.
fn model(rows: &[(&str, &str, &str, &str, u32, &str)]) -> String {
    let mut text =
        "model_name: \"m:1b\"\nmodel_type: m\nlicence: MIT\ncommercial_use: allowed\nhallucination_rate: low\n"
            .to_owned();
    if !rows.is_empty() {
        text.push_str("evidence:\n");
    }
    for (metric, value, low, high, n, date) in rows {
        text.push_str(&format!(
            "  - metric: {metric}\n    value: {value}\n    low: {low}\n    high: {high}\n    n: {n}\n    set: \"own\"\n    run: \"r1\"\n    date: \"{date}\"\n"
        ));
    }
    text
}

const LOW: (&str, &str, &str, &str, u32, &str) = ("fabrication", "0.0", "0.0", "0.037", 100, "2026-01-01");
const VAGUE: (&str, &str, &str, &str, u32, &str) = ("fabrication", "0.1", "0.055", "0.175", 100, "2026-01-02");
const MEDIUM: (&str, &str, &str, &str, u32, &str) = ("fabrication", "0.18", "0.117", "0.267", 100, "2026-01-03");
const HIGH: (&str, &str, &str, &str, u32, &str) = ("fabrication", "0.95", "0.888", "0.979", 100, "2026-01-04");

/// A change of one line beside the model, under one rule for each test.
fn planned(band: &str, rows: &[(&str, &str, &str, &str, u32, &str)], tests: &[&str]) -> (Bench, Plan) {
    let rules: String = tests
        .iter()
        .enumerate()
        .map(|(at, test)| {
            format!("rule r{at} : tier 2\n  when any of model(\"m:1b\") has hallucination_rate {test}\n  because \"it invents\"\n")
        })
        .collect();
    let text = model(rows);
    let before: Files = files(&[("app.py", "def f():\n    return 1\n"), ("grace/fingerprints/m.yaml", &text)]);
    let after = with(&before, "app.py", "def f():\n    return 2\n");
    let mut bench = Bench::new();
    bench.set(&before, &after, &book(&format!("{band}{rules}")));
    let plan = bench.engine.plan();
    (bench, plan)
}

fn outcomes(band: &str, rows: &[(&str, &str, &str, &str, u32, &str)]) -> Vec<Outcome> {
    let tests = ["is low", "is not low", "is medium", "is high", "is inconclusive", "is unmeasured"];
    let plan = planned(band, rows, &tests).1;
    let rule = |at: usize| plan.rules.iter().find(|rule| rule.name == format!("r{at}"));
    (0..tests.len()).filter_map(rule).map(|rule| rule.outcome).collect()
}

#[test]
fn a_level_follows_from_evidence_and_stands_as_declared_without_any() {
    use Outcome::{DoesNotApply as No, Fires as Yes, Unknown};
    let of = |rows: &[_]| outcomes(BAND, rows);
    // What is declared stands until somebody measures.
    assert_eq!(of(&[]), [Yes, No, No, No, No, Yes]);
    assert_eq!(of(&[LOW]), [Yes, No, No, No, No, No]);
    assert_eq!(of(&[MEDIUM]), [No, Yes, Yes, No, No, No]);
    assert_eq!(of(&[HIGH]), [No, Yes, No, Yes, No, No]);
    // An interval across a cut-off may be either: nothing is lowered by it.
    assert_eq!(of(&[VAGUE]), [Unknown, Unknown, Unknown, Unknown, Yes, No]);
    // The newest counts, wherever it stands.
    assert_eq!(of(&[HIGH, LOW]), of(&[HIGH]));
    // Of another metric is of another band.
    assert_eq!(of(&[("unsupported_in_summary", "0.95", "0.888", "0.979", 100, "2026-01-04")]), of(&[]));
    // Without a band evidence says nothing.
    assert_eq!(outcomes("", &[HIGH]), of(&[]));
}

#[test]
fn what_is_shown_says_which_it_is() {
    let shown = |rows: &[_]| {
        let (mut bench, plan) = planned(BAND, rows, &["is low", "is inconclusive", "is high"]);
        let all = format!("{:?}", plan.tier_derivation);
        let why = format!("{:?}", bench.engine.explain(&What::Rule("r2".to_owned())));
        (all, why)
    };
    assert!(shown(&[]).0.contains("low, declared"), "{}", shown(&[]).0);
    assert!(shown(&[LOW]).0.contains("low, measured"), "{}", shown(&[LOW]).0);
    assert!(shown(&[HIGH]).1.contains("high, measured"), "{}", shown(&[HIGH]).1);
    assert!(shown(&[VAGUE]).0.contains("inconclusive"), "{}", shown(&[VAGUE]).0);
    // Where it does not hold, it is told what there is instead.
    assert!(shown(&[]).1.contains("low, declared"), "{}", shown(&[]).1);
}
