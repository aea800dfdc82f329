//! Approvals and the gate: what opens it, and everything that must not.
//!
//! Alice writes a change that team governance must approve; bob and carol are in it. Each attack is tried on a repository
//! of its own and must leave the gate shut, with a sentence that says why.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use ssh_key::{HashAlg, LineEnding};

use crate::people::{Bench, RULES, flat, key, public};

#[test]
fn one_of_the_team_opens_the_gate_and_the_answer_is_recorded_once() {
    let bench = Bench::changed();
    bench.is_shut("approval 1 of team(governance)");
    bench.agreed(2).is_open();
    bench.is_open();
    let ledger = bench.repo.path.join(".git/grace/ledger/tile/entries/000.p");
    let entries: Vec<String> =
        fs::read_dir(ledger).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    // The ledger itself, a hold, and a go that was asked for twice.
    assert_eq!(entries, ["3"]);
}

#[test]
fn a_story_that_waited_for_people_ends_as_the_gate_answers() {
    let bench = Bench::changed();
    let ran = bench.say("run");
    assert_eq!(ran.code, Some(0), "{}", flat(&ran));
    let listed = || flat(&bench.repo.run(&["story", "list"], None, |_| {}));
    assert!(listed().contains("pending"), "{}", listed());
    bench.agreed(2).is_open();
    assert!(listed().contains("success") && !listed().contains("pending"), "{}", listed());
    let story: Value =
        serde_json::from_str(&bench.repo.run(&["story", "list", "--format", "json"], None, |_| {}).stdout).unwrap();
    assert_eq!(story["stories"][0]["decisions"][0][2], "go", "{story}");
    assert_eq!(story["stories"][0]["story"]["fields"]["outcome"]["value"], "pending", "what was told first stays");
}

#[test]
fn a_waiver_counts_once_its_team_has_signed_its_text() {
    let rules = RULES.replace(
        "tiers\n",
        "waiver sync of core_change for path(\"app/vendor/**\")\n  waives approval\n  granted by team(legal) ticket \"L-1\" until 2099-12-31\n  because \"Vendored.\"\n\ntiers\n",
    );
    let bench = Bench::with(&rules, "");
    bench.repo.write("app/vendor/x.py", "X = 1\n");
    bench.commit("alice@example.org", Some(1), "sync");
    bench.is_shut("approval 1 of team(governance)");
    let grant =
        |number: u8| bench.say(&format!("approve waiver sync --as legal --key {}", bench.key(number).display()));
    let said = grant(2);
    assert_eq!(said.code, Some(2), "{}", flat(&said));
    assert!(flat(&said).contains("bob@example.org is not in team(legal)"), "{}", flat(&said));
    bench.is_shut("approval 1 of team(governance)");
    assert_eq!(grant(4).code, Some(0));
    bench.is_open();
    // Another text is another waiver, which nobody granted.
    bench.repo.git(&["checkout", "--quiet", "main"]);
    bench.repo.write("grace/rules.grace", &rules.replace("app/vendor/**", "app/**"));
    bench.commit("alice@example.org", Some(1), "wider");
    bench.repo.git(&["checkout", "--quiet", "-B", "feature"]);
    bench.repo.write("app/core.py", "def f():\n    return 9\n");
    bench.commit("alice@example.org", Some(1), "more");
    bench.is_shut("approval 1 of team(governance)");
}

#[test]
fn a_clone_without_its_history_proves_nobody_and_a_fetched_halt_stands_there() {
    let bench = Bench::changed();
    bench.repo.git(&["checkout", "--quiet", "-b", "more"]);
    bench.repo.write("app/core.py", "def f():\n    return 3\n");
    bench.commit("alice@example.org", Some(1), "y");
    bench.repo.git(&["branch", "-f", "feature", "more"]);
    bench.agreed(2).is_open();
    let other = bench.repo.path.with_file_name("shallow");
    let there = other.display().to_string();
    let url = format!("file://{}", bench.repo.path.display());
    bench.repo.git(&["clone", "--quiet", "--depth", "1", "--no-single-branch", &url, &there]);
    bench.repo.git(&["-C", &there, "fetch", "--quiet", "origin", "refs/grace/*:refs/grace/*"]);
    let gate =
        || bench.repo.run(&["-C", &there, "gate", "--base", "origin/main", "--head", "origin/feature"], None, |_| {});
    let said = gate();
    assert_eq!(said.code, Some(1), "{}", flat(&said));
    assert!(flat(&said).contains("the history of this clone is cut off"), "{}", flat(&said));
    bench.repo.git(&["-C", &there, "fetch", "--quiet", "--unshallow", "origin"]);
    assert_eq!(gate().code, Some(0), "{}", flat(&gate()));
    let key = bench.key(9);
    assert_eq!(bench.say(&format!("audit halt --because stop --key {}", key.display())).code, Some(0));
    bench.repo.git(&["-C", &there, "fetch", "--quiet", "origin", "refs/grace/*:refs/grace/*"]);
    let said = gate();
    assert!(said.code == Some(1) && flat(&said).contains("halt"), "{}", flat(&said));
}

