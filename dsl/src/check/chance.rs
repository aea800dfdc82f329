//! Drift rules that fire by chance: told by calculation from what a rule declares.

use crate::ast::{Ask, Drift, ItemKind, Kpi, NodeId, Operational, Source, Word};
use crate::check::Checker;
use crate::diagnostic::Code;
use crate::names::NameKind;

/// The share that is counted with, where none is known: 10 %.
const SHARE: f64 = 0.1;
/// Samples on each side where a rule names none; of fewer, chance moves a share more than a threshold can mean.
const SAMPLES: u64 = 30;
/// What a rule may do by chance in a watch.
const BUDGET: f64 = 0.05;
/// The chance that one hour of noise lies beyond three standard deviations, on one side.
const BEYOND_THREE: f64 = 0.001_35;

impl Checker<'_, '_> {
    /// Warns of a drift rule that would fire although nothing has changed.
    pub(super) fn by_chance(&mut self, item: &Operational) {
        let Some(drift) = Drift::of(item) else { return };
        let by = drift.worse_by as f64 / 1000.0;
        let samples = drift.samples.unwrap_or(SAMPLES);
        let hour = moves_by_chance(samples, by / 100.0);
        let steps = drift.steps;
        let watch = |hour: f64| 1.0 - (1.0 - hour).powf(f64::from(steps));
        let try_it =
            format!("what it does on your own data says: grace-rules drift test {} --history FILE", self.item.name);
        match drift.method.as_deref() {
            Some("seed") => {
                let why = if watch(hour) > BUDGET && self.may_be_counted(&drift.kpi) {
                    format!(
                        "with {samples} samples a side a share of 10 % moves by more than {by} % in {} of hours and {} of watches",
                        percent(hour),
                        percent(watch(hour))
                    )
                } else {
                    "on real series in which nothing happened it fired in three of four watches".to_owned()
                };
                let message = format!("`{}` fires by chance: {why}", self.item.name);
                let help = format!(
                    "leave out `method`: the rule is then held against what the measure's own past does; {try_it}"
                );
                self.warn(Code::FiresByChance, place(item, "method"), message, help);
            }
            Some("three_sigma") if watch(BEYOND_THREE) > BUDGET => {
                let message = format!(
                    "`{}` fires by chance: of {steps} hours of plain noise one lies beyond three standard deviations in {} of watches",
                    self.item.name,
                    percent(watch(BEYOND_THREE))
                );
                let help = format!("leave out `method`, or watch for less; {try_it}");
                self.warn(Code::FiresByChance, place(item, "method"), message, help);
            }
            None | Some("calibrated") if samples < SAMPLES && hour > BUDGET && self.may_be_counted(&drift.kpi) => {
                let message = format!(
                    "`{}` fires by chance: with {samples} samples a side a share of 10 % moves by more than {by} % in {} of cases",
                    self.item.name,
                    percent(hour)
                );
                let help = format!("leave out `samples`, which is then {SAMPLES}, or ask for more; {try_it}");
                self.warn(Code::FiresByChance, place(item, "samples"), message, help);
            }
            _ => {}
        }
    }

    /// Whether a KPI counts so many of so many, as far as its text tells. Of means one sample is a whole hour's.
    fn may_be_counted(&self, kpi: &str) -> bool {
        let item = self.book.names.get(NameKind::Kpi, kpi).and_then(|place| self.book.item(place));
        let Some(ItemKind::Operational(operational)) = item.map(|item| &item.kind) else { return true };
        match Kpi::of(operational).map(|kpi| kpi.source) {
            Some(Source::Prometheus { ask, .. } | Source::Table { ask, .. } | Source::Otlp { ask, .. }) => {
                matches!(ask, Ask::Ratio { .. })
            }
            _ => true,
        }
    }
}

/// How often two shares of so many samples each, both in truth [`SHARE`], differ by more than this part of the first.
fn moves_by_chance(samples: u64, part: f64) -> f64 {
    let spread = (2.0 * (1.0 - SHARE) / (SHARE * samples.max(1) as f64)).sqrt();
    beyond(part / spread)
}

