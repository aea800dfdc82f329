//! After a deployment: each hour judged once, what follows done once, and seen by the next plan.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use crate::support::{Repo, Said};

/// The seed's rule fires on one bad hour, so what follows is known here; the method that ships is tested where it is made.
pub(crate) const RULES: &str = r#"module project.rules

tag core  on path("app/core/**")

kpi heal
  better  higher
  unit    percent
  from    push

drift heal_regression on heal
  watch         every 1 h for 6 h after deployment
  alert         worse by more than 20 % of baseline
  method        seed
  samples       at least 1
  on suspect    note
  on drift      open story, log incident, propose rollback, tier at least 3 for tag(core) during 24 h, tell "ops", write issue
  because       "A system that heals less is degrading."

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
  3 sensitive  approve by rules       for operations change_security
"#;

/// The moment of the deployment: 2026-06-10T00:00:00Z.
pub(crate) const DEPLOYED: i64 = 1_781_049_600;

pub(crate) struct Bench {
    pub(crate) repo: Repo,
}

impl Bench {
    /// A change that was deployed, with two days of hours before it.
    pub(crate) fn deployed(rules: &str) -> Self {
        let bench = Self::changed(rules);
        bench.push(-48..0, 190);
        let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z", "");
        assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
        bench
    }

    pub(crate) fn changed(rules: &str) -> Self {
        let repo = Repo::project();
        repo.write("grace/rules.grace", rules);
        repo.commit("rules");
        repo.write("app/notes.py", "def note():\n    return 'y'\n");
        repo.commit("say y");
        let bench = Self { repo };
        let key = PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&[7; 32])), "").unwrap();
        fs::write(bench.key(), key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        fs::write(bench.config(), "").unwrap();
        bench
    }

    fn key(&self) -> PathBuf {
        self.repo.path.with_file_name("id_ed25519")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.repo.path.with_file_name("config.toml")
    }

    pub(crate) fn set(&self, command: &mut Command) {
        command.env("GRACE_RULES_SIGNING_KEY", self.key()).env("GRACE_RULES_CONFIG", self.config());
        command.env("HOOK_SECRET", "open sesame");
    }

    pub(crate) fn run(&self, line: &str, input: &str) -> Said {
        self.repo.run(&line.split(' ').collect::<Vec<_>>(), Some(input), |command| self.set(command))
    }

    /// Hours, counted from the deployment, in which so many of 200 were healed.
    pub(crate) fn push(&self, hours: std::ops::Range<i64>, healed: u32) {
        let lines: String = hours.map(|hour| format!("{} {healed}/200\n", DEPLOYED + hour * 3600 + 60)).collect();
        let said = self.run("drift push heal", &lines);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
    }

    /// A step as of so many hours and minutes after the deployment.
    pub(crate) fn collect(&self, hours: i64, minutes: i64) -> Value {
        let at = jiff_like(DEPLOYED + hours * 3600 + minutes * 60);
        let said = self.run(&format!("drift collect --as-of {at} --format json"), "");
        assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    pub(crate) fn checks(&self) -> Vec<(u64, String)> {
        let of = |check: &Value| (check["hour"].as_u64().unwrap(), check["state"].as_str().unwrap().to_owned());
        self.repo.recorded_as("check").iter().map(of).collect()
    }
}

/// A second as a time in UTC: all of them are on one of three days here.
pub(crate) fn jiff_like(seconds: i64) -> String {
    let (day, second) = ((seconds - DEPLOYED).div_euclid(86_400), (seconds - DEPLOYED).rem_euclid(86_400));
    format!("2026-06-{:02}T{:02}:{:02}:{:02}Z", 10 + day, second / 3600, second / 60 % 60, second % 60)
}

