//! What an auditor needs who was not there: the ledger read with the public key alone, each record by its number, what is missing named.

use std::fs;
use std::path::PathBuf;

use grace_ledger::{Draft, Ledger, SecretKey, merkle};
use serde_json::{Value, json};

use crate::people::{Bench, RULES, flat, public};
use crate::support::{Repo, Said, copy};

fn run(repo: &Repo, line: &str) -> Said {
    repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {})
}

/// A repository with a run and a decision of a commit.
fn recorded() -> Repo {
    let repo = Repo::project();
    repo.edit_kernel();
    repo.commit("kernel");
    assert_eq!(run(&repo, "run --base HEAD~1 --head HEAD").code, Some(0));
    assert_eq!(run(&repo, "gate --base HEAD~1 --head HEAD").code, Some(1));
    repo
}

fn secret(repo: &Repo) -> SecretKey {
    SecretKey::load(&repo.key()).unwrap()
}

#[test]
fn stories_and_replays_need_the_public_key_and_no_more() {
    let repo = recorded();
    let key = repo.json("audit init")["key"].as_str().unwrap().to_owned();
    let elsewhere = repo.path.with_file_name("copy");
    copy(&repo.path.join(".git/grace/ledger"), &elsewhere);
    let story = repo.json("story list")["stories"][0]["id"].as_u64().unwrap().to_string();
    fs::rename(repo.key(), repo.path.with_file_name("elsewhere.key")).unwrap();
    let place = elsewhere.display().to_string();
    for line in [
        vec!["story", "list"],
        vec!["story", "show", &story],
        vec!["story", "search", "kernel"],
        vec!["audit", "replay", "--all"],
        vec!["audit", "replay", &story],
    ] {
        // A ledger that nobody's key is known for is not an empty one.
        let said = repo.run(&line, None, |_| {});
        assert!(said.code == Some(2) && flat(&said).contains("say whom to trust: --key"), "{line:?}: {}", flat(&said));
        for ledger in [vec![], vec!["--ledger", place.as_str()]] {
            let said = repo.run(&[line.clone(), ledger, vec!["--key", &key]].concat(), None, |_| {});
            assert_eq!(said.code, Some(0), "{line:?}: {}", flat(&said));
        }
    }
    assert!(!repo.key().exists(), "who only reads makes no key");
    // Another's key, and a ledger that is not there, are errors.
    let other = Repo::project();
    let of_other = other.json("audit init")["key"].as_str().unwrap().to_owned();
    assert_eq!(repo.run(&["story", "list", "--key", &of_other], None, |_| {}).code, Some(2));
    let nowhere = repo.path.with_file_name("nowhere").display().to_string();
    assert_eq!(repo.run(&["story", "list", "--ledger", &nowhere, "--key", &key], None, |_| {}).code, Some(2));
}

#[test]
fn one_record_that_cannot_be_read_says_nothing_of_the_others() {
    let repo = recorded();
    let ledger = Ledger::at(&repo.path.join(".git/grace/ledger"));
    let decision = repo.recorded_as("decision").remove(0);
    // A form of a later version, a recorded fact that is another, an answer that is another: all of them signed.
    let mut newer = decision.clone();
    newer["inputs"] = json!({"format": 2});
    let mut fact = decision.clone();
    fact["inputs"]["grants"] = json!(["nobody_granted_this"]);
    fact["inputs"]["reach"] = json!(["00"]);
    let mut answer = decision.clone();
    answer["answer"] = json!("go");
    let drafts = [newer, fact, answer, decision].map(|body| Draft::new("decision", "eve", body));
    let seqs: Vec<u64> =
        ledger.append(&secret(&repo), &drafts).unwrap().into_iter().map(|receipt| receipt.seq).collect();
    let said = run(&repo, "audit replay --all --format json");
    assert_eq!(said.code, Some(1), "{}{}", said.stdout, said.stderr);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let of = |seq: u64| {
        let records = report["records"].as_array().unwrap();
        let record = records.iter().find(|record| record["seq"] == seq).unwrap();
        (record["came"].as_str().unwrap().to_owned(), record["what"].to_string())
    };
    for (seq, came, what) in [
        (seqs[0], "untold", "is of a form that this version does not read"),
        (seqs[1], "untold", "the record of what tests enter"),
        (seqs[2], "differs", "the answer: go, now hold"),
        (seqs[3], "equal", "[]"),
    ] {
        let (told, why) = of(seq);
        assert!(told == came && why.contains(what), "{seq}: {told} {why}");
    }
    assert_eq!((&report["equal"], &report["untold"]), (&json!(3), &json!(2)), "{report}");
}

