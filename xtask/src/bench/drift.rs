//! `cargo xtask bench drift`: how often the judge of drift cries wolf, what it finds and how soon, beside the seed's rule,
//! mean and three standard deviations, and Kayenta's judge.
//!
//! Deployments are made up: on real series where nothing is labelled, and on ten families of made ones. What the watched
//! day is multiplied by is the change; by 1.0 nothing happened, and whatever alarms is a false alarm. Every method looks
//! after every hour; the first alarm counts. The method was tuned on one half of files and seeds and is reported on the
//! other. Bounds are of 2,000 bootstrap draws of whole files, or of whole series within their family, because days of one
//! file are no independent witnesses.

mod nab;
mod points;
mod random;
mod synthetic;

use std::path::PathBuf;

use grace_drift::{Better, Judge, Kayenta, Method, Point, Rule, Series, State, Watch};
use rayon::prelude::*;

use random::Random;

/// Steps of a day, and of a watch.
const HOURS: usize = 24;
/// Made series of each family.
const EACH: usize = 100;
/// Bootstrap draws.
const BOOTSTRAPS: usize = 2000;

/// What happens to a measure after a fake deployment.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// It is so many times as bad from the first hour on.
    Step(f64),
    /// It gets there in six hours.
    Ramp(f64),
    /// It is so many times as bad for three hours, and then well.
    Spike(f64),
    /// It is as it was, but twice as noisy.
    Noise,
}

impl Change {
    /// What the level of an hour, counted from the deployment, is multiplied by.
    fn times(self, hour: i64) -> f64 {
        match self {
            _ if hour < 0 => 1.0,
            Self::Step(times) => times,
            Self::Ramp(times) => 1.0 + (times - 1.0) * ((hour + 1) as f64 / 6.0).min(1.0),
            Self::Spike(times) if hour < 3 => times,
            Self::Spike(_) | Self::Noise => 1.0,
        }
    }

    fn noise(self, hour: i64) -> f64 {
        if self == Self::Noise && hour >= 0 { 2.0 } else { 1.0 }
    }
}

const QUIET: usize = 0;
const BELOW: usize = 1;
const LARGE: usize = 3;
const SPIKE: usize = 6;
const CHANGES: [(Change, &str); 8] = [
    (Change::Step(1.0), "x1.0"),
    (Change::Step(1.1), "x1.1"),
    (Change::Step(1.3), "x1.3"),
    (Change::Step(1.5), "x1.5"),
    (Change::Step(2.0), "x2.0"),
    (Change::Ramp(1.5), "ramp"),
    (Change::Spike(3.0), "spike"),
    (Change::Noise, "noise"),
];

/// What alarms.
const DETECTORS: [&str; 6] = ["the seed's rule", "mean and 3 sd", "Kayenta's judge", "suspect", "drift", "confirmed"];
const DRIFT: usize = 4;
const CONFIRMED: usize = 5;

/// Settings of Kayenta's judge: the ratio that it asks for, and the width of its interval.
const RATIOS: [f64; 12] = [1.2, 1.25, 1.3, 1.35, 1.4, 1.5, 1.6, 1.7, 1.8, 2.0, 2.5, 3.0];
const WIDTHS: [f64; 12] = [2.326, 2.6, 2.8, 3.0, 3.2, 3.4, 3.6, 3.8, 4.0, 4.3, 4.6, 5.0];
/// When it looks, in the search for its best settings: fewer looks are fewer false alarms.
const LOOKS: [usize; 8] = [4, 6, 8, 10, 12, 16, 20, 24];

/// A fake deployment.
pub(super) struct Trial {
    /// What is drawn whole in the bootstrap: a file, or a series.
    group: usize,
    /// Groups are drawn within their family.
    family: usize,
    /// Where it stands in the table of series: a file, or a family.
    row: usize,
    better: Better,
    /// The number of the first watched step, and when the first step of all begins.
    first: usize,
    start: i64,
    /// The series until the end of the watch, after a change.
    series: Box<dyn Fn(Change) -> Vec<Point> + Send + Sync>,
}

/// The hour of the first alarm of each detector after each change, 0 for none; whether the last verdict was unknown; and
/// which settings of Kayenta's judge alarm after each change.
struct Outcome {
    first: [[usize; CHANGES.len()]; DETECTORS.len()],
    unknown: bool,
    kayenta: Vec<[bool; CHANGES.len()]>,
}

