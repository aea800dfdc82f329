//! Whatever is cut off between two steps, nothing that was told is lost: debug builds end themselves at a point that a test names.

use serde_json::Value;

use crate::people::{Bench, RULES, flat};

#[test]
fn what_ends_between_two_steps_loses_nothing_that_was_told() {
    let rules = RULES.replace(
        "require  approval 1 of team(governance)\n  because  \"The core is agreed.\"",
        "require  approval 1 of team(governance), bundle(core)\n  because  \"The core is agreed.\"\n\nbundle core\n  tests    path(\"tests/**\")\n  run      \"python3\", \"-m\", \"pytest\", \"{tests}\", \"-q\", \"--junitxml={junit}\"\n  timeout  60 s in all",
    );
    let bench = Bench::with(&rules, "");
    bench.repo.git(&["checkout", "--quiet", "main"]);
    bench.repo.write("tests/test_core.py", "def test_it():\n    assert True\n");
    bench.commit("alice@example.org", Some(1), "a test");
    bench.repo.git(&["checkout", "--quiet", "-B", "feature"]);
    bench.change("x", Some(1));
    let repo = &bench.repo;
    repo.json("audit init");
    let approve = format!("approve {} --as governance --key {}", bench.plan(), bench.key(2).display());
    let halt = format!("audit halt --because stop --key {}", bench.key(9).display());
    let mut told = 0;
    for (line, points) in [
        ("run", &["before plan", "after plan", "before bundle", "after bundle", "before story", "after action"][..]),
        ("run", &["before store", "after store"]),
        ("gate", &["before decision", "after decision"]),
        (&approve, &["before shelf", "after shelf"]),
        (&halt, &["before halt", "after halt", "before shelf", "after shelf"]),
    ] {
        for point in points {
            let line = format!("{line} --base main --head feature");
            let said = repo.run(&line.split(' ').collect::<Vec<_>>(), None, |command| {
                command.env("GRACE_RULES_ABORT_AT", point);
            });
            assert_eq!(said.code, None, "{line}, {point}: it went on: {}", flat(&said));
            // What it had told of is there.
            told += said.stderr.lines().filter(|line| line.contains(": passed")).count();
            let records = repo.recorded();
            let kept = records.iter().filter(|(kind, _)| kind == "bundle").count();
            assert!(kept >= told, "{line}, {point}: {told} outcomes were told, {kept} are there");
            // The ledger is whole, and the database opens and is all of it.
            let verified = repo.json("audit verify");
            assert_eq!(verified["answer"], "proven", "{line}, {point}: {verified}");
            let store = repo.json("store export");
            let rows = |table: &str| {
                let tables = store["tables"].as_array().unwrap();
                tables.iter().find(|one| one["table"] == table).and_then(|one| one["rows"].as_u64())
            };
            assert_eq!(rows("records"), Some(records.len() as u64), "{line}, {point}: {store}");
            assert_eq!(store["notices"], Value::Array(Vec::new()), "{line}, {point}");
        }
    }
    assert!(told > 0);
    // What was cut off after it counted counts: three halts (the first had not been recorded), and below them the approval.
    let ran = bench.say("run");
    assert_eq!(ran.code, Some(0), "{}", flat(&ran));
    let shut = repo.json("gate --base main --head feature");
    let halts: Vec<&str> =
        shut["halts"].as_array().unwrap().iter().map(|halt| halt["name"].as_str().unwrap()).collect();
    assert!(shut["answer"] == "no" && halts.len() == 3, "{shut}");
    let lift =
        format!("audit resume {} --as governance --because done --key {}", halts.join(" "), bench.key(3).display());
    let lifted = bench.say(&lift);
    assert_eq!(lifted.code, Some(0), "{}", flat(&lifted));
    bench.is_open();
}
