//! This machine: directories, and processes that are shown before they run.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// The target directory cargo built this program in.
pub(crate) fn target() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    match program.ancestors().nth(2) {
        Some(directory) => Ok(directory.to_path_buf()),
        None => Err(format!("no target directory above {}", program.display())),
    }
}

/// The directory of this user for things that can be made again. It outlives a clone.
pub(crate) fn cache() -> Result<PathBuf, String> {
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    let directory = base.ok_or("no cache directory: neither HOME nor its like is set")?.join("grace-rules");
    std::fs::create_dir_all(&directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    Ok(directory)
}

/// An environment variable as a path, unless it is unset, empty or relative.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// A process that is about to run.
pub(crate) struct Process {
    command: Command,
    shown: String,
    input: Stdio,
}

/// A program by name, found on the path.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Process {
    let name = name.as_ref();
    let shown = Path::new(name).file_stem().unwrap_or(name).to_string_lossy().into_owned();
    Process { command: Command::new(name), shown, input: Stdio::null() }
}

/// The cargo that started this program, at the root of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Process {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut process = program(cargo).directory(&root()).args(arguments);
    // What cargo said of this program, some build scripts (ring's) would take for news, and build again what is built.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            process.command.env_remove(&name);
        }
    }
    process
}

impl Process {
    pub(crate) fn args<I, S>(mut self, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        for argument in arguments {
            let argument = argument.as_ref();
            self.shown.push(' ');
            self.shown.push_str(&argument.to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Puts `directory` before everything else that programs are looked for in.
    pub(crate) fn path_first(self, directory: &Path) -> Self {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let parts = std::iter::once(directory.to_path_buf()).chain(std::env::split_paths(&old));
        match std::env::join_paths(parts) {
            Ok(path) => self.variable("PATH", path),
            Err(_) => self,
        }
    }

    /// Shows the command, runs it on this terminal, and fails when it does.
    pub(crate) fn run(self) -> Result<(), String> {
        eprintln!("$ {}", self.shown);
        self.quiet()
    }

    /// Runs on this terminal without showing the command first.
    pub(crate) fn quiet(mut self) -> Result<(), String> {
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", self.shown)),
            Err(error) => Err(format!("`{}` did not start: {error}", self.shown)),
        }
    }

    /// What is read as standard input by a program that is run out of sight; nothing otherwise.
    pub(crate) fn input(mut self, file: File) -> Self {
        self.input = file.into();
        self
    }

    /// Runs out of sight and returns what it printed.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let output = self
            .command
            .stdin(self.input)
            .output()
            .map_err(|error| format!("`{}` did not start: {error}", self.shown))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("and said nothing");
        let name = self.shown.split(' ').next().unwrap_or_default();
        Err(format!("`{name}` ended with {}: {}", output.status, last.trim()))
    }
}
