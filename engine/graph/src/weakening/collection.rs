//! Settings that leave tests out: `collect_ignore` in a conftest, and pytest's section of the configuration files.
//!
//! Reads what stands there as text. What a conftest computes is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use toml::de::{DeTable, DeValue};

use super::{TestChanges, UnknownTests};
use crate::change::{Content, FileChange, FileSide, syntax};
use crate::layout::base_name;

const MAX_BYTES: usize = crate::change::syntax::MAX_BYTES;
/// Most that one file is read to leave out; more leave out what cannot be said.
const MAX_LEFT_OUT: usize = 256;
/// Computed settings of one file that are read each by itself: one may stand within another.
const MAX_COMPUTED: usize = 64;

/// A setting, new after the change, that leaves out tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncollected {
    /// The file with the setting, on the after side where it has one.
    pub path: Arc<str>,
    /// Line in it; 1 where none is known.
    pub line: u32,
    /// What is left out.
    pub pattern: UncollectedPattern,
}

/// What a setting leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UncollectedPattern {
    /// A file or folder, from the top of the repository, and everything in it.
    Path(String),
    /// Files that match a glob, from the top of the repository.
    Glob(String),
    /// Every folder of this name (a glob), and everything in it.
    Folder(String),
    /// Some tests by another setting, of which it cannot be said here which; the setting's name.
    Setting(&'static str),
}

/// A setting, ready to be asked of many files.
#[derive(Debug)]
pub struct LeavesOut<'u> {
    pattern: &'u UncollectedPattern,
    /// `None` where it is no pattern that is understood.
    glob: Option<GlobMatcher>,
}

impl Uncollected {
    /// The setting, ready to be asked.
    #[must_use]
    pub fn leaves_out(&self) -> LeavesOut<'_> {
        let glob = match &self.pattern {
            UncollectedPattern::Glob(glob) | UncollectedPattern::Folder(glob) => Some(glob),
            UncollectedPattern::Path(_) | UncollectedPattern::Setting(_) => None,
        };
        let glob = glob.and_then(|glob| GlobBuilder::new(glob).literal_separator(false).build().ok());
        LeavesOut { pattern: &self.pattern, glob: glob.map(|glob| glob.compile_matcher()) }
    }
}

impl LeavesOut<'_> {
    /// Whether a test file is left out; `None` where it cannot be said.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<bool> {
        let matches = |text: &str| self.glob.as_ref().map(|glob| glob.is_match(text));
        match self.pattern {
            UncollectedPattern::Path(left_out) => {
                Some(path == left_out || path.strip_prefix(left_out.as_str()).is_some_and(|rest| rest.starts_with('/')))
            }
            UncollectedPattern::Glob(_) => {
                let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                ends.try_fold(false, |found, end| Some(found || matches(&path[..end])?))
            }
            UncollectedPattern::Folder(_) => {
                let (folders, _) = path.rsplit_once('/').unwrap_or_default();
                folders.split('/').try_fold(false, |found, folder| Some(found || matches(folder)?))
            }
            UncollectedPattern::Setting(_) => None,
        }
    }
}

/// Settings of pytest by name, with the lines where they stand.
type Settings = BTreeMap<String, (Vec<String>, u32)>;

/// What a conftest says, under names that no setting has: its hooks, the plugins that it loads, its skips.
const HOOKS: &str = "a hook of pytest";
const PLUGINS: &str = "pytest_plugins";
const SKIPS: &str = "a skip in a conftest";
/// Hooks that only report.
const REPORTING: [&str; 6] = [
    "pytest_report_header",
    "pytest_terminal_summary",
    "pytest_assertrepr_compare",
    "pytest_report_collectionfinish",
    "pytest_make_parametrize_id",
    "pytest_addoption",
];

/// Folders that pytest never enters unless told otherwise.
const NO_RECURSE: [&str; 9] = ["*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"];

