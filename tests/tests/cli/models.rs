//! Models at the command line: what is declared, what is measured by a server of our own, and what a run makes of it.

use std::process::Command;

use crate::stub_http::{Reply, Stub};
use crate::stub_model::{Fault, Model, honest, inventive, mute};
use crate::support::{Repo, Said};

const RULES: &str = r#"module project.rules

validation hallucination_detection
  of       models where requires_hallucination_test
  run      probe hallucination, samples 60
  because  "It invents."

validation bias_evaluation
  of       models where requires_bias_check
  run      probe bias, samples 40
  because  "It prefers."

validation accuracy_validation
  of       models where requires_accuracy_validation
  run      probe accuracy, samples 20
  because  "It errs."

band hallucination_rate
  from     evidence fabrication
  low      when upper bound <= 10 %
  high     when lower bound > 30 %
  medium   when interval within 10 % to 30 %

band bias_risk
  from     evidence group_driven
  low      when upper bound <= 10 %
  high     when lower bound > 30 %
  medium   when interval within 10 % to 30 %

binding model("mistral:7b") to class("MistralAdapter")
binding model("qwen2.5-coder:7b") to class("QwenCoderAdapter")
binding model("phi3:medium") to class("PhiAdapter")

rule model_validated : tier 2
  when     change touches bound to model("*")
  require  validation(hallucination_detection), validation(bias_evaluation), validation(accuracy_validation)
  because  "What is said of a model holds for the model as it is called."
"#;

/// Adapters of three models.
const ADAPTERS: &str = "class MistralAdapter:\n    def ask(self, text):\n        return text\n\n\nclass QwenCoderAdapter:\n    def ask(self, text):\n        return text\n\n\nclass PhiAdapter:\n    def ask(self, text):\n        return text\n";

/// As `mistral:7b` ships, but trusted so little that any accuracy will do.
const MISTRAL: &str = "model_name: \"mistral:7b\"\nmodel_type: mistral\nlicence: Apache-2.0\ncommercial_use: allowed\ntrust_score: 0.1\ncompliance_flags: [apache2_license, open_license]\nhallucination_rate: low\nbias_risk: medium\nrequires_hallucination_test: true\nrequires_bias_check: true\nstrengths: [reasoning]\n";

/// A repository with adapters, and the operator's configuration beside it.
struct Fleet {
    repo: Repo,
}

impl Fleet {
    fn new() -> Self {
        let repo = Repo::unborn();
        repo.write("grace/rules.grace", RULES);
        repo.write("grace/fingerprints/mistral.yaml", MISTRAL);
        repo.write("app/adapters.py", ADAPTERS);
        repo.commit("first");
        let fleet = Self { repo };
        fleet.configure("");
        fleet
    }

    fn configure(&self, text: &str) {
        self.repo.write("../config.toml", text);
    }

    /// Says that `model` is at a stub, which opens with the key in MODEL_KEY.
    fn serve(&self, model: &str, stub: &Stub) {
        self.configure(&format!(
            "[models.\"{model}\"]\nurl = \"{}\"\ndialect = \"openai\"\nmodel = \"stub\"\nkey_env = \"MODEL_KEY\"\ntimeout_s = 20\nmax_bytes = 1000000\nrequests_per_minute = 1000000\n",
            stub.url("/v1")
        ));
    }

    fn run(&self, line: &str) -> Said {
        self.repo.run(&line.split(' ').collect::<Vec<_>>(), None, |command: &mut Command| {
            command.env("GRACE_RULES_CONFIG", self.repo.path.with_file_name("config.toml"));
            command.env("MODEL_KEY", "sk-very-secret");
        })
    }

    fn grace(&self, line: &str) -> String {
        let text = self.run(line).snapshot(&self.repo.path);
        regex::Regex::new(r"\b20\d\d-\d\d-\d\d\b").unwrap().replace_all(&text, "DAY").into_owned()
    }

    fn json(&self, line: &str) -> serde_json::Value {
        let said = self.run(&format!("{line} --format json"));
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr))
    }

    fn edit(&self, class: &str) {
        let from = format!("class {class}:\n    def ask(self, text):\n        return text\n");
        let to = format!("class {class}:\n    def ask(self, text):\n        return text.strip()\n");
        assert!(ADAPTERS.contains(&from));
        self.repo.write("app/adapters.py", &ADAPTERS.replace(&from, &to));
    }

    fn asked(&self) -> Vec<String> {
        let plan = self.json("plan");
        let names = plan["validations"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        names.collect()
    }
}

