use super::*;
use crate::change::{FileChange, FileSide};

fn side(path: &str, text: &str) -> Option<FileSide> {
    Some(FileSide { path: path.into(), executable: false, content: Content::Text(text.into()) })
}

fn changes(path: &str, before: &str, after: &str) -> Vec<String> {
    let change =
        Change { files: vec![FileChange { before: side(path, before), after: side(path, after), asserted: false }] };
    lines(&change)
}

fn lines(change: &Change) -> Vec<String> {
    package_changes(change)
        .iter()
        .map(|change| {
            let version = |version: &Option<Arc<str>>| version.as_deref().unwrap_or("-").to_owned();
            format!(
                "{}:{} {} {} {:?}",
                change.line,
                change.name,
                version(&change.before),
                version(&change.after),
                change.kind
            )
        })
        .collect()
}

fn cargo(packages: &[(&str, &str, &str)]) -> String {
    let mut text = "version = 4\n".to_owned();
    for (name, version, checksum) in packages {
        text.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+x\"\nchecksum = \"{checksum}\"\n"
        ));
    }
    text
}

#[test]
fn a_cargo_lock_tells_moves_additions_and_removals() {
    let before = cargo(&[("a", "1.0.0", "1"), ("b", "0.3.0", "2"), ("c", "1.0.0", "3"), ("d", "1.0.0", "4")]);
    let after = cargo(&[("a", "2.0.0", "5"), ("b", "0.3.1", "6"), ("d", "1.0.0", "4"), ("e", "1.0.0", "7")]);
    assert_eq!(
        changes("x/Cargo.lock", &before, &after),
        ["4:a 1.0.0 2.0.0 Major", "10:b 0.3.0 0.3.1 Minor", "16:c 1.0.0 - Removed", "22:e - 1.0.0 New",]
    );
}

#[test]
fn a_version_beside_another_is_measured_against_it() {
    let one = cargo(&[("a", "1.0.0", "1")]);
    let two = cargo(&[("a", "1.0.0", "1"), ("a", "2.0.0", "2")]);
    assert_eq!(changes("Cargo.lock", &one, &two), ["10:a 1.0.0 2.0.0 Major"]);
    assert_eq!(changes("Cargo.lock", &two, &cargo(&[("a", "2.0.0", "2")])), ["4:a 1.0.0 2.0.0 Major"]);
    let moved = cargo(&[("a", "1.0.1", "1"), ("a", "2.0.0", "2")]);
    assert_eq!(changes("Cargo.lock", &two, &moved), ["4:a 1.0.0 1.0.1 Patch"]);
}

#[test]
fn the_same_version_with_another_digest_or_source_is_unknown() {
    let before = cargo(&[("a", "1.0.0", "1")]);
    assert_eq!(changes("Cargo.lock", &before, &cargo(&[("a", "1.0.0", "2")])), ["4:a 1.0.0 1.0.0 Unknown"]);
    assert_eq!(changes("Cargo.lock", &before, &before.replace("registry+x", "git+y")), ["4:a 1.0.0 1.0.0 Unknown"]);
    assert_eq!(changes("Cargo.lock", &before, &before.replace("checksum = \"1\"\n", "")), ["4:a 1.0.0 1.0.0 Unknown"]);
    let bumped = before.replace("1.0.0", "1.0.1").replace("registry+x", "git+y");
    assert_eq!(changes("Cargo.lock", &before, &bumped), ["4:a 1.0.0 1.0.1 Unknown"]);
}

#[test]
fn a_lock_file_that_cannot_be_read_is_unknown() {
    let good = cargo(&[("a", "1.0.0", "1")]);
    for bad in ["[[package]", "x = 1\n", "[[package]]\nversion = \"1\"\n"] {
        assert_eq!(changes("Cargo.lock", &good, bad), ["1: - - Unknown"], "{bad}");
    }
    for (path, bad) in [
        ("package-lock.json", "{"),
        ("package-lock.json", "{}"),
        ("yarn.lock", "a b c\n"),
        ("pnpm-lock.yaml", "packages:\n"),
        ("go.sum", "a b\n"),
        ("go.mod", "require (\n"),
        ("requirements.txt", "<<<<<<< HEAD\na==1\n"),
        ("uv.lock", ""),
    ] {
        assert_eq!(changes(path, bad, "x"), ["1: - - Unknown"], "{path}");
    }
    let binary = FileSide { path: "uv.lock".into(), executable: false, content: Content::Binary([0; 32]) };
    let change = Change { files: vec![FileChange { before: None, after: Some(binary), asserted: false }] };
    assert_eq!(lines(&change), ["1: - - Unknown"]);
    let asserted =
        Change { files: vec![FileChange { before: side("uv.lock", ""), after: side("uv.lock", ""), asserted: true }] };
    assert_eq!(lines(&asserted), ["1: - - Unknown"]);
}

