//! An addition to a text of JSON that leaves every other byte as it is.

use serde_json::{Map, Value, json};

/// Spaces of one level.
const INDENT: usize = 2;

/// The text with `item` as the last one of the array that `path` leads to through objects; what is not there yet is made.
///
/// # Errors
/// In a sentence, where the text is no JSON, or something else stands on the way.
pub(super) fn with(text: &str, path: &[&str], item: &Value) -> Result<String, String> {
    let mut wanted: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    add(&mut wanted, path, item)?;
    let scanner = Scanner { bytes: text.as_bytes() };
    let mut at = scanner.space(0);
    let mut rest = path;
    while let [key, left @ ..] = rest {
        match scanner.members(at).into_iter().rev().find(|member| member.key == *key) {
            Some(member) => (at, rest) = (member.value, left),
            None => break,
        }
    }
    let depth = path.len() - rest.len() + 1;
    let (shown, inner) = match rest {
        [] => (pretty(item), depth),
        [key, left @ ..] => {
            let value = left.iter().rev().fold(json!([item]), |value, key| json!({ *key: value }));
            (format!("{}: {}", Value::from(*key), pretty(&value)), depth)
        }
    };
    let shown = shown.replace('\n', &format!("\n{}", " ".repeat(INDENT * inner)));
    let (last, close) = scanner.end_of(at);
    let (line, outer) = (" ".repeat(INDENT * inner), " ".repeat(INDENT * (inner - 1)));
    let written = match last {
        Some(last) => format!("{},\n{line}{shown}{}", &text[..last], &text[last..]),
        None => format!("{}\n{line}{shown}\n{outer}{}", &text[..=at], &text[close..]),
    };
    // Whatever the text was, what is written says this and nothing else.
    if serde_json::from_str::<Value>(&written).ok().as_ref() == Some(&wanted) {
        Ok(written)
    } else {
        Err("it cannot be added to without changing more".to_owned())
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

fn add(value: &mut Value, path: &[&str], item: &Value) -> Result<(), String> {
    let Some((key, rest)) = path.split_first() else {
        value.as_array_mut().ok_or("a list was expected")?.push(item.clone());
        return Ok(());
    };
    let fields = value.as_object_mut().ok_or(format!("`{key}` was expected in an object"))?;
    let fresh = if rest.is_empty() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    add(fields.entry(*key).or_insert(fresh), rest, item)
}

/// Finds its way in a text that is known to be JSON.
struct Scanner<'a> {
    bytes: &'a [u8],
}

struct Member {
    key: String,
    value: usize,
}

impl Scanner<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The next place that is no space.
    fn space(&self, mut at: usize) -> usize {
        while self.byte(at).is_ascii_whitespace() {
            at += 1;
        }
        at
    }

    /// The end of the value that begins here.
    fn value(&self, start: usize) -> usize {
        let (mut at, mut depth) = (start, 0_usize);
        while at < self.bytes.len() {
            match self.byte(at) {
                b'"' => at = self.string(at),
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    if depth == 0 {
                        return at;
                    }
                    depth -= 1;
                    at += 1;
                }
                b',' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return at,
                _ => at += 1,
            }
            if depth == 0 && matches!(self.byte(start), b'"' | b'{' | b'[') {
                return at;
            }
        }
        at
    }

    /// The end of the string that begins here.
    fn string(&self, start: usize) -> usize {
        let mut at = start + 1;
        while at < self.bytes.len() && self.byte(at) != b'"' {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        at + 1
    }

    /// The members of an object; none where something else stands here.
    fn members(&self, start: usize) -> Vec<Member> {
        let mut members = Vec::new();
        if self.byte(start) != b'{' {
            return members;
        }
        let mut at = self.space(start + 1);
        while self.byte(at) == b'"' {
            let end = self.string(at);
            let key = self.bytes.get(at..end).and_then(|key| serde_json::from_slice(key).ok()).unwrap_or_default();
            // Behind the colon.
            let value = self.space(self.space(end) + 1);
            members.push(Member { key, value });
            at = self.space(self.value(value));
            if self.byte(at) == b',' {
                at = self.space(at + 1);
            }
        }
        members
    }

    /// Where the last thing of an object or a list ends, if it has any, and where it is closed.
    fn end_of(&self, start: usize) -> (Option<usize>, usize) {
        let (mut at, mut last) = (self.space(start + 1), None);
        while !matches!(self.byte(at), b'}' | b']' | 0) {
            if self.byte(at) == b',' || self.byte(at) == b':' {
                at = self.space(at + 1);
                continue;
            }
            let end = self.value(at).max(at + 1);
            last = Some(end);
            at = self.space(end);
        }
        (last, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook() -> Value {
        json!({"hooks": [{"command": "x"}]})
    }

    #[test]
    fn an_empty_text_gets_the_whole_way() {
        insta::assert_snapshot!(with("{}\n", &["hooks", "Stop"], &hook()).unwrap(), @r#"
        {
          "hooks": {
            "Stop": [
              {
                "hooks": [
                  {
                    "command": "x"
                  }
                ]
              }
            ]
          }
        }
        "#);
    }

    #[test]
    fn what_is_there_stays_byte_for_byte() {
        let text = "{\t\"a\": 1.50,\n\n  \"hooks\" : {\"Stop\":[ {\"b\":\"},]\\\"\"} ], \"x\":{}}  }";
        let written = with(text, &["hooks", "Stop"], &json!("new")).unwrap();
        assert_eq!(written, text.replace("\"} ]", "\"},\n      \"new\" ]"));
        let other = with(text, &["hooks", "Start"], &json!(1)).unwrap();
        assert!(other.starts_with(text.trim_end_matches(['}', ' '])), "{other}");
    }

    #[test]
    fn what_cannot_be_added_to_is_left() {
        for text in ["", "[]", "{// no\n}", "{\"hooks\": 1}", "{\"hooks\": {\"Stop\": {}}}"] {
            assert!(with(text, &["hooks", "Stop"], &hook()).is_err(), "{text}");
        }
    }
}
