//! People who work on a repository: commits and statements signed by hand, with keys that are the same everywhere.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::support::{Repo, Said};

/// Rules by which team governance approves `app/`.
pub(crate) const RULES: &str = r#"module team.rules

team governance  members "bob@example.org", "carol@example.org", "deploy", "gina@example.org", "zoe@example.org"
team legal       members "dan@example.org"

rule core_change : tier 2
  when     change touches path("app/**")
  require  approval 1 of team(governance)
  because  "The core is agreed."

tiers
  1 safe       approve automatically  for change only in comments, formatting, documentation
  2 internal   approve by rules       for any other change
  3 sensitive  approve 2 of team(governance)  for operations change_security
"#;

/// People and the number of their key; bob has two names.
const PEOPLE: [(&str, u8); 4] = [
    ("alice@example.org", 1),
    ("bob@example.org,bobby@example.org", 2),
    ("carol@example.org", 3),
    ("dan@example.org", 4),
];

pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&[number; 32])), "").unwrap()
}

pub(crate) fn public(number: u8) -> String {
    key(number).public_key().to_openssh().unwrap()
}

/// Everything that was said, without line breaks.
pub(crate) fn flat(said: &Said) -> String {
    format!("{} {}", said.stdout, said.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) struct Bench {
    pub(crate) repo: Repo,
}

impl Bench {
    /// Rules and signers on `main`; `feature` is checked out and stands there too.
    pub(crate) fn new() -> Self {
        Self::with(RULES, "")
    }

    /// With other rules, and more lines for the signers.
    pub(crate) fn with(rules: &str, signers: &str) -> Self {
        let bench = Self { repo: Repo::unborn() };
        let lines: String = PEOPLE.iter().map(|(name, number)| format!("{name} {}\n", public(*number))).collect();
        bench.repo.write("grace/rules.grace", rules);
        bench.repo.write("grace/allowed_signers", &format!("{lines}{signers}"));
        bench.repo.write("app/core.py", "def f():\n    return 1\n");
        bench.commit("alice@example.org", Some(1), "base");
        bench.repo.git(&["checkout", "--quiet", "-b", "feature"]);
        bench
    }

    /// Alice's signed change.
    pub(crate) fn changed() -> Self {
        let bench = Self::new();
        bench.change("x", Some(1));
        bench
    }

    pub(crate) fn change(&self, message: &str, by: Option<u8>) {
        self.repo.write("app/core.py", "def f():\n    return 2\n");
        self.commit("alice@example.org", by, message);
    }

    /// Commits what is there, signed by hand.
    pub(crate) fn commit(&self, author: &str, by: Option<u8>, message: &str) {
        let git = |arguments: &[&str]| self.repo.git(arguments);
        git(&["add", "--all"]);
        let tree = git(&["write-tree"]);
        let branch = git(&["symbolic-ref", "HEAD"]);
        let parent = git(&["for-each-ref", "--format=%(objectname)", &branch]);
        let parent = if parent.is_empty() { parent } else { format!("parent {parent}\n") };
        let date = "1767225600 +0000";
        let head = format!("tree {tree}\n{parent}author A <{author}> {date}\ncommitter A <{author}> {date}\n");
        let signature = by.map(|by| {
            let signed = format!("{head}\n{message}");
            let signature = key(by).sign("git", HashAlg::Sha512, signed.as_bytes()).unwrap();
            format!("gpgsig {}\n", signature.to_pem(LineEnding::LF).unwrap().trim_end().replace('\n', "\n "))
        });
        let file = self.repo.path.with_file_name("commit");
        fs::write(&file, format!("{head}{}\n{message}", signature.unwrap_or_default())).unwrap();
        let oid = git(&["hash-object", "-t", "commit", "-w", &file.display().to_string()]);
        git(&["update-ref", "HEAD", &oid]);
    }

    pub(crate) fn key(&self, number: u8) -> PathBuf {
        let file = self.repo.path.with_file_name(format!("key{number}"));
        fs::write(&file, key(number).to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        file
    }

    pub(crate) fn say(&self, line: &str) -> Said {
        let line = format!("{line} --base main --head feature");
        self.repo.run(&line.split(' ').collect::<Vec<_>>(), None, |_| {})
    }

    pub(crate) fn plan(&self) -> String {
        let plan: Value = serde_json::from_str(&self.say("plan --format json").stdout).unwrap();
        plan["id"].as_str().unwrap().to_owned()
    }

    /// `approve`, as the person with this key.
    pub(crate) fn approve(&self, number: u8, rest: &str) -> Said {
        let key = self.key(number);
        self.say(&format!("approve {} --key {} {rest}", self.plan(), key.display()))
    }

    pub(crate) fn agreed(&self, number: u8) -> &Self {
        let said = self.approve(number, "--as governance");
        assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
        self
    }

    /// The envelopes on the shelf: reference and content.
    pub(crate) fn envelopes(&self) -> Vec<(String, String)> {
        let names = self.repo.git(&["for-each-ref", "--format=%(refname)", "refs/grace/approvals"]);
        names.lines().map(|name| (name.to_owned(), self.repo.git(&["cat-file", "blob", name]))).collect()
    }

    /// Puts bytes where approvals of this change stand.
    pub(crate) fn shelve(&self, name: &str, text: &str) {
        let plan: Value = serde_json::from_str(&self.say("plan --format json").stdout).unwrap();
        let place = format!("refs/grace/approvals/{}", &plan["subject"]["diff"].as_str().unwrap()[..32]);
        let file = self.repo.path.with_file_name("envelope");
        fs::write(&file, text).unwrap();
        let oid = self.repo.git(&["hash-object", "-w", &file.display().to_string()]);
        self.repo.git(&["update-ref", &format!("{place}/{name}"), &oid]);
    }

    /// The gate: exit code, the answer, and everything it says.
    pub(crate) fn gate(&self) -> (Option<i32>, String) {
        let said = self.say("gate");
        (said.code, flat(&said))
    }

    #[track_caller]
    pub(crate) fn is_open(&self) {
        let (code, said) = self.gate();
        assert_eq!(code, Some(0), "{said}");
    }

    #[track_caller]
    pub(crate) fn is_shut(&self, because: &str) {
        let (code, said) = self.gate();
        assert!(code == Some(1) && said.contains(because), "{code:?}: {said}");
    }
}