#[test]
fn a_new_lock_file_brings_all_its_packages_and_other_files_none() {
    let change = Change {
        files: vec![
            FileChange { before: None, after: side("Cargo.lock", &cargo(&[("a", "1.0.0", "1")])), asserted: false },
            FileChange { before: None, after: side("notes.txt", "a==1"), asserted: false },
        ],
    };
    assert_eq!(lines(&change), ["4:a - 1.0.0 New"]);
}

#[test]
fn python_locks_are_read_with_normalised_names_and_digests_by_file() {
    let uv = |version: &str, wheels: &str| {
        format!(
            "version = 1\n[[package]]\nname = \"Foo_Bar\"\nversion = \"{version}\"\nsource = {{ registry = \"r\" }}\n\
             sdist = {{ url = \"https://x/foo.tar.gz\", hash = \"sha256:1\" }}\nwheels = [{wheels}]\n"
        )
    };
    let wheel = |hash: &str| format!("{{ url = \"https://x/foo.whl\", hash = \"{hash}\" }}");
    assert_eq!(changes("uv.lock", &uv("1.0", ""), &uv("1.1", "")), ["3:foo-bar 1.0 1.1 Minor"]);
    // A wheel that was built later for the same version is no change of it; other bytes under the same name are.
    assert_eq!(changes("uv.lock", &uv("1.0", ""), &uv("1.0", &wheel("a"))), [""; 0]);
    assert_eq!(changes("uv.lock", &uv("1.0", &wheel("a")), &uv("1.0", &wheel("b"))), ["3:foo-bar 1.0 1.0 Unknown"]);
    let poetry = |hash: &str| {
        format!(
            "[[package]]\nname = \"a\"\nversion = \"1\"\n[package.source]\ntype = \"git\"\n[metadata.files]\n\
             a = [{{file = \"a.whl\", hash = \"{hash}\"}}]\n"
        )
    };
    assert_eq!(changes("poetry.lock", &poetry("1"), &poetry("2")), ["2:a 1 1 Unknown"]);
}

#[test]
fn requirements_are_read_by_pin_and_anything_else_by_its_text() {
    let before = "# c\n--index-url https://a\nA.b[x]==1.0 ; python_version < '4' # why\nc>=1\nd==1.0 \\\n  --hash=sha256:1\n-r other.txt\n";
    assert_eq!(
        changes("requirements-dev.txt", before, &before.replace("==1.0 ;", "==1.0.1 ;")),
        ["3:a-b 1.0 1.0.1 Patch"]
    );
    assert_eq!(
        changes("requirements/dev.txt", before, &before.replace("https://a", "https://b")),
        ["2:--index-url   Unknown"]
    );
    assert_eq!(changes("requirements.txt", before, &before.replace("c>=1", "c>=2")), ["4:c   Unknown"]);
    assert_eq!(changes("requirements.txt", before, &before.replace("sha256:1", "sha256:2")), ["5:d 1.0 1.0 Unknown"]);
    assert_eq!(changes("requirements.txt", before, &before.replace("c>=1", "c==1")), ["4:c  1 Unknown"]);
}

