//! What `init` writes into a project's `grace/`: texts, from what it found there.
//!
//! Every text is a rule file that a team is meant to edit afterwards, so it explains itself and says nothing twice.
//! Teams are declared here and nowhere else: the packs refer to `team(governance)` and `team(peers)`.

use std::fmt::Write as _;

use crate::pack;

/// What a start knows of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Principal of the person who starts, as `allowed_signers` will name them: an e-mail address.
    pub person: String,
    /// The code has kernels, governance, self-healing, model adapters or cognition, so the Grace packs say something of it.
    pub is_grace_system: bool,
    /// Directories with tests, repository-relative, without a trailing slash: each becomes a bundle.
    pub test_directories: Vec<String>,
    /// Every test file, repository-relative and sorted: a shipped bundle is looked for among them by its files' names.
    pub test_files: Vec<String>,
}

/// The modules that a Grace system adopts beside its bundles, in the order in which a person should read them.
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

/// The shipped bundles, as the policies name them.
pub const BUNDLES: &[&str] = &[
    "layer1_boot",
    "self_healing_flows",
    "governance_decisions",
    "multi_model_routing",
    "chaos_smoke",
    "trigger_system",
    "integration",
    "cognition_loops",
    "policy_enforcement",
    "model_failover",
    "lint",
];

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarterFile {
    /// Repository-relative path.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

/// Letters in a line of rules.
const WIDTH: usize = 100;

/// The head of a new `allowed_signers`: how a line reads, and no key, because none is anybody's yet.
pub const ALLOWED_SIGNERS: &str = "\
# Whose approvals count: one line a person, in the format of ssh-keygen (ALLOWED SIGNERS).
# A change to this file is tier 3, and a new line counts only after the change that adds it.
#
# alice@example.org namespaces=\"grace\" ssh-ed25519 AAAA...
";

/// The files of a new `grace/`, in the order in which a person should read them.
#[must_use]
pub fn files(found: &Found) -> Vec<StarterFile> {
    let bundles: Vec<Bundle> =
        if found.is_grace_system { BUNDLES.iter().map(|name| Bundle::find(name, found)).collect() } else { Vec::new() };
    vec![
        StarterFile { path: "grace/rules.grace", text: rules(found, &bundles) },
        StarterFile { path: "grace/bundles.grace", text: own_bundles(found, &bundles) },
        StarterFile { path: "grace/allowed_signers", text: ALLOWED_SIGNERS.to_owned() },
    ]
}

/// Where a shipped bundle's tests are in a project.
enum Bundle {
    /// Where the pack says: it is adopted as it stands.
    Shipped(&'static str),
    /// Elsewhere, or nowhere: the project gets a bundle of the same name with these paths.
    Own(&'static str, Vec<String>),
}

impl Bundle {
    fn find(name: &'static str, found: &Found) -> Self {
        let wanted = pack(&format!("grace.bundles.{name}")).map(|pack| literal_paths(pack.text)).unwrap_or_default();
        let exists = |path: &str| found.test_files.iter().any(|file| file == path);
        if wanted.iter().all(|path| exists(path)) {
            return Self::Shipped(name);
        }
        let is_wanted = |file: &&String| wanted.iter().any(|path| file_name(path) == file_name(file));
        Self::Own(name, found.test_files.iter().filter(is_wanted).cloned().collect())
    }
}

fn rules(found: &Found, bundles: &[Bundle]) -> String {
    let mut text = String::from(
        "# The rules of this project. `grace-rules check` says whether they are right, `grace-rules plan` what they mean for a change.\n\
         # A change to this directory is tier 3, whatever it says.\n\n\
         module project.rules\n",
    );
    let person = quoted(&found.person);
    let who = "# Who decides. Members are principals of grace/allowed_signers; the author of a change never counts.\n";
    if found.is_grace_system {
        let shipped = bundles.iter().filter_map(|bundle| match bundle {
            Bundle::Shipped(name) => Some(format!("grace.bundles.{name}")),
            Bundle::Own(..) => None,
        });
        let mut modules: Vec<String> = GRACE_MODULES.iter().map(|module| (*module).to_owned()).chain(shipped).collect();
        let last = modules.len().saturating_sub(1);
        modules[..last].iter_mut().for_each(|module| module.push(','));
        let _ = write!(text, "{}\n\n{who}", wrapped("adopt  ", &modules, 2));
        let _ = write!(text, "team governance  members {person}\nteam peers       members {person}\n");
    } else {
        let _ = write!(text, "adopt  grace.floor\n\n{who}team owners  members {person}\n\n");
        text.push_str(
            "# A rule of your own begins like this one.\n\
             rule public_signature : tier 2\n  \
               when     signatures change in public(all except tests)\n  \
               require  approval 1 of team(owners)\n  \
               because  \"Somebody outside may call it.\"\n  \
               may be empty\n",
        );
    }
    text
}

fn own_bundles(found: &Found, bundles: &[Bundle]) -> String {
    let mut text = String::from(
        "# Bundles: named groups of tests that rules can require. `run` is a list of arguments, no shell.\n\nmodule project.bundles\n",
    );
    for bundle in bundles {
        if let Bundle::Own(name, paths) = bundle
            && let Some(pack) = pack(&format!("grace.bundles.{name}"))
        {
            text.push_str(&with_tests(pack.text, paths));
        }
    }
    for directory in &found.test_directories {
        let name = bundle_name(directory);
        let glob = quoted(&format!("{directory}/**"));
        let _ = write!(
            text,
            "\nbundle {name}\n  tests    path({glob})\n  run      \"python\", \"-m\", \"pytest\", \"{{tests}}\", \"-q\", \"--junitxml={{junit}}\"\n  \
             timeout  120 s each, 1800 s in all\n  retries  1\n",
        );
    }
    if found.test_directories.is_empty() {
        text.push_str("\n# No tests were found. A bundle needs some: `check` refuses one whose tests do not exist.\n");
    }
    text
}

/// Pieces behind a keyword, in lines of at most [`WIDTH`] letters, as `fmt` breaks them.
fn wrapped(keyword: &str, pieces: &[String], indent: usize) -> String {
    let mut text = keyword.to_owned();
    let mut width = text.len();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && width + 1 + piece.len() > WIDTH {
            let _ = write!(text, "\n{:indent$}", "");
            width = indent;
        } else if index > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(piece);
        width += piece.len();
    }
    text
}

/// The item of a shipped bundle with other paths in its `tests` clause, which stands on lines of its own before `run`.
fn with_tests(pack: &str, paths: &[String]) -> String {
    let piece =
        |(index, path): (usize, &String)| format!("{}path({})", if index > 0 { "plus " } else { "" }, quoted(path));
    let mut set: Vec<String> = paths.iter().enumerate().map(piece).collect();
    if set.is_empty() {
        set.push("none".to_owned());
    }
    let mut text = String::from("\n");
    let mut in_tests = false;
    for line in pack.lines().skip_while(|line| !line.starts_with("bundle ")) {
        let word = line.split_whitespace().next().unwrap_or_default();
        if word == "tests" {
            in_tests = true;
            let _ = writeln!(text, "{}", wrapped("  tests    ", &set, 11));
        } else if word == "run" {
            in_tests = false;
        }
        if !in_tests {
            text.push_str(line);
            text.push('\n');
        }
    }
    if paths.is_empty() && !text.contains("may be empty") {
        text.push_str("  may be empty\n");
    }
    text
}

/// The `path("…")` literals of a shipped bundle, in order.
fn literal_paths(pack: &str) -> Vec<&str> {
    pack.split("path(\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(path, _)| path)).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name that the language takes: letters, digits and `_`, none of its words.
fn bundle_name(directory: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let mut name = String::from("in_");
    name.extend(directory.chars().map(letter));
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