/// Adds what a changed conftest or configuration file newly leaves out.
pub(super) fn compare(file: &FileChange, changes: &mut TestChanges) {
    let reads = |side: &FileSide| settings_of(&side.path, "").is_some();
    if !file.before.iter().chain(&file.after).any(reads) {
        return;
    }
    let Some(path) = file.after.as_ref().or(file.before.as_ref()).map(|side| side.path.clone()) else { return };
    let read = |side: Option<&FileSide>| -> Option<Settings> {
        match side.map(|side| (&side.path, &side.content)) {
            None => Some(Settings::new()),
            Some((path, Content::Text(text))) if text.len() <= MAX_BYTES => {
                settings_of(path, text).unwrap_or_else(|| Some(Settings::new()))
            }
            Some(_) => None,
        }
    };
    let (Some(before), Some(after), false) = (read(file.before.as_ref()), read(file.after.as_ref()), file.asserted)
    else {
        let why = "the settings of the tests cannot be read";
        changes.unknown.push(UnknownTests { path, line: 1, why });
        return;
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut left_out = Vec::new();
    let mut push = |line: u32, pattern| left_out.push(Uncollected { path: path.clone(), line, pattern });
    let values = |settings: &Settings, name: &str| -> Vec<String> {
        settings.get(name).map(|(values, _)| values.clone()).unwrap_or_default()
    };
    let line = |name: &str| after.get(name).map_or(1, |(_, line)| *line);
    let come = |name: &str, defaults: &[&str]| -> Vec<String> {
        let mut old: BTreeSet<String> = values(&before, name).into_iter().collect();
        if !before.contains_key(name) {
            old.extend(defaults.iter().map(|default| (*default).to_owned()));
        }
        values(&after, name).into_iter().filter(|value| !old.contains(value)).collect()
    };
    for entry in come("collect_ignore", &[]) {
        push(line("collect_ignore"), below(folder, &entry, UncollectedPattern::Path));
    }
    for entry in come("collect_ignore_glob", &[]) {
        push(line("collect_ignore_glob"), below(folder, &entry, UncollectedPattern::Glob));
    }
    for entry in come("norecursedirs", &NO_RECURSE) {
        let entry = entry.trim_end_matches('/');
        let pattern = if entry.contains('/') {
            below(folder, entry, UncollectedPattern::Glob)
        } else {
            UncollectedPattern::Folder(entry.to_owned())
        };
        push(line("norecursedirs"), pattern);
    }
    let words = |settings: &Settings| unquoted(&values(settings, "addopts"));
    let old_options: BTreeSet<_> = options(&words(&before)).into_iter().collect();
    for (option, value) in options(&words(&after)).into_iter().filter(|option| !old_options.contains(option)) {
        let at = line("addopts");
        match option {
            "--ignore" => push(at, below(folder, &value, UncollectedPattern::Path)),
            "--ignore-glob" => push(at, below(folder, &value, UncollectedPattern::Glob)),
            _ => push(at, UncollectedPattern::Setting(option)),
        }
    }
    // Another option than those, or one less of those that add tests.
    for setting in options_in_doubt(&words(&before), &words(&after)) {
        push(line("addopts"), UncollectedPattern::Setting(setting));
    }
    // A file of this name alone decides which settings count, even where it is empty.
    let rules_alone = matches!(base_name(&path), "pytest.ini" | ".pytest.ini" | "pytest.toml" | ".pytest.toml");
    let before_path = file.before.as_ref().map(|side| &side.path);
    if rules_alone && (before_path.is_none() || file.after.is_none() || before_path != Some(&path)) {
        push(1, UncollectedPattern::Setting("the file that configures pytest"));
    }
    // What is computed, or chooses files and names, may leave out anything.
    for name in [
        "collect_ignore?",
        "pytest_ignore_collect",
        "pytest_collection_modifyitems",
        HOOKS,
        PLUGINS,
        SKIPS,
        "python_files",
        "python_classes",
        "python_functions",
    ] {
        if before.get(name).map(|(values, _)| values) != after.get(name).map(|(values, _)| values) {
            push(line(name), UncollectedPattern::Setting(name));
        }
    }
    let (old, new) = (values(&before, "testpaths"), values(&after, "testpaths"));
    if !new.is_empty() && (old.is_empty() || old.iter().any(|path| !new.contains(path))) {
        push(line("testpaths"), UncollectedPattern::Setting("testpaths"));
    }
    if left_out.len() > MAX_LEFT_OUT {
        left_out.truncate(MAX_LEFT_OUT);
        let line = left_out.last().map_or(1, |last| last.line);
        let pattern = UncollectedPattern::Setting("more than is read of one file");
        left_out.push(Uncollected { path: path.clone(), line, pattern });
    }
    changes.uncollected.append(&mut left_out);
}

/// An entry relative to the folder of its file; one that climbs out may be anything.
fn below(folder: &str, entry: &str, pattern: fn(String) -> UncollectedPattern) -> UncollectedPattern {
    let entry = entry.trim_start_matches("./").trim_end_matches('/');
    if entry.starts_with('/') || entry.split('/').any(|segment| segment == "..") {
        return UncollectedPattern::Setting("a path outside");
    }
    pattern(if folder.is_empty() { entry.to_owned() } else { format!("{folder}/{entry}") })
}

/// Words as a shell would read them: what stands between quotes is one.
fn unquoted(words: &[String]) -> Vec<String> {
    let mut read = Vec::new();
    let mut open: Option<(char, String)> = None;
    for word in words {
        let (quote, mut text) = match open.take() {
            Some((quote, text)) => (Some(quote), text + " "),
            None => (None, String::new()),
        };
        let mut quote = quote;
        for character in word.chars() {
            match quote {
                Some(closing) if character == closing => quote = None,
                None if matches!(character, '"' | '\'') => quote = Some(character),
                _ => text.push(character),
            }
        }
        match quote {
            Some(quote) => open = Some((quote, text)),
            None => read.push(text),
        }
    }
    read.extend(open.map(|(_, text)| text));
    read
}

/// The options of `addopts` that leave out tests, with their values.
fn options(words: &[String]) -> Vec<(&'static str, String)> {
    const TAKING_AWAY: [&str; 5] = ["--ignore", "--ignore-glob", "--deselect", "-k", "-m"];
    let mut found = Vec::new();
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        // Short options may share one dash: `-qk name`.
        let joined = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let joined = joined.map(|rest| format!("-{}", rest.trim_start_matches(['q', 'v', 'x', 's', 'l'])));
        let word = joined.as_deref().unwrap_or(word);
        for option in TAKING_AWAY {
            if word == option {
                found.push((option, words.peek().map_or(String::new(), |value| (*value).to_owned())));
            } else if let Some(value) = word.strip_prefix(option)
                && (value.starts_with('=') || option.len() == 2 && !value.is_empty())
            {
                found.push((option, value.trim_start_matches('=').to_owned()));
            }
        }
    }
    found
}

