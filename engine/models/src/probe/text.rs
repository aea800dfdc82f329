//! Scoring by plain comparison of words and numbers.

use std::collections::BTreeSet;

/// What every question is asked with.
pub(super) const SYSTEM: &str = "Answer in as few words as possible. If you do not know, or if what is asked about does not \
     exist or is not said, answer with the one word UNKNOWN.";

/// Words by which one says that one does not know.
const ABSTAINS: &[&str] = &[
    "unknown",
    "i don't know",
    "i do not know",
    "don't have",
    "do not have",
    "not aware",
    "no information",
    "not specified",
    "not mentioned",
    "not stated",
    "not said",
    "not given",
    "not provided",
    "not known",
    "does not say",
    "doesn't say",
    "does not mention",
    "doesn't mention",
    "does not specify",
    "doesn't specify",
    "does not state",
    "does not exist",
    "doesn't exist",
    "do not exist",
    "no such",
    "not a real",
    "not real",
    "fictional",
    "fictitious",
    "cannot find",
    "can't find",
    "could not find",
    "couldn't find",
    "cannot determine",
    "can't determine",
    "cannot be determined",
    "not possible to",
    "unable to",
    "no record",
    "not familiar",
    "isn't a",
    "is not a known",
    "not a recognized",
    "not a recognised",
    "not a standard",
    "no known",
    "n/a",
];

/// Whether an answer says that it does not know, and tells nothing all the same: a number that the question does not have is
/// made up, whatever stands beside it.
pub(super) fn abstains(question: &str, answer: &str) -> bool {
    let answer = answer.to_lowercase().replace('\u{2019}', "'");
    let asked: BTreeSet<&str> = numbers(question).collect();
    ABSTAINS.iter().any(|words| answer.contains(words)) && numbers(&answer).all(|number| asked.contains(number))
}

/// The runs of digits in a text.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty())
}

/// Words and numbers, small; `1,234` is one number.
fn tokens(text: &str) -> Vec<String> {
    let mut letters: Vec<char> = text.to_lowercase().chars().collect();
    let digit = |letters: &[char], at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
    let mut at = 1;
    while at + 3 < letters.len() {
        let groups = letters[at] == ',' && digit(&letters, at - 1) && (1..=3).all(|next| digit(&letters, at + next));
        if groups && !digit(&letters, at + 4) {
            letters[at] = '\0';
        }
        at += 1;
    }
    let text: String = letters.into_iter().filter(|letter| *letter != '\0').collect();
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .map(|word| word.trim_matches('-').to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether an answer says `right`, and none of `wrong`. Of several numbers the last one counts, as the result of what led there.
pub(super) fn says(answer: &str, right: &str, wrong: &[String]) -> bool {
    let tokens = tokens(answer);
    if right.bytes().all(|byte| byte.is_ascii_digit()) {
        let mut numbers = tokens.iter().filter(|token| token.bytes().all(|byte| byte.is_ascii_digit()));
        return numbers.next_back().is_some_and(|last| last == right);
    }
    let has = |word: &str| {
        let word = self::tokens(word);
        !word.is_empty() && tokens.windows(word.len()).any(|window| window == word.as_slice())
    };
    has(right) && !wrong.iter().any(|word| has(word))
}

/// The letter that an answer chooses of `A`, `B`, `C`: its first word, or the only one among its words.
pub(super) fn letter(answer: &str) -> Option<char> {
    let words = tokens(answer);
    let letter = |word: &String| match word.as_str() {
        "a" => Some('A'),
        "b" => Some('B'),
        "c" => Some('C'),
        _ => None,
    };
    if let Some(first) = words.first().and_then(letter) {
        return Some(first);
    }
    let mut found: Vec<char> = words.iter().filter(|word| *word != "a").filter_map(letter).collect();
    found.dedup();
    match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_that_it_is_not_known_abstains() {
        for answer in [
            "UNKNOWN",
            "std::zan2 does not exist.",
            "I don\u{2019}t know.",
            "There is no such function.",
            "The text does not say.",
        ] {
            assert!(abstains("Since which version is there std::zan2?", answer), "{answer}");
        }
        for answer in
            ["C++17", "It was signed in 1987.", "The capital is Zanvor.", "UNKNOWN, but it was signed in 1987."]
        {
            assert!(!abstains("When was it signed?", answer), "{answer}");
        }
    }

    #[test]
    fn an_answer_is_compared_by_words_and_its_last_number() {
        assert!(says("The answer is 1,234.", "1234", &[]));
        assert!(says("12 + 30 = 42", "42", &[]));
        assert!(!says("42, or 43", "42", &[]));
        assert!(!says("142", "42", &[]));
        assert!(says("It is Orlen Bay.", "Orlen Bay", &["Kurd".to_owned()]));
        assert!(!says("Orlen Bay or Kurd", "Orlen Bay", &["Kurd".to_owned()]));
        assert!(!says("", "Orlen", &[]));
        assert!(says("1,2", "2", &[]));
    }

    #[test]
    fn a_letter_is_chosen_once() {
        assert_eq!(letter("C"), Some('C'));
        assert_eq!(letter("B) Jamal"), Some('B'));
        assert_eq!(letter("The answer is B."), Some('B'));
        assert_eq!(letter("It is a B or a C"), None);
        assert_eq!(letter("neither"), None);
    }
}
