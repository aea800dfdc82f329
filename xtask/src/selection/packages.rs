//! The packages that the benchmark reads: source distributions by hash, unpacked to a git work tree each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::{host, python};

/// One package of others, with the tests that its source distribution carries.
pub(super) struct Package {
    pub(super) name: &'static str,
    version: &'static str,
    sha256: &'static str,
    /// What its tests import from, beside the tree's root.
    pub(super) root: &'static str,
    /// Where faults are seeded, and where its tests lie.
    pub(super) sources: &'static str,
    pub(super) tests: &'static str,
    /// A folder below its tests with none that pytest runs.
    without: Option<&'static str>,
    /// No rule of choosing was made with it in view.
    pub(super) is_held_out: bool,
}

/// Flat and `src` layouts, tests inside and outside of the package, with and without fixtures and data files.
pub(super) const PACKAGES: &[Package] = &[
    Package {
        name: "boltons",
        version: "26.2.0",
        sha256: "d39cfd15c1a1c3bd4d705c82252fa9edb8e4f5e8cc039f8e39afac7b1b47e92c",
        root: ".",
        sources: "boltons",
        tests: "tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "flask",
        version: "3.1.3",
        sha256: "0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb",
        root: "src",
        sources: "src",
        tests: "tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "h11",
        version: "0.16.0",
        sha256: "4e35b956cf45792e4caa5885e69fba00bdbc6ffafbfa020300e549b208ee5ff1",
        root: ".",
        sources: "h11",
        tests: "h11/tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "jinja2",
        version: "3.1.6",
        sha256: "0137fb05990d35f1275a587e9aee6d56da821fc83491a0fb838183be43f66d6d",
        root: "src",
        sources: "src",
        tests: "tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "markdown-it-py",
        version: "4.3.0",
        sha256: "91a58fa5b72c71a40cf7177250fd767480d7a2bb3ac426ccfb76fb90305fdaaa",
        root: ".",
        sources: "markdown_it",
        tests: "tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "marshmallow",
        version: "4.4.0",
        sha256: "9e6ffa8511012ca89732324c1c253efd7b4d35632dcbdf80aa793fe01804af3e",
        root: "src",
        sources: "src",
        tests: "tests",
        without: Some("tests/mypy_test_cases"),
        is_held_out: false,
    },
    Package {
        name: "cachetools",
        version: "8.0.2",
        sha256: "30ac523adfc118b51d2b2e7bad8a0ddb31370dfe2700c7f10ca224f36ccf81e0",
        root: "src",
        sources: "src",
        tests: "tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "tomlkit",
        version: "0.15.2",
        sha256: "83e32755ba1d20d9340bd069ee97e9f6232ba2346b63ffcba425de01f7e327a6",
        root: ".",
        sources: "tomlkit",
        tests: "tests",
        without: Some("tests/toml-test"),
        is_held_out: false,
    },
    Package {
        name: "wtforms",
        version: "3.3.2",
        sha256: "49bb51d10b7832d497e758736da4d56f7d129a015db24756f36f28992f175404",
        root: "src",
        sources: "src",
        tests: "tests",
        without: None,
        is_held_out: false,
    },
    Package {
        name: "itsdangerous",
        version: "2.2.0",
        sha256: "e0050c0b7da1eea53ffaf149c0cfbb5c6e2e2b69c4bef22c81fa6eb73e5f6173",
        root: "src",
        sources: "src",
        tests: "tests",
        without: None,
        is_held_out: true,
    },
    Package {
        name: "mistune",
        version: "3.4.0",
        sha256: "2eaf7952af928ca8d33b779762effc1da517b62c6ad85ec8ca957e3b07b9782a",
        root: "src",
        sources: "src",
        tests: "tests",
        without: None,
        is_held_out: true,
    },
    Package {
        name: "toolz",
        version: "1.2.0",
        sha256: "9667a038e9d6ecba37995e26cb2f59ec6420b6ad8dd9677de59db9b956b08490",
        root: ".",
        sources: "toolz",
        tests: "toolz/tests",
        without: None,
        is_held_out: true,
    },
];

impl Package {
    /// What the scripts are told of it.
    pub(super) fn described(&self) -> String {
        let rules = self.rules();
        let values = [
            ("name", self.name),
            ("version", self.version),
            ("root", self.root),
            ("sources", self.sources),
            ("tests", self.tests),
            ("rules", &rules),
        ];
        serde_json::Value::from_iter(values).to_string()
    }

