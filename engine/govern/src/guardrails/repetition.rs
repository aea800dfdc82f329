//! The same lines over and over.

use std::collections::{BTreeMap, HashMap};

use super::{Line, Seen, shown};

/// Longest block whose copies in a row are counted, in lines.
const LONGEST: usize = 40;
/// Letters that a block holds at least: less is punctuation.
const LETTERS: usize = 12;
/// Copies in a row that are odd.
const IN_A_ROW: usize = 4;
/// Lines of which a copied stretch has at least so many.
const STRETCH: usize = 5;
/// Copied lines that are odd, and the share of the added ones that they then are, in percent.
const COPIED: (usize, usize) = (12, 55);
/// Longest phrase whose copies in a row are counted, in words.
const PHRASE: usize = 6;
/// How often a phrase is said in a row, and the words that are said then, to be odd.
const SAID: usize = 5;
/// See [`SAID`].
const WORDS: usize = 10;

pub(super) fn look(lines: &[Line<'_>]) -> Seen {
    let mut seen = Seen::new();
    // What is added here and there, between lines that were there, is no repetition: it is looked at stretch by stretch.
    for stretch in lines.chunk_by(|one, other| one.is_added == other.is_added).filter(|stretch| stretch[0].is_added) {
        let mut numbers = HashMap::new();
        let mut id = |line: &Line<'_>| {
            let next = numbers.len();
            *numbers.entry(line.raw.to_owned()).or_insert(next)
        };
        let ids: Vec<usize> = stretch.iter().map(&mut id).collect();
        let letters: Vec<usize> =
            stretch.iter().map(|line| line.raw.chars().filter(|c| c.is_alphabetic()).count()).collect();
        in_a_row(stretch, &ids, &letters, &mut seen);
        copied(stretch, &ids, &letters, &mut seen);
        // Comments and texts go on from line to line.
        for said in stretch.chunk_by(|one, other| one.code.is_empty() && other.code.is_empty()) {
            if let Some((line, word)) = stutter(said) {
                seen.push((line, format!("`{}` stands there again and again", shown(word))));
            }
        }
    }
    seen
}

/// A block that follows itself.
fn in_a_row(added: &[Line<'_>], ids: &[usize], letters: &[usize], seen: &mut Seen) {
    let mut reported_to = 0;
    for period in 1..=LONGEST.min(ids.len() / IN_A_ROW) {
        let mut run = 0;
        for at in period..=ids.len() {
            if at < ids.len() && ids[at] == ids[at - period] {
                run += 1;
                continue;
            }
            let copies = run / period + 1;
            let begin = at - run - period;
            run = 0;
            if copies < IN_A_ROW || begin < reported_to {
                continue;
            }
            // Lines that are the same within the block count once.
            let of_block = begin..begin + period;
            let lines: BTreeMap<usize, usize> = of_block.map(|line| (ids[line], letters[line])).collect();
            let block: usize = lines.values().sum();
            if block >= LETTERS {
                let what = if period == 1 {
                    format!("the same line {copies} times in a row")
                } else {
                    format!("a block of {period} lines {copies} times in a row")
                };
                seen.push((added[begin].number, what));
                reported_to = at;
            }
        }
    }
}

/// Stretches that were written before, wherever.
fn copied(added: &[Line<'_>], ids: &[usize], letters: &[usize], seen: &mut Seen) {
    let mut known: HashMap<&[usize], usize> = HashMap::new();
    let mut is_copied = vec![false; ids.len()];
    let mut first = None;
    for (at, stretch) in ids.windows(STRETCH).enumerate() {
        let earlier = *known.entry(stretch).or_insert(at);
        if earlier + STRETCH <= at && letters[at..at + STRETCH].iter().sum::<usize>() >= STRETCH * LETTERS {
            is_copied[at..at + STRETCH].fill(true);
            first = first.or(Some(at));
        }
    }
    let count = is_copied.iter().filter(|copied| **copied).count();
    if let Some(at) = first
        && count >= COPIED.0
        && count * 100 >= ids.len() * COPIED.1
    {
        let what = format!("{count} of {} lines that are added are copies of lines before them", ids.len());
        seen.push((added[at].number, what));
    }
}

/// Words that are said over and over, turn by turn: where, and the first of them.
fn stutter<'t>(lines: &[Line<'t>]) -> Option<(u32, &'t str)> {
    let has_letters = |word: &&str| word.contains(char::is_alphabetic);
    let said = lines.iter().flat_map(|line| line.raw.split_whitespace().map(|word| (line.number, word)));
    let words: Vec<(u32, &str)> = said.filter(|(_, word)| has_letters(word)).collect();
    for period in 1..=PHRASE {
        let mut run = 0;
        for at in period..words.len() {
            run = if words[at].1 == words[at - period].1 { run + 1 } else { 0 };
            if run + period >= SAID * period && run + period >= WORDS {
                return Some(words[at + 1 - run - period]);
            }
        }
    }
    None
}
