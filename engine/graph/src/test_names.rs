//! Which files hold tests, told by their names alone: the one place that knows it.
//!
//! Two readings stand side by side. What *lowers* (a change that only adds tests) and what the graph calls a test goes by
//! [`TestName::Default`] and [`TestName::Customary`]; what *raises* (a test is gone or asks less) goes by every reading, and
//! by [`is_foreign_test`] for languages that nothing here parses. Settings such as pytest's `python_files` are not read: a
//! change of them is itself a change to the tests, see [`crate::weakening`].

use crate::facts::Language;
use crate::layout::base_name;

/// How surely a Python file holds tests, by its name; from the widest reading to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TestName {
    /// Begins with `test`: unittest's own pattern, and whatever a project may have configured. Often no tests at all
    /// (`testing.py`). Only for what raises.
    Possible,
    /// `test.py`, `tests.py`, `tests_*.py`, `*_tests.py`: what Django and many projects configure. Tests where it defines some.
    Customary,
    /// `test_*.py` and `*_test.py`: what pytest collects unless it is told otherwise. The only one for what lowers.
    Default,
}

/// The reading under which a path is a Python test file; `None` for every other path.
#[must_use]
pub fn python_test_name(path: &str) -> Option<TestName> {
    let stem = base_name(path).strip_suffix(".py")?;
    if stem.starts_with("test_") || stem.ends_with("_test") {
        Some(TestName::Default)
    } else if matches!(stem, "test" | "tests") || stem.starts_with("tests_") || stem.ends_with("_tests") {
        Some(TestName::Customary)
    } else if stem.starts_with("test") {
        Some(TestName::Possible)
    } else {
        None
    }
}

/// True for a file that its usual runner collects by its name alone, unless it is told otherwise: `test_*.py` and
/// `*_test.py`, `*.test.ts` and `*.spec.ts` and what lies in `__tests__` (and the same for the other endings of JavaScript),
/// `*_test.go`, and the Rust files in a folder `tests` beside `src`. The only reading for what lowers.
#[must_use]
pub fn is_test_name(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match Language::of_path(path) {
        Some(Language::Python) => python_test_name(path) == Some(TestName::Default),
        Some(Language::TypeScript | Language::Tsx | Language::JavaScript) => {
            stem.ends_with(".test") || stem.ends_with(".spec") || folder.split('/').any(|folder| folder == "__tests__")
        }
        Some(Language::Go) => stem.ends_with("_test"),
        // Tests of a package, beside its sources; files further down belong to one of them.
        Some(Language::Rust) => {
            let mut folders = folder.split('/');
            let last = folders.next_back().unwrap_or(folder);
            let (above, tests) = if name == "main.rs" && last != "tests" {
                (folders.clone().rev().skip(1).any(|folder| folder == "src"), folders.next_back())
            } else {
                (folders.any(|folder| folder == "src"), Some(last))
            };
            tests == Some("tests") && !above
        }
        _ => false,
    }
}

/// True for files that say with what, or how, tests run: requirements, lock files, packaging, settings of the tests and of
/// their environment. A change of one can affect every test, whoever names it. By their names in any folder.
#[must_use]
pub fn governs_tests(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    let (stem, extension) = lower.rsplit_once('.').unwrap_or((&lower, ""));
    let begins = |names: &[&str]| names.iter().any(|begin| stem.starts_with(begin));
    match extension {
        "lock" | "lockb" => true,
        "txt" | "in" | "pip" => {
            begins(&["requirements", "constraints"])
                || lower == "manifest.in"
                || matches!(folder.rsplit('/').next(), Some("requirements" | "constraints"))
        }
        "py" => matches!(stem, "setup" | "noxfile" | "sitecustomize" | "usercustomize"),
        "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" => {
            const TOOLS: [&str; 12] = [
                "jest",
                "vitest",
                "vite",
                "babel",
                "karma",
                "playwright",
                "cypress",
                "webpack",
                "rollup",
                "wdio",
                "ava",
                "mocha",
            ];
            let tool = stem.trim_start_matches('.').split('.').next().unwrap_or(stem);
            (stem.contains(".config") || stem.contains(".conf") || stem.ends_with("rc") || stem.contains(".setup"))
                && TOOLS.contains(&tool.trim_end_matches("rc"))
        }
        "toml" => matches!(stem, "pyproject" | "pytest" | ".pytest" | "tox" | "uv" | "cargo") || begins(&["pylock"]),
        "cfg" | "ini" => matches!(stem, "setup" | "tox" | "pytest" | ".pytest"),
        "yml" | "yaml" => begins(&["environment", "conda"]) || stem == "pnpm-lock",
        "json" => {
            matches!(stem, "package" | "package-lock" | "npm-shrinkwrap" | "deno" | ".mocharc" | ".babelrc")
                || begins(&["tsconfig", "jsconfig", "jest.config"])
        }
        "mod" | "sum" | "work" => stem == "go",
        "rs" => stem == "build",
        _ => matches!(lower.as_str(), "pipfile" | ".coveragerc" | ".python-version" | ".tool-versions"),
    }
}

