//! Code that is spoilt on purpose, from a seed.

use grace_govern::guardrails::{Guardrail, names};

/// Numbers from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// A text in every way that it can be spoilt.
pub(crate) fn all(_file: &str, text: &str, seed: u64) -> Vec<(Guardrail, &'static str, String)> {
    let mut random = Random(seed);
    let mut all = Vec::new();
    for (strength, least, most, copies) in [
        ("one line, 5 to 30 times", 1, 1, (5, 30)),
        ("a block of 2 to 4, 4 to 6 times", 2, 4, (4, 6)),
        ("a block of 3 to 12, 6 to 20 times", 3, 12, (6, 20)),
    ] {
        all.extend(
            repeated(text, least, most, copies, &mut random).map(|text| (Guardrail::Repetition, strength, text)),
        );
    }
    all.push((Guardrail::Repetition, "words in a comment", stuttered(text, &mut random)));
    all.push((Guardrail::Repetition, "all of it 3 to 6 times, a line between", copied(text, &mut random)));
    for (strength, percent, make) in [
        ("any letters, all names", 100, letters as fn(&mut Random) -> String),
        ("any letters, a third of the names", 33, letters),
        ("keys side by side, all names", 100, keyboard),
        ("keys side by side, a third", 33, keyboard),
        ("without vowels, half of the names", 50, consonants),
        ("syllables, all names", 100, syllables),
    ] {
        let renamed = renamed(text, percent, make, &mut random);
        all.extend(renamed.map(|text| (Guardrail::NonsenseIdentifiers, strength, text)));
    }
    for (strength, lines) in contradictions(&mut random) {
        all.push((Guardrail::Contradictions, strength, inserted(text, &lines, &mut random)));
    }
    all
}

/// Where whole statements of the function's body begin: lines at its indentation with no bracket open.
fn places(lines: &[&str]) -> Vec<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut open, mut places) = (0_i64, Vec::new());
    for (at, line) in lines.iter().enumerate() {
        if open == 0 && at > 0 && indent(line) == 4 && !line.trim().is_empty() && !line.contains("\"\"\"") {
            let is_more = ["else", "elif", "except", "finally"].iter().any(|word| line.trim().starts_with(word));
            places.extend((!is_more).then_some(at));
        }
        let count = |of: &[char]| line.matches(of).count() as i64;
        open = (open + count(&['(', '[', '{']) - count(&[')', ']', '}'])).max(0);
    }
    places
}

fn letter_count(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).count()
}

fn repeated(text: &str, least: usize, most: usize, copies: (usize, usize), random: &mut Random) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let length = least + random.below(most - least + 1);
    let begins: Vec<usize> = (1..lines.len().saturating_sub(length))
        .filter(|at| lines[*at..at + length].iter().all(|line| letter_count(line) >= 12))
        .collect();
    let begin = *begins.get(random.below(begins.len()))?;
    let times = copies.0 + random.below(copies.1 - copies.0 + 1);
    let mut spoilt: Vec<&str> = lines[..begin].to_vec();
    for _ in 0..times {
        spoilt.extend(&lines[begin..begin + length]);
    }
    spoilt.extend(&lines[begin + length..]);
    Some(spoilt.join("\n") + "\n")
}

fn stuttered(text: &str, random: &mut Random) -> String {
    let phrase = random.one_of(&["the system", "check", "and then the value", "process data"]);
    let comment = format!("    # {}", format!("{phrase} ").repeat(10 + random.below(20)).trim_end());
    // A long comment is written on several lines.
    let mut wrapped = String::new();
    let mut width = 0;
    for word in comment.split(' ') {
        if width > 100 {
            wrapped.push_str("\n    #");
            width = 5;
        }
        wrapped.push_str(if wrapped.is_empty() { "" } else { " " });
        wrapped.push_str(word);
        width += word.len() + 1;
    }
    inserted(text, &[wrapped.trim_start()], random)
}

fn copied(text: &str, random: &mut Random) -> String {
    (0..3 + random.below(4)).map(|at| format!("{text}\nlast_result_{at} = None\n")).collect()
}

fn letters(random: &mut Random) -> String {
    (0..5 + random.below(8)).map(|_| char::from(b'a' + random.below(26) as u8)).collect()
}

fn keyboard(random: &mut Random) -> String {
    let row = random.one_of(&["qwertyuiop", "asdfghjkl", "zxcvbnm", "lkjhgfdsa", "poiuytrewq"]).as_bytes();
    let begin = random.below(row.len());
    (0..5 + random.below(5)).map(|at| char::from(row[(begin + at + random.below(2)) % row.len()])).collect()
}

fn consonants(random: &mut Random) -> String {
    let all = b"bcdfghjklmnpqrstvwxz";
    (0..5 + random.below(5)).map(|_| char::from(all[random.below(all.len())])).collect()
}

fn syllables(random: &mut Random) -> String {
    let (consonants, vowels) = (b"bcdfghjklmnpqrstvwxyz", b"aeiou");
    let mut word = String::new();
    for _ in 0..3 + random.below(3) {
        word.push(char::from(consonants[random.below(consonants.len())]));
        word.push(char::from(vowels[random.below(vowels.len())]));
    }
    word
}

