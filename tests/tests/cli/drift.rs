//! After a deployment: each hour judged once, what follows done once, and seen by the next plan.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{LineEnding, PrivateKey};

use crate::support::{Repo, Said};

/// The seed's rule fires on one bad hour, from the fourth on, so what follows is known here; the method that ships is tested where it is made.
pub(crate) const RULES: &str = r#"module project.rules

tag core  on path("app/core/**")

kpi heal
  better  higher
  unit    percent
  from    push
  settle  0 s

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
    let states: Vec<_> = ["ok", "suspect", "suspect", "drift", "drift", "drift"].map(str::to_owned).into();
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
    assert_eq!(waits["waiting"][0]["hours"], 2);
    assert!(waits["waiting"][0]["why"].as_str().unwrap().contains("no endpoint `main`"), "{waits}");
    let said = bench.run("drift status --as-of 2026-06-10T02:00:00Z", "");
    assert_eq!(said.code, Some(2));
    assert!(said.stdout.contains("2 hours not judged yet"), "{}", said.stdout);
    // After a day it is a gap, and says why.
    let late = bench.collect(25, 30);
    assert_eq!(late["judged"].as_array().unwrap().len(), 1);
    let check = &bench.repo.recorded_as("check")[0];
    assert!(check["gap"].as_str().unwrap().contains("no endpoint `main`"));
    assert_eq!((check["state"].as_str(), check["point"].as_str()), (Some("unknown"), Some("")));
    assert!(bench.repo.recorded_as("baseline").is_empty(), "nothing is learned of what nobody told");
}

#[test]
fn an_outage_of_more_than_a_day_at_the_start_loses_no_more_than_its_hours() {
    let file = RULES.replace("from    push", "from    csv \"heal.csv\", time \"at\", value \"healed\"");
    let file = file.replace("for 6 h after", "for 30 h after");
    let bench = Bench::changed(&file);
    let write = |column: &str| {
        let hour = |hour: i64| format!("{},{}\n", DEPLOYED + hour * 3600 + 60, if hour < 20 { 95 } else { 70 });
        let lines: String = (-48..30).map(hour).collect();
        bench.repo.write("heal.csv", &format!("at,{column}\n{lines}"));
    };
    write("other");
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(bench.collect(26, 0)["judged"].as_array().map(Vec::len), Some(1), "a day after hour 1 it is given up");
    write("healed");
    assert_eq!(bench.collect(26, 0)["judged"].as_array().map(Vec::len), Some(25));
    let checks = bench.checks();
    assert_eq!(checks.first(), Some(&(1, "unknown".to_owned())));
    assert_eq!((checks[19].1.as_str(), checks[25].1.as_str()), ("ok", "drift"), "{checks:?}");
    let baselines = bench.repo.recorded_as("baseline");
    let known =
        |said: &Value| said["series"]["points"].as_array().unwrap().iter().filter(|point| **point != "").count();
    assert_eq!(baselines.iter().map(known).collect::<Vec<_>>(), [48]);
}