#[test]
fn drift_is_acted_upon_once_and_the_next_plan_sees_it() {
    let bench = Bench::deployed(RULES);
    bench.push(0..1, 190);
    bench.push(1..6, 140);
    assert_eq!(bench.run("drift status --as-of 2026-06-10T00:30:00Z", "").code, Some(2), "nothing is known yet");
    assert_eq!(bench.collect(0, 59)["judged"], serde_json::json!([]));
    assert_eq!(bench.collect(1, 0)["judged"][0]["state"], "ok");
    let status = |at: &str| bench.run(&format!("drift status --as-of {at}"), "");
    assert_eq!(status("2026-06-10T01:00:00Z").code, Some(0));
    // Three missed hours are caught up, and the same step again finds nothing.
    assert_eq!(bench.collect(4, 10)["judged"].as_array().unwrap().len(), 3);
    assert_eq!(bench.collect(4, 10)["judged"], serde_json::json!([]));
    let said = status("2026-06-10T04:10:00Z");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!("drift_status", said.snapshot(&bench.repo.path));
    bench.collect(30, 0);
    let states: Vec<_> = ["ok", "drift", "drift", "drift", "drift", "drift"].map(str::to_owned).into();
    assert_eq!(bench.checks(), (1..=6).zip(states).collect::<Vec<_>>(), "each hour once, in order");
    for (kind, count) in [("baseline", 1), ("incident", 1), ("raise", 1), ("rollback", 2), ("message", 2)] {
        assert_eq!(bench.repo.recorded_as(kind).len(), count, "{kind}");
    }
    // Tables hold each hour once, made of the ledger alone.
    let tables = bench.repo.json("store rebuild");
    let rows = |name: &str| {
        let tables = tables["tables"].as_array().unwrap();
        tables.iter().find(|one| one["table"] == name).and_then(|one| one["rows"].as_u64())
    };
    assert_eq!((rows("deployments"), rows("checks")), (Some(1), Some(6)));
    // The story is linked, and its way back was tried.
    let stories = bench.repo.recorded_as("story");
    let [story] = stories.as_slice() else { panic!("{stories:#?}") };
    let field = |name: &str| story["fields"][name]["value"].as_str().unwrap_or_default().to_owned();
    assert!(field("rollback_plan").starts_with("git revert --no-edit "), "{story:#?}");
    assert!(field("rollback_plan").contains("applies cleanly on "), "{story:#?}");
    assert!(field("telemetry_incident").contains("heal 95 % → 70 %, worse by 26 % of baseline"), "{story:#?}");
    assert_eq!(story["fields"]["files"]["value"], serde_json::json!(["app/notes.py"]));
    assert!(bench.repo.path.join("app/notes.py").exists() && bench.repo.git(&["status", "--porcelain"]).is_empty());
    // The issue is written; the webhook is not configured, and waits.
    let issues: Vec<_> = fs::read_dir(bench.repo.path.join(".git/grace/issues")).unwrap().collect();
    assert_eq!(issues.len(), 1);
    assert_eq!(bench.repo.recorded_as("delivery").len(), 1);
    assert!(bench.collect(30, 0)["late"][0].as_str().unwrap().contains("no webhook `ops`"));
    assert!(bench.repo.git(&["for-each-ref", "refs/grace/raises"]).contains("refs/grace/raises/"));
    // A plan of the region is tier 3 while it lasts, and says why; of another it is not.
    bench.repo.edit_kernel();
    let plan = |at: &str, more: &str| -> Value {
        let said = bench.run(&format!("plan --as-of {at} --format json{more}"), "");
        serde_json::from_str(&said.stdout).unwrap()
    };
    let raised = plan("2026-06-10T05:00:00Z", "");
    assert_eq!(raised["tier"], 3);
    let rules = raised["rules"].to_string();
    assert!(rules.contains("by_heal_regression") && rules.contains("A system that heals less"), "{rules}");
    assert_eq!(plan("2026-06-10T03:00:00Z", "")["tier"], 2, "before it was found");
    assert_eq!(plan("2026-06-11T05:00:00Z", "")["tier"], 2, "after it ended");
    assert_eq!(plan("2026-06-10T05:00:00Z", " --base HEAD~1 --head HEAD")["tier"], 2, "elsewhere");
    // It comes from references alone in another clone, and from what lies beside the ledger without them.
    fs::remove_dir_all(bench.repo.path.join(".git/grace/raises")).unwrap();
    assert_eq!(plan("2026-06-10T05:00:00Z", "")["tier"], 3);
    bench.collect(30, 0);
    assert_eq!(plan("2026-06-10T05:00:00Z", "")["subject"], raised["subject"], "a raise is no part of the rules");
}