/// Gives other names to a share of the names that are written with lower-case letters and `_`.
fn renamed(text: &str, percent: usize, make: fn(&mut Random) -> String, random: &mut Random) -> Option<String> {
    const KEPT: &[&str] = &[
        "def",
        "return",
        "if",
        "elif",
        "else",
        "for",
        "in",
        "not",
        "and",
        "or",
        "is",
        "import",
        "from",
        "with",
        "as",
        "raise",
        "try",
        "except",
        "finally",
        "while",
        "assert",
        "lambda",
        "yield",
        "pass",
        "break",
        "continue",
        "class",
        "self",
        "len",
        "str",
        "int",
        "dict",
        "list",
        "set",
        "print",
        "range",
        "open",
        "sorted",
        "isinstance",
        "tuple",
        "bool",
        "super",
    ];
    let mut given = std::collections::BTreeMap::new();
    let mut spoilt = String::new();
    let mut name = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c);
            continue;
        }
        if !name.is_empty() {
            let is_plain = name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if is_plain && !KEPT.contains(&name.as_str()) {
                let new = given
                    .entry(name.clone())
                    .or_insert_with(|| if random.below(100) < percent { make(random) } else { name.clone() });
                spoilt.push_str(new);
            } else {
                spoilt.push_str(&name);
            }
            name.clear();
        }
        spoilt.push(c);
    }
    // Names in strings and comments do not count: there must be enough in code.
    let changed = given.iter().filter(|(old, new)| old != new).count();
    let in_code: usize = text.lines().map(|line| names::words(line.split('#').next().unwrap_or(line)).len()).sum();
    (changed >= 4 && in_code >= 12).then_some(spoilt)
}

/// Lines at the indentation of the body. `A` and `B` stand for names.
fn contradictions(random: &mut Random) -> Vec<(&'static str, Vec<String>)> {
    let names = ["ready", "user.is_active", "config", "items", "self.enabled", "count", "response", "is_valid(value)"];
    let a = names[random.below(names.len())];
    let b = ["other", "mode", "limit", "depth"][random.below(4)];
    let act = ["process(other)", "log.info(\"done\")", "total += 1", "self.start()"][random.below(4)];
    let (low, high) = (random.below(50), 51 + random.below(50));
    let line = |text: String| -> String { text };
    let mut all = Vec::new();
    let condition = match random.below(5) {
        0 => format!("{a} and not {a}"),
        1 => format!("not {a} and {b} and {a}"),
        2 => format!("({a}) and (not ({a}))"),
        3 => format!("{b} > 0 and {a} and not {a}"),
        _ => format!("{a} or not {a}"),
    };
    let word = ["if", "while"][random.below(2)];
    all.push(("a condition and its negation", vec![line(format!("{word} {condition}:")), format!("    {act}")]));
    let condition = match random.below(5) {
        0 => format!("{b} > {high} and {b} < {low}"),
        1 => format!("{b} <= {low} and {b} >= {high}"),
        2 => format!("{b} == {low} and {b} == {high}"),
        3 => format!("{b} is None and {b} is not None"),
        _ => format!("{b} == \"first\" and {b} == \"second\""),
    };
    all.push(("comparisons that exclude each other", vec![format!("if {condition}:"), format!("    {act}")]));
    all.push((
        "a condition asked twice",
        vec![
            format!("if {a}:"),
            format!("    {act}"),
            format!("elif {b} > {low}:"),
            "    stop()".to_owned(),
            format!("elif {a}:"),
            "    wait()".to_owned(),
        ],
    ));
    let leave = ["return None", "raise ValueError(\"no\")", "return other"][random.below(3)];
    all.push(("what nothing reaches", vec![format!("if {b}:"), format!("    {leave}"), format!("    {act}")]));
    all.push((
        "both branches the same",
        vec![
            format!("if {a}:"),
            format!("    {act}"),
            "    step()".into(),
            "else:".into(),
            format!("    {act}"),
            "    step()".into(),
        ],
    ));
    let key = random.one_of(&["name", "timeout", "path", "retries"]);
    all.push((
        "a key given twice",
        vec![
            "options = {".into(),
            format!("    \"{key}\": {low},"),
            "    \"verbose\": True,".into(),
            format!("    \"{key}\": {high},"),
            "}".into(),
        ],
    ));
    let flag = ["True", "False"];
    let at = random.below(2);
    all.push(("a value given twice", vec![format!("enabled = {}", flag[at]), format!("enabled = {}", flag[1 - at])]));
    // De Morgan: what this program does not work out.
    all.push(("by way of a bracket (hard)", vec![format!("if not ({a} or {b}) and {a}:"), format!("    {act}")]));
    all
}

fn inserted(text: &str, new: &[impl AsRef<str>], random: &mut Random) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let places = places(&lines);
    let place = places.get(random.below(places.len())).copied().unwrap_or(lines.len());
    let mut spoilt: Vec<String> = lines[..place].iter().map(|line| (*line).to_owned()).collect();
    spoilt.extend(new.iter().map(|line| format!("    {}", line.as_ref())));
    spoilt.extend(lines[place..].iter().map(|line| (*line).to_owned()));
    spoilt.join("\n") + "\n"
}