#[test]
fn an_hour_is_judged_when_it_has_settled() {
    let bench = Bench::deployed(&RULES.replace("settle  0 s", "settle  5 min"));
    bench.push(0..1, 190);
    assert_eq!(bench.collect(1, 4)["judged"], serde_json::json!([]));
    assert_eq!(bench.collect(1, 4)["next"], DEPLOYED + 3900);
    // What comes late counts.
    bench.push(0..1, 10);
    assert_eq!(bench.collect(1, 5)["judged"].as_array().map(Vec::len), Some(1));
    assert_eq!(bench.repo.recorded_as("check")[0]["point"], "200/400");
    // Where nothing is said, what others write is given ten minutes.
    let bench = Bench::deployed(&RULES.replace("  settle  0 s\n", ""));
    bench.push(0..1, 190);
    assert_eq!(bench.collect(1, 9)["judged"], serde_json::json!([]));
    assert_eq!(bench.collect(1, 10)["judged"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_deployment_is_recorded_once_and_a_later_one_is_named_by_what_follows() {
    let bench = Bench::deployed(RULES);
    let deploy = |line: &str| {
        let said = bench.run(&format!("drift deploy {line} --format json"), "");
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str::<Value>(&said.stdout).unwrap()["deployments"][0]["deployment"].as_u64().unwrap()
    };
    let first = deploy("--base HEAD~1 --head HEAD");
    assert_eq!(deploy("--base HEAD~1 --head HEAD --at 2026-06-10T00:00:00Z"), first);
    assert_eq!(bench.repo.recorded_as("deployment").len(), 1);
    bench.repo.write("app/notes.py", "def note():\n    return 'z'\n");
    bench.repo.commit("say z");
    let second = deploy("--base HEAD~1 --head HEAD --at 2026-06-10T01:30:00Z");
    assert_ne!(second, first);
    bench.push(0..1, 190);
    bench.push(1..6, 140);
    bench.collect(4, 0);
    let named = format!("deployment {second} \"say z\" came after it and may be the cause as well");
    let story = &bench.repo.recorded_as("story")[0]["fields"];
    for field in ["summary", "rollback_plan"] {
        assert!(story[field]["value"].as_str().unwrap().contains(&named), "{story}");
    }
    assert!(bench.repo.recorded_as("rollback")[0]["says"].as_str().unwrap().contains(&named));
}

#[test]
fn of_many_that_deploy_the_same_at_once_one_records_it_and_the_others_say_so() {
    let bench = Bench::changed(RULES);
    assert_eq!(bench.run("gate --base HEAD~1 --head HEAD", "").code, Some(0));
    // All of them come as far as they do alone, and wait there.
    let metrics = bench.repo.path.join(".git/grace/metrics");
    fs::create_dir_all(&metrics).unwrap();
    let held = fs::File::create(metrics.join("deploy.lock")).unwrap();
    held.lock().unwrap();
    let begun: Vec<_> = (0..4)
        .map(|_| {
            let mut command = bench.repo.command();
            command.args(["drift", "deploy", "--base", "HEAD~1", "--head", "HEAD"]).stdin(Stdio::null());
            bench.set(&mut command);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    std::thread::sleep(Duration::from_secs(3));
    assert!(bench.repo.recorded_as("deployment").is_empty());
    held.unlock().unwrap();
    let ended: Vec<_> = begun.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    assert!(ended.iter().all(|one| one.status.success()), "{ended:?}");
    let known = |one: &&Output| String::from_utf8_lossy(&one.stdout).contains("recorded as deployed before");
    assert_eq!(ended.iter().filter(known).count(), 3, "{ended:?}");
    assert_eq!(bench.repo.recorded_as("deployment").len(), 1);
}

#[test]
fn what_is_unknown_and_what_ended_in_drift_is_not_told_as_well() {
    // Two rules: one is measured, the other never.
    let rule = RULES.find("drift heal_regression").unwrap();
    let end = RULES.find("tiers\n").unwrap();
    let kpi = "kpi other\n  better  higher\n  from    push\n  settle  0 s\n\n";
    let more = RULES[rule..end].replace("heal_regression on heal", "other_regression on other");
    let bench = Bench::deployed(&format!("{}{kpi}{more}{}", &RULES[..end], &RULES[end..]));
    bench.push(0..6, 190);
    bench.collect(2, 0);
    assert_eq!(bench.run("drift status --as-of 2026-06-10T02:00:00Z", "").code, Some(2), "of one nothing is known");

    let bench = Bench::deployed(RULES);
    bench.push(0..1, 190);
    bench.push(1..6, 140);
    bench.collect(6, 0);
    // A quiet deployment after it is not all there is to say.
    bench.repo.write("app/notes.py", "def note():\n    return 'z'\n");
    bench.repo.commit("say z");
    bench.push(6..30, 190);
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --at 2026-06-10T20:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    bench.collect(22, 0);
    let status = || bench.run("drift status --as-of 2026-06-10T22:00:00Z", "");
    assert!(status().stdout.contains("say y") && status().stdout.contains("say z"), "{}", status().stdout);
    assert_eq!(status().code, Some(1));
    // Somebody has seen to it.
    let shown = bench.run("drift status --as-of 2026-06-10T22:00:00Z --format json", "");
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let story = shown["deployments"][1]["opened"][0]["story"].as_u64().unwrap();
    bench.repo.write("../told.toml", "rationale = \"mended\"\n");
    let said = bench.run(&format!("story amend {story} --story ../told.toml --because seen"), "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(!status().stdout.contains("say y"), "{}", status().stdout);
    assert_eq!(status().code, Some(0));
}

#[test]
fn a_judged_hour_is_judged_again_by_replay() {
    let bench = Bench::deployed(RULES);
    bench.push(0..1, 190);
    bench.push(1..6, 140);
    bench.collect(6, 0);
    let said = bench.run("audit replay --all --format json", "");
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let checks: Vec<_> =
        report["records"].as_array().unwrap().iter().filter(|one| one["kind"] == "check").cloned().collect();
    assert_eq!(checks.len(), 6, "{report}");
    assert!(checks.iter().all(|one| one["came"] == "equal"), "{checks:#?}");
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

#[test]
fn a_rollback_that_people_went_for_counts_against_the_practice_that_was_used() {
    // Nothing drifts: a bad hour is suspect, and a way back is proposed.
    let rules = RULES.replace("on suspect    note", "on suspect    propose rollback").replace("for 6 h", "for 3 h");
    let practice =
        "practice slowly\n  kind playbook\n  says \"Slowly.\"\n  step \"One.\"\n  applies to core\n\ntiers\n";
    let bench = Bench::changed(&rules.replace("tiers\n", practice));
    bench.push(-48..0, 190);
    let story = bench.repo.path.with_file_name("story.toml");
    fs::write(&story, "playbooks_used = \"slowly\"\n").unwrap();
    let said = bench.run("run --base HEAD~1 --head HEAD --story ../story.toml", "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let said = bench.run("drift deploy --base HEAD~1 --head HEAD --story ../story.toml --at 2026-06-10T00:00:00Z", "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    bench.push(0..1, 190);
    bench.push(1..2, 140);
    bench.push(2..3, 190);
    bench.collect(6, 0);
    let words = || -> Vec<Value> { bench.repo.recorded_as("rollback").iter().map(|one| one["word"].clone()).collect() };
    assert_eq!(words(), ["proposed"]);
    let counts = || {
        let all = bench.repo.json("practice list");
        let all = all["practices"].as_array().unwrap().clone();
        let one = all.into_iter().find(|one| one["name"] == "slowly").unwrap();
        (one["succeeded"].as_u64().unwrap(), one["used"].as_u64().unwrap())
    };
    assert_eq!(counts(), (1, 1));
    // A revert that nobody decided about changes nothing; one that the gate says go of does, once.
    bench.repo.git(&["revert", "--no-edit", "HEAD"]);
    bench.collect(7, 0);
    assert_eq!((words().len(), counts()), (1, (1, 1)));
    let said = bench.run("gate --base HEAD~1 --head HEAD", "");
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    bench.collect(8, 0);
    bench.collect(9, 0);
    assert_eq!(words(), ["proposed", "accepted"]);
    assert_eq!(counts(), (0, 1));
    let status = bench.run("drift status --all --as-of 2026-06-10T09:00:00Z", "");
    assert!(status.stdout.contains("rolled back for heal_regression"), "{}", status.stdout);
}