#[test]
fn a_change_that_the_gate_holds_is_not_deployed() {
    let held = RULES.replace(
        "tiers\n",
        "team owners  members \"ann@example.org\"\n\nrule all : tier 2\n  when     any edit in path(\"app/**\")\n  require  approval 1 of team(owners)\n  because  \"x\"\n\ntiers\n",
    );
    let bench = Bench::changed(&held);
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD", "");
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("the gate does not say go"), "{}", said.stderr);
    assert!(bench.repo.recorded_as("deployment").is_empty());
    // By a plan that was held as well.
    let plan = bench.repo.recorded_as("decision")[0]["about"]["plan"].as_str().unwrap().to_owned();
    let said = bench.run(&format!("drift deploy {plan}"), "");
    assert!(said.stderr.contains("the gate does not say go"), "{}", said.stderr);
    let none = Bench::changed("module m\n");
    let said = none.run("drift deploy --base HEAD~1 --head HEAD", "");
    assert!(said.stderr.contains("no drift rule is in force"), "{}", said.stderr);
}

#[test]
fn gaps_are_marked_and_a_source_that_fails_is_waited_for() {
    let bench = Bench::deployed(RULES);
    bench.push(0..1, 190);
    bench.push(2..3, 190);
    bench.collect(3, 0);
    let points: Vec<String> =
        bench.repo.recorded_as("check").iter().map(|check| check["point"].as_str().unwrap().to_owned()).collect();
    assert_eq!(points, ["190/200", "", "190/200"]);
    // What comes late for an hour that was judged changes nothing.
    bench.push(1..2, 10);
    bench.collect(3, 30);
    assert_eq!(bench.checks().len(), 3);

    let endpoint = RULES.replace("from    push", "from    prometheus \"main\", query \"heal\"");
    let bench = Bench::changed(&endpoint);
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let waits = bench.collect(2, 0);
    assert_eq!(waits["judged"], serde_json::json!([]));
    assert_eq!(waits["waiting"][0][2], 2);
    assert!(waits["waiting"][0][3].as_str().unwrap().contains("no endpoint `main`"), "{waits}");
    let said = bench.run("drift status --as-of 2026-06-10T02:00:00Z", "");
    assert_eq!(said.code, Some(2));
    assert!(said.stdout.contains("2 hours not judged yet"), "{}", said.stdout);
    // After a day it is a gap, and says why.
    let late = bench.collect(25, 30);
    assert_eq!(late["judged"].as_array().unwrap().len(), 1);
    let check = &bench.repo.recorded_as("check")[0];
    assert!(check["gap"].as_str().unwrap().contains("no endpoint `main`"));
    assert_eq!((check["state"].as_str(), check["point"].as_str()), (Some("unknown"), Some("")));
}

#[test]
fn a_page_needs_nothing_from_elsewhere_and_believes_nobody() {
    let bench = Bench::deployed(&RULES.replace("kpi heal\n", "kpi heal\n  says \"<script>alert(1)</script>\"\n"));
    bench.push(0..2, 190);
    bench.push(2..4, 120);
    bench.collect(4, 0);
    let said = bench.run("drift status --as-of 2026-06-10T04:00:00Z --html page.html", "");
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let page = bench.repo.read("page.html");
    for part in ["class=\"band\"", "class=\"limit\"", "class=\"deployed\"", "data-alarm=\"yes\"", "default-src 'none'"]
    {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http://", "https://", "src=", "NaN", "inf"] {
        assert!(!page.contains(part), "{part}");
    }
}
