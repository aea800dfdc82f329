//! Names that are no words: how well the letters of a name follow one another, by a table of what follows what.
//!
//! The table `letters.txt` is made of the words of this repository alone (`cargo xtask guardrails table`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Line, Seen, shown};

/// Letters of the shortest word that is judged.
const SHORTEST: usize = 5;
/// Letters of the longest: what is longer is no name.
const LONGEST: usize = 40;
/// Quarters of a bit a letter, above which a word is nonsense by itself, in hundredths.
const ALONE: u32 = 2100;
/// Words that are nonsense by themselves: so many, where they are so many percent of all.
const FEW: [(usize, usize); 2] = [(2, 20), (3, 5)];
/// The mean of all words above which all of them are odd, in hundredths, and the words that it takes.
const TOGETHER: (u32, usize) = (1550, 8);
/// Letters and the edge of a word.
const SYMBOLS: usize = 27;

/// What follows two letters, and how surprising it is in quarters of a bit: 0 to 35, as a digit of base 36.
static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let digits = include_str!("letters.txt").bytes().filter(u8::is_ascii_alphanumeric);
    digits.map(|digit| if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }).collect()
});

fn symbol(letter: u8) -> usize {
    if letter.is_ascii_lowercase() { usize::from(letter - b'a') + 1 } else { 0 }
}

/// How surprising a word is: the mean over its letters, in hundredths. `None` for what is no word of ASCII letters, or too
/// short or long.
#[must_use]
pub fn surprise(word: &str) -> Option<u32> {
    if !(SHORTEST..=LONGEST).contains(&word.len()) || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let (mut before, mut last, mut sum, mut count) = (0, 0, 0, 0);
    for next in word.bytes().map(symbol).chain([0]) {
        let known = TABLE.get((before * SYMBOLS + last) * SYMBOLS + next);
        sum += u32::from(known.copied().unwrap_or_default());
        count += 1;
        (before, last) = (last, next);
    }
    Some(sum * 100 / count)
}

/// The words of the names in some code, in lower case: names are cut at `_`, at digits and where a capital begins.
pub fn words(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut was_lower = false;
    // A quote without its other one begins a lifetime.
    let is_paired = code.matches('\'').count().is_multiple_of(2);
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        if let Some(end) = quote {
            if c == '\\' {
                chars.next();
            } else if c == end {
                quote = None;
            }
            continue;
        }
        let begins = !c.is_alphabetic() || (c.is_uppercase() && was_lower);
        if begins && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c == '"' || c == '\'' && is_paired {
            quote = Some(c);
        } else if c.is_alphabetic() {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

pub(super) fn look(lines: &[Line<'_>]) -> Seen {
    let mut found: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.is_added) {
        for word in words(&line.code) {
            if let Some(surprise) = surprise(&word) {
                found.entry(word).or_insert((line.number, surprise));
            }
        }
    }
    let mut odd: Vec<(u32, &str)> = found
        .iter()
        .filter(|(_, (_, surprise))| *surprise >= ALONE)
        .map(|(word, (line, _))| (*line, &**word))
        .collect();
    odd.sort_unstable();
    let mean =
        found.values().map(|(_, surprise)| surprise).sum::<u32>() / u32::try_from(found.len().max(1)).unwrap_or(1);
    let quoted = |words: &[(u32, &str)]| {
        let words: Vec<String> = words.iter().take(4).map(|(_, word)| format!("`{}`", shown(word))).collect();
        words.join(", ")
    };
    if FEW.iter().any(|(count, percent)| odd.len() >= *count && odd.len() * 100 >= found.len() * percent) {
        let what = format!("{} of {} names are no words: {}", odd.len(), found.len(), quoted(&odd));
        return vec![(odd[0].0, what)];
    }
    if found.len() >= TOGETHER.1 && mean >= TOGETHER.0 {
        let mut worst: Vec<(&u32, &u32, &String)> =
            found.iter().map(|(word, (line, surprise))| (surprise, line, word)).collect();
        worst.sort_unstable_by(|a, b| b.cmp(a));
        let shown: Vec<(u32, &str)> = worst.iter().map(|(_, line, word)| (**line, word.as_str())).collect();
        let line = shown.iter().take(4).map(|(line, _)| *line).min().unwrap_or(1);
        return vec![(line, format!("its {} names read like no words: {}", found.len(), quoted(&shown)))];
    }
    Seen::new()
}
