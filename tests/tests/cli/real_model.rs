//! A real model: SmolLM2-135M, which `cargo xtask llm` serves. Skipped where `GRACE_LLM_E2E` is not set. What is asserted is the
//! shape of what is measured and the bands that so small a model is sure to fall into, never a text.

use serde_json::Value;

use crate::support::{Repo, Said};

const NAME: &str = "smollm2:135m";
const SKIPPED: &str = "skipped: no GRACE_LLM_E2E=1; run it with: cargo xtask llm";

/// A repository, and the operator's word where the model is.
struct Real {
    repo: Repo,
}

impl Real {
    /// `None` where no model is served.
    fn served() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        if variable("GRACE_LLM_E2E") != "1" {
            return None;
        }
        let repo = Repo::unborn();
        repo.write(
            "grace/fingerprints/smollm2.yaml",
            "model_name: \"smollm2:135m\"\nmodel_type: smollm\nlicence: Apache-2.0\ncommercial_use: allowed\ntypical_latency_ms: 60000\nrecommended_for: [code_generation]\n",
        );
        // A busy machine writes ten words a second.
        repo.write(
            "../config.toml",
            &format!(
                "[models.\"{NAME}\"]\nurl = \"{}\"\ndialect = \"openai\"\nmodel = \"{}\"\nrequests_per_minute = 100000\ntimeout_s = 600\n",
                variable("GRACE_LLM_URL"),
                variable("GRACE_LLM_MODEL")
            ),
        );
        Some(Self { repo })
    }

    fn run(&self, line: &str) -> (Said, Value) {
        let line = format!("{line} --format json");
        let said = self.repo.run(&line.split(' ').collect::<Vec<_>>(), None, |command| {
            command.env("GRACE_RULES_CONFIG", self.repo.path.with_file_name("config.toml"));
        });
        let value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}{}", said.stdout, said.stderr));
        (said, value)
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn a_real_model_is_checked_and_probed_and_invents() {
    let Some(real) = Real::served() else { return println!("{SKIPPED}") };
    let (repo, run) = (&real.repo, |line: &str| real.run(line));

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

#[test]
fn a_task_for_a_real_model_goes_to_its_recorded_end() {
    let Some(real) = Real::served() else { return println!("{SKIPPED}") };
    let repo = &real.repo;
    for (path, text) in grace_tests::files_below("examples/mini_grace") {
        repo.write(&path, &text);
    }
    repo.commit("mini grace");
    let (_, check) = real.run(&format!("model check {NAME} --up-to 0"));
    assert_eq!(check["health"], "healthy", "{check}");
    repo.write(
        "../task.toml",
        "id = \"weigh\"\ndescription = \"In weight(), use 0.4 and 0.6 for 0.5 and 0.5.\"\nfiles = [\"backend/cognition/loop.py\"]\ncapability = \"code_generation\"\n",
    );
    let (said, report) = real.run("task run ../task.toml");
    let ended = report["ended"].as_str().unwrap();
    // So small a model makes no patch that applies; whatever it makes is told and recorded.
    assert!(["go", "hold", "refused", "failed"].contains(&ended), "{report}");
    assert_eq!(said.code, Some(i32::from(ended != "go")), "{report}");
    assert!(ended == "go" || !report["reasons"].as_array().unwrap().is_empty(), "{report}");
    let steps = repo.recorded_as("task");
    let numbers: Vec<u64> = steps.iter().map(|step| number(&step["step"])).collect();
    let last = numbers.len() as u64;
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "{steps:?}");
    assert!(last == 11 || steps.last().unwrap()["came"] != "done", "{steps:?}");
    // It was asked, and what it said is kept.
    assert!(last >= 6 && steps[5]["facts"]["model"][0] == NAME, "{steps:?}");
    println!("{ended}: {}\n{}", report["reasons"], steps[5]);
    assert_eq!(repo.git(&["status", "--porcelain", "--untracked-files=no"]), "");
}
