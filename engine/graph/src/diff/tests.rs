use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::change::{Change, Content};

/// Written by git 2 with `diff -M -C --binary`: every kind of file change at once.
const FROM_GIT: &str = include_str!("testdata/git.diff");

fn text(text: &str) -> Content {
    Content::Text(text.into())
}

fn tree() -> BTreeMap<&'static str, Content> {
    BTreeMap::from([
        ("a.txt", text("one\ntwo\nthree\n")),
        ("b.bin", Content::Binary([1; 32])),
        ("becomes_link", text("plain\n")),
        ("dos.txt", text("dos\r\nfile\r\n")),
        ("empty", text("")),
        ("gone.txt", text("gone\n")),
        ("link", Content::Link("a.txt".into())),
        ("n.txt", text("no newline")),
        ("old.py", text("keep\nthis\nfile\nas is\n")),
        ("run.sh", text("#!/bin/sh\n")),
        ("src.py", text("src\nsrc2\nsrc3\n")),
        ("with space.txt", text("spaced\n")),
        ("é.py", text("x = 1\n")),
    ])
}

fn change(diff: &str, tree: &BTreeMap<&'static str, Content>) -> Result<Change, DiffError> {
    change_from_patches(&parse_unified(diff)?, &mut |path| tree.get(path).cloned())
}

fn line_of(side: Option<&crate::change::FileSide>) -> String {
    match side {
        None => "nothing".to_owned(),
        Some(side) => {
            let content = match &side.content {
                Content::Text(text) => format!("{text:?}"),
                Content::Unknown(_) => "Unknown".to_owned(),
                other => format!("{other:?}").chars().take(20).collect(),
            };
            format!("{}{} {content}", side.path, if side.executable { "*" } else { "" })
        }
    }
}

#[test]
fn what_git_writes_becomes_the_change_it_describes() {
    let change = change(FROM_GIT, &tree()).unwrap();
    let lines: Vec<String> = change
        .files
        .iter()
        .map(|file| format!("{} -> {}", line_of(file.before.as_ref()), line_of(file.after.as_ref())))
        .collect();
    assert_eq!(
        lines,
        [
            r#"a.txt "one\ntwo\nthree\n" -> a.txt "one\n2\nthree\nfour\n""#,
            r#"b.bin Binary([1, 1, 1, 1,  -> b.bin Unknown"#,
            r#"becomes_link "plain\n" -> becomes_link Link("a.txt")"#,
            r#"nothing -> copy.py "src\nsrc2\nsrc3\n""#,
            r#"dos.txt "dos\r\nfile\r\n" -> dos.txt "dos\r\nfile2\r\n""#,
            r#"empty "" -> empty2 """#,
            r#"gone.txt "gone\n" -> nothing"#,
            r#"link Link("a.txt") -> link Link("n.txt")"#,
            r#"n.txt "no newline" -> n.txt "no newline still""#,
            r#"old.py "keep\nthis\nfile\nas is\n" -> new.py "keep\nthis\nfile\nas it was\n""#,
            r##"run.sh "#!/bin/sh\n" -> run.sh* "#!/bin/sh\n""##,
            r#"src.py "src\nsrc2\nsrc3\n" -> src.py "src\nsrc2\nsrc3\nmore\n""#,
            r#"nothing -> sub/n"q.txt "new\nfile""#,
            r#"with space.txt "spaced\n" -> with space.txt "spaced2\n""#,
            r#"é.py "x = 1\n" -> é.py "x = 2\n""#,
        ]
    );
}

#[test]
fn a_diff_whose_line_endings_a_mailer_rewrote_applies_with_the_endings_of_the_file() {
    let diff = "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n+x\n b\n".replace('\n', "\r\n");
    let patches = parse_unified(&diff).unwrap();
    assert_eq!(patches[0].path(), "f");
    assert_eq!(apply("a\nb\n", &patches[0]).unwrap(), "a\nx\nb\n");
    assert_eq!(apply("a\r\nb\r\n", &patches[0]).unwrap(), "a\r\nx\r\nb\r\n");
}

