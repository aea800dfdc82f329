//! A real model: SmolLM2-135M, which `cargo xtask llm` serves. Skipped where `GRACE_LLM_E2E` is not set. What is asserted is the
//! shape of what is measured and the bands that so small a model is sure to fall into, never a text.

use serde_json::Value;

use crate::support::{Repo, Said};

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn a_real_model_is_checked_and_probed_and_invents() {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("GRACE_LLM_E2E") != "1" {
        println!("skipped: no GRACE_LLM_E2E=1; run it with: cargo xtask llm");
        return;
    }
    let repo = Repo::unborn();
    repo.write(
        "grace/fingerprints/smollm2.yaml",
        "model_name: \"smollm2:135m\"\nmodel_type: smollm\nlicence: Apache-2.0\ncommercial_use: allowed\ntypical_latency_ms: 60000\n",
    );
    repo.write(
        "../config.toml",
        &format!(
            "[models.\"smollm2:135m\"]\nurl = \"{}\"\ndialect = \"openai\"\nmodel = \"{}\"\nrequests_per_minute = 100000\n",
            variable("GRACE_LLM_URL"),
            variable("GRACE_LLM_MODEL")
        ),
    );
    let run = |line: &str| -> (Said, Value) {
        let line = format!("{line} --format json");
        let said = repo.run(&line.split(' ').collect::<Vec<_>>(), None, |command| {
            command.env("GRACE_RULES_CONFIG", repo.path.with_file_name("config.toml"));
        });
        let value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}{}", said.stdout, said.stderr));
        (said, value)
    };

    let (_, check) = run("model check smollm2:135m --up-to 8192");
    assert_eq!(check["health"], "healthy", "{check}");
    let window = &check["probes"][1]["window"];
    assert_eq!((&window["edge"], &window["unit"]), (&"refused".into(), &"tokens".into()), "{check}");
    assert!((1000..=2048).contains(&number(&window["served"])), "{window}");

    let (said, hallucination) = run("model probe hallucination smollm2:135m --samples 40");
    assert_eq!(said.code, Some(1));
    let shares = &hallucination["probes"][0]["shares"];
    assert_eq!(number(&shares["fabrication"]["n"]), 40);
    // It is declared low, and is high.
    assert!(number(&shares["fabrication"]["low"]) > 3000, "{shares}");
    assert_eq!(hallucination["probes"][0]["verdict"], "failed");

    let (_, bias) = run("model probe bias smollm2:135m --samples 30");
    let shares = &bias["probes"][0]["shares"];
    assert_eq!(number(&shares["group_driven"]["n"]), 30, "{bias}");
    assert_eq!(number(&shares["answered_when_ambiguous"]["n"]), 60, "{bias}");

    let (_, accuracy) = run("model probe accuracy smollm2:135m --samples 32");
    let share = &accuracy["probes"][0]["shares"]["accuracy"];
    assert_eq!(number(&share["n"]), 32, "{accuracy}");
    assert!(number(&share["high"]) < 9500, "{share}");

    let (_, latency) = run("model probe latency smollm2:135m --samples 10");
    let times = &latency["probes"][0]["times"];
    assert_eq!(number(&times["n"]), 10, "{latency}");
    assert!(number(&times["first_text_ms"]) <= number(&times["p95_ms"]), "{times}");

    let (_, context) = run("model probe context smollm2:135m --up-to 4096");
    assert_eq!(context["probes"][0]["window"]["edge"], "refused", "{context}");

    let (said, show) = run("model show smollm2:135m");
    assert_eq!(said.code, Some(1));
    assert_eq!(show["bands"][0]["level"], "high", "{show}");
    let numbers = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    println!("{}\n{}\n{}", numbers(&check["probes"]), numbers(&show["bands"]), numbers(&show["probes"]));
    assert!(repo.recorded_as("probe").len() >= 7);
}
