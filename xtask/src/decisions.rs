//! `cargo xtask testbed CHECKOUT --decisions [N]`: N decisions over a copy of a checkout's history whose first commit holds rules, each
//! replayed; then with a rule, a recorded fact, a recorded answer and a byte changed, each of which the replay must name. Fails where one is not equal, or a change goes
//! unnamed.

use std::fs;
use std::path::{Path, PathBuf};

use grace_ledger::{Draft, Ledger, SecretKey};
use serde_json::{Value, json};

use crate::{duckdb, host};

/// Decisions unless another number is given.
const DECISIONS: usize = 200;

pub(crate) fn run(checkout: &Path, number: Option<usize>) -> Result<(), String> {
    let number = number.unwrap_or(DECISIONS);
    duckdb::bring()?;
    host::cargo(&["build", "--release", "--package", "grace-rules"]).run()?;
    let binary = host::target()?.join("release").join(format!("grace-rules{}", std::env::consts::EXE_SUFFIX));
    let place = host::target()?.join("decisions");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(|error| format!("cannot remove {}: {error}", place.display()))?;
    }
    fs::create_dir_all(&place).map_err(|error| format!("cannot make {}: {error}", place.display()))?;
    let bed = Bed { copy: place.join("copy"), key: place.join("ledger.key"), binary };
    let rules = host::root().join("examples").join("grace_2").join("tags");
    let commits = bed.make(checkout, &rules, number)?;
    println!("{} commits with rules from the first one on", commits.len());

    let mut answers = [0_usize; 3];
    for pair in commits.windows(2) {
        let (code, said) = bed.ask(&["gate", "--base", &pair[0], "--head", &pair[1]])?;
        match answers.get_mut(code) {
            Some(count) if code < 2 => *count += 1,
            _ => return Err(format!("no decision about {}: {said}", pair[1])),
        }
    }
    println!("{} decisions: {} go, {} hold or no", answers[0] + answers[1], answers[0], answers[1]);
    let (code, said) = bed.ask(&["audit", "replay", "--all"])?;
    println!("replayed: {}", said.lines().next().unwrap_or_default());
    if code != 0 {
        return Err(format!("the replay ended with {code}:\n{said}"));
    }
    bed.with_another_rule(&rules, &place)?;
    bed.with_forged_records()?;
    bed.with_another_record()
}

/// A copy of a history, and the program that decides there.
struct Bed {
    copy: PathBuf,
    key: PathBuf,
    binary: PathBuf,
}

impl Bed {
    fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let process = host::program("git").args(["-C".as_ref(), self.copy.as_os_str()]).args(arguments);
        let process = ["AUTHOR", "COMMITTER"].iter().fold(process, |process, who| {
            process
                .variable(&format!("GIT_{who}_NAME"), "bed")
                .variable(&format!("GIT_{who}_EMAIL"), "bed@example.org")
                .variable(&format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z")
        });
        let index = self.copy.join(".git").join("bed-index");
        Ok(process.variable("GIT_INDEX_FILE", index).output()?.trim().to_owned())
    }

    /// Makes the history: the trees of the newest commits of `checkout`, each with the rules in `grace/`; oldest first.
    fn make(&self, checkout: &Path, rules: &Path, number: usize) -> Result<Vec<String>, String> {
        host::program("git")
            .args(["clone", "--quiet", "--shared", "--no-checkout"])
            .args([checkout, &self.copy])
            .output()?;
        let listed = self.git(&["rev-list", "--first-parent", &format!("--max-count={}", number + 1), "HEAD"])?;
        let mut blobs = Vec::new();
        for (path, file) in files(rules, "grace")? {
            let oid = self.git(&["hash-object", "-w", &file.display().to_string()])?;
            blobs.push(format!("100644,{oid},{path}"));
        }
        let mut made: Vec<String> = Vec::new();
        for commit in listed.lines().rev() {
            self.git(&["read-tree", commit])?;
            for blob in &blobs {
                self.git(&["update-index", "--add", "--cacheinfo", blob])?;
            }
            let tree = self.git(&["write-tree", "--missing-ok"])?;
            let mut arguments = vec!["commit-tree", &tree, "-m", commit];
            if let Some(last) = made.last() {
                arguments.extend(["-p", last]);
            }
            made.push(self.git(&arguments)?);
        }
        if let Some(last) = made.last() {
            self.git(&["update-ref", "refs/heads/bed", last])?;
        }
        Ok(made)
    }

