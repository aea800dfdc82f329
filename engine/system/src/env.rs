//! Environment variables, the user's directories, programs on `PATH`, terminals.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// A variable; `None` if it is unset, empty or not UTF-8.
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable as the system holds it; `None` if it is unset or empty.
pub fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Variables of this process whose name is in `names` or, for a name that ends in `*`, begins so. Sorted by name.
pub fn inherited(names: &[&str]) -> Vec<(OsString, OsString)> {
    let allowed = |name: &OsStr| {
        let Some(name) = name.to_str() else { return false };
        names.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => name.get(..prefix.len()).is_some_and(|start| same_name(start, prefix)),
            None => same_name(name, pattern),
        })
    };
    let mut found: Vec<_> = std::env::vars_os().filter(|(name, _)| allowed(name)).collect();
    found.sort();
    found
}

fn same_name(a: &str, b: &str) -> bool {
    if cfg!(windows) { a.eq_ignore_ascii_case(b) } else { a == b }
}

/// Fills `bytes` with what nobody can guess, from the system.
pub fn random(bytes: &mut [u8]) -> std::io::Result<()> {
    getrandom::fill(bytes).map_err(|error| std::io::Error::other(error.to_string()))
}

/// The working directory.
pub fn current_dir() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

/// The executable that runs.
pub fn current_exe() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// Where this user's caches go: `$XDG_CACHE_HOME`, `~/Library/Caches`, `%LOCALAPPDATA%`. The caller adds its own name.
pub fn cache_dir() -> Option<PathBuf> {
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("XDG_CACHE_HOME").or_else(|| Some(home()?.join("Library").join("Caches")))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))
    }
}

/// Where `program` keeps what it can make again: the directory that `variable` names (nowhere, if it holds `off` or a relative
/// path), else its own directory in [`cache_dir`].
pub fn cache_dir_of(program: &str, variable: &str) -> Option<PathBuf> {
    match var_os(variable) {
        Some(given) => Some(PathBuf::from(given)).filter(|path| path.is_absolute()),
        None => Some(cache_dir()?.join(program)),
    }
}

/// Where this user's settings go: `$XDG_CONFIG_HOME`, `~/Library/Application Support`, `%APPDATA%`.
pub fn config_dir() -> Option<PathBuf> {
    if cfg!(windows) {
        absolute("APPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("XDG_CONFIG_HOME").or_else(|| Some(home()?.join("Library").join("Application Support")))
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))
    }
}

/// The home of this user.
pub fn home() -> Option<PathBuf> {
    absolute(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

/// A relative value is ignored, as the XDG specification asks.
fn absolute(name: &str) -> Option<PathBuf> {
    var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The absolute directories of `PATH` that do not lie inside `outside_of`: what a repository brings is not run in place of a tool.
pub fn search_path(outside_of: Option<&Path>) -> Vec<PathBuf> {
    let Some(path) = var_os("PATH") else { return Vec::new() };
    let outside_of = outside_of.and_then(|dir| dir.canonicalize().ok());
    std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .filter(|dir| match (&outside_of, dir.canonicalize()) {
            (Some(root), Ok(dir)) => !dir.starts_with(root),
            _ => true,
        })
        .collect()
}

/// The program `name` in the first of `directories` that has it.
pub fn find_program(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    directories
        .iter()
        .map(|dir| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

/// One of the standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Whether a stream is a terminal.
pub fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Input => std::io::stdin().is_terminal(),
        Stream::Output => std::io::stdout().is_terminal(),
        Stream::Error => std::io::stderr().is_terminal(),
    }
}