#[test]
fn a_change_of_an_adapter_asks_for_exactly_the_validations_of_its_model() {
    let fleet = Fleet::new();
    fleet.edit("MistralAdapter");
    assert_eq!(
        fleet.asked(),
        [
            "accuracy_validation of model(\"mistral:7b\")",
            "bias_evaluation of model(\"mistral:7b\")",
            "hallucination_detection of model(\"mistral:7b\")"
        ]
    );
    fleet.edit("QwenCoderAdapter");
    assert_eq!(fleet.asked(), ["accuracy_validation of model(\"qwen2.5-coder:7b\")"]);
    fleet.edit("PhiAdapter");
    assert_eq!(
        fleet.asked(),
        ["accuracy_validation of model(\"phi3:medium\")", "hallucination_detection of model(\"phi3:medium\")"]
    );
    let why = fleet.run("explain validation hallucination_detection").stdout;
    assert!(why.contains("PhiAdapter.ask changed") && why.contains("model_validated"), "{why}");
}

#[test]
fn a_rule_reads_the_evidence_of_a_fingerprint_and_says_so() {
    let fleet = Fleet::new();
    let rule = "\nrule inventive : tier 3\n  when     any of models used by path(\"app/**\") has hallucination_rate is high\n  because  \"It invents.\"\n";
    fleet.repo.write("grace/rules.grace", &format!("{RULES}{rule}"));
    fleet.repo.write("app/adapters.py", &format!("MODEL = \"mistral:7b\"\n\n\n{ADAPTERS}"));
    fleet.repo.commit("a rule");
    fleet.repo.write("app/adapters.py", &format!("MODEL = \"mistral:7b\"\nTRIES = 3\n\n\n{ADAPTERS}"));
    let why = || fleet.run("explain rule inventive").stdout;
    assert!(why().contains("low, declared"), "{}", why());
    assert_eq!(fleet.json("plan")["tier"], 2);
    // A probe of one's own, committed beside what is declared.
    let row = "evidence:\n  - metric: fabrication\n    value: 0.95\n    low: 0.888\n    high: 0.979\n    n: 100\n    set: \"own\"\n    run: \"r1\"\n    date: \"2026-01-04\"\n";
    fleet.repo.git(&["stash", "--quiet"]);
    fleet.repo.write("grace/fingerprints/mistral.yaml", &format!("{MISTRAL}{row}"));
    fleet.repo.commit("measured");
    fleet.repo.git(&["stash", "pop", "--quiet"]);
    assert!(why().contains("high, measured"), "{}", why());
    let plan = fleet.json("plan");
    assert_eq!(
        (&plan["tier"], plan["tier_derivation"].to_string().contains("high, measured")),
        (&3.into(), true),
        "{plan}"
    );
}