#[test]
fn an_approval_of_one_clone_opens_the_gate_of_another() {
    let bench = Bench::changed();
    let other = bench.repo.path.with_file_name("other");
    let path = |path: &PathBuf| path.display().to_string();
    bench.repo.git(&["clone", "--quiet", &path(&bench.repo.path), &path(&other)]);
    bench.agreed(2);
    let gate = |more: &[&str]| {
        let there = path(&other);
        let line = [&["-C", &there, "gate", "--base", "origin/main", "--head", "origin/feature"], more].concat();
        bench.repo.run(&line, None, |_| {})
    };
    assert_eq!(gate(&[]).code, Some(1));
    bench.repo.git(&["-C", &path(&other), "fetch", "--quiet", "origin", "refs/grace/*:refs/grace/*"]);
    let said = gate(&[]);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    // The base moved on; the change is the same, and so is what it asks for.
    bench.repo.git(&["checkout", "--quiet", "main"]);
    bench.repo.write("notes.txt", "x\n");
    bench.commit("dan@example.org", Some(4), "notes");
    bench.repo.git(&["-C", &path(&other), "fetch", "--quiet", "origin"]);
    assert_eq!(gate(&[]).code, Some(1), "main..feature is another comparison now: it takes the notes away");
}

#[test]
fn a_halt_stands_for_everybody_until_a_person_of_the_team_lifts_it() {
    let bench = Bench::changed();
    bench.agreed(2).is_open();
    let said = |number: u8, line: &str| bench.say(&format!("audit {line} --key {}", bench.key(number).display()));
    let say = |number: u8, line: &str| {
        let gate = flat(&bench.say("gate"));
        let halt = gate.split("audit resume ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("0123456789ab");
        said(number, &line.replace("resume", &format!("resume {halt}")))
    };
    // Nobody knows key 9: raising is free.
    assert_eq!(say(9, "halt --because tests-vanish").code, Some(0));
    bench.is_shut("tests-vanish (a person of governance lifts it: grace-rules audit resume ");
    let renamed = bench.say("gate --actor somebody-else");
    assert!(renamed.code == Some(1) && flat(&renamed).contains("tests-vanish"), "{}", flat(&renamed));
    let cloned = bench.repo.path.with_file_name("clone");
    bench.repo.git(&["clone", "--quiet", "--mirror", ".", &cloned.display().to_string()]);
    let of = |git: &str| bench.repo.git(&["--git-dir", git, "for-each-ref", "--format=%(refname)", "refs/grace/halts"]);
    assert_eq!(of(&cloned.display().to_string()).lines().count(), 1);
    // The reference is deleted; the ledger knows.
    let references = of(".git");
    references.lines().for_each(|name| drop(bench.repo.git(&["update-ref", "-d", name])));
    bench.is_shut("tests-vanish");
    // Nobody lifts what they do not name, and so have not looked at.
    for (line, why) in [
        ("resume --because enough", "name the halts to lift"),
        ("resume 0123456789ab --because enough", "no halt `0123456789ab` stands"),
        ("resume a --because enough", "no halt `a` stands"),
    ] {
        let said = said(3, line);
        assert!(said.code == Some(2) && flat(&said).contains(why), "{line}: {}", flat(&said));
        assert!(flat(&said).contains("tests-vanish"), "they are listed: {}", flat(&said));
    }
    for (number, team, why) in [
        (1, "governance", "took part in the change"),
        (4, "governance", "is not in team governance"),
        (4, "legal", "team legal is not asked"),
        (9, "governance", "is not in the base's grace/allowed_signers"),
    ] {
        let said = say(number, &format!("resume --because enough --as {team}"));
        assert!(said.code == Some(2) && flat(&said).contains(why), "{number} {team}: {}", flat(&said));
        bench.is_shut("tests-vanish");
    }
    assert_eq!(say(3, "resume --because mended").code, Some(0));
    bench.is_open();
    // What lifted it is deleted as well.
    bench.repo.git(&[
        "fetch",
        "--quiet",
        &cloned.display().to_string(),
        "+refs/grace/halts/*:refs/grace/halts/*",
        "--prune",
    ]);
    bench.is_shut("tests-vanish");
    let again = say(3, "resume --because mended");
    assert_eq!(again.code, Some(0), "{}", flat(&again));
    bench.is_open();
    assert!(flat(&say(3, "resume --because mended")).contains("nothing is halted"));
}

#[test]
fn what_is_signed_is_what_was_read() {
    let bench = Bench::changed();
    let refused = |rest: &str, number: u8, why: &str| {
        let said = bench.approve(number, rest);
        assert!(said.code == Some(2) && flat(&said).contains(why), "{rest}: {}{}", said.stdout, said.stderr);
    };
    refused("--as legal", 2, "serves nothing that is asked for");
    refused("--as governance", 4, "serves nothing that is asked for");
    refused("--as governance", 1, "serves nothing that is asked for");
    refused("--as governance", 9, "is not in the base's grace/allowed_signers");
    refused("--as governance --until 2020-01-01", 2, "is over");
    refused("--as governance --until soon", 2, "no date");
    refused("--as governance --as-of 2026-01-01", 2, "today's date");
    refused("--as governance --rules grace", 2, "the rules of this change");
    let key = bench.key(2);
    for plan in ["0000000000", "ab"] {
        let said = bench.say(&format!("approve {plan} --as governance --key {}", key.display()));
        assert!(said.code == Some(2) && said.stderr.contains("this change has plan"), "{}", said.stderr);
    }
    let said = bench.say(&format!("deny {} --as governance --key {}", bench.plan(), key.display()));
    assert!(said.code == Some(2) && said.stderr.contains("says why"), "{}", said.stderr);
    assert!(bench.envelopes().is_empty(), "nothing was signed");
}

#[test]
fn an_approval_that_is_not_whole_counts_for_nothing() {
    let bench = Bench::changed();
    bench.agreed(2);
    let (name, good) = bench.envelopes().remove(0);
    bench.repo.git(&["update-ref", "-d", &name]);
    bench.is_shut("approval 1 of team(governance)");
    for (number, bad) in [
        good.replace("signatures", "signature"),
        good[..good.len() / 2].to_owned(),
        good.replacen('A', "B", 3),
        "{}".to_owned(),
        "x".repeat(300_000),
    ]
    .iter()
    .enumerate()
    {
        bench.shelve(&format!("bad{number}"), bad);
    }
    bench.repo.git(&["symbolic-ref", &format!("{name}1"), "refs/heads/main"]);
    bench.is_shut("does not count");
    // The same where it is whole, under whatever name.
    bench.shelve("anything", &good);
    bench.is_open();
}

#[test]
fn only_keys_of_the_base_count_for_what_they_are_for() {
    let lines = |bot: &str, git: &str, past: &str| {
        format!("deploy{bot} {}\ngina@example.org {git}{}\nzoe@example.org {past}{}\n", public(5), public(6), public(7))
    };
    let (here, elsewhere) =
        (lines(",deploy[bot]", "namespaces=\"git\" ", "valid-before=\"20260101\" "), lines("", "", ""));
    for (number, why) in
        [(5, "a bot approves nothing"), (6, "its key is not for grace-rules"), (7, "its key is not in force")]
    {
        // Where they may sign, they sign; what they signed is brought here.
        let there = Bench::with(RULES, &elsewhere);
        there.change("x", Some(1));
        there.agreed(number).is_open();
        let bench = Bench::with(RULES, &here);
        bench.change("x", Some(1));
        bench.shelve("brought", &there.envelopes().remove(0).1);
        bench.is_shut(why);
        assert_eq!(bench.approve(number, "--as governance").code, Some(2));
    }
}

#[test]
fn who_took_part_does_not_approve() {
    for (message, author, by) in [
        ("x\n\nCo-authored-by: Bob <bobby@example.org>\n", "alice@example.org", 1),
        ("x\n\nStarted-by: bob@example.org\n", "alice@example.org", 1),
        ("x", "bob@example.org", 2),
    ] {
        let bench = Bench::new();
        // Bob signs before anybody can see that he took part: on a change that says less.
        bench.change("x", Some(1));
        bench.agreed(2);
        bench.repo.git(&["reset", "--quiet", "--soft", "main"]);
        bench.commit(author, Some(by), message);
        bench.is_shut("its signer took part in the change");
        let said = bench.approve(2, "--as governance");
        assert!(said.code == Some(2) && said.stderr.contains("took part"), "{}", said.stderr);
        bench.agreed(3).is_open();
    }
}

#[test]
fn two_must_agree_where_it_is_not_proved_who_made_it() {
    for (by, why) in [(None, "is not signed"), (Some(9), "does not name"), (Some(4), "who is not its author")] {
        let bench = Bench::new();
        bench.change("x", by);
        bench.agreed(2).is_shut(why);
        bench.is_shut("1 of 2 different people");
        // Bob once more, by his other name.
        bench.agreed(2).is_shut("1 of 2 different people");
        bench.agreed(3).is_open();
    }
    // What is not committed is signed by nobody.
    let bench = Bench::new();
    bench.repo.write("app/core.py", "def f():\n    return 2\n");
    let run = |line: &str| bench.repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {});
    let plan = bench.repo.json("plan --worktree");
    let id = plan["id"].as_str().unwrap();
    for number in [2, 3] {
        let said = run("gate --worktree");
        assert_eq!(said.code, Some(1), "{}", said.stdout);
        let key = bench.key(number);
        let said = run(&format!("approve {id} --as governance --worktree --key {}", key.display()));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
    }
    assert_eq!(run("gate --worktree").code, Some(0));
}