#[test]
fn a_statement_is_about_what_was_run_and_brings_all_that_was_said_of_it() {
    let repo = Repo::project();
    repo.write(".gitignore", "__pycache__/\n");
    repo.commit("what python leaves behind");
    repo.edit_kernel();
    assert_eq!(run(&repo, "run --worktree").code, Some(0));
    assert_eq!(run(&repo, "gate --worktree").code, Some(1));
    let statement = |what: &str| {
        let said = repo.run(&["audit", "export", "--format", "intoto", what], None, |_| {});
        let envelope: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", said.stderr));
        Value::Object(grace_ledger::open_envelope(&envelope, &secret(&repo).public()).unwrap())
    };
    let ran = repo.recorded_as("run").remove(0);
    let of_run = statement(ran["run"].as_str().unwrap());
    // What is not committed is not its base: its tree names it.
    assert_eq!(of_run["subject"][0]["digest"], json!({"sha256": ran["about"]["tree"]}));
    let kinds: Vec<Value> = of_run["predicate"]["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let proof = grace_ledger::check_proof(one["proof"].as_str().unwrap(), &secret(&repo).public()).unwrap();
            assert_eq!(proof.record.commit, None);
            json!(proof.record.kind)
        })
        .collect();
    assert_eq!(kinds, ["plan", "run", "decision"]);
    assert_eq!(run(&repo, "audit export --format intoto no-such-run").code, Some(2));
    assert_eq!(run(&repo, "audit export some-run").code, Some(2));
    // What is committed is its commit, of this project.
    repo.commit("kernel");
    assert_eq!(run(&repo, "run --base HEAD~1 --head HEAD").code, Some(0));
    let run = repo.recorded_as("run").remove(1)["run"].as_str().unwrap().to_owned();
    let subject = statement(&run)["subject"][0].clone();
    assert_eq!(subject, json!({"name": "repo", "digest": {"gitCommit": repo.git(&["rev-parse", "HEAD"])}}));
}

#[test]
fn a_long_body_is_exported_and_held_against_the_proof_of_its_record() {
    let repo = Repo::project();
    repo.json("audit init");
    let ledger = Ledger::at(&repo.path.join(".git/grace/ledger"));
    let body = json!({"text": "x".repeat(60_000)});
    ledger.append(&secret(&repo), &[Draft::new("run", "ann", body), Draft::new("run", "ann", json!("short"))]).unwrap();
    let sizes = repo.json("audit fsck")["sizes"].clone();
    assert_eq!((&sizes["files"], sizes["bodies"].as_u64() > Some(60_000)), (&json!(1), true), "{sizes}");
    assert_eq!(sizes["kinds"][0][0], "run");
    let to = repo.path.with_file_name("bodies");
    let export = || repo.run(&["audit", "export", "--bodies", &to.display().to_string()], None, |_| {});
    assert_eq!(export().code, Some(0));
    let files: Vec<PathBuf> = fs::read_dir(&to).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let bytes = fs::read(file).unwrap();
    assert_eq!(file.file_name().unwrap().to_str().unwrap(), merkle::hex(&merkle::sha256(&bytes)));
    assert_eq!(export().code, Some(0), "what is there already stays");
    let proof = |seq: &str| {
        let path = repo.path.with_file_name(format!("{seq}.tlog-proof"));
        let out = path.display().to_string();
        assert_eq!(repo.run(&["audit", "prove", seq, "-o", &out], None, |_| {}).code, Some(0));
        out
    };
    let (long, short) = (proof("1"), proof("2"));
    let check =
        |proof: &str| repo.run(&["audit", "check-proof", proof, "--body", &file.display().to_string()], None, |_| {});
    assert_eq!(check(&long).code, Some(0));
    assert_eq!(check(&short).code, Some(2), "its body is in it");
    fs::write(file, [&bytes[..], b" "].concat()).unwrap();
    let said = check(&long);
    assert!(said.code == Some(1) && flat(&said).contains("not the body that its record names"), "{}", flat(&said));
    assert_eq!(export().code, Some(2), "nothing is overwritten");
}

