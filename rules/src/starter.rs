//! What `init` writes into a project's `grace/`: texts, from what it found there.
//!
//! Every text is a rule file that a team is meant to edit afterwards, so it explains itself and says nothing twice.

use std::fmt::Write as _;

/// What a start knows of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Principal of the person who starts, as `allowed_signers` will name them: an e-mail address.
    pub person: String,
    /// Bundles of the shipped ten whose test files all exist, by name, and the globs of the project's own test directories.
    pub bundles: Vec<String>,
    /// Directories with tests, repository-relative, without a trailing slash: each becomes a bundle.
    pub test_directories: Vec<String>,
    /// The code has kernels, governance, self-healing, model adapters or cognition, so the Grace packs say something about it.
    pub is_grace_system: bool,
}

/// The modules that a Grace system adopts, in the order in which they are read.
pub const GRACE_MODULES: &[&str] = &[
    "grace.vocabulary",
    "grace.tags",
    "grace.intents",
    "grace.tiers",
    "grace.principles",
    "grace.policies",
    "grace.selection",
    "grace.validation",
    "grace.trust",
];

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarterFile {
    /// Repository-relative path.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

/// The files of a new `grace/`, in the order in which a person should read them.
#[must_use]
pub fn files(found: &Found) -> Vec<StarterFile> {
    vec![
        StarterFile { path: "grace/rules.grace", text: rules(found) },
        StarterFile { path: "grace/bundles.grace", text: bundles(found) },
        StarterFile { path: "grace/allowed_signers", text: ALLOWED_SIGNERS.to_owned() },
    ]
}

/// The head of a new `allowed_signers`: how a line reads, and no key, because none is anybody's yet.
pub const ALLOWED_SIGNERS: &str = "\
# Whose approvals count: one line a person, in the format of ssh-keygen (ALLOWED SIGNERS).
# A change to this file is tier 3, and a new line counts only after the change that adds it.
#
# alice@example.org namespaces=\"grace\" ssh-ed25519 AAAA...
";

fn rules(found: &Found) -> String {
    let mut text = String::from(
        "# The rules of this project. `grace-rules check` says whether they are right, `grace-rules plan` what they mean for a change.\n\
         # A change to this directory is tier 3, whatever it says.\n\n\
         module project.rules\n",
    );
    let person = quoted(&found.person);
    if found.is_grace_system {
        let shipped = found.bundles.iter().map(|name| format!("grace.bundles.{name}"));
        let modules: Vec<String> = GRACE_MODULES.iter().map(|module| (*module).to_owned()).chain(shipped).collect();
        let _ = write!(text, "adopt  {}\n\n", modules.join(",\n       "));
        let _ = write!(
            text,
            "# Who decides. Members are principals of grace/allowed_signers; the author of a change never counts.\n\
             team governance  members {person}\n\
             team peers       members {person}\n",
        );
    } else {
        let _ = write!(text, "adopt  grace.floor\n\n");
        let _ = write!(
            text,
            "# Who decides. Members are principals of grace/allowed_signers; the author of a change never counts.\n\
             team owners  members {person}\n\n\
             # A rule of your own begins like this one.\n\
             rule public_signature : tier 2\n  \
               when     signatures change in public(all except tests)\n  \
               require  approval 1 of team(owners)\n  \
               because  \"Somebody outside may call it.\"\n",
        );
    }
    text
}

fn bundles(found: &Found) -> String {
    let mut text = String::from(
        "# Bundles: named groups of tests that rules can require. `run` is a list of arguments, no shell.\n\nmodule project.bundles\n",
    );
    for directory in &found.test_directories {
        let name = bundle_name(directory);
        let glob = quoted(&format!("{directory}/**"));
        let _ = write!(
            text,
            "\nbundle {name}\n  tests    path({glob})\n  run      \"pytest\", \"{{tests}}\", \"-q\", \"--junitxml={{junit}}\"\n  \
             timeout  120 s each, 1800 s in all\n  retries  1\n",
        );
    }
    if found.test_directories.is_empty() {
        text.push_str("\n# No tests were found. A bundle needs some: `check` refuses one whose tests do not exist.\n");
    }
    text
}

/// A name that the language takes: letters, digits and `_`, not beginning with a digit, not one of its words.
fn bundle_name(directory: &str) -> String {
    let mut name: String = directory.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    name.insert_str(0, "in_");
    name
}

/// A string literal of the language.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