#[test]
fn an_approval_is_for_one_change_under_one_rule_book() {
    // Another edit after the approval.
    let bench = Bench::changed();
    bench.agreed(2).is_open();
    let (_, first) = bench.envelopes().remove(0);
    bench.repo.write("app/core.py", "def f():\n    return 3\n");
    bench.commit("alice@example.org", Some(1), "more");
    bench.is_shut("approval 1 of team(governance)");
    bench.shelve("replayed", &first);
    bench.is_shut("it is about another change");
    // Other rules, the same diff.
    let strict = Bench::with(&RULES.replace("because  \"The core", "owner    team(legal)\n  because  \"The core"), "");
    strict.change("x", Some(1));
    strict.shelve("replayed", &first);
    strict.is_shut("it was given under other rules");
    // A plan that asks for more than was signed.
    let raised = Bench::changed();
    raised.agreed(2).is_open();
    let gate = |more: &str| raised.say(&format!("gate {more}"));
    let said = gate("--operation change_security");
    assert!(said.code == Some(1) && flat(&said).contains("tier 2, and this is tier 3"), "{}", said.stdout);
}

#[test]
fn the_change_cannot_let_itself_through() {
    // It adds a key of its own, joins the team, or takes the rule away: the base counts, and tier 3 asks for two.
    for (path, text) in [
        ("grace/allowed_signers", format!("bob@example.org {}\n", public(9))),
        ("grace/rules.grace", RULES.replace("\"bob@example.org\"", "\"bob@example.org\", \"alice@example.org\"")),
        ("grace/rules.grace", RULES.replace("  require  approval 1 of team(governance)\n", "  require  rationale\n")),
        ("grace/rules.grace", RULES.replace("2 of team(governance)", "1 of team(legal)")),
    ] {
        let bench = Bench::new();
        bench.repo.write(path, &text);
        bench.change("x", Some(1));
        bench.is_shut("tier 3");
        for number in [9, 1] {
            assert_eq!(bench.approve(number, "--as governance").code, Some(2), "{path}");
        }
        bench.agreed(2).is_shut("approval 2 of team(governance)");
        bench.agreed(3);
        let (code, said) = bench.gate();
        assert!(code == Some(0) || !said.contains("approval 2 of team(governance)"), "{said}");
    }
}

