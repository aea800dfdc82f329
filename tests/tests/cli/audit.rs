//! `audit`: the ledger as its users and auditors meet it.

use std::fs;

use grace_ledger::{Draft, Ledger, SecretKey, merkle};
use serde_json::{Value, json};

use crate::support::Repo;

const ANCHORS: &str = "refs/grace/anchors";

/// The small project with a ledger of so many records beyond the first.
fn with_records(count: u64) -> Repo {
    let repo = Repo::project();
    assert_eq!(repo.json("audit init")["records"], 1);
    let drafts: Vec<Draft> = (1..=count)
        .map(|number| {
            Draft::new("run", "ann@example.org", json!({"bundles": ["unit"], "passed": number % 2 == 0}))
                .policy("sha256:0123")
                .about("repo", "0123456789012345678901234567890123456789")
        })
        .collect();
    append(&repo, &drafts);
    repo
}

fn append(repo: &Repo, drafts: &[Draft]) {
    ledger(repo).append(&key(repo), drafts).unwrap();
}

fn ledger(repo: &Repo) -> Ledger {
    Ledger::at(&repo.path.join(".git/grace/ledger"))
}

fn key(repo: &Repo) -> SecretKey {
    SecretKey::load(&repo.key()).unwrap()
}

/// The public key, as `--key` takes it.
fn public(repo: &Repo) -> String {
    repo.json("audit init")["key"].as_str().unwrap().to_owned()
}

fn code(repo: &Repo, line: &str) -> Option<i32> {
    repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {}).code
}