#[test]
fn plain_diffs_are_read_with_their_prefixes_and_stamps() {
    let names = |before: &str, after: &str| {
        parse_unified(&format!("--- {before}\n+++ {after}\n@@ -1 +1 @@\n-a\n+b\n"))
            .map(|patches| (patches[0].before.clone(), patches[0].after.clone()))
    };
    let both = |name: &str| Ok((Some(name.to_owned()), Some(name.to_owned())));
    assert_eq!(
        names("src/x.py\t2024-01-01 10:00:00.0 +0000", "src/x.py\t2024-01-02 10:00:00.0 +0000"),
        both("src/x.py")
    );
    assert_eq!(names("old/src/x.py", "new/src/x.py"), both("src/x.py"));
    assert_eq!(names("x.py.orig", "x.py"), both("x.py"));
    assert_eq!(names("a/x.py", "b/x.py"), both("x.py"));
    assert!(matches!(names("one.py", "two.py"), Err(DiffError::Malformed { line: 1, .. })));
    let added =
        parse_unified("--- a/x\t1970-01-01 00:00:00.0 +0000\n+++ b/x\t2024-01-01\n@@ -0,0 +1 @@\n+b\n").unwrap();
    assert_eq!((added[0].before.as_deref(), added[0].after.as_deref()), (None, Some("x")));
}