#[test]
fn npm_locks_are_read_in_each_of_their_formats() {
    let v3 = |version: &str, integrity: &str, host: &str| {
        format!(
            "{{\n \"lockfileVersion\": 3,\n \"packages\": {{\n  \"\": {{\"version\": \"9.9.9\"}},\n  \"node_modules/@s/a\": {{\n   \
             \"version\": \"{version}\", \"resolved\": \"https://{host}/@s/a/-/a-{version}.tgz\", \"integrity\": \"{integrity}\"\n  }}\n }}\n}}\n"
        )
    };
    assert_eq!(
        changes("package-lock.json", &v3("1.0.0", "x", "r"), &v3("2.0.0", "y", "r")),
        ["5:@s/a 1.0.0 2.0.0 Major"]
    );
    assert_eq!(
        changes("package-lock.json", &v3("1.0.0", "x", "r"), &v3("1.0.1", "y", "evil")),
        ["5:@s/a 1.0.0 1.0.1 Unknown"]
    );
    assert_eq!(
        changes("package-lock.json", &v3("1.0.0", "x", "r"), &v3("1.0.0", "y", "r")),
        ["5:@s/a 1.0.0 1.0.0 Unknown"]
    );
    let v1 = |version: &str| {
        format!(
            "{{\"lockfileVersion\": 1, \"dependencies\": {{\"a\": {{\"version\": \"1.0.0\", \"dependencies\": {{\n\"b\": {{\n\"version\": \"{version}\"}}}}}}}}}}"
        )
    };
    assert_eq!(changes("package-lock.json", &v1("1.0.0"), &v1("1.1.0")), ["2:b 1.0.0 1.1.0 Minor"]);
    let yarn = |version: &str| {
        format!(
            "# yarn lockfile v1\n\n\"@s/a@^1.0\", \"@s/a@^1.1\":\n  version \"{version}\"\n  resolved \"https://r/a-{version}.tgz#{version}\"\n  \
             integrity sha512-{version}\n  dependencies:\n    version \"9\"\n"
        )
    };
    assert_eq!(changes("yarn.lock", &yarn("1.1.0"), &yarn("2.0.0")), ["3:@s/a 1.1.0 2.0.0 Major"]);
    let berry = |version: &str| {
        format!(
            "__metadata:\n  version: 8\n\n\"a@npm:^1.0\":\n  version: {version}\n  resolution: \"a@npm:{version}\"\n  checksum: 1/{version}\n"
        )
    };
    assert_eq!(changes("yarn.lock", &berry("1.1.0"), &berry("1.1.1")), ["4:a 1.1.0 1.1.1 Patch"]);
    for (lock, key) in
        [("5.4", "/@s/a/VERSION_peer@2"), ("'6.0'", "/@s/a@VERSION(peer@2.0.0)"), ("'9.0'", "'@s/a@VERSION'")]
    {
        let pnpm = |version: &str| {
            format!(
                "lockfileVersion: {lock}\n\npackages:\n\n  {}:\n    resolution: {{integrity: sha512-{version}}}\n    dev: true\n\nsnapshots:\n\n  x@1:\n",
                key.replace("VERSION", version)
            )
        };
        assert_eq!(changes("pnpm-lock.yaml", &pnpm("1.0.0"), &pnpm("1.1.0")), ["5:@s/a 1.0.0 1.1.0 Minor"], "{lock}");
    }
}

#[test]
fn go_modules_are_followed_across_their_major_versions() {
    let module = |require: &str| format!("module m\n\ngo 1.22\n\nrequire (\n\t{require} // indirect\n)\n");
    assert_eq!(
        changes("go.mod", &module("e.org/a v1.2.0"), &module("e.org/a/v2 v2.0.0")),
        ["6:e.org/a v1.2.0 v2.0.0 Major"]
    );
    let replaced = format!("{}replace e.org/a => ../a\n", module("e.org/a v1.2.0"));
    assert_eq!(changes("go.mod", &module("e.org/a v1.2.0"), &replaced), ["8:replace e.org/a -  New"]);
    let sum = |version: &str, hash: &str| format!("e.org/a {version} h1:{hash}\ne.org/a {version}/go.mod h1:x\n");
    assert_eq!(changes("go.sum", &sum("v1.2.0", "a"), &sum("v1.2.1", "b")), ["1:e.org/a v1.2.0 v1.2.1 Patch"]);
    assert_eq!(changes("go.sum", &sum("v1.2.0", "a"), &sum("v1.2.0", "b")), ["1:e.org/a v1.2.0 v1.2.0 Unknown"]);
}

proptest::proptest! {
    #[test]
    fn hostile_lock_files_never_panic(text in "(\\PC|\n| |\"|@|:|/|=|\\\\|packages:|lockfileVersion: 9|version|é){0,80}") {
        for path in ["Cargo.lock", "uv.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "go.sum", "go.mod", "requirements.txt"] {
            changes(path, "", &text);
            changes(path, "", &format!("lockfileVersion: 9\npackages:\n  {text}:\n"));
        }
    }
}