#[test]
fn a_ledger_is_made_with_its_key_and_verifies() {
    let repo = Repo::project();
    insta::assert_snapshot!("init_of_a_ledger", repo.grace("audit init"));
    insta::assert_snapshot!("init_of_a_ledger_that_is_there", repo.grace("audit init"));
    insta::assert_snapshot!("verify_alone", repo.grace("audit verify"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(repo.key()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(repo.key(), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(code(&repo, "audit init"), Some(2), "a key that others may read is refused");
    }
}

#[test]
fn records_are_listed_and_shown() {
    let repo = with_records(30);
    append(&repo, &[Draft::new("story", "eve\u{202e}", json!({"who": "\u{1b}[31m"})).private("who", "Eve")]);
    insta::assert_snapshot!("show_of_records", repo.grace("audit show --last 3"));
    insta::assert_snapshot!("show_of_one_record", repo.grace("audit show 2"));
    insta::assert_snapshot!("show_of_a_hostile_record", repo.grace("audit show 31"));
    insta::assert_snapshot!("show_of_no_record", repo.grace("audit show 99"));
}

#[test]
fn an_anchor_vouches_for_what_was_there() {
    let repo = with_records(4);
    insta::assert_snapshot!("anchor_in_git", repo.grace("audit anchor git"));
    assert!(repo.grace("audit anchor git").contains("anchored already"));
    append(&repo, &[Draft::new("run", "ann", Value::Null)]);
    insta::assert_snapshot!("verify_with_an_anchor", repo.grace("audit verify"));
    insta::assert_snapshot!("verify_with_too_few_anchors", repo.grace("audit verify --require-anchor"));
    insta::assert_snapshot!("anchor_in_a_file", repo.grace("audit anchor file ../checkpoint"));
    assert_eq!(code(&repo, "audit verify --require-anchor --against ../checkpoint"), Some(0));
    assert_eq!(code(&repo, "audit anchor file ../checkpoint"), Some(2), "a checkpoint that was kept is not replaced");
}

#[test]
fn what_was_changed_is_named_and_ends_with_one() {
    let repo = with_records(4);
    let bundle = repo.path.join(".git/grace/ledger/tile/entries/000.p/5");
    let sound = fs::read(&bundle).unwrap();
    let changed = String::from_utf8_lossy(&sound).replacen("ann@", "eve@", 1);
    fs::write(&bundle, changed.into_bytes()).unwrap();
    insta::assert_snapshot!("verify_of_a_changed_record", repo.grace("audit verify"));
    for line in ["audit show 1", "audit prove 1", "audit anchor git", "audit export"] {
        assert_eq!(code(&repo, line), Some(2), "{line}");
    }
    assert_eq!(code(&repo, "audit fsck"), Some(1), "it is left as it is");
    fs::write(&bundle, &sound).unwrap();
    assert_eq!(code(&repo, "audit verify"), Some(0));
}

#[test]
fn an_older_copy_and_an_erased_ledger_are_caught_by_an_anchor() {
    let repo = with_records(4);
    let dir = repo.path.join(".git/grace/ledger");
    let copy = repo.path.join("copy");
    let put_back = |from: &std::path::Path, to: &std::path::Path| {
        let _absent = fs::remove_dir_all(to);
        copy_dir(from, to);
    };
    put_back(&dir, &copy);
    append(&repo, &[Draft::new("run", "ann", Value::Null)]);
    assert_eq!(code(&repo, "audit anchor git"), Some(0));
    put_back(&copy, &dir);
    insta::assert_snapshot!("verify_of_an_older_copy", repo.grace("audit verify"));
    fs::remove_dir_all(&dir).unwrap();
    insta::assert_snapshot!("verify_of_an_erased_ledger", repo.grace("audit verify"));
    // Begun anew, it is another ledger.
    assert_eq!(code(&repo, "audit init"), Some(0));
    insta::assert_snapshot!("verify_of_a_ledger_begun_anew", repo.grace("audit verify"));
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn an_anchor_travels_by_push_and_fetch() {
    let repo = with_records(2);
    let far = Repo::directory();
    far.git(&["init", "--quiet", "--bare"]);
    repo.git(&["remote", "add", "far", far.path.to_str().unwrap()]);
    assert_eq!(code(&repo, "audit anchor git"), Some(0));
    repo.git(&["push", "--quiet", "far", &format!("{ANCHORS}/*:{ANCHORS}/*")]);
    append(&repo, &[Draft::new("run", "ann", Value::Null)]);
    // Whoever has the key writes the last record but one anew, and its own references with it.
    let origin = repo.json("audit verify")["origin"].as_str().unwrap().to_owned();
    repo.git(&["update-ref", "-d", &format!("{ANCHORS}/{origin}")]);
    let report = repo.json("audit verify");
    assert_eq!((&report["answer"], &report["anchored"]), (&json!("proven"), &json!(0)));
    repo.git(&["fetch", "--quiet", "far", &format!("+{ANCHORS}/*:refs/remotes/far/grace/anchors/*")]);
    let report = repo.json("audit verify");
    assert_eq!((&report["answer"], &report["anchored"]), (&json!("proven"), &json!(3)));
    assert!(!report["cannot_show"].to_string().contains("this clone"), "{report}");
}

#[test]
fn an_anchor_that_was_spoilt_is_told() {
    let repo = with_records(2);
    assert_eq!(code(&repo, "audit anchor git"), Some(0));
    let reference = repo.git(&["for-each-ref", "--format=%(refname)", ANCHORS]);
    // A commit that holds no checkpoint, in place of the one that does.
    repo.git(&["update-ref", &reference, "HEAD"]);
    assert_eq!(code(&repo, "audit verify"), Some(2));
    assert!(repo.grace("audit verify").contains("it is no checkpoint that the key signed"));
    assert_eq!(code(&repo, "audit anchor git"), Some(2), "nothing is put on top of what is no checkpoint");
}

#[test]
fn a_proof_needs_no_ledger_and_no_repository() {
    let repo = with_records(4);
    insta::assert_snapshot!("prove_of_a_record", repo.grace("audit prove 3 -o 3.tlog-proof"));
    let elsewhere = Repo::directory();
    elsewhere.write("3.tlog-proof", &repo.read("3.tlog-proof"));
    elsewhere.write("key", &public(&repo));
    insta::assert_snapshot!("check_of_a_proof", elsewhere.grace("audit check-proof 3.tlog-proof --key key"));
    elsewhere.write("3.tlog-proof", &repo.read("3.tlog-proof").replace("index 3", "index 2"));
    insta::assert_snapshot!("check_of_a_false_proof", elsewhere.grace("audit check-proof 3.tlog-proof --key key"));
    insta::assert_snapshot!("check_without_a_key", elsewhere.grace("audit check-proof 3.tlog-proof"));
    insta::assert_snapshot!("check_with_no_key", elsewhere.grace("audit check-proof 3.tlog-proof --key nonsense"));
    assert_eq!(
        repo.grace("audit prove 3"),
        format!("{}--- exit 0\n", repo.grace("audit prove 3").replace("--- exit 0\n", ""))
    );
}

#[test]
fn an_auditor_verifies_a_copy_with_the_public_key_alone() {
    let repo = with_records(4);
    let auditor = Repo::directory();
    copy_dir(&repo.path.join(".git/grace/ledger"), &auditor.path.join("ledger"));
    let key = public(&repo);
    let said = auditor.run(&["audit", "verify", "--ledger", "ledger", "--key", &key], None, |_| {});
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let stranger = Repo::project();
    let other =
        stranger.run(&["audit", "verify", "--ledger", "ledger", "--key", &public(&stranger)], None, |command| {
            command.current_dir(&auditor.path);
        });
    assert_eq!(other.code, Some(1), "{}{}", other.stdout, other.stderr);
}

#[test]
fn exported_records_are_a_chain_for_whoever_has_only_a_hash() {
    let repo = with_records(9);
    let said = repo.run(&["audit", "export"], None, |_| {});
    let mut prev = "0".repeat(64);
    let mut count = 0;
    for line in said.stdout.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!((record["seq"].as_u64(), record["prev"].as_str()), (Some(count), Some(prev.as_str())));
        prev = merkle::hex(&merkle::sha256(line.as_bytes()));
        count += 1;
    }
    assert_eq!(count, 10);
    let said = repo.run(&["audit", "export", "--format", "intoto", "3"], None, |_| {});
    let envelope: Value = serde_json::from_str(&said.stdout).unwrap();
    let statement = grace_ledger::open_envelope(&envelope, &key(&repo).public()).unwrap();
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], "0123456789012345678901234567890123456789");
    let proof = statement["predicate"]["proof"].as_str().unwrap();
    assert_eq!(grace_ledger::check_proof(proof, &key(&repo).public()).unwrap().record.seq, 3);
    let mut forged = envelope.clone();
    forged["payloadType"] = json!("text/plain");
    assert_eq!(grace_ledger::open_envelope(&forged, &key(&repo).public()), None);
    assert_eq!(code(&repo, "audit export --format json"), Some(2));
    assert_eq!(code(&repo, "plan --format jsonl"), Some(2));
}

#[test]
fn a_torn_append_is_told_apart_from_tampering_and_mended() {
    let repo = with_records(2);
    fs::write(repo.path.join(".git/grace/ledger/pending"), "grace-ledger-pending-v1 900 0").unwrap();
    insta::assert_snapshot!("verify_with_a_torn_append", repo.grace("audit verify"));
    insta::assert_snapshot!("fsck_of_a_torn_append", repo.grace("audit fsck"));
    assert_eq!(repo.json("audit show --last 1")["shown"][0]["kind"], "recovery");
}

#[test]
fn a_key_inside_the_repository_is_refused() {
    let repo = Repo::project();
    let said = repo.run(&["audit", "init"], None, |command| {
        command.env("GRACE_RULES_LEDGER_KEY", repo.path.join("secret/ledger.key"));
    });
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("lies inside"), "{}", said.stderr);
    assert!(!repo.path.join("secret").exists() && !repo.path.join(".git/grace/ledger").exists());
}

#[test]
fn a_parquet_file_has_every_record_and_overwrites_nothing() {
    let repo = Repo::edited();
    repo.run(&["run"], None, |_| {});
    let lines = repo.run(&["audit", "export", "--format", "jsonl"], None, |_| {}).stdout;
    let file = repo.path.with_file_name("ledger.parquet");
    let out = file.display().to_string();
    let export = || repo.run(&["audit", "export", "--format", "parquet", "-o", &out], None, |_| {});
    let said = export();
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.starts_with(&format!("wrote {} records to", lines.lines().count())), "{}", said.stdout);
    let bytes = std::fs::read(&file).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let again = export();
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    std::fs::remove_file(&file).unwrap();
    export();
    assert!(std::fs::read(&file).unwrap() == bytes, "equal records give equal bytes");
    assert_eq!(repo.run(&["audit", "export", "-o", &out], None, |_| {}).code, Some(2));
    assert_eq!(repo.run(&["audit", "export", "--format", "parquet"], None, |_| {}).code, Some(2));
}
