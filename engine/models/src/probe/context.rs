//! How much of a question arrives: a word on the first line, more and more lines after it, and the question for the word.
//!
//! Three things can happen beyond the window: the server refuses, it cuts in silence (it counts no more tokens than before), or
//! it takes all and the model finds the word no more.

use super::Request;
use super::session::Session;
use crate::endpoint::{Ask, Fault};
use crate::random::Random;

/// Words of the first question.
const BEGINS: u64 = 128;
/// Questions between the last that arrived and the first that did not.
const HALVINGS: u32 = 3;
/// Bytes of the longest question.
const MOST_BYTES: u64 = 16 << 20;

/// What lies beyond the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The server refuses longer questions.
    Refused,
    /// The server cuts them and says nothing.
    CutSilently,
    /// Nothing was asked that is longer than the window.
    NotReached,
}

impl Edge {
    /// Its word in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::CutSilently => "cut",
            Self::NotReached => "not_reached",
        }
    }
}

/// A window as it was measured, in tokens; in words where the server counts none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The longest question that arrived whole.
    pub served: u64,
    /// The longest one whose first line was still known, with all shorter ones; 0 where not even the shortest was.
    pub effective: u64,
    /// What lies beyond.
    pub edge: Edge,
    /// Whether these are tokens.
    pub in_tokens: bool,
}

/// What became of one length.
struct Tried {
    tokens: Option<u64>,
    recalled: bool,
}

pub(super) fn run(session: &mut Session<'_>, request: &Request) {
    session.measured.set = format!("grace context items 1, seed {}", request.seed);
    session.measured.templates = 1;
    let mut random = Random::new(request.seed, "context");
    let mut window = Window { served: 0, effective: 0, edge: Edge::NotReached, in_tokens: true };
    // Tokens a word, in thousandths, by the first answer: what later ones are compared with.
    let mut rate: Option<u64> = None;
    let mut lost = false;
    let (mut arrived, mut beyond) = (0_u64, None::<u64>);
    let mut words = BEGINS;
    let mut halvings = 0;
    loop {
        let tried = match ask(session, &mut random, request.seed, words) {
            Some(Ok(tried)) => tried,
            Some(Err(Fault::TooLongForModel(_))) => {
                window.edge = Edge::Refused;
                beyond = Some(words);
                match between(arrived, beyond, &mut halvings) {
                    Some(next) => words = next,
                    None => break,
                }
                continue;
            }
            // One other fault is counted, and the window is what is known until then.
            Some(Err(_)) | None => break,
        };
        let is_cut = match (tried.tokens, rate) {
            (Some(tokens), Some(rate)) => tokens.saturating_mul(1000) < words.saturating_mul(rate) * 7 / 10,
            (Some(tokens), None) => {
                rate = Some(tokens.saturating_mul(1000) / words);
                false
            }
            (None, _) => {
                window.in_tokens = false;
                false
            }
        };
        let size = tried.tokens.filter(|_| window.in_tokens).unwrap_or(words);
        if is_cut {
            window.edge = Edge::CutSilently;
            beyond = Some(words);
        } else {
            arrived = arrived.max(words);
            window.served = window.served.max(size);
            lost |= !tried.recalled;
            if !lost {
                window.effective = window.effective.max(size);
            }
        }
        words = match beyond {
            Some(_) => match between(arrived, beyond, &mut halvings) {
                Some(next) => next,
                None => break,
            },
            None if size >= request.up_to || words.saturating_mul(12) > MOST_BYTES => break,
            None => words * 2,
        };
    }
    session.measured.window = Some(window);
}

/// A length between what arrived and what did not, while that is of use.
fn between(arrived: u64, beyond: Option<u64>, halvings: &mut u32) -> Option<u64> {
    let beyond = beyond?;
    *halvings += 1;
    (*halvings <= HALVINGS && beyond > arrived + 16).then(|| arrived + (beyond - arrived) / 2)
}

fn ask(session: &mut Session<'_>, random: &mut Random, seed: u64, words: u64) -> Option<Result<Tried, Fault>> {
    const FILL: &[&str] = &["the", "road", "runs", "past", "a", "house", "and", "over", "the", "hill", "to", "town"];
    let secret = random.between(10_000, 99_999).to_string();
    let mut prompt = format!("The number to remember is {secret}.\n");
    for at in 0..words {
        prompt.push_str(FILL[usize::try_from(at).unwrap_or(0) % FILL.len()]);
        prompt.push(if at % 12 == 11 { '\n' } else { ' ' });
    }
    prompt.push_str("\nWhat is the number to remember, from the first line? Answer with the number alone.");
    let ask = Ask { system: None, prompt: &prompt, max_tokens: 24, seed };
    let answer = session.take_fault(|endpoint| endpoint.complete(&ask))?;
    Some(answer.map(|answer| Tried { tokens: answer.prompt_tokens, recalled: answer.text.contains(&secret) }))
}