/// True for a path below a folder of tests, by the folder's name.
#[must_use]
pub fn lies_among_tests(path: &str) -> bool {
    const TESTS: [&str; 10] =
        ["test", "tests", "testing", "unittests", "__tests__", "spec", "specs", "e2e", "cypress", "functional_tests"];
    has_folder(path, &TESTS)
}

/// True for a path below a folder of what tests read rather than run, by the folder's name.
#[must_use]
pub fn lies_among_data(path: &str) -> bool {
    const DATA: [&str; 20] = [
        "data",
        "testdata",
        "test_data",
        "test-data",
        "fixtures",
        "__fixtures__",
        "fixture",
        "cases",
        "samples",
        "sample",
        "snapshots",
        "__snapshots__",
        "resources",
        "assets",
        "inputs",
        "golden",
        "goldens",
        "expected",
        "corpus",
        "corpora",
    ];
    has_folder(path, &DATA)
}

fn has_folder(path: &str, names: &[&str]) -> bool {
    path.split('/').rev().skip(1).any(|folder| names.contains(&folder))
}

/// True for files that hold tests by the conventions of other languages than Python: what their usual runners collect.
///
/// Nothing reads them, so this only ever raises: such a file that is gone is a removed test, and one that was edited may
/// have been weakened.
#[must_use]
pub fn is_foreign_test(path: &str) -> bool {
    let name = base_name(path);
    let Some((stem, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else { return false };
    let mut folders = path.split('/').rev().skip(1);
    let mut below = |names: &[&str]| folders.any(|folder| names.contains(&folder));
    let ends = |endings: &[&str]| endings.iter().any(|ending| stem.ends_with(ending));
    match extension {
        "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts" | "vue" | "svelte" | "coffee" => {
            ends(&[".test", ".tests", ".spec", ".specs", ".cy", ".e2e", "-test", "-spec", "_test", "_spec"])
                || stem == "test"
                || below(&["__tests__", "test", "tests", "spec", "specs", "e2e", "cypress"])
        }
        "go" => stem.ends_with("_test"),
        "rs" => ends(&["_test", "_tests"]) || matches!(stem, "test" | "tests") || below(&["tests"]),
        "rb" => ends(&["_spec", "_test"]) || stem.starts_with("test_") || below(&["spec", "test"]),
        "java" | "kt" | "kts" | "groovy" | "scala" | "cs" | "fs" | "vb" | "swift" | "php" | "m" | "mm" => {
            ends(&["Test", "Tests", "TestCase", "IT", "ITCase", "Spec", "Specs", "Suite"])
                || stem.starts_with("Test")
                || below(&["test", "tests", "Tests", "androidTest", "testFixtures", "UITests"])
        }
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" => {
            ends(&["_test", "_tests", "_unittest", "-test", "Test", "Tests"])
                || stem.starts_with("test_")
                || below(&["test", "tests", "unittests"])
        }
        "ex" | "exs" | "erl" | "dart" | "zig" | "lua" | "jl" | "R" | "r" | "clj" | "cljs" | "hs" | "ml" | "nim" => {
            ends(&["_test", "_tests", "_spec", "_SUITE", "Spec", "Test"])
                || stem.starts_with("test")
                || stem == "runtests"
                || below(&["test", "tests", "spec"])
        }
        "sh" | "bash" | "ps1" | "pl" | "t" => {
            extension == "t"
                || ends(&["_test", "-test", ".Tests"])
                || stem.starts_with("test")
                || below(&["t", "tests"])
        }
        "bats" | "feature" | "robot" => true,
        _ => false,
    }
}

/// Whether a file is a script of a shell: it runs whatever it names, and whoever reads all files of a tree does not run it.
#[must_use]
pub fn is_script(path: &str) -> bool {
    let ending = path.rsplit('/').next().unwrap_or(path).rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| matches!(ending, "sh" | "bash" | "zsh" | "fish" | "bat" | "cmd" | "ps1" | "mk"))
}