#[test]
fn git_headers_without_prefixes_or_with_mnemonic_ones_name_the_same_file() {
    for header in ["a/d/f b/d/f", "i/d/f w/d/f", "c/d/f i/d/f", "d/f d/f"] {
        let (left, right) = header.split_once(' ').unwrap();
        let diff = format!("diff --git {header}\nindex 1..2 100644\n--- {left}\n+++ {right}\n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(parse_unified(&diff).unwrap()[0].path(), "d/f", "{header}");
        let mode = format!("diff --git {header}\nold mode 100644\nnew mode 100755\n");
        assert_eq!(parse_unified(&mode).unwrap()[0].path(), "d/f", "{header}");
    }
    let spaced = "diff --git a/one two b/one two\nold mode 100644\nnew mode 100755\n";
    assert_eq!(parse_unified(spaced).unwrap()[0].path(), "one two");
}

#[test]
fn mail_around_patches_is_passed_over() {
    let mail = "From 1 Mon\nSubject: x\n\n- a list\n+ of things\n---\n f | 2 +-\n\ndiff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n\
                @@ -1 +1 @@ fn x()\n-a\n+b\n-- \n2.40.1\n\n";
    let patches = parse_unified(mail).unwrap();
    assert_eq!(patches.len(), 1);
    assert_eq!(apply("a\n", &patches[0]).unwrap(), "b\n");
}

#[test]
fn hostile_paths_are_refused() {
    for path in [
        "/etc/passwd",
        "../x",
        "a/../x",
        "a//b",
        "./x",
        "C:/x",
        "c:x",
        ".git/hooks/pre-commit",
        "sub/.GIT/config",
        ".git./config",
        "GIT~1/config",
        ".git::$INDEX_ALLOCATION/config",
        "a\\b",
        "nul\0byte",
        ".g\u{200c}it/config",
        "",
    ] {
        assert!(check_path(path).is_err(), "{path:?}");
        let diff = format!(
            "diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
        );
        assert!(parse_unified(&diff).is_err(), "{path:?}");
    }
    for path in [".github/x", "a.git/b", ".gitignore", "xy:z", "…", "a b"] {
        assert_eq!(check_path(path), Ok(()), "{path:?}");
    }
    for quoted in ["\\000", "..\\057x", "\\001\"", "a\\q", "\\377"] {
        let diff = format!("diff --git \"a/{quoted}\" \"b/{quoted}\"\nnew file mode 100644\n");
        assert!(parse_unified(&diff).is_err(), "{quoted}");
    }
    let octal = "diff --git \"a/\\056\\056/x\" \"b/\\056\\056/x\"\nnew file mode 100644\n";
    assert!(matches!(parse_unified(octal), Err(DiffError::Path { .. })));
}

#[test]
fn malformed_diffs_are_errors_with_their_line() {
    let file = "--- a/f\n+++ b/f\n";
    let broken: &[(&str, u32)] = &[
        ("@@ -1,2 +1,2 @@\n a\n", 5),
        ("@@ -1 +1 @@\n-a\n+b\n+c\n", 6),
        ("@@ -1 +1 @@\n-a\n-b\n", 5),
        ("@@ -1 +1 @@\n*a\n", 4),
        ("@@ -0 +1 @@\n-a\n+b\n", 3),
        ("@@ -1,99999999999 +1 @@\n-a\n+b\n", 3),
        ("@@ -1 +1 @@\n-a\n\\ No newline\n\\ No newline\n+b\n", 6),
        ("@@ -1,2 +1 @@\n-a\n\\ No newline\n-b\n+c\n", 3),
        ("@@ -1,0 +1,0 @@\n", 3),
    ];
    for (hunk, at) in broken {
        match parse_unified(&format!("{file}{hunk}")) {
            Err(DiffError::Malformed { line, .. }) => assert_eq!(line, *at, "{hunk}"),
            other => panic!("{hunk}: {other:?}"),
        }
    }
    assert_eq!(parse_unified("hello\n"), Err(DiffError::NoPatch));
    assert_eq!(parse_unified(" \n"), Ok(Vec::new()));
    assert!(matches!(parse_unified("diff --cc f\nindex 1,2..3\n"), Err(DiffError::Malformed { line: 1, .. })));
    assert!(parse_unified("diff --git a/f b/f\nnew file mode 100644\ndeleted file mode 100644\n").is_err());
    assert!(parse_unified("diff --git a/f b/g\nold mode 100644\nnew mode 100755\n").is_err());
    assert!(
        parse_unified("diff --git a/f b/g\nrename from f\nrename to g\n--- a/f\n+++ b/h\n@@ -1 +1 @@\n-a\n+b\n")
            .is_err()
    );
}

#[test]
fn nothing_of_a_diff_is_passed_over_because_it_is_written_otherwise() {
    let plain = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";
    let git = "diff --git a/f b/f\n";
    for text in [
        // A merge, by its hunks alone.
        format!("{git}--- a/f\n+++ b/f\n@@@ -1 -1 +1 @@@\n- a\n+ b\n"),
        format!("{plain}@@@ -1 -1 +1 @@@\n- a\n+ b\n"),
        // A file without a hunk.
        format!("{git}--- a/f\n+++ b/f\n"),
        format!("{git}--- a/f\n+++ b/f\n@@ 1 @@\n"),
        // Other forms of diffs around a unified one.
        format!("{plain}*** a/g\n--- b/g\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n"),
        format!("Only in new: evil.py\n{plain}"),
        format!("{plain}Submodule lib 1a2b3c4..5d6e7f8:\n  > more\n"),
        format!("{plain}* Unmerged path g\n"),
        format!("{plain}Binary files a/g and b/g differ\n"),
        // Another file inside the bytes of a binary one.
        format!(
            "{git}GIT binary patch\nliteral 1\ndiff --git a/g b/g\nnew file mode 100644\n--- /dev/null\n+++ b/g\n@@ -0,0 +1 @@\n+x\n"
        ),
        format!("{git}GIT binary patch\nliteral 1\nIcmZPo000310RR91\nx y\n\n"),
        // Names that contradict each other.
        format!("{git}new file mode 100644\n--- /dev/null\n+++ b/g\n@@ -0,0 +1 @@\n+x\n"),
        format!("{git}deleted file mode 100644\n--- a/g\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"),
        "diff --git a/f b/g\nrename from f\nrename from h\nrename to g\n".to_owned(),
        "diff --git a/f b/g\ncopy from f\nrename to g\n".to_owned(),
        // What no line shows.
        "diff --git a/f\u{1b} b/f\u{1b}\nold mode 100644\nnew mode 100755\n".to_owned(),
        "--- a/f\r\n+++ b/f\r\n@@ -1 +1 @@\n-a\n+b\n".to_owned(),
        "diff --git a/f b/f\nold mode 100666\nnew mode 100755\n".to_owned(),
        "diff --git a/f b/f\nold mode 40000\nnew mode 100755\n".to_owned(),
    ] {
        assert!(parse_unified(&text).is_err(), "{text}");
    }
    // A mark at the start hides nothing, and prose is prose.
    let marked = parse_unified("\u{feff}diff --git a/f b/f\nold mode 100644\nnew mode 100755\n").unwrap();
    assert_eq!(marked[0].after_mode, Some(0o100_755));
    let prose = format!("Only in rare cases: nothing\nSubmodule work is done\n{git}{plain}");
    assert_eq!(parse_unified(&prose).unwrap().len(), 1);
}

#[test]
fn a_diff_that_takes_files_for_what_they_are_not_does_not_apply() {
    let tree = BTreeMap::from([
        ("file", text("a\n")),
        ("link", Content::Link("file".into())),
        ("sub", Content::Submodule("1".into())),
    ]);
    let edit = |path: &str, mode: &str| {
        format!("diff --git a/{path} b/{path}\nindex 1..2 {mode}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n")
    };
    for (path, mode) in [("file", "120000"), ("file", "160000"), ("link", "100644"), ("sub", "100755")] {
        assert_eq!(change(&edit(path, mode), &tree), Err(DiffError::WrongType { path: path.into() }), "{path} {mode}");
    }
    let add = |path: &str| {
        format!("diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n")
    };
    for path in ["file/x", "link/deep/x"] {
        assert_eq!(change(&add(path), &tree), Err(DiffError::BelowFile { path: path.into() }), "{path}");
    }
    assert_eq!(
        change(&format!("{}{}", add("new"), add("new/x")), &tree),
        Err(DiffError::BelowFile { path: "new/x".into() })
    );
    // A file may make room for a folder.
    let gone = "diff --git a/file b/file\ndeleted file mode 100644\n--- a/file\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    assert_eq!(change(&format!("{gone}{}", add("file/x")), &tree).unwrap().files.len(), 2);
    // Deleted, then added, is another type of file; added, then deleted, is nothing that applies.
    assert_eq!(change(&format!("{gone}{}", add("file")), &tree).unwrap().files.len(), 1);
    assert_eq!(change(&format!("{}{gone}", add("file")), &tree), Err(DiffError::Twice { path: "file".into() }));
}

fn mismatch(before: &str, diff: &str) -> String {
    apply(before, &parse_unified(diff).unwrap()[0]).unwrap_err().to_string()
}

#[test]
fn a_hunk_that_does_not_fit_says_file_hunk_line_and_what_was_expected() {
    let diff = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+x\n@@ -10,2 +10,2 @@\n c\n-d\n+y\n";
    let before = "a\nb\n3\n4\n5\n6\n7\n8\n9\nc\nD\n";
    assert_eq!(mismatch(before, diff), "hunk 2 of `f` does not fit at line 11: expected `d`, found `D`");
    assert_eq!(
        mismatch("a\nb\n", diff),
        "hunk 2 of `f` does not fit at line 10: expected `c`, found the end of the file"
    );
    assert_eq!(
        mismatch("a\nb", "--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n a\n-b\n"),
        "hunk 1 of `f` does not fit at line 2: expected `b`, found `b without a line break`"
    );
    // No fuzz: context that differs by white space alone does not fit either.
    assert_eq!(
        mismatch("a \nb\n", "--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n a\n-b\n"),
        "hunk 1 of `f` does not fit at line 1: expected `a`, found `a `"
    );
}

#[test]
fn a_hunk_may_have_moved_a_little_but_not_to_one_of_two_equal_places() {
    let diff = "--- a/f\n+++ b/f\n@@ -3 +3 @@\n-x\n+y\n";
    let patch = &parse_unified(diff).unwrap()[0];
    assert_eq!(apply("1\n2\n3\n4\nx\n", patch).unwrap(), "1\n2\n3\n4\ny\n");
    assert!(matches!(apply("1\nx\n3\nx\n", patch), Err(DiffError::Ambiguous { line: 3, .. })));
    let far = format!("{}x\n", "0\n".repeat(500));
    assert!(matches!(apply(&far, patch), Err(DiffError::Mismatch { .. })));
}

#[test]
fn lines_without_context_are_inserted_exactly_where_they_say() {
    let diff = "--- a/f\n+++ b/f\n@@ -2,0 +3 @@\n+x\n";
    let patch = &parse_unified(diff).unwrap()[0];
    assert_eq!(apply("1\n2\n3\n", patch).unwrap(), "1\n2\nx\n3\n");
    assert!(apply("1\n", patch).is_err());
    assert!(apply("1\n2", patch).is_err());
    let unended = "--- a/f\n+++ b/f\n@@ -2,0 +3 @@\n+x\n\\ No newline at end of file\n";
    let patch = &parse_unified(unended).unwrap()[0];
    assert_eq!(apply("1\n2\n", patch).unwrap(), "1\n2\nx");
    assert!(apply("1\n2\n3\n", patch).is_err());
}

#[test]
fn files_that_contradict_the_diff_are_errors() {
    let tree = BTreeMap::from([("there", text("a\n")), ("other", text("a\n"))]);
    let add = "diff --git a/there b/there\nnew file mode 100644\n--- /dev/null\n+++ b/there\n@@ -0,0 +1 @@\n+a\n";
    assert_eq!(change(add, &tree), Err(DiffError::Exists { path: "there".into() }));
    let edit = "--- a/not\n+++ b/not\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!(change(edit, &tree), Err(DiffError::Missing { path: "not".into() }));
    let twice = "--- a/there\n+++ b/there\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!(change(&format!("{twice}{twice}"), &tree), Err(DiffError::Twice { path: "there".into() }));
    let delete =
        "diff --git a/there b/there\ndeleted file mode 100644\n--- a/there\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
    assert_eq!(
        change(delete, &BTreeMap::from([("there", text("a\nb\n"))])),
        Err(DiffError::NotEmptied { path: "there".into() })
    );
    let rename = "diff --git a/there b/other\nsimilarity index 100%\nrename from there\nrename to other\n";
    assert_eq!(change(rename, &tree), Err(DiffError::Exists { path: "other".into() }));
    let swap =
        format!("{rename}diff --git a/other b/there\nsimilarity index 100%\nrename from other\nrename to there\n");
    assert_eq!(change(&swap, &tree).unwrap().files.len(), 2);
}

#[test]
fn a_side_that_cannot_be_read_makes_the_other_unknown() {
    let edit = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";
    for content in [
        Content::Unknown("permission denied".into()),
        Content::Binary([0; 32]),
        Content::TooLarge { size: 1, digest: [0; 32] },
    ] {
        let change = change(edit, &BTreeMap::from([("f", content)])).unwrap();
        assert!(matches!(change.files[0].after.as_ref().unwrap().content, Content::Unknown(_)));
    }
}

#[test]
fn a_changed_byte_order_mark_is_a_change_in_an_unknown_way() {
    let edit = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-\u{feff}a\n+a\n";
    let change = change(edit, &BTreeMap::from([("f", text("a\n"))])).unwrap();
    assert!(change.files[0].asserted);
}

#[test]
fn a_submodule_is_its_commit() {
    let edit = "diff --git a/s b/s\nindex 1..2 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n";
    let change = change(edit, &BTreeMap::from([("s", Content::Submodule("1".into()))])).unwrap();
    assert_eq!(change.files[0].after.as_ref().unwrap().content, Content::Submodule("2".into()));
}

#[test]
fn line_endings_and_a_missing_last_one_are_no_changed_lines() {
    assert_eq!(line_diff("a\r\nb\r\n", "a\nb"), []);
    assert_eq!(
        line_diff("a\nb\nc\n", "a\nx\nc\nd\n"),
        [LineHunk { removed: 2..3, added: 2..3 }, LineHunk { removed: 4..4, added: 4..5 },]
    );
    assert_eq!(line_diff("", "a\n"), [LineHunk { removed: 1..1, added: 1..2 }]);
}

#[test]
fn huge_differences_are_one_hunk() {
    let before = "a\n".repeat(MAX_DIFFED_LINES);
    let after = "b\n".repeat(10);
    let end = MAX_DIFFED_LINES as u32 + 1;
    assert_eq!(line_diff(&before, &after), [LineHunk { removed: 1..end, added: 1..11 }]);
}

/// A unified diff with `context` lines around each hunk; only tests write diffs.
fn write_unified(before: &str, after: &str, context: usize) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let input = InternedInput::new(before, after);
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let mut groups: Vec<Vec<imara_diff::Hunk>> = Vec::new();
    for hunk in diff.hunks() {
        match groups.last_mut() {
            Some(group) if hunk.before.start as usize <= group.last().unwrap().before.end as usize + 2 * context => {
                group.push(hunk)
            }
            _ => groups.push(vec![hunk]),
        }
    }
    let mut result = "--- a/f\n+++ b/f\n".to_owned();
    let put = |result: &mut String, sign: char, line: &str| {
        write!(result, "{sign}{line}").unwrap();
        if !line.ends_with('\n') {
            result.push_str("\n\\ No newline at end of file\n");
        }
    };
    for group in groups {
        let (first, last) = (group.first().unwrap(), group.last().unwrap());
        let lead = context.min(first.before.start as usize);
        let tail = context.min(old.len() - last.before.end as usize);
        let (start, end) = (first.before.start as usize - lead, last.before.end as usize + tail);
        let (new_start, new_end) = (first.after.start as usize - lead, last.after.end as usize + tail);
        let from = |start: usize, count: usize| if count == 0 { start } else { start + 1 };
        writeln!(
            result,
            "@@ -{},{} +{},{} @@",
            from(start, end - start),
            end - start,
            from(new_start, new_end - new_start),
            new_end - new_start
        )
        .unwrap();
        let mut at = start;
        for hunk in &group {
            for line in &old[at..hunk.before.start as usize] {
                put(&mut result, ' ', line);
            }
            for line in &old[hunk.before.start as usize..hunk.before.end as usize] {
                put(&mut result, '-', line);
            }
            for line in &new[hunk.after.start as usize..hunk.after.end as usize] {
                put(&mut result, '+', line);
            }
            at = hunk.before.end as usize;
        }
        for line in &old[at..end] {
            put(&mut result, ' ', line);
        }
    }
    result
}

