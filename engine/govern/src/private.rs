//! Texts that people gave (a rationale, a story's fields) stand beside the record that they belong to, which only commits to them: they can
//! be deleted later, and the ledger still proves that something was said. What was derived, and who acted, stays in the record.

use std::collections::{BTreeMap, BTreeSet};

use grace_ledger::{Error, Record, Snapshot};
use serde_json::Value;

use crate::journal;

/// The private field that holds them.
const TEXTS: &str = "texts";
/// Bytes of one record that are kept so; what is beyond stays in the record.
const MOST: usize = 512 << 10;
/// What stands for a field that the engine fills by itself.
const DERIVED: &str = "derived";
/// Before the mark that stands for a text in the text of a plan, where others have a place.
const GIVEN: &str = "json ";

/// Takes the texts out of a body: by the place where they stood.
pub(crate) fn hide(kind: &str, body: &mut Value) -> Option<(&'static str, Vec<u8>)> {
    let mut taken = BTreeMap::new();
    match kind {
        "story" | "amendment" => {
            let is_said = |_: &str, field: &Value| field["from"] != "derived";
            take(body, "/fields", is_said, &mut taken);
            take(body, "", |name, text| name == "because" && text.is_string(), &mut taken);
        }
        "plan" | "decision" => {
            take(body, "/inputs", |name, text| name == "rationale" && text.is_string(), &mut taken);
            take(body, "/inputs/story", |_, text| text != DERIVED, &mut taken);
            if let Some(Value::String(json)) = body.get_mut("json") {
                given(json, &mut taken);
            }
        }
        _ => {}
    }
    let texts = serde_json::to_vec(&taken).unwrap_or_default();
    (!taken.is_empty()).then_some((TEXTS, texts))
}

fn take(body: &mut Value, within: &str, is_said: impl Fn(&str, &Value) -> bool, taken: &mut BTreeMap<String, Value>) {
    let Some(Value::Object(map)) = body.pointer_mut(within) else { return };
    let names: Vec<String> =
        map.iter().filter(|(name, value)| is_said(name, value)).map(|(name, _)| name.clone()).collect();
    for name in names {
        let size: usize = taken.values().chain(map.get(&name)).map(|value| value.to_string().len()).sum();
        if size > MOST {
            return;
        }
        if let Some(value) = map.remove(&name) {
            taken.insert(format!("{within}/{name}"), value);
        }
    }
}

/// What fills duties in the text of a plan, whose key cannot stand in one of its strings, where quotes are escaped. The mark that takes a
/// text's place stands nowhere in the plan or the texts.
fn given(json: &mut String, taken: &mut BTreeMap<String, Value>) {
    let texts: BTreeSet<String> = taken.values().filter_map(|text| text.as_str().map(str::to_owned)).collect();
    let mut mark = "(private".to_owned();
    while json.contains(&mark) || texts.iter().any(|text| text.contains(&mark)) {
        mark.push('~');
    }
    for (number, text) in texts.into_iter().enumerate() {
        let (stands, mark) = (filled(&text), format!("{mark} {number})"));
        if json.contains(&stands) {
            *json = json.replace(&stands, &filled(&mark));
            taken.insert(format!("{GIVEN}{mark}"), Value::String(text));
        }
    }
}

fn filled(text: &str) -> String {
    format!("\"given\":{}", Value::String(text.to_owned()))
}

/// The body of a record with the texts where they stood, as far as they were not deleted.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn body(snapshot: &Snapshot, record: &Record) -> Result<Value, Error> {
    let mut body = snapshot.body(record)?;
    let Some(commitment) = record.private.get(TEXTS) else { return Ok(body) };
    let Some(texts) = snapshot.private(commitment)? else { return Ok(body) };
    let texts: BTreeMap<String, Value> = serde_json::from_slice(&texts).unwrap_or_default();
    for (place, value) in texts {
        if let Some(mark) = place.strip_prefix(GIVEN) {
            if let (Some(Value::String(json)), Some(text)) = (body.get_mut("json"), value.as_str()) {
                *json = json.replace(&filled(mark), &filled(text));
            }
            continue;
        }
        let Some((within, name)) = place.rsplit_once('/') else { continue };
        if let Some(Value::Object(map)) = body.pointer_mut(within) {
            map.insert(name.to_owned(), value);
        }
    }
    Ok(body)
}

/// Whether a record tells that the missing texts of this one were deleted.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn is_told(snapshot: &Snapshot, record: &Record) -> Result<bool, Error> {
    let told =
        journal::back(snapshot, &["redact"], |_, body| (body["seq"].as_u64() == Some(record.seq)).then_some(()))?;
    Ok(told.is_some())
}

/// Whether the texts of a record are gone: deleted, or lost.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn is_redacted(snapshot: &Snapshot, record: &Record) -> Result<bool, Error> {
    match record.private.get(TEXTS) {
        Some(commitment) => Ok(snapshot.private(commitment)?.is_none()),
        None => Ok(false),
    }
}

