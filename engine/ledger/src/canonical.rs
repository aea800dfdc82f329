//! Canonical JSON: RFC 8785 without fractions.
//!
//! One text for each value: keys in the order of their UTF-16 code units, no white space, the shortest escapes, whole numbers
//! within ±(2⁵³ − 1). [`write`] makes it; [`scan`] holds bytes against it without building the value, so that a reader
//! needs no memory beyond the bytes and cannot be given the same value in a second spelling.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::Value;

/// The largest whole number that every reader of JSON keeps exactly.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;
/// How deep arrays and objects may lie in one another.
pub const MAX_DEPTH: usize = 64;

/// The canonical text of a value, or why it has none.
pub fn write(value: &Value) -> Result<String, &'static str> {
    let mut text = String::new();
    write_value(&mut text, value, 0)?;
    Ok(text)
}

fn write_value(text: &mut String, value: &Value, depth: usize) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("it nests too deeply");
    }
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => {
            let whole = number.as_i64().ok_or("it holds a number that is not whole, or beyond 2^53")?;
            if !(-MAX_INTEGER..=MAX_INTEGER).contains(&whole) {
                return Err("it holds a number beyond 2^53");
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "{whole}");
        }
        Value::String(string) => write_string(text, string),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(text, item, depth + 1)?;
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|(a, _), (b, _)| utf16_order(a, b));
            text.push('{');
            for (index, (key, item)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(text, key);
                text.push(':');
                write_value(text, item, depth + 1)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// The order of keys: by UTF-16 code units, which differs from that of UTF-8 above U+FFFF.
fn utf16_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// What a member of the outermost object is, as far as [`scan`] tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member<'a> {
    /// A whole number.
    Integer(i64),
    /// A string, as it stands between its quotes. Without a backslash it is the string itself.
    String(&'a str),
    /// An object, as it stands.
    Object(&'a [u8]),
    /// Something else.
    Other,
}

/// Holds bytes against the canonical form of one object and gives its members, in order, to `each`. An error says what is
/// wrong and at which byte.
pub fn scan<'a>(bytes: &'a [u8], mut each: impl FnMut(&'a str, Member<'a>)) -> Result<(), Fault> {
    // Once for all strings: with sound UTF-8 a piece between quotes is text.
    let text =
        std::str::from_utf8(bytes).map_err(|error| Fault { at: error.valid_up_to(), what: "it is not UTF-8" })?;
    let mut scanner = Scanner { text, at: 0 };
    scanner.object(0, &mut each)?;
    match bytes.len() == scanner.at {
        true => Ok(()),
        false => Err(scanner.fault("something follows the value")),
    }
}

/// Why bytes are not canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The byte at which it shows.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn fault(&self, what: &'static str) -> Fault {
        Fault { at: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Result<(), Fault> {
        match self.peek() == Some(byte) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(self.fault(what)),
        }
    }

    fn object(&mut self, depth: usize, each: &mut dyn FnMut(&'a str, Member<'a>)) -> Result<(), Fault> {
        self.take(b'{', "no object begins here")?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut last: Option<&'a str> = None;
        loop {
            let begin = self.at;
            let key = self.string()?;
            if last.is_some_and(|last| key_order(last, key) != Ordering::Less) {
                return Err(Fault { at: begin, what: "its keys are not in order, or one is there twice" });
            }
            last = Some(key);
            self.take(b':', "a key without its value")?;
            let member = self.value(depth + 1)?;
            each(key, member);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault("an object without its end")),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Member<'a>, Fault> {
        if depth > MAX_DEPTH {
            return Err(self.fault("it nests too deeply"));
        }
        match self.peek() {
            Some(b'"') => Ok(Member::String(self.string()?)),
            Some(b'{') => {
                let begin = self.at;
                self.object(depth, &mut |_, _| ())?;
                Ok(Member::Object(&self.text.as_bytes()[begin..self.at]))
            }
            Some(b'[') => {
                self.at += 1;
                if self.peek() == Some(b']') {
                    self.at += 1;
                    return Ok(Member::Other);
                }
                loop {
                    self.value(depth + 1)?;
                    match self.peek() {
                        Some(b',') => self.at += 1,
                        Some(b']') => {
                            self.at += 1;
                            return Ok(Member::Other);
                        }
                        _ => return Err(self.fault("a list without its end")),
                    }
                }
            }
            Some(b'-' | b'0'..=b'9') => Ok(Member::Integer(self.integer()?)),
            _ => match ["true", "false", "null"].iter().find(|word| self.text[self.at..].starts_with(**word)) {
                Some(word) => {
                    self.at += word.len();
                    Ok(Member::Other)
                }
                None => Err(self.fault("no value begins here")),
            },
        }
    }

    fn integer(&mut self) -> Result<i64, Fault> {
        const WRONG: &str = "a number is not whole, or not in its one form, or beyond 2^53";
        let begin = self.at;
        let digits = self.text.as_bytes()[begin..].iter().take_while(|byte| matches!(byte, b'-' | b'0'..=b'9')).count();
        let number: i64 = self.text[begin..begin + digits].parse().map_err(|_| self.fault(WRONG))?;
        let after = self.text.as_bytes().get(begin + digits);
        let is_canonical = (-MAX_INTEGER..=MAX_INTEGER).contains(&number)
            && number.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1) + usize::from(number < 0)
                == digits
            && !matches!(after, Some(b'.' | b'e' | b'E'));
        if !is_canonical {
            return Err(self.fault(WRONG));
        }
        self.at += digits;
        Ok(number)
    }

    /// The text between the quotes, as it stands.
    fn string(&mut self) -> Result<&'a str, Fault> {
        self.take(b'"', "no string begins here")?;
        let begin = self.at;
        let bytes = self.text.as_bytes();
        loop {
            let plain = bytes[self.at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            self.at += plain.ok_or(Fault { at: begin, what: "a string without its end" })?;
            match bytes[self.at] {
                b'"' => {
                    let inner = &self.text[begin..self.at];
                    self.at += 1;
                    return Ok(inner);
                }
                b'\\' => self.at += self.escape()?,
                _ => return Err(self.fault("a control character stands unescaped")),
            }
        }
    }

    /// The length of the escape here, if it is the one way to write its character.
    fn escape(&self) -> Result<usize, Fault> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        match rest {
            [b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r', ..] => Ok(2),
            [b'u', b'0', b'0', high @ (b'0' | b'1'), low @ (b'0'..=b'9' | b'a'..=b'f'), ..]
                // Those have a short form.
                if !(*high == b'0' && matches!(low, b'8' | b'9' | b'a' | b'c' | b'd')) =>
            {
                Ok(6)
            }
            _ => Err(self.fault("an escape is not in its one form")),
        }
    }
}

/// The order of two keys as they stand between their quotes.
fn key_order(a: &str, b: &str) -> Ordering {
    // Below U+D800, bytes and code units order alike.
    if a.bytes().chain(b.bytes()).all(|byte| byte < 0xed && byte != b'\\') {
        return a.cmp(b);
    }
    utf16_order(&unescape(a), &unescape(b))
}

/// The string that a canonical text between quotes stands for.
fn unescape(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_default()
}