#[test]
fn it_ends_and_can_be_taken_back_and_a_no_stands() {
    let bench = Bench::changed();
    let said = bench.approve(2, "--as governance --until 2999-01-01");
    assert_eq!(said.code, Some(0));
    bench.is_open();
    let name = bench.envelopes()[0].0.rsplit_once('/').unwrap().1[..12].to_owned();
    let revoke = |number: u8| bench.say(&format!("revoke {name} --key {}", bench.key(number).display()));
    // Nobody takes back what another said.
    assert_eq!(revoke(3).code, Some(2));
    bench.is_open();
    assert_eq!(revoke(2).code, Some(0));
    bench.is_shut("it was revoked");
    // The same statement in another envelope is the same, and stays taken back.
    let (_, first) = bench.envelopes().into_iter().find(|(reference, _)| reference.contains(&name)).unwrap();
    bench.shelve("again", &first.replacen(':', ": ", 1));
    bench.is_shut("it was revoked");
    // Said again, it counts again: it is another statement.
    bench.agreed(2).is_open();
    let deny = |number: u8, team: &str| {
        let key = bench.key(number);
        let line =
            format!("deny {} --as {team} --key {} --base main --head feature --because", bench.plan(), key.display());
        let words: Vec<&str> = line.split(' ').chain(["not now"]).collect();
        bench.repo.run(&words, None, |_| {})
    };
    assert_eq!(deny(4, "legal").code, Some(2), "nobody asks dan");
    bench.is_open();
    assert_eq!(deny(3, "governance").code, Some(0));
    bench.is_shut("carol@example.org says no: not now");
}