/// What must be reached: upper bounds of false alarms, lower bounds of power, hours.
struct Targets {
    drift: f64,
    confirmed: f64,
    power: f64,
}

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let (mut nab, mut tuning, mut each) = (std::env::var_os("GRACE_RULES_NAB").map(PathBuf::from), false, EACH);
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        match argument.as_str() {
            "--nab" => nab = Some(left.next().ok_or("`--nab` needs a directory")?.into()),
            "--tuning" => tuning = true,
            "--each" => each = left.next().and_then(|each| each.parse().ok()).ok_or("`--each` needs a number")?,
            "--points" => return points::run(left.as_slice()),
            other => return Err(format!("`bench drift` does not know `{other}`")),
        }
    }
    let half =
        if tuning { "the half that the method was tuned on" } else { "the half that the method was not tuned on" };
    let (mut missed, mut is_skipped) = (Vec::new(), false);
    match nab {
        None => {
            is_skipped = true;
            eprintln!("warning: SKIPPED the real series: name a copy of NAB by --nab DIR or GRACE_RULES_NAB");
        }
        Some(root) => {
            let nab = nab::trials(&root, tuning)?;
            if nab.trials.is_empty() {
                return Err(format!("{} has no usable series of {half}", root.display()));
            }
            println!("NAB, {half}: {} files ({})", nab.files.len(), nab::per_folder(&nab.files));
            nab.unusable.iter().for_each(|why| println!("  not usable: {why}"));
            let targets = Targets { drift: 0.04, confirmed: 0.015, power: 0.5 };
            missed.extend(report(&nab.trials, &nab.files, &targets));
        }
    }
    println!("\nmade series, {half}: {each} of each of {} families", synthetic::FAMILIES.len());
    let trials = synthetic::trials(each, tuning);
    let names: Vec<String> = synthetic::FAMILIES.iter().map(|name| (*name).to_owned()).collect();
    let targets = Targets { drift: 0.03, confirmed: 0.005, power: 0.8 };
    missed.extend(report(&trials, &names, &targets));
    if missed.is_empty() {
        match is_skipped {
            true => {
                println!("\nall targets of made series met; SKIPPED: the real series, so nothing is known of theirs")
            }
            false => println!("\nall targets met"),
        }
        return Ok(());
    }
    Err(format!("missed: {}", missed.join("; ")))
}

/// Looks after every hour of the watch, with each method.
fn watched(trial: &Trial) -> Outcome {
    let deployed_at = trial.start + trial.first as i64 * 3600;
    let mut outcome = Outcome {
        first: [[0; CHANGES.len()]; DETECTORS.len()],
        unknown: false,
        kayenta: vec![[false; CHANGES.len()]; RATIOS.len() + WIDTHS.len()],
    };
    let rule = Rule::new(trial.better);
    let of = |method| Rule { method, ..rule.clone() };
    let rules = [of(Method::Seed), of(Method::ThreeSigma), of(Method::Kayenta), rule.clone()];
    let ratios = RATIOS.map(|times| Kayenta::new(trial.better, times));
    let widths = WIDTHS.map(|width| Kayenta { width, ..Kayenta::new(trial.better, 1.2) });
    // The past is the same whatever happens after.
    let mut judge = Judge::default();
    for (index, (change, _)) in CHANGES.iter().enumerate() {
        let series = Series { start: trial.start, step: 3600, points: (trial.series)(*change) };
        for hour in 1..=HOURS {
            let now = deployed_at + hour as i64 * 3600;
            let watch = Watch { series: &series, control: None, deployed_at, now, left_out: &[] };
            for (number, rule) in rules.iter().enumerate() {
                let state = judge.judge(rule, &watch).state;
                let mut alarm = |detector: usize, alarms: bool| {
                    let first = &mut outcome.first[detector][index];
                    if alarms && *first == 0 {
                        *first = hour;
                    }
                };
                if number < 3 {
                    alarm(number, state >= State::Drift);
                } else {
                    alarm(3, state >= State::Suspect);
                    alarm(4, state >= State::Drift);
                    alarm(5, state >= State::Confirmed);
                    outcome.unknown |= index == QUIET && hour == HOURS && state == State::Unknown;
                }
            }
        }
        let values = |from: usize, to: usize| -> Vec<f64> {
            series.points[from..to].iter().filter_map(|point| point.value()).collect()
        };
        let before = values(trial.first - HOURS, trial.first);
        for look in LOOKS {
            let after = values(trial.first, (trial.first + look).min(series.points.len()));
            for (kayenta, alarms) in ratios.iter().chain(&widths).zip(&mut outcome.kayenta) {
                alarms[index] = alarms[index] || kayenta.worse(&before, &after);
            }
        }
    }
    outcome
}