fn some_text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "a",
        "b",
        "",
        "  c",
        "-- x",
        "++ y",
        "@@ -1 +1 @@",
        "\\ No newline",
        "--- a/f",
        "d\r",
        "é",
    ]);
    (prop::collection::vec(line, 0..40), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text = lines.join("\n");
        if ended && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text
    })
}

proptest! {
    #[test]
    fn applying_the_diff_of_two_texts_to_the_first_gives_the_second(
        before in some_text(), after in some_text(), context in 0_usize..5,
    ) {
        prop_assume!(before != after);
        let diff = write_unified(&before, &after, context);
        let patches = parse_unified(&diff).unwrap();
        prop_assert_eq!(patches.len(), 1);
        // A diff whose every line happens to end in `\r\n` is read as rewritten; this one has headers that do not.
        prop_assert!(!patches[0].endings_rewritten);
        prop_assert_eq!(apply(&before, &patches[0]).unwrap(), after);
    }

    #[test]
    fn line_hunks_rebuild_the_after_text(before in some_text(), after in some_text()) {
        let lines = lines_without_endings(&after);
        let mut rebuilt: Vec<&str> = Vec::new();
        let old = lines_without_endings(&before);
        let mut at = 0;
        for hunk in line_diff(&before, &after) {
            rebuilt.extend(&old[at..hunk.removed.start as usize - 1]);
            rebuilt.extend(&lines[hunk.added.start as usize - 1..hunk.added.end as usize - 1]);
            at = hunk.removed.end as usize - 1;
        }
        rebuilt.extend(&old[at..]);
        prop_assert_eq!(rebuilt, lines);
    }

    #[test]
    fn a_damaged_diff_of_git_never_panics(
        cuts in prop::collection::vec((0_usize..200, 0_u8..6, "\\PC{0,12}"), 1..6), ending in any::<bool>(),
    ) {
        let mut lines: Vec<String> = FROM_GIT.lines().map(str::to_owned).collect();
        for (at, how, text) in cuts {
            // Nothing is left of it once every line was taken away.
            let Some(last) = lines.len().checked_sub(1) else { break };
            let at = at.min(last);
            match how {
                0 => { lines.remove(at); }
                1 => lines.insert(at, text),
                2 => { let line = lines[at].clone(); lines.insert(at, line); }
                3 => { let end = lines[at].char_indices().nth(text.chars().count()).map_or(0, |(at, _)| at); lines[at].truncate(end); }
                4 => lines[at].push_str(&text),
                _ => lines.truncate(at + 1),
            }
        }
        let diff = lines.join(if ending { "\n" } else { "\r\n" });
        let tree = tree();
        if let Ok(patches) = parse_unified(&diff) {
            for patch in &patches {
                prop_assert!(patch.before.iter().chain(&patch.after).all(|path| check_path(path).is_ok()));
            }
            let _ = change_from_patches(&patches, &mut |path| tree.get(path).cloned());
        }
    }

    #[test]
    fn hostile_text_never_panics(mut diff in "(diff --git |--- |\\+\\+\\+ |@@ -[0-9],[0-9] \\+[0-9],[0-9] @@\n| |-|\\+|\n|\"|\\\\|a/f|b/f|rename from |copy to |\\PC){0,60}") {
        let _ = parse_unified(&diff);
        diff.insert_str(0, "diff --git a/f b/f\n");
        if let Ok(patches) = parse_unified(&diff) {
            let _ = change_from_patches(&patches, &mut |_| Some(Content::Text(Arc::from("a\nb\n"))));
        }
    }
}