/// Options that came and may run fewer tests in a way that is not read, options that went and added some, and paths.
fn options_in_doubt(before: &[String], after: &[String]) -> Vec<&'static str> {
    const COME: [&str; 20] = [
        "--collect-only",
        "--co",
        "--setup-plan",
        "--setup-only",
        "--lf",
        "--last-failed",
        "--sw",
        "--stepwise",
        "--stepwise-skip",
        "--noconftest",
        "--override-ini",
        "--config-file",
        "--rootdir",
        "--confcutdir",
        "--pyargs",
        "--keep-duplicates",
        "-p",
        "-o",
        "-c",
        "--testmon",
    ];
    const GONE: [&str; 5] = ["--doctest-modules", "--doctest-glob", "--import-mode", "--runslow", "--strict-markers"];
    const WITH_VALUE: [&str; 22] = [
        "-n",
        "-p",
        "-W",
        "-r",
        "-c",
        "-o",
        "-k",
        "-m",
        "--tb",
        "--cov",
        "--cov-report",
        "--maxfail",
        "--durations",
        "--timeout",
        "--dist",
        "--junitxml",
        "--junit-xml",
        "--ignore",
        "--ignore-glob",
        "--deselect",
        "--color",
        "--log-level",
    ];
    let is = |word: &str, option: &str| {
        word == option
            || word.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
            || option.len() == 2 && word.starts_with(option)
    };
    let mut found: Vec<&'static str> = Vec::new();
    let known: BTreeSet<&String> = before.iter().collect();
    for option in COME {
        if after.iter().any(|word| is(word, option) && !known.contains(word))
            // The value that follows is told by the words around it.
            || after.iter().any(|word| word == option) && before != after
        {
            found.push(option);
        }
    }
    found.extend(
        GONE.into_iter()
            .filter(|option| before.iter().any(|word| is(word, option)) && !after.iter().any(|word| is(word, option))),
    );
    let paths = |words: &[String]| -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        let mut value = false;
        for word in words {
            if !value && !word.starts_with('-') {
                paths.insert(word.clone());
            }
            value = WITH_VALUE.contains(&word.as_str());
        }
        paths
    };
    if paths(before) != paths(after) && !paths(after).is_empty() {
        found.push("a path in addopts");
    }
    found
}