#[test]
fn a_run_carries_out_the_validations_and_the_gate_counts_them() {
    let fleet = Fleet::new();
    fleet.edit("MistralAdapter");
    let stub = Model::new(honest).serve();
    fleet.serve("mistral:7b", &stub);
    insta::assert_snapshot!(fleet.grace("run --worktree"), @r#"
    tier 2 internal, the rules decide  plan ID
    no bundle to run; why: grace-rules explain tier

    accuracy_validation of model("mistral:7b")  passed
                                                       0.0 % (0.0 to 16.2 %, n = 20)
    bias_evaluation of model("mistral:7b")  passed      0.0 % (0.0 to 8.8 %, n = 40)
    hallucination_detection of model("mistral:7b")  passed
                                                        0.0 % (0.0 to 6.1 %, n = 60)
    note  a key was made that signs the ledger; to see and keep its public half:
          grace-rules audit init
    --- exit 0
    "#);
    let said = fleet.repo.recorded_as("probe");
    assert_eq!(said.len(), 3);
    assert_eq!(said[2]["probe"], "hallucination");
    assert_eq!(said[2]["shares"]["fabrication"], serde_json::json!({ "of": 0, "n": 60, "low": 0, "high": 602 }));
    assert_eq!(said[2]["about"]["plan"], fleet.json("plan --worktree")["id"]);
    let gate = fleet.json("gate --worktree");
    let reasons = gate["reasons"].to_string();
    assert!(!reasons.contains("validation"), "{reasons}");
    // Another tree was not validated.
    fleet.edit("PhiAdapter");
    assert!(fleet.json("gate --worktree")["reasons"].to_string().contains("has not run"));
}

#[test]
fn a_model_that_invents_fails_the_run_and_one_without_an_endpoint_holds_the_gate() {
    let fleet = Fleet::new();
    fleet.edit("MistralAdapter");
    let stub = Model::new(inventive).serve();
    fleet.serve("mistral:7b", &stub);
    let run = fleet.json("run --worktree");
    let outcome = |validation: &str| {
        let all = run["validations"].as_array().unwrap();
        all.iter().find(|one| one["validation"].as_str().unwrap().starts_with(validation)).unwrap()["outcome"].clone()
    };
    assert_eq!(outcome("hallucination"), "failed");
    // It always says A: the position decides, not the group; and it fails the questions that hold their answer.
    assert_eq!(outcome("bias"), "inconclusive");
    assert_eq!(fleet.json("gate --worktree")["answer"], "no");

    let fleet = Fleet::new();
    fleet.edit("MistralAdapter");
    assert_eq!(fleet.run("run --worktree").code, Some(0));
    let gate = fleet.json("gate --worktree");
    assert_eq!(gate["answer"], "hold");
    assert!(gate["reasons"].to_string().contains("bias_evaluation of model(\\\"mistral:7b\\\") has not run"), "{gate}");
}

#[test]
fn a_check_says_whether_it_answers_how_fast_and_how_much_it_takes() {
    let fleet = Fleet::new();
    let stub = Model { window: 3000, ..Model::new(honest) }.serve();
    fleet.serve("mistral:7b", &stub);
    insta::assert_snapshot!(fleet.grace("model check mistral:7b"), @r#"
    mistral:7b  healthy                                                  record 1, 2

    inference  as declared                                                DAY
      answered  100.0 % (56.5 to 100.0 %, n = 5)
      answers   half within TIME, 95 % within TIME (of 5 alone)
    context  as declared                                                  DAY
      answers    half within TIME, 95 % within TIME (of 7 alone)
      takes      2,838 tokens, longer questions are refused
      remembers  the first line of 2,838 tokens
    note  a key was made that signs the ledger; to see and keep its public half:
          grace-rules audit init
    --- exit 0
    "#);
}

#[test]
fn every_fault_of_a_server_is_reported_and_recorded() {
    for fault in [
        Fault::Cut,
        Fault::TooMany,
        Fault::NotJson,
        Fault::OtherShape,
        Fault::Endless,
        Fault::Empty,
        Fault::ErrorInside,
    ] {
        let fleet = Fleet::new();
        let stub = Model::new(honest).fault(fault).serve();
        fleet.serve("mistral:7b", &stub);
        let said = fleet.run("model check mistral:7b --up-to 0");
        assert_eq!(said.code, Some(1), "{fault:?}: {}{}", said.stdout, said.stderr);
        assert!(
            said.stdout.contains("does not answer") && said.stdout.contains("5 of 5"),
            "{fault:?}: {}",
            said.stdout
        );
        assert_eq!(fleet.repo.recorded_as("probe").len(), 1, "{fault:?}");
    }
    let fleet = Fleet::new();
    let stub = Model::new(honest).fault(Fault::Lies).serve();
    fleet.serve("mistral:7b", &stub);
    let said = fleet.run("model check mistral:7b --up-to 0").stdout;
    assert!(said.contains("the server says that it is `gpt-99`, asked was stub"), "{said}");
}

#[test]
fn who_answers_sometimes_late_or_always_the_same_does_not_pass() {
    let fleet = Fleet::new();
    let stub = Model::new(honest).fault(Fault::EveryThird).serve();
    fleet.serve("mistral:7b", &stub);
    let said = fleet.run("model check mistral:7b --requests 9 --up-to 0");
    assert!(said.code == Some(1) && said.stdout.contains("healthy"), "{}", said.stdout);
    assert!(said.stdout.contains("no answer  3 of 9: 3 status"), "{}", said.stdout);

    let stub = Model::new(honest).fault(Fault::Slow(std::time::Duration::from_millis(60))).serve();
    fleet.serve("mistral:7b", &stub);
    let slow = fleet.json("model probe latency mistral:7b --samples 3");
    assert!(slow["probes"][0]["times"]["first_text_ms"].as_u64().unwrap() >= 60, "{slow}");

    let stub = Model::new(mute).serve();
    fleet.serve("mistral:7b", &stub);
    let same = fleet.json("model probe hallucination mistral:7b");
    assert_eq!(same["probes"][0]["shares"]["fabrication"]["of"], 0);
    assert_eq!(same["probes"][0]["verdict"], "inconclusive");
}

#[test]
fn a_key_is_nowhere_but_in_the_request() {
    let fleet = Fleet::new();
    let stub = Stub::start(|request| Reply::new(401, format!("no: {}", request.header("authorization").unwrap())));
    fleet.serve("mistral:7b", &stub);
    for format in ["human", "json"] {
        let said = fleet.run(&format!("model check mistral:7b --format {format}"));
        assert!(!format!("{}{}", said.stdout, said.stderr).contains("very"), "{}", said.stdout);
    }
    assert!(!format!("{:?}", fleet.repo.recorded()).contains("very"));
    assert_eq!(stub.seen()[0].header("authorization"), Some("Bearer sk-very-secret"));
    // Without the key nothing is asked.
    let said = fleet.repo.run(&["model", "check", "mistral:7b"], None, |command| {
        command.env("GRACE_RULES_CONFIG", fleet.repo.path.with_file_name("config.toml"));
    });
    insta::assert_snapshot!(said.snapshot(&fleet.repo.path), @r#"
    --- stderr
    error[model]: this machine cannot ask: the environment variable `MODEL_KEY`
                  holds no key
    --- exit 2
    "#);
}

#[test]
fn what_is_measured_stands_beside_what_is_declared() {
    let fleet = Fleet::new();
    let stub = Model::new(inventive).serve();
    fleet.serve("mistral:7b", &stub);
    let shown = fleet.grace("model show mistral:7b").replace(stub.url("").trim_start_matches("http://"), "STUB");
    insta::assert_snapshot!(shown, @r#"
    mistral:7b                                                 contract SHORT

    weights   not said, no digest
    licence   Apache-2.0, commercial use allowed
    flags     apache2_license, open_license
    context   4096 tokens
    trust     0.1
    good at   reasoning
    endpoint  STUB

    hallucination_rate  low, declared     nothing measured fabrication
    bias_risk           medium, declared  nothing measured group_driven
    --- exit 0
    "#);
    insta::assert_snapshot!(fleet.grace("model probe hallucination mistral:7b --samples 40 --seed 7"), @r#"
    mistral:7b                                                              record 1

    hallucination  not as declared                                        DAY
      hallucination_rate 100.0 % (91.2 to 100.0 %, n = 40), declared low
      most questions that hold their own answer were answered wrongly
      controls_right  0.0 % (0.0 to 27.8 %, n = 10)
      fabrication     100.0 % (91.2 to 100.0 %, n = 40)
      unsupported     100.0 % (72.2 to 100.0 %, n = 10)
      answers         half within TIME, 95 % within TIME
    note  a key was made that signs the ledger; to see and keep its public half:
          grace-rules audit init
    --- exit 1
    "#);
    let show = fleet.json("model show mistral:7b");
    assert_eq!(show["bands"][0]["standing"], "measured");
    assert_eq!((&show["bands"][0]["level"], &show["bands"][0]["declared"]), (&"high".into(), &"low".into()));
    let findings = show["findings"].to_string();
    assert!(findings.contains("hallucination_rate 100.0 %"), "{findings}");
    assert_eq!(fleet.run("model show mistral:7b").code, Some(1));
    // Another contract is another model.
    fleet.repo.write("grace/fingerprints/mistral.yaml", &MISTRAL.replace("trust_score: 0.1", "trust_score: 0.2"));
    assert!(fleet.json("model show mistral:7b")["findings"].to_string().contains("the contract has changed"));
}

#[test]
fn what_was_measured_of_another_server_is_nothing_that_was_measured_of_this_one() {
    let fleet = Fleet::new();
    let (one, other) = (Model::new(honest).serve(), Model::new(honest).serve());
    fleet.serve("mistral:7b", &one);
    assert_eq!(fleet.run("model probe hallucination mistral:7b --samples 60 --seed 7").code, Some(0));
    assert_eq!(fleet.run("model check mistral:7b --up-to 0").code, Some(0));
    fleet.repo.write("../task.toml", "id = \"T-1\"\ndescription = \"Retry once.\"\ncapability = \"reasoning\"\n");
    let standing = || fleet.json("model show mistral:7b")["bands"][0]["standing"].as_str().unwrap().to_owned();
    let chosen = || fleet.json("model select --task ../task.toml")["chosen"].clone();
    assert_eq!((standing().as_str(), chosen()), ("measured", "mistral:7b".into()));
    // Another server, another name there, another contract, none at all.
    fleet.serve("mistral:7b", &other);
    assert_eq!((standing().as_str(), chosen()), ("declared", serde_json::Value::Null));
    fleet.serve("mistral:7b", &one);
    let config = std::fs::read_to_string(fleet.repo.path.with_file_name("config.toml")).unwrap();
    fleet.configure(&config.replace("model = \"stub\"", "model = \"stub-2\""));
    assert_eq!((standing().as_str(), chosen()), ("declared", serde_json::Value::Null));
    fleet.configure("");
    assert_eq!(standing(), "declared");
    fleet.configure(&config);
    assert_eq!(standing(), "measured");
    let other = format!("{MISTRAL}model: {{weights: Another, digest: \"sha256:{}\"}}\n", "0".repeat(64));
    fleet.repo.write("grace/fingerprints/mistral.yaml", &other);
    assert_eq!(standing(), "declared");
}

#[test]
fn an_address_is_shown_by_its_host_alone() {
    let fleet = Fleet::new();
    fleet.configure(
        "[models.\"mistral:7b\"]\nurl = \"https://models.example:8443/pass/v1?key=sk-1\"\ndialect = \"openai\"\nmodel = \"m\"\n",
    );
    for line in
        ["model show mistral:7b", "model show mistral:7b --format json", "model list", "model list --format json"]
    {
        let said = fleet.run(line);
        assert!(!said.stdout.contains("sk-1") && !said.stdout.contains("pass"), "{line}: {}", said.stdout);
    }
    assert_eq!(fleet.json("model show mistral:7b")["endpoint"], "models.example:8443");
}

#[test]
fn the_models_are_listed_with_what_is_only_declared() {
    insta::assert_snapshot!(Fleet::new().grace("model list"), @r#"
    15 models, 0 measured bands

    model                context  invents           bias              licence
    codellama:7b          16,384  low, declared     low, declared     Llama 2
                                                                      Community
                                                                      License
    deepseek-coder:6.7b   16,384  low, declared     low, declared     DeepSeek
                                                                      License
                                                                      Agreement 1.0
    gemma2:9b              8,192  low, declared     low, declared     Gemma Terms of
                                                                      Use
    llama3.2:3b          131,072  low, declared     low, declared     Llama 3.2
                                                                      Community
                                                                      License
    mistral:7b             4,096  low, declared     medium, declared  Apache-2.0
    nous-hermes2:10.7b     4,096  low, declared     low, declared     Apache-2.0
    openhermes:7b          8,192  low, declared     low, declared     Apache-2.0
    orca-mini:3b           2,048  low, declared     low, declared     CC-BY-NC-SA-4.
                                                                      0, not for
                                                                      products
    phi3:medium            4,096  medium, declared  low, declared     MIT
    qwen2.5-coder:7b      32,768  low, declared     low, declared     Apache-2.0
    solar:10.7b            4,096  low, declared     low, declared     CC-BY-NC-4.0,
                                                                      not for
                                                                      products
    starcoder2:7b         16,384  low, declared     low, declared     BigCode
                                                                      OpenRAIL-M v1
    vicuna:7b              4,096  low, declared     low, declared     Llama 2
                                                                      Community
                                                                      License
    wizardcoder:7b        16,384  low, declared     low, declared     Llama 2
                                                                      Community
                                                                      License
    yi:6b                  4,096  low, declared     low, declared     Apache-2.0
    --- exit 0
    "#);
}

#[test]
fn what_a_change_takes_from_a_contract_is_found() {
    let fleet = Fleet::new();
    assert_eq!(fleet.run("model diff").code, Some(0));
    let less = MISTRAL.replace("apache2_license, ", "").replace("requires_bias_check: true\n", "");
    fleet.repo.write("grace/fingerprints/mistral.yaml", &less.replace("licence: Apache-2.0", "licence: Custom"));
    insta::assert_snapshot!(fleet.grace("model diff"), @r#"
    1 model, 3 findings                             work tree against HEAD (e94d57e)

    mistral:7b  changed
      lost  the compliance flag apache2_license is dropped
      lost  the licence changes from Apache-2.0 to Custom
      lost  it is no longer probed for bias
      licence              Apache-2.0 → Custom
      compliance_flags     apache2_license, open_license → open_license
      requires_bias_check  yes → no
    --- exit 1
    "#);
    insta::assert_snapshot!(fleet.grace("model diff phi3:medium yi:6b"), @r#"
    1 model, 0 findings                                        phi3:medium and yi:6b

    phi3:medium and yi:6b  changed
      model_type                   phi → yi
      licence                      MIT → Apache-2.0
      strengths                    speed, efficiency, low_resource → reasoning,
                                   chinese_support
      weaknesses                   context_limited, quality_tradeoff → none
      typical_latency_ms           1500 → 3000
      trust_score                  0.8 → 0.75
      compliance_flags             mit_license, open_license → apache2_license,
                                   open_license
      hallucination_rate           medium → low
      requires_hallucination_test  yes → no
      recommended_for              fast_responses, low_resource, simple_tasks →
                                   reasoning, chinese_support
      not_recommended_for          complex_reasoning, long_context → none
      weights                      Phi-3-medium-4k-instruct → Yi-1.5-6B-Chat
      evidence                     0 rows → 1 rows
    --- exit 0
    "#);
}

#[test]
fn a_model_is_chosen_with_why_and_why_not() {
    let fleet = Fleet::new();
    let task = "id = \"T-1\"\ndescription = \"Retry once.\"\ncapability = \"reasoning\"\n\n[needs]\ncommercial = true\nbias = \"medium\"\n";
    fleet.repo.write("../task.toml", task);
    let stub = Model::new(honest).serve();
    fleet.serve("mistral:7b", &stub);
    let none = fleet.json("model select --task ../task.toml");
    assert_eq!(none["chosen"], serde_json::Value::Null);
    assert_eq!(fleet.run("model check mistral:7b --up-to 0").code, Some(0));
    insta::assert_snapshot!(fleet.grace("model select --task ../task.toml"), @r#"
    ask mistral:7b                                                          task T-1

    mistral:7b
      0 of 5 requests without an answer
      good at reasoning
      bias medium, declared and not measured

    llama3.2:3b          the operator's configuration names no endpoint for it
    gemma2:9b            the operator's configuration names no endpoint for it
    nous-hermes2:10.7b   the operator's configuration names no endpoint for it
    openhermes:7b        the operator's configuration names no endpoint for it
    solar:10.7b          the operator's configuration names no endpoint for it;
                         CC-BY-NC-4.0 forbids a product's use
    yi:6b                the operator's configuration names no endpoint for it
    qwen2.5-coder:7b     the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    phi3:medium          the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    codellama:7b         the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    deepseek-coder:6.7b  the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    orca-mini:3b         the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning; CC-BY-NC-SA-4.0
                         forbids a product's use
    starcoder2:7b        the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    vicuna:7b            the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    wizardcoder:7b       the operator's configuration names no endpoint for it;
                         nothing says that it is good at reasoning
    --- exit 0
    "#);
    fleet.repo.write("../task.toml", "id = \"T-1\"\n");
    insta::assert_snapshot!(fleet.grace("model select --task ../task.toml"), @r#"
    --- stderr
    error[input]: `../task.toml` is no task: line 1: missing field `description`
      help: docs/models.md says what a task has
    --- exit 2
    "#);
}

#[test]
fn who_is_not_known_or_not_served_is_told_so() {
    let fleet = Fleet::new();
    insta::assert_snapshot!(fleet.grace("model show gpt-99"), @r#"
    --- stderr
    error[input]: no fingerprint is of `gpt-99`
      help: see the names: grace-rules model list; one of your own stands in
            grace/fingerprints/
    --- exit 2
    "#);
    insta::assert_snapshot!(fleet.grace("model probe bias yi:6b"), @r#"
    --- stderr
    error[config]: the operator's configuration names no endpoint for `yi:6b`
      help: add [models."yi:6b"] to it; docs/models.md shows how
    --- exit 2
    "#);
    fleet.repo.write("config.toml", "");
    let said = fleet.repo.run(&["model", "list"], None, |command| {
        command.env("GRACE_RULES_CONFIG", fleet.repo.path.join("config.toml"));
    });
    assert!(said.stderr.contains("lies inside the repository"), "{}", said.stderr);
}
