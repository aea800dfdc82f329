//! Dialects of JUnit, and reports that mean harm.

use std::path::Path;

use grace_runner::junit::{Case, CaseStatus, parse, test_id, without_parameters};

fn short(text: &str) -> Vec<(String, String, u64, CaseStatus)> {
    parse(text).unwrap().into_iter().map(|case| (case.class, case.name, case.duration_ms, case.status)).collect()
}

fn row(class: &str, name: &str, ms: u64, status: CaseStatus) -> (String, String, u64, CaseStatus) {
    (class.to_owned(), name.to_owned(), ms, status)
}

fn id(class: &str, name: &str, files: &[&str]) -> String {
    let case = Case {
        class: class.into(),
        name: name.into(),
        file: None,
        duration_ms: 0,
        status: CaseStatus::Passed,
        message: String::new(),
    };
    test_id(&case, files, Path::new("/nonexistent"))
}

#[test]
fn pytest_of_today_and_of_yesterday() {
    let today = r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.036" timestamp="2026-01-02T03:04:05.123456+00:00" hostname="h">
        <testcase classname="tests.test_a.TestA" name="test_ok[1-&lt;x&gt;]" time="0.001" />
        <testcase classname="tests.test_a" name="test_bad" time="1.5"><failure message="assert 1 == 2&#10;more">trace &amp; <![CDATA[more]]></failure></testcase>
        <testcase classname="tests.test_a" name="test_skip" time="0.000"><skipped type="pytest.skip" message="no">x</skipped></testcase>
        <testcase classname="" name="tests.test_b" time="0.000"><error message="collection failure">E</error></testcase></testsuite></testsuites>"#;
    assert_eq!(
        short(today),
        [
            row("tests.test_a.TestA", "test_ok[1-<x>]", 1, CaseStatus::Passed),
            row("tests.test_a", "test_bad", 1500, CaseStatus::Failed),
            row("tests.test_a", "test_skip", 0, CaseStatus::Skipped),
            row("", "tests.test_b", 0, CaseStatus::Error)
        ]
    );
    assert!(parse(today).unwrap()[1].message.starts_with("assert 1 == 2"));
    // xunit1, with a naive time.
    let yesterday = r#"<testsuite name="pytest" tests="1" timestamp="2019-01-02T03:04:05.123456"><testcase classname="tests.test_a.TestA" file="tests/test_a.py" line="3" name="test_ok" time="0.25"><properties><property name="x" value="y"/></properties><system-out>out</system-out></testcase></testsuite>"#;
    let cases = parse(yesterday).unwrap();
    assert_eq!(test_id(&cases[0], &[], Path::new("/nonexistent")), "tests/test_a.py::TestA::test_ok");
}