/// How often what is normally distributed lies further than so many standard deviations from its middle, on either side:
/// the approximation 7.1.26 of Abramowitz and Stegun, good to seven digits.
fn beyond(deviations: f64) -> f64 {
    let x = deviations.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let terms = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let sum = terms.iter().fold(0.0, |sum, term| (sum + term) * t);
    (sum * (-x * x).exp()).clamp(0.0, 1.0)
}

fn percent(share: f64) -> String {
    if share > 0.995 { "nearly all".to_owned() } else { format!("{:.0} %", share * 100.0) }
}

/// Where a line's value stands.
fn place(item: &Operational, line: &str) -> NodeId {
    let clause = item.clauses.iter().find(|clause| clause.name.text == line);
    let value = clause.and_then(|clause| {
        clause.words.iter().rev().find_map(|word| match word {
            Word::Word(name) => Some(name.node),
            Word::Quantity(quantity) => Some(quantity.node),
            _ => None,
        })
    });
    value.or(clause.map(|clause| clause.name.node)).unwrap_or(NodeId(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Role, SourceFile, check};

    #[test]
    fn thirty_samples_move_by_a_fifth_four_times_in_five() {
        assert_eq!(percent(moves_by_chance(30, 0.2)), "80 %");
        assert_eq!(percent(moves_by_chance(5000, 0.2)), "0 %");
        for (deviations, share) in [(0.0, 1.0), (1.0, 0.317_310_5), (1.959_964, 0.05), (3.0, 0.002_699_8)] {
            assert!((beyond(deviations) - share).abs() < 1e-6, "{deviations}");
        }
    }

    fn found(source: &str, lines: &str, watch: u32) -> Vec<String> {
        let text = format!(
            "kpi k\n  better higher\n  from {source}\n\ndrift d on k\n  watch every 1 h for {watch} h after deployment\n  \
             alert worse by more than 20 % of baseline\n{lines}  on drift note\n  because \"x\"\n"
        );
        let parsed = crate::parse(&text);
        assert_eq!(parsed.diagnostics, [], "{text}");
        let files = [SourceFile { path: "a", text: &text, parsed: &parsed, role: Role::Own }];
        check(&files)
            .iter()
            .map(|found| format!("{} {} {}", found.code, &text[found.span.clone()], found.message))
            .collect()
    }

    #[test]
    fn the_bare_rule_and_too_few_samples_are_warned_of_with_a_figure() {
        let counted = "prometheus \"main\", numerator \"a\", denominator \"b\"";
        let mean = "prometheus \"main\", query \"a\"";
        let bare = "W004 seed `d` fires by chance: with 30 samples a side a share of 10 % moves by more than 20 % in 80 % of hours and nearly all of watches";
        assert_eq!(found(counted, "  method seed\n", 24), [bare]);
        assert_eq!(found("push", "  method seed\n", 24), [bare]);
        // However many samples: what moves by itself is no matter of samples.
        let measured =
            "W004 seed `d` fires by chance: on real series in which nothing happened it fired in three of four watches";
        assert_eq!(found(counted, "  method seed\n  samples at least 100000\n", 24), [measured]);
        assert_eq!(found(mean, "  method seed\n", 24), [measured]);
        let few = "W004 5 `d` fires by chance: with 5 samples a side a share of 10 % moves by more than 20 % in 92 % of cases";
        assert_eq!(found(counted, "  samples at least 5\n", 24), [few]);
        let long = "W004 three_sigma `d` fires by chance: of 48 hours of plain noise one lies beyond three standard deviations in 6 % of watches";
        assert_eq!(found(mean, "  method three_sigma\n", 48), [long]);
        for (source, lines) in [
            (counted, ""),
            (counted, "  samples at least 30\n"),
            (mean, "  samples at least 1\n"),
            (mean, "  method kayenta\n"),
        ] {
            assert_eq!(found(source, lines, 24), [""; 0], "{source} {lines}");
        }
    }
}
