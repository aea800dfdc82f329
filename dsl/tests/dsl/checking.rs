//! What files say together: roles, names across files, types through definitions, places.

use grace_dsl::{NameKind, Names, Place, Role, Severity, line_column, parse};

use crate::support::{check_roles, check_texts};

fn codes(texts: &[&str]) -> Vec<String> {
    check_texts(texts).iter().map(|found| format!("{} {}", found.severity, found.code)).collect()
}

#[test]
fn an_idle_principle_is_an_error_in_own_files_and_a_note_in_adopted_ones() {
    let text = "principle P says \"x\"";
    let severity = |role| check_roles(&[(text, role)]).iter().map(|found| found.severity).collect::<Vec<_>>();
    assert_eq!(severity(Role::Own), [Severity::Error]);
    assert_eq!(severity(Role::Adopted), [Severity::Note]);
    assert_eq!(severity(Role::Used), []);
}

#[test]
fn a_rule_that_is_only_used_upholds_nothing_and_its_names_are_visible() {
    let principle = "principle P says \"x\"";
    let rule = "rule r : tier 2 when tests removed upholds P because \"x\"";
    let test = "test \"t\" given edit of all expect rule r";
    let found = check_roles(&[(principle, Role::Own), (rule, Role::Used), (test, Role::Own)]);
    let codes: Vec<&str> = found.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, ["E046"]);
}

#[test]
fn diagnostics_come_in_the_order_of_files_and_places_whatever_they_are() {
    let found = check_texts(&["define a = x\ndefine b = tag(y)\nrule r", "use nothing"]);
    let places: Vec<(&str, usize)> = found.iter().map(|found| (found.path.as_str(), found.span.start)).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(places, sorted);
    assert!(places.iter().any(|(path, _)| *path == "b.grace"));
}

#[test]
fn a_type_is_followed_through_definitions_in_any_order() {
    assert_eq!(codes(&["define z = a\ndefine a = m\ndefine m = models\ntag t on z"]), ["error E038"]);
    assert_eq!(codes(&["define z = a\ndefine a = tests\ntag t on z plus none"]), Vec::<String>::new());
}

#[test]
fn a_longer_circle_is_told_once_and_a_shared_part_is_none() {
    assert_eq!(codes(&["define a = b\ndefine b = c\ndefine c = a\ndefine d = a"]), ["error E037", "note N001"]);
    assert_eq!(codes(&["define a = b plus c\ndefine b = c\ndefine c = tests\ntag t on a"]), Vec::<String>::new());
    let chain: String = (0..2000).map(|at| format!("define d{at} = d{}\n", at + 1)).collect();
    let found = codes(&[&format!("{chain}define d2000 = d0\n")]);
    assert_eq!(found, ["error E037"]);
}

#[test]
fn a_circle_through_bindings_is_told() {
    assert_eq!(codes(&["binding model(\"m\") to a\ndefine a = bound to model(\"m\")"]), ["error E037"]);
    assert_eq!(codes(&["binding model(\"m*\") to bound to model(\"m1\")"]), ["error E037"]);
    assert_eq!(codes(&["binding model(\"m1\") to bound to model(\"m*\")"]), ["error E037"]);
    let two = "binding model(\"b\") to a\ndefine a = bound to model(\"a*\")\nbinding model(\"a1\") to tests";
    assert_eq!(codes(&[two]), Vec::<String>::new());
}

#[test]
fn a_tag_may_be_given_in_many_places_and_a_rule_only_once() {
    assert_eq!(codes(&["tag t on tests", "tag t on generated"]), Vec::<String>::new());
    let rule = "rule r : tier 2 when tests removed because \"x\"";
    assert_eq!(codes(&[rule, "layers r tests over generated because \"x\""]), ["error E036"]);
}

#[test]
fn a_name_of_a_broken_item_is_not_unknown() {
    let found = codes(&[
        "bundle b tests tests rum \"x\"",
        "rule r : tier 2 when tests removed require bundle(b) because \"x\"",
    ]);
    assert_eq!(found, ["error E001"]);
}

#[test]
fn names_tell_where_each_kind_is_declared() {
    let files = [
        "family layer values low, high",
        "tag kernel on tests\ntag kernel on generated\ntag layer(low) on tests\npolicy kernel",
    ]
    .map(parse);
    let names = Names::of(&files);
    assert_eq!(names.get(NameKind::FamilyValue, "layer(high)"), Some(Place { file: 0, item: 0 }));
    assert_eq!(names.all(NameKind::Tag, "kernel"), [Place { file: 1, item: 0 }, Place { file: 1, item: 1 }]);
    assert_eq!(names.get(NameKind::Rule, "kernel"), None);
    assert!(names.is_broken(NameKind::Rule, "kernel"));
}

#[test]
fn the_source_map_gives_the_text_of_each_item_and_of_its_name() {
    let text = "# ä\ndefine a = tests # b\n\nrule b : tier 2\n  when tests removed # c\n  because \"x\" # d\n";
    let parsed = parse(text);
    let whole = |item| &text[parsed.map.item(item).unwrap()];
    assert_eq!(whole(0), "define a = tests");
    assert_eq!(whole(1), "rule b : tier 2\n  when tests removed # c\n  because \"x\"");
    let name = parsed.map.node(1, grace_dsl::ast::NodeId(0)).unwrap();
    assert_eq!(&text[name.clone()], "b");
    let at = line_column(text, name.start);
    assert_eq!((at.line, at.column), (4, 6));
    assert_eq!(line_column("\u{feff}ä b", 6).column, 3);
}

#[test]
fn an_item_is_equal_wherever_it_stands() {
    let rule = "rule b : tier 2 when change touches (tests plus generated) because \"x\"";
    let moved = format!("# a comment\n\n\ndefine a = tests\n{}", rule.replace(' ', "\n  "));
    assert_eq!(parse(rule).items.last(), parse(&moved).items.last());
}