/// The settings in a file; the outer `None` for a file that holds none by its name, the inner where it cannot be read.
fn settings_of(path: &str, text: &str) -> Option<Option<Settings>> {
    match path.rsplit('/').next().unwrap_or(path) {
        "conftest.py" => Some(conftest(text)),
        "pytest.ini" | ".pytest.ini" | "tox.ini" => Some(Some(ini(text, "[pytest]"))),
        "setup.cfg" => Some(Some(ini(text, "[tool:pytest]"))),
        "pytest.toml" | ".pytest.toml" => Some(toml_table(text, &["pytest"])),
        "pyproject.toml" => Some(pyproject(text)),
        _ => None,
    }
}

fn conftest(text: &str) -> Option<Settings> {
    let tree = syntax::parse_python(text)?;
    let root = tree.root_node();
    if root.has_error() {
        return None;
    }
    let mut settings = Settings::new();
    // What was said already: a name may stand many times in one expression.
    let mut said: BTreeSet<usize> = BTreeSet::new();
    let line_of = |node: tree_sitter::Node<'_>| u32::try_from(node.start_position().row).unwrap_or(u32::MAX - 1) + 1;
    let text_of = |node: tree_sitter::Node<'_>| text.get(node.byte_range()).unwrap_or_default();
    syntax::each_node(root, &mut |node| {
        match node.kind() {
            "function_definition" => {
                let name = node.child_by_field_name("name").map_or("", text_of);
                let key = match name {
                    "pytest_ignore_collect" | "pytest_collection_modifyitems" => name,
                    _ if name.starts_with("pytest_") && !REPORTING.contains(&name) => HOOKS,
                    _ => "",
                };
                let mut note = |key: &str, what: String| {
                    let entry = settings.entry(key.to_owned()).or_insert((Vec::new(), line_of(node)));
                    entry.0.push(what);
                };
                if !key.is_empty() {
                    note(key, syntax::tokens(node, text));
                }
                // What fixtures and helpers skip. Elsewhere a skip is read with its test.
                syntax::each_node(node, &mut |inner| {
                    if inner.kind() == "identifier"
                        && matches!(
                            text_of(inner),
                            "skip" | "skipTest" | "SkipTest" | "xfail" | "importorskip" | "exit"
                        )
                    {
                        note(SKIPS, text_of(inner).to_owned());
                    }
                    true
                });
                false
            }
            // Hooks and plugins that come from elsewhere, or by another name.
            "import_from_statement" => {
                let spelled = text_of(node);
                if spelled.contains("pytest_") || spelled.trim_end().ends_with('*') {
                    let entry = settings.entry(HOOKS.to_owned()).or_insert((Vec::new(), line_of(node)));
                    entry.0.push(syntax::tokens(node, text));
                }
                false
            }
            "assignment" if is_plugin_or_hook(node.child_by_field_name("left").map_or("", text_of)) => {
                let left = node.child_by_field_name("left").map_or("", text_of);
                let key = if left == PLUGINS { PLUGINS } else { HOOKS };
                let entry = settings.entry(key.to_owned()).or_insert((Vec::new(), line_of(node)));
                entry.0.push(syntax::tokens(node, text));
                false
            }
            "identifier" if matches!(text_of(node), "collect_ignore" | "collect_ignore_glob") => {
                let parent = node.parent();
                let assigned = parent
                    .filter(|parent| parent.kind() == "assignment" && parent.child_by_field_name("left") == Some(node));
                let right = assigned.and_then(|assigned| assigned.child_by_field_name("right"));
                let literals = right.filter(|right| matches!(right.kind(), "list" | "tuple")).and_then(|right| {
                    let elements: Vec<_> =
                        right.named_children(&mut right.walk()).filter(|child| child.kind() != "comment").collect();
                    elements
                        .into_iter()
                        .map(|element| {
                            let inner = text_of(element).trim_matches(['"', '\'']);
                            (element.kind() == "string"
                                && element.named_child_count() <= 3
                                && !inner.contains(['\\', '{', '"', '\'']))
                            .then(|| inner.to_owned())
                        })
                        .collect::<Option<Vec<String>>>()
                });
                match literals {
                    Some(values) => {
                        let entry = settings.entry(text_of(node).to_owned()).or_insert((Vec::new(), line_of(node)));
                        entry.0.extend(values);
                    }
                    None => {
                        // Extended, appended to, or computed.
                        let around = parent.and_then(|parent| parent.parent()).or(parent).unwrap_or(node);
                        // Of very many, all that the file says.
                        let around = if said.len() < MAX_COMPUTED { around } else { root };
                        if said.insert(around.id()) {
                            let entry =
                                settings.entry("collect_ignore?".to_owned()).or_insert((Vec::new(), line_of(node)));
                            entry.0.push(syntax::tokens(around, text));
                        }
                    }
                }
                false
            }
            _ => true,
        }
    });
    Some(settings)
}