/// A share, and its bounds.
#[derive(Clone, Copy)]
struct Share {
    share: f64,
    low: f64,
    high: f64,
}

/// The share of trials that alarm, with bounds by drawing whole groups within their families again.
fn share(trials: &[Trial], alarms: impl Fn(usize) -> bool) -> Share {
    let groups = trials.iter().map(|trial| trial.group).max().map_or(0, |last| last + 1);
    let mut counted = vec![(0.0, 0.0, 0); groups];
    for (number, trial) in trials.iter().enumerate() {
        let (hits, all, family) = &mut counted[trial.group];
        *hits += f64::from(u8::from(alarms(number)));
        *all += 1.0;
        *family = trial.family;
    }
    let families: Vec<Vec<(f64, f64)>> = (0..=counted.iter().map(|(_, _, family)| *family).max().unwrap_or(0))
        .map(|family| counted.iter().filter(|group| group.2 == family).map(|(hits, all, _)| (*hits, *all)).collect())
        .collect();
    let ratio = |sums: (f64, f64)| sums.0 / sums.1.max(1.0);
    let sum = |a: (f64, f64), b: &(f64, f64)| (a.0 + b.0, a.1 + b.1);
    let mut random = Random::seeded(1);
    let mut drawn: Vec<f64> = (0..BOOTSTRAPS)
        .map(|_| {
            let draws = families.iter().flat_map(|groups| std::iter::repeat_n(groups, groups.len()));
            ratio(draws.map(|groups| &groups[random.below(groups.len())]).fold((0.0, 0.0), sum))
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    Share {
        share: ratio(families.iter().flatten().fold((0.0, 0.0), sum)),
        low: drawn[BOOTSTRAPS / 40],
        high: drawn[BOOTSTRAPS - 1 - BOOTSTRAPS / 40],
    }
}

/// Prints all figures; gives the targets that were missed.
fn report(trials: &[Trial], names: &[String], targets: &Targets) -> Vec<String> {
    let outcomes: Vec<Outcome> = trials.par_iter().map(watched).collect();
    let of = |detector: usize, change: usize| share(trials, |trial| outcomes[trial].first[detector][change] > 0);
    let unknown = share(trials, |trial| outcomes[trial].unknown);
    println!("{} watches of 24 h, {:.1} % of them end in `unknown`\n", trials.len(), 100.0 * unknown.share);
    println!("share of watches that alarm, in %, 95 % bounds below");
    let heads: String = CHANGES.iter().map(|(_, name)| format!("{name:>12}")).collect();
    println!("{:<16}{heads}{:>8}", "", "delay");
    for (detector, name) in DETECTORS.iter().enumerate() {
        let shares: Vec<Share> = (0..CHANGES.len()).map(|change| of(detector, change)).collect();
        let each: String = shares.iter().map(|share| format!("{:>12.1}", 100.0 * share.share)).collect();
        let bounds: String = shares
            .iter()
            .map(|share| format!("{:>12}", format!("{:.1}-{:.1}", 100.0 * share.low, 100.0 * share.high)))
            .collect();
        println!("{name:<16}{each}{:>8}\n{:<16}{bounds}", hours(median_delay(&outcomes, detector)), "");
    }

    let (quiet, found) = (of(DRIFT, QUIET), of(DRIFT, LARGE));
    println!(
        "\nKayenta's judge with no more false alarms than `drift` ({:.1} %), at its best settings",
        100.0 * quiet.share
    );
    let mut best: f64 = 0.0;
    for (what, settings) in [("ratio", 0..RATIOS.len()), ("interval", RATIOS.len()..RATIOS.len() + WIDTHS.len())] {
        let allowed = settings.filter_map(|setting| {
            let alarms = |change: usize| share(trials, |trial| outcomes[trial].kayenta[setting][change]).share;
            (alarms(QUIET) <= quiet.share).then(|| (alarms(QUIET), alarms(LARGE - 1), alarms(LARGE), alarms(LARGE + 1)))
        });
        match allowed.max_by(|a, b| a.2.total_cmp(&b.2)) {
            None => println!("  by its {what}: no setting has so few"),
            Some((alarms, mild, large, double)) => {
                best = best.max(large);
                println!(
                    "  by its {what}: {:.1} % false, x1.3 {:.1}, x1.5 {:.1}, x2.0 {:.1}",
                    100.0 * alarms,
                    100.0 * mild,
                    100.0 * large,
                    100.0 * double
                );
            }
        }
    }

    println!("\n`drift` and `confirmed` by series, in %: x1.0, x1.1, x1.5; x1.0, x1.5");
    for (number, name) in names.iter().enumerate() {
        let mine: Vec<&Outcome> =
            trials.iter().zip(&outcomes).filter(|(trial, _)| trial.row == number).map(|(_, outcome)| outcome).collect();
        let share = |detector: usize, change: usize| {
            let alarms = mine.iter().filter(|outcome| outcome.first[detector][change] > 0).count();
            100.0 * alarms as f64 / mine.len().max(1) as f64
        };
        println!(
            "  {name:<56}{:>6.1}{:>6.1}{:>6.1}  {:>6.1}{:>6.1}",
            share(DRIFT, QUIET),
            share(DRIFT, BELOW),
            share(DRIFT, LARGE),
            share(CONFIRMED, QUIET),
            share(CONFIRMED, LARGE)
        );
    }

    let (confirmed, delay, spike) = (of(CONFIRMED, QUIET), median_delay(&outcomes, DRIFT), of(DRIFT, SPIKE));
    let mut missed = Vec::new();
    let mut target = |name: String, met: bool| {
        println!("  {} {name}", if met { "met   " } else { "MISSED" });
        if !met {
            missed.push(name);
        }
    };
    println!("\ntargets");
    target(
        format!("`drift` cries wolf in {:.1} % at most, bound {:.1}", 100.0 * targets.drift, 100.0 * quiet.high),
        quiet.high <= targets.drift,
    );
    target(
        format!(
            "`confirmed` cries wolf in {:.1} % at most, bound {:.1}",
            100.0 * targets.confirmed,
            100.0 * confirmed.high
        ),
        confirmed.high <= targets.confirmed,
    );
    target(
        format!("`drift` finds x1.5 in {:.0} % at least, bound {:.1}", 100.0 * targets.power, 100.0 * found.low),
        found.low >= targets.power,
    );
    target(
        format!(
            "median delay {} of 6 h at most, what is not found counted ({} of what is found)",
            hours(delay),
            hours(median_of(outcomes.iter().map(|outcome| outcome.first[DRIFT][LARGE]).filter(|hour| *hour > 0)))
        ),
        delay.is_some_and(|delay| delay <= 6),
    );
    target(
        format!("x1.5 {:.1} % beside {:.1} % of Kayenta's judge", 100.0 * found.share, 100.0 * best),
        found.share > best,
    );
    println!(
        "         a spike that heals adds {:.1} points to the false alarms of `drift`",
        100.0 * (spike.share - quiet.share)
    );
    missed
}

/// Hours from the deployment to the alarm, at x1.5, of the middle watch; what is never found takes for ever, and `None` is
/// that half of them are.
fn median_delay(outcomes: &[Outcome], detector: usize) -> Option<usize> {
    median_of(outcomes.iter().map(|outcome| outcome.first[detector][LARGE]))
}

/// The middle of hours of which 0 is never.
fn median_of(hours: impl Iterator<Item = usize>) -> Option<usize> {
    let mut hours: Vec<usize> = hours.map(|hour| if hour == 0 { usize::MAX } else { hour }).collect();
    hours.sort_unstable();
    hours.get(hours.len() / 2).copied().filter(|hour| *hour < usize::MAX)
}

fn hours(delay: Option<usize>) -> String {
    delay.map_or_else(|| "never".to_owned(), |hours| format!("{hours} h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_found_is_no_short_delay() {
        assert_eq!(median_of([2, 4, 6].into_iter()), Some(4));
        assert_eq!(median_of([2, 0, 4, 0, 9].into_iter()), Some(9));
        assert_eq!(median_of([2, 0, 0].into_iter()), None);
        assert_eq!(median_of(std::iter::empty()), None);
    }
}