#[test]
fn a_statement_that_has_ended_or_speaks_for_another_does_not_count() {
    let bench = Bench::changed();
    bench.agreed(2);
    let (name, good) = bench.envelopes().remove(0);
    let payload: Value = serde_json::from_str(&good).unwrap();
    bench.repo.git(&["update-ref", "-d", &name]);
    let statement: Value = {
        let text = decode(payload["payload"].as_str().unwrap());
        serde_json::from_slice(&text).unwrap()
    };
    let with = |change: &dyn Fn(&mut Value), number: u8, namespace: &str| {
        let mut statement = statement.clone();
        change(&mut statement);
        envelope(&statement.to_string(), number, namespace)
    };
    for (index, (text, why)) in [
        (with(&|said| said["until"] = "2026-01-02T00:00:00Z".into(), 2, "grace-rules"), "it ended on 2026-01-02"),
        (with(&|said| said["until"] = "never".into(), 2, "grace-rules"), "it ended on"),
        (with(&|said| said["by"] = "carol@example.org".into(), 2, "grace-rules"), "it is signed by bob@example.org"),
        (with(&|_| {}, 2, "git"), "it was signed for something else"),
        (with(&|_| {}, 9, "grace-rules"), "its key is not in the base"),
        (with(&|said| said["version"] = 2.into(), 2, "grace-rules"), "a newer version"),
        (with(&|said| said["says"]["subject"]["tier"] = 1.into(), 2, "grace-rules"), "it was given at tier 1"),
        (
            with(&|said| said["says"]["subject"]["approvals"] = Value::Array(vec![]), 2, "grace-rules"),
            "did not know of",
        ),
        (with(&|said| said["says"]["as"] = "legal".into(), 4, "grace-rules"), "signed by dan@example.org"),
        (with(&|said| said["extra"] = 1.into(), 2, "grace-rules"), "cannot be read"),
    ]
    .into_iter()
    .enumerate()
    {
        bench.shelve(&format!("n{index}"), &text);
        bench.is_shut(why);
        let place = name.rsplit_once('/').unwrap().0;
        bench.repo.git(&["update-ref", "-d", &format!("{place}/n{index}")]);
    }
    bench.shelve("good", &with(&|_| {}, 2, "grace-rules"));
    bench.is_open();
}