#[test]
fn jest_surefire_nextest_gotestsum_and_ruff() {
    let jest = r#"<?xml version="1.0" encoding="UTF-8"?><testsuites name="jest tests" tests="1" failures="1" errors="0" time="1.2"><testsuite name="sum" timestamp="2026-01-02T03:04:05" tests="1"><testcase classname="sum adds" name="sum adds" time="0.003"><failure>Error: expected 3</failure></testcase></testsuite></testsuites>"#;
    assert_eq!(short(jest), [row("sum adds", "sum adds", 3, CaseStatus::Failed)]);
    assert_eq!(parse(jest).unwrap()[0].message, "Error: expected 3");
    let surefire = r#"<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="com.x.T" time="1,234.5" tests="2"><properties/><testcase name="a" classname="com.x.T" time="1,234.5"/><testcase name="b" classname="com.x.T" time="0.1"><flakyFailure message="m" type="t"><stackTrace>s</stackTrace></flakyFailure></testcase></testsuite>"#;
    assert_eq!(
        short(surefire),
        [row("com.x.T", "a", 1_234_500, CaseStatus::Passed), row("com.x.T", "b", 100, CaseStatus::Flaky)]
    );
    let nextest = r#"<testsuites name="nextest-run" tests="1" failures="1" uuid="u" timestamp="2026-01-02T03:04:05.123+00:00" time="0.1"><testsuite name="krate" tests="1"><testcase name="tests::it" classname="krate" timestamp="2026-01-02T03:04:05.1+00:00" time="0.002"><failure type="test failure with exit code 101">panicked</failure><rerunFailure type="x"/><system-err>e</system-err></testcase></testsuite></testsuites>"#;
    assert_eq!(short(nextest), [row("krate", "tests::it", 2, CaseStatus::Failed)]);
    let gotestsum = r#"<testsuites tests="1"><testsuite tests="1" failures="0" time="0.01" name="example.com/m/pkg"><properties><property name="go.version" value="go1.24"></property></properties><testcase classname="example.com/m/pkg" name="TestX/sub_case" time="0.010000"></testcase></testsuite></testsuites>"#;
    assert_eq!(short(gotestsum), [row("example.com/m/pkg", "TestX/sub_case", 10, CaseStatus::Passed)]);
    let ruff = r#"<testsuites name="ruff" tests="1" failures="0" errors="0"><testsuite name="ruff" tests="1" disabled="0" errors="0" failures="0"><testcase name="No errors found" classname="ruff"/></testsuite></testsuites>"#;
    assert_eq!(short(ruff), [row("ruff", "No errors found", 0, CaseStatus::Passed)]);
    assert_eq!(short(r#"<testsuites><testsuite name="e" tests="0"/></testsuites>"#), []);
    assert_eq!(
        short(r#"<testsuite><testcase name="n" status="notrun" time="NaN"/></testsuite>"#),
        [row("", "n", 0, CaseStatus::Skipped)]
    );
}

#[test]
fn a_file_that_is_not_collected_says_why() {
    let report = "<testsuite><testcase name='tests.test_a'><error message='collection failure'>tests/test_a.py:1: in x\n\
        E   ModuleNotFoundError: No module named 'shop'</error></testcase></testsuite>";
    let cases = parse(report).unwrap();
    assert_eq!(cases[0].message, "collection failure: ModuleNotFoundError: No module named 'shop'");
}

#[test]
fn a_report_cannot_harm() {
    let refused = |text: &str| parse(text).unwrap_err();
    assert_eq!(
        refused(r#"<!DOCTYPE x [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>"#),
        "it declares a document type"
    );
    assert!(refused(r#"<testsuite><testcase name="&a;"/></testsuite>"#).contains("attribute `name`"));
    assert_eq!(
        refused(&format!("<testsuite>{}", "<testsuite>".repeat(100_000))),
        "its elements are nested deeper than 64"
    );
    assert_eq!(refused(""), "it holds no test suite");
    assert_eq!(refused("not xml at all"), "it holds no test suite");
    assert_eq!(refused("<html></html>"), "`html` is no test suite");
    assert_eq!(refused("<testsuite><testcase name='a'/>"), "it ends inside an element");
    assert!(refused("<testsuite></testcase>").contains("byte"));
    assert_eq!(refused("<testsuite/><testsuite/>"), "`testsuite` is no test suite");
    assert_eq!(refused("<testsuite><testcase><testcase/></testcase></testsuite>"), "a test case holds a test case");
    assert!(refused(&format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(500_001))).contains("500000"));
    let long =
        parse(&format!("<testsuite><testcase><failure message='{}'/></testcase></testsuite>", "ü".repeat(1_000_000)))
            .unwrap();
    assert_eq!(long[0].message.len(), 2000);
    assert_eq!(
        parse("<testsuite><testcase name='a' time='-1e999'/><testcase name='b' time='1e999'/></testsuite>").unwrap()[1]
            .duration_ms,
        u64::MAX
    );
}

#[test]
fn ids_are_those_that_rules_write() {
    let files = ["tests/test_a.py", "tests/chaos/test_x.py", "tests/chaos/test_x/deep.py"];
    assert_eq!(id("tests.chaos.test_x.TestA", "test_b[1]", &files), "tests/chaos/test_x.py::TestA::test_b[1]");
    assert_eq!(id("tests.chaos.test_x.TestA.TestInner", "t", &files), "tests/chaos/test_x.py::TestA::TestInner::t");
    assert_eq!(id("tests.chaos.test_x.deep", "t", &files), "tests/chaos/test_x/deep.py::t");
    assert_eq!(id("tests.test_a", "test_b", &files), "tests/test_a.py::test_b");
    assert_eq!(id("tests.test_ab", "t", &files), "tests.test_ab::t", "a longer name is another module");
    assert_eq!(id("test_a", "t", &files), "tests/test_a.py::t", "pytest's root is below ours");
    assert_eq!(id("", "tests.test_a", &files), "tests/test_a.py");
    assert_eq!(id("com.x.T", "a", &[]), "com.x.T::a");
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("pkg/sub")).unwrap();
    std::fs::write(dir.path().join("pkg/sub/test_d.py"), "").unwrap();
    let case = Case {
        class: "pkg.sub.test_d.TestD".into(),
        name: "t".into(),
        file: None,
        duration_ms: 0,
        status: CaseStatus::Passed,
        message: String::new(),
    };
    assert_eq!(test_id(&case, &[], dir.path()), "pkg/sub/test_d.py::TestD::t");
    assert_eq!(without_parameters("[id]/a.py::T::t[x[0]::y]"), "[id]/a.py::T::t");
    assert_eq!(without_parameters("a.py::t"), "a.py::t");
}
