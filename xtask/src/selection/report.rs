//! The figures: what each selector caught, what it took, and how sure that is.

use std::collections::{BTreeMap, BTreeSet};

use super::ours::Chosen;
use super::packages::Package;
use super::truth::{Fault, Truth};

/// The strata of the main figures; the others are reported by themselves.
const MAIN: [&str; 3] = ["body", "import", "helper"];

/// One package with what a selector chose for each of its faults; `None` where it could not choose.
pub(super) struct Column<'a> {
    pub(super) package: &'a Package,
    pub(super) truth: &'a Truth,
    pub(super) chosen: Vec<Option<Chosen>>,
}

/// A selector by name with its choices.
pub(super) struct Selector<'a> {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column<'a>>,
}

/// What a selector did in some group of faults that tests fail for.
#[derive(Default)]
struct Tally {
    killed: u64,
    caught: u64,
    safe: u64,
    failing: u64,
    found: u64,
    tests: f64,
    time: f64,
    millis: f64,
    /// What as many tests, chosen by chance, would have come to.
    chance_caught: f64,
    chance_found: f64,
}

impl Tally {
    fn add(&mut self, truth: &Truth, fault: &Fault, chosen: Option<&Chosen>) {
        let none = BTreeSet::new();
        let picked = chosen.map_or(&none, |chosen| &chosen.tests);
        let found = fault.failed.intersection(picked).count();
        let all: f64 = truth.tests.iter().map(|test| test.millis).sum();
        let share = picked.len() as f64 / truth.tests.len() as f64;
        self.killed += 1;
        self.caught += u64::from(found > 0);
        self.safe += u64::from(found == fault.failed.len());
        self.failing += fault.failed.len() as u64;
        self.found += found as u64;
        self.tests += share;
        self.time += picked.iter().map(|&test| truth.tests[test].millis).sum::<f64>() / all;
        self.millis += chosen.map_or(0.0, |chosen| chosen.millis);
        self.chance_caught += 1.0 - none_of(fault.failed.len(), picked.len(), truth.tests.len());
        self.chance_found += share * fault.failed.len() as f64;
    }

    fn row(&self) -> String {
        let each = |sum: f64| 100.0 * sum / self.killed as f64;
        format!(
            "| {} | {} | {} | {} | {:.1} | {:.1} | {:.0} |",
            self.killed,
            part(self.caught, self.killed),
            part(self.safe, self.killed),
            part(self.found, self.failing),
            each(self.tests),
            each(self.time),
            self.millis / self.killed as f64,
        )
    }
}

/// The chance that none of `failing` tests is among `picked` of `all`.
fn none_of(failing: usize, picked: usize, all: usize) -> f64 {
    let left = |at: usize| (all - picked).saturating_sub(at) as f64 / (all - at) as f64;
    (0..failing.min(all)).map(left).product()
}

/// A share in percent, with the bounds that hold at 95 % (Wilson).
fn part(of: u64, all: u64) -> String {
    let (low, high) = wilson(of, all);
    format!("{:.1} ({low:.1}–{high:.1})", 100.0 * of as f64 / all.max(1) as f64)
}

fn wilson(of: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 100.0);
    }
    let (z, n, p) = (1.96_f64, all as f64, of as f64 / all as f64);
    let middle = p + z * z / (2.0 * n);
    let wide = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (100.0 * ((middle - wide) / scale).max(0.0), 100.0 * ((middle + wide) / scale).min(1.0))
}