#[test]
fn trust_that_hangs_on_a_rate_is_counted_although_no_rule_asks_for_one() {
    let rules = "module trusting.rules\n\nbundle unit\n  tests    path(\"tests/**\")\n  run      \"python3\", \"-m\", \"pytest\", \"{tests}\", \"-q\", \"--junitxml={junit}\"\n  timeout  60 s in all\n\nrule kept : tier 2\n  when     change touches path(\"app/**\")\n  require  bundle(unit)\n  trust at least 0.9\n  because  \"It is trusted.\"\n\ntrust_score\n  start  1.0\n  lose   0.2 when flaky rate of bundle(unit) over last 20 runs above 5 %\n  below  hold\n\ntiers\n  1 safe       approve automatically  for change only in comments, formatting, documentation\n  2 internal   approve by rules       for any other change\n  3 sensitive  approve 1 of anyone    for operations change_security\n";
    let repo = Repo::project();
    repo.write("grace/rules.grace", rules);
    repo.commit("rules");
    repo.write("app/notes.py", "def note():\n    return 'y'\n");
    repo.commit("y");
    let gate = || run(&repo, "gate --base HEAD~1 --head HEAD");
    assert_eq!(gate().code, Some(1), "nothing ran yet");
    assert_eq!(run(&repo, "run --base HEAD~1 --head HEAD").code, Some(0));
    assert_eq!(gate().code, Some(0), "{}", flat(&gate()));
}

#[test]
fn the_version_of_the_rules_rises_with_each_other_text_and_older_rules_that_come_back_are_told() {
    let repo = recorded();
    let rules = fs::read_to_string(repo.path.join("grace/rules.grace")).unwrap();
    let gate = |text: &str| {
        repo.write("grace/rules.grace", text);
        repo.git(&["add", "--all"]);
        repo.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "--message", "rules"]);
        repo.write("notes.md", &repo.recorded().len().to_string());
        repo.commit("change");
        run(&repo, "gate --base HEAD~1 --head HEAD");
        repo.recorded().len() as u64 - 1
    };
    let again = gate(&rules);
    let other = gate(&format!("{rules}\n# another\n"));
    let version = |seq: u64| repo.json(&format!("audit show {seq}"))["shown"][0]["policy"]["version"].clone();
    assert_eq!([version(again), version(other)], [json!(1), json!(2)]);
    assert!(!flat(&run(&repo, "audit verify")).contains("is the text of"));
    let back = gate(&rules);
    assert_eq!(version(back), 3);
    let verified = run(&repo, "audit verify");
    let said = format!("version 3 of the policy, from record {back} on, is the text of version 1 again");
    assert!(verified.code == Some(0) && flat(&verified).contains(&said), "{}", flat(&verified));
    // What was answered before is recorded again where other rules have been in force since; the same rules make no version.
    let at = |commit: &str| run(&repo, &format!("gate --base {commit}~1 --head {commit}"));
    at("HEAD~2");
    assert_eq!(version(repo.recorded().len() as u64 - 1), 4);
    let size = repo.recorded().len();
    at("HEAD~2");
    assert_eq!(repo.recorded().len(), size);
    // A change that only proposes rules is judged by those before it.
    repo.write("grace/rules.grace", &format!("{rules}\n# proposed\n"));
    repo.commit("proposed");
    at("HEAD");
    assert_eq!(version(repo.recorded().len() as u64 - 1), 5, "those of before are in force again");
}

