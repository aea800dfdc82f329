//! The explanations are true: each wrong example gives its code, each right one gives no error or warning.

use grace_dsl::{Code, Severity};

use crate::support::check_texts;

#[test]
fn every_wrong_example_gives_its_code_and_the_right_one_nothing() {
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        if !code.bad().is_empty() && !check_texts(&[code.bad()]).iter().any(|found| found.code == code) {
            wrong.push(format!("{code}: the wrong example does not give it: {:?}", check_texts(&[code.bad()])));
        }
        for found in check_texts(&[code.good()]) {
            if found.severity != Severity::Note {
                wrong.push(format!("{code}: the right example gives {}: {}", found.code, found.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn codes_are_unique_sorted_and_found_by_their_text() {
    let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let errors: Vec<&str> = texts.iter().copied().filter(|text| text.starts_with('E')).collect();
    assert!(errors.windows(2).all(|pair| pair[0] < pair[1]), "{errors:?}");
    for &code in Code::ALL {
        assert_eq!(Code::parse(&code.as_str().to_lowercase()), Some(code));
        assert!(code.explain().contains(code.reason()));
    }
    assert_eq!(Code::parse("E999"), None);
}
