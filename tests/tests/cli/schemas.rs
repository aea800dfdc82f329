//! What the binary prints as JSON is what `docs/schemas` says.

use std::fs;

use serde_json::Value;

use crate::support::Repo;

fn schema(name: &str) -> Value {
    let path = grace_tests::root().join(format!("docs/schemas/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Where a value is not what its schema says: keys, types, words. Bounds of numbers are left aside.
fn differences(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference}"));
        differences(root, target, value, at, found);
    }
    for several in ["oneOf", "anyOf"] {
        let Some(options) = schema[several].as_array() else { continue };
        let fits = |option: &Value| {
            let mut inner = Vec::new();
            differences(root, option, value, at, &mut inner);
            inner.is_empty()
        };
        if !options.iter().any(fits) {
            found.push(format!("{at}: none of the {} forms fits {value}", options.len()));
        }
    }
    let is = |word: &Value| match word.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("null") => value.is_null(),
        other => panic!("{at}: {other:?}"),
    };
    let of_type = match &schema["type"] {
        Value::Null => true,
        Value::Array(words) => words.iter().any(is),
        word => is(word),
    };
    let constant = &schema["const"];
    let is_listed = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    if !of_type || !is_listed || !(constant.is_null() || constant == value) {
        found.push(format!("{at}: {value} is not {schema}"));
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (key, value) in object {
            match properties.get(key) {
                Some(property) => differences(root, property, value, &format!("{at}.{key}"), found),
                None => found.push(format!("{at}: `{key}` is in no schema")),
            }
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                found.push(format!("{at}: `{key}` is missing"));
            }
        }
    } else if let (Some(object), true) = (value.as_object(), schema["additionalProperties"].is_object()) {
        for (key, value) in object {
            differences(root, &schema["additionalProperties"], value, &format!("{at}.{key}"), found);
        }
    }
    let first = schema["prefixItems"].as_array().cloned().unwrap_or_default();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        match (first.get(index), &schema["items"]) {
            (Some(own), _) => differences(root, own, item, &format!("{at}[{index}]"), found),
            (None, items) if items.is_object() => differences(root, items, item, &format!("{at}[{index}]"), found),
            _ => {}
        }
    }
}

fn assert_fits(name: &str, value: &Value) {
    let schema = schema(name);
    let mut found = Vec::new();
    differences(&schema, &schema, value, name, &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn what_is_printed_fits_its_schema() {
    let repo = Repo::edited();
    for (name, line) in [
        ("plan", "plan"),
        ("explanation", "explain tier"),
        ("explanation", "explain rule no_print"),
        ("explanation", "explain test tests/test_api.py::test_boot"),
        ("explanation", "explain bundle unti"),
        ("code", "explain E021"),
        ("check", "check"),
        ("graph-query", "graph query all"),
        ("graph-stats", "graph stats"),
        ("test", "test"),
        ("fmt", "fmt --check"),
        ("init", "init"),
        ("run", "run"),
        // With an estimate from that run.
        ("plan", "plan"),
        ("audit-ledger", "audit init"),
        ("audit-ledger", "audit anchor git"),
        ("audit-records", "audit show"),
        ("audit-records", "audit show 0"),
        ("audit-verify", "audit verify"),
        ("audit-verify", "audit fsck"),
        ("audit-proof", "audit prove 0"),
    ] {
        assert_fits(name, &repo.json(line));
    }
    let rules = crate::support::RULES.replace("tag(kernel)\n  require", "tag(kernal)\n  require");
    repo.write("grace/rules.grace", &rules);
    assert_fits("check", &repo.json("check"));
    assert_fits("plan", &repo.json("plan"));
    let failed = repo.run(&["plan", "--base", "nope", "--format", "json"], None, |_| {});
    assert_fits("error", &serde_json::from_str(&failed.stderr).unwrap());
}

#[test]
fn a_key_that_no_schema_has_is_seen() {
    let mut plan = Repo::edited().json("plan");
    plan["bundles"][0]["odd"] = Value::Bool(true);
    plan.as_object_mut().unwrap().remove("tier");
    let schema = schema("plan");
    let mut found = Vec::new();
    differences(&schema, &schema, &plan, "plan", &mut found);
    assert_eq!(found.len(), 2, "{found:?}");
}