#[test]
fn texts_that_people_gave_can_be_deleted_and_the_ledger_still_proves_itself() {
    let repo = Repo::project();
    repo.edit_kernel();
    repo.commit("kernel");
    let file = repo.path.with_file_name("story.toml");
    fs::write(&file, "risks_identified = [\"Mrs. Secret complains\"]\ntitle = \"For Mrs. Secret\"\n").unwrap();
    let ran = ["run", "--base", "HEAD~1", "--head", "HEAD", "--rationale", "Mrs. Secret asked", "--story"];
    let file = file.display().to_string();
    assert_eq!(repo.run(&[&ran[..], &[&file]].concat(), None, |_| {}).code, Some(0));
    let gate = ["gate", "--base", "HEAD~1", "--head", "HEAD", "--rationale", "Mrs. Secret asked"];
    assert_eq!(repo.run(&gate, None, |_| {}).code, Some(1));
    let story = repo.json("story list")["stories"][0].clone();
    assert_eq!(story["story"]["fields"]["rationale"]["value"], "Mrs. Secret asked");
    assert_eq!(run(&repo, "audit replay --all").code, Some(0));
    // No record holds them, and so no proof and no export does.
    assert!(!run(&repo, "audit export").stdout.contains("Secret"));
    let id = story["id"].as_u64().unwrap().to_string();
    let redact = |seq: &str| repo.run(&["audit", "redact", seq, "--because", "she asked for it"], None, |_| {});
    assert_eq!(repo.run(&["audit", "redact", &id, "--because", " "], None, |_| {}).code, Some(2));
    assert_eq!(redact("0").code, Some(2), "of the ledger itself nothing was given");
    let said = redact(&id);
    assert!(said.code == Some(0) && said.stdout.contains("the texts of 3 records"), "{}", flat(&said));
    let holds = fs::read_dir(repo.path.join(".git/grace/ledger/private"));
    let files = holds.into_iter().flatten().flat_map(|dir| fs::read_dir(dir.unwrap().path()).unwrap()).count();
    assert_eq!(files, 0);
    assert_eq!(run(&repo, "audit verify").code, Some(0), "{}", flat(&run(&repo, "audit verify")));
    let shown = flat(&run(&repo, &format!("story show {id}")));
    assert!(shown.contains("redacted: the texts") && !shown.contains("Secret"), "{shown}");
    let replayed = run(&repo, "audit replay --all");
    assert!(replayed.code == Some(2) && flat(&replayed).contains("redacted: texts"), "{}", flat(&replayed));
    assert_eq!(redact(&id).code, Some(2), "there is nothing left");
}

#[cfg(unix)]
#[test]
fn what_was_not_there_where_it_ran_is_told_and_holds_where_it_matters() {
    let repo = Repo::project();
    std::os::unix::fs::symlink("README.md", repo.path.join("NOTES.md")).unwrap();
    repo.commit("a link that no test reads code through");
    let change = |text: &str| {
        repo.write("app/notes.py", &format!("def note():\n    return '{text}'\n"));
        repo.write("app/api.py", &format!("from app.core.kernel import Kernel\n\n\ndef boot():\n    return Kernel().start()  # {text}\n\n\nX = '{text}'\n"));
        repo.commit(text);
    };
    let hold = || {
        let said = run(&repo, "gate --base HEAD~1 --head HEAD --format json");
        let report: Value = serde_json::from_str(&said.stdout).unwrap();
        report["holds"].to_string()
    };
    change("a");
    let said = run(&repo, "run --base HEAD~1 --head HEAD");
    assert!(flat(&said).contains("not there where it ran: NOTES.md (is a symbolic link)"), "{}", flat(&said));
    assert_eq!(hold(), "[]");
    std::os::unix::fs::symlink("core", repo.path.join("app/kernel")).unwrap();
    repo.commit("a link beside the code");
    change("b");
    run(&repo, "run --base HEAD~1 --head HEAD");
    assert!(hold().contains("not there where it ran: app/kernel"), "{}", hold());
    let replayed = run(&repo, "audit replay --all");
    assert_eq!(replayed.code, Some(0), "{}", flat(&replayed));
}

