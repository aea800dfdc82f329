use std::collections::BTreeMap;

use grace_fingerprints::{
    CommercialUse, FIELDS, Fingerprint, Level, Strategy, Thousandths, Value, parse, shipped as files,
};

fn all() -> BTreeMap<String, Fingerprint> {
    files()
        .iter()
        .map(|(path, text)| {
            let fingerprint = parse(path, text).unwrap_or_else(|problems| panic!("{path}: {problems:?}"));
            (fingerprint.model_name.clone(), fingerprint)
        })
        .collect()
}

fn list(names: &str) -> Vec<String> {
    names.split_whitespace().map(str::to_owned).collect()
}

/// What the seed document says of a field: kept under `seed` where the published value differs.
fn seed(fingerprint: &Fingerprint, field: &str) -> Value {
    fingerprint.seed.get(field).cloned().or_else(|| fingerprint.field(field)).unwrap()
}

/// model, type, latency, context, quality, trust, hallucination, bias, flags, strengths, weaknesses, for, not for
type Row = (
    &'static str,
    &'static str,
    u32,
    u32,
    Level,
    u64,
    Level,
    Level,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

use Level::{High, Low, Medium};

#[rustfmt::skip]
const DETAILED: &[Row] = &[
    ("llama3.2:3b", "llama", 2000, 4096, High, 900, Low, Low, "open_license llama_license",
     "code_generation reasoning balanced_performance", "context_limited",
     "code_generation general_tasks reasoning", "very_long_documents"),
    ("mistral:7b", "mistral", 3000, 8192, High, 850, Low, Medium, "apache2_license open_license",
     "reasoning instruction_following long_form", "slower_than_phi",
     "long_form_text reasoning complex_tasks", "latency_critical"),
    ("phi3:medium", "phi", 1500, 4096, Medium, 800, Medium, Low, "mit_license open_license",
     "speed efficiency low_resource", "context_limited quality_tradeoff",
     "fast_responses low_resource simple_tasks", "complex_reasoning long_context"),
    ("qwen2.5-coder:7b", "qwen", 2500, 32768, High, 900, Low, Low, "qwen_license open_license",
     "code_generation code_understanding debugging", "not_for_general_text",
     "code_generation debugging refactoring", "general_conversation creative_writing"),
    ("gemma2:9b", "gemma", 4000, 8192, High, 850, Low, Low, "gemma_license open_license",
     "reasoning safety instruction_following", "slower resource_intensive",
     "reasoning safety_critical instruction_following", "latency_critical low_resource"),
];

const SHORT: &[(&str, &str, &str)] = &[
    ("codellama:7b", "codellama", "code_generation"),
    ("deepseek-coder:6.7b", "deepseek", "code_generation efficiency"),
    ("starcoder2:7b", "starcoder", "code_generation multilingual"),
    ("solar:10.7b", "solar", "reasoning long_context"),
    ("yi:6b", "yi", "reasoning chinese_support"),
    ("orca-mini:3b", "orca", "speed efficiency"),
    ("vicuna:7b", "vicuna", "conversation instruction_following"),
    ("openhermes:7b", "openhermes", "reasoning balanced"),
    ("wizardcoder:7b", "wizardcoder", "code_generation"),
    ("nous-hermes2:10.7b", "nous", "reasoning long_form"),
];

#[test]
fn fifteen_models_ship_and_no_other() {
    let names: Vec<String> = all().into_keys().collect();
    let mut wanted: Vec<&str> =
        DETAILED.iter().map(|row| row.0).chain(SHORT.iter().map(|(name, _, _)| *name)).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    assert_eq!(names.len(), 15);
}

#[test]
fn the_five_detailed_models_hold_the_seeds_values() {
    let all = all();
    for (name, kind, latency, context, quality, trust, hallucination, bias, flags, good, bad, for_, not_for) in DETAILED
    {
        let model = &all[*name];
        assert_eq!(model.model_type, *kind, "{name}");
        assert_eq!(model.typical_latency_ms, *latency, "{name}");
        assert_eq!(seed(model, "context_window"), Value::Number(Thousandths(u64::from(*context) * 1000)), "{name}");
        assert_eq!(model.output_quality, *quality, "{name}");
        assert_eq!(model.trust_score, Thousandths(*trust), "{name}");
        assert_eq!(model.hallucination_rate, *hallucination, "{name}");
        assert_eq!(model.bias_risk, *bias, "{name}");
        assert_eq!(seed(model, "compliance_flags"), Value::List(list(flags)), "{name}");
        assert_eq!(model.strengths, list(good), "{name}");
        assert_eq!(model.weaknesses, list(bad), "{name}");
        assert_eq!(model.recommended_for, list(for_), "{name}");
        assert_eq!(model.not_recommended_for, list(not_for), "{name}");
    }
}

#[test]
fn the_ten_short_models_hold_the_seeds_values() {
    let all = all();
    for (name, kind, strengths) in SHORT {
        let model = &all[*name];
        assert_eq!(model.model_type, *kind, "{name}");
        assert_eq!(model.typical_latency_ms, 3000, "{name}");
        assert_eq!(model.trust_score, Thousandths(750), "{name}");
        assert_eq!(seed(model, "context_window"), Value::Number(Thousandths(4_096_000)), "{name}");
        assert_eq!(seed(model, "compliance_flags"), Value::List(list("open_license")), "{name}");
        assert_eq!(model.output_quality, Medium, "{name}");
        assert_eq!((model.hallucination_rate, model.bias_risk), (Low, Low), "{name}");
        assert_eq!(model.strengths, list(strengths), "{name}");
        assert_eq!(model.recommended_for, model.strengths, "{name}");
        assert_eq!(model.validations(), [Strategy::AccuracyValidation], "{name}");
    }
}

#[test]
fn a_mistral_change_asks_for_hallucination_bias_and_accuracy() {
    assert_eq!(
        all()["mistral:7b"].validations(),
        [Strategy::HallucinationDetection, Strategy::BiasEvaluation, Strategy::AccuracyValidation]
    );
}

#[test]
fn a_qwen_coder_change_asks_for_accuracy() {
    assert_eq!(all()["qwen2.5-coder:7b"].validations(), [Strategy::AccuracyValidation]);
}

#[test]
fn a_phi_3_change_asks_for_hallucination_and_accuracy() {
    let phi = &all()["phi3:medium"];
    assert_eq!(phi.validations(), [Strategy::HallucinationDetection, Strategy::AccuracyValidation]);
    assert_eq!(phi.hallucination_rate, Medium);
}

#[test]
fn a_gemma_change_asks_for_bias_and_accuracy() {
    assert_eq!(all()["gemma2:9b"].validations(), [Strategy::BiasEvaluation, Strategy::AccuracyValidation]);
}

#[test]
fn a_model_that_requires_nothing_must_at_least_answer() {
    let text = "model_name: \"m:1b\"\nmodel_type: m\nlicence: MIT\ncommercial_use: allowed\n\
                requires_accuracy_validation: false\n";
    assert_eq!(parse("m.yaml", text).unwrap().validations(), [Strategy::BasicInference]);
}

#[test]
fn limits_follow_from_latency_and_trust() {
    let all = all();
    assert_eq!(all["phi3:medium"].max_latency_ms(), 2250);
    assert_eq!(all["phi3:medium"].min_trust(), Thousandths(700));
    assert_eq!(all["mistral:7b"].max_latency_ms(), 4500);
    assert_eq!(all["mistral:7b"].min_trust().to_string(), "0.75");
}

#[test]
fn what_a_file_leaves_out_has_the_seeds_default() {
    let text = "model_name: \"m:1b\"\nmodel_type: m\nlicence: MIT\ncommercial_use: unknown\n";
    let model = parse("m.yaml", text).unwrap();
    assert_eq!((model.typical_latency_ms, model.context_window), (2000, 4096));
    assert_eq!((model.output_quality, model.trust_score), (Medium, Thousandths(800)));
    assert_eq!((model.hallucination_rate, model.bias_risk), (Low, Low));
    assert_eq!(model.validations(), [Strategy::AccuracyValidation]);
}

#[test]
fn the_two_non_commercial_licences_are_marked() {
    let forbidden: Vec<String> = all()
        .into_values()
        .filter(|model| model.commercial_use == CommercialUse::NotAllowed)
        .map(|model| format!("{} {}", model.model_name, model.licence))
        .collect();
    assert_eq!(forbidden, ["orca-mini:3b CC-BY-NC-SA-4.0", "solar:10.7b CC-BY-NC-4.0"]);
}

#[test]
fn published_values_differ_from_the_seeds_only_where_it_is_kept_and_sourced() {
    for (name, model) in all() {
        assert!(!model.sources.is_empty(), "{name} cites no source");
        assert!(model.sources.iter().all(|source| source.url.starts_with("https://")), "{name}");
        for (field, value) in &model.seed {
            assert_ne!(model.field(field).as_ref(), Some(value), "{name}: `{field}` under `seed` says nothing new");
        }
    }
    let windows: Vec<(String, u32)> = all()
        .into_values()
        .filter(|model| model.seed.contains_key("context_window"))
        .map(|model| (model.model_name, model.context_window))
        .collect();
    let windows: Vec<(&str, u32)> = windows.iter().map(|(name, window)| (name.as_str(), *window)).collect();
    assert_eq!(
        windows,
        [
            ("codellama:7b", 16384),
            ("deepseek-coder:6.7b", 16384),
            ("llama3.2:3b", 131072),
            ("mistral:7b", 32768),
            ("openhermes:7b", 8192),
            ("orca-mini:3b", 2048),
            ("starcoder2:7b", 16384),
            ("wizardcoder:7b", 16384),
        ]
    );
}

#[test]
fn a_source_says_each_licence_and_each_window() {
    for (name, model) in all() {
        let said = |what: &str| model.sources.iter().any(|source| source.says.contains(what));
        assert!(said(&model.licence), "{name}: no source says `{}`", model.licence);
        assert!(said(&model.context_window.to_string()), "{name}: no source says {}", model.context_window);
    }
}

#[test]
fn every_field_is_found_by_its_name_and_no_other_is() {
    let model = &all()["solar:10.7b"];
    assert_eq!(model.field("commercial_use"), Some(Value::Text("not_allowed".to_owned())));
    assert_eq!(model.field("requires_hallucination_test"), Some(Value::Bool(false)));
    assert_eq!(model.field("trust_score"), Some(Value::Number(Thousandths(750))));
    assert_eq!(model.field("compliance_flags"), Some(Value::List(list("cc_by_nc_license non_commercial"))));
    assert_eq!(model.field("trust"), None);
    assert_eq!(model.to_facts().map(|(name, _)| name).collect::<Vec<_>>(), FIELDS);
}
