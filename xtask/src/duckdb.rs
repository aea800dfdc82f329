//! The ready-made libduckdb for this platform: downloaded once a user, verified each time.
//!
//! Two sources carry the same file: the official release archive, and the npm package
//! `@duckdb/node-bindings-<platform>`. What is pinned is the checksum of the library itself, so it
//! does not matter which source, mirror or proxy served it. Building DuckDB from source takes
//! most of an hour of processor time; this takes seconds.
//!
//! The library ends in `target/libduckdb` of the workspace, where `.cargo/config.toml` lets cargo
//! look for it. Files appear by renaming, so two processes at once do each other no harm.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::host;

/// The version of DuckDB; the crate `duckdb` is pinned to the same one in Cargo.toml.
const VERSION: &str = "1.5.5";

/// The revision of the npm package that carries [`VERSION`].
const NPM_VERSION: &str = "1.5.5-r.5";

/// No library is as large as this; more is not unpacked.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// What is known of the library for one platform.
struct Platform {
    os: &'static str,
    arch: &'static str,
    /// The official archive, without `.zip`.
    release: &'static str,
    /// The npm package, after `@duckdb/node-bindings-`.
    npm: &'static str,
    file: &'static str,
    sha256: &'static str,
}

const PLATFORMS: &[Platform] = &[
    Platform {
        os: "linux",
        arch: "x86_64",
        release: "libduckdb-linux-amd64",
        npm: "linux-x64",
        file: "libduckdb.so",
        sha256: "fc23f12e376c47be520f75221288281906e7942e8fd6f6ce4849198ba60d0405",
    },
    Platform {
        os: "linux",
        arch: "aarch64",
        release: "libduckdb-linux-arm64",
        npm: "linux-arm64",
        file: "libduckdb.so",
        sha256: "d00d007f3f7ca1f2896a5e4b89c2ce141bf0508506a9d6d56f9598b8e59d074e",
    },
    Platform {
        os: "macos",
        arch: "aarch64",
        release: "libduckdb-osx-universal",
        npm: "darwin-arm64",
        file: "libduckdb.dylib",
        sha256: "b9027d18ef3e8d960568f77e946a83ca68009cb22d71cf7f94de842afdd094d8",
    },
    Platform {
        os: "macos",
        arch: "x86_64",
        release: "libduckdb-osx-universal",
        npm: "darwin-x64",
        file: "libduckdb.dylib",
        sha256: "b9027d18ef3e8d960568f77e946a83ca68009cb22d71cf7f94de842afdd094d8",
    },
    // The GNU linker links a DLL directly. The MSVC linker wants an import library, which only the
    // official archive has and which is not pinned here: there, build with the feature `bundled`.
    Platform {
        os: "windows",
        arch: "x86_64",
        release: "libduckdb-windows-amd64",
        npm: "win32-x64",
        file: "duckdb.dll",
        sha256: "2b7468a4ad844429e6af2fde0b5f91893e8130a5686a88f11442ab547c7ede46",
    },
];

/// Makes sure that the verified library is where cargo links it, and returns its path.
pub(crate) fn bring() -> Result<PathBuf, String> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let platform = PLATFORMS
        .iter()
        .find(|platform| platform.os == os && platform.arch == arch && !cfg!(target_env = "msvc"))
        .ok_or_else(|| format!("no ready-made libduckdb for {os} {arch}; build with `--features bundled`"))?;

    let linked = host::root().join("target").join("libduckdb").join(platform.file);
    if !verified(&linked, platform) {
        let cached = cached(platform)?;
        install(&cached, &linked)?;
        if !verified(&linked, platform) {
            return Err(format!("{} is not the file that was copied there", linked.display()));
        }
    }
    if cfg!(windows) {
        beside_programs(&linked)?;
    }
    Ok(linked)
}

/// Windows has no run paths: a program finds the library beside itself.
fn beside_programs(library: &Path) -> Result<(), String> {
    for profile in ["debug", "debug/deps", "release"] {
        let directory = host::target()?.join(profile);
        let copy = directory.join(library.file_name().unwrap_or_default());
        if directory.is_dir() && !copy.exists() {
            install(library, &copy)?;
        }
    }
    Ok(())
}