#[test]
fn the_gate_asks_for_a_run_of_exactly_this_tree() {
    let rules = "module team.rules\n\nbundle unit  critical\n  tests none\n  run \"git\", \"grep\", \"-q\", \"return 2\"\n  timeout 60 s each, 60 s in all\n  may be empty\n\nrule core_change : tier 2\n  when     change touches path(\"app/**\")\n  require  bundle(unit)\n  because  \"It is tried.\"\n\ntiers\n  2 internal   approve by rules  for any other change\n";
    let bench = Bench::with(rules, "");
    bench.change("x", Some(1));
    bench.is_shut("bundle unit has not run");
    let said = bench.say("run");
    let why = format!("{}{}", said.stdout, said.stderr);
    // A command without a report proves nothing, so it fails; the gate knows it.
    bench.is_shut("bundle unit failed");
    assert_eq!(said.code, Some(1), "{why}");
    // Another tree has not run.
    bench.repo.write("app/core.py", "def f():\n    return 4\n");
    bench.commit("alice@example.org", Some(1), "more");
    bench.is_shut("bundle unit has not run");
}

#[test]
fn nobody_chooses_rules_day_or_tree_of_a_decision() {
    let bench = Bench::changed();
    bench.agreed(2);
    for line in ["gate --rules grace", "gate --as-of 2026-01-01"] {
        assert_eq!(bench.say(line).code, Some(2), "{line}");
    }
    // A base that hangs on where branches lie is none.
    for line in ["gate --files app/core.py --base main", "gate --head feature", "gate"] {
        let said = bench.repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {});
        assert_eq!(said.code, Some(2), "{line}: {}", said.stdout);
    }
    // Nor is a name that a tag shares with a branch.
    bench.repo.git(&["tag", "main", "feature"]);
    assert_eq!(bench.say("gate").code, Some(2));
    bench.repo.git(&["tag", "-d", "main"]);
    // A cache that somebody wrote into is not looked at.
    let cache = bench.repo.cache();
    fs::create_dir_all(&cache).unwrap();
    bench.say("plan");
    fn poison(directory: &std::path::Path) {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { poison(&entry) } else { fs::write(&entry, b"poison").unwrap() }
        }
    }
    poison(&cache);
    bench.is_open();
}

#[test]
fn a_bot_is_verified_by_the_signature_of_every_commit() {
    let rules = "module bot.rules\n\nrule by_hand : tier 3\n  when     change touches path(\"app/**\") and not actor is verified bot(\"deploy[bot]\")\n  because  \"Only the bot does this.\"\n\ntiers\n  1 safe       approve automatically  for change only in comments\n  2 internal   approve by rules       for any other change\n  3 sensitive  approve 1 of anyone    for operations change_security\n";
    let signers = format!("deploy[bot] {}\n", public(5));
    let tier = |commits: &[(&str, Option<u8>)], actor: &str| {
        let bench = Bench::with(rules, &signers);
        for (at, (author, by)) in commits.iter().enumerate() {
            bench.repo.write("app/core.py", &format!("def f():\n    return {}\n", at + 5));
            bench.commit(author, *by, "x");
        }
        let said = bench.say(&format!("plan --format json{actor}"));
        let plan: Value = serde_json::from_str(&said.stdout).unwrap();
        assert!(plan["unknowns"].as_array().unwrap().is_empty(), "{}", plan["unknowns"]);
        plan["tier"].as_u64().unwrap()
    };
    let bot = ("deploy[bot]", Some(5));
    assert_eq!(tier(&[bot, bot], ""), 2);
    // One commit of somebody else, unsigned ones in its name, a name alone.
    assert_eq!(tier(&[bot, ("alice@example.org", Some(1))], ""), 3);
    assert_eq!(tier(&[bot, ("deploy[bot]", None)], ""), 3);
    assert_eq!(tier(&[("deploy[bot]", Some(1))], ""), 3);
    assert_eq!(tier(&[("alice@example.org", Some(1))], " --actor deploy[bot]"), 3);
}