    /// The exit code and everything that was said.
    fn ask(&self, arguments: &[&str]) -> Result<(usize, String), String> {
        let output = std::process::Command::new(&self.binary)
            .arg("-C")
            .arg(&self.copy)
            .args(arguments)
            .env("GRACE_RULES_LEDGER_KEY", &self.key)
            .env("GRACE_RULES_CACHE", "off")
            .output()
            .map_err(|error| format!("the program did not start: {error}"))?;
        let code = output.status.code().and_then(|code| usize::try_from(code).ok()).unwrap_or(usize::MAX);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok((code, said))
    }

    /// One decision under a rule more: the replay says that the rules are others.
    fn with_another_rule(&self, rules: &Path, place: &Path) -> Result<(), String> {
        let others = place.join("others");
        fs::create_dir_all(&others).map_err(|error| error.to_string())?;
        for (path, file) in files(rules, "")? {
            let name = path.replace('/', "-");
            fs::copy(&file, others.join(name.trim_start_matches('-'))).map_err(|error| error.to_string())?;
        }
        let rule = "module more\n\nrule more : tier 3\n  when     any edit in all\n  because  \"It is tried.\"\n";
        fs::write(others.join("more.grace"), rule).map_err(|error| error.to_string())?;
        let (code, said) = self.ask(&["audit", "replay", "1", "--rules", &others.display().to_string()])?;
        println!("with another rule: {}", said.lines().nth(2).unwrap_or_default().trim());
        if code != 1 || !said.contains("the rules:") {
            return Err(format!("another rule went unnamed ({code}):\n{said}"));
        }
        Ok(())
    }

    /// One byte of a record: what it lies in is named, and believed no more.
    fn with_another_record(&self) -> Result<(), String> {
        let entries = self.copy.join(".git/grace/ledger/tile/entries");
        let file = files(&entries, "")?.into_iter().next().ok_or("the ledger has no entries")?.1;
        let mut bytes = fs::read(&file).map_err(|error| error.to_string())?;
        let key = b"\"as_of\":";
        let at = bytes.windows(key.len()).position(|bytes| bytes == key).ok_or("no record has a time")?;
        bytes[at + key.len()] ^= 1;
        fs::write(&file, &bytes).map_err(|error| error.to_string())?;
        let (code, said) = self.ask(&["audit", "replay", "--all"])?;
        println!("with a byte of a record changed: {}", said.lines().next().unwrap_or_default().trim());
        if code != 2 || !said.contains("tile/entries") || !flat(&said).contains("root that was signed") {
            return Err(format!("a changed record went unnamed ({code}):\n{said}"));
        }
        Ok(())
    }

    /// Decisions as a writer with the key would forge them, each other in one input: the replay names which.
    fn with_forged_records(&self) -> Result<(), String> {
        let key = SecretKey::load(&self.key).map_err(|error| error.to_string())?;
        let ledger = Ledger::at(&self.copy.join(".git/grace/ledger"));
        let snapshot = ledger.snapshot(&key.public()).map_err(|error| error.to_string())?;
        let record = snapshot.get(1).map_err(|error| error.to_string())?;
        let body = snapshot.body(&record).map_err(|error| error.to_string())?;
        let with = |path: &str, value: Value| {
            let mut body = body.clone();
            if let Some(place) = body.pointer_mut(path) {
                *place = value;
            }
            Draft::new("decision", "forger", body)
        };
        let other = if body["answer"] == "go" { "hold" } else { "go" };
        let cases = [
            ("the recorded operation", with("/inputs/operation", json!("change_security")), 1, "tier"),
            ("the record of what tests enter", with("/inputs/reach", json!(["00"])), 2, "what tests enter"),
            ("the recorded rules", with("/about/rules", json!("00")), 1, "the rules:"),
            ("the recorded answer", with("/answer", json!(other)), 1, "the answer:"),
        ];
        for (name, draft, wanted, says) in cases {
            let receipts = ledger.append(&key, &[draft]).map_err(|error| error.to_string())?;
            let seq = receipts.first().ok_or("nothing was appended")?.seq.to_string();
            let (code, said) = self.ask(&["audit", "replay", &seq])?;
            println!("with {name} changed: {}", said.lines().nth(2).unwrap_or_default().trim());
            if code != wanted || !flat(&said).contains(says) {
                return Err(format!("{name} went unnamed ({code}):\n{said}"));
            }
        }
        Ok(())
    }
}

/// Without line breaks.
fn flat(said: &str) -> String {
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Files below a directory, with their paths below `prefix`, in order.
fn files(directory: &Path, prefix: &str) -> Result<Vec<(String, PathBuf)>, String> {
    let read = |error| format!("cannot read {}: {error}", directory.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let name = format!("{prefix}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            found.extend(files(&path, &name)?);
        } else {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}