/// The library in this user's cache, downloaded if it is not there or not whole.
fn cached(platform: &Platform) -> Result<PathBuf, String> {
    let directory = host::cache()?.join(format!("libduckdb-{VERSION}-{}", platform.npm));
    let library = directory.join(platform.file);
    fs::create_dir_all(&directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    let lock = File::create(directory.join("lock")).map_err(|error| format!("cannot lock the cache: {error}"))?;
    lock.lock().map_err(|error| format!("cannot lock the cache: {error}"))?;
    if verified(&library, platform) {
        return Ok(library);
    }

    let scratch = directory.join(format!("download-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(|error| format!("cannot make {}: {error}", scratch.display()))?;
    let sources: [(&str, Source); 2] = [("the official release", from_release), ("npm", from_npm)];
    let mut tried = Vec::new();
    for (name, source) in sources {
        eprintln!("bringing libduckdb {VERSION} for {} from {name}", platform.npm);
        let brought = source(platform, &scratch).and_then(|file| match sha256(&file) {
            Ok(sum) if sum == platform.sha256 => install(&file, &library),
            Ok(sum) => Err(format!("its sha256 is {sum}, pinned is {}", platform.sha256)),
            Err(error) => Err(error.to_string()),
        });
        match brought {
            Ok(()) => {
                tried.clear();
                break;
            }
            Err(why) => {
                eprintln!("  {why}");
                tried.push(format!("{name}: {why}"));
            }
        }
    }
    fs::remove_dir_all(&scratch).map_err(|error| format!("cannot remove {}: {error}", scratch.display()))?;
    if tried.is_empty() {
        Ok(library)
    } else {
        Err(format!("no libduckdb {VERSION} for {}\n  {}", platform.npm, tried.join("\n  ")))
    }
}

/// Puts the unpacked library of a platform into a directory and returns its path.
type Source = fn(&Platform, &Path) -> Result<PathBuf, String>;

fn from_release(platform: &Platform, scratch: &Path) -> Result<PathBuf, String> {
    let archive = scratch.join("release.zip");
    let url = format!("https://github.com/duckdb/duckdb/releases/download/v{VERSION}/{}.zip", platform.release);
    download(&url, &archive)?;
    let unreadable = |error: &dyn std::fmt::Display| format!("the archive cannot be read: {error}");
    let file = File::open(&archive).map_err(|error| unreadable(&error))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|error| unreadable(&error))?;
    let mut member = zip.by_name(platform.file).map_err(|error| unreadable(&error))?;
    let library = scratch.join(platform.file);
    unpack(&mut member, &library)?;
    Ok(library)
}

fn from_npm(platform: &Platform, scratch: &Path) -> Result<PathBuf, String> {
    let package = format!("@duckdb/node-bindings-{}", platform.npm);
    let archive = scratch.join(format!("duckdb-node-bindings-{}-{NPM_VERSION}.tgz", platform.npm));
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let packed = host::program(npm)
        .args(["pack", "--silent", "--ignore-scripts", &format!("{package}@{NPM_VERSION}")])
        .directory(scratch)
        .output();
    if packed.is_err() {
        // Without npm the archive is one download from the registry that npm would have asked.
        let registry = ["npm_config_registry", "NPM_CONFIG_REGISTRY"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .unwrap_or_else(|| "https://registry.npmjs.org".to_owned());
        let name = format!("node-bindings-{}-{NPM_VERSION}.tgz", platform.npm);
        download(&format!("{}/{package}/-/{name}", registry.trim_end_matches('/')), &archive)?;
    }
    let file = File::open(&archive).map_err(|error| format!("npm left no archive: {error}"))?;
    let mut tar = tar::Archive::new(GzDecoder::new(file).take(2 * MOST_BYTES));
    let unreadable = |error: io::Error| format!("the package cannot be read: {error}");
    for entry in tar.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let path = entry.path().map_err(unreadable)?.into_owned();
        if path == Path::new("package").join(platform.file) {
            let library = scratch.join(platform.file);
            unpack(&mut entry, &library)?;
            return Ok(library);
        }
    }
    Err(format!("the package holds no {}", platform.file))
}

/// Downloads with curl, which every supported system has. Gives up after seconds when nobody answers.
fn download(url: &str, to: &Path) -> Result<(), String> {
    host::program("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--proto", "=https", "--proto-redir", "=https"])
        .args(["--connect-timeout", "5", "--speed-limit", "1000", "--speed-time", "20", "--max-time", "900"])
        .args(["--output".as_ref(), to.as_os_str()])
        .args([url])
        .output()
        .map(|_| ())
}

fn unpack(from: &mut dyn Read, to: &Path) -> Result<(), String> {
    let mut write = || -> io::Result<u64> {
        let mut file = File::create(to)?;
        let written = io::copy(&mut from.take(MOST_BYTES), &mut file)?;
        file.flush()?;
        Ok(written)
    };
    match write() {
        Ok(written) if written < MOST_BYTES => Ok(()),
        Ok(_) => Err(format!("larger than {MOST_BYTES} bytes")),
        Err(error) => Err(format!("cannot unpack to {}: {error}", to.display())),
    }
}

/// Copies `from` to `to` so that `to` is always either the old file or the whole new one.
fn install(from: &Path, to: &Path) -> Result<(), String> {
    let directory = to.parent().unwrap_or(Path::new("."));
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let half = directory.join(format!(".{name}-{}", std::process::id()));
    let copy = || -> io::Result<()> {
        fs::create_dir_all(directory)?;
        fs::copy(from, &half)?;
        fs::rename(&half, to)
    };
    copy().map_err(|error| format!("cannot write {}: {error}", to.display()))
}

fn verified(library: &Path, platform: &Platform) -> bool {
    sha256(library).is_ok_and(|sum| sum == platform.sha256)
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..read]);
    }
}
