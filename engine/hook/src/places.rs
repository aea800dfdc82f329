//! Where an agent works, and what there is not for agents to change.

use std::path::{Component, Path, PathBuf};

use grace_system::{env, files};

/// Largest file of git that is read, in bytes.
const MAX_POINTER: u64 = 64 << 10;

/// Settings of agents that name hooks, and the hook's own record; in the repository.
const SETTINGS: &[&str] = &[
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".codex/hooks.json",
    ".codex/config.toml",
    ".cursor/hooks.json",
    ".openhands/hooks.json",
    ".github/hooks",
];

/// Settings of agents that name hooks, in the home of a user; and where agents look for their own home.
const OWN_SETTINGS: &[(&str, &str, &[&str])] = &[
    ("CLAUDE_CONFIG_DIR", ".claude", &["settings.json", "settings.local.json"]),
    ("CODEX_HOME", ".codex", &["config.toml", "hooks.json"]),
    ("", ".cursor", &["hooks.json"]),
    ("", ".openhands", &["hooks.json"]),
    ("COPILOT_HOME", ".copilot", &["config.json", "hooks"]),
];

/// Settings of agents for every user of a machine.
const SHARED_SETTINGS: &[&str] = &[
    "/etc/claude-code",
    "/etc/codex",
    "/etc/cursor",
    "/Library/Application Support/ClaudeCode",
    "/Library/Application Support/Cursor",
];

/// Names of the programs that answer hooks.
const PROGRAMS: &[&str] = &["grace-hook", "grace-rules"];

/// Who may sign, in the repository.
const SIGNERS: &str = "grace/allowed_signers";

/// Where an agent works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The agent's directory, without links.
    pub directory: PathBuf,
    /// The repository's top, and its directory that work trees share; `None` outside of repositories.
    pub repository: Option<(PathBuf, PathBuf)>,
    /// Where users keep the ledger's key, their SSH keys and the operator's configuration.
    pub secret: Vec<PathBuf>,
    /// The settings of agents that name hooks, outside of the repository.
    pub settings: Vec<PathBuf>,
    /// The program that answers here, and the one beside it.
    pub programs: Vec<PathBuf>,
    /// Directories in which a program is found by its name alone.
    pub search: Vec<PathBuf>,
}