#[test]
fn the_gate_says_for_programs_what_stands_in_the_way_and_what_gives_it() {
    let bench = Bench::changed();
    let report = || -> Value { serde_json::from_str(&bench.say("gate --format json").stdout).unwrap() };
    let before = report();
    let plan = before["plan"].as_str().unwrap();
    let command = before["commands"][0].as_str().unwrap();
    assert!(command.starts_with(&format!("grace-rules approve {} --as governance --base ", &plan[..32])), "{command}");
    assert_eq!((&before["halts"], &before["holds"], &before["outcomes"]), (&json!([]), &json!([]), &json!({})));
    let key = bench.key(9);
    assert_eq!(bench.say(&format!("audit halt --because stop --key {}", key.display())).code, Some(0));
    let halted = report();
    assert_eq!(halted["halts"][0]["because"], "stop");
    // Carried out as it stands, it gives what was missing.
    let line = format!("{} --key {}", command.strip_prefix("grace-rules ").unwrap(), bench.key(2).display());
    assert_eq!(run(&bench.repo, &line).code, Some(0), "{line}");
    assert_eq!(report()["commands"], json!([]));
    let repo = recorded();
    let said = run(&repo, "gate --base HEAD~1 --head HEAD --format json");
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap()["outcomes"], json!({"unit": "passed"}));
}

#[test]
fn who_holds_a_key_takes_back_whatever_became_of_its_line() {
    let bench = Bench::with(RULES, &format!("bob@example.org valid-before=\"20200101\" {}\n", public(5)));
    bench.change("x", Some(1));
    bench.agreed(2).is_open();
    let name = bench.envelopes()[0].0.rsplit_once('/').unwrap().1[..12].to_owned();
    assert_eq!(bench.approve(5, "--as governance").code, Some(2), "it says yes no more");
    let said = bench.say(&format!("revoke {name} --key {}", bench.key(5).display()));
    assert_eq!(said.code, Some(0), "{}", flat(&said));
    bench.is_shut("it was revoked");
}

#[test]
fn a_story_names_who_took_part_and_what_the_guardrails_saw() {
    let bench = Bench::new();
    bench.repo.write("app/core.py", &format!("def f():\n    return 2\n\n\n{}", "value = compute(1)\n".repeat(12)));
    bench.commit("alice@example.org", Some(1), "x\n\nCo-authored-by: Eve <eve@x.example>");
    assert_eq!(bench.say("run").code, Some(0));
    let story = bench.repo.json("story list")["stories"][0]["story"].clone();
    let who = json!([{"name": "alice@example.org", "signed": true}, {"name": "eve@x.example", "signed": false}]);
    assert_eq!(story["people"], who);
    let checked = story["fields"]["guardrails_checked"]["value"].clone();
    assert_eq!(checked[1], "nonsense_identifiers: nothing", "{checked}");
    assert!(checked[0].as_str().unwrap().starts_with("repetition: 1 finding"), "{checked}");
    let shown = flat(&run(&bench.repo, "story search alice"));
    assert!(shown.contains("success") || shown.contains("pending"), "{shown}");
    let id = bench.repo.json("story list")["stories"][0]["id"].as_u64().unwrap();
    for format in ["human", "markdown", "html"] {
        let shown = flat(&run(&bench.repo, &format!("story show {id} --format {format}")));
        assert!(shown.contains("(signed)") && shown.contains("(only said)"), "{format}: {shown}");
    }
    // No line of code, nothing looked at.
    bench.repo.write("notes.txt", "a\n");
    bench.repo.git(&["checkout", "--quiet", "-B", "main"]);
    bench.commit("alice@example.org", Some(1), "notes");
    assert_eq!(run(&bench.repo, "run --base HEAD~1 --head HEAD").code, Some(0));
    let story = bench.repo.json("story list")["stories"][0]["story"].clone();
    assert!(story["fields"].get("guardrails_checked").is_none(), "{story}");
}