/// The records with texts of the same change as this one, itself among them: its plans, decisions and stories, and what was added to those.
/// Only those whose texts are still there.
///
/// # Errors
/// When the ledger is not what was signed.
pub fn of_the_change(snapshot: &Snapshot, seq: u64) -> Result<Vec<u64>, Error> {
    let of = |body: &Value| body["about"]["diff"].as_str().map(str::to_owned);
    let named = snapshot.get(seq)?;
    let story = snapshot.body(&named)?["story"].as_u64().filter(|_| named.kind == "amendment");
    let diff = match story {
        Some(story) => of(&snapshot.body(&snapshot.get(story)?)?),
        None => of(&snapshot.body(&named)?),
    };
    let (mut found, mut stories) = (Vec::new(), Vec::new());
    for record in snapshot.records(0..snapshot.len()) {
        let record = record?;
        if !matches!(record.kind.as_str(), "plan" | "decision" | "story" | "amendment") {
            continue;
        }
        let body = snapshot.body(&record)?;
        let is_of_it = record.seq == seq
            || diff.is_some() && of(&body) == diff
            || record.kind == "amendment" && body["story"].as_u64().is_some_and(|story| stories.contains(&story));
        if !is_of_it {
            continue;
        }
        if record.kind == "story" {
            stories.push(record.seq);
        }
        if record.private.contains_key(TEXTS) && !is_redacted(snapshot, &record)? {
            found.push(record.seq);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use grace_ledger::{Draft, Ledger, SecretKey};
    use grace_system::files;
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_put_back_where_they_stood_until_they_are_deleted() {
        let dir = files::temporary_dir().unwrap();
        let (key, _) = SecretKey::load_or_create(&dir.path().join("key")).unwrap();
        let ledger = Ledger::at(&dir.path().join("ledger"));
        ledger.create(&key, "x").unwrap();
        let secret = "Ann said \"no\": \"given\":\"x\"";
        let json =
            json!({"duties": [{"name": "rationale", "given": secret}, {"name": "t", "given": null}]}).to_string();
        let hostile = json!({"duties": [{"given": "(private 0)"}, {"given": "Ann"}, {"given": "(private 1)"}, {"given": "Ann (private~ 1)"}]});
        let hostile = hostile.to_string();
        let bodies = [
            (
                "story",
                json!({"fields": {"rationale": {"value": secret, "from": "given"}, "tier": {"value": "2", "from": "derived"}}}),
            ),
            (
                "plan",
                json!({"about": {"diff": "d"}, "inputs": {"rationale": secret, "story": {"tier": "derived", "title": secret}}, "json": json}),
            ),
            (
                "plan",
                json!({"about": {"diff": "e"}, "inputs": {"rationale": "Ann", "story": {"risks": "(private 0)", "title": "Ann (private~ 1)"}}, "json": hostile}),
            ),
            ("amendment", json!({"story": 1, "because": secret, "fields": {}})),
            ("decision", json!({"about": {"diff": "d"}, "inputs": {"rationale": null, "story": {}}})),
            ("run", json!({"fields": {"rationale": "x"}})),
        ];
        let mut seqs = Vec::new();
        for (kind, body) in &bodies {
            let mut left = body.clone();
            let hidden = hide(kind, &mut left);
            assert_eq!(hidden.is_some(), ["story", "plan", "amendment"].contains(kind), "{kind}");
            assert!(!left.to_string().contains("Ann") && (hidden.is_some() || left == *body), "{left}");
            let draft = Draft::new(*kind, "ann", left);
            let draft = hidden.into_iter().fold(draft, |draft, (name, text)| draft.private(name, text));
            seqs.push(ledger.append(&key, &[draft]).unwrap()[0].seq);
        }
        let read = || ledger.snapshot(&key.public()).unwrap();
        for (seq, (_, said)) in seqs.iter().zip(&bodies) {
            let snapshot = read();
            let record = snapshot.get(*seq).unwrap();
            assert_eq!(body(&snapshot, &record).unwrap(), *said);
            assert!(!is_redacted(&snapshot, &record).unwrap());
        }
        assert_eq!(of_the_change(&read(), seqs[4]).unwrap(), [seqs[1]]);
        ledger.redact(&key, "ann", seqs[1], "asked for").unwrap();
        let snapshot = read();
        let record = snapshot.get(seqs[1]).unwrap();
        assert!(is_redacted(&snapshot, &record).unwrap() && is_told(&snapshot, &record).unwrap());
        assert!(!is_told(&snapshot, &snapshot.get(seqs[0]).unwrap()).unwrap());
        assert!(!body(&snapshot, &record).unwrap().to_string().contains("Ann"));
        assert!(of_the_change(&snapshot, seqs[1]).unwrap().is_empty());
        assert!(ledger.verify(&key.public(), &[]).is_proven());
    }
}