    /// Its source distribution, from the cache or new.
    pub(super) fn archive(&self) -> Result<PathBuf, String> {
        let folder = host::cache()?.join("selection");
        let kept = folder.join(format!("{}-{}.tar.gz", self.name, self.version));
        if digest(&kept).is_some_and(|digest| digest == self.sha256) {
            return Ok(kept);
        }
        let said = |error: std::io::Error| format!("cannot bring {}: {error}", kept.display());
        let download = folder.join(format!("download-{}-{}", self.name, std::process::id()));
        fs::create_dir_all(&download).map_err(said)?;
        let requirement = download.join("requirement.txt");
        fs::write(&requirement, format!("{}=={} --hash=sha256:{}\n", self.name, self.version, self.sha256))
            .map_err(said)?;
        eprintln!("bringing {} {}", self.name, self.version);
        host::program(python::interpreter()?)
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--no-binary",
                ":all:",
            ])
            .args(["--require-hashes".as_ref(), "--requirement".as_ref(), requirement.as_os_str()])
            .args(["--dest".as_ref(), download.as_os_str()])
            .output()?;
        let brought = fs::read_dir(&download).map_err(said)?.filter_map(|entry| Some(entry.ok()?.path()));
        let archive = { brought }.find(|path| path.extension().is_some_and(|end| end == "gz"));
        let archive = archive.ok_or_else(|| format!("pip brought no archive of {}", self.name))?;
        fs::rename(archive, &kept).map_err(said)?;
        fs::remove_dir_all(&download).map_err(said)?;
        Ok(kept)
    }

    /// Unpacks it to an empty directory and commits it there, with a rule that runs the tests which a change reaches.
    pub(super) fn unpacked(&self, to: &Path) -> Result<(), String> {
        let archive = self.archive()?;
        let said = |error: std::io::Error| format!("cannot unpack {}: {error}", archive.display());
        if to.exists() {
            fs::remove_dir_all(to).map_err(said)?;
        }
        let mut tar = tar::Archive::new(GzDecoder::new(File::open(&archive).map_err(said)?));
        for entry in tar.entries().map_err(said)? {
            let mut entry = entry.map_err(said)?;
            let name = entry.path().map_err(said)?.into_owned();
            let inside: PathBuf = name.components().skip(1).collect();
            // Whatever was packed is part of the tree.
            let is_file = entry.header().entry_type().is_file();
            let is_wanted = is_file && inside.is_relative() && !inside.ends_with(".gitignore");
            let has_way_up = inside.components().any(|part| part == std::path::Component::ParentDir);
            if is_wanted && !has_way_up {
                let path = to.join(inside);
                fs::create_dir_all(path.parent().unwrap_or(to)).map_err(said)?;
                entry.unpack(path).map_err(said)?;
            }
        }
        let rules = to.join("grace");
        fs::create_dir_all(&rules).map_err(said)?;
        fs::write(rules.join("selection.grace"), self.rules()).map_err(said)?;
        fs::write(to.join(".gitignore"), "__pycache__/\n.pytest_cache/\n.testmondata*\n").map_err(said)?;
        commit(to, "sources")
    }

    fn rules(&self) -> String {
        let (root, tests) = (self.root, self.tests);
        let without = self.without.map(|folder| format!(" except path(\"{folder}/**\")")).unwrap_or_default();
        [
            "module selection\n\nbundle tests\n  says     \"all tests\"\n".to_owned(),
            format!("  tests    path(\"{tests}/**\"){without}\n"),
            format!("  run      \"python3\", \"-m\", \"pytest\", \"-o\", \"pythonpath={root}\", \"{{tests}}\", "),
            "\"-q\", \"--junitxml={junit}\"\n  timeout  600 s in all\n\n".to_owned(),
            "rule any_change\n  when     change touches all\n  require  bundle(tests) narrowed to impacted tests\n"
                .to_owned(),
            "  because  \"Measured.\"\n".to_owned(),
        ]
        .concat()
    }
}

/// Commits everything in a directory, which becomes a repository if it is none.
pub(super) fn commit(directory: &Path, message: &str) -> Result<(), String> {
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgSign=false"];
        let as_is = ["-c", "core.autocrlf=false", "-c", "core.excludesFile="];
        host::program("git").directory(directory).args(who).args(as_is).args(arguments).output()
    };
    if !directory.join(".git").exists() {
        git(&["init", "--quiet"])?;
    }
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--message", message])?;
    Ok(())
}

/// The SHA-256 of a file, if there is one.
fn digest(path: &Path) -> Option<String> {
    let data = fs::read(path).ok()?;
    Some(Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect())
}
