//! A Python environment with what the tests run: pytest, pinned in `examples/mini_grace/requirements.txt`.
//!
//! It lives in the user's cache directory under a name that changes with the requirements, so it is
//! made once a machine. Two at once wait for each other.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::host;

/// The directory with `python3` and `pytest` of the environment, made if it is not there.
///
/// Where no environment can be made, the machine's own Python serves if it has pytest.
pub(crate) fn environment() -> Result<PathBuf, String> {
    let requirements = host::root().join("examples").join("mini_grace").join("requirements.txt");
    let base = interpreter()?;
    match prepared(&base, &requirements, Pinned::ByHash) {
        Ok(directory) => Ok(directory),
        Err(why) => match host::program(&base).args(["-c", "import pytest"]).output() {
            Ok(_) => {
                eprintln!("warning: no environment of our own ({why}); the pytest of `{base}` is used");
                let own = host::program(&base).args(["-c", "import sys; print(sys.prefix)"]).output()?;
                Ok(programs(Path::new(own.trim())))
            }
            Err(_) => Err(format!("no pytest: {why}")),
        },
    }
}

/// A Python with the Model Context Protocol's own SDK; `None`, and said, where there is none.
pub(crate) fn protocol() -> Option<PathBuf> {
    let requirements = host::root().join("xtask").join("bench").join("mcp.txt");
    let made = interpreter().and_then(|base| prepared(&base, &requirements, Pinned::ByVersion));
    match made {
        Ok(directory) => Some(directory.join(if cfg!(windows) { "python.exe" } else { "python3" })),
        Err(why) => {
            eprintln!("warning: without the SDK of the Model Context Protocol ({why})");
            None
        }
    }
}

/// The name of a Python 3 on this machine.
pub(crate) fn interpreter() -> Result<String, String> {
    let check = "import sys; sys.exit(sys.version_info < (3, 10))";
    ["python3", "python"]
        .into_iter()
        .find(|name| host::program(name).args(["-c", check]).output().is_ok())
        .map(str::to_owned)
        .ok_or_else(|| "no Python 3.10 or newer on the path".to_owned())
}

/// How the requirements name what they want.
#[derive(Clone, Copy)]
pub(crate) enum Pinned {
    /// Every file by its hash; nothing else is accepted.
    ByHash,
    /// By version, for packages that are compiled for each platform.
    ByVersion,
}

/// An environment that holds exactly `requirements`, from the cache or new.
pub(crate) fn prepared(base: &str, requirements: &Path, pinned: Pinned) -> Result<PathBuf, String> {
    let wanted = fs::read(requirements).map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
    let version = host::program(base).args(["-c", "import sys; print(sys.executable, sys.version)"]).output()?;
    let mut hash = Sha256::new();
    hash.update(&wanted);
    hash.update(version.as_bytes());
    let key: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let directory = host::cache()?.join(format!("python-{key}"));
    let ready = directory.join("ready");

    let said = |error: std::io::Error| format!("cannot prepare {}: {error}", directory.display());
    let lock = File::create(directory.with_extension("lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    if ready.exists() {
        return Ok(programs(&directory));
    }
    eprintln!("making a Python environment in {}", directory.display());
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(said)?;
    }
    host::program(base).args(["-m", "venv"]).args([&directory]).output()?;
    host::program(programs(&directory).join(if cfg!(windows) { "python.exe" } else { "python3" }))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(matches!(pinned, Pinned::ByHash).then_some("--require-hashes"))
        .args(["--requirement".as_ref(), requirements.as_os_str()])
        .output()?;
    fs::write(&ready, b"").map_err(said)?;
    Ok(programs(&directory))
}

/// Where an environment keeps its programs.
fn programs(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts" } else { "bin" })
}