impl Places {
    /// Looks around a directory. Git is not asked: that would take as long as all else together.
    #[must_use]
    pub fn find(directory: &Path) -> Self {
        let directory = files::canonical(directory).unwrap_or_else(|_| directory.to_path_buf());
        let repository = repository_of(&directory);
        let own = env::config_dir().map(|dir| dir.join("grace-rules"));
        let ssh = env::home().map(|home| home.join(".ssh"));
        let named =
            ["GRACE_RULES_LEDGER_KEY", "GRACE_RULES_CONFIG"].into_iter().filter_map(env::var_os).map(PathBuf::from);
        let secret = own.into_iter().chain(ssh).chain(named).map(|path| real(&path)).collect();
        let named = |(variable, _, files): &(&str, &str, &'static [&'static str])| {
            let home = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())?;
            Some(files.iter().map(move |file| home.join(file)))
        };
        let of_home = env::home().into_iter().flat_map(|home| {
            let all = OWN_SETTINGS.iter().flat_map(|(_, dir, files)| files.iter().map(move |file| (*dir, *file)));
            all.map(move |(dir, file)| home.join(dir).join(file)).collect::<Vec<_>>()
        });
        let shared = SHARED_SETTINGS.iter().map(PathBuf::from).filter(|path| files::is_dir(path));
        let settings = of_home.chain(OWN_SETTINGS.iter().filter_map(named).flatten()).chain(shared);
        let settings = settings.map(|path| real(&path)).collect();
        let this = env::current_exe().and_then(|exe| files::canonical(&exe).map_err(std::io::Error::other)).ok();
        let beside = PROGRAMS.iter().filter_map(|name| Some(this.as_ref()?.with_file_name(with_suffix(name))));
        let beside: Vec<PathBuf> = beside.filter(|path| files::exists(path)).collect();
        let programs = beside.into_iter().chain(this).collect();
        Self { directory, repository, secret, settings, programs, search: env::search_path(None) }
    }

    /// The place that grace-rules has in the repository's directory.
    #[must_use]
    pub fn grace(&self) -> Option<PathBuf> {
        self.repository.as_ref().map(|(_, common)| common.join("grace"))
    }

    /// A path as an agent writes it in its own directory: see [`Places::resolve_from`].
    #[must_use]
    pub fn resolve(&self, text: &str) -> Option<PathBuf> {
        self.resolve_from(&self.directory, text)
    }

    /// A path as an agent writes it in a directory, absolute and with the links of what exists followed; `None` for what is no path.
    #[must_use]
    pub fn resolve_from(&self, directory: &Path, text: &str) -> Option<PathBuf> {
        let text = text.strip_prefix("file://").unwrap_or(text);
        if text.is_empty() || text.contains('\0') {
            return None;
        }
        let home = || env::home();
        let path = match text
            .strip_prefix("~/")
            .or_else(|| text.strip_prefix("$HOME/"))
            .or_else(|| text.strip_prefix("${HOME}/"))
        {
            Some(rest) => home()?.join(rest),
            None if matches!(text, "~" | "$HOME" | "${HOME}") => home()?,
            None => directory.join(text),
        };
        Some(real(&path))
    }

    /// The path below the repository's top, with `/`.
    #[must_use]
    pub fn relative(&self, path: &Path) -> Option<String> {
        let (top, _) = self.repository.as_ref()?;
        grace_system::names::relative(top, path).map(|(path, _)| path)
    }

    /// What is in a directory that agents do not change, in words; `None` where there is nothing, or the path is no directory that
    /// holds it. Of other repositories only those count that have a ledger.
    #[must_use]
    pub fn within(&self, path: &Path) -> Option<&'static str> {
        if !files::exists(path) {
            return None;
        }
        let other = repository_of(path).filter(|other| self.repository.as_ref() != Some(other));
        let governed = other.filter(|(_, common)| files::is_dir(&common.join("grace")));
        for (top, common) in self.repository.iter().chain(&governed) {
            if common.starts_with(path) {
                return Some("the repository's own directory");
            }
            let holds = |name: &str| {
                let file = top.join(name);
                file.starts_with(path) && files::exists(&file)
            };
            if holds(SIGNERS) {
                return Some("who may sign");
            }
            if SETTINGS.iter().any(|settings| holds(settings)) {
                return Some("hooks that govern agents");
            }
        }
        let holds = |all: &[PathBuf]| all.iter().any(|one| one.starts_with(path) && files::exists(one));
        if holds(&self.settings) {
            return Some("hooks that govern agents");
        }
        if holds(&self.programs) {
            return Some("the program that answers hooks");
        }
        self.secret.iter().any(|secret| secret.starts_with(path)).then_some("keys and settings of this user")
    }

    /// What a directory that is not there yet would hold, in words.
    #[must_use]
    pub fn becomes(&self, path: &Path) -> Option<&'static str> {
        let (top, _) = self.repository.as_ref().filter(|_| !files::exists(path))?;
        let holds = SETTINGS.iter().any(|settings| top.join(settings).starts_with(path));
        (holds && path != top).then_some("hooks that govern agents")
    }

    /// The paths that a word of a shell may mean: the one that it spells, or where it has wildcards those of what agents do not
    /// change that fit, and the directories above them.
    #[must_use]
    pub fn named_by(&self, directory: &Path, text: &str) -> Vec<PathBuf> {
        if !text.contains(['*', '?', '[']) {
            return self.resolve_from(directory, text).into_iter().collect();
        }
        let parts: Vec<&str> = text.split('/').collect();
        let plain = parts.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
        if parts.len() > MOST_PARTS {
            return Vec::new();
        }
        let from = if plain == 0 {
            Some(real(directory))
        } else {
            self.resolve_from(directory, &(parts[..plain].join("/") + "/"))
        };
        let Some(from) = from else { return Vec::new() };
        let of_repository = self.repository.iter().flat_map(|(top, common)| {
            let files = SETTINGS.iter().chain([&SIGNERS]).map(|name| top.join(name));
            files.chain([common.join("grace")])
        });
        let elsewhere = [&self.settings, &self.programs, &self.secret].into_iter().flatten().cloned();
        let known = of_repository.chain(elsewhere);
        let mut found: Vec<PathBuf> = known
            .filter_map(|file| {
                let mut rest = file.strip_prefix(&from).ok()?.components();
                let mut at = from.clone();
                for pattern in parts[plain..].iter().filter(|part| !part.is_empty()) {
                    let Some(part) = rest.next() else { break };
                    if !fits(pattern, &part.as_os_str().to_string_lossy()) {
                        return None;
                    }
                    at.push(part);
                }
                Some(at)
            })
            .collect();
        found.dedup();
        found
    }

    /// What a path is that agents do not change, in words; `None` where they may.
    #[must_use]
    pub fn protected(&self, path: &Path) -> Option<&'static str> {
        // From outside, and from one repository, an agent reaches others.
        let other = repository_of(path).filter(|other| self.repository.as_ref() != Some(other));
        let repositories = || self.repository.iter().chain(&other);
        for (_, common) in repositories() {
            if path.starts_with(common.join("grace")) {
                return Some("the ledger and what belongs to it");
            }
            if path.starts_with(common) {
                return Some("the repository's own directory");
            }
        }
        if path.components().any(|part| is_same(part, ".git")) {
            return Some("the repository's own directory");
        }
        if self.secret.iter().any(|secret| path.starts_with(secret)) {
            return Some("keys and settings of this user");
        }
        if self.settings.iter().any(|settings| path.starts_with(settings)) {
            return Some("hooks that govern agents");
        }
        if self.programs.iter().any(|program| path == program) || self.is_found_first(path) {
            return Some("the program that answers hooks");
        }
        let below = |name: &str| repositories().any(|(top, _)| is_below(path, top, name));
        if below(SIGNERS) {
            return Some("who may sign");
        }
        SETTINGS.iter().any(|settings| below(settings)).then_some("hooks that govern agents")
    }
}