/// Prints all figures as tables, and every miss.
pub(super) fn print(selectors: &[Selector<'_>]) {
    let selectors: Vec<_> = selectors.iter().filter(|selector| !selector.columns.is_empty()).collect();
    let head = "| faults | changes caught % | all failing chosen % | failing tests chosen % | tests % | time % | ms |";
    let line = "|---|---|---|---|---|---|---|";
    for (title, is_wanted) in [("Main strata", true), ("Apart", false)] {
        println!("\n{title}: faults that tests fail for\n\n| selector | group {head}\n|---{line}---|");
        for selector in &selectors {
            for (group, tally) in tallies(selector, is_wanted) {
                println!("| {} | {group} {}", selector.name, tally.row());
            }
        }
    }
    println!("\nAs many tests by chance\n\n| as many as | changes caught % | failing tests chosen % |\n|---|---|---|");
    for selector in &selectors {
        if let Some(tally) = tallies(selector, true).remove("all") {
            let caught = 100.0 * tally.chance_caught / tally.killed as f64;
            let found = 100.0 * tally.chance_found / tally.failing as f64;
            println!("| {} | {caught:.1} | {found:.1} |", selector.name);
        }
    }
    for selector in &selectors {
        misses(selector);
    }
}

/// By group: all together, each stratum, and each package.
fn tallies(selector: &Selector<'_>, is_main: bool) -> BTreeMap<String, Tally> {
    let mut found: BTreeMap<String, Tally> = BTreeMap::new();
    for column in &selector.columns {
        for (fault, chosen) in column.truth.faults.iter().zip(&column.chosen) {
            if !fault.is_killed() || MAIN.contains(&fault.stratum.as_str()) != is_main {
                continue;
            }
            let mut groups = vec!["all".to_owned(), format!("stratum {}", fault.stratum)];
            if is_main {
                groups.push(format!("package {}", column.package.name));
                groups.push(if column.package.is_held_out { "held out" } else { "not held out" }.to_owned());
            }
            for group in groups {
                found.entry(group).or_default().add(column.truth, fault, chosen.as_ref());
            }
        }
    }
    found
}

/// Every fault for which a failing test was left out, or nothing was chosen though tests fail or cannot be collected.
fn misses(selector: &Selector<'_>) {
    let mut broken = 0;
    let mut empty = 0;
    println!("\nMissed by {}:", selector.name);
    for column in &selector.columns {
        for (fault, chosen) in column.truth.faults.iter().zip(&column.chosen) {
            let is_broken = !fault.uncollected.is_empty();
            let is_empty = chosen.as_ref().is_none_or(|chosen| chosen.is_empty);
            broken += u64::from(is_broken);
            empty += u64::from(is_broken && is_empty);
            let lost = lost(fault, chosen.as_ref());
            if !lost.is_empty() {
                println!("  {} {}: {} of {} tests", column.package.name, fault.shown(), lost.len(), fault.failed.len());
            }
        }
    }
    println!("  (of {broken} faults after which tests cannot be collected, nothing was chosen for {empty})");
}

/// The failing tests of a fault that were not chosen, unless files cannot be imported after it.
pub(super) fn lost(fault: &Fault, chosen: Option<&Chosen>) -> Vec<usize> {
    let is_chosen = |test: &usize| chosen.is_some_and(|chosen| chosen.tests.contains(test));
    fault.failed.iter().filter(|test| fault.is_killed() && !is_chosen(test)).copied().collect()
}

/// One line a fault that tests fail for: the share of tests that were chosen, those that fail, where, and what chose them.
pub(super) fn print_each(selector: &Selector<'_>) {
    for column in &selector.columns {
        let all = column.truth.tests.len().max(1) as f64;
        for (fault, chosen) in column.truth.faults.iter().zip(&column.chosen).filter(|(fault, _)| fault.is_killed()) {
            let Some(chosen) = chosen else { continue };
            let share = 100.0 * chosen.tests.len() as f64 / all;
            let failing = 100.0 * fault.failed.len() as f64 / all;
            let (name, package, shown) = (selector.name, column.package.name, fault.shown());
            println!("{name}: {package}: {share:.1} % of tests ({failing:.1} % fail): {shown}: {}", chosen.why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{none_of, wilson};

    #[test]
    fn bounds_hold_the_share_and_stay_within_all() {
        let (low, high) = wilson(72, 72);
        assert!(low > 94.0 && low < 96.0 && (high - 100.0).abs() < 1e-9, "{low} {high}");
        let (low, high) = wilson(5, 10);
        assert!((low - 23.7).abs() < 0.1 && (high - 76.3).abs() < 0.1, "{low} {high}");
    }

    #[test]
    fn chance_finds_nothing_where_too_few_are_picked() {
        assert!((none_of(1, 5, 10) - 0.5).abs() < 1e-9);
        assert!(none_of(6, 5, 10).abs() < 1e-9);
        assert!((none_of(3, 0, 10) - 1.0).abs() < 1e-9);
    }
}