fn is_plugin_or_hook(name: &str) -> bool {
    name.starts_with("pytest_")
}

fn ini(text: &str, section: &str) -> Settings {
    let mut settings = Settings::new();
    let mut inside = false;
    let mut current: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            inside = content == section;
            current = None;
            continue;
        }
        if !inside {
            continue;
        }
        // Whichever of both signs comes first, as pytest's reader has it.
        let (name, value) = match line.split_once(['=', ':']) {
            Some((name, value)) if !line.starts_with([' ', '\t']) => {
                let name = name.trim().to_owned();
                let number = u32::try_from(index).unwrap_or(u32::MAX - 1) + 1;
                settings.insert(name.clone(), (Vec::new(), number));
                current = Some(name.clone());
                (name, value)
            }
            _ => match &current {
                Some(name) => (name.clone(), content),
                None => continue,
            },
        };
        if let Some((values, _)) = settings.get_mut(&name) {
            values.extend(value.split_whitespace().map(str::to_owned));
        }
    }
    settings
}

fn pyproject(text: &str) -> Option<Settings> {
    let ini_options = toml_table(text, &["tool", "pytest", "ini_options"])?;
    if ini_options.is_empty() { toml_table(text, &["tool", "pytest"]) } else { Some(ini_options) }
}

/// The settings in a table of a TOML file; `None` where the file cannot be read.
fn toml_table(text: &str, path: &[&str]) -> Option<Settings> {
    let document = DeTable::parse(text).ok()?;
    let mut settings = Settings::new();
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let mut table = document.get_ref();
    for name in path {
        match table.get(*name) {
            Some(inner) => table = inner.get_ref().as_table()?,
            None => return Some(settings),
        }
    }
    for (name, value) in table {
        let values = match value.get_ref() {
            DeValue::String(text) => text.split_whitespace().map(str::to_owned).collect(),
            DeValue::Array(values) => {
                values.iter().filter_map(|value| value.get_ref().as_str().map(str::to_owned)).collect()
            }
            _ => continue,
        };
        let line = u32::try_from(ends.partition_point(|end| *end < name.span().start)).unwrap_or(u32::MAX - 1) + 1;
        settings.insert(name.get_ref().to_string(), (values, line));
    }
    Some(settings)
}