impl Places {
    /// Whether a shell finds this file by the name of a program that answers hooks: settings name it so.
    fn is_found_first(&self, path: &Path) -> bool {
        let is_named = path.file_name().is_some_and(|name| {
            PROGRAMS
                .iter()
                .any(|program| name.eq_ignore_ascii_case(*program) || name.eq_ignore_ascii_case(with_suffix(program)))
        });
        is_named && path.parent().is_some_and(|dir| self.search.iter().any(|search| real(search) == dir))
    }
}

fn with_suffix(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Most components of a path with wildcards.
const MOST_PARTS: usize = 32;

/// Whether a path is `name` in `top`, or below it.
fn is_below(path: &Path, top: &Path, name: &str) -> bool {
    let Ok(rest) = path.strip_prefix(top) else { return false };
    let mut rest = rest.components();
    // Where upper and lower case are one file, so they are here; elsewhere such a file is unlikely enough.
    Path::new(name)
        .components()
        .all(|part| rest.next().is_some_and(|found| is_same(found, &part.as_os_str().to_string_lossy())))
}

/// Whether a name fits a pattern of a shell: `*`, `?`, and `[…]`, which is taken to fit any one letter. A leading dot is spelled.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    if name.first() == Some(&'.') && pattern.first() != Some(&'.') {
        return false;
    }
    // Where the last `*` stood, and what it has taken so far.
    let (mut at, mut here, mut star) = (0, 0, None);
    while here < name.len() {
        let bracket =
            (pattern.get(at) == Some(&'[')).then(|| pattern[at..].iter().position(|char| *char == ']')).flatten();
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some('[') if bracket.is_some() => {
                at += bracket.unwrap_or(0) + 1;
                here += 1;
            }
            Some(char) if *char == '?' || *char == name[here] => {
                at += 1;
                here += 1;
            }
            _ => match star {
                Some((pattern_at, taken)) => {
                    star = Some((pattern_at, taken + 1));
                    (at, here) = (pattern_at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

/// The top of the repository that a path is in, and the directory that its work trees share.
fn repository_of(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut found = None;
    let mut top = PathBuf::new();
    for part in path.components() {
        top.push(part);
        // Below what is no directory there is none: however long the rest is, it is not walked.
        if matches!(part, Component::Normal(_)) && !files::is_dir(&top) {
            break;
        }
        if let Some(common) = common_dir(&top.join(".git")) {
            found = Some((top.clone(), common));
        }
    }
    found
}

fn is_same(part: Component<'_>, name: &str) -> bool {
    part.as_os_str().eq_ignore_ascii_case(name)
}

/// The shared directory of the repository whose `.git` this is.
fn common_dir(dot_git: &Path) -> Option<PathBuf> {
    let git_dir = if files::is_dir(dot_git) {
        dot_git.to_path_buf()
    } else {
        let text = files::read_text(dot_git, MAX_POINTER).ok()?;
        dot_git.parent()?.join(text.strip_prefix("gitdir:")?.trim())
    };
    let common = match files::read_text(&git_dir.join("commondir"), MAX_POINTER) {
        Ok(text) => git_dir.join(text.trim()),
        Err(_) => git_dir,
    };
    files::canonical(&common).ok()
}

/// A path without `.` and `..`, and with the links of its longest part that exists followed.
fn real(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    let mut rest = path.components();
    while let Some(part) = rest.next() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => {
                clean.push(part);
                match files::canonical(&clean) {
                    Ok(found) => clean = found,
                    // Nothing below exists either, so no more links: only names are left.
                    Err(_) => {
                        for part in rest.by_ref() {
                            match part {
                                Component::CurDir => {}
                                Component::ParentDir => {
                                    clean.pop();
                                }
                                part => clean.push(part),
                            }
                        }
                    }
                }
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_however_it_is_spelled() {
        let dir = tempfile::tempdir().unwrap();
        let top = files::canonical(dir.path()).unwrap();
        files::create_dirs(&top.join(".git/grace")).unwrap();
        files::create_dirs(&top.join("src/deep")).unwrap();
        let places = Places::find(&top.join("src"));
        assert_eq!(places.repository, Some((top.clone(), top.join(".git"))));
        let protected = |text: &str| places.protected(&places.resolve(text).unwrap());
        for text in [
            "../.git/grace/ledger/x",
            "../.GIT/config",
            "./../.git",
            "deep/../../.git/hooks/pre-commit",
            "../grace/allowed_signers",
            "../.claude/settings.json",
            "../.github/hooks/x.json",
            "../new/../.git/grace",
            "other/.git/config",
        ] {
            assert!(protected(text).is_some(), "{text}");
        }
        let absolute = top.join(".git/grace/halt");
        assert!(protected(&absolute.display().to_string()).is_some());
        for text in
            ["a.py", "../grace/rules.grace", ".gitignore", "../.github/workflows/x.yml", "git/grace", "", "/etc/hosts"]
        {
            assert_eq!(places.resolve(text).and_then(|path| places.protected(&path)), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_for_agents_is_so_from_outside_and_from_another_repository() {
        let dir = tempfile::tempdir().unwrap();
        let all = files::canonical(dir.path()).unwrap();
        let (top, other) = (all.join("top"), all.join("other"));
        files::create_dirs(&top.join(".git/grace")).unwrap();
        files::create_dirs(&other.join(".git")).unwrap();
        for from in [&all, &other, &top] {
            let places = Places::find(from);
            for file in ["grace/allowed_signers", ".claude/settings.json", ".git/grace/halt"] {
                assert!(places.protected(&top.join(file)).is_some(), "{file} from {}", from.display());
            }
            assert_eq!(places.protected(&top.join("grace/rules.grace")), None);
        }
    }

    #[test]
    fn what_governs_agents_outside_of_the_repository_is_not_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let top = files::canonical(dir.path()).unwrap();
        for path in ["home/.claude", "home/.codex", "programs", "bin", "first", "work/.git"] {
            files::create_dirs(&top.join(path)).unwrap();
        }
        for path in ["home/.claude/settings.json", "programs/grace-hook", "bin/ls"] {
            files::create_new(&top.join(path), b"x").unwrap();
        }
        let mut places = Places::find(&top.join("work"));
        if let Some(home) = env::home() {
            for file in [".claude/settings.json", ".codex/config.toml", ".cursor/hooks.json", ".openhands/hooks.json"] {
                assert!(places.protected(&real(&home.join(file))).is_some(), "{file}");
            }
            assert_eq!(places.protected(&real(&home.join(".codex/log/x"))), None);
        }
        let this = files::canonical(&env::current_exe().unwrap()).unwrap();
        assert!(places.protected(&this).is_some() && places.within(this.parent().unwrap()).is_some());

        places.settings = vec![top.join("home/.claude/settings.json"), top.join("home/.codex/config.toml")];
        places.programs = vec![top.join("programs/grace-hook")];
        places.search = vec![top.join("first"), top.join("bin")];
        for file in ["home/.codex/config.toml", "programs/grace-hook", "first/grace-hook", "bin/grace-rules"] {
            assert!(places.protected(&top.join(file)).is_some(), "{file}");
        }
        for file in ["home/.codex/log", "programs/other", "first/ls", "elsewhere/grace-hook", "bin/grace-hook/x"] {
            assert_eq!(places.protected(&top.join(file)), None, "{file}");
        }
        assert!(places.within(&top.join("home/.claude")).is_some());
        assert!(places.within(&top.join("programs")).is_some());
        // What is not there yet is not taken away.
        assert_eq!(places.within(&top.join("home/.codex")), None);
        let named = places.named_by(&top, "../*/home/.cl*/*.json");
        assert!(named.is_empty(), "{named:?}");
        let named = places.named_by(&top, "home/.cl*/*.json");
        assert_eq!(named, [top.join("home/.claude/settings.json")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_where_it_leads() {
        let dir = tempfile::tempdir().unwrap();
        let top = files::canonical(dir.path()).unwrap();
        files::create_dirs(&top.join(".git/grace")).unwrap();
        std::os::unix::fs::symlink(top.join(".git"), top.join("innocent")).unwrap();
        let places = Places::find(&top);
        assert!(places.protected(&places.resolve("innocent/grace/halt").unwrap()).is_some());
    }

    #[test]
    fn a_linked_work_tree_shares_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let top = files::canonical(dir.path()).unwrap();
        let (main, linked) = (top.join("main/.git"), top.join("linked"));
        files::create_dirs(&main.join("worktrees/linked")).unwrap();
        files::create_dirs(&linked).unwrap();
        files::create_new(&main.join("worktrees/linked/commondir"), b"../..\n").unwrap();
        let pointer = format!("gitdir: {}\n", main.join("worktrees/linked").display());
        files::create_new(&linked.join(".git"), pointer.as_bytes()).unwrap();
        let places = Places::find(&linked);
        assert_eq!(places.grace(), Some(main.join("grace")));
        assert!(places.protected(&main.join("grace/ledger")).is_some());
    }
}