/// True for files that say how changes are judged, and that no test reads without naming them: who owns what, and the
/// project's own rules.
#[must_use]
pub fn governs_changes(path: &str) -> bool {
    crate::owners::PLACES.contains(&path) || path.starts_with("grace/") && path.ends_with(".grace")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_governs_tests_is_told_by_its_name_in_any_folder() {
        for path in [
            "requirements.txt",
            "api/requirements-dev.txt",
            "requirements/base.in",
            "constraints.txt",
            "uv.lock",
            "Pipfile",
            "Pipfile.lock",
            "pyproject.toml",
            "pylock.dev.toml",
            "setup.py",
            "setup.cfg",
            "tox.ini",
            ".pytest.ini",
            "a/pytest.ini",
            "environment-dev.yml",
            "package-lock.json",
            "go.sum",
            "MANIFEST.in",
            ".coveragerc",
        ] {
            assert!(governs_tests(path), "{path}");
        }
        for path in ["app/setup_tools.py", "data.json", "notes.txt", "README.md", "app/lock.py", "conf.yml", "txt", ""]
        {
            assert!(!governs_tests(path), "{path}");
        }
    }

    #[test]
    fn what_pytest_collects_by_default_is_told_from_what_may_be_configured() {
        for (path, expected) in [
            ("tests/test_a.py", Some(TestName::Default)),
            ("a_test.py", Some(TestName::Default)),
            ("app/tests.py", Some(TestName::Customary)),
            ("app/test.py", Some(TestName::Customary)),
            ("app/api_tests.py", Some(TestName::Customary)),
            ("app/tests_api.py", Some(TestName::Customary)),
            ("app/testing.py", Some(TestName::Possible)),
            ("testapi.py", Some(TestName::Possible)),
            ("tests/helpers.py", None),
            ("tests/conftest.py", None),
            ("latest.py", None),
            ("contest.py", None),
            ("test_a.pyc", None),
            ("test_a", None),
            ("test_a.py/data.json", None),
        ] {
            assert_eq!(python_test_name(path), expected, "{path}");
        }
        assert!(TestName::Default > TestName::Customary && TestName::Customary > TestName::Possible);
    }

    #[test]
    fn tests_of_other_languages_are_known_by_name() {
        for path in [
            "web/a.test.ts",
            "web/a.spec.tsx",
            "web/__tests__/a.js",
            "test/a.mjs",
            "pkg/a_test.go",
            "crate/tests/all/a.rs",
            "spec/a_spec.rb",
            "src/test/java/x/ATest.java",
            "x/TestA.java",
            "A.Tests.ps1",
            "a_unittest.cc",
            "t/a.t",
            "a.bats",
            "a.feature",
            "test/a_test.exs",
        ] {
            assert!(is_foreign_test(path), "{path}");
        }
        for path in [
            "web/a.ts",
            "web/latest.ts",
            "pkg/a.go",
            "src/contest.rs",
            "tests/data.json",
            "tests/README.md",
            "tests/a.py",
            "src/main/java/x/Attestation.java",
            ".test",
        ] {
            assert!(!is_foreign_test(path), "{path}");
        }
    }
}
