//! Asking question after question: what was answered, what was not, and when it is of no use to go on.

use std::time::Duration;

use super::{Item, Measured, Request, Right, Times, set_of, text};
use crate::endpoint::{Ask, Completion, Endpoint, Fault};

/// Requests in a row without an answer after which nothing more is asked.
const GIVES_UP: u32 = 5;

pub(super) struct Session<'a> {
    endpoint: &'a Endpoint,
    seed: u64,
    progress: &'a mut dyn FnMut(u32, u32),
    pub(super) measured: Measured,
    in_a_row: u32,
    expected: u32,
    took: Vec<u64>,
    first: Vec<u64>,
    speed: Vec<u64>,
}

impl<'a> Session<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, seed: u64, progress: &'a mut dyn FnMut(u32, u32)) -> Self {
        Self {
            endpoint,
            seed,
            progress,
            measured: Measured::default(),
            in_a_row: 0,
            expected: 0,
            took: Vec::new(),
            first: Vec::new(),
            speed: Vec::new(),
        }
    }

    /// How many questions there will be.
    pub(super) fn expect(&mut self, questions: usize) {
        self.expected = u32::try_from(questions).unwrap_or(u32::MAX);
    }

    pub(super) fn is_over(&self) -> bool {
        self.measured.stopped.is_some()
    }

    /// One question. `None` where there is no answer, or nothing is asked any more.
    pub(super) fn ask(&mut self, system: &str, prompt: &str, max_tokens: u32) -> Option<Completion> {
        let ask = Ask { system: Some(system), prompt, max_tokens, seed: self.seed };
        self.take(|endpoint| endpoint.complete(&ask))
    }

    /// One question, whose answer comes piece by piece; `timed` says whether it counts.
    pub(super) fn stream(&mut self, prompt: &str, max_tokens: u32, timed: bool) -> Option<Completion> {
        let ask = Ask { system: None, prompt, max_tokens, seed: self.seed };
        let completion = self.take(|endpoint| endpoint.stream(&ask))?;
        if !timed {
            self.took.pop();
        } else if let Some(first) = completion.first_text {
            self.first.push(milliseconds(first));
            // The first token is not part of how fast the others come.
            let rest = completion.elapsed.saturating_sub(first).as_micros();
            if let Some(tokens) = completion.answer_tokens.filter(|tokens| *tokens > 1)
                && rest > 0
            {
                let speed = u128::from(tokens - 1) * 1_000_000_000 / rest;
                self.speed.push(u64::try_from(speed).unwrap_or(u64::MAX));
            }
        }
        Some(completion)
    }

    fn take(&mut self, ask: impl FnOnce(&Endpoint) -> Result<Completion, Fault>) -> Option<Completion> {
        match self.take_fault(ask) {
            Some(Ok(completion)) => Some(completion),
            _ => None,
        }
    }

    /// One request, counted; `None` where nothing is asked any more.
    pub(super) fn take_fault(
        &mut self,
        ask: impl FnOnce(&Endpoint) -> Result<Completion, Fault>,
    ) -> Option<Result<Completion, Fault>> {
        if self.is_over() {
            return None;
        }
        let answer = ask(self.endpoint);
        self.measured.asked += 1;
        (self.progress)(self.measured.asked, self.expected.max(self.measured.asked));
        match &answer {
            Ok(completion) => {
                self.in_a_row = 0;
                self.took.push(milliseconds(completion.elapsed));
                let asked_for = &self.endpoint.settings().served_as;
                if let Some(said) = completion.said_model.as_ref().filter(|said| *said != asked_for)
                    && self.measured.other_names.len() < 5
                {
                    self.measured.other_names.insert(said.clone());
                }
            }
            // What the model cannot take is an answer to the question how much it takes.
            Err(Fault::TooLongForModel(_)) => {}
            Err(fault) => {
                *self.measured.faults.entry(fault.word().to_owned()).or_default() += 1;
                self.measured.last_fault = Some(fault.to_string());
                self.in_a_row += 1;
                self.measured.most_in_a_row = self.measured.most_in_a_row.max(self.in_a_row);
                if fault.is_final() {
                    self.measured.stopped = Some(fault.to_string());
                } else if self.in_a_row >= GIVES_UP {
                    self.measured.stopped = Some(format!("{GIVES_UP} requests in a row without an answer: {fault}"));
                }
            }
        }
        Some(answer)
    }

    /// Asks all of these and counts what is right.
    pub(super) fn items(&mut self, request: &Request, items: &[Item]) {
        self.describe(request, items);
        for item in items {
            let Some(answer) = self.ask(text::SYSTEM, &item.prompt, 80) else { continue };
            let (metric, counts) = match &item.right {
                Right::Abstain(metric) => (*metric, !text::abstains(&item.prompt, &answer.text)),
                Right::Says(metric, right, wrong) => (*metric, text::says(&answer.text, right, wrong)),
            };
            self.count(metric, counts);
        }
    }

    pub(super) fn describe(&mut self, request: &Request, items: &[Item]) {
        self.expect(items.len());
        (self.measured.set, self.measured.set_digest, self.measured.templates) =
            set_of(request.probe, request.seed, items);
    }

    pub(super) fn count(&mut self, metric: &str, counts: bool) {
        self.measured.counts.entry(metric.to_owned()).or_default().add(counts);
    }

    pub(super) fn finish(mut self) -> Measured {
        self.measured.times = Times {
            n: u32::try_from(self.took.len()).unwrap_or(u32::MAX),
            p50_ms: quantile(&mut self.took, 50).unwrap_or(0),
            p95_ms: quantile(&mut self.took, 95).unwrap_or(0),
            first_text_ms: quantile(&mut self.first, 50),
            tokens_per_second_thousandths: quantile(&mut self.speed, 50),
        };
        self.measured
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The least of the values that `percent` of all do not exceed.
fn quantile(values: &mut [u64], percent: usize) -> Option<u64> {
    values.sort_unstable();
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        assert_eq!(quantile(&mut [], 50), None);
        assert_eq!(quantile(&mut [7], 95), Some(7));
        let mut hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!((quantile(&mut hundred, 50), quantile(&mut hundred, 95)), (Some(50), Some(95)));
    }
}
