use super::*;
use crate::change::tests::facts_of;
use crate::change::{SafeKinds, parts};

fn side(path: &str, text: &str) -> Option<FileSide> {
    Some(FileSide { path: path.into(), executable: false, content: Content::Text(text.into()) })
}

fn changed(path: &str, before: &str, after: &str) -> (Change, Vec<PartChange>) {
    let change =
        Change { files: vec![FileChange { before: side(path, before), after: side(path, after), asserted: false }] };
    let parts = crate::change::tests::parts_of(&change);
    (change, parts)
}

fn added(path: &str, before: &str, after: &str) -> Vec<String> {
    let (change, parts) = changed(path, before, after);
    let (lines, unknown) = added_code_lines(&change, &parts, &mut facts_of);
    assert_eq!(unknown, []);
    let sure = |line: &CodeLine| if line.certain { "" } else { "?" };
    lines
        .iter()
        .map(|line| format!("{}{} {} {}", line.line, sure(line), line.part.name, line.text.trim_end()))
        .collect()
}

#[test]
fn added_code_leaves_out_comments_and_strings_but_not_code_inside_strings() {
    assert_eq!(
        added(
            "a.py",
            "x = 1\n",
            "x = 1  # eval(\n# eval(\ny = 'eval(' + \"\"\"\neval(\n\"\"\" + f'{eval(1)} eval'\ndef f():\n    eval(z)\n"
        ),
        ["1  x = 1", "3  y = '     ' + \"\"\"", "5  \"\"\" + f'{eval(1)}     '", "6 f def f():", "7 f     eval(z)",]
    );
}

#[test]
fn every_line_counts_where_no_parser_reads_the_file_and_none_in_rules() {
    assert_eq!(added("run.sh", "a\n", "a\n# eval\n"), ["2  # eval"]);
    assert_eq!(added("grace/x.grace", "a\n", "a\neval\n"), [""; 0]);
}

#[test]
fn lines_of_a_file_that_does_not_parse_are_whole_and_not_certain() {
    assert_eq!(added("a.py", "x = 1\n", "x = 1\ny = 'eval(\n"), ["2?  y = 'eval("]);
}

#[test]
fn what_was_added_to_an_asserted_or_unreadable_file_is_unknown() {
    let asserted =
        Change { files: vec![FileChange { before: side("a.py", "x"), after: side("a.py", "x"), asserted: true }] };
    let unreadable = Change {
        files: vec![FileChange {
            before: side("a.sh", "x"),
            after: Some(FileSide { path: "a.sh".into(), executable: false, content: Content::Binary([0; 32]) }),
            asserted: false,
        }],
    };
    for change in [asserted, unreadable] {
        let (lines, unknown) = added_code_lines(&change, &crate::change::tests::parts_of(&change), &mut facts_of);
        assert_eq!((lines.len(), unknown.len()), (0, 1));
    }
}

fn removed(path: &str, before: &str, after: &str) -> Vec<String> {
    let (change, parts) = changed(path, before, after);
    let (found, unknown) = removed_documentation(&change, &parts);
    assert_eq!(unknown, []);
    found.iter().map(|found| format!("{} {} {:?}", found.line, found.part.name, found.what)).collect()
}

#[test]
fn a_docstring_that_is_gone_or_halved_is_removed_documentation() {
    let long = "class A:\n    def f(self):\n        \"\"\"Says a good deal about itself.\"\"\"\n        return 1\n";
    assert_eq!(
        removed("a.py", long, &long.replace("        \"\"\"Says a good deal about itself.\"\"\"\n", "")),
        ["2 A.f Docstring"]
    );
    assert_eq!(removed("a.py", long, &long.replace("good deal about itself", "x")), ["2 A.f Docstring"]);
    assert_eq!(removed("a.py", long, &long.replace("about itself", "")), [""; 0]);
    assert_eq!(removed("a.py", long, &long.replace("Says", "Tells us")), [""; 0]);
    assert_eq!(removed("a.py", "\"\"\"Module doc.\"\"\"\nx = 1\n", "x = 1\n"), ["1  Docstring"]);
    // Also where the code changes with it.
    assert_eq!(
        removed("a.py", "def f():\n    'Some words.'\n    return 1\n", "def f():\n    return 2\n"),
        ["1 f Docstring"]
    );
}

#[test]
fn comments_that_go_without_their_code_are_removed_documentation() {
    let code = "def f():\n    # why\n    return 1\n";
    assert_eq!(removed("a.py", code, "def f():\n    return 1\n"), ["1 f Comments"]);
    assert_eq!(removed("a.py", code, "def f():\n    return 2\n"), [""; 0]);
    assert_eq!(removed("a.py", code, "def f():\n    # because\n    return 1\n"), [""; 0]);
}

#[test]
fn a_document_that_is_gone_or_halved_is_removed_documentation() {
    assert_eq!(removed("README.md", "One two three four.\n", "One.\n"), ["1  Document"]);
    assert_eq!(removed("README.md", "One two three four.\n", "One two three.\n"), [""; 0]);
    assert_eq!(removed("src/data.bin", "One two three four.\n", "One.\n"), [""; 0]);
    let change =
        Change { files: vec![FileChange { before: side("README.md", "One.\n"), after: None, asserted: false }] };
    let parts = crate::change::tests::parts_of(&change);
    assert_eq!(parts[0].safe, SafeKinds::empty());
    assert_eq!(removed_documentation(&change, &parts).0.len(), 1);
}

#[test]
fn documentation_of_a_part_that_changed_in_an_unknown_way_is_unknown() {
    let change =
        Change { files: vec![FileChange { before: side("a.py", "x"), after: side("a.py", "x"), asserted: true }] };
    let parts = parts(&change, &mut |_, _| None);
    assert_eq!(removed_documentation(&change, &parts), (vec![], vec![parts[0].after.clone().unwrap()]));
}