#[test]
fn a_shelf_that_is_flooded_counts_for_nothing() {
    let bench = Bench::changed();
    bench.agreed(2).is_open();
    let (name, _) = bench.envelopes().remove(0);
    let place = name.rsplit_once('/').unwrap().0.to_owned();
    let oid = bench.repo.git(&["rev-parse", &name]);
    let many: String = (0..4200).map(|number| format!("create {place}/z{number} {oid}\n")).collect();
    let file = bench.repo.path.with_file_name("many");
    fs::write(&file, many).unwrap();
    let status = std::process::Command::new("git")
        .args(["update-ref", "--stdin"])
        .current_dir(&bench.repo.path)
        .stdin(fs::File::open(&file).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    bench.is_shut("more statements than are read");
}

#[test]
fn a_halt_does_not_drown_in_what_is_no_statement() {
    let bench = Bench::changed();
    bench.agreed(2).is_open();
    let key = bench.key(9);
    assert_eq!(bench.say(&format!("audit halt --because tests-vanish --key {}", key.display())).code, Some(0));
    // The clone that decides has only what is fetched.
    bench.repo.remove(".git/grace/ledger");
    bench.is_shut("tests-vanish");
    let commit = bench.repo.git(&["rev-parse", "HEAD"]);
    let many: String = (0..4200).map(|number| format!("create refs/grace/halts/0{number} {commit}\n")).collect();
    let file = bench.repo.path.with_file_name("many");
    fs::write(&file, many).unwrap();
    let mut update = std::process::Command::new("git");
    update.args(["update-ref", "--stdin"]).current_dir(&bench.repo.path).stdin(fs::File::open(&file).unwrap());
    assert!(update.status().unwrap().success());
    bench.is_shut("more statements than are read");
}

#[test]
fn a_change_that_takes_back_what_others_made_is_not_proved_to_be_of_its_author() {
    // Bob's work stands in main and was taken out again; alice branches before that and adds a line.
    let bench = Bench::new();
    bench.repo.write("app/core.py", "def f():\n    return 9\n");
    bench.commit("bob@example.org", Some(2), "bob's");
    bench.repo.write("notes.txt", "x\n");
    bench.commit("alice@example.org", Some(1), "alice's");
    bench.repo.git(&["checkout", "--quiet", "-B", "main", "feature~1"]);
    bench.repo.write("app/core.py", "def f():\n    return 1\n");
    bench.commit("carol@example.org", Some(3), "taken out");
    bench.agreed(2).is_shut("does not come from what it is compared with");
}

#[test]
fn an_anchored_ledger_that_is_gone_holds() {
    let bench = Bench::changed();
    bench.agreed(2).is_open();
    assert_eq!(bench.repo.run(&["audit", "anchor", "git"], None, |_| {}).code, Some(0));
    bench.is_open();
    bench.repo.remove(".git/grace/ledger");
    bench.is_shut("is gone");
    // Also once a new one was begun in its place.
    bench.is_shut("is gone");
}

#[test]
fn a_ledger_whose_key_is_gone_holds() {
    let bench = Bench::changed();
    bench.agreed(2).is_open();
    let without = |file: &str| {
        let file = bench.repo.path.with_file_name(file);
        let line = ["gate", "--base", "main", "--head", "feature"];
        bench.repo.run(&line, None, |command| {
            command.env("GRACE_RULES_LEDGER_KEY", &file);
        })
    };
    let said = without("no-such-key");
    assert!(said.code == Some(2) && flat(&said).contains("it is gone, and the ledger here"), "{}", flat(&said));
    assert!(!bench.repo.path.with_file_name("no-such-key").exists(), "none is made in its place");
    fs::write(bench.repo.path.with_file_name("noise"), "noise").unwrap();
    let said = without("noise");
    assert!(said.code == Some(2) && flat(&said).contains("it does not hold the seed"), "{}", flat(&said));
}

/// Base64 as DSSE has it.
fn decode(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits =
        text.bytes().filter(|byte| *byte != b'=').flat_map(|byte| (0..6).rev().map(move |bit| value(byte) >> bit & 1));
    let bits: Vec<u8> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = if at <= chunk.len() { DIGITS[(word >> (18 - 6 * at) & 63) as usize] } else { b'=' };
            text.push(char::from(digit));
        }
    }
    text
}

/// An envelope as an attacker would write it: any payload, any key, any purpose.
fn envelope(payload: &str, number: u8, namespace: &str) -> String {
    const TYPE: &str = "application/vnd.grace-rules.statement+json";
    let signed = format!("DSSEv1 {} {TYPE} {} {payload}", TYPE.len(), payload.len());
    let signature = key(number).sign(namespace, HashAlg::Sha512, signed.as_bytes()).unwrap();
    let sig = encode(signature.to_pem(LineEnding::LF).unwrap().as_bytes());
    let payload = encode(payload.as_bytes());
    serde_json::json!({"payloadType": TYPE, "payload": payload, "signatures": [{"keyid": "", "sig": sig}]}).to_string()
}
